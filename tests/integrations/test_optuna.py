"""The sampler for Optuna: what it may draw, what it learns from, and that it knows no more."""

import pickle
import warnings
from datetime import datetime, timedelta

import numpy as np
import pytest

optuna = pytest.importorskip("optuna", reason="optuna is not installed: cemkit[optuna]")

from optuna.distributions import (  # noqa: E402 - after the skip
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)
from optuna.trial import TrialState, create_trial  # noqa: E402

from cem.integrations.optuna import CemSampler  # noqa: E402

try:
    from optuna.testing.pytest_samplers import (
        BasicSamplerTestCase,
        RelativeSamplerTestCase,
        SingleOnlySamplerTestCase,
    )
except ImportError:  # an Optuna that has no tests for samplers of others
    BasicSamplerTestCase = RelativeSamplerTestCase = SingleOnlySamplerTestCase = object

optuna.logging.set_verbosity(optuna.logging.ERROR)
RANGES = [
    FloatDistribution(-5.0, 5.0),
    FloatDistribution(1e-6, 1.0, log=True),
    FloatDistribution(0.0, 1.0, step=0.25),
    FloatDistribution(2.0, 2.0),
    IntDistribution(-3, 7),
    IntDistribution(0, 10, step=5),
    IntDistribution(1, 1000, log=True),
    CategoricalDistribution(["a", None, 3]),
    CategoricalDistribution(["only"]),
]


@pytest.mark.filterwarnings("ignore::optuna.exceptions.ExperimentalWarning")
class TestAsOptunaTestsItsOwn(
    BasicSamplerTestCase, RelativeSamplerTestCase, SingleOnlySamplerTestCase
):
    @pytest.fixture
    def sampler(self):
        return lambda: CemSampler(n_samples=5, seed=0)


def study_of(sampler, **options):
    return optuna.create_study(sampler=sampler, **options)


def sphere(trial):
    return sum((trial.suggest_float(f"x{i}", -5, 5) - 1) ** 2 for i in range(3))


def values(study):
    return [trial.params for trial in study.get_trials()]


def add(study, value=0.0, state=TrialState.COMPLETE, **params):
    """A finished trial with floats from 0 to 1."""
    study.add_trial(
        create_trial(
            params=params,
            distributions={name: FloatDistribution(0, 1) for name in params},
            value=value if state == TrialState.COMPLETE else None,
            state=state,
        )
    )


def drawn(sampler, study, distribution=None, n=200):
    """What the sampler would draw for ``x`` in the next trials."""
    distribution = distribution or FloatDistribution(0, 1)
    return [sampler.sample_independent(study, t, "x", distribution) for t in numbered(n)]


def numbered(n):
    """Trials to come."""
    for number in range(10_000, 10_000 + n):
        trial = create_trial(value=0.0)
        trial.number = number
        yield trial


@pytest.mark.parametrize("distribution", RANGES, ids=str)
@pytest.mark.parametrize("seen", [0, 60])
def test_every_value_is_one_of_the_range_and_all_stay_possible(distribution, seen):
    study = study_of(CemSampler(n_samples=10, seed=1))
    study.optimize(lambda trial: hash(trial._suggest("x", distribution)) % 7, n_trials=seen)
    found = drawn(study.sampler, study, distribution)
    assert all(distribution._contains(distribution.to_internal_repr(x)) for x in found)
    kinds = {FloatDistribution: float, IntDistribution: int}
    assert all(type(x) is kinds.get(type(distribution), type(x)) for x in found)
    if seen == 0 and (n := getattr(distribution, "step", None)):
        cells = round((distribution.high - distribution.low) / n) + 1
        assert len(set(found)) == cells or distribution.log


def test_the_first_draws_are_nearly_flat_and_of_the_logarithm_where_that_is_asked_for():
    sampler = CemSampler(seed=3)
    study = study_of(sampler)
    x = np.array(drawn(sampler, study, n=2000))
    logs = np.log10(drawn(sampler, study, FloatDistribution(1e-6, 1.0, log=True), n=2000))
    # flat has the mean 1/2 and a quarter in each quarter; the density is 12 % lower at the ends
    assert abs(x.mean() - 0.5) < 0.03
    assert np.histogram(x, 4, (0, 1))[0].min() > 430
    assert abs(logs.mean() + 3) < 0.18


def test_what_is_learnt_is_where_the_best_trials_were():
    sampler = CemSampler(n_samples=20, rho=0.2, seed=1)
    study = study_of(sampler)
    rng = np.random.default_rng(1)
    for _ in range(6):
        for x in rng.random(20):
            add(study, (x - 0.7) ** 2, x=x)
    assert abs(np.mean(drawn(sampler, study)) - 0.7) < 0.05
    up = study_of(CemSampler(n_samples=20, rho=0.2, seed=1), direction="maximize")
    for trial in study.get_trials():
        add(up, -trial.value, **trial.params)
    assert drawn(up.sampler, up) == drawn(sampler, study)


def test_every_trial_teaches_and_those_before_the_last_n_samples_are_never_elite():
    sampler = CemSampler(n_samples=20, alpha=1.0, seed=1)
    study, rng = study_of(sampler), np.random.default_rng(2)
    add(study, -1.0, x=0.9)
    medians = []
    for x in rng.normal(0.2, 0.02, 22):
        add(study, (x - 0.2) ** 2, x=x)
        medians.append(np.median(drawn(sampler, study)))
    assert min(medians[:19]) > 0.5 > medians[19]  # the first, which is best of all, is gone by then
    assert medians[19] > medians[20] > medians[21]


def test_one_trial_moves_the_mean_and_leaves_the_width_and_the_choices():
    sampler, choices = CemSampler(seed=1), CategoricalDistribution(["a", "b"])
    study = study_of(sampler)
    flat = np.std(drawn(sampler, study, n=1000))
    study.add_trial(
        create_trial(
            params={"x": 0.5, "c": "a"},
            distributions={"x": FloatDistribution(0, 1), "c": choices},
            value=0.0,
        )
    )
    assert np.std(drawn(sampler, study, n=1000)) == pytest.approx(flat, rel=0.05)
    found = [sampler.sample_independent(study, t, "c", choices) for t in numbered(1000)]
    assert abs(found.count("a") - 500) < 60


def test_some_values_are_drawn_as_in_the_beginning_however_much_was_learnt():
    sampler = CemSampler(seed=1)
    study, rng = study_of(sampler), np.random.default_rng(1)
    for x in rng.normal(0.5, 1e-4, 200):
        add(study, abs(x - 0.5), x=x)
    x = np.array(drawn(sampler, study, n=2000))
    assert 30 < (abs(x - 0.5) > 0.01).sum() < 90  # 3 % of 2000, less the few drawn nearby
    study = study_of(sampler)
    study.optimize(lambda t: t.suggest_categorical("x", ["a", "b", "c"]) != "b", n_trials=100)
    found = drawn(sampler, study, CategoricalDistribution(["a", "b", "c"]), n=2000)
    assert 90 < 2000 - found.count("b") < 180  # two thirds of 10 % of 2000


def test_a_young_study_is_well_ahead_of_chance():
    def best(sampler):
        study = study_of(sampler)
        study.optimize(sphere, n_trials=50)
        return study.best_value

    own = [best(CemSampler(seed=s)) for s in range(5)]
    chance = [best(optuna.samplers.RandomSampler(seed=s)) for s in range(5)]
    assert np.median(own) < np.median(chance) / 5


def test_it_finds_a_minimum_and_a_maximum():
    down, up = (study_of(CemSampler(seed=2), direction=d) for d in ("minimize", "maximize"))
    down.optimize(sphere, n_trials=300)
    up.optimize(lambda trial: -sphere(trial), n_trials=300)
    assert down.best_value == -up.best_value < 0.01


def test_a_seed_gives_the_same_study_and_another_a_different_one():
    studies = [study_of(CemSampler(n_samples=10, seed=s)) for s in (4, 4, 5)]
    for study in studies:
        study.optimize(sphere, n_trials=40)
    assert values(studies[0]) == values(studies[1])
    assert values(studies[0])[0] != values(studies[2])[0]


@pytest.mark.filterwarnings("ignore::ResourceWarning")  # Optuna leaves its engines to the collector
def test_a_resumed_study_is_the_same_as_one_that_was_never_cut(tmp_path):
    whole = study_of(CemSampler(n_samples=10, seed=4))
    whole.optimize(sphere, n_trials=60)
    url = f"sqlite:///{tmp_path}/study.db"
    for n in (7, 18, 35):
        part = study_of(CemSampler(n_samples=10, seed=4), study_name="s", storage=url,
                        load_if_exists=True)  # fmt: skip
        part.optimize(sphere, n_trials=n)
    assert values(part) == values(whole)


def test_a_sampler_that_was_pickled_goes_on_as_it_would_have():
    whole, cut = (study_of(CemSampler(n_samples=10, seed=4)) for _ in range(2))
    whole.optimize(sphere, n_trials=50)
    cut.optimize(sphere, n_trials=25)
    cut.sampler = pickle.loads(pickle.dumps(cut.sampler))  # noqa: S301 - our own
    cut.optimize(sphere, n_trials=25)
    assert values(cut) == values(whole)


def test_a_trial_of_another_worker_that_had_finished_before_is_learnt_from_in_its_place():
    start = datetime(2025, 1, 1)  # noqa: DTZ001 - as Optuna's are
    trials = [
        create_trial(
            params={"x": x}, distributions={"x": FloatDistribution(0, 1)}, value=abs(x - 0.6)
        )
        for x in np.random.default_rng(1).random(30)
    ]
    for i, trial in enumerate(trials):
        trial.datetime_complete = start + timedelta(seconds=i)
    late, fresh = (study_of(CemSampler(n_samples=10, seed=1)) for _ in range(2))
    late.add_trials(trials[:12] + trials[13:])
    before = drawn(late.sampler, late)
    late.add_trial(trials[12])
    fresh.add_trials(trials[:12] + trials[13:] + trials[12:13])
    assert before != drawn(late.sampler, late) == drawn(fresh.sampler, fresh)


def test_several_workers_share_a_study_and_no_trial_is_drawn_twice():
    study = study_of(CemSampler(seed=1))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        study.optimize(sphere, n_trials=200, n_jobs=4)
    drawn = [tuple(trial.params.values()) for trial in study.get_trials()]
    assert len(drawn) == len(set(drawn)) == 200
    assert study.best_value < 0.1


def test_a_failed_trial_does_not_count_and_a_pruned_one_counts_as_the_worst():
    plain, other = (study_of(CemSampler(n_samples=4, rho=0.5, seed=1)) for _ in range(2))
    for study in (plain, other):
        for x in (0.2, 0.6, 0.8):
            if study is other:
                add(study, state=TrialState.FAIL, x=0.9)
            add(study, x, x=x)
    before = drawn(plain.sampler, plain)
    assert before == drawn(other.sampler, other)
    add(plain, 9.0, x=0.1)
    add(other, state=TrialState.PRUNED, x=0.1)
    assert before != drawn(plain.sampler, plain) == drawn(other.sampler, other)


def test_pruned_trials_alone_teach_nothing():
    sampler = CemSampler(n_samples=3, seed=1)
    study = study_of(sampler)
    before = drawn(sampler, study)
    for _ in range(3):
        add(study, state=TrialState.PRUNED, x=0.1)
    add(study, np.inf, x=0.3)
    assert drawn(sampler, study) == before


def test_conditional_parameters_are_learnt_from_the_trials_that_have_them():
    def objective(trial):
        if trial.suggest_categorical("kind", ["a", "b"]) == "a":
            return 1 + (trial.suggest_float("u", 0, 1) - 0.2) ** 2
        return (trial.suggest_float("v", 0, 1) - 0.9) ** 2

    study = study_of(CemSampler(n_samples=20, seed=3))
    study.optimize(objective, n_trials=400)
    assert study.best_params["kind"] == "b"
    late = [trial.params for trial in study.get_trials()[-100:]]
    assert sum(params["kind"] == "b" for params in late) > 85
    assert np.median([abs(p["v"] - 0.9) for p in late if "v" in p]) < 0.01


def test_a_parameter_that_few_of_the_elite_have_narrows_more_slowly():
    always, seldom = (study_of(CemSampler(seed=1)) for _ in range(2))
    for i, x in enumerate(np.random.default_rng(1).normal(0.5, 0.01, 60)):
        add(always, i % 4, x=x)
        add(seldom, i % 4, **({"x": x} if i % 3 == 0 else {"y": x}))
    spread = [np.std(drawn(study.sampler, study, n=1000)) for study in (always, seldom)]
    assert spread[1] > 1.5 * spread[0]


def test_a_range_that_changes_is_learnt_from_what_is_still_in_it():
    def objective(trial):
        top = 1 if trial.number < 100 else 10
        return (trial.suggest_float("x", 0, top) - 0.3) ** 2

    study = study_of(CemSampler(seed=3))
    study.optimize(objective, n_trials=200)
    late = [trial.params["x"] for trial in study.get_trials()[160:]]
    assert max(late) <= 10
    assert abs(np.median(late) - 0.3) < 0.1


def test_trials_by_hand_are_run_first_and_learnt_from():
    study = study_of(CemSampler(n_samples=2, seed=3))
    study.enqueue_trial({"x0": 1.0, "x1": 1.0, "x2": 1.0})
    study.optimize(sphere, n_trials=40)
    assert study.get_trials()[0].value == 0
    assert study.best_trial.number == 0


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"n_samples": 1}, "n_samples must be at least 2; got 1"),
        ({"rho": 1.5}, "rho"),
        ({"alpha": 0}, "alpha"),
        ({"seed": -1}, "a seed is a non-negative int"),
    ],
)
def test_settings_that_make_no_sense_are_refused(options, says):
    with pytest.raises(ValueError, match=says):
        CemSampler(**options)

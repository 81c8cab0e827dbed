"""The sampler for Optuna: what it may draw, what it learns from, and that it knows no more."""

import pickle
import warnings

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
    trials = (create_trial(value=0.0) for _ in range(n))
    found = []
    for number, trial in enumerate(trials, 10_000):
        trial.number = number
        found.append(sampler.sample_independent(study, trial, "x", distribution))
    return found


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


def test_several_workers_share_a_study_and_no_trial_is_drawn_twice():
    study = study_of(CemSampler(n_samples=10, seed=1))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        study.optimize(sphere, n_trials=200, n_jobs=2)
    drawn = [tuple(trial.params.values()) for trial in study.get_trials()]
    assert len(drawn) == len(set(drawn)) == 200
    assert study.best_value < 0.1


def test_a_pruned_trial_is_never_elite_and_a_failed_one_does_not_count():
    sampler = CemSampler(n_samples=4, rho=0.25, alpha=1.0, seed=1)
    plain, other = study_of(sampler), study_of(CemSampler(n_samples=4, rho=0.25, alpha=1.0, seed=1))
    for study in (plain, other):
        for x in (0.2, 0.6, 0.8):
            if study is other:
                add(study, state=TrialState.FAIL, x=0.9)
            add(study, x, x=x)
        if study is other:
            add(study, state=TrialState.FAIL, x=0.9)
    assert drawn(sampler, plain) == drawn(other.sampler, other)
    for study in (plain, other):
        add(study, state=TrialState.PRUNED, x=0.1)
    found = drawn(sampler, plain)
    assert found == drawn(other.sampler, other) == pytest.approx([0.2] * len(found))


def test_an_iteration_of_pruned_trials_teaches_nothing():
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

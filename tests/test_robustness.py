"""Every family with every preset where searches go wrong: no NaN, no silent end, no false claim."""

import re
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

import cem
from cem.families.von_mises_fisher_nakagami import VonMisesFisherNakagami
from cem.presets import PRESETS
from problems.continuous import Continuous

FAMILIES = {  # a member of d coordinates of every family
    "Bernoulli": lambda d: cem.Bernoulli([0.5] * d),
    "Beta": lambda d: cem.Beta([2.0] * d, [2.0] * d),
    "Categorical": lambda d: cem.Categorical(np.full((d, 3), 1 / 3)),
    "ColouredNormal": lambda d: cem.ColouredNormal([0.0] * d, [1.0] * d, 1.0, min(d, 20)),
    "Composition": lambda d: cem.Composition.even(max(d, 2), 5),
    "DependencyTree": lambda d: cem.DependencyTree.independent([0.5] * d),
    "Dirichlet": lambda d: cem.Dirichlet([2.0] * max(d, 2)),
    "Exponential": lambda d: cem.Exponential([1.0] * d),
    "Gamma": lambda d: cem.Gamma([2.0] * d, [1.0] * d),
    "GaussianMixture": lambda d: cem.GaussianMixture.around([0.0] * d, [1.0] * d, 2),
    "Geometric": lambda d: cem.Geometric([0.3] * d),
    "Laplace": lambda d: cem.Laplace([0.0] * d, [1.0] * d),
    "LogNormal": lambda d: cem.LogNormal([0.0] * d, [1.0] * d),
    "LowRankNormal": lambda d: cem.LowRankNormal([0.0] * d, [1.0] * d, np.zeros((d, 2))),
    "MultivariateNormal": lambda d: cem.MultivariateNormal([0.0] * d, np.eye(d)),
    "NegativeBinomial": lambda d: cem.NegativeBinomial([2.0] * d, [0.5] * d),
    "Normal": lambda d: cem.Normal([0.0] * d, [1.0] * d),
    "Pareto": lambda d: cem.Pareto([3.0] * d, [1.0] * d),
    "Placements": lambda d: cem.Placements(np.full((d, d), 1 / d)),
    "Poisson": lambda d: cem.Poisson([3.0] * d),
    "Product": lambda d: cem.Product(
        place=cem.Normal([0.0] * d, [1.0] * d),
        kind=cem.Categorical(np.full((d, 3), 1 / 3)),
        count=cem.RoundedNormal([0.0] * d, [3.0] * d),
    ),
    "RoundedNormal": lambda d: cem.RoundedNormal([0.0] * d, [3.0] * d),
    "Transitions": lambda d: cem.Transitions((1 - np.eye(max(d, 2))) / (max(d, 2) - 1)),
    "TruncatedNormal": lambda d: cem.TruncatedNormal(
        [0.0] * d, [1.0] * d, low=[-2.0] * d, high=[2.0] * d
    ),
    "Uniform": lambda d: cem.Uniform([0.0] * d, [1.0] * d),
    "VonMisesFisherNakagami": lambda d: VonMisesFisherNakagami.standard_normal(max(d, 2), 1),
    "Weibull": lambda d: cem.Weibull([2.0] * d, [1.0] * d),
}
QUADRATIC = {  # a full matrix or more to a member: not for thousands of coordinates
    *("Composition", "DependencyTree", "GaussianMixture", "MultivariateNormal"),
    *("Placements", "Transitions"),
}
SLOW_IN_THOUSANDS = {"Beta"}  # a Newton iteration for every coordinate


def numbers(x):
    """A batch, structured or not, as rows of floats."""
    if x.dtype.names:
        return np.hstack([x[name].astype(float) for name in x.dtype.names])
    return x.astype(float)


def hill(x):
    """At most 0, at least -1, whatever the sample: the nearer to 0.7 the better."""
    gap = np.abs(numbers(x) - 0.7)
    return -(gap / (1 + gap)).mean(axis=1)


def constant(x):
    return np.zeros(len(x))


def plateau(x):
    return (hill(x) > -0.35).astype(float)


def ninths(x):
    """A number from 0 to 8 for every sample, which hangs on its last digits."""
    a = numbers(x)
    return (1000 * np.abs(a @ np.arange(1.0, a.shape[1] + 1)) % 9).astype(int)


def failing(x):
    """A third of the scores is inf, -inf or NaN."""
    return np.choose(ninths(x), [np.inf, -np.inf, np.nan, *[hill(x)] * 6])


def huge(x):
    return 1e300 * hill(x)


def tiny(x):
    return 1e-300 * hill(x)


def both_ends(x):
    """Scores whose differences are no doubles."""
    return np.where(ninths(x) % 2, 1.7e308, -1.7e308) * (1 + hill(x) / 9)


ONE = {"select": cem.Elite(0.04, at_most=1)}
CONDITIONS = {  # coordinates, problem, settings
    "constant objective": (3, constant, {}),
    "few distinct scores": (3, plateau, {}),
    "infinite scores": (3, failing, {}),
    "scores of 1e300": (3, huge, {}),
    "scores of 1e-300": (3, tiny, {}),
    "scores at both ends of the doubles": (3, both_ends, {}),
    "one elite sample": (3, hill, {"n_samples": 25, **ONE}),
    "one coordinate": (1, hill, {}),
    "two samples, one elite": (3, hill, {"n_samples": 2, "select": cem.Elite(0.5)}),
    "two samples, both elite": (3, hill, {"n_samples": 2, "select": cem.Ranked(0.9)}),
}
ALWAYS_FINITE = ("nfev", "n_bad", "gamma", "top", "best", "n_elite", "log_mass", "ess")
ENDED = (  # every sentence that a success may say
    "converged: |stalled: |reliable: |the target was reached|settled where another search"
    r"|the sampling density closed on one point|; [1-9]\d* of \d+ searches before the last had"
)
CLOSED = (  # and every one that owns up to a density without width
    "converged: |the density collapsed in iteration|the sampling density closed on one point"
    "|every sample scored the same"
)
NEED_SEVERAL = {  # families whose likelihood has no maximum for one sample, or a few: fit says so
    *("Beta", "Dirichlet", "Gamma", "GaussianMixture", "Laplace", "Pareto", "Uniform", "Weibull"),
}


def planned(preset, family):
    """The parts that the preset chooses for the family, or None if it has no plan for it."""
    try:
        plan = PRESETS[preset].plan(family)
    except (TypeError, ValueError):
        return None
    return repr((plan.n_samples, plan.select, plan.smooth, plan.restart))


def with_presets(names):
    """Every family with every preset that has a plan for it, each plan once."""
    pairs = []
    for name in sorted(names):
        plans = {planned(preset, FAMILIES[name](3)): preset for preset in PRESETS}
        pairs += [(name, preset) for plan, preset in plans.items() if plan]
    return pytest.mark.parametrize(("name", "preset"), pairs)


def maximum(name, d, problem, **settings):
    """What is found, or None if that many samples are too few and the error says what to do."""
    try:
        return cem.maximize(problem, FAMILIES[name](d), rng=1, **settings)
    except ValueError as refusal:
        too_few = "raise n_samples or rho" in str(refusal) and name in NEED_SEVERAL
        if too_few or str(refusal).startswith("at_least, the least number"):
            return None
        raise


def check(found, problem):
    """All that holds of a finished search however it went."""
    history, last = found.history, found.history[-1]
    assert found.fun == problem(np.array([found.x]))[0]
    assert np.isfinite(found.fun)
    assert np.isfinite(numbers(np.array([found.x]))).all()
    drawn = found.family.sample(np.random.default_rng(1), 3)
    assert not np.isnan(found.family.log_density(drawn)).any()
    for a in found.family.parameters().values():
        assert np.isfinite(a).all()
    for name in (*ALWAYS_FINITE, "max_weight", "spread"):
        assert np.isfinite(history.column(name)).all(), name
    entropy, kl, loss = (history.column(name) for name in ("entropy", "kl", "loss"))
    assert (entropy < np.inf).all()
    assert (loss < np.inf).all()
    assert (kl > -np.inf).all()
    collapsed = entropy == -np.inf
    assert (kl[~collapsed] < np.inf).all()
    if last.spread == 0 or collapsed[-1]:
        assert re.search(CLOSED, found.message), found.message
    if found.success:
        assert re.search(ENDED, found.message), found.message


@with_presets(FAMILIES)
@pytest.mark.parametrize("condition", CONDITIONS)
def test_a_search_under_hard_conditions_ends_in_numbers_and_says_why(name, preset, condition):
    d, problem, settings = CONDITIONS[condition]
    found = maximum(name, d, problem, preset=preset, max_iterations=10, **settings)
    if found is not None:
        check(found, problem)


@with_presets(FAMILIES.keys() - QUADRATIC - SLOW_IN_THOUSANDS)
def test_a_search_in_two_thousand_coordinates_ends_in_numbers(name, preset):
    found = maximum(name, 2000, hill, preset=preset, n_samples=24, max_iterations=2)
    if found is not None:
        check(found, hill)


@pytest.mark.parametrize("name", sorted(FAMILIES.keys() - NEED_SEVERAL))
def test_two_samples_are_enough_for_all_families_that_do_not_say_otherwise(name):
    assert maximum(name, 3, hill, n_samples=2, rho=0.5, max_iterations=5).nfev <= 10


def scaled(name, unit):
    """The family about ``unit``, a tenth as wide, and the hill moved there."""
    about = [unit] * 3
    make = {
        "ColouredNormal": lambda: cem.ColouredNormal(about, [unit / 10] * 3, 1.0, 3),
        "Exponential": lambda: cem.Exponential(about),
        "Gamma": lambda: cem.Gamma([2.0] * 3, [2 / unit] * 3),
        "Laplace": lambda: cem.Laplace(about, [unit / 10] * 3),
        "LogNormal": lambda: cem.LogNormal([np.log(unit)] * 3, [1.0] * 3),
        "LowRankNormal": lambda: cem.LowRankNormal(about, [unit / 10] * 3, np.zeros((3, 1))),
        "MultivariateNormal": lambda: cem.MultivariateNormal(about, unit**2 / 100 * np.eye(3)),
        "GaussianMixture": lambda: cem.GaussianMixture.around(about, [unit / 10] * 3, 2),
        "Normal": lambda: cem.Normal(about, [unit / 10] * 3),
        "TruncatedNormal": lambda: cem.TruncatedNormal(
            about, [unit / 10] * 3, low=[0.0] * 3, high=[2 * unit] * 3
        ),
        "Uniform": lambda: cem.Uniform([0.0] * 3, [2 * unit] * 3),
        "Weibull": lambda: cem.Weibull([2.0] * 3, about),
    }
    return make[name](), lambda x: hill(x / unit)


@pytest.mark.parametrize("preset", ["default", "textbook"])
@pytest.mark.parametrize("unit", [1e300, 1e-250])
@pytest.mark.parametrize(
    "name",
    [
        *("ColouredNormal", "Exponential", "Gamma", "Laplace", "LogNormal", "LowRankNormal"),
        *("Normal", "TruncatedNormal", "Uniform", "Weibull"),
    ],
)
def test_a_search_among_numbers_whose_squares_are_no_doubles_ends_in_numbers(name, unit, preset):
    family, problem = scaled(name, unit)
    found = cem.maximize(problem, family, preset=preset, rng=1, n_samples=30, max_iterations=12)
    check(found, problem)
    assert found.history[-1].best > found.history[0].gamma


@pytest.mark.parametrize("preset", ["default", "textbook"])
@pytest.mark.parametrize("unit", [1e140, 1e-140])
@pytest.mark.parametrize("name", ["GaussianMixture", "MultivariateNormal"])
def test_a_search_with_covariances_near_the_ends_of_the_doubles_ends_in_numbers(name, unit, preset):
    family, problem = scaled(name, unit)
    found = cem.maximize(problem, family, preset=preset, rng=1, n_samples=60, max_iterations=12)
    check(found, problem)
    assert found.history[-1].best > found.history[0].gamma


NARROW = {  # samples that are all the same to the last bit
    "ColouredNormal": cem.ColouredNormal([7.0] * 3, [1e-20] * 3, 1.0, 3),
    "GaussianMixture": cem.GaussianMixture.around([7.0] * 3, [1e-20] * 3, 2),
    "LowRankNormal": cem.LowRankNormal([7.0] * 3, [1e-20] * 3, np.zeros((3, 1))),
    "MultivariateNormal": cem.MultivariateNormal([7.0] * 3, 1e-40 * np.eye(3)),
    "Normal": cem.Normal([7.0] * 3, [1e-20] * 3),
    "TruncatedNormal": cem.TruncatedNormal([7.0] * 3, [1e-20] * 3, [0.0] * 3, [9.0] * 3),
    "Placements": cem.Placements(np.eye(3)),
    "Poisson": cem.Poisson([0.0] * 3),
}


NARROW_BITS = {  # for the textbook: other presets have margins
    "Bernoulli": cem.Bernoulli([0.0, 1.0, 1.0]),
    "Categorical": cem.Categorical([[1.0, 0.0]] * 3),
    "DependencyTree": cem.DependencyTree.independent([0.0, 1.0, 1.0]),
}


@pytest.mark.parametrize(
    ("family", "preset"),
    [
        *[(f, preset) for f in NARROW.values() for preset in ("default", "textbook")],
        *[(f, "textbook") for f in NARROW_BITS.values()],
    ],
    ids=repr,
)
def test_a_search_whose_samples_are_all_alike_ends_and_says_so(family, preset):
    found = cem.maximize(hill, family, preset=preset, rng=1, max_iterations=120)
    check(found, hill)
    assert re.search(CLOSED + "|searches before the last had converged", found.message)
    assert found.fun == hill(family.sample(np.random.default_rng(2), 1))[0]


BOXES = {
    "one coordinate": [(-1.0, 2.0)],
    "wide": [(-1e100, 1e100)] * 3,
    "narrow": [(-1e-100, 1e-100)] * 3,
    "of all sizes": [(-1e50, 1e50), (1.0, 2.0), (-1e-50, 1e-50)],
    "far from zero": [(1e10, 1e10 + 1e-3)] * 3,
}


@pytest.mark.parametrize("preset", ["default", "textbook"])
@pytest.mark.parametrize("box", BOXES)
def test_a_box_of_any_size_is_searched_to_the_bottom(box, preset):
    low, high = np.array(BOXES[box]).T

    def bowl(x):
        return (((x - low) / (high - low) - 0.3) ** 2).sum(axis=1)

    found = cem.minimize(bowl, bounds=BOXES[box], preset=preset, rng=1, max_evaluations=6000)
    check(found, bowl)
    assert found.success
    assert found.fun < (1e-5 if box == "far from zero" else 1e-11)  # what is alike to `flat`


# Limits


class Counted:
    """A problem that counts the samples it was asked about."""

    def __init__(self, problem):
        self.problem, self.n = problem, 0

    def __call__(self, x):
        self.n += len(x)
        return self.problem(x)


class NoisyHill:
    """The hill with normal noise."""

    def bind(self, rng):
        return lambda x: hill(x) + 0.1 * rng.standard_normal(len(x))


@pytest.mark.parametrize("preset", PRESETS)
@pytest.mark.parametrize("most", [1000, 1001, 1777])
@pytest.mark.parametrize("restarts", [None, 0, 3])
def test_no_more_is_evaluated_than_allowed_and_all_of_it_is_counted(preset, most, restarts):
    problem = Counted(hill)
    found = cem.maximize(
        problem, bounds=[(-3, 3)] * 3, preset=preset, max_evaluations=most, rng=1, restarts=restarts
    )
    assert found.nfev == problem.n <= most
    assert found.state.restart <= (10**9 if restarts is None else restarts)
    check(found, hill)


@pytest.mark.parametrize("preset", PRESETS)
@pytest.mark.parametrize(
    "noise",
    [
        cem.Noise(first=5, most=20, n_final=10),
        cem.Noise(first=5, most=20, n_final=10, times=3),
        cem.Noise(indifference=0.1, first=3, most=9, n_final=5),
    ],
    ids=["a race", "second looks", "an indifference zone"],
)
@pytest.mark.parametrize("most", [600, 777, 1500])
def test_a_noisy_search_keeps_to_its_budget_with_its_race_and_its_final_sample(preset, noise, most):
    scored = []

    class Watched(NoisyHill):
        def bind(self, rng):
            score = super().bind(rng)
            return lambda x: scored.append(len(x)) or score(x)

    found = cem.maximize(
        Watched(), bounds=[(-3, 3)] * 3, preset=preset, max_evaluations=most, rng=1, noise=noise
    )
    assert found.nfev == sum(scored) <= most
    assert np.isfinite([found.fun, found.standard_error, *found.x]).all()


@pytest.mark.parametrize("preset", PRESETS)
def test_a_target_ends_the_search_with_success_and_the_batch_that_reached_it(preset):
    found = cem.maximize(hill, bounds=[(-3, 3)] * 3, preset=preset, target=-0.02, rng=1)
    assert (found.success, found.message.partition(";")[0]) == (True, "the target was reached")
    tops = found.history.column("top")
    assert (tops[:-1] < -0.02).all()
    assert tops[-1] == found.fun >= -0.02


@pytest.mark.parametrize("preset", PRESETS)
def test_a_time_limit_is_looked_at_after_every_iteration(preset, monkeypatch):
    clock = iter(range(10**6))
    monkeypatch.setattr("cem.stopping.time.monotonic", lambda: float(next(clock)))
    found = cem.maximize(hill, bounds=[(-3, 3)] * 3, preset=preset, time_limit=4.5, rng=1)
    assert (found.nit, found.success) == (4, False)
    assert found.message == "the time limit of 4.5 s was reached"


# The same bits


class Interrupted(Exception):  # noqa: N818 - no error: somebody pressed a key
    """What ends a run from outside."""


@pytest.mark.parametrize("family", [None, "Bernoulli", "Product"])
@pytest.mark.parametrize("preset", PRESETS)
def test_a_killed_search_goes_on_with_the_same_bits(preset, family, tmp_path, same_run):
    if family is not None and planned(preset, FAMILIES[family](2)) is None:
        pytest.skip(f"{preset} has no plan for {family}")
    settings = {"preset": preset, "rng": 3, "max_evaluations": 900}
    where = {"bounds": [(-3, 3)] * 2} if family is None else {"family": FAMILIES[family](2)}
    whole = cem.maximize(hill, **where, **settings)
    restarted = np.flatnonzero(np.diff(whole.history.column("restart"))) + 1
    for t in {whole.nit // 2, whole.nit, restarted[0] if len(restarted) else 2}:

        def kill(state, _, t=t):
            if state.t == t:
                raise Interrupted

        path = tmp_path / f"{t}.npz"
        with pytest.raises(Interrupted):
            cem.maximize(hill, **where, **settings, checkpoint=path, callback=kill)
        assert same_run(cem.maximize(hill, **where, **settings, checkpoint=path), whole)


@pytest.mark.parametrize("preset", PRESETS)
def test_two_workers_give_the_same_bits_as_one(preset, same_run):
    settings = {"preset": preset, "rng": 3, "max_evaluations": 1500, "chunk_size": 7}
    with ThreadPoolExecutor(2) as pool:
        for problem in (hill, NoisyHill()):
            noise = cem.Noise(first=5, most=20, n_final=10) if problem is not hill else None
            one, two = (
                cem.maximize(problem, bounds=[(-3, 3)] * 3, workers=w, noise=noise, **settings)
                for w in (1, pool)
            )
            assert same_run(one, two)


def test_two_processes_give_the_same_bits_as_one(same_run):
    problem = Continuous("rosenbrock", 3)
    one, two = (
        cem.minimize(problem, workers=w, rng=3, max_evaluations=1000, chunk_size=5) for w in (1, 2)
    )
    assert same_run(one, two)

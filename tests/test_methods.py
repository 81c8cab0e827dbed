"""Named methods: each is right, goes on from a cut, and is what is chosen where it suits."""

import math

import numpy as np
import pytest
from scipy import stats

import cem
from cem import (
    Bernoulli,
    Categorical,
    DependencyTree,
    Exponential,
    History,
    MultivariateNormal,
    Normal,
    Placements,
    Poisson,
)
from cem.checkpoint import dumps, loads
from cem.measured import CRUDE
from cem.methods import METHODS, Case, auto, method_of, multilevel
from cem.pooling import Pooled
from cem.smoothing import Constant
from problems.rare_event.bridge import Bridge

NOT_CRUDE = [name for name in METHODS if name != "crude"]
NEEDS_NORMAL = ["mixture", "gaussian", "aligned", "directions"]


def total(x):
    return x.sum(axis=1)


def of_two(x):
    return (x[:, 0] + x[:, 1]) / math.sqrt(2)


def case(nominal, problem=total, gamma=3.0, **settings):
    return Case(problem=problem, nominal=nominal, gamma=gamma, rng=1, **settings)


NORMAL = Normal([0.0] * 2, [1.0] * 2)


# Every one of them


@pytest.mark.parametrize("seed", [0, 1, 2])
@pytest.mark.parametrize("method", NOT_CRUDE)
def test_every_method_finds_the_probability_of_a_plane(method, seed):
    found = cem.estimate(of_two, NORMAL, 4.0, method=method, rng=seed)
    assert found.success
    assert abs(found.probability - stats.norm.sf(4)) < 4.5 * found.std_error
    assert found.relative_error < 0.1
    assert CRUDE not in found.warnings


@pytest.mark.parametrize("method", NOT_CRUDE)
def test_every_method_finds_the_probability_of_the_bridge(method):
    found = cem.estimate(Bridge(1.5), method=method, n_final=4000, rng=1)
    assert found.success
    assert abs(found.probability - Bridge(1.5).exact()) < 4.5 * found.std_error


@pytest.mark.parametrize("method", METHODS)
def test_every_method_counts_an_event_that_is_not_rare(method):
    found = cem.estimate(of_two, NORMAL, 1.0, method=method, rng=1)
    assert found.success
    assert abs(found.probability - stats.norm.sf(1)) < 4.5 * found.std_error


@pytest.mark.parametrize("method", METHODS)
def test_every_method_cut_anywhere_and_resumed_gives_the_same_bits(method, same_run):
    saved, history = [], [History()]
    settings = {"method": method, "n_samples": 100, "n_final": 250, "rng": 3}

    def keep(state, record):
        history[0] = history[0].append(record)
        saved.append(dumps(state, history[0], {}))

    whole = cem.estimate(of_two, NORMAL, 2.5, callback=keep, **settings)
    plan = method_of(method)(case(NORMAL, of_two, 2.5))
    families = (plan.steering.init().v, plan.nominal)
    for data in saved:
        start = loads(data, families)[:2]
        assert same_run(cem.estimate(of_two, NORMAL, 2.5, start=start, **settings), whole)


class Interrupted(Exception):  # noqa: N818 - no error: somebody pressed a key
    """What ends a run from outside."""


@pytest.mark.parametrize("method", METHODS)
def test_every_method_goes_on_from_its_file(method, tmp_path, same_run):
    settings = {"method": method, "n_samples": 100, "n_final": 250}
    whole = cem.estimate(of_two, NORMAL, 2.5, rng=3, **settings)
    for t in (1, len(whole.history) - 1):

        def interrupt(state, _, t=t):
            if state.t == t:
                raise Interrupted

        path = tmp_path / f"{t}.npz"
        with pytest.raises(Interrupted):
            cem.estimate(
                of_two, NORMAL, 2.5, rng=3, **settings, checkpoint=path, callback=interrupt
            )
        again = cem.estimate(of_two, NORMAL, 2.5, rng=3, **settings, checkpoint=path)
        assert same_run(again, whole)


@pytest.mark.parametrize("method", METHODS)
def test_the_result_says_which_method_it_was(method):
    found = cem.estimate(of_two, NORMAL, 2.0, method=method, n_final=100, rng=1)
    assert found.method == method_of(method)(case(NORMAL, of_two, 2.0)).why


@pytest.mark.parametrize("method", ["multilevel", "pooled", "improved", "markov-chains", "auto"])
def test_methods_of_any_family_find_the_probability_of_coins(method):
    coins, exact = Bernoulli([0.2] * 10), stats.binom(10, 0.2).sf(7)
    found = cem.estimate(total, coins, 8.0, method=method, rng=1)
    assert found.success
    assert abs(found.probability - exact) < 4.5 * found.std_error


@pytest.mark.parametrize("method", NEEDS_NORMAL)
@pytest.mark.parametrize(
    "nominal", [Bernoulli([0.5] * 3), MultivariateNormal([0.0] * 2, np.ones((2, 2)))]
)
def test_methods_of_normal_variables_refuse_what_is_no_function_of_them(method, nominal):
    with pytest.raises(ValueError, match="needs a nominal density of continuous variables with a"):
        cem.estimate(total, nominal, 3.0, method=method, rng=1)


@pytest.mark.parametrize("name", ["best", "", "Auto", "cmaes"])
def test_a_method_that_is_none_is_refused_with_the_list(name):
    with pytest.raises(ValueError, match=r"^method must be one of auto, multilevel, ") as caught:
        cem.estimate(of_two, NORMAL, 2.0, method=name, rng=1)
    assert all(known in str(caught.value) for known in METHODS)
    assert str(caught.value).endswith(f"; got {name!r}")


def test_a_method_may_be_a_function_of_the_case(same_run):
    own = cem.estimate(of_two, NORMAL, 3.0, method=multilevel, rng=1)
    assert same_run(own, cem.estimate(of_two, NORMAL, 3.0, method="multilevel", rng=1))


# Crude Monte Carlo


def test_crude_monte_carlo_is_asked_for_and_so_no_failure():
    found = cem.estimate(of_two, NORMAL, 1.0, method="crude", n_final=4000, rng=1)
    assert found.success
    assert found.warnings == ()
    assert (found.nit, found.nfev) == (0, 4000)
    k = round(found.probability * 4000)
    exact = stats.binomtest(k, 4000).proportion_ci(0.95, "exact")
    assert found.confidence_interval() == pytest.approx((exact.low, exact.high), rel=1e-9)
    assert found.std_error == pytest.approx(math.sqrt(k * (4000 - k) / 4000**2 / 3999), rel=1e-9)


# What suits


@pytest.mark.parametrize(
    ("nominal", "said"),
    [
        (NORMAL, "a mixture of normal densities, for 2 standard normal variables"),
        (Exponential([1.0]), "a mixture of normal densities, for 1 standard normal variable"),
        (Exponential([1.0] * 30), "a mixture of normal densities, for 30 standard"),
        (MultivariateNormal([1.0] * 2, 2 * np.eye(2)), "a mixture of normal densities, for 2"),
        (MultivariateNormal([0.0] * 2, np.ones((2, 2))), "levels, in the family Multivariate"),
        (Bernoulli([0.5] * 4), "pooled samples, in the family Bernoulli"),
        (Poisson([0.5] * 4), "pooled samples, in the family Poisson"),
        (Categorical([[0.5, 0.5]] * 4), "pooled samples, in the family Categorical"),
        (DependencyTree.independent([0.5] * 4), "levels, in the family DependencyTree"),
        (Placements(np.full((4, 4), 0.25)), "levels, in the family Placements"),
    ],
    ids=lambda value: type(value).__name__ if not isinstance(value, str) else None,
)
def test_the_default_is_what_suits_the_nominal_density(nominal, said):
    assert auto(case(nominal)).why.startswith(said)


@pytest.mark.parametrize(
    "settings", [{"rho": 0.2}, {"alpha": 0.5}, {"select": cem.Elite(0.3)}, {"smooth": Constant()}]
)
def test_a_setting_of_levels_means_levels(settings):
    plan = auto(case(NORMAL, **settings))
    assert plan.why == "levels, in the family Normal"
    assert not isinstance(plan.steering, Pooled)


@pytest.mark.parametrize("method", ["mixture", "pooled", "improved", "crude"])
@pytest.mark.parametrize(
    "settings", [{"rho": 0.2}, {"alpha": 0.5}, {"select": cem.Elite(0.3)}, {"smooth": Constant()}]
)
def test_a_setting_that_a_method_has_no_use_for_is_refused(method, settings):
    (name,) = settings
    with pytest.raises(ValueError, match=f"^this method has no use for {name}: "):
        cem.estimate(of_two, NORMAL, 2.0, method=method, rng=1, **settings)


@pytest.mark.parametrize(
    "nominal",
    [
        Exponential([1.0, 1.0]),
        Normal([1.0, 1.0], [0.5, 2.0]),
        MultivariateNormal([1.0, 0.0], [[2.0, 0.7], [0.7, 1.0]]),
    ],
    ids=lambda f: type(f).__name__,
)
def test_the_default_samples_at_points_of_the_nominal_space(nominal):
    seen = []

    def watched(x):
        seen.append(x)
        return total(x)

    found = cem.estimate(watched, nominal, 6.0, n_final=500, rng=1)
    x = np.concatenate(seen)
    assert (nominal.log_density(x) > -np.inf).all()
    np.testing.assert_array_equal(found.sample().x, x[-500:])
    assert x.shape == (found.nfev, 2)


def test_the_default_explores_further_out_than_the_nominal_density():
    seen = []

    def watched(x):
        seen.append(x)
        return total(x)

    cem.estimate(watched, Normal([0.0] * 3, [1.0] * 3), 7.0, n_final=100, rng=1)
    distance = np.linalg.norm(seen[0], axis=1)
    assert distance.max() > 6  # of 400 standard normal points none is
    assert np.quantile(distance, 0.1) < 1.5


@pytest.mark.parametrize("d", [1, 2, 4, 12, 13])
def test_the_default_is_right_in_any_number_of_coordinates(d):
    def radial(x):
        return (x**2).sum(axis=1)

    gamma = stats.chi2(d).isf(1e-6)
    found = cem.estimate(radial, Normal([0.0] * d, [1.0] * d), gamma, rng=1)
    assert found.levels[-1].gamma == gamma
    assert abs(found.probability - 1e-6) < 4.5 * found.std_error
    assert found.success == (found.relative_error <= 0.05)  # or its samples were not enough
    assert found.success or d > 2


def test_no_default_estimate_takes_more_than_its_batches():
    calls = []

    def hopeless(x):
        calls.append(len(x))
        return -np.abs(total(x)) - 1

    found = cem.estimate(hopeless, NORMAL, 0.0, rng=1)
    assert sum(calls) == found.nfev <= 16_000
    assert not found.success

import subprocess
import sys

import numpy as np
import pytest

import cem
from cem.engine import CrossEntropyMethod
from cem.families import Bernoulli
from cem.refining import METHODS, Refined

D = 30


def two_tops(x):
    """The number of ones, or twice the number of zeros: all zeros is best, all ones a trap."""
    ones = x.sum(axis=1)
    return np.maximum(ones, 2 * (D - ones) - D / 2)


def one_more(x, rng):
    """Sets to one a random coordinate of every sample."""
    x = x.copy()
    x[np.arange(len(x)), rng.integers(x.shape[1], size=len(x))] = 1
    return x


def as_it_is(x, _):
    return x.copy()


def all_ones(x, _):
    return np.ones_like(x)


def all_zeros(x, _):
    return np.zeros_like(x)


def too_few(x, _):
    return x[:1]


def any_more(x, rng):
    """`one_more`, which leaves any point that is not the best."""
    return one_more(x, rng)


any_more.leaves = True


class Ones:
    """A problem with a local search of its own."""

    def __call__(self, x):
        return x.sum(axis=1)

    def nominal(self):
        return Bernoulli([0.5] * D)

    def refines(self):
        return {"one-more": one_more, "nothing": as_it_is, "any-more": any_more}


def engine(**settings):
    return CrossEntropyMethod(nominal=Bernoulli([0.5] * D), n_samples=8, rng=1, **settings)


def test_refined_samples_are_those_of_the_method_after_the_local_search():
    method = engine()
    refined, state = Refined(method, refine=one_more), method.init()
    more = refined.ask(state).sum(axis=1) - method.ask(state).sum(axis=1)
    assert set(more) <= {0, 1}
    assert more.any()


def test_asking_a_refined_method_twice_gives_the_same_samples():
    refined = Refined(engine(), refine=one_more)
    np.testing.assert_array_equal(refined.ask(refined.init()), refined.ask(refined.init()))


def test_the_density_is_fitted_to_the_refined_samples():
    found = cem.maximize(Ones(), refine=all_ones, alpha=1.0, max_iterations=1, rng=1)
    assert found.family.p.tolist() == [1.0] * D


def test_a_local_search_is_found_by_its_name_and_the_first_is_the_default():
    options = {"max_evaluations": 400, "rng": 3}
    first = cem.maximize(Ones(), method="ce+refine", **options)
    named = cem.maximize(Ones(), method="ce+refine", refine="one-more", **options)
    other = cem.maximize(Ones(), refine="nothing", **options)
    np.testing.assert_array_equal(first.history.table(), named.history.table())
    assert first.history[0].best > other.history[0].best


def test_minimize_uses_the_local_search_as_it_is():
    class Fewest(Ones):
        def refines(self):
            return {"none": all_zeros}

    found = cem.minimize(Fewest(), method="multistart", max_iterations=1, rng=1)
    assert found.fun == 0


def test_multistart_learns_nothing_and_goes_on_to_its_limit():
    found = cem.maximize(Ones(), method="multistart", max_evaluations=2000, rng=1)
    assert found.family.p.tolist() == [0.5] * D
    assert found.nfev == 2000
    assert set(found.history.column("kl")) == {0.0}


def test_iterated_local_search_begins_where_it_ended():
    """Thirty coordinates, one of them set at random in every step: the coupon collector's time."""
    n = [
        cem.maximize(Ones(), method="ils", target=D, max_evaluations=5000, rng=seed).nfev
        for seed in range(40)
    ]
    harmonic = D * sum(1 / k for k in range(1, D // 2 + 1))  # half of them are set at first
    assert abs(np.mean(n) / harmonic - 1) < 0.15


def test_a_hybrid_begins_anew_until_its_limit():
    found = cem.maximize(Ones(), method="ce+refine", max_evaluations=10_000, rng=1)
    assert found.state.restart > 1
    assert found.fun == D


def test_the_bits_of_a_hybrid_do_not_depend_on_a_cut(tmp_path):
    options = {"method": "ce+refine", "rng": 5}
    whole = cem.maximize(Ones(), max_iterations=12, **options)
    cem.maximize(Ones(), max_iterations=5, checkpoint=tmp_path / "cut", **options)
    resumed = cem.maximize(Ones(), max_iterations=12, checkpoint=tmp_path / "cut", **options)
    np.testing.assert_array_equal(whole.history.table(), resumed.history.table())


def test_a_checkpoint_is_refused_with_another_local_search(tmp_path):
    cem.maximize(Ones(), refine="nothing", max_iterations=2, checkpoint=tmp_path / "c", rng=1)
    with pytest.raises(ValueError, match="search"):
        cem.maximize(Ones(), method="multistart", checkpoint=tmp_path / "c", rng=1)


@pytest.mark.parametrize("method", METHODS)
def test_a_method_that_refines_needs_a_local_search(method):
    with pytest.raises(TypeError, match=r"needs a local search.*a function has none"):
        cem.maximize(two_tops, Bernoulli([0.5] * D), method=method)


def test_bad_choices_are_refused_by_name():
    with pytest.raises(ValueError, match=r"^method must be one of ce, ce\+refine, multistart, ils"):
        cem.maximize(Ones(), method="tabu")
    with pytest.raises(ValueError, match=r"^refine must be a function or one of one-more, no"):
        cem.maximize(Ones(), method="ils", refine="2-opt")
    with pytest.raises(ValueError, match='method="ce" has no use for refine'):
        cem.maximize(Ones(), method="ce", refine=one_more)
    with pytest.raises(TypeError, match="pass a family instead of bounds"):
        cem.maximize(two_tops, bounds=[(0, 1)] * 3, refine=one_more)
    with pytest.raises(ValueError, match=r"as many samples as it takes, shape \(20, 30\)"):
        cem.maximize(Ones(), refine=too_few, rng=1)


def test_local_searches_that_all_end_alike_have_converged():
    found = cem.maximize(Ones(), refine=all_ones, max_evaluations=2000, rng=1)
    assert found.success
    assert found.message.startswith("converged: every local search ended with the same score; ")


@pytest.mark.parametrize("given", [{"alpha": 0.5}, {"rho": 0.1}, {"smooth": cem.Constant(0.5)}])
@pytest.mark.parametrize("method", ["multistart", "ils"])
def test_a_control_cannot_be_made_to_learn(method, given):
    with pytest.raises(TypeError, match=f"^method='{method}' is what it is by its s"):
        cem.maximize(Ones(), method=method, **given)


def test_iterated_local_search_takes_the_first_search_that_leaves_an_optimum():
    by_default = cem.maximize(Ones(), method="ils", max_evaluations=50, rng=1)
    named = cem.maximize(Ones(), method="ils", refine="any-more", max_evaluations=50, rng=1)
    np.testing.assert_array_equal(by_default.history.table(), named.history.table())

    class Stuck(Ones):
        def refines(self):
            return {"nothing": as_it_is}

    with pytest.raises(TypeError, match="those of a Stuck, nothing, end there: choose multistart"):
        cem.maximize(Stuck(), method="ils", max_evaluations=50)


def test_a_problems_search_in_the_wrong_direction_is_refused():
    class Full(Ones):
        def refines(self):
            return {"all-ones": all_ones}

    with pytest.raises(ValueError, match="searches of this problem make its score worse here"):
        cem.minimize(Full(), method="ce+refine", max_evaluations=100)


RESUMED = """
import sys
import cem
from problems.tsp import problem

found = cem.minimize(
    problem("gr17"), method=sys.argv[1], max_iterations=int(sys.argv[2]), checkpoint="c", rng=1
)
print(found.nit, found.fun)
"""


def test_a_hybrid_is_resumed_by_another_process(tmp_path):
    def nit(most):
        command = [sys.executable, "-c", RESUMED, "multistart", str(most)]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
        return done.stdout.split()[0]

    assert (nit(2), nit(4)) == ("2", "4")

"""The constrained functions: formulas in mpmath, optima against their optimality conditions."""

import mpmath as mp
import numpy as np
import pytest
from scipy.optimize import fsolve

import cem
from cem import stopping
from cem.constraints import Constraints
from cem.run import run
from cem.testing import ProblemContract
from cem.treatments import Penalise, Rank
from problems.constrained import CASES, ConstrainedFunction

NAMES = sorted(CASES)
RNG = np.random.default_rng(11)


class TestEveryFunction(ProblemContract):
    @pytest.fixture(autouse=True, params=NAMES)
    def _each(self, request):
        self.problem = ConstrainedFunction(request.param)


TEXTBOOK = {  # the value, and what must not be positive, of a list of mpmath numbers
    "halfspace": (lambda x: sum(t**2 for t in x), lambda x: [5 - sum(x)]),
    "g06": (
        lambda x: (x[0] - 10) ** 3 + (x[1] - 20) ** 3,
        lambda x: [
            -((x[0] - 5) ** 2) - (x[1] - 5) ** 2 + 100,
            (x[0] - 6) ** 2 + (x[1] - 5) ** 2 - mp.mpf("82.81"),
        ],
    ),
    "g08": (
        lambda x: (
            -(mp.sin(2 * mp.pi * x[0]) ** 3)
            * mp.sin(2 * mp.pi * x[1])
            / (x[0] ** 3 * (x[0] + x[1]))
        ),
        lambda x: [x[0] ** 2 - x[1] + 1, 1 - x[0] + (x[1] - 4) ** 2],
    ),
    "g11": (
        lambda x: x[0] ** 2 + (x[1] - 1) ** 2,
        lambda x: [abs(x[1] - x[0] ** 2) - mp.mpf("1e-4")],
    ),
    "g24": (
        lambda x: -x[0] - x[1],
        lambda x: [
            -2 * x[0] ** 4 + 8 * x[0] ** 3 - 8 * x[0] ** 2 + x[1] - 2,
            -4 * x[0] ** 4 + 32 * x[0] ** 3 - 88 * x[0] ** 2 + 96 * x[0] + x[1] - 36,
        ],
    ),
}


@pytest.mark.parametrize("name", NAMES)
def test_values_and_violations_are_those_of_the_textbook_formula(name):
    f, (value, excess) = ConstrainedFunction(name), TEXTBOOK[name]
    low, high = np.array(CASES[name].low), np.array(CASES[name].high)
    x = RNG.uniform(low - 0.3 * (high - low), high + 0.3 * (high - low), size=(40, len(low)))
    expected = []
    for row in x.tolist():
        point = [mp.mpf(t) for t in row]
        over = sum(max(g, 0) for g in excess(point))
        outside = sum(max(a - t, 0, t - b) for t, a, b in zip(row, low, high, strict=True))
        expected.append((float(value(point)), float(over + outside)))
    np.testing.assert_allclose(f(x), [v for v, _ in expected], rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(f.constraints(x), [v for _, v in expected], rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("name", NAMES)
def test_the_optimum_is_feasible_and_has_the_stated_value(name):
    f = ConstrainedFunction(name)
    assert f.constraints(f.x_best[None])[0] <= 1e-12
    assert f(f.x_best[None])[0] == pytest.approx(f.exact(), rel=1e-12)


@pytest.mark.parametrize("name", NAMES)
def test_no_feasible_point_anywhere_or_near_the_optimum_is_better(name):
    f, (low, high) = ConstrainedFunction(name), (CASES[name].low, CASES[name].high)
    anywhere = RNG.uniform(low, high, size=(200_000, len(low)))
    near = f.x_best + RNG.normal(size=anywhere.shape) * 10.0 ** RNG.uniform(-8, 0, (200_000, 1))
    for x, least in ((anywhere, 0), (near, 100)):
        feasible = x[f.constraints(x) == 0]
        assert len(feasible) >= least
        assert (f(feasible) >= f.exact() - 1e-9 * abs(f.exact())).all()


def test_the_horn_of_g06_is_where_both_circles_meet():
    x = ConstrainedFunction("g06").x_best
    assert (x[0] - 5) ** 2 + (x[1] - 5) ** 2 == pytest.approx(100, rel=1e-14)
    assert (x[0] - 6) ** 2 + (x[1] - 5) ** 2 == pytest.approx(82.81, rel=1e-14)
    assert ConstrainedFunction("g06").exact() == pytest.approx(-6961.81387558015, rel=1e-13)


def test_the_optimum_of_g08_is_stationary():
    value = TEXTBOOK["g08"][0]
    with mp.workdps(30):
        x = mp.findroot(
            lambda a, b: [
                mp.diff(lambda t: value([t, b]), a),
                mp.diff(lambda t: value([a, t]), b),
            ],
            [mp.mpf("1.2279"), mp.mpf("4.2453")],
        )
        least = float(value(list(x)))
    f = ConstrainedFunction("g08")
    np.testing.assert_allclose(f.x_best, [float(t) for t in x], rtol=1e-9)
    assert f.exact() == pytest.approx(least, rel=1e-14)


def test_the_optimum_of_g24_is_where_both_quartics_meet():
    f = ConstrainedFunction("g24")
    x = fsolve(lambda x: CASES["g24"].excess(x[None])[0], [2.3, 3.2], xtol=1e-12)
    np.testing.assert_allclose(f.x_best, x, rtol=1e-12)


@pytest.mark.parametrize("treat", [Rank(), Penalise()], ids=repr)
@pytest.mark.parametrize("name", NAMES)
def test_the_optimum_is_found(name, treat):
    f = ConstrainedFunction(name)
    about = Constraints(f.constraints, treat)
    inner = cem.CrossEntropyMethod(
        nominal=f.nominal(),
        n_samples=40,
        select=cem.Ranked(0.5),
        smooth=cem.EvolutionPath(),
        rng=3,
    )
    low, high = np.array(CASES[name].low), np.array(CASES[name].high)

    def inside(x):
        """Mirrored into the box: far outside a cubic outweighs every penalty."""
        width = high - low
        return low + width - np.abs((x - low) % (2 * width) - width)

    guarded = about.guarded(lambda x: -f(x))
    enough = stopping.target(-f.exact() - 1e-7 * abs(f.exact()))
    state, _, stop = run(
        about.around(inner, inside),
        lambda x, _: guarded(inside(x)),
        until=[enough, stopping.iterations(400)],
    )
    assert stop.success
    assert f.constraints(inside(state.best.x[None])) == 0
    assert -state.best.score == pytest.approx(f.exact(), rel=2e-7)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: ConstrainedFunction("g6"), r"no function 'g6'; did you mean 'g06'\?"),
        (lambda: ConstrainedFunction("g06")(np.zeros((3, 4))), r"\(n, 2\); got \(3, 4\)"),
        (lambda: ConstrainedFunction("g06").constraints(np.zeros(2)), r"\(n, 2\); got \(2,\)"),
    ],
)
def test_a_mistake_is_named(make, message):
    with pytest.raises(ValueError, match=message):
        make()

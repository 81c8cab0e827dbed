"""The standard functions: values against their textbook formulas, optima against their claims."""

import math
from itertools import pairwise

import mpmath as mp
import numpy as np
import pytest
from scipy.optimize import minimize, minimize_scalar

import cem
from cem.testing import ProblemContract
from problems.continuous import FUNCTIONS, Continuous

NAMES = sorted(FUNCTIONS)
RNG = np.random.default_rng(7)


class TestEveryFunction(ProblemContract):
    @pytest.fixture(autouse=True, params=NAMES)
    def _each(self, request):
        self.problem = Continuous(request.param, 7, shift=0.3)


def levy(x):
    w = [1 + (t - 1) / 4 for t in x]
    inner = sum((t - 1) ** 2 * (1 + 10 * mp.sin(mp.pi * t + 1) ** 2) for t in w[:-1])
    end = (w[-1] - 1) ** 2 * (1 + mp.sin(2 * mp.pi * w[-1]) ** 2)
    return mp.sin(mp.pi * w[0]) ** 2 + inner + end


def trigonometric(x):
    squares = [(t - mp.mpf("0.9")) ** 2 for t in x]
    return 1 + sum(8 * mp.sin(7 * s) ** 2 + 6 * mp.sin(14 * s) ** 2 + s for s in squares)


TEXTBOOK = {  # of a list of mpmath numbers, one term at a time
    "sphere": lambda x: sum(t**2 for t in x),
    "ellipsoid": lambda x: sum(
        mp.mpf(10) ** (mp.mpf(6 * i) / max(len(x) - 1, 1)) * t**2 for i, t in enumerate(x)
    ),
    "schwefel": lambda x: sum(sum(x[: i + 1]) ** 2 for i in range(len(x))),
    "rosenbrock": lambda x: sum(100 * (b - a**2) ** 2 + (1 - a) ** 2 for a, b in pairwise(x)),
    "rastrigin": lambda x: 10 * len(x) + sum(t**2 - 10 * mp.cos(2 * mp.pi * t) for t in x),
    "ackley": lambda x: (
        20
        + mp.e
        - 20 * mp.exp(-mp.mpf("0.2") * mp.sqrt(sum(t**2 for t in x) / len(x)))
        - mp.exp(sum(mp.cos(2 * mp.pi * t) for t in x) / len(x))
    ),
    "griewank": lambda x: (
        1
        + sum(t**2 for t in x) / 4000
        - mp.fprod(mp.cos(t / mp.sqrt(i)) for i, t in enumerate(x, start=1))
    ),
    "levy": levy,
    "trigonometric": trigonometric,
}


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("d", [1, 2, 6])
def test_the_values_are_those_of_the_textbook_formula(name, d):
    d = max(d, FUNCTIONS[name].least_d)
    x = RNG.uniform(*FUNCTIONS[name].box, size=(20, d))
    with mp.workdps(30):
        expected = [float(TEXTBOOK[name]([mp.mpf(t) for t in row])) for row in x.tolist()]
    np.testing.assert_allclose(Continuous(name, d)(x), expected, rtol=1e-9)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("shift", [0.0, -2.5])
def test_the_minimum_is_taken_at_its_place(name, shift):
    f = Continuous(name, 5, shift)
    assert f.x_best.tolist() == [FUNCTIONS[name].at + shift] * 5
    assert f(f.x_best[None])[0] == pytest.approx(f.minimum, abs=1e-13)
    assert f.exact() == f.minimum


@pytest.mark.parametrize("name", NAMES)
def test_no_point_of_the_box_or_near_the_optimum_is_better(name):
    f = Continuous(name, 3)
    low, high = FUNCTIONS[name].box
    anywhere = RNG.uniform(low, high, size=(20_000, 3))
    near = f.x_best + RNG.normal(size=(20_000, 3)) * 10.0 ** RNG.uniform(-6, 0, size=(20_000, 1))
    assert f(anywhere).min() > f.minimum
    assert f(near).min() > f.minimum


@pytest.mark.parametrize("name", NAMES)
def test_descent_from_nearby_ends_at_the_optimum(name):
    f = Continuous(name, 3, shift=0.5)
    found = minimize(
        lambda x: f(x[None])[0],
        f.x_best + np.array([0.03, -0.02, 0.01]),
        method="Nelder-Mead",
        options={"xatol": 1e-9, "fatol": 1e-14, "maxfev": 5000},
    )
    np.testing.assert_allclose(found.x, f.x_best, atol=1e-6)
    assert found.fun == pytest.approx(f.minimum, abs=1e-8)


def test_every_local_minimum_of_the_trigonometric_function_but_one_is_above_one():
    f = Continuous("trigonometric", 1)
    grid = np.linspace(-5, 5, 20_001)
    value = f(grid[:, None])
    pits = 1 + np.flatnonzero((value[1:-1] < value[:-2]) & (value[1:-1] < value[2:]))
    ends = sorted(
        minimize_scalar(lambda x: f(np.array([[x]]))[0], bounds=(grid[i - 1], grid[i + 1])).fun
        for i in pits
    )
    assert len(ends) > 100
    assert ends[0] == pytest.approx(1, abs=1e-8)
    assert ends[1] > 1.05


def test_a_shift_moves_the_function_and_not_the_start():
    x = RNG.normal(size=(50, 4))
    np.testing.assert_array_equal(Continuous("levy", 4, 0.5)(x), Continuous("levy", 4)(x - 0.5))
    there, here = Continuous("levy", 4, 0.5).nominal(), Continuous("levy", 4).nominal()
    np.testing.assert_equal(there.parameters(), here.parameters())


def test_the_start_covers_the_usual_box():
    start = Continuous("ackley", 2).nominal()
    assert start.mean.tolist() == [0.0, 0.0]
    np.testing.assert_allclose(start.spread(), 32.768)
    assert Continuous("ackley", 201).nominal().spread().tolist() == [32.768] * 201


def test_small_values_keep_their_digits_near_the_optimum():
    x = np.full((1, 2), 1e-9)
    assert Continuous("rastrigin", 2)(x)[0] == pytest.approx(
        2e-18 + 40 * math.pi**2 * 1e-18, rel=1e-12
    )
    assert Continuous("ackley", 2)(x)[0] == pytest.approx(4e-9, rel=1e-7)


def test_minimize_finds_the_place_of_the_sphere():
    f = Continuous("sphere", 4, shift=2.0)
    found = cem.minimize(f, rng=1, alpha=0.5)
    assert found.fun < 1e-8
    np.testing.assert_allclose(found.x, f.x_best, atol=1e-4)


@pytest.mark.parametrize(
    ("make", "kind", "message"),
    [
        (lambda: Continuous("rosenbrok"), ValueError, r"'rosenbrok'; did you mean 'rosenbrock'\?"),
        (lambda: Continuous("rosenbrock", 1), ValueError, "rosenbrock needs d >= 2; got d=1"),
        (lambda: Continuous("sphere", 0), ValueError, "sphere needs d >= 1; got d=0"),
        (lambda: Continuous("sphere", 2.0), TypeError, r"must be whole; got 2\.0"),
        (lambda: Continuous("sphere", True), TypeError, "must be whole; got True"),
        (lambda: Continuous("sphere", 2, np.inf), ValueError, "shift must be finite; got inf"),
        (lambda: Continuous("sphere", 2)(np.zeros((3, 4))), ValueError, r"\(n, 2\); got \(3, 4\)"),
        (lambda: Continuous("sphere", 2)(np.zeros(2)), ValueError, r"\(n, 2\); got \(2,\)"),
    ],
)
def test_a_mistake_is_named(make, kind, message):
    with pytest.raises(kind, match=message):
        make()

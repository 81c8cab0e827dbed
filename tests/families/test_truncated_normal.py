"""TruncatedNormal keeps the family contract; its tails, its fits at the edge, and its box."""

import mpmath as mp
import numpy as np
import pytest
from scipy import stats

import cem
from cem import TruncatedNormal, minimize
from cem.checkpoint import dumps, loads
from cem.loss import entropy, kl_divergence
from cem.state import History, State
from cem.testing import FamilyContract

MEMBERS = [  # mean and std in the box [0, 1]
    (0.3, 0.1),
    (0.5, 1.0),
    (-0.2, 0.3),
    (1.5, 0.05),
    (-40.0, 1.0),
    (5e3, 0.7),
    (0.999, 1e-3),
]


def in_unit_box(mean, std):
    return TruncatedNormal([mean], [std], low=[0.0], high=[1.0])


def depth(mean, std, x):
    """``ln phi((x - mean) / std)`` less that at the top."""
    top = min(max(mp.mpf(mean), 0), 1)
    return (((x - mean) / mp.mpf(std)) ** 2 - ((top - mean) / mp.mpf(std)) ** 2) / 2


def expected(mean, std, g):
    """The integral of ``g(x) exp(-depth)`` over the box, in forty digits."""
    steps = [mp.mpf(k) / 10 for k in range(11)]
    width = min(mp.mpf(std), mp.mpf(std) ** 2 / max(abs(mp.mpf(mean)), mp.mpf(std)))
    top = min(max(mp.mpf(mean), 0), 1)
    fine = [top + s * k * width for s in (-1, 1) for k in (0, 2, 5, 10, 20, 50, 100)]
    points = sorted({p for p in (*steps, *fine) if 0 <= p <= 1})
    return mp.quad(lambda x: g(x) * mp.exp(-depth(mean, std, x)), points)


def log_density(mean, std):
    log_size = mp.log(expected(mean, std, lambda _: 1))
    return lambda x: -depth(mean, std, x) - log_size


class TestFourCoordinates(FamilyContract):
    family = TruncatedNormal(
        [0.3, -4.0, 7.0, 0.0], [0.2, 1.0, 0.5, 50.0], [0.0, 0.0, -1.0, -1e3], [1.0, 2.0, 6.0, 1e3]
    )
    outside = ([-1e-9, 0.5, 5.9, 0.0], [0.3, 0.5, 6.1, 0.0], [0.3, np.inf, 5.9, 0.0])
    rtol = 1e-7  # far outside the box only the ratio of mean to std^2 is well determined


class TestOneCoordinate(FamilyContract):
    family = in_unit_box(0.4, 0.15)
    outside = ([1.0 + 1e-9], [-1.0])


class TestExtremeScales(FamilyContract):
    family = TruncatedNormal([3e-201, 1e149], [1e-201, 2e149], [0.0, -1e150], [1e-200, 1e150])


def test_the_density_is_scipys():
    x = np.linspace(0, 1, 21)
    for mean, std in MEMBERS[:4]:
        expected_log = stats.truncnorm(-mean / std, (1 - mean) / std, mean, std).logpdf(x)
        found = in_unit_box(mean, std).log_density(x[:, None])
        np.testing.assert_allclose(found, expected_log, rtol=1e-11)


@pytest.mark.parametrize(("mean", "std"), MEMBERS)
def test_the_density_and_the_entropy_are_right_to_many_digits_in_every_tail(mean, std):
    f, exact = in_unit_box(mean, std), log_density(mean, std)
    for x in (0.0, 0.125, 0.75, 1.0):
        assert abs(f.log_density(np.array([[x]]))[0] - exact(x)) < 1e-13 * max(1, abs(exact(x)))
    size = expected(mean, std, lambda _: 1)
    h = expected(mean, std, lambda x: -exact(x)) / size
    assert abs(entropy(f) - h) < 1e-13 * max(1, abs(h))
    m = expected(mean, std, lambda x: x) / size
    v = expected(mean, std, lambda x: (x - m) ** 2) / size
    assert abs(f.spread()[0] - mp.sqrt(v)) < 1e-12 * mp.sqrt(v)


@pytest.mark.parametrize("f", MEMBERS)
@pytest.mark.parametrize("g", MEMBERS[:5])
def test_the_divergence_is_right_to_many_digits(f, g):
    log_f, log_g = log_density(*f), log_density(*g)
    size = expected(*f, lambda _: 1)
    d = expected(*f, lambda x: log_f(x) - log_g(x)) / size
    assert abs(kl_divergence(in_unit_box(*f), in_unit_box(*g)) - d) < 1e-12 * max(1, abs(d))


@pytest.mark.parametrize("step", [1e-3, -1e-6, 1e-9])
def test_the_divergence_of_near_members_does_not_cancel(step):
    for mean, std in [(0.3, 0.1), (0.5, 0.9), (-40.0, 1.0 - 1e-3)]:
        near = (mean * (1 + step), std * (1 - step))
        log_f, log_g = log_density(mean, std), log_density(*near)
        size = expected(mean, std, lambda _: 1)
        d = expected(mean, std, lambda x, f=log_f, g=log_g: f(x) - g(x)) / size
        assert abs(kl_divergence(in_unit_box(mean, std), in_unit_box(*near)) - d) < 1e-6 * d


def test_the_divergence_to_a_wider_box_is_finite_and_to_a_narrower_infinite():
    f = in_unit_box(0.5, 0.2)
    wide = TruncatedNormal([0.5], [0.2], [-1.0], [2.0])
    exact = np.log(1 / (stats.norm.cdf(2.5) - stats.norm.cdf(-2.5)))  # the mass in the narrow one
    assert kl_divergence(f, wide) == pytest.approx(exact, rel=1e-9)
    assert kl_divergence(wide, f) == np.inf


@pytest.mark.parametrize(("mean", "std"), [*MEMBERS, (-1e12, 1.0), (31.5, 1.0), (29.5, 1.0)])
def test_samples_have_the_distribution_function_of_the_density(mean, std):
    x = in_unit_box(mean, std).sample(np.random.default_rng(1), 4000)[:, 0]
    side, sign = (0.0, 1) if mean < 0.5 else (1.0, -1)
    start, end = sign * (side - mean) / std, sign * (side - mean) / std + 1 / std
    distance = sign * (x - side) / std

    def share(h):  # the mass within h of the side, by tails scaled so that none underflows
        tail = start * h + h**2 / 2 - stats.norm.logsf(start + h) - (start + h) ** 2 / 2
        return -np.expm1(-(tail + stats.norm.logsf(start) + start**2 / 2))

    exponential = -np.expm1(-start * distance)  # to six digits where it is used
    u = share(distance) / share(end - start) if start < 1e3 else exponential
    assert stats.kstest(u, "uniform").pvalue > 1e-6


def test_a_narrow_density_at_the_upper_side_is_cut_at_the_right_place():
    std = 1e-10
    f = in_unit_box(1.0 + 2 * std, std)
    x = f.sample(np.random.default_rng(0), 4000)
    u = stats.norm.cdf((x[:, 0] - f.mean[0]) / std) / stats.norm.cdf(-2.0)
    assert stats.kstest(u, "uniform").pvalue > 1e-6


@pytest.mark.parametrize(("mean", "std"), [(0.3, 0.1), (-0.2, 0.3), (1.5, 0.4), (0.0, 1e-8)])
def test_the_fit_has_the_mean_and_the_deviation_of_the_samples(mean, std):
    x = in_unit_box(mean, std).sample(np.random.default_rng(0), 500)
    w = np.random.default_rng(1).standard_exponential(500)
    fitted = in_unit_box(0.5, 1.0).fit(x, w)
    m = np.average(x[:, 0], weights=w)
    assert fitted.spread()[0] ** 2 == pytest.approx(np.average((x[:, 0] - m) ** 2, weights=w))
    centre = expected(fitted.mean[0], fitted.std[0], lambda y: y)
    assert float(centre / expected(fitted.mean[0], fitted.std[0], lambda _: 1)) == pytest.approx(m)


def test_the_fit_to_samples_far_from_the_sides_is_the_normal_one():
    x = 0.5 + 1e-3 * np.random.default_rng(0).normal(size=(100, 1))
    fitted = in_unit_box(0.1, 0.3).fit(x, np.ones(100))
    assert fitted.mean[0] == pytest.approx(x.mean(), rel=1e-14)
    assert fitted.std[0] == pytest.approx(x.std(), rel=1e-12)


@pytest.mark.parametrize(
    "x",
    [
        [0.0, 1.0],
        [0.0, 0.0, 1.0],
        [1e-9, 1e-9, 1e-5],
        [1.0 - 1e-12, 1.0, 0.5],
        np.linspace(0, 1, 50),
    ],
    ids=["both sides", "mostly one", "steep", "the other side", "uniform"],
)
def test_flatter_samples_than_the_flattest_member_have_its_std_and_their_own_mean(x):
    x = np.array(x)
    fitted = in_unit_box(0.5, 0.1).fit(x[:, None], np.ones(len(x)))
    assert fitted.std.tolist() == [1.0]
    slope = mp.mpf(fitted.mean[0])
    centre = expected(slope, 1, lambda y: y) / expected(slope, 1, lambda _: 1)
    assert abs(centre - x.mean()) < 1e-10 * max(x.mean(), 1 - x.mean())


def test_the_fit_holds_for_any_samples_in_the_box():
    rng = np.random.default_rng(0)
    for _ in range(100):
        a, b = 10 ** rng.uniform(-2, 3, size=(2, 20))
        x = rng.beta(a, b, size=(rng.integers(2, 30), 20)) - 7.0
        w = rng.exponential(size=len(x)) ** rng.integers(0, 6)
        f = TruncatedNormal(np.full(20, -6.5), np.ones(20), np.full(20, -7.0), np.full(20, -6.0))
        fitted = f.fit(x, w)
        mean = np.average(x, axis=0, weights=w)
        std = np.sqrt(np.average((x - mean) ** 2, axis=0, weights=w))
        agrees = abs(fitted.spread() - std) <= 1e-6 * std + 1e-14  # the rounding of x near -7
        capped = (fitted.std == 1.0) & (fitted.spread() <= std * (1 + 1e-9))
        collapsed = (fitted.std == 0) & (x.min(axis=0) == x.max(axis=0))
        assert (agrees | capped | collapsed).all()


def test_equal_samples_give_a_collapsed_coordinate_even_at_a_side():
    fitted = in_unit_box(0.5, 1.0).fit(np.array([[1.0], [1.0], [1.0]]), np.array([0.1, 0.7, 0.2]))
    assert (fitted.mean.tolist(), fitted.std.tolist()) == ([1.0], [0.0])
    assert (fitted.sample(np.random.default_rng(0), 5) == 1.0).all()
    assert fitted.log_density(np.array([[1.0], [0.5], [2.0]])).tolist() == [
        np.inf,
        -np.inf,
        -np.inf,
    ]
    assert entropy(fitted) == -np.inf
    assert kl_divergence(fitted, fitted) == 0
    assert kl_divergence(fitted, in_unit_box(0.5, 1.0)) == np.inf
    assert fitted.spread().tolist() == [0.0]


def test_the_box_stays_through_fits_and_checkpoints_and_is_no_parameter():
    f = in_unit_box(0.4, 0.2)
    assert sorted(f.parameters()) == ["mean", "std"]
    moved = f.smooth(f.replace(mean=np.array([0.9])), 0.5)
    back = loads(dumps(State(moved), History(), {}), f).state.v
    assert (back.low.tolist(), back.high.tolist()) == ([0.0], [1.0])
    assert back.mean.tolist() == [0.65]
    assert repr(f) == "TruncatedNormal(mean=[0.4], std=[0.2], low=[0.], high=[1.])"


def test_a_thousand_coordinates_with_the_optimum_at_a_corner_stay_in_the_box():
    d = 1000
    f = TruncatedNormal(np.full(d, 0.5), np.ones(d), np.zeros(d), np.ones(d))
    inside = []

    def total(x):
        inside.append(((x >= 0) & (x <= 1)).all())
        return x.sum(axis=1)

    found = minimize(total, f, n_samples=200, max_iterations=60, rng=0)
    assert all(inside)
    assert found.fun < 0.3 * d  # a draw from the first density has 0.5 d, give or take 0.01 d


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([0.5], [1.0], [1.0], [1.0]), r"low must be below .* got 1 and 1 at index 0$"),
        (([0.5], [1.0], [-1e308], [1e308]), r"finite double; got -1e\+308 and 1e\+308 at index 0$"),
        (([0.5], [1.0], [0.0], [np.inf]), r"^TruncatedNormal\.high must be finite; got inf at"),
        (
            ([0.5], [2.0], [0.0], [1.0]),
            r"std must be at most high - low.* got 2 .* width 1 at inde",
        ),
        (([0.5], [-1.0], [0.0], [1.0]), r"^TruncatedNormal\.std must be finite and not negative"),
        (([0.5], [1.0], [0.0, 0.0], [1.0]), r"shape of the mean, \(1,\); got \(2,\) and \(1,\)$"),
    ],
)
def test_a_bad_parameter_is_named_with_its_place_and_value(arguments, message):
    with pytest.raises(ValueError, match=message):
        TruncatedNormal(*arguments)


def test_a_sample_outside_the_box_is_refused_with_its_place():
    with pytest.raises(ValueError, match=r"must lie in the box; got 1\.5 at index \(1, 0\), outs"):
        in_unit_box(0.5, 0.5).fit(np.array([[0.5], [1.5]]), np.ones(2))


def test_a_run_in_another_box_is_not_resumed(tmp_path):
    def run(high):
        start = TruncatedNormal([0.5, 0.5], [0.5, 0.5], [0.0, 0.0], [high, high])
        options = {"n_samples": 50, "rng": 1, "max_iterations": 3}
        return cem.minimize(lambda x: x.sum(axis=1), start, checkpoint=path, **options)

    path = tmp_path / "run.npz"
    first = run(1.0)
    assert run(1.0).fun == first.fun
    with pytest.raises(ValueError, match="nominal"):
        run(2.0)

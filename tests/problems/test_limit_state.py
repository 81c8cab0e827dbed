"""A limit state of one's own: failure is g < 0, and whatever else g may do is named."""

import functools
import warnings

import numpy as np
import pytest
from scipy import stats

import cem
from cem.testing import ProblemContract
from problems.rare_event import LimitState

NORMALS = [stats.norm(4, 1), stats.norm(2, 1)]
U = np.array([[0.0, 0.0], [1.0, -1.0], [-2.0, 1.5]])


def less(x, factor=1.0):
    return x[:, 0] - factor * x[:, 1]


def answering(*values):
    """A limit state in two standard normal variables whose g has these values."""
    return functools.partial(LimitState, lambda _: np.array(values), [stats.norm(0, 1)] * 2)


class TestLimitState(ProblemContract):
    problem = LimitState(less, NORMALS)


class TestCorrelatedLimitState(ProblemContract):
    problem = LimitState(
        less, [stats.lognorm(0.5), stats.gumbel_r(1, 2)], [[1, -0.4], [-0.4, 1]], invalid="fails"
    )


def test_the_score_is_minus_g_in_physical_space():
    np.testing.assert_allclose(LimitState(less, NORMALS)(U), [-2, -4, 1.5], rtol=1e-15)


def test_failure_is_strict():
    limit = answering(0.0, -0.0, 5e-324, -5e-324)()
    fails = limit(np.zeros((4, 2))) >= limit.gamma
    assert fails.tolist() == [False, False, False, True]


def test_scores_are_in_the_order_of_g_also_next_to_zero():
    g = np.array([-1.0, -5e-324, 0.0, 1e-300, 1.0])
    assert (np.diff(answering(*g)()(np.zeros((5, 2)))) < 0).all()


def test_an_infinite_g_is_safe_or_has_failed_and_its_score_is_finite():
    score = answering(np.inf, -np.inf, 1.0)()(np.zeros((3, 2)))
    assert np.isfinite(score).all()
    assert (score >= 0).tolist() == [False, True, False]
    assert np.isfinite(np.square(score).sum())


@pytest.mark.parametrize(("invalid", "failed"), [("fails", True), ("safe", False)])
def test_nan_is_what_is_asked_for(invalid, failed):
    score = answering(np.nan, 1.0, -1.0, np.inf)(invalid=invalid)(np.zeros((4, 2)))
    assert (score >= 0).tolist() == [failed, False, True, False]
    assert np.isfinite(score).all()


def test_nan_is_an_error_by_default_that_counts_and_shows_the_first_point():
    def root(x):
        with np.errstate(invalid="ignore"):
            return np.sqrt(x[:, 0] - 4.5)

    message = r"NaN at 2 of 3 points, the first of them x = \[4\. 2\.\]; .*invalid='fails'"
    with pytest.raises(ValueError, match=message):
        LimitState(root, NORMALS)(U)


def test_nan_names_the_point_that_was_asked_for_even_if_g_writes_into_it():
    def spoil(x):
        x[:] = 7.0
        return np.full(len(x), np.nan)

    with pytest.raises(ValueError, match=r"x = \[4\. 2\.\]"):
        LimitState(spoil, NORMALS)(U)


@pytest.mark.parametrize("correlation", [None, [[1, 0.5], [0.5, 1]]])
@pytest.mark.parametrize("marginal", [stats.norm(0, 1), stats.uniform(), stats.gamma(2)])
def test_g_cannot_change_the_batch(marginal, correlation):
    def spoil(x):
        x[:] = 7.0
        return x[:, 0]

    u = U.copy()
    LimitState(spoil, [marginal] * 2, correlation)(u)
    np.testing.assert_array_equal(u, U)


@pytest.mark.parametrize("g", [lambda x: x[:, 2], lambda x: x @ np.ones(3)])
def test_a_g_of_another_number_of_variables_is_told_how_many_marginals_there_are(g):
    message = r"batch of shape \(3, 2\): .*there are 2 marginals"
    with pytest.raises(ValueError, match=message) as caught:
        LimitState(g, NORMALS)(U)
    assert type(caught.value.__cause__) in {IndexError, ValueError}
    assert str(caught.value.__cause__) in str(caught.value)


def test_another_error_of_g_passes_with_a_note_where_it_was():
    def broken(_):
        raise ZeroDivisionError("of course")

    with pytest.raises(ZeroDivisionError, match=r"^of course") as caught:
        LimitState(broken, NORMALS)(U)
    assert caught.value.__notes__ == [
        "g was called with a batch of shape (3, 2), 2 <= x1 <= 5, 1 <= x2 <= 3.5"
    ]


@pytest.mark.parametrize(
    ("g", "error", "message"),
    [
        (lambda _: 1.0, ValueError, r"expected shape \(3,\), got \(\); .*cem\.each\(g\)"),
        (lambda x: x, ValueError, r"expected shape \(3,\), got \(3, 2\); .*over the 2 variables"),
        (lambda x: x[:2, 0], ValueError, r"expected shape \(3,\), got \(2,\)"),
        (lambda x: x[:, 0] < 0, TypeError, r"real numbers, negative at failure; got dtype bool"),
        (lambda x: x[:, 0] + 0j, TypeError, r"got dtype complex128"),
    ],
)
def test_a_wrong_answer_of_g_is_named(g, error, message):
    with pytest.raises(error, match=message):
        LimitState(g, NORMALS)(U)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ((1.0, NORMALS), TypeError, "g must be a function of a batch .* got one of type float"),
        ((less, stats.norm(0, 1)), TypeError, r"marginals must be a list .*\[stats.norm"),
        ((less, 2), TypeError, "marginals must be a list .*; got one of type int"),
        ((less, []), ValueError, "at least one distribution; got none"),
        (
            (less, [stats.norm]),
            TypeError,
            r"marginal 1 of 1 .* got norm without parameters: call it",
        ),
        ((less, [NORMALS[0], 3.0]), TypeError, "marginal 2 of 2 .* got one of type float"),
        (
            (less, [stats.multivariate_normal([0, 0])]),
            TypeError,
            "one variable; got one of type multivariate_normal_frozen; pass its marginals",
        ),
        ((less, [stats.norm([0, 1], 1)]), ValueError, r"numbers, got arrays of shape \(2,\)"),
        ((less, [stats.norm(np.nan, 1)]), ValueError, r"no median: .* got norm\(nan, 1\); one is"),
        ((less, [stats.norm(0, -1)]), ValueError, r"got norm\(0, -1\); .* scale is not positive"),
        ((less, NORMALS, np.eye(3)), ValueError, r"expected shape \(2, 2\), got \(3, 3\)"),
        ((less, NORMALS, [[1, np.nan], [0, 1]]), ValueError, "must be finite; got nan"),
        (
            (less, NORMALS, [[1, 0.5], [0.4, 1]]),
            ValueError,
            "symmetric; got 0.5 in row 1, column 2, but 0.4 in row 2, column 1",
        ),
        ((less, NORMALS, [[4, 0], [0, 1]]), ValueError, "got 4 in row 1: .* covariances"),
        ((less, NORMALS, [[1, 1.2], [1.2, 1]]), ValueError, r"smallest eigenvalue is -0\.2:"),
        ((less, NORMALS, [[1, 1], [1, 1]]), ValueError, "positive definite"),
    ],
)
def test_a_wrong_argument_is_named(arguments, error, message):
    with pytest.raises(error, match=message):
        LimitState(*arguments)


def test_an_unknown_treatment_of_nan_is_answered_by_the_nearest():
    with pytest.raises(ValueError, match=r"invalid must .* got 'fail'; did you mean 'fails'\?"):
        LimitState(less, NORMALS, invalid="fail")


@pytest.mark.parametrize("method", ["__call__", "to_physical", "to_standard", "log_density"])
@pytest.mark.parametrize("points", [np.zeros((3, 1)), np.zeros(2)])
def test_points_of_another_shape_are_refused(method, points):
    with pytest.raises(ValueError, match=r"expected points of shape \(n, 2\), .*; got \("):
        getattr(LimitState(less, NORMALS), method)(points)


def test_its_words_are_short_and_hold_no_address():
    many = LimitState(less, [stats.norm(4, 1)] * 99 + [stats.lognorm(0.5, scale=2.0)])
    assert repr(many) == "LimitState(less, [norm(4, 1) x 99, lognorm(0.5, scale=2)])"
    half = functools.partial(less, factor=0.5)
    other = LimitState(half, NORMALS, [[1, 0.5], [0.5, 1]], invalid="safe")
    assert repr(other) == (
        "LimitState(less(..., factor=0.5), [norm(4, 1), norm(2, 1)], [[1.0, 0.5], [0.5, 1.0]], "
        "invalid='safe')"
    )


def test_a_correlation_that_is_changed_later_does_not_change_the_limit_state():
    correlation = np.array([[1, 0.5], [0.5, 1]])
    limit = LimitState(less, NORMALS, correlation)
    before = limit(U)
    correlation[0, 1] = correlation[1, 0] = 0.9
    np.testing.assert_array_equal(LimitState(less, NORMALS, limit.correlation)(U), before)


def test_it_is_all_that_an_estimate_needs():
    found = cem.estimate(LimitState(less, NORMALS), rng=0)
    exact = stats.norm.sf(2**0.5)
    assert found.success
    assert abs(found.probability - exact) < 5 * found.std_error
    assert found.std_error < 0.03 * exact


def test_an_estimate_knows_of_the_correlation():
    found = cem.estimate(LimitState(less, NORMALS, [[1, -0.8], [-0.8, 1]]), rng=0)
    exact = stats.norm.sf(2 / 3.6**0.5)
    assert abs(found.probability - exact) < 5 * found.std_error
    assert found.std_error < 0.03 * exact


def test_nothing_warns_far_out():
    marginals = [stats.norm(), stats.uniform(), stats.expon(), stats.gumbel_r(), stats.gamma(3)]
    limit = LimitState(lambda x: x.sum(axis=1), marginals, np.eye(5))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert np.isfinite(limit(np.array([[37.0] * 5, [-37.0] * 5]))).all()

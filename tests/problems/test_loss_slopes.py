"""Gradient descent from confident mistakes: the steps of a plain loop, and the slopes."""

import numpy as np
import pytest

from cem.testing import ProblemContract
from problems.classification import iris
from problems.loss_slopes import NAMES, LossSlopes, slopes


class TestSquaredError(ProblemContract):
    problem = LossSlopes(gamma=60.0)
    n = 60


class TestCrossEntropy(ProblemContract):
    problem = LossSlopes(gamma=60.0, loss="cross-entropy")
    n = 60


def plain(start, loss, gamma):
    """One descent, one flower at a time."""
    x, species = iris()
    x = np.column_stack([(x - x.mean(axis=0)) / x.std(axis=0), np.ones(150)])
    labels, w = np.unique(species, return_inverse=True)[1], start.reshape(5, 3).copy()
    for step in range(gamma):
        gradient, right = np.zeros((5, 3)), 0
        for row, label in zip(x, labels, strict=True):
            z = row @ w
            p = np.exp(z - z.max()) / np.exp(z - z.max()).sum()
            right += z.argmax() == label
            slope = p - np.eye(3)[label]
            if loss == "squared-error":
                slope = (np.diag(p) - np.outer(p, p)) @ (2 * slope)
            gradient += np.outer(row, slope) / 150
        if right / 150 >= 0.96:
            return step
        w -= gradient
    return gamma


@pytest.mark.parametrize("loss", NAMES)
def test_the_steps_are_those_of_a_plain_loop(loss):
    made = LossSlopes(gamma=80.0, loss=loss, scale=1.0)
    starts = made.nominal().sample(np.random.default_rng(3), 3)
    assert made(starts).tolist() == [plain(start, loss, 80) for start in starts]


def test_from_zero_the_squared_error_is_faster_and_from_confident_mistakes_it_stalls():
    zero = np.zeros((1, 15))
    assert LossSlopes(loss="squared-error")(zero) == 41
    assert LossSlopes(loss="cross-entropy")(zero) == 57
    starts = LossSlopes().nominal().sample(np.random.default_rng(1), 30)
    assert (LossSlopes(gamma=400, loss="cross-entropy")(starts) < 400).all()
    assert (LossSlopes(gamma=400, loss="squared-error")(starts) == 400).mean() > 0.3


@pytest.mark.parametrize(
    ("p", "expected"),
    [
        (0.5, (-2, -1, -0.5, -0.25)),
        (0.1, (-10, -1.8, -0.9, -0.162)),
        (0.01, (-100, -1.98, -0.99, -0.019602)),
        (0.001, (-1000, -1.998, -0.999, -0.001996002)),
    ],
)
def test_the_slopes_have_their_published_values(p, expected):
    assert slopes(p) == pytest.approx(expected, rel=1e-12)
    step = 1e-7 * p  # and they are the slopes
    ce = (-np.log(p + step) + np.log(p - step)) / (2 * step)
    se = ((1 - p - step) ** 2 - (1 - p + step) ** 2) / (2 * step)
    assert slopes(p)[:2] == pytest.approx((ce, se), rel=1e-6)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"loss": "squared"}, "there is no loss 'squared'; did you mean 'squared-error'?"),
        ({"gamma": 0.0}, "gamma must be positive and finite; got 0.0"),
        ({"scale": np.inf}, "scale must be positive and finite; got inf"),
        ({"accuracy": 1.5}, r"accuracy must lie in \(0, 1\]; got 1.5"),
    ],
)
def test_what_makes_no_sense_is_refused(settings, message):
    with pytest.raises(ValueError, match=message.replace("?", r"\?")):
        LossSlopes(**settings)

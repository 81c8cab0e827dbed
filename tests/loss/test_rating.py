"""The rule of thumb for a mean cross-entropy: its bands, its gap, and what it leaves out."""

import math

import numpy as np
import pytest

from cem.loss import rate_score

GAP = "between fine and not great"


@pytest.mark.parametrize(
    ("nats", "band"),
    [
        (0.0, "perfect"),
        (5e-324, "great"),
        (np.nextafter(0.02, 0), "great"),
        (0.02, "on the right track"),
        (np.nextafter(0.05, 0), "on the right track"),
        (0.05, "fine"),
        (np.nextafter(0.2, 0), "fine"),
        (0.2, GAP),
        (0.3, GAP),
        (np.nextafter(0.3, 1), "not great"),
        (1.0, "not great"),
        (np.nextafter(1.0, 2), "terrible"),
        (2.0, "terrible"),
        (np.nextafter(2.0, 3), "broken"),
        (np.inf, "broken"),
    ],
)
def test_every_boundary_belongs_to_one_band(nats, band):
    assert rate_score(nats).band == band


def test_the_probability_and_the_perplexity_are_powers_of_e():
    rating = rate_score(math.log(4), n_classes=2)
    assert rating.probability == pytest.approx(0.25, rel=1e-15)
    assert rating.perplexity == pytest.approx(4, rel=1e-15)
    assert rating.skill == pytest.approx(-1, rel=1e-15)


def test_the_skill_is_that_against_guessing_and_unknown_without_the_number_of_classes():
    assert rate_score(0.0, n_classes=10).skill == 1
    assert rate_score(math.log(10), n_classes=10).skill == 0
    assert rate_score(0.1).skill is None
    assert "skill" not in str(rate_score(0.1))
    assert str(rate_score(0.1, n_classes=2)).endswith("skill 0.86")


def test_a_loss_too_large_for_a_float_has_an_infinite_perplexity():
    assert rate_score(709.5).perplexity == math.exp(709.5)
    assert rate_score(710.0).perplexity == math.inf
    assert rate_score(math.inf).perplexity == math.inf
    assert rate_score(math.inf, n_classes=2).skill == -math.inf
    assert rate_score(math.inf).probability == 0

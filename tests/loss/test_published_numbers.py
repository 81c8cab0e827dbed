"""The worked examples of the textbooks: to their printed digits, and to 1e-14 of the exact."""

import numpy as np
import pytest

from cem.loss import (
    binary_cross_entropy,
    binary_cross_entropy_grad,
    categorical_cross_entropy,
    cross_entropy,
    entropy,
    information,
    jensen_shannon,
    kl_divergence,
    log_loss,
    mean_squared_error,
    rate_score,
)

# Brownlee, A Gentle Introduction to Cross-Entropy for Machine Learning (2019)
P, Q = ["0.10", "0.40", "0.50"], ["0.80", "0.15", "0.05"]  # red, green, blue
p, q = [float(a) for a in P], [float(a) for a in Q]
Y = [1, 1, 1, 1, 1, 0, 0, 0, 0, 0]
GUESS = ["0.8", "0.9", "0.9", "0.6", "0.8", "0.1", "0.4", "0.2", "0.1", "0.3"]
guess = [float(a) for a in GUESS]

CLOSE = {"rel": 1e-14, "abs": 0}
LN_2 = np.log(2)


@pytest.mark.parametrize(
    ("found", "of", "bits", "nats"),
    [
        (lambda u: cross_entropy(p, q, unit=u), ("cross_entropy", P, Q), "3.288", "2.279"),
        (lambda u: cross_entropy(q, p, unit=u), ("cross_entropy", Q, P), "2.906", "2.014"),
        (lambda u: entropy(p, unit=u), ("entropy", P), "1.361", "0.943"),
        (lambda u: entropy(q, unit=u), ("entropy", Q), "0.884", "0.613"),
        (lambda u: kl_divergence(p, q, unit=u), ("divergence", P, Q), "1.927", "1.336"),
        (lambda u: kl_divergence(q, p, unit=u), ("divergence", Q, P), "2.022", "1.401"),
        (lambda u: jensen_shannon(p, q, unit=u), ("jensen_shannon", P, Q), "0.420", "0.291"),
    ],
    ids=["H(P, Q)", "H(Q, P)", "H(P)", "H(Q)", "D(P || Q)", "D(Q || P)", "JS"],
)
def test_the_three_colours_have_their_published_values(exact, found, of, bits, nats):
    name, *args = of
    value = getattr(exact, name)(*args)
    assert f"{found('bits'):.3f}" == bits
    assert f"{found('nats'):.3f}" == nats
    assert found("nats") == pytest.approx(float(value), **CLOSE)
    assert found("bits") == pytest.approx(float(value / exact.log(2)), **CLOSE)
    assert found("hartleys") == pytest.approx(float(value / exact.log(10)), **CLOSE)


def test_the_published_decomposition_holds_to_the_printed_digits():
    whole = entropy(p, unit="bits") + kl_divergence(p, q, unit="bits")
    assert f"{whole:.3f}" == "3.288"
    assert whole == pytest.approx(cross_entropy(p, q, unit="bits"), **CLOSE)


def test_the_published_distributions_sum_to_one_as_they_are():
    for a in (p, q):
        assert entropy(a, normalize=True) == pytest.approx(entropy(a), **CLOSE)


def test_the_surprises_and_the_single_terms_of_the_three_colours(exact):
    bits = information(p, unit="bits"), information(q, unit="bits")
    np.testing.assert_allclose(bits[0], [3.32192809489, 1.32192809489, 1], rtol=1e-11)
    np.testing.assert_allclose(bits[1], [0.321928094887, 2.73696559417, 4.32192809489], rtol=1e-11)
    terms = np.array(p) * (bits[1] - bits[0])
    np.testing.assert_allclose(terms, [-0.3, 0.566014999712, 1.66096404744], rtol=1e-11)
    for found, a in zip(bits[0], exact.vector(P), strict=True):
        assert found == pytest.approx(float(-exact.log(a) / exact.log(2)), **CLOSE)


def test_the_ten_binary_predictions_have_their_published_losses(exact):
    losses = binary_cross_entropy(Y, guess, reduction="none")
    printed = [0.223, 0.105, 0.105, 0.511, 0.223, 0.105, 0.511, 0.223, 0.105, 0.357]
    assert losses.round(3).tolist() == printed
    right = [a if y else 1 - a for y, a in zip(Y, exact.vector(GUESS), strict=True)]
    expected = [-exact.log(a) for a in right]
    np.testing.assert_allclose(losses, [float(a) for a in expected], rtol=1e-14)
    total = sum(expected)
    assert f"{total / 10}".startswith("0.246919890804464")
    mean = binary_cross_entropy(Y, guess)
    assert f"{mean:.3f}" == "0.247"
    assert mean == pytest.approx(float(total / 10), **CLOSE)
    assert mean / LN_2 == pytest.approx(0.35623010196044576, **CLOSE)
    assert binary_cross_entropy(Y, guess, reduction="sum") == pytest.approx(float(total), **CLOSE)
    assert mean_squared_error(Y, guess) == pytest.approx(0.057, **CLOSE)


def test_the_log_loss_of_the_ten_predictions_is_their_cross_entropy():
    expected = binary_cross_entropy(Y, guess)
    columns = np.column_stack([guess, 1 - np.array(guess)])
    assert log_loss(Y, guess) == pytest.approx(expected, **CLOSE)
    assert log_loss(Y, columns, labels=[1, 0]) == pytest.approx(expected, **CLOSE)
    assert log_loss(Y, columns[:, ::-1]) == pytest.approx(expected, **CLOSE)


def test_the_cats_dogs_and_horses_have_the_published_loss_in_nats(exact):
    loss = categorical_cross_entropy([0, 1, 0], [0.4, 0.4, 0.2])
    assert f"{loss:.2f}" == "0.92"
    assert loss == pytest.approx(float(-exact.log(exact.number("0.4"))), **CLOSE)
    assert loss == 0.916290731874155  # and not 0.9162907318741526, which is -ln(0.4 + 1e-15)
    assert loss / LN_2 == pytest.approx(1.3219280948873623, **CLOSE)  # bits


def test_the_three_irises_have_their_published_losses(exact):
    chances = ["0.57", "0.58", "0.52"]
    losses = binary_cross_entropy(np.ones(3), [float(a) for a in chances], reduction="none")
    assert [f"{a:.2f}" for a in losses] == ["0.56", "0.54", "0.65"]
    expected = [-exact.log(a) for a in exact.vector(chances)]
    np.testing.assert_allclose(losses, [float(a) for a in expected], rtol=1e-14)
    total = binary_cross_entropy(np.ones(3), [0.57, 0.58, 0.52], reduction="sum")
    assert total == pytest.approx(float(sum(expected)), **CLOSE)
    assert f"{total:.2f}" == "1.76"  # printed: 1.75, the sum of the rounded terms
    assert abs(total - 1.75) < 0.02


def test_the_residuals_of_the_three_irises():
    squares = mean_squared_error(np.ones(3), [0.57, 0.58, 0.52], reduction="none")
    assert np.sqrt(squares[0]) == pytest.approx(0.43, **CLOSE)
    assert squares[0] == pytest.approx(0.1849, **CLOSE)
    total = mean_squared_error(np.ones(3), [0.57, 0.58, 0.52], reduction="sum")
    assert total == pytest.approx(0.5917, **CLOSE)


@pytest.mark.parametrize(
    ("chance", "cross", "square", "ratio"),
    [
        (0.5, -2, -1, 2),
        (0.1, -10, -1.8, 5.5556),
        (0.01, -100, -1.98, 50.505),
        (0.001, -1000, -1.998, 500.5),
    ],
)
def test_the_slopes_against_the_probability_of_the_true_class(chance, cross, square, ratio):
    h = 1e-3 * chance  # the square's difference quotient is exact for any step
    quotients = [
        (loss([1.0], [chance + h]) - loss([1.0], [chance - h])) / (2 * h)
        for loss in (binary_cross_entropy, mean_squared_error)
    ]
    assert quotients[1] == pytest.approx(square, rel=1e-9)
    assert quotients[0] == pytest.approx(cross, rel=1e-6)
    z = np.log(chance / (1 - chance))
    through_logit = binary_cross_entropy_grad([1.0], [z])[0] / (chance * (1 - chance))
    assert through_logit == pytest.approx(cross, rel=1e-13)
    assert through_logit / square == pytest.approx(ratio, rel=1e-4)


@pytest.mark.parametrize(("chance", "ratio"), [(0.01, 50.505), (0.5, 2.0), (0.99, 50.505)])
def test_the_slopes_against_the_logit_are_what_training_sees(chance, ratio):
    z = np.log(chance / (1 - chance))
    cross = binary_cross_entropy_grad([1.0], [z])[0]
    assert cross == pytest.approx(-(1 - chance), rel=1e-13)
    assert cross / (-2 * chance * (1 - chance) ** 2) == pytest.approx(ratio, rel=1e-4)


def test_the_losses_of_a_confident_mistake():
    assert f"{binary_cross_entropy([1], [0.01]):.3f}" == "4.605"
    assert f"{mean_squared_error([1.0], [0.01]):.3f}" == "0.980"
    assert binary_cross_entropy([1], [0.0]) == np.inf
    assert mean_squared_error([1.0], [0.0]) == 1


@pytest.mark.parametrize(
    ("nats", "probability"),
    [
        (0.02, "0.98020"),
        (0.05, "0.95123"),
        (0.20, "0.81873"),
        (0.30, "0.74082"),
        (1.0, "0.36788"),
        (2.0, "0.13534"),
    ],
)
def test_the_bands_of_a_good_score_as_probabilities(exact, nats, probability):
    found = rate_score(nats).probability
    assert f"{found:.5f}" == probability
    assert found == pytest.approx(float(exact.exp(-exact.number(nats))), **CLOSE)


@pytest.mark.parametrize(
    ("classes", "printed", "band"),
    [
        (2, "0.69315", "not great"),
        (3, "1.09861", "terrible"),
        (10, "2.30259", "broken"),
        (1000, "6.90776", "broken"),
    ],
)
def test_guessing_among_all_classes_alike(exact, classes, printed, band):
    nats = entropy(np.full(classes, 1 / classes))
    assert f"{nats:.5f}" == printed
    assert nats == pytest.approx(float(exact.log(classes)), **CLOSE)
    rating = rate_score(nats, n_classes=classes)
    assert rating.band == band
    assert rating.skill == pytest.approx(0, abs=1e-14)


def test_the_uniform_distribution_has_the_largest_entropy_of_its_support():
    assert entropy([1 / 3] * 3, unit="bits") == pytest.approx(1.5849625007211562, **CLOSE)
    # a balanced distribution over fewer outcomes may well have less than a skewed one
    assert entropy([0.5, 0.3, 0.1, 0.1], unit="bits") == pytest.approx(1.6854752972273344, **CLOSE)
    assert entropy([0.5, 0.5], unit="bits") == 1

"""Information, entropy, cross-entropy and divergence: identities, units, edges and known values."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import stats

from cem import Bernoulli, Exponential, Normal
from cem.loss import cross_entropy, entropy, information, kl_divergence
from cem.loss.distributions import divergence_terms

P, Q = [0.10, 0.40, 0.50], [0.80, 0.15, 0.05]
LN_2 = np.log(2)


@st.composite
def pairs(draw):
    """Two distributions over the same outcomes, zeros included."""
    size = draw(st.integers(1, 8))
    weight = arrays(float, size, elements=st.floats(0, 1) | st.sampled_from([0.0, 1e-300, 1.0]))
    p, q = (draw(weight.filter(lambda a: a.sum() > 1e-6)) for _ in range(2))
    return p / p.sum(), q / q.sum()


@pytest.mark.parametrize(
    ("found", "bits", "nats"),
    [
        (lambda unit: cross_entropy(P, Q, unit=unit), 3.2879430945988999, 2.279028485862769),
        (lambda unit: cross_entropy(Q, P, unit=unit), 2.9058316901429942, 2.0141690432043571),
        (lambda unit: entropy(P, unit=unit), 1.3609640474436812, 0.94334839232903925),
        (lambda unit: entropy(Q, unit=unit), 0.88418371977918892, 0.61286945246194955),
        (lambda unit: kl_divergence(P, Q, unit=unit), 1.9269790471552187, 1.3356800935337297),
        (lambda unit: kl_divergence(Q, P, unit=unit), 2.0216479703638053, 1.4012995907424075),
    ],
    ids=["H(P, Q)", "H(Q, P)", "H(P)", "H(Q)", "D(P || Q)", "D(Q || P)"],
)
def test_the_three_colours_have_their_published_values(found, bits, nats):
    # Brownlee, A Gentle Introduction to Cross-Entropy for Machine Learning (2019)
    assert found("bits") == pytest.approx(bits, rel=1e-14)
    assert found("nats") == pytest.approx(nats, rel=1e-14)
    assert found("hartleys") == pytest.approx(nats / np.log(10), rel=1e-14)


def test_the_surprise_at_the_three_colours_has_its_published_values():
    expected_p = [3.32192809489, 1.32192809489, 1.0]
    expected_q = [0.321928094887, 2.73696559417, 4.32192809489]
    np.testing.assert_allclose(information(P, unit="bits"), expected_p, rtol=1e-11)
    np.testing.assert_allclose(information(Q, unit="bits"), expected_q, rtol=1e-11)


def test_the_jensen_shannon_divergence_follows_from_the_divergence():
    m = (np.array(P) + Q) / 2
    found = (kl_divergence(P, m) + kl_divergence(Q, m)) / 2
    assert found == pytest.approx(0.29126084062606399, rel=1e-14)


def test_a_cross_entropy_is_the_entropy_plus_the_divergence():
    whole = entropy(P) + kl_divergence(P, Q)
    assert cross_entropy(P, Q) == pytest.approx(whole, rel=1e-15)
    assert cross_entropy(P, P) == pytest.approx(entropy(P), rel=1e-15)


@given(pairs())
def test_a_cross_entropy_is_the_entropy_plus_the_divergence_wherever_it_is_finite(pair):
    p, q = pair
    whole = entropy(p) + kl_divergence(p, q)
    if np.isfinite(whole):
        assert cross_entropy(p, q) == pytest.approx(whole, rel=1e-9, abs=1e-12)
    else:
        assert cross_entropy(p, q) == np.inf


@given(pairs())
def test_a_divergence_is_never_negative_and_no_code_beats_the_entropy(pair):
    p, q = pair
    assert kl_divergence(p, q) >= 0
    assert kl_divergence(p, p) == 0
    assert cross_entropy(p, q) >= entropy(p) - 1e-12
    assert 0 <= entropy(p) <= np.log(len(p)) + 1e-12


@given(pairs())
def test_the_values_are_scipys(pair):
    p, q = pair
    assert entropy(p) == pytest.approx(stats.entropy(p), rel=1e-9, abs=1e-12)
    expected = stats.entropy(p, q)
    assert kl_divergence(p, q) == pytest.approx(max(0.0, expected), rel=1e-9, abs=1e-12)


@given(pairs(), st.randoms(use_true_random=False))
def test_the_order_of_the_outcomes_does_not_matter(pair, random):
    p, q = pair
    order = random.sample(range(len(p)), len(p))
    for of in (cross_entropy, kl_divergence):
        assert of(p[order], q[order]) == pytest.approx(of(p, q), rel=1e-12, abs=1e-14)


def test_the_divergence_of_nearly_equal_distributions_does_not_cancel():
    for step in (1e-4, 1e-6, 1e-8):
        p, q = np.array([0.5, 0.5]), np.array([0.5 - step, 0.5 + step])
        assert kl_divergence(p, q) == pytest.approx(2 * step**2, rel=1e-6)


@pytest.mark.parametrize(
    ("p", "q", "expected"),
    [  # 50 digits, rounded
        (0.5, 0.5 + 2**-53, 1.2325951644078310e-32),
        (1.0, 5e-324, 743.4400719213812),
        (1e-300, 1e300, 1e300),
        (0.0, 0.25, 0.25),
        (0.0, 0.0, 0.0),
        (0.25, 0.0, np.inf),
        (0.25, 0.25, 0.0),
    ],
)
def test_a_single_term_of_the_divergence_is_exact_where_it_is_hard(p, q, expected):
    assert divergence_terms(np.array(p), np.array(q)) == pytest.approx(expected, rel=1e-14)


def test_a_sure_outcome_is_no_surprise_and_an_impossible_one_an_infinite_surprise():
    assert information(1.0) == 0
    assert not np.signbit(information(1.0))
    assert information(0.0) == np.inf


def test_outcomes_of_probability_zero_count_nothing():
    assert entropy([1.0, 0.0]) == 0
    assert entropy([0.5, 0.5, 0.0]) == pytest.approx(LN_2, rel=1e-15)
    assert cross_entropy([1.0, 0.0], [1.0, 0.0]) == 0
    assert kl_divergence([0.5, 0.5, 0.0], [0.25, 0.25, 0.5]) == pytest.approx(LN_2, rel=1e-15)


def test_an_outcome_that_the_other_forbids_costs_infinitely_much():
    assert cross_entropy([0.5, 0.5], [1.0, 0.0]) == np.inf
    assert kl_divergence([0.5, 0.5], [1.0, 0.0]) == np.inf


@pytest.mark.parametrize("outcomes", [1, 2, 3, 1000])
def test_the_uniform_distribution_has_the_largest_entropy(outcomes):
    p = np.full(outcomes, 1 / outcomes)
    assert entropy(p, unit="bits") == pytest.approx(np.log2(outcomes), abs=1e-12)


def test_the_result_of_a_batch_has_the_outcome_axis_removed():
    batch = np.array([[P, Q], [Q, P]])
    expected = [[entropy(P), entropy(Q)], [entropy(Q), entropy(P)]]
    np.testing.assert_allclose(entropy(batch), expected, rtol=1e-15)
    np.testing.assert_allclose(entropy(np.moveaxis(batch, -1, 0), axis=0), expected, rtol=1e-15)
    assert kl_divergence(batch, batch).tolist() == [[0, 0], [0, 0]]


def test_one_distribution_is_compared_with_every_one_of_a_batch():
    found = cross_entropy([P, Q], Q)
    np.testing.assert_allclose(found, [cross_entropy(P, Q), entropy(Q)], rtol=1e-15)


def test_counts_are_normalised_when_that_is_asked_for():
    assert entropy([1, 4, 5], normalize=True) == pytest.approx(entropy(P), rel=1e-14)
    found = kl_divergence([1, 4, 5], [16, 3, 1], normalize=True)
    assert found == pytest.approx(kl_divergence(P, Q), rel=1e-13)


def test_the_arguments_stay_as_they_were():
    p, q = np.array([1.0, 4.0, 5.0]), np.array([16.0, 3.0, 1.0])
    kl_divergence(p, q, normalize=True)
    entropy(p, normalize=True)
    assert p.tolist() == [1, 4, 5]
    assert q.tolist() == [16, 3, 1]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda: information(1.5),
            r"^p must hold probabilities in \[0, 1\]; got 1\.5 at",
        ),
        (
            lambda: information([0.5, np.nan]),
            r"^p must hold probabilities .* got nan at index",
        ),
        (
            lambda: entropy([0.5, 0.6]),
            r"^p must sum to 1 on axis -1; got 1\.1: pass norm",
        ),
        (lambda: entropy([P, [0.5, 0.2, 0.1]]), r"^p must sum to 1 on axis -1; got 0\.8 \(row 1\)"),
        (
            lambda: entropy([-0.5, 1.5]),
            r"^p must hold probabilities in \[0, 1\]; got -0\.5",
        ),
        (lambda: entropy([]), r"^p is empty"),
        (lambda: entropy(0.5), r"^p must have at least one axis"),
        (
            lambda: entropy(P, unit="digits"),
            r"^unit must be one of nats, bits, hartleys; got 'd",
        ),
        (lambda: entropy([0.0, 0.0], normalize=True), r"^p cannot be normalised"),
        (lambda: entropy([2.0, -1.0], normalize=True), r"^p cannot be normalised"),
        (lambda: entropy([np.inf, 1.0], normalize=True), r"^p cannot be normalised"),
        (lambda: entropy([np.nan, 1.0], normalize=True), r"^p cannot be normalised"),
        (lambda: cross_entropy(P, [0.5, 0.6, 0.2]), r"^q must sum to 1 on axis -1; got 1\.3"),
        (lambda: kl_divergence([0.5, 0.5], P), r"^p has 2 outcomes on axis -1, q has 3"),
        (lambda: cross_entropy([0.5, 0.5], [1.0]), r"^p has 2 outcomes on axis -1, q has 1"),
    ],
)
def test_what_is_no_distribution_is_refused_by_name(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_families_are_measured_in_the_unit_asked_for():
    f, g = Bernoulli([0.5]), Bernoulli([0.25])
    assert entropy(f, unit="bits") == pytest.approx(1, rel=1e-15)
    for of in (kl_divergence, cross_entropy):
        assert of(f, g, unit="bits") == pytest.approx(of(f, g) / LN_2, rel=1e-14)
    with pytest.raises(ValueError, match="unit must be one of"):
        entropy(f, unit="digits")


def test_a_coin_as_a_family_and_as_a_vector_is_the_same():
    f, g = Bernoulli([0.3]), Bernoulli([0.6])
    assert entropy(f) == pytest.approx(entropy([0.7, 0.3]), rel=1e-14)
    assert kl_divergence(f, g) == pytest.approx(kl_divergence([0.7, 0.3], [0.4, 0.6]), rel=1e-13)
    assert cross_entropy(f, g) == pytest.approx(cross_entropy([0.7, 0.3], [0.4, 0.6]), rel=1e-13)


def test_a_pair_of_families_without_a_closed_form_is_named():
    with pytest.raises(TypeError, match="no closed-form KL divergence is known from Exponential"):
        kl_divergence(Exponential([1.0]), Normal([0.0], [1.0]))

    class Unknown(Normal):
        pass

    with pytest.raises(TypeError, match="no closed-form entropy is known for Unknown"):
        entropy(Unknown([0.0], [1.0]))

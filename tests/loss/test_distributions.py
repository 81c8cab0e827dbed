"""Information, entropy, cross-entropy and divergence: identities, units, edges and known values."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import stats

from cem import Bernoulli, Exponential, Normal
from cem.loss import (
    MonteCarlo,
    cross_entropy,
    entropy,
    information,
    jensen_shannon,
    kl_divergence,
    perplexity,
)
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


@given(pairs())
def test_the_jensen_shannon_divergence_is_symmetric_and_at_most_ln_2(pair):
    p, q = pair
    found = jensen_shannon(p, q)
    assert 0 <= found <= LN_2 * (1 + 1e-14)
    assert found == pytest.approx(jensen_shannon(q, p), rel=1e-15, abs=0)
    assert jensen_shannon(p, p) == 0
    m = p / 2 + q / 2  # (p + q) / 2, which may not be rounded down to zero
    if (m[(p > 0) | (q > 0)] > 0).all():
        halves = (kl_divergence(p, m) + kl_divergence(q, m)) / 2
        assert found == pytest.approx(halves, rel=1e-12, abs=1e-16)


def random_pairs():
    """Distributions of many shapes: flat, peaked, with zeros, with subnormal outcomes."""
    rng = np.random.default_rng(0)
    for size in (2, 3, 10, 1000):
        for concentration in (1e-3, 0.1, 1.0, 100.0):
            p = rng.dirichlet(np.full(size, concentration)) + 0.0
            yield p, rng.dirichlet(np.full(size, 1.0))
    for tiny in (5e-324, 1e-310, 1e-300, 1e-100, 1e-17, 1e-10, 1e-8, 1e-6, 1e-3):
        yield np.array([1 - tiny, tiny]), np.array([tiny, 1 - tiny])
        yield np.array([0.0, 1 - tiny, tiny]), np.array([0.25, 0.5, 0.25])
        yield np.array([0.5, 0.5 - tiny, tiny]), np.array([0.5, 0.5 - 2 * tiny, 2 * tiny])


@pytest.mark.parametrize(("p", "q"), list(random_pairs()))
def test_every_sum_is_right_to_1e_15_or_four_units_of_the_last_place(exact, p, q):
    assert exact.error(entropy(p), exact.entropy(p)) <= 1
    assert exact.error(cross_entropy(p, q), exact.cross_entropy(p, q)) <= 1
    assert exact.error(kl_divergence(p, q), exact.divergence(p, q)) <= 1
    assert exact.error(jensen_shannon(p, q), exact.jensen_shannon(p, q)) <= 1


@pytest.mark.parametrize("step", [1e-4, 1e-6, 1e-8, 1e-10, 1e-12, 1e-14, 1e-15])
def test_the_divergence_of_nearly_equal_distributions_does_not_cancel(exact, step):
    rng = np.random.default_rng(1)
    p = rng.dirichlet(np.ones(1000))
    q = p * (1 + step * rng.choice([-1, 1], p.size))
    q /= q.sum()
    for a, b in [(p, q), (q, p), ([0.5, 0.5], [0.5 - step, 0.5 + step])]:
        found = kl_divergence(a, b)
        assert found > 0
        assert found == pytest.approx(float(exact.divergence(a, b)), rel=1e-9, abs=0)
        expected = float(exact.jensen_shannon(a, b))
        assert jensen_shannon(a, b) == pytest.approx(expected, rel=1e-9, abs=0)


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


@pytest.mark.parametrize("of", [cross_entropy, kl_divergence, jensen_shannon])
def test_batches_are_broadcast_and_the_outcomes_may_run_along_any_axis(of):
    rng = np.random.default_rng(2)
    p, q = rng.dirichlet(np.ones(5), (4, 1)), rng.dirichlet(np.ones(5), 3)
    expected = np.array([[of(a[0], b) for b in q] for a in p])
    np.testing.assert_allclose(of(p, q), expected, rtol=1e-15)
    for axis in (0, 1, -2):
        moved = [np.moveaxis(np.broadcast_to(a, (4, 3, 5)), -1, axis) for a in (p, q)]
        np.testing.assert_allclose(of(*moved, axis=axis), expected, rtol=1e-15)


def test_single_precision_is_summed_in_double(exact):
    rng = np.random.default_rng(3)
    p, q = rng.dirichlet(np.ones(2000), 2).astype(np.float32)
    assert entropy(p).dtype == kl_divergence(p, q).dtype == np.float64
    assert exact.error(entropy(p), exact.entropy(p)) <= 1
    assert exact.error(cross_entropy(p, q), exact.cross_entropy(p, q)) <= 1
    assert exact.error(kl_divergence(p, q), exact.divergence(p, q)) <= 1
    assert exact.error(jensen_shannon(p, q), exact.jensen_shannon(p, q)) <= 1
    assert information(p).dtype == np.float32
    np.testing.assert_allclose(information(p), information(p.astype(float)), rtol=3e-7)


def test_the_perplexity_of_guessing_is_the_number_of_outcomes():
    assert perplexity(np.full(6, 1 / 6)) == pytest.approx(6, rel=1e-15)
    assert perplexity([0.5, 0.5, 0.0], [0.25, 0.25, 0.5]) == pytest.approx(4, rel=1e-15)
    assert perplexity([0.5, 0.5], [1.0, 0.0]) == np.inf
    assert perplexity([[1.0, 0.0], [0.5, 0.5]]) == pytest.approx([1, 2], rel=1e-15)
    assert perplexity(Bernoulli([0.5, 0.5])) == pytest.approx(4, rel=1e-15)


def test_a_perplexity_too_large_for_a_float_is_infinite():
    assert perplexity([1.0, 0.0], [5e-324, 1.0]) == np.inf  # e^744


def test_a_perplexity_may_be_estimated_with_its_error():
    f = Normal([0.0], [1.0])
    found = perplexity(f, method=MonteCarlo(20_000, rng=1))
    h = entropy(f, method=MonteCarlo(20_000, rng=1))
    assert found.value == pytest.approx(np.exp(h.value), rel=1e-15)
    assert found.error == pytest.approx(found.value * h.error, rel=1e-12)


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
    with pytest.raises(
        TypeError, match="no closed form of the kl divergence of Exponential to Normal"
    ):
        kl_divergence(Exponential([1.0]), Normal([0.0], [1.0]))

    class Unknown(Normal):
        pass

    with pytest.raises(TypeError, match="no closed form of the entropy of Unknown is known"):
        entropy(Unknown([0.0], [1.0]))

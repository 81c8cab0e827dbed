"""Beside SciPy, scikit-learn and PyTorch: the same where they are right, and right where not."""

import numpy as np
import pytest
from scipy import special, stats

from cem.loss import (
    binary_cross_entropy,
    categorical_cross_entropy,
    cross_entropy,
    entropy,
    kl_divergence,
    log_loss,
    log_softmax,
    softmax,
    sparse_categorical_cross_entropy,
    sparse_categorical_cross_entropy_grad,
)
from cem.loss.distributions import divergence_terms

RNG = np.random.default_rng(0)
P, Q = RNG.dirichlet(np.ones(10), (2, 50))
Z, LABELS = RNG.normal(0, 3, (50, 10)), RNG.integers(0, 10, 50)
W, CLASS_W = RNG.random(50), RNG.random(10)
LOGITS = {"from_logits": True}
bce, cce, sce = binary_cross_entropy, categorical_cross_entropy, sparse_categorical_cross_entropy


@pytest.fixture(scope="module")
def torch():
    """PyTorch, with which the losses are compared; it comes with the extra ``bench``."""
    return pytest.importorskip("torch", reason="needs PyTorch, of the extra bench")


@pytest.fixture(scope="module")
def functional(torch):
    """The losses of PyTorch, of and to NumPy arrays."""

    def call(name):
        of = getattr(torch.nn.functional, name)

        def on_arrays(*arrays, **options):
            def to(a):
                return torch.tensor(a) if isinstance(a, np.ndarray | list) else a

            found = of(*map(to, arrays), **{k: to(a) for k, a in options.items()})
            return found.numpy()

        return on_arrays

    return call


@pytest.fixture(scope="module")
def metrics():
    """The losses of scikit-learn, with which ours are compared; it comes with the extra bench."""
    return pytest.importorskip("sklearn.metrics", reason="needs scikit-learn, of the extra bench")


class TestSciPy:
    def test_sums_and_activations_are_scipys_where_they_are_right(self):
        np.testing.assert_allclose(entropy(P), stats.entropy(P, axis=1), rtol=1e-14)
        np.testing.assert_allclose(kl_divergence(P, Q), stats.entropy(P, Q, axis=1), rtol=1e-13)
        np.testing.assert_allclose(kl_divergence(P, Q), special.rel_entr(P, Q).sum(1), rtol=1e-13)
        expected = stats.entropy(P, axis=1) + stats.entropy(P, Q, axis=1)
        np.testing.assert_allclose(cross_entropy(P, Q), expected, rtol=1e-13)
        np.testing.assert_allclose(softmax(Z), special.softmax(Z, axis=1), rtol=1e-14)
        np.testing.assert_allclose(log_softmax(Z), special.log_softmax(Z, axis=1), rtol=1e-13)

    def test_entropy_normalises_and_broadcasts_in_silence(self):
        assert stats.entropy([0.5, 0.5], [0.3, 0.3]) == 0
        with pytest.raises(ValueError, match=r"^q must sum to 1 .* got 0\.6: pass normalize=True"):
            kl_divergence([0.5, 0.5], [0.3, 0.3])
        assert kl_divergence([0.5, 0.5], [0.3, 0.3], normalize=True) == 0
        assert stats.entropy([0.5, 0.5], [1.0]) == 0
        with pytest.raises(ValueError, match="p has 2 outcomes on axis -1, q has 1"):
            kl_divergence([0.5, 0.5], [1.0])

    def test_entropy_of_near_distributions_is_negative(self, exact):
        rng = np.random.default_rng(0)
        p = rng.dirichlet(np.ones(1000))
        worst = np.inf
        for seed in range(20):
            step = 1e-8 * np.random.default_rng(seed).choice([-1, 1], p.size)
            q = p * (1 + step)
            q /= q.sum()
            worst = min(worst, stats.entropy(p, q))
            right = exact.divergence(p, q)
            assert exact.error(kl_divergence(p, q), right) <= 1
            difference = cross_entropy(p, q) - entropy(p)  # the book's other form
            assert abs(difference / float(right) - 1) > 0.1
        assert worst < 0

    @pytest.mark.parametrize(
        ("p", "q", "theirs"),
        [(1.0, 5e-324, np.inf), (1e-300, 1e300, -np.inf), (0.5, 0.5 + 2**-53, 0)],
    )
    def test_kl_div_overflows_and_cancels(self, exact, p, q, theirs):
        with np.errstate(all="ignore"):
            assert special.kl_div(p, q) == theirs
        found = divergence_terms(np.array([p]), np.array([q]))[0]
        assert exact.error(found, exact.divergence([p], [q])) <= 1

    def test_rel_entr_of_a_negative_number_is_infinite(self):
        assert special.rel_entr(-1.0, 1.0) == np.inf
        with pytest.raises(ValueError, match="got -1 at index 0"):
            kl_divergence([-1.0, 2.0], [0.5, 0.5])

    def test_log_softmax_loses_a_confident_prediction(self, exact):
        z = np.array([40.0, 0.0, 0.0])
        assert special.log_softmax(z)[0] == 0
        assert special.logsumexp(z) - z[0] == 0
        right = exact.softmax_loss(z, 0)
        assert exact.error(sce([0], [z], **LOGITS), right) <= 1
        assert exact.error(-log_softmax(z)[0], right) <= 1
        assert float(right) == 8.496708510583178e-18

    def test_logsumexp_cancels_against_large_logits(self, exact):
        z = np.full(3, -1000.0)
        theirs = special.logsumexp(z) - z[0]
        assert exact.error(theirs, exact.log(3)) > 10
        assert exact.error(sce([0], [z], **LOGITS), exact.log(3)) <= 1

    def test_the_logarithm_of_softmax_is_infinite(self):
        z = np.array([1000.0, 0.0, -1000.0])
        with np.errstate(divide="ignore"):
            assert np.log(special.softmax(z))[2] == -np.inf
        assert (-log_softmax(z)).tolist() == [0, 1000, 2000]

    def test_logaddexp_loses_a_confident_binary_prediction(self, exact):
        assert np.logaddexp(0, 40.0) - 40.0 == 0
        found = bce([1], [40.0], **LOGITS)
        assert exact.error(found, exact.binary_loss(1, 40.0)) <= 1
        assert found == pytest.approx(4.248354255291589e-18, rel=1e-15, abs=0)


class TestScikitLearn:
    def test_the_log_loss_is_scikit_learns_where_it_is_right(self, metrics):
        p = softmax(Z)
        assert log_loss(LABELS, p, labels=range(10)) == pytest.approx(
            metrics.log_loss(LABELS, p, labels=range(10)), rel=1e-13
        )
        found = log_loss(LABELS, p, labels=range(10), sample_weight=W)
        expected = metrics.log_loss(LABELS, p, labels=range(10), sample_weight=W)
        assert found == pytest.approx(expected, rel=1e-13)
        y, p = LABELS % 2, p[:, 0]
        assert log_loss(y, p) == pytest.approx(metrics.log_loss(y, p), rel=1e-13)

    @pytest.mark.parametrize(("dtype", "theirs"), [(np.float64, 36.0437), (np.float32, 15.94)])
    def test_an_impossible_label_costs_what_the_clip_makes_of_it(self, metrics, dtype, theirs):
        p = np.array([[0.0, 1.0], [0.0, 1.0]], dtype)
        assert metrics.log_loss([0, 1], p) == pytest.approx(theirs / 2, rel=1e-3)
        assert log_loss([0, 1], p) == np.inf

    def test_a_small_probability_is_clipped(self, metrics, exact):
        p = np.array([1e-300, 1.0])
        assert metrics.log_loss([1, 0], [1e-300, 0.5]) < 20
        found = log_loss([1, 0], [1e-300, 0.5], reduction="none")[0]
        assert exact.error(found, -exact.log(exact.vector(p)[0])) <= 1

    def test_single_precision_is_summed_in_single_precision(self, metrics):
        p = softmax(np.random.default_rng(1).normal(size=(200_000, 10))).astype(np.float32)
        k = np.random.default_rng(2).integers(0, 10, len(p))
        right = -np.log(p[np.arange(len(p)), k], dtype=np.float64).mean()
        assert log_loss(k, p) == pytest.approx(right, rel=1e-13)
        assert abs(metrics.log_loss(k, p) / right - 1) > 1e-9

    def test_the_columns_are_sorted_whatever_is_said(self, metrics):
        y, p = ["spam", "ham"], np.array([[1.0, 0.0], [0.0, 1.0]])  # columns spam and ham
        with pytest.warns(UserWarning, match="order"):
            theirs = metrics.log_loss(y, p, labels=["spam", "ham"])
        assert theirs == pytest.approx(36.0437, rel=1e-5)
        assert log_loss(y, p, labels=["spam", "ham"]) == 0

    def test_rows_that_do_not_sum_to_one_are_let_through_with_a_warning(self, metrics):
        p = [[0.5, 0.6], [0.5, 0.5]]
        with pytest.warns(UserWarning, match="sum to one"):
            metrics.log_loss([0, 1], p)
        with pytest.raises(ValueError, match=r"^p must sum to 1 on axis -1; got 1\.1 \(row 0\)"):
            log_loss([0, 1], p)

    def test_soft_targets_are_refused(self, metrics, exact):
        with pytest.raises(ValueError, match="not supported"):
            metrics.log_loss(P, Q)
        right = sum(exact.cross_entropy(p, q) for p, q in zip(P, Q, strict=True)) / len(P)
        assert exact.error(cce(P, Q), right) <= 1


class TestPyTorch:
    @pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
    @pytest.mark.parametrize("label_smoothing", [0.0, 0.2])
    @pytest.mark.parametrize("class_weight", [None, CLASS_W])
    def test_cross_entropy_is_pytorchs_where_it_is_right(
        self, functional, class_weight, label_smoothing, reduction
    ):
        both = {"label_smoothing": label_smoothing, "reduction": reduction}
        theirs = functional("cross_entropy")
        expected = theirs(Z, LABELS, weight=class_weight, **both)
        found = sce(LABELS, Z, class_weight=class_weight, **LOGITS, **both)
        np.testing.assert_allclose(found, expected, rtol=1e-13)
        k = np.where(np.arange(50) % 3, LABELS, -100)
        expected = theirs(Z, k, weight=class_weight, **both)
        found = sce(k, Z, class_weight=class_weight, ignore_index=-100, **LOGITS, **both)
        np.testing.assert_allclose(found, expected, rtol=1e-13, atol=1e-15)
        if class_weight is None or reduction != "mean":  # theirs divides by n, ours by the weights
            expected = theirs(Z, P, weight=class_weight, **both)
            found = cce(P, Z, class_weight=class_weight, **LOGITS, **both)
            np.testing.assert_allclose(found, expected, rtol=1e-13)

    def test_the_gradient_is_pytorchs(self, torch):
        z = torch.tensor(Z, requires_grad=True)
        k, w = torch.tensor(LABELS), torch.tensor(CLASS_W)
        torch.nn.functional.cross_entropy(z, k, weight=w, label_smoothing=0.2).backward()
        found = sparse_categorical_cross_entropy_grad(
            LABELS, Z, class_weight=CLASS_W, label_smoothing=0.2
        )
        np.testing.assert_allclose(found, z.grad.numpy(), rtol=1e-11, atol=1e-15)

    @pytest.mark.parametrize("pos_weight", [1.0, 3.0])
    def test_the_binary_losses_are_pytorchs_where_they_are_right(self, functional, pos_weight):
        theirs = functional("binary_cross_entropy_with_logits")
        expected = theirs(Z, P, pos_weight=np.array(pos_weight))
        found = bce(P, Z, pos_weight=pos_weight, **LOGITS)
        assert found == pytest.approx(float(expected), rel=1e-13)
        expected = functional("binary_cross_entropy")(Q, P)
        assert bce(P, Q) == pytest.approx(float(expected), rel=1e-13)

    def test_the_divergence_is_theirs_with_the_arguments_the_other_way_round(self, functional):
        theirs = functional("kl_div")
        expected = theirs(np.log(Q), P, reduction="batchmean")
        assert kl_divergence(P, Q).mean() == pytest.approx(float(expected), rel=1e-13)
        with pytest.warns(UserWarning, match="batchmean"):
            wrong = float(theirs(np.log(Q), P, reduction="mean"))  # over the outcomes too
        assert wrong == pytest.approx(float(expected) / 10, rel=1e-13)

    def test_the_logarithm_in_the_binary_loss_is_clamped_at_100(self, functional, exact):
        assert functional("binary_cross_entropy")(np.array([1e-300]), np.array([1.0])) == 100
        found = bce([1.0], [1e-300])
        assert exact.error(found, -exact.log(exact.number(1e-300))) <= 1
        assert functional("binary_cross_entropy")(np.array([0.0]), np.array([1.0])) == 100
        assert bce([1.0], [0.0]) == np.inf

    def test_confident_predictions_lose_their_loss(self, functional, exact):
        z, y = np.array([[40.0, 0.0, 0.0]]), np.array([0])
        assert functional("cross_entropy")(z, y) == 0
        assert exact.error(sce(y, z, **LOGITS), exact.softmax_loss(z[0], 0)) <= 1
        theirs = functional("binary_cross_entropy_with_logits")
        assert theirs(np.array([745.0]), np.array([1.0])) == 0
        assert bce([1], [745.0], **LOGITS) == 5e-324

    def test_infinite_and_huge_logits_are_not_a_number(self, functional):
        theirs = functional("binary_cross_entropy_with_logits")
        assert np.isnan(theirs(np.array([np.inf]), np.array([1.0])))
        assert bce([1], [np.inf], **LOGITS) == 0
        y, z = np.array([[1.0, 0.0]]), np.array([[1e308, -1e308]])
        assert np.isnan(functional("cross_entropy")(z, y))
        assert cce(y, z, **LOGITS) == 0
        z = np.array([[0.0, -np.inf]])
        assert np.isnan(functional("cross_entropy")(z, y))
        assert cce(y, z, **LOGITS) == 0

    def test_nothing_times_the_logarithm_of_nothing_is_not_a_number(self, functional):
        p = np.array([1.0, 0.0])
        with np.errstate(divide="ignore"):
            assert np.isnan(functional("kl_div")(np.log(p), p, reduction="sum"))
        assert kl_divergence(p, p) == 0

    def test_what_is_no_distribution_is_let_through(self, functional):
        y, z = np.array([[-1.0, 1.0, 2.0]]), np.zeros((1, 3))
        assert np.isfinite(functional("cross_entropy")(z, y))
        with pytest.raises(ValueError, match="got -1 at index"):
            cce(y, z, **LOGITS)
        z[0, 1] = np.nan
        assert np.isnan(functional("cross_entropy")(z, np.array([0])))
        with pytest.raises(ValueError, match="got NaN in row 0, class 1"):
            sce([0], z, **LOGITS)

    def test_probabilities_are_taken_for_logits(self, functional, exact):
        p, k = np.array([[0.4, 0.4, 0.2]]), np.array([1])
        assert functional("cross_entropy")(p, k) == pytest.approx(1.0362867, rel=1e-8)
        assert exact.error(sce(k, p), -exact.log(exact.number(0.4))) <= 1
        with pytest.raises(ValueError, match="logits to be declared"):
            sce(k, np.log(p))

    def test_smoothing_over_a_class_that_cannot_be_is_infinite_and_a_mask_is_the_way_out(
        self, functional, exact
    ):
        z, k = np.array([[1.0, 0.0, -np.inf]]), np.array([0])
        assert functional("cross_entropy")(z, k, label_smoothing=0.1) == np.inf
        assert sce(k, z, label_smoothing=0.1, **LOGITS) == np.inf
        found = sce(k, z, label_smoothing=0.1, mask=[True, True, False], **LOGITS)
        y = [exact.number(0.1) / 2 + exact.number(0.9), exact.number(0.1) / 2]
        right = sum(a * exact.softmax_loss([1.0, 0.0], i) for i, a in enumerate(y))
        assert exact.error(found, right) <= 1

    def test_examples_that_are_ignored_throughout_are_not_a_number(self, functional):
        assert np.isnan(functional("cross_entropy")(Z[:2], np.array([-100, -100])))
        with pytest.raises(ValueError, match="every row is ignored"):
            sce([-100, -100], Z[:2], ignore_index=-100, **LOGITS)

    def test_an_ignored_example_spoils_the_gradient(self, torch):
        values, k = [[1.0, 0.0], [np.inf, 0.0]], [0, -100]
        z = torch.tensor(values, requires_grad=True)
        torch.nn.functional.cross_entropy(z, torch.tensor(k)).backward()
        assert np.isnan(z.grad.numpy()).any()
        found = sparse_categorical_cross_entropy_grad(k, values, ignore_index=-100)
        assert found[1].tolist() == [0, 0]
        np.testing.assert_allclose(found[0], softmax([1.0, 0.0]) - [1, 0], rtol=1e-14)


class TestOthers:
    """Keras, Optax and dit are not among the extras: what they are known to do, not done here."""

    def test_what_keras_normalises_and_clips_is_refused_and_infinite(self):
        with pytest.raises(ValueError, match="must hold probabilities"):  # Keras: .9163
            cce([0, 1, 0], [4.0, 4.0, 2.0])
        with pytest.raises(ValueError, match="must hold probabilities"):  # Keras: 5.116
            kl_divergence([1.0, 4.0, 5.0], [0.8, 0.15, 0.05])
        with pytest.raises(ValueError, match="must hold probabilities"):  # Keras: 1.2e-7
            bce([1], [2.0])
        assert bce([1], [0.0]) == np.inf  # Keras: 16.1181

    def test_what_optax_wraps_and_passes_on_is_refused(self, exact):
        z = [[1.0, 2.0, 3.0]]
        for label in (-1, 5):  # Optax: .4076 and NaN
            with pytest.raises(IndexError, match=f"got {label} in row 0"):
                sce([label], z, **LOGITS)
        z = [1.0, 0.0, -np.inf]  # Optax: NaN
        assert exact.error(cce([1, 0, 0], z, **LOGITS), exact.softmax_loss([1.0, 0.0], 0)) <= 1

    def test_what_dit_accepts_is_refused(self):
        with pytest.raises(ValueError, match=r"must sum to 1 on axis -1; got 1\.1"):
            entropy([0.5, 0.6])

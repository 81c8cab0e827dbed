"""What no loss accepts, and what it says: nothing is repaired, nothing passes in silence."""

import numpy as np
import pytest

from cem import Exponential, Normal
from cem.loss import (
    MonteCarlo,
    Quadrature,
    binary_cross_entropy,
    binary_cross_entropy_grad,
    categorical_cross_entropy,
    categorical_cross_entropy_grad,
    cross_entropy,
    entropy,
    gaussian_nll,
    information,
    jensen_shannon,
    kl_divergence,
    log_loss,
    log_softmax,
    mean_squared_error,
    perplexity,
    rate_score,
    sigmoid,
    softmax,
    sparse_categorical_cross_entropy,
    sparse_categorical_cross_entropy_grad,
)

NAN, INF = np.nan, np.inf
HALF = [0.5, 0.5]
PAIR = [HALF, [0.25, 0.75]]
Z = [[1.0, 2.0, 0.5], [0.0, -1.0, 3.0]]
bce, cce, sce = binary_cross_entropy, categorical_cross_entropy, sparse_categorical_cross_entropy
sce_grad, cce_grad = sparse_categorical_cross_entropy_grad, categorical_cross_entropy_grad
bce_grad = binary_cross_entropy_grad
NO_WEIGHT = {"sample_weight": [0], "reduction": "sum"}
LOGITS = {"from_logits": True}
F, G = Normal([0.0], [1.0]), Exponential([1.0])

DISTRIBUTIONS = [
    (information, (1.5,), {}, ValueError, r"^p must hold probabilities in \[0, 1\]; got 1\.5: "),
    (information, ([0.5, NAN],), {}, ValueError, r"^p must hold .* got nan at index 1"),
    (information, ([0.5, -0.1],), {}, ValueError, r"^p must hold .* got -0\.1 at index 1"),
    (information, ("half",), {}, TypeError, r"^p must hold real numbers; got dtype <U4"),
    (entropy, ([0.5, 0.6],), {}, ValueError, r"^p must sum to 1 on axis -1; got 1\.1: pass norm"),
    (entropy, ([HALF, [0.5, 0.3]],), {}, ValueError, r"sum to 1 .* got 0\.8 \(row 1\): pass norm"),
    (entropy, ([HALF, [0.5, 0.3]],), {"axis": 0}, ValueError, r"^p must sum .* axis 0; .*row 1"),
    (entropy, ([[HALF], [[0.5, 0.3]]],), {}, ValueError, r"\(row \(1, 0\)\)"),
    (entropy, ([-0.5, 1.5],), {}, ValueError, r"^p must hold .* got -0\.5 at index 0"),
    (entropy, ([1 + 5e-9, 0.0],), {"unit": "bit"}, ValueError, r"^unit must be one of nats, bits"),
    (entropy, ([[1 + 5e-9, 0], [1.5, -0.5]],), {}, ValueError, r"got 1\.5 at index \(1, 0\)"),
    (entropy, ([HALF, [0.5, NAN]],), {}, ValueError, r"^p must hold .* got nan at index \(1, 1\)"),
    (entropy, ([INF, 0.0],), {}, ValueError, r"^p must hold .* got inf at index 0"),
    (entropy, ([2.0, 1.0, -1.0],), {}, ValueError, r"got 2 at index 0: .*softmax"),
    (entropy, ([],), {}, ValueError, r"^p is empty: expected at least one number"),
    (entropy, (np.zeros((3, 0)),), {}, ValueError, r"^p is empty"),
    (entropy, (1.0,), {}, ValueError, r"^p must have an axis along which it sums to 1"),
    (entropy, (HALF,), {"axis": 1}, ValueError, r"axis 1 is out of bounds"),
    (entropy, (HALF,), {"unit": "digits"}, ValueError, r"^unit must be one of .*; got 'digits'$"),
    (entropy, (np.array([0.5, 0.5j]),), {}, TypeError, r"^p must hold real .* dtype complex128"),
    (entropy, (["a", "b"],), {}, TypeError, r"^p must hold real numbers; got dtype <U1"),
    (entropy, (np.array([0.5, 0.5], object),), {}, TypeError, r"^p must hold real .* dtype object"),
    (entropy, (None,), {}, TypeError, r"^p must hold real numbers; got dtype object"),
    (entropy, ([[0.5, 0.5], [1.0]],), {}, ValueError, r"inhomogeneous"),
    (entropy, ([0.0, 0.0],), {"normalize": True}, ValueError, r"^p cannot be norm.* a sum of 0"),
    (entropy, ([2.0, -1.0],), {"normalize": True}, ValueError, r"normalised: .* got -1 at"),
    (entropy, ([INF, 1.0],), {"normalize": True}, ValueError, r"^p cannot be norm.* got inf at"),
    (entropy, ([NAN, 1.0],), {"normalize": True}, ValueError, r"^p cannot be norm.* got nan at"),
    (cross_entropy, (HALF, [0.5, 0.6]), {}, ValueError, r"^q must sum to 1 on axis -1; got 1\.1"),
    (cross_entropy, (HALF, [1.0]), {}, ValueError, r"^p has 2 outcomes on axis -1, q has 1"),
    (kl_divergence, (HALF, [1.0, 0.0, 0.0]), {}, ValueError, r"^p has 2 outcomes .* q has 3"),
    (jensen_shannon, (HALF, [0.5, 0.3, 0.2]), {}, ValueError, r"^p has 2 outcomes .* q has 3"),
    (cross_entropy, (PAIR, [HALF] * 3), {}, ValueError, r"axes of p and q .* \(2,\) and \(3,\)$"),
    (perplexity, ([0.5, 0.4],), {}, ValueError, r"^p must sum to 1"),
    (jensen_shannon, (F, F), {}, TypeError, r"^jensen_shannon takes probabilities"),
    (kl_divergence, (F, HALF), {}, TypeError, r"^expected two families or two arrays"),
    (kl_divergence, (F, Normal([0, 0], [1, 1])), {}, ValueError, r"equally many coordinates"),
    (kl_divergence, (G, F), {}, TypeError, r"Exponential to Normal .*Quadrature"),
    (entropy, (HALF,), {"method": Quadrature()}, TypeError, r"^a method is for families"),
    (entropy, (F,), {"method": "monte_carlo"}, TypeError, r"method .*'monte_carlo'"),
    (MonteCarlo, (1,), {}, ValueError, r"^n must be a whole number of samples, at least 2; got 1"),
    (MonteCarlo, (1e5,), {}, ValueError, r"^n must be a whole number of samples"),
]

LABELS = [
    (bce, ([1], [1.5]), {}, ValueError, r"^p must hold .* got 1\.5 at index 0: .*from_logits=True"),
    (bce, ([1, 0], [0.5, -0.1]), {}, ValueError, r"^p must hold .* got -0\.1 at index 1"),
    (bce, ([1], [NAN]), {}, ValueError, r"^p must hold .* got nan at index 0"),
    (bce, ([2], [0.5]), {}, ValueError, r"^y must hold prob.* got 2 at index 0"),
    (bce, ([NAN], [0.5]), {}, ValueError, r"^y must hold .* got nan at index 0"),
    (bce, ([1], [NAN]), LOGITS, ValueError, r"^logits must not be NaN; got NaN at index 0"),
    (bce, (["yes"], [0.5]), {}, TypeError, r"^y must hold numbers in \[0, 1\]; .* go to log_loss"),
    (bce, ([1j], [0.5]), {}, TypeError, r"^y must hold numbers"),
    (bce, ([1, 0], [0.5] * 3), {}, ValueError, r"^y must have the shape \(3,\) .* got \(2,\)"),
    (bce, ([], []), {}, ValueError, r"^p is empty"),
    (bce, ([1], [0.5]), {"reduction": "avg"}, ValueError, r"^reduction must be one of mean, sum"),
    (bce, ([1], [0.5]), {"label_smoothing": 1.0}, ValueError, r"^label_smoothing must lie in \[0,"),
    (bce, ([1], [0.5]), {"label_smoothing": -0.1}, ValueError, r"^label_smoothing .* got -0\.1"),
    (bce, ([1], [0.5]), {"label_smoothing": NAN}, ValueError, r"^label_smoothing must lie .* nan"),
    (bce, ([1], [0.5]), {"pos_weight": 0}, ValueError, r"^pos_weight must be positive"),
    (bce, ([1], [0.5]), {"pos_weight": -1.0}, ValueError, r"^pos_weight must be .* got -1\.0"),
    (bce, ([1], [0.5]), {"pos_weight": NAN}, ValueError, r"^pos_weight must be positive"),
    (bce, ([1], [0.5]), {"pos_weight": INF}, ValueError, r"^pos_weight must be positive"),
    (bce, ([1], [0.5]), {"pos_weight": "a"}, TypeError, r"pos_weight"),
    (bce, ([1], [0.5]), {"pos_weight": np.ones(2)}, TypeError, r"pos_weight"),
    *[
        (of, (y, p), {"clip": clip}, ValueError, r"^clip must lie between 0 and 0\.5")
        for of, y, p in [(bce, [1], [0.5]), (sce, [1], PAIR[:1])]
        for clip in (-0.1, 0, 0.5, 0.7, NAN)
    ],
    (bce, ([1], [0.5]), {"clip": 1e-7, **LOGITS}, ValueError, r"^clip is for probabilities"),
    (sce, ([1], PAIR[:1]), {"clip": 1e-7, **LOGITS}, ValueError, r"^clip is for probabilities"),
    (bce, ([1], [0.5]), {"sample_weight": [-1]}, ValueError, r"^sample_weight must .* got -1 at"),
    (bce, ([1], [0.5]), {"sample_weight": [INF]}, ValueError, r"^sample_weight must .* got inf at"),
    (bce, ([1], [0.5]), {"sample_weight": [NAN]}, ValueError, r"^sample_weight must .* got nan at"),
    (bce, ([1], [0.5]), {"sample_weight": [0]}, ValueError, r"^the weights sum to zero"),
    (bce, ([1], [0.5]), {"sample_weight": [1, 2]}, ValueError, r"^sample_weight must have the sh"),
    (sce, ([0, 1], Z), {}, ValueError, r"^p must hold .* got 2 at .* logits to be declared"),
    (sce, ([0, 1], [[0.2, 0.3], [0.5, 0.5]]), {}, ValueError, r"sum to 1 .* got 0\.5 \(row 0\)"),
    (sce, ([0, 2], PAIR), {}, IndexError, r"from 0 to 1; got 2 in row 1"),
    (sce, ([0, -1], PAIR), {}, IndexError, r"got -1 in row 1: negative ones do not count from the"),
    (sce, ([0, -1], PAIR), {"ignore_index": -2}, IndexError, r"got -1 in row 1"),
    (sce, ([0.0, 1.0], PAIR), {}, TypeError, r"^labels must be whole .* got dtype float64"),
    (sce, (["a", "b"], PAIR), {}, TypeError, r"^labels must be whole .* names go to log_loss"),
    (sce, ([0, 1, 0], PAIR), {}, ValueError, r"must have the shape \(2,\) .* got \(3,\)$"),
    (sce, ([[0], [1]], PAIR), {}, ValueError, r"must have the shape \(2,\) .* got \(2, 1\)$"),
    (sce, ([], np.zeros((0, 2))), {}, ValueError, r"is empty|are empty"),
    (sce, ([], PAIR), {}, ValueError, r"^labels are empty"),
    (sce, ([0], 0.5), {}, ValueError, r"^p must have an axis that runs over the classes"),
    (sce, ([0, 1], PAIR), {"axis": 2}, ValueError, r"axis 2 is out of bounds"),
    (sce, ([-1, -1], PAIR), {"ignore_index": -1}, ValueError, r"^the weights sum .* ignored"),
    (sce, ([0, 1], PAIR), {"class_weight": [1, 2, 3]}, ValueError, r"^class_weight must have"),
    (sce, ([0, 1], PAIR), {"class_weight": [1, -2]}, ValueError, r"^class_weight must .* -2 at"),
    (sce, ([1, 1], PAIR), {"class_weight": [1, 0]}, ValueError, r"^the weights sum to zero"),
    (sce, ([0, 1], PAIR), {"label_smoothing": 1.5}, ValueError, r"^label_smoothing must lie in \["),
    (sce, ([0, 1], PAIR), {"reduction": "average"}, ValueError, r"^reduction .* got 'average'$"),
    (sce, ([0, 1], PAIR), {"mask": [True, True]}, ValueError, r"^mask is for logits"),
    (sce, ([0, 1], Z), {"mask": [False, True, True], **LOGITS}, ValueError, r"row 0 .* excludes"),
    (sce, ([0, 1], Z), {"mask": [True, True], **LOGITS}, ValueError, r"^mask must have the sh"),
    (sce, ([0, 1], Z), {"mask": [False] * 3, **LOGITS}, ValueError, r"^the mask leaves no class"),
    (sce, ([0, 1], Z), {"mask": ["a", "b", "c"], **LOGITS}, TypeError, r"^mask must hold"),
    (sce, ([0, 0], [[0.0, 1.0], [0.0, NAN]]), LOGITS, ValueError, r"got NaN in row 1, class 1"),
    (sce, ([0], [[-INF, -INF]]), LOGITS, ValueError, r"^logits must not all be -inf; .* row 0"),
    (sce, ([0], [[INF, INF]]), LOGITS, ValueError, r"^at most one logit may be \+inf; .* row 0"),
    (cce, ([0.5, 0.6], HALF), {}, ValueError, r"^y must sum to 1 .* got 1\.1"),
    (cce, ([-1.0, 1.0, 1.0], [0.2, 0.2, 0.6]), {}, ValueError, r"^y must hold .* got -1 at"),
    (cce, ([NAN, 1.0], HALF), {}, ValueError, r"^y must hold .* got nan at"),
    (cce, ([1, 0, 0], HALF), {}, ValueError, r"must have the shape \(2,\) .* got \(3,\)$"),
    (cce, (["a", "b"], HALF), {}, TypeError, r"^y must hold real numbers; got dtype <U1"),
    (log_loss, (["a", "b"], PAIR), {"labels": ["a"]}, ValueError, r"^p has columns for 2 labels"),
    (log_loss, (["a", "b"], PAIR), {"labels": ["a", "a"]}, ValueError, r"^p has columns for 2"),
    (log_loss, (["a", "c"], PAIR), {"labels": ["a", "b"]}, ValueError, r"^y holds 'c', which"),
    (log_loss, (["a", "a"], PAIR), {}, ValueError, r"there are 1 different ones: .* pass labels="),
    (log_loss, (["a", "b"], [0.5, 1.5]), {}, ValueError, r"^p must hold probabilities"),
    (log_loss, ([], []), {}, ValueError, r"^y must be one label per example"),
    (log_loss, (["a", "b"], [0.5] * 3), {}, ValueError, r"must have the shape \(3,\)"),
    (cce_grad, ([0.5, 0.6], [0.0, 1.0]), {}, ValueError, r"^y must sum to 1"),
    (sce_grad, ([3], Z[:1]), {}, IndexError, r"from 0 to 2; got 3 in row 0"),
    (sce_grad, ([0], [[NAN, 0.0]]), {}, ValueError, r"got NaN in row 0, class 0"),
    (sce_grad, ([-1], Z[:1]), {"ignore_index": -1}, ValueError, r"^the weights sum to zero"),
    (sce_grad, ([0], Z[:1]), {"reduction": "no"}, ValueError, r"^reduction must be one of"),
    (bce_grad, ([1], [NAN]), {}, ValueError, r"^logits must not be NaN; .* index 0"),
    (bce_grad, ([2], [0.0]), {}, ValueError, r"^y must hold .* got 2 at index 0"),
    (bce_grad, ([1], [0.0]), {"pos_weight": -1}, ValueError, r"^pos_weight must be"),
    (bce_grad, ([1], [0.0]), NO_WEIGHT, ValueError, r"^the weights sum to zero"),
    (softmax, ([0.0, NAN],), {}, ValueError, r"^logits must not be NaN"),
    (softmax, (0.0,), {}, ValueError, r"^logits must have an axis"),
    (log_softmax, ([],), {}, ValueError, r"^logits is empty|^logits are empty"),
    (sigmoid, ([0.0, NAN],), {}, ValueError, r"^z must not be NaN; got NaN at index"),
    (sigmoid, (["a"],), {}, TypeError, r"^z must hold real numbers"),
    (gaussian_nll, ([NAN], [0.0], 1.0), {}, ValueError, r"^y must be finite; got nan at index 0"),
    (gaussian_nll, ([0.0], [NAN], 1.0), {}, ValueError, r"^mean must be finite; got nan"),
    (gaussian_nll, ([0.0], [0.0], NAN), {}, ValueError, r"^std must be finite; got nan$"),
    (gaussian_nll, ([0.0], [0.0], 0.0), {}, ValueError, r"^std must be positive; got 0"),
    (gaussian_nll, ([0.0], [0.0], -1.0), {}, ValueError, r"^std must be positive; got -1"),
    (gaussian_nll, ([INF], [INF], 1.0), {}, ValueError, r"^y must be .* inf at index 0"),
    (gaussian_nll, ([0.0] * 3, [0.0] * 2, 1.0), {}, ValueError, r"^y must have the shape \(2,\)"),
    (gaussian_nll, ([0.0], [0.0], [1.0, 2.0]), {}, ValueError, r"^std must have the shape \(1,\)"),
    (mean_squared_error, ([], []), {}, ValueError, r"^y is empty"),
    (mean_squared_error, (["a"], [1.0]), {}, TypeError, r"^y must hold real numbers"),
    (mean_squared_error, ([1.0], [1.0]), {"reduction": "rms"}, ValueError, r"^reduction must"),
    (rate_score, (NAN,), {}, ValueError, r"^nats must be .* not negative; got nan"),
    (rate_score, (-0.1,), {}, ValueError, r"^nats must be .* not negative; got -0\.1"),
    (rate_score, (0.1, 1), {}, ValueError, r"^n_classes must be at least 2; got 1"),
]


@pytest.mark.parametrize(("of", "args", "options", "error", "message"), DISTRIBUTIONS)
def test_what_is_no_distribution_is_refused_by_name(of, args, options, error, message):
    with pytest.raises(error, match=message):
        of(*args, **options)


@pytest.mark.parametrize(("of", "args", "options", "error", "message"), LABELS)
def test_what_no_loss_can_be_taken_of_is_refused_by_name(of, args, options, error, message):
    with pytest.raises(error, match=message):
        of(*args, **options)


@pytest.mark.parametrize(("of", "y"), [(cce, [1.0, 0.0]), (sce, 1)])
def test_no_advice_is_given_that_the_function_does_not_take(of, y):
    with pytest.raises(ValueError, match="must sum to 1") as refused:
        of(y, [0.5, 0.6])
    assert "normalize=True" not in str(refused.value)


@pytest.mark.parametrize(
    ("call", "where"),
    [
        (lambda: sce([[0, 1], [1, 5]], np.full((2, 2, 2), 0.5)), r"got 5 in row \(1, 1\): "),
        (lambda: sce([0, 0], [[0.0, 0.0], [0.0, NAN]], **LOGITS), r"NaN in row 1, class 1$"),
        (lambda: bce([[1, 0], [0, 3]], np.full((2, 2), 0.5)), r"got 3 at index \(1, 1\): "),
        (lambda: bce([[1, 0], [0, 1]], [[0.0, 0.0], [0.0, NAN]], **LOGITS), r"at index \(1, 1\)$"),
        (lambda: cce([0.5, -0.5, 1.0], [0.2, 0.3, 0.5]), r"got -0.5 at index 1: "),
        (
            lambda: entropy([[0.5, 1.5, 0.5], [0.5, -0.5, 0.5]], axis=0),
            r"got 1.5 at index \(0, 1\): ",
        ),
        (lambda: entropy([[1, 2], [0, 0]], normalize=True), r"got a sum of 0 or inf in row 1$"),
        (lambda: softmax(np.full((2, 3, 2), -INF)), r"all be -inf; they are in row \(0, 0\)$"),
    ],
)
def test_the_place_is_that_in_the_callers_array(call, where):
    with pytest.raises((ValueError, IndexError), match=where):
        call()

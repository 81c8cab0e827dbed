"""Gradients with respect to the logits: those of the losses, exact where the loss is tiny."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from cem.loss import (
    binary_cross_entropy,
    binary_cross_entropy_grad,
    categorical_cross_entropy,
    categorical_cross_entropy_grad,
    softmax,
    sparse_categorical_cross_entropy,
    sparse_categorical_cross_entropy_grad,
)

RNG = np.random.default_rng(0)
N, C = 4, 3
Z = RNG.normal(0, 2, (N, C))
LABELS = np.array([0, 2, 1, 2])
ONE_HOT = np.eye(C)[LABELS]
SOFT = RNG.dirichlet(np.ones(C), N)
W, CLASS_W = RNG.random(N), np.array([0.5, 1.0, 2.0])
OPTIONS = [
    {},
    {"sample_weight": W},
    {"class_weight": CLASS_W},
    {"label_smoothing": 0.1},
    {"class_weight": CLASS_W, "sample_weight": W, "label_smoothing": 0.3},
]
PAIRS = [
    (sparse_categorical_cross_entropy, sparse_categorical_cross_entropy_grad, LABELS),
    (categorical_cross_entropy, categorical_cross_entropy_grad, SOFT),
]


def differences(loss, z, h=1e-5):
    """Central differences of a number, or of one loss per leading index, by every entry of z."""
    slopes = np.zeros_like(z)
    for index in np.ndindex(z.shape):
        step = np.zeros_like(z)
        step[index] = h
        slope = (loss(z + step) - loss(z - step)) / (2 * h)
        slopes[index] = slope if np.ndim(slope) == 0 else slope[index[: np.ndim(slope)]]
    return slopes


@pytest.mark.parametrize("options", OPTIONS, ids=str)
@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
@pytest.mark.parametrize(("loss", "grad", "y"), PAIRS, ids=["sparse", "soft"])
def test_the_gradient_is_the_slope_of_the_loss(loss, grad, y, reduction, options):
    options = {**options, "reduction": reduction}
    expected = differences(lambda z: loss(y, z, from_logits=True, **options), Z)
    found = grad(y, Z, **options)
    assert found.shape == Z.shape
    np.testing.assert_allclose(found, expected, rtol=1e-7, atol=1e-9)


@pytest.mark.parametrize("options", [{}, {"sample_weight": W}, {"label_smoothing": 0.1}], ids=str)
@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
@pytest.mark.parametrize("pos_weight", [1.0, 3.0])
def test_the_binary_gradient_is_the_slope_of_the_loss(reduction, pos_weight, options):
    options = {**options, "reduction": reduction, "pos_weight": pos_weight}
    y, z = SOFT[:, 0], Z[:, 0]
    expected = differences(lambda z: binary_cross_entropy(y, z, from_logits=True, **options), z)
    found = binary_cross_entropy_grad(y, z, **options)
    np.testing.assert_allclose(found, expected, rtol=1e-7, atol=1e-9)


def test_masked_classes_and_ignored_examples_have_no_slope():
    labels, mask = np.array([0, -1, 2, 2]), np.array([True, False, True])
    options = {"ignore_index": -1, "mask": mask}
    loss = sparse_categorical_cross_entropy
    expected = differences(lambda z: loss(labels, z, from_logits=True, **options), Z)
    found = sparse_categorical_cross_entropy_grad(labels, Z, **options)
    np.testing.assert_allclose(found, expected, rtol=1e-7, atol=1e-9)
    assert found[1].tolist() == [0, 0, 0]
    assert found[:, 1].tolist() == [0, 0, 0, 0]
    masked = categorical_cross_entropy_grad(np.eye(C)[[0, 2, 2, 2]], Z, mask=mask)
    assert masked[:, 1].tolist() == [0, 0, 0, 0]


def test_an_ignored_example_with_infinite_logits_has_no_slope():
    z = np.array([[0.0, np.log(3), 0.0], [-np.inf, np.inf, 0.0]])
    found = sparse_categorical_cross_entropy_grad([1, -100], z, ignore_index=-100)
    np.testing.assert_allclose(found, [[0.2, -0.4, 0.2], [0, 0, 0]], rtol=1e-15)


@pytest.mark.parametrize("z", [[40.0, 0.0, 0.0], [700.0, 0.0, 0.0], [30.0, 29.0, -50.0]])
def test_the_slope_of_a_confident_prediction_is_tiny_and_not_zero(exact, z):
    total = sum(exact.exp(a) for a in exact.vector(z))
    p = [exact.exp(a) / total for a in exact.vector(z)]
    expected = [-(p[1] + p[2]), p[1], p[2]]
    for found in (
        sparse_categorical_cross_entropy_grad(0, z),
        categorical_cross_entropy_grad([1, 0, 0], z),
        categorical_cross_entropy_grad([1.0, 0.0, 0.0], z),
    ):
        for a, b in zip(found, expected, strict=True):
            assert exact.error(a, b) <= 1


@pytest.mark.parametrize(("y", "z"), [(1, 40), (0, -40), (1, 700), (0, -745), (1, -3), (0, 0.5)])
def test_the_slope_of_a_confident_binary_prediction_is_tiny_and_not_zero(exact, y, z):
    sign = 1 if y == 0 else -1
    expected = sign / (1 + exact.exp(-sign * exact.number(z)))
    found = binary_cross_entropy_grad([y], [float(z)])[0]
    assert exact.error(found, expected) <= 1


def test_certain_predictions_have_the_limit_of_the_slope():
    z = [[np.inf, 0.0], [-np.inf, 0.0]]
    found = sparse_categorical_cross_entropy_grad([0, 0], z, reduction="none")
    assert found.tolist() == [[0, 0], [-1, 1]]
    found = binary_cross_entropy_grad([1, 1, 0], [np.inf, -np.inf, np.inf], reduction="none")
    assert found.tolist() == [0, -1, 1]


@given(arrays(float, (3, 5), elements=st.floats(-50, 50)))
def test_the_slopes_of_a_row_sum_to_zero(z):
    labels = [0, 1, 2]
    hard = sparse_categorical_cross_entropy_grad(labels, z, reduction="none")
    np.testing.assert_allclose(hard.sum(axis=1), 0, atol=1e-15)
    options = {"class_weight": np.arange(5.0), "label_smoothing": 0.1}
    soft = sparse_categorical_cross_entropy_grad(labels, z, reduction="sum", **options)
    np.testing.assert_allclose(soft.sum(axis=1), 0, atol=1e-14)
    one_hot = categorical_cross_entropy_grad(np.eye(5)[labels], z, reduction="none")
    np.testing.assert_allclose(one_hot, hard, rtol=1e-13)
    np.testing.assert_allclose(one_hot, softmax(z) - np.eye(5)[labels], atol=1e-15)


def test_the_classes_may_run_along_any_axis():
    z, labels = RNG.normal(size=(3, 5, C)), RNG.integers(0, C, (3, 5))
    expected = sparse_categorical_cross_entropy_grad(labels, z)
    y = np.eye(C)[labels]
    for axis in (0, 1, -2):
        moved = np.moveaxis(z, -1, axis)
        found = sparse_categorical_cross_entropy_grad(labels, moved, axis=axis)
        np.testing.assert_array_equal(np.moveaxis(found, axis, -1), expected)
        found = categorical_cross_entropy_grad(np.moveaxis(y, -1, axis), moved, axis=axis)
        np.testing.assert_allclose(np.moveaxis(found, axis, -1), expected, rtol=1e-13, atol=1e-17)


def test_one_set_of_labels_is_differentiated_under_a_batch_of_logits():
    z = RNG.normal(size=(2, N, C))
    found = sparse_categorical_cross_entropy_grad(LABELS, z, reduction="sum")
    expected = [sparse_categorical_cross_entropy_grad(LABELS, a, reduction="sum") for a in z]
    np.testing.assert_array_equal(found, expected)
    found = binary_cross_entropy_grad(ONE_HOT, z, reduction="sum")
    expected = [binary_cross_entropy_grad(ONE_HOT, a, reduction="sum") for a in z]
    np.testing.assert_array_equal(found, expected)


def test_single_precision_stays_single_precision():
    z = Z.astype(np.float32)
    assert sparse_categorical_cross_entropy_grad(LABELS, z).dtype == np.float32
    assert categorical_cross_entropy_grad(SOFT, z).dtype == np.float32
    assert binary_cross_entropy_grad(LABELS % 2, z[:, 0]).dtype == np.float32


def test_the_arguments_stay_as_they_were():
    z = Z.copy()
    sparse_categorical_cross_entropy_grad(LABELS, z)
    categorical_cross_entropy_grad(SOFT, z)
    binary_cross_entropy_grad(SOFT, z)
    np.testing.assert_array_equal(z, Z)

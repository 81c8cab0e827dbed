"""Losses of labels: one quantity under many names, its weights, its edges."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from cem.loss import (
    binary_cross_entropy,
    binary_cross_entropy_grad,
    categorical_cross_entropy,
    log_loss,
    log_softmax,
    sigmoid,
    softmax,
    sparse_categorical_cross_entropy,
    sparse_categorical_cross_entropy_grad,
)

RNG = np.random.default_rng(0)
N, C = 7, 4
Z = RNG.normal(0, 3, (N, C))
LABELS = RNG.integers(0, C, N)
ONE_HOT = np.eye(C)[LABELS]
SOFT = RNG.dirichlet(np.ones(C), N)
W = RNG.random(N)
CLASS_W = np.array([0.5, 1.0, 0.0, 2.0])
OPTIONS = [
    {},
    {"class_weight": CLASS_W},
    {"sample_weight": W},
    {"label_smoothing": 0.1},
    {"class_weight": CLASS_W, "sample_weight": W, "label_smoothing": 0.3},
]

some_logits = arrays(float, (3, 5), elements=st.floats(-50, 50))


@pytest.mark.parametrize("options", OPTIONS, ids=str)
@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
def test_a_label_is_its_one_hot_row_and_a_logit_its_softmax(options, reduction):
    options = {**options, "reduction": reduction}
    expected = sparse_categorical_cross_entropy(LABELS, Z, from_logits=True, **options)
    for y in (ONE_HOT, ONE_HOT.astype(int), ONE_HOT.astype(bool)):
        found = categorical_cross_entropy(y, Z, from_logits=True, **options)
        np.testing.assert_allclose(found, expected, rtol=1e-14)
    p = softmax(Z)
    found = sparse_categorical_cross_entropy(LABELS, p, **options)
    np.testing.assert_allclose(found, expected, rtol=1e-13)
    found = categorical_cross_entropy(ONE_HOT, p, **options)
    np.testing.assert_allclose(found, expected, rtol=1e-13)


@pytest.mark.parametrize("options", [o for o in OPTIONS if "class_weight" not in o], ids=str)
@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
def test_two_classes_are_a_binary_loss(options, reduction):
    options = {**options, "reduction": reduction}
    y, z = LABELS % 2, Z[:, 1]
    two = np.column_stack([np.zeros(N), z])
    expected = binary_cross_entropy(y, z, from_logits=True, **options)
    found = sparse_categorical_cross_entropy(y, two, from_logits=True, **options)
    np.testing.assert_allclose(found, expected, rtol=1e-14)
    found = binary_cross_entropy(y, sigmoid(z), **options)
    np.testing.assert_allclose(found, expected, rtol=1e-13)
    soft = SOFT[:, 0]
    expected = binary_cross_entropy(soft, z, from_logits=True, **options)
    y = np.column_stack([1 - soft, soft])
    found = categorical_cross_entropy(y, two, from_logits=True, **options)
    np.testing.assert_allclose(found, expected, rtol=1e-14)


def test_a_positive_weight_is_the_class_weight_of_class_1():
    y, z = LABELS % 2, Z[:, 0]
    found = binary_cross_entropy(y, z, from_logits=True, pos_weight=3, reduction="none")
    losses = binary_cross_entropy(y, z, from_logits=True, reduction="none")
    np.testing.assert_allclose(found, np.where(y == 1, 3, 1) * losses, rtol=1e-15)
    found = binary_cross_entropy(y, sigmoid(z), pos_weight=3)
    assert found == pytest.approx((np.where(y == 1, 3, 1) * losses).mean(), rel=1e-13)


def test_every_definition_is_the_sum_it_says(exact):
    p = softmax(Z)
    for i, k in enumerate(LABELS):
        found = categorical_cross_entropy(SOFT[i], p[i])
        assert exact.error(found, exact.cross_entropy(SOFT[i], p[i])) <= 1
        found = sparse_categorical_cross_entropy(k, Z[i], from_logits=True)
        assert exact.error(found, exact.softmax_loss(Z[i], k)) <= 1
        found = binary_cross_entropy(SOFT[i], Z[i], from_logits=True, reduction="none")
        for a, y, z in zip(found, SOFT[i], Z[i], strict=True):
            assert exact.error(a, exact.binary_loss(y, z)) <= 1


def test_smoothing_moves_a_share_of_every_target_to_all_classes_alike():
    e = 0.2
    expected = categorical_cross_entropy(ONE_HOT * (1 - e) + e / C, Z, from_logits=True)
    found = sparse_categorical_cross_entropy(LABELS, Z, from_logits=True, label_smoothing=e)
    assert found == pytest.approx(expected, rel=1e-14)
    y = LABELS % 2
    expected = binary_cross_entropy(y * (1 - e) + e / 2, sigmoid(Z[:, 0]))
    found = binary_cross_entropy(y, sigmoid(Z[:, 0]), label_smoothing=e)
    assert found == pytest.approx(expected, rel=1e-14)


def test_the_mean_divides_by_the_weights_of_the_classes_and_examples():
    losses = -log_softmax(Z)[np.arange(N), LABELS]
    w = CLASS_W[LABELS] * W
    options = {"from_logits": True, "class_weight": CLASS_W, "sample_weight": W}
    found = sparse_categorical_cross_entropy(LABELS, Z, **options)
    assert found == pytest.approx((w @ losses) / w.sum(), rel=1e-14)
    total = sparse_categorical_cross_entropy(LABELS, Z, reduction="sum", **options)
    assert total == pytest.approx(w @ losses, rel=1e-14)
    count = W * (SOFT @ CLASS_W)
    losses = -(CLASS_W * SOFT * log_softmax(Z)).sum(axis=1)
    found = categorical_cross_entropy(SOFT, Z, **options)
    assert found == pytest.approx((W @ losses) / count.sum(), rel=1e-14)


def test_weights_in_single_precision_are_summed_in_double():
    n = 10_001
    w, p = np.full(n, 0.1, np.float32), np.linspace(0.1, 0.9, n)
    expected = binary_cross_entropy(np.ones(n), p)
    found = binary_cross_entropy(np.ones(n), p, sample_weight=w)
    assert found == pytest.approx(expected, rel=1e-14)
    both = np.column_stack([p, 1 - p])
    found = sparse_categorical_cross_entropy(np.zeros(n, int), both, sample_weight=w)
    assert found == pytest.approx(expected, rel=1e-14)


def test_ignored_examples_do_not_count_whatever_is_predicted_for_them():
    labels, z = LABELS.copy(), Z.copy()
    labels[[1, 4]], z[1] = -100, [-np.inf, 0, np.inf, 0]
    kept = labels >= 0
    for options in ({}, {"class_weight": CLASS_W, "sample_weight": W}):
        found = sparse_categorical_cross_entropy(
            labels, z, from_logits=True, ignore_index=-100, **options
        )
        cut = {**options, "sample_weight": W[kept]} if options else {}
        expected = sparse_categorical_cross_entropy(labels[kept], z[kept], from_logits=True, **cut)
        assert found == pytest.approx(expected, rel=1e-14)
    losses = sparse_categorical_cross_entropy(
        labels, z, from_logits=True, ignore_index=-100, reduction="none"
    )
    assert losses[[1, 4]].tolist() == [0, 0]


def test_a_class_may_be_the_one_that_is_ignored():
    found = sparse_categorical_cross_entropy(LABELS, Z, from_logits=True, ignore_index=2)
    kept = LABELS != 2
    expected = sparse_categorical_cross_entropy(LABELS[kept], Z[kept], from_logits=True)
    assert found == pytest.approx(expected, rel=1e-14)


def test_masked_classes_leave_the_softmax_and_the_smoothing():
    mask, labels = np.array([True, False, True, True]), np.array([0, 1, 2, 0, 2, 1, 0])
    columns = np.array([0, 2, 3])
    for e in (0.0, 0.1):
        options = {"from_logits": True, "label_smoothing": e}
        found = sparse_categorical_cross_entropy(columns[labels], Z, mask=mask, **options)
        expected = sparse_categorical_cross_entropy(labels, Z[:, mask], **options)
        assert found == pytest.approx(expected, rel=1e-14)
        y = np.eye(C)[columns[labels]]
        found = categorical_cross_entropy(y, Z, mask=np.tile(mask, (N, 1)), **options)
        assert found == pytest.approx(expected, rel=1e-14)


def test_an_ignored_example_has_no_target_that_a_mask_could_exclude():
    found = sparse_categorical_cross_entropy(
        [1, -1], np.zeros((2, 3)), from_logits=True, ignore_index=-1, mask=[False, True, True]
    )
    assert found == pytest.approx(np.log(2), rel=1e-15)


def test_the_classes_may_run_along_any_axis():
    z = RNG.normal(size=(3, 5, C))
    labels, y = RNG.integers(0, C, (3, 5)), RNG.dirichlet(np.ones(C), (3, 5))
    options = {"from_logits": True, "reduction": "none"}
    sparse = sparse_categorical_cross_entropy(labels, z, **options)
    soft = categorical_cross_entropy(y, z, **options)
    assert sparse.shape == soft.shape == (3, 5)
    for axis in (0, 1, 2, -3, -2):
        moved, moved_y = np.moveaxis(z, -1, axis), np.moveaxis(y, -1, axis)
        found = sparse_categorical_cross_entropy(labels, moved, axis=axis, **options)
        np.testing.assert_array_equal(found, sparse)
        found = categorical_cross_entropy(moved_y, moved, axis=axis, **options)
        np.testing.assert_array_equal(found, soft)
        np.testing.assert_array_equal(softmax(moved, axis=axis), np.moveaxis(softmax(z), -1, axis))


def test_the_axis_of_the_classes_is_counted_on_the_predictions():
    z = RNG.normal(size=(3, N, C))
    expected = categorical_cross_entropy(SOFT, z, from_logits=True)
    assert categorical_cross_entropy(SOFT, z, axis=2, from_logits=True) == expected


def test_one_set_of_labels_is_scored_under_a_batch_of_predictions():
    z = RNG.normal(size=(3, N, C))
    options = {"from_logits": True, "reduction": "none", "sample_weight": W}
    found = sparse_categorical_cross_entropy(LABELS, z, **options)
    expected = [sparse_categorical_cross_entropy(LABELS, a, **options) for a in z]
    np.testing.assert_array_equal(found, expected)
    found = categorical_cross_entropy(SOFT, z, **options)
    np.testing.assert_array_equal(found, [categorical_cross_entropy(SOFT, a, **options) for a in z])
    found = binary_cross_entropy(SOFT, z, from_logits=True, reduction="none")
    expected = [binary_cross_entropy(SOFT, a, from_logits=True, reduction="none") for a in z]
    np.testing.assert_array_equal(found, expected)


def test_single_precision_is_kept_in_losses_and_summed_in_double():
    z = Z.astype(np.float32)
    losses = sparse_categorical_cross_entropy(LABELS, z, from_logits=True, reduction="none")
    assert losses.dtype == np.float32
    mean = sparse_categorical_cross_entropy(LABELS, z, from_logits=True)
    assert mean.dtype == np.float64
    expected = sparse_categorical_cross_entropy(LABELS, z.astype(float), from_logits=True)
    assert mean == expected
    y, p = (softmax(RNG.normal(size=(500, 10)).astype(np.float32)) for _ in range(2))
    exact = -(y.astype(float) * np.log(p.astype(float))).sum(axis=1).mean()
    assert categorical_cross_entropy(y, p) == pytest.approx(exact, rel=1e-14)
    assert categorical_cross_entropy(y, p, reduction="none").dtype == np.float32


def test_the_log_loss_takes_names_and_columns_in_the_order_as_given():
    y, p = ["c", "a", "b"], [[0.1, 0.2, 0.7], [0.5, 0.2, 0.3], [0.1, 0.6, 0.3]]
    for names in (["a", "b", "c"], ["c", "a", "b"]):
        chances = [p[i][names.index(name)] for i, name in enumerate(y)]
        found = log_loss(y, p, labels=names)
        assert found == pytest.approx(-np.log(chances).mean(), rel=1e-15)
    assert log_loss(y, p) == log_loss(y, p, labels=["a", "b", "c"])
    assert log_loss([2.5, 1], [[0.9, 0.1], [0.2, 0.8]], labels=[2.5, 1]) == pytest.approx(
        -np.log([0.9, 0.8]).mean(), rel=1e-15
    )
    assert log_loss(["no", "yes"], [0.1, 0.8]) == pytest.approx(-np.log([0.9, 0.8]).mean())
    z = np.log(p)
    assert log_loss(y, z, from_logits=True) == pytest.approx(log_loss(y, p), rel=1e-14)


def test_certain_predictions_cost_nothing_or_infinitely_much():
    none = {"reduction": "none"}
    found = binary_cross_entropy([1, 0, 1, 0], [1.0, 0.0, 0.0, 1.0], **none)
    assert found.tolist() == [0, 0, np.inf, np.inf]
    z = [np.inf, -np.inf, -np.inf, np.inf]
    found = binary_cross_entropy([1, 0, 1, 0], z, from_logits=True, **none)
    assert found.tolist() == [0, 0, np.inf, np.inf]
    p = [[1.0, 0.0], [0.0, 1.0]]
    assert sparse_categorical_cross_entropy([0, 0], p, **none).tolist() == [0, np.inf]
    z = [[np.inf, 0.0], [0.0, np.inf], [-np.inf, 0.0], [0.0, -np.inf]]
    found = sparse_categorical_cross_entropy([0, 0, 0, 0], z, from_logits=True, **none)
    assert found.tolist() == [0, np.inf, np.inf, 0]
    assert not np.signbit(found).any()
    found = categorical_cross_entropy(np.eye(2)[[0, 0, 0, 0]], z, from_logits=True, **none)
    assert found.tolist() == [0, np.inf, np.inf, 0]
    smooth = {"from_logits": True, "label_smoothing": 0.1}
    assert sparse_categorical_cross_entropy([1], z[2:3], **smooth) == np.inf
    assert sparse_categorical_cross_entropy([1], z[2:3], mask=[False, True], **smooth) == 0


def test_a_clip_is_applied_only_where_it_is_asked_for():
    assert binary_cross_entropy([1], [0.0], clip=1e-7) == pytest.approx(16.11809565095832)
    found = sparse_categorical_cross_entropy([0], [[0.0, 1.0]], clip=1e-7)
    assert found == pytest.approx(16.11809565095832)
    assert binary_cross_entropy([1], [0.0]) == np.inf


@pytest.mark.parametrize(
    ("z", "k"),
    [
        ([40, 0, 0], 0),
        ([-1000] * 3, 0),
        ([1000, 0, -1000], 1),
        ([1000, 0, -1000], 2),
        ([745, 0], 0),
        ([1e308, -1e308], 0),
        ([3.0, 3.0, -1e308], 1),
    ],
)
def test_the_loss_of_logits_is_exact_where_it_is_hard(exact, z, k):
    loss = sparse_categorical_cross_entropy([k], [z], from_logits=True)
    assert exact.error(loss, exact.softmax_loss(z, k)) <= 1
    assert exact.error(-log_softmax(z)[k], exact.softmax_loss(z, k)) <= 1
    soft = categorical_cross_entropy(np.eye(len(z))[k], z, from_logits=True)
    assert exact.error(soft, exact.softmax_loss(z, k)) <= 1


@pytest.mark.parametrize(("y", "z"), [(1, 40), (1, 745), (0, -745), (1, -800), (0.5, 1e-9)])
def test_the_binary_loss_of_logits_is_exact_where_it_is_hard(exact, y, z):
    found = binary_cross_entropy([y], [z], from_logits=True)
    assert exact.error(found, exact.binary_loss(y, z)) <= 1


@given(some_logits, st.floats(-100, 100))
def test_a_shift_of_all_logits_changes_nothing(z, shift):
    labels = [0, 1, 2]
    found = sparse_categorical_cross_entropy(labels, z + shift, from_logits=True)
    expected = sparse_categorical_cross_entropy(labels, z, from_logits=True)
    assert found == pytest.approx(expected, rel=1e-9, abs=1e-12)


@given(some_logits, st.permutations(range(5)))
def test_the_order_of_the_classes_does_not_matter(z, order):
    labels, place = np.array([0, 1, 2]), np.argsort(order)
    found = sparse_categorical_cross_entropy(place[labels], z[:, order], from_logits=True)
    expected = sparse_categorical_cross_entropy(labels, z, from_logits=True)
    assert found == pytest.approx(expected, rel=1e-14)


@given(some_logits)
def test_probabilities_sum_to_one_and_are_the_exponentials_of_their_logarithms(z):
    p = softmax(z)
    np.testing.assert_allclose(p.sum(axis=1), 1, rtol=1e-15)
    np.testing.assert_allclose(np.exp(log_softmax(z)), p, rtol=1e-13)
    np.testing.assert_allclose(softmax(z[:, :2])[:, 1], sigmoid(z[:, 1] - z[:, 0]), rtol=1e-13)


def test_the_sigmoid_and_the_softmax_reach_their_limits():
    assert sigmoid([np.inf, -np.inf, 0.0]).tolist() == [1, 0, 0.5]
    assert sigmoid([1.5e308, 1.5e308]).tolist() == [1, 1]
    assert softmax([1e308, -1e308]).tolist() == [1, 0]
    assert softmax([0.0, -np.inf, 0.0]).tolist() == [0.5, 0, 0.5]
    assert log_softmax([np.inf, 0.0]).tolist() == [0, -np.inf]
    assert softmax(np.zeros(3, np.float32)).dtype == np.float32


@pytest.mark.parametrize("idle", [np.nan, np.inf, -np.inf, 7.0])
def test_what_counts_for_nothing_may_hold_anything(idle):
    z, labels = np.array([[1.0, 2.0, 0.5], [idle] * 3, [0.0, -1.0, 3.0]]), np.array([0, -1, 2])
    there = [0, 2]
    options = {"from_logits": True}
    expected = sparse_categorical_cross_entropy(labels[there], z[there], **options)
    found = sparse_categorical_cross_entropy(labels, z, ignore_index=-1, **options)
    assert found == pytest.approx(expected, rel=1e-15)
    smooth = {"ignore_index": -1, "label_smoothing": 0.1, **options}
    assert np.isfinite(sparse_categorical_cross_entropy(labels, z, **smooth))
    slope = sparse_categorical_cross_entropy_grad(labels, z, ignore_index=-1)
    np.testing.assert_array_equal(slope[1], 0.0)
    np.testing.assert_allclose(
        slope[there], sparse_categorical_cross_entropy_grad(labels[there], z[there]), rtol=1e-15
    )
    y, w = np.array([[1.0, 0, 0], [idle] * 3, [0, 0.5, 0.5]]), [1, 0, 2]
    both = categorical_cross_entropy(y, z, sample_weight=w, **options)
    parts = categorical_cross_entropy(y[there], z[there], sample_weight=[1, 2], **options)
    assert both == pytest.approx(parts, rel=1e-15)
    p = np.array([[0.5, 0.5, 0.0], [idle] * 3, [0.2, 0.2, 0.6]])
    found = sparse_categorical_cross_entropy(labels, p, ignore_index=-1)
    assert found == pytest.approx(-np.log([0.5, 0.6]).mean(), rel=1e-15)
    one = binary_cross_entropy([1, idle, 0], [0.5, idle, 0.25], sample_weight=w)
    assert one == pytest.approx((np.log(2) - 2 * np.log(0.75)) / 3, rel=1e-15)
    grad = binary_cross_entropy_grad([1, idle, 0], [0.0, idle, 0.0], sample_weight=w)
    np.testing.assert_allclose(grad, [-1 / 6, 0, 1 / 3], rtol=1e-15)

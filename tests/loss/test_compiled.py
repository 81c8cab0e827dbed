"""Large arrays go through compiled loops: the same values, and the same complaints."""

import numpy as np
import pytest
from scipy.special import entr

from cem.loss import (
    binary_cross_entropy,
    cross_entropy,
    entropy,
    kernels,
    kl_divergence,
    lazy,
    sparse_categorical_cross_entropy,
)
from cem.loss.distributions import _cross_terms
from cem.loss.series import divergence_terms

LARGE = 1 << 19  # elements: several blocks of rows
SUMS = [entropy, cross_entropy, kl_divergence]


def distributions(width, dtype=float):
    """Two large matrices with rows of zeros, subnormals, near and far outcomes."""
    rng = np.random.default_rng(width)
    p, q = rng.exponential(size=(2, -(-LARGE // width), width))
    p /= p.sum(axis=1, keepdims=True)
    q[: len(q) // 2] = p[: len(q) // 2] * (1 + 1e-7 * rng.uniform(-1, 1, (len(q) // 2, width)))
    q /= q.sum(axis=1, keepdims=True)
    if min(p.shape) > 1:
        p[:2], q[:2] = 0.0, 0.0
        p[:2, 0], q[0, 1], q[1, 0] = 1.0, 1.0, 1.0
        p[2, :2], q[2, :2] = (0.0, p[2, :2].sum()), (5e-324, q[2, :2].sum())
        p[3, :2], q[3, :2] = (1e-310, p[3, :2].sum()), (5e-324, q[3, :2].sum())
    return p.astype(dtype), q.astype(dtype)


def plainly(of, *arrays):
    """The values of the NumPy lines, all at once."""
    p, *q = (a.astype(float) for a in arrays)
    terms = {
        entropy: entr,
        cross_entropy: _cross_terms,
        kl_divergence: divergence_terms,
    }
    return terms[of](p, *q).sum(axis=-1)


def in_parts(of, *arrays):
    """The values of arrays too small to be worth compiling for."""
    cuts = range(0, len(arrays[0]), len(arrays[0]) // 4)
    parts = [[a[i : i + len(a) // 4] for a in arrays] for i in cuts]
    return np.concatenate([of(*part) for part in parts])


@pytest.mark.parametrize(
    ("kernel", "call"),
    [
        ("entropies", entropy),
        ("cross_entropies", lambda a: cross_entropy(a, a)),
        ("divergences", lambda a: kl_divergence(a, a)),
        ("label_surprises", lambda a: label_losses(np.zeros(len(a), int), a)),
        ("binary_surprises", lambda a: binary_losses(np.zeros(a.shape), a)),
    ],
)
def test_large_arrays_are_those_that_go_through_the_compiled_loops(monkeypatch, kernel, call):
    def loop(*_):
        raise NotImplementedError(kernel)

    monkeypatch.setattr(kernels, kernel, loop)
    a = np.full((lazy.LARGE // 4, 4), 0.25)
    with pytest.raises(NotImplementedError, match=kernel):
        call(a)
    assert np.isfinite(call(a[:-1])).all()


@pytest.mark.parametrize("of", SUMS[1:])
def test_a_zero_beside_any_number_is_a_zero(of):
    """0, subnormals and every kind of mantissa in q where p is zero, and the other way round."""
    rng = np.random.default_rng(0)
    q = np.concatenate(
        [[0.0, 5e-324, 1e-310, 2.0**-1022], rng.random(LARGE), 2.0 ** -rng.random(99)]
    )
    other = np.column_stack([q, 1 - q])
    sure = np.column_stack([np.zeros_like(q), np.ones_like(q)])
    for p, r in [(sure, other), (other, sure)]:
        found = of(p, r)
        assert not np.isnan(found).any()
        np.testing.assert_allclose(found, plainly(of, p, r), rtol=2e-15, atol=1e-300)


@pytest.mark.parametrize("of", SUMS)
@pytest.mark.parametrize("dtype", [float, np.float32])
def test_no_layout_broadcasting_or_rescaling_changes_a_sum(of, dtype):
    arrays = distributions(16, dtype)[: 1 if of is entropy else 2]
    expected = of(*arrays)
    turned = [np.asfortranarray(a) for a in arrays]
    np.testing.assert_allclose(of(*turned), expected, rtol=2e-15)
    np.testing.assert_allclose(of(*(a.T for a in arrays), axis=0), expected, rtol=2e-15)
    every_second = [np.repeat(a, 2, axis=-1)[..., ::2] for a in arrays]
    np.testing.assert_allclose(of(*every_second), expected, rtol=2e-15)
    cube = [a.reshape(4, -1, 16) for a in arrays]
    np.testing.assert_allclose(of(*cube).ravel(), expected, rtol=2e-15)
    if of is not entropy:
        one = [arrays[0], arrays[1][7]]
        whole = [arrays[0], np.repeat(arrays[1][7:8], len(arrays[0]), axis=0)]
        np.testing.assert_allclose(of(*one), of(*whole), rtol=2e-15)
    scaled = [a * a.dtype.type(4) for a in arrays]  # exact, and taken out again
    sums = [a / a.sum(axis=-1, keepdims=True, dtype=float) for a in arrays]
    np.testing.assert_allclose(of(*scaled, normalize=True), of(*sums), rtol=4e-15, atol=1e-20)


@pytest.mark.parametrize("of", SUMS)
@pytest.mark.parametrize("width", [1, 2, 127, 128, 129, LARGE])
def test_sums_over_rows_of_any_length_are_those_of_the_plain_lines(of, width):
    arrays = distributions(width)[: 1 if of is entropy else 2]
    found, expected = of(*arrays), plainly(of, *arrays)
    assert found.shape == expected.shape == (len(arrays[0]),)
    np.testing.assert_allclose(found, expected, rtol=2e-15)  # each is right to 1e-15
    assert of is entropy or min(arrays[0].shape) == 1 or np.isinf(found[0])
    assert (found >= 0).all()
    assert not np.signbit(found).any()


@pytest.mark.parametrize("of", SUMS)
def test_sums_are_right_to_1e_15_or_four_units_of_the_last_place(of, exact):
    judges = {
        entropy: exact.entropy,
        cross_entropy: exact.cross_entropy,
    }
    judge = judges.get(of, exact.divergence)
    for width in (2, 129):
        arrays = distributions(width)[: 1 if of is entropy else 2]
        found = of(*arrays)
        rows = [*range(1, 60), *range(len(found) - 8000 // width, len(found))]
        errors = [exact.error(found[i], judge(*(a[i] for a in arrays))) for i in rows]
        assert max(errors) <= 1


@pytest.mark.parametrize("of", SUMS)
def test_one_long_distribution_gives_a_number(of):
    arrays = [a[0] for a in distributions(LARGE)][: 1 if of is entropy else 2]
    found = of(*arrays)
    assert isinstance(found, np.float64)
    assert found == pytest.approx(plainly(of, *arrays), rel=2e-15, abs=0)


@pytest.mark.parametrize("of", SUMS)
def test_single_precision_is_computed_in_double(of):
    arrays = distributions(128, np.float32)[: 1 if of is entropy else 2]
    found = of(*arrays)
    assert found.dtype == np.float64
    np.testing.assert_allclose(found, plainly(of, *arrays), rtol=2e-15)


@pytest.mark.parametrize("of", SUMS)
def test_leading_axes_and_the_sign_of_zero_do_not_matter(of):
    arrays = distributions(128)[: 1 if of is entropy else 2]
    expected = of(*arrays)
    signed = [np.where(a == 0, -0.0, a) for a in arrays]
    np.testing.assert_array_equal(of(*signed), expected)
    np.testing.assert_array_equal(
        of(*(a.reshape(64, 64, 128) for a in arrays)), expected.reshape(64, 64)
    )


def logits(width, dtype=float):
    """Large rows of logits, some of them certain, tied or without a chance."""
    rng = np.random.default_rng(width)
    n = -(-LARGE // width) // 4 * 4 + 12
    z = rng.normal(0, 10, (n, width)).astype(dtype)
    z[:3] = [[0.0] * width, [40.0] + [0.0] * (width - 1), [-1000.0] * width]
    z[-2, 1:] = -np.inf  # in another block: the compiled loop leaves such blocks alone
    z[-1, 0] = np.inf
    return z, rng.integers(0, width, n)


def ordinary_logits():
    """Large rows of logits without anything special, so that nothing but the mistake is."""
    z, labels = (a[:-4] for a in logits(10))
    assert z.size >= LARGE
    return z, labels


def label_losses(labels, z):
    return sparse_categorical_cross_entropy(labels, z, from_logits=True, reduction="none")


def binary_losses(y, z):
    return binary_cross_entropy(y, z, from_logits=True, reduction="none")


@pytest.mark.parametrize("width", [2, 10, 129])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_losses_of_labels_are_those_of_the_plain_lines(width, dtype):
    z, labels = logits(width, dtype)
    for k in (labels, np.zeros_like(labels)):
        found = label_losses(k, z)
        assert found.dtype == dtype
        rtol = 2e-15 if dtype == np.float64 else 1.2e-7  # one unit of the last place
        np.testing.assert_allclose(found, in_parts(label_losses, k, z), rtol=rtol)


def test_losses_of_labels_are_right_to_1e_15_or_four_units_of_the_last_place(exact):
    z, labels = logits(10)
    z[100:200] /= 10
    labels[1:3] = 0
    z[3:5], labels[3:5] = [[700.0] + [0.0] * 9, [0.0] + [-745.0] * 9], 0
    found = label_losses(labels, z)
    assert (found[:5] > 0).all()
    for i in range(200):
        assert exact.error(found[i], exact.softmax_loss(z[i], labels[i])) <= 1


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_losses_of_two_classes_are_those_of_the_plain_lines(dtype):
    rng = np.random.default_rng(0)
    y, z = rng.random(LARGE), rng.normal(0, 20, LARGE).astype(dtype)
    y[: LARGE // 2] = rng.integers(0, 2, LARGE // 2)
    y[:5], z[:5] = [1, 1, 1, 0, 0], [745, 40, 800, -745, 0]
    y[-4:], z[-4:] = [0, 1, 0, 1], [-np.inf, np.inf, np.inf, -np.inf]  # in another block
    for targets in (y, (y > 0.5), (y > 0.5).astype(np.int8), y.astype(np.float32)):
        found = binary_losses(targets, z)
        assert found[-4:].tolist() == [0, 0, np.inf, np.inf]
        rtol = 1e-15 if dtype == np.float64 else 1.2e-7
        np.testing.assert_allclose(found, in_parts(binary_losses, targets, z), rtol=rtol)


def test_losses_of_two_classes_are_right_to_1e_15_or_four_units_of_the_last_place(exact):
    rng = np.random.default_rng(1)
    y, z = rng.random(LARGE), rng.normal(0, 20, LARGE)
    y[:3], z[:3] = [1, 1, 0], [745, 40, -745]
    found = binary_losses(y, z)
    assert (found[:300] > 0).all()
    for i in range(300):
        assert exact.error(found[i], exact.binary_loss(y[i], z[i])) <= 1


def test_means_and_weights_of_large_arrays_are_those_of_the_parts():
    z, labels = logits(10)
    labels[-2:] = 0
    w = np.random.default_rng(2).random(len(z))
    losses = label_losses(labels, z)
    options = {"from_logits": True, "sample_weight": w}
    mean = sparse_categorical_cross_entropy(labels, z, **options)
    assert mean == pytest.approx((w @ losses) / w.sum(), rel=1e-14)
    ignored = sparse_categorical_cross_entropy(labels, z, ignore_index=3, **options)
    there = labels != 3
    assert ignored == pytest.approx((w @ (losses * there)) / (w @ there), rel=1e-14)


def test_any_byte_order_and_any_float_type_will_do():
    p, q = distributions(128)
    np.testing.assert_allclose(entropy(p.astype(">f8")), entropy(p), rtol=2e-15)
    np.testing.assert_allclose(kl_divergence(p.astype(">f8"), q), kl_divergence(p, q), rtol=2e-15)
    z, labels = logits(10)
    for k, x in [(labels, z.astype(">f8")), (labels.astype(">i8"), z), (labels.astype("u1"), z)]:
        np.testing.assert_array_equal(label_losses(k, x), label_losses(labels, z))
    y, z = np.ones(LARGE), np.linspace(-3, 3, LARGE)
    for kind in (np.float16, ">f8", np.longdouble):
        np.testing.assert_array_equal(binary_losses(y.astype(kind), z), binary_losses(y, z))


ROW = 77  # where something is wrong


@pytest.mark.parametrize("value", [np.nan, -1e-3, 1.5, 0.6, np.inf, -np.inf])
@pytest.mark.parametrize("array", [0, 1], ids=["p", "q"])
def test_a_wrong_probability_is_refused_in_the_same_words_however_large(array, value):
    arrays = distributions(128)
    arrays[array][ROW, 5] = value
    for of in SUMS[array:]:  # entropy has no q
        messages = []
        for n in (None, ROW + 2):
            with pytest.raises(ValueError, match=r"p|q") as error:
                of(*(a[:n] for a in arrays[: 1 if of is entropy else 2]))
            messages.append(str(error.value))
        assert messages[0] == messages[1]
        assert messages[0].startswith("pq"[array])
        assert str(ROW) in messages[0]


@pytest.mark.parametrize("array", [0, 1], ids=["p", "q"])
def test_a_negative_probability_is_refused_where_the_sum_is_one_all_the_same(array):
    arrays = distributions(128)
    arrays[array][ROW, :2] = [-0.25, 0.25 + arrays[array][ROW, :2].sum()]
    for of in SUMS[array:]:
        with pytest.raises(
            ValueError, match=rf"^{'pq'[array]} .* got -0\.25 at index \({ROW}, 0\)"
        ):
            of(*arrays[: 1 if of is entropy else 2])


@pytest.mark.parametrize("array", [0, 1], ids=["p", "q"])
def test_rounding_is_judged_by_the_precision_of_each_distribution_however_large(array):
    arrays = list(distributions(128))
    arrays[array][ROW] *= 1 + 1e-7
    arrays[1 - array] = arrays[1 - array].astype(np.float32)
    for n in (None, ROW + 2):
        with pytest.raises(ValueError, match=rf"^{'pq'[array]} must .* got 1\.0000001 \(row {ROW}"):
            cross_entropy(*(a[:n] for a in arrays))


@pytest.mark.parametrize(("label", "column"), [(0, 0), (0, 1), (1, 0), (9, 9), (0, 9)])
@pytest.mark.parametrize("others", [None, 0.0, -1e4], ids=str)
def test_a_logit_that_is_not_a_number_is_never_passed_over(label, column, others):
    z, labels = ordinary_logits()
    if others is not None:
        z[ROW] = others
    z[ROW, column], labels[ROW] = np.nan, label
    for n in (None, ROW + 2):
        with pytest.raises(ValueError, match=f"got NaN in row {ROW}, class {column}"):
            label_losses(labels[:n], z[:n])


@pytest.mark.parametrize(
    ("label", "error", "message"),
    [(10, IndexError, "from 0 to 9; got 10 in row 77"), (-1, IndexError, "got -1 in row 77")],
)
def test_a_label_out_of_range_is_never_wrapped(label, error, message):
    z, labels = ordinary_logits()
    labels[ROW] = label
    for n in (None, ROW + 2):
        with pytest.raises(error, match=message):
            label_losses(labels[:n], z[:n])


def test_logits_that_exclude_every_class_are_refused():
    z, labels = ordinary_logits()
    z[ROW] = -np.inf
    for n in (None, ROW + 2):
        with pytest.raises(ValueError, match="they are in row 77"):
            label_losses(labels[:n], z[:n])


@pytest.mark.parametrize("z", [-1.0, 0.0, 1.0])
@pytest.mark.parametrize("y", [np.nan, -0.5, 1.5])
def test_a_target_outside_0_and_1_is_never_passed_over(y, z):
    targets, logit = np.ones(LARGE), np.full(LARGE, z)
    targets[ROW] = y
    for n in (None, ROW + 2):
        with pytest.raises(ValueError, match=rf"^y must hold .* got {y:g} at index {ROW}:"):
            binary_losses(targets[:n], logit[:n])


@pytest.mark.parametrize("y", [0.0, 0.5, 1.0])
def test_a_binary_logit_that_is_not_a_number_is_never_passed_over(y):
    targets, logit = np.full(LARGE, y), np.ones(LARGE)
    logit[ROW] = np.nan
    for n in (None, ROW + 2):
        with pytest.raises(ValueError, match=f"got NaN at index {ROW}$"):
            binary_losses(targets[:n], logit[:n])

"""Packed bits behave like the int8 array that they stand for."""

import copy

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from cem.families.packed import Bits


def sample(n, d, seed=0):
    return np.random.default_rng(seed).integers(0, 2, (n, d), dtype=np.int8)


@given(
    arrays(np.int8, st.tuples(st.integers(0, 140), st.integers(1, 5)), elements=st.integers(0, 1)),
    st.slices(140),
    st.integers(0, 2**32 - 1),
)
def test_every_choice_of_samples_is_that_of_the_array(a, part, seed):
    x, rng = Bits.of(a), np.random.default_rng(seed)
    np.testing.assert_array_equal(np.asarray(x), a)
    np.testing.assert_array_equal(np.asarray(x[part]), a[part])
    mask = rng.random(len(a)) < 0.5
    np.testing.assert_array_equal(np.asarray(x[mask]), a[mask])
    if len(a):
        index = rng.integers(-len(a), len(a), 7)
        np.testing.assert_array_equal(np.asarray(x[index]), a[index])
        np.testing.assert_array_equal(x[index[0]], a[index[0]])
    assert np.asarray(x).dtype == np.int8
    assert x.shape == a.shape


@pytest.mark.parametrize("n", [1, 63, 64, 65, 4095, 4096, 4097, 9000])
def test_sums_are_those_of_the_array(n):
    a, rng = sample(n, 7, n), np.random.default_rng(n)
    x, w, values, turned = Bits.of(a), rng.random(n), rng.normal(size=7), rng.random(n) < 0.3
    np.testing.assert_array_equal(np.asarray(x), a)
    np.testing.assert_array_equal(x.mean(), a.sum(axis=0) / n)
    np.testing.assert_allclose(x.mean(w), np.average(a, axis=0, weights=w), rtol=1e-12)
    np.testing.assert_allclose(x.dot(values), a @ values, rtol=1e-12, atol=1e-12)
    upright = np.where(turned[:, None], 1 - a, a)
    np.testing.assert_array_equal(x.mean(np.full(n, 0.1), turned), upright.sum(axis=0) / n)
    np.testing.assert_allclose(
        x.mean(w, turned), np.average(upright, axis=0, weights=w), rtol=1e-12, atol=1e-15
    )


def test_a_coordinate_that_is_one_in_every_sample_has_the_mean_one_exactly():
    x = Bits.of(np.ones((100, 2)))
    assert x.mean(np.random.default_rng(0).random(100)).tolist() == [1.0, 1.0]


def test_a_slice_at_words_shares_them_and_any_other_does_not():
    x = Bits.of(sample(200, 3))
    for part in (x[64:128], x[128:], x[64:200]):
        assert np.shares_memory(part.words, x.words)
    assert not np.shares_memory(x[:100].words, x.words)
    assert not np.shares_memory(x[1:65].words, x.words)


def test_samples_can_be_gone_through_one_by_one():
    a = sample(70, 3)
    for one, other in zip(Bits.of(a), a, strict=True):
        np.testing.assert_array_equal(one, other)
    with pytest.raises(IndexError, match="sample 70 of 70"):
        Bits.of(a)[70]
    with pytest.raises(IndexError):
        Bits.of(a)[np.array([3, 70])]
    with pytest.raises(IndexError):
        Bits.of(a)[np.zeros(69, dtype=bool)]


def test_a_copy_has_its_own_words():
    x = Bits.of(sample(70, 3))
    twin = copy.deepcopy(x)
    assert not np.shares_memory(x.words, twin.words)
    np.testing.assert_array_equal(np.asarray(twin), np.asarray(x))
    assert repr(x) == "Bits(70 samples of 3 bits)"


def test_it_is_an_array_of_any_type_but_never_without_a_copy():
    x = Bits.of(sample(70, 3))
    assert np.asarray(x, dtype=float).dtype == float
    with pytest.raises(ValueError, match="cannot be an array without a copy"):
        x.__array__(copy=False)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ([[0, 1], [2, 0]], r"must be whole numbers from 0 to 1; got 2 at index \(1, 0\)$"),
        ([[0, np.nan]], r"got nan at index \(0, 1\)$"),
        ([0, 1], r"expected samples of shape \(n, d\), a row each; got shape \(2,\)$"),
    ],
)
def test_anything_but_rows_of_zeros_and_ones_is_refused(wrong, message):
    with pytest.raises(ValueError, match=message):
        Bits.of(np.array(wrong))


def test_words_of_another_shape_are_refused():
    with pytest.raises(ValueError, match=r"65 packed samples take uint64 words of shape \(d, 2\)"):
        Bits(np.zeros((3, 1), dtype=np.uint64), 65)
    with pytest.raises(ValueError, match=r"got int64 of shape \(3, 1\)"):
        Bits(np.zeros((3, 1), dtype=np.int64), 64)


def test_two_batches_are_compared_bit_by_bit():
    x = np.array([[0, 1], [1, 1]])
    np.testing.assert_array_equal(Bits.of(x) == Bits.of(1 - x), np.zeros((2, 2), dtype=bool))
    np.testing.assert_array_equal(Bits.of(x) == [[0, 1], [1, 0]], [[True, True], [True, False]])

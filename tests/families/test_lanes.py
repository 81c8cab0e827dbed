"""Eight words at once do what one word after the other does."""

import numpy as np
from numba import njit

from cem.families.lanes import any_bit, fill, full_add, load, raised, rotated, store

SEVEN = np.uint64(7)


@njit
def every_operation(a, b, out):
    x, y = load(a, 1), load(b, 0)
    store(out, 0, x ^ y)
    store(out, 8, x & y)
    store(out, 16, x | y)
    store(out, 24, x + y)
    store(out, 32, rotated(x, SEVEN))
    store(out, 40, raised(x, SEVEN))
    total, carry = full_add(x, y, fill(a[0]))
    store(out, 48, total)
    store(out, 56, carry)
    x ^= y
    x &= y
    x |= load(a, 1)
    x += y
    store(out, 64, x)
    return any_bit(y), any_bit(y ^ y)


def test_every_operation_works_word_by_word():
    rng = np.random.default_rng(0)
    a, b = (rng.integers(0, 2**64, 9, dtype=np.uint64) for _ in range(2))
    out = np.empty(72, dtype=np.uint64)
    assert every_operation(a, b, out) == (True, False)
    x, y, z = a[1:], b[:8], a[0]
    expected = [
        x ^ y,
        x & y,
        x | y,
        x + y,
        (x << SEVEN) | (x >> np.uint64(57)),
        x << SEVEN,
        x ^ y ^ z,
        (x & y) | (x & z) | (y & z),
        (((x ^ y) & y) | x) + y,
    ]
    np.testing.assert_array_equal(out.reshape(9, 8), expected)


@njit
def any_bit_of(a):
    return any_bit(load(a, 0))


def test_a_single_bit_in_any_word_is_seen():
    for i in range(8):
        for bit in (0, 31, 63):
            a = np.zeros(8, dtype=np.uint64)
            assert not any_bit_of(a)
            a[i] = np.uint64(1) << np.uint64(bit)
            assert any_bit_of(a)

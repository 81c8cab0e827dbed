"""The compiled xoshiro256++ is the published one, word for word."""

import numpy as np

from cem.families.xoshiro import next_below, next_double, next_word, seeds

WORD = 2**64 - 1


def rotated(x, k):
    return ((x << k) | (x >> (64 - k))) & WORD


def published(s):
    """The C source of Blackman and Vigna in Python's whole numbers; changes the list ``s``."""
    word = (rotated((s[0] + s[3]) & WORD, 23) + s[0]) & WORD
    t = (s[1] << 17) & WORD
    s[2] ^= s[0]
    s[3] ^= s[1]
    s[1] ^= s[2]
    s[0] ^= s[3]
    s[2] ^= t
    s[3] = rotated(s[3], 45)
    return word


def test_the_words_are_those_of_the_published_generator():
    state = seeds(np.random.default_rng(3))[0]
    twin = state.tolist()
    assert [int(next_word(state)) for _ in range(1000)] == [published(twin) for _ in range(1000)]
    assert state.tolist() == twin


def test_the_first_words_of_a_small_state_are_the_known_ones():
    state = np.array([1, 2, 3, 4], dtype=np.uint64)  # the reference vector of Rust's rand_xoshiro
    words = [int(next_word(state)) for _ in range(4)]
    assert words == [41943041, 58720359, 3588806011781223, 3591011842654386]


def test_a_double_is_the_upper_53_bits_of_a_word():
    state = seeds(np.random.default_rng(4))[0]
    twin = state.copy()
    for _ in range(100):
        assert next_double(state) == (int(next_word(twin)) >> 11) / 2**53
    assert next_double(np.full(4, WORD, dtype=np.uint64)) < 1


def test_a_number_below_n_is_n_times_the_upper_half_of_a_word():
    state = seeds(np.random.default_rng(6))[0]
    twin = state.copy()
    for n in (1, 2, 3, 800, 10**6):
        for _ in range(50):
            assert next_below(state, n) == (int(next_word(twin)) >> 32) * n >> 32
    assert next_below(np.full(4, WORD, dtype=np.uint64), 10) < 10


def test_seeds_are_all_of_their_generator():
    a, b = seeds(np.random.default_rng(5), 3), seeds(np.random.default_rng(5), 3)
    np.testing.assert_array_equal(a, b)
    assert a.dtype == np.uint64
    assert len(np.unique(a)) == 12

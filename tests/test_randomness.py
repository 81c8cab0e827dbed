"""Randomness by address: the same root and address give the same numbers, anything else others."""

from itertools import combinations

import numpy as np
import pytest
from numpy.random import SeedSequence, default_rng
from scipy.stats import kstest

import cem
from cem.randomness import Purpose, name_of, root_named, root_of, stream


def draw(root, purpose=Purpose.SAMPLE, *index, n=4):
    return stream(root, purpose, *index).random(n).tolist()


@pytest.mark.parametrize("rng", [0, 7, np.int64(7), 2**200, [1, 2], (3, 4), SeedSequence(5)])
def test_the_same_root_gives_the_same_numbers(rng):
    assert draw(root_of(rng), Purpose.SAMPLE, 3) == draw(root_of(rng), Purpose.SAMPLE, 3)


def test_every_address_has_numbers_of_its_own():
    children = SeedSequence(0).spawn(2)
    roots = [root_of(0), root_of(1), root_of([0, 1]), root_of([2, 3]), *children]
    drawn = [
        tuple(draw(root, purpose, t))
        for root in roots
        for purpose in Purpose
        for t in (0, 1, 2, 1000)
    ]
    assert all(a != b for a, b in combinations(drawn, 2))


def test_streams_side_by_side_are_uniform_and_independent():
    first = np.array([draw(root_of(0), Purpose.SAMPLE, t, n=2) for t in range(2000)])
    assert kstest(first[:, 0], "uniform").pvalue > 1e-6
    assert abs(np.corrcoef(first[:-1, 0], first[1:, 0])[0, 1]) < 5 / np.sqrt(2000)
    assert abs(np.corrcoef(first.T)[0, 1]) < 5 / np.sqrt(2000)


def test_an_int_and_its_seed_sequence_are_the_same_root():
    assert draw(root_of(5)) == draw(root_of(SeedSequence(5)))
    assert draw(root_of([1, 2])) == draw(root_of((1, 2)))


def test_a_seed_sequence_stays_as_it_was():
    root = SeedSequence(5)
    draw(root_of(root))
    assert root.n_children_spawned == 0


def test_a_generator_names_a_root_and_moves_on():
    rng = default_rng(3)
    first, second = root_of(rng), root_of(rng)
    assert draw(first) != draw(second)
    assert draw(first) == draw(root_of(default_rng(3)))


def test_no_seed_means_another_root_every_time():
    assert draw(root_of(None)) != draw(root_of(None))


def test_the_global_generator_of_numpy_is_left_alone():
    np.random.seed(1)  # noqa: NPY002 - the global generator is what is watched
    before = np.random.get_state()[1].tolist()  # noqa: NPY002
    cem.maximize(lambda x: x.sum(axis=1), cem.Bernoulli([0.5] * 4), rng=1, max_iterations=2)
    cem.maximize(lambda x: x.sum(axis=1), cem.Bernoulli([0.5] * 4), max_iterations=2)
    assert np.random.get_state()[1].tolist() == before  # noqa: NPY002


@pytest.mark.parametrize(
    "rng",
    [0, 7, 2**200, [1, 2], SeedSequence(5).spawn(3)[2], SeedSequence(5, spawn_key=(1, 2)), None],
)
def test_the_name_of_a_root_is_enough_to_build_it_again(rng):
    root = root_of(rng)
    assert draw(root_named(name_of(root)), Purpose.FINAL, 2) == draw(root, Purpose.FINAL, 2)


def test_a_root_made_by_a_generator_can_be_built_again_from_its_name():
    root = root_of(default_rng(3))
    assert draw(root_named(name_of(root))) == draw(root)


@pytest.mark.parametrize(
    "words", [(1, 2), [1, 2], np.array([1, 2])], ids=["tuple", "list", "array"]
)
def test_equal_roots_have_equal_names_whatever_held_their_words(words):
    assert name_of(root_of(SeedSequence(words))) == name_of(root_of([1, 2]))


@pytest.mark.parametrize(
    ("rng", "error", "message"),
    [
        ("seed", TypeError, r"^rng must be an int, .*; got 'seed' of type str$"),
        (1.0, TypeError, r"^rng must be an int, .*; got 1\.0 of type float$"),
        (True, TypeError, r"^rng must be an int, .*; got True of type bool$"),
        (np.random, TypeError, r"^rng must be an int"),
        (-1, ValueError, r"^rng: a seed is a non-negative int or a sequence of them; got -1$"),
        ([1, -2], ValueError, r"^rng: a seed is a non-negative int .*; got \[1, -2\]$"),
        ([1, 2.5], ValueError, r"^rng: a seed is a non-negative int"),
    ],
)
def test_what_is_no_seed_is_refused_with_what_it_was(rng, error, message):
    with pytest.raises(error, match=message):
        root_of(rng)

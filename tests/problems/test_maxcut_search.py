"""Local searches for cuts: never worse, locally best, their compiled loops against plain ones."""

from itertools import product

import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cem.families.xoshiro import next_word, seeds
from problems.maxcut import Annealing, Iterated, MaxCut, OneFlip, Tabu, read_graph
from problems.maxcut.search_kernels import BITS, LOG_U, TRIALS

SQUARE = MaxCut([[0, 1], [1, 2], [2, 3], [0, 3]], [1.0] * 4, 4)


def random_graph(n, density, seed, weights):
    rng = np.random.default_rng(seed)
    i, j = np.triu_indices(n, 1)
    keep = rng.random(len(i)) < density
    return MaxCut(np.stack([i, j], axis=1)[keep], weights(rng, int(keep.sum())), n)


def signs(rng, m):
    return rng.choice([-1.0, 1.0], m)


def reals(rng, m):
    return rng.normal(size=m)


GRAPHS = {
    "unit weights": MaxCut.of(nx.gnp_random_graph(40, 0.2, seed=1)),
    "signs": random_graph(40, 0.3, 2, signs),
    "real weights": random_graph(40, 0.3, 3, reals),
    "huge whole weights": random_graph(30, 0.3, 4, lambda rng, m: 2.0**45 + rng.integers(0, 9, m)),
    "beyond exact sums": random_graph(30, 0.3, 4, lambda rng, m: 2.0**60 * rng.integers(1, 9, m)),
    "nearly too large": random_graph(30, 0.3, 4, lambda rng, m: 1e305 * rng.normal(size=m)),
    "nearly nothing": random_graph(30, 0.3, 4, lambda rng, m: 1e-310 * rng.normal(size=m)),
    "negative only": random_graph(20, 0.5, 5, lambda _, m: -np.ones(m)),
    "two parts and a lonely node": MaxCut([[0, 1], [1, 2], [4, 5]], [1.0, 2.0, 3.0], 6),
    "parallel edges": MaxCut([[0, 1], [1, 0], [1, 2]], [1.0, 2.0, -1.0], 3),
    "two nodes": MaxCut([[0, 1]], [1.0], 2),
}
EVERY = pytest.mark.parametrize(
    ("cut", "search"),
    [(cut, search) for cut in GRAPHS.values() for search in cut.refines().values()],
    ids=[f"{name}, {search}" for name, cut in GRAPHS.items() for search in cut.refines()],
)


def starts(cut, n=8, seed=0):
    return np.random.default_rng(seed).integers(0, 2, (n, cut.n_nodes), dtype=np.int8)


def every_cut(n):
    return np.array(list(product([0, 1], repeat=n)), dtype=np.int8)


@EVERY
def test_no_cut_becomes_worse_and_the_given_ones_stay_as_they_are(cut, search):
    x = starts(cut)
    kept = x.copy()
    found = search(x, np.random.default_rng(1))
    assert (found.shape, found.dtype) == (x.shape, np.int8)
    assert set(np.unique(found)) <= {0, 1}
    assert (x == kept).all()
    assert (cut(found) >= cut(x)).all()


@EVERY
def test_no_single_flip_gains_afterwards(cut, search):
    found = search(starts(cut), np.random.default_rng(1))
    if isinstance(search, Tabu):
        found = OneFlip(cut)(found, None)  # its best cut is one that nothing improves, too
        assert (found == search(starts(cut), np.random.default_rng(1))).all()
    one = np.eye(cut.n_nodes, dtype=np.int8)
    for x in found:
        gain = cut(x ^ one) - cut(x[None])
        assert gain.max() <= 1e-8 * cut.heaviest


@EVERY
def test_the_same_generator_gives_the_same_cuts_and_no_cut_knows_of_the_others(cut, search):
    x = starts(cut)
    found = search(x, np.random.default_rng(2))
    assert (search(x, np.random.default_rng(2)) == found).all()
    if not isinstance(search, Iterated):  # whose kicks are drawn for all cuts at once
        assert (search(x[:3], np.random.default_rng(2)) == found[:3]).all()
    assert search(x[:0], np.random.default_rng(2)).shape == (0, cut.n_nodes)


@pytest.mark.parametrize("weights", [signs, reals, lambda rng, m: 2.0**50 * reals(rng, m)])
@pytest.mark.parametrize("name", ["annealing", "tabu", "iterated"])
def test_the_best_of_a_few_searches_is_the_best_cut_there_is(name, weights):
    for seed in range(5):
        cut = random_graph(12, 0.6, seed, weights)
        best = cut(every_cut(12)).max()
        found = cut(cut.refines()[name](starts(cut, 5), np.random.default_rng(seed))).max()
        assert found == pytest.approx(best, rel=1e-12)


# The loops, one by one


def gains(cut, x):
    """Of every flip, by the definition; for whole weights."""
    one = np.eye(cut.n_nodes, dtype=np.int8)
    return cut(x ^ one) - cut(x[None])


def climbed(cut, x):
    x, since, i = x.copy(), 0, 0
    while since < cut.n_nodes:
        since += 1
        if gains(cut, x)[i] > 0:
            x[i] ^= 1
            since = 0
        i = (i + 1) % cut.n_nodes
    return x


def words(rng, n):
    """An endless stream of random words for each of ``n`` samples."""

    def stream(state):
        while True:
            yield int(next_word(state))

    return [stream(state) for state in seeds(rng, n)]


def annealed(cut, x, temperature, word):
    best, x, left, trials = x, x.copy(), 0, 0
    for t in temperature:
        for i in range(cut.n_nodes):
            gain = gains(cut, x)[i]
            if gain < float(LOG_U[0]) * t:
                continue
            if gain < 0:
                if trials == 0:
                    left, trials = next(word), TRIALS
                log_u, left, trials = LOG_U[left % 2**BITS], left >> BITS, trials - 1
                if gain < float(log_u) * t:
                    continue
            x[i] ^= 1
        if cut(x[None])[0] > cut(best[None])[0]:
            best = x.copy()
    return climbed(cut, best)


def searched(cut, x, steps, word):
    def below(n):
        return (next(word) >> 32) * n >> 32

    x = climbed(cut, x)
    best, until = x.copy(), np.zeros(cut.n_nodes, dtype=int)
    for t in range(steps):
        order = (below(cut.n_nodes) + np.arange(cut.n_nodes)) % cut.n_nodes
        gain, value, most = gains(cut, x), cut(x[None])[0], cut(best[None])[0]
        free = (until <= t) | (value + gain > most)
        i = max((k for k in order if free[k]), key=lambda k: gain[k], default=order[0])
        x[i] ^= 1
        until[i] = t + 1 + cut.n_nodes // 100 + below(10)
        if value + gain[i] > most:
            best = x.copy()
    return best


@pytest.fixture(scope="module")
def small():
    return random_graph(15, 0.5, 7, signs)


def test_one_flip_is_first_ascent(small):
    x = starts(small, 20)
    expected = [climbed(small, row) for row in x]
    assert OneFlip(small)(x, None).tolist() == np.array(expected).tolist()


def test_annealing_is_the_plain_loop_with_the_same_random_words(small):
    x = starts(small, 4)
    found = Annealing(small, sweeps=12, hot=0.8, cold=0.1)(x, np.random.default_rng(3))
    degree = np.bincount(small.ends.ravel())
    temperature = np.sqrt(degree.mean()) * np.linspace(0.8, 0.1, 12)
    streams = words(np.random.default_rng(3), 4)
    expected = [annealed(small, row, temperature, w) for row, w in zip(x, streams, strict=True)]
    assert found.tolist() == np.array(expected).tolist()


def test_tabu_is_the_plain_loop_with_the_same_random_words(small):
    x = starts(small, 4)
    found = Tabu(small, steps=40)(x, np.random.default_rng(3))
    streams = words(np.random.default_rng(3), 4)
    expected = [searched(small, row, 40, w) for row, w in zip(x, streams, strict=True)]
    assert found.tolist() == np.array(expected).tolist()


def test_the_random_numbers_of_the_trials_are_uniform_on_a_fine_grid():
    u = np.exp(LOG_U.astype(float))
    np.testing.assert_allclose(u, (np.arange(2**BITS) + 0.5) / 2**BITS, rtol=1e-6)


@settings(max_examples=25)
@given(st.integers(0, 2**32 - 1))
def test_mirror_images_climb_to_mirror_images(seed):
    cut = GRAPHS["signs"]
    x = starts(cut, 5, seed)
    assert (OneFlip(cut)(1 - x, None) == 1 - OneFlip(cut)(x, None)).all()


def test_scaling_real_weights_changes_no_search():
    cut = GRAPHS["real weights"]
    for factor in (2.0**-1000, 2.0**900):
        other = MaxCut(cut.ends, factor * cut.weight, cut.n_nodes)
        for a, b in zip(cut.refines().values(), other.refines().values(), strict=True):
            x = starts(cut)
            assert (a(x, np.random.default_rng(4)) == b(x, np.random.default_rng(4))).all()


def test_more_kicks_are_never_worse():
    cut = GRAPHS["real weights"]
    scores = [
        cut(Iterated(OneFlip(cut), kicks)(starts(cut), np.random.default_rng(5)))
        for kicks in (1, 5, 25)
    ]
    assert (np.diff(scores, axis=0) >= 0).all()
    assert (scores[-1] > scores[0]).any()


def test_a_few_annealings_of_a_real_graph_come_within_a_thousandth_of_the_best_known(shared):
    cut = read_graph(shared / "gset" / "G1.txt")
    found = Annealing(cut, hot=0.4)(starts(cut, 5), np.random.default_rng(0))
    assert 0.999 * 11624 <= cut(found).max() <= 11624


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: Annealing(SQUARE, sweeps=0), ValueError, r"sweeps must be at least 1; got 0$"),
        (lambda: Annealing(SQUARE, sweeps=1.5), TypeError, r"sweeps must be a whole number"),
        (lambda: Annealing(SQUARE, hot=0.01), ValueError, r"cold=0.05 and hot=0.01$"),
        (lambda: Annealing(SQUARE, cold=0), ValueError, r"temperatures 0 < cold <= hot"),
        (lambda: Annealing(SQUARE, hot=np.nan), ValueError, r"hot=nan$"),
        (lambda: Tabu(SQUARE, steps=0), ValueError, r"steps must be at least 1; got 0$"),
        (lambda: Iterated(OneFlip(SQUARE), 0), ValueError, r"kicks must be at least 1; got 0$"),
        (lambda: Iterated(OneFlip(SQUARE), share=0), ValueError, r"share, .* \(0, 1\]; got 0$"),
        (lambda: OneFlip(SQUARE)([[0, 1, 0]], None), ValueError, r"\(n, 4\); got \(1, 3\)$"),
        (lambda: OneFlip(SQUARE)([[0, 1, 0, 2]], None), ValueError, r"sides 0 and 1; got 2$"),
        (lambda: OneFlip(SQUARE)([[0, 1, 0, np.nan]], None), ValueError, r"0 and 1; got nan$"),
    ],
)
def test_bad_settings_and_cuts_are_named(make, error, message):
    with pytest.raises(error, match=message):
        make()

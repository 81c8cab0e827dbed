"""DependencyTree keeps the family contract; Chow and Liu's tree against every tree of four bits."""

from itertools import product

import numpy as np
import pytest

import cem
from cem.families.tree import DependencyTree
from cem.loss import cross_entropy, empirical_cross_entropy, entropy, kl_divergence
from cem.smoothing import Constant, Margin
from cem.state import State
from cem.testing import FamilyContract

STATES = np.array(list(product([0, 1], repeat=4)))


def fitted(weights, d=4):
    x = np.array(list(product([0, 1], repeat=d)))
    return DependencyTree.independent(np.full(d, 0.5)).fit(x, np.asarray(weights))


def any_weights(seed):
    return np.random.default_rng(seed).standard_exponential(16) ** 2


def chain(d, p, stay):
    """Bits in a line that agree with the one before with probability ``stay``."""
    distance = abs(np.subtract.outer(np.arange(d), np.arange(d)))
    assert p == 0.5
    return DependencyTree((1 + (2 * stay - 1.0) ** distance) / 4)


class TestThreeBits(FamilyContract):
    family = fitted([6, 1, 1, 3, 1, 2, 1, 9], d=3)
    outside = ([0, 2, 0], [0, 0, -1], [0.5, 0, 0], [0, np.nan, 1])
    degrees = 6  # of all densities with interactions of two bits, of which the trees are some


class TestDearEdges(FamilyContract):
    family = DependencyTree(TestThreeBits.family.pair, 0.1)
    outside = ([0, 2, 0], [0, 0, -1])
    degrees = 6


class TestIndependentBits(FamilyContract):
    family = DependencyTree.independent([0.2, 0.5, 0.9, 0.4])
    outside = ([0, 0, 2, 0],)
    degrees = 10


class TestOneBit(FamilyContract):
    family = DependencyTree([[0.3]])
    outside = ([2], [np.nan])


class TestBitsThatAreSureOrAgree(FamilyContract):
    family = DependencyTree(
        [[0.4, 0.4, 0.0, 0.4], [0.4, 0.4, 0.0, 0.4], [0, 0, 0, 0], [0.4, 0.4, 0, 1]]
    )
    outside = ([0, 1, 0, 1], [0, 0, 1, 1], [1, 1, 0, 0])


def every_tree():
    """The parents of every tree of four nodes, rooted at the first."""
    for parents in product(range(4), repeat=3):
        parent = [-1, *parents]
        roots = []
        for j in range(4):
            for _ in range(4):
                j = parent[j] if j > 0 else 0  # noqa: PLW2901
            roots.append(j)
        if roots == [0, 0, 0, 0]:
            yield parent


def likeliest(w, parent):
    """The likeliest density with a tree, by counting, on all sixteen states."""
    w, f = w / w.sum(), np.ones(16)
    for j, i in enumerate(parent):
        given = STATES[:, [i]] == STATES[:, i] if i >= 0 else np.ones((16, 16), dtype=bool)
        both = given & (STATES[:, [j]] == STATES[:, j])
        f *= (both @ w) / (given @ w)
    return f


def test_four_nodes_have_sixteen_trees():
    assert len(list(every_tree())) == 16


@pytest.mark.parametrize("seed", range(8))
def test_the_fit_is_the_likeliest_of_all_trees(seed):
    w = any_weights(seed)
    best = max((likeliest(w, parent) for parent in every_tree()), key=lambda f: w @ np.log(f))
    f = fitted(w)
    np.testing.assert_allclose(np.exp(f.log_density(STATES)), best, rtol=1e-12)
    loss = empirical_cross_entropy(f.log_density(STATES), w)
    assert loss == pytest.approx(-(w @ np.log(best)) / w.sum(), rel=1e-13)


def every_forest():
    """The parents of every forest of four nodes: a tree with some edges cut, some more than once"""
    for tree in every_tree():
        for kept in product([False, True], repeat=3):
            yield [-1, *(i if keep else -1 for i, keep in zip(tree[1:], kept, strict=True))]


@pytest.mark.parametrize("threshold", [0.01, 0.1])
@pytest.mark.parametrize("seed", range(4))
def test_with_a_price_on_edges_the_fit_is_the_best_of_all_forests(seed, threshold):
    w = any_weights(seed)

    def cost(parent):
        edges = sum(i >= 0 for i in parent)
        return threshold * edges - w @ np.log(likeliest(w, parent)) / w.sum()

    best = min(every_forest(), key=cost)
    f = DependencyTree.independent([0.5] * 4, threshold).fit(STATES, w)
    np.testing.assert_allclose(np.exp(f.log_density(STATES)), likeliest(w, best), rtol=1e-12)
    assert sum(f.tree.parent >= 0) == sum(i >= 0 for i in best)


def test_the_price_of_edges_stays_and_is_no_parameter():
    f = DependencyTree.independent([0.5, 0.5], 0.1)
    assert sorted(f.parameters()) == ["pair"]
    for other in (f.fit(np.eye(2), np.ones(2)), f.smooth(f, 0.5), f.within_margin(0.1, f)):
        assert float(other.threshold) == 0.1
    with pytest.raises(ValueError, match=r"threshold must be finite and not negative; got -1"):
        DependencyTree([[0.5]], -1)


@pytest.mark.parametrize("seed", range(4))
def test_the_density_sums_to_one_and_has_the_pairs_of_its_edges(seed):
    f = fitted(any_weights(seed))
    p = np.exp(f.log_density(STATES))
    assert p.sum() == pytest.approx(1, abs=1e-14)
    pair = (p[:, None] * STATES).T @ STATES
    np.testing.assert_allclose(np.diag(pair), f.p, rtol=1e-13)
    edges = [(j, i) for j, i in enumerate(f.tree.parent) if i >= 0]
    assert len(edges) == 3
    for edge in edges:
        assert pair[edge] == pytest.approx(f.pair[edge], rel=1e-13)


@pytest.mark.parametrize("alpha", [0.2, 0.7])
def test_smoothing_is_the_fit_to_both_samples_and_so_the_nearest_tree_to_the_mixture(alpha):
    v, w = any_weights(1), any_weights(2)
    mixture = alpha * w / w.sum() + (1 - alpha) * v / v.sum()
    smoothed = np.exp(fitted(v).smooth(fitted(w), alpha).log_density(STATES))
    nearest = max(
        (likeliest(mixture, parent) for parent in every_tree()),
        key=lambda f: mixture @ np.log(f),
    )
    np.testing.assert_allclose(smoothed, nearest, rtol=1e-12)


def test_smoothing_need_keep_neither_tree():
    f, g = fitted(any_weights(1)), fitted(any_weights(2))
    trees = [
        {frozenset((j, int(i))) for j, i in enumerate(h.tree.parent)}
        for h in (f, g, f.smooth(g, 0.5))
    ]
    assert trees[0] != trees[1]
    assert trees[2] not in trees[:2]


def test_the_tree_of_a_chain_is_found_from_a_sample():
    f = chain(30, 0.5, 0.8)
    x = f.sample(np.random.default_rng(0), 2000)
    assert f.fit(x, np.ones(2000)).tree.parent.tolist() == list(range(-1, 29))
    shuffle = np.random.default_rng(1).permutation(30)
    parent = f.fit(x[:, shuffle], np.ones(2000)).tree.parent
    assert {abs(shuffle[j] - shuffle[i]) for j, i in enumerate(parent) if i >= 0} == {1}


def test_samples_have_the_frequencies_of_the_density():
    f = fitted(any_weights(3))
    x = f.sample(np.random.default_rng(0), 100_000)
    counts = np.bincount(x @ [8, 4, 2, 1], minlength=16)
    expected = 100_000 * np.exp(f.log_density(STATES))
    assert (((counts - expected) ** 2) / expected).sum() < 55.5  # chi-squared, 15: 1.5e-6


def test_the_support_is_a_box_unless_bits_must_agree():
    box = DependencyTree.independent([0.0, 0.3, 1.0]).support()
    assert (box.low.tolist(), box.high.tolist(), box.discrete) == ([0, 0, 1], [0, 1, 1], True)
    assert fitted(any_weights(1)).support().high.tolist() == [1, 1, 1, 1]
    assert DependencyTree([[0.5, 0.5], [0.5, 0.5]]).support() is None
    assert DependencyTree([[0.5, 0.0], [0.0, 0.3]]).support() is None


def test_independent_bits_are_coins_without_edges():
    p = np.array([0.2, 0.5, 0.9, 0.0])
    f, coins = DependencyTree.independent(p), cem.Bernoulli(p)
    assert f.tree.parent.tolist() == [-1, -1, -1, -1]
    assert f.tree.depth.tolist() == [0, 0, 0, 0]
    np.testing.assert_allclose(f.log_density(STATES), coins.log_density(STATES), rtol=1e-14)
    assert entropy(f) == pytest.approx(entropy(coins), rel=1e-14)


def test_pairs_that_tie_give_the_same_tree_in_any_order_of_the_batch():
    rng = np.random.default_rng(0)
    bit = rng.integers(0, 2, size=(50, 1))
    x, w = np.repeat(bit, 6, axis=1), rng.standard_exponential(50)
    start = DependencyTree.independent(np.full(6, 0.5))
    for _ in range(20):
        order = rng.permutation(50)
        assert start.fit(x[order], w[order]).tree.parent.tolist() == [-1, 0, 0, 0, 0, 0]


@pytest.mark.parametrize(("a", "b"), [(1, 2), (3, 4), (5, 5), (6, 1)])
def test_the_entropy_and_the_divergence_are_the_sums_over_all_states(a, b):
    f, g = fitted(any_weights(a)), fitted(any_weights(b))
    log_p, log_q = f.log_density(STATES), g.log_density(STATES)
    p = np.exp(log_p)
    assert entropy(f) == pytest.approx(-p @ log_p, rel=1e-13)
    assert kl_divergence(f, g) == pytest.approx(p @ (log_p - log_q), rel=1e-12, abs=1e-15)
    assert cross_entropy(f, g) == pytest.approx(-p @ log_q, rel=1e-13)


def test_the_divergence_of_near_members_does_not_cancel():
    f = chain(5, 0.5, 0.8)
    for step in (1e-3, 1e-6, 1e-8):
        near = chain(5, 0.5, 0.8 + step)
        stay = 0.8 * np.log1p(-step / (0.8 + step)) - 0.2 * np.log1p(-step / 0.2)
        if step == 1e-3:
            assert kl_divergence(f, near) == pytest.approx(4 * stay, rel=1e-10)
        second_order = 4 * step**2 / (2 * 0.8 * 0.2)
        assert kl_divergence(f, near) == pytest.approx(second_order, rel=5 * step + 1e-7)


def test_the_divergence_from_what_the_other_forbids_is_infinite():
    free, agree = DependencyTree.independent([0.5, 0.5]), DependencyTree([[0.5, 0.5], [0.5, 0.5]])
    assert kl_divergence(free, agree) == np.inf
    assert kl_divergence(agree, free) == pytest.approx(np.log(2), rel=1e-14)
    assert kl_divergence(agree, agree) == 0.0
    never = DependencyTree([[0.0, 0.0], [0.0, 0.5]])
    assert kl_divergence(never, agree) == np.inf
    assert kl_divergence(never, free) == pytest.approx(np.log(2), rel=1e-14)


@pytest.mark.parametrize("least", [0.2, 0.3])
def test_within_a_margin_no_bit_is_surer_than_that_given_its_parent(least):
    f = fitted(any_weights(4))
    parent, p0, p1, _, _ = f.tree
    given = STATES[:, parent]
    one = np.where(given == 1, p1.clip(least, 1 - least), p0.clip(least, 1 - least))
    p = np.where(STATES == 1, one, 1 - one).prod(axis=1)
    tight = f.within_margin(least, f)
    np.testing.assert_allclose(np.exp(tight.log_density(STATES)), p, rtol=1e-12)
    np.testing.assert_allclose((p[:, None] * STATES).T @ STATES, tight.pair, rtol=1e-12)
    assert f.within_margin(1e-9, f) is f


def test_within_a_margin_bits_that_always_agree_still_turn_together():
    zeros = DependencyTree.independent([0.5] * 5).fit(
        np.array([[0] * 5, [1] * 5]), np.array([1.0, 1e-9])
    )
    kept = zeros.within_margin(0.01, DependencyTree.independent([0.5] * 5))
    assert np.exp(kept.log_density(np.ones((1, 5))))[0] == pytest.approx(0.01 * 0.99**4)
    assert np.exp(kept.log_density(np.array([[0, 1, 0, 0, 0]])))[0] < 2e-2


def test_the_smoothing_called_margin_keeps_a_tree_within_it():
    class Fit:
        v_hat = DependencyTree([[0.5, 0.5], [0.5, 0.5]])

    v, _ = Margin(Constant(1.0), 0.1)(State(Fit.v_hat), Fit)
    np.testing.assert_allclose(v.pair, [[0.5, 0.45], [0.45, 0.5]], rtol=1e-14)


def test_a_run_of_ones_along_a_chain_has_its_exact_probability():
    f = chain(12, 0.5, 0.6)
    found = cem.estimate(lambda x: x.sum(axis=1), f, 12, n_samples=2000, n_final=20_000, rng=1)
    exact = 0.5 * 0.6**11
    assert abs(found.probability - exact) < 5 * found.std_error < 0.5 * exact


def test_a_ring_of_spins_that_deceives_coins_is_solved():
    start = DependencyTree.independent(np.full(30, 0.5))

    def agree(x):
        return (x == np.roll(x, 1, axis=1)).sum(axis=1)

    assert cem.maximize(agree, start, n_samples=300, alpha=0.5, rng=1).fun == 30


@pytest.mark.parametrize(
    ("pair", "message"),
    [
        ([[0.5, 0.5]], r"^DependencyTree\.pair must be square; got shape \(1, 2\)"),
        ([[0.5, 0.2], [0.3, 0.5]], r"must be symmetric; got a matrix that differs"),
        ([[0.5, 0.6], [0.6, 0.5]], r"must lie in \[0, 0\.5\] for bits .* 0\.5 and 0\.5; got 0\.6"),
        ([[0.9, 0.2], [0.2, 0.8]], r"must lie in \[0\.7, 0\.8\] .* got 0\.2 at index \(0, 1\)"),
        ([[1.5]], r"^DependencyTree\.pair must lie in \[0, 1\]; got 1\.5 at index"),
        ([0.5, 0.5], r"^DependencyTree\.pair must have 2 axes"),
    ],
)
def test_pairs_that_cannot_be_are_named(pair, message):
    with pytest.raises(ValueError, match=message):
        DependencyTree(pair)


def test_a_sample_that_is_no_bit_is_refused_with_its_place():
    with pytest.raises(ValueError, match=r"DependencyTree\.fit: .* whole numbers from 0 to 1"):
        DependencyTree([[0.5]]).fit(np.array([[0], [2]]), np.ones(2))

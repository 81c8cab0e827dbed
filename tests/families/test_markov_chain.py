"""MarkovChain keeps the family contract; gambler's ruin in closed form, and a plain Python twin."""

import numpy as np
import pytest

from cem.families import markov_chain
from cem.families.markov_chain import MarkovChain
from cem.families.paths import Paths
from cem.testing import FamilyContract

UP, N = 0.4, 6


def ruin(up, top=None, rest=None):
    """A gambler with 2 of 6 coins: state 0 is 2 coins; the last numbers are 0 and 6 coins."""
    coins = [2, 1, 3, 4, 5]
    number = {c: i for i, c in enumerate([*coins, 0, N])}
    after = [[number[c - 1], number[c + 1]] for c in coins]
    p = np.column_stack([1 - np.asarray(up), up])
    return MarkovChain(p, after, np.arange(5) % len(p), [*coins, 0, N], top, rest)


def path(*events):
    """The steps of a gambler who loses (0) and wins (1)."""
    f, state, steps = ruin([UP] * 5), 0, []
    for event in events:
        steps.append((state, event))
        state = int(f.after[state, event]) if state < 5 and event in {0, 1} else 5
    return Paths(np.array(steps), [len(steps)])


def twin(f, rng, n):
    """The same paths, from the same numbers, in plain Python."""
    paths = []
    for _ in range(n):
        state, reached, steps = 0, False, []
        while state < len(f.row):
            reached = reached or f.height[state] >= f.top[0]
            p = (f.rest if reached else f.p)[int(f.row[state])]
            event = int((rng.random() >= np.cumsum(p)[:-1]).sum())
            steps.append([state, event])
            state = int(f.after[state, event])
        paths.append(steps)
    return paths


class TestOneRowPerState(FamilyContract):
    family = ruin([0.5, 0.7, 0.45, 0.6, 0.3])
    spread_is_std = False


class TestTiltedUntilItIsAtTheTop(FamilyContract):
    family = ruin([0.8, 0.9, 0.7, 0.6, 0.5], top=[4], rest=[[0.7, 0.3]] * 5)
    spread_is_std = False


class TestOneRowForAllStates(FamilyContract):
    family = ruin([0.7], top=[5], rest=[[0.6, 0.4]])
    spread_is_std = False


@pytest.mark.parametrize("top", [3, 5, 6])
def test_paths_are_those_of_a_plain_twin(top):
    f = ruin([0.8, 0.9, 0.7, 0.6, 0.5], top=[top], rest=[[0.7, 0.3]] * 5)
    x = f.sample(np.random.default_rng(3), 200)
    assert [x[i].tolist() for i in range(200)] == twin(f, np.random.default_rng(3), 200)


def test_the_density_is_that_of_the_rows_up_to_the_top_and_of_the_rest_from_there():
    f = ruin([0.8, 0.9, 0.7, 0.6, 0.5], top=[4], rest=[[0.7, 0.3]] * 5)
    x = path(1, 1, 0, 0, 0, 0)  # 2, 3, 4: from here the rest, 3, 2, 1, 0
    assert f.log_density(x)[0] == pytest.approx(np.log(0.8 * 0.7 * 0.7**4), rel=1e-14)


def test_the_densities_of_all_short_paths_and_the_chance_of_a_long_one_sum_to_one():
    f, n = ruin([0.5, 0.7, 0.45, 0.6, 0.3]), 8
    every = [path(*(w >> t & 1 for t in range(k))) for k in range(1, n + 1) for w in range(2**k)]
    total = sum(np.exp(f.log_density(x)[0]) for x in every if f.log_density(x)[0] > -np.inf)
    move = np.zeros((7, 7))
    for s in range(5):
        move[s, f.after[s].astype(int)] = f.p[s]
    late = np.linalg.matrix_power(move, n)[0, :5].sum()
    assert total == pytest.approx(1 - late, rel=1e-12)


@pytest.mark.parametrize(
    "events", [(), (0,), (0, 1), (0, 0, 0), (1, 1, 1, 1, 1), (0, 2), (0, -1), (1, 1)]
)
def test_what_is_no_path_to_an_end_has_no_density_and_is_not_fitted(events):
    f = ruin([UP] * 5)
    x = path(*events) if events else Paths(np.array([[1, 0]]), [1])  # not from state 0
    assert f.log_density(x)[0] == -np.inf
    with pytest.raises(ValueError, match=r"must be paths from state 0 to an end; got \[\["):
        f.fit(x, np.ones(1))


def test_good_paths_keep_their_density_beside_bad_ones():
    f = ruin([UP] * 5)
    both = Paths(np.array([[0, 0], [1, 1], [0, 0], [1, 0]]), [2, 2])
    assert f.log_density(both).tolist() == [-np.inf, pytest.approx(2 * np.log(0.6))]


def test_the_fit_is_the_share_of_every_event_and_rows_not_visited_stay():
    f = ruin([UP] * 5)
    x = Paths(np.concatenate([path(0, 0).steps, path(0, 1, 0, 0).steps]), [2, 4])
    fitted = f.fit(x, np.array([3.0, 1.0]))
    np.testing.assert_allclose(fitted.p[:2], [[1, 0], [0.8, 0.2]], rtol=1e-14)
    np.testing.assert_array_equal(fitted.p[2:], f.p[2:])


def test_the_fit_to_the_winners_is_the_chain_given_that_it_wins():
    f = ruin([UP] * 5)
    x = f.sample(np.random.default_rng(0), 200_000)
    fitted = f.fit(x, (f.highest(x) == N).astype(float))
    r = (1 - UP) / UP
    h = (r ** np.arange(N + 1) - 1) / (r**N - 1)  # to win from 0, ..., 6 coins
    coins = f.height[:5].astype(int)
    np.testing.assert_allclose(fitted.p[:, 1], UP * h[coins + 1] / h[coins], atol=0.02)


def test_the_chain_given_that_it_wins_has_likelihood_ratios_of_variance_zero():
    f = ruin([UP] * 5)
    r = (1 - UP) / UP
    h = (r ** np.arange(N + 1) - 1) / (r**N - 1)
    coins = f.height[:5].astype(int)
    up = UP * h[coins + 1] / h[coins]
    best = f.replace(p=np.column_stack([1 - up, up]))
    x = best.sample(np.random.default_rng(0), 500)
    w = np.exp(f.log_density(x) - best.log_density(x))
    np.testing.assert_allclose(w, h[2], rtol=1e-12)


def test_the_fit_finds_the_height_that_all_have_reached_and_leaves_alone_what_follows():
    f = ruin([UP] * 5)
    x = f.sample(np.random.default_rng(1), 100_000)
    fitted = f.fit(x, (f.highest(x) >= 4).astype(float))
    assert fitted.top.tolist() == [4]
    r = (1 - UP) / UP
    h = (r ** np.arange(5) - 1) / (r**4 - 1)
    np.testing.assert_allclose(fitted.p[:3, 1], UP * h[[3, 2, 4]] / h[[2, 1, 3]], atol=0.02)
    np.testing.assert_array_equal(fitted.p[3:], f.p[3:])


def test_a_smoothed_chain_has_rows_of_both_and_the_new_top():
    a = ruin([0.4, 0.4, 0.4, 0.4, 0.4])
    b = ruin([0.8, 0.6, 0.4, 0.2, 0.0], top=[3])
    half = a.smooth(b, 0.5)
    np.testing.assert_allclose(half.p[:, 1], [0.6, 0.5, 0.4, 0.3, 0.2], rtol=1e-14)
    assert half.top.tolist() == [3]


def test_no_narrower_than_keeps_a_twentieth_of_every_event():
    sure = ruin([1.0] * 5).no_narrower_than(ruin([UP] * 5))
    np.testing.assert_allclose(sure.p, [[0.03 / 1.03, 1 / 1.03]] * 5, rtol=1e-14)
    kept = ruin([0.9] * 5)
    np.testing.assert_allclose(kept.no_narrower_than(ruin([UP] * 5)).p, kept.p, rtol=1e-15)


def test_the_largest_height_counts_the_beginning_and_the_end():
    f = ruin([UP] * 5)
    for events, highest in [((0, 0), 2), ((1, 1, 1, 1), N), ((1, 0, 0, 0), 3)]:
        assert f.highest(path(*events)).tolist() == [highest]


def test_a_chain_without_an_end_is_named(monkeypatch):
    monkeypatch.setattr(markov_chain, "LONGEST", 50)
    stays = MarkovChain([[1.0, 0.0]], [[0, 1]], [0], [0, 1])
    with pytest.raises(ValueError, match=r"a path has not ended after 50 steps.* p likely keeps"):
        stays.sample(np.random.default_rng(0), 3)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"after": [[0, 1, 2]]}, r"MarkovChain\.after must have shape \(1, 2\)"),
        ({"row": [0, 0]}, r"MarkovChain\.after must have shape \(2, 2\)"),
        ({"row": [1]}, r"MarkovChain\.row must be below 1, the number of rows of p; got 1"),
        ({"height": [0, 1]}, r"MarkovChain\.height must have shape \(3,\)"),
        ({"top": [1, 2]}, r"MarkovChain\.top must have shape \(1,\)"),
        ({"rest": [[0.5, 0.5]] * 2}, r"MarkovChain\.rest must have shape \(1, 2\)"),
        ({"p": [[0.5, 0.6]]}, r"MarkovChain\.p must hold rows that sum to 1"),
    ],
)
def test_parts_that_do_not_fit_are_named(wrong, message):
    good = {"p": [[0.5, 0.5]], "after": [[1, 2]], "row": [0], "height": [0, 1, 2]}
    MarkovChain(**good)
    with pytest.raises(ValueError, match=message):
        MarkovChain(**good | wrong)


def test_a_batch_that_holds_no_paths_of_events_is_refused():
    f = ruin([UP] * 5)
    with pytest.raises(TypeError, match=r"^MarkovChain needs a batch of .*Paths; got ndarray"):
        f.log_density(np.zeros((3, 2)))
    with pytest.raises(
        ValueError, match=r"needs a state and an event per step, .* got shape \(3, 1"
    ):
        f.log_density(Paths(np.zeros((3, 1)), [3]))
    with pytest.raises(ValueError, match=r"needs a sample of positive weight; got none of 1"):
        f.fit(path(0, 0), np.zeros(1))

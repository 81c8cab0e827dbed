"""Presets: which parts they choose, and what a search with them finds."""

import math

import numpy as np
import pytest

import cem
from cem import Bernoulli, Categorical, DependencyTree, Elite, Margin, Normal
from cem.checkpoint import dumps, loads
from cem.presets import Alternating, InTurn, default, face, icem, preset_of, textbook
from cem.state import History, Record
from problems.binary import IsingRing, LeadingOnes, OneMax
from problems.queens import NQueens

COINS = Bernoulli(np.full(30, 0.5))
EVEN = Categorical(np.full((6, 6), 1 / 6))
SEEDS = range(8)


def solved(problem, budget, family=None, seeds=SEEDS, **settings):
    """How many runs of so many evaluations find the optimum."""
    settings |= {"target": problem.optimum, "max_evaluations": budget}
    found = (cem.maximize(problem, family, rng=seed, **settings) for seed in seeds)
    return sum(run.fun == problem.optimum for run in found)


def sizes(history):
    """The samples of an iteration of every search, in order."""
    which, n = history.column("restart").astype(int), history.column("n")
    of = [np.unique(n[which == k]) for k in range(which[-1] + 1)]
    assert all(len(size) == 1 for size in of)
    return [size.item() for size in of]


# The default for choices


@pytest.mark.parametrize("n", [50, 100])
def test_the_default_climbs_one_bit_after_the_other(n):
    assert solved(OneMax(n), 20 * n) == 8
    assert solved(OneMax(n), 20 * n, preset="textbook") == 0


def test_the_default_climbs_where_a_bit_counts_only_after_those_before_it():
    assert solved(LeadingOnes(50), 6000) == 8
    assert solved(LeadingOnes(50), 6000, preset="textbook") <= 2


def test_the_default_places_queens():
    assert solved(NQueens(8), 20_000) >= 6
    assert solved(NQueens(8), 20_000, preset="textbook") <= 3


def test_a_search_that_was_caught_is_followed_by_another():
    def blocks(x):  # of every four bits 4 hits are best, then 2; 3 are worse
        hits = (x == [1, 1, 0, 0] * 3).reshape(len(x), 3, 4).sum(axis=2)
        return np.where(hits == 4, 4.0, 2.0 - abs(hits - 2) / 2).sum(axis=1)

    start, settings = Bernoulli([0.5] * 12), {"max_evaluations": 2000, "target": 12}
    runs = [cem.maximize(blocks, start, rng=seed, **settings) for seed in SEEDS]
    once = [cem.maximize(blocks, start, rng=seed, restarts=0, **settings) for seed in SEEDS]
    assert [run.fun for run in runs] == [12] * 8
    assert {run.state.restart for run in runs} == {0, 1}
    assert min(run.fun for run in once) < 12


def test_every_second_search_has_many_samples_and_ever_more():
    found = cem.maximize(lambda x: np.zeros(len(x)), COINS, rng=1, max_evaluations=30_000)
    n = sizes(found.history)
    assert len(n) > 5
    assert n == [9 if k % 2 == 0 else 320 * 2 ** (k // 2) for k in range(len(n))]


def test_only_the_searches_with_few_samples_keep_the_margin():
    seen = {0: 0.5, 1: 0.5}

    def watch(state, _):
        seen[state.restart % 2] = min(seen[state.restart % 2], state.v.p.min())

    few = OneMax(30)
    cem.maximize(lambda x: -few(x), COINS, rng=1, max_evaluations=20_000, callback=watch)
    assert seen[0] == pytest.approx(1.2 / 32, rel=1e-12)
    assert seen[1] < 1e-3


def test_with_few_samples_a_search_is_patient_and_with_many_it_is_not():
    flat = {"problem": lambda x: np.zeros(len(x)), "family": COINS, "rng": 1, "restarts": 0}
    assert cem.maximize(**flat).nit == 79  # 22 * 32 / 9
    assert cem.maximize(**flat, n_samples=500).nit == 5


@pytest.mark.parametrize(
    "family",
    [
        Bernoulli([0.5]),
        Bernoulli([0.5, 0.5]),
        Bernoulli([1.0]),
        Categorical([[0.2, 0.3, 0.5]]),
        Categorical([[0.1] * 10]),
        Categorical([[1.0, 0.0], [0.0, 1.0]]),
        DependencyTree([[0.5]]),
    ],
    ids=repr,
)
def test_the_smallest_families_are_searched(family):
    found = cem.maximize(lambda x: x.sum(axis=1), family, rng=1, max_evaluations=3000)
    assert found.fun == family.support().high.sum()


def test_a_few_samples_of_ones_own_are_enough():
    found = cem.maximize(OneMax(30), n_samples=4, rng=1, max_iterations=400)
    assert found.fun >= 28


def test_a_run_cut_in_any_search_and_resumed_gives_the_same_bits(same_run):
    problem, settings = NQueens(6), {"rng": 3, "max_evaluations": 9000}
    saved = []
    whole = cem.maximize(problem, **settings, callback=lambda s, r: saved.append((s, r)))
    turns = np.flatnonzero(np.diff(whole.history.column("restart"))) + 1
    assert len(turns) >= 2
    for t in (3, turns[0] - 1, turns[0], turns[0] + 1, turns[1]):
        state, history = saved[t - 1][0], cem.History(whole.history[:t])
        start = loads(dumps(state, history, {}), problem.nominal())[:2]
        assert same_run(cem.maximize(problem, **settings, start=start), whole)


# The default for dependent bits, and for the rest


def test_neighbours_that_must_agree_are_found_by_the_default_for_dependent_bits():
    problem, start = IsingRing(20), DependencyTree.independent([0.5] * 20, threshold=0.01)
    assert solved(problem, 4000, start) == 8
    assert solved(problem, 4000, start, preset="textbook") <= 4


@pytest.mark.parametrize("family", [cem.Poisson([3.0]), cem.TruncatedNormal([0], [1], [-1], [1])])
def test_for_other_families_the_default_is_the_textbook(family):
    assert repr(default(family)).split(", ends=")[0] == repr(textbook(family)).split(", ends=")[0]
    assert isinstance(default(family).select, Elite)


def test_what_is_given_replaces_its_part():
    plan = default(COINS)
    assert isinstance(plan.smooth.of[0], Margin)
    found = cem.maximize(
        OneMax(30), COINS, preset="default", rho=0.2, n_samples=50, restarts=0, rng=1
    )
    assert set(found.history.column("n")) == {50}
    assert found.history.column("n_elite").min() >= 10


# FACE


def test_face_says_that_its_answer_is_reliable():
    found = cem.maximize(OneMax(20), preset="face", rng=1)
    assert (found.fun, found.success) == (20, True)
    assert found.message == "reliable: the level was the best score for 5 iterations"


def test_face_says_that_its_answer_is_not():
    def near(x):  # the nearer, the rarer: neither the best nor the tenth rises any more
        return -np.abs(x @ 2.0 ** -np.arange(1, 31) - 0.37)

    plan = face(COINS)
    found = cem.maximize(near, COINS, preset="face", rng=1)
    assert not found.success
    assert found.message.startswith("unreliable: neither the level nor the best score rose")
    stood = found.history.column("kl") == 0
    last = len(stood) - np.flatnonzero(~stood)[-1] - 1
    assert last * plan.n_samples == 20 * plan.n_samples


def test_face_works_for_densities_too():
    def bowl(x):
        return ((x - 1) ** 2).sum(axis=1)

    found = cem.minimize(bowl, bounds=[(-4, 4)] * 2, preset="face", rng=1)
    assert found.x == pytest.approx([1, 1], abs=1e-3)


# iCEM


def test_icem_has_ever_fewer_samples_and_ten_of_them_are_elite():
    start = cem.ColouredNormal(np.full(20, 2.0), np.ones(20), beta=2.0, horizon=20)
    found = cem.minimize(
        lambda x: np.square(x).sum(axis=1), start, preset="icem", rng=1, max_iterations=12
    )
    n = found.history.column("n")
    assert n[:3].tolist() == [100, 80, 64]
    assert (np.diff(n) <= 0).all()
    assert n[-1] == 20
    assert set(found.history.column("n_elite")) == {10}
    assert len(found.state.memory["kept"]) == 3


def test_icem_beats_the_textbook_at_a_few_hundred_evaluations():
    start = cem.ColouredNormal(np.zeros(30), np.ones(30), beta=2.0, horizon=30)
    wave = np.sin(np.arange(30) / 5)

    def miss(x):
        return np.square(x - wave).sum(axis=1)

    def missed(name):
        runs = (
            cem.minimize(miss, start, preset=name, rng=seed, max_evaluations=600) for seed in SEEDS
        )
        return np.mean([run.fun for run in runs])

    assert missed("icem") < 0.8 * missed("textbook")


# Parts and names


def test_smoothings_take_turns_search_by_search():
    turns = InTurn((cem.Constant(0.5), cem.Constant(1.0)))

    class Fit:
        v_hat = Bernoulli([1.0])

    p = [turns(cem.State(Bernoulli([0.5]), restart=k), Fit)[0].p.item() for k in range(4)]
    assert p == [0.75, 1.0, 0.75, 1.0]


def test_the_searches_in_between_are_as_given():
    method = cem.CrossEntropyMethod(nominal=COINS, n_samples=7, rng=1)
    rule = Alternating(100)
    assert [rule(method, (), k).n_samples for k in range(8)] == [7, 100, 7, 200, 7, 400, 7, 800]
    assert rule(method, (), 4) is method


@pytest.mark.parametrize("plan", [textbook, default, face, icem])
@pytest.mark.parametrize("family", [COINS, EVEN, Normal([0.0], [1.0])], ids=repr)
def test_the_parts_of_a_plan_read_the_same_every_time(plan, family):
    first, second = plan(family), plan(family)
    for part in ("n_samples", "select", "smooth", "restart", "most_iterations"):
        assert repr(getattr(first, part)) == repr(getattr(second, part))


def test_a_preset_is_found_by_its_name():
    assert set(cem.PRESETS) == {"default", "textbook", "noisy", "face", "icem"}
    for name, preset in cem.PRESETS.items():
        assert preset_of(name) is preset
    with pytest.raises(
        ValueError, match=r"one of default, textbook, noisy, face, icem; got 'best'"
    ):
        preset_of("best")


def test_a_noisy_problem_with_compositions_ends_when_they_are_few():
    plan = preset_of("noisy").plan(cem.Composition.even(20, 30))
    assert plan.n_samples == 200
    (end,) = plan.ends
    history = History([Record(*range(16))._replace(entropy=math.log(10) + e) for e in (0.1, 0.0)])
    assert end(history[:1]) is None
    assert end(history).message == "converged: the density is no wider than 10 points"
    coins = cem.Bernoulli([0.5] * 4)
    assert preset_of("noisy").plan(coins).n_samples == preset_of("textbook").plan(coins).n_samples

"""Levels climbed by Markov chains, and the density fitted to them."""

import math
from dataclasses import dataclass, replace

import numpy as np
import pytest

from cem import stopping
from cem.arrival import level_settled
from cem.chains import Chains, MarkovChains
from cem.checkpoint import dumps, loads
from cem.families import (
    Bernoulli,
    Categorical,
    Exponential,
    Gamma,
    MultivariateNormal,
    Normal,
    Product,
    VonMisesFisherNakagami,
)
from cem.proposals import Coordinates, Correlated
from cem.run import run
from cem.smoothing import Constant, Settling
from cem.state import History
from cem.weights import likelihood_ratio


def heads(x):
    return x.sum(axis=1)


def method(**settings):
    given = {"nominal": Bernoulli([0.5] * 20), "n_samples": 100, "gamma": 17.0, "rng": 3}
    return MarkovChains(**given | settings)


def steps(method, iterations, score=heads):
    state = method.init()
    for _ in range(iterations):
        x = method.ask(state)
        state, record = method.tell(state, x, score(x))
        yield x, state, record


def climbed(method, score):
    """The state and the history once the density was fitted at the level."""
    return run(
        method,
        lambda x, _: score(x),
        until=[level_settled(method.gamma), stopping.iterations(400)],
    )[:2]


def test_the_first_batch_is_nominal_and_all_of_it_is_fitted():
    x, state, record = next(steps(method(), 1))
    assert set(np.unique(x)) == {0, 1}
    assert (record.gamma, record.log_mass, record.n_elite, record.ess) == (-math.inf, 0, 100, 100)
    share = 0.9 * x.mean(axis=0) + 0.1 * 0.5
    np.testing.assert_allclose(state.v.p, share, rtol=1e-12)
    np.testing.assert_allclose(record.max_weight, 0.01, rtol=1e-12)


def test_a_level_is_an_order_statistic_and_copies_of_those_above_replace_the_others():
    x, state, _ = next(steps(method(n_samples=110, rho=0.15), 1))
    chains = Chains.of(state.memory)
    level = np.sort(heads(x))[-17]
    n_up = int((heads(x) >= level).sum())
    assert chains.level.tolist() == [level, math.log(n_up / 110)]
    assert (chains.score >= level).all()
    assert (chains.x == x[chains.family]).all()
    up = heads(x) >= level
    assert (chains.x[up] == x[up]).all()
    parent, copies = np.unique(chains.family, return_counts=True)
    assert len(copies) == n_up
    assert copies.max() - copies.min() <= 1
    luckier = parent[copies == copies.max()]
    assert luckier.tolist() not in (parent.tolist(), parent[: len(luckier)].tolist())


def test_a_proposal_is_accepted_if_it_reaches_the_level():
    (_, before, _), (x, after, record) = steps(method(gamma=14.0), 2)
    old, new = Chains.of(before.memory), Chains.of(after.memory)
    good = heads(x) >= old.level[0]
    assert 0 < good.sum() < 100
    assert (new.x == np.where(good[:, None], x, old.x)).all()
    assert (new.score == heads(new.x)).all()
    assert record.n_elite == good.sum()
    assert record.n_hit == (heads(x) >= 14).sum() > 0
    tuned = 0.5 * math.exp(good.mean() - 0.44)
    assert new.share.tolist() == [pytest.approx(min(tuned, 1.0), rel=1e-12)]


def test_the_density_is_fitted_after_the_last_move_at_a_level_only():
    told = list(steps(method(moves=3), 7))
    for t, (_, state, record) in enumerate(told):
        if t % 3 == 0:
            assert record.ess > 0
            assert math.isfinite(record.loss)
        else:
            last = told[t - 1]
            assert state.v is last[1].v
            assert (record.ess, record.kl) == (0, 0)
            for name in ("gamma", "log_mass", "entropy"):
                assert getattr(record, name) == getattr(last[2], name)
    chains = Chains.of(told[2][1].memory)
    assert told[3][2].gamma == chains.level[0]
    assert told[3][2].log_mass == chains.level[1]


def test_copies_of_a_chain_count_once_and_those_that_never_moved_do_not():
    x = np.zeros((5, 1))
    moved = np.array([True, True, False, True, False])
    family = np.array([0, 0, 0, 3, 4])
    chains = Chains(x, np.zeros(5), family, moved, np.zeros(2), np.ones(1))
    assert chains.effective_size() == 2


def test_what_has_moved_is_remembered_until_the_level_rises():
    told = [(x, Chains.of(state.memory)) for x, state, _ in steps(method(moves=3), 4)]
    good = [heads(x) >= told[0][1].level[0] for x, _ in told]
    assert not told[0][1].moved.any()
    assert (told[2][1].moved == good[1] | good[2]).all()
    assert (told[2][1].moved != good[2]).any()
    assert not told[3][1].moved.any()


def test_where_the_level_stays_the_families_do_too():
    told = list(steps(method(gamma=12.0, moves=1), 9))
    (_, before, _), (_, after, record) = told[-2:]
    assert record.gamma == 12.0
    before, after = Chains.of(before.memory), Chains.of(after.memory)
    assert (before.family == after.family).all()
    assert len(np.unique(after.family)) < 100
    assert (before.moved <= after.moved).all()
    assert after.moved.any()


def test_the_level_ends_at_gamma_and_the_fits_there_are_averaged():
    told = list(steps(method(gamma=14.0, moves=1), 10))
    records = [record for _, _, record in told]
    levels = [record.gamma for record in records]
    assert levels == sorted(levels)
    assert max(levels) == 14.0
    n_there = levels.count(14.0)
    assert n_there > 2
    assert told[-1][1].memory["settled"].item() == n_there


def test_the_level_rises_past_ties_that_hold_most_of_the_chains():
    def two_steps(x):
        return (x[:, 0] > 1.0) + (x[:, 0] > 4.0).astype(float)

    state, history = climbed(
        method(nominal=Normal([0.0], [1.0]), n_samples=1000, gamma=2.0, rho=0.3), two_steps
    )
    assert history[-1].gamma == 2.0
    assert state.v.mean.item() > 3.9


def test_the_chains_are_samples_of_the_nominal_density_above_the_level():
    gamma = 4.0
    state, history = climbed(
        method(nominal=Exponential([1.0]), n_samples=2000, gamma=gamma, moves=10), lambda x: x[:, 0]
    )
    excess = Chains.of(state.memory).x[:, 0] - gamma
    # the excess is exponential again; its error is at most that of as many samples as families
    error = 5 / math.sqrt(history[-1].ess)
    assert abs(excess.mean() - 1) < error
    assert abs((excess > 1).mean() - math.exp(-1)) < error / 2
    assert abs(history[-1].log_mass + gamma) < 0.5


def tail_of_heads(n, least):
    return sum(math.comb(n, k) for k in range(least, n + 1)) / 2**n


@dataclass(frozen=True)
class Case:
    method: MarkovChains
    score: object
    exact: float


CASES = {
    "bits": Case(method(nominal=Bernoulli([0.5] * 50), n_samples=400, gamma=45.0), heads,
                 tail_of_heads(50, 45)),
    "exponentials": Case(
        method(nominal=Exponential([1.0] * 5), n_samples=400, gamma=20.0), heads,
        math.exp(-20) * sum(20**k / math.factorial(k) for k in range(5))),
    "normals in many dimensions": Case(
        method(nominal=Normal([0.0] * 100, [1.0] * 100), n_samples=500, gamma=3.5,
               fitted=VonMisesFisherNakagami.standard_normal(100, 1)),
        lambda x: x.sum(axis=1) / 10, math.erfc(3.5 / math.sqrt(2)) / 2),
    "correlated normals": Case(
        method(nominal=MultivariateNormal([1.0, 2.0], [[1.0, 0.6], [0.6, 1.0]]), gamma=13.0,
               n_samples=400),
        heads, math.erfc(10 / math.sqrt(3.2) / math.sqrt(2)) / 2),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_the_fitted_density_gives_the_exact_probability(case):
    state, history = climbed(case.method, case.score)
    assert history[-1].gamma == case.method.gamma
    x = state.v.sample(np.random.default_rng(4), 20_000)
    hit = case.score(x) >= case.method.gamma
    term = np.zeros(len(x))
    term[hit] = np.exp(likelihood_ratio(case.method.nominal, state.v, x[hit]))
    error = term.std() / math.sqrt(len(x))
    assert error < 0.12 * case.exact
    assert abs(term.mean() - case.exact) < 5 * error


def test_mixed_variables_climb_too():
    nominal = Product(on=Bernoulli([0.5] * 6), kind=Categorical(np.full((6, 4), 0.25)))

    def score(x):
        return x["on"].sum(axis=1) + (x["kind"] == 3).sum(axis=1)

    state, history = climbed(method(nominal=nominal, n_samples=300, gamma=12.0), score)
    assert history[-1].gamma == 12.0
    assert (score(Chains.of(state.memory).x) == 12).all()
    # P = 2^-18: six levels of a share of a fifth or so
    assert abs(history[-1].log_mass + 18 * math.log(2)) < 2


def test_a_failed_score_is_never_a_state():
    def failing(x):
        return np.where(x[:, 0] == 1, np.nan, heads(x))

    told = list(steps(method(gamma=14.0), 20, failing))
    assert (Chains.of(told[-1][1].memory).x[:, 0] == 0).all()
    assert all(record.n_bad > 0 for _, _, record in told[:2])


def test_asking_twice_gives_the_same_proposals_and_other_seeds_give_others():
    _, state, _ = next(steps(method(), 1))
    assert (method().ask(state) == method().ask(state)).all()
    assert (method(rng=4).ask(state) != method().ask(state)).any()


@pytest.mark.parametrize("nominal", [Bernoulli([0.5] * 20), Exponential([1.0] * 20)], ids=repr)
def test_a_run_cut_after_any_iteration_and_resumed_gives_the_same_bits(nominal):
    chains = method(nominal=nominal, gamma=30.0)
    settings = {"until": [stopping.iterations(12)]}
    saved = []

    def evaluate(x, _):
        return heads(x)

    whole, history, _ = run(
        chains, evaluate, callbacks=[lambda state, _: saved.append(state)], **settings
    )
    for t, state in enumerate(saved, start=1):
        start = loads(dumps(state, History(history[:t]), {}), chains.init().v)[:2]
        again, history_again, _ = run(chains, evaluate, start=start, **settings)
        np.testing.assert_equal(history_again, history)
        np.testing.assert_equal(again.v.parameters(), whole.v.parameters())
        np.testing.assert_equal(dict(again.memory), dict(whole.memory))


def test_a_restart_begins_with_nominal_samples():
    *_, (_, state, _) = steps(method(), 3)
    anew = replace(state, memory={}, began=state.t)
    chains = Chains.of(method().tell(anew, x := method().ask(anew), heads(x))[0].memory)
    assert (np.unique(chains.family, return_counts=True)[1] >= 1).all()
    assert chains.share.tolist() == [0.5]


def test_the_smoothing_can_be_chosen():
    assert isinstance(method().smooth, Settling)
    x, state, _ = next(steps(method(smooth=Constant(1.0)), 1))
    np.testing.assert_allclose(state.v.p, x.mean(axis=0), rtol=1e-12)


def test_a_batch_that_is_not_the_one_asked_for_is_refused():
    with pytest.raises(ValueError, match=r"^expected the 100 proposals that ask gave, .* got 99$"):
        method().tell(method().init(), np.zeros((99, 20)), np.zeros(99))


@pytest.mark.parametrize(
    ("settings", "error", "message"),
    [
        ({"nominal": 3}, TypeError, "^nominal must be a family"),
        ({"fitted": Normal}, TypeError, "^fitted must be a family"),
        ({"n_samples": 1}, ValueError, "^n_samples, the number of chains, must be at least 2"),
        ({"gamma": math.inf}, ValueError, "^gamma, the level to reach, must be finite; got inf"),
        ({"gamma": "3"}, TypeError, "^gamma, the level to reach, must be a number"),
        ({"moves": 0}, ValueError, "^moves, those at a level, must be at least 1"),
        ({"rho": 1.0}, ValueError, "^rho, .* must lie strictly between 0 and 1"),
        ({"rho": 0.001}, ValueError, "^rho \\* n_samples must be at least 1"),
        ({"smooth": 0.9}, TypeError, "^MarkovChains wraps a smoothing"),
        (
            {"propose": 0.5},
            TypeError,
            r"^propose must be a proposal, such as RandomWalk\(\); got 0.5",
        ),
        ({"propose": Correlated()}, ValueError, "does not keep the nominal density, a Bernoulli"),
        (
            {"propose": Coordinates(), "nominal": MultivariateNormal([0, 0], [[1, 0.5], [0.5, 1]])},
            ValueError,
            "^Coordinates.* does not keep the nominal density, a MultivariateNormal",
        ),
        (
            {"propose": Correlated(), "nominal": Gamma([2.0], [1.0])},
            ValueError,
            "^Correlated.* does not keep the nominal density, a Gamma",
        ),
    ],
)
def test_settings_that_make_no_sense_are_refused(settings, error, message):
    with pytest.raises(error, match=message):
        method(**settings)

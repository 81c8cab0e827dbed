"""Searches that begin anew: how large, where, and the same after a kill."""

from dataclasses import replace

import numpy as np
import pytest

import cem
from cem import stopping
from cem.restarts import BIPOP, IPOP, AtMost, elsewhere, never, scaled, search
from cem.state import History

NOMINAL = cem.MultivariateNormal(np.zeros(2), 4 * np.eye(2))
METHOD = cem.CrossEntropyMethod(
    nominal=NOMINAL, n_samples=8, select=cem.Ranked(0.5), smooth=cem.EvolutionPath(), rng=5
)
ENDS = [stopping.flat(), stopping.degenerate()]


def waves(x, t=0):
    del t
    return -(x**2 + 10 * (1 - np.cos(2 * np.pi * x))).sum(axis=1)


def searched(restart, most=3000, start=None, method=METHOD):
    return search(
        method,
        waves,
        restart=restart,
        ends=ENDS,
        limits=lambda n: [stopping.evaluations(most, upcoming=n)],
        start=start or (method.init(), History()),
        callbacks=[],
    )


def sizes(history):
    """The samples of an iteration of every search, in order."""
    which, n = history.column("restart"), history.column("n")
    each = [n[which == k] for k in range(int(which[-1]) + 1)]
    assert all((of == of[0]).all() for of in each)
    return [of[0] for of in each]


def test_ipop_doubles_the_samples_of_every_search():
    state, history, _ = searched(IPOP(), most=8000)
    assert state.restart >= 3
    assert sizes(history) == [8.0 * 2**k for k in range(state.restart + 1)]


def test_bipop_shares_the_budget_between_large_searches_and_small_ones():
    state, history, _ = searched(BIPOP(), most=30_000)
    which, n = history.column("restart").astype(int), history.column("n")
    each, of = np.array(sizes(history)), np.bincount(which, weights=n)
    large, size = [], 8
    for k in range(1, len(each)):
        if (
            of[[i for i in range(1, k) if i in large]].sum()
            <= of[[i for i in range(k) if i not in large]].sum()
        ):
            size = size * 2 if large else 3 * size
            large.append(k)
            assert each[k] == size
        else:
            assert 8 <= each[k] <= size / 2
    assert 3 <= len(large) < len(each) - 3
    assert state.nfev == history[-1].nfev == of.sum()


def test_a_search_begins_elsewhere_as_wide_as_the_first():
    for k in range(1, 4):
        begun = IPOP()(METHOD, History(), k).nominal
        assert begun.cov.tolist() == NOMINAL.cov.tolist()
        assert not np.allclose(begun.mean, IPOP()(METHOD, History(), k + 1).nominal.mean)
    assert IPOP()(METHOD, History(), 2).nominal.mean.tolist() == pytest.approx(
        IPOP()(METHOD, History(), 2).nominal.mean.tolist()
    )


def test_a_density_is_moved_or_scaled_only_if_it_has_a_mean_or_a_width():
    rng = np.random.default_rng(1)
    coins, means = cem.Bernoulli([0.5]), cem.Exponential([2.0])
    assert elsewhere(coins, rng) is coins
    assert elsewhere(means, rng) is means
    assert scaled(cem.Normal([1.0], [2.0]), 0.5).std.tolist() == [1.0]
    assert scaled(NOMINAL, 0.5).cov.tolist() == np.eye(2).tolist()
    assert scaled(coins, 0.5).p.tolist() == [0.5]


def test_with_never_there_is_one_search_and_its_own_reason():
    state, history, stop = searched(never)
    alone = cem.run.run(METHOD, waves, until=ENDS)
    assert (state.restart, stop) == (0, alone[2])
    assert history == alone[1]


def test_no_more_searches_than_asked_for():
    state, _, stop = searched(AtMost(IPOP(), 2), most=10**6)
    assert state.restart == 2
    assert stop.message.endswith("; 2 of 2 searches before the last had converged")
    assert stop.success


def test_the_budget_holds_although_the_next_search_is_larger():
    for most in range(500, 3000, 137):
        assert searched(IPOP(), most=most)[0].nfev <= most


def test_the_best_of_all_searches_is_kept():
    state, history, _ = searched(IPOP(), most=8000)
    assert state.best.score == history.column("top").max()
    assert (np.diff(history.column("best")) >= 0).all()


def test_a_run_cut_anywhere_has_the_same_bits():
    whole = searched(BIPOP(), most=2500)
    turns = np.flatnonzero(np.diff(whole[1].column("restart"))) + 1
    for cut in [3, *(t + i for t in turns[:3] for i in (-1, 0, 1)), len(whole[1])]:
        cuts = [stopping.iterations(int(cut))]
        kept = []
        search(
            METHOD, waves, restart=BIPOP(), ends=ENDS, limits=lambda _, c=cuts: c,
            start=(METHOD.init(), History()), callbacks=[lambda s, r, k=kept: k.append((s, r))],
        )  # fmt: skip
        saved = cem.checkpoint.dumps(kept[-1][0], History(r for _, r in kept), {})
        start = cem.checkpoint.loads(saved, NOMINAL)[:2]
        state, history, stop = searched(BIPOP(), most=2500, start=start)
        assert history == whole[1]
        assert (state.v.cov.tobytes(), stop) == (whole[0].v.cov.tobytes(), whole[2])


@pytest.mark.parametrize("kind", [IPOP, BIPOP])
def test_a_factor_below_one_is_refused(kind):
    with pytest.raises(ValueError, match=r"factor, by which the samples grow, must be .* got 0\.5"):
        kind(factor=0.5)


def test_a_rule_for_the_samples_is_doubled_at_every_age():
    rule = cem.sizes.Decaying(9, least=5)
    method = cem.CrossEntropyMethod(nominal=NOMINAL, n_samples=rule, rng=1)
    doubled = IPOP()(method, History(), 1).n_samples
    assert [doubled(t) for t in range(9)] == [2 * rule(t) for t in range(9)]


def test_a_budget_holds_for_batches_that_grow():
    def growing(t):
        return 10 + 5 * t

    for most in (100, 105, 444):
        found = cem.maximize(
            waves, NOMINAL, n_samples=growing, rho=0.3, max_evaluations=most, rng=1, restarts=0
        )
        t = found.nit
        assert found.nfev == 10 * t + 5 * t * (t - 1) // 2 <= most
        assert found.nfev + growing(t) > most


def test_a_search_that_converges_with_its_last_iteration_has_converged():
    _, alone, stop = searched(never, most=10**6)
    state, history, at_the_limit = searched(never, most=alone[-1].nfev)
    assert (history, at_the_limit) == (alone, stop)
    assert stop.success
    assert state.nfev == alone[-1].nfev
    assert not searched(never, most=alone[-1].nfev - 1)[2].success


@pytest.mark.parametrize("rng", [None, np.random.default_rng(1)])
def test_all_searches_share_the_one_root_of_a_run_that_was_given_none(rng):
    method = cem.CrossEntropyMethod(
        nominal=NOMINAL, n_samples=8, select=cem.Ranked(0.5), smooth=cem.EvolutionPath(), rng=rng
    )
    state, history, _ = searched(IPOP(), method=method)
    named = replace(method, rng=method.root)
    assert state.restart > 0
    assert history == searched(IPOP(), method=named)[1]


def test_ipop_grows_no_further_than_it_is_told():
    method = cem.CrossEntropyMethod(nominal=cem.Normal([0.0], [1.0]), n_samples=10, rng=1)
    sizes = [IPOP(most=5)(method, History(), k).n_samples for k in (0, 1, 2, 3, 2000)]
    assert sizes == [10, 20, 40, 50, 50]
    with pytest.raises(ValueError, match=r"^most, times the first samples, must be at least 1"):
        IPOP(most=0)

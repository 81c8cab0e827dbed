"""Replications: one sample of all, its error, and what finds that each saw but a part."""

import math
from types import SimpleNamespace

import networkx as nx
import numpy as np
import pytest
from scipy import stats

import cem
from cem.families import Bernoulli, Exponential, Normal
from cem.measurement import Event, Measurement
from cem.randomness import Purpose, branch, root_of
from cem.replications import agreement, combine, replicate
from cem.state import History
from cem.tally import Tally
from problems.maxcut import MaxCut
from problems.rare_event.network_reliability import problem as network

ROUND = Normal([0.0, 0.0], [1.0, 1.0])
FAR = 3.0
BOTH = 2 * stats.norm.sf(FAR)  # the probability of |x_1| >= 3
RIGHT, LEFT = ([FAR, 0.0], [-FAR, 0.0])


def total(x):
    return x.sum(axis=1)


def largest(x):
    return x.max(axis=1)


def distance(x):
    return abs(x[:, 0])


def member(mean, seed, *, n=1000, block=None, gamma=FAR, score=distance, nominal=ROUND, **told):
    """What `combine` asks of an estimate: here one whose density is chosen, not steered."""
    root = root_of(seed)
    measuring = Measurement(
        nominal=nominal, n_block=block or n, n_most=n, of=Event(gamma), root=root
    )
    v = None if mean is None else Normal(mean, np.ones(nominal.n_coordinates))
    state, history = measuring.begin(measuring.init(), v), History()
    while state.nfev < n:
        x = measuring.ask(state)
        state, record = measuring.tell(state, x, score(x))
        history = history.append(record)
    tally = Tally.from_array(state.memory["tally"])
    found = {
        "probability": tally.probability,
        "std_error": tally.std_error,
        "ess": tally.ess,
        "tally": tally,
        "success": True,
        "warnings": (),
        "nfev": state.nfev,
        "seed": str(seed),
        "measurement": measuring,
        "nominal": nominal,
        "family": state.v,
        "state": state,
        "history": history,
        "levels": History(),
    }
    return SimpleNamespace(**found | told)


def tallies(k, seed, *, sigma=0.7, n=1000, scale=1e-4):
    """Of ``k`` samples with lognormal weights of which half hit: ``scale / 2`` is the truth."""
    rng = np.random.default_rng(seed)
    hits = rng.binomial(n, 0.5, size=k)
    log_w = (rng.normal(size=h) * sigma - sigma**2 / 2 + math.log(scale) for h in hits)
    return [Tally().add(w, n) for w in log_w]


def members(k, seed=0, **settings):
    """Of which every other one samples the right half of the event, or the left."""
    return [member((RIGHT, LEFT)[i % 2], 100 * seed + i, **settings) for i in range(k)]


# The figures


def test_all_samples_together_are_one_of_the_mixture_of_the_densities():
    parts = [member(RIGHT, 0, n=700), member(LEFT, 1, n=300, block=128), member([1.0, 1.0], 2)]
    z = []
    for part in parts:
        x = part.measurement.sampled(part.state, part.history)
        mixed = sum(
            len(other.state.memory["score"]) / 2000 * np.exp(other.family.log_density(x))
            for other in parts
        )
        z.append((distance(x) >= FAR) * np.exp(ROUND.log_density(x)) / mixed)
    z = np.concatenate(z)
    found = combine(parts)
    assert found.probability == pytest.approx(z.mean(), rel=1e-12)
    assert found.std_error == pytest.approx(z.std(ddof=1) / math.sqrt(2000), rel=1e-9)
    assert found.relative_error == pytest.approx(found.std_error / found.probability, rel=1e-9)
    assert found.ess == pytest.approx(z.sum() ** 2 / (z**2).sum(), rel=1e-9)
    assert found.confidence_interval(0.9) == found.tally.interval(0.9)
    assert found.mean == pytest.approx(np.mean([part.probability for part in parts]), rel=1e-12)
    assert found.nfev == 2000
    assert found.members == tuple(parts)


def test_where_all_densities_are_the_same_it_is_all_samples_alike():
    parts = [member([0.5, 0.0], 0, n=2000), member([0.5, 0.0], 1, n=6000)]
    p = [part.probability for part in parts]
    assert combine(parts).probability == pytest.approx((p[0] + 3 * p[1]) / 4, rel=1e-12)


def test_crude_samples_together_have_the_exact_binomial_interval():
    parts = [member(None, seed, n=4000) for seed in range(3)]
    hits = sum(part.tally.hits for part in parts)
    low, high = combine(parts).confidence_interval(0.95)
    assert hits > 10
    assert low == pytest.approx(stats.beta(hits, 12_001 - hits).ppf(0.025), rel=1e-9)
    assert high == pytest.approx(stats.beta(hits + 1, 12_000 - hits).ppf(0.975), rel=1e-9)


def test_the_mixture_is_unbiased_and_its_intervals_cover_as_often_as_they_say():
    runs = 400
    found = [combine(members(4, seed, n=200)) for seed in range(runs)]
    p = np.array([one.probability for one in found]) / BOTH
    assert abs(p.mean() - 1) < 4.5 * p.std() / math.sqrt(runs)
    assert p.std() == pytest.approx(np.mean([one.relative_error for one in found]), rel=0.2)
    ends = [one.confidence_interval() for one in found]
    covered = sum(low <= BOTH <= high for low, high in ends)
    assert stats.binom(runs, 0.95).ppf(1e-6) <= covered


def test_its_error_is_smaller_than_that_of_the_mean_where_densities_differ():
    spread = [[1.5, 0.0], [0.0, 0.0], [-1.5, 0.0]]
    p, means = [], []
    for seed in range(200):
        found = combine([member(mean, 10 * seed + i) for i, mean in enumerate(spread)])
        p.append(found.probability / BOTH)
        means.append(found.mean / BOTH)
    assert abs(np.mean(p) - 1) < 4.5 * np.std(p) / math.sqrt(200)
    assert np.std(p) < 0.7 * np.std(means)


# Whether they agree


@pytest.mark.parametrize(("k", "n", "sigma"), [(2, 2000, 0.5), (5, 1000, 1.0), (20, 500, 1.0)])
def test_estimates_that_agree_are_seldom_said_not_to(k, n, sigma):
    runs = 1000
    p_values = []
    for seed in range(runs):
        parts = tallies(k, seed, sigma=sigma, n=n)
        figures = [(t.probability, t.std_error, t.ess) for t in parts]
        p_values.append(agreement(*np.array(figures).T))
    assert (np.array(p_values) < 0.05).sum() <= stats.binom(runs, 0.05).ppf(1 - 1e-6)
    assert (np.array(p_values) < 0.001).sum() <= stats.binom(runs, 0.001).ppf(1 - 1e-6)
    assert np.median(p_values) < 0.7  # not by never rejecting


def test_two_equal_normal_errors_are_the_two_sided_t_test():
    found = agreement(np.array([1.0, 1.4]), np.array([0.1, 0.1]), np.array([31.0, 31.0]))
    assert found == pytest.approx(2 * stats.t(60).sf(4 / math.sqrt(2)), rel=1e-9)


def test_many_equal_errors_are_the_f_test_of_one_way_analysis():
    p, k, ess = np.array([1.0, 1.2, 0.9, 1.3]), 4, 26.0
    found = agreement(p, np.full(k, 0.1), np.full(k, ess))
    assert found == pytest.approx(stats.f(k - 1, k * (ess - 1)).sf(p.var(ddof=1) / 0.01), rel=1e-9)


def test_degrees_of_freedom_are_those_of_the_quadratic_forms():
    p, e, ess = np.array([1.0, 1.2, 0.9]), np.array([0.1, 0.3, 0.05]), np.array([50.0, 20.0, 90.0])
    spread = (np.eye(3) - 1 / 3) @ np.diag(e**2)
    above = np.trace(spread) ** 2 / np.trace(spread @ spread)
    below = (e**2).sum() ** 2 / (e**4 / (ess - 1)).sum()
    exact = stats.f(above, below).sf(3 * p.var(ddof=1) / (e**2).sum())
    assert agreement(p, e, ess) == pytest.approx(exact, rel=1e-9)


def test_a_member_that_missed_half_of_the_event_is_found():
    whole = [member([0.0, 0.0], seed, n=400_000) for seed in range(4)]
    found = combine([*whole, member(RIGHT, 9, n=10_000)])
    assert not found.success
    assert found.p_value < 1e-3
    assert found.message.startswith("the 5 estimates disagree (from 0.0013")
    assert found.warnings == (found.message,)
    assert abs(found.probability - BOTH) < 4 * found.std_error
    assert found.mean < 0.95 * BOTH


def test_members_that_agree_on_different_halves_of_the_event_are_found():
    found = combine(members(4, n=2000))
    assert found.p_value > 0.001
    assert abs(found.mean / BOTH - 0.5) < 0.1
    assert abs(found.probability - BOTH) < 4 * found.std_error
    assert not found.success
    assert found.message.startswith("the replications sampled different parts of the event: toge")
    assert found.message in found.warnings


def test_members_that_all_have_the_same_half_cannot_know():
    found = combine([member(RIGHT, seed, n=2000) for seed in range(4)])
    assert found.success
    assert found.probability == pytest.approx(BOTH / 2, rel=0.1)


def test_densities_that_differ_but_cover_the_event_are_no_reason_for_a_warning():
    for seed in range(40):
        parts = [
            member([0.5, 0.0], 10 * seed, n=2000),
            member([0.0, 0.3], 10 * seed + 1, n=4000),
            member([-0.5, 0.0], 10 * seed + 2, n=3000),
        ]
        assert "different parts" not in combine(parts).message


@pytest.mark.parametrize(
    ("problem", "nominal", "gamma", "settings", "exact", "least"),
    [
        (network("bridge", terminals=[0, 3], q=1e-3).edgewise(), None, None, {}, 2.001995002e-6, 6),
        (
            MaxCut.of(nx.gnp_random_graph(16, 0.5, seed=3)),
            Bernoulli([0.5] * 16),
            36.0,
            {"rho": 0.01, "n_final": 20_000},
            5 / 2**15,
            4,
        ),
        (
            largest,
            Exponential([1.0] * 10),
            15.0,
            {},
            -math.expm1(10 * math.log1p(-math.exp(-15))),
            9,
        ),
    ],
    ids=["either of two cuts of a network", "a cut and its mirror image", "the largest of ten"],
)
def test_runs_that_find_parts_of_an_event_do_not_pass_for_good_ones(
    problem, nominal, gamma, settings, exact, least
):
    parts = 0
    for seed in range(12):
        found = replicate(5, problem, nominal, gamma, method="multilevel", rng=seed, **settings)
        good = found.success and not found.warnings
        assert not good or abs(found.probability - exact) < 5 * found.std_error
        parts += "different parts of the event" in found.message
    assert parts >= least


def test_runs_that_find_the_whole_event_are_not_suspected():
    heads, exact = Bernoulli([0.5] * 50), stats.binom(50, 0.5).sf(44)
    for seed in range(40):
        found = replicate(4, total, heads, 45.0, method="multilevel", n_final=2000, rng=seed)
        assert found.success, found.message
        assert abs(found.probability - exact) < 5 * found.std_error


def test_a_member_that_failed_fails_the_whole_by_name():
    parts = [member([0.0, 0.0], seed, n=20_000, success=seed != 1) for seed in range(3)]
    found = combine(parts)
    assert not found.success
    assert found.message == "1 of 3 estimates were no success"


def test_warnings_are_told_once_with_how_many_gave_them():
    told = [("heavy", "few"), (), ("few", "few")]
    parts = [member([0.0, 0.0], i, n=100_000, warnings=told[i]) for i in range(3)]
    assert combine(parts).warnings == ("1 of 3: heavy", "2 of 3: few")


def test_the_weights_of_the_whole_are_looked_at_too():
    found = combine([member([0.0, 0.0], seed, n=2000) for seed in range(2)])
    assert 0 < found.ess < 100
    assert found.warnings[0].startswith("the estimate rests on ")
    assert found.warnings[0].endswith(
        "effective samples of 4000: its error bar is rough; raise n_final"
    )


def test_a_member_without_a_hit_counts_by_its_samples():
    parts = [member(None, 0, n=2000, gamma=4.5), member(RIGHT, 1, n=4000, gamma=4.5)]
    assert parts[0].probability == 0
    found = combine(parts)
    assert (found.p_value, parts[0].std_error) == (1.0, math.inf)
    assert abs(found.probability - stats.norm.sf(4.5)) < 4 * found.std_error
    assert found.tally.plain == 0.0  # some weights are not one
    none = combine([member(None, i, gamma=99.0) for i in range(2)])
    assert (none.probability, none.relative_error) == (0.0, math.inf)
    assert none.confidence_interval()[1] == pytest.approx(-math.expm1(math.log(0.025) / 2000))


def test_a_member_that_was_cut_short_before_its_final_sample_counts_for_nothing():
    parts = [member(RIGHT, 0), member(LEFT, 1)]
    more = combine([*parts, member(None, 2, n=0, success=False)])
    assert more.tally == combine(parts).tally
    assert (more.success, more.nfev) == (False, 2000)
    none = combine([member(None, i, n=0, success=False) for i in range(2)])
    assert (none.probability, none.confidence_interval()) == (0.0, (0.0, 1.0))


def test_samples_that_cannot_be_of_the_nominal_density_are_no_hits():
    nominal = Exponential([1.0, 1.0])
    parts = [member([4.0, 1.0], seed, n=4000, nominal=nominal) for seed in range(2)]
    found = combine(parts)
    assert found.tally.hits == sum(part.tally.hits for part in parts) < 6700
    assert abs(found.probability - math.exp(-3)) < 5 * found.std_error


def test_certain_estimates_agree_only_if_they_are_equal():
    sure = combine([member(None, i, gamma=0.0) for i in range(2)])
    assert (sure.probability, sure.p_value, sure.success) == (1.0, 1.0, True)
    assert agreement(np.array([1.0, 0.9]), np.zeros(2), np.full(2, 100.0)) == 0.0


def test_it_prints_its_figures_and_not_its_members():
    rows = repr(combine([member([0.0, 0.0], i, n=20_000) for i in range(2)])).splitlines()
    assert rows[0].split()[0] == "probability:"
    assert rows[-1].strip().startswith("message: 2 independent estimates agree (p = 0.")
    assert not any("members" in row or "tally" in row for row in rows)


# Bad input


@pytest.mark.parametrize("k", [0, 1])
def test_fewer_than_two_estimates_are_refused(k):
    with pytest.raises(ValueError, match=f"^expected two or more estimates to combine; got {k}$"):
        combine(members(k))


def test_the_same_seed_twice_is_refused():
    with pytest.raises(ValueError, match="of different seeds; got seed 0 more than once"):
        combine(members(1) * 2)


@pytest.mark.parametrize(
    ("other", "message"),
    [
        ({"gamma": 2.0}, r"got Event\(gamma=3\.0\) and Event\(gamma=2\.0\)$"),
        (
            {"nominal": Normal([0.0] * 2, [1.0, 2.0])},
            r"got the nominal densities Normal\(.* and No",
        ),
    ],
)
def test_estimates_of_different_probabilities_are_refused(other, message):
    with pytest.raises(ValueError, match=r"^expected estimates of one probability, .*" + message):
        combine([member(RIGHT, 0), member(RIGHT, 1, **other)])


def test_estimates_in_different_variables_are_refused():
    ways = ("crude", "mixture")
    found = [
        cem.estimate(total, Exponential([1.0]), 3.0, method=way, rng=seed)
        for seed, way in enumerate(ways)
    ]
    with pytest.raises(ValueError, match="one sampled in its own variables, one in standard norma"):
        combine(found)


# Runs


def test_replications_are_the_runs_of_their_own_seeds():
    found = replicate(3, total, Exponential([1.0]), 15.0, rng=5, n_final=2000)
    for i, run in enumerate(found.members):
        seed = branch(root_of(5), Purpose.REPLICATION, i)
        alone = cem.estimate(total, Exponential([1.0]), 15.0, rng=seed, n_final=2000)
        assert run.probability == alone.probability
    assert found.success
    assert abs(found.probability - math.exp(-15)) < 4.5 * found.std_error
    assert found.nfev == sum(run.nfev for run in found.members)


def test_more_replications_keep_the_first_ones():
    few = replicate(2, total, Exponential([1.0]), 15.0, rng=5, n_final=1000)
    more = replicate(3, total, Exponential([1.0]), 15.0, rng=5, n_final=1000)
    assert [m.probability for m in few.members] == [m.probability for m in more.members[:2]]


def test_what_belongs_to_one_run_is_refused():
    with pytest.raises(TypeError, match=r"^checkpoint: of a single run, replicate takes none"):
        replicate(2, total, Exponential([1.0]), 15.0, checkpoint="run.npz")
    with pytest.raises(ValueError, match=r"^k must be at least 2; got 1$"):
        replicate(1, total, Exponential([1.0]), 15.0)

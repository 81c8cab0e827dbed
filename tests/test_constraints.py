"""Constrained searches: exact optima on the boundary and inside, thin sets, the same bits again."""

from concurrent.futures import ThreadPoolExecutor
from itertools import product

import numpy as np
import pytest
from scipy.optimize import Bounds, LinearConstraint, NonlinearConstraint, linprog

import cem
from cem import stopping
from cem.constraints import (
    LEAST,
    Constrained,
    Constraints,
    Free,
    Guarded,
    constraints_of,
)
from cem.cooperation import Cooperating
from cem.feasibility import Feasibility
from cem.noise import numbered
from cem.parallel import Evaluation
from cem.restarts import IPOP, never
from cem.run import run
from cem.state import History
from cem.treatments import WEIGHT, Penalise, Rank, Repair, Resample

ALL = [
    Rank(),
    Penalise(),
    Resample(),
    Repair(lambda x: x + np.maximum(2 + 1e-12 - x.sum(axis=1, keepdims=True), 0) / 2),
]
HALF = LinearConstraint(np.ones(2), 2.0, np.inf)  # the sphere is least at (1, 1)


def method(mean, std, **settings):
    mean = np.asarray(mean, dtype=float)
    parts = {"n_samples": 12, "select": cem.Ranked(0.5), "smooth": cem.EvolutionPath(), "rng": 1}
    nominal = cem.MultivariateNormal(mean, std**2 * np.eye(len(mean)))
    return cem.CrossEntropyMethod(**{"nominal": nominal, **parts, **settings})


def sphere(x):
    return -(x**2).sum(axis=1)


def searched(inner, score, constraints, treat=None, most=400, start=None, callbacks=()):
    """The end of a run of so many iterations, or until nothing more can come of it."""
    about = Constraints(constraints, treat or Rank())
    guarded = about.guarded(score)
    ends = [stopping.iterations(most), stopping.degenerate(1e-12), stopping.flat()]
    state, history, stop = run(
        about.around(inner, lambda x: x),
        lambda x, _: guarded(x),
        until=ends,
        start=start,
        callbacks=callbacks,
    )
    return state, history, about.judged(stop, state)


@pytest.mark.parametrize("treat", ALL, ids=repr)
def test_the_least_square_beyond_a_plane_is_at_the_projection(treat):
    state, _, stop = searched(method([0.0, 0.0], 2.0), sphere, HALF, treat)
    np.testing.assert_allclose(state.best.x, [1.0, 1.0], atol=1e-5)
    assert -2 - 1e-9 < state.best.score <= -2 + 1e-14
    assert Feasibility.of(HALF).violation(state.best.x[None]) == 0
    assert stop.success


@pytest.mark.parametrize("treat", [Rank(), Penalise()], ids=repr)
@pytest.mark.parametrize("seed", range(3))
def test_a_linear_program_ends_at_the_vertex_that_linprog_finds(treat, seed):
    rng = np.random.default_rng(seed)
    rows, most, cost = rng.normal(size=(12, 5)), 1 + rng.random(12), rng.normal(size=5)
    exact = linprog(cost, rows, most, bounds=(-3, 3))
    state, _, _ = searched(
        method(np.zeros(5), 1.5, rng=seed),
        lambda x: -(x @ cost),
        [LinearConstraint(rows, -np.inf, most), Bounds(-3, 3)],
        treat,
    )
    np.testing.assert_allclose(state.best.x, exact.x, atol=1e-6)
    assert -state.best.score == pytest.approx(exact.fun, abs=1e-8)
    assert -state.best.score >= exact.fun - 1e-12


@pytest.mark.parametrize("treat", [Rank(), Penalise(), Resample()], ids=repr)
def test_an_optimum_inside_is_found_as_if_there_were_no_constraint(treat):
    ball = NonlinearConstraint(lambda x: x @ x, 0.0, 4.0)
    state, _, _ = searched(method([1.0, 1.0], 1.0), sphere, ball, treat)
    assert -1e-9 < state.best.score <= 0


def test_without_an_infeasible_sample_the_run_is_the_unconstrained_one():
    inner, until = method([3.0, 3.0], 1.0), [stopping.iterations(30)]
    alone = run(inner, lambda x, _: sphere(x), until=until)
    for treat in (Rank(), Penalise(), Resample()):
        state, history, _ = searched(inner, sphere, lambda x: x[:, 0] < 99, treat, most=30)
        assert history == alone[1]
        assert state.v.cov.tobytes() == alone[0].v.cov.tobytes()


def test_a_start_where_nothing_is_feasible_is_led_to_the_feasible_set():
    corner = Bounds([50.0, 50.0], [51.0, 51.0])
    state, history, _ = searched(method([0.0, 0.0], 1.0), sphere, corner)
    np.testing.assert_allclose(state.best.x, [50.0, 50.0], atol=1e-6)
    first = history[0]
    assert first.best == -np.inf
    assert first.top < -90  # minus the least violation


@pytest.mark.parametrize("width", [1e-2, 1e-4, 1e-6, 1e-8])
def test_between_two_planes_the_optimum_is_found_however_near_they_are(width):
    slab = LinearConstraint(np.ones(2), 1 - width, 1 + width)
    for treat in (Rank(), Penalise()):
        state, _, _ = searched(method([2.0, 1.0], 1.0), sphere, slab, treat)
        assert state.best.score == pytest.approx(-((1 - width) ** 2) / 2, abs=1e-12)


@pytest.mark.parametrize(("treat", "width"), [(Rank(), 1e-2), (Penalise(), 1e-4)], ids=repr)
def test_along_a_thin_ring_the_optimum_is_found_if_it_has_some_width(treat, width):
    ring = NonlinearConstraint(lambda x: x @ x, 1 - width, 1 + width)
    state, _, _ = searched(method([2.0, 1.0], 1.0), lambda x: x[:, 0], ring, treat)
    np.testing.assert_allclose(state.best.x, [np.sqrt(1 + width), 0.0], atol=1e-6)


def test_where_nothing_is_feasible_the_run_is_no_success_and_says_what_came_nearest():
    apart = [Bounds(0.0, 1.0), Bounds(2.0, 3.0)]  # by 1 in each of two coordinates
    for treat in (Rank(), Penalise()):
        state, _, stop = searched(method([9.0, 9.0], 1.0), sphere, apart, treat, most=60)
        assert (state.best.x, state.best.score) == (None, -np.inf)
        assert state.memory[LEAST] == pytest.approx([2.0], abs=1e-12)
        assert not stop.success
        assert stop.message.startswith("no feasible sample was found: the least violation was 2 (")


def test_an_equality_between_whole_numbers_is_met_and_the_best_set_found():
    rng = np.random.default_rng(4)
    weight, value = rng.integers(1, 30, 12), rng.integers(1, 30, 12)
    hold = LinearConstraint(weight, -np.inf, 80.0), LinearConstraint(np.ones(12), 5, 5)
    every = np.array(list(product([0, 1], repeat=12)))
    allowed = Feasibility.of(hold).violation(every) == 0
    assert allowed.tolist() == ((every @ weight <= 80) & (every.sum(axis=1) == 5)).tolist()
    inner = cem.CrossEntropyMethod(nominal=cem.Bernoulli([0.5] * 12), n_samples=300, rng=2)
    for treat in (Rank(), Penalise(), Resample()):
        state, _, _ = searched(inner, lambda x: x @ value, hold, treat, most=60)
        assert state.best.score == (every @ value)[allowed].max()


@pytest.mark.parametrize("treat", ALL, ids=repr)
def test_the_best_is_the_best_feasible_sample_of_all_batches(treat):
    about, seen = Constraints(HALF, treat), []
    constrained = about.around(method([0.0, 0.0], 2.0), lambda x: x)
    state = constrained.init()
    for _ in range(25):
        x = constrained.ask(state)
        assert np.array_equal(x, constrained.ask(state))
        state, record = constrained.tell(state, x, sphere(x))
        seen.append(sphere(x)[about.of.violation(x) == 0].max(initial=-np.inf))
        assert record.best == state.best.score == max(seen)
    assert sphere(state.best.x[None])[0] == state.best.score


@pytest.mark.parametrize("treat", ALL, ids=repr)
def test_a_run_cut_anywhere_has_the_same_bits(treat):
    inner, kept = method([0.0, 0.0], 2.0), []
    whole = searched(
        inner, sphere, HALF, treat, most=30, callbacks=[lambda s, r: kept.append((s, r))]
    )
    for cut in (1, 7, 29):
        history = History(record for _, record in kept[:cut])
        saved = cem.checkpoint.dumps(kept[cut - 1][0], history, {})
        start = cem.checkpoint.loads(saved, inner.nominal)[:2]
        state, again, _ = searched(inner, sphere, HALF, treat, most=30, start=start)
        assert again == whole[1]
        assert state.v.cov.tobytes() == whole[0].v.cov.tobytes()
        assert state.best.x.tobytes() == whole[0].best.x.tobytes()
        assert {k: a.tobytes() for k, a in state.memory.items()} == {
            k: a.tobytes() for k, a in whole[0].memory.items()
        }


def test_any_number_of_workers_gives_the_same_bits():
    inner = method([0.0, 0.0], 2.0, n_samples=100)
    about = Constraints(HALF)

    def end(mapped):
        evaluate = Evaluation(about.guarded(sphere), inner.root, 16, mapped)
        around = about.around(inner, lambda x: x)
        return run(around, evaluate, until=[stopping.iterations(20)])[:2]

    with ThreadPoolExecutor(3) as pool:
        (here, history), (there, again) = end(map), end(pool.map)
    assert history == again
    assert here.v.cov.tobytes() == there.v.cov.tobytes()


def test_the_memory_of_the_method_and_the_count_of_its_restarts_are_kept():
    constrained = Constrained(method([0.0, 0.0], 2.0), Feasibility.of(HALF), Penalise())
    state = constrained.init()
    state = type(state)(state.v, t=40, nfev=480, restart=3, began=40)
    x = constrained.ask(state)
    new, record = constrained.tell(state, x, sphere(x))
    assert (new.t, new.nfev, new.restart, new.began, new.age) == (41, 492, 3, 40, 1)
    assert record.restart == 3
    assert new.memory.keys() == {"scale_path", "path", WEIGHT, LEAST}


def test_infeasible_samples_are_not_scored():
    scored = []

    def count(x):
        scored.append(len(x))
        return sphere(x)

    guarded = Guarded(count, Feasibility.of(HALF))
    x = np.array([[0.0, 0.0], [1.0, 1.5], [3.0, 0.0]])
    assert guarded(x)[1:].tolist() == [-3.25, -9.0]
    assert np.isnan(guarded(x)[0])
    assert np.isnan(guarded(x[:1])).all()
    assert scored == [2, 2]  # and none for the last


def test_a_penalty_asks_for_the_scores_of_infeasible_samples_and_others_do_not():
    asked = [Constraints(HALF, treat).guarded(sphere) is sphere for treat in ALL]
    assert asked == [False, True, False, False]


def test_a_noisy_problem_stays_noisy_under_constraints():
    class Shifted:
        def bind(self, rng):
            return lambda x: x[:, 0] + rng.standard_normal(len(x))

    x = np.array([[5.0, 0.0], [0.0, 0.0], [1.0, 2.0]])
    evaluate = Evaluation(Guarded(numbered(Shifted()), Feasibility.of(HALF)), method([0.0], 1).root)
    score = evaluate(x, 0)
    assert np.isnan(score).tolist() == [False, True, False]
    assert score[0] not in {5.0, evaluate(x, 1)[0]}


def test_a_failed_score_counts_only_where_the_sample_is_feasible():
    def fails(x):
        return np.where(x[:, 0] > 1.5, np.nan, sphere(x))

    state, history, _ = searched(method([1.0, 1.0], 1.0, n_samples=50), fails, HALF, most=1)
    x = method([1.0, 1.0], 1.0, n_samples=50).ask(method([1.0, 1.0], 1.0).init())
    assert history[0].n_bad == ((x.sum(axis=1) >= 2) & (x[:, 0] > 1.5)).sum() > 0
    assert state.best.x[0] <= 1.5


def test_constraints_that_fail_on_every_sample_are_an_error():
    with pytest.raises(ValueError, match="NaN or infinite violations for all 12 samples of iter"):
        searched(method([0.0, 0.0], 1.0), sphere, lambda x: np.full(len(x), np.nan))


def test_several_methods_that_cooperate_keep_to_constraints():
    inner = Cooperating([method([0.0, 0.0], 2.0), method([4.0, 0.0], 2.0)])
    state, _, _ = searched(inner, sphere, HALF, most=150)
    assert -2 - 1e-6 < state.best.score <= -2 + 1e-14


def test_constraints_look_at_the_point_that_a_sample_stands_for():
    about = Constraints(Bounds(1.0, 3.0))
    constrained = about.around(method([0.0, 0.0], 2.0), np.negative)
    state = constrained.init()
    for _ in range(80):
        x = constrained.ask(state)
        state, _ = constrained.tell(state, x, about.guarded(sphere)(-x))
    np.testing.assert_allclose(state.best.x, [-1.0, -1.0], atol=1e-4)
    assert (state.best.x <= -1.0).all()


def test_the_least_violation_of_the_search_is_remembered():
    constrained = Constrained(method([0.0, 0.0], 1.0), Feasibility.of(Bounds(9, 10)))
    state, least = constrained.init(), []
    for shift in (0.0, 2.0, -5.0):
        x = constrained.ask(state) + shift
        least.append(constrained.feasibility.violation(x).min())
        state, _ = constrained.tell(state, x, sphere(x))
    assert state.memory[LEAST].tolist() == [min(least)]
    assert least[-1] > min(least)


def test_only_resampling_forbids_to_begin_anew():
    assert Constraints(HALF).anew(IPOP()) == IPOP()
    assert Constraints(HALF, Resample()).anew(IPOP()) is never


def test_without_constraints_nothing_is_changed():
    free, stop, inner = Free(), stopping.Stop("done", success=True), method([0.0], 1.0)
    assert free.guarded(sphere) is sphere
    assert free.around(inner, abs) is inner
    assert free.anew(never) is never
    assert free.judged(stop, inner.init()) is stop
    assert repr(free) == "none"
    assert repr(Constraints(HALF, Penalise(2.0))) == "Penalise(weight=2.0, factor=1.5)"


def test_a_problem_may_bring_its_constraints():
    class Bringing:
        constraints = Bounds(0, 1)

    x = np.array([[2.0]])
    assert constraints_of(Bringing(), None, None).of.violation(x) == [1.0]
    assert constraints_of(Bringing(), Bounds(0, 3), None).of.violation(x) == [0.0]
    assert constraints_of(Bringing(), None, Penalise()).treat == Penalise()
    assert repr(constraints_of(sphere, None, None)) == "none"
    with pytest.raises(TypeError, match=r"Rank\(\) says what becomes of .*: pass constraints too"):
        constraints_of(sphere, None, Rank())


def test_constraints_are_for_optimisation():
    steering = cem.CrossEntropyMethod(
        nominal=cem.Normal([0.0], [1.0]), n_samples=9, log_weight=cem.likelihood_ratio, rng=1
    )
    with pytest.raises(ValueError, match=r"constraints are for optimisation.*likelihood_ratio"):
        Constrained(steering, Feasibility.of(Bounds(0, 1)))


def test_a_treatment_that_is_none_is_refused():
    with pytest.raises(TypeError, match=r"treated by Rank\(\), .*; got 'rank'"):
        Constrained(method([0.0], 1.0), Feasibility.of(Bounds(0, 1)), "rank")
    both = Cooperating([method([0.0], 1.0)] * 2)
    with pytest.raises(TypeError, match="Resample draws from the density of a CrossEntropyMethod"):
        Constrained(both, Feasibility.of(Bounds(0, 1)), Resample())

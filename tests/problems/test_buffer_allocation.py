"""The buffer allocation problem: shared random times, bounds, neighbours, and searches of it."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

import cem
from cem.answer import Noise
from cem.randomness import root_of
from cem.testing import ProblemContract
from problems.buffer_allocation import BufferAllocation, ProductionLine, problem

LINE = ProductionLine([1.0, 1.1, 1.2, 1.3])
PROBLEM = BufferAllocation(LINE, capacity=10)


class TestSimulated(ProblemContract):
    problem = PROBLEM.bind(np.random.default_rng(1))
    nominal = PROBLEM.nominal()


class TestSimulatedFailures(ProblemContract):
    problem = problem(
        [1.0, 2.0, 1.5], capacity=7, failure_rate=0.1, repair_rate=0.5, failures="time", jobs=30
    ).bind(np.random.default_rng(1))
    nominal = BufferAllocation(ProductionLine([1.0] * 3), 7).nominal()


def test_a_score_is_the_simulated_throughput():
    x = np.array([[4, 4, 2], [0, 0, 10]])
    found = LINE.simulate(x, np.random.default_rng(2), jobs=100, replications=4)
    np.testing.assert_array_equal(PROBLEM.bind(np.random.default_rng(2))(x), found.mean)


def test_all_samples_of_an_iteration_share_their_times(assert_common_numbers):
    assert_common_numbers(PROBLEM)


def test_runs_grow_longer():
    jobs = [BufferAllocation(LINE, 10, jobs=50, growth=0.5).jobs_at(t) for t in (0, 1, 2, 18, 99)]
    assert jobs == [50, 75, 112, 400, 400]
    times = PROBLEM.bound_at(root_of(1), 2, 0).times
    assert len(times.work) == 400 + 5 * (4 + 10)


def test_neighbours_are_all_moves_of_one_place():
    near = PROBLEM.neighbours(np.array([0, 3, 7]))
    assert sorted(near.tolist()) == [[0, 2, 8], [0, 4, 6], [1, 2, 7], [1, 3, 6]]


def test_neighbours_keep_to_the_bounds():
    bounded = BufferAllocation(LINE, 10, lower=[0, 3, 1], upper=[1, 10, 7])
    near = bounded.neighbours(np.array([0, 3, 7]))
    assert sorted(near.tolist()) == [[0, 4, 6], [1, 3, 6]]


def test_constraints_count_the_places_out_of_bounds():
    bounded = BufferAllocation(LINE, 10, lower=2, upper=[3, 4, 10])
    x = np.array([[3, 3, 4], [4, 3, 3], [0, 5, 5], [0, 0, 10]])
    np.testing.assert_array_equal(bounded.constraints(x), [0, 1, 3, 4])
    assert PROBLEM.constraints is None


def test_the_best_throughput_is_known_for_small_lines():
    assert PROBLEM.exact() == pytest.approx(0.8539923331, abs=1e-10)
    fixed = BufferAllocation(LINE, 10, lower=[0, 0, 3])
    assert fixed.exact() == pytest.approx(0.8504645471, abs=1e-10)
    assert BufferAllocation(LINE, 30).exact() is None
    assert problem(capacity=10, failure_rate=0.05, repair_rate=0.5).exact() is None


def test_a_search_with_no_further_setting_finds_the_optimum():
    for seed in range(5):
        found = cem.maximize(PROBLEM, rng=seed)
        assert LINE.exact_throughput(found.x) == pytest.approx(PROBLEM.exact(), rel=1e-12)
        assert found.success
        assert found.race.guaranteed
        assert found.nfev < 3000


def test_the_answer_says_how_much_worse_its_neighbours_are():
    found = cem.maximize(PROBLEM, rng=0)
    near = PROBLEM.neighbours(found.x)
    raced = [tuple(c) for c in found.race.candidates]
    assert {tuple(c) for c in near} <= set(raced)
    for c in near:
        i = raced.index(tuple(c))
        worse = LINE.exact_throughput(found.x) - LINE.exact_throughput(c)
        assert abs(found.race.behind[i] - worse) < 8 * found.race.behind_error[i]


def test_the_interval_of_a_search_holds_the_exact_throughput():
    found = cem.maximize(PROBLEM, rng=0)
    low, high = found.confidence_interval(0.999)
    assert low < LINE.exact_throughput(found.x) < high
    told = PROBLEM.report(found)
    assert told["exact throughput"] == f"{LINE.exact_throughput(found.x):.6g}"
    assert told["interval"] == "{:.6g} to {:.6g}".format(*found.confidence_interval())


def test_a_search_keeps_to_the_bounds():
    bounded = BufferAllocation(LINE, 10, lower=1, upper=[3, 10, 10])
    found = cem.maximize(bounded, n_samples=100, rng=0, max_iterations=15)
    assert bounded.constraints(found.x[None])[0] == 0
    assert LINE.exact_throughput(found.x) > 0.995 * bounded.exact()


def test_a_search_has_the_same_bits_whatever_the_chunks():
    settings = {"n_samples": 60, "max_iterations": 4, "noise": Noise(first=3, most=3, n_final=3)}
    whole = cem.maximize(PROBLEM, rng=0, **settings)
    parts = cem.maximize(PROBLEM, rng=0, chunk_size=7, **settings)
    assert (whole.fun, whole.history) == (parts.fun, parts.history)


def test_a_search_has_the_same_bits_for_any_workers_and_when_it_is_resumed(tmp_path):
    whole = cem.maximize(PROBLEM, rng=3)
    with ThreadPoolExecutor(8) as pool:
        shared = cem.maximize(PROBLEM, rng=3, workers=pool)
    file = tmp_path / "run.npz"
    with pytest.raises(InterruptedError):
        cem.maximize(PROBLEM, rng=3, checkpoint=file, callback=interrupt_after(2))
    resumed = cem.maximize(PROBLEM, rng=3, checkpoint=file)
    for other in (shared, resumed):
        assert (other.fun, other.nfev, other.history) == (whole.fun, whole.nfev, whole.history)
        np.testing.assert_array_equal(other.x, whole.x)
        np.testing.assert_array_equal(other.race.mean, whole.race.mean)


def interrupt_after(n):
    def callback(state, record):
        del record
        if state.t == n:
            raise InterruptedError

    return callback


def test_the_race_may_err_by_a_ten_thousandth_of_the_slowest_rate():
    assert PROBLEM.noise().race.indifference == pytest.approx(1e-4)
    assert problem([2.0, 3.0, 4.0]).noise().race.indifference == pytest.approx(2e-4)


def test_without_a_generator_there_is_no_score():
    with pytest.raises(TypeError, match=r"problem.bind\(rng\)\(x\), or ask for .*exact_throughput"):
        PROBLEM(np.array([[4, 4, 2]]))


@pytest.mark.parametrize(("line", "capacity"), [(ProductionLine([1, 1]), 5), (LINE, 0)])
def test_a_search_with_nothing_to_choose_is_refused(line, capacity):
    with pytest.raises(ValueError, match=f"nothing to choose with {capacity} places for"):
        cem.maximize(BufferAllocation(line, capacity), rng=0)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"capacity": -1}, "capacity must be at least 0; got -1"),
        ({"jobs": 0}, "jobs must be at least 1; got 0"),
        ({"replications": 1}, "replications must be at least 2; got 1"),
        ({"growth": -0.1}, "growth must be at least 0 and finite; got -0.1"),
        ({"growth": np.nan}, "growth must be at least 0 and finite; got nan"),
        ({"lower": -1}, "lower must not be negative; got -1"),
        ({"lower": [1, 2]}, r"lower must be a number or one for every of the 3 buffers; got \[1"),
        ({"lower": 3, "upper": [9, 9, 2]}, "exceed upper; got 3 and 2 for buffer 2"),
        ({"lower": 4}, "capacity must lie between the sums of the bounds, 12 and 30; got 10"),
        ({"upper": 3}, "capacity must lie between the sums of the bounds, 0 and 9; got 10"),
    ],
)
def test_a_problem_that_cannot_be_is_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        BufferAllocation(LINE, **{"capacity": 10} | settings)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"capacity": 2.5}, "capacity must be a whole number; got 2.5"),
        ({"lower": 0.5}, "lower must be of whole numbers; got 0.5"),
        ({"upper": True}, "upper must be of whole numbers; got True"),
        ({"line": [1.0, 1.0]}, r"line must be a ProductionLine; got \[1.0, 1.0\]"),
    ],
)
def test_what_is_no_problem_is_refused(settings, message):
    with pytest.raises(TypeError, match=message):
        BufferAllocation(**{"line": LINE, "capacity": 10} | settings)


def test_a_long_line_races_with_moves_to_the_next_buffer_and_equal_shares():
    problem = BufferAllocation(ProductionLine([1.0] * 16), capacity=15)
    x = np.array([2] + [1] * 13 + [0])
    near = problem.near(x)
    assert (near.sum(axis=1) == 15).all()
    assert (near == 1).all(axis=1).any()
    assert len(near) == 14 + 13 + 1  # the last buffer has nothing to give
    race = problem.noise().race
    assert len(near) * race.first < race.most == 200 * 15
    short = BufferAllocation(ProductionLine([1.0] * 5), capacity=10)
    assert short.noise().race.neighbours == short.neighbours

"""The simulated line: job by job against plain recursions, and in the mean against exact values."""

import numpy as np
import pytest
from scipy import stats

from problems.buffer_allocation import ProductionLine
from problems.buffer_allocation.simulation import MOST_NUMBERS, Times, warm_up_of

RISING = [1.0, 1.1, 1.2, 1.3, 1.4]
FAIL = {"failure_rate": 0.05, "repair_rate": 0.5}
LINES = {  # small enough for their exact throughput
    "three": (ProductionLine([1.0] * 3), (2, 2)),
    "three, rising": (ProductionLine([1.0, 1.2, 1.4]), (7, 3)),
    "four, rising": (ProductionLine([1.0, 1.1, 1.2, 1.3]), (4, 4, 2)),
    "five": (ProductionLine([1.0] * 5), (2, 3, 3, 2)),
    "five, rising": (ProductionLine(RISING), (4, 3, 2, 1)),
    "five, many places": (ProductionLine([1.0] * 5), (5, 5, 5, 5)),
    "seven": (ProductionLine([1.0] * 7), (1, 2, 2, 2, 2, 1)),
    "three that fail": (ProductionLine([1.0, 1.2, 1.4], **FAIL), (7, 3)),
    "five that fail": (ProductionLine(RISING, **FAIL), (3, 3, 3, 1)),
    "five at any time": (ProductionLine(RISING, **FAIL, failures="time"), (3, 3, 3, 1)),
}
KINDS = {
    "reliable": ProductionLine(RISING[:4]),
    "operation": ProductionLine(RISING[:4], failure_rate=0.3, repair_rate=0.4),
    "time": ProductionLine(RISING[:4], failure_rate=0.3, repair_rate=0.4, failures="time"),
}
EACH = pytest.mark.parametrize("line", KINDS.values(), ids=KINDS.keys())


def by_recursion(times, allocation, r):
    """When every job leaves the last machine in replication ``r``, by the formula as it is."""
    n, m, _ = times.work.shape
    left, done = np.zeros((m + 1, n + 1)), np.zeros((m, n + 1))  # left[0]: always a job there
    for k in range(1, n + 1):
        for i in range(m):
            start = max(left[i, k], left[i + 1, k - 1])
            if times.patience is not None and start - done[i, k - 1] > times.patience[k - 1, i, r]:
                start += times.away[k - 1, i, r]
            done[i, k] = left[i + 1, k] = start + times.work[k - 1, i, r]
            if i < m - 1 and (room := k - allocation[i] - 1) > 0:
                left[i + 1, k] = max(done[i, k], left[i + 2, room])
    return left[m, 1:]


def departures(times, allocation):
    """When every job leaves, shape ``(jobs, replications)``: runs of every length."""
    parts = [
        Times(*(a if a is None else a[:k] for a in times)) for k in range(1, len(times.work) + 1)
    ]
    return np.array([part.elapsed(np.array([allocation]), 0)[0] for part in parts])


@EACH
@pytest.mark.parametrize("allocation", [(0, 0, 0), (2, 0, 1), (1, 7, 40)])
def test_every_job_leaves_when_the_recursion_says(line, allocation):
    times = Times.draw(line, np.random.default_rng(3), jobs=60, replications=3)
    expected = np.column_stack([by_recursion(times, allocation, r) for r in range(3)])
    np.testing.assert_allclose(departures(times, allocation), expected, rtol=1e-13)


@EACH
def test_every_job_leaves_when_simpy_says(line):
    simpy = pytest.importorskip("simpy")
    allocation = (2, 1, 3)
    times = Times.draw(line, np.random.default_rng(4), jobs=80, replications=1)
    n, m, _ = times.work.shape
    clock, left = simpy.Environment(), []
    stores = [simpy.Store(clock, capacity) for capacity in allocation]

    def machine(i):
        done = 0.0
        for k in range(n):
            if i > 0:
                yield stores[i - 1].get()
            if times.patience is not None and clock.now - done > times.patience[k, i, 0]:
                yield clock.timeout(times.away[k, i, 0])
            yield clock.timeout(times.work[k, i, 0])
            done = clock.now
            if i < m - 1:
                yield stores[i].put(k)
            else:
                left.append(clock.now)

    for i in range(m):
        clock.process(machine(i))
    clock.run()
    np.testing.assert_allclose(departures(times, allocation)[:, 0], left, rtol=1e-12)


def test_the_intervals_hold_the_exact_throughput_as_often_as_they_say():
    seeds, inside, wrong = range(20), 0, 0
    for line, allocation in LINES.values():
        throughput = line.exact_throughput(allocation)
        for seed in seeds:
            found = line.simulate(
                [allocation], np.random.default_rng([9, seed]), jobs=400, replications=16
            )
            low, high = found.confidence_interval(0.99)
            inside += bool(low[0] < throughput < high[0])
            wrong += bool(low[0] < 1.1 * throughput < high[0])
    n = len(LINES) * len(seeds)  # 200: of 2 misses on average, 9 or more come once in 5000 times
    assert n - inside < 9
    assert wrong < n / 10


@pytest.mark.parametrize("name", ["five that fail", "five at any time", "five, many places"])
def test_long_runs_have_the_exact_throughput(name):
    line, allocation = LINES[name]
    throughput = line.exact_throughput(allocation)
    found = line.simulate([allocation], np.random.default_rng(5), jobs=2000, replications=100)
    assert found.standard_error[0] < 0.003 * throughput
    assert abs(found.mean[0] - throughput) < 4 * found.standard_error[0]


def test_general_service_times_have_their_closed_form():
    uniform = stats.uniform(0.5, 1.0)  # two machines without a buffer: 1 / E max(S, S')
    line = ProductionLine([uniform, uniform])
    found = line.simulate([[0]], np.random.default_rng(6), jobs=2000, replications=50)
    assert found.standard_error[0] < 0.001
    assert abs(found.mean[0] - 6 / 7) < 4 * found.standard_error[0]


def test_fixed_service_times_make_the_slowest_machine_the_line():
    fixed = stats.uniform(2.0, 1e-12)
    line = ProductionLine([fixed, stats.uniform(1.0, 1e-12), fixed])
    found = line.simulate([[0, 0]], np.random.default_rng(6), jobs=10, replications=2)
    np.testing.assert_allclose(found.mean, 0.5, rtol=1e-10)


@EACH
def test_times_of_work_have_their_means(line):
    work = Times.draw(line, np.random.default_rng(7), jobs=1000, replications=20).work
    error = work.std(axis=(0, 2)) / np.sqrt(20_000)
    assert (np.abs(work.mean(axis=(0, 2)) - 1 / line.rates) < 4 * error).all()


def test_common_random_numbers_cut_the_variance_of_a_difference():
    x = np.array([[3, 3, 3, 1], [4, 3, 2, 1]])
    for line in (ProductionLine(RISING), ProductionLine(RISING, **FAIL, failures="time")):
        scores = np.array(
            [line.simulate(x, np.random.default_rng([8, i]), jobs=100).mean for i in range(100)]
        )
        alone, together = 2 * scores[:, 0].var(ddof=1), np.diff(scores).var(ddof=1)
        assert alone > 10 * together


def test_an_allocation_has_the_same_throughput_in_any_batch():
    line = KINDS["time"]
    x = np.array([[1, 2, 3], [0, 0, 6], [1, 2, 3], [6, 0, 0]])
    together = line.simulate(x, np.random.default_rng(1), jobs=50)
    for row, mean, error in zip(x, together.mean, together.standard_error, strict=True):
        alone = line.simulate([row], np.random.default_rng(1), jobs=50)
        assert (alone.mean[0], alone.standard_error[0]) == (mean, error)


def test_the_warm_up_is_dropped():
    line = ProductionLine([1.0, 1.0])
    times = Times.draw(line, np.random.default_rng(2), jobs=30, replications=4)
    left = departures(times, (1,))
    np.testing.assert_allclose(times.elapsed(np.array([[1]]), 10)[0], left[29] - left[9])
    assert warm_up_of(line, [[4]]) == 30


def test_long_buffers_between_equal_machines_have_filled_before_jobs_are_counted():
    line = ProductionLine([1.0, 1.0])
    assert warm_up_of(line, [[60]]) == 3600
    found = line.simulate([[60]], np.random.default_rng(5), jobs=800, replications=400)
    assert abs(found.mean[0] - 62 / 63) < 4 * found.standard_error[0] < 0.01


def test_the_interval_is_students():
    found = ProductionLine([1.0, 1.0]).simulate(
        [[1]], np.random.default_rng(1), jobs=9, replications=5
    )
    low, high = found.confidence_interval(0.9)
    half = stats.t(4).ppf(0.95) * found.standard_error
    np.testing.assert_allclose([low, high], [found.mean - half, found.mean + half])
    with pytest.raises(ValueError, match="level must lie strictly between 0 and 1"):
        found.confidence_interval(1.5)


@pytest.mark.parametrize(
    ("lengths", "message"),
    [
        ({"jobs": 0}, "jobs must be at least 1; got 0"),
        ({"warm_up": -1}, "warm_up must be at least 0; got -1"),
        ({"replications": 1}, "replications must be at least 2; got 1"),
        ({"jobs": MOST_NUMBERS}, "more than the 134217728 that are held at once"),
    ],
)
def test_runs_that_cannot_be_are_refused(lengths, message):
    with pytest.raises(ValueError, match=message):
        ProductionLine([1.0, 1.0]).simulate([[1]], np.random.default_rng(1), **lengths)

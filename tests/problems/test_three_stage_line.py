"""Rates and buffers chosen together: the published optimum, its convention, and the search."""

import numpy as np
import pytest

import cem
from cem.testing import ProblemContract
from problems.buffer_allocation import ProductionLine
from problems.three_stage_line import ThreeStageLine

PROBLEM = ThreeStageLine()
SMALL = ThreeStageLine(total_rate=7, total_places=5)
BEST = PROBLEM.sample_of([6, 7, 7], [12, 8])


class TestSimulated(ProblemContract):
    problem = PROBLEM.bind(np.random.default_rng(1))
    nominal = PROBLEM.nominal()


def test_the_published_optimum_is_that_of_buffers_that_count_the_place_on_the_machine():
    """Pichitlamken, Nelson and Hong (2006): 5.776. With b places between machines it is 5.8177."""
    assert PROBLEM.throughput(BEST) == pytest.approx(5.776121751, abs=1e-9)
    mirror = PROBLEM.sample_of([7, 7, 6], [8, 12])
    assert PROBLEM.throughput(mirror) == pytest.approx(5.776121751, abs=1e-9)
    line = ProductionLine([6, 7, 7])
    assert line.exact_throughput([12, 8]) == pytest.approx(5.8177, abs=5e-5)


def test_the_optimum_is_exact():
    assert PROBLEM.exact() == pytest.approx(5.776121751, abs=1e-9)


def test_the_optimum_of_a_small_line_is_that_of_all_its_records():
    every = [
        SMALL.throughput(SMALL.sample_of((s1, s2, s3), (b, 5 - b)))
        for s1 in range(1, 6)
        for s2 in range(1, 7 - s1)
        for s3 in range(1, 8 - s1 - s2)
        for b in range(1, 5)
    ]
    assert len(every) == 35 * 4
    assert SMALL.exact() == pytest.approx(max(every), rel=1e-12)


def test_records_are_rates_above_one_and_places_between_machines():
    assert BEST["more"].tolist() == [5, 6, 6, 0]
    assert BEST["places"].tolist() == [11, 7]
    unused = PROBLEM.sample_of([1, 2, 3], [1, 19])
    assert unused["more"].tolist() == [0, 1, 2, 14]
    assert PROBLEM.rates_and_buffers(unused) == ([1, 2, 3], [1, 19])


def test_a_score_is_the_simulated_throughput_of_its_line():
    """The same times, in units of the mean ones, whatever the rates."""
    x = np.array([BEST, PROBLEM.sample_of([2, 3, 4], [5, 15]), BEST])
    score = PROBLEM.bind(np.random.default_rng(2))(x)
    warm_up = 5 * (3 + 20)
    for sample, found in zip(x, score, strict=True):
        (rates, _), rng = PROBLEM.rates_and_buffers(sample), np.random.default_rng(2)
        times = rng.standard_exponential((warm_up + 400, 3, 4)) / np.array(rates)[:, None]
        assert found == pytest.approx(departures(times, sample["places"], warm_up), rel=1e-12)


def departures(times, places, warm_up):
    """Jobs over the mean of the times they take, by the recursion, less its first-order bias."""
    jobs, m, n = times.shape
    left = np.zeros((m + 1, jobs + 1, n))  # when job k - 1 leaves machine i - 1
    for k in range(1, jobs + 1):
        for i in range(m):
            left[i + 1, k] = np.maximum(left[i, k], left[i + 1, k - 1]) + times[k - 1, i]
            if i < m - 1 and k > places[i] + 1:
                left[i + 1, k] = np.maximum(left[i + 1, k], left[i + 2, k - places[i] - 1])
    elapsed = left[m, jobs] - left[m, warm_up]
    relative = elapsed.std(ddof=1) / elapsed.mean() / np.sqrt(n)
    return (jobs - warm_up) / elapsed.mean() * (1 - relative**2)


def test_all_samples_of_an_iteration_share_their_times(assert_common_numbers):
    assert_common_numbers(PROBLEM)


def test_neighbours_move_a_unit_of_rate_or_a_place_or_both():
    near = PROBLEM.neighbours(BEST)
    assert len(near) == (1 + 9) * (1 + 2) - 1  # nothing is unused, so that cannot move
    assert len(np.unique(near)) == len(near)
    assert BEST not in near
    PROBLEM.checked(near)
    for name in ("more", "places"):
        assert set(np.abs(near[name] - BEST[name]).sum(axis=1)) == {0, 2}
    edge = PROBLEM.sample_of([1, 1, 1], [1, 19])
    assert len(PROBLEM.neighbours(edge)) == (1 + 3) * (1 + 1) - 1


def test_a_search_with_no_further_setting_finds_the_optimum_to_a_thousandth():
    for seed in range(4):
        found = cem.maximize(PROBLEM, rng=seed)
        known = PROBLEM.throughput(found.x)
        assert known > (1 - 1e-3) * 5.776121751
        low, high = found.confidence_interval(0.9999)
        assert low < known < high
    assert PROBLEM.report(found) == {
        "rates": " ".join(map(str, PROBLEM.rates_and_buffers(found.x)[0])),
        "buffers, with the place on the machine": " ".join(map(str, found.x["places"] + 1)),
        "interval": "{:.6g} to {:.6g}".format(*found.confidence_interval()),
        "exact throughput": f"{known:.6g}",
    }


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: ThreeStageLine(total_rate=3), ValueError, "total_rate must be at least 4; got 3"),
        (lambda: ThreeStageLine(total_places=2), ValueError, "total_places must be at least 3"),
        (lambda: ThreeStageLine(jobs=0), ValueError, "jobs must be at least 1; got 0"),
        (lambda: ThreeStageLine(replications=1), ValueError, "replications must be at least 2"),
        (lambda: ThreeStageLine(total_rate=7.5), TypeError, "must be a whole number; got 7.5"),
        (lambda: PROBLEM(np.array([BEST])), TypeError, r"give it a generator.*problem.throughput"),
        (lambda: PROBLEM.sample_of([0, 7, 7], [12, 8]), ValueError, r"more must be 0 or more each"),
        (lambda: PROBLEM.sample_of([7, 7, 7], [12, 8]), ValueError, "more must .* sum to 17"),
        (lambda: PROBLEM.sample_of([6, 7, 7], [12, 9]), ValueError, "places must .* sum to 18"),
        (lambda: PROBLEM.checked(np.zeros((2, 5))), ValueError, "expected records of shape"),
    ],
)
def test_a_mistake_is_named(make, error, message):
    with pytest.raises(error, match=message):
        make()

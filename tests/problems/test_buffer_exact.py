"""The exact throughput: closed forms, other solutions of the same chains, and refusals."""

import numpy as np
import pytest
from scipy import stats

from problems.buffer_allocation import ProductionLine
from problems.buffer_allocation.exact import _Chain, n_states

FAIL = {"failure_rate": 0.05, "repair_rate": 0.5}
RISING = [1.0, 1.1, 1.2, 1.3, 1.4]
LINES = {  # every allocation enumerated with another program: the best of each, to 10 digits
    "three": (ProductionLine([1.0] * 3), (2, 2), 0.7340166721),
    "three, rising": (ProductionLine([1.0, 1.2, 1.4]), (7, 3), 0.9428995379),
    "four, rising": (ProductionLine([1.0, 1.1, 1.2, 1.3]), (4, 4, 2), 0.8539923331),
    "five": (ProductionLine([1.0] * 5), (2, 3, 3, 2), 0.7081008631),
    "five, rising": (ProductionLine(RISING), (4, 3, 2, 1), 0.8233418609),
    "five, many places": (ProductionLine([1.0] * 5), (5, 5, 5, 5), 0.7933674049),
    "seven": (ProductionLine([1.0] * 7), (1, 2, 2, 2, 2, 1), 0.6363352652),
    "three that fail": (ProductionLine([1.0, 1.2, 1.4], **FAIL), (7, 3), 0.8274110614),
    "five that fail": (ProductionLine(RISING, **FAIL), (3, 3, 3, 1), 0.7005024421),
    "five at any time": (
        ProductionLine(RISING, **FAIL, failures="time"),
        (3, 3, 3, 1),
        0.6806308106,
    ),
}
ALL = pytest.mark.parametrize(
    ("line", "allocation", "throughput"), LINES.values(), ids=LINES.keys()
)


@pytest.mark.parametrize("places", [0, 1, 2, 5, 20, 100])
def test_two_equal_machines_have_the_closed_form(places):
    exact = ProductionLine([1.0, 1.0]).exact_throughput([places])
    assert exact == pytest.approx((places + 2) / (places + 3), rel=1e-12)


def test_three_machines_without_buffers_have_hunts_value():
    exact = ProductionLine([2.0, 2.0, 2.0]).exact_throughput([0, 0])
    assert exact == pytest.approx(2 * 22 / 39, rel=1e-12)


@pytest.mark.parametrize("places", [0, 3])
def test_two_different_machines_are_a_finite_queue(places):
    rates, k = (1.0, 1.7), places + 2  # M/M/1 with room for k: busy unless empty
    load = rates[0] / rates[1]
    busy = 1 - (1 - load) / (1 - load ** (k + 1))
    exact = ProductionLine(rates).exact_throughput([places])
    assert exact == pytest.approx(rates[1] * busy, rel=1e-12)


@ALL
def test_the_throughput_is_that_of_another_program(line, allocation, throughput):
    assert line.exact_throughput(allocation) == pytest.approx(throughput, abs=1e-10)


def test_a_line_run_backwards_has_the_same_throughput():
    rates, allocation = [1.0, 1.5, 0.8, 1.2], [3, 0, 2]
    there = ProductionLine(rates, **FAIL).exact_throughput(allocation)
    back = ProductionLine(rates[::-1], **FAIL).exact_throughput(allocation[::-1])
    assert there == pytest.approx(back, rel=1e-11)


def test_machines_that_also_fail_while_they_stand_do_less():
    anytime, working = (
        ProductionLine(RISING, **FAIL, failures=failures).exact_throughput([1, 1, 1, 1])
        for failures in ("time", "operation")
    )
    assert anytime < working < ProductionLine(RISING).exact_throughput([1, 1, 1, 1])


def test_failures_with_rate_zero_change_nothing():
    for failures in ("operation", "time"):
        never = ProductionLine(RISING[:3], failure_rate=0.0, repair_rate=0.5, failures=failures)
        assert never.exact_throughput([1, 2]) == pytest.approx(
            ProductionLine(RISING[:3]).exact_throughput([1, 2]), rel=1e-11
        )


@pytest.mark.parametrize("failures", ["operation", "time"])
def test_a_machine_behind_large_buffers_has_its_own_rate(failures):
    line = ProductionLine([1.0, 5.0], failure_rate=[0.2, 0.0], repair_rate=0.6, failures=failures)
    assert line.rates[0] == pytest.approx(0.75)
    assert line.exact_throughput([200]) == pytest.approx(0.75, rel=1e-9)


@pytest.mark.parametrize("name", LINES)
def test_the_states_are_as_many_as_were_counted(name):
    line, allocation, _ = LINES[name]
    jobs, _, down = _Chain(line, np.array(allocation))._states
    every = np.column_stack([jobs, down])
    assert len(np.unique(every, axis=0)) == len(every) == n_states(line, allocation)


def test_a_chain_too_large_is_refused_before_it_is_built():
    line = ProductionLine([1.0] * 20)
    assert n_states(line, [3] * 19) > 10**12
    with pytest.raises(ValueError, match=r"has \d{13,} states, more than the 500000 .* simulate"):
        line.exact_throughput([3] * 19)


def test_a_line_that_is_not_exponential_is_refused():
    line = ProductionLine([1.0, stats.gamma(2)])
    with pytest.raises(ValueError, match=r"only exponential lines .* machine 1 has"):
        line.exact_throughput([1])


def test_a_chain_that_does_not_settle_is_eliminated(monkeypatch):
    settled = ProductionLine(RISING).exact_throughput([1, 1, 1, 1])
    monkeypatch.setattr("problems.buffer_allocation.exact.MOST_SWEEPS", 1)
    eliminated = ProductionLine(RISING).exact_throughput([1, 1, 1, 1])
    assert eliminated == pytest.approx(settled, rel=1e-12)


def test_a_long_line_of_two_machines_has_its_closed_form(monkeypatch):
    monkeypatch.setattr("problems.buffer_allocation.exact.MOST_SWEEPS", 10)
    rho, n = 1 / 0.999, 5000 + 2  # M/M/1/n: the share of time that the second machine works
    busy = 1 - (1 - rho) / (1 - rho ** (n + 1))
    found = ProductionLine([1.0, 0.999]).exact_throughput([5000])
    assert found == pytest.approx(0.999 * busy, rel=1e-12)


def test_a_large_chain_that_does_not_settle_is_refused(monkeypatch):
    monkeypatch.setattr("problems.buffer_allocation.exact.MOST_SWEEPS", 1)
    monkeypatch.setattr("problems.buffer_allocation.exact.MOST_ELIMINATED", 10)
    with pytest.raises(ValueError, match=r"of \d+ states was not found in 1 sweeps.*at most 10 st"):
        ProductionLine(RISING).exact_throughput([1, 1, 1, 1])

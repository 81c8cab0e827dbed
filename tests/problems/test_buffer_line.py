"""What a production line takes, and what it refuses."""

import numpy as np
import pytest
from scipy import stats

from problems.buffer_allocation import ProductionLine

LINE = ProductionLine([1.0, 2.0, 4.0])


def test_rates_are_those_of_the_machines_with_their_repairs():
    np.testing.assert_array_equal(LINE.rates, [1.0, 2.0, 4.0])
    fails = ProductionLine([1.0, stats.gamma(2)], failure_rate=[0.0, 0.1], repair_rate=0.4)
    np.testing.assert_allclose(fails.rates, [1.0, 0.4])


def test_one_rate_of_failure_is_that_of_all_machines():
    line = ProductionLine([1, 2], failure_rate=0.1, repair_rate=[1, 2])
    assert (line.failure_rate, line.repair_rate) == ((0.1, 0.1), (1.0, 2.0))


@pytest.mark.parametrize(
    ("service", "rest", "message"),
    [
        ([1.0], {}, "at least two machines; got service of 1"),
        ([1.0, 0.0], {}, "rate of service must be positive and finite.* got 0 for machine 1"),
        ([-1.0, 1.0], {}, "rate of service must be positive .* got -1 for machine 0"),
        ([np.nan, 1.0], {}, "rate of service must be positive .* got nan for machine 0"),
        ([1.0, np.inf], {}, "rate of service must be positive .* got inf for machine 1"),
        ([1.0, stats.norm(5)], {}, "must be positive .* from -inf on .* machine 1"),
        ([1.0, stats.cauchy(5)], {}, "must be positive with a finite mean"),
        ([1.0, stats.pareto(0.5)], {}, "finite mean; got .* mean inf for machine 1"),
        ([1.0, 1.0], {"failures": "often"}, "must be 'operation' or 'time'.* got 'often'"),
        ([1.0, 1.0], {"repair_rate": 1.0}, "both rates; got repair_rate without failure_rate"),
        ([1.0, 1.0], {"failure_rate": 1.0}, "both rates; got failure_rate without repair_rate"),
        (
            [1.0, 1.0],
            {"failure_rate": [0.1, -0.1], "repair_rate": 1.0},
            "every failure_rate must be 0 or more; got -0.1 for machine 1",
        ),
        (
            [1.0, 1.0],
            {"failure_rate": 0.1, "repair_rate": [0.0, 1.0]},
            "every repair_rate must be positive; got 0 for machine 0",
        ),
        (
            [1.0, 1.0],
            {"failure_rate": np.nan, "repair_rate": 1.0},
            "every failure_rate must be 0 or more; got nan for machine 0",
        ),
        (
            [1.0, 1.0],
            {"failure_rate": [0.1] * 3, "repair_rate": 1.0},
            r"one for every of the 2 machines; got shape \(3,\)",
        ),
    ],
)
def test_a_line_that_cannot_be_is_refused(service, rest, message):
    with pytest.raises(ValueError, match=message):
        ProductionLine(service, **rest)


@pytest.mark.parametrize(
    ("service", "rest", "message"),
    [
        (1.0, {}, "a rate or a distribution for every machine; got 1.0"),
        ("11", {}, "a rate or a distribution for every machine; got '11'"),
        ([1.0, "fast"], {}, "got 'fast' for machine 1"),
        ([1.0, True], {}, "got True for machine 1"),
        ([1, 1], {"failure_rate": "no", "repair_rate": 1}, "failure_rate must be a number"),
    ],
)
def test_what_is_no_line_is_refused(service, rest, message):
    with pytest.raises(TypeError, match=message):
        ProductionLine(service, **rest)


@pytest.mark.parametrize(
    ("allocation", "message"),
    [
        ([1, 2, 3], r"3 machines have 2 buffers each: expected shape \(n, 2\), got \(1, 3\)"),
        ([1, -2], "whole number from 0 on; got -2 for buffer 1 of allocation 0"),
        ([1.5, 2], "whole number from 0 on; got 1.5 for buffer 0 of allocation 0"),
        ([np.nan, 2], "whole number from 0 on; got nan for buffer 0"),
        ([np.inf, 2], "whole number from 0 on; got inf for buffer 0"),
    ],
)
def test_an_allocation_that_cannot_be_is_refused(allocation, message):
    with pytest.raises(ValueError, match=message):
        LINE.exact_throughput(allocation)
    with pytest.raises(ValueError, match=message):
        LINE.simulate([allocation], np.random.default_rng(1))


def test_an_allocation_that_is_no_number_is_refused():
    with pytest.raises(TypeError, match="an allocation is of whole numbers; got <U1 ones"):
        LINE.checked([["1", "2"]])

"""The fewest places for a target throughput: as by enumeration of exact throughputs."""

import numpy as np
import pytest

import cem
from problems.buffer_allocation import BufferAllocation, ProductionLine
from problems.buffer_allocation.least import LeastBuffers

LINE = ProductionLine([1.0, 1.1, 1.2])
FAILING = ProductionLine([1.0, 1.2, 1.4], failure_rate=0.05, repair_rate=0.5)


def alone(places):
    return [places]


def search_of(line, seed):
    return lambda places: cem.maximize(BufferAllocation(line, places), rng=seed).x


def exact_of(line, target):
    """How many places, by trying every number of them."""
    places = 0
    while BufferAllocation(line, places).exact() < target:
        places += 1
    return places


@pytest.mark.parametrize("places", [0, 1, 2, 3, 7, 8, 9])
def test_two_equal_machines_take_as_many_places_as_the_closed_form_says(places):
    """(b + 2) / (b + 3), half a place before it: b places are enough, and one less is not."""
    least = LeastBuffers(ProductionLine([1.0, 1.0]), (places + 1.5) / (places + 2.5))
    found, one_less = least.search(alone, rng=places)
    assert found.places == places
    assert found.low < (places + 2) / (places + 3) < found.high
    assert (one_less is None) if places == 0 else (one_less.places == places - 1)


@pytest.mark.parametrize("line", [LINE, FAILING], ids=["reliable", "failing"])
@pytest.mark.parametrize("target", [0.6, 0.75, 0.8])
def test_the_search_finds_as_many_places_as_enumeration(line, target):
    found, one_less = LeastBuffers(line, target).search(search_of(line, 1), rng=2)
    assert found.places == exact_of(line, target)
    assert line.exact_throughput(found.allocation) >= target
    if one_less is not None:
        assert (one_less.places, one_less.enough) == (found.places - 1, False)
        assert one_less.low < line.exact_throughput(one_less.allocation) < one_less.high


def test_the_judge_looks_longer_where_the_target_is_near():
    """3/4 with one place: a target a little below takes more simulations, so a shorter interval."""
    line = ProductionLine([1.0, 1.0])
    far, near = (LeastBuffers(line, target).search(alone, rng=3)[0] for target in (0.68, 0.7485))
    assert far.places == near.places == 1
    assert near.high - near.low < (far.high - far.low) / 2
    assert near.low > 0.7485


def test_a_target_that_is_met_exactly_is_judged_by_the_mean():
    """3/4 with one place, and a target of 3/4: no interval would tell."""
    found, one_less = LeastBuffers(ProductionLine([1.0, 1.0]), 0.75).search(alone, rng=1)
    judged = found if found.places == 1 else one_less
    assert judged.places == 1
    assert judged.low < 0.75 < judged.high
    assert judged.enough == (judged.throughput >= 0.75)


def test_a_search_has_the_same_bits_with_the_same_seed():
    least = LeastBuffers(LINE, 0.75)
    first, again = (least.search(search_of(LINE, 4), rng=5)[0] for _ in range(2))
    np.testing.assert_array_equal(first.allocation, again.allocation)
    assert first[1:] == again[1:]


def test_best_is_asked_about_few_numbers_of_places():
    asked = []

    def best(places):
        asked.append(places)
        return [places]

    LeastBuffers(ProductionLine([1.0, 1.0]), 0.89).search(best, rng=1)
    assert asked == [1, 2, 4, 8, 6, 7]


def test_too_few_places_for_the_target_are_refused():
    least = LeastBuffers(ProductionLine([1.0, 1.0]), 0.95, most=5)
    with pytest.raises(
        ValueError, match=r"5 places, the most .* are not enough for the target 0.95.*of 0.8"
    ):
        least.search(alone, rng=1)


def test_an_allocation_of_another_number_of_places_is_refused():
    with pytest.raises(ValueError, match=r"best must share out 1 places; got \[2, 0\]"):
        LeastBuffers(LINE, 0.8).search(lambda _: [2, 0], rng=1)


@pytest.mark.parametrize(
    ("settings", "error", "message"),
    [
        ({"target": 1.0}, ValueError, "between 0 and 1, the throughput of the slowest.*got 1.0"),
        ({"target": 0.0}, ValueError, "target must lie between 0 and 1.*got 0.0"),
        ({"target": np.nan}, ValueError, "target must lie between 0 and 1.*got nan"),
        ({"most": -1}, ValueError, "most must be at least 0; got -1"),
        ({"line": [1.0, 1.0]}, TypeError, r"line must be a ProductionLine; got \[1.0, 1.0\]"),
    ],
)
def test_a_target_that_cannot_be_is_refused(settings, error, message):
    with pytest.raises(error, match=message):
        LeastBuffers(**{"line": LINE, "target": 0.8} | settings)

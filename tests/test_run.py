"""THE loop, with a method that only counts."""

import numpy as np
import pytest

from cem import History, Record, State
from cem.run import run
from cem.stopping import Stop, iterations


class Counting:
    """A method whose batch is the iteration's number, and whose score is recorded."""

    def init(self):
        return State(v=None)

    def ask(self, state):
        return np.array([state.t])

    def tell(self, state, x, score):
        new = State(v=None, t=state.t + 1, nfev=state.nfev + len(x))
        return new, Record(*[float(score[0])] * len(Record._fields))._replace(t=new.t)


def scored(x, t):
    return x + 10.0 * t


def test_it_iterates_until_a_rule_gives_its_reason():
    state, history, stop = run(Counting(), scored, until=[iterations(3)])
    assert state.t == 3
    assert history.column("gamma").tolist() == [0.0, 11.0, 22.0]
    assert stop == ("the limit of 3 iterations was reached", False)


def test_the_first_rule_in_the_list_gives_the_reason():
    rules = [lambda h: Stop("b", success=True) if len(h) == 2 else None, iterations(2)]
    assert run(Counting(), scored, until=rules)[2] == ("b", True)
    assert run(Counting(), scored, until=rules[::-1])[2].success is False


def test_nothing_is_scored_where_a_rule_stops_at_once():
    scored_once = []
    rule = [lambda _: Stop("no", success=False)]
    state, history, stop = run(Counting(), scored_once.append, until=rule)
    assert scored_once == []
    assert (state.t, len(history), stop.message) == (0, 0, "no")


def test_it_goes_on_from_where_it_is_told_to_start():
    half = run(Counting(), scored, until=[iterations(2)])
    whole = run(Counting(), scored, until=[iterations(4)])
    rest = run(Counting(), scored, until=[iterations(4)], start=half[:2])
    assert rest[1] == whole[1]
    assert rest[0].t == whole[0].t


def test_every_callback_sees_every_iteration_in_order():
    seen = []
    watch = [
        lambda state, record: seen.append(("a", state.t, record.t)),
        lambda state, record: seen.append(("b", state.t, record.t)),
    ]
    run(Counting(), scored, until=[iterations(2)], callbacks=watch)
    assert seen == [("a", 1, 1), ("b", 1, 1), ("a", 2, 2), ("b", 2, 2)]


def test_rules_and_callbacks_may_be_generators():
    seen = []
    _, history, _ = run(
        Counting(),
        scored,
        until=(rule for rule in [iterations(3)]),
        callbacks=(watch for watch in [lambda state, _: seen.append(state.t)]),
    )
    assert len(history) == len(seen) == 3


def test_an_error_in_a_callback_is_not_swallowed():
    def fails(state, _):
        raise KeyError(state.t)

    with pytest.raises(KeyError, match="1"):
        run(Counting(), scored, until=[iterations(3)], callbacks=[fails])


def test_the_history_is_one_record_per_iteration():
    _, history, _ = run(Counting(), scored, until=[iterations(5)])
    assert type(history) is History
    assert history.column("t").tolist() == [1, 2, 3, 4, 5]

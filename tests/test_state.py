"""The best so far, the state, and the history as a table."""

from dataclasses import FrozenInstanceError

import numpy as np
import pytest

from cem import Bernoulli, Best, History, Record, State


def record(t, **values):
    return Record(*range(t, t + len(Record._fields)))._replace(t=t, **values)


def test_the_best_of_a_batch_replaces_a_worse_one_only():
    x = np.array([[1, 0], [0, 1], [1, 1]])
    first = Best().or_better(x, np.array([1.0, 3.0, 2.0]))
    assert (first.x.tolist(), first.score) == ([0, 1], 3.0)
    assert first.or_better(x, np.array([1.0, 3.0, 3.0])) is first
    assert first.or_better(x, np.array([1.0, 3.0, 4.0])).x.tolist() == [1, 1]


def test_the_first_of_several_best_samples_is_kept():
    assert Best().or_better(np.array([[7], [8], [9]]), np.array([1.0, 5.0, 5.0])).x.tolist() == [8]


def test_a_failed_score_is_never_the_best():
    best = Best().or_better(np.array([[1], [2]]), np.array([-np.inf, -np.inf]))
    assert best.x is None
    assert best.score == -np.inf


def test_the_best_sample_does_not_change_with_the_batch_that_it_came_from():
    x = np.array([[1, 2]])
    best = Best().or_better(x, np.array([0.0]))
    x[...] = 9
    assert best.x.tolist() == [1, 2]


def test_a_state_is_frozen_and_begins_with_nothing_found():
    state = State(Bernoulli([0.5]))
    assert (state.t, state.nfev, state.best, dict(state.memory)) == (0, 0, Best(), {})
    with pytest.raises(FrozenInstanceError):
        state.t = 1


def test_two_states_do_not_share_their_memory():
    assert State(None).memory is not State(None).memory


def test_appending_to_a_history_leaves_the_old_one_as_it_was():
    old = History([record(1)])
    new = old.append(record(2))
    assert type(new) is History
    assert [r.t for r in old] == [1]
    assert [r.t for r in new] == [1, 2]


def test_a_column_is_that_number_of_every_record():
    history = History([record(1, gamma=2.5), record(2, gamma=np.nan), record(3, gamma=-np.inf)])
    np.testing.assert_array_equal(history.column("gamma"), [2.5, np.nan, -np.inf])
    assert history.column("t").dtype == np.float64
    assert History().column("gamma").shape == (0,)


def test_a_record_without_the_numbers_of_an_estimate_says_that_it_has_none():
    short = Record(*range(16))
    assert short.n_hit == 0
    assert np.isnan(short.variation)


def test_a_column_that_is_none_is_an_error():
    with pytest.raises(ValueError, match="fitness"):
        History([record(1)]).column("fitness")

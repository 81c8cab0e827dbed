"""Callbacks watch: a line now and then, and a file after every iteration."""

import io
import re

import numpy as np
import pytest

import cem
from cem import Bernoulli, Checkpoint, History, Progress
from cem.checkpoint import load

COINS = Bernoulli([0.5] * 6)


def ones(x):
    return x.sum(axis=1)


def run(callback, **settings):
    return cem.maximize(ones, COINS, n_samples=50, rng=1, callback=callback, **settings)


def test_progress_writes_level_best_evaluations_and_time():
    to = io.StringIO()
    found = run(Progress(seconds=0, to=to), max_iterations=2)
    lines = to.getvalue().splitlines()
    for line, record in zip(lines, found.history, strict=True):
        expected = (
            f"iteration {record.t}: level {record.gamma:g}, best {record.best:g}, "
            f"{record.nfev} evaluations, "
        )
        assert line.startswith(expected)
        assert re.fullmatch(r"\d+\.\d s", line.removeprefix(expected))


def test_progress_is_silent_between_two_lines(monkeypatch):
    clock = [0.0]
    monkeypatch.setattr("cem.callbacks.time.monotonic", lambda: clock[0])
    to = io.StringIO()
    progress = Progress(seconds=1.0, to=to)

    def tick(*_):
        clock[0] += 0.4

    found = run([tick, progress], max_iterations=7)
    written = [int(line.split()[1][:-1]) for line in to.getvalue().splitlines()]
    assert found.nit == 7
    assert written == [1, 4, 7]


def test_progress_goes_to_standard_error_unless_told_otherwise(capsys):
    run(Progress(), max_iterations=1)
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("iteration 1: level ")


def test_a_checkpoint_is_the_state_and_the_history_after_every_iteration(tmp_path):
    path, seen = tmp_path / "run.npz", []

    def look(state, record):
        saved = load(path, COINS, {"n": 1})
        assert saved.state.t == state.t == len(saved.history)
        assert saved.history[-1] == record
        np.testing.assert_array_equal(saved.state.v.p, state.v.p)
        seen.append(record.t)

    run([Checkpoint(path, {"n": 1}), look], max_iterations=3)
    assert seen == [1, 2, 3]
    assert [p.name for p in tmp_path.iterdir()] == ["run.npz"]


def test_a_checkpoint_of_a_resumed_run_keeps_the_history_before(tmp_path):
    first = run(None, max_iterations=2)
    path = tmp_path / "run.npz"
    keep = Checkpoint(path, {}, first.history)
    rest = run(keep, max_iterations=4, start=(first.state, first.history))
    assert load(path, COINS).history == rest.history
    assert type(first.history) is History
    assert len(first.history) == 2


def test_a_checkpoint_that_cannot_be_written_ends_the_run(tmp_path):
    with pytest.raises(OSError, match="No such file or directory"):
        run(Checkpoint(tmp_path / "nowhere" / "run.npz", {}))

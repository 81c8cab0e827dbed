"""A run may be done in slices; and the page that says how far a sweep is."""

import io
import json
import time
from dataclasses import replace

import pytest
from rich.console import Console

from cem.state import History
from experiments import progress, slices, study, sweep
from experiments.catalogue import find
from experiments.progress import ELSEWHERE, Page, Standing
from experiments.slices import Spec, advance
from experiments.store import Store


@pytest.fixture
def spec():
    """A search of six iterations."""
    changes = ["n=20", "m=10", "n_samples=100", "max_iterations=6"]
    settings = find("maxcut").changed(changes).settings
    return Spec("one", "maxcut", "maximize", json.dumps(settings), 3)


def in_slices(spec, seconds):
    """All slices of a run."""
    saved, history, used, done = None, History(), 0.0, []
    while True:
        done.append(advance(spec, saved, history, used, seconds))
        *_, last = done
        if last.outcome or last.error:
            return done
        saved, used = last.checkpoint, used + last.seconds
        history = History((*history, *last.records))


def test_a_slice_is_one_iteration_if_there_is_no_time(spec):
    done = in_slices(spec, 0.0)
    assert [len(one.records) for one in done] == [1] * 6 + [0]
    assert [one.outcome is None for one in done] == [True] * 6 + [False]
    assert done[-1].checkpoint is None
    (whole,) = in_slices(spec, 60.0)
    assert tuple(record for one in done for record in one.records) == whole.records
    assert done[-1].outcome == whole.outcome
    assert done[-2].checkpoint == whole.checkpoint


def test_the_time_limit_counts_the_seconds_of_earlier_slices(spec):
    settings = json.loads(spec.settings) | {"time_limit": 1000.0, "max_iterations": None}
    spec = replace(spec, settings=json.dumps(settings))
    first = advance(spec, None, History(), 0.0, 0.0)
    assert first.outcome is None
    rest = advance(spec, first.checkpoint, History(first.records), 2000.0)
    assert rest.records == ()
    assert rest.outcome["nit"] == 1
    assert "time limit" in rest.outcome["message"]


def test_a_problem_stays_loaded_for_the_next_slices(spec, monkeypatch):
    prepared = []
    prepare = slices.prepare
    monkeypatch.setattr(slices, "prepare", lambda *a: prepared.append(1) or prepare(*a))
    slices._prepared.cache_clear()
    assert len(in_slices(spec, 0.0)) == 7
    assert prepared == [1]


def test_what_goes_wrong_comes_back_in_words(spec):
    settings = json.loads(spec.settings) | {"rho": 2.0}
    found = advance(replace(spec, settings=json.dumps(settings)), None, History(), 0.0)
    assert "rho" in found.error
    assert (found.records, found.checkpoint, found.outcome) == ((), None, None)
    saved = advance(spec, None, History(), 0.0, 0.0).checkpoint
    found = advance(replace(spec, seed=4), saved, History(), 0.0)
    assert found.error.startswith("the checkpoint of run one was made with other settings: rng = ")


@pytest.fixture
def standing(folder):
    """A study of two variations with three seeds, two runs of which are done in a second each."""
    (folder / "mine.toml").write_text('problem = "bridge"\nseeds = 3\n[grid]\nrho = [0.1, 0.2]')
    found = study.read(folder / "mine.toml")
    with Store() as store:
        standing = Standing(found, sweep.plan(found, store))
    for run, figure in zip([*standing.runs.values()][:4:2], (1.0, 3.0), strict=True):
        result = {"probability": figure}
        standing.now(replace(run, status="done", result=result, seconds=1.0))
    return standing


def test_a_standing_counts_by_variation(standing):
    runs = [*standing.runs.values()]
    standing.now(replace(runs[1], status="failed", error="it fell"))
    standing.now(replace(runs[3], status="running"))
    standing.now(replace(runs[4], status=ELSEWHERE))
    first, second = standing.rows()
    assert first == progress.Row("rho=0.1", done=2, running=1, failed=0, left=0, figure=2.0)
    assert second == progress.Row("rho=0.2", done=0, running=1, failed=1, left=1, figure=None)
    assert standing.is_unfinished()
    assert [run.error for run in standing.failures()] == ["it fell"]


def test_the_time_left_is_a_guess_from_runs_that_are_done(standing, monkeypatch):
    assert standing.seconds_left() is None  # nothing was worked yet
    standing.worked = 2.0
    standing.since = 100.0
    monkeypatch.setattr(time, "monotonic", lambda: 101.0)  # by two at a time
    assert standing.seconds_left() == 2.0  # four runs of a second each
    running = [*standing.runs.values()][5]
    standing.now(replace(running, status="running", seconds=0.5))
    assert standing.seconds_left() == 1.75
    assert standing.per_minute() == 120
    assert standing.line() == (
        "mine: 2 of 6 runs done, 120 runs a minute, about 2 s left, if the others take as long"
    )


@pytest.mark.parametrize("terminal", [True, False])
def test_a_page_is_rewritten_on_a_terminal_and_else_is_a_line(standing, monkeypatch, terminal):
    monkeypatch.setattr(progress, "EVERY", {True: 0.0, False: 0.0})
    to = io.StringIO()
    console = Console(file=to, force_terminal=terminal, width=100, height=30, color_system=None)
    with Page(standing, quiet=False, console=console) as page:
        page.show()
    said = to.getvalue()
    assert "mine: 2 of 6 runs done, " in said
    assert (["rho=0.2", *"0003", "-"] in [line.split() for line in said.splitlines()]) == terminal
    assert said.startswith("cem: mine") != terminal


@pytest.mark.parametrize(
    ("job", "head"), [("minimize", "median best score"), ("estimate", "median probability")]
)
def test_a_table_calls_the_figure_as_a_comparison_does(job, head):
    assert [column.header for column in progress.table([], job).columns][-1] == head


def test_of_many_variations_those_at_work_are_shown(standing):
    console = Console(file=io.StringIO(), force_terminal=True, width=100, height=7)
    runs = [*standing.runs.values()]
    standing.now(replace(runs[1], status="running"))
    page = Page(standing, quiet=False, console=console)
    with console.capture() as said:
        console.print(page._page())
    assert "rho=0.2" in said.get()
    assert "rho=0.1" not in said.get()


def test_quiet_is_silent(standing, monkeypatch):
    monkeypatch.setattr(progress, "EVERY", {True: 0.0, False: 0.0})
    console = Console(file=io.StringIO())
    with Page(standing, quiet=True, console=console) as page:
        page.show()
    assert console.file.getvalue() == ""

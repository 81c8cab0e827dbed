"""The manners of the command: what it prints where, and what it says of errors."""

import io
import json
import os
import re
import subprocess
import sys

import numpy as np
import pytest

import cem as library
from experiments import describe, show, summaries
from experiments.catalogue import find
from experiments.cli import main
from experiments.store import Store

ESCAPE = "\x1b"


def test_nothing_is_printed_on_import():
    code = "import cem, problems, experiments, experiments.cli, experiments.runner"
    words = [sys.executable, "-c", code]
    said = subprocess.run(words, capture_output=True, text=True, check=True, timeout=60)
    assert (said.stdout, said.stderr) == ("", "")


def test_the_version_is_that_of_all_that_decides_the_bits(cem):
    said = cem("--version")
    assert said.code == 0
    assert {f"cem {library.__version__}", f"numpy {np.__version__}"} <= {*said.out.splitlines()}
    assert json.loads(cem("--version", "--json").out)["numpy"] == np.__version__


def test_the_json_of_a_command_goes_behind_it(cem):
    said = cem("--json", "runs")
    assert (said.code, said.out) == (2, "")
    assert "--json goes behind the command" in said.err


@pytest.mark.parametrize("words", [["list"], ["describe", "bridge"], ["runs"], ["export", "last"]])
def test_a_reader_that_leaves_early_is_no_error(cem, quick, words):
    """As in ``cem runs | head -1``."""
    cem("run", "bridge", *quick("bridge"), "--quiet")
    theirs, ours = os.pipe()
    os.close(theirs)
    line = [sys.executable, "-m", "experiments", *words]
    said = subprocess.run(line, stdout=ours, stderr=subprocess.PIPE, check=False, timeout=60)
    os.close(ours)
    assert said.stderr == b""


def test_an_error_comes_with_its_traceback_if_asked_for_everything(cem):
    plain, verbose = (cem("run", "bridge", "--set", "rho=2", *more) for more in ([], ["-vv"]))
    assert plain.code == verbose.code == 1
    assert plain.err.count("\n") == 1
    assert "Traceback (most recent call last)" in verbose.err
    assert verbose.err.endswith(plain.err.replace("0001", "0002"))
    assert cem("run", "bridge", "--set", "rho=2").err.count("\n") == 1  # it is forgotten


def test_verbose_logs_a_line_per_iteration_in_the_user_s_own_sign(cem, quick):
    said = cem("run", "rosenbrock", *quick("rosenbrock"), "-v")
    lines = said.err.splitlines()
    assert [line.split()[1:3] for line in lines] == [["iteration", f"{t}:"] for t in (1, 2, 3)]
    best = [float(re.search(r"best (\S+),", line)[1]) for line in lines]
    assert best == sorted(best, reverse=True)
    assert best[-1] > 0
    assert cem("run", "rosenbrock", *quick("rosenbrock")).err == ""


def test_the_rehearsal_before_a_time_limit_is_not_logged(cem, quick):
    limit = ("--set", "time_limit=98765")  # which no test before has rehearsed
    said = cem("run", "rosenbrock", *quick("rosenbrock"), *limit, "-v")
    assert [line.split()[2] for line in said.err.splitlines()] == ["1:", "2:", "3:"]


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.fixture
def marked(cem, quick):
    """A store with a few runs, one of them with all that people attach."""
    cem("run", "network-reliability", *quick("network-reliability"), "--quiet")
    cem("run", "maxcut", *quick("maxcut"), "--quiet")
    cem("run", "bridge", "--set", "rho=2")
    with Store() as store:
        store.tag(store.find("maxcut"), ["good", "to-be-shown"])
        store.note(store.find("maxcut"), "the best so far")


@pytest.mark.usefixtures("marked")
@pytest.mark.parametrize(
    ("columns", "left_out"),
    [
        (80, {"created", "tags", "seconds", "iterations"}),
        (100, {"created", "tags"}),
        (120, {"created"}),
        (160, set()),
    ],
)
def test_the_list_of_runs_has_a_line_per_run_in_any_terminal(monkeypatch, columns, left_out):
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", str(columns))
    screen = Terminal()
    with Store() as store:
        show.listing(store.runs(), store.counts(), screen)
    header, *rows = re.sub(r"\x1b\[[0-9;]*m", "", screen.getvalue()).splitlines()
    names = ["run", "status", "created", "seconds", "iterations", "evaluations", "tags", "result"]
    assert header.split() == [name for name in names if name not in left_out]
    assert max(map(len, [header, *rows])) <= columns
    assert [row.split()[:2] for row in rows] == [
        ["network-reliability-0001", "done"],
        ["maxcut-0002", "done"],
        ["bridge-0003", "failed"],
    ]
    at = header.index("result")
    assert [row[at - 1 :][:4] for row in rows] == [" 2.0", " 225", " rho"]


@pytest.mark.usefixtures("marked")
def test_runs_are_chosen_by_status_tag_and_number(cem):
    def listed(*words):
        return [run["run"] for run in json.loads(cem("runs", *words, "--json").out)]

    assert listed("--status", "failed") == ["bridge-0003"]
    assert listed("--status", "failed", "--status", "done", "--limit", "2") == [
        "maxcut-0002",
        "bridge-0003",
    ]
    assert listed("--tag", "good") == ["maxcut-0002"]
    assert listed("--tag", "good", "--tag", "bad") == []
    said = cem("runs", "--tag", "bad")
    assert (said.code, said.out) == (0, "")
    assert said.err.startswith("none of the 3 runs in ")
    assert "tags" in cem("runs").out.splitlines()[0]
    assert "good, to-be-shown" in cem("runs").out


@pytest.mark.usefixtures("marked")
def test_show_tells_what_people_have_attached(cem):
    lines = map(str.strip, cem("show", "maxcut").out.splitlines())
    rows = dict(line.split("  ", 1) for line in lines if "  " in line)
    assert rows["note"].strip() == "the best so far"
    assert rows["tags"].strip() == "good, to-be-shown"
    run = json.loads(cem("show", "maxcut", "--json").out)
    assert (run["note"], run["tags"]) == ("the best so far", ["good", "to-be-shown"])


def test_a_planned_run_says_how_to_begin_with_it(cem):
    experiment = find("bridge").changed(["n_final=500"])
    row = {
        "variation": "rho=0.1",
        **{key: getattr(experiment, key) for key in ("problem", "job", "settings", "seed")},
        "experiment": "bridge",
        "versions": {},
    }
    with Store() as store:
        (run,) = store.plan("levels", {"description": "made for a test"}, [row])
    out = cem("show", run.name).out
    assert re.search(rf"status +planned: begin with cem resume {run.name} *\n", out)
    assert re.search(r"study +levels", out)
    header, line = cem("runs", "--study", "levels", "--status", "planned").out.splitlines()
    assert header.split()[:4] == ["run", "study", "variation", "status"]
    assert line.split()[:4] == [run.name, "levels", "rho=0.1", "planned"]
    unknown = cem("runs", "--study", "level").err
    assert re.match("cem: error: there is no study 'level'.*; did you mean 'levels'?", unknown)
    assert cem("resume", run.name, "--quiet").out == f"{run.name}\n"
    assert cem("runs", "--status", "done", "--json").out.startswith('[{"name": "bridge"')


def test_a_long_sample_says_how_much_of_it_is_not_shown(cem, quick):
    assert "... (18 more of 30: --json)" in cem("run", "maxcut", *quick("maxcut")).out


@pytest.mark.parametrize("no_color", ["", "1"])
def test_no_color_means_no_escape_code(cem, quick, monkeypatch, no_color):
    cem("run", "maxcut", *quick("maxcut"), "--quiet")
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("NO_COLOR", no_color)
    screen = Terminal()
    with Store() as store:
        (run,) = store.runs()
        show.details(run, store.history(run), screen)
    assert (ESCAPE in screen.getvalue()) == (not no_color)


def test_what_is_read_by_no_terminal_is_plain_whatever_is_said_of_colours(cem, quick, monkeypatch):
    monkeypatch.setenv("FORCE_COLOR", "1")
    cem("run", "maxcut", *quick("maxcut"), "--quiet")
    for words in (["runs"], ["show", "last"], ["list"], ["describe", "maxcut"], ["-h"]):
        assert ESCAPE not in cem(*words).out


def test_every_setting_of_every_experiment_is_described():
    for each in summaries.of_all():
        experiment = find(each.name)
        found = describe.settings(experiment)
        assert {setting.key for setting in found} == experiment.settings.keys()
        assert all(setting.type for setting in found if setting.of == "method")
        assert all(setting.meaning for setting in found if setting.of == "method")


def test_a_description_has_the_problem_s_own_words(cem):
    out = cem("describe", "bridge").out
    assert "the shortest path from A to B; the event is S >= gamma." in out
    assert ">>>" not in out
    assert re.search(r"gamma +2\.0 +a number", out)
    assert re.search(r"rtol +none +a number +Instead of n_final", out)
    told = json.loads(cem("describe", "bridge", "--json").out)
    assert (told["problem"], told["job"], told["seed"]) == ("bridge", "estimate", 1)
    assert told["settings"][0] == {
        "key": "gamma",
        "of": "problem",
        "value": 2.0,
        "type": "a number",
        "meaning": "",
    }


def test_every_experiment_is_described_with_lists_and_tables_as_set_takes_them(cem):
    for each in summaries.of_all():
        assert cem("describe", each.name).out.startswith(f"{each.name}: ")
    assert re.search(r"alpha +\{mean = 1\.0, cov = 0\.3\} ", cem("describe", "iris-logistic").out)
    assert re.search(r"services +\[0\.45, 0\.45\] ", cem("describe", "tandem").out)


def test_the_list_is_one_line_per_experiment_and_the_same_in_json(cem):
    listed = json.loads(cem("list", "--json").out)
    assert listed == [
        {k: getattr(find(each["name"]), k) for k in ("name", "description", "problem", "job")}
        for each in listed
    ]
    assert len(cem("list").out.splitlines()) == len(listed)


def test_a_damaged_file_of_the_catalogue_is_named_by_the_list(cem, monkeypatch, folder):
    monkeypatch.setattr(summaries, "FOLDER", folder)
    (folder / "mine.toml").write_text('description = "no problem"')
    said = cem("list")
    assert (said.code, said.out) == (1, "")
    assert said.err.startswith("cem: error: mine.toml: the key problem is missing")
    (folder / "mine.toml").write_text("description = ")
    assert cem("list").err.startswith("cem: error: mine.toml: ")


def test_a_plot_says_where_it_is(cem, quick, folder):
    cem("run", "maxcut", *quick("maxcut"), "--quiet")
    said = cem("plot", "last", "-o", "a.png", "--json")
    assert json.loads(said.out) == {"run": "maxcut-0001", "file": str(folder / "a.png")}
    assert said.err == ""


def test_main_can_be_called_with_words():
    with pytest.raises(SystemExit) as ended:
        main(["list"])
    assert ended.value.code in {0, None}

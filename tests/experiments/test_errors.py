"""Every mistake is answered by one line, without a traceback, and exit status 1."""

import os

import pytest

GRAPHS = {
    "no-header.txt": "one two three\n",
    "short.txt": "3 5\n1 2 1\n",
    "loop.txt": "3 1\n2 2 1\n",
    "nan.txt": "3 1\n1 2 nan\n",
    "none.txt": "3 0\n",
}


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (
            "run partition",
            "'partition' is a problem, no experiment: expected a study with problem = ",
        ),
        ("run binary", "'binary' is a problem, no experiment: expected one of its experiments, "),
        ("run bridg", "there is no experiment 'bridg'; did you mean 'bridge'? known: "),
        ("run bridge --set gama=3", "no setting 'gama'; did you mean 'gamma'?"),
        ("run bridge --set n_sample=3", "no setting 'n_sample'; did you mean 'n_samples'?"),
        ("run bridge --set gamma", "--set gamma: expected key=value"),
        ("run bridge --set rho=2", "rho, the share of the samples that is elite"),
        ("run bridge --set rho=big", "rho must be a number; got 'big'"),
        ("run bridge --set rho=true", "rho must be a number; got True"),
        ("run bridge --set gamma=inf", "gamma must be a finite number"),
        ("run bridge --set n_samples=2.5", "n_samples must be a whole number; got 2.5"),
        ("run bridge --set n_samples=5", "rho * n_samples must be at least 1"),
        ("run bridge --set n_final=9 --set rtol=1", "pass n_final or rtol, not both"),
        ("run bridge --workers 0", "workers must be -1 (all cores) or at least 1; got 0"),
        ("run maxcut --set graph=3", "graph must be the path of a file; got 3"),
        ("run maxcut --set graph=absent.txt", "No such file or directory: "),
        ("run maxcut --set graph=no-header.txt", "line 1: expected the numbers of nodes and edges"),
        ("run maxcut --set graph=short.txt", "the header announces 5 edges, but 1 lines follow"),
        ("run maxcut --set graph=loop.txt", "line 2: a self-loop is never cut"),
        ("run maxcut --set graph=nan.txt", "line 2: a weight must be finite"),
        ("run maxcut --set graph=none.txt", "at least one edge; got 3 nodes and 0 edges"),
        ("run bridge --store no-header.txt", "is not a store: the file is no SQLite database"),
        ("runs --store no-header.txt", "is not a store: the file is no SQLite database"),
        ("run bridge --store short.txt/a.db", "cannot be opened: there is no folder"),
        ("run bridge --store absent/a.db", "cannot be opened: there is no folder"),
        ("show bridge", "there is no run 'bridge': the store sqlite:///cem-runs.db holds no runs"),
        ("resume last", "there is no run 'last'"),
        ("plot last -o a.png", "there is no run 'last'"),
        ("export last --format csv", "there is no run 'last'"),
    ],
)
def test_a_mistake_is_one_line_that_says_what_was_expected(cem, folder, words, complaint):
    for name, text in GRAPHS.items():
        (folder / name).write_text(text)
    said = cem(*words.split())
    assert said.code == 1
    assert said.out == ""
    assert said.err.startswith("cem: error: ")
    assert complaint in said.err
    assert said.err.count("\n") == 1


@pytest.mark.parametrize("command", ["run bridge", "sweep a.toml"])
def test_no_run_is_begun_for_processes_or_seconds_that_are_none(cem, folder, command):
    (folder / "a.toml").write_text('problem = "bridge"')
    said = cem(*command.split(), "--workers", 0)
    assert "workers must be -1 (all cores) or at least 1; got 0" in said.err
    for seconds in ("-1", "0", "nan"):
        said = cem(*command.split(), "--evaluation-timeout", seconds)
        assert "evaluation_timeout must be above 0 seconds; got" in said.err
    assert not (folder / "cem-runs.db").exists()


@pytest.mark.parametrize("words", ["run", "fly", "run bridge --seed -1", "plot last", "runs --hue"])
def test_a_mistake_in_the_use_of_the_command_is_exit_status_2(cem, words):
    said = cem(*words.split())
    assert said.code == 2
    assert "Usage" in said.err
    assert "Traceback" not in said.err


@pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write anywhere"
)
def test_a_folder_that_is_read_only_is_named(cem, folder):
    (folder / "closed").mkdir(mode=0o500)
    said = cem("run", "bridge", "--store", "closed/a.db")
    assert said.code == 1
    assert "closed cannot be written" in said.err


def test_a_store_that_is_read_only_is_named(cem, quick):
    """As the database sees it, whoever runs the test."""
    assert cem("run", "maxcut", *quick("maxcut")).code == 0
    said = cem("run", "maxcut", "--store", "sqlite:///file:cem-runs.db?mode=ro&uri=true")
    assert said.code == 1
    assert "cannot be written: the file or its folder is read-only" in said.err


def test_a_picture_that_cannot_be_written_is_named(cem, quick):
    cem("run", "maxcut", *quick("maxcut"))
    said = cem("plot", "last", "-o", "absent/a.png")
    assert (said.code, said.out) == (1, "")
    assert "No such file or directory" in said.err
    said = cem("plot", "last", "-o", "a.nonsense")
    assert said.code == 1
    assert "nonsense" in said.err


def test_a_run_without_an_iteration_has_nothing_to_draw(cem):
    cem("run", "bridge", "--set", "rho=2")
    said = cem("plot", "last", "-o", "a.png")
    assert said.code == 1
    assert "run bridge-0001 has nothing to draw" in said.err

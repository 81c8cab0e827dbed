"""What a shell is told to complete, asked as bash, zsh and fish ask."""

import os
import subprocess
import sys

import pytest

from experiments import completion
from experiments.catalogue import find
from experiments.store import Store


def say(**environment):
    """The command as a shell calls it when a key is pressed."""
    return subprocess.run(
        [sys.executable, "-c", "from experiments.cli import main; main()"],
        env=os.environ | environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )


@pytest.fixture
def tab(folder):
    """What is offered after these words, and nothing on standard error."""

    def tab(line, shell="bash", **environment):
        asked = {
            "bash": {"COMP_WORDS": line, "COMP_CWORD": str(len(line.split(" ")) - 1)},
            "zsh": {"_TYPER_COMPLETE_ARGS": line},
            "fish": {"_TYPER_COMPLETE_ARGS": line, "_TYPER_COMPLETE_FISH_ACTION": "get-args"},
        }[shell]
        told = {"_CEM_COMPLETE": f"complete_{shell}"} | asked | environment
        before = sorted(folder.iterdir())
        said = say(**told)
        assert said.stderr == ""
        assert sorted(folder.iterdir()) == before
        return said.stdout.split("\n")[:-1] if said.stdout.strip() else []

    return tab


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_shell_can_be_shown_its_script(shell):
    said = say(_CEM_COMPLETE=f"source_{shell}")
    assert said.stderr == ""
    assert f"_CEM_COMPLETE=complete_{shell}" in said.stdout


def test_commands_and_experiments_are_completed(tab):
    assert tab("cem desc") == ["describe"]
    assert tab("cem run brid") == ["bridge"]
    assert tab("cem describe iris-") == ["iris-logistic", "iris-network", "iris-zero-one"]
    about = find("tsp").description
    (line,) = tab("cem run ts", "fish")
    assert line.startswith(f"tsp\t{about[:40]}")
    assert line.endswith(" ...")
    assert f'"tsp":"{about[:20]}' in tab("cem run ts", "zsh")[0]


def test_settings_of_the_experiment_are_completed(tab):
    assert tab("cem run bridge --set n_") == ["n_final=", "n_samples="]
    assert tab("cem run bridge --seed 3 --set rho=0.1 --set g") == ["gamma="]
    assert tab("cem run nonsense --set g") == []


def test_runs_are_completed_the_last_first(tab, cem, quick, folder):
    cem("run", "maxcut", *quick("maxcut"), "--quiet")
    cem("run", "maxcut", *quick("maxcut"), "--quiet")
    assert tab("cem show ma") == ["maxcut-0002", "maxcut-0001"]
    assert tab("cem resume l", "fish") == ["last\tthe last run"]
    assert tab("cem show m", "fish") == ["maxcut-0002\tdone", "maxcut-0001\tdone"]
    url = f"sqlite:///{folder}/cem-runs.db"
    assert tab("cem plot maxcut-0001", CEM_STORE=url) == ["maxcut-0001"]
    assert tab(f"cem show --store {folder}/cem-runs.db max", CEM_STORE="none.db") == [
        "maxcut-0002",
        "maxcut-0001",
    ]


def test_studies_are_completed(tab):
    with Store() as store:
        store.plan("rho-alpha", {"description": "made for a test"}, [])
    assert tab("cem runs --study rh") == ["rho-alpha"]
    assert tab("cem runs --study x") == []


@pytest.mark.parametrize(
    "store", ["absent.db", "folder", "text.txt", "mysql://a/b", "postgresql://localhost:1/none"]
)
def test_a_store_that_cannot_be_read_completes_nothing(tab, folder, store):
    (folder / "folder").mkdir()
    (folder / "text.txt").write_text("no database")
    assert tab("cem show br", CEM_STORE=store) == []


def test_runs_are_read_from_any_kind_of_store(database, monkeypatch):
    with Store(database) as store:
        run = store.begin(
            experiment="bridge", problem="bridge", job="estimate", settings={}, seed=1, versions={}
        )
    monkeypatch.setenv("CEM_STORE", database)

    class Context:
        params = {}  # noqa: RUF012 - as click has it

    assert completion.runs(Context(), "br") == [(run.name, "running")]

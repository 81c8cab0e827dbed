"""The ``cem`` command in this process, in an empty folder; and problems made for a test."""

from dataclasses import dataclass

import pytest

import problems
from experiments import catalogue
from experiments.cli import main


@dataclass(frozen=True)
class Said:
    code: int
    out: str
    err: str


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """An empty working directory, and no other store than the default one."""
    monkeypatch.delenv("CEM_STORE", raising=False)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def cem(capsys):
    """Call the command: what it printed, and its exit status."""

    def call(*words):
        capsys.readouterr()
        try:
            main([str(word) for word in words])
        except SystemExit as ended:
            code = ended.code or 0
        else:
            code = 0
        return Said(code, *capsys.readouterr())

    return call


@pytest.fixture
def add_problem(tmp_path_factory, monkeypatch):
    """Add a problem, from its source code, and an experiment of the same name that maximises it."""

    def add(name, code, job="maximize", method=""):
        here = tmp_path_factory.mktemp("problems")
        (here / f"{name}.py").write_text(f'"""Made for a test."""\n{code}')
        monkeypatch.setattr(problems, "__path__", [*problems.__path__, str(here)])
        monkeypatch.setattr(catalogue, "FOLDER", here)
        (here / f"{name}.toml").write_text(
            f'description = "made for a test"\nproblem = "{name}"\njob = "{job}"\n'
            f"[method]\nn_samples = 100\n{method}"
        )
        return here

    return add


@pytest.fixture
def quick():
    """The words that make an experiment of the catalogue take a moment only."""
    changes = {
        "bridge": {"n_final": 5000},
        **{name: {"n_samples": 1000, "n_final": 1000} for name in ("sums", "pert")},
        "credit": {"n": 20, "gamma": 8, "n_samples": 500, "n_final": 500},
        "ruin": {"n_final": 5000},
        "gg1": {"customers": 20, "gamma": 4, "n_final": 500},
        **{name: {"n_final": 500} for name in ("mm1", "tandem", "network-reliability")},
        "loss-slopes": {"gamma": 50, "n_final": 100},
        "maxcut": {"n": 30, "m": 15, "n_samples": 200},
    }

    def words(name):
        settings = changes.get(name, {"n_samples": 100, "max_iterations": 3})
        return [word for key, value in settings.items() for word in ("--set", f"{key}={value}")]

    return words

"""The ``cem`` command in this process, in an empty folder; and problems made for a test."""

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

import problems
from experiments import catalogue
from experiments.cli import main

sys.path.insert(0, str(Path(__file__).parent))
from postgres import database, server  # noqa: F401 - fixtures: an empty store of each kind

SLOW = {
    "slow.py": '''"""Takes its time; in the presence of some files it hangs, or dies."""
import os, time
from pathlib import Path
import cem

class Slow:
    chunk_size = 50
    def __call__(self, x):
        time.sleep(0.1)
        if Path("hang").exists():
            Path(f"{os.getpid()}.pid").touch()
            time.sleep(600)
        if Path("die").exists():
            os._exit(1)
        return -((x - 3.0) ** 2).sum(axis=1)
    def nominal(self):
        return cem.Normal([0.0] * 3, [2.0] * 3)

problem = Slow
''',
    "slow.toml": """
description = "made for a test"
problem = "slow"
job = "maximize"
[method]
n_samples = 100
max_iterations = 12
""",
    "command.py": """
import sys
from pathlib import Path
import problems
from experiments import catalogue
here = Path(__file__).parent
problems.__path__.append(str(here))
catalogue.FOLDER = here
if __name__ == "__main__":
    from experiments.cli import main
    main()
""",
}


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
        monkeypatch.delitem(sys.modules, f"problems.{name}", raising=False)  # of another test
        monkeypatch.setattr(problems, "__path__", [*problems.__path__, str(here)])
        monkeypatch.setattr(catalogue, "FOLDER", here)
        (here / f"{name}.toml").write_text(
            f'description = "made for a test"\nproblem = "{name}"\njob = "{job}"\n'
            f"[method]\nn_samples = 100\n{method}"
        )
        return here

    return add


@pytest.fixture(scope="session")
def script(tmp_path_factory):
    """The command as a file, with one experiment, ``slow``."""
    here = tmp_path_factory.mktemp("slow")
    for name, text in SLOW.items():
        (here / name).write_text(text)
    return here / "command.py"


@pytest.fixture
def start(script):
    """Start the command as a process of its own, for signals to reach it."""
    begun = []

    def start(*words):
        line = [sys.executable, script, *map(str, words)]
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
        begun.append(subprocess.Popen(line, **pipes))
        return begun[-1]

    yield start
    for process in begun:
        process.kill()
        process.communicate()


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

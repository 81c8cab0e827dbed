"""A private PostgreSQL server, and the fixture that runs a test on SQLite and on PostgreSQL."""

from __future__ import annotations

import importlib.util
import itertools
import os
import shutil
import subprocess
import tempfile
import threading
from dataclasses import dataclass, field
from pathlib import Path

import pytest

QUICK = {  # settings of a server that nobody will need after a power cut
    "fsync": "off",
    "full_page_writes": "off",
    "max_connections": "50",
    "shared_buffers": "16MB",
    "listen_addresses": "''",  # a socket in its own folder only
}


def programs():
    """The folder of the server's programs; None if there is none."""
    path = shutil.which("initdb")
    debian = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda p: int(p.parent.name))
    folders = [Path(path).resolve().parent] if path else []
    needed = ("initdb", "pg_ctl", "postgres", "createdb", "psql")
    for folder in [*folders, *reversed(debian)]:
        if all((folder / program).exists() for program in needed):
            return folder
    return None


def as_postgres():
    """The words before a command that must not run as root."""
    return ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []


@dataclass
class Server:
    """A server on a socket in a folder of its own."""

    folder: Path
    programs: Path
    settings: dict[str, str] = field(default_factory=lambda: dict(QUICK))
    starting: threading.Timer | None = None
    names: itertools.count = field(default_factory=itertools.count)

    def make(self):
        """Make its files."""
        words = ["--auth=trust", "--username=postgres", "--no-sync", "--encoding=UTF8"]
        self.call("initdb", "-D", self.data, *words, "--locale=C")

    def start(self):
        """Start it, and wait until it answers."""
        options = " ".join(f"-c {k}={v}" for k, v in self.settings.items())
        log = self.folder / "log"
        self.call(
            "pg_ctl", "-D", self.data, "-w", "-l", log, "-o", f"{options} -k {self.folder}", "start"
        )

    def start_in(self, seconds):
        """Start it a little later, while something else goes on."""
        self.starting = threading.Timer(seconds, self.start)
        self.starting.start()

    def stop(self, how="immediate"):
        """Stop it; at once, as if it had been killed, unless told otherwise."""
        if self.starting is not None:
            self.starting.join()  # what waits for it to be up must not find it gone
        self.call("pg_ctl", "-D", self.data, "-w", "-m", how, "stop")

    def url(self):
        """The URL of a new, empty database."""
        name = f"cem{next(self.names)}"
        self.call("createdb", "-h", self.folder, "-U", "postgres", "-T", "template0", name)
        return f"postgresql+psycopg://postgres@/{name}?host={self.folder}"

    def sql(self, url, statement):
        """What a statement, not of our code, says in a database: its rows as text."""
        name = url.partition("@/")[2].partition("?")[0]
        words = ["-h", self.folder, "-U", "postgres", "-d", name, "-v", "ON_ERROR_STOP=1"]
        return self.call("psql", *words, "-q", "-t", "-A", "-c", statement).splitlines()

    @property
    def data(self):
        return self.folder / "data"

    def call(self, program, *words):
        line = [*as_postgres(), str(self.programs / program), *map(str, words)]
        done = subprocess.run(
            line, capture_output=True, text=True, timeout=60, check=False, cwd=self.folder
        )
        assert done.returncode == 0, f"{line}: {done.stdout}{done.stderr}"
        return done.stdout


def new_server(**settings):
    """A running server in a temporary folder; skips the test where it cannot be."""
    if (found := programs()) is None:
        pytest.skip("needs PostgreSQL: no initdb in PATH nor in /usr/lib/postgresql/*/bin")
    if importlib.util.find_spec("psycopg") is None:
        pytest.skip('needs psycopg: pip install "cemkit[postgres]"')
    if os.geteuid() == 0 and shutil.which("runuser") is None:
        pytest.skip("PostgreSQL does not run as root, and there is no runuser to be another")
    folder = Path(tempfile.mkdtemp(prefix="cem-postgres-"))  # short: a socket's path is limited
    folder.chmod(0o755)
    if os.geteuid() == 0:
        shutil.chown(folder, "postgres")
    made = Server(folder, found, QUICK | settings)
    made.make()
    made.start()
    return made


@pytest.fixture(scope="session")
def server():
    """A private PostgreSQL server with `stop()`, as if killed, `start()` and `url()`."""
    made = new_server()
    try:
        yield made
    finally:
        made.stop()
        shutil.rmtree(made.folder)


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request, tmp_path):
    """The URL of an empty store, on each database."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/a.db"
    return request.getfixturevalue("server").url()

"""Runs the commands of a page, and compares what they print with the page."""
# ruff: noqa: INP001 - found by pytest by its path

import contextlib
import doctest
import io
import re
import shlex
from pathlib import Path

from experiments.cli import main

OPTIONS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE


def replay(page: Path) -> int:
    """Run every ``$ cem ...`` in the console blocks of a page; how many there are.

    What is printed otherwise than on the page is printed, so that a doctest fails.
    """
    blocks = re.findall(r"code-block:: console\n\n((?:   .*\n|\n)*)", page.read_text("utf-8"))
    session = re.findall(r"   \$ cem (.*)\n((?:   (?!\$ ).*\n)*)", "".join(blocks))
    alike = doctest.OutputChecker().check_output
    for line, wanted in session:
        got = io.StringIO()
        with contextlib.redirect_stdout(got), contextlib.redirect_stderr(got):  # noqa: SIM117
            with contextlib.suppress(SystemExit):
                main(shlex.split(line))
        if not alike(wanted, got.getvalue(), OPTIONS):
            print(f"$ cem {line}\nexpected:\n{wanted}\ngot:\n{got.getvalue()}")  # noqa: T201
    return len(session)

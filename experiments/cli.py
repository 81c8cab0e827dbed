"""The ``cem`` command, all of it: what the console script calls."""

from __future__ import annotations

import sys

import typer

from experiments.app import app
from experiments.commands import looking, running  # noqa: F401 - each adds its own to app


def main(arguments: list[str] | None = None) -> None:
    """Run the command; an error is one line, and exit status 1."""
    try:
        app(arguments, prog_name="cem")
    except (ValueError, TypeError, OSError) as error:
        from experiments.runner import one_line

        notes = getattr(error, "__notes__", [])
        typer.echo("; ".join([f"cem: error: {one_line(error)}", *notes]), err=True)
        sys.exit(1)

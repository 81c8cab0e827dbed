"""The ``cem`` command, all of it: what the console script calls."""

from __future__ import annotations

import sys
from importlib import import_module

import typer

from experiments import TOLD, logs
from experiments.app import app

GROUPS = (  # each adds its commands to the app; --help lists them in this order
    "choosing",
    "running",
    "looking",
    "sweeping",
    "comparing",
    "reporting",
    "keeping",
    "moving",
)

for group in GROUPS:
    import_module(f"experiments.commands.{group}")


def main(arguments: list[str] | None = None) -> None:
    """Run the command; an error is one line, and exit status 1."""
    with logs.to_stderr():
        try:
            app(arguments, prog_name="cem")
        except TOLD as error:
            from experiments.runner import one_line

            logs.LOGGER.debug("where it happened:", exc_info=True)
            notes = getattr(error, "__notes__", [])
            typer.echo("; ".join([f"cem: error: {one_line(error)}", *notes]), err=True)
            sys.exit(1)

"""The ``cem`` command without its subcommands: the application, and the options that many share."""

from __future__ import annotations

from typing import Annotated

import typer

app = typer.Typer(
    help="The cross-entropy method: estimate rare events and optimise, with one loop.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

StoreUrl = Annotated[
    str | None,
    typer.Option(
        "--store",
        metavar="URL",
        help="Database URL or SQLite file; default: the variable CEM_STORE, then cem-runs.db here.",
    ),
]
RunName = Annotated[
    str, typer.Argument(metavar="RUN", help="As 'cem runs' lists it, its beginning, or 'last'.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print strict JSON, and nothing else.")]
Quiet = Annotated[
    bool, typer.Option("--quiet", "-q", help="No progress; print the name of the run only.")
]
Workers = Annotated[
    int, typer.Option(min=-1, help="Processes that score; -1: all cores. The same bits with any.")
]

"""The ``cem`` command without its subcommands: the application, and what many of them share."""

from __future__ import annotations

import re
import shlex
from typing import Annotated

import typer

from experiments import completion, logs


def examples(*lines: str) -> str:
    """The last part of a command's help: what to type, each line as it is.

    >>> print(examples("cem list", "cem list --json").replace(chr(8), ""))
    <BLANKLINE>
    Examples:
      cem list
      cem list --json
    """
    return "\n".join(["\b", "Examples:", *(f"  {line}" for line in lines)])


def command(*words: str, store: str | None = None) -> str:
    """What to type: a command quoted for a shell, with the store if one was named.

    >>> command("resume", "bridge-0001", store="my runs.db")
    "cem resume bridge-0001 --store 'my runs.db'"
    """
    shown = [] if store is None else ["--store", re.sub(r"(://[^:/@]*):[^@/]*@", r"\1:***@", store)]
    return shlex.join(["cem", *words, *shown])


STATUSES = """\b
Exit status:
    0  fine; also if a level was not reached, and then the output says so
    1  an error, told in one line on standard error; -vv adds its traceback
    2  a mistake in the use of the command
  130  interrupted by Ctrl-C; 143: ended by SIGTERM; 'cem resume' goes on"""

app = typer.Typer(
    help="The cross-entropy method: estimate rare events and optimise, with one loop.",
    epilog="\n\n".join([
        examples(
            "cem list                          # what there is to run",
            "cem run bridge                    # run it; it goes into a store",
            "cem run bridge --set gamma=3 -v   # with another level, and a log",
            "cem runs                          # what is in the store",
            "cem show last                     # the last run, all about it",
        ),
        STATUSES,
    ]),
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)  # fmt: skip


@app.callback(invoke_without_command=True)
def root(
    context: typer.Context,
    *,
    version: Annotated[
        bool, typer.Option("--version", help="Print the versions that the bits depend on.")
    ] = False,
    json: Annotated[bool, typer.Option("--json", help="With --version: as strict JSON.")] = False,
) -> None:
    """The cross-entropy method: estimate rare events and optimise, with one loop."""
    if version:
        from experiments import runner, show

        found = runner.versions()
        lines = [f"{name} {number}" for name, number in sorted(found.items())]
        typer.echo(show.as_json(found) if json else "\n".join(lines))
        raise typer.Exit
    if json:
        context.fail("--json goes behind the command: cem runs --json")


StoreUrl = Annotated[
    str | None,
    typer.Option(
        "--store",
        metavar="URL",
        help="Database URL or SQLite file; default: the variable CEM_STORE, then cem-runs.db here.",
    ),
]
ExperimentName = Annotated[
    str,
    typer.Argument(
        metavar="NAME",
        help="An experiment of 'cem list'.",
        autocompletion=completion.experiments,
    ),
]
RunName = Annotated[
    str,
    typer.Argument(
        metavar="RUN",
        help="As 'cem runs' lists it, its beginning, or 'last'.",
        autocompletion=completion.runs,
    ),
]
StudyName = Annotated[
    str,
    typer.Argument(metavar="STUDY", help="The name of a study.", autocompletion=completion.studies),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print strict JSON, and nothing else.")]
Quiet = Annotated[
    bool, typer.Option("--quiet", "-q", help="No progress; print the name of the run only.")
]
Verbose = Annotated[
    int,
    typer.Option(
        "--verbose",
        "-v",
        count=True,
        show_default=False,
        metavar="",
        help="Log every iteration on standard error; -vv: errors with their traceback, too.",
        callback=logs.verbose,
        expose_value=False,
    ),
]


def above_zero(evaluation_timeout: float | None) -> float | None:
    """Seconds, if any are given, as the command line gives them."""
    if evaluation_timeout is not None and not evaluation_timeout > 0:
        raise ValueError(f"evaluation_timeout must be above 0 seconds; got {evaluation_timeout}")
    return evaluation_timeout


EvaluationTimeout = Annotated[
    float | None,
    typer.Option(
        metavar="SECONDS",
        callback=above_zero,
        help="End a process that scores one chunk for longer, with an error.",
    ),
]


def some(workers: int) -> int:
    """A number of processes, as the command line gives it."""
    if workers == 0:
        raise ValueError("workers must be -1 (all cores) or at least 1; got 0")
    return workers


Workers = Annotated[
    int,
    typer.Option(
        min=-1,
        callback=some,
        help="Processes that score; -1: all cores. The same bits with any.",
    ),
]

"""Show runs to others: a report in one file, and a live page of what is going on."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from experiments import completion
from experiments.app import AsJson, StoreUrl, app, examples

if TYPE_CHECKING:
    from experiments.store import Run, Store


@app.command(
    epilog=examples(
        "cem report rho -o report.html",
        "cem report bridge-0001 bridge-0002 -o two.html --title 'Two seeds'",
    )
)
def report(
    names: Annotated[
        list[str],
        typer.Argument(
            metavar="STUDY|RUN...",
            help="The name of a study, or names of runs.",
            autocompletion=completion.studies,
        ),
    ],
    *,
    output: Annotated[
        Path, typer.Option("-o", "--output", metavar="FILE", help="An .html file.")
    ] = Path("report.html"),
    title: Annotated[str | None, typer.Option(help="Default: the name of the study.")] = None,
    store: StoreUrl = None,
    json: AsJson = False,
) -> None:
    """Write a study, or some runs, as one page of HTML.

    The page needs no network: it can be sent to others, opened from a file, and printed.
    """
    from experiments import show
    from experiments.report import page, words
    from experiments.store import Store

    if output.suffix.lower() not in {".html", ".htm", ""}:  # "": /dev/stdout, say
        raise ValueError(f"{output}: a report is HTML; expected a name that ends with .html")
    with Store(store, create=False) as opened:
        plan, found = _chosen(opened, names)
        histories = opened.histories(found)
        named = title or (names[0] if len(names) == 1 else words.count(len(found), "run"))
        text = page.report(found, histories, title=named, busy=opened.busy, plan=plan)
    size = output.write_bytes(text.encode())
    if json:
        typer.echo(show.as_json({"file": str(output), "bytes": size, "runs": len(found)}))
    else:
        typer.echo(f"{output}: {words.count(len(found), 'run')}, {size / 1000:,.0f} kB", err=True)


@app.command(epilog=examples("cem dashboard", "cem dashboard --port 8600 --open"))
def dashboard(
    *,
    port: Annotated[
        int | None,
        typer.Option(min=0, max=65535, help="Default: 8501, or the next one that is free."),
    ] = None,
    host: Annotated[
        str, typer.Option(help="The address to listen at; anyone who reaches it can look.")
    ] = "127.0.0.1",
    open_: Annotated[bool, typer.Option("--open", help="Open the page in the browser.")] = False,
    store: StoreUrl = None,
) -> None:
    """Watch the runs in the store on a live page, until Ctrl-C."""
    from experiments.dashboard import server

    with suppress(KeyboardInterrupt), server.listen(store, host, port) as listening:
        if warning := listening.warning:
            typer.echo(f"cem: {warning}", err=True)
        typer.echo(listening.url)
        if open_:
            typer.launch(listening.url)
        listening.serve_forever(poll_interval=0.2)


def _chosen(store: Store, names: list[str]) -> tuple[dict[str, Any] | None, list[Run]]:
    """The plan and the runs of a study, or no plan and the runs of these names."""
    from experiments.comparison.gathering import named

    studies = {study.name: study for study in store.studies()}
    if len(names) == 1 and names[0] in studies:
        found = store.runs(study=names[0])
        if not found:
            raise ValueError(f"the study {names[0]!r} has no runs yet: run it by cem sweep")
        return studies[names[0]].plan, found
    for name in names:
        if name in studies:
            raise ValueError(f"{name!r} is a study: expected one study, or names of runs")
    return None, list(
        {run.id: run for run in (named(store, name, studies) for name in names)}.values()
    )

"""Choose what to run: the experiments of the catalogue, and what can be set."""

from __future__ import annotations

from dataclasses import asdict

import typer

from experiments.app import AsJson, ExperimentName, app, examples


@app.command("list", epilog=examples("cem list", "cem list --json"))
def list_(*, json: AsJson = False) -> None:
    """List the experiments of the catalogue."""
    from experiments import summaries

    found = summaries.of_all()
    if json:
        from experiments import show

        typer.echo(show.as_json([asdict(each) for each in found]))
        return
    width = max((len(each.name) for each in found), default=0)
    for each in found:
        typer.echo(f"{each.name:{width}}  {each.description}")


@app.command(epilog=examples("cem describe maxcut", "cem describe bridge --json"))
def describe(
    name: ExperimentName,
    *,
    json: AsJson = False,
) -> None:
    """Describe an experiment: what it is about, and its settings.

    Each with its value, type and meaning; 'cem run' changes it by --set KEY=VALUE.
    """
    from experiments import catalogue, show
    from experiments import describe as described

    experiment = catalogue.find(name)
    if json:
        typer.echo(show.as_json(described.as_dict(experiment)))
    else:
        show.description(experiment)

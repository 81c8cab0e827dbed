"""Which runs are compared: those of studies, of experiments, or loose ones, as variations."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from experiments.store import Run, Store
from problems import nearest


def gather(
    store: Store, names: Sequence[str], *, only: Sequence[str] = (), by: Sequence[str] = ()
) -> tuple[list[Run], Mapping[str, Any]]:
    """The runs that are meant by names of studies, experiments and runs, and a study's plan.

    Runs of one study keep its variations; of several, the study is put before the variation's name.
    Loose runs are grouped by the settings that they differ in, or by those named in ``by``.
    ``only`` these variations are kept. Raises ValueError for a name that is none of these.
    """
    plans = {study.name: study.plan for study in store.studies()}
    studies = [name for name in dict.fromkeys(names) if name in plans]
    found = [
        replace(run, variation=run.variation if len(studies) == 1 else f"{name}: {run.variation}")
        for name in studies
        for run in store.runs(name)
    ]
    loose = [run for name in names if name not in plans for run in _loose(store, name, plans)]
    found += labelled({run.id: run for run in loose}.values(), by)
    there = list(dict.fromkeys(run.variation or run.experiment for run in found))
    for name in only:
        if name not in there:
            raise ValueError(f"no variation {name!r}" + nearest(name, there))
    kept = [run for run in found if not only or (run.variation or run.experiment) in only]
    return kept, plans[studies[0]] if len(studies) == 1 else {}


def labelled(runs: Iterable[Run], by: Sequence[str] = ()) -> list[Run]:
    """Loose runs with a variation: the settings that they differ in, in words.

    Raises ValueError if runs of one variation differ in a setting that is not in ``by``.
    """
    runs = list(runs)
    keys = dict.fromkeys(key for run in runs for key in run.settings)
    differ = [k for k in keys if any(r.settings.get(k) != runs[0].settings.get(k) for r in runs)]
    for key in by:
        if key not in keys:
            raise ValueError(f"no setting {key!r} to compare by" + nearest(key, list(keys)))
    if by and (more := [key for key in differ if key not in by]):
        raise ValueError(
            f"the runs differ in {', '.join(more)}, too: expected runs that are alike but for "
            f"{', '.join(by)}; add --by {more[0]}"
        )
    return [replace(run, variation=_label(run, by or differ)) for run in runs]


def named(store: Store, name: str, studies: Iterable[str]) -> Run:
    """The run of that name, as `Store.find` has it.

    Raises ValueError, with the nearest of these studies and of the experiments, if there is none.
    """
    runs = store.runs()
    known = dict.fromkeys([*studies, *(run.experiment for run in runs)])
    if not known or name == "last" or any(run.name.startswith(name) for run in runs):
        return store.find(name)
    raise ValueError(
        f"there is no study, experiment or run {name!r} in {store.name}" + nearest(name, [*known])
    )


def _loose(store: Store, name: str, studies: Iterable[str]) -> list[Run]:
    """A run, or all runs of an experiment that belong to no study."""
    own = [run for run in store.runs() if run.experiment == name and run.study is None]
    return own or [named(store, name, studies)]


def _label(run: Run, keys: Sequence[str]) -> str:
    return ", ".join(f"{key}={_said(run.settings.get(key))}" for key in keys) or run.experiment


def _said(value: Any) -> str:
    return "none" if value is None else str(value)

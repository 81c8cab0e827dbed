"""An experiment on paper: what it is about, and every setting with its value, type and meaning."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

import problems
from experiments.catalogue import Experiment
from experiments.settings import DRIVERS, PATH, PLAIN, known, of_problem, split

EXPLAINED = {  # by the docstrings of these drivers, the last of which to say something counts
    "maximize": ("maximize",),
    "minimize": ("maximize",),
    "estimate": ("maximize", "estimate"),
    "expectation": ("maximize", "estimate"),
}


@dataclass(frozen=True)
class Setting:
    """One setting of an experiment, as ``--set`` takes it."""

    key: str
    of: str  # problem or method
    value: Any
    type: str
    meaning: str  # "" where nothing is written


def settings(experiment: Experiment) -> list[Setting]:
    """Every setting, the problem's first."""
    ours = of_problem(experiment.problem)
    meant: dict[str, str] = {}
    for name in EXPLAINED[experiment.job]:
        meant |= meanings(DRIVERS[name])
    found = known(experiment.problem, experiment.job)
    return [
        Setting(
            key=key,
            of="problem" if key in ours else "method",
            value=experiment.settings[key],
            type=type_of(found[key]),
            meaning="" if key in ours else meant.get(key, ""),
        )
        for key in sorted(experiment.settings, key=lambda key: key not in ours)
    ]


def about(experiment: Experiment) -> str:
    """What the problem's own docstring says, up to the first example."""
    ours, _ = split(experiment.problem, experiment.job, experiment.settings)
    try:
        text = inspect.getdoc(problems.load(experiment.problem, **ours)) or ""
    except ImportError:  # of an extra that it needs
        return ""
    return re.split(r"\n+(?:>>>|Parameters\n|Examples\n)", text)[0].strip().replace("`", "")


def as_dict(experiment: Experiment) -> dict[str, Any]:
    """All of it, for programs."""
    head = asdict(experiment)
    return {
        **head,
        "about": about(experiment),
        "settings": [asdict(setting) for setting in settings(experiment)],
    }


def type_of(parameter: inspect.Parameter) -> str:
    """What a value has to be, in words.

    >>> type_of(inspect.Parameter("m", inspect.Parameter.KEYWORD_ONLY, annotation="int | None"))
    'a whole number'
    """
    names = str(parameter.annotation).split(" | ")
    words = [PLAIN[name][1] for name in names if name in PLAIN]
    if any("Path" in name for name in names):
        words = [PATH[1]]
    return " or ".join(word for word in words if word)


def meanings(function: Callable[..., Any]) -> dict[str, str]:
    """The first sentence on every parameter in a docstring of NumPy's manner, as plain text.

    >>> meanings(DRIVERS["maximize"])["rho"]
    'Share of the samples that is elite, in (0, 1): short for select=Elite(rho).'
    """
    found: dict[str, str] = {}
    _, _, text = (inspect.getdoc(function) or "").partition("Parameters\n----------\n")
    for entry in re.split(r"\n(?=\S)", text.partition("\n\n")[0]):
        names, _, body = entry.partition("\n")
        words = " ".join(body.split()).replace("`", "")
        sentence = re.split(r"(?<=[.])\s(?=[A-Z])", words)[0]
        if not sentence.startswith("As for "):
            found |= dict.fromkeys(names.partition(" : ")[0].split(", "), sentence)
    return found

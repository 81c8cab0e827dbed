"""What the page says in words: numbers, what a study asks, and how to repeat a run."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from experiments import catalogue
from experiments.store import Run

NAMED = 6  # variations up to which all are named; of more the tables are enough
ASKED = {
    "estimate": "Estimate the probability that the score of {} reaches its level.",
    "expectation": "Estimate the mean that {} asks for.",
    "maximize": "Maximise {}.",
    "minimize": "Minimise {}.",
}


def count(n: int, one: str, many: str = "") -> str:
    """A number and its noun.

    >>> count(1, "run"), count(2000, "run"), count(2, "study", "studies")
    ('1 run', '2,000 runs', '2 studies')
    """
    return f"{n:,} {one if n == 1 else many or one + 's'}"


def number(figure: float | None, digits: int = 6) -> str:
    """A number for people; nothing where there is none.

    >>> number(0.000334089109), number(225.0), number(None)
    ('0.000334089', '225', '')
    """
    return "" if figure is None else f"{figure:.{digits}g}"


def time(seconds: float) -> str:
    """A duration, in the largest unit that fits.

    >>> time(0.25), time(75), time(7300), time(200_000)
    ('0.25 s', '1 min 15 s', '2 h 1 min', '2 d 7 h')
    """
    if seconds < 60:
        return f"{seconds:.3g} s"
    for unit, size, part, smaller in (("d", 86400, "h", 3600), ("h", 3600, "min", 60)):
        if seconds >= size:
            return f"{int(seconds // size)} {unit} {int(seconds % size // smaller)} {part}"
    return f"{int(seconds // 60)} min {int(seconds % 60)} s"


def moment(stamp: str) -> str:
    """A time of the store, ISO 8601 in UTC, as people write it.

    >>> moment("2026-01-02T03:04:05+00:00")
    '2026-01-02 03:04 UTC'
    """
    return stamp[:16].replace("T", " ") + " UTC"


def value(setting: Any) -> str:
    """A setting as TOML writes it; what is not set is ``none``.

    >>> value([1, 0.5]), value(True), value("auto"), value(None), value({"a": 1})
    ('[1, 0.5]', 'true', 'auto', 'none', '{a = 1}')
    """
    return setting if isinstance(setting, str) else _toml(setting)


def seeds(numbers: Iterable[int]) -> str:
    """Seeds in short: neighbours as a range.

    >>> seeds([1, 2, 3, 7, 9, 10])
    '1 to 3, 7, 9, 10'
    """
    rows: list[list[int]] = []
    for seed in sorted(set(numbers)):
        if rows and seed == rows[-1][-1] + 1:
            rows[-1].append(seed)
        else:
            rows.append([seed])
    words = [f"{r[0]} to {r[-1]}" if len(r) > 2 else ", ".join(map(str, r)) for r in rows]
    return ", ".join(words)


def asked(runs: Sequence[Run], plan: Mapping[str, Any] | None) -> list[str]:
    """What the runs were made for, one sentence each."""
    said = [
        ASKED[job].format(problem) for problem, job in sorted({(r.problem, r.job) for r in runs})
    ]
    if plan is None:
        return said
    variations, numbers = plan.get("variations", []), plan.get("seeds", [])
    n = len(variations) * len(numbers)
    each = f"with each of {count(len(numbers), 'seed')} ({seeds(numbers)})"
    names = "; ".join(variation["name"] for variation in variations)
    named = 1 < len(variations) <= NAMED
    said.append(f"{count(len(variations), 'variation')} {each}: {count(n, 'run')}.")
    said.append(f"The variations: {names}." if named else "")
    if plan.get("target") is not None:
        what = "score" if {r.job for r in runs} <= {"maximize", "minimize"} else "relative error"
        said.append(f"The target is a {what} of {plan['target']:g}.")
    return [sentence for sentence in said if sentence]


def command(run: Run) -> str | None:
    """The command line that makes this run again; None if the catalogue has nothing to begin from.

    It is checked: the words lead to exactly the settings of the run.
    """
    named = [name for name in (run.experiment, run.problem) if name in catalogue.names()]
    for name in dict.fromkeys(named):
        base = catalogue.find(name)
        if (base.problem, base.job) == (run.problem, run.job):
            words = _changes(base.settings, run.settings)
            if _leads_to(base, words, run):
                options = [word for change in words for word in ("--set", change)]
                return shlex.join(["cem", "run", name, *options, "--seed", str(run.seed)])
    return None


def _changes(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
    differ = [key for key in new if key not in old or old[key] != new[key]]
    return [f"{key}={_assigned(new[key])}" for key in differ]


def _leads_to(base: catalogue.Experiment, words: list[str], run: Run) -> bool:
    try:
        return base.changed(words, run.seed).settings == run.settings
    except ValueError:  # of another version of the program
        return False


def _assigned(setting: Any) -> str:
    """A setting after the equals sign: a word stays bare where that is read as the same word."""
    if isinstance(setting, str) and catalogue.parse([f"k={setting}"])["k"] == setting:
        return setting
    return _toml(setting)


def _toml(setting: Any) -> str:
    if isinstance(setting, Mapping):
        return "{" + ", ".join(f"{key} = {_toml(item)}" for key, item in setting.items()) + "}"
    if isinstance(setting, list | tuple):
        return "[" + ", ".join(map(_toml, setting)) + "]"
    return "none" if setting is None else json.dumps(setting, ensure_ascii=False)

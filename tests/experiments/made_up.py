"""Runs that nobody ran: a study in a store within a moment, for the pages that show runs."""

import math

from cem.state import Record
from experiments import catalogue

SCRIPT = "<script>document.title='owned'</script>"
HOSTILE = f"""</script>{SCRIPT}<img src=x onerror=alert(1)>"'&amp; Ünï 長い"""
LONG = "unbroken" * 60


def record(t, gamma, n=100, loss=1.0):
    """The t-th iteration, at that level; without a loss it is of a final sample."""
    entropy = 0.0 if math.isfinite(loss) else math.nan
    return Record(
        t, 0, n * t, n, 0, gamma, gamma, gamma, 10, -7.0, 10.0, 0.1, loss, entropy, 0.1, 1.0
    )


def add(store, run, levels, seconds=1.0, **row):
    """These levels to a run, one iteration each, and how it ended."""
    with store.writer(run) as writer:
        if levels:
            writer.add_all([record(t, g) for t, g in enumerate(levels, 1)], b"", seconds)
        if row:
            writer.end(seconds=seconds, **row)
    return store.again(run)


def optimum(fun, nfev=500, warnings=(), success=True, message="converged"):
    """What is stored of a maximisation."""
    return {
        "success": success, "message": message, "warnings": list(warnings), "nfev": nfev,
        "nit": nfev // 100, "fun": fun, "x": [1, 0, 1], "known": 40.0, "report": {},
    }  # fmt: skip


def plan(store, name="slow or fast", variations=("alpha=0.3", "alpha=0.7"), seeds=(1, 2, 3)):
    """A study of max-cut with nothing done yet; its runs."""
    base = catalogue.find("maxcut")
    rows, changes = [], []
    for i, variation in enumerate(variations):
        settings = base.settings | {"alpha": round(0.3 + i / 10, 2), "n": 30, "m": 15}
        changes.append({"name": variation, "changes": {"alpha": settings["alpha"]}})
        rows += [
            {
                "variation": variation, "experiment": "maxcut", "problem": "maxcut",
                "job": "maximize", "settings": settings, "seed": seed,
                "versions": {"cem": "0.1.0", "machine": "a large one"},
            }
            for seed in seeds
        ]  # fmt: skip
    asked = {
        "description": "Is it worth the time?", "problem": "maxcut", "job": "maximize",
        "settings": {}, "variations": changes, "seeds": list(seeds), "target": 40.0,
        "text": '# what was asked\nproblem = "maxcut"\n',
    }  # fmt: skip
    return store.plan(name, asked, rows)


def study(store, **kinds):
    """The same with its runs done, scores 31.0, 32.0 ... in the order of the runs."""
    return [
        add(store, run, [10.0, 20.0, 30.0 + i], status="done", result=optimum(30.0 + i, 300 + i))
        for i, run in enumerate(plan(store, **kinds), 1)
    ]

"""What the tests of the store put into it, and what those of sweeps find there."""

import math
import struct

import numpy as np

from cem.state import Record
from experiments.store import Store

WHOLE = {"t", "restart", "nfev", "n", "n_bad", "n_elite", "n_hit"}
ROW = {
    "experiment": "bridge",
    "problem": "bridge",
    "job": "estimate",
    "settings": {"rho": 0.1, "graph": None},
    "seed": 2**100,
    "versions": {"numpy": "2.0"},
}


def bits(record):
    """The numbers of a record, bit for bit; a NaN is a NaN."""
    return [
        value
        if isinstance(value, int)
        else struct.pack("d", math.nan if math.isnan(value) else value)
        for value in record
    ]


def record(t, **changes):
    numbers = {name: t if name in WHOLE else float(t) for name in Record._fields}
    return Record(**numbers | changes)


def endings(url="cem-runs.db", name="mine"):
    """Everything that the runs of a study left behind, their clocks aside."""
    with Store(str(url), create=False) as store:
        runs = store.runs(name)
        return {
            (r.variation, r.seed): (
                r.status,
                r.result,
                np.array(store.history(r)).tobytes(),
                store.checkpoint(r),
            )
            for r in runs
        }

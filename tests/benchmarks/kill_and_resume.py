"""Does a run killed with -9 end in the same bits as an uncut one? Many kills, both jobs.

python tests/benchmarks/kill_and_resume.py [--kills 20] [--seed 0] [EXPERIMENT ...]
"""

from __future__ import annotations

import argparse
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from experiments.store import Store


def cem(*words):
    return [sys.executable, "-m", "experiments", *words]


def ending(path):
    """State parameters, history and result of the last run; not its clock."""
    with Store(str(path), create=False) as store:
        run = store.find("last")
        history = np.array(store.history(run))
        return store.checkpoint(run), history.tobytes(), run.result


def iterations(path):
    """How many are stored, seen from outside."""
    try:
        other = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
        try:
            return other.execute("select count(*) from iterations").fetchone()[0]
        finally:
            other.close()
    except sqlite3.OperationalError:  # the store is not there yet
        return 0


def killed_run(path, name, after, pause):
    """Start a run and kill it some time after it stored an iteration; how many it has done."""
    run = subprocess.Popen(
        cem("run", name, "--store", str(path), "--quiet"), stdout=subprocess.DEVNULL
    )
    while iterations(path) < after and run.poll() is None:
        time.sleep(0.0005)
    time.sleep(pause)
    run.send_signal(signal.SIGKILL)
    run.wait()
    return iterations(path), run.returncode == -signal.SIGKILL


def study(name, kills, rng):
    equal = cut = 0
    with tempfile.TemporaryDirectory() as folder:
        whole = Path(folder, "whole.db")
        subprocess.run(cem("run", name, "--store", str(whole), "--quiet"), check=True)
        expected, total = ending(whole), iterations(whole)
        for kill in range(kills):
            path = Path(folder, f"{kill}.db")
            after, pause = int(rng.integers(1, total)), float(rng.uniform(0, 0.005))
            done, in_time = killed_run(path, name, after, pause)
            subprocess.run(
                cem("resume", "last", "--store", str(path), "--quiet"),
                check=True,
                stdout=subprocess.DEVNULL,
            )
            same = ending(path) == expected
            equal += same
            cut += in_time and done < total
            print(f"  killed after {done:3} of {total} iterations: {'equal' if same else 'OTHER'}")
    print(f"{name}: {equal}/{kills} equal; {cut} of them were cut before their last iteration")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("experiments", nargs="*", default=["bridge", "maxcut"])
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    for name in options.experiments:
        study(name, options.kills, np.random.default_rng(options.seed))


if __name__ == "__main__":
    main()

"""Does what was killed with -9 end in the same bits as what was not? Single runs, and a study.

python tests/benchmarks/kill_and_resume.py runs [--kills 20] [--seed 0] [EXPERIMENT ...]
python tests/benchmarks/kill_and_resume.py study [--kills 5] [--seed 0] [--workers 2] [--slice 0.05]
python tests/benchmarks/kill_and_resume.py study --postgres   # the server is killed in between, too

The study is of 4 variations with 50 seeds each. Slices are shorter than usual, so that kills hit
runs between two of their checkpoints.
"""

from __future__ import annotations

import argparse
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from experiments.store import Store

STUDY = """
experiment = "maxcut"
seeds = 50
[settings]
n = 100
m = 50
n_samples = 500
[grid]
rho = [0.05, 0.1]
alpha = [0.3, 0.7]
"""
SWEEP = (
    "from experiments import sweep; sweep.SECONDS = {}; from experiments.cli import main; main()"
)


def cem(*words):
    return [sys.executable, "-m", "experiments", *map(str, words)]


def endings(url):
    """Checkpoint, history and result of every run; not its clock."""
    with Store(str(url), create=False) as store:
        runs = store.runs()
        histories = store.histories(runs)
        return {
            (run.experiment, run.variation, run.seed): (
                store.checkpoint(run),
                np.array(histories[run.id]).tobytes(),
                run.result,
            )
            for run in runs
        }


def iterations(url):
    """How many are stored."""
    with Store(str(url), create=False) as store:
        return sum(nit for nit, _ in store.counts().values())


def statuses(url):
    """How many runs have which status."""
    with Store(str(url), create=False) as store:
        found = [run.status for run in store.runs()]
    return {status: found.count(status) for status in sorted(set(found))}


def killed(line, url, after, pause):
    """Start it and kill it some time after it stored so many iterations; how many are stored."""
    process = subprocess.Popen(line, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while process.poll() is None and iterations(url) < after:
        time.sleep(0.001)
    time.sleep(pause)
    process.send_signal(signal.SIGKILL)
    process.wait()
    return iterations(url), process.returncode == -signal.SIGKILL


def of_runs(name, kills, rng):
    equal = cut = 0
    with tempfile.TemporaryDirectory() as folder:
        whole = Path(folder, "whole.db")
        subprocess.run(cem("run", name, "--store", whole, "--quiet"), check=True)
        expected, total = endings(whole), iterations(whole)
        for kill in range(kills):
            path = Path(folder, f"{kill}.db")
            after, pause = int(rng.integers(1, total)), float(rng.uniform(0, 0.005))
            line = cem("run", name, "--store", path, "--quiet")
            done, in_time = killed(line, path, after, pause)
            line = cem("resume", "last", "--store", path, "--quiet")
            subprocess.run(line, check=True, stdout=subprocess.DEVNULL)
            same = endings(path) == expected
            equal += same
            cut += in_time and done < total
            print(f"  killed after {done:3} of {total} iterations: {'equal' if same else 'OTHER'}")
    print(f"{name}: {equal}/{kills} equal; {cut} of them were cut before their last iteration")


@contextmanager
def postgres():
    """A private server."""
    sys.path.insert(0, str(Path(__file__).parents[1] / "experiments"))
    from postgres import new_server

    server = new_server()
    try:
        yield server
    finally:
        server.stop()
        shutil.rmtree(server.folder)


def of_study(kills, rng, workers, seconds, server=None):
    with tempfile.TemporaryDirectory() as folder:
        file, whole, cut = Path(folder, "study.toml"), Path(folder, "a.db"), Path(folder, "b.db")
        file.write_text(STUDY)
        sweep = [sys.executable, "-c", SWEEP.format(seconds), "sweep", str(file), "--quiet"]
        sweep += ["--workers", str(workers), "--store"]
        since = time.monotonic()
        subprocess.run([*sweep, str(whole)], check=True, stdout=subprocess.DEVNULL)
        total = iterations(whole)
        print(f"uncut: {statuses(whole)}, {total:,} iterations, {time.monotonic() - since:.1f} s")
        url = server.url() if server else str(cut)
        for share in np.sort(rng.uniform(0.02, 0.95, kills)):
            pause = float(rng.uniform(0, 0.1))
            done, in_time = killed([*sweep, url], url, int(share * total), pause)
            how = "killed" if in_time else "NOT killed"
            print(f"  {how} after {done:,} iterations: {statuses(url)}", flush=True)
        last = subprocess.Popen([*sweep, url], stdout=subprocess.DEVNULL)
        if server:
            done = iterations(url)
            while last.poll() is None and iterations(url) < (done + total) / 2:
                time.sleep(0.01)
            server.stop()
            time.sleep(1)
            server.start()
            print(f"  server killed and started again after {iterations(url):,} iterations")
        assert last.wait() == 0
        ours, theirs = endings(url), endings(whole)
        equal = sum(ours.get(key) == ending for key, ending in theirs.items())
        print(f"after {kills} kills: {statuses(url)}; {equal} of {len(theirs)} equal bit for bit")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", choices=["runs", "study"])
    parser.add_argument("experiments", nargs="*", default=["bridge", "maxcut"])
    parser.add_argument("--kills", type=int)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--slice", type=float, default=0.05)
    parser.add_argument("--postgres", action="store_true")
    options = parser.parse_args()
    rng = np.random.default_rng(options.seed)
    if options.what == "runs":
        for name in options.experiments:
            of_runs(name, options.kills or 20, rng)
    elif options.postgres:
        with postgres() as server:
            of_study(options.kills or 5, rng, options.workers, options.slice, server)
    else:
        of_study(options.kills or 5, rng, options.workers, options.slice)


if __name__ == "__main__":
    main()

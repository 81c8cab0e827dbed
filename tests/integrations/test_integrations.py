"""A run in other people's tools: the numbers that arrive, resumed runs, and errors."""

import importlib.util
import math
import struct
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

import cem
from cem.integrations import MLflow, TensorBoard, Tracker, WandB
from cem.integrations.tracker import numbers, plain

SETTINGS = {"rho": 0.1, "preset": "textbook", "n_samples": 40, "target": None}


def needs(module):
    there = importlib.util.find_spec(module) is not None
    return pytest.mark.skipif(not there, reason=f"{module} is not installed: cemkit[tracking]")


def sphere(x):
    return ((x - 0.3) ** 2).sum(axis=1)


def search(callback=None, **options):
    usual = {"bounds": [(-1, 2)] * 2, "rng": 1, "max_iterations": 6, "vectorized": True}
    return cem.minimize(sphere, callback=callback, **usual | options)


class Listed(Tracker):
    """A tracker that keeps what it is told."""

    def __init__(self):
        self.rows, self.ends = [], []

    def _log(self, step, numbers):
        self.rows.append((step, numbers))

    def _close(self, *, failed):
        self.ends.append(failed)


class Full(Listed):
    def _log(self, *_):
        raise OSError("no space left")


def expected(name, sign=-1, **options):
    """A column of the same run by step, in the user's sign."""
    history = search(**options).history
    sign = sign if name in {"gamma", "top", "best"} else 1
    return {r.t: sign * getattr(r, name) for r in history}


def test_scores_have_the_sign_of_the_users_problem():
    down, up = Listed(), Listed()
    found = search(down)
    best = cem.maximize(lambda x: -sphere(x), bounds=[(-1, 2)] * 2, rng=1, max_iterations=6)
    cem.maximize(lambda x: -sphere(x), bounds=[(-1, 2)] * 2, rng=1, max_iterations=6, callback=[up])
    assert down.rows[-1][1]["best"] == found.fun > 0
    assert up.rows[-1][1]["best"] == best.fun == -found.fun
    for (_, a), (_, b) in zip(down.rows, up.rows, strict=True):
        assert {k for k in a if a[k] != b[k]} <= {"gamma", "top", "best"}
        assert a["gamma"] == -b["gamma"]


def test_the_step_is_the_iteration_and_what_is_not_finite_is_left_out():
    tracker = Listed()
    history = search(tracker).history
    assert [step for step, _ in tracker.rows] == [1, 2, 3, 4, 5, 6]
    record = history[0]._replace(kl=math.nan, entropy=-math.inf)
    assert numbers(record).keys() == set(record._fields) - {"t", "kl", "entropy"}


def test_it_watches_and_does_not_steer(same_run):
    assert same_run(search(Listed()), search())


def test_an_error_says_which_tracker_and_when():
    with pytest.raises(RuntimeError, match=r"Full did not take iteration 1: OSError: no space"):
        search(Full())


def test_it_is_closed_once_and_knows_whether_the_run_failed():
    with Listed() as tracker:
        search(tracker)
    assert tracker.ends == [False]
    with pytest.raises(KeyError), Listed() as tracker:
        raise KeyError
    assert tracker.ends == [True]


def test_settings_that_are_no_numbers_stand_as_their_text():
    assert plain(SETTINGS) == SETTINGS | {"target": "None"}
    assert plain(None) == {}


@pytest.mark.parametrize("name", ["tensorboard", "mlflow", "wandb"])
def test_a_tracker_that_is_not_installed_is_said_to_be_so(name, monkeypatch, tmp_path):
    make = {
        "tensorboard": lambda: TensorBoard(tmp_path),
        "mlflow": MLflow,
        "wandb": lambda: WandB(mode="offline", dir=tmp_path),
    }[name]
    for module in [m for m in sys.modules if m.partition(".")[0] == name]:
        monkeypatch.delitem(sys.modules, module)
    monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(ImportError, match=r'not installed .*: pip install "cemkit\[tracking\]"'):
        make()


def test_importing_the_trackers_imports_none_of_their_packages():
    code = "import sys, cem.integrations; print(*sorted({m.split('.')[0] for m in sys.modules}))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True)
    assert not {"tensorboard", "mlflow", "wandb", "optuna"} & set(done.stdout.split())


# TensorBoard


def charts(folder):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    read = EventAccumulator(str(folder)).Reload()
    return read, {
        tag: {event.step: event.value for event in read.Scalars(tag)}
        for tag in read.Tags()["scalars"]
    }


def same_numbers(found, name, **options):
    wanted = expected(name, **options)
    assert list(found) == list(wanted)
    np.testing.assert_array_equal(list(found.values()), np.float32(list(wanted.values())))


@needs("tensorboard")
def test_tensorboard_reads_back_what_was_written(tmp_path):
    with TensorBoard(tmp_path / "run", settings=SETTINGS) as board:
        search(board)
    read, scalars = charts(tmp_path / "run")
    for name in ("best", "gamma", "nfev", "entropy"):
        same_numbers(scalars[name], name)
    event = read.summary_metadata["_hparams_/session_start_info"]
    assert b"textbook" in event.plugin_data.content
    assert b"rho" in event.plugin_data.content


@needs("tensorboard")
def test_tensorboard_has_an_iteration_on_disk_before_the_next_begins(tmp_path):
    board = TensorBoard(tmp_path)
    seen = []
    search([board, lambda *_: seen.append(len(charts(tmp_path)[1]["best"]))])
    board.close()
    assert seen == [1, 2, 3, 4, 5, 6]


@needs("tensorboard")
def test_tensorboard_shows_a_resumed_run_without_doubled_steps(tmp_path):
    with TensorBoard(tmp_path) as board:
        search(board, max_iterations=5)
    early = search(max_iterations=3)
    with TensorBoard(tmp_path) as board:
        search(board, max_iterations=8, start=(early.state, early.history))
    _, scalars = charts(tmp_path)
    same_numbers(scalars["best"], "best", max_iterations=8)


# MLflow

OF_THEIR_MAKING = pytest.mark.filterwarnings(  # what the trackers themselves are warned of
    "ignore:.*:DeprecationWarning",
    "ignore:.*:FutureWarning",
    "ignore:.*:ResourceWarning",
    "ignore:.*noload.*",
    "ignore:.*:pytest.PytestUnraisableExceptionWarning",
)


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    pytest.importorskip("mlflow", reason="mlflow is not installed: cemkit[tracking]")
    pytest.importorskip("alembic", reason="MLflow's SQLite store needs alembic")
    return f"sqlite:///{tmp_path_factory.mktemp('mlflow')}/store.db"


def metric(tracker, store, name):
    from mlflow import MlflowClient

    rows = MlflowClient(store).get_metric_history(tracker.run_id, name)
    return [(row.step, row.value) for row in rows]


@OF_THEIR_MAKING
def test_mlflow_holds_metrics_and_parameters(store):
    from mlflow import MlflowClient

    with MLflow("spheres", run_name="one", tracking_uri=store, settings=SETTINGS) as tracker:
        search(tracker)
        assert MlflowClient(store).get_run(tracker.run_id).info.status == "RUNNING"
    for name in ("best", "gamma", "nfev", "entropy"):
        assert metric(tracker, store, name) == list(expected(name).items())
    run = MlflowClient(store).get_run(tracker.run_id)
    assert run.info.status == "FINISHED"
    assert run.data.params == {name: str(value) for name, value in SETTINGS.items()}


@OF_THEIR_MAKING
def test_mlflow_goes_on_with_a_resumed_run_without_doubled_steps(store):
    with MLflow(tracking_uri=store, settings=SETTINGS) as tracker:
        search(tracker, max_iterations=5)
    early = search(max_iterations=3)
    with MLflow(tracking_uri=store, settings=SETTINGS, run_id=tracker.run_id) as again:
        search(again, max_iterations=8, start=(early.state, early.history))
    assert metric(again, store, "best") == list(expected("best", max_iterations=8).items())


@OF_THEIR_MAKING
def test_mlflow_is_named_if_it_refuses(store):
    with MLflow(tracking_uri=store, settings={"rho": 0.1}) as tracker:
        search(tracker, max_iterations=1)
    with pytest.raises(RuntimeError, match=r"MLflow did not take the run \w+: MlflowException"):
        MLflow(tracking_uri=store, settings={"rho": 0.2}, run_id=tracker.run_id)


@OF_THEIR_MAKING
def test_mlflow_is_told_of_a_run_that_failed(store):
    from mlflow import MlflowClient

    with pytest.raises(KeyError), MLflow(tracking_uri=store) as tracker:
        raise KeyError
    assert MlflowClient(store).get_run(tracker.run_id).info.status == "FAILED"


# Weights & Biases


def told(folder):
    """The history in the file of an offline run: a list of ``(step, numbers)``."""
    import json

    from wandb.proto.wandb_internal_pb2 import Record

    (path,) = Path(folder).glob("wandb/offline-run-*/run-*.wandb")
    data, at, parts, rows = path.read_bytes(), 7, b"", []
    while at + 7 <= len(data):  # the log format of LevelDB, in blocks of 32 KiB
        if 32768 - at % 32768 < 7:
            at += 32768 - at % 32768
            continue
        length, kind = struct.unpack("<HB", data[at + 4 : at + 7])
        parts = (b"" if kind in {1, 2} else parts) + data[at + 7 : at + 7 + length]
        at += 7 + length
        if kind in {1, 4}:
            record = Record.FromString(parts)
            if record.WhichOneof("record_type") == "history":
                items = record.history.item
                named = {"".join(i.nested_key) or i.key: json.loads(i.value_json) for i in items}
                rows.append((record.history.step.num, named))
    return rows


@needs("wandb")
@OF_THEIR_MAKING
def test_the_file_of_an_offline_run_holds_the_numbers(tmp_path, monkeypatch):
    monkeypatch.setenv("WANDB_MODE", "offline")
    monkeypatch.setenv("WANDB_SILENT", "true")
    with WandB("spheres", dir=tmp_path, settings=SETTINGS) as tracker:
        search(tracker)
        assert tracker._run.config["rho"] == 0.1
    until = time.monotonic() + 60
    while len(rows := told(tmp_path)) < 6 and time.monotonic() < until:
        time.sleep(0.1)  # a process of W&B's own writes the file, also after the end of the run
    for name in ("best", "gamma", "nfev", "entropy"):
        assert {step: row[name] for step, row in rows} == pytest.approx(expected(name), rel=1e-15)


def test_wandb_does_not_send_again_what_a_resumed_run_has(monkeypatch):
    class Run:
        id, step, rows = "abc", 4, []

        def log(self, numbers, *, step, commit):
            assert commit
            self.rows.append((step, numbers["best"]))

        def finish(self, exit_code):
            assert exit_code == 0

    class Module:
        @staticmethod
        def init(**options):
            assert options["id"] == "abc"
            assert options["resume"] == "allow"
            return Run()

    monkeypatch.setitem(sys.modules, "wandb", Module())
    with WandB(run_id="abc") as tracker:
        search(tracker)
    assert Run.rows == [pair for pair in expected("best").items() if pair[0] >= 4]

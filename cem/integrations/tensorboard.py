"""A run in TensorBoard: ``tensorboard --logdir FOLDER`` shows it."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from typing import Any

from cem.integrations.tracker import Tracker, installed, plain


class TensorBoard(Tracker):
    """Write the numbers of every iteration as scalars, and the settings as hyperparameters.

    One run has one folder, ``log_dir``. If it is resumed in the same folder the charts go on; where
    an iteration is done again, TensorBoard shows it once, as it was the last time. Numbers are
    single precision there.
    """

    def __init__(
        self, log_dir: str | os.PathLike[str], *, settings: Mapping[str, Any] | None = None
    ) -> None:
        with installed("TensorBoard"):
            from tensorboard.summary.writer.event_file_writer import EventFileWriter
        self.settings = plain(settings)
        with self._named(f"the folder {os.fspath(log_dir)}"):
            self._writer = EventFileWriter(os.fspath(log_dir))
        self._begun = False

    def _log(self, step: int, numbers: Mapping[str, float]) -> None:
        from tensorboard.compat.proto.summary_pb2 import Summary

        if not self._begun:
            self._begin(step)
        values = [Summary.Value(tag=name, simple_value=a) for name, a in numbers.items()]
        self._write(step=step, summary=Summary(value=values))
        self._writer.flush()

    def _begin(self, step: int) -> None:
        """Say that whatever there is from this step on is to be forgotten, and the settings."""
        from tensorboard.compat.proto.event_pb2 import SessionLog
        from tensorboard.plugins.hparams.summary_v2 import hparams_pb

        self._begun = True
        self._write(step=step, session_log=SessionLog(status=SessionLog.START))
        if self.settings:
            self._write(summary=hparams_pb(self.settings, trial_id=self._writer.get_logdir()))

    def _write(self, **event: Any) -> None:
        from tensorboard.compat.proto.event_pb2 import Event

        self._writer.add_event(Event(wall_time=time.time(), **event))

    def _close(self, *, failed: bool) -> None:  # noqa: ARG002 - TensorBoard knows no failed runs
        self._writer.close()

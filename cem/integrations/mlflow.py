"""A run in MLflow."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from cem.integrations.tracker import Tracker, installed, plain


class MLflow(Tracker):
    """Log the numbers of every iteration as metrics, and the settings as parameters.

    It makes a run of the ``experiment`` (and that, if there is none of the name) in the store at
    ``tracking_uri``, by default where MLflow's own settings say; its id is ``run_id``. With the
    ``run_id`` of an earlier run that one goes on, and iterations that it has already are not sent
    again. No run of ``mlflow.start_run`` is touched.
    """

    def __init__(
        self,
        experiment: str = "cem",
        *,
        run_id: str | None = None,
        run_name: str | None = None,
        tracking_uri: str | None = None,
        settings: Mapping[str, Any] | None = None,
    ) -> None:
        with installed("MLflow"):
            from mlflow import MlflowClient
        with self._named(f"the run {run_id or run_name or 'of ' + experiment}"):
            self._client = MlflowClient(tracking_uri)
            self.run_id = run_id or self._new(experiment, run_name)
            self._client.update_run(self.run_id, "RUNNING")
            known = self._client.get_metric_history(self.run_id, "nfev")
            self._last = max((metric.step for metric in known), default=0)
            for name, value in plain(settings).items():
                self._client.log_param(self.run_id, name, value)

    def _new(self, experiment: str, run_name: str | None) -> str:
        found = self._client.get_experiment_by_name(experiment)
        where = found.experiment_id if found else self._client.create_experiment(experiment)
        return str(self._client.create_run(where, run_name=run_name).info.run_id)

    def _log(self, step: int, numbers: Mapping[str, float]) -> None:
        from mlflow.entities import Metric

        if step <= self._last:
            return
        now = int(1000 * time.time())
        metrics = [Metric(name, a, now, step) for name, a in numbers.items()]
        self._client.log_batch(self.run_id, metrics=metrics)

    def _close(self, *, failed: bool) -> None:
        self._client.set_terminated(self.run_id, "FAILED" if failed else "FINISHED")

"""A run in Weights & Biases."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cem.integrations.tracker import Tracker, installed, plain


class WandB(Tracker):
    """Log the numbers of every iteration, and the settings as the run's config.

    It makes a run of the ``project``; its id is ``run_id``. With the ``run_id`` of an earlier run
    that one goes on, and iterations that it has already are not sent again. A process of W&B's own
    writes and sends, a little later. The ``options`` are further arguments of ``wandb.init``:
    ``mode="offline"`` needs no network, ``dir=`` is where the files go.
    """

    def __init__(
        self,
        project: str = "cem",
        *,
        run_id: str | None = None,
        settings: Mapping[str, Any] | None = None,
        **options: Any,
    ) -> None:
        with installed("Weights & Biases"):
            import wandb
        more: dict[str, Any] = {"id": run_id, "resume": "allow"} if run_id else {}
        with self._named(f"the run {run_id or 'of ' + project}"):
            self._run = wandb.init(project=project, config=plain(settings), **more, **options)
        self.run_id = self._run.id
        self._next = self._run.step  # 0 in a new run

    def _log(self, step: int, numbers: Mapping[str, float]) -> None:
        if step >= self._next:
            self._run.log(dict(numbers), step=step, commit=True)

    def _close(self, *, failed: bool) -> None:
        self._run.finish(exit_code=int(failed))

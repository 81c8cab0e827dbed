"""A place on a terminal that is rewritten now and then, and empty again at the end."""

from __future__ import annotations

from typing import Self

from rich.console import Console, RenderableType
from rich.live import Live

from experiments.clock import Every


class Rewritten(Every):
    """Written at most every ``seconds``; a context manager, and not there outside of it."""

    def __init__(self, console: Console, seconds: float, *, at_once: bool) -> None:
        super().__init__(seconds, at_once=at_once)
        self.console = console
        self._live = Live(console=console, auto_refresh=False, transient=True)

    def __enter__(self) -> Self:
        self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._live.stop()

    def write(self, page: RenderableType) -> None:
        """Put this in the place of what is there."""
        self._live.update(page, refresh=True)

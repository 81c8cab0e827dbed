"""A place on a terminal that is rewritten now and then, and empty again at the end."""

from __future__ import annotations

import math
import time
from typing import Self

from rich.console import Console, RenderableType
from rich.live import Live


class Rewritten:
    """Written at most every ``seconds``; a context manager, and not there outside of it."""

    def __init__(self, console: Console, seconds: float) -> None:
        self.console = console
        self.seconds = seconds
        self.written = -math.inf
        self._live = Live(console=console, auto_refresh=False, transient=True)

    def __enter__(self) -> Self:
        self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._live.stop()

    def is_time(self) -> bool:
        """Whether it may be written again; from then on the seconds are counted anew."""
        now = time.monotonic()
        if now - self.written < self.seconds:
            return False
        self.written = now
        return True

    def write(self, page: RenderableType) -> None:
        """Put this in the place of what is there."""
        self._live.update(page, refresh=True)

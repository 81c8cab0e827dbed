"""What is to be done now and then: every so many seconds."""

from __future__ import annotations

import math
import time


class Every:
    """Tells when it is time again; at once, or only after the first so many seconds.

    >>> hourly = Every(3600.0, at_once=True)
    >>> hourly.is_time(), hourly.is_time()
    (True, False)
    """

    def __init__(self, seconds: float, *, at_once: bool = False) -> None:
        self.seconds = seconds
        self.last = -math.inf if at_once else time.monotonic()

    def is_time(self) -> bool:
        """Whether it is; from then on the seconds are counted anew."""
        now = time.monotonic()
        if now - self.last < self.seconds:
            return False
        self.last = now
        return True

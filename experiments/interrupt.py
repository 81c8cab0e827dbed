"""Ctrl-C with manners: the first ends after the current iteration, the second at once."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager

SIGNALS = (signal.SIGINT, signal.SIGTERM)
SAID = "cem: ending after this iteration; press Ctrl-C again to end at once"


class Asked:
    """Whether a signal has asked for an end; call it to know."""

    def __init__(self) -> None:
        self.signal = 0

    def __call__(self) -> bool:
        """Whether one has."""
        return self.signal != 0

    @property
    def exit_status(self) -> int:
        """What a shell expects of what a signal has ended: 130 after Ctrl-C, 143 after SIGTERM."""
        return 128 + (self.signal or signal.SIGINT)

    def check(self, *_: object) -> None:
        """Raise KeyboardInterrupt if asked to: a callback for the end of an iteration."""
        if self():
            raise KeyboardInterrupt

    def hear(self, number: int, _: object) -> None:
        """Take note of the first signal; raise KeyboardInterrupt on any other."""
        before, self.signal = self.signal, number
        if before:
            raise KeyboardInterrupt
        with contextlib.suppress(OSError):  # not sys.stderr, which may be in the midst of a line
            os.write(2, f"\n{SAID}\n".encode() if os.isatty(2) else f"{SAID}\n".encode())


@contextmanager
def gently() -> Iterator[Asked]:
    """Within it, the first SIGINT or SIGTERM only asks for an end; the second is at once.

    A signal that is ignored stays so (as SIGINT is under ``nohup ... &``). Outside of the main
    thread, which alone gets signals, nothing is changed, and nobody asks.

    >>> with gently() as asked:
    ...     asked()
    False
    """
    asked = Asked()
    before = {}
    if threading.current_thread() is threading.main_thread():
        found = {number: signal.getsignal(number) for number in SIGNALS}
        before = {k: was for k, was in found.items() if was not in {signal.SIG_IGN, None}}
    try:
        for number in before:
            signal.signal(number, asked.hear)
        yield asked
    finally:
        for number, was in before.items():
            signal.signal(number, was)

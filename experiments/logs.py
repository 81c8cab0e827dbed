"""What the command logs on standard error: with -v every iteration, with -vv tracebacks, too."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

LOGGER = logging.getLogger("cem")
LEVELS = (logging.WARNING, logging.INFO, logging.DEBUG)  # without -v, with one, with two


@contextmanager
def to_stderr() -> Iterator[None]:
    """Within it, the library's log goes to standard error: warnings, and what `verbose` adds."""
    handler = logging.StreamHandler()
    handler.setFormatter(logging.Formatter("%(asctime)s %(message)s", "%H:%M:%S"))
    LOGGER.addHandler(handler)
    try:
        yield
    finally:
        LOGGER.removeHandler(handler)
        LOGGER.setLevel(logging.NOTSET)


def verbose(count: int) -> None:
    """Log more, as many times as -v was given."""
    LOGGER.setLevel(LEVELS[min(count, len(LEVELS) - 1)])


def iterations() -> bool:
    """Whether every iteration is logged, so that no other progress is wanted."""
    return LOGGER.isEnabledFor(logging.INFO)

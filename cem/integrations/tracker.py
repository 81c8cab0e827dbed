"""What the trackers share: which numbers are sent, in whose sign, and what is said of errors."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Self

from cem.state import Record, State

SCORES = ("gamma", "top", "best")  # what of a record is in the sign of the problem


class Tracker(ABC):
    """A callback that sends the numbers of every iteration somewhere; base of those that do.

    The step is the iteration. Scores are in the sign of what is maximised or minimised. A number
    that is not finite is left out: ``nan`` stands where it was not computed, and a chart has no
    place for infinity. It watches and never steers. If the tracker fails so does the run, with a
    RuntimeError that says which tracker it was. Close it, or use it in a ``with`` statement.
    """

    def __call__(self, state: State, record: Record) -> None:
        """Send the record."""
        del state
        self._send(record, 1)

    def turned(self) -> Callable[[State, Record], None]:
        """The same for a search whose scores have their sign turned: what `cem.minimize` calls."""
        return lambda _, record: self._send(record, -1)

    def _send(self, record: Record, sign: int) -> None:
        with self._named(f"iteration {record.t}"):
            self._log(record.t, numbers(record, sign))

    @contextmanager
    def _named(self, what: str) -> Iterator[None]:
        """Within it, an error says which tracker did not take ``what``."""
        try:
            yield
        except Exception as error:
            raise RuntimeError(
                f"{type(self).__name__} did not take {what}: {type(error).__name__}: {error}"
            ) from error

    @abstractmethod
    def _log(self, step: int, numbers: Mapping[str, float]) -> None:
        """Send the numbers of a step, so that a crash right after it cannot lose them."""

    @abstractmethod
    def _close(self, *, failed: bool) -> None:
        """Send what is left and let go."""

    def close(self) -> None:
        """Send what is left and let go; nothing can be sent any more."""
        with self._named("its end"):
            self._close(failed=False)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is None:
            self.close()
        else:
            self._close(failed=True)


def numbers(record: Record, sign: int = 1) -> dict[str, float]:
    """The finite numbers of a record by name, scores times ``sign``; ``t`` is left to the step.

    >>> numbers(Record(*range(18))._replace(loss=math.nan), -1)["best"]
    -7.0
    """
    own = record._asdict() | {name: sign * getattr(record, name) for name in SCORES}
    return {k: float(a) for k, a in own.items() if k != "t" and math.isfinite(a)}


def plain(settings: Mapping[str, Any] | None) -> dict[str, bool | int | float | str]:
    """Settings as every tracker takes them: what is no number stands as its text."""
    return {
        name: value if isinstance(value, bool | int | float | str) else repr(value)
        for name, value in (settings or {}).items()
    }


@contextmanager
def installed(who: str, extra: str = "tracking") -> Iterator[None]:
    """Within it, what cannot be imported is said to be missing, with how to install it."""
    try:
        yield
    except ImportError as error:
        raise ImportError(
            f'{who} is not installed ({error}): pip install "cemkit[{extra}]"'
        ) from error

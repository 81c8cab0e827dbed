"""Scoring a batch in chunks, here or on anything that can map."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from copy import copy
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.random import SeedSequence

from cem.randomness import Purpose, branch, name_of
from cem.scores import checked_scores, in_a_line, real_number
from cem.typing import Array, Batch, Map, Problem, Vector
from cem.wrapping import cost_of

CHUNK_SIZE = 512
OF_ONE_POINT = "; if it is a function of one point, wrap it: cem.each(f)"


class OnePointError(ValueError):
    """A function that was to take a batch takes one point."""


@dataclass(frozen=True)
class Evaluation:
    """Scores of a batch, chunk by chunk, in order.

    The chunks depend on ``chunk_size`` only, never on who scores them, so that one worker and
    many give the same bits even where a problem's rounding depends on the size of its batch. A
    noisy problem (`cem.noise`) gets the random numbers of the address of each chunk: root,
    iteration and start, so the same holds for its scores.
    """

    problem: Problem
    root: SeedSequence
    chunk_size: int = CHUNK_SIZE
    map: Map = map

    def __call__(self, x: Batch, t: int) -> Vector:
        """Scores of the batch of iteration ``t``, shape ``(len(x),)``."""
        return self._scores(x, t, [self.root])

    def replications(self, x: Batch, t: int, kind: int, which: range) -> Array:
        """Independent scores of the batch, one row per replication: ``(len(which), len(x))``.

        A replication is the same evaluation with a root of its own. Those of one kind share none
        with those of another, nor with the call without replications.
        """
        roots = [branch(self.root, Purpose.REPLICATION, kind, i) for i in which]
        return self._scores(x, t, roots).reshape(len(roots), len(x))

    def spent(self, n: int) -> int:
        """How many evaluations it takes to score ``n`` samples once."""
        return n * cost_of(self.problem)

    def _scores(self, x: Batch, t: int, roots: list[SeedSequence]) -> Vector:
        size = self.chunk_size
        starts = range(0, len(x), size)
        chunks = [((root, t, a), x[a : a + size]) for root in roots for a in starts]
        scores = [*self.map(partial(_score, self.problem), chunks)]
        return scores[0] if len(scores) == 1 else np.concatenate(scores)


def _score(problem: Problem, addressed: tuple[tuple[SeedSequence, int, int], Batch]) -> Vector:
    (root, t, start), x = addressed
    try:
        score = _bound(problem, root, t, start)(copy(x))  # it may work in place
    except OnePointError:
        raise
    except Exception as error:  # noqa: BLE001 - the user's code may raise anything
        at, culprit = _first_failure(_bound(problem, root, t, start), x, error)
        raise ValueError(
            f"the problem raised {type(culprit).__name__}: {culprit} on sample {start + at} of "
            f"iteration {t + 1} (rng={name_of(root)}); sample: {in_a_line(x[at])}"
            + ("" if str(culprit) == str(error) else f"; of its batch it said: {error}")
            + (OF_ONE_POINT if "truth value of an array" in str(error) else "")
        ) from culprit
    return checked_scores(score, len(x))


def _bound(problem: Any, root: SeedSequence, t: int, start: int) -> Problem:
    """A noisy problem with the numbers of its address; any other is the same everywhere."""
    bound_at = getattr(problem, "bound_at", None)
    return problem if bound_at is None else bound_at(root, t, start)


def _first_failure(problem: Problem, x: Batch, error: Exception) -> tuple[int, Exception]:
    """The sample that makes a batch fail; the batch's own error if no single one does."""
    for i in range(len(x)):
        try:
            problem(copy(x[i : i + 1]))
        except Exception as culprit:  # noqa: BLE001 - any error of the user's is what is looked for
            return i, culprit
    return 0, error


@dataclass(frozen=True)
class Each:
    """A problem made of a function of one point; see `each`."""

    function: Any
    chunk_size: int = 8

    def __call__(self, x: Batch) -> Vector:
        """One call of the function per sample, in order."""
        score = np.array([self.function(copy(point)) for point in x])
        return score.reshape(len(x)) if score.size == len(x) else score  # from [[1.0], [2.0]] too


def each(function: Any) -> Each:
    """A problem from a function of one point: ``x`` of shape ``(d,)`` in, one number out.

    It is scored in small chunks, so that ``workers=`` shares out even a small batch.

    >>> each(sum)(np.array([[1.0, 2.0], [3.0, 4.0]]))
    array([3., 7.])
    """
    return Each(function)


@contextmanager
def mapping(
    workers: Any, problem: Problem, evaluation_timeout: float | None = None
) -> Iterator[Map]:
    """A map for ``workers``: 1 is here, ``n`` is that many processes, else an executor or a map.

    An executor, a client of Dask, a `multiprocessing.Pool`, or a map-like function is used as it is
    and left open.
    With a timeout in seconds, a chunk that takes longer is ended, so even one worker is a process.
    """
    limited = evaluation_timeout is not None
    if limited and not real_number("evaluation_timeout", evaluation_timeout) > 0:
        raise ValueError(f"evaluation_timeout must be above 0 seconds; got {evaluation_timeout}")
    if isinstance(workers, bool) or not (
        isinstance(workers, int | np.integer) or hasattr(workers, "map") or callable(workers)
    ):
        raise TypeError(
            "workers must be an int, or have a method .map (an executor, a multiprocessing.Pool); "
            f"got {workers!r} of type {type(workers).__name__}"
        )
    if not isinstance(workers, int | np.integer):
        if limited:
            raise TypeError(
                "evaluation_timeout needs processes of our own, which can be ended: expected "
                f"workers to be a number; got {workers!r}"
            )
        if hasattr(workers, "submit"):
            from cem.clusters import executor_of

            yield partial(_gathered, executor_of(workers))
        else:
            yield getattr(workers, "map", workers)
    elif workers == 1 and not limited:
        yield map
    elif workers == -1 or workers >= 1:
        from cem.processes import Processes

        _check_sent(problem)
        with Processes(int(workers), timeout=evaluation_timeout) as pool:
            yield partial(_gathered, pool)
    else:
        raise ValueError(f"workers must be -1 (all cores) or at least 1; got {workers}")


def _check_sent(problem: Problem) -> None:
    from multiprocessing.reduction import ForkingPickler

    try:
        ForkingPickler.dumps(problem)
    except Exception as error:
        raise TypeError(
            f"the problem cannot be sent to another process ({error}): define it at the top of a "
            "module, or pass a ThreadPoolExecutor as workers="
        ) from error


def _gathered(executor: Any, function: Any, chunks: Iterable[Any]) -> list[Any]:
    """The chunks done by an executor, in their order; an error names the chunk."""
    chunks = [*chunks]
    futures = [executor.submit(function, chunk) for chunk in chunks]
    done: list[Any] = []
    try:
        done.extend(future.result() for future in futures)  # as far as it goes
    except (ValueError, TypeError):  # the problem's own
        raise
    except Exception as error:
        raise _lost(error, chunks, len(done)) from error
    finally:
        for future in futures:
            future.cancel()
    return done


def _lost(error: Exception, chunks: list[Any], i: int) -> Exception:
    """What to say of a chunk that was never scored, though the problem raised nothing."""
    from concurrent.futures import CancelledError

    (root, t, start), x = chunks[i]
    which = (
        f"chunk {i + 1} of {len(chunks)} was not scored (samples {start} to {start + len(x) - 1} "
        f"of iteration {t + 1}, rng={name_of(root)})"
    )
    if isinstance(error, TimeoutError):
        return TimeoutError(f"{which}: {error}")
    likely = (
        "its process could not load the problem: define it in a module that can be imported there"
        if isinstance(error, AttributeError | ImportError)
        else "the cluster has gone, or its client was closed"
        if isinstance(error, CancelledError)
        else "the problem crashes its process or needs too much memory; or the script that started "
        'it lacks the line if __name__ == "__main__":'
    )
    said = " ".join(str(error).split()).rstrip(".")
    return RuntimeError(f"{which}: {type(error).__name__}: {said}. Likely {likely}")

"""Where samples are drawn: here, or by whoever scores them, so that none of them travels."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.random import SeedSequence

from cem.families.totals import Totals
from cem.parallel import CHUNK_SIZE
from cem.randomness import Purpose, stream
from cem.sizes import size_of
from cem.state import State
from cem.typing import Array, Batch, Family, Map, Problem, Vector
from cem.wrapping import AroundMethod, Wrapper

PLACES = ("here", "workers")


class Here:
    """Batches are drawn in this process. `OnWorkers` has the same methods."""

    preset: str | None = None
    chunk_size = CHUNK_SIZE  # unless another is asked for, or brought by the problem
    settings: dict[str, str] = {}  # noqa: RUF012 - never changed

    def check(self, **others: bool) -> None:
        """It goes with everything."""

    def scored(self, problem: Problem) -> Problem:
        """The problem as it is."""
        return problem

    def around(self, method: Any, evaluate: Any) -> Any:  # noqa: ARG002
        """The method as it is."""
        return method


class OnWorkers(Here):
    """Every chunk is drawn where it is scored, from a stream of its own.

    Parameters go out, and scores come back. Then the chunks that hold elite samples are drawn again
    where the workers are, for what the fit takes: sums over the elite where the family has such
    `statistics <cem.families.totals.Summable>`, else the elite samples themselves.
    """

    preset: str | None = "textbook"  # one whose parts ask for no more than that
    chunk_size = 2048  # a chunk takes a density there, and one fit's worth of sums back
    settings: dict[str, str] = {"sampling": "workers"}  # noqa: RUF012 - never changed

    def check(self, **others: bool) -> None:
        """Refuse what looks at the whole batch: the names of what there is of it."""
        if present := [name for name, there in others.items() if there]:
            raise TypeError(
                f'sampling="workers" does not go with {", ".join(present)}, which needs the whole '
                'batch in this process: leave that out, or choose sampling="here"'
            )

    def scored(self, problem: Problem) -> Problem:
        """The problem, for chunks that are still to be drawn."""
        return Drawing(problem)

    def around(self, method: Any, evaluate: Any) -> Any:
        """The method, whose batches are drawn chunk by chunk by the workers of ``evaluate``."""
        return Elsewhere(method, size=evaluate.chunk_size, map=evaluate.map)


def sampling_of(name: str) -> Here:
    """What the argument ``sampling=`` means, or ValueError."""
    if name not in PLACES:
        raise ValueError(f'sampling must be "here" or "workers"; got {name!r}')
    return Here() if name == "here" else OnWorkers()


@dataclass(frozen=True, eq=False)
class Elsewhere(AroundMethod):
    """A method whose batches are no more than where to find them."""

    size: int = field(kw_only=True)  # of a chunk
    map: Map = field(kw_only=True)

    def ask(self, state: State) -> Batch:
        """What is to be drawn; asking twice gives it twice."""
        n = size_of(self.method.n_samples, state.age)
        return Undrawn(state.v, self.root, state.t, n, self.size, self.map)


@dataclass(frozen=True)
class Drawing(Wrapper):
    """A problem whose samples are drawn where, and when, they are scored."""

    problem: Problem

    def __call__(self, x: Batch) -> Vector:
        """The scores of a chunk."""
        return self.problem(x.drawn() if isinstance(x, Chunk) else x)


@dataclass(frozen=True, eq=False)
class Chunk:
    """Samples ``start, ..., start + n - 1`` of an iteration: their density and their stream.

    >>> from cem.families import Normal
    >>> chunk = Chunk(Normal([0.0], [1.0]), SeedSequence(1), 0, 512, 2)
    >>> len(chunk), (chunk.drawn() == chunk.drawn()).all().item()
    (2, True)
    """

    family: Family
    root: SeedSequence
    t: int
    start: int
    n: int

    def __len__(self) -> int:
        return self.n

    def __getitem__(self, which: Any) -> Batch:
        return self.drawn()[which]

    def drawn(self) -> Batch:
        """The samples: of this chunk, whoever draws it, and however often."""
        rng = stream(self.root, Purpose.SAMPLE, self.t, self.start)
        return self.family.sample(rng, self.n)


@dataclass(frozen=True, eq=False, repr=False)
class Undrawn:
    """The samples of an iteration as a batch that is never drawn as a whole.

    It has a length; a slice of one chunk is a `Chunk`, one sample is drawn when it is asked for,
    and a selection of samples is `Chosen`. Nothing else can be had of it.
    """

    family: Family
    root: SeedSequence
    t: int
    n: int
    size: int
    map: Map

    def __len__(self) -> int:
        return self.n

    def __getitem__(self, which: Any) -> Any:
        if isinstance(which, slice):
            start, stop, _ = which.indices(self.n)
            return Chunk(self.family, self.root, self.t, start, stop - start)
        if isinstance(which, int | np.integer):
            start = int(which) // self.size * self.size
            return self[start : start + self.size][which - start]
        chosen = Chosen(self, np.arange(self.n)[which])
        return chosen if hasattr(self.family, "from_statistics") else np.asarray(chosen)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Any:
        """Refused."""
        del dtype, copy
        raise TypeError(
            f'sampling="workers" has the {self.n} samples of an iteration in no one place, and '
            "something asks for all of them: likely a selection or smoothing that looks beyond the "
            'elite; use another, or sampling="here"'
        )


@dataclass(frozen=True, eq=False, repr=False)
class Chosen:
    """Some samples of an iteration, in order: sums over them can be had, and they themselves."""

    of: Undrawn
    index: Any  # rising whole numbers

    def __len__(self) -> int:
        return len(self.index)

    def totals(self, family: Any, weights: Vector) -> Totals:  # noqa: ARG002 - that of the chunks
        """The statistics of the density that was sampled, summed in the order of the chunks."""
        total, *others = self._of_chunks(_statistics, weights)
        for part in others:
            total = {name: total[name] + part[name] for name in total}
        return total

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Array:
        """The samples themselves, from wherever they are drawn."""
        del copy
        x = np.concatenate([*self._of_chunks(_samples, np.zeros(len(self)))])
        return x if dtype is None else x.astype(dtype, copy=False)

    def _of_chunks(self, function: Callable[[Any], Any], weights: Vector) -> Iterable[Any]:
        """What a function makes of every chunk that holds some of the samples, in order."""
        of = self.of
        starts, at = np.unique(self.index // of.size * of.size, return_index=True)
        shares = zip(
            starts.tolist(), np.split(self.index, at[1:]), np.split(weights, at[1:]), strict=True
        )
        return of.map(
            function,
            [
                ((of.root, of.t, start), Share(of[start : start + of.size], index - start, w))
                for start, index, w in shares
            ],
        )


@dataclass(frozen=True, eq=False)
class Share:
    """Samples of a chunk, and what they weigh."""

    chunk: Chunk
    which: Any
    w: Vector

    def __len__(self) -> int:
        return len(self.chunk)


def _statistics(addressed: tuple[Any, Share]) -> Totals:
    share = addressed[1]
    family: Any = share.chunk.family
    totals: Totals = family.statistics(share.chunk[share.which], share.w)
    return totals


def _samples(addressed: tuple[Any, Share]) -> Batch:
    share = addressed[1]
    return np.asarray(share.chunk[share.which])

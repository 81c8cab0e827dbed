"""A batch of 0/1 samples, one bit each: 64 samples to a word, a row of words per coordinate."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from cem.typing import Array, Vector

WORD = 64
BLOCK = 4096  # samples unpacked at a time, where they must be
Words = NDArray[np.uint64]


@dataclass(frozen=True, eq=False, repr=False)
class Bits:
    """``n`` samples of ``d`` bits in an eighth of the bytes that they would take as int8.

    ``words`` is uint64 of shape ``(d, ceil(n / 64))``: bit ``i % 64`` of word ``i // 64`` in row
    ``j`` is coordinate ``j`` of sample ``i``; bits beyond the last sample are zero. A sample is an
    int8 array ``x[i]``; slices, masks and indices select samples; ``np.asarray(x)`` unpacks. A
    slice from a multiple of 64 to another, or to the end, shares its words.

    >>> x = Bits.of([[0, 1, 1], [1, 1, 0]])
    >>> len(x), x[1], np.asarray(x[:1]), x.mean()
    (2, array([1, 1, 0], dtype=int8), array([[0, 1, 1]], dtype=int8), array([0.5, 1. , 0.5]))
    """

    words: Words
    n: int

    def __post_init__(self) -> None:
        expected = (len(self.words), -(-self.n // WORD))
        if self.words.dtype != np.uint64 or self.words.shape != expected:
            raise ValueError(
                f"{self.n} packed samples take uint64 words of shape (d, {expected[1]}); got "
                f"{self.words.dtype} of shape {self.words.shape}"
            )

    @classmethod
    def of(cls, x: Any) -> Self:
        """Pack an array of shape ``(n, d)``; ValueError if it holds anything but 0 and 1."""
        x = np.asarray(x)
        if x.ndim != 2:
            raise ValueError(f"expected samples of shape (n, d), a row each; got shape {x.shape}")
        n, d = x.shape
        words = np.zeros((d, -(-n // WORD)), dtype=np.uint64)
        for begin in range(0, n, BLOCK):
            ones = x[begin : begin + BLOCK] == 1
            good = ones | (x[begin : begin + BLOCK] == 0)
            if not good.all():
                i, j = np.argwhere(~good)[0]
                raise ValueError(
                    f"must be whole numbers from 0 to 1; got {x[begin + i, j]} at index "
                    f"({begin + i}, {j})"
                )
            full = np.zeros((-(-len(ones) // WORD) * WORD, d), dtype=bool)
            full[: len(ones)] = ones
            eight = np.packbits(full, axis=0, bitorder="little").reshape(-1, 8, d)
            part = np.ascontiguousarray(eight.transpose(2, 0, 1)).view("<u8")[:, :, 0]
            words[:, begin // WORD : begin // WORD + part.shape[1]] = part
        return cls(words, n)

    @property
    def shape(self) -> tuple[int, int]:
        """``(n, d)``."""
        return self.n, len(self.words)

    def __len__(self) -> int:
        return self.n

    def __getitem__(self, which: Any) -> Any:
        """One sample as an array for a whole number, else the samples chosen, packed."""
        if isinstance(which, int | np.integer):
            if not -self.n <= which < self.n:
                raise IndexError(f"sample {which} of {self.n}")
            word, bit = divmod(int(which) % self.n, WORD)
            return ((self.words[:, word] >> np.uint64(bit)) & np.uint64(1)).astype(np.int8)
        if isinstance(which, slice):
            start, stop, step = which.indices(self.n)
            stop = max(start, stop) if step > 0 else stop
            if step == 1 and start % WORD == 0 and (stop % WORD == 0 or stop == self.n):
                return type(self)(self.words[:, start // WORD : -(-stop // WORD)], stop - start)
            return self._picked(np.arange(start, stop, step))
        return self._picked(np.arange(self.n)[which])

    def _picked(self, index: Any) -> Self:
        from cem.families.packed_kernels import pick

        out = np.zeros((len(self.words), -(-len(index) // WORD)), dtype=np.uint64)
        pick(np.ascontiguousarray(self.words), np.ascontiguousarray(index, dtype=np.int64), out)
        return type(self)(out, len(index))

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Any:
        """The samples unpacked: int8, shape ``(n, d)``."""
        if copy is False:
            raise ValueError("packed samples cannot be an array without a copy")
        out = np.empty(self.shape, dtype=np.int8)
        for begin in range(0, self.n, BLOCK):
            words = self.words[:, begin // WORD : (begin + BLOCK) // WORD]
            eight = np.ascontiguousarray(words).astype("<u8", copy=False).view(np.uint8)
            part = out[begin : begin + BLOCK]
            part[...] = np.unpackbits(eight, axis=1, count=len(part), bitorder="little").T
        return out if dtype is None else out.astype(dtype, copy=False)

    def mean(self, weights: Vector | None = None, turned: Any = None) -> Vector:
        """The share of ones in every coordinate, shape ``(d,)``, weighted where asked for.

        Samples that are ``turned``, a mask of shape ``(n,)``, count with 0 and 1 exchanged. Equal
        weights are counted, not added, so that only the last division rounds. The weights must be
        positive.
        """
        from cem.families.packed_kernels import add_over_samples, count_ones

        flip = self._flip(turned)
        ones = np.empty(len(self.words), dtype=np.int64)
        words = np.ascontiguousarray(self.words)
        count_ones(words, flip, ones)
        if weights is None or (weights == weights[0]).all():
            return ones / self.n
        padded = np.zeros(WORD * self.words.shape[1])
        padded[: self.n] = weights / weights.sum()
        share = np.empty(len(self.words))
        add_over_samples(words, flip, padded, share)
        share[ones == self.n] = 1.0  # which rounds
        return share

    def _flip(self, turned: Any) -> Words:
        if turned is None:
            return np.zeros(self.words.shape[1], dtype=np.uint64)
        flip: Words = Bits.of(np.asarray(turned)[:, None]).words[0]
        return flip

    def dot(self, values: Array) -> Vector:
        """``sum_j values_j x_ij`` for every sample, shape ``(n,)``."""
        from cem.families.packed_kernels import add_over_rows

        sums = np.zeros(WORD * self.words.shape[1])
        add_over_rows(np.ascontiguousarray(self.words), np.asarray(values, dtype=float), sums)
        return sums[: self.n]

    def __eq__(self, other: object) -> Any:
        """Which bits are equal, shape ``(n, d)``, as of arrays."""
        return np.asarray(self) == np.asarray(other)

    __hash__ = None  # type: ignore[assignment] # as of arrays

    def __repr__(self) -> str:
        return f"Bits({self.n} samples of {len(self.words)} bits)"

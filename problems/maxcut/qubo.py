"""QUBO and Ising models as max-cut, and max-cut as either: exact, with solutions read back."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from cem.typing import Batch, Vector
from problems.maxcut.problem import MaxCut

Quadratic = dict[tuple[Hashable, Hashable], float]


class Reference:
    """The label of the node that stands for a spin which is always up."""

    def __repr__(self) -> str:
        return "the reference"


REFERENCE = Reference()


@dataclass(frozen=True, eq=False)
class CutModel:
    """A quadratic model as a cut: ``energy = constant - per_cut * score``, to be minimised.

    The nodes of ``cut`` are the ``variables`` in order and, last, one more that stands for a spin
    which is always up: it carries the fields, and a variable is up where it is on its side.

    >>> model = from_qubo({("a", "a"): -1, ("b", "b"): -1, ("a", "b"): 2})
    >>> x = np.array([[0, 1, 1], [1, 1, 1]])
    >>> model.energy(x), model.bits(x[0]), model.spins(x[0])
    (array([-1.,  0.]), {'a': 0, 'b': 1}, {'a': -1, 'b': 1})
    """

    cut: MaxCut
    constant: float
    per_cut: float

    @property
    def variables(self) -> tuple[Hashable, ...]:
        """The labels of the model."""
        return self.cut.labels[:-1]

    def energy(self, x: Batch) -> Vector:
        """The energies of a batch of cuts, shape ``(n,)``."""
        return self.constant - self.per_cut * self.cut(x)

    def bits(self, x: Any) -> dict[Hashable, int]:
        """The variables of a QUBO, 0 or 1, for one cut of shape ``(d,)``."""
        x = np.asarray(x)
        return dict(zip(self.variables, (x[:-1] == x[-1]).astype(int).tolist(), strict=True))

    def spins(self, x: Any) -> dict[Hashable, int]:
        """The spins of an Ising model, -1 or 1, for one cut of shape ``(d,)``."""
        return {name: 2 * bit - 1 for name, bit in self.bits(x).items()}


def from_ising(h: Any, J: Any, offset: float = 0.0) -> CutModel:  # noqa: N803 - its only name
    """The model ``sum_i h_i s_i + sum_ij J_ij s_i s_j + offset`` with spins -1 and 1.

    ``h`` is a mapping or a vector, ``J`` a mapping of pairs or a square matrix, dense or sparse.
    ``(i, j)`` and ``(j, i)`` add up. Raises ValueError for a spin coupled with itself.

    >>> model = from_ising({"a": 1.0}, {("a", "b"): -2.0})
    >>> model.energy(np.array([[0, 0, 1], [1, 1, 1]]))
    array([-3., -1.])
    """
    fields, (names, couplings) = _linear(h), _quadratic(J)
    for i, j in couplings:
        if i == j:
            raise ValueError(
                f"a spin is coupled with another, not with itself: J has ({i!r}, {j!r})"
            )
    names = list(dict.fromkeys([*fields, *names]))
    return _model(names, fields, couplings, offset, per_cut=2.0)


def from_qubo(Q: Any, offset: float = 0.0) -> CutModel:  # noqa: N803 - its only name
    """The model ``sum_ij Q_ij x_i x_j + offset`` with bits 0 and 1; ``x_i x_i`` is ``x_i``.

    ``Q`` is a mapping of pairs or a square matrix, dense or sparse; ``(i, j)`` and ``(j, i)`` add
    up. Whole numbers stay whole, so that they are counted.

    >>> from_qubo(np.array([[-1.0, 2.0], [0.0, -1.0]])).cut.weight
    array([2., 0., 0.])
    """
    names, entries = _quadratic(Q)
    fields: dict[Hashable, float] = dict.fromkeys(names, 0.0)
    couplings: Quadratic = {}
    for (i, j), q in entries.items():  # x = (1 + s) / 2, and all four times as large
        if i == j:
            fields[i] += 2 * q
        else:
            couplings[i, j] = q
            fields[i] += q
            fields[j] += q
    diagonal = sum(q for (i, j), q in entries.items() if i == j)
    rest = diagonal / 2 + sum(couplings.values()) / 4
    return _model(list(fields), fields, couplings, offset + rest, per_cut=0.5)


def to_ising(cut: MaxCut) -> tuple[dict[Hashable, float], Quadratic, float]:
    """``h``, ``J`` and the offset of the Ising model whose energy is minus the weight cut.

    >>> to_ising(MaxCut([[0, 1]], [3.0], 2))
    ({0: 0.0, 1: 0.0}, {(0, 1): 1.5}, -1.5)
    """
    couplings = {ends: weight / 2 for ends, weight in _edges(cut).items()}
    return dict.fromkeys(cut.labels, 0.0), couplings, -float(cut.weight.sum()) / 2


def to_qubo(cut: MaxCut) -> Quadratic:
    """The QUBO whose energy is minus the weight cut.

    >>> to_qubo(MaxCut([[0, 1]], [3.0], 2))
    {(0, 0): -3.0, (1, 1): -3.0, (0, 1): 6.0}
    """
    entries: Quadratic = {(label, label): 0.0 for label in cut.labels}
    for (i, j), weight in _edges(cut).items():
        entries[i, i] -= weight
        entries[j, j] -= weight
        entries[i, j] = 2 * weight
    return entries


def _model(
    names: list[Hashable],
    fields: Mapping[Hashable, float],
    couplings: Quadratic,
    offset: float,
    *,
    per_cut: float,
) -> CutModel:
    """Each coupling ``J`` an edge: ``J s_i s_j = J - 2 J [i and j on different sides]``."""
    place = {name: k for k, name in enumerate(names)}
    ends = [(place[i], place[j]) for i, j in couplings]
    ends += [(place[i], len(names)) for i in fields]
    weight = np.array([*couplings.values(), *fields.values()], dtype=float)
    cut = MaxCut(ends, weight, len(names) + 1, (*names, REFERENCE))
    return CutModel(cut, offset + weight.sum() * per_cut / 2, per_cut)


def _edges(cut: MaxCut) -> Quadratic:
    """The weights by their ends' labels, those of parallel edges added up."""
    ends = [(cut.labels[i], cut.labels[j]) for i, j in cut.ends.tolist()]
    return _added(zip(ends, cut.weight.tolist(), strict=True))


def _linear(h: Any) -> dict[Hashable, float]:
    """The fields of a mapping or of a vector."""
    if isinstance(h, Mapping):
        return {name: float(value) for name, value in h.items()}
    a = np.asarray(h, dtype=float)
    if a.ndim != 1:
        raise ValueError(f"the fields must be a mapping or a vector; got shape {a.shape}")
    return dict(enumerate(a.tolist()))


def _quadratic(given: Any) -> tuple[list[Hashable], Quadratic]:
    """The variables and the entries of a mapping of pairs or of a matrix."""
    if isinstance(given, Mapping):
        return [name for pair in given for name in pair], _added(given.items())
    a = np.asarray(given.toarray() if hasattr(given, "toarray") else given, dtype=float)
    if a.ndim != 2 or a.shape[0] != a.shape[1]:
        raise ValueError(f"expected a mapping of pairs or a square matrix; got shape {a.shape}")
    filled = np.argwhere(a != 0).tolist()  # NaN too, which MaxCut refuses
    return list(range(len(a))), _added(((i, j), a[i, j]) for i, j in filled)


def _added(entries: Iterable[tuple[Any, float]]) -> Quadratic:
    """The entries by pair, ``(i, j)`` and ``(j, i)`` added up."""
    found: Quadratic = {}
    for (i, j), value in entries:
        pair = (j, i) if (j, i) in found else (i, j)
        found[pair] = found.get(pair, 0.0) + float(value)
    return found

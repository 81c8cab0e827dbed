"""Rows and their classes: what is checked before anything is learnt from them, and CSV files."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from os import PathLike
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from cem.typing import Array, Batch
from problems import nearest
from problems.classification.iris import FEATURES, iris


class Table(NamedTuple):
    """Rows ``X``, shape ``(n, d)``, their classes ``y``, shape ``(n,)``, and the columns' names."""

    X: Array
    y: Batch
    features: tuple[str, ...]

    def columns(self, names: Sequence[str]) -> Table:
        """These columns, in this order.

        >>> table_of_iris().columns(["petal width", "sepal width"]).X[0].tolist()
        [0.2, 3.5]
        """
        at = [_place(name, self.features, "feature") for name in names]
        return Table(self.X[:, at], self.y, tuple(self.features[j] for j in at))

    def rows_of(self, names: Sequence[str]) -> Table:
        """The rows of these classes.

        >>> len(table_of_iris().rows_of(["versicolor", "virginica"]).X)
        100
        """
        known = sorted({str(name) for name in self.y})
        kept = [known[_place(name, known, "class")] for name in names]
        rows = np.isin(self.y.astype(str), kept)
        return Table(self.X[rows], self.y[rows], self.features)


def table_of_iris() -> Table:
    """Fisher's Iris.

    >>> table_of_iris().features
    ('sepal length', 'sepal width', 'petal length', 'petal width')
    """
    return Table(*iris(), FEATURES)


def read_csv(path: str | PathLike[str]) -> Table:
    """Read a CSV file: one row per line, its class in the last column, numbers in the others.

    A first line without any number names the columns; else they are called ``1``, ``2``, ... Empty
    lines are ignored. Raises ValueError, naming the line, for anything else.
    """
    path = Path(path)
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(file, skipinitialspace=True)
            lines = [(reader.line_num, words) for words in reader if any(words)]
    except (UnicodeDecodeError, csv.Error) as error:
        raise ValueError(f"{path} is not a CSV file: {error}") from error
    if not lines:
        raise ValueError(f"{path}: expected a row per line; got an empty file")
    width = len(lines[0][1])
    if width < 2:
        raise ValueError(
            f"{path}: expected numbers and a class, separated by commas; got "
            f"{lines[0][1][0][:60]!r}"
        )
    names = tuple(str(j) for j in range(1, width))
    if not any(map(_is_number, lines[0][1][:-1])):
        names = tuple(word.strip() for word in lines.pop(0)[1][:-1])
    rows = [_row(f"{path}, line {number}", words, width) for number, words in lines]
    x = np.array([numbers for numbers, _ in rows]).reshape(len(rows), width - 1)
    return Table(x, np.array([label for _, label in rows], dtype=str), names)


def checked_rows(x: Any) -> Array:
    """Finite numbers of shape ``(n, d)``, an array of their own."""
    try:
        a = np.array(x, dtype=float)
    except (TypeError, ValueError) as error:
        raise TypeError(
            f"X must be an array of numbers, one row per sample; got {type(x).__name__}: {error}"
        ) from error
    if a.ndim != 2 or a.size == 0:
        raise ValueError(f"X must have shape (n, d), one row per sample; got shape {a.shape}")
    if (bad := ~np.isfinite(a)).any():
        i, j = np.argwhere(bad)[0].tolist()
        raise ValueError(
            f"X must be finite; got {a[i, j]} in row {i}, column {j}: remove the row or fill it in"
        )
    return a


def checked_labels(y: Any, n: int) -> tuple[Batch, Array]:
    """The classes, sorted, and the number of the class of every row."""
    a = np.asarray(y)
    if a.dtype == object and all(isinstance(label, str) for label in a.flat):
        a = a.astype(str)
    if a.shape != (n,):
        raise ValueError(f"y must have one class per row of X, shape ({n},); got shape {a.shape}")
    if a.dtype.kind not in "biuU":
        raise TypeError(f"y must hold whole numbers or words; got dtype {a.dtype}")
    classes, labels = np.unique(a, return_inverse=True)
    if len(classes) < 2:
        raise ValueError(f"y must have two classes or more; got only {classes[0].item()!r}")
    return classes, labels


def _place(name: str, known: Sequence[str], kind: str) -> int:
    if name not in known:
        raise ValueError(f"there is no {kind} {name!r}" + nearest(name, list(known)))
    return known.index(name)


def _row(where: str, words: list[str], width: int) -> tuple[list[float], str]:
    if len(words) != width:
        raise ValueError(
            f"{where}: expected {width} columns as in the first line; got {len(words)}"
        )
    for word in words[:-1]:
        if not _is_number(word):
            raise ValueError(
                f"{where}: expected a number in every column but the last; got {word[:60]!r}"
            )
    return [float(word) for word in words[:-1]], words[-1].strip()


def _is_number(word: str) -> bool:
    try:
        float(word)
    except ValueError:
        return False
    return True

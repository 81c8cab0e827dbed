"""Logistic regression: logits that are linear in the row, for two classes or more."""

from __future__ import annotations

from dataclasses import dataclass

from cem.typing import Array
from problems.classification.classifier import Classifier


@dataclass(frozen=True, eq=False)
class LogisticRegression(Classifier):
    """Logits ``x W + b``; a parameter vector is ``W``, row by row, then ``b``.

    ``W`` has one row per column of ``X`` and one column per class, or a single one for two classes.

    >>> odds = LogisticRegression([[0.0], [1.0], [2.0]], ["no", "yes", "yes"], standardise=False)
    >>> odds([[0.0, 0.0]]).round(6), odds.predict([4.0, -2.0]).tolist()
    (array([0.693147]), ['no', 'yes', 'yes'])
    """

    @property
    def shapes(self) -> tuple[tuple[int, ...], ...]:
        """``W`` and ``b``."""
        return (self.X.shape[1], self.n_logits), (self.n_logits,)

    def logits(self, parts: list[Array], x: Array) -> Array:
        """``x W + b``, shape ``(S, n, n_logits)``."""
        w, b = parts
        return x @ w + b[:, None]

    def pull_back(self, parts: list[Array], x: Array, slope: Array) -> list[Array]:  # noqa: ARG002
        """The gradients with respect to ``W`` and ``b``."""
        return [x.T @ slope, slope.sum(axis=-2)]

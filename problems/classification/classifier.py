"""What all classifiers share: data, loss and penalty, scoring a batch, predicting, gradients."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import KW_ONLY, dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from cem.families import MultivariateNormal
from cem.typing import Array, Batch, Vector
from problems.classification.data import checked_labels, checked_rows
from problems.classification.losses import LOSSES, Loss, decisions, probabilities

BLOCK = 2**17  # numbers of one array that are worked on at once: what a cache holds


@dataclass(frozen=True, eq=False)
class Classifier(ABC):
    """Base of the classifiers: ``S(theta) = mean loss + ||W||^2 / (2 C n)``, to be minimised.

    ``X`` has shape ``(n, d)``; ``y``, shape ``(n,)``, holds whole numbers or words, of which
    ``classes`` are the different ones, sorted. ``C`` is the strength of the data against the
    penalty on the weights, as in scikit-learn; intercepts are free, and with ``C = inf`` so is
    everything. ``standardise`` brings every column to mean 0 and (population) standard deviation 1;
    new rows are treated alike. ``std`` is the standard deviation of the nominal density.

    A subclass has the ``shapes`` of its parameter arrays, and two functions of these arrays: the
    ``logits`` and the way back, ``pull_back``.
    """

    X: Array = field(repr=False)
    y: Batch = field(repr=False)
    _: KW_ONLY
    C: float = 1.0
    loss: Loss = LOSSES["cross-entropy"]
    standardise: bool = True
    std: float = 1.0
    classes: Batch = field(init=False, repr=False)
    labels: Array = field(init=False, repr=False)  # (n,), numbers of the classes

    def __post_init__(self) -> None:
        x = checked_rows(self.X)
        classes, labels = checked_labels(self.y, len(x))
        _positive("C, the strength of the data against the penalty,", self.C, finite=False)
        _positive("std, the standard deviation of the start,", self.std)
        if not isinstance(self.loss, Loss):
            raise TypeError(
                f"loss must be a Loss, such as LOSSES['cross-entropy']; got {self.loss!r}"
            )
        own = {"X": x, "y": classes[labels], "classes": classes, "labels": labels}
        for name, array in own.items():
            array.setflags(write=False)
            object.__setattr__(self, name, array)
        _ = self._scale  # a constant column is refused here, not later

    def __call__(self, theta: Batch) -> Vector:
        """The penalised loss of parameter vectors, shape ``(S, n_parameters)`` in, ``(S,)`` out."""
        theta = np.asarray(theta, dtype=float)
        if theta.ndim != 2 or theta.shape[1] != self.n_parameters:
            raise ValueError(
                f"expected parameter vectors of shape (S, {self.n_parameters}); got {theta.shape}"
            )
        widest = max(shape[-1] for shape in self.shapes)
        size = max(1, BLOCK // (widest * len(self.X)))
        blocks = (theta[start : start + size] for start in range(0, len(theta), size))
        losses = [self.loss.value(self.labels, self._logits(block, self._rows)) for block in blocks]
        return np.concatenate(losses) + self._penalty(theta)

    def nominal(self) -> MultivariateNormal:
        """Every parameter normal with mean 0 and standard deviation ``std``.

        With ``std**2 = C`` this is, for the weights, the prior that the penalty stands for: the
        penalised cross-entropy is ``-1/n`` times the logarithm of likelihood times prior.
        """
        return MultivariateNormal(
            np.zeros(self.n_parameters), self.std**2 * np.eye(self.n_parameters)
        )

    def predict(self, theta: Vector, x: Array | None = None) -> Batch:
        """The likeliest class of every row of ``x``, by default of ``X``; of several, the first."""
        return self.classes[decisions(self._logits(self._one(theta), self._prepared(x))[0])]

    def predict_proba(self, theta: Vector, x: Array | None = None) -> Array:
        """The probability of every class, in the order of ``classes``, shape ``(n, n_classes)``."""
        return probabilities(self._logits(self._one(theta), self._prepared(x))[0])

    def accuracy(self, theta: Vector) -> float:
        """The share of the rows whose class is predicted."""
        return float((self.predict(theta) == self.y).mean())

    def gradient(self, theta: Vector) -> Vector:
        """The gradient of the penalised loss at one parameter vector, shape ``(n_parameters,)``."""
        if self.loss.gradient is None:
            raise TypeError(
                f"the {self.loss.name} loss has no gradient to follow; use cem.minimize instead"
            )
        parts = self._split(self._one(theta))
        z = self.logits(parts, self._rows)[0]
        back = self.pull_back(parts, self._rows, self.loss.gradient(self.labels, z[None]))
        slope = np.concatenate([part.ravel() for part in back])
        return slope + self._penalised * theta / (self.C * len(self.X))

    def solve(self) -> Any:
        """Minimise with gradients from zero, for comparison: see `descend`."""
        return self.descend(np.zeros(self.n_parameters))

    def descend(self, start: Vector) -> Any:
        """Minimise with gradients from ``start``: SciPy's L-BFGS.

        The result is SciPy's, with ``x``, ``fun`` and ``nfev``, the number of evaluations of the
        loss together with its gradient. Raises TypeError for a loss without a gradient.
        """
        from scipy.optimize import minimize

        return minimize(
            lambda theta: self(theta[None])[0],
            self._one(start)[0],
            jac=self.gradient,
            method="L-BFGS-B",
            options={"ftol": 1e-15, "gtol": 1e-10, "maxcor": 30, "maxiter": 10**5, "maxfun": 10**5},
        )

    def report(self, found: Any) -> dict[str, str]:
        """How many rows the found parameters get wrong, and what gradients reach, where there are.

        ``found`` has the parameters as ``x``, as the result of `cem.minimize` does.
        """
        wrong = int((self.predict(found.x) != self.y).sum())
        rows = {"accuracy": f"{self.accuracy(found.x):.2%} ({wrong} of {len(self.y)} wrong)"}
        if self.loss.gradient is not None:
            best = self.solve()
            rows["by gradients"] = f"{best.fun:.10g} in {best.nfev:,} evaluations (L-BFGS)"
        return rows

    @cached_property
    def n_parameters(self) -> int:
        """The length of a parameter vector."""
        return sum(map(math.prod, self.shapes))

    @property
    @abstractmethod
    def shapes(self) -> tuple[tuple[int, ...], ...]:
        """The shapes of the parameter arrays: weights have two axes, intercepts one."""

    @abstractmethod
    def logits(self, parts: list[Array], x: Array) -> Array:
        """Logits of rows ``(n, d)`` for parameter arrays ``(S, *shape)``: ``(S, n, n_logits)``."""

    @abstractmethod
    def pull_back(self, parts: list[Array], x: Array, slope: Array) -> list[Array]:
        """The gradients with respect to the parameter arrays from the one for the logits."""

    @property
    def n_logits(self) -> int:
        """One per class; for two classes one, the log-odds of the second."""
        return len(self.classes) if len(self.classes) > 2 else 1

    def _logits(self, theta: Batch, x: Array) -> Array:
        return self.logits(self._split(theta), x)

    def _split(self, theta: Batch) -> list[Array]:
        ends = np.cumsum([math.prod(shape) for shape in self.shapes])[:-1]
        parts = np.split(theta, ends, axis=1)
        return [p.reshape(len(p), *s) for p, s in zip(parts, self.shapes, strict=True)]

    def _one(self, theta: Vector) -> Batch:
        theta = np.asarray(theta, dtype=float)
        if theta.shape != (self.n_parameters,):
            raise ValueError(
                f"expected one parameter vector of shape ({self.n_parameters},); got {theta.shape}"
            )
        return theta[None]

    def _penalty(self, theta: Batch) -> Vector:
        return np.square(theta) @ self._penalised / (2 * self.C * len(self.X))

    @cached_property
    def _penalised(self) -> Vector:
        """1 for a weight, 0 for an intercept."""
        return np.concatenate([np.full(math.prod(s), len(s) - 1.0) for s in self.shapes])

    @cached_property
    def _scale(self) -> tuple[Array, Array]:
        """What is taken from every column, and what it is then divided by."""
        if not self.standardise:
            return np.zeros(self.X.shape[1]), np.ones(self.X.shape[1])
        constant = np.ptp(self.X, axis=0) == 0
        if constant.any():
            raise ValueError(
                f"column {int(constant.argmax())} of X is constant and cannot be brought to "
                "standard deviation 1: leave it out, or do not standardise"
            )
        return self.X.mean(axis=0), self.X.std(axis=0)

    @cached_property
    def _rows(self) -> Array:
        return self._standard(self.X)

    def _prepared(self, x: Array | None) -> Array:
        if x is None:
            return self._rows
        x = checked_rows(x)
        if x.shape[1] != self.X.shape[1]:
            raise ValueError(
                f"expected rows with the {self.X.shape[1]} columns of X; got shape {x.shape}"
            )
        return self._standard(x)

    def _standard(self, x: Array) -> Array:
        mean, std = self._scale
        return (x - mean) / std


def _positive(name: str, value: Any, *, finite: bool = True) -> None:
    if isinstance(value, bool) or not isinstance(value, int | float | np.number):
        raise TypeError(f"{name} must be a number; got {value!r} of type {type(value).__name__}")
    if not value > 0 or (finite and value == math.inf):
        raise ValueError(f"{name} must be positive{' and finite' * finite}; got {value!r}")

"""The policies: an affine function of what is observed, or a network with one hidden layer."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from cem.typing import Array


@dataclass(frozen=True)
class Network:
    """Outputs for many pairs of a parameter vector and an observation at once.

    Without hidden units the outputs are affine in the inputs; with some, affine in the hyperbolic
    tangents of affine functions of the inputs. A parameter vector holds, for every hidden unit and
    then for every output, its weights and its intercept. Every pair has the same bits whoever its
    neighbours are: an episode may be unstable, and a last digit then decides what becomes of it.

    >>> affine = Network(n_inputs=2, n_outputs=1)
    >>> affine.n_parameters, affine(np.array([[1.0], [2.0], [3.0]]), np.array([[1.0], [10.0]]))
    (3, array([[24.]]))
    """

    n_inputs: int
    n_outputs: int
    hidden: int = 0

    @property
    def n_parameters(self) -> int:
        """The length of a parameter vector."""
        return sum(outputs * (inputs + 1) for outputs, inputs in self._layers)

    def __call__(self, theta: Array, x: Array) -> Array:
        """Parameters ``(n_parameters, n)`` and inputs ``(n_inputs, n)`` in, ``(n_outputs, n)`` out.

        The last axis counts the pairs.
        """
        at = 0
        for outputs, inputs in self._layers:
            if at > 0:
                x = np.tanh(x)
            size = outputs * (inputs + 1)
            x = _affine(theta[at : at + size].reshape(outputs, inputs + 1, -1), x)
            at += size
        return x

    @property
    def _layers(self) -> list[tuple[int, int]]:
        """Outputs and inputs of every layer."""
        if self.hidden == 0:
            return [(self.n_outputs, self.n_inputs)]
        return [(self.hidden, self.n_inputs), (self.n_outputs, self.hidden)]


def _affine(w: Array, x: Array) -> Array:
    """``sum_i w_oi x_i + w_o`` in this order: that of a library's sum depends on the shapes."""
    total = w[:, -1]
    for i, value in enumerate(x):
        total = total + w[:, i] * value
    return total

"""The shares of given densities in the mixture nearest to a sample."""

from __future__ import annotations

import numpy as np

from cem.typing import Array, Vector

GAP = 1e-10  # of the loss, from the least there is
ROUNDS = 40


def best_shares(ratio: Array, w: Vector, least: Vector) -> Vector:
    """The shares ``p >= least`` that minimise ``-sum_i w_i ln sum_c p_c ratio_ic``.

    ``ratio``, of shape ``(n, k)``, holds the densities of the components at the samples, each
    sample's in any unit; ``w`` sums to one. The loss is convex. EM multiplies the free part of
    every share by ``g_c``, the mean of ``ratio_ic / sum_c p_c ratio_ic`` over that of all free
    parts; two of its steps and the change between them give a longer one: the squared
    extrapolation of Varadhan and Roland (2008). It ends when the loss is at most 1e-10 above the
    least, for by convexity it is no more than ``(1 - sum(least)) (max_c g_c - sum_c u_c g_c)``,
    where ``u`` are the free parts; or after forty rounds.

    >>> ratio = np.array([[1.0, 0.0], [1.0, 0.0], [1.0, 0.0], [0.0, 1.0]])
    >>> best_shares(ratio, np.full(4, 0.25), np.array([0.0, 0.4])).round(12)
    array([0.6, 0.4])
    """
    free = 1 - least.sum()
    base, ratio = ratio @ least, free * ratio

    def step(u: Vector) -> tuple[Vector, float, float]:
        f = base + ratio @ u
        g = (w / f) @ ratio
        mean = g @ u
        return u * g / mean, -float(w @ np.log(f)), float(g.max() - mean)

    u = np.full(ratio.shape[1], 1 / ratio.shape[1])
    for _ in range(ROUNDS):
        one, loss, gap = step(u)
        if gap <= GAP:
            break
        two = step(one)[0]
        change, bend = one - u, two - 2 * one + u
        stretch = max(1.0, np.sqrt((change @ change) / max(bend @ bend, np.finfo(float).tiny)))
        far = np.maximum(u + 2 * stretch * change + stretch**2 * bend, two * 1e-3)
        far, far_loss, _ = step(far / far.sum())
        u = far if far_loss <= loss else two
    return least + free * u

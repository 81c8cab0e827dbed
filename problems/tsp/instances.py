"""Three small instances of TSPLIB 95, typed in, with the lengths of their shortest tours.

Source: Reinelt, TSPLIB - a traveling salesman problem library, ORSA J. Computing 3 (1991), and the
list of optimal lengths that comes with the library.
"""

from __future__ import annotations

import numpy as np

from problems.tsp.problem import TSP

BURMA14 = """
16.47 96.10  16.47 94.44  20.09 92.54  22.39 93.37  25.23 97.24  22.00 96.05  20.47 97.02
17.20 96.29  16.30 97.38  14.05 98.12  16.53 97.38  21.52 95.59  19.41 97.13  20.09 94.55
"""
GR17 = """
0
633 0
257 390 0
91 661 228 0
412 227 169 383 0
150 488 112 120 267 0
80 572 196 77 351 63 0
134 530 154 105 309 34 29 0
259 555 372 175 338 264 232 249 0
505 289 262 476 196 360 444 402 495 0
353 282 110 324 61 208 292 250 352 154 0
324 638 437 240 421 329 297 314 95 578 435 0
70 567 191 27 346 83 47 68 189 439 287 254 0
211 466 74 182 243 105 150 108 326 336 184 391 145 0
268 420 53 239 199 123 207 165 383 240 140 448 202 57 0
246 745 472 237 528 364 332 349 202 685 542 157 289 426 483 0
121 518 142 84 297 35 29 36 236 390 238 301 55 96 153 336 0
"""
BR17 = """
0 3 5 48 48 8 8 5 5 3 3 0 3 5 8 8 5
3 0 3 48 48 8 8 5 5 0 0 3 0 3 8 8 5
5 3 0 72 72 48 48 24 24 3 3 5 3 0 48 48 24
48 48 74 0 0 6 6 12 12 48 48 48 48 74 6 6 12
48 48 74 0 0 6 6 12 12 48 48 48 48 74 6 6 12
8 8 50 6 6 0 0 8 8 8 8 8 8 50 0 0 8
8 8 50 6 6 0 0 8 8 8 8 8 8 50 0 0 8
5 5 26 12 12 8 8 0 0 5 5 5 5 26 8 8 0
5 5 26 12 12 8 8 0 0 5 5 5 5 26 8 8 0
3 0 3 48 48 8 8 5 5 0 0 3 0 3 8 8 5
3 0 3 48 48 8 8 5 5 0 0 3 0 3 8 8 5
0 3 5 48 48 8 8 5 5 3 3 0 3 5 8 8 5
3 0 3 48 48 8 8 5 5 0 0 3 0 3 8 8 5
5 3 0 72 72 48 48 24 24 3 3 5 3 0 48 48 24
8 8 50 6 6 0 0 8 8 8 8 8 8 50 0 0 8
8 8 50 6 6 0 0 8 8 8 8 8 8 50 0 0 8
5 5 26 12 12 8 8 0 0 5 5 5 5 26 8 8 0
"""


def burma14() -> TSP:
    """14 towns in Burma, distances on the globe in km; the shortest tour is 3323 km long.

    >>> burma14()
    TSP(14 nodes, optimum 3323)
    """
    points = np.array(BURMA14.split(), dtype=float).reshape(14, 2)
    return TSP.of_points(points, "GEO", labels=_from_one(14), optimum=3323)


def gr17() -> TSP:
    """17 cities (Groetschel), distances between them; the shortest tour is 2085 long.

    >>> gr17()
    TSP(17 nodes, optimum 2085)
    """
    distance = np.zeros((17, 17), dtype=np.int64)
    distance[np.tril_indices(17)] = np.array(GR17.split(), dtype=np.int64)
    return TSP(distance + distance.T, _from_one(17), optimum=2085)


def br17() -> TSP:
    """17 cities (Repetto), not as far there as back; the shortest tour is 39 long.

    >>> br17()
    TSP(17 nodes, asymmetric, optimum 39)
    """
    distance = np.array(BR17.split(), dtype=np.int64).reshape(17, 17)
    return TSP(distance, _from_one(17), optimum=39)


def _from_one(n: int) -> tuple[int, ...]:
    return tuple(range(1, n + 1))


INSTANCES = {"br17": br17, "burma14": burma14, "gr17": gr17}

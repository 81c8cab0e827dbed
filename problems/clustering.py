"""Clustering: parts of a set of points, so that every point is near the centre of its own."""

from __future__ import annotations

from dataclasses import dataclass
from os import PathLike

import numpy as np
from numpy.random import Generator

from cem.families import Categorical
from cem.typing import Array, Batch, Refine, Vector
from problems import check_every, check_whole, file_of
from problems.classification.iris import iris
from problems.parts import any_partition, by_first, checked_parts
from problems.tables import Numbers

# O. du Merle, P. Hansen, B. Jaumard, N. Mladenovic, An interior point algorithm for minimum
# sum-of-squares clustering, SIAM Journal on Scientific Computing 21 (2000): proven for iris.
LEAST_FOR_IRIS = {2: 152.347951760358, 3: 78.851441426146}  # by the number of clusters
MOST = 10_000_000  # points, or coordinates; a header beyond it is a mistake


@dataclass(frozen=True, eq=False)
class Clustering:
    """Score: the sum of the squared distances of the points from the means of their clusters.

    To be minimised. ``points`` has shape ``(n, d)``; ``x[i]``, from 0 to ``k - 1``, is the cluster
    of point ``i``. The numbers of the clusters mean nothing, and a cluster may be empty.

    >>> line = Clustering([[0.0], [1.0], [5.0]], k=2)
    >>> line(np.array([[0, 0, 1], [0, 1, 1], [1, 1, 0]]))
    array([0.5, 8. , 0.5])
    """

    points: Array
    k: int = 3
    optimum: float | None = None  # where it is known

    def __post_init__(self) -> None:
        points = np.array(self.points, dtype=float)
        if points.ndim != 2 or points.size == 0:
            raise ValueError(f"points must have shape (n, d), at least (1, 1); got {points.shape}")
        finite = np.isfinite(points).all(axis=1)
        check_every("coordinate", points.min(axis=1), finite, "finite", "point")
        check_whole("k, the number of clusters,", self.k, 1)
        if self.k > len(points):
            raise ValueError(f"k must be at most the {len(points)} points; got {self.k}")
        points.setflags(write=False)
        object.__setattr__(self, "points", points)

    def __call__(self, x: Batch) -> Vector:
        """The scores of clusterings ``x`` of shape ``(n_samples, n)``."""
        x = self.checked(x)
        own = np.take_along_axis(self.centres(x), x[:, :, None], axis=1)
        return np.square(self.points - own).sum(axis=(1, 2))

    def centres(self, x: Batch) -> Array:
        """The means of the clusters, shape ``(n_samples, k, d)``; infinity for an empty one."""
        member = x[:, None] == np.arange(self.k)[:, None]  # (n_samples, k, n)
        size = member.sum(axis=2)[:, :, None]
        total = member.astype(float) @ self.points
        return np.divide(total, size, out=np.full(total.shape, np.inf), where=size > 0)

    def nominal(self) -> Categorical:
        """Every cluster as likely as any other, but for their numbers: see `any_partition`."""
        return any_partition(len(self.points), self.k)

    def refines(self) -> dict[str, Refine]:
        """The local searches by name, the default one first."""
        return {"lloyd": Lloyd(self)}

    def checked(self, x: Batch) -> Batch:
        """The batch as a new int64 array; ValueError if it holds no numbers of clusters."""
        return checked_parts(x, len(self.points), self.k, "cluster", "points")


@dataclass(frozen=True)
class Lloyd:
    """Every point to the nearest centre, every centre to the mean of its points, until none moves.

    The clusters that are returned are numbered by their first points. Lloyd, Least squares
    quantization in PCM, IEEE Transactions on Information Theory 28 (1982).

    >>> line = Clustering([[0.0], [1.0], [5.0]], k=2)
    >>> Lloyd(line)(np.array([[0, 1, 1]]), np.random.default_rng(1))
    array([[0, 0, 1]])
    """

    clustering: Clustering

    def __call__(self, x: Batch, rng: Generator) -> Batch:
        """A local optimum for each of ``x``, shape ``(n_samples, n)``; never a worse one."""
        del rng  # there is nothing to choose
        label = self.clustering.checked(x)
        score, moving = self.clustering(label), np.arange(len(label))
        while len(moving):
            new = self._nearest(label[moving])
            value = self.clustering(new)
            better = value < score[moving]
            moving = moving[better]
            label[moving], score[moving] = new[better], value[better]
        return by_first(label).astype(np.asarray(x).dtype)

    def _nearest(self, label: Batch) -> Batch:
        """The cluster with the nearest centre, for every point."""
        points, centre = self.clustering.points, self.clustering.centres(label)
        squared = np.stack(
            [np.square(points - c[:, None]).sum(axis=2) for c in centre.swapaxes(0, 1)]
        )
        return squared.argmin(axis=0)


def problem(data: str | PathLike[str] = "iris", *, k: int = 3) -> Clustering:
    """``k`` clusters of Fisher's iris, 150 flowers, or of the points of a file.

    A file holds ``n d``, then a row of ``d`` coordinates for every point.

    >>> problem(k=2).points.shape
    (150, 4)
    """
    if data == "iris":
        return Clustering(iris()[0], k, LEAST_FOR_IRIS.get(k))
    numbers = Numbers.of_file(file_of(data, ["iris"]))
    n, d = (numbers.size(f"the number of {of}", 1, MOST) for of in ("points", "coordinates"))
    points = numbers.table(n, d)
    numbers.end()
    return Clustering(points, k)

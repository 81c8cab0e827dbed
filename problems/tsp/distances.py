"""Distances between points: the usual metrics, and those of TSPLIB 95, rounded as it says."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from cem.typing import Array
from problems import nearest

FAR = 2.0**50  # coordinates beyond it have no exact distances
PI, EARTH = 3.141592, 6378.388  # of TSPLIB 95, radius in km
EARTH_MEAN = 6371.0088  # km, the mean radius of the ellipsoid of WGS 84
ON_EARTH = ("longitude [degrees]", "latitude [degrees]")


def between(points: Any, metric: str | Callable[[Array], Array] = "euclidean") -> Array:
    """The distances between points of shape ``(n, 2)`` or ``(n, 3)``, a matrix ``(n, n)``.

    ``metric`` is a name of `METRICS` or a function of the points. The names of TSPLIB give whole
    numbers, int64. Source: Reinelt, TSPLIB 95 (1995), section 2.

    >>> between([[0.0, 0.0], [3.0, 4.0], [1.0, 1.0]], "EUC_2D")
    array([[0, 5, 1],
           [5, 0, 4],
           [1, 4, 0]])
    """
    points = np.asarray(points, dtype=float)
    if points.ndim != 2 or len(points) < 2 or points.shape[1] not in {2, 3}:
        raise ValueError(
            f"expected at least two points, shape (n, 2) or (n, 3); got shape {points.shape}"
        )
    if not (abs(points) <= FAR).all():
        raise ValueError("coordinates must be finite and at most 2**50 in size")
    if callable(metric):
        return metric(points)
    if metric not in METRICS:
        raise ValueError(f"there is no metric {metric!r}" + nearest(metric, list(METRICS)))
    wanted = DIMENSIONS.get(metric, points.shape[1])
    if points.shape[1] != wanted:
        raise ValueError(
            f"{metric} needs points of {wanted} coordinates; got {points.shape[1]} of each"
        )
    return METRICS[metric](points)


def _gaps(points: Array) -> list[Array]:
    """How far apart along every coordinate, a matrix each."""
    return [abs(c[:, None] - c) for c in points.T]


def _squares(points: Array) -> Array:
    return sum((gap * gap for gap in _gaps(points)), start=np.zeros(()))


def euclidean(points: Array) -> Array:
    """``sqrt(sum_k (a_k - b_k)^2)``."""
    return np.sqrt(_squares(points))


def manhattan(points: Array) -> Array:
    """``sum_k |a_k - b_k|``."""
    return sum(_gaps(points), start=np.zeros(()))


def maximum(points: Array) -> Array:
    """``max_k |a_k - b_k|``."""
    return np.maximum.reduce(_gaps(points))


def great_circle(points: Array) -> Array:
    """Kilometres on a sphere between points of latitude and longitude in degrees: haversines."""
    latitude, longitude = np.radians(_on_earth(points)).T
    half = _haversine(latitude)
    half += np.cos(latitude[:, None]) * np.cos(latitude) * _haversine(longitude)
    return 2 * EARTH_MEAN * np.arcsin(np.sqrt(np.minimum(half, 1)))  # 1 but for rounding


def _haversine(angle: Array) -> Array:
    return np.sin((angle[:, None] - angle) / 2) ** 2


def geo(points: Array) -> Array:
    """The GEO of TSPLIB: latitude and longitude as ``DDD.MM``, degrees and minutes; km."""
    latitude, longitude = (PI * degrees(_on_earth(points)) / 180).T
    q1 = np.cos(longitude[:, None] - longitude)
    q2 = np.cos(latitude[:, None] - latitude)
    q3 = np.cos(latitude[:, None] + latitude)
    cosine = 0.5 * ((1 + q1) * q2 - (1 - q1) * q3)
    return _whole(EARTH * np.arccos(np.clip(cosine, -1, 1)) + 1)  # +-1 is exceeded by rounding


def degrees(points: Array) -> Array:
    """Degrees of ``DDD.MM``: the digits after the point are minutes.

    >>> degrees(np.array([16.30, -20.15]))
    array([ 16.5 , -20.25])
    """
    whole = np.trunc(points)  # not rounded: so are the known optima computed
    return whole + (points - whole) * 5 / 3


def as_map(points: Any, metric: Any) -> tuple[Array, tuple[str, str]]:
    """The coordinates that a map shows, east to the right, and the names of its axes.

    >>> as_map([[16.30, 96.30]], "GEO")
    (array([[96.5, 16.5]]), ('longitude [degrees]', 'latitude [degrees]'))
    """
    points = np.asarray(points, dtype=float)
    if metric == "GEO":
        points = degrees(points)
    return (
        (points[:, ::-1], ON_EARTH) if metric in {"GEO", "great-circle"} else (points, ("x", "y"))
    )


def _on_earth(points: Array) -> Array:
    if (abs(points) > (90, 180)).any():
        i = int((abs(points) > (90, 180)).any(axis=1).argmax())
        raise ValueError(
            "expected latitude (-90 to 90) and longitude (-180 to 180), in this order; got "
            f"{points[i]} for point {i}"
        )
    return points


def att(points: Array) -> Array:
    """The pseudo-Euclidean distance of att48 and att532: a tenth of the square, rounded up."""
    return _whole(np.ceil(np.sqrt(_squares(points) / 10)))


def _whole(numbers: Array) -> Array:
    """Truncated, int64, with zeros on the diagonal."""
    whole = numbers.astype(np.int64)
    np.fill_diagonal(whole, 0)
    return whole


def _nearest_whole(numbers: Array) -> Array:
    return _whole(numbers + 0.5)


METRICS: dict[str, Callable[[Array], Array]] = {
    "euclidean": euclidean,
    "manhattan": manhattan,
    "maximum": maximum,
    "great-circle": great_circle,
    "EUC_2D": lambda points: _nearest_whole(euclidean(points)),
    "EUC_3D": lambda points: _nearest_whole(euclidean(points)),
    "MAX_2D": lambda points: _nearest_whole(maximum(points)),
    "MAX_3D": lambda points: _nearest_whole(maximum(points)),
    "MAN_2D": lambda points: _nearest_whole(manhattan(points)),
    "MAN_3D": lambda points: _nearest_whole(manhattan(points)),
    "CEIL_2D": lambda points: _whole(np.ceil(euclidean(points))),
    "GEO": geo,
    "ATT": att,
}
DIMENSIONS = {  # how many coordinates a metric is of, where not any
    name: 3 if name.endswith("_3D") else 2
    for name in METRICS
    if name.isupper() or name == "great-circle"
}

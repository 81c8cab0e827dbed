"""A small plot as inline SVG: lines, a band, dashed rules and round ticks, coloured by the page.

Everything is text and paths with classes; the page's style sheet says how they look, so that one
drawing serves light, dark and print.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from markupsafe import Markup, escape

WIDTH, HEIGHT = 360, 190
LEFT, RIGHT, TOP, BOTTOM = 62, 20, 8, 34  # margins
MOST_POINTS = 120  # of a line
LARGEST = 1e300  # number that is drawn, so that differences are finite
Points = Sequence[tuple[float, float]]


@dataclass(frozen=True)
class Line:
    """Points to be joined; where there is no finite number the line is broken."""

    name: str
    look: str  # the class of its path
    points: Points


@dataclass(frozen=True)
class Rule:
    """A dashed level across the plot."""

    name: str
    at: float


@dataclass(frozen=True)
class Sketch:
    """What to draw; ``band`` holds the lower and the upper edge of an area."""

    x: str
    y: str
    lines: tuple[Line, ...]
    rules: tuple[Rule, ...] = ()
    band: tuple[Points, Points] = ((), ())

    def svg(self) -> Markup:
        """The drawing, scaled to what is in it; text only, if nothing is finite.

        >>> drawn = Sketch("x", "y", (Line("a", "level", [(0, 0), (10, 6)]),)).svg()
        >>> 'class="level" d="M62 156L340 8"' in drawn
        True
        """
        shown = [p for line in self.lines for p in thinned(line.points) if _finite(p)]
        if not shown:
            return Markup('<p class="quiet">Nothing to draw yet.</p>')
        levels = [rule.at for rule in self.rules if abs(rule.at) <= LARGEST]
        heights = [p[1] for p in (*shown, *self._edges())] + levels
        across, up = _ticks([p[0] for p in shown], 4), _ticks(heights, 4)
        frame = _Frame((across[0], across[-1]), (up[0], up[-1]))
        parts = [*frame.axes(across, up, self.x, self.y), *self._area(frame)]
        parts += [f'<path class="rule" d="{frame.level(level)}"/>' for level in levels]
        parts += [
            f'<path class="{line.look}" d="{frame.path(thinned(line.points))}"/>'
            for line in reversed(self.lines)  # the first one on top
        ]
        label = escape(f"{self.y} against {self.x}")
        view = f'viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{label}"'
        return Markup(f'<svg class="sketch" {view}>{"".join(parts)}</svg>')  # noqa: S704 - escaped

    def _edges(self) -> list[tuple[float, float]]:
        return [p for edge in self.band for p in thinned(edge) if _finite(p)]

    def _area(self, frame: _Frame) -> list[str]:
        low, high = (thinned([p for p in edge if _finite(p)]) for edge in self.band)
        if not low:
            return []
        return [f'<path class="band" d="{frame.path([*low, *reversed(high)])}Z"/>']


@dataclass(frozen=True)
class _Frame:
    """From numbers to places on the paper."""

    across: tuple[float, float]
    up: tuple[float, float]

    def x(self, number: float) -> str:
        return _place(LEFT, WIDTH - RIGHT, number, self.across)

    def y(self, number: float) -> str:
        return _place(HEIGHT - BOTTOM, TOP, number, self.up)

    def path(self, points: Points) -> str:
        words, pen = [], "M"
        for point in points:
            if _finite(point):
                words.append(f"{pen}{self.x(point[0])} {self.y(point[1])}")
                pen = "L"
            else:
                pen = "M"
        return "".join(words)

    def level(self, number: float) -> str:
        return f"M{LEFT} {self.y(number)}H{WIDTH - RIGHT}"

    def axes(self, across: list[float], up: list[float], x: str, y: str) -> list[str]:
        foot = HEIGHT - BOTTOM
        grid = "".join(self.level(number) for number in up)
        below = [f'<text x="{self.x(n)}" y="{foot + 14}">{_tick(n)}</text>' for n in across]
        beside = [f'<text x="{LEFT - 6}" y="{self.y(n)}">{_tick(n)}</text>' for n in up]
        middle, turned = (
            (LEFT + WIDTH - RIGHT) / 2,
            f"translate(9 {(foot + TOP) / 2:g}) rotate(-90)",
        )
        return [
            f'<path class="grid" d="{grid}"/>',
            f'<g class="across">{"".join(below)}</g>',
            f'<g class="up">{"".join(beside)}</g>',
            f'<text class="name across" x="{middle:g}" y="{HEIGHT - 5}">{escape(x)}</text>',
            f'<text class="name turned" transform="{turned}">{escape(y)}</text>',
        ]


def thinned(points: Points) -> Points:
    """At most `MOST_POINTS` of them, evenly, with the first and the last.

    >>> [x for x, _ in thinned([(i, 0) for i in range(239)])][-3:]
    [234, 236, 238]
    """
    if len(points) <= MOST_POINTS:
        return points
    last = len(points) - 1
    return [points[i * last // (MOST_POINTS - 1)] for i in range(MOST_POINTS)]


def _ticks(numbers: Iterable[float], about: int) -> list[float]:
    """Round numbers, evenly spaced, that enclose all of these.

    >>> _ticks([0.3, 9.7], 4)
    [0.0, 5.0, 10.0]
    """
    numbers = list(numbers)
    low, high = min(numbers), max(numbers)
    size = max(abs(low), abs(high))
    if high - low <= max(1e-12 * size, 1 / LARGEST):
        room = size / 10 if size > 1 / LARGEST else 1.0
        low, high = low - room, high + room
    rough = (high - low) / about
    unit = 10.0 ** math.floor(math.log10(rough))
    step = next(unit * m for m in (1, 2, 5, 10) if unit * m >= rough * (1 - 1e-9))
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return [i * step for i in range(first, last + 1)]


def _tick(number: float) -> str:
    return f"{number:,.6g}".replace("-", "\N{MINUS SIGN}")


def _place(start: int, end: int, number: float, within: tuple[float, float]) -> str:
    low, high = within
    return f"{start + (end - start) * (number - low) / (high - low):.1f}".removesuffix(".0")


def _finite(point: tuple[float, float]) -> bool:
    return all(abs(number) <= LARGEST for number in point)  # not so of nan

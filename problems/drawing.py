"""What the pictures of problems are drawn with: figures that pyplot does not know, and colours."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.axes import Axes

BLUE, ORANGE, GREY = "#0072B2", "#D55E00", "#999999"  # safe for most eyes


def panels(n: int = 1, *, size: tuple[float, float] = (5.0, 4.6)) -> list[Axes]:
    """Axes side by side on a new figure, each of this size in inches."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(n * size[0], size[1]), dpi=120, layout="constrained")
    FigureCanvasAgg(figure)
    return list(figure.subplots(1, n, squeeze=False)[0])

"""A figure as SVG inside a page: small, and in the page's own ink, on light and on dark."""

from __future__ import annotations

import io
import re
import warnings
from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SERIES = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#888888")  # Okabe, Ito
INK = "#333333"
LINES = "stroke-linejoin: round; stroke-linecap: butt"  # matplotlib's own style is of the page


def svg(figure: Figure, name: str, title: str = "") -> str:
    """The figure as one ``<svg>`` element without a header; its ids begin with ``name``.

    What is drawn in `INK` has the colour of the text around it, and series ``k`` that of the
    variable ``--series-k`` if the page sets it. Text stays text, in the page's font. The same
    figure gives the same text.

    >>> from matplotlib.figure import Figure
    >>> text = svg(Figure(figsize=(2, 1)), "empty", "an empty figure")
    >>> text[:4], "<title>an empty figure</title>" in text, "<?xml" in text
    ('<svg', True, False)
    """
    import matplotlib as mpl

    out = io.StringIO()
    none = dict.fromkeys(("Date", "Creator", "Format", "Type"))
    with mpl.rc_context(
        {"svg.fonttype": "none", "svg.hashsalt": f"cem-{name}", "path.simplify": True}
    ):
        warnings.filterwarnings("ignore", "Glyph .* missing")  # the page has its own font
        figure.savefig(out, format="svg", transparent=True, metadata=none)
    text = out.getvalue()
    text = text[text.index("<svg") :]
    text = re.sub(r"<metadata>.*?</metadata>", "", text, flags=re.DOTALL)
    text = re.sub(r"<style.*?</style>|<!--.*?-->", "", text, flags=re.DOTALL)
    text = re.sub(r'(\bid="|href="#|url\(#)', rf"\g<1>{name}-", text)
    text = re.sub(r' (?:d|x|y|transform)="[^"]*"', _rounded, text)
    text = re.sub(r"font: ([\d.]+px) [^;\"]*", r"font-size: \1; font-family: inherit", text)
    text = text.replace(INK, "currentColor")
    for k, colour in enumerate(SERIES, 1):
        text = text.replace(colour, f"var(--series-{k}, {colour})")
    text = re.sub(r"\s*\n\s*", "\n", text)
    label = escape(title or name.replace("-", " "))
    width, height = (72 * inches for inches in figure.get_size_inches())
    head = (
        f'<svg viewBox="0 0 {width:.1f} {height:.1f}" width="100%" role="img" '
        f'aria-label="{label}" style="{_sizes(width)}; {LINES}" '
        'xmlns:xlink="http://www.w3.org/1999/xlink" xmlns="http://www.w3.org/2000/svg">'
    )
    return f"{head}<title>{label}</title>{text[text.index('>') + 1 :].strip()}\n"


def _sizes(width: float) -> str:
    """From where its letters can just be read, so that a phone scrolls, to as large as meant."""
    return f"min-width: {0.9 * width:.0f}px; max-width: {width * 4 / 3:.0f}px"


def _rounded(attribute: re.Match[str]) -> str:
    """Coordinates to a tenth of a point."""
    return re.sub(r"-?\d+\.\d{2,}", lambda number: f"{float(number[0]):.1f}", attribute[0])

"""The templates of the pages, every text escaped; style and scripts are put into the page."""

from __future__ import annotations

import base64
from hashlib import sha256
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

import cem
from experiments.report import words
from experiments.report.rows import STATES

FOLDER = Path(__file__).parent / "templates"


def page(template: str, *scripts: str, **values: Any) -> str:
    """A whole page, with these scripts of ours; the browser is told to run no other.

    >>> "<title>&lt;b&gt;</title>" in page("live.html", "table.js", title="<b>", columns={})
    True
    """
    first, last = asset("theme.js"), Markup().join(map(asset, scripts))
    allowed = " ".join(f"'sha256-{_digest(script)}'" for script in (first, last))
    policy = (
        f"default-src 'none'; script-src {allowed}; style-src 'unsafe-inline'; img-src data:; "
        "connect-src 'self'; base-uri 'none'; form-action 'none'"
    )
    common = {"first": first, "last": last, "policy": policy, "style": asset("style.css")}
    return PAGES.get_template(template).render(**common, **values)


def part(name: str, *arguments: Any) -> str:
    """One part of ``parts.html``, filled in."""
    return str(getattr(PAGES.get_template("parts.html").module, name)(*arguments))


def asset(name: str) -> Markup:
    """A file of ours as it is: nothing of a user is in it."""
    return Markup((FOLDER / name).read_text(encoding="utf-8"))  # noqa: S704


def _digest(script: str) -> str:
    return base64.b64encode(sha256(script.encode()).digest()).decode()


def _environment() -> Environment:
    made = Environment(
        loader=FileSystemLoader(FOLDER),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.globals |= {
        "count": words.count,
        "percent": lambda share: "" if share is None else f"{share:.2%}",
        "settings_title": "Settings",
        "states": STATES,
        "version": cem.__version__,
    }
    return made


PAGES = _environment()

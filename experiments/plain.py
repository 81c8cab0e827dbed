"""Strict JSON that keeps every float: one that is not finite is ``{"$float": "inf"}``.

Python's own ``Infinity`` is no JSON; PostgreSQL refuses it, and so do most readers of a file.
"""

from __future__ import annotations

import json
import math
from typing import Any

KEY = "$float"


def dumps(value: Any) -> str:
    """The value as JSON on one line.

    >>> dumps({"rho": 0.1, "gamma": math.inf})
    '{"rho": 0.1, "gamma": {"$float": "inf"}}'
    """
    return json.dumps(_said(value), allow_nan=False)


def loads(text: str | bytes) -> Any:
    """The value again, bit for bit; ValueError if the text is no JSON, or too deep.

    >>> loads('{"$float": "-inf"}'), loads("-0.0")
    (-inf, -0.0)
    """
    try:
        return json.loads(text, object_hook=_heard)
    except RecursionError:
        raise ValueError("the JSON is nested too deeply") from None
    except TypeError as error:
        raise ValueError(f"{KEY} is followed by no number: {error}") from None


def _said(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _said(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_said(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return {KEY: repr(float(value))}
    return value


def _heard(found: dict[str, Any]) -> Any:
    return float(found[KEY]) if set(found) == {KEY} else found

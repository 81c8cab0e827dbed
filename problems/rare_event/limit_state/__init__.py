"""Limit states: a function fails where it is negative; one's own, and those of the literature."""

from __future__ import annotations

from problems.rare_event.limit_state.limit_state import LimitState
from problems.rare_event.limit_state.named import NamedLimitState, problem
from problems.rare_event.limit_state.nataf import nataf_correlation

__all__ = ["LimitState", "NamedLimitState", "nataf_correlation", "problem"]

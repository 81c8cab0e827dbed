"""Rare events: problems whose probability is known, and the means to bring one's own."""

from problems.rare_event.bridge import Bridge

__all__ = ["Bridge"]

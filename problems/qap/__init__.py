"""Quadratic assignment: the problem, QAPLIB files and local searches."""

from __future__ import annotations

from os import PathLike

from problems import file_of
from problems.qap.problem import QAP
from problems.qap.qaplib import nug12, read_qaplib

__all__ = ["QAP", "nug12", "problem", "read_qaplib"]


def problem(instance: str | PathLike[str] = "nug12") -> QAP:
    """The quadratic assignment problem ``nug12``, or that of a QAPLIB file.

    >>> problem().optimum
    578.0
    """
    return nug12() if instance == "nug12" else read_qaplib(file_of(instance, ["nug12"]))

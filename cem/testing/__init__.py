"""Contracts as inheritable test classes (pytest): subclass, name one instance, and be tested."""

from cem.testing.families import FamilyContract
from cem.testing.problems import ProblemContract

__all__ = ["FamilyContract", "ProblemContract"]

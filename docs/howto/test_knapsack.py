from knapsack import Knapsack

from cem.testing import ProblemContract


class TestKnapsack(ProblemContract):
    problem = Knapsack()


# ruff: noqa: D100, D101, INP001 - as it would be written under tests/

from rayleigh import Rayleigh

from cem.testing import FamilyContract


class TestRayleigh(FamilyContract):
    family = Rayleigh([0.5, 2.0])
    outside = [[-1.0, 1.0], [1.0, 0.0]]


# ruff: noqa: D100, D101, INP001, RUF012 - as it would be written under tests/

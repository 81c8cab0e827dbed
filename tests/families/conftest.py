"""What the tests of the families share."""

import mpmath as mp
import pytest

from cem.testing import FamilyContract


@pytest.fixture(autouse=True)
def sixty_digits():
    """Whatever a test asks of mpmath, and whoever ran before."""
    with mp.workdps(60):
        yield


@pytest.fixture
def failures(failures_of):
    """The contract's tests that a family fails."""
    return lambda family, **settings: failures_of(FamilyContract, family=family, **settings)

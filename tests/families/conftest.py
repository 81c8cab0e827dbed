"""What the tests of the family contract share: running it on one family, and counting failures."""

import mpmath as mp
import pytest

from cem.testing import FamilyContract


@pytest.fixture(autouse=True)
def sixty_digits():
    """Whatever a test asks of mpmath, and whoever ran before."""
    with mp.workdps(60):
        yield


@pytest.fixture
def failures():
    """The contract's tests that a family fails, found by calling them one by one."""

    def of(family, **settings):
        contract = type("Contract", (FamilyContract,), {"family": family, **settings})()
        failed = set()
        for name in dir(contract):
            if name.startswith("test_"):
                try:
                    getattr(contract, name)()
                except pytest.skip.Exception:
                    pass
                except (Exception, pytest.fail.Exception):  # noqa: BLE001 - it may fail in any way
                    failed.add(name.removeprefix("test_"))
        return failed

    return of

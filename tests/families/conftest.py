"""What the tests of the families share."""

import mpmath as mp
import numpy as np
import pytest
from scipy.stats import chisquare

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


@pytest.fixture(scope="session")
def draws_as_it_says():
    """Whether a family draws every sample, of all there are, as often as its density has it."""

    def check(f, every):
        code = every.shape[1] ** np.arange(every.shape[1])
        seen = f.sample(np.random.default_rng(1), 50_000) @ code
        expected = 50_000 * np.exp(f.log_density(every))
        counts = np.array([(seen == x @ code).sum() for x in every])
        assert counts.sum() == 50_000
        possible = expected > 0
        assert not counts[~possible].any()
        assert chisquare(counts[possible], expected[possible]).pvalue > 1e-6

    return check

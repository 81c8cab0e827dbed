"""The library's log: silent until somebody listens, and then in the user's own sign."""

import logging
import re

import pytest

import cem


@pytest.fixture
def heard(caplog):
    """What is logged of the iterations, once somebody listens."""
    caplog.set_level(logging.INFO, logger="cem")
    return lambda: [line for line in caplog.messages if line.startswith("iteration")]


def search(**options):
    return cem.minimize(
        lambda x: (x**2).sum(axis=1), rng=1, n_samples=50, max_iterations=3, **options
    )


@pytest.mark.parametrize(
    "options", [{"family": cem.Normal([5.0], [1.0])}, {"bounds": [(1.0, 9.0)]}], ids=["free", "box"]
)
def test_an_iteration_is_a_line_in_the_user_s_own_sign(heard, options):
    found = search(**options)
    lines = heard()
    assert [line.split(":")[0] for line in lines] == [f"iteration {t}" for t in (1, 2, 3)]
    level, best, spent = re.search(r"level (.*), best (.*), (.*) evaluations", lines[-1]).groups()
    assert float(level) > float(best) == pytest.approx(found.fun, rel=1e-5)
    assert float(best) > 0
    assert int(spent) == found.nfev == 150


def test_a_maximum_and_an_estimate_are_logged_as_they_are(heard):
    found = cem.maximize(
        lambda x: x.sum(axis=1), cem.Bernoulli([0.5] * 8), n_samples=50, rng=1, max_iterations=1
    )
    assert f"best {found.fun:g}," in heard()[0]
    estimate = cem.estimate(
        lambda x: x[:, 0], cem.Exponential([1.0]), gamma=10.0, n_samples=100, n_final=200, rng=1
    )
    assert len(heard()) == 1 + len(estimate.history)
    assert f"{estimate.nfev} evaluations" in heard()[-1]


def test_nothing_is_printed_until_somebody_listens(capfd):
    search(bounds=[(1.0, 9.0)])
    assert capfd.readouterr() == ("", "")
    assert any(isinstance(h, logging.NullHandler) for h in logging.getLogger("cem").handlers)

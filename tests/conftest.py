"""What the tests share."""

import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import settings

from cem import History, Record

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "tests" / "benchmarks"))  # for dask_cluster

BASE = Record(
    t=1, restart=0, nfev=100, n=100, n_bad=0, gamma=1.0, top=2.0, best=2.0, n_elite=10,
    log_mass=-2.3, ess=10.0, max_weight=0.1, loss=1.0, entropy=1.0, kl=0.1, spread=1.0,
)  # fmt: skip

settings.register_profile("cem", derandomize=True, deadline=None)  # the same on any machine
settings.load_profile("cem")


@pytest.fixture(scope="session")
def root():
    """The top of the repository."""
    return ROOT


@pytest.fixture(scope="session")
def shared():
    """The folder of public graph files beside the repository, which a clone need not have."""
    folder = ROOT.parent / "shared" / "data"
    if not folder.is_dir():
        pytest.skip("needs the public graph files in ../shared/data, which are not here")
    return folder


@pytest.fixture(scope="session")
def same_run():
    """Whether two finished runs agree to the last bit: every record, the density, the result."""

    def same(a, b):
        assert type(a) is type(b)
        assert (a.nit, a.nfev, a.success, a.message) == (b.nit, b.nfev, b.success, b.message)
        np.testing.assert_array_equal(np.array(a.history), np.array(b.history))
        np.testing.assert_equal(a.family.parameters(), b.family.parameters())
        assert np.array_equal(a.state.best.x, b.state.best.x)
        assert a.state.best.score == b.state.best.score
        np.testing.assert_equal(dict(a.state.memory), dict(b.state.memory))
        if hasattr(a, "fun"):
            assert np.array_equal(a.x, b.x)
            assert a.fun == b.fun
        else:
            assert (a.probability, a.std_error) == (b.probability, b.std_error)
            assert a.confidence_interval() == b.confidence_interval()
        return True

    return same


@pytest.fixture
def failures_of():
    """The tests of a contract that an instance fails, found by calling them one by one."""

    def of(contract, **settings):
        tests = type("Contract", (contract,), settings)()
        failed = set()
        for name in dir(tests):
            if name.startswith("test_"):
                try:
                    getattr(tests, name)()
                except pytest.skip.Exception:
                    pass
                except (Exception, pytest.fail.Exception):  # noqa: BLE001 - it may fail in any way
                    failed.add(name.removeprefix("test_"))
        return failed

    return of


@pytest.fixture(scope="session")
def history():
    """Makes a history: one record per element of its columns; the rest is as in `BASE`."""

    def of(**columns):
        length = max(len(column) for column in columns.values())
        records = []
        for i in range(length):
            values = {name: column[i] for name, column in columns.items()}
            records.append(BASE._replace(t=i + 1, nfev=100 * (i + 1), **values))
        return History(records)

    return of

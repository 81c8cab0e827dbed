"""Every variation of a study is begun before any runs: what is told, and what it costs."""

import pytest

from experiments import study

LAZY = """
import numpy as np
import cem

LOADED = []

class Lazy:
    def __init__(self, n=4, fault=""):
        LOADED.append(n)
        if fault:
            raise {"memory": MemoryError, "import": ImportError, "runtime": RuntimeError}[fault](
                f"no {fault} for n = {n}"
            )
        self.n = n
    def __call__(self, x):
        raise AssertionError("a score was asked for")
    def nominal(self):
        return Undrawn(np.full(self.n, 0.5))

class Undrawn(cem.Bernoulli):
    def sample(self, rng, n):
        raise AssertionError("a sample was drawn")

problem = Lazy
"""
JOBS = {
    "maximize": "",
    "minimize": "",
    "estimate": "gamma = 3.0\n",
    "expectation": "",
}


@pytest.fixture
def read(tmp_path, add_problem):
    add_problem("lazy", LAZY)

    def read(text, job="maximize"):
        path = tmp_path / "mine.toml"
        path.write_text(f'problem = "lazy"\njob = "{job}"\n{text}', encoding="utf-8")
        return study.read(path)

    return read


@pytest.mark.parametrize(("job", "settings"), JOBS.items())
def test_nothing_is_drawn_nor_scored(read, job, settings):
    found = read(f"[settings]\n{settings}[grid]\nrho = [0.1, 0.2]\n", job)
    assert len(found.variations) == 2


@pytest.mark.parametrize("job", ["maximize", "estimate"])
def test_a_time_limit_does_not_count_for_the_trial(read, job):
    text = f"[settings]\n{JOBS[job]}[budget]\ntime_limit = 1e-9\n"
    assert read(text, job).settings["time_limit"] == 1e-9


def test_a_problem_is_loaded_again_only_where_its_own_settings_change(read):
    read("[grid]\nn = [4, 5]\nrho = [0.1, 0.2, 0.3]\n")
    from problems import lazy

    assert lazy.LOADED == [4, 5]


@pytest.mark.parametrize("fault", ["memory", "import", "runtime"])
def test_whatever_a_problem_complains_of_has_its_line(read, fault):
    with pytest.raises(ValueError, match=rf"^mine\.toml, line 6: no {fault} for n = 4$"):
        read(f'[[variations]]\nrho = 0.2\n[[variations]]\nfault = "{fault}"\n')


def test_name_is_a_setting_in_a_variation_too_where_the_problem_has_one(tmp_path):
    path = tmp_path / "mine.toml"
    states = ("ring", "parallel")
    tables = "".join(f'[[variations]]\nname = "{state}"\nrho = 0.2\n' for state in states)
    path.write_text(f'experiment = "limit-state"\n{tables}')
    found = study.read(path).variations
    assert tuple(v.settings["name"] for v in found) == states
    assert found[0].name == "name=ring, rho=0.2"

"""maximize and minimize under constraints (needs the hook)."""

import numpy as np
import pytest
from scipy.optimize import Bounds, LinearConstraint

import cem
from cem.feasibility import Feasibility
from cem.treatments import Penalise, Rank, Repair, Resample
from problems.constrained import problem

HALF = LinearConstraint(np.ones(2), 2.0, np.inf)
BOX = [(-5, 5)] * 2


def square(x):
    return (x**2).sum(axis=1)


def onto(x):
    return x + np.maximum(2 + 1e-12 - x.sum(axis=1, keepdims=True), 0) / 2


TREATMENTS = [Rank(), Penalise(), Resample(), Repair(onto)]


@pytest.mark.parametrize("preset", ["default", "textbook"])
@pytest.mark.parametrize("treat", TREATMENTS, ids=repr)
def test_the_drivers_take_constraints(treat, preset):
    found = cem.minimize(
        square, bounds=BOX, constraints=HALF, infeasible=treat, preset=preset, rng=1
    )
    assert found.fun == pytest.approx(2, abs=1e-9 if preset == "default" else 0.05)
    assert Feasibility.of(HALF).violation(found.x[None]) == 0
    assert square(found.x[None])[0] == found.fun


@pytest.mark.parametrize("treat", TREATMENTS[:3], ids=repr)
def test_a_killed_run_goes_on_with_the_same_bits_for_any_workers(treat, tmp_path):
    square = problem("halfspace")  # one that workers can import, and brings its constraints
    settings = {"infeasible": treat, "rng": 4, "chunk_size": 2}
    whole = cem.minimize(square, max_iterations=25, **settings)
    path = tmp_path / "run.npz"
    cem.minimize(square, max_iterations=9, checkpoint=path, **settings)
    again = cem.minimize(square, max_iterations=25, checkpoint=path, workers=2, **settings)
    assert again.history == whole.history
    assert again.x.tobytes() == whole.x.tobytes()


def test_a_checkpoint_of_another_treatment_is_refused(tmp_path):
    path = tmp_path / "run.npz"
    cem.minimize(square, bounds=BOX, constraints=HALF, max_iterations=3, rng=1, checkpoint=path)
    with pytest.raises(ValueError, match=r"constraints = 'Rank\(\)', now 'none'"):
        cem.minimize(square, bounds=BOX, max_iterations=3, rng=1, checkpoint=path)


def test_where_nothing_is_feasible_the_run_is_no_success():
    found = cem.minimize(square, bounds=BOX, constraints=Bounds(7, 8), rng=1)
    assert (found.success, found.x, found.fun) == (False, None, np.inf)
    assert found.message.startswith("no feasible sample was found: the least violation was 4")
    assert "no feasible" in repr(found)


def test_a_target_counts_only_if_it_is_feasible():
    found = cem.minimize(square, bounds=BOX, constraints=HALF, target=2.5, rng=1)
    assert found.message == "the target was reached"
    assert 2 <= found.fun <= 2.5


def test_the_answer_to_a_noisy_problem_is_feasible():
    class Noisy:
        def bind(self, rng):
            return lambda x: square(x) + 0.1 * rng.standard_normal(len(x))

    found = cem.minimize(Noisy(), bounds=BOX, constraints=HALF, rng=1)
    assert Feasibility.of(HALF).violation(found.x[None]) == 0
    assert 2 <= square(found.x[None])[0] < 2.3


def test_a_problem_brings_its_constraints():
    found = cem.minimize(problem("g24"), rng=1)
    assert found.fun == pytest.approx(problem("g24").exact(), rel=1e-9)

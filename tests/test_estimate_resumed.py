"""An estimate that is cut anywhere, and goes on, gives the same bits; and so do two processes."""

import numpy as np
import pytest

import cem
from cem import Bernoulli, Exponential, History
from cem.checkpoint import dumps, loads
from cem.measured import CRUDE
from cem.methods import Case, method_of
from cem.stopping import Stop
from problems.rare_event.bridge import Bridge

NEAR = Exponential([1.0])


def total(x):
    return x.sum(axis=1)


class Interrupted(Exception):  # noqa: N818 - no error: somebody pressed a key
    """What ends a run from outside."""


def interrupt_at(t):
    def callback(state, _):
        if state.t == t:
            raise Interrupted

    return callback


def families(problem, nominal=None, gamma=None, method="auto"):
    """What the densities of an estimate may be, for one that is cut and resumed by hand."""
    nominal = problem.nominal() if nominal is None else nominal
    gamma = problem.gamma if gamma is None else gamma
    plan = method_of(method)(Case(problem=problem, nominal=nominal, gamma=gamma, rng=0))
    return plan.steering.init().v, plan.nominal


CUTS = {  # problem, nominal, level, settings
    "a final sample": (Bridge(2.0), None, 2.0, {"method": "multilevel", "n_final": 430}),
    "a relative error": (Bridge(2.0), None, 2.0, {"method": "multilevel", "rtol": 0.2}),
    "a budget": (
        Bridge(2.0),
        None,
        2.0,
        {"method": "multilevel", "rtol": 0.01, "max_evaluations": 2850},
    ),
    "a level not reached": (
        Bridge(50.0),
        None,
        50.0,
        {"method": "multilevel", "n_final": 250, "max_iterations": 4},
    ),
    "by default": (total, NEAR, 9.0, {}),
    "by default, a final sample": (total, NEAR, 9.0, {"n_final": 430}),
    "by default, a budget": (total, NEAR, 9.0, {"rtol": 0.01, "max_evaluations": 2850}),
    "by default, two kinds": (Bridge(1.0), None, 1.0, {"max_iterations": 5, "n_final": 250}),
    "by default, one kind": (total, Exponential([1.0] * 13), 40.0, {"n_final": 250}),
    "by default, a level not reached": (total, NEAR, 99.0, {"max_iterations": 3, "n_final": 250}),
    "by default, an impossible one": (np.tanh, NEAR, 2.0, {"max_iterations": 3, "n_final": 250}),
    "by default, a certain one": (total, NEAR, -1.0, {"n_final": 250}),
    "by default, coins": (total, Bernoulli([0.2] * 6), 6.0, {"n_final": 430}),
}


@pytest.mark.parametrize("case", CUTS)
def test_an_estimate_cut_anywhere_and_resumed_gives_the_same_bits(case, same_run):
    problem, nominal, gamma, settings = CUTS[case]
    saved, history = [], [History()]
    problem = problem if problem is not np.tanh else lambda x: np.tanh(total(x))

    def keep(state, record):
        history[0] = history[0].append(record)
        saved.append(dumps(state, history[0], {}))

    settings = {"n_samples": 100, "rng": 3, **settings}
    whole = cem.estimate(problem, nominal, gamma, callback=keep, **settings)
    assert len(saved) == len(whole.history) > whole.nit + 1
    either = families(problem, nominal, gamma, settings.get("method", "auto"))
    for data in saved:
        resumed = cem.estimate(problem, nominal, gamma, start=loads(data, either)[:2], **settings)
        assert same_run(resumed, whole)
        assert resumed.warnings == whole.warnings


@pytest.mark.parametrize(
    ("problem", "nominal", "gamma", "settings"),
    [
        (Bridge(2.0), None, 2.0, {"method": "multilevel", "n_final": 430}),
        (total, NEAR, 9.0, {"n_final": 430}),
        (total, NEAR, 9.0, {}),
        (total, NEAR, 99.0, {"max_iterations": 3, "n_final": 250}),
        (Bridge(1.0), None, 1.0, {"max_iterations": 4, "n_final": 250}),
        (total, Bernoulli([0.2] * 6), 6.0, {"n_final": 250}),
    ],
    ids=["levels", "default", "default to 5 %", "default, not reached", "default, 5-d", "coins"],
)
def test_an_estimate_interrupted_anywhere_goes_on_from_its_file(
    problem, nominal, gamma, settings, tmp_path, same_run
):
    settings = {"n_samples": 100, "rng": 3, **settings}
    whole = cem.estimate(problem, nominal, gamma, **settings)
    for t in range(1, len(whole.history) + 1):
        path = tmp_path / f"{t}.npz"
        with pytest.raises(Interrupted):
            cem.estimate(
                problem, nominal, gamma, **settings, checkpoint=path, callback=interrupt_at(t)
            )
        assert same_run(cem.estimate(problem, nominal, gamma, **settings, checkpoint=path), whole)


@pytest.mark.parametrize("settings", [{}, {"method": "multilevel"}], ids=["auto", "multilevel"])
def test_two_processes_give_the_bits_of_one(settings, same_run):
    settings = {"n_samples": 400, "n_final": 1000, "rng": 3, **settings}
    alone = cem.estimate(Bridge(1.0), **settings, chunk_size=100)
    both = cem.estimate(Bridge(1.0), **settings, chunk_size=100, workers=2)
    assert same_run(alone, both)


def test_an_estimate_that_was_never_steered_is_resumed_too(tmp_path, same_run):
    settings = {
        "n_samples": 100,
        "n_final": 300,
        "rng": 3,
        "until": [lambda _: Stop("no steering, please", success=False)],
    }
    whole = cem.estimate(Bridge(0.5), **settings)
    assert whole.message.startswith("no steering, please; ")
    assert whole.warnings[0] == CRUDE
    path = tmp_path / "run.npz"
    with pytest.raises(Interrupted):
        cem.estimate(Bridge(0.5), **settings, checkpoint=path, callback=interrupt_at(1))
    assert same_run(cem.estimate(Bridge(0.5), **settings, checkpoint=path), whole)


def test_an_estimate_without_a_seed_goes_on_with_the_seed_in_its_file(tmp_path, same_run):
    path = tmp_path / "run.npz"
    settings = {"n_samples": 100, "n_final": 200}
    with pytest.raises(Interrupted):
        cem.estimate(Bridge(1.0), **settings, checkpoint=path, callback=interrupt_at(3))
    found = cem.estimate(Bridge(1.0), **settings, checkpoint=path)
    assert same_run(found, cem.estimate(Bridge(1.0), **settings, rng=int(found.seed)))

"""maximize and minimize: what they find, how they stop, and that a cut changes nothing."""

from dataclasses import dataclass, field

import numpy as np
import pytest
from scipy.optimize import Bounds

import cem
from cem import Bernoulli, Categorical, History, MultivariateNormal, Normal
from cem.borders import Boxed
from cem.checkpoint import dumps, loads
from cem.presets import PRESETS
from cem.stopping import Stop
from problems.maxcut import two_blocks

COINS = Bernoulli([0.5] * 20)
WIDE = Normal([3.0, -2.0, 1.0], [2.0] * 3)


def ones(x):
    return x.sum(axis=1)


def hill(x):
    return -((x - 1) ** 2).sum(axis=1)


def rosenbrock(x):
    return (100 * (x[:, 1:] - x[:, :-1] ** 2) ** 2 + (1 - x[:, :-1]) ** 2).sum(axis=1)


class Interrupted(Exception):  # noqa: N818 - no error: somebody pressed a key
    """What ends a run from outside."""


def interrupt_at(t):
    def callback(state, _):
        if state.t == t:
            raise Interrupted

    return callback


def snapshots(run, problem, family, **settings):
    """A finished run, and the checkpoint after each of its iterations."""
    saved, history = [], [History()]

    def keep(state, record):
        history[0] = history[0].append(record)
        saved.append(dumps(state, history[0], {}))

    return run(problem, family, callback=keep, **settings), saved


# What it finds


@pytest.mark.parametrize(
    ("problem", "family", "best"),
    [
        (ones, COINS, 20.0),
        (lambda x: -abs(ones(x) - 7), Bernoulli([0.9] * 12), 0.0),
        (lambda x: (x == [2, 0, 1, 3]).sum(axis=1), Categorical(np.full((4, 4), 0.25)), 4.0),
        (two_blocks(20, 10), None, 100.0),
    ],
    ids=["ones", "seven ones", "a code", "a cut"],
)
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_the_best_of_a_finite_set_is_found(problem, family, best, seed):
    found = cem.maximize(problem, family, n_samples=300, rng=seed)
    assert found.success
    assert found.fun == pytest.approx(best, rel=1e-14)
    assert problem(np.array([found.x]))[0] == pytest.approx(found.fun, rel=1e-14)


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_the_top_of_a_hill_is_found_and_the_density_ends_there(seed):
    found = cem.maximize(hill, WIDE, rng=seed)
    assert found.success
    np.testing.assert_allclose(found.x, 1, atol=1e-6)
    np.testing.assert_allclose(found.family.mean, 1, atol=1e-6)
    assert found.family.std.max() < 1e-6


def test_a_slanting_valley_needs_a_density_with_a_full_covariance():
    turned = np.array([[1.0, 1.0], [-1.0, 1.0]]) / np.sqrt(2)

    def valley(x):
        return ((x - 1) @ turned) ** 2 @ [1.0, 1e4]

    full = MultivariateNormal([-1.0, 2.0], np.eye(2))
    found = cem.minimize(valley, full, n_samples=300, rng=1)
    assert found.fun < 1e-9
    diagonal = cem.minimize(valley, Normal([-1.0, 2.0], [1.0, 1.0]), n_samples=300, rng=1)
    assert diagonal.fun > found.fun


def test_the_result_is_what_was_seen():
    seen = []

    def watched(x):
        seen.append(x.copy())
        return hill(x)

    found = cem.maximize(watched, WIDE, rng=1, max_iterations=8)
    x = np.concatenate(seen)
    assert found.nfev == len(x)
    assert found.nit == len(found.history) == 8
    assert found.fun == hill(x).max()
    np.testing.assert_array_equal(found.x, x[hill(x).argmax()])
    assert found.state.t == 8
    np.testing.assert_equal(found.state.v.parameters(), found.family.parameters())


def test_the_best_so_far_and_the_evaluations_never_fall():
    history = cem.maximize(hill, WIDE, rng=1).history
    assert (np.diff(history.column("best")) >= 0).all()
    assert (np.diff(history.column("nfev")) == history.column("n")[1:]).all()
    np.testing.assert_array_equal(
        history.column("best"), np.maximum.accumulate(history.column("top"))
    )


def test_the_same_seed_gives_the_same_bits_and_another_seed_others(same_run):
    assert same_run(cem.maximize(hill, WIDE, rng=1), cem.maximize(hill, WIDE, rng=1))
    found = cem.maximize(hill, WIDE, rng=2)
    assert found.fun != cem.maximize(hill, WIDE, rng=1).fun


def test_the_seed_in_the_result_repeats_a_run_that_was_given_none(same_run):
    first = cem.maximize(ones, COINS, n_samples=50)
    assert same_run(first, cem.maximize(ones, COINS, n_samples=50, rng=int(first.seed)))


def test_a_callback_watches_and_does_not_steer(same_run):
    seen = []

    def watch(state, record):
        seen.append((state.t, record.t))
        return True

    watched = cem.maximize(hill, WIDE, rng=1, callback=[watch, watch])
    assert same_run(watched, cem.maximize(hill, WIDE, rng=1))
    assert seen == [(t, t) for t in range(1, watched.nit + 1) for _ in range(2)]


def test_the_result_prints_a_line_per_fact():
    text = repr(cem.maximize(ones, COINS, preset="textbook", rng=1))
    rows = dict(line.strip().split(": ", 1) for line in text.splitlines())
    assert rows["fun"] == "20"
    assert rows["success"] == "True"
    assert rows["seed"] == "1"
    assert rows["message"].startswith("converged")
    assert "history" not in rows


# How it stops


def test_a_target_ends_the_run_with_success():
    found = cem.maximize(ones, COINS, rng=1, target=17)
    assert (found.success, found.message) == (True, "the target was reached")
    assert found.history[-1].best >= 17
    assert found.nit == 1 or found.history[-2].best < 17


def test_a_target_of_a_minimisation_is_in_the_problems_own_sign():
    found = cem.minimize(lambda x: -hill(x), WIDE, rng=1, target=0.01)
    assert found.message == "the target was reached"
    assert 0 <= found.fun <= 0.01


@pytest.mark.parametrize("most", [100, 101, 250, 999])
def test_the_evaluations_never_exceed_their_budget(most):
    found = cem.maximize(hill, WIDE, rng=1, n_samples=100, max_evaluations=most)
    assert found.nfev == most // 100 * 100
    assert not found.success
    assert found.message == f"the budget of {most} evaluations was spent"


def test_the_iterations_end_at_their_limit():
    found = cem.maximize(hill, WIDE, rng=1, max_iterations=3)
    assert (found.nit, found.success) == (3, False)
    assert found.message == "the limit of 3 iterations was reached"


def test_a_time_limit_ends_the_run_after_the_iteration_at_hand(monkeypatch):
    clock = iter(range(1000))
    monkeypatch.setattr("cem.stopping.time.monotonic", lambda: float(next(clock)))
    found = cem.maximize(hill, WIDE, rng=1, time_limit=4.5)
    assert (found.nit, found.success) == (4, False)
    assert found.message == "the time limit of 4.5 s was reached"


def test_a_rule_of_the_callers_gives_its_own_reason():
    rule = [lambda history: Stop("I have seen enough", success=True) if len(history) == 2 else None]
    found = cem.maximize(hill, WIDE, rng=1, until=rule)
    assert (found.nit, found.success, found.message) == (2, True, "I have seen enough")


def test_a_run_that_never_begins_is_an_error_that_says_why():
    rule = [lambda _: Stop("it is sunday", success=False)]
    with pytest.raises(ValueError, match="nothing was sampled: it is sunday before the first iter"):
        cem.maximize(hill, WIDE, until=rule)


def test_a_flat_problem_ends_by_itself():
    found = cem.maximize(lambda x: np.zeros(len(x)), COINS, preset="textbook", rng=1)
    assert (found.nit, found.success) == (5, False)
    assert found.message == "every sample scored the same: there is nothing to go by"


def test_elites_all_alike_end_the_run_with_a_reason_and_without_success():
    found = cem.maximize(ones, Normal([0.0] * 3, [1.0] * 3), n_samples=10, rho=0.1, alpha=1, rng=1)
    assert not found.success
    assert found.message.startswith("the density collapsed in iteration 1: its 1 elite samples")


# Scores that failed


def test_failed_scores_are_counted_and_never_win():
    def fragile(x):
        score = hill(x)
        score[x[:, 0] > 4] = np.nan
        score[x[:, 1] > 1.5] = np.inf
        return score

    found = cem.maximize(fragile, WIDE, rng=1)
    assert found.success
    assert np.isfinite(found.fun)
    np.testing.assert_allclose(found.x, 1, atol=1e-6)
    first = found.history[0]
    x = cem.CrossEntropyMethod(nominal=WIDE, n_samples=first.n, rng=1)
    x = x.ask(x.init())
    assert first.n_bad == ((x[:, 0] > 4) | (x[:, 1] > 1.5)).sum() > 0
    assert np.isfinite(found.history.column("gamma")).all()


def test_the_worst_failures_of_a_minimisation_do_not_win_either():
    def fragile(x):
        return np.where(x[:, 0] < 0, -np.inf, x[:, 0])

    found = cem.minimize(fragile, Normal([1.0], [1.0]), preset="textbook", rng=1)
    assert found.fun >= 0
    assert found.history[0].n_bad > 0


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_scores_that_fail_nearly_all_stop_the_run_and_say_so(bad):
    def failing(x):
        return np.where(np.arange(len(x)) < 0.95 * len(x), bad, hill(x))

    found = cem.maximize(failing, WIDE, n_samples=100, rng=1)
    assert (found.nit, found.success) == (1, False)
    assert found.message.startswith("95 of the last 100 scores were NaN or infinite")
    assert np.isfinite(found.fun)


@pytest.mark.parametrize("preset", ["default", "textbook"])
def test_a_problem_that_fails_on_half_of_what_is_sampled_is_solved_all_the_same(preset):
    def fragile(x):
        return np.where(x[:, 0] < 0.5, np.inf, (x**2).sum(axis=1))

    for seed in range(5):
        found = cem.minimize(
            fragile, bounds=[(0, 3)] * 3, preset=preset, rng=seed, max_evaluations=20_000
        )
        assert found.fun == pytest.approx(0.25, abs=0.05 if preset == "textbook" else 1e-7)


def test_a_batch_that_fails_altogether_loses_nothing():
    def fragile(x):
        return np.where(x[:, 0] < -1, np.inf, ((x - 1) ** 2).sum(axis=1))

    for seed in range(9000, 9006):
        found = cem.minimize(fragile, bounds=[(-3, 3)] * 3, rng=seed, max_evaluations=5000)
        assert found.fun < 1e-10
        assert (found.history.column("n_bad") <= found.history.column("n")).all()


def test_a_flat_problem_has_taught_a_normal_density_nothing_either():
    found = cem.minimize(lambda x: np.zeros(len(x)), bounds=[(0, 1)] * 3, rng=1)
    assert not found.success
    assert found.message == "every sample scored the same: there is nothing to go by"


# The sign


def test_minimising_is_maximising_the_negative_to_the_bit():
    low = cem.minimize(lambda x: -hill(x), WIDE, rng=1)
    high = cem.maximize(hill, WIDE, rng=1)
    assert low.fun == -high.fun
    np.testing.assert_array_equal(low.x, high.x)
    assert low.history == high.history


@pytest.mark.parametrize("dtype", [np.uint8, np.uint64, np.int8, np.float32])
def test_a_minimum_of_scores_of_any_real_type_is_found(dtype):
    found = cem.minimize(lambda x: ones(x).astype(dtype), COINS, rng=1)
    assert found.fun == 0
    assert not found.x.any()


def test_a_minimum_of_a_truth_value_is_false():
    found = cem.minimize(lambda x: x[:, 0] == 1, COINS, rng=1)
    assert found.fun == 0
    assert found.x[0] == 0


def test_a_chunk_size_that_the_problem_brings_is_kept_when_its_sign_is_turned():
    sizes = []

    def watching(function, chunks):
        chunks = [*chunks]
        sizes.extend(len(x) for _, x in chunks)
        return map(function, chunks)

    cem.minimize(
        cem.each(sum), COINS, n_samples=16, rho=0.2, rng=1, max_iterations=1, workers=watching
    )
    assert sizes == [8, 8]


# Bounds


def test_a_minimum_on_a_box_is_found_and_lies_in_it():
    def slope(x):
        assert (x >= [-5, 0]).all()
        assert (x <= [5, 0.7]).all()
        return x.sum(axis=1)

    found = cem.minimize(slope, bounds=[(-5, 5), (0, 0.7)], rng=1)
    np.testing.assert_allclose(found.x, [-5, 0], atol=1e-4)
    assert found.x[0] >= -5
    assert found.x[1] >= 0
    assert found.fun == slope(found.x[None])[0]


def test_bounds_may_be_scipys(same_run):
    pairs = cem.minimize(rosenbrock, bounds=[(-2, 2), (-1, 3)], rng=1, max_iterations=5)
    scipys = cem.minimize(rosenbrock, bounds=Bounds([-2, -1], [2, 3]), rng=1, max_iterations=5)
    assert same_run(pairs, scipys)


def test_the_search_of_a_box_starts_from_a_density_that_covers_it():
    for name, std in (("textbook", 2.0), ("default", 1.2)):
        start = PRESETS[name].start
        family = Boxed(ones, np.array([-1.0]), np.array([3.0]), start).nominal()
        assert (family.mean.tolist(), family.spread().tolist()) == ([1.0], [pytest.approx(std)])


def test_a_wide_box_of_many_coordinates_is_searched_without_a_covariance():
    sides = np.zeros(300), np.ones(300)
    assert isinstance(PRESETS["default"].start(*sides), Normal)
    assert isinstance(PRESETS["default"].start(*(s[:200] for s in sides)), cem.MultivariateNormal)


# Going on


@pytest.mark.parametrize(
    ("run", "problem", "family"),
    [(cem.maximize, ones, COINS), (cem.minimize, rosenbrock, Normal([0.0] * 3, [1.0] * 3))],
    ids=["maximize", "minimize"],
)
def test_a_run_cut_after_any_iteration_and_resumed_gives_the_same_bits(
    run, problem, family, same_run
):
    settings = {"n_samples": 60, "rng": 4, "max_iterations": 12}
    whole, saved = snapshots(run, problem, family, **settings)
    assert len(saved) == whole.nit >= 5
    for data in saved:
        start = loads(data, family)[:2]
        assert same_run(run(problem, family, start=start, **settings), whole)


def test_a_run_interrupted_after_any_iteration_goes_on_from_its_file(tmp_path, same_run):
    settings = {"n_samples": 60, "rng": 4, "max_iterations": 8}
    whole = cem.maximize(hill, WIDE, **settings)
    for t in range(1, whole.nit + 1):
        path = tmp_path / f"{t}.npz"
        with pytest.raises(Interrupted):
            cem.maximize(hill, WIDE, **settings, checkpoint=path, callback=interrupt_at(t))
        assert same_run(cem.maximize(hill, WIDE, **settings, checkpoint=path), whole)
    assert {p.suffix for p in tmp_path.iterdir()} == {".npz"}


def test_a_run_may_be_interrupted_again_and_again(tmp_path, same_run):
    settings = {"n_samples": 60, "rng": 4, "max_iterations": 9}
    path = tmp_path / "run.npz"
    for t in (2, 3, 7):
        with pytest.raises(Interrupted):
            cem.maximize(hill, WIDE, **settings, checkpoint=path, callback=interrupt_at(t))
        assert len(cem.checkpoint.load(path, WIDE).history) == t
    found = cem.maximize(hill, WIDE, **settings, checkpoint=path)
    assert same_run(found, cem.maximize(hill, WIDE, **settings))


def test_a_run_without_a_seed_goes_on_with_the_seed_in_its_file(tmp_path, same_run):
    path = tmp_path / "run.npz"
    with pytest.raises(Interrupted):
        cem.maximize(hill, WIDE, n_samples=60, checkpoint=path, callback=interrupt_at(3))
    found = cem.maximize(hill, WIDE, n_samples=60, checkpoint=path)
    assert same_run(found, cem.maximize(hill, WIDE, n_samples=60, rng=int(found.seed)))


def test_a_resumed_run_scores_nothing_twice(tmp_path):
    path = tmp_path / "run.npz"
    settings = {"n_samples": 60, "rng": 4, "checkpoint": path}
    cem.maximize(hill, WIDE, **settings, max_iterations=5)
    seen = []

    def watched(x):
        seen.append(len(x))
        return hill(x)

    found = cem.maximize(watched, WIDE, **settings, max_iterations=7)
    assert sum(seen) == 120
    assert found.nfev == 420


def test_a_finished_run_that_is_resumed_is_finished(tmp_path, same_run):
    settings = {"n_samples": 60, "rng": 4, "checkpoint": tmp_path / "run.npz"}
    first = cem.maximize(ones, COINS, **settings)
    assert same_run(cem.maximize(ones, COINS, **settings), first)


def test_a_result_is_a_place_to_go_on_from(same_run):
    first = cem.maximize(hill, WIDE, rng=4, max_iterations=3)
    rest = cem.maximize(hill, WIDE, rng=4, max_iterations=9, start=(first.state, first.history))
    assert same_run(rest, cem.maximize(hill, WIDE, rng=4, max_iterations=9))


def test_two_places_to_start_from_are_one_too_many(tmp_path):
    path = tmp_path / "run.npz"
    first = cem.maximize(hill, WIDE, rng=4, max_iterations=3, checkpoint=path)
    with pytest.raises(ValueError, match=r"^start was given, and .* exists: expected only one"):
        cem.maximize(hill, WIDE, rng=4, checkpoint=path, start=(first.state, first.history))


def test_an_interrupted_iteration_leaves_the_file_of_the_one_before(tmp_path):
    path = tmp_path / "run.npz"
    calls = []

    def fragile(x):
        calls.append(len(x))
        if len(calls) == 4:
            raise RuntimeError("the cluster is down")
        return hill(x)

    with pytest.raises(ValueError, match="the cluster is down on sample 0 of iteration 4"):
        cem.maximize(fragile, WIDE, rng=4, checkpoint=path)
    assert cem.checkpoint.load(path, WIDE).state.t == 3


def test_a_search_of_what_rises_for_ever_ends_before_it_leaves_the_doubles():
    for family in (WIDE, MultivariateNormal(np.zeros(3), np.eye(3)), cem.Exponential(np.ones(3))):
        found = cem.maximize(ones, family, rng=1)
        assert not found.success
        assert found.message.startswith("the density is 1e+30 times as wide as at first: ")
        assert np.isfinite(found.x).all()


def test_a_result_does_not_print_the_fields_that_say_so():
    @dataclass(frozen=True, eq=False, kw_only=True, repr=False)
    class Longer(cem.Optimum):
        table: object = field(default="a table", repr=False)
        gap: float = 0.5

    shown = repr(Longer(**vars(cem.maximize(ones, COINS, rng=1))))
    assert "gap: 0.5" in shown
    assert "table" not in shown
    assert "history" not in shown

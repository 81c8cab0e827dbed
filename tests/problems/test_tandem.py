"""Tandem queues: published values, jobs moved by hand, and estimates against exact values."""

import numpy as np
import pytest

import cem
import problems
from cem.testing import ProblemContract
from problems.rare_event.queues.tandem import Tandem


class TestTandem(ProblemContract):
    problem = Tandem(1.0, (4.0, 2.0), 6)


class TestThreeQueuesTiltedAlike(ProblemContract):
    problem = Tandem(0.1, (0.3, 0.3, 0.3), 5, layers=0)


@pytest.mark.parametrize(
    ("arrival", "services", "level", "probability", "digits"),
    [
        (1.0, (4.0, 2.0), 20, 1.907347021088e-06, 12),
        (1.0, (2.0, 4.0), 20, 1.907347021088e-06, 12),
        (0.1, (0.45, 0.45), 20, 5.951121475027e-12, 12),
        (0.1, (0.45, 0.45), 12, 5.94611858e-7, 8),
        (0.1, (0.45, 0.45), 25, 4.04299555e-15, 8),
        (0.1, (0.45, 0.45), 50, 3.80122485e-31, 8),
        (1.0, (4.0, 2.0), 25, 5.96046432e-8, 8),
        (1.0, (3.0, 2.0), 25, 8.94022452e-8, 8),
        (0.1, (0.7, 0.2), 20, 1.33514523e-6, 8),
        (0.1, (0.3, 0.3, 0.3), 20, 1.14432063e-7, 8),
    ],
)
def test_the_tandem_has_its_known_probabilities(arrival, services, level, probability, digits):
    found = Tandem(arrival, services, level).exact()
    assert found == pytest.approx(probability, rel=10.0**-digits)


@pytest.mark.parametrize("layers", [0, 1, 3, None])
def test_the_probability_does_not_depend_on_what_is_tilted_alike(layers):
    assert Tandem(1.0, (4.0, 2.0), 12, layers).exact() == pytest.approx(
        Tandem(1.0, (4.0, 2.0), 12).exact(), rel=1e-12
    )


def population(steps, d):
    """The largest total along a path of events, by moving the jobs."""
    jobs = [1] + [0] * (d - 1)
    most = 1
    for event in steps:
        if event == 0:
            jobs[0] += 1
        elif jobs[event - 1] > 0:
            jobs[event - 1] -= 1
            if event < d:
                jobs[event] += 1
        assert min(jobs) >= 0
        most = max(most, sum(jobs))
    return most, sum(jobs)


@pytest.mark.parametrize("layers", [0, 2, None])
@pytest.mark.parametrize("services", [(1.0,), (1.0, 2.0), (2.0, 1.0, 3.0)])
def test_the_score_is_the_largest_population_and_a_path_ends_empty_or_full(services, layers):
    queues = Tandem(0.7, services, 6, layers)
    x = queues.nominal().sample(np.random.default_rng(0), 300)
    found = [population(x[i][:, 1], len(services)) for i in range(300)]
    assert queues(x).tolist() == [most for most, _ in found]
    assert {end for _, end in found} == {0, 6}


def test_events_have_the_shares_of_the_rates_at_work():
    f = Tandem(1.0, (4.0, 2.0), 5, layers=None).nominal()
    shares = {tuple(row.round(12)) for row in f.p}
    assert shares == {
        (0.2, 0.8, 0.0),
        (round(1 / 3, 12), 0.0, round(2 / 3, 12)),
        (round(1 / 7, 12), round(4 / 7, 12), round(2 / 7, 12)),
    }
    assert Tandem(1.0, (4.0, 2.0), 5, layers=0).nominal().p.shape == (1, 3)
    assert Tandem(1.0, (4.0, 2.0), 5, layers=2).nominal().p.shape == (8, 3)


def test_crude_monte_carlo_agrees_with_the_equations():
    for layers in (0, 2):
        queues, n = Tandem(0.5, (1.0, 1.5), 4, layers), 40_000
        hit = queues(queues.nominal().sample(np.random.default_rng(0), n)) >= 4
        p = queues.exact()
        assert abs(hit.mean() - p) < 5 * np.sqrt(p * (1 - p) / n)


@pytest.mark.parametrize(
    "queues",
    [
        Tandem(1.0, (4.0, 2.0), 20),
        Tandem(0.1, (0.45, 0.45), 20),
        Tandem(0.1, (0.45, 0.45), 25),
    ],
)
def test_the_estimate_is_within_five_per_cent_of_the_exact_value(queues):
    found = cem.estimate(queues, rng=1)
    assert found.success
    assert abs(found.probability / queues.exact() - 1) < 0.05
    assert abs(found.probability - queues.exact()) < 4 * found.std_error


def test_equal_services_need_tilting_that_depends_on_the_state():
    alike, layers = (Tandem(0.1, (0.45, 0.45), 20, b) for b in (0, 2))
    good = cem.estimate(layers, rng=0)
    bad = cem.estimate(alike, rng=0)
    assert good.relative_error < 0.02
    assert bad.relative_error > 5 * good.relative_error


@pytest.mark.parametrize(
    ("settings", "error", "message"),
    [
        (
            {"arrival": 0.0},
            ValueError,
            r"^arrival and services must be positive rates, .* got 0\.0 and \[4",
        ),
        (
            {"services": [1.0, -2.0]},
            ValueError,
            r"^arrival and services must be positive rates, .*-2",
        ),
        ({"services": []}, ValueError, r"one of service for every queue; got 1\.0 and \[\]"),
        ({"level": 1}, ValueError, r"^level must be at least 2; got 1"),
        ({"layers": -1}, ValueError, r"^layers must be at least 0; got -1"),
        ({"layers": 0.5}, TypeError, r"^layers must be a whole number; got 0\.5"),
    ],
)
def test_bad_settings_are_named(settings, error, message):
    with pytest.raises(error, match=message):
        problems.load("tandem", **settings)

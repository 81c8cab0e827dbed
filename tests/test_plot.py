"""Pictures show what the history says, whatever odd numbers are in it."""

import io
import math
import subprocess
import sys

import numpy as np
import pytest

import cem
from cem import plot
from cem.state import History
from problems.rare_event import Bridge


@pytest.fixture(scope="module")
def estimate():
    return cem.estimate(Bridge(), n_samples=500, n_final=5000, rng=1)


@pytest.fixture(scope="module")
def optimum():
    return cem.maximize(lambda x: x.sum(axis=1), cem.Bernoulli([0.5] * 12), n_samples=200, rng=1)


def lines(axes):
    return {line.get_label(): np.array(line.get_xydata()) for line in axes.get_lines()}


def drawn(figure):
    """The picture as pixels: drawing it must neither fail nor warn."""
    out = io.BytesIO()
    figure.savefig(out)
    return out.getvalue()


def legends(figure):
    legends = filter(None, (axes.get_legend() for axes in figure.axes))
    return [text.get_text() for legend in legends for text in legend.get_texts()]


def test_an_estimate_gets_levels_density_weights_and_the_final_sample(estimate):
    figure = plot.overview(estimate, title="a bridge", known=Bridge().exact())
    assert figure.get_suptitle() == "a bridge"
    labels = {axes.get_ylabel(): axes.get_xlabel() for axes in figure.axes if axes.get_ylabel()}
    assert labels["score"] == labels["entropy [nats]"] == labels["samples"] == "evaluations"
    assert labels["estimate of the probability"] == "final samples"
    assert {"KL step [nats]", "largest share [%]"} <= labels.keys()
    assert drawn(figure).startswith(b"\x89PNG")


def test_an_optimisation_gets_levels_and_density_only(optimum):
    figure = plot.overview(optimum, known=12.0)
    assert [axes.get_ylabel() for axes in figure.axes] == [
        "score",
        "entropy [nats]",
        "KL step [nats]",
    ]
    assert drawn(figure).startswith(b"\x89PNG")


def test_levels_and_best_are_those_of_the_history(optimum):
    found = lines(plot.levels(optimum, known=12.0))
    history = optimum.history
    assert np.array_equal(found[r"level $\gamma_t$"][:, 0], history.column("nfev"))
    assert np.array_equal(found[r"level $\gamma_t$"][:, 1], history.column("gamma"))
    assert np.array_equal(found["best so far"][:, 1], history.column("best"))
    assert set(found["known optimum: 12"][:, 1]) == {12.0}


def test_an_estimate_shows_how_its_weights_vary_and_an_optimum_does_not(estimate, optimum):
    axes = plot.levels(estimate)
    (right,) = (other for other in axes.figure.axes if other is not axes)
    assert right.get_yscale() == "log"
    drawn_there = lines(right)["variation of weights"][:, 1]
    assert np.array_equal(drawn_there, estimate.levels.column("variation"))
    assert len(plot.levels(optimum).figure.axes) == 1


def test_the_levels_of_an_expectation_are_powers_and_its_estimate_is_a_mean():
    found = cem.expectation(lambda x: x[:, 0] ** 4, cem.Exponential([1.0]), rng=1)
    axes = plot.levels(found)
    assert axes.get_ylabel() == "power of H"
    assert lines(axes)[r"level $\gamma_t$"][-1, 1] == 1
    assert "best so far" not in lines(axes)
    assert plot.final_sample(found).get_ylabel() == "estimate of the mean"
    assert drawn(plot.overview(found)).startswith(b"\x89PNG")


def test_crude_monte_carlo_has_no_steering_to_show():
    found = cem.estimate(Bridge(1.0), method="crude", n_samples=500, rng=1)
    figure = plot.overview(found)
    texts = [text.get_text() for axes in figure.axes for text in axes.texts]
    assert texts == ["the nominal density was sampled"] * 3
    assert drawn(figure).startswith(b"\x89PNG")


def test_the_level_asked_for_is_drawn_and_the_final_sample_is_not_among_the_levels(estimate):
    found = lines(plot.levels(estimate))
    assert set(found["level asked for: 2"][:, 1]) == {2.0}
    assert len(found["best so far"]) == estimate.nit < len(estimate.history)


def test_weights_are_those_of_the_steering(estimate):
    axes = plot.weights(estimate)
    (right,) = (other for other in axes.figure.axes if other is not axes)
    assert np.array_equal(lines(axes)["effective"][:, 1], estimate.levels.column("ess"))
    shares = lines(right)["largest share of one"][:, 1]
    assert np.allclose(shares, 100 * estimate.levels.column("max_weight"))


def test_the_running_estimate_ends_at_the_estimate_and_its_band_at_its_error(estimate):
    axes = plot.final_sample(estimate)
    assert lines(axes)["estimate"][-1] == pytest.approx((5000, estimate.probability))
    (band,) = axes.collections
    last = band.get_paths()[0].vertices
    at_end = last[last[:, 0] == 5000][:, 1]
    half = 1.96 * estimate.std_error
    assert at_end.max() == pytest.approx(estimate.probability + half)
    assert at_end.min() == pytest.approx(max(0.0, estimate.probability - half))


def test_a_minimum_is_drawn_in_its_own_sign():
    found = cem.minimize(lambda x: (x**2).sum(axis=1) + 2, bounds=[(-1, 1)] * 2, rng=1)
    best = lines(plot.levels(found))["best so far"][:, 1]
    assert best[-1] == found.fun
    assert (np.diff(best) <= 0).all()
    assert lines(plot.levels(found.history, sign=-1))["best so far"][-1, 1] == found.fun


def test_the_cut_run_of_an_estimate_has_a_final_sample_that_is_not_begun(estimate):
    cut = History(estimate.levels[:2])
    figure = plot.overview(cut, level=2.0)
    texts = [text.get_text() for axes in figure.axes for text in axes.texts]
    assert "not begun" in texts
    assert "level asked for: 2" in legends(figure)
    assert drawn(figure).startswith(b"\x89PNG")


def test_a_level_that_is_not_reached_is_drawn_with_an_estimate_of_zero():
    found = cem.estimate(Bridge(50.0), n_samples=100, n_final=300, max_iterations=2, rng=1)
    assert not found.success
    figure = plot.overview(found)
    assert drawn(figure).startswith(b"\x89PNG")
    axes = plot.final_sample(found)
    assert set(lines(axes)["estimate"][:, 1]) == {0.0}
    assert [text.get_text() for text in axes.texts] == ["the estimate is 0"]
    assert axes.get_ylim()[0] == 0  # a probability is not negative
    assert set(lines(plot.levels(found))["level asked for: 50"][:, 1]) == {50.0}


def test_one_iteration_is_a_picture_too(optimum):
    one = History(optimum.history[:1])
    assert drawn(plot.overview(one)).startswith(b"\x89PNG")
    (line,) = (a for a in plot.levels(one).get_lines() if a.get_label() == "best so far")
    assert line.get_marker() == "o"  # or it could not be seen


def test_numbers_that_are_not_finite_are_left_out(optimum):
    odd = History(
        record._replace(entropy=-math.inf, kl=math.inf) if record.t == 2 else record
        for record in optimum.history
    )
    entropy = next(iter(lines(plot.density(odd)).values()))
    assert len(entropy) == len(odd) - 1
    nothing = History(record._replace(entropy=-math.inf, kl=math.nan) for record in odd)
    assert drawn(plot.overview(nothing)).startswith(b"\x89PNG")


def test_an_empty_history_is_refused():
    with pytest.raises(ValueError, match="nothing to draw: expected at least one iteration"):
        plot.overview(History())


def test_axes_that_are_given_are_drawn_on(optimum):
    axes = plot.levels(optimum)
    assert plot.density(optimum, axes) is axes


def test_pyplot_is_never_imported_and_matplotlib_only_to_draw():
    code = (
        "import sys, cem\n"
        "assert 'matplotlib' not in sys.modules\n"
        "found = cem.maximize(lambda x: x.sum(axis=1), cem.Bernoulli([0.5] * 4), rng=1)\n"
        "cem.plot.overview(found)\n"
        "assert 'matplotlib' in sys.modules\n"
        "assert 'matplotlib.pyplot' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


@pytest.mark.parametrize("name", ["levels", "density", "weights", "final_sample"])
def test_nothing_is_written_over_the_lines(estimate, name):
    """The legend stands above the axes, within the picture."""
    axes = getattr(plot, name)(estimate)
    figure = axes.figure
    figure.draw_without_rendering()
    legend = axes.get_legend().get_window_extent()
    assert legend.y0 >= axes.get_window_extent().y1 - 1
    assert legend.x1 <= figure.bbox.x1
    assert not legend.overlaps(axes._left_title.get_window_extent())

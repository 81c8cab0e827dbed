"""Pictures of an estimate show its samples, its surface, its levels and its error."""

import io
import math

import numpy as np
import pytest

import cem
from cem import plot
from cem.curve import curve as curve_of
from cem.reliability import design_point
from problems.rare_event.limit_state import problem as limit_state

PLANE = cem.Normal([0.0, 0.0], [1.0, 1.0])
GRID = 60


class Run:
    """A problem, and an estimate of it."""

    def __init__(self, problem, nominal=None, gamma=None, **settings):
        self.problem = plot.Recorded(problem)
        self.found = cem.estimate(self.problem, nominal, gamma, rng=1, **settings)
        self.sample = self.found.sample()

    def drawn(self, *points, **look):
        return plot.limit_state(self.problem, self.found, points, n_grid=GRID, **look)


@pytest.fixture(scope="module")
def ring():
    return Run(limit_state("ring"))


@pytest.fixture(scope="module")
def line():
    return Run(lambda x: x.sum(axis=1), PLANE, 5.0)


def pixels(figure):
    """The picture: drawing it must neither fail nor warn."""
    out = io.BytesIO()
    figure.savefig(out)
    return out.getvalue()


def dots(axes):
    """What was scattered: places and areas."""
    return [
        (np.array(c.get_offsets()), c.get_sizes())
        for c in axes.collections
        if len(c.get_offsets()) > 1
    ]


def test_a_recorded_problem_knows_what_it_scored_and_what_the_other_knows(ring):
    inner = ring.problem.problem
    assert ring.problem.gamma == inner.gamma
    assert repr(ring.problem.nominal()) == repr(inner.nominal())
    batches = ring.problem.batches(ring.found.history)
    assert [len(batch) for batch in batches] == list(ring.found.history.column("n"))
    assert np.array_equal(np.concatenate(batches[ring.found.nit :]), ring.sample.x)


def test_two_runs_in_one_record_are_told_apart():
    problem = plot.Recorded(lambda x: x.sum(axis=1))
    cem.estimate(problem, PLANE, 3.0, rng=1)
    found = cem.estimate(problem, PLANE, 3.0, rng=1)
    with pytest.raises(ValueError, match="record one whole run with one problem"):
        plot.limit_state(problem, found)


def test_the_samples_of_every_iteration_and_their_levels_are_drawn(ring):
    figure = ring.drawn()
    axes = figure.axes[0]
    steering = dots(axes)
    assert len(steering) == ring.found.nit
    batches = ring.problem.batches(ring.found.history)
    for (places, _), batch in zip(steering, batches, strict=False):
        assert np.array_equal(places, batch)
    levels = ring.found.levels.column("gamma")  # of gradients it is that of the first batch, again
    drawn = np.sort([*levels[levels < 0.0], 0.0])
    assert sorted(radii_of_circles(axes)) == pytest.approx(5.25 + drawn, abs=0.02)
    assert pixels(figure).startswith(b"\x89PNG")


def radii_of_circles(axes):
    """The distance from the origin of every contour line."""
    lines = [one for one in axes.collections if len(one.get_offsets()) == 1]
    return [np.hypot(*one.get_paths()[0].vertices.T).mean() for one in lines]


def test_failures_are_sized_by_their_shares_of_the_estimate(ring):
    hit = ring.sample.reached()
    (outside, _), (failures, area) = dots(ring.drawn().axes[1])
    assert np.array_equal(outside, ring.sample.x[~hit])
    assert np.array_equal(failures, ring.sample.x[hit])
    w = np.exp(ring.sample.log_w[hit])
    assert area / area.sum() == pytest.approx(w / w.sum())


def test_the_event_is_shaded_and_nothing_else(line):
    (image,) = line.drawn(reach=6.0).axes[1].get_images()
    a = np.linspace(-6, 6, GRID)
    assert np.array_equal(image.get_array() < 1, a[:, None] + a >= 5)
    assert image.get_extent() == [-6, 6, -6, 6]


def test_design_points_are_marked_and_named(line):
    point = design_point(line.sample, line.problem.problem)
    figure = line.drawn(point)
    stars = [marked for marked in figure.axes[1].get_lines() if marked.get_marker() == "*"]
    assert [star.get_xydata()[0] for star in stars] == [pytest.approx([2.5, 2.5], abs=0.01)]
    assert point.converged
    assert stars[0].get_markerfacecolor() == "#000000"
    (open_star,) = (
        marked
        for marked in line.drawn(design_point(line.sample)).axes[1].get_lines()
        if marked.get_marker() == "*"
    )
    assert open_star.get_markerfacecolor() == "white"  # it was not searched for
    assert "design point" in [text.get_text() for text in figure.legends[0].get_texts()]


def test_nearly_all_samples_and_all_that_count_are_in_the_picture(line):
    reach = line.drawn().axes[1].get_xlim()[1]
    far = np.abs(line.sample.x).max(axis=1)
    w = np.exp(line.sample.log_w) * line.sample.reached()
    assert far[w >= 0.001 * w.sum()].max() <= reach
    everything = np.concatenate(line.problem.batches(line.found.history))
    assert np.mean(np.abs(everything).max(axis=1) > reach) <= 0.01


def test_other_normal_variables_are_shown_in_standard_deviations():
    run = Run(lambda x: x[:, 0] + x[:, 1], cem.Normal([3.0, -1.0], [0.5, 2.0]), 12.0)
    (outside, _), (failures, _) = dots(run.drawn().axes[1])
    everything = np.concatenate([outside, failures]) * [0.5, 2.0] + [3.0, -1.0]
    assert sorted(everything.sum(axis=1)) == pytest.approx(sorted(run.sample.score))
    assert (failures @ [0.5, 2.0] >= 10.0 - 1e-9).all()


def test_without_a_record_only_the_final_sample_is_drawn(line):
    figure = plot.limit_state(line.problem.problem, line.found, n_grid=GRID)
    assert len(figure.axes) == 1
    assert pixels(figure).startswith(b"\x89PNG")


def test_an_event_that_was_never_reached_and_scores_that_fail_can_be_drawn():
    never = Run(lambda x: np.minimum(x[:, 0], 2.0), PLANE, 9.0, max_iterations=3, n_final=500)
    assert pixels(never.drawn()).startswith(b"\x89PNG")
    odd = Run(lambda x: np.where(x[:, 1] > 2, np.nan, x[:, 0]), PLANE, 2.0)
    assert pixels(odd.drawn()).startswith(b"\x89PNG")
    level = Run(lambda x: np.round(x[:, 0] / 9), PLANE, 0.0)  # everywhere but at the edge
    assert pixels(level.drawn()).startswith(b"\x89PNG")


def test_only_two_normal_variables_can_be_drawn():
    three = cem.Normal([0.0] * 3, [1.0] * 3)
    found = cem.estimate(lambda x: x.sum(axis=1), three, 4.0, rng=1)
    with pytest.raises(ValueError, match="of two variables can be drawn; got 3"):
        plot.limit_state(len, found)
    other = cem.estimate(lambda x: x.sum(axis=1), cem.Exponential([1.0, 1.0]), 9.0, rng=1)
    with pytest.raises(TypeError, match=r"expected a nominal density cem\.Normal"):
        plot.limit_state(len, other)


def test_a_picture_of_no_size_is_refused(line):
    with pytest.raises(ValueError, match="reach must be positive"):
        line.drawn(reach=0)
    with pytest.raises(ValueError, match="n_grid must be at least 2"):
        plot.limit_state(line.problem, line.found, n_grid=1)


def test_the_running_estimate_is_that_of_the_samples_so_far(line):
    axes = plot.convergence(line.found, known=2.035e-4)
    n_steering = int(line.found.levels.column("n").sum())
    (ell, known) = axes.get_lines()
    n, figure = ell.get_xydata().T
    assert n[-1] == line.found.nfev
    assert figure[-1] == pytest.approx(line.found.probability)
    half = len(n) // 2
    some = int(n[half]) - n_steering
    z = np.exp(line.sample.log_w[:some]) * (line.sample.score[:some] >= 5)
    assert figure[half] == pytest.approx(z.mean())
    assert set(known.get_ydata()) == {2.035e-4}


def test_the_band_of_the_running_estimate_ends_at_its_interval(line):
    (band,) = plot.convergence(line.found, confidence=0.9).collections
    corners = band.get_paths()[0].vertices
    at_end = corners[corners[:, 0] == line.found.nfev][:, 1]
    assert (at_end.min(), at_end.max()) == pytest.approx(line.found.confidence_interval(0.9))


def test_crude_monte_carlo_converges_in_a_picture_too():
    found = cem.estimate(lambda x: x[:, 0], PLANE, 1.0, method="crude", n_final=2000, rng=1)
    axes = plot.convergence(found)
    assert axes.get_lines()[0].get_ydata()[-1] == pytest.approx(found.probability)
    assert pixels(axes.figure).startswith(b"\x89PNG")
    nothing = cem.estimate(lambda x: x[:, 0], PLANE, 9.0, method="crude", n_final=200, rng=1)
    assert set(plot.convergence(nothing).get_lines()[0].get_ydata()) == {0.0}


def test_the_mean_of_an_expectation_converges_in_a_picture_too():
    found = cem.expectation(lambda x: x[:, 0] ** 4, cem.Exponential([1.0]), rng=1)
    axes = plot.convergence(found, known=24.0)
    assert axes.get_ylabel() == "estimate of the mean"
    assert axes.get_lines()[0].get_ydata()[-1] == pytest.approx(found.mean)
    corners = axes.collections[0].get_paths()[0].vertices
    at_end = corners[corners[:, 0] == found.nfev][:, 1]
    assert (at_end.min(), at_end.max()) == pytest.approx(found.confidence_interval())


def test_a_curve_is_drawn_with_what_may_not_be_trusted_in_grey(line):
    found = line.sample.curve(np.linspace(2, 7, 11))
    assert 0 < found.reliable.sum() < 11
    axes = plot.curve(found, gamma=5.0)
    drawn = {one.get_label(): one for one in axes.get_lines()}
    everything, good = drawn["not to be trusted"], drawn[r"$P(S \geq g)$"]
    some = found.probability > 0
    assert np.array_equal(everything.get_ydata()[some], found.probability[some])
    assert np.array_equal(np.isfinite(good.get_ydata()), found.reliable)
    assert axes.get_yscale() == "log"
    assert set(drawn["steered for 5"].get_xdata()) == {5.0}
    assert pixels(axes.figure).startswith(b"\x89PNG")


def test_a_curve_shows_its_intervals_and_the_truth_within_its_own_scale():
    score = np.arange(2000.0)
    found = curve_of(score, np.zeros(2000), [500.0, 1000.0, 1500.0], gamma=500.0)
    axes = plot.curve(found, known=np.array([0.75, 0.5, 0.25]))
    (band,) = axes.collections
    corners = band.get_paths()[0].vertices
    middle = corners[corners[:, 0] == 1000.0][:, 1]
    assert (middle.min(), middle.max()) == pytest.approx((found.low[1], found.high[1]))
    assert [one.get_label() for one in axes.get_lines()] == [r"$P(S \geq g)$", "known"]
    bottom, top = axes.get_ylim()
    assert bottom < found.low[2]
    assert found.high[0] < top < 10


def test_a_level_that_one_sample_reached_does_not_spoil_the_scale():
    log_w = np.array([0.0, -1.0, -2.0, -3.0])
    found = curve_of(np.arange(4.0), log_w, [0.0, 2.0, 3.0, 9.0], gamma=3.0)
    assert found.low[2] == 0
    assert math.isinf(found.std_error[3])
    axes = plot.curve(found)
    assert axes.get_ylim()[1] < 10
    assert pixels(axes.figure).startswith(b"\x89PNG")


def test_a_curve_without_a_hit_or_with_another_truth_is_refused():
    nothing = curve_of(np.zeros(5), np.zeros(5), [1.0], gamma=1.0)
    with pytest.raises(ValueError, match="no sample reached any of the levels"):
        plot.curve(nothing)
    one = curve_of(np.ones(5), np.zeros(5), [1.0], gamma=1.0)
    with pytest.raises(ValueError, match="at each of the 1 levels; got shape"):
        plot.curve(one, known=np.ones(2))


@pytest.mark.parametrize("name", ["levels", "weights", "density", "final_sample", "convergence"])
def test_the_legend_of_a_pooled_estimate_stands_above_its_axes(line, name):
    axes = getattr(plot, name)(line.found, **({"known": 2e-4} if name == "convergence" else {}))
    figure = axes.figure
    figure.draw_without_rendering()
    legend = axes.get_legend().get_window_extent()
    assert legend.y0 >= axes.get_window_extent().y1 - 1
    assert legend.x1 <= figure.bbox.x1
    assert not legend.overlaps(axes._left_title.get_window_extent())

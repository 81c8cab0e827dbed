"""Pictures of buffers show every place, every finalist, and densities as they are."""

import numpy as np
import pytest
from matplotlib.colors import to_hex
from scipy import stats

from cem.families import Composition
from cem.noise import CommonNumbers
from cem.race import race
from problems.buffer_allocation import BufferAllocation, ProductionLine, pictures
from problems.drawing import BLUE, ORANGE

LINE = ProductionLine([1.0, 1.2, 1.4], failure_rate=[0.0, 0.05, 0.0], repair_rate=0.5)
X = np.array([[7, 3], [6, 4], [0, 10]])
SCORES = np.array([[1.0, 0.8, 0.2], [2.0, 1.9, 1.1], [3.0, 2.7, 2.4]])


def bars(axes):
    """Left end, width, height and colour of every bar."""
    return [
        (bar.get_x(), bar.get_width(), bar.get_height(), to_hex(bar.get_facecolor()).upper())
        for bar in axes.patches
    ]


def errorbars(axes):
    """Middles and half widths, from the top on."""
    (container,) = axes.containers
    points, _, (lines,) = container.lines
    ends = np.array(lines.get_segments())[:, :, 0]
    np.testing.assert_allclose(ends.mean(axis=1), points.get_xdata())
    np.testing.assert_array_equal(points.get_ydata(), np.arange(len(ends)))
    return points.get_xdata(), np.diff(ends, axis=1).ravel() / 2


def ticks(axes):
    return [label.get_text() for label in axes.get_yticklabels()]


def test_a_line_is_drawn_place_by_place():
    axes = pictures.to_scale(LINE, [2, 1], names=["saw", "mill", "pack"], unit="minute")
    found = bars(axes)
    machines = {left: bar for left, *bar in found if bar[-1] in {BLUE, ORANGE}}
    assert machines == {
        0.0: [1, 1.0, ORANGE],
        3.0: [1, pytest.approx(1.2 / 1.1), BLUE],
        5.0: [1, 1.4, BLUE],
    }
    cells = sorted(left for left, *_, colour in found if colour == "#FFFFFF")
    assert cells == [1, 2, 4]
    assert {width for _, width, *_ in found} == {1}
    assert [text.get_text() for text in axes.texts] == ["2", "1", "saw", "mill", "pack"]
    assert axes.get_ylabel() == "rate of a machine by itself\n[jobs per minute]"
    assert axes.get_title(loc="left") == "3 buffer places"


def test_a_line_without_places_and_a_long_one_can_be_drawn():
    assert len(bars(pictures.to_scale(LINE, [0, 0]))) == 3
    long = ProductionLine(np.linspace(1, 2, 40))
    axes = pictures.to_scale(long, np.full(39, 3))
    assert len(bars(axes)) == 40 + 39 * 3
    assert len(axes.texts) == 39  # the numbers of places; too many machines to be named


def test_a_picture_of_another_line_is_refused():
    with pytest.raises(ValueError, match=r"allocations for 3 machines have 2 buffers each"):
        pictures.to_scale(LINE, [1, 2, 3])
    with pytest.raises(ValueError, match=r"expected a name for every of the 3 machines; got 1"):
        pictures.to_scale(LINE, [1, 2], names=["saw"])


def test_the_finalists_are_shown_with_their_intervals_the_best_on_top():
    buffers = BufferAllocation(LINE, 10, jobs=50)
    ended = race(CommonNumbers(buffers), X, rng=1, indifference=0.1, first=5, most=5)
    left, right = pictures.finalists(ended, level=0.9, unit="hour").axes
    order = np.argsort(ended.behind)
    assert order[0] == ended.best
    t = stats.t(4).ppf(0.95)
    mean, half = errorbars(left)
    np.testing.assert_array_equal(mean, ended.mean[order])
    np.testing.assert_allclose(half, t * ended.standard_error[order], rtol=1e-10)
    behind, half = errorbars(right)
    np.testing.assert_array_equal(behind, -ended.behind[order])
    np.testing.assert_allclose(half, t * ended.behind_error[order], rtol=1e-10)
    assert ticks(left) == ticks(right) == [" ".join(map(str, X[k])) for k in order]
    assert left.get_xlabel() == "throughput [jobs per hour]"
    assert right.get_xlabel() == "difference to the winner's [jobs per hour]"
    assert left.get_title(loc="left") == "means and 90% intervals"


def test_a_finalist_that_failed_is_not_shown():
    class Failing:
        def bind(self, rng):
            return lambda x: np.where(x[:, 0] == 7, np.nan, x[:, 0] + rng.random(len(x)))

    ended = race(Failing(), X, rng=1, indifference=0.1, first=5, most=5)
    left, _ = pictures.finalists(ended).axes
    assert ticks(left) == ["6 4", "0 10"]


def test_what_others_cost_is_shown_pair_by_pair():
    axes = pictures.next_best(X, SCORES)
    mean, half = errorbars(axes)
    loss = [[-0.2, -0.1, -0.3], [-0.8, -0.9, -0.6]]
    np.testing.assert_allclose(mean, np.mean(loss, axis=1))
    expected = stats.t(2).ppf(0.975) * stats.sem(loss, axis=1)
    np.testing.assert_allclose(half, expected, rtol=1e-10)
    assert ticks(axes) == ["6 4", "0 10"]
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["7 3"]
    assert axes.get_xlabel() == "difference of throughput [jobs per unit of time]"


@pytest.mark.parametrize("scores", [SCORES[:1], SCORES[:, :2], SCORES[0]])
def test_too_few_scores_are_refused(scores):
    with pytest.raises(ValueError, match=r"in two replications or more, shape \(replications, 3\)"):
        pictures.next_best(X, scores)


def test_no_more_than_twelve_are_shown():
    x = Composition.even(3, 10).sample(np.random.default_rng(1), 30)
    axes = pictures.next_best(x, np.random.default_rng(2).random((5, 30)))
    assert len(ticks(axes)) == 12
    mean, _ = errorbars(axes)
    assert (np.diff(mean) < 0).all()


def test_a_density_is_shown_by_the_shares_of_its_samples():
    even = Composition.even(2, 3)
    sure = Composition(np.array([[0.0, 1.0, 0.0]]))
    first, last, colours = pictures.narrowing([even, sure], np.random.default_rng(1)).axes
    share = first.images[0].get_array()
    k = np.arange(4)
    exact = np.exp(even.log_density(np.column_stack([k, 3 - k])))
    np.testing.assert_allclose(share, np.column_stack([exact, exact[::-1]]), atol=0.02)
    shown = last.images[0].get_array()
    np.testing.assert_array_equal(shown, [[0, 0], [0, 1], [1, 0], [0, 0]])
    assert (first.get_xlabel(), first.get_ylabel()) == ("buffer", "places")
    assert last.get_title(loc="left") == "after iteration 2"
    assert colours.get_ylabel() == "probability"


@pytest.mark.parametrize(("n", "shown"), [(1, [1]), (3, [1, 2, 3]), (9, [1, 5, 9])])
def test_the_first_the_middle_and_the_last_density_are_shown(n, shown):
    *row, _ = pictures.narrowing([Composition.even(3, 5)] * n, np.random.default_rng(1)).axes
    assert [axes.get_title(loc="left") for axes in row] == [f"after iteration {k}" for k in shown]


def test_no_density_is_refused():
    with pytest.raises(ValueError, match="at least one density to draw; got none"):
        pictures.narrowing([], np.random.default_rng(1))

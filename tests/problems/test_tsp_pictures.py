"""Pictures of tours and cuts show as many things as there are, on named axes."""

import numpy as np
import pytest

import cem
from problems.maxcut import MaxCut
from problems.maxcut import pictures as of_cuts
from problems.tsp import TSP, pictures, problem

TOWNS = problem("burma14")
X = np.arange(14)


def test_a_closed_tour_has_as_many_edges_as_nodes_and_an_open_one_less():
    for tsp, n_points in (
        (TOWNS, 15),
        (TSP(TOWNS.distance, (), TOWNS.coordinates, closed=False), 14),
    ):
        axes = pictures.on_map(tsp, X)
        (line,) = axes.lines
        np.testing.assert_array_equal(line.get_xydata(), tsp.coordinates[[*X, 0][:n_points]])
        assert len(axes.collections[0].get_offsets()) == 14
        assert [text.get_text() for text in axes.texts] == [str(label) for label in tsp.labels]
        assert f"length {tsp(X[None])[0]:,.0f}" in axes.get_title(loc="left")


def test_the_axes_of_a_map_on_the_globe_say_degrees_and_keep_its_shape():
    axes = pictures.on_map(TOWNS, X)
    assert axes.get_xlabel() == "longitude [degrees]"
    assert axes.get_ylabel() == "latitude [degrees]"
    middle = np.radians(TOWNS.coordinates[:, 1].mean())
    assert axes.get_aspect() == pytest.approx(1 / np.cos(middle))
    globe = TSP.of_points([[60, 10], [60, 12], [62, 11]], "great-circle")
    assert globe.coordinates.tolist() == [[10, 60], [12, 60], [11, 62]]
    assert pictures.on_map(globe, [0, 1, 2]).get_xlabel() == "longitude [degrees]"
    plane = pictures.on_map(TSP.of_points(np.random.default_rng(0).random((40, 2))), range(40))
    assert (plane.get_xlabel(), plane.get_ylabel(), plane.get_aspect()) == ("x", "y", 1)
    assert not plane.texts  # too many to be named


def test_a_problem_without_coordinates_has_no_map():
    with pytest.raises(ValueError, match="no coordinates to draw"):
        pictures.on_map(problem("gr17"), np.arange(17))


@pytest.mark.parametrize(("n", "shown"), [(1, [1]), (2, [1, 2]), (3, [1, 2, 3]), (9, [1, 5, 9])])
def test_the_first_the_middle_and_the_last_tour_are_shown(n, shown):
    tours = [np.roll(X, k) for k in range(n)]
    figure = pictures.improvement(TOWNS, tours)
    titles = [axes.get_title(loc="left").partition(":")[0] for axes in figure.axes]
    assert titles == [f"iteration {k}" for k in shown]
    with pytest.raises(ValueError, match="at least one iteration"):
        pictures.improvement(TOWNS, [])


def test_a_run_can_be_collected_and_its_matrix_is_shown_along_the_tour():
    tours, densities = [], []

    def collect(state, _):
        tours.append(state.best.x)
        densities.append(state.v)

    best = cem.minimize(
        TOWNS, TOWNS.nominal(), n_samples=3000, rho=0.02, alpha=0.5, rng=1, callback=collect
    )
    figure = pictures.cooling(densities, best.x)
    *panels, colours = figure.axes
    assert len(panels) == 3
    last = panels[-1].images[0].get_array()
    np.testing.assert_allclose(last, densities[-1].p[np.ix_(best.x, best.x)])
    np.testing.assert_allclose(last.sum(axis=1), 1)
    assert "probability" in colours.get_ylabel()
    assert len(pictures.improvement(TOWNS, tours).axes) == 3


def test_a_cut_shows_its_two_sides_and_the_edges_between_them():
    cut = MaxCut([[0, 1], [1, 2], [2, 3], [0, 2]], [1.0, 2.0, 3.0, 4.0], 5)
    axes = of_cuts.coloured(cut, [0, 1, 0, 1, 1])
    within, crossing, zeros, ones = axes.collections
    assert (len(within.get_segments()), len(crossing.get_segments())) == (1, 3)
    assert (len(zeros.get_offsets()), len(ones.get_offsets())) == (2, 3)
    names = [text.get_text() for text in axes.get_legend().get_texts()]
    assert names == ["1 edges within a side", "3 edges cut", "side 0: 2 nodes", "side 1: 3 nodes"]
    assert axes.get_title(loc="left") == "weight 6 of 10 cut"
    assert len(axes.texts) == 5
    with pytest.raises(ValueError, match=r"expected one cut of shape \(5,\); got \(1, 5\)"):
        of_cuts.coloured(cut, np.zeros((1, 5)))

"""Pictures of comparisons: axes with names, curves that show the numbers, and small inline SVG."""

import re
import xml.etree.ElementTree as ET

import numpy as np
import pytest
from runs_by_hand import NOTHING, estimated, plan, searched

from experiments import comparison, figures
from experiments.inline_svg import INK

A, B = "rho=0.1", "rho=0.2"


def of(rows, **keywords):
    runs, histories = [row[0] for row in rows], {row[0].id: row[1] for row in rows}
    return comparison.of(runs, histories, **keywords)


@pytest.fixture
def searches():
    rng = np.random.default_rng(4)
    return of(
        [
            searched(name, s, np.maximum.accumulate(rng.normal(k, 1.0, 60)).tolist())
            for k, name in enumerate((A, B))
            for s in range(10)
        ],
        target=2.5,
    )


@pytest.fixture
def estimates():
    steps = [(500, NOTHING), (600, 4.0), (700, 100.0), (1000, 400.0)]
    return of([estimated(A, s, 1.0, 0.05, known=1.1, steps=steps) for s in range(4)])


def many(k):
    return of([searched(f"rho={i}, {'x' * 40}", s, [i + s]) for i in range(k) for s in range(3)])


def test_bands_have_the_median_and_the_quartiles_of_every_variation(searches):
    (axes,) = figures.bands(searches).axes
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("evaluations", "best score so far")
    assert axes.get_title("left") == "median and quartiles over seeds"
    first = axes.get_lines()[0]
    assert first.get_label() == A
    assert first.get_ydata()[-1] == searches.variations[0].band.median[-1]
    assert len(axes.collections) == 2  # the quartiles


def test_profiles_end_at_the_share_that_reached_the_target(searches):
    (axes,) = figures.profiles(searches).axes
    assert axes.get_title("left") == "runs that have reached the target: 2.5"
    for line, one in zip(axes.get_lines(), searches.variations, strict=True):
        first = one.profiles[0].evaluations[0]
        assert line.get_ydata()[list(line.get_xdata()).index(first)] == 1 / 10
        assert line.get_ydata()[-1] == one.reached.share
        assert line.get_drawstyle() == "steps-post"


def test_several_targets_have_a_profile_each():
    found = of([searched(A, s, [1.0 * s, 2.0 * s]) for s in range(5)], target=[2, 6])
    (axes,) = figures.profiles(found).axes
    assert [line.get_label() for line in axes.get_lines()] == ["rho=0.1: 2", "rho=0.1: 6"]
    assert [line.get_ydata()[-1] for line in axes.get_lines()] == [0.8, 0.4]


def test_relative_errors_are_on_a_logarithmic_axis(estimates):
    (axes,) = figures.bands(estimates).axes
    assert (axes.get_ylabel(), axes.get_yscale()) == ("relative error", "log")


def test_curves_of_many_variations_are_those_of_the_best():
    figure = figures.bands(many(20))
    (axes,) = figure.axes
    assert axes.get_title("right") == "the best 12 of 20 variations"
    names = [text.get_text().split(",")[0] for text in figure.legends[0].get_texts()]
    assert names == [f"rho={k}" for k in range(8, 20)]
    styles = {(line.get_color(), line.get_linestyle()) for line in axes.get_lines()[:12]}
    assert len(styles) == 12


def test_two_settings_make_a_map_with_every_figure_in_its_cell():
    changes = {f"v{r}{a}": {"rho": r / 10, "alpha": a / 10} for r in (1, 2, 3) for a in (5, 7)}
    rows = []
    for name, settings in changes.items():
        run, history = searched(name, 1, [100 * settings["rho"] + settings["alpha"]])
        run.settings.update(settings)
        rows.append((run, history))
    found = of(rows, plan=plan(changes))
    assert figures.has_settings(found)
    (axes,) = figures.settings(found).axes
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("alpha", "rho")  # more fit up than across
    shown = [text.get_text() for text in axes.texts]
    assert shown == ["10.5", "10.7", "20.5", "20.7", "30.5", "30.7"]


def changed(key, values, *, scores=None, job="minimize"):
    """A variation for each of these values, of two seeds."""
    changes = {f"v{k}": {key: value} for k, value in enumerate(values)}
    rows = []
    for name, score in zip(changes, scores or range(1, len(values) + 1), strict=True):
        for seed in (1, 2):
            run, history = searched(name, seed, [float(score)], job=job)
            run.settings.update(changes[name])
            rows.append((run, history))
    return of(rows, plan=plan(changes))


def numbers_up(axes):
    """What is written beside the axis, within its ends."""
    axes.figure.canvas.draw()
    low, high = axes.get_ylim()
    ticks = zip(axes.get_yticks(), axes.get_yticklabels(), strict=True)
    return [label.get_text() for at, label in ticks if low <= at <= high]


def worked(works):
    """Axes with the squared relative errors times the 1000 evaluations of estimates."""
    rows = [estimated(f"rho={k}", 1, 1.0, (work / 1000) ** 0.5) for k, work in enumerate(works)]
    for k, (run, _) in enumerate(rows):
        run.settings["rho"] = k
    (axes,) = figures.settings(of(rows)).axes
    assert axes.get_yscale() == "log"
    return axes


def names_below(figure):
    """Where the names below all panels are, in pixels, in the order of the panels."""
    figure.canvas.draw()
    panels = [axes for axes in figure.axes if axes.get_visible()]
    return [label.get_window_extent() for axes in panels for label in axes.get_xticklabels()]


def test_medians_of_numbers_are_joined_and_those_of_other_values_are_not():
    (axes,) = figures.settings(changed("rho", [0.1, 0.2, 0.4])).axes
    assert axes.get_lines()[-1].get_linestyle() == "-"
    for values in (["mixture", "gaussian", "multilevel"], [None, 0.1, 0.2], [True, False]):
        (axes,) = figures.settings(changed("method", values)).axes
        assert axes.get_lines()[-1].get_linestyle() == "None"


def test_what_is_not_a_number_comes_first_and_numbers_in_order():
    (axes,) = figures.settings(changed("rho", [0.4, None, 0.1, "auto"])).axes
    assert [text.get_text() for text in axes.get_xticklabels()] == ["none", "auto", "0.1", "0.4"]


def test_names_of_neighbouring_panels_do_not_meet():
    changes = {
        f"{name} {method} {n}": {"name": name, "method": method, "n_samples": n}
        for name in ("ring", "four_branch")
        for method in ("mixture", "gaussian", "multilevel")
        for n in (300, 600)
    }
    rows = [searched(name, 1, [float(k)]) for k, name in enumerate(changes, 1)]
    for run, _ in rows:
        run.settings.update(changes[run.variation])
    boxes = names_below(figures.settings(of(rows, plan=plan(changes))))
    assert len(boxes) == 7
    for k, box in enumerate(boxes):  # a quarter of an inch between them
        assert not any(box.padded(30).overlaps(other) for other in boxes[k + 1 :])


def test_names_that_are_too_long_to_stand_side_by_side_are_turned_and_lose_their_middle():
    figure = figures.settings(changed("instance", [f"/a/{'long/' * 9}{k}.tsp" for k in range(20)]))
    names_below(figure)
    (axes,) = figure.axes
    names = [label.get_text() for label in axes.get_xticklabels()]
    assert {label.get_rotation() for label in axes.get_xticklabels()} == {60.0}
    assert [name[-6:] for name in names[9:11]] == ["/9.tsp", "10.tsp"]
    assert max(map(len, names)) <= 34
    assert axes.get_position().height * figure.get_figheight() > 1.5  # inches of what is drawn


@pytest.mark.parametrize(
    ("scores", "shown"),
    [
        ([4.0, 40.0], ["5", "10", "20", "30"]),
        ([0.02, 5.0, 3000.0], ["0.1", "1", "10", "100", "1000"]),
    ],
)
def test_numbers_by_their_logarithm_are_plain(scores, shown):
    assert numbers_up(worked(scores)) == shown


def test_numbers_in_a_narrow_range_of_logarithms_are_still_several():
    assert len([float(number) for number in numbers_up(worked([62.0, 70.0, 78.0]))]) >= 3


def test_scores_that_fall_far_are_drawn_by_their_logarithm_and_others_as_they_are():
    def scale(job, scores):
        (axes,) = figures.bands(of([searched(A, 1, scores, job=job)], target=0.0)).axes
        return axes.get_yscale(), [*numbers_up(axes)][:2]

    assert scale("minimize", [2000.0, 30.0, 0.5]) == ("log", ["1", "10"])
    assert scale("minimize", [20.0, 5.0])[0] == "linear"
    assert scale("minimize", [2000.0, 0.0])[0] == "linear"
    assert scale("maximize", [0.5, 30.0, 2000.0])[0] == "linear"


@pytest.mark.parametrize("k", [2, 5, 12, 27, 60])
def test_the_axes_are_as_large_however_many_and_long_the_names_are(k):
    figure = figures.bands(many(k))
    figure.canvas.draw()
    (axes,) = figure.axes
    width, height = axes.get_position().size * figure.get_size_inches()
    assert width > 6
    assert height > 2.5
    legend = figure.legends[0].get_window_extent()
    assert legend.x1 <= figure.bbox.x1
    assert legend.y0 >= axes.get_window_extent().y1


def test_one_setting_has_a_point_for_every_variation(searches):
    (axes,) = figures.settings(searches).axes
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("rho", "median best score")
    medians = [one.figure.median for one in searches.variations]
    assert axes.get_lines()[-1].get_ydata().tolist() == medians


def test_without_settings_that_differ_there_is_no_such_picture(estimates):
    assert not figures.has_settings(estimates)
    with pytest.raises(ValueError, match="the variations differ in no setting"):
        figures.settings(estimates)


def test_a_comparison_without_any_finished_run_can_be_drawn():
    found = of([searched(A, 1, [], status="planned"), searched(B, 1, [], status="planned")])
    for draw in (figures.bands, figures.profiles, figures.settings, figures.both):
        assert figures.svg(draw(found), "none").startswith("<svg")


def test_svg_is_one_element_in_the_ink_of_the_page(searches):
    text = figures.svg(figures.bands(searches), "mine", "How far")
    root = ET.fromstring(text)  # noqa: S314 - our own
    assert root.tag.endswith("svg")
    assert text.startswith("<svg")
    assert "<title>How far</title>" in text
    assert INK not in text
    assert "currentColor" in text
    assert "<style" not in text  # it would be of the whole page
    assert "var(--series-1, #0072b2)" in text
    assert ">best score so far</text>" in text
    assert 'style="min-width: 467px; max-width: 691px;' in text  # letters of 9 pixels on a phone


def test_every_id_of_an_svg_begins_with_its_name_and_is_found_by_its_users(searches):
    text = figures.svg(figures.profiles(searches), "one")
    ids = re.findall(r'\bid="([^"]*)"', text)
    assert len(ids) == len(set(ids)) > 5
    assert all(name.startswith("one-") for name in ids)
    assert set(re.findall(r'(?:href="|url\()#([^")]*)', text)) <= set(ids)


def test_numbers_that_are_read_are_not_rounded():
    found = of([searched(A, s, [0.001 * s, 0.0125 + 0.001 * s]) for s in range(4)])
    (axes,) = figures.bands(found).axes
    text = figures.svg(axes.figure, "small")
    assert re.search(r">0\.0\d+</text>", text)


def test_the_same_figure_gives_the_same_text(searches):
    first, second = (figures.svg(figures.bands(searches), "same") for _ in range(2))
    assert first == second


@pytest.mark.parametrize("k", [6, 12, 20])
def test_svg_is_small_however_much_is_in_it(k):
    rng = np.random.default_rng(k)
    rows = [
        searched(f"rho={i}", s, np.maximum.accumulate(rng.normal(size=300)).tolist())
        for i in range(k)
        for s in range(20)
    ]
    found = of(rows, target=2.0)
    for draw in (figures.bands, figures.profiles, figures.settings):
        assert len(figures.svg(draw(found), "big")) < 60_000


def test_a_name_in_any_script_is_text_of_the_page():
    found = of([searched("長い名前", 1, [1.0, 2.0]), searched("¿½?", 1, [2.0])])
    assert "長い名前" in figures.svg(figures.bands(found), "names")


def test_estimates_of_which_none_has_an_error_can_be_drawn():
    steps = [(500, NOTHING), (600, 0.0)]
    found = of([estimated(A, 1, 0.0, None, success=False, steps=steps)])
    for draw in (figures.bands, figures.profiles, figures.both):
        assert figures.svg(draw(found), "nothing").startswith("<svg")

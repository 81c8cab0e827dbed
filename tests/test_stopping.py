"""Stop rules: each reads the history and says why, in a sentence, and whether that is a success."""

import numpy as np
import pytest

from cem import History, stopping
from cem.scores import positive_number, whole_number


def test_iterations_are_counted(history):
    rule = stopping.iterations(3)
    assert rule(history(gamma=[1, 2])) is None
    assert rule(history(gamma=[1, 2, 3])) == ("the limit of 3 iterations was reached", False)


@pytest.mark.parametrize(("most", "stops_after"), [(100, 1), (199, 1), (200, 2), (299, 2)])
def test_evaluations_stop_before_they_would_exceed_the_budget(most, stops_after, history):
    rule = stopping.evaluations(most, upcoming=100)
    runs = [History(), history(gamma=[1]), history(gamma=[1, 2]), history(gamma=[1, 2, 3])]
    assert [rule(run) is not None for run in runs].index(True) == stops_after
    assert rule(runs[stops_after]) == (f"the budget of {most} evaluations was spent", False)


def test_evaluations_keep_a_reserve_and_say_so(history):
    rule = stopping.evaluations(250, reserve=50, upcoming=100)
    assert rule(history(gamma=[1])) is None
    message = "the budget of 250 evaluations was spent (50 kept for the final sample)"
    assert rule(history(gamma=[1, 2])) == (message, False)


def test_a_first_batch_beyond_the_budget_is_never_drawn():
    assert stopping.evaluations(99, upcoming=100)(History()) is not None


def test_a_time_limit_counts_from_the_call(monkeypatch):
    now = [50.0]
    monkeypatch.setattr("cem.stopping.time.monotonic", lambda: now[0])
    rule = stopping.time_limit(10)
    now[0] = 59.9
    assert rule(History()) is None
    now[0] = 60.0
    assert rule(History()) == ("the time limit of 10 s was reached", False)


@pytest.mark.parametrize(("iteration", "calls"), [(4.0, 4), (3.0, 4), (0.9, 12)])
def test_a_time_limit_is_missed_by_half_an_iteration_at_most(iteration, calls, monkeypatch):
    now = [0.0]
    monkeypatch.setattr("cem.stopping.time.monotonic", lambda: now[0])
    rule = stopping.time_limit(10)
    asked = 1
    while not rule(History()):
        now[0] += iteration
        asked += 1
    assert asked == calls
    assert abs(now[0] - 10) <= iteration / 2


def test_a_target_is_reached_by_the_best_score(history):
    rule = stopping.target(5.0)
    assert rule(History()) is None
    assert rule(history(best=[4.9])) is None
    assert rule(history(best=[4.9, 5.0])) == ("the target was reached", True)


def test_elite_that_all_score_the_same_for_five_iterations_have_converged(history):
    rule = stopping.stalled()
    alike = {"gamma": [7.0] * 5, "top": [7.0] * 5}
    assert rule(history(**alike)) == (
        "converged: every elite scored the same for 5 iterations",
        True,
    )
    assert rule(history(gamma=[7.0] * 4, top=[7.0] * 4)) is None
    assert rule(history(gamma=[7.0] * 5, top=[7.0] * 4 + [8.0])) is None
    assert rule(history(gamma=[6.0] + [7.0] * 4, top=[6.0] + [7.0] * 4)) is None


def test_a_level_that_stands_still_while_some_elite_are_better_is_given_patience(history):
    still = {"gamma": [7.0] * 51, "top": [9.0] * 51, "best": [9.0] * 51}
    rule = stopping.stalled()
    assert rule(history(**{name: column[:50] for name, column in still.items()})) is None
    message = "stalled: neither the level nor the best score rose for 50 iterations"
    assert rule(history(**still)) == (message, True)


@pytest.mark.parametrize("column", ["gamma", "best"])
def test_a_rise_of_the_level_or_of_the_best_score_renews_the_patience(column, history):
    rising = {"gamma": [7.0] * 51, "top": [9.0] * 51, "best": [9.0] * 51}
    rising[column] = [6.5, *rising[column][1:]]
    assert stopping.stalled()(history(**rising)) is None


def test_a_density_that_has_shrunk_to_a_point_has_converged(history):
    rule = stopping.degenerate()
    assert rule(History()) is None
    assert rule(history(spread=[1.0, 1.1e-10])) is None
    message = "converged: the sampling density is concentrated on one point"
    alike = {"top": [2.0, 5.0, 5.0], "gamma": [1.0, 5.0, 5.0], "best": [2.0, 5.0, 5.0]}
    assert rule(history(spread=[1.0, 1e-9, 1e-10], **alike)) == (message, True)
    assert rule(history(spread=[1e9, 1.0, 0.1], **alike)) == (message, True)
    smooth = {"top": [-1.0, -1e-19, -1e-20], "gamma": [-2.0, -2e-19, -3e-20]}
    smooth["best"] = smooth["top"]
    assert rule(history(spread=[1.0, 3e-10, 1e-10], **smooth)) == (message, True)


@pytest.mark.parametrize(
    ("top", "gamma"),
    [([1.0, 5.0, 5.0], [0.0, 5.0, 5 - 1e-10]), ([1.0, 5 - 1e-10, 5.0], [1.0, 5 - 1e-10, 5.0])],
    ids=["within the elite", "from one batch to the next"],
)
def test_a_density_that_closed_while_its_scores_still_differed_may_have_done_so_too_early(
    top, gamma, history
):
    rising = history(spread=[1.0, 1e-5, 1e-10], top=top, gamma=gamma, best=top)
    stop = stopping.degenerate()(rising)
    assert stop.message == (
        "the sampling density closed on one point while its scores still differed: at an edge, or "
        "too early; in doubt raise n_samples or rho, or lower alpha"
    )
    assert stop.success


def test_a_density_that_has_widened_out_of_all_proportion_is_not_waited_for(history):
    rule = stopping.unbounded()
    assert rule(History()) is None
    assert rule(history(spread=[1.0, 1e30])) is None
    assert rule(history(spread=[0.0, 1.0])) is None
    message = (
        "the density is 1e+30 times as wide as at first: the scores seem to rise for ever; "
        "give bounds"
    )
    assert rule(history(spread=[1.0, 1.1e30])) == (message, False)


def test_a_density_that_lost_a_direction_has_collapsed_and_is_no_success(history):
    stop = stopping.degenerate()(history(entropy=[1.0, -np.inf], n_elite=[10, 3]))
    assert not stop.success
    assert stop.message == (
        "the density collapsed in iteration 2: its 3 elite samples were all alike in some "
        "direction; raise n_samples or rho, or lower alpha"
    )


def test_more_than_half_bad_scores_stop_and_half_do_not(history):
    assert stopping.mostly_bad(History()) is None
    assert stopping.mostly_bad(history(n_bad=[51, 50])) is None
    stop = stopping.mostly_bad(history(n_bad=[0, 51]))
    assert not stop.success
    assert stop.message == (
        "51 of the 100 scores of iteration 2 were NaN or infinite, more than half: the problem "
        "fails on most of what is sampled"
    )


@pytest.mark.parametrize(
    ("limits", "error", "message"),
    [
        ((None, 0, None, 10), ValueError, r"^max_iterations must be at least 1; got 0$"),
        (
            (None, 2.5, None, 10),
            TypeError,
            r"^max_iterations must be an int; got 2\.5 of type float",
        ),
        (
            (None, True, None, 10),
            TypeError,
            r"^max_iterations must be an int; got True of type bool",
        ),
        ((0, 1, None, 10), ValueError, r"^max_evaluations must be at least 1; got 0$"),
        (
            (9, 1, None, 10),
            ValueError,
            r"must allow one iteration of 10 samples; got 9: lower n_sam",
        ),
        ((19, 1, None, 10, 10), ValueError, r"10 samples and a final sample of 10; got 19"),
        ((None, 1, 0, 10), ValueError, r"^time_limit must be positive and finite; got 0$"),
        ((None, 1, np.nan, 10), ValueError, r"^time_limit must be positive and finite; got nan$"),
        ((None, 1, "1 s", 10), TypeError, r"^time_limit must be a number; got '1 s' of type str$"),
    ],
)
def test_a_limit_that_is_none_is_named(limits, error, message):
    most, iterations, seconds, first, *reserve = limits

    def checked():
        stopping.check_room(most, first, *reserve)
        stopping.limits(iterations, seconds)

    with pytest.raises(error, match=message):
        checked()


def test_whole_numbers_and_positive_numbers_may_be_numpys():
    assert whole_number("n", np.int64(3)) == 3
    assert type(whole_number("n", np.int64(3))) is int
    assert positive_number("s", np.float32(0.5)) == 0.5


def test_a_search_is_flat_once_its_best_samples_stay_alike(history):
    rule = stopping.flat(tolerance=1e-6)
    steps = [*np.linspace(0, 1, 30), *[1.0] * 14]
    levels = [-5.0, *(s - 1e-7 for s in steps[1:])]
    rising = history(top=steps, gamma=levels, n=[100] * 44)
    assert [rule(rising[:k]) is None for k in (1, 30, 41, 42)] == [True, True, True, False]
    assert rule(rising).success
    apart = history(top=[1.0] * 44, gamma=[0.9] * 44, n=[100] * 44)
    assert rule(apart) is None


def test_alike_is_relative_for_scores_that_never_differed_by_much(history):
    tiny = history(top=[1e-20] * 44, gamma=[0.0] * 44, n=[100] * 44)
    assert stopping.flat(tolerance=1e-6)(tiny) is None
    less = history(top=[1e-20] * 44, gamma=[0.0] + [1e-20 - 1e-29] * 43, n=[100] * 44)
    assert stopping.flat(tolerance=1e-6)(less).success


def test_a_search_is_beaten_where_it_settles_below_the_best(history):
    tops = [*np.linspace(0, 1, 20), *[1.0] * 14]
    seen = {"top": tops, "gamma": [t - 0.01 for t in tops], "n": [100] * 34}
    rule = stopping.beaten(share=0.1)
    assert rule(history(best=[2.0] * 34, **seen)).success
    assert rule(history(best=[1.05] * 34, **seen)) is None
    assert rule(history(best=[1.0] * 34, **seen)) is None
    assert rule(history(best=[2.0] * 34, **seen)[:25]) is None


def test_a_level_that_is_the_best_score_for_long_is_reliable(history):
    rule = stopping.reliable(3)
    assert rule(History()) is None
    assert rule(history(gamma=[9.0] * 2, best=[9.0] * 2)) is None
    assert rule(history(gamma=[8.0, 9.0, 9.0], best=[9.0] * 3)) is None
    assert rule(history(gamma=[8.0, 9.0, 9.0], best=[8.0, 9.0, 9.0])) is None
    assert rule(history(gamma=[8.0] * 3, best=[9.0] * 3)) is None
    message = "reliable: the level was the best score for 3 iterations"
    assert rule(history(gamma=[1.0] + [9.0] * 3, best=[9.0] * 4)) == (message, True)


def test_samples_pooled_in_vain_are_those_since_the_density_last_moved(history):
    rule = stopping.unreliable(250)
    assert rule(History()) is None
    assert rule(history(kl=[0.0, 0.0, 0.1, 0.0, 0.0])) is None  # 200
    assert rule(history(kl=[0.0, 0.0, 0.0, 0.1])) is None
    message = (
        "unreliable: neither the level nor the best score rose, although 300 samples were pooled; "
        "raise n_most, or lower alpha"
    )
    assert rule(history(kl=[0.1, 0.0, 0.0, 0.0])) == (message, False)
    assert stopping.unreliable(300)(history(kl=[0.1, 0.0, 0.0, 0.0])) == (message, False)


def test_failures_count_over_many_samples_not_in_one_small_batch(history):
    rule = stopping.failing(share=0.9, over=100)
    assert rule(history(n_bad=[7] * 14, n=[7] * 14)) is None  # 98
    assert rule(history(n_bad=[7] * 15, n=[7] * 15)).success is False
    assert rule(history(n_bad=[7] * 13 + [0, 0], n=[7] * 15)) is None
    assert rule(history(n_bad=[100, 90], n=[100, 100])) is None

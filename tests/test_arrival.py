"""Stop rules of an estimate: each says why, and whether that is a success."""

import cem
from cem import arrival


def test_a_level_is_settled_once_the_fits_at_it_rest_on_enough_samples(history):
    rule = arrival.level_settled(3.0, ess=25.0)
    assert rule(history(gamma=[1, 2], ess=[100.0, 100.0])) is None
    assert rule(history(gamma=[2, 3], ess=[100.0, 24.0])) is None
    message = "the level 3 was reached"
    assert rule(history(gamma=[2, 3, 3], ess=[100.0, 24.0, 1.0])) == (message, True)


def test_a_level_is_settled_after_a_number_of_iterations_at_the_latest(history):
    rule = arrival.level_settled(3.0, ess=25.0, most=4)
    assert rule(history(gamma=[3] * 3, ess=[1.0] * 3)) is None
    assert rule(history(gamma=[3] * 4, ess=[1.0] * 4)) is not None


def test_a_level_that_does_not_rise_is_stuck_and_says_where(history):
    rule = arrival.level_stuck(9.0, d=3)
    assert rule(history(gamma=[1, 2, 2, 2])) is None
    stop = rule(history(gamma=[1, 2, 2, 2, 2]))
    assert not stop.success
    assert stop.message.startswith(
        "the level 9 was not reached: it has not risen above 2 for 3 iterations; raise n_samples"
    )


def test_what_settles_or_is_stuck_may_be_called_something_else(history):
    rule = arrival.level_settled(1.0, ess=25.0, what="power")
    assert rule(history(gamma=[1], ess=[100.0])) == ("the power 1 was reached", True)
    stop = arrival.level_stuck(1.0, d=2, what="power")(history(gamma=[0.5, 0.5, 0.5]))
    assert stop.message.startswith("the power 1 was not reached: it has not risen above 0.5 for 2")


def test_it_is_well_aimed_once_another_iteration_does_not_lower_the_variation_by_a_fifth(history):
    rule = arrival.well_aimed(3.0, n=400)
    said = ("the level 3 was reached", True)
    assert rule(history(gamma=[1, 2], variation=[9.0, 9.0])) is None  # not at the level
    assert rule(history(gamma=[2, 3], variation=[9.0, 9.0])) is None  # nothing to compare it with
    assert rule(history(gamma=[3, 3], variation=[9.0, 8.0])) is None  # 64 < .8 * 81
    assert rule(history(gamma=[3, 3], variation=[9.0, 8.1])) == said
    assert rule(history(gamma=[3, 3], variation=[9.0, 20.0])) == said  # no better
    assert rule(history(gamma=[3, 3, 3], variation=[9.0, 9.0, 5.0])) is None  # the last two count


def test_it_is_well_aimed_where_one_batch_would_be_precise_enough(history):
    falling = history(gamma=[3, 3], variation=[5.0, 0.69])  # (.69 / .035)^2 = 389 samples
    assert arrival.well_aimed(3.0, n=400)(falling) == ("the level 3 was reached", True)
    assert arrival.well_aimed(3.0, n=380)(falling) is None


def test_nothing_is_aimed_before_there_is_a_record(history):
    assert arrival.well_aimed(3.0, n=400)(cem.History()) is None
    assert arrival.well_aimed(3.0, n=400)(history(gamma=[3], variation=[1.0])) is None


def test_a_relative_error_is_looked_at_once_as_many_samples_as_were_foreseen_are_drawn(history):
    three = history(gamma=[3] * 3, ess=[90.0, 40.0, 80.0])  # of 100, 200 and 300 samples
    assert arrival.precise(0.1, 0)(three) == ("the relative error 0.1 was reached", True)
    assert arrival.precise(0.05, 0)(three) is None  # (1 / 80 - 1 / 300) 300 / 299 = .09590^2
    assert arrival.precise(0.0960, 0)(three) is not None
    assert arrival.precise(0.0957, 0)(three) is None
    four = history(gamma=[3] * 4, ess=[9.0, 90.0, 180.0, 270.0], variation=[1.0] * 4)
    for first, enough in ((100, True), (300, True), (301, False)):  # the last 300 are final
        assert (arrival.precise(0.1, 100, first, last=1000)(four) is not None) == enough
        assert arrival.precise(0.1, 100, first, last=300)(four) is not None


def test_what_was_foreseen_wrongly_is_planned_anew_and_not_looked_at_before(history):
    ess = [9.0, 45.0, 75.0, 150.0, 290.0]  # of 100 ... 400 final samples, after 100 others
    whole = history(gamma=[3] * 5, ess=ess, variation=[1.0, 1.79, 1.0, 1.0, 1.0])  # so 396 more
    assert 1 / 45 - 1 / 100 > 0.1**2 >= 1 / 75 - 1 / 200
    for last, at in ((1000, 5), (300, 4), (200, 3)):
        rule = arrival.precise(0.1, 100, 50, last=last)
        stopped = [rule(cem.History(whole[:k])) is not None for k in range(6)]
        assert stopped == [k >= at for k in range(6)]


def test_no_relative_error_is_believed_on_less_than_thirty_effective_samples(history):
    assert arrival.precise(0.9, 0)(history(gamma=[3], ess=[29.9])) is None
    assert arrival.precise(0.9, 0)(history(gamma=[3], ess=[30.0])) is not None
    assert arrival.precise(0.9, 0)(cem.History()) is None
    assert arrival.precise(0.9, 100)(history(gamma=[3], ess=[99.0])) is None  # none of them final


def test_a_final_sample_ends_with_its_last_block(history):
    assert arrival.sampled(200, 100)(history(gamma=[3] * 2)) is None
    stop = arrival.sampled(200, 100)(history(gamma=[3] * 3))
    assert stop == ("a final sample of 200 was drawn", True)
    short = arrival.sampled(200, 100, 0.05)(history(gamma=[3] * 3))
    assert short == ("a final sample of 200 was drawn, short of the relative error 0.05", False)


def test_a_level_that_was_reached_is_not_stuck(history):
    assert arrival.level_stuck(2.0, d=3)(history(gamma=[2, 2, 2, 2, 2])) is None


def test_a_level_may_dip_and_must_then_rise_above_where_it_was(history):
    assert arrival.level_stuck(9.0, d=3)(history(gamma=[2, 1, 1.5, 1.9])) is not None
    assert arrival.level_stuck(9.0, d=3)(history(gamma=[2, 1, 1.5, 2.1])) is None
    assert arrival.level_stuck(9.0, d=3)(history(gamma=[2, 2.1, 1, 1.5])) is None

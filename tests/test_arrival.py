"""Stop rules of an estimate: each says why, and whether that is a success."""

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
        "the level 9 was not reached: it has not risen above 2 for 3 iterations; lower rho"
    )


def test_a_level_that_was_reached_is_not_stuck(history):
    assert arrival.level_stuck(2.0, d=3)(history(gamma=[2, 2, 2, 2, 2])) is None


def test_a_level_may_dip_and_must_then_rise_above_where_it_was(history):
    assert arrival.level_stuck(9.0, d=3)(history(gamma=[2, 1, 1.5, 1.9])) is not None
    assert arrival.level_stuck(9.0, d=3)(history(gamma=[2, 1, 1.5, 2.1])) is None
    assert arrival.level_stuck(9.0, d=3)(history(gamma=[2, 2.1, 1, 1.5])) is None

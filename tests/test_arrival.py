"""Stop rules of an estimate: each says why, and whether that is a success."""

from cem import History, Record, arrival

BASE = Record(
    t=1, restart=0, nfev=100, n=100, n_bad=0, gamma=1.0, top=2.0, best=2.0, n_elite=10,
    log_mass=-2.3, ess=10.0, max_weight=0.1, loss=1.0, entropy=1.0, kl=0.1, spread=1.0,
)  # fmt: skip


def history(**columns):
    """One record per element of the columns; what is not given stays as in the base."""
    length = max(len(column) for column in columns.values())
    records = []
    for i in range(length):
        values = {name: column[i] for name, column in columns.items()}
        records.append(BASE._replace(t=i + 1, nfev=100 * (i + 1), **values))
    return History(records)


def test_a_level_is_settled_once_the_fits_at_it_rest_on_enough_samples():
    rule = arrival.level_settled(3.0, ess=25.0)
    assert rule(history(gamma=[1, 2], ess=[100.0, 100.0])) is None
    assert rule(history(gamma=[2, 3], ess=[100.0, 24.0])) is None
    message = "the level 3 was reached"
    assert rule(history(gamma=[2, 3, 3], ess=[100.0, 24.0, 1.0])) == (message, True)


def test_a_level_is_settled_after_a_number_of_iterations_at_the_latest():
    rule = arrival.level_settled(3.0, ess=25.0, most=4)
    assert rule(history(gamma=[3] * 3, ess=[1.0] * 3)) is None
    assert rule(history(gamma=[3] * 4, ess=[1.0] * 4)) is not None


def test_a_level_that_does_not_rise_is_stuck_and_says_where():
    rule = arrival.level_stuck(9.0, d=3)
    assert rule(history(gamma=[1, 2, 2, 2])) is None
    stop = rule(history(gamma=[1, 2, 2, 2, 2]))
    assert not stop.success
    assert stop.message.startswith(
        "the level 9 was not reached: it has not risen above 2 for 3 iterations; lower rho"
    )


def test_a_level_that_was_reached_is_not_stuck():
    assert arrival.level_stuck(2.0, d=3)(history(gamma=[2, 2, 2, 2, 2])) is None


def test_a_level_may_dip_and_must_then_rise_above_where_it_was():
    assert arrival.level_stuck(9.0, d=3)(history(gamma=[2, 1, 1.5, 1.9])) is not None
    assert arrival.level_stuck(9.0, d=3)(history(gamma=[2, 1, 1.5, 2.1])) is None
    assert arrival.level_stuck(9.0, d=3)(history(gamma=[2, 2.1, 1, 1.5])) is None

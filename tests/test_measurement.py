"""The final sample: nothing is learnt, what counts is counted, and it can be drawn once more."""

import math

import numpy as np
import pytest

from cem import Bernoulli, Exponential, History, State
from cem.measurement import Event, Mean, Measurement
from cem.randomness import Purpose, root_of, stream
from cem.scores import NOTHING
from cem.tally import Tally

U, V = Exponential([1.0, 1.0]), Exponential([4.0, 5.0])


def total(x):
    return x.sum(axis=1)


def measuring(of=Event(9.0), **settings):  # noqa: B008 - it is frozen
    return Measurement(
        **{"nominal": U, "n_block": 40, "n_most": 100, "of": of, "root": root_of(7), **settings}
    )


def measured(m, state, score=total):
    history, batches = History(), []
    while len(state.memory["score"]) < m.n_most:
        x = m.ask(state)
        batches.append(x)
        state, record = m.tell(state, x, score(x))
        history = history.append(record)
    return state, history, batches


def test_blocks_follow_one_another_until_the_last_sample():
    m = measuring()
    _, history, batches = measured(m, m.begin(State(U), V))
    assert [len(x) for x in batches] == [40, 40, 20]
    assert history.column("nfev").tolist() == [40, 80, 100]
    assert len(np.unique(np.concatenate(batches), axis=0)) == 100


def test_a_block_is_drawn_from_the_frozen_density_at_its_own_address():
    m = measuring()
    state, _, batches = measured(m, m.begin(State(U, t=5), V))
    for t, x in enumerate(batches, start=5):
        np.testing.assert_array_equal(x, V.sample(stream(root_of(7), Purpose.FINAL, t), len(x)))
    assert state.v is V


def test_the_tally_is_that_of_the_weights_of_what_was_hit():
    m = measuring()
    state, history, batches = measured(m, m.begin(State(U), V))
    x = np.concatenate(batches)
    w = np.exp(U.log_density(x) - V.log_density(x)) * (total(x) >= 9.0)
    tally = Tally.from_array(state.memory["tally"])
    assert tally.probability == pytest.approx(w.mean(), rel=1e-12)
    assert tally.std_error == pytest.approx(w.std(ddof=1) / 10, rel=1e-9)
    last = history[-1]
    assert last.n_elite == tally.hits == (total(x) >= 9.0).sum()
    assert last.n_hit == (total(x[80:]) >= 9.0).sum()
    assert last.log_mass == tally.log_probability
    assert (last.ess, last.max_weight) == (tally.ess, tally.max_weight)
    assert last.variation == pytest.approx(w.std() / w.mean(), rel=1e-9)
    assert (last.gamma, last.kl) == (9.0, 0.0)
    np.testing.assert_array_equal(state.memory["score"], total(x))


def test_the_best_sample_is_kept():
    m = measuring()
    state, history, batches = measured(m, m.begin(State(U), V))
    x = np.concatenate(batches)
    assert state.best.score == total(x).max() == history[-1].best
    np.testing.assert_array_equal(state.best.x, x[total(x).argmax()])


def test_the_whole_sample_can_be_drawn_once_more():
    m = measuring()
    state, history, batches = measured(m, m.begin(State(U, t=3), V))
    np.testing.assert_array_equal(m.sampled(state, history), np.concatenate(batches))


def test_at_the_nominal_density_an_event_is_counted_plainly():
    m = measuring()
    for begun in (m.init(), m.begin(State(V))):
        state, _, batches = measured(m, begun)
        tally = Tally.from_array(state.memory["tally"])
        assert state.v is U
        assert tally.plain == 1
        assert tally.probability == pytest.approx((total(np.concatenate(batches)) >= 9).mean())
    assert Tally.from_array(m.begin(State(U), V).memory["tally"]).plain == 0
    assert Tally.from_array(measuring(Mean()).init().memory["tally"]).plain == 0


def test_every_sample_counts_what_the_mean_is_of():
    m = measuring(Mean(), n_most=40)

    def log_square(x):
        return 2 * np.log(total(x))

    state, _, (x,) = measured(m, m.begin(State(U), V), log_square)
    z = total(x) ** 2 * np.exp(U.log_density(x) - V.log_density(x))
    tally = Tally.from_array(state.memory["tally"])
    assert tally.probability == pytest.approx(z.mean(), rel=1e-12)
    assert tally.std_error == pytest.approx(z.std(ddof=1) / math.sqrt(40), rel=1e-9)


def test_failed_scores_are_counted_and_hit_nothing():
    m = measuring(n_most=40)

    def failing(x):
        score = total(x)
        score[:3] = np.nan, np.inf, -np.inf
        return score

    state, (record,), (x,) = measured(m, m.begin(State(U), V), failing)
    assert record.n_bad == 3
    assert record.n_elite == (total(x)[3:] >= 9.0).sum()
    assert (state.memory["score"][:3] == -np.inf).all()


def test_a_sample_that_cannot_occur_weighs_nothing_and_is_no_hit():
    u, v = Bernoulli([0.5, 0.0]), Bernoulli([0.5, 0.5])
    m = measuring(Event(1.0), nominal=u, n_block=400, n_most=400)
    state, _, (x,) = measured(m, m.begin(State(u), v))
    tally = Tally.from_array(state.memory["tally"])
    possible = (x[:, 1] == 0) & (x[:, 0] == 1)
    assert tally.hits == possible.sum()
    assert tally.probability == pytest.approx(2 * possible.mean(), rel=1e-12)


def test_an_event_pays_one_or_nothing_and_a_mean_what_it_is():
    score = np.array([-np.inf, 8.9, 9.0, 9.1])
    assert Event(9.0).log_payoff(score).tolist() == [-np.inf, -np.inf, 0.0, 0.0]
    np.testing.assert_array_equal(Mean().log_payoff(score), score)
    assert Mean().log_payoff(np.array([NOTHING])) == -np.inf
    assert (Event(9.0).most, Mean().most) == (1, math.inf)

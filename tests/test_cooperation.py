"""Several methods in one run."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.random import SeedSequence

import cem
from cem import Bernoulli, Constant, CrossEntropyMethod, Dynamic, Elite, Normal
from cem.checkpoint import dumps, loads
from cem.cooperation import MEMBER, Cooperating, Members
from cem.run import run
from cem.sizes import Decaying
from cem.state import History


def sphere(x):
    return -(x**2).sum(axis=1)


def method(**settings):
    settings = {"nominal": Normal([3.0, 3.0], [2.0, 2.0]), "n_samples": 20, "rng": 5} | settings
    return CrossEntropyMethod(**settings)


def steps(method, iterations, problem=sphere):
    state = method.init()
    for _ in range(iterations):
        x = method.ask(state)
        state, record = method.tell(state, x, problem(x))
        yield x, state, record


SETTINGS = [
    {"n_samples": 20, "smooth": Constant(0.5)},
    {"n_samples": Decaying(40, 1.25, 10), "select": Elite(0.2)},
    {"n_samples": 30, "smooth": Dynamic(), "nominal": Normal([-4.0, 1.0], [1.0, 3.0])},
]


def test_members_that_do_not_help_each_other_are_methods_that_run_alone():
    methods = [method(**settings) for settings in SETTINGS]
    together = list(steps(Cooperating(methods, every=None), 10))
    alone = [
        list(steps(replace(m, rng=SeedSequence(5, spawn_key=(MEMBER, k))), 10))
        for k, m in enumerate(methods)
    ]
    for t, (x, state, record) in enumerate(together):
        now = [of[t] for of in alone]
        assert x.tolist() == np.concatenate([own for own, _, _ in now]).tolist()
        for v, (_, own, _) in zip(state.v.of, now, strict=True):
            np.testing.assert_equal(v.parameters(), own.v.parameters())
        records = [own for _, _, own in now]
        assert record.n == sum(own.n for own in records)
        assert record.nfev == state.nfev == sum(own.nfev for own in records)
        assert (record.top, record.best) == (
            max(own.top for own in records),
            max(own.best for own in records),
        )
        leader = max(records, key=lambda own: own.gamma)
        for name in ("gamma", "n_elite", "log_mass", "ess", "max_weight", "loss"):
            assert getattr(record, name) == getattr(leader, name)
        for name in ("entropy", "kl", "spread"):
            assert getattr(record, name) == max(getattr(own, name) for own in records)
        assert state.best.score == record.best == sphere(state.best.x[None]).item()


def test_members_have_random_numbers_of_their_own():
    x = Cooperating([method()] * 3).ask(Cooperating([method()] * 3).init())
    assert len(np.unique(x)) == 120
    nominal = method()
    assert not np.isin(nominal.ask(nominal.init()), x).any()


def test_now_and_then_the_last_member_begins_anew_around_the_first():
    far = Normal([50.0, 50.0], [4.0, 6.0])
    methods = [method(), method(nominal=far), method(nominal=far)]
    together = Cooperating(methods, every=3, widening=0.25)
    apart = [state for _, state, _ in steps(Cooperating(methods, every=None), 3)]
    with_help = [(state, record) for _, state, record in steps(together, 4)]
    for own, (state, _) in zip(apart[:2], with_help[:2], strict=True):
        np.testing.assert_equal(state.v.parameters(), own.v.parameters())
    first, second, third = with_help[2][0].v.of
    np.testing.assert_equal(first.parameters(), apart[2].v.of[0].parameters())
    began = [with_help[2][0].memory[f"{k}.began"].item() for k in range(3)]
    assert sorted(began) == [0, 0, 3]
    new = (first, second, third)[began.index(3)]
    assert new.mean.tolist() == first.mean.tolist()
    np.testing.assert_allclose(new.std, 0.75 * first.std + 0.25 * far.std, rtol=1e-12)


def test_members_without_a_mean_go_back_towards_the_nominal_density():
    good, bad = Bernoulli([0.9] * 8), Bernoulli([0.1] * 8)
    together = Cooperating([method(nominal=bad), method(nominal=good)], every=1, widening=0.5)
    _, state, _ = next(steps(together, 1, lambda x: x.sum(axis=1)))
    new, first = state.v.of
    np.testing.assert_allclose(new.p, (first.p + 0.1) / 2, rtol=1e-12)


def test_members_that_do_equally_well_go_on():
    together = Cooperating([method()] * 2, every=1)
    _, state, _ = next(steps(together, 1, lambda x: np.ones(len(x))))
    assert [state.memory[f"{k}.began"].item() for k in range(2)] == [0, 0]


def test_schedules_begin_anew_with_their_member():
    methods = [method(n_samples=Decaying(40, 2.0, 10)) for _ in range(2)]
    sizes = [len(x) for x, _, _ in steps(Cooperating(methods, every=2), 5)]
    assert sizes == [80, 40, 10 + 40, 10 + 20, 10 + 40]


def test_what_a_member_remembers_is_its_own():
    methods = [
        method(smooth=cem.Settling(-1e9)),
        method(),
        method(smooth=cem.Settling(-1e9)),
    ]
    *_, (_, state, _) = steps(Cooperating(methods, every=None), 4)
    assert {name: a.tolist() for name, a in state.memory.items()} == {
        "0.began": [0], "0.settled": [4], "1.began": [0], "2.began": [0], "2.settled": [4],
    }  # fmt: skip


def test_what_a_member_remembers_ends_when_it_begins_anew():
    methods = [method(smooth=cem.Settling(-1e9)) for _ in range(2)]
    *_, (_, state, _) = steps(Cooperating(methods, every=3), 4)
    assert sorted(state.memory[f"{k}.settled"].item() for k in range(2)) == [1, 4]


def test_a_run_cut_after_any_iteration_and_resumed_gives_the_same_bits():
    methods = [method(**settings) for settings in SETTINGS]
    methods[1] = method(smooth=cem.Settling(-1e9))
    together = Cooperating(methods, every=3)

    def evaluate(x, t):
        return sphere(x) + 0 * t

    saved = []
    settings = {"until": [cem.stopping.iterations(10)]}
    whole, history, _ = run(
        together, evaluate, callbacks=[lambda state, record: saved.append((state, record))],
        **settings,
    )  # fmt: skip
    for t, (state, _) in enumerate(saved, start=1):
        file = dumps(state, History(history[:t]), {})
        start = loads(file, together.init().v)[:2]
        again, history_again, _ = run(together, evaluate, start=start, **settings)
        assert history_again == history
        assert again.best.x.tolist() == whole.best.x.tolist()
        np.testing.assert_equal(again.v.parameters(), whole.v.parameters())
        np.testing.assert_equal(dict(again.memory), dict(whole.memory))


def two_peaks(x):
    """A wide peak at -3 of height 1, and a narrower one at 3 of height 2."""
    low, high = ((x + 3) ** 2).sum(axis=1), ((x - 3) ** 2).sum(axis=1)
    return np.exp(-low / 8) + 2 * np.exp(-high / 2)


def test_several_small_methods_find_an_optimum_that_a_large_one_misses():
    start = Normal([0.0, 0.0], [2.0, 2.0])

    def found(of):
        best = 0
        for seed in range(20):
            state, _, _ = run(
                of(seed), lambda x, t: two_peaks(x) + 0 * t, until=[cem.stopping.iterations(30)]
            )
            best += state.best.score > 1.99
        return best

    def small(seed):
        return [method(nominal=start, rng=seed)] * 5

    large = found(lambda seed: method(nominal=start, n_samples=100, rng=seed))
    independent = found(lambda seed: Cooperating(small(seed), every=None))
    cooperating = found(lambda seed: Cooperating(small(seed)))
    assert large + 3 <= independent
    assert independent + 3 <= cooperating


def test_a_batch_that_is_not_the_one_asked_for_is_refused():
    together = Cooperating([method()] * 2)
    with pytest.raises(ValueError, match=r"^expected the 40 samples that ask gave, .* got 39$"):
        together.tell(together.init(), np.zeros((39, 2)), np.zeros(39))
    with pytest.raises(ValueError, match=r"one score per sample"):
        together.tell(together.init(), np.zeros((40, 2)), np.zeros(39))


@pytest.mark.parametrize(
    ("methods", "settings", "error", "message"),
    [
        ([method()], {}, TypeError, "^Cooperating needs two or more CrossEntropyMethods; got"),
        ([1, 2], {}, TypeError, "^Cooperating needs two or more CrossEntropyMethods; got"),
        (
            [method(), method(nominal=Bernoulli([0.5]))],
            {},
            ValueError,
            "^the methods must share one family, with parameters of the same shapes; got Normal",
        ),
        ([method()] * 2, {"every": 0}, ValueError, "^every, .* must be at least 1; got 0$"),
        (
            [method()] * 2,
            {"widening": 1.5},
            ValueError,
            r"^widening must lie in \[0, 1\]; got 1\.5",
        ),
        ([method()] * 2, {"widening": np.nan}, ValueError, "^widening must lie .* got nan"),
    ],
)
def test_what_cannot_cooperate_is_refused(methods, settings, error, message):
    with pytest.raises(error, match=message):
        Cooperating(methods, **settings)


def test_the_parameters_of_eleven_members_are_told_apart():
    members = Members(tuple(Bernoulli([k / 20]) for k in range(11)))
    again = members.replace(**members.parameters())
    assert [v.p.item() for v in again.of] == [k / 20 for k in range(11)]
    assert members.spread().tolist() == [v.spread().item() for v in members.of]

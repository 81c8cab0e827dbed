"""The store keeps every bit, one transaction per iteration: the same on every database."""

import math

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from storing import ROW, WHOLE, bits, record

from cem.state import Record
from experiments.database import StoreError
from experiments.store import Store

RECORDS = st.builds(
    Record,
    **{
        name: st.integers(0, 2**62) if name in WHOLE else st.floats(width=64)
        for name in Record._fields
        if name != "t"
    },
    t=st.just(1),
)


@pytest.fixture
def store(database):
    with Store(database) as opened:
        yield opened


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(written=RECORDS)
def test_a_record_comes_back_bit_for_bit(store, written):
    run = store.begin(**ROW)
    with store.writer(run) as writer:
        writer.add(written, b"", 0.0)
    (read,) = store.history(run)
    assert bits(read) == bits(written)
    assert [type(a) for a in read] == [type(a) for a in written]


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, -0.0, 5e-324, 1.7e308, 0.1])
def test_odd_floats_survive(store, value):
    run = store.begin(**ROW)
    with store.writer(run) as writer:
        writer.add(record(1, loss=value), b"", 0.0)
    assert bits(store.history(run)[0]) == bits(record(1, loss=value))


def test_a_run_comes_back_as_it_was_begun(store):
    run = store.find(store.begin(**ROW).name)
    assert {key: getattr(run, key) for key in ROW} == ROW
    assert (run.name, run.status, run.result) == ("bridge-0001", "running", None)


def test_an_iteration_its_checkpoint_and_its_time_are_committed_together(store, database):
    run = store.begin(**ROW)
    with store.writer(run) as writer:
        writer.add(record(1), b"one", 1.5)
        with Store(database) as other:
            seen = other.again(run).seconds, other.checkpoint(run), len(other.history(run))
        assert seen == (1.5, b"one", 1)
        with pytest.raises(StoreError):
            writer.add(record(1), b"two", 2.5)  # the iteration is there already
    assert store.checkpoint(run) == b"one"
    assert store.find("last").seconds == 1.5


def test_a_second_writer_ends_the_first(store):
    run = store.begin(**ROW)
    with store.writer(run) as first:
        first.add(record(1), b"one", 0.0)
        with store.writer(run) as second:
            with pytest.raises(StoreError, match="bridge-0001 was taken over by another process"):
                first.add(record(2), b"two", 0.0)
            with pytest.raises(StoreError, match="was taken over"):
                first.end("failed", 0.0)
            second.add(record(2), b"2", 0.0)
    assert store.checkpoint(run) == b"2"
    assert store.counts() == {run.id: (2, 2)}
    assert store.again(run).status == "running"


def test_a_run_is_found_by_name_by_an_unambiguous_beginning_and_as_the_last(store):
    names = [store.begin(**ROW | {"experiment": e}).name for e in ("bridge", "maxcut", "bridge")]
    assert names == ["bridge-0001", "maxcut-0002", "bridge-0003"]
    assert store.find("maxcut").name == "maxcut-0002"
    assert store.find("bridge-0001").name == "bridge-0001"
    assert store.find("last").name == "bridge-0003"
    with pytest.raises(ValueError, match="2 runs begin with 'bri': expected one; got bridge-0001"):
        store.find("bri")
    with pytest.raises(ValueError, match=r"no run 'maxcut-3' .*did you mean 'maxcut-0002'"):
        store.find("maxcut-3")


def test_settings_results_and_words_of_any_kind_come_back_as_they_were(store):
    settings = {"gamma": math.inf, "low": -math.inf, "zero": -0.0, "tiny": 5e-324, "big": 2**70}
    run = store.begin(**ROW | {"settings": settings | {"word": "\u00e4\u2028\0"}})
    read = store.again(run).settings
    assert repr(read) == repr(settings | {"word": "\u00e4\u2028\0"})
    with store.writer(run) as writer:
        writer.end("failed", 1.0, result={"x": [-0.0, 1e-310]}, error="a\0b\udc80 and ' \" %s :x")
    run = store.again(run)
    assert repr(run.result) == repr({"x": [-0.0, 1e-310]})
    assert run.error == "a\\0b\\udc80 and ' \" %s :x"


def test_several_iterations_and_the_end_are_one_commit(store):
    run = store.begin(**ROW)
    with store.writer(run) as writer:
        writer.add_all([record(1), record(2)], b"two", 2.0)
        with pytest.raises(StoreError):
            writer.add_all([record(3), record(2)], b"x", 9.0, status="done")
        writer.add_all([record(3)], b"three", 3.0, status="done", result={"fun": 1.0})
    assert [r.t for r in store.history(run)] == [1, 2, 3]
    assert store.checkpoint(run) == b"three"
    run = store.again(run)
    assert (run.status, run.seconds, run.result) == ("done", 3.0, {"fun": 1.0})


PLAN = {"description": "x", "seeds": [1, 2**100], "target": None, "changes": {"rho": 0.1}}
ROWS = [
    ROW | {"experiment": "mine", "variation": variation, "seed": seed}
    for variation in ("rho=0.1", "rho=0.2")
    for seed in PLAN["seeds"]
]


def test_a_study_is_planned_once_and_taken_up_again(store):
    loose = store.begin(**ROW)
    planned = store.plan("mine", PLAN, ROWS[1:3])
    assert [(r.variation, r.seed, r.status, r.study) for r in planned] == [
        ("rho=0.1", 2**100, "planned", "mine"),
        ("rho=0.2", 1, "planned", "mine"),
    ]
    with store.writer(planned[0]) as writer:
        writer.end("done", 1.0, result={})
    more = store.plan("mine", PLAN | {"description": "y"}, ROWS)
    assert [(r.variation, r.seed) for r in more] == [(r["variation"], r["seed"]) for r in ROWS]
    assert [r.status for r in more] == ["planned", "done", "planned", "planned"]
    assert more[1].id == planned[0].id
    assert [s.plan["description"] for s in store.studies()] == ["y"]
    assert {r.id for r in store.runs("mine")} == {r.id for r in more}
    assert {r.id for r in store.runs()} == {r.id for r in more} | {loose.id}
    assert store.runs(ids=[loose.id]) == [store.again(loose)]


def test_two_runs_of_a_variation_and_seed_cannot_be(store):
    store.plan("mine", PLAN, ROWS)
    with pytest.raises(StoreError, match=r"(?i)unique"):
        store.begin(**ROWS[0], study="mine")


def test_a_study_is_found_by_its_name_and_the_nearest_is_named(store):
    store.plan("mine", PLAN, ROWS)
    assert store.study("mine").plan == PLAN
    with pytest.raises(ValueError, match=r"there is no study 'mime' .*did you mean 'mine'"):
        store.study("mime")


def test_the_histories_of_many_runs_are_read_at_once(store):
    planned = store.plan("mine", PLAN, ROWS)
    for n, run in enumerate(planned):
        with store.writer(run) as writer:
            writer.add_all([record(t) for t in range(1, n + 1)], b"", 0.0)
    found = store.histories(planned)
    assert {key: [r.t for r in history] for key, history in found.items()} == {
        run.id: list(range(1, n + 1)) for n, run in enumerate(planned)
    }
    assert store.histories([]) == {}
    assert store.counts(ids=[planned[2].id]) == {planned[2].id: (2, 2)}


def test_a_stamp_changes_with_anything_about_its_run_and_only_then(store):
    run, other = store.begin(**ROW), store.begin(**ROW)
    seen = [store.stamps()]
    with store.writer(run) as writer:
        seen.append(store.stamps())
        writer.add(record(1), b"", 0.0)
        seen.append(store.stamps())
    store.note(run, "odd")
    seen.append(store.stamps())
    store.tag(run, ["paper"])
    seen.append(store.stamps())
    assert len({stamps[run.id] for stamps in seen}) == len(seen)
    assert len({stamps[other.id] for stamps in seen}) == 1


def test_a_note_and_tags_are_kept_and_replaced(store):
    run = store.begin(**ROW)
    assert store.note(run, "odd \u00e4").note == "odd \u00e4"
    assert store.tag(run, ["b", "a", "b"]).tags == ["a", "b"]
    assert store.tag(run, []).tags == []


def test_what_is_deleted_takes_its_iterations_along(store):
    planned = store.plan("mine", PLAN, ROWS)
    kept = store.begin(**ROW)
    for run in (planned[0], kept):
        with store.writer(run) as writer:
            writer.add(record(1), b"", 0.0)
    store.delete(planned, study="mine")
    assert (store.studies(), [run.id for run in store.runs()]) == ([], [kept.id])
    assert store.counts() == {kept.id: (1, 1)}
    with (
        pytest.raises(StoreError, match=f"run {planned[0].name} is no more in the store"),
        store.writer(planned[0]),
    ):
        pass


def test_a_run_that_is_deleted_while_it_goes_on_stops(store):
    run = store.begin(**ROW)
    with store.writer(run) as writer:
        store.delete([run])
        with pytest.raises(StoreError, match="was taken over by another process, or deleted"):
            writer.add(record(1), b"", 0.0)

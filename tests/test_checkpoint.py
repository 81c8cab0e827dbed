"""Checkpoints are numbers: every bit comes back, and anything else is refused before it costs."""

import io
import json
import subprocess
import sys
import zipfile

import numpy as np
import pytest
from numpy.lib import format as npy

import cem
from cem import (
    Bernoulli,
    Best,
    CrossEntropyMethod,
    History,
    MultivariateNormal,
    Normal,
    Record,
    State,
)
from cem.checkpoint import dumps, load, loads, save, settings_of
from cem.families import GaussianMixture
from cem.families.aligned_normals import AlignedNormals
from cem.families.defended import Defended
from cem.families.likelier import Likelier
from cem.families.stretched import Stretched
from cem.pooling import Pooled
from problems.rare_event.bridge import Bridge

FAMILY = MultivariateNormal([0.0, 1.0], np.eye(2))


def a_run(family=FAMILY, t=3):
    """A state and a history as they are in the middle of a run."""
    method = CrossEntropyMethod(nominal=family, n_samples=50, rng=1)
    state, history = method.init(), History()
    for _ in range(t):
        x = method.ask(state)
        score = np.sin(x).sum(axis=1)
        score[:2] = np.nan
        state, record = method.tell(state, x, score)
        history = history.append(record)
    return state, history


def assert_same(saved, state, history):
    assert (saved.state.t, saved.state.nfev) == (state.t, state.nfev)
    np.testing.assert_equal(saved.state.v.parameters(), state.v.parameters())
    np.testing.assert_equal(dict(saved.state.memory), dict(state.memory))
    np.testing.assert_array_equal(np.array(saved.history), np.array(history))
    assert [[type(e) for e in r] for r in saved.history] == [[type(e) for e in r] for r in history]
    assert saved.state.best.score == state.best.score
    np.testing.assert_array_equal(saved.state.best.x, state.best.x)


@pytest.mark.parametrize("t", [0, 1, 3])
@pytest.mark.parametrize("family", [FAMILY, Bernoulli([0.5] * 5), Normal([0.1] * 3, [0.7] * 3)])
def test_every_bit_of_a_run_comes_back(family, t):
    state, history = a_run(family, t)
    assert_same(loads(dumps(state, history, {"a": 1, "b": "x"}), family), state, history)


def test_memory_and_numbers_that_are_not_finite_come_back():
    state, history = a_run()
    odd = history[-1]._replace(loss=np.nan, gamma=-np.inf, entropy=-np.inf, best=5e-324)
    memory = {"path": np.array([[1e-300, np.nan, np.inf]]), "count": np.array([7], dtype=np.int32)}
    state = State(state.v, state.t, 2**62, state.best, memory)
    saved = loads(dumps(state, history.append(odd), {}), FAMILY)
    assert_same(saved, state, history.append(odd))
    assert saved.state.memory["count"].dtype == np.int32


@pytest.mark.parametrize(
    "x",
    [
        np.array([1, 0, 1], dtype=np.int8),
        np.array([0.1, -1e300]),
        np.array([(3, 0.5)], dtype=[("k", "<i4"), ("u", "<f8")])[0],
        np.float64(0.25),
    ],
    ids=["bits", "floats", "structured", "number"],
)
def test_the_best_sample_comes_back_with_its_type(x):
    state = State(Bernoulli([0.5]), best=Best(x, 2.5))
    found = loads(dumps(state, History(), {}), Bernoulli([0.5])).state.best
    assert found.score == 2.5
    assert np.asarray(found.x).dtype == np.asarray(x).dtype
    assert np.asarray(found.x).tobytes() == np.asarray(x).tobytes()


def test_equal_runs_make_equal_files():
    assert dumps(*a_run(), {"n": 1}) == dumps(*a_run(), {"n": 1})


def test_a_file_holds_the_run_and_nothing_else_is_left(tmp_path):
    path = tmp_path / "run.npz"
    for t in (1, 2, 3):
        save(path, *a_run(t=t), {"n": 1})
    assert_same(load(path, FAMILY, {"n": 1}), *a_run(t=3))
    assert [p.name for p in tmp_path.iterdir()] == ["run.npz"]


def test_a_file_is_written_whole_or_not_at_all(tmp_path, monkeypatch):
    path = tmp_path / "run.npz"
    save(path, *a_run(t=1), {"n": 1})
    before = path.read_bytes()

    def full(descriptor):
        raise OSError(28, f"No space left on device for {descriptor}")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(OSError, match="No space left"):
        save(path, *a_run(t=2), {"n": 1})
    assert path.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == ["run.npz"]


def test_the_density_may_be_of_several_types_and_is_of_the_one_that_has_its_parameters():
    state, history = a_run()
    data = dumps(state, history, {})
    for families in ([FAMILY, Bernoulli([0.5])], [Bernoulli([0.5]), FAMILY], (FAMILY,)):
        assert_same(loads(data, families), state, history)
        assert type(loads(data, families).state.v) is MultivariateNormal
    with pytest.raises(ValueError, match="does not fit the family Bernoulli"):
        loads(data, [Bernoulli([0.5]), cem.Exponential([1.0])])


def test_the_numbers_of_an_estimate_come_back_with_their_types():
    state, history = a_run()
    odd = history[-1]._replace(n_hit=7, variation=np.inf)
    (record,) = loads(dumps(state, History([odd]), {}), FAMILY).history
    assert (record.n_hit, record.variation) == (7, np.inf)
    assert type(record.n_hit) is int


def nested(mean=(0.0, 0.0), scales=(1.0, 2.0), k=2):
    """A density that is made of others."""
    wide = Stretched([0.0] * 2, [1.0] * 2, list(scales), [0.5, 0.5])
    kinds = (GaussianMixture.around(list(mean), [1.0] * 2, k), AlignedNormals.standard_normal(2, k))
    return Defended.by(wide, Likelier(kinds))


def pooled(first):
    return Pooled(nominal=Normal([0.0] * 2, [1.0] * 2), n_samples=50, rng=1, first=first)


def test_the_settings_of_a_density_made_of_others_are_the_same_whenever_it_is_made():
    assert settings_of(pooled(nested())) == settings_of(pooled(nested()))
    for other in (nested(mean=(0.0, 1.0)), nested(scales=(1.0, 3.0)), nested(k=3)):
        assert settings_of(pooled(nested())) != settings_of(pooled(other))


def test_settings_that_cannot_be_written_leave_no_file(tmp_path):
    with pytest.raises(TypeError):
        save(tmp_path / "run.npz", *a_run(), {"n": object()})
    assert list(tmp_path.iterdir()) == []


def test_a_file_is_plain_arrays_and_json_that_numpy_alone_can_read():
    state, history = a_run()
    with np.load(io.BytesIO(dumps(state, history, {"n": 7})), allow_pickle=False) as arrays:
        assert json.loads(arrays["head"].tobytes())["settings"] == {"n": 7}
        np.testing.assert_array_equal(arrays["v.mean"], state.v.mean)
        np.testing.assert_array_equal(arrays["history"], np.array(history))


def test_every_truncation_is_refused():
    data = dumps(*a_run(), {})
    for length in range(0, len(data), 7):
        with pytest.raises(ValueError, match=r"^the checkpoint cannot be read .* likely truncated"):
            loads(data[:length], FAMILY)


def test_every_flipped_byte_is_refused_or_changes_nothing():
    state, history = a_run()
    data = dumps(state, history, {})
    refused = 0
    for at in range(len(data)):
        for flip in (0xFF, 0x01):
            damaged = bytearray(data)
            damaged[at] ^= flip
            try:
                saved = loads(bytes(damaged), FAMILY)
            except ValueError as error:
                assert str(error).startswith("the checkpoint ")  # noqa: PT017 - it need not fail
                refused += 1
            else:
                assert_same(saved, state, history)
    assert refused > len(data)


@pytest.mark.parametrize(
    "data", [b"", b"PK", b"not a zip", bytes(1000), b"PK\x05\x06" + bytes(18)], ids=range(5)
)
def test_what_is_no_checkpoint_is_refused(data):
    with pytest.raises(ValueError, match=r"^the checkpoint cannot be read .*: expected a whole"):
        loads(data, FAMILY)


def test_a_file_that_cannot_be_read_is_named(tmp_path):
    path = tmp_path / "run.npz"
    path.write_bytes(b"hello")
    with pytest.raises(ValueError, match=rf"^checkpoint {path} cannot be read"):
        load(path, FAMILY)


def npy_file(shape, dtype="<f8", payload=b""):
    """An .npy file whose header may say anything."""
    header = f"{{'descr': {dtype!r}, 'fortran_order': False, 'shape': {shape!r}, }}".encode()
    header += b" " * (63 - (10 + len(header)) % 64) + b"\n"
    return npy.magic(1, 0) + len(header).to_bytes(2, "little") + header + payload


def forged(**members):
    """A good checkpoint, some members of which are replaced by these bytes."""
    out = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(dumps(*a_run(), {}))) as good,
        zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as bad,
    ):
        for name in good.namelist():
            key = name.removesuffix(".npy").replace(".", "_")
            bad.writestr(name, members.pop(key, good.read(name)))
        for key, data in members.items():
            bad.writestr(f"{key.replace('_', '.', 1)}.npy", data)
    return out.getvalue()


def head(value):
    data = json.dumps(value).encode()
    return npy_file((len(data),), "|u1", data)


FORGED = {
    "a trillion numbers": {"v_mean": npy_file((10**12,))},
    "a trillion numbers of a best sample": {"best_x": npy_file((10**6, 10**6))},
    "a trillion empty rows": {"history": npy_file((10**12, 0))},
    "a trillion elements of no size": {"history": npy_file((10**12,), "|V0")},
    "a trillion empty strings": {"memory_a": npy_file((10**12,), "<U0")},
    "a negative shape": {"v_mean": npy_file((-1, -2), payload=bytes(16))},
    "a shape of another kind": {"v_mean": npy_file("many")},
    "a size that is no array's": {"v_mean": npy_file((2,), payload=bytes(15))},
    "objects": {"best_x": npy_file((1,), "|O", b"cos\nsystem\n(S'true'\ntR.")},
    "no array at all": {"v_mean": b"hello"},
    "an unknown format": {"v_mean": b"\x93NUMPY\x09\x00" + bytes(100)},
    "a deep header": {"v_mean": npy.magic(1, 0) + (9000).to_bytes(2, "little") + b"(" * 9000},
    "a header that is code": {"v_mean": npy_file("__import__('os').getcwd()")},
    "a head that is no object": {"head": head([1, 2])},
    "a head without settings": {"head": head({"version": 3})},
    "a head of text": {"head": npy_file((3,), "|u1", b"{{{")},
    "a count of one number": {"count": npy_file((1,), "<i8", bytes(8))},
    "a count that is no row": {"count": npy_file((), "<i8", bytes(8))},
    "a history of other columns": {"history": npy_file((1, 3), "<f8", bytes(24))},
    "a flat history": {"history": npy_file((3,), "<f8", bytes(24))},
    "infinitely many samples": {
        "history": npy_file(
            (1, len(Record._fields)), "<f8", np.full(len(Record._fields), np.inf).tobytes()
        ),
    },
    "text for a parameter": {"v_mean": npy_file((2,), "<U3", bytes(24))},
    "complex numbers": {"v_mean": npy_file((2,), "<c16", bytes(32))},
    "a best sample without a score": {"best_score": npy_file((0,))},
}

LIMITED = """
import pathlib, re, resource, sys
resource.setrlimit(resource.RLIMIT_AS, (2**32, 2**32))
resource.setrlimit(resource.RLIMIT_CPU, (20, 20))
import numpy as np
from cem import MultivariateNormal
from cem.checkpoint import loads
try:
    loads(sys.stdin.buffer.read(), MultivariateNormal([0.0, 1.0], np.eye(2)))
except ValueError as error:
    peak = re.search("VmHWM: *[^0-9]*([0-9]+) kB", pathlib.Path("/proc/self/status").read_text())
    print(int(peak[1]) // 1024, str(error).replace(chr(10), "<newline>"))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="limits the memory of a process as Linux does")
@pytest.mark.parametrize("lie", FORGED)
def test_a_forged_file_is_refused_in_a_line_and_without_taking_memory(lie, root):
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", LIMITED],
        input=forged(**FORGED[lie]),
        capture_output=True,
        cwd=root,
        check=False,
    )
    assert done.stderr == b""
    peak, message = done.stdout.decode().split(maxsplit=1)
    assert int(peak) < 1000  # megabytes
    assert message.startswith("the checkpoint ")
    assert "<newline>" not in message


def test_a_compressed_member_is_refused_before_it_is_unpacked():
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("head.npy", npy_file((10**8,), "|u1", bytes(10**8)))
    with pytest.raises(ValueError, match=r"head\.npy claims 100000\d+ bytes"):
        loads(out.getvalue(), FAMILY)


def test_another_version_of_the_format_is_named():
    with pytest.raises(ValueError, match=r"has format version 99; this cem reads 3$"):
        loads(forged(head=head({"version": 99, "settings": {}})), FAMILY)


def test_other_settings_are_refused_by_name_with_both_values():
    data = dumps(*a_run(), {"n_samples": 50, "rng": "1", "gone": 2})
    with pytest.raises(
        ValueError,
        match=r"^the checkpoint was made with other settings: gone = 2, now None, n_samples = 50, "
        r"now 60, new = None, now 3; use the same ones, or another file$",
    ):
        loads(data, FAMILY, {"n_samples": 60, "rng": "1", "new": 3})


@pytest.mark.parametrize(
    ("family", "message"),
    [
        (
            Bernoulli([0.5]),
            r"^the checkpoint does not fit the family Bernoulli: .*another problem$",
        ),
        (MultivariateNormal([0.0], [[1.0]]), r"mean has shape \(2,\), expected \(1,\)"),
    ],
)
def test_a_checkpoint_of_another_family_is_refused(family, message):
    with pytest.raises(ValueError, match=message):
        loads(dumps(*a_run(), {}), family)


def test_whatever_decides_the_bits_of_a_run_is_in_its_settings():
    base = {"nominal": Bernoulli([0.5, 0.5]), "n_samples": 50, "rng": 1}
    others = [
        {"nominal": Bernoulli([0.5, 0.6])},
        {"nominal": cem.Exponential([0.5, 0.5])},
        {"n_samples": 60},
        {"rng": 2},
        {"select": cem.Elite(0.2)},
        {"smooth": cem.Constant(0.8)},
        {"gamma": 3.0},
        {"log_weight": cem.likelihood_ratio},
    ]
    known = settings_of(CrossEntropyMethod(**base), chunk_size=10)
    assert known == settings_of(CrossEntropyMethod(**base), chunk_size=10)
    assert known != settings_of(CrossEntropyMethod(**base), chunk_size=11)
    for other in others:
        assert settings_of(CrossEntropyMethod(**{**base, **other}), chunk_size=10) != known
    assert json.loads(json.dumps(known)) == known


@pytest.mark.parametrize(
    ("wrote", "reads"),
    [
        ({"n_samples": 100}, {"n_samples": np.int64(100)}),
        ({"n_samples": np.int64(100)}, {"n_samples": 100}),
        ({"rho": 0.1}, {"rho": np.float64(0.1)}),
        ({"alpha": 0.5}, {"alpha": np.float64(0.5)}),
        ({"chunk_size": 64}, {"chunk_size": np.int64(64)}),
        ({"rng": 1}, {"rng": np.int64(1)}),
    ],
)
def test_equal_settings_are_the_same_whether_pythons_or_numpys(wrote, reads, tmp_path):
    def go(iterations, settings):
        return cem.maximize(
            lambda x: x.sum(axis=1),
            Bernoulli([0.5] * 20),
            **{"n_samples": 100, "rng": 1, **settings},
            max_iterations=iterations,
            checkpoint=tmp_path / "run.npz",
        )

    go(1, wrote)
    assert go(3, reads).nit == 3


def test_a_final_sample_may_be_counted_by_numpy(tmp_path):
    found = cem.estimate(
        Bridge(1.0), n_samples=200, n_final=np.int64(300), rng=1, checkpoint=tmp_path / "run.npz"
    )
    assert found.tally.n == 300


@pytest.mark.parametrize(
    ("changed", "named"),
    [
        ({"n_samples": 120}, r"n_samples = 100, now 120"),
        ({"rho": 0.2}, r"select = 'Elite\(rho=0\.1\)', now 'Elite\(rho=0\.2\)'"),
        ({"alpha": 0.5}, r"smooth = 'Constant\(alpha=0\.7\)', now 'Constant\(alpha=0\.5\)'"),
        ({"rng": 2}, r"rng = '1', now '2'"),
        ({"chunk_size": 64}, r"chunk_size = 512, now 64"),
        ({"family": Bernoulli([0.5] * 19 + [0.4])}, r"nominal = '\w+', now '\w+'"),
    ],
)
def test_resuming_with_other_settings_is_refused_by_name(changed, named, tmp_path):
    settings = {"family": Bernoulli([0.5] * 20), "n_samples": 100, "rng": 1, "max_iterations": 2}
    settings["preset"] = "textbook"
    path = tmp_path / "run.npz"
    cem.maximize(lambda x: x.sum(axis=1), **settings, checkpoint=path)
    before = path.read_bytes()
    with pytest.raises(ValueError, match=rf"was made with other settings: .*{named}"):
        cem.maximize(lambda x: x.sum(axis=1), **{**settings, **changed}, checkpoint=path)
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    ("changed", "named"),
    [
        ({"n_final": 999}, r"n_final = 500, now 999"),
        ({"n_final": None, "rtol": 0.1}, r"n_final = 500, now 0, rtol = 0\.0, now 0\.1"),
        ({"gamma": 2.5}, r"gamma = '2\.0', now '2\.5'"),
    ],
)
def test_resuming_an_estimate_with_other_settings_is_refused_by_name(changed, named, tmp_path):
    settings = {"problem": Bridge(), "gamma": 2.0, "n_samples": 200, "n_final": 500, "rng": 1}
    path = tmp_path / "run.npz"
    cem.estimate(**settings, checkpoint=path)
    with pytest.raises(ValueError, match=rf"was made with other settings: .*{named}"):
        cem.estimate(**{**settings, **changed}, checkpoint=path)

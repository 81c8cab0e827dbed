"""Save and load a run as plain arrays and JSON: no pickle, no code in the file, bit for bit.

A checkpoint is an ``.npz`` archive. The file gives the numbers, the program gives the types.
"""

from __future__ import annotations

import contextlib
import io
import json
import math
import os
import zipfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import fields, is_dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.lib import format as npy

from cem.families.parametric import is_family
from cem.randomness import name_of
from cem.state import Best, History, Record, State
from cem.typing import Array, Family

VERSION = 3
WHOLE = ("t", "restart", "nfev", "n", "n_bad", "n_hit", "n_elite")  # ints of a record
COUNTS = ("t", "nfev", "restart", "began")  # those of a state
Settings = Mapping[str, Any]  # names to strings and numbers


class Saved(NamedTuple):
    """What a checkpoint holds."""

    state: State
    history: History
    settings: dict[str, Any]


def settings_of(method: Any, **more: Any) -> dict[str, Any]:
    """What decides the bits of a run, as names and plain values: two runs with equal ones agree."""
    own = {field.name: getattr(method, field.name) for field in fields(method)}
    return {
        "method": type(method).__name__,
        "family": type(method.nominal).__name__,
        **{name: _plain(own[name]) for name in own if name not in {"rng", "root"}},
        "rng": name_of(method.root),
        **more,
    }


def _plain(setting: Any) -> Any:
    if is_family(setting):
        digest = sha256()
        for name, array in _all_of(setting):
            digest.update(f"{name}{array.shape}".encode())
            digest.update(np.ascontiguousarray(array).tobytes())
        return digest.hexdigest()[:16]
    if isinstance(setting, int | np.integer):
        return int(setting)
    return getattr(setting, "__name__", repr(setting))


def _all_of(part: Any, name: str = "") -> Iterator[tuple[str, Array]]:
    """The parameters of a family, and what else it is made of: a box, say, or other families."""
    if is_family(part):
        own = part.parameters()
        yield from ((f"{name}{key}", array) for key, array in own.items())
        names = [f.name for f in fields(part)] if is_dataclass(part) else []
        for key in names:
            if key not in own:
                yield from _all_of(getattr(part, key), f"{name}{key}.")
    elif isinstance(part, tuple):
        for j, one in enumerate(part):
            yield from _all_of(one, f"{name}{j}.{type(one).__name__}.")
    else:
        yield name, np.asarray(part)


def dumps(state: State, history: History, settings: Settings) -> bytes:
    """The checkpoint as bytes.

    >>> from cem.families import Bernoulli
    >>> half = Bernoulli([0.5])
    >>> loads(dumps(State(half), History(), {"n_samples": 9}), half).settings
    {'n_samples': 9}
    """
    arrays = {
        "count": np.array([getattr(state, name) for name in COUNTS], dtype=np.int64),
        "history": np.array(history, dtype=float).reshape(-1, len(Record._fields)),
        **{f"v.{name}": a for name, a in state.v.parameters().items()},
        **{f"memory.{name}": a for name, a in state.memory.items()},
    }
    if state.best.x is not None:
        arrays["best.x"] = np.asarray(state.best.x)
        arrays["best.score"] = np.array([state.best.score])
    facts = {"version": VERSION, "settings": dict(settings), "arrays": sorted(arrays)}
    arrays["head"] = np.frombuffer(json.dumps(facts).encode(), dtype=np.uint8)
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as archive:
        for name, array in arrays.items():
            part = io.BytesIO()
            npy.write_array(part, np.asanyarray(array), allow_pickle=False)
            archive.writestr(zipfile.ZipInfo(f"{name}.npy"), part.getvalue())
    return out.getvalue()


def loads(
    data: bytes,
    family: Family | Sequence[Family],
    settings: Settings | None = None,
    *,
    name: str = "the checkpoint",
) -> Saved:
    """Read a checkpoint; ``family`` gives the type of the density, ``settings`` what must agree.

    Where the density may be of several types, the first is taken whose parameters have the names
    of those in the file.

    Raises ValueError for a file that is damaged, truncated, lies about its sizes, belongs to
    another family, or was made with other settings (each is named).
    """
    try:
        arrays = _arrays(data)
        head = json.loads(arrays.pop("head").tobytes())
        version, saved, names = head["version"], head["settings"], head.get("arrays")
    except Exception as error:  # zipfile and numpy raise of many kinds
        raise _unreadable(name, error) from error
    if version == VERSION and sorted(arrays) != names:
        raise _unreadable(name, ValueError("some of its arrays are missing"))
    if version != VERSION:
        raise ValueError(f"{name} has format version {version!r}; this cem reads {VERSION}")
    if settings is not None:
        _refuse_other(name, saved, settings)
    family = _fitting(family, arrays)
    try:
        return Saved(*_restore(arrays, family), saved)
    except (KeyError, IndexError, TypeError, ValueError, OverflowError) as error:
        raise ValueError(
            f"{name} does not fit the family {type(family).__name__}: {_line(error)}; it likely "
            "belongs to another problem"
        ) from error


def save(path: str | os.PathLike[str], state: State, history: History, settings: Settings) -> None:
    """Write a checkpoint whole or not at all."""
    path = Path(path)
    part = path.with_name(path.name + ".part")
    try:
        with part.open("wb") as file:
            file.write(dumps(state, history, settings))
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            part.unlink(missing_ok=True)
        raise


def load(
    path: str | os.PathLike[str],
    family: Family | Sequence[Family],
    settings: Settings | None = None,
) -> Saved:
    """Read the checkpoint in a file; see `loads`."""
    return loads(Path(path).read_bytes(), family, settings, name=f"checkpoint {path}")


def _arrays(data: bytes) -> dict[str, Array]:
    """The members of the archive; every claimed size is checked before memory is taken."""
    arrays = {}
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        for info in archive.infolist():
            if info.compress_type != zipfile.ZIP_STORED or info.file_size > len(data):
                raise ValueError(f"{info.filename} claims {info.file_size} bytes")
            member = io.BytesIO(archive.read(info))
            readers = {(1, 0): npy.read_array_header_1_0, (2, 0): npy.read_array_header_2_0}
            if (reader := readers.get(npy.read_magic(member))) is None:
                raise ValueError(f"{info.filename} has an unknown array format")
            shape, _, dtype = reader(member)
            if dtype.hasobject or (dtype.kind not in "biuf" and dtype.names is None):
                raise ValueError(f"{info.filename} holds {dtype}, not numbers")
            if max(shape, default=0) > len(data):  # of no size, so that the next line is no help
                raise ValueError(f"{info.filename} claims shape {shape}")
            if math.prod(shape) * dtype.itemsize != info.file_size - member.tell():
                raise ValueError(f"{info.filename} claims shape {shape}, which is not its size")
            member.seek(0)
            arrays[info.filename.removesuffix(".npy")] = npy.read_array(member, allow_pickle=False)
    return arrays


def _unreadable(name: str, error: Exception) -> ValueError:
    return ValueError(
        f"{name} cannot be read ({_line(error)}): expected a whole checkpoint written by cem; it "
        "is likely truncated, damaged, or another kind of file"
    )


def _line(error: Exception) -> str:
    return " ".join(str(error).split())[:200]


def _refuse_other(name: str, saved: Settings, settings: Settings) -> None:
    both = sorted({*saved, *settings})
    other = [key for key in both if saved.get(key) != settings.get(key)]
    if other:
        differences = ", ".join(f"{k} = {saved.get(k)!r}, now {settings.get(k)!r}" for k in other)
        raise ValueError(
            f"{name} was made with other settings: {differences}; use the same ones, or another "
            "file"
        )


def _fitting(family: Family | Sequence[Family], names: Iterable[str]) -> Family:
    families = family if isinstance(family, Sequence) else (family,)
    found = {name.removeprefix("v.") for name in names if name.startswith("v.")}
    return next((f for f in families if f.parameters().keys() == found), families[0])


def _restore(arrays: Mapping[str, Array], family: Family) -> tuple[State, History]:
    v: dict[str, Array] = {}
    for name, nominal in family.parameters().items():
        v[name] = arrays[f"v.{name}"]
        if v[name].shape != nominal.shape:
            raise ValueError(f"{name} has shape {v[name].shape}, expected {nominal.shape}")
    found = "best.x" in arrays
    best = Best(arrays["best.x"][()], float(arrays["best.score"][0])) if found else Best()
    memory = {k.removeprefix("memory."): a for k, a in arrays.items() if k.startswith("memory.")}
    counts = dict(zip(COUNTS, arrays["count"].tolist(), strict=True))
    history = History(_record(row) for row in arrays["history"].tolist())
    return State(family.replace(**v), best=best, memory=memory, **counts), history


def _record(row: list[float]) -> Record:
    named: dict[str, Any] = dict(zip(Record._fields, row, strict=True))
    return Record(**named | {name: int(named[name]) for name in WHOLE})

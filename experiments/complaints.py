"""What a database complains of, in the words of the person who named the store."""

from __future__ import annotations

from pathlib import Path

FULL = (
    "the disk is full: the store {name} cannot take more; what it held before is safe, and runs "
    "can be resumed once there is space"
)
DAMAGED = "{name} is not a store: the file is no SQLite database, or is damaged"
SAYS = {  # what a database says, and what is said of it
    "disk is full": FULL,
    "No space left on device": FULL,
    "could not extend file": FULL,
    "not a database": DAMAGED,
    "malformed": DAMAGED,
    "unable to open": "the store {name} cannot be opened: {likely}",
    "readonly": "the store {name} cannot be written: the file or its folder is read-only",
    "locked": "the store {name} is locked: another process has held it for {patience} s",
}
FOR_EVER = (  # what is said by a server that it is no use to try again
    "does not exist",
    "authentication failed",
    "no password supplied",
    "pg_hba.conf",
    "could not translate host name",
    "invalid",
)


class StoreError(ValueError):
    """The store cannot be used, and why, in one line."""


class AwayError(StoreError):
    """The server of the store cannot be reached, which may pass."""


class ReplacedError(StoreError):
    """The run is another process's now, or there no more."""


def may_pass(error: BaseException) -> bool:
    """Whether a server that could not be reached may be reached in a moment."""
    return not any(words in str(error) for words in FOR_EVER)


def complaint(
    name: str, path: Path | None, error: BaseException, *, away: bool, patience: int
) -> str:
    """What went wrong with the store of that name, and file if it is one, on one line."""
    said = " ".join(str(error).split())
    if away:
        return f"the server of the store {name} cannot be reached: {said}"
    other = "the store {name} cannot be used: {said}"
    form = next((text for words, text in SAYS.items() if words in said), other)
    return form.format(name=name, said=said, patience=patience, likely=_likely(path))


def _likely(path: Path | None) -> str:
    """Why a file cannot be opened."""
    if path is None or path.is_dir():
        return "it is a folder"
    folder = path.absolute().parent
    return f"{folder} cannot be written" if folder.is_dir() else f"there is no folder {folder}"

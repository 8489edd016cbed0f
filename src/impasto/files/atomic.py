"""Writing a file whole or not at all."""

from __future__ import annotations

import hashlib
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import FileLock, Timeout

from impasto.errors import OutputError


@contextmanager
def atomic_write(path: Path) -> Iterator[Path]:
    """A temporary path in the same folder, moved to ``path`` when the block ends well.

    Whatever goes wrong, ``path`` is either as it was or complete, and nothing else is left. The
    temporary name is short, so that every name that the disk takes can be written.

    Raises:
        OutputError: the folder cannot be written to, the name is too long, or the disk is full.

    """
    temporary = path.with_name(f".{_mark(path)}{secrets.token_hex(4)}.part")
    try:
        yield temporary
        _flush(temporary)
        temporary.replace(path)
    except OutputError:
        raise
    except OSError as error:
        raise OutputError(
            f"{path.name!r} could not be written ({_reason(error)}): choose another --output."
        ) from error
    finally:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)


def remove_leftovers(path: Path) -> None:
    """Remove what a killed process left of an attempt to write ``path``."""
    for left in path.parent.glob(f".{_mark(path)}????????.part"):
        with suppress(OSError):
            left.unlink(missing_ok=True)


@contextmanager
def claimed(path: Path, *beside: Path) -> Iterator[None]:
    """Only one process at a time makes what is to lie at ``path`` and ``beside`` it.

    A killed process claims nothing; what it left of its attempts to write is removed.

    Raises:
        OutputError: another process is making it.

    """
    lock = FileLock(path.with_name(f".{_mark(path)}.lock"), timeout=0)
    try:
        lock.acquire()
    except Timeout as error:
        raise OutputError(
            f"Another impasto is making {path.name!r}: wait until it is done, or choose another "
            "--output."
        ) from error
    except (OSError, NotImplementedError):  # a disk that knows no locks, or is full
        yield
        return
    try:
        for each in (path, *beside):
            remove_leftovers(each)
        yield
    finally:
        with suppress(OSError):
            Path(lock.lock_file).unlink(missing_ok=True)
        lock.release()


def _mark(path: Path) -> str:
    """Eight letters that stand for a file's name, however long that is."""
    return hashlib.sha256(os.fsencode(path.name)).hexdigest()[:8]


def make_folder(path: Path) -> None:
    """Make a folder for results, and those above it, unless it is there.

    Raises:
        OutputError: it cannot be made.

    """
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(
            f"The folder {str(path)!r} cannot be made ({_reason(error)}): choose another one."
        ) from error


def _reason(error: OSError) -> str:
    return (error.strerror or str(error)).lower()


def _flush(path: Path) -> None:
    with path.open("rb+") as file:
        os.fsync(file.fileno())

"""Atomic writing: a file is written whole or not at all."""

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
    """Yield a temporary path in the same folder; rename it to ``path`` if the block succeeds.

    If anything fails, ``path`` is unchanged and the temporary file is removed. The
    temporary name is short, so that every name that the file system allows can be written.

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
    """Remove temporary files that a killed process left when it wrote ``path``."""
    for left in path.parent.glob(f".{_mark(path)}????????.part"):
        with suppress(OSError):
            left.unlink(missing_ok=True)


@contextmanager
def claimed(path: Path, *beside: Path) -> Iterator[None]:
    """Let only one process at a time write ``path`` and the files ``beside`` it.

    A killed process holds no lock; its temporary files are removed.

    Raises:
        OutputError: another process is writing one of them.

    """
    lock = FileLock(path.with_name(f".{_mark(path)}.lock"), timeout=0)
    try:
        lock.acquire()
    except Timeout as error:
        raise OutputError(
            f"Another impasto is making {path.name!r}: wait until it is done, or choose another "
            "--output."
        ) from error
    except (OSError, NotImplementedError):  # a file system without locks, or a full disk
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
    """Eight letters derived from a file's name, however long it is."""
    return hashlib.sha256(os.fsencode(path.name)).hexdigest()[:8]


def make_folder(path: Path) -> None:
    """Make a folder for results and its parents, unless it exists.

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

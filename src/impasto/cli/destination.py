"""Where one result goes: a file, or a folder that takes it under its usual name."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from impasto.errors import OutputError
from impasto.files.outputs import is_folder


@contextmanager
def destination(output: str | None, default: Path) -> Iterator[Path]:
    """The file that is meant.

    A folder that ends in a slash is made, if need be, and is gone again if nothing came into it.

    Args:
        output: as it was given; None for ``default``.
        default: the usual name, in a folder of its own choice.

    Raises:
        OutputError: the folder is a file, or cannot be made.

    """
    if output is None or not (names_folder(output) or is_folder(output)):
        yield default if output is None else Path(output)
        return
    folder = Path(output)
    is_new = not os.path.lexists(folder)
    if is_new:
        _make(folder)
    elif not folder.is_dir():
        raise OutputError(f"{str(folder)!r} is not a folder: choose another --output.")
    try:
        yield folder / default.name
    finally:
        if is_new:
            with suppress(OSError):  # there is something in it
                folder.rmdir()


def names_folder(output: str) -> bool:
    """Whether a name says, by a slash at its end, that it is a folder's."""
    return output.endswith(tuple(each for each in (os.sep, os.altsep) if each))


def _make(folder: Path) -> None:
    if not folder.absolute().parent.is_dir():
        raise OutputError(
            f"The folder {str(folder.parent)!r} does not exist: make it, or choose another "
            "--output."
        )
    try:
        folder.mkdir()
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise OutputError(
            f"The folder {str(folder)!r} cannot be made ({reason}): choose another --output."
        ) from error

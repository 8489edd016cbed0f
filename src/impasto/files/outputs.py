"""Where results may be written: never over what is read, and over the rest only if that is asked.

The one check of every command, made before any work. Files are compared as the disk knows them, so
a link, a second name or, where case makes no difference, a name in other letters is the same file.
"""

from __future__ import annotations

import glob
import os
import tempfile
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from impasto.errors import OutputError
from impasto.files.atomic import atomic_write
from impasto.files.pictures.encoding import check_suffix
from impasto.files.records.write import record_path
from impasto.recipe.still import INITS

MARK = ".impasto"
Identity = tuple[int, int]
StrPath = str | os.PathLike[str]


class Outputs:
    """What may be written by a command that reads some files.

    Args:
        inputs: all that is read; a folder or a pattern stands for the files in it. What is not
            there or no path counts for nothing.
        overwrite: other files may be replaced.

    """

    def __init__(self, inputs: Iterable[object] = (), *, overwrite: bool = False) -> None:
        paths = [Path(each) for each in inputs if isinstance(each, str | os.PathLike)]
        self._overwrite = overwrite
        self._files: set[Identity | str] = set()
        self._folders: set[Identity | str] = set()
        for path in (each for given in paths for each in _meant(given)):
            is_one = is_folder(path)
            (self._folders if is_one else self._files).update(_identities(path))
            if not is_one:
                self._folders |= _identities(Path(os.path.realpath(path)).parent)

    def check(self, *paths: Path, overwrite: bool | None = None) -> None:
        """Make sure that files may be written.

        Args:
            paths: the files; no two of them may be one.
            overwrite: these may be replaced, in place of what holds for all.

        Raises:
            OutputError: one of them is read, exists already, is a folder, has a name that is too
                long, or lies in a folder that is missing or takes nothing.

        """
        replace = self._overwrite if overwrite is None else overwrite
        for number, path in enumerate(paths):
            if any(same_file(path, other) for other in paths[:number]):
                raise OutputError(f"Two results would be one file {str(path)!r}: rename one.")
            self.check_not_read(path)
            with _one_sentence(path):
                _check_file(path, overwrite=replace)

    def check_not_read(self, *paths: Path) -> None:
        """Make sure of this alone, for files that have rules of their own.

        Raises:
            OutputError: one of them is read.

        """
        for path in paths:
            if _identities(path) & self._files:
                raise OutputError(
                    f"{str(path)!r} is one of the files that are read, which are never replaced: "
                    "choose another name."
                )

    def check_picture(
        self, path: Path, *beside: Path, depth: int = 8, overwrite: bool | None = None
    ) -> None:
        """The same of a picture of so many bits, its record and what else lies beside it.

        Raises:
            OutputError: as of :meth:`check`, or its name says no format that can be written.

        """
        check_suffix(path, depth=depth)
        self.check(path, record_path(path), *beside, overwrite=overwrite)

    def check_folder(self, path: Path, *, overwrite: bool | None = None) -> None:
        """Make sure that a folder may be filled with results.

        Args:
            path: the folder, or where it is to be made.
            overwrite: it may hold something already, in place of what holds for all.

        Raises:
            OutputError: it holds something already or files that are read, is a file, cannot be
                written to, or would lie in a folder that is missing.

        """
        check_folder(path)
        if _identities(path) & self._folders:
            raise OutputError(
                f"In {str(path)!r} the results would lie among the files that are read: choose "
                "another folder."
            )
        replace = self._overwrite if overwrite is None else overwrite
        with _one_sentence(path):
            if not replace and path.is_dir() and any(path.iterdir()):
                raise OutputError(
                    f"{str(path)!r} is not empty: name another folder, or --overwrite."
                )

    def check_own_folder(self, path: Path) -> None:
        """Make sure that a folder is new, empty or one that :func:`mark_folder` has marked.

        Raises:
            OutputError: as of :meth:`check_folder`; nor may files that are read lie in its folders.

        """
        self.check_folder(path, overwrite=True)
        with _one_sentence(path):
            inside = list(path.iterdir()) if path.is_dir() else []
        for inner in (each for each in inside if each.is_dir()):
            self.check_folder(inner, overwrite=True)
        is_used = any(not each.name.startswith(".") for each in inside)
        if is_used and not _is_marked(path):
            raise OutputError(
                f"{str(path)!r} holds something else, among which results would be written: name "
                "a new folder."
            )


def mark_folder(path: Path) -> None:
    """Have a folder known as one that belongs to impasto, and may be written to again.

    Raises:
        OutputError: it cannot be written to.

    """
    if not (path / MARK).is_file():
        with atomic_write(path / MARK) as temporary:
            temporary.write_text("impasto writes its results in this folder.\n", encoding="utf-8")


def _is_marked(path: Path) -> bool:
    """Folders of before there were marks are known by their cells."""
    return (path / MARK).is_file() or any((path / "cells").glob(f"{16 * '[0-9a-f]'}.json"))


def named_in(options: Mapping[str, Any]) -> list[object]:
    """The files that options of a recipe name: a starting picture, and weights."""
    init = options.get("init")
    return [None if init in INITS else init, options.get("weights")]


def is_folder(path: StrPath) -> bool:
    """Whether there is a folder by that name, however long that is."""
    try:
        return Path(path).is_dir()
    except OSError:
        return False


def check_folder(path: Path) -> None:
    """Make sure, before any work, that a folder for results is there or can be made.

    Raises:
        OutputError: the folder that it would lie in does not exist, or it is something else.

    """
    with _one_sentence(path):
        if os.path.lexists(path) and not path.is_dir():
            raise OutputError(f"{str(path)!r} is not a folder: choose another one.")
        if not path.absolute().parent.is_dir():
            raise OutputError(
                f"The folder {str(path.parent)!r} does not exist: make it first, or choose another "
                "one."
            )
        if not os.access(path if path.is_dir() else path.absolute().parent, os.W_OK):
            raise OutputError(f"{str(path)!r} cannot be written to: choose another one.")


@contextmanager
def _one_sentence(path: Path) -> Iterator[None]:
    """What the disk says of a name, as an error of ours."""
    try:
        yield
    except OutputError:
        raise
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise OutputError(
            f"{path.name!r} cannot be written ({reason}): choose another --output."
        ) from error


def _check_file(path: Path, *, overwrite: bool) -> None:
    if not path.parent.is_dir():
        raise OutputError(
            f"The folder {str(path.parent)!r} does not exist: make it, or choose another --output."
        )
    if path.is_dir():
        raise OutputError(f"{str(path)!r} is a folder: give --output the name of a picture.")
    if os.path.lexists(path) and not overwrite:
        raise OutputError(
            f"{str(path)!r} exists already: choose another --output, or add --overwrite."
        )
    if not os.access(path.parent, os.W_OK):
        raise OutputError(
            f"The folder {str(path.parent)!r} cannot be written to: choose another --output."
        )


def _meant(path: Path) -> Iterator[Path]:
    """A file itself; a folder and the files in it; the files of a pattern."""
    yield path
    if is_folder(path):
        with suppress(OSError), os.scandir(path) as entries:  # whoever reads it says why not
            yield from (Path(each.path) for each in entries if each.is_file())
    elif glob.has_magic(str(path)) and not os.path.lexists(path):
        yield from map(Path, glob.glob(str(path)))  # noqa: PTH207 (absolute patterns too)


def _identities(path: Path) -> set[Identity | str]:
    """A file as the disk knows it, and where its name leads to; nothing for what is not there."""
    try:
        found = path.stat()
    except (OSError, ValueError):
        return set()
    return {(found.st_dev, found.st_ino), os.path.realpath(path)}


def same_file(one: Path, other: Path) -> bool:
    """Whether two files that may not be there yet are one."""
    if _identities(one) & _identities(other):
        return True
    if os.path.realpath(one.parent) != os.path.realpath(other.parent):
        return False
    return one.name == other.name or (
        folded(one.name) == folded(other.name) and ignores_case(one.parent)
    )


def folded(name: str) -> str:
    """A name without differences of case, or of how its accents are written."""
    return unicodedata.normalize("NFC", name).casefold()


def ignores_case(folder: Path) -> bool:
    """Whether names that differ by case alone are one in a folder, or in the one it is made in."""
    folder = folder if folder.is_dir() else folder.absolute().parent
    try:
        with tempfile.NamedTemporaryFile(prefix=".impasto-a", dir=folder) as file:
            path = Path(file.name)
            return path.with_name(path.name.swapcase()).exists()
    except OSError:
        return False

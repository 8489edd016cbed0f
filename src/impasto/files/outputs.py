"""Where results may be written: never over an input, over other files only with permission.

Every command makes this check before any work. Files are compared by their identity on the disk, so
a link, a second name or, where case is ignored, another spelling is the same file.
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
from impasto.recipe.still import FACES, INITS

MARK = ".impasto"
Identity = tuple[int, int]
StrPath = str | os.PathLike[str]


class Outputs:
    """Checks what a command may write, given the files that it reads.

    Args:
        inputs: all files that are read; a folder or a pattern stands for the files in it. Missing
            files, and values that are no paths, are ignored.
        overwrite: other existing files may be replaced.

    """

    def __init__(self, inputs: Iterable[object] = (), *, overwrite: bool = False) -> None:
        paths = [Path(each) for each in inputs if isinstance(each, str | os.PathLike)]
        self._overwrite = overwrite
        self._files: set[Identity | str] = set()
        self._folders: set[Identity | str] = set()
        for path in (each for given in paths for each in _files_of(given)):
            is_one = is_folder(path)
            (self._folders if is_one else self._files).update(_identities(path))
            if not is_one:
                self._folders |= _identities(Path(os.path.realpath(path)).parent)

    def check(self, *paths: Path, overwrite: bool | None = None) -> None:
        """Make sure that files may be written.

        Args:
            paths: the files; all different.
            overwrite: whether these may be replaced, instead of the setting for all.

        Raises:
            OutputError: one of them is read, exists already, is a folder, has too long a name, or
                is in a folder that is missing or cannot be written to.

        """
        replace = self._overwrite if overwrite is None else overwrite
        for number, path in enumerate(paths):
            if any(same_file(path, other) for other in paths[:number]):
                raise OutputError(f"Two results would have the name {str(path)!r}: rename one.")
            self.check_not_read(path)
            with _one_sentence(path):
                _check_file(path, overwrite=replace)

    def check_not_read(self, *paths: Path) -> None:
        """Make only this check, for files that have other rules for replacing.

        Raises:
            OutputError: one of them is read.

        """
        for path in paths:
            if _identities(path) & self._files:
                raise OutputError(
                    f"{str(path)!r} is an input, and inputs are never replaced: "
                    "choose another name."
                )

    def check_picture(
        self, path: Path, *beside: Path, depth: int = 8, overwrite: bool | None = None
    ) -> None:
        """Check a picture of some bit depth, its record and other files beside it.

        Raises:
            OutputError: as in :meth:`check`, or the suffix is of no format that can be written.

        """
        check_suffix(path, depth=depth)
        self.check(path, record_path(path), *beside, overwrite=overwrite)

    def check_folder(self, path: Path, *, overwrite: bool | None = None) -> None:
        """Make sure that results may be written into a folder.

        Args:
            path: the folder; it need not exist.
            overwrite: whether it may hold files already, instead of the setting for all.

        Raises:
            OutputError: it is not empty, holds files that are read, is a file, cannot be written
                to, or its parent is missing.

        """
        check_folder(path)
        if _identities(path) & self._folders:
            raise OutputError(
                f"In {str(path)!r} the results would be among the inputs: choose another folder."
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
            OutputError: as in :meth:`check_folder`; its sub-folders may hold no inputs either.

        """
        self.check_folder(path, overwrite=True)
        with _one_sentence(path):
            inside = list(path.iterdir()) if path.is_dir() else []
        for inner in (each for each in inside if each.is_dir()):
            self.check_folder(inner, overwrite=True)
        is_used = any(not each.name.startswith(".") for each in inside)
        if is_used and not _is_marked(path):
            raise OutputError(f"{str(path)!r} holds other files: name a new folder.")


def mark_folder(path: Path) -> None:
    """Mark a folder as one of impasto's, which may be written to again.

    Raises:
        OutputError: it cannot be written to.

    """
    if not (path / MARK).is_file():
        with atomic_write(path / MARK) as temporary:
            temporary.write_text("impasto writes its results in this folder.\n", encoding="utf-8")


def _is_marked(path: Path) -> bool:
    """Older folders, which have no mark, are recognised by their cells."""
    return (path / MARK).is_file() or any((path / "cells").glob(f"{16 * '[0-9a-f]'}.json"))


def named_in(options: Mapping[str, Any]) -> list[object]:
    """The files that options of a recipe name: a starting picture, masks, maps, and weights."""
    init = options.get("init")
    names = ("protect", "regions", "weights")
    single = [None if init in INITS else init, *(options.get(name) for name in names)]
    single = [None if each == FACES else each for each in single]
    several = options.get("style_regions") or ()
    return [*single, *([several] if isinstance(several, str | os.PathLike) else several)]


def is_folder(path: StrPath) -> bool:
    """Whether the path is a folder; False for names that are too long."""
    try:
        return Path(path).is_dir()
    except OSError:
        return False


def check_folder(path: Path) -> None:
    """Make sure, before any work, that a folder for results exists or can be made.

    Raises:
        OutputError: its parent does not exist, or it is not a folder.

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
    """Turn the system's errors about a name into :class:`OutputError`."""
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


def _files_of(path: Path) -> Iterator[Path]:
    """The file; or the folder and the files in it; or the files of a pattern."""
    yield path
    if is_folder(path):
        with suppress(OSError), os.scandir(path) as entries:  # reading it reports the error
            yield from (Path(each.path) for each in entries if each.is_file())
    elif glob.has_magic(str(path)) and not os.path.lexists(path):
        yield from map(Path, glob.glob(str(path)))  # noqa: PTH207 (absolute patterns too)


def _identities(path: Path) -> set[Identity | str]:
    """A file's identity on the disk and its real path; empty for a missing file."""
    try:
        status = path.stat()
    except (OSError, ValueError):
        return set()
    return {(status.st_dev, status.st_ino), os.path.realpath(path)}


def same_file(one: Path, other: Path) -> bool:
    """Whether two paths, which need not exist, are the same file."""
    if _identities(one) & _identities(other):
        return True
    if os.path.realpath(one.parent) != os.path.realpath(other.parent):
        return False
    return one.name == other.name or (
        folded(one.name) == folded(other.name) and ignores_case(one.parent)
    )


def folded(name: str) -> str:
    """A name with case and Unicode composition folded."""
    return unicodedata.normalize("NFC", name).casefold()


def ignores_case(folder: Path) -> bool:
    """Whether a folder, or its nearest existing parent, ignores the case of names."""
    folder = folder if folder.is_dir() else folder.absolute().parent
    try:
        with tempfile.NamedTemporaryFile(prefix=".impasto-a", dir=folder) as file:
            path = Path(file.name)
            return path.with_name(path.name.swapcase()).exists()
    except OSError:
        return False

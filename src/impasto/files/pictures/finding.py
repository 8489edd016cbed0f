"""Finding pictures: those of a folder or a pattern, and those named in a record."""

from __future__ import annotations

import glob
import hashlib
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from impasto.errors import PictureError
from impasto.files.formats import suffixes_of
from impasto.files.pictures.opening import TIFF_HEADS, is_known

_SYSTEM_FILES = frozenset({"thumbs.db", "desktop.ini"})
_HEAD = 32  # bytes by which a format is recognised
_NAMED = 5  # files named in a message


@dataclass(frozen=True)
class Found:
    """Pictures, and notes on files that were left out.

    Attributes:
        pictures: in natural order within each folder or pattern, without duplicates.
        notes: a sentence for each folder or pattern from which files were left out.

    """

    pictures: list[Path]
    notes: tuple[str, ...] = ()


def is_many(path: Path) -> bool:
    """True for a folder or a pattern such as ``photos/*.jpg``; not for such an existing file.

    A bracket in the name of an existing folder is taken literally.
    """
    return _is_folder(path) or any(glob.has_magic(part) for part in _missing_parts(path))


def find_pictures(paths: Iterable[Path]) -> Found:
    """The pictures given by files, folders and patterns.

    Pictures are recognised by their first bytes or their suffix; sub-folders are not searched,
    and hidden files are left out.

    Raises:
        PictureError: a folder or a pattern has no picture.

    """
    unique: dict[Path, None] = {}
    notes = list[str]()
    for path in paths:
        if not is_many(path):
            unique[path] = None
            continue
        pictures, others = _sorted_out(path)
        unique.update(dict.fromkeys(pictures))
        notes += [_left_out(path, others)] if others else []
    return Found(list(unique), tuple(notes))


def pictures_of(paths: Iterable[Path]) -> list[Path]:
    """The pictures of :func:`find_pictures`, without notes.

    Raises:
        PictureError: a folder or a pattern has no picture.

    """
    return find_pictures(paths).pictures


def natural_key(path: Path) -> tuple[list[list[str | int]], str]:
    """A key that sorts numbers in names as numbers: ``frame2`` comes before ``frame10``.

    Case is ignored; names that differ only by case are sorted by their characters.
    """
    return [_pieces(part) for part in path.parts], str(path)


def is_picture(path: Path) -> bool:
    """Whether a file is a picture by its first bytes or its suffix; hidden files are not.

    Cameras' raw files begin like TIFFs, so a TIFF also needs the right suffix.
    """
    suffix = path.suffix.lower()
    if path.name.startswith(".") or not path.is_file():
        return False
    if suffix in suffixes_of("still"):
        return True
    try:
        with path.open("rb") as file:
            head = file.read(_HEAD)
    except OSError:
        return False
    return len(head) == _HEAD and is_known(head) and not (suffix and head.startswith(TIFF_HEADS))


def file_sha256(path: Path) -> str:
    """Hash of a file.

    Raises:
        PictureError: it cannot be read.

    """
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise PictureError(f"{str(path)!r} cannot be read: check its permissions.") from error


def find_by_name(name: str, sha256: str, folders: Sequence[Path]) -> Path | None:
    """The file of this name in one of the folders, preferably the one with this hash.

    ``name`` must be a plain file name; those of a record have been checked.
    """
    here = [folder / name for folder in folders if (folder / name).is_file()]
    same = [path for path in here if file_sha256(path) == sha256]
    return next(iter([*same, *here]), None)


def _sorted_out(path: Path) -> tuple[list[Path], list[Path]]:
    """The pictures of a folder or a pattern, and its other files; both in natural order."""
    try:
        inside = list(path.iterdir() if _is_folder(path) else _matching(path))
    except OSError as error:
        raise PictureError(f"{str(path)!r} cannot be read: check its permissions.") from error
    pictures, others = list[Path](), list[Path]()
    for each in sorted(inside, key=natural_key):
        if is_picture(each):
            pictures.append(each)
        elif not each.name.startswith(".") and each.name.lower() not in _SYSTEM_FILES:
            others.append(each)
    if not pictures:
        raise PictureError(f"There is no picture in {str(path)!r}: check the name.")
    return pictures, others


def _left_out(path: Path, others: Sequence[Path]) -> str:
    names = [f"{each.name}/" if each.is_dir() else each.name for each in others]
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    are = "1 entry is" if len(names) == 1 else f"{len(names)} entries are"
    listed = f"{', '.join(names[:_NAMED])}{more}"
    return f"Of {str(path)!r} {are} left out, not being readable pictures: {listed}."


def _matching(pattern: Path) -> Iterator[Path]:
    """The paths that match a pattern; a part of it that exists literally is taken literally."""
    here = [Path(pattern.anchor)]
    for part in pattern.parts[bool(pattern.anchor) :]:
        here = [each for folder in here for each in _within(folder, part)]
    return iter(here)


def _within(folder: Path, part: str) -> list[Path]:
    if _exists(folder / part):
        return [folder / part]
    if not glob.has_magic(part):
        return []
    return [folder / name for name in glob.glob(part, root_dir=folder)]  # noqa: PTH207 (Path's also takes hidden files)


def _missing_parts(path: Path) -> tuple[str, ...]:
    """The parts of a path from the first one on that does not exist."""
    here = Path(path.anchor)
    parts = path.parts[bool(path.anchor) :]
    for index, part in enumerate(parts):
        here /= part
        if not _exists(here):
            return parts[index:]
    return ()


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except OSError:  # a name that is too long, or a folder without permission
        return False


def _is_folder(path: Path) -> bool:
    return _exists(path) and path.is_dir()


def _pieces(name: str) -> list[str | int]:
    """Alternating text and numbers."""
    parts = re.split(r"([0-9]+)", name.casefold())
    return [int(part) if index % 2 else part for index, part in enumerate(parts)]

"""Finding pictures: those of a folder or a pattern, and those that a record names."""

from __future__ import annotations

import glob
import hashlib
import re
from collections.abc import Iterable, Sequence
from pathlib import Path

from impasto.errors import PictureError
from impasto.files.images import SUFFIXES

PICTURE_SUFFIXES = frozenset({*SUFFIXES, ".gif", ".avif", ".heic", ".heif", ".bmp"})


def is_many(path: Path) -> bool:
    """True for a folder or a pattern such as ``photos/*.jpg``; a file of that very name is one."""
    return path.is_dir() or (glob.has_magic(str(path)) and not path.exists())


def pictures_of(paths: Iterable[Path]) -> list[Path]:
    """The pictures that files, folders and patterns stand for, in order, none of them twice.

    Folders are not searched further down; hidden files are left out.

    Raises:
        PictureError: a folder or a pattern has no picture.

    """
    found: dict[Path, None] = {}
    for path in paths:
        found.update(dict.fromkeys(_expanded(path)))
    return list(found)


def natural_key(path: Path) -> tuple[list[str | int], str]:
    """To sort by: numbers in names count as such, so that ``frame2`` comes before ``frame10``."""
    pieces = re.split(r"([0-9]+)", path.name.casefold())
    return [int(each) if index % 2 else each for index, each in enumerate(pieces)], str(path)


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
    """The file of this name in one of the folders themselves; that of the same hash, if any.

    ``name`` must be a plain file name: a record's have been checked to be.
    """
    here = [folder / name for folder in folders if (folder / name).is_file()]
    same = [path for path in here if file_sha256(path) == sha256]
    return next(iter([*same, *here]), None)


def _expanded(path: Path) -> list[Path]:
    if not is_many(path):
        return [path]
    inside = path.iterdir() if path.is_dir() else map(Path, glob.glob(str(path)))  # noqa: PTH207 (absolute patterns too)
    pictures = sorted(
        (
            each
            for each in inside
            if each.suffix.lower() in PICTURE_SUFFIXES
            and not each.name.startswith(".")
            and each.is_file()
        ),
        key=natural_key,
    )
    if not pictures:
        raise PictureError(f"There is no picture in {str(path)!r}: check the name.")
    return pictures

"""A folder of pictures, or a pattern of their names, as a film."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

from impasto.errors import FilmError
from impasto.files.films.clip import Clip, SourceFrame, mean_color
from impasto.files.outputs import folded
from impasto.files.pictures.finding import file_sha256, find_pictures, pictures_of
from impasto.files.pictures.images import Picture, read_picture
from impasto.files.pictures.opening import may_be_transparent
from impasto.recipe.film import FrameRange

RATE = Fraction(25)
"""Frames a second without ``--fps``."""


def open_folder(path: Path, part: FrameRange, fps: Fraction | None, max_pixels: int) -> Clip:
    """Inspect a folder of pictures; see :func:`impasto.files.films.reader.open_clip`."""
    rate = fps or RATE
    listing = find_pictures([path])
    paths = _selected(listing.pictures, part, rate)
    if not paths:
        raise FilmError(f"{path.name!r} has no frame in that part: check --start and --end.")
    first = read_picture(paths[0], max_pixels=max_pixels)
    hashes = "".join(file_sha256(each) for each in paths)
    return Clip(
        path,
        path.name,
        hashlib.sha256(hashes.encode()).hexdigest(),
        first.size,
        False,
        rate / part.every,
        1 / rate,
        None,
        len(paths),
        part,
        ground=_ground(paths, first, max_pixels),
        notes=(*_notes(path, listing.pictures), *listing.notes),
    )


def folder_frames(clip: Clip) -> Iterator[SourceFrame]:
    """Its selected frames; see :func:`impasto.files.films.reader.read_frames`."""
    every = clip.part.every
    paths = _selected(pictures_of([clip.path]), clip.part, 1 / clip.time_base)
    has_names = len({folded(path.stem) for path in paths}) == len(paths)
    for index, path in enumerate(paths):
        picture = read_picture(path, ground=clip.ground)
        if picture.size != clip.size:
            raise FilmError(
                f"{path.name!r} is {picture.size[1]}x{picture.size[0]}, the first frame "
                f"{clip.size[1]}x{clip.size[0]}: give all frames of a film one size."
            )
        name = path.stem if has_names else ""
        yield SourceFrame(index, index * every, picture.tensor, picture.alpha, every, name)


def _ground(
    paths: list[Path], first: Picture, max_pixels: int
) -> tuple[float, float, float] | None:
    """The mean colour of the visible pixels in the first picture that has any."""
    if not any(map(may_be_transparent, paths)):
        return None
    for path in paths[1:]:
        if first.alpha is None or first.alpha.max() > 0:
            break
        first = read_picture(path, max_pixels=max_pixels)
    return mean_color(first.tensor)


def _notes(path: Path, pictures: list[Path]) -> tuple[str, ...]:
    """A sentence if the order differs from the alphabetical one."""
    if pictures == sorted(pictures):
        return ()
    return (
        f"The pictures of {path.name!r} are read in the order of the numbers in their names, "
        f"from {pictures[0].name!r} to {pictures[-1].name!r}.",
    )


def _selected(paths: list[Path], part: FrameRange, fps: Fraction) -> list[Path]:
    last = len(paths) if part.end is None else -(-part.end * fps // 1)
    return paths[-(-Fraction(part.start) * fps // 1) : int(last) : part.every]

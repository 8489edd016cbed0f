"""Animated pictures read as films: GIF, APNG, WebP and AVIF, by Pillow, with alpha and times."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from PIL import Image

from impasto.errors import FilmError, PictureError
from impasto.files.films.clip import Clip, SourceFrame, mean_color
from impasto.files.films.parts import of_part, taken
from impasto.files.formats import FORMATS
from impasto.files.pictures.decoding import Decoded, decode_image
from impasto.files.pictures.finding import file_sha256
from impasto.files.pictures.images import on_ground
from impasto.files.pictures.opening import check_size, said_in_one_sentence
from impasto.recipe.film import FrameRange

_FORMATS = tuple(each.name for each in FORMATS if each.animated)
_TIME_BASE = Fraction(1, 1000)
_AT_ONCE, _USUAL = 10, 100  # milliseconds: up to the first lasts the second, as in browsers


@dataclass
class _Frame:
    """One picture, its time and its duration in milliseconds."""

    decoded: Decoded
    pts: int
    duration: int


def is_animation(path: Path) -> bool:
    """True for a picture file that holds several frames."""
    try:
        with path.open("rb") as file:
            head = file.read(32)
    except OSError:  # opening it as a film reports the error
        return False
    return (
        head.startswith((b"GIF8", b"\x89PNG\r\n\x1a\n"))
        or (head.startswith(b"RIFF") and head[8:12] == b"WEBP")
        or (head[4:8] == b"ftyp" and (b"avif" in head[8:] or b"avis" in head[8:]))
    )


def open_animation(path: Path, part: FrameRange, fps: Fraction | None, max_pixels: int) -> Clip:
    """Inspect an animated picture; see :func:`impasto.files.films.reader.open_clip`."""
    try:
        frames, size, ground = _properties(path, max_pixels)
    except PictureError as error:
        raise FilmError(str(error)) from error
    over = sum(frames)
    begun = [sum(frames[:index]) / 1000 for index in range(len(frames))]
    end = over if part.end is None else part.end
    count = sum(part.start <= at < end for at in begun)
    rate = Fraction(1000 * len(frames), over).limit_denominator(1001)
    notes = (f"{path.name!r} has times of its own: --fps is not used.",) if fps else ()
    return Clip(
        path,
        path.name,
        file_sha256(path),
        size,
        False,
        rate / part.every,
        _TIME_BASE,
        over / 1000,
        -(-count // part.every),
        part,
        ground=ground,
        notes=notes,
    )


def animation_frames(clip: Clip) -> Iterator[SourceFrame]:
    """Its selected frames; see :func:`impasto.files.films.reader.read_frames`."""
    frames = of_part(_frames(clip.path, clip.size[0] * clip.size[1]), clip.part, _TIME_BASE)
    given = 0
    try:
        for frame, time, length in taken(frames, clip.part, _TIME_BASE):
            picture, alpha = on_ground(frame.decoded, clip.ground)
            yield SourceFrame(given, time, picture, alpha, length)
            given += 1
    except PictureError as error:
        raise FilmError(
            f"{clip.name!r} is damaged after {given} frames: end the part before that with --end."
        ) from error


def _properties(
    path: Path, max_pixels: int
) -> tuple[list[int], tuple[int, int], tuple[float, float, float] | None]:
    """Durations of the frames, their size, and the mean colour of the visible pixels in the first
    frame that shows any; None for the colour where all frames are opaque.
    """
    lengths: list[int] = []
    size = (0, 0)
    ground: tuple[float, float, float] | None = None
    has_alpha = shows_nothing = False
    for frame in _frames(path, max_pixels):
        picture, alpha = on_ground(frame.decoded)
        if ground is None or shows_nothing:
            ground = mean_color(picture)
            shows_nothing = alpha is not None and float(alpha.max()) == 0
        has_alpha |= alpha is not None
        size = size if lengths else (picture.shape[-2], picture.shape[-1])
        lengths.append(frame.duration)
    if len(lengths) == 1:
        raise FilmError(f"{path.name!r} is a single picture: use impasto stylize instead.")
    return lengths, size, ground if has_alpha else None


def _frames(path: Path, max_pixels: int) -> Iterator[_Frame]:
    """All frames, decoded one at a time.

    Raises:
        PictureError: the file is damaged, or its pictures are too large.

    """
    name = repr(path.name)
    with said_in_one_sentence(name):
        image = Image.open(io.BytesIO(path.read_bytes()), formats=_FORMATS)
    with image:
        check_size(name, image.width, image.height, max_pixels)
        time = 0
        first = int(bool(image.info.get("default_image")))  # a still for programs without animation
        for number in range(first, getattr(image, "n_frames", 1)):
            with said_in_one_sentence(name):
                image.seek(number)
                image.load()
                length = round(image.info.get("duration") or 0)
                length = _USUAL if length <= _AT_ONCE else length
                frame = _Frame(decode_image(image.copy(), max_pixels), time, length)
            yield frame
            time += length

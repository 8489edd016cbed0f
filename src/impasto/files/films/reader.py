"""Films into frames: a file that PyAV or, for animated pictures, Pillow reads, or a folder."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

from impasto.errors import FilmError
from impasto.files.films.animations import animation_frames, is_animation, open_animation
from impasto.files.films.clip import Clip, SourceFrame
from impasto.files.films.container_reader import film_frames, open_film
from impasto.files.films.folders import folder_frames, open_folder
from impasto.files.pictures.finding import is_many
from impasto.recipe.film import FrameRange
from impasto.recipe.still import Recipe

__all__ = ["Clip", "SourceFrame", "open_clip", "read_frames"]


def open_clip(
    path: Path,
    part: FrameRange = FrameRange(),  # noqa: B008 (frozen)
    *,
    fps: Fraction | None = None,
    max_pixels: int = Recipe.max_pixels,
) -> Clip:
    """Look at a film without decoding more than its first frames.

    Args:
        path: a film, an animated picture, a folder of pictures, or a pattern of their names.
        part: which frames are meant.
        fps: frames a second of what says none itself; 25, or the codec's own, when not given.
        max_pixels: what a frame may hold.

    Raises:
        FilmError: missing, unreadable, without a video stream, or without any frame that is meant.
        PictureError: a picture of a folder cannot be read.

    """
    if is_many(path):
        return open_folder(path, part, fps, max_pixels)
    if not path.exists():
        raise FilmError(f"There is no file {str(path)!r}: check the name.")
    if not path.is_file():
        raise FilmError(f"{str(path)!r} is not a file: give the name of a film.")
    clip = (open_animation if is_animation(path) else open_film)(path, part, fps, max_pixels)
    is_beyond = clip.seconds is not None and part.start >= clip.seconds
    if is_beyond or (part != FrameRange() and next(read_frames(clip), None) is None):
        raise FilmError(f"{path.name!r} has no frame in that part: check --start and --end.")
    return clip


def read_frames(clip: Clip) -> Iterator[SourceFrame]:
    """The frames that are meant, one after the other.

    Raises:
        FilmError: the film is damaged; the frames before that have been given.

    """
    if is_many(clip.path):
        return folder_frames(clip)
    return animation_frames(clip) if is_animation(clip.path) else film_frames(clip)

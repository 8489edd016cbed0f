"""Reading the frames of a film: from a file, by PyAV or Pillow, or from a folder."""

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
    """Inspect a film; only its first frames are decoded.

    Args:
        path: a film, an animated picture, a folder of pictures, or a pattern of their names.
        part: which frames are selected.
        fps: frames a second where the film states none; by default 25 or the codec's own.
        max_pixels: the most pixels that a frame may have.

    Raises:
        FilmError: missing, unreadable, without a video stream, or without a selected frame.
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
    """The selected frames, one after the other.

    Raises:
        FilmError: the film is damaged; the frames before that are yielded first.

    """
    if is_many(clip.path):
        return folder_frames(clip)
    return animation_frames(clip) if is_animation(clip.path) else film_frames(clip)

"""Films without sound from pictures that were made here, at a steady rate."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from pathlib import Path

from torch import Tensor

from impasto.files.films.clip import Clip
from impasto.files.films.codecs import check_container, check_size, codec_for
from impasto.files.films.writer import Finished, Form, film_writer
from impasto.recipe.film import FrameRange


def write_silent(
    path: Path, pictures: Iterable[Tensor], size: tuple[int, int], *, rate: int = 25
) -> None:
    """Write a film atomically.

    Args:
        path: its suffix chooses container and codec.
        pictures: ``(1, 3, H, W)`` in [0, 1], all of one size.
        size: height and width; an odd row or column is left out.
        rate: pictures a second.

    Raises:
        OutputError: the film cannot be written, or the extra ``video`` is missing.

    """
    codec = codec_for(None, path, alpha=False)
    form = Form(check_container(path, codec).name, codec)
    height, width = (each // 2 * 2 for each in size)
    check_size(codec, (height, width))
    unit = Fraction(1, rate)
    clip = Clip(path, path.name, "", (height, width), False, unit**-1, unit, None, 0, FrameRange())
    with film_writer(path, form, clip, (height, width)) as writer:
        for time, picture in enumerate(pictures):
            writer.write(Finished(picture[..., :height, :width], time, duration=1))

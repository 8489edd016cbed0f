"""The properties of a film, and one of its frames."""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

from torch import Tensor

from impasto.files.films.times import Times
from impasto.ops.inits import resize
from impasto.recipe.film import FrameRange


@dataclass(frozen=True)
class Clip:
    """A film as it is displayed.

    Attributes:
        path: the file, or a folder of pictures.
        name: of the file, without folders.
        sha256: of the file, or of the hashes of the pictures.
        size: height and width as displayed, upright and with square pixels.
        is_deep: True for more than 8 bits a channel.
        rate: frames a second on average, of the selected frames.
        time_base: seconds of one unit of a frame's time.
        seconds: duration of the whole film; None where the file does not state it.
        frames: estimated number of selected frames; 0 where it is unknown.
        part: which of its frames are selected.
        origin: time of the first frame on the film's own clock, in seconds.
        has_sound: True where there is a sound stream.
        held_until: seconds at which the last frame ends, where its packet does not state it; None
            where it does.
        hole: seconds of the first frame in the part that follows missing frames; None without any.
        ground: RGB in [0, 1], the background of transparent pixels in every frame: the mean colour
            of the visible pixels in the first frame; None where the frames have no alpha.
        times: the source of its frames' times.
        notes: sentences about assumptions.

    """

    path: Path
    name: str
    sha256: str
    size: tuple[int, int]
    is_deep: bool
    rate: Fraction
    time_base: Fraction
    seconds: float | None
    frames: int
    part: FrameRange
    origin: float = 0.0
    has_sound: bool = False
    held_until: float | None = None
    hole: float | None = None
    ground: tuple[float, float, float] | None = None
    times: Times = "own"
    notes: tuple[str, ...] = ()

    @property
    def has_alpha(self) -> bool:
        """True if frames may be transparent."""
        return self.ground is not None


@dataclass(frozen=True)
class SourceFrame:
    """One frame of a film.

    Attributes:
        index: 0 for the first selected frame.
        time: in units of the clip's ``time_base`` from ``part.start``.
        picture: ``(1, 3, H, W)`` float32 in [0, 1], upright; pixels may still be non-square;
            transparent pixels are blended with the clip's ``ground``.
        alpha: ``(1, 1, H, W)`` float32 in [0, 1]; None where the whole frame is opaque.
        duration: how long it is shown, in the same units; None where it is unknown.
        name: of its file, without suffix; empty where it has none of its own.

    """

    index: int
    time: int
    picture: Tensor
    alpha: Tensor | None = None
    duration: int | None = None
    name: str = ""

    def resized(self, height: int, width: int) -> SourceFrame:
        """The frame at another size."""
        alpha = None if self.alpha is None else resize(self.alpha, height, width).clamp(0, 1)
        return replace(self, picture=resize(self.picture, height, width), alpha=alpha)


def mean_color(picture: Tensor) -> tuple[float, float, float]:
    """Mean RGB of ``(1, 3, H, W)``. If transparent pixels have the mean colour of the visible ones,
    it is that colour.
    """
    red, green, blue = picture.double().mean((0, 2, 3)).tolist()
    return red, green, blue

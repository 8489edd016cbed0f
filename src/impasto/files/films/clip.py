"""What is known of a film, and one of its frames."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from torch import Tensor

from impasto.files.films.times import Times
from impasto.recipe.film import FrameRange


@dataclass(frozen=True)
class Clip:
    """A film as it would be shown.

    Attributes:
        path: the file, or a folder of pictures.
        name: without folders.
        sha256: of the file, or of the hashes of the pictures.
        size: height and width as shown, upright and with square pixels.
        is_deep: True for more than 8 bits a channel.
        rate: frames a second on average, after leaving out.
        time_base: seconds of one unit of a frame's time.
        seconds: how long the whole film is; None where the file does not say.
        frames: about how many are meant, as far as the file says; 0 where it does not.
        part: which of its frames are meant.
        origin: seconds at which the film's own clock stands at its first frame.
        has_sound: True where there is a sound stream.
        held_until: seconds at which the last frame ends where its packet does not say so; None for
            when its packet says.
        hole: seconds of the first frame in the part before which some are missing; None for none.
        ground: RGB in [0, 1] that transparency is laid on in every frame, the mean colour of what
            is visible in the first; None where the frames hold no alpha.
        times: where the times of its frames come from.
        notes: sentences on what is taken for granted.

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
        """True where frames may be transparent."""
        return self.ground is not None


@dataclass(frozen=True)
class SourceFrame:
    """One frame of a film.

    Attributes:
        index: 0 for the first that is meant.
        time: in units of the clip's ``time_base`` from ``part.start``.
        picture: ``(1, 3, H, W)`` float32 in [0, 1], upright; pixels may be oblong still;
            transparency is laid on the clip's ``ground``.
        alpha: ``(1, 1, H, W)`` float32 in [0, 1]; None where the frame is opaque all over.
        duration: how long it is shown, in the same units; None where nothing says so.

    """

    index: int
    time: int
    picture: Tensor
    alpha: Tensor | None = None
    duration: int | None = None


def mean_color(picture: Tensor) -> tuple[float, float, float]:
    """Of ``(1, 3, H, W)``; for one whose transparency lies on the mean of what is visible, that."""
    red, green, blue = picture.double().mean((0, 2, 3)).tolist()
    return red, green, blue

"""A film's display matrix: how its frames are rotated and mirrored for display."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from av.video.frame import VideoFrame

_ENOUGH = 1.0  # degrees that are not visible


@dataclass(frozen=True)
class Turn:
    """How a stored frame becomes upright.

    Attributes:
        mirrored: left and right are swapped first.
        quarters: quarter turns to the left after that, 0 to 3.
        left_over: degrees to the left, from -45 to 45, which are not applied.

    """

    mirrored: bool = False
    quarters: int = 0
    left_over: float = 0.0

    @property
    def swaps_sides(self) -> bool:
        """True if width and height are swapped."""
        return self.quarters % 2 == 1

    @property
    def is_exact(self) -> bool:
        """False if the frames remain tilted."""
        return abs(self.left_over) <= _ENOUGH

    def __call__(self, levels: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """Apply it to ``(H, W, ...)``."""
        return np.rot90(levels[:, ::-1] if self.mirrored else levels, self.quarters)


def turn_of(frame: VideoFrame) -> Turn:
    """The rotation of a frame's display matrix; none without a matrix."""
    notes: Iterable[Any] = frame.side_data  # a mapping by kind, as PyAV annotates it
    for note in notes:
        if note.type.name == "DISPLAYMATRIX":
            return turn_by(np.frombuffer(bytes(note), np.int32).astype(float))
    return Turn()


def turn_by(matrix: npt.NDArray[np.float64]) -> Turn:
    """The rotation of a display matrix of nine numbers, in the order of ISO/IEC 14496-12.

    A point (x, y) of the stored frame, y downwards, is shown at (a x + c y, b x + d y). Shift,
    scale and shear are ignored.
    """
    a, b, _, c, d = matrix[:5]
    turned = a * d - b * c
    if not math.isfinite(turned) or turned == 0:
        return Turn()
    mirrored = bool(turned < 0)
    # Mirroring comes first: it changes the sign of what the stored frame's x becomes.
    angle = math.degrees(math.atan2(-b, a) if not mirrored else math.atan2(b, -a))
    quarters = round(angle / 90)
    return Turn(mirrored, quarters % 4, angle - 90 * quarters)

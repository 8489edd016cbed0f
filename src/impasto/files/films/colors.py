"""A decoded frame of a film as BT.709 RGB, with its alpha."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from impasto.files.films.containers import require_av
from impasto.files.films.gamuts import HDR, WIDE, is_plain, to_bt709
from impasto.files.films.turning import turn_of
from impasto.files.pictures.decoding import Decoded

if TYPE_CHECKING:
    from av.video.frame import VideoFrame

_BT709, _BT601 = 1, 5  # swscale's numbers
_UNSPECIFIED = 2
_HD_LINES = 720  # untagged films from this height on count as BT.709, as in players
_DEEP = 8


def upright(frame: VideoFrame) -> Decoded:
    """Colours and alpha of a frame, after its matrix, range, primaries, curve and rotation.

    Returns:
        ``(H, W, 3)`` and, where the frame's pixels have alpha, ``(H, W)``, in the same units.

    """
    has_alpha, turn = may_have_alpha(frame), turn_of(frame)
    levels = turn(_rgb(frame, has_alpha=has_alpha))
    colors, alpha = levels[..., :3], levels[..., 3] if has_alpha else None
    if alpha is not None and is_deep(frame):
        alpha = _whole_range(alpha, max(part.bits for part in frame.format.components))
    primaries, transfer = int(frame.color_primaries), int(frame.color_trc)
    if is_plain(primaries, transfer):
        return Decoded(colors, alpha)
    top = np.float32(np.iinfo(levels.dtype).max)
    shown = to_bt709((colors / top).astype(np.float32), primaries, transfer)
    return Decoded(shown, None if alpha is None else alpha / top)


def may_have_alpha(frame: VideoFrame) -> bool:
    """True where the frame's pixels have alpha."""
    return any(part.is_alpha for part in frame.format.components)


def is_deep(frame: VideoFrame) -> bool:
    """True for more than 8 bits a channel."""
    return any(part.bits > _DEEP for part in frame.format.components)


def color_notes(frame: VideoFrame, name: str) -> tuple[str, ...]:
    """A sentence if the colours are visibly changed."""
    primaries, transfer = int(frame.color_primaries), int(frame.color_trc)
    if transfer in HDR:
        return (f"{name!r} is high dynamic range ({HDR[transfer]}): it is tone-mapped to BT.709.",)
    if primaries in WIDE:
        return (f"{name!r} has colours of {WIDE[primaries]}: they are converted to BT.709.",)
    return ()


def _rgb(frame: VideoFrame, *, has_alpha: bool) -> npt.NDArray[Any]:
    """``(H, W, 3)``, or ``(H, W, 4)`` with alpha; 8 or 16 bits over their whole range."""
    scaling = require_av().video.reformatter.Interpolation
    space = int(frame.colorspace)
    if space == _UNSPECIFIED:
        space = _BT709 if frame.height >= _HD_LINES else _BT601
    kind = "rgba" if has_alpha else "rgb"
    eight, sixteen = {"rgba": ("rgba", "rgba64le"), "rgb": ("rgb24", "rgb48le")}[kind]
    shown = frame.reformat(
        format=sixteen if is_deep(frame) else eight,
        src_colorspace=space,
        interpolation=scaling.BICUBIC
        | scaling.FULL_CHR_H_INT
        | scaling.FULL_CHR_H_INP
        | scaling.ACCURATE_RND,
        threads=1,
    )
    return shown.to_ndarray()


def _whole_range(alpha: npt.NDArray[Any], bits: int) -> npt.NDArray[Any]:
    """Scale alpha of ``bits`` bits, which swscale shifts without filling the 16-bit range."""
    if not _DEEP < bits < 16:
        return alpha
    most = 65535 - (1 << (16 - bits)) + 1
    return np.minimum(alpha.astype(np.uint32) * 65535 // most, 65535).astype(np.uint16)

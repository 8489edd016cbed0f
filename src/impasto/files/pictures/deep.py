"""Sixteen bits and floats, by the packages of the extra ``deep``: imagecodecs and tifffile.

Pillow silently reduces sixteen-bit colours to eight bits, so it is not used for them.
"""

from __future__ import annotations

import io
import logging
import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from impasto.errors import PictureError
from impasto.files.pictures.colors import lab_to_srgb

if TYPE_CHECKING:
    import tifffile

INSTALL = "pip install 'impasto[deep]'"
MOST_SAMPLES = 8  # channels of a pixel, unused ones included
_ASSOCIATED, _UNASSOCIATED = 1, 2  # TIFF's ExtraSamples: colours multiplied by alpha, or not
_LAB, _ICC_LAB = 8, 9
_COLORS = {  # TIFF's photometric: white or black is zero, RGB, CMYK, two forms of CIELAB
    0: 1, 1: 1, 2: 3, 5: 4, _LAB: 3, _ICC_LAB: 3,
}  # fmt: skip
_JPEG = (6, 7)  # TIFF's compression: the old form stores its parts elsewhere
_ORIENTATION, _PROFILE = 274, 34675

for _name in ("tifffile", "PIL"):  # impasto reports errors itself
    logging.getLogger(_name).addHandler(logging.NullHandler())


@dataclass(frozen=True)
class Deep:
    """A picture of more than eight bits.

    Attributes:
        levels: ``(H, W)`` grey, ``(H, W, 3)`` RGB or ``(H, W, 4)`` CMYK, float32; in [0, 1] unless
            the file holds floats.
        alpha: ``(H, W)`` float32 in [0, 1], or None.
        profile: ICC profile, or None.
        orientation: as in EXIF, 1 to 8.

    """

    levels: npt.NDArray[np.float32]
    alpha: npt.NDArray[np.float32] | None = None
    profile: bytes | None = None
    orientation: int = 1


@cache
def available() -> bool:
    """Whether the packages of the extra are installed."""
    return all(find_spec(name) for name in ("imagecodecs", "tifffile"))


def decode_png(data: bytes, transparent: tuple[int, ...] | None) -> Deep:
    """A PNG of sixteen bits a channel, without its profile.

    Args:
        data: the file.
        transparent: the transparent grey level or colour, if any.

    """
    import imagecodecs

    whole = np.atleast_3d(imagecodecs.png_decode(data))
    colors = 1 if whole.shape[2] < 3 else 3
    picture = _split((whole / np.float32(65535)).astype(np.float32), colors)
    if transparent is None:
        return picture
    hidden = (whole[..., :colors] == np.array(transparent, np.uint16)).all(-1)
    return Deep(picture.levels, 1 - hidden.astype(np.float32))


def decode_tiff(
    data: bytes, check: Callable[[int, int], None], *, is_any_depth: bool = False
) -> Deep | None:
    """The first page of a TIFF; None if Pillow reads it as well.

    Args:
        data: the file.
        check: raises an exception for a width and height that must not be decoded.
        is_any_depth: also read eight bits and fewer, where Pillow has failed.

    Raises:
        PictureError: signed integers, or channels of unknown meaning.

    """
    import tifffile

    try:
        file = tifffile.TiffFile(io.BytesIO(data))
    except tifffile.TiffFileError:
        return None  # Pillow may be able to read it
    with file:
        page = file.pages[0]
        if not isinstance(page, tifffile.TiffPage):
            return None
        check(page.imagewidth, page.imagelength)
        if page.compression not in _JPEG and math.prod(page.chunked) != len(page.dataoffsets):
            raise ValueError("parts are missing and would be filled with black")
        if page.bitspersample <= 8 and not is_any_depth:
            return None
        if not _is_known(page):
            raise PictureError("its channels have an unknown meaning")
        return _from_page(page)


def encode_png(levels: npt.NDArray[np.uint16]) -> bytes:
    """``(H, W, 3)`` or ``(H, W, 4)`` encoded as a PNG of sixteen bits a channel."""
    import imagecodecs

    return bytes(imagecodecs.png_encode(levels, level=6))


def write_tiff(
    levels: npt.NDArray[np.uint16], path: Path, *, profile: bytes, dpi: int | None
) -> None:
    """Write ``(H, W, 3)`` or ``(H, W, 4)`` as a TIFF of sixteen bits a channel."""
    import tifffile

    resolution: dict[str, Any] = {"resolution": (dpi, dpi), "resolutionunit": "INCH"}
    tifffile.imwrite(
        path,
        levels,
        photometric="rgb",
        extrasamples=["unassalpha"] if levels.shape[2] == 4 else None,
        iccprofile=profile,
        compression="zlib",
        predictor=True,
        software=False,
        metadata=None,
        **(resolution if dpi else {}),
    )


def _is_known(page: tifffile.TiffPage) -> bool:
    kind = page.dtype.kind if page.dtype is not None else ""
    flat = page.imagedepth == 1 and page.samplesperpixel <= MOST_SAMPLES
    return kind in ("u", "f") and flat and page.photometric in _COLORS


def _from_page(page: tifffile.TiffPage) -> Deep:
    levels = page.asarray()
    if page.planarconfig == 2 and levels.ndim == 3:  # one plane after another
        levels = np.moveaxis(levels, 0, -1)
    levels = np.atleast_3d(levels)
    if page.photometric in (_LAB, _ICC_LAB):
        return _with_tags(page, _from_lab(page, levels))
    if levels.dtype.kind == "u":
        levels = levels / np.float32(2**page.bitspersample - 1)
    levels = levels.astype(np.float32)
    if page.photometric == 0:
        levels[..., 0] = 1 - levels[..., 0]
    colors, index = _COLORS[page.photometric], _alpha_of(page)
    picture = _split(levels[..., :colors], colors)
    if index is None:
        return _with_tags(page, picture)
    alpha = levels[..., colors + index]
    bare = picture.levels
    if page.extrasamples[index] == _ASSOCIATED:
        bare = _divided(bare, alpha)
    return _with_tags(page, Deep(bare, alpha))


def _alpha_of(page: tifffile.TiffPage) -> int | None:
    """Which of the channels after the colours holds the alpha; None for none."""
    kinds = enumerate(page.extrasamples)
    return next((i for i, kind in kinds if kind in (_ASSOCIATED, _UNASSOCIATED)), None)


def _from_lab(page: tifffile.TiffPage, levels: npt.NDArray[Any]) -> Deep:
    """Convert CIELAB in the unsigned integers of the two photometrics to sRGB."""
    if levels.dtype not in (np.uint8, np.uint16) or page.samplesperpixel != 3:
        raise PictureError("its CIELAB has an unknown form")
    unit = 2 ** (page.bitspersample - 8)  # of a and b
    if page.photometric == _LAB:
        scale, pairs = np.float32(2**page.bitspersample - 1), levels[..., 1:]
        pairs = pairs.view(f"i{pairs.dtype.itemsize}").astype(np.float32)
    else:
        scale = np.float32(255 * unit)
        pairs = levels[..., 1:].astype(np.float32) - 128 * unit
    lightness = levels[..., :1] * (np.float32(100) / scale)
    lab = np.concatenate([lightness, pairs / np.float32(unit)], -1)
    return Deep(lab_to_srgb(lab.astype(np.float32)))


def _with_tags(page: tifffile.TiffPage, picture: Deep) -> Deep:
    profile = None if page.photometric in (_LAB, _ICC_LAB) else page.tags.valueof(_PROFILE)
    turn = int(page.tags.valueof(_ORIENTATION, 1))
    return Deep(picture.levels, picture.alpha, profile, turn)


def _split(levels: npt.NDArray[np.float32], colors: int) -> Deep:
    alpha = levels[..., colors] if levels.shape[2] > colors else None
    return Deep(levels[..., 0] if colors == 1 else levels[..., :colors], alpha)


def _divided(
    levels: npt.NDArray[np.float32], alpha: npt.NDArray[np.float32]
) -> npt.NDArray[np.float32]:
    """Colours before they were multiplied by alpha."""
    weight = alpha if levels.ndim == 2 else alpha[..., None]
    bare: npt.NDArray[np.float32] = np.where(weight > 0, levels / np.maximum(weight, 1e-6), 0)
    return bare.clip(0, 1)

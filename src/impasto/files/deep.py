"""Sixteen bits and floats, by the packages of the extra ``deep``: imagecodecs and tifffile.

Pillow turns sixteen-bit colours into eight bits without a word, so those never pass through it.
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

if TYPE_CHECKING:
    import tifffile

INSTALL = "pip install 'impasto[deep]'"
MOST_SAMPLES = 8  # channels of a pixel, those included that are not used
_ASSOCIATED, _UNASSOCIATED = 1, 2  # TIFF's ExtraSamples: colours multiplied by alpha, or not
_COLORS = {0: 1, 1: 1, 2: 3, 5: 4}  # TIFF's photometric: white or black is zero, RGB, CMYK
_JPEG = (6, 7)  # TIFF's compression: the old way keeps its parts elsewhere
_ORIENTATION, _PROFILE = 274, 34675

for _name in ("tifffile", "PIL"):  # what is wrong with a file is said by us
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
        pages: pictures in the file.

    """

    levels: npt.NDArray[np.float32]
    alpha: npt.NDArray[np.float32] | None = None
    profile: bytes | None = None
    orientation: int = 1
    pages: int = 1


@cache
def available() -> bool:
    """Whether the packages of the extra are installed."""
    return all(find_spec(name) for name in ("imagecodecs", "tifffile"))


def decode_png(data: bytes) -> Deep:
    """A PNG of sixteen bits a channel, without its profile."""
    import imagecodecs

    levels = imagecodecs.png_decode(data) / np.float32(65535)
    grey = levels.ndim == 2 or levels.shape[2] < 3
    return _split(np.atleast_3d(levels).astype(np.float32), 1 if grey else 3)


def decode_tiff(data: bytes, check: Callable[[int, int], None]) -> Deep | None:
    """The first page of a TIFF; None where Pillow reads it as well.

    Args:
        data: the file.
        check: raises for a width and height that must not be decoded.

    Raises:
        PictureError: signed integers, or channels whose meaning is not known.

    """
    import tifffile

    try:
        file = tifffile.TiffFile(io.BytesIO(data))
    except tifffile.TiffFileError:
        return None  # Pillow may still make something of it
    with file:
        page = file.pages[0]
        if not isinstance(page, tifffile.TiffPage):
            return None
        check(page.imagewidth, page.imagelength)
        if page.compression not in _JPEG and math.prod(page.chunked) != len(page.dataoffsets):
            raise ValueError("parts are missing, which would be filled with black")
        if page.bitspersample <= 8:
            return None
        if not _is_known(page):
            raise PictureError("its channels are of a kind that is not known here")
        return _from_page(page, len(file.pages))


def encode_png(levels: npt.NDArray[np.uint16]) -> bytes:
    """``(H, W, 3)`` or ``(H, W, 4)`` as a PNG of sixteen bits a channel."""
    import imagecodecs

    return bytes(imagecodecs.png_encode(levels, level=6))


def write_tiff(
    levels: npt.NDArray[np.uint16], path: Path, *, profile: bytes, dpi: int | None
) -> None:
    """``(H, W, 3)`` or ``(H, W, 4)`` as a TIFF of sixteen bits a channel."""
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


def _from_page(page: tifffile.TiffPage, pages: int) -> Deep:
    levels = page.asarray()
    if page.planarconfig == 2 and levels.ndim == 3:  # one plane after another
        levels = np.moveaxis(levels, 0, -1)
    if levels.dtype.kind == "u":
        levels = levels / np.float32(2**page.bitspersample - 1)
    levels = np.atleast_3d(levels).astype(np.float32)
    if page.photometric == 0:
        levels[..., 0] = 1 - levels[..., 0]
    extra = page.extrasamples[0] if page.extrasamples else 0
    kept = _COLORS[page.photometric] + (extra in (_ASSOCIATED, _UNASSOCIATED))
    found = _split(levels[..., :kept], _COLORS[page.photometric])
    if found.alpha is not None and extra == _ASSOCIATED:
        found = Deep(_divided(found.levels, found.alpha), found.alpha)
    return Deep(
        found.levels,
        found.alpha,
        page.tags.valueof(_PROFILE),
        int(page.tags.valueof(_ORIENTATION, 1)),
        pages,
    )


def _split(levels: npt.NDArray[np.float32], colors: int) -> Deep:
    alpha = levels[..., colors] if levels.shape[2] > colors else None
    return Deep(levels[..., 0] if colors == 1 else levels[..., :colors], alpha)


def _divided(
    levels: npt.NDArray[np.float32], alpha: npt.NDArray[np.float32]
) -> npt.NDArray[np.float32]:
    """Colours as they were before they were multiplied by alpha."""
    weight = alpha if levels.ndim == 2 else alpha[..., None]
    bare: npt.NDArray[np.float32] = np.where(weight > 0, levels / np.maximum(weight, 1e-6), 0)
    return bare.clip(0, 1)

"""From the bytes of a picture to its colours: upright, in sRGB, alpha beside them.

Pixels are counted before any is decoded, and a channel's depth is what the file says of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageOps

from impasto.errors import PictureError
from impasto.files import deep
from impasto.files.opening import TIFF_HEADS, check_size, opened, said_in_one_sentence
from impasto.files.profiles import deep_to_srgb, pillow_to_srgb

_TURNS = {  # EXIF's orientations as quarter turns to the left, after a mirroring left to right
    1: (False, 0), 2: (True, 0), 3: (False, 2), 4: (True, 2),
    5: (True, 1), 6: (False, 3), 7: (True, 3), 8: (False, 1),
}  # fmt: skip


@dataclass(frozen=True)
class Decoded:
    """A picture's colours.

    Attributes:
        levels: ``(H, W)`` or ``(H, W, 3)``, sRGB: unsigned integers over their whole range, or
            float32 in [0, 1].
        alpha: ``(H, W)`` in the same units, or None.
        notes: sentences on what was left out or taken for granted.

    """

    levels: npt.NDArray[Any]
    alpha: npt.NDArray[Any] | None = None
    notes: tuple[str, ...] = ()


def decode(data: bytes, name: str, max_pixels: int) -> Decoded:
    """Decode a file's bytes.

    Raises:
        PictureError: not a picture, damaged, under 2 x 2 or over ``max_pixels`` pixels.

    """
    with said_in_one_sentence(repr(name)):
        found = _deep_tiff(data, name, max_pixels)
        if found is None:
            with opened(data) as image:
                found = _of_image(image, repr(name), max_pixels, data)
        return found


def decode_image(image: Image.Image, max_pixels: int) -> Decoded:
    """Decode a Pillow image.

    Raises:
        PictureError: damaged, under 2 x 2 or over ``max_pixels`` pixels.

    """
    with said_in_one_sentence("The image"):
        return _of_image(image, "The image", max_pixels)


def _of_image(image: Image.Image, name: str, max_pixels: int, data: bytes | None = None) -> Decoded:
    check_size(name, image.width, image.height, max_pixels)
    notes = _frame_notes(image, name)
    profile = image.info.get("icc_profile")
    if data is not None and _is_deep_png(data):
        if deep.available():
            found = deep.decode_png(data)
            turn = image.getexif().get(0x0112, 1)
            whole = deep.Deep(found.levels, found.alpha, profile, turn)
            return _of_deep(whole, name, notes)
        notes += (_shallow(name),)
    elif _tiff_bits(image) > 8 and len(image.getbands()) > 1:
        notes += (_shallow(name),)
    depth = _depth(image)
    image.load()
    image = _upright(image)
    if depth:
        return _of_deep(deep.Deep(_grey(image, depth), None, profile), name, notes)
    return _of_eight_bits(image, profile, name, notes)


def _shallow(name: str) -> str:
    return f"{name} holds 16 bits a channel and is read at 8: {deep.INSTALL} reads them all."


def _is_deep_png(data: bytes) -> bool:
    """Sixteen bits a channel, and more than one channel: Pillow reads plain grey rightly."""
    return data.startswith(b"\x89PNG\r\n\x1a\n") and data[24] == 16 and data[25] != 0


def _frame_notes(image: Image.Image, name: str) -> tuple[str, ...]:
    """What is said of a file with several pictures; not of a telephone's preview in a JPEG."""
    count = getattr(image, "n_frames", 1)
    if count < 2 or image.format in ("MPO", "JPEG"):
        return ()
    kind = "pages" if image.format == "TIFF" else "frames"
    return (f"{name} has {count} {kind}: the first is used.",)


def _depth(image: Image.Image) -> int:
    """Largest value of one channel of more than eight bits; 0 for eight bits, 1 for floats."""
    if image.mode == "F":
        return 1
    if not image.mode.startswith("I"):
        return 0
    return int(2 ** (_tiff_bits(image) or 16)) - 1


def _tiff_bits(image: Image.Image) -> int:
    """Bits of a channel in a TIFF; 0 for other formats."""
    tags = getattr(image, "tag_v2", None) if image.format == "TIFF" else None
    return int(max(tags.get(258, (1,)))) if tags else 0


def _grey(image: Image.Image, depth: int) -> npt.NDArray[np.float32]:
    levels = np.asarray(image)
    if depth == 2**32 - 1:
        levels = levels.view(np.uint32)
    return (levels / np.float32(depth)).astype(np.float32)


def _upright(image: Image.Image) -> Image.Image:
    try:
        return ImageOps.exif_transpose(image)
    except Exception:  # notes of a camera that cannot be read say nothing of the rotation
        return image


def _of_eight_bits(
    image: Image.Image, profile: bytes | None, name: str, notes: tuple[str, ...]
) -> Decoded:
    image = _plain_mode(image)
    alpha = None
    if image.mode in ("LA", "RGBA"):
        alpha = np.asarray(image.getchannel("A"))
        image = image.convert(image.mode[:-1])
    converted = pillow_to_srgb(image, profile)
    if converted is None:
        notes += (_unusable_profile(name),)
        converted = image.convert("RGB")
    return Decoded(np.asarray(converted), alpha, notes)


def _plain_mode(image: Image.Image) -> Image.Image:
    """One of L, LA, RGB, RGBA, CMYK and LAB."""
    if "transparency" in image.info or image.mode in ("PA", "RGBa"):
        return image.convert("RGBA")
    if image.mode in ("L", "LA", "RGB", "RGBA", "CMYK", "LAB"):
        return image
    return image.convert({"1": "L", "La": "LA"}.get(image.mode, "RGB"))


def _unusable_profile(name: str, reason: str = "cannot be used") -> str:
    return f"The colour profile of {name} {reason}: its colours are taken for sRGB."


def _deep_tiff(data: bytes, name: str, max_pixels: int) -> Decoded | None:
    if not data.startswith(TIFF_HEADS) or not deep.available():
        return None
    found = deep.decode_tiff(data, lambda w, h: check_size(repr(name), w, h, max_pixels))
    if found is None:
        return None
    pages = f"{name!r} has {found.pages} pages: the first is used."
    return _of_deep(found, repr(name), (pages,) if found.pages > 1 else ())


def _of_deep(found: deep.Deep, name: str, notes: tuple[str, ...]) -> Decoded:
    levels = found.levels
    if not np.isfinite(levels).all():
        raise PictureError(f"{name} holds values that are no numbers: mend it first.")
    if levels.min() < 0 or levels.max() > 1:
        notes += (f"{name} holds values outside 0 to 1, which are cut off.",)
        levels = levels.clip(0, 1)
    converted = deep_to_srgb(levels, found.profile)
    if converted is None:
        missing = () if deep.available() else (f"needs {deep.INSTALL}",)
        notes += (_unusable_profile(name, *missing),)
        converted = deep_to_srgb(levels, None)
        assert converted is not None
    alpha = None if found.alpha is None else _turned(found.alpha.clip(0, 1), found.orientation)
    return Decoded(_turned(converted, found.orientation), alpha, notes)


def _turned(levels: npt.NDArray[np.float32], orientation: int) -> npt.NDArray[np.float32]:
    mirrored, quarters = _TURNS.get(orientation, (False, 0))
    return np.rot90(levels[:, ::-1] if mirrored else levels, quarters)

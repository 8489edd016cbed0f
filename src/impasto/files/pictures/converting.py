"""Conversion of a file's levels to upright sRGB, with alpha beside it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageOps

from impasto.errors import PictureError
from impasto.files.pictures import deep
from impasto.files.pictures.colors import Encoding, lab_to_srgb, to_srgb
from impasto.files.pictures.profiles import deep_to_srgb, pillow_to_srgb

_TURNS = {  # EXIF's orientations: left-right mirroring first, then quarter turns to the left
    1: (False, 0), 2: (True, 0), 3: (False, 2), 4: (True, 2),
    5: (True, 1), 6: (False, 3), 7: (True, 3), 8: (False, 1),
}  # fmt: skip
_HDR = {"pq": "PQ", "hlg": "HLG"}


@dataclass(frozen=True)
class Decoded:
    """A picture's colours and alpha.

    Attributes:
        levels: ``(H, W)`` or ``(H, W, 3)``, sRGB: unsigned integers over their whole range, or
            float32 in [0, 1].
        alpha: ``(H, W)`` in one of these units, or None.
        notes: sentences on what was ignored or assumed.

    """

    levels: npt.NDArray[Any]
    alpha: npt.NDArray[Any] | None = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Said:
    """What a file states besides its pixels.

    Attributes:
        name: its name in messages.
        encoding: of grey or RGB without a usable profile; None for sRGB.
        notes: sentences.

    """

    name: str
    encoding: Encoding | None = None
    notes: tuple[str, ...] = ()

    def and_also(self, *notes: str) -> Said:
        """A copy with more notes."""
        return Said(self.name, self.encoding, (*self.notes, *notes))


def convert_image(image: Image.Image, said: Said) -> Decoded:
    """Decode a Pillow image of any mode.

    Raises:
        PictureError: it holds values that are not numbers.

    """
    profile, depth = image.info.get("icc_profile"), _depth(image)
    image.load()
    hidden = image.info.get("transparency")
    image = _upright(image)
    if not depth:
        return _of_eight_bits(image, profile, said)
    levels = _grey(image, depth)
    is_seen = np.asarray(image) != hidden if isinstance(hidden, int) else None
    alpha = None if is_seen is None else is_seen.astype(np.float32)
    return convert_deep(deep.Deep(levels, alpha, profile), said)


def convert_deep(picture: deep.Deep, said: Said) -> Decoded:
    """Convert a picture of more than eight bits.

    Raises:
        PictureError: it holds values that are not numbers.

    """
    levels = picture.levels
    if not np.isfinite(levels).all():
        raise PictureError(f"{said.name} holds values that are not numbers: repair it first.")
    if levels.min() < 0 or levels.max() > 1:
        said = said.and_also(f"{said.name} holds values outside 0 to 1, which are clipped.")
        levels = levels.clip(0, 1)
    converted = deep_to_srgb(levels, picture.profile)
    if converted is None:
        missing = "cannot be used" if deep.available() else f"needs {deep.INSTALL}"
        said = said.and_also(_unusable_profile(said, missing))
    if converted is None or not picture.profile:
        plain = deep_to_srgb(levels, None)
        assert plain is not None
        is_ink = levels.shape[2:] == (4,)
        converted, said = (plain, said) if is_ink else _by_encoding(plain, said)
    alpha = (
        None if picture.alpha is None else _turned(picture.alpha.clip(0, 1), picture.orientation)
    )
    return Decoded(_turned(converted, picture.orientation), alpha, said.notes)


def tiff_bits(image: Image.Image) -> int:
    """Bits of a channel in a TIFF; 0 for other formats."""
    tags = getattr(image, "tag_v2", None) if image.format == "TIFF" else None
    return int(max(tags.get(258, (1,)))) if tags else 0


def _depth(image: Image.Image) -> int:
    """Largest value of one channel of more than eight bits; 0 for eight bits, 1 for floats."""
    if image.mode == "F":
        return 1
    if not image.mode.startswith("I"):
        return 0
    return int(2 ** (tiff_bits(image) or 16)) - 1


def _grey(image: Image.Image, depth: int) -> npt.NDArray[np.float32]:
    levels = np.asarray(image)
    if depth == 2**32 - 1:
        levels = levels.view(np.uint32)
    return (levels / np.float32(depth)).astype(np.float32)


def _upright(image: Image.Image) -> Image.Image:
    try:
        return ImageOps.exif_transpose(image)
    except Exception:  # unreadable EXIF gives no rotation
        return image


def _of_eight_bits(image: Image.Image, profile: bytes | None, said: Said) -> Decoded:
    image = _plain_mode(image)
    if image.mode == "LAB":
        return Decoded(_from_lab(image), None, said.notes)
    alpha = None
    if image.mode in ("LA", "RGBA"):
        alpha = np.asarray(image.getchannel("A"))
        image = image.convert(image.mode[:-1])
    converted = pillow_to_srgb(image, profile)
    if converted is None:
        said = said.and_also(_unusable_profile(said, "cannot be used"))
    if converted is not None and (profile or image.mode not in ("L", "RGB")):
        return Decoded(np.asarray(converted), alpha, said.notes)
    if said.encoding is None or said.encoding.is_srgb or image.mode not in ("L", "RGB"):
        return Decoded(np.asarray(image.convert("RGB")), alpha, said.notes)
    levels, said = _by_encoding((np.asarray(image) / np.float32(255)).astype(np.float32), said)
    return Decoded(levels, alpha, said.notes)


def _from_lab(image: Image.Image) -> npt.NDArray[np.float32]:
    stored = np.asarray(image)
    pairs = stored[..., 1:].view(np.int8).astype(np.float32)
    lightness = stored[..., :1] * np.float32(100 / 255)
    return lab_to_srgb(np.concatenate([lightness, pairs], -1))


def _plain_mode(image: Image.Image) -> Image.Image:
    """Convert to one of the modes L, LA, RGB, RGBA, CMYK and LAB."""
    if "transparency" in image.info and image.mode in ("1", "L"):
        return image.convert("LA")
    if "transparency" in image.info or image.mode in ("PA", "RGBa"):
        return image.convert("RGBA")
    if image.mode in ("L", "LA", "RGB", "RGBA", "CMYK", "LAB"):
        return image
    return image.convert({"1": "L", "La": "LA"}.get(image.mode, "RGB"))


def _by_encoding(
    levels: npt.NDArray[np.float32], said: Said
) -> tuple[npt.NDArray[np.float32], Said]:
    encoding = said.encoding
    if encoding is None:
        return levels, said
    kind = _HDR.get(encoding.curve)
    if kind:
        said = said.and_also(
            f"{said.name} is high dynamic range ({kind}): its light is mapped to that of an "
            "ordinary picture."
        )
    return to_srgb(levels, encoding), said


def _unusable_profile(said: Said, reason: str) -> str:
    instead = "read as sRGB" if said.encoding is None else "read by its other colour information"
    return f"The colour profile of {said.name} {reason}: its colours are {instead}."


def _turned(levels: npt.NDArray[np.float32], orientation: int) -> npt.NDArray[np.float32]:
    mirrored, quarters = _TURNS.get(orientation, (False, 0))
    return np.rot90(levels[:, ::-1] if mirrored else levels, quarters)

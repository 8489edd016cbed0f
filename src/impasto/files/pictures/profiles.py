"""Colour profiles: conversion of a file's colours to sRGB."""

from __future__ import annotations

import io
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageCms

from impasto.files.pictures import deep

_INTENT = ImageCms.Intent.RELATIVE_COLORIMETRIC
_FLAGS = ImageCms.Flags.BLACKPOINTCOMPENSATION
_DATE = slice(24, 36)  # position of the creation date in a profile's header
_SPACES = {"RGB": "RGB ", "L": "GRAY", "CMYK": "CMYK"}


@cache
def srgb_profile() -> bytes:
    """An ICC profile of sRGB, for results; always the same bytes."""
    made = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    return made[: _DATE.start] + bytes.fromhex("07d000010001000000000000") + made[_DATE.stop :]


def pillow_to_srgb(image: Image.Image, profile: bytes | None) -> Image.Image | None:
    """Convert eight-bit colours without alpha by a profile, or by Pillow's default.

    Args:
        image: mode RGB, L or CMYK.
        profile: an ICC profile.

    Returns:
        Mode RGB or L; None if the profile is damaged or of another colour space.

    """
    if profile == srgb_profile() and image.mode == "RGB":
        return image
    if not profile:
        return image.convert("RGB") if image.mode == "CMYK" else image
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        space = source.profile.xcolor_space
        if image.mode == "L" and space == "RGB ":
            image = image.convert("RGB")
        if _SPACES[image.mode] != space:
            return None
        return ImageCms.profileToProfile(
            image,
            source,
            ImageCms.createProfile("sRGB"),
            renderingIntent=_INTENT,
            outputMode="RGB",
            flags=_FLAGS,
        )
    except (ImageCms.PyCMSError, OSError, ValueError):
        return None


def deep_to_srgb(
    levels: npt.NDArray[np.float32], profile: bytes | None
) -> npt.NDArray[np.float32] | None:
    """Convert at full precision.

    Args:
        levels: ``(H, W)`` grey, ``(H, W, 3)`` RGB or ``(H, W, 4)`` CMYK (1 is full ink), in [0, 1].
        profile: an ICC profile.

    Returns:
        ``(H, W)`` or ``(H, W, 3)`` in [0, 1]; None if the profile is damaged or of another colour
        space, or the packages of the ``deep`` extra are missing.

    """
    space = {2: "gray", 3: "rgb"}[levels.ndim]
    if levels.ndim == 3 and levels.shape[2] == 4:
        space = "cmyk"
    if not profile or (profile == srgb_profile() and space == "rgb"):
        return _ink_to_rgb(levels) if space == "cmyk" else levels
    if not deep.available():
        return None
    return _transform(levels, profile, space)


def _transform(
    levels: npt.NDArray[np.float32], profile: bytes, space: str
) -> npt.NDArray[np.float32] | None:
    import imagecodecs

    # Sixteen bits rather than floats: for floats the library expects ink in percent.
    whole: npt.NDArray[Any] = np.round(levels * 65535).astype(np.uint16)
    try:
        converted = imagecodecs.cms_transform(
            whole,
            profile,
            srgb_profile(),
            colorspace=space,
            outcolorspace="rgb",
            outdtype=np.uint16,
            intent=int(_INTENT),
            flags=int(_FLAGS),
        )
    except (RuntimeError, ValueError, TypeError):
        return None
    return (converted / np.float32(65535)).astype(np.float32)


def _ink_to_rgb(levels: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    bare: npt.NDArray[np.float32] = (1 - levels[..., :3]) * (1 - levels[..., 3:])
    return bare

"""Results to files: 8 or 16 bits, with an sRGB profile, and nothing of the originals' own notes."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from PIL import Image, PngImagePlugin
from torch import Tensor

from impasto.errors import OutputError
from impasto.files.atomic import atomic_write
from impasto.files.pictures import deep
from impasto.files.pictures.profiles import srgb_profile

SUFFIXES = {
    ".png": "PNG",
    ".jpg": "JPEG",
    ".jpeg": "JPEG",
    ".webp": "WEBP",
    ".tif": "TIFF",
    ".tiff": "TIFF",
    ".avif": "AVIF",
}
DEEP_KINDS = ("PNG", "TIFF")
_OPTIONS: dict[str, dict[str, Any]] = {
    "JPEG": {"quality": 95, "subsampling": 0},
    "WEBP": {"quality": 95},
    "AVIF": {"quality": 90, "subsampling": "4:4:4", "speed": 8},
    "TIFF": {"compression": "tiff_adobe_deflate"},
}
_X_RESOLUTION, _Y_RESOLUTION, _RESOLUTION_UNIT, _INCH = 282, 283, 296, 2
_ROWS = 256
_SIGNATURE = b"\x89PNG\r\n\x1a\n"


def check_suffix(path: Path, *, depth: int = 8) -> None:
    """Make sure that the name says a format that can be written, with that many bits a channel.

    Raises:
        OutputError: it does not, or the packages of the ``deep`` extra are missing.

    """
    kind = SUFFIXES.get(path.suffix.lower())
    if kind is None:
        raise OutputError(f"{path.name!r} names no known format: end it in {', '.join(SUFFIXES)}.")
    if depth == 8:
        return
    if kind not in DEEP_KINDS:
        raise OutputError(
            f"{path.name!r} cannot hold 16 bits: end it in .png or .tif, or leave out --depth."
        )
    if not deep.available():
        raise OutputError(f"--depth 16 needs {deep.INSTALL}.")


def left_out(path: Path, *, alpha: bool) -> tuple[str, ...]:
    """Sentences on what a result by that name cannot carry."""
    if alpha and SUFFIXES.get(path.suffix.lower()) == "JPEG":
        return ("JPEG has no transparency: the result is opaque; end --output in .png to keep it.",)
    return ()


def to_pillow(image: Tensor, alpha: Tensor | None = None) -> Image.Image:
    """``(1, 3, H, W)`` in [0, 1] as an 8-bit image, rounded to nearest.

    Args:
        image: RGB.
        alpha: ``(1, 1, H, W)`` in [0, 1]; the result is RGBA where it is given.

    """
    return Image.fromarray(rounded(image, alpha, np.uint8))


def write_image(
    image: Image.Image, path: Path, *, dpi: int | None = None, text: Mapping[str, str] | None = None
) -> None:
    """Write an 8-bit picture atomically, in the format that its name says, with an sRGB profile.

    Args:
        image: RGB or RGBA; JPEG takes the colours alone.
        path: where to.
        dpi: dots per inch to be stated in the file.
        text: named texts to be stored in a PNG.

    Raises:
        OutputError: unknown suffix, or the file cannot be written.

    """
    check_suffix(path)
    kind = SUFFIXES[path.suffix.lower()]
    if kind == "JPEG" and image.mode != "RGB":
        image = image.convert("RGB")
    options = {**_OPTIONS.get(kind, {}), **_resolution(kind, dpi)}
    if kind == "PNG" and text:
        options["pnginfo"] = _texts(text)
    with atomic_write(path) as temporary:
        image.save(temporary, format=kind, icc_profile=srgb_profile(), **options)


def write_result(
    image: Tensor,
    path: Path,
    *,
    alpha: Tensor | None = None,
    depth: int = 8,
    dpi: int | None = None,
    text: Mapping[str, str] | None = None,
) -> None:
    """Write ``(1, 3, H, W)`` in [0, 1] atomically, with 8 or 16 bits a channel.

    Args:
        image: RGB.
        path: where to; its suffix names the format.
        alpha: ``(1, 1, H, W)`` in [0, 1].
        depth: 8, or 16 for PNG and TIFF.
        dpi: dots per inch to be stated in the file.
        text: named texts to be stored in a PNG.

    Raises:
        OutputError: unknown suffix, one that cannot hold 16 bits, or the file cannot be written.

    """
    if depth == 8:
        write_image(to_pillow(image, alpha), path, dpi=dpi, text=text)
        return
    check_suffix(path, depth=depth)
    levels = rounded(image, alpha, np.uint16)
    with atomic_write(path) as temporary:
        if SUFFIXES[path.suffix.lower()] == "TIFF":
            deep.write_tiff(levels, temporary, profile=srgb_profile(), dpi=dpi)
        else:
            temporary.write_bytes(_deep_png(levels, dpi, text))


def rounded(
    image: Tensor, alpha: Tensor | None, kind: type[np.uint8] | type[np.uint16]
) -> npt.NDArray[Any]:
    """``(H, W, 3)``, or 4 with alpha, in whole levels.

    A few rows at a time: a large picture needs no copy of itself.
    """
    channels = [image[0]] if alpha is None else [image[0], alpha[0]]
    _, height, width = channels[0].shape
    levels = np.empty((height, width, sum(len(each) for each in channels)), kind)
    for top in range(0, height, _ROWS):
        rows = torch.cat([each[:, top : top + _ROWS] for each in channels])
        found = (rows.clamp(0, 1) * int(np.iinfo(kind).max)).round().permute(1, 2, 0)
        levels[top : top + _ROWS] = found.cpu().numpy()
    return levels


def _resolution(kind: str, dpi: int | None) -> dict[str, Any]:
    if not dpi:
        return {}
    if kind in ("PNG", "JPEG", "TIFF"):
        return {"dpi": (dpi, dpi)}
    exif = Image.Exif()
    exif.update({_X_RESOLUTION: float(dpi), _Y_RESOLUTION: float(dpi), _RESOLUTION_UNIT: _INCH})
    return {"exif": exif}


def _texts(text: Mapping[str, str]) -> PngImagePlugin.PngInfo:
    info = PngImagePlugin.PngInfo()
    for name, value in text.items():
        info.add_itxt(name, value, zip=True)
    return info


def _deep_png(
    levels: npt.NDArray[np.uint16], dpi: int | None, text: Mapping[str, str] | None
) -> bytes:
    """Profile, resolution and texts as Pillow writes them, around sixteen-bit pixels."""
    frame = io.BytesIO()
    Image.new("RGB", (1, 1)).save(
        frame,
        "PNG",
        icc_profile=srgb_profile(),
        pnginfo=_texts(text or {}),
        **_resolution("PNG", dpi),
    )
    pixels = {b"IHDR", b"IDAT", b"IEND"}
    notes = b"".join(_chunk(*c) for c in _chunks(frame.getvalue()) if c[0] not in pixels)
    head, *rest = (c for c in _chunks(deep.encode_png(levels)) if c[0] in pixels)
    return _SIGNATURE + _chunk(*head) + notes + b"".join(_chunk(*c) for c in rest)


def _chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    at = len(_SIGNATURE)
    while at < len(data):
        (length,) = struct.unpack_from(">I", data, at)
        yield data[at + 4 : at + 8], data[at + 8 : at + 8 + length]
        at += length + 12


def _chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))

"""Writing results: 8 or 16 bits, with an sRGB profile, without the inputs' metadata."""

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
from impasto.files.formats import Format, formats_of, suffixes_of, written_as
from impasto.files.pictures import deep
from impasto.files.pictures.profiles import srgb_profile

_X_RESOLUTION, _Y_RESOLUTION, _RESOLUTION_UNIT, _INCH = 282, 283, 296, 2
_ROWS = 256
_SIGNATURE = b"\x89PNG\r\n\x1a\n"


def check_suffix(path: Path, *, depth: int = 8) -> Format:
    """Make sure that the suffix is of a format that can be written with this bit depth.

    Returns:
        The format.

    Raises:
        OutputError: it is not, or the packages of the ``deep`` extra are missing.

    """
    known = written_as(path, "still")
    if known is None:
        listed = ", ".join(suffixes_of("still", written=True))
        raise OutputError(f"{path.name!r} has no known picture format: end it in {listed}.")
    if depth == 8:
        return known
    if not known.deep:
        listed = " or ".join(each.suffixes[0] for each in formats_of("still") if each.deep)
        raise OutputError(
            f"{path.name!r} cannot hold 16 bits: end it in {listed}, or leave out --depth."
        )
    if not deep.available():
        raise OutputError(f"--depth 16 needs {deep.INSTALL}.")
    return known


def left_out(path: Path, *, alpha: bool) -> tuple[str, ...]:
    """Sentences on what a file of that name cannot hold."""
    known = written_as(path, "still")
    if known is None or known.alpha or not alpha:
        return ()
    return (
        f"{known.name} has no transparency: the result is opaque; end --output in .png to keep it.",
    )


def to_pillow(image: Tensor, alpha: Tensor | None = None) -> Image.Image:
    """``(1, 3, H, W)`` in [0, 1] converted to an 8-bit image, rounded to nearest.

    Args:
        image: RGB.
        alpha: ``(1, 1, H, W)`` in [0, 1]; if given, the result is RGBA.

    """
    return Image.fromarray(rounded(image, alpha, np.uint8))


def write_image(
    image: Image.Image,
    path: Path,
    *,
    dpi: int | None = None,
    text: Mapping[str, str] | None = None,
    quick: bool = False,
) -> None:
    """Write an 8-bit picture atomically, in the format of its suffix, with an sRGB profile.

    Args:
        image: RGB or RGBA; without alpha in a format without transparency.
        path: the file.
        dpi: dots per inch stored in the file.
        text: named texts stored in a PNG.
        quick: a PNG is compressed less, in a third of the time.

    Raises:
        OutputError: unknown suffix, or the file cannot be written.

    """
    kind = check_suffix(path)
    if not kind.alpha and image.mode != "RGB":
        image = image.convert("RGB")
    options = {**kind.options, **_resolution(kind, dpi)}
    if kind.text and text:
        options["pnginfo"] = _texts(text)
    if quick:
        options["compress_level"] = 1
    with atomic_write(path) as temporary:
        image.save(temporary, format=kind.name, icc_profile=srgb_profile(), **options)


def carries(path: Path, text: Mapping[str, str]) -> bool:
    """Whether a file is a picture that was written with these named texts."""
    try:
        with Image.open(path) as image:
            return text.items() <= image.info.items()
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        return False


def write_result(
    image: Tensor,
    path: Path,
    *,
    alpha: Tensor | None = None,
    depth: int = 8,
    dpi: int | None = None,
    text: Mapping[str, str] | None = None,
    quick: bool = False,
) -> None:
    """Write ``(1, 3, H, W)`` in [0, 1] atomically, with 8 or 16 bits a channel.

    Args:
        image: RGB.
        path: the file; its suffix chooses the format.
        alpha: ``(1, 1, H, W)`` in [0, 1].
        depth: 8, or 16 for PNG and TIFF.
        dpi: dots per inch stored in the file.
        text: named texts stored in a PNG.
        quick: a PNG of 8 bits is compressed less, in a third of the time.

    Raises:
        OutputError: unknown suffix, one that cannot hold 16 bits, or the file cannot be written.

    """
    if depth == 8:
        write_image(to_pillow(image, alpha), path, dpi=dpi, text=text, quick=quick)
        return
    kind = check_suffix(path, depth=depth)
    levels = rounded(image, alpha, np.uint16)
    with atomic_write(path) as temporary:
        if kind.name == "TIFF":
            deep.write_tiff(levels, temporary, profile=srgb_profile(), dpi=dpi)
        else:
            temporary.write_bytes(_deep_png(levels, kind, dpi, text))


def rounded(
    image: Tensor, alpha: Tensor | None, kind: type[np.uint8] | type[np.uint16]
) -> npt.NDArray[Any]:
    """``(H, W, 3)``, or 4 with alpha, in integer levels.

    Converted a few rows at a time, so that a large picture is not copied.
    """
    channels = [image[0]] if alpha is None else [image[0], alpha[0]]
    _, height, width = channels[0].shape
    levels = np.empty((height, width, sum(len(each) for each in channels)), kind)
    for top in range(0, height, _ROWS):
        rows = torch.cat([each[:, top : top + _ROWS] for each in channels])
        integers = (rows.clamp(0, 1) * int(np.iinfo(kind).max)).round().permute(1, 2, 0)
        levels[top : top + _ROWS] = integers.cpu().numpy()
    return levels


def _resolution(kind: Format, dpi: int | None) -> dict[str, Any]:
    if not dpi:
        return {}
    if kind.dpi == "option":
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
    levels: npt.NDArray[np.uint16], kind: Format, dpi: int | None, text: Mapping[str, str] | None
) -> bytes:
    """A sixteen-bit PNG with the profile, resolution and texts that Pillow writes."""
    frame = io.BytesIO()
    Image.new("RGB", (1, 1)).save(
        frame,
        kind.name,
        icc_profile=srgb_profile(),
        pnginfo=_texts(text or {}),
        **_resolution(kind, dpi),
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

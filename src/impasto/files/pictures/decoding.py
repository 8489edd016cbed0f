"""Decoding: from the bytes of a picture to its upright sRGB colours and alpha.

The number of pixels is checked before any are decoded. The depth, colours and pages that a file
states are trusted. Damage that loses no pixel is ignored, with a note.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

from PIL import Image, UnidentifiedImageError

from impasto.files.pictures import deep
from impasto.files.pictures.coding_points import nclx_encoding
from impasto.files.pictures.colors import Encoding
from impasto.files.pictures.converting import Decoded, Said, convert_deep, convert_image, tiff_bits
from impasto.files.pictures.exif_colors import exif_encoding
from impasto.files.pictures.jpeg import mended
from impasto.files.pictures.opening import TIFF_HEADS, check_size, opened, said_in_one_sentence
from impasto.files.pictures.png import Png, gamma_encoding, read_png
from impasto.files.pictures.tiff import largest_page

__all__ = ["Decoded", "decode", "decode_image"]


def decode(data: bytes, name: str, max_pixels: int) -> Decoded:
    """Decode a file's bytes.

    Raises:
        PictureError: not a picture, damaged, under 2 x 2 or over ``max_pixels`` pixels.

    """
    said = Said(repr(name))
    with said_in_one_sentence(said.name):
        if data.startswith(TIFF_HEADS):
            return _of_tiff(data, said, max_pixels)
        png = read_png(data, lambda w, h: check_size(said.name, w, h, max_pixels))
        if png is not None:
            return _of_png(png, said)
        with opened(data) as image:
            check_size(said.name, image.width, image.height, max_pixels)
            whole, was_open = mended(data)
            if was_open:
                said = said.and_also(
                    f"{said.name} lacks its end marker, but no pixel: it may be cut off there."
                )
        with opened(whole) as image:
            return _of_image(image, said, max_pixels, whole)


def decode_image(image: Image.Image, max_pixels: int) -> Decoded:
    """Decode a Pillow image.

    Raises:
        PictureError: damaged, under 2 x 2 or over ``max_pixels`` pixels.

    """
    said = Said("The image")
    with said_in_one_sentence(said.name):
        return _of_image(image, said, max_pixels)


def _of_image(image: Image.Image, said: Said, max_pixels: int, data: bytes = b"") -> Decoded:
    check_size(said.name, image.width, image.height, max_pixels)
    said = _with_encoding(said, lambda: _encoding(image, data))
    return convert_image(image, said.and_also(*_frame_notes(image, said.name)))


def _of_png(png: Png, said: Said) -> Decoded:
    if png.passed_over:
        said = said.and_also(
            f"{said.name} is damaged ({', '.join(png.passed_over)}), but not its pixels: the "
            "damaged parts are ignored."
        )
    with opened(png.data) as image:
        said = said.and_also(*_frame_notes(image, said.name))
        said = _with_encoding(said, lambda: png.encoding() or _encoding(image))
        is_deep = png.depth == 16 and not png.is_plain_grey  # Pillow reads grey correctly
        if is_deep and deep.available():
            pixels = deep.decode_png(png.data, png.transparent)
            turn, profile = image.getexif().get(0x0112, 1), image.info.get("icc_profile")
            return convert_deep(deep.Deep(pixels.levels, pixels.alpha, profile, turn), said)
        if png.transparent:
            image.info["transparency"] = png.transparent_for_pillow
        return convert_image(image, said.and_also(_shallow(said.name)) if is_deep else said)


def _of_tiff(data: bytes, said: Said, max_pixels: int) -> Decoded:
    page = largest_page(data)
    if page.pages > 1:
        which = "first" if page.is_first else "largest"
        said = said.and_also(f"{said.name} has {page.pages} pages: the {which} is used.")
    decoded = _by_tifffile(page.data, said, max_pixels)
    if decoded is not None:
        return decoded
    try:
        with opened(page.data) as image:
            check_size(said.name, image.width, image.height, max_pixels)
            if tiff_bits(image) > 8 and len(image.getbands()) > 1:
                said = said.and_also(_shallow(said.name))
            said = _with_encoding(said, lambda: _encoding(image))
            return convert_image(image, said)
    except UnidentifiedImageError:
        decoded = _by_tifffile(page.data, said, max_pixels, is_any_depth=True)
        if decoded is None:
            raise
        return decoded


def _by_tifffile(
    data: bytes, said: Said, max_pixels: int, *, is_any_depth: bool = False
) -> Decoded | None:
    """A TIFF that Pillow does not read; None if Pillow does, or without the package."""
    if not deep.available():
        return None
    pixels = deep.decode_tiff(
        data, lambda w, h: check_size(said.name, w, h, max_pixels), is_any_depth=is_any_depth
    )
    if pixels is None:
        return None
    exif = Image.Exif()
    with suppress(Exception):  # unreadable EXIF is ignored
        exif.load(data)
    return convert_deep(pixels, _with_encoding(said, lambda: exif_encoding(exif)))


def _encoding(image: Image.Image, data: bytes = b"") -> Encoding | None:
    """The encoding that a file without a profile states.

    Raises:
        ValueError: the numbers are invalid.

    """
    if image.info.get("icc_profile"):
        return None
    gamma, points = image.info.get("gamma"), image.info.get("chromaticity")
    chunks = gamma_encoding(gamma, points, is_srgb="srgb" in image.info)
    return chunks or nclx_encoding(data) or exif_encoding(image.getexif())


def _with_encoding(said: Said, find: Callable[[], Encoding | None]) -> Said:
    try:
        return Said(said.name, find(), said.notes)
    except ValueError:
        return said.and_also(
            f"The colour information of {said.name} cannot be used: it is read as sRGB."
        )


def _frame_notes(image: Image.Image, name: str) -> tuple[str, ...]:
    """A note on a file with several pictures, but not on a phone's preview in a JPEG."""
    count = getattr(image, "n_frames", 1)
    if count < 2 or image.format in ("MPO", "JPEG"):
        return ()
    kind = "pages" if image.format == "TIFF" else "frames"
    return (f"{name} has {count} {kind}: the first is used.",)


def _shallow(name: str) -> str:
    return f"{name} has 16 bits a channel but is read at 8: to read all, {deep.INSTALL}."

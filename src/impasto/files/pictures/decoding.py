"""From the bytes of a picture to its colours: upright, in sRGB, alpha beside them.

Pixels are counted before any is decoded, and what a file says of its depth, colours and pages is
believed; damage is passed over, and said, where it costs no pixel.
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
                    f"{said.name} lacks its end mark, but no pixel: it may have been cut off there."
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
            f"{said.name} is damaged ({', '.join(png.passed_over)}), but not its pixels: it is "
            "read without what is damaged."
        )
    with opened(png.data) as image:
        said = said.and_also(*_frame_notes(image, said.name))
        said = _with_encoding(said, lambda: png.encoding() or _encoding(image))
        is_deep = png.depth == 16 and not png.is_plain_grey  # grey is read rightly by Pillow
        if is_deep and deep.available():
            found = deep.decode_png(png.data, png.transparent)
            turn, profile = image.getexif().get(0x0112, 1), image.info.get("icc_profile")
            return convert_deep(deep.Deep(found.levels, found.alpha, profile, turn), said)
        if png.transparent:
            image.info["transparency"] = png.transparent_for_pillow
        return convert_image(image, said.and_also(_shallow(said.name)) if is_deep else said)


def _of_tiff(data: bytes, said: Said, max_pixels: int) -> Decoded:
    page = largest_page(data)
    if page.pages > 1:
        which = "first" if page.is_first else "largest"
        said = said.and_also(f"{said.name} has {page.pages} pages: the {which} is used.")
    found = _by_tifffile(page.data, said, max_pixels)
    if found is not None:
        return found
    try:
        with opened(page.data) as image:
            check_size(said.name, image.width, image.height, max_pixels)
            if tiff_bits(image) > 8 and len(image.getbands()) > 1:
                said = said.and_also(_shallow(said.name))
            said = _with_encoding(said, lambda: _encoding(image))
            return convert_image(image, said)
    except UnidentifiedImageError:
        found = _by_tifffile(page.data, said, max_pixels, is_any_depth=True)
        if found is None:
            raise
        return found


def _by_tifffile(
    data: bytes, said: Said, max_pixels: int, *, is_any_depth: bool = False
) -> Decoded | None:
    """What Pillow does not read; None for what it does, and without the package."""
    if not deep.available():
        return None
    found = deep.decode_tiff(
        data, lambda w, h: check_size(said.name, w, h, max_pixels), is_any_depth=is_any_depth
    )
    if found is None:
        return None
    exif = Image.Exif()
    with suppress(Exception):  # notes of a camera that cannot be read say nothing
        exif.load(data)
    return convert_deep(found, _with_encoding(said, lambda: exif_encoding(exif)))


def _encoding(image: Image.Image, data: bytes = b"") -> Encoding | None:
    """What is said of the colours where there is no profile.

    Raises:
        ValueError: the numbers cannot be meant.

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
            f"What {said.name} says of its colours cannot be used: they are taken for sRGB."
        )


def _frame_notes(image: Image.Image, name: str) -> tuple[str, ...]:
    """What is said of a file with several pictures; not of a telephone's preview in a JPEG."""
    count = getattr(image, "n_frames", 1)
    if count < 2 or image.format in ("MPO", "JPEG"):
        return ()
    kind = "pages" if image.format == "TIFF" else "frames"
    return (f"{name} has {count} {kind}: the first is used.",)


def _shallow(name: str) -> str:
    return f"{name} holds 16 bits a channel and is read at 8: {deep.INSTALL} reads them all."

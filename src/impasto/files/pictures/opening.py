"""Opening a picture: known formats only, pixels counted, and every failure one sentence.

Every picture is opened here, so this is where one that is too large, too small, damaged or of an
unknown format raises an error that says what to do.
"""

from __future__ import annotations

import io
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from PIL import Image, PngImagePlugin, UnidentifiedImageError

from impasto.errors import PictureError, ShortageError
from impasto.files.formats import formats_of
from impasto.files.pictures import deep
from impasto.files.pictures.png import MAX_PROFILE
from impasto.shortage import is_shortage

_FORMATS = tuple(each.name for each in formats_of("still"))
TIFF_HEADS = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
_JPEG = b"\xff\xd8\xff"
_HEIF_BRANDS = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"mif1")
_PILLOW = threading.RLock()  # its limits, which differ from impasto's, are global


@contextmanager
def said_in_one_sentence(name: str) -> Iterator[None]:
    """Turn every exception of a decoder in the block into a :class:`PictureError`.

    Running out of memory raises a :class:`ShortageError`.
    """
    try:
        with _PILLOW, warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    except ShortageError:
        raise
    except PictureError as error:
        text = str(error)
        if text.endswith("."):
            raise
        raise PictureError(f"{name} cannot be read: {text}; convert it to PNG first.") from error
    except UnidentifiedImageError as error:
        raise PictureError(
            f"{name} is not a picture that can be read: convert it to PNG or JPEG."
        ) from error
    except Exception as error:  # a damaged file can make a decoder raise anything
        if is_shortage(error):
            raise ShortageError(
                f"{name} does not fit into memory: make it smaller first."
            ) from error
        raise PictureError(f"{name} is damaged and cannot be read: get it again.") from error


@contextmanager
def opened(data: bytes) -> Iterator[Image.Image]:
    """A file's bytes as a Pillow image that is not decoded yet."""
    formats = [each for each in _FORMATS if each != "HEIF" or has_heif()]
    limits = Image.MAX_IMAGE_PIXELS, PngImagePlugin.MAX_TEXT_CHUNK
    Image.MAX_IMAGE_PIXELS, PngImagePlugin.MAX_TEXT_CHUNK = None, MAX_PROFILE
    try:
        try:
            image = Image.open(io.BytesIO(data), formats=formats)
        except UnidentifiedImageError:
            _say_what_is_missing(data)
            if data.startswith(_JPEG):
                raise ValueError("a JPEG without a picture") from None
            raise
        with image:
            yield image
    finally:
        Image.MAX_IMAGE_PIXELS, PngImagePlugin.MAX_TEXT_CHUNK = limits


def is_known(head: bytes) -> bool:
    """Whether a file with these first bytes, 16 or more, may be a picture in a supported format."""
    Image.init()
    has_heif()  # registers it with Pillow
    if head[4:8] == b"ftyp" and head[8:12] in _HEIF_BRANDS:
        return True
    openers = [Image.OPEN[each] for each in _FORMATS if each in Image.OPEN]
    return any(accepts is not None and accepts(head) for _, accepts in openers)


def may_be_transparent(path: Path) -> bool:
    """False if a picture's file states that it has no alpha."""
    try:
        with said_in_one_sentence(repr(path.name)), opened(path.read_bytes()) as image:
            return image.has_transparency_data
    except (PictureError, OSError):
        return True


@cache
def has_heif() -> bool:
    """Whether HEIC can be read; if so, it is registered with Pillow."""
    if not find_spec("pillow_heif"):
        return False
    import pillow_heif

    pillow_heif.register_heif_opener()
    return True


def _say_what_is_missing(data: bytes) -> None:
    if data[4:8] == b"ftyp" and data[8:12] in _HEIF_BRANDS and not has_heif():
        raise PictureError("HEIC needs pip install 'impasto[heic]'")
    if data.startswith(TIFF_HEADS) and not deep.available():
        raise PictureError(f"a TIFF of this kind needs {deep.INSTALL}")


def check_size(name: str, width: int, height: int, max_pixels: int) -> None:
    """Make sure that a picture has a usable size.

    Raises:
        PictureError: under 2 x 2 or over ``max_pixels`` pixels.

    """
    if width * height > max_pixels:
        raise PictureError(
            f"{name} has {width} x {height} pixels, more than {max_pixels / 1e6:.4g} million: "
            "make it smaller, or allow more with --max-pixels."
        )
    if min(width, height) < 2:
        raise PictureError(f"{name} has {width} x {height} pixels: too small to use.")

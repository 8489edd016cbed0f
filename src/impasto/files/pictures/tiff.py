"""The pages of a TIFF, and the one that is the picture: the largest, not always the first."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass

from PIL import TiffImagePlugin

_KIND, _WIDTH, _HEIGHT, _PHOTOMETRIC, _SUB = 254, 256, 257, 262, 330
_MASK = 4  # in a page's type
_READABLE = (0, 1, 2, 3, 5, 6, 8, 9)  # white or black is zero, RGB, palette, CMYK, YCbCr, Lab
_MOST = 10_000  # pages


@dataclass(frozen=True)
class Page:
    """The page to be read.

    Attributes:
        data: the file, changed so that this page comes first.
        pages: their number, thumbnails included.
        is_first: whether the page was the first in the original file.

    """

    data: bytes
    pages: int = 1
    is_first: bool = True


@dataclass(frozen=True)
class _Directory:
    offset: int
    pixels: int


def largest_page(data: bytes) -> Page:
    """The largest page, the first of several; without a choice, the file unchanged."""
    try:
        directories = list(_directories(data))
    except Exception:  # the decoder reports a damaged file
        return Page(data)
    if not directories or not max(each.pixels for each in directories):
        return Page(data, max(1, len(directories)))
    best = max(directories, key=lambda each: each.pixels)
    if best is directories[0]:
        return Page(data, len(directories))
    return Page(_beginning_at(data, best.offset), len(directories), False)


def _directories(data: bytes) -> Iterator[_Directory]:
    """All page directories; SubIFDs follow their page."""
    file = io.BytesIO(data)
    head = data[:16] if _is_big(data) else data[:8]
    waiting, seen = [TiffImagePlugin.ImageFileDirectory_v2(head).next], set[int]()
    while waiting and len(seen) < _MOST:
        offset = waiting.pop(0)
        if not offset or offset in seen:
            continue
        seen.add(offset)
        file.seek(offset)
        tags = TiffImagePlugin.ImageFileDirectory_v2(head)
        tags.load(file)
        yield _Directory(offset, _pixels(tags))
        below = tags.get(_SUB, ())
        waiting[:0] = [*(below if isinstance(below, tuple) else (below,)), tags.next]


def _pixels(tags: TiffImagePlugin.ImageFileDirectory_v2) -> int:
    """The number of pixels of a page; 0 for a mask or an unreadable page."""
    if int(tags.get(_KIND, 0)) & _MASK or tags.get(_PHOTOMETRIC) not in _READABLE:
        return 0
    return int(tags.get(_WIDTH, 0)) * int(tags.get(_HEIGHT, 0))


def _is_big(data: bytes) -> bool:
    return data[2:4] in (b"+\0", b"\0+")


def _beginning_at(data: bytes, offset: int) -> bytes:
    order = "little" if data.startswith(b"II") else "big"
    start, size = (8, 8) if _is_big(data) else (4, 4)
    return b"".join([data[:start], offset.to_bytes(size, order), memoryview(data)[start + size :]])  # type: ignore[arg-type]

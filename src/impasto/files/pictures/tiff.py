"""The pages of a TIFF, and the one that is the picture: the largest, not always the first."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass

from PIL import TiffImagePlugin

_KIND, _WIDTH, _HEIGHT, _PHOTOMETRIC, _SUB = 254, 256, 257, 262, 330
_MASK = 4  # in a page's kind
_READABLE = (0, 1, 2, 3, 5, 6, 8, 9)  # white or black is zero, RGB, palette, CMYK, YCbCr, two Lab
_MOST = 10_000  # pages


@dataclass(frozen=True)
class Page:
    """The page to be read.

    Attributes:
        data: the file, changed so that this page comes first.
        pages: how many there are, thumbnails among them.
        is_first: whether it came first before.

    """

    data: bytes
    pages: int = 1
    is_first: bool = True


@dataclass(frozen=True)
class _Directory:
    offset: int
    pixels: int


def largest_page(data: bytes) -> Page:
    """The first one of the largest; where there is nothing to choose from, the file as it is."""
    try:
        found = list(_directories(data))
    except Exception:  # what is wrong with a file is said where it is decoded
        return Page(data)
    if not found or not max(each.pixels for each in found):
        return Page(data, max(1, len(found)))
    best = max(found, key=lambda each: each.pixels)
    if best is found[0]:
        return Page(data, len(found))
    return Page(_beginning_at(data, best.offset), len(found), False)


def _directories(data: bytes) -> Iterator[_Directory]:
    """All directories of pages, those below a page after it."""
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
    """How many the page has; none for a mask, and for what is no picture that can be read."""
    if int(tags.get(_KIND, 0)) & _MASK or tags.get(_PHOTOMETRIC) not in _READABLE:
        return 0
    return int(tags.get(_WIDTH, 0)) * int(tags.get(_HEIGHT, 0))


def _is_big(data: bytes) -> bool:
    return data[2:4] in (b"+\0", b"\0+")


def _beginning_at(data: bytes, offset: int) -> bytes:
    order = "little" if data.startswith(b"II") else "big"
    start, size = (8, 8) if _is_big(data) else (4, 4)
    return b"".join([data[:start], offset.to_bytes(size, order), memoryview(data)[start + size :]])  # type: ignore[arg-type]

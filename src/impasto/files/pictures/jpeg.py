"""Whether a JPEG has all its pixels; a decoder silently fills missing ones with grey."""

from __future__ import annotations

import io
import random
import re
from dataclasses import dataclass, field

from PIL import Image

START, END = b"\xff\xd8", b"\xff\xd9"
_NEXT = re.compile(rb"\xff[\x01-\xcf\xd8-\xfe]")  # without stuffing, restarts and fill bytes
_RESTART = re.compile(rb"\xff([\xd0-\xd7])")
_SCAN, _IMAGE = 0xDA, 0xD8
_FRAMES = {0xC0: False, 0xC1: False, 0xC2: True}  # Huffman-coded: whether it is progressive
_COEFFICIENTS = 64


@dataclass
class _Walk:
    """The structure of a file's first picture, read marker by marker.

    Attributes:
        end: the position at which its pixels end.
        is_ended: whether the end marker follows.
        scan: the position of the last scan's data; 0 without a scan.
        is_huffman: whether it is Huffman-coded.
        is_progressive: whether its scans refine each other.
        left: for each component and coefficient, the bits that no scan has contained.

    """

    end: int = 0
    is_ended: bool = False
    scan: int = 0
    is_huffman: bool = False
    is_progressive: bool = False
    left: dict[int, list[int]] = field(default_factory=dict)

    @property
    def has_all_scans(self) -> bool:
        return bool(self.left) and not any(any(each) for each in self.left.values())


def mended(data: bytes) -> tuple[bytes, bool]:
    """A JPEG with an end marker, and whether it was missing.

    Other files are returned unchanged.

    Raises:
        ValueError: pixels are missing.

    """
    if not data.startswith(START):
        return data, False
    walk = _walk(data)
    if not walk.scan or not walk.is_huffman:
        return data, False
    body = data[: walk.end] if walk.is_ended else _without_padding(data[: walk.end])
    if not walk.is_ended and not walk.has_all_scans:
        raise ValueError("scans are missing")
    if not _needs_no_more(body, walk):
        raise ValueError("pixels are missing")
    return (data, False) if walk.is_ended else (body + END, True)


def _walk(data: bytes) -> _Walk:
    walk, at = _Walk(), len(START)
    while at + 4 <= len(data) and data[at] == 0xFF:
        mark = data[at + 1]
        if mark == 0xFF:
            at += 1
            continue
        if mark in (END[1], _IMAGE):
            break
        size = int.from_bytes(data[at + 2 : at + 4], "big")
        segment = data[at + 4 : at + 2 + size]
        at += 2 + size
        if mark in _FRAMES:
            _note_frame(walk, mark, segment)
        elif mark == _SCAN:
            _note_scan(walk, segment)
            walk.scan = at
            match = _NEXT.search(data, at)
            at = match.start() if match else len(data)
    walk.end, walk.is_ended = min(at, len(data)), data[at : at + 2] == END
    return walk


def _note_frame(walk: _Walk, mark: int, segment: bytes) -> None:
    walk.is_huffman, walk.is_progressive = True, _FRAMES[mark]
    walk.left = {component: [_COEFFICIENTS] * _COEFFICIENTS for component in segment[6::3]}


def _note_scan(walk: _Walk, segment: bytes) -> None:
    count = segment[0] if segment else 0
    first, last, bits = segment[-3:] if len(segment) == 4 + 2 * count else (0, 0, 0)
    if not walk.is_progressive:
        first, last, bits = 0, _COEFFICIENTS - 1, 0
    for component in segment[1 : 1 + 2 * count : 2]:
        left = walk.left.get(component, [])
        left[first : last + 1] = [bits & 15] * len(left[first : last + 1])


def _needs_no_more(body: bytes, walk: _Walk) -> bool:
    """Whether data after this body makes no difference to the picture.

    A decoder that has all pixels reads nothing more; otherwise it interprets any data as pixels,
    or fills in grey where there is none.
    """
    plain = _decoded(body + END, walk)
    return plain is None or plain == _decoded(body + _noise(body, walk.scan) + END, walk)


def _noise(body: bytes, scan: int) -> bytes:
    """Random data for the current scan segment and the eight that may follow."""
    source = random.Random(0)
    restarts = _RESTART.findall(body, scan)
    following = restarts[-1][0] - 0xD0 + 1 if restarts else 0
    parts = [bytes(source.choices(range(255), k=512)) for _ in range(9)]
    marks = [bytes([0xFF, 0xD0 + (following + index) % 8]) for index in range(8)]
    return parts[0] + b"".join(mark + part for mark, part in zip(marks, parts[1:], strict=True))


def _decoded(data: bytes, walk: _Walk) -> bytes | None:
    """The pixels, at an eighth of the size where that suffices; None if decoding fails."""
    try:
        with Image.open(io.BytesIO(data), formats=("JPEG",)) as image:
            if walk.is_ended and not walk.is_progressive:
                image.draft(None, (1, 1))
            return image.tobytes()
    except Exception:  # a damaged file makes a decoder fail in any way
        return None


def _without_padding(body: bytes) -> bytes:
    """Without the zeros at the end of an incomplete copy."""
    bare = body.rstrip(b"\0")
    return bare + b"\0" if bare.endswith(b"\xff") else bare

"""Whether a JPEG's pixels are all there: its decoder fills what is missing with grey, unsaid."""

from __future__ import annotations

import io
import random
import re
from dataclasses import dataclass, field

from PIL import Image

START, END = b"\xff\xd8", b"\xff\xd9"
_NEXT = re.compile(rb"\xff[\x01-\xcf\xd8-\xfe]")  # but stuffing, restarts and fill bytes
_RESTART = re.compile(rb"\xff([\xd0-\xd7])")
_SCAN, _IMAGE = 0xDA, 0xD8
_FRAMES = {0xC0: False, 0xC1: False, 0xC2: True}  # Huffman-coded: whether it is progressive
_COEFFICIENTS = 64


@dataclass
class _Walk:
    """A file's first picture, from mark to mark.

    Attributes:
        end: where its pixels end.
        is_ended: whether the end mark stands there.
        scan: where the last scan's data begins; 0 where there is none.
        is_huffman: coded in the usual way.
        is_progressive: in scans that refine each other.
        left: of each component and coefficient the bits that no scan has given.

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
    """A JPEG with its end mark, and whether that had been missing.

    Anything else comes back as it is.

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
            found = _NEXT.search(data, at)
            at = found.start() if found else len(data)
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
    """Whether what follows the data makes no difference to the picture.

    A decoder that has all pixels looks at nothing more; one that has not takes for pixels whatever
    comes, or fills in grey where nothing does.
    """
    plain = _decoded(body + END, walk)
    return plain is None or plain == _decoded(body + _noise(body, walk.scan) + END, walk)


def _noise(body: bytes, scan: int) -> bytes:
    """Arbitrary data for the part that is going on and for the eight that may follow."""
    source = random.Random(0)
    restarts = _RESTART.findall(body, scan)
    following = restarts[-1][0] - 0xD0 + 1 if restarts else 0
    parts = [bytes(source.choices(range(255), k=512)) for _ in range(9)]
    marks = [bytes([0xFF, 0xD0 + (following + index) % 8]) for index in range(8)]
    return parts[0] + b"".join(mark + part for mark, part in zip(marks, parts[1:], strict=True))


def _decoded(data: bytes, walk: _Walk) -> bytes | None:
    """The pixels, an eighth as many where that shows enough; None where it cannot be decoded."""
    try:
        with Image.open(io.BytesIO(data), formats=("JPEG",)) as image:
            if walk.is_ended and not walk.is_progressive:
                image.draft(None, (1, 1))
            return image.tobytes()
    except Exception:  # a damaged file makes a decoder fail in any way
        return None


def _without_padding(body: bytes) -> bytes:
    """Without the zeros with which a copy that broke off is filled up."""
    bare = body.rstrip(b"\0")
    return bare + b"\0" if bare.endswith(b"\xff") else bare

"""The chunks of a PNG: colour information, transparency, and damage."""

from __future__ import annotations

import struct
import sys
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import cast

from impasto.files.pictures.coding_points import encoding_of
from impasto.files.pictures.colors import SRGB, Chromaticities, Encoding

SIGNATURE = b"\x89PNG\r\n\x1a\n"
_END = b"\0\0\0\0IEND\xae\x42\x60\x82"
_SIZES = {b"gAMA": 4, b"cHRM": 32, b"sRGB": 1, b"pHYs": 9, b"cICP": 4}
_SAID = frozenset({b"cICP", b"sRGB", b"gAMA", b"cHRM", b"tRNS"})
_TRANSPARENT = {0: 2, 2: 6}  # bytes of tRNS: grey, RGB
_ANIMATION = frozenset({b"acTL", b"fcTL", b"fdAT"})
_TEXTS = frozenset({b"zTXt", b"iTXt", b"tEXt"})
_READ_TEXTS = (b"XML:com.adobe.xmp", b"Raw profile type exif", b"Raw profile type APP1")
_AT_ONCE = 1 << 20  # bytes
MAX_PROFILE = 1 << 26  # bytes


@dataclass(frozen=True, eq=False)
class _Chunk:
    name: bytes
    body: memoryview
    is_whole: bool  # its checksum is correct

    @property
    def is_critical(self) -> bool:
        return not self.name[0] & 0x20


@dataclass(frozen=True)
class Png:
    """What a file states besides its pixels.

    Attributes:
        data: the file, without chunks that could prevent decoding.
        passed_over: names of the damaged ones among them; ``IEND`` if the end is missing.
        depth: bits of a channel.
        is_plain_grey: one channel and no palette.
        transparent: the transparent level, or three of them, in ``depth`` bits.
        said: cICP, sRGB, gAMA and cHRM, as far as they exist.

    """

    data: bytes
    passed_over: tuple[str, ...]
    depth: int
    is_plain_grey: bool
    transparent: tuple[int, ...] | None
    said: Mapping[bytes, bytes]

    def encoding(self) -> Encoding | None:
        """The encoding by the first of cICP, sRGB, and gAMA with cHRM; None without any.

        Raises:
            ValueError: the numbers are invalid.

        """
        if b"cICP" in self.said:
            return _by_coding_points(self.said[b"cICP"])
        gamma, points = self.said.get(b"gAMA"), self.said.get(b"cHRM")
        return gamma_encoding(
            struct.unpack(">I", gamma)[0] / 1e5 if gamma else None,
            tuple(each / 1e5 for each in struct.unpack(">8i", points)) if points else None,
            is_srgb=b"sRGB" in self.said,
        )

    @property
    def transparent_for_pillow(self) -> int | tuple[int, ...]:
        """``transparent`` in Pillow's levels: grey of fewer than 8 bits is scaled to 8."""
        assert self.transparent is not None
        if not self.is_plain_grey:
            return tuple(each >> max(0, self.depth - 8) for each in self.transparent)
        stretch = 255 // (2**self.depth - 1) if self.depth < 8 else 1
        return self.transparent[0] * stretch


def read_png(data: bytes, check: Callable[[int, int], None]) -> Png | None:
    """Read a PNG's chunks; None for another format.

    Args:
        data: the file.
        check: raises an exception for a width and height that must not be decoded.

    Raises:
        ValueError: its pixels are damaged.

    """
    if not data.startswith(SIGNATURE):
        return None
    chunks = list(_chunks(data))
    if chunks and chunks[0].name == b"IHDR" and chunks[0].is_whole:
        check(*struct.unpack_from(">II", chunks[0].body))
    _check_pixels(chunks)
    depth, color_type = chunks[0].body[8:10]
    kept, damaged = _sorted_out(chunks, color_type)
    damaged += [_shown(each.name) for each in chunks if each.is_critical and not each.is_whole]
    if chunks[-1].name != b"IEND":
        damaged.append("IEND")
    bodies = {each.name: bytes(each.body) for each in kept if each.name in _SAID}
    transparent = _transparent(bodies.pop(b"tRNS", None), color_type, depth)
    is_same = not damaged and len(kept) + 1 == len(chunks)
    return Png(
        data if is_same else _joined(kept),
        tuple(dict.fromkeys(damaged)),
        depth,
        color_type == 0,
        transparent,
        bodies,
    )


def gamma_encoding(
    gamma: float | None, chromaticities: tuple[float, ...] | None, *, is_srgb: bool
) -> Encoding | None:
    """The encoding of the chunks sRGB, gAMA and cHRM together; None without them.

    Args:
        gamma: gAMA: levels are light raised to this power.
        chromaticities: cHRM; sRGB's where it is missing.
        is_srgb: there is a chunk sRGB, which overrides the others.

    Raises:
        ValueError: the numbers are invalid.

    """
    if is_srgb:
        return Encoding()
    if gamma is None and chromaticities is None:
        return None
    points = cast(Chromaticities, chromaticities or SRGB)
    if gamma is None:
        return Encoding(chromaticities=points)
    if gamma <= 0:
        raise ValueError("gamma 0")
    return Encoding("power", 1 / gamma, points)


def _check_pixels(chunks: list[_Chunk]) -> None:
    """Make sure that no pixel is missing, if checksums or the end are damaged.

    Raises:
        ValueError: pixels are missing, or it cannot be determined.

    """
    names = [each.name for each in chunks]
    if names[:1] != [b"IHDR"] or len(chunks[0].body) != 13 or b"IDAT" not in names:
        raise ValueError("no pixels")
    damaged = {each.name for each in chunks if each.is_critical and not each.is_whole}
    if not damaged <= {b"IDAT", b"IEND"}:
        raise ValueError("the header is damaged")
    if (damaged or names[-1] != b"IEND") and not _inflates(
        (each.body for each in chunks if each.name == b"IDAT"), sys.maxsize
    ):
        raise ValueError("pixels are damaged or missing")


def _by_coding_points(body: bytes) -> Encoding:
    primaries, transfer, _, full = body
    return encoding_of(primaries, transfer, full_range=bool(full))


def _transparent(body: bytes | None, color_type: int, depth: int) -> tuple[int, ...] | None:
    if body is None or color_type not in _TRANSPARENT:
        return None
    return tuple(each & (2**depth - 1) for each in struct.unpack(f">{len(body) // 2}H", body))


def _chunks(data: bytes) -> Iterator[_Chunk]:
    """The chunks up to the end; the last is incomplete if the file ends inside it."""
    view, at = memoryview(data), len(SIGNATURE)
    while data.startswith(SIGNATURE) and at + 8 <= len(data):
        size, name = struct.unpack_from(">I4s", data, at)
        body, sum_ = view[at + 8 : at + 8 + size], data[at + 8 + size : at + 12 + size]
        is_whole = sum_ == zlib.crc32(body, zlib.crc32(name)).to_bytes(4, "big")
        yield _Chunk(name, body, is_whole)
        if name == b"IEND":
            return
        at += 12 + size


def _sorted_out(chunks: list[_Chunk], color_type: int) -> tuple[list[_Chunk], list[str]]:
    """The chunks to be read, without the end, and the names of those that are damaged."""
    optional = [each for each in chunks if not each.is_critical]
    bad = [each for each in optional if not (each.is_whole and _is_sound(each, color_type))]
    spoiled = _ANIMATION if any(each.name in _ANIMATION for each in bad) else frozenset[bytes]()
    sound = {each.name for each in optional if each not in bad}
    outranked = {b"iCCP"} if b"cICP" in sound else set[bytes]()
    kept = [
        each
        for each in chunks
        if each not in bad
        and each.name not in {b"IEND", *spoiled, *outranked}
        and not _is_idle(each)
    ]
    return kept, [_shown(each.name) for each in bad]


def _is_sound(chunk: _Chunk, color_type: int) -> bool:
    """Whether a chunk's content has the form that its name requires."""
    size = len(chunk.body)
    if chunk.name == b"tRNS":
        return size == _TRANSPARENT[color_type] if color_type in _TRANSPARENT else size <= 256
    if chunk.name == b"iCCP":
        name, _, rest = bytes(chunk.body).partition(b"\0")
        return len(name) < 80 and rest[:1] == b"\0" and _inflates([rest[1:]], MAX_PROFILE)
    return size == _SIZES.get(chunk.name, size)


def _is_idle(chunk: _Chunk) -> bool:
    """Whether a chunk is text that does not affect the picture, and could only do harm."""
    return chunk.name in _TEXTS and not bytes(chunk.body[:40]).startswith(_READ_TEXTS)


def _inflates(parts: Iterable[bytes | memoryview], most: int) -> bool:
    """Whether the compressed data is complete, by its checksum, and at most ``most`` bytes."""
    inflater, size = zlib.decompressobj(), 0
    try:
        for part in parts:
            rest: bytes | memoryview = part
            while rest and size <= most:
                size += len(inflater.decompress(rest, _AT_ONCE))
                rest = inflater.unconsumed_tail
    except zlib.error:
        return False
    return inflater.eof and size <= most


def _joined(chunks: list[_Chunk]) -> bytes:
    parts: list[bytes | memoryview] = [SIGNATURE]
    for each in chunks:
        sum_ = zlib.crc32(each.body, zlib.crc32(each.name))
        parts += [struct.pack(">I4s", len(each.body), each.name), each.body]
        parts.append(struct.pack(">I", sum_))
    return b"".join([*parts, _END])


def _shown(name: bytes) -> str:
    return name.decode("ascii") if name.isalpha() and name.isascii() else "unknown"

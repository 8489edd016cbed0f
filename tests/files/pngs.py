"""PNGs part by part, as no library writes them."""

from __future__ import annotations

import struct
import zlib

import numpy as np

TYPES = {1: 0, 2: 4, 3: 2, 4: 6}  # channels to PNG's colour types


def chunk(name: bytes, body: bytes, *, crc: int = 0) -> bytes:
    """A part; ``crc`` is added to its checksum."""
    sum_ = (zlib.crc32(name + body) + crc) % 2**32
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", sum_)


def png(
    levels: np.ndarray, *chunks: bytes, depth: int | None = None, palette: bytes = b""
) -> bytes:
    """``(H, W)`` or ``(H, W, C)`` of 8 or 16 bits, or of fewer in bytes, with parts before it."""
    depth = depth or levels.dtype.itemsize * 8
    color = 3 if palette else TYPES[1 if levels.ndim == 2 else levels.shape[2]]
    head = struct.pack(">IIBBBBB", levels.shape[1], levels.shape[0], depth, color, 0, 0, 0)
    rows = b"".join(b"\0" + _row(row, depth) for row in levels)
    colors = chunk(b"PLTE", palette) if palette else b""
    return b"".join(
        [b"\x89PNG\r\n\x1a\n", chunk(b"IHDR", head), colors, *chunks,
         chunk(b"IDAT", zlib.compress(rows)), chunk(b"IEND", b"")]
    )  # fmt: skip


def gama(exponent: float) -> bytes:
    return chunk(b"gAMA", struct.pack(">I", round(exponent * 1e5)))


def chrm(*values: float) -> bytes:
    return chunk(b"cHRM", struct.pack(">8I", *(round(each * 1e5) for each in values)))


def _row(row: np.ndarray, depth: int) -> bytes:
    if depth == 16:
        return row.astype(">u2").tobytes()
    if depth == 8:
        return row.astype(np.uint8).tobytes()
    bits = (row[:, None] >> np.arange(depth - 1, -1, -1)) & 1
    return np.packbits(bits.reshape(-1)).tobytes()

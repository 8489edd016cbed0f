"""Colour profiles that no library makes, byte by byte."""

from __future__ import annotations

import struct

from PIL import ImageCms


def swapped(profile: bytes | None = None) -> bytes:
    """sRGB with the primaries of red and green exchanged: its red is our green."""
    data = profile or ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    return data.replace(b"rXYZ", b"????").replace(b"gXYZ", b"rXYZ").replace(b"????", b"gXYZ")


def grey(gamma: float) -> bytes:
    """Grey levels with a plain power law."""
    curve = b"curv" + bytes(4) + struct.pack(">IHxx", 1, round(gamma * 256))
    return _profile(b"mntr", b"GRAY", b"XYZ ", {b"kTRC": curve})


def cmyk() -> bytes:
    """Ink that looks like no ink: cyan alone is red, everything else is grey by its amount."""
    nodes = bytearray()
    for c in (0, 1):
        for rest in range(8):  # magenta, yellow, black
            amount = rest.bit_count() / 3
            red = c and not rest
            light, a, b = (53, 80, 67) if red else (100 * (1 - amount) * (0.7 if c else 1), 0, 0)
            nodes += bytes([round(light * 2.55), 128 + a, 128 + b])
    matrix = struct.pack(">9i", *(65536 * (i % 4 == 0) for i in range(9)))
    table = bytes(range(256))
    lut = b"mft1" + bytes(4) + bytes([4, 3, 2, 0]) + matrix + table * 4 + bytes(nodes) + table * 3
    return _profile(b"prtr", b"CMYK", b"Lab ", {b"A2B0": lut, b"A2B1": lut})


def _profile(kind: bytes, space: bytes, connection: bytes, tags: dict[bytes, bytes]) -> bytes:
    white = b"XYZ " + bytes(4) + struct.pack(">3i", 63190, 65536, 54061)
    text = b"text" + bytes(4) + b"made by a test\0"
    name = b"desc" + bytes(4) + struct.pack(">I", 5) + b"test\0" + bytes(4 + 4 + 2 + 1 + 67)
    bodies = {b"desc": name, b"cprt": text, b"wtpt": white, **tags}
    start, table, body = 128 + 4 + 12 * len(bodies), b"", b""
    for tag, value in bodies.items():
        table += struct.pack(">4sII", tag, start + len(body), len(value))
        body += value + bytes(-len(value) % 4)
    head = struct.pack(
        ">I4sI4s4s4s", start + len(body), bytes(4), 0x02400000, kind, space, connection
    )
    head += struct.pack(">6H", 2026, 1, 1, 0, 0, 0) + b"acsp" + bytes(28)
    head += struct.pack(">3i", 63190, 65536, 54061)
    return head.ljust(128, b"\0") + struct.pack(">I", len(bodies)) + table + body

"""The conversion of a film's colours to BT.709: other primaries, and high dynamic range.

Codes are those of ITU-T H.273, which films contain.
"""

from __future__ import annotations

import numpy as np

from impasto.files.pictures.coding_points import encoding_of
from impasto.files.pictures.colors import Floats, to_srgb, to_srgb_matrix

HDR = {16: "PQ", 18: "HLG"}
"""Transfer characteristics of high dynamic range."""

WIDE = {9: "BT.2020", 11: "DCI-P3", 12: "Display P3"}
"""Primaries wider than BT.709's. Those of standard definition differ little, are often tagged in
films that use BT.709's, and are treated as these, as in FFmpeg."""

_BT709, _LINEAR, _SRGB = 1, 8, 13
_DISPLAY = 2.4  # BT.1886: the gamma of the display on which films are graded


def is_plain(primaries: int, transfer: int) -> bool:
    """True if colours need no conversion: they are BT.709's or untagged."""
    return primaries not in WIDE and transfer not in HDR and transfer != _LINEAR


def to_bt709(levels: Floats, primaries: int, transfer: int) -> Floats:
    """Convert colours to BT.709; those outside its gamut are clipped.

    Args:
        levels: ``(H, W, 3)`` RGB in [0, 1].
        primaries: their code.
        transfer: code of the transfer characteristics.

    Returns:
        ``(H, W, 3)`` RGB in [0, 1], encoded as ``levels`` were; high dynamic range and linear light
        are encoded as sRGB.

    """
    primaries = primaries if primaries in WIDE else _BT709
    if transfer in HDR or transfer in (_LINEAR, _SRGB):
        return to_srgb(levels, encoding_of(primaries, transfer))
    matrix = to_srgb_matrix(encoding_of(primaries, _SRGB).chromaticities).astype(np.float32)
    light = np.power(levels, np.float32(_DISPLAY)) @ matrix.T
    shown: Floats = np.power(light.clip(0, 1), np.float32(1 / _DISPLAY))
    return shown

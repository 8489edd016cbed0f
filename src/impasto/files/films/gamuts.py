"""What a film's numbers mean as colours: other primaries than BT.709's, and high dynamic range.

Codes are those of ITU-T H.273, which films carry.
"""

from __future__ import annotations

import numpy as np

from impasto.files.pictures.coding_points import encoding_of
from impasto.files.pictures.colors import Floats, to_srgb, to_srgb_matrix

HDR = {16: "PQ", 18: "HLG"}
"""Transfer characteristics of high dynamic range."""

WIDE = {9: "BT.2020", 11: "DCI-P3", 12: "Display P3"}
"""Primaries beyond BT.709's. Those of standard definition differ little, are often noted for films
that have BT.709's, and are taken for these, as FFmpeg does."""

_BT709, _LINEAR, _SRGB = 1, 8, 13
_DISPLAY = 2.4  # BT.1886: what a screen makes of a film that was graded on one


def is_plain(primaries: int, transfer: int) -> bool:
    """True where numbers mean what BT.709's do, or nothing says what they mean."""
    return primaries not in WIDE and transfer not in HDR and transfer != _LINEAR


def to_bt709(levels: Floats, primaries: int, transfer: int) -> Floats:
    """Colours as a screen of BT.709 shows them; those outside of it are cut off at its limits.

    Args:
        levels: ``(H, W, 3)`` RGB in [0, 1].
        primaries: their code.
        transfer: code of the transfer characteristics.

    Returns:
        ``(H, W, 3)`` RGB in [0, 1], encoded as ``levels`` were; high dynamic range and linear light
        as sRGB.

    """
    primaries = primaries if primaries in WIDE else _BT709
    if transfer in HDR or transfer in (_LINEAR, _SRGB):
        return to_srgb(levels, encoding_of(primaries, transfer))
    matrix = to_srgb_matrix(encoding_of(primaries, _SRGB).chromaticities).astype(np.float32)
    light = np.power(levels, np.float32(_DISPLAY)) @ matrix.T
    shown: Floats = np.power(light.clip(0, 1), np.float32(1 / _DISPLAY))
    return shown

"""What a film's numbers mean as light: other primaries than BT.709's, and high dynamic range.

Codes are those of ITU-T H.273, which films carry. Light is relative to the reference white, 1.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

Levels = npt.NDArray[np.float32]

HDR = {16: "PQ", 18: "HLG"}
"""Transfer characteristics of high dynamic range."""

_LINEAR, _SRGB = 8, 13
_GAMMAS = {4: 2.2, 5: 2.8}
_DISPLAY = 2.4  # BT.1886: what a screen makes of a film that was graded on one
_WHITE_NITS = 203.0  # reference white of PQ (BT.2408)
_WHITE_HLG = 0.75  # and the signal of HLG that is white
_KNEE = 0.95  # of the reference white: light beyond it is compressed, so that highlights stay apart

_D65 = (0.3127, 0.3290)
_C = (0.310, 0.316)
_PRIMARIES = {  # red, green and blue, and white, as CIE 1931 x and y
    1: ((0.640, 0.330), (0.300, 0.600), (0.150, 0.060), _D65),
    4: ((0.670, 0.330), (0.210, 0.710), (0.140, 0.080), _C),
    5: ((0.640, 0.330), (0.290, 0.600), (0.150, 0.060), _D65),
    6: ((0.630, 0.340), (0.310, 0.595), (0.155, 0.070), _D65),
    7: ((0.630, 0.340), (0.310, 0.595), (0.155, 0.070), _D65),
    8: ((0.681, 0.319), (0.243, 0.692), (0.145, 0.049), _C),
    9: ((0.708, 0.292), (0.170, 0.797), (0.131, 0.046), _D65),
    11: ((0.680, 0.320), (0.265, 0.690), (0.150, 0.060), (0.314, 0.351)),
    12: ((0.680, 0.320), (0.265, 0.690), (0.150, 0.060), _D65),
    22: ((0.630, 0.340), (0.295, 0.605), (0.155, 0.077), _D65),
}
WIDE = {4: "NTSC of 1953", 8: "film", 9: "BT.2020", 11: "DCI-P3", 12: "Display P3"}
"""Primaries that are so far from BT.709's that a change of colours is worth a sentence."""

_BRADFORD = np.array(
    [[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]]
)


def is_plain(primaries: int, transfer: int) -> bool:
    """True where numbers mean what BT.709's do, or nothing says what they mean."""
    other = primaries in _PRIMARIES and primaries != 1
    return not other and transfer not in HDR and transfer != _LINEAR


def to_bt709(levels: Levels, primaries: int, transfer: int) -> Levels:
    """Colours as a screen of BT.709 shows them.

    High dynamic range: HLG's light is the scene's, with 75% signal as white; PQ's is the screen's,
    with 203 nits as white (BT.2408). What is brighter than white is compressed, all three channels
    by one factor, so that no hue changes. Colours outside of BT.709 are cut off at its limits.

    Args:
        levels: ``(H, W, 3)`` RGB in [0, 1].
        primaries: their code.
        transfer: code of the transfer characteristics.

    Returns:
        ``(H, W, 3)`` RGB in [0, 1], encoded as ``levels`` were; high dynamic range and linear light
        as sRGB.

    """
    light = _decoder(transfer)(levels)
    light = light @ _matrix(primaries).T
    light = np.maximum(light, np.float32(0))
    if transfer in HDR:
        light = _compressed(light)
    return _encoder(transfer)(np.minimum(light, np.float32(1))).astype(np.float32)


def _decoder(transfer: int) -> Callable[[Levels], Levels]:
    known: dict[int, Callable[[Levels], Levels]] = {
        _LINEAR: lambda levels: levels,
        _SRGB: _from_srgb,
        16: _from_pq,
        18: _from_hlg,
    }
    return known.get(transfer, _power(_GAMMAS.get(transfer, _DISPLAY)))


def _encoder(transfer: int) -> Callable[[Levels], Levels]:
    if transfer in HDR or transfer in (_LINEAR, _SRGB):
        return _to_srgb
    return _power(1 / _GAMMAS.get(transfer, _DISPLAY))


def _power(exponent: float) -> Callable[[Levels], Levels]:
    return lambda levels: np.power(levels, np.float32(exponent))


def _from_srgb(levels: Levels) -> Levels:
    return np.where(levels <= 0.04045, levels / 12.92, ((levels + 0.055) / 1.055) ** 2.4)


def _to_srgb(light: Levels) -> Levels:
    return np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)


def _from_pq(levels: Levels) -> Levels:
    """SMPTE ST 2084."""
    m1, m2, c1, c2, c3 = 0.1593017578125, 78.84375, 0.8359375, 18.8515625, 18.6875
    power = levels.astype(np.float64) ** (1 / m2)
    nits = 10000 * (np.maximum(power - c1, 0) / (c2 - c3 * power)) ** (1 / m1)
    return (nits / _WHITE_NITS).astype(np.float32)


def _from_hlg(levels: Levels) -> Levels:
    """ARIB STD-B67, the inverse of the camera's function."""
    return (_hlg(levels) / _hlg(np.float64(_WHITE_HLG))).astype(np.float32)


def _hlg(signal: npt.NDArray[np.floating] | np.float64) -> npt.NDArray[np.floating]:
    a, b, c = 0.17883277, 0.28466892, 0.55991073
    return np.where(signal <= 0.5, signal**2 / 3, (np.exp((signal - c) / a) + b) / 12)


def _compressed(light: Levels) -> Levels:
    """Light beyond the knee nears 1 and never reaches it."""
    brightest = light.max(axis=-1, keepdims=True)
    room = 1 - _KNEE
    beyond = np.maximum(brightest - _KNEE, 0) / room
    kept = np.where(brightest > _KNEE, _KNEE + room * beyond / (1 + beyond), brightest)
    shown: Levels = light * (kept / np.maximum(brightest, np.float32(1e-9)))
    return shown


def _matrix(primaries: int) -> npt.NDArray[np.float32]:
    """From light of some primaries to light of BT.709's, the same white being white."""
    if primaries not in _PRIMARIES:
        return np.eye(3, dtype=np.float32)
    white, ours = _xyz(_PRIMARIES[primaries][3]), _xyz(_D65)
    cones = (_BRADFORD @ ours) / (_BRADFORD @ white)
    adapted = np.linalg.inv(_BRADFORD) @ np.diag(cones) @ _BRADFORD
    found = np.linalg.inv(_to_xyz(1)) @ adapted @ _to_xyz(primaries)
    return np.asarray(found, np.float32)


def _to_xyz(primaries: int) -> npt.NDArray[np.float64]:
    *colors, white = (_xyz(each) for each in _PRIMARIES[primaries])
    columns = np.stack(colors, axis=1)
    return columns * np.linalg.solve(columns, white)


def _xyz(chromaticity: tuple[float, float]) -> npt.NDArray[np.float64]:
    x, y = chromaticity
    return np.array([x / y, 1.0, (1 - x - y) / y])

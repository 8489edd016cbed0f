"""Conversion to sRGB from other primaries, power laws, CIELAB, and the two HDR curves."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]
Curve = Literal["srgb", "power", "pq", "hlg"]
Chromaticities = tuple[float, float, float, float, float, float, float, float]

D65 = (0.3127, 0.3290)
SRGB: Chromaticities = (*D65, 0.64, 0.33, 0.30, 0.60, 0.15, 0.06)
ADOBE_RGB: Chromaticities = (*D65, 0.64, 0.33, 0.21, 0.71, 0.15, 0.06)
ADOBE_GAMMA = 563 / 256

_D50_XYZ = np.array([0.9642, 1.0, 0.8249])
_BRADFORD = np.array(
    [[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]]
)
_ROUNDED = 0.002  # chromaticities that differ by less count as equal, since files round them
_AT_ONCE = 1 << 20  # pixels
_WHITE = 203.0  # candelas a square metre: HDR's reference white, by ITU-R BT.2408
_HLG_WHITE = 0.75  # HLG's signal of that white
_KNEE = 0.95  # of reference white: brighter levels are compressed


@dataclass(frozen=True)
class Encoding:
    """How levels in [0, 1] encode light.

    Attributes:
        curve: ``power`` is light = level ** gamma.
        gamma: of ``power``.
        chromaticities: x and y of white, red, green and blue.
        full_range: False for video levels: 16 to 235 of 255.

    """

    curve: Curve = "srgb"
    gamma: float = 1.0
    chromaticities: Chromaticities = SRGB
    full_range: bool = True

    def __post_init__(self) -> None:
        """Make sure that the numbers are valid.

        Raises:
            ValueError: they describe no colour space.

        """
        if self.curve == "power" and not 0.1 <= self.gamma <= 10:
            raise ValueError(f"gamma {self.gamma}")
        if not np.isfinite(to_srgb_matrix(self.chromaticities)).all():
            raise ValueError(f"chromaticities {self.chromaticities}")

    @property
    def is_srgb(self) -> bool:
        """Whether no conversion is needed; also for a power law of 2.2 with sRGB's primaries.

        Programs write such a power law instead of sRGB's own curve.
        """
        near = self.curve == "srgb" or (self.curve == "power" and abs(self.gamma - 2.2) < 0.01)
        return near and self.full_range and _is_same(self.chromaticities, SRGB)


def to_srgb(levels: Floats, encoding: Encoding) -> Floats:
    """Convert levels of another encoding to sRGB.

    HDR is mapped so that its reference white becomes nearly white, and brighter levels stay
    distinct above it. Colours outside sRGB's gamut are clipped.

    Args:
        levels: ``(H, W)`` grey, or ``(H, W, 3)``, in [0, 1].
        encoding: their encoding.

    Returns:
        The same shape, float32 in [0, 1].

    """
    if encoding.is_srgb:
        return levels
    matrix = to_srgb_matrix(encoding.chromaticities).astype(np.float32)
    return _in_parts(levels, lambda part: _converted(part, encoding, matrix))


def lab_to_srgb(lab: Floats) -> Floats:
    """CIELAB relative to D50, ``(H, W, 3)`` with L in [0, 100], to sRGB in [0, 1]."""
    matrix = _srgb_from_xyz() @ _adaptation(_D50_XYZ, _xyz(*D65))
    return _in_parts(lab, lambda part: _from_lab(part, matrix.astype(np.float32)))


def _converted(levels: Floats, encoding: Encoding, matrix: Floats) -> Floats:
    if not encoding.full_range:
        levels = ((levels * 255 - 16) / 219).clip(0, 1)
    light = _light(levels, encoding)
    if light.ndim == 3 and not _is_same(encoding.chromaticities, SRGB):
        light = light @ matrix.T
    return _srgb_encoded(light)


def _light(levels: Floats, encoding: Encoding) -> Floats:
    """Linear light; 1 is white."""
    match encoding.curve:
        case "srgb":
            return np.where(levels <= 0.04045, levels / 12.92, ((levels + 0.055) / 1.055) ** 2.4)
        case "power":
            return np.power(levels, np.float32(encoding.gamma))
        case "pq":
            return _mapped(_pq_light(levels), 10000 / _WHITE)
        case "hlg":
            white = _hlg_light(np.array(_HLG_WHITE, np.float32))
            return _mapped(_hlg_light(levels) / white, float(1 / white))


def _pq_light(levels: Floats) -> Floats:
    """SMPTE ST 2084, in units of reference white."""
    root = np.power(levels, np.float32(32 / 2523))
    above = np.maximum(root - np.float32(0.8359375), 0)
    return np.power(above / (18.8515625 - 18.6875 * root), np.float32(8192 / 1305)) * (
        np.float32(10000 / _WHITE)
    )


def _hlg_light(levels: Floats) -> Floats:
    """ITU-R BT.2100's hybrid log-gamma: the scene's light, as a camera without HDR records it."""
    a, b, c = 0.17883277, 0.28466892, 0.55991073
    upper = (np.exp((np.maximum(levels, 0.5) - c) / a) + b) / 12
    scene: Floats = np.where(levels <= 0.5, levels * levels / 3, upper).astype(np.float32)
    return scene


def _mapped(light: Floats, peak: float) -> Floats:
    """Map levels up to ``peak`` into [0, 1] by the largest channel, so that hues are kept."""
    largest = light if light.ndim == 2 else light.max(-1, keepdims=True)
    over, most = (np.maximum(largest, _KNEE) - _KNEE) / (1 - _KNEE), (peak - _KNEE) / (1 - _KNEE)
    bent = _KNEE + (1 - _KNEE) * over * (1 + over / most**2) / (1 + over)
    scale = np.where(largest > _KNEE, bent / np.maximum(largest, _KNEE), 1)
    return (light * scale).astype(np.float32)


def _srgb_encoded(light: Floats) -> Floats:
    light = light.clip(0, 1)
    bent = 1.055 * np.power(light, np.float32(1 / 2.4)) - 0.055
    return np.where(light <= 0.0031308, light * 12.92, bent).astype(np.float32)


def _from_lab(lab: Floats, matrix: Floats) -> Floats:
    middle = (lab[..., 0] + 16) / 116
    roots = np.stack([middle + lab[..., 1] / 500, middle, middle - lab[..., 2] / 200], -1)
    white = _D50_XYZ.astype(np.float32)
    xyz = np.where(roots > 6 / 29, roots**3, (roots - 4 / 29) * (108 / 841)) * white
    return _srgb_encoded((xyz @ matrix.T).astype(np.float32))


def _in_parts(levels: Floats, convert: Callable[[Floats], Floats]) -> Floats:
    """Convert some rows at a time, so that only the result needs much memory."""
    rows = max(1, _AT_ONCE // levels.shape[1])
    converted = np.empty(levels.shape, np.float32)
    for top in range(0, len(levels), rows):
        converted[top : top + rows] = convert(levels[top : top + rows])
    return converted


def _is_same(one: Chromaticities, other: Chromaticities) -> bool:
    return max(abs(a - b) for a, b in zip(one, other, strict=True)) <= _ROUNDED


def to_srgb_matrix(chromaticities: Chromaticities) -> npt.NDArray[np.float64]:
    """The matrix from linear RGB to linear sRGB, white to white; infinite for an invalid space."""
    white, *primaries = np.reshape(chromaticities, (4, 2))
    if not np.isfinite(chromaticities).all() or np.abs(chromaticities[1::2]).min() < 1e-6:
        return np.full((3, 3), np.inf)
    columns = np.stack([_xyz(*each) for each in primaries], -1)
    if abs(np.linalg.det(columns)) < 1e-4 or white.min() <= 0:
        return np.full((3, 3), np.inf)
    scaled = columns * np.linalg.solve(columns, _xyz(*white))
    matrix: npt.NDArray[np.float64] = (
        _srgb_from_xyz() @ _adaptation(_xyz(*white), _xyz(*D65)) @ scaled
    )
    return matrix


def _srgb_from_xyz() -> npt.NDArray[np.float64]:
    white, *primaries = np.reshape(SRGB, (4, 2))
    columns = np.stack([_xyz(*each) for each in primaries], -1)
    matrix: npt.NDArray[np.float64] = np.linalg.inv(
        columns * np.linalg.solve(columns, _xyz(*white))
    )
    return matrix


def _adaptation(
    white: npt.NDArray[np.float64], other: npt.NDArray[np.float64]
) -> npt.NDArray[np.float64]:
    """Bradford's matrix, which adapts XYZ from one white to another."""
    ratio = (_BRADFORD @ other) / (_BRADFORD @ white)
    matrix: npt.NDArray[np.float64] = np.linalg.inv(_BRADFORD) @ (ratio[:, None] * _BRADFORD)
    return matrix


def _xyz(x: float, y: float) -> npt.NDArray[np.float64]:
    return np.array([x / y, 1.0, (1 - x - y) / y])

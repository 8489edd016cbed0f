"""Colour encodings by the code points of ITU-T H.273, which PNG (cICP), AVIF and HEIC use."""

from __future__ import annotations

from impasto.files.pictures.colors import D65, SRGB, Chromaticities, Curve, Encoding

_C = (0.310, 0.316)
_PRIMARIES: dict[int, Chromaticities] = {
    1: SRGB,
    2: SRGB,  # unspecified
    4: (*_C, 0.67, 0.33, 0.21, 0.71, 0.14, 0.08),
    5: (*D65, 0.64, 0.33, 0.29, 0.60, 0.15, 0.06),
    6: (*D65, 0.630, 0.340, 0.310, 0.595, 0.155, 0.070),
    7: (*D65, 0.630, 0.340, 0.310, 0.595, 0.155, 0.070),
    8: (*_C, 0.681, 0.319, 0.243, 0.692, 0.145, 0.049),
    9: (*D65, 0.708, 0.292, 0.170, 0.797, 0.131, 0.046),
    11: (0.314, 0.351, 0.680, 0.320, 0.265, 0.690, 0.150, 0.060),
    12: (*D65, 0.680, 0.320, 0.265, 0.690, 0.150, 0.060),
    22: (*D65, 0.630, 0.340, 0.295, 0.605, 0.155, 0.077),
}
# The curves of television (1, 6, 7, 11, 12, 14, 15) are those of cameras; treated as sRGB.
_CURVES: dict[int, tuple[Curve, float]] = {
    **dict.fromkeys((1, 2, 6, 7, 11, 12, 13, 14, 15), ("srgb", 1.0)),
    4: ("power", 2.2),
    5: ("power", 2.8),
    8: ("power", 1.0),
    16: ("pq", 1.0),
    18: ("hlg", 1.0),
}


def encoding_of(primaries: int, transfer: int, *, full_range: bool = True) -> Encoding:
    """The encoding of a pair of primaries and transfer characteristics.

    Raises:
        ValueError: a code point is not supported.

    """
    if primaries not in _PRIMARIES or transfer not in _CURVES:
        raise ValueError(f"primaries {primaries}, transfer {transfer}")
    curve, gamma = _CURVES[transfer]
    return Encoding(curve, gamma, _PRIMARIES[primaries], full_range)


def nclx_encoding(data: bytes) -> Encoding | None:
    """The encoding that an AVIF or HEIC without a profile states; None if it states none.

    Decoded levels have full range.

    Raises:
        ValueError: a code point is not supported.

    """
    at = data.find(b"colrnclx")
    if at < 0 or len(data) < at + 12 or data[4:8] != b"ftyp":
        return None
    primaries, transfer = (int.from_bytes(data[at + n : at + n + 2], "big") for n in (8, 10))
    return encoding_of(primaries, transfer)

"""The colour encoding in EXIF and TIFF tags; a camera's Adobe RGB often has no profile."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from PIL import Image

from impasto.files.pictures.colors import ADOBE_GAMMA, ADOBE_RGB, D65, Encoding

_WHITE, _PRIMARIES = 318, 319
_EXIF, _INTEROP = 0x8769, 0xA005
_COLOR_SPACE, _GAMMA = 0xA001, 0xA500
_SRGB, _ADOBE = 1, 2  # the second is not in the standard, but used
_USUAL_GAMMA = 2.2


def exif_encoding(exif: Image.Exif) -> Encoding | None:
    """The colours' encoding; None if nothing is stated.

    Raises:
        ValueError: the values are invalid.

    """
    inner, interop = _part(exif, _EXIF), _part(exif, _INTEROP)
    space = inner.get(_COLOR_SPACE)
    if space == _SRGB:
        return Encoding()
    if _PRIMARIES in exif:
        return _measured(exif, inner.get(_GAMMA))
    if space == _ADOBE or str(_text(interop.get(1))).startswith("R03"):
        return Encoding("power", ADOBE_GAMMA, ADOBE_RGB)
    gamma = _numbers(inner.get(_GAMMA, ()))
    return Encoding("power", gamma[0]) if gamma else None


def _part(exif: Image.Exif, tag: int) -> Mapping[int, Any]:
    """One of EXIF's inner directories; empty where it is missing or unreadable.

    Of a missing one Pillow before 13 raises KeyError.
    """
    try:
        return exif.get_ifd(tag)
    except Exception:
        return {}


def _measured(exif: Mapping[int, Any], gamma: Any) -> Encoding:
    white = _numbers(exif.get(_WHITE, D65))
    primaries = _numbers(exif[_PRIMARIES])
    if len(white) != 2 or len(primaries) != 6:
        raise ValueError("chromaticities")
    values = _numbers(gamma) if gamma is not None else [_USUAL_GAMMA]
    return Encoding("power", values[0], (*white, *primaries))  # type: ignore[arg-type]


def _numbers(values: Any) -> list[float]:
    """The value or values of a tag as floats.

    Raises:
        ValueError: there are none.

    """
    try:
        several = values if isinstance(values, (tuple, list)) else (values,)
        return [float(each) for each in several]
    except (TypeError, ZeroDivisionError) as error:
        raise ValueError("no numbers") from error


def _text(value: Any) -> str:
    return value.decode("ascii", "replace") if isinstance(value, bytes) else str(value or "")

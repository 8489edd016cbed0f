"""Other spaces to sRGB, against the published matrices and curves, in float64."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from impasto.files.pictures.coding_points import encoding_of, nclx_encoding
from impasto.files.pictures.colors import ADOBE_RGB, D65, SRGB, Encoding, lab_to_srgb, to_srgb

# Rows as IEC 61966-2-1, Adobe RGB (1998), SMPTE EG 432-1 and ITU-R BT.2087 give them.
SRGB_TO_XYZ = [[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]
XYZ_TO_ADOBE = [
    [2.04159, -0.56501, -0.34473], [-0.96924, 1.87597, 0.04156], [0.01344, -0.11836, 1.01517],
]  # fmt: skip
SRGB_TO_ADOBE = np.array(XYZ_TO_ADOBE) @ SRGB_TO_XYZ
SRGB_TO_P3 = np.array([[0.8225, 0.1774, 0], [0.0332, 0.9669, 0], [0.0171, 0.0724, 0.9108]])
SRGB_TO_2020 = np.array(
    [[0.6274, 0.3293, 0.0433], [0.0691, 0.9195, 0.0114], [0.0164, 0.0880, 0.8956]]
)


def light(levels) -> np.ndarray:
    """sRGB's curve."""
    levels = np.asarray(levels, float)
    return np.where(levels <= 0.04045, levels / 12.92, ((levels + 0.055) / 1.055) ** 2.4)


def curve(light) -> np.ndarray:
    light = np.asarray(light, float)
    return np.where(light <= 0.0031308, light * 12.92, 1.055 * light ** (1 / 2.4) - 0.055)


def pq(candelas) -> np.ndarray:
    """SMPTE ST 2084's levels."""
    power = (np.asarray(candelas, float) / 10000) ** (2610 / 16384)
    return ((3424 / 4096 + 2413 / 128 * power) / (1 + 2392 / 128 * power)) ** (2523 / 32)


@pytest.fixture(scope="module")
def levels() -> np.ndarray:
    return np.random.default_rng(2).uniform(0, 1, (7, 5, 3))


@pytest.mark.parametrize(
    ("encoding", "matrix", "gamma"),
    [
        (Encoding("power", 563 / 256, ADOBE_RGB), SRGB_TO_ADOBE, 563 / 256),
        (Encoding("power", 1.8), np.eye(3), 1.8),
        (Encoding("power", 1.0), np.eye(3), 1.0),
        (encoding_of(12, 13), SRGB_TO_P3, None),
        (encoding_of(9, 14), SRGB_TO_2020, None),
    ],
    ids=["Adobe RGB", "1.8", "linear", "Display P3", "BT.2020"],
)
def test_colours_come_back_from_a_wider_space(encoding, matrix, gamma, levels):
    wide = light(levels) @ np.array(matrix).T
    coded = wide ** (1 / gamma) if gamma else curve(wide)
    found = to_srgb(coded.astype(np.float32), encoding)
    np.testing.assert_allclose(found, levels, atol=3e-3)  # the matrices have four digits


def test_grey_has_no_primaries():
    grey = np.linspace(0, 1, 12, dtype=np.float32).reshape(3, 4)
    found = to_srgb(grey, Encoding("power", 563 / 256, ADOBE_RGB))
    np.testing.assert_allclose(found, curve(grey.astype(float) ** (563 / 256)), atol=1e-6)


def test_another_white_is_white_here():
    d50 = (0.3457, 0.3585, *ADOBE_RGB[2:])
    white = np.ones((2, 2, 3), np.float32)
    np.testing.assert_allclose(to_srgb(white, Encoding("power", 2.0, d50)), white, atol=1e-6)


def test_what_programs_write_for_srgb_is_left_as_it_is(levels):
    coded = levels.astype(np.float32)
    for encoding in (Encoding(), Encoding("power", 1 / 0.45455), encoding_of(1, 1)):
        assert to_srgb(coded, encoding) is coded
    rounded = (*D65, 0.639998, 0.33001, 0.30, 0.6001, 0.15, 0.06)
    assert to_srgb(coded, Encoding("power", 2.2, rounded)) is coded


def test_video_s_range_is_stretched():
    found = to_srgb(np.full((2, 2), 126 / 255, np.float32), encoding_of(1, 13, full_range=False))
    np.testing.assert_allclose(found, 110 / 219, atol=1e-6)


@pytest.mark.parametrize("kind", ["pq", "hlg"])
def test_reference_white_of_hdr_is_nearly_white_and_what_is_brighter_differs(kind):
    white = pq(203) if kind == "pq" else 0.75  # BT.2408: 58 and 75 per cent
    brighter = pq(800) if kind == "pq" else 0.95
    found = to_srgb(np.array([[white, brighter, 1.0]], np.float32), Encoding(kind))[0] * 255
    assert found[0] == pytest.approx(252, abs=2)
    assert found[0] < found[1] < found[2]
    assert found[2] == pytest.approx(255, abs=0.1)


def test_pq_below_the_knee_is_exact():
    for share in (0.01, 0.1, 0.5, 0.85):
        coded = np.full((2, 2, 3), pq(203 * share), np.float32)
        np.testing.assert_allclose(to_srgb(coded, Encoding("pq")), curve(share), atol=2e-4)


def test_hlg_by_hand():
    """Level 0.5 is a twelfth of the scene's brightest light, and 0.75, which is white, 0.26496."""
    wanted = curve(1 / 12 / 0.26496)
    found = to_srgb(np.full((2, 2, 3), 0.5, np.float32), Encoding("hlg"))
    np.testing.assert_allclose(found, wanted, atol=1e-4)


def test_hdr_keeps_hues():
    bright = light([1.0, 0.5, 0.25])  # of a white four times as bright
    found = to_srgb(pq(812 * bright)[None, None].astype(np.float32), Encoding("pq"))[0, 0]
    np.testing.assert_allclose(light(found) / light(found)[0], bright / bright[0], atol=2e-3)


def test_lab_by_hand():
    lab = np.array([[[100, 0, 0], [53.585, 0, 0], [0, 0, 0], [54.29, 80.81, 69.89]]], np.float32)
    wanted = np.array([[[255] * 3, [128] * 3, [0] * 3, [255, 0, 0]]])
    np.testing.assert_allclose(lab_to_srgb(lab) * 255, wanted, atol=1)


@given(
    st.sampled_from(["srgb", "power", "pq", "hlg"]),
    st.floats(0.2, 8),
    st.lists(st.floats(0, 1, width=32), min_size=12, max_size=12),
)
def test_whatever_comes_the_result_is_in_range(kind, gamma, values):
    coded = np.array(values, np.float32).reshape(2, 2, 3)
    found = to_srgb(coded, Encoding(kind, gamma, ADOBE_RGB))
    assert found.dtype == np.float32
    assert np.isfinite(found).all()
    assert found.min() >= 0
    assert found.max() <= 1


@pytest.mark.parametrize(
    "options",
    [
        {"curve": "power", "gamma": 0.0},
        {"curve": "power", "gamma": math.nan},
        {"chromaticities": (0,) * 8},
        {"chromaticities": (*D65, 0.3, 0.3, 0.3, 0.3, 0.3, 0.3)},
        {"chromaticities": (*D65, math.nan, *SRGB[3:])},
    ],
    ids=["gamma 0", "no gamma", "zeros", "one colour", "no number"],
)
def test_numbers_that_cannot_be_meant(options):
    with pytest.raises(ValueError, match=r"gamma|chromaticities"):
        Encoding(**options)


def test_coding_points():
    assert encoding_of(2, 2).is_srgb
    assert encoding_of(9, 16).curve == "pq"
    assert encoding_of(9, 18).curve == "hlg"
    assert encoding_of(5, 5).gamma == 2.8
    for pair in ((10, 13), (1, 0), (250, 16)):
        with pytest.raises(ValueError, match="primaries"):
            encoding_of(*pair)
    assert nclx_encoding(b"no picture") is None
    assert nclx_encoding(b"\0\0\0\x14ftypavif" + b"colrnclx") is None

"""Colours of wide gamuts and of high dynamic range, against their published formulas."""

from __future__ import annotations

import numpy as np
import pytest

from impasto.files.films.gamuts import is_plain, to_bt709

BT2020, P3 = 9, 12
PLAIN, SRGB, LINEAR, PQ, HLG = 1, 13, 8, 16, 18
# Light of BT.709 to light of BT.2020 (BT.2087) and of Display P3.
TO_2020 = np.array([[0.6274, 0.3293, 0.0433], [0.0691, 0.9195, 0.0114], [0.0164, 0.0880, 0.8956]])
TO_P3 = np.array([[0.8225, 0.1774, 0.0], [0.0332, 0.9669, 0.0], [0.0171, 0.0724, 0.9108]])


def linear(srgb):
    return np.where(srgb <= 0.04045, srgb / 12.92, ((srgb + 0.055) / 1.055) ** 2.4)


def to_srgb(light):
    return np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)


def pq(light):
    """Signal of light relative to 203 nits (SMPTE ST 2084)."""
    power = (light * 203 / 10000) ** (2610 / 16384)
    return ((3424 / 4096 + 2413 / 128 * power) / (1 + 2392 / 128 * power)) ** (2523 / 32)


def hlg(light):
    """Signal of the scene's light relative to that of 75% signal (ARIB STD-B67)."""
    a, b, c = 0.17883277, 0.28466892, 0.55991073
    scene = light * (np.exp((0.75 - c) / a) + b) / 12
    upper = a * np.log(np.maximum(12 * scene - b, 1e-9)) + c
    return np.where(scene <= 1 / 12, np.sqrt(3 * scene), upper)


@pytest.fixture
def colors(waves):
    return waves(24, 32)[0].permute(1, 2, 0).numpy()


def _error(found, expected):
    return np.abs(found - expected).mean() * 255


@pytest.mark.parametrize(
    ("primaries", "transfer", "encoded"),
    [
        (P3, SRGB, lambda light: to_srgb(light @ TO_P3.T)),
        (BT2020, 14, lambda light: (light @ TO_2020.T) ** (1 / 2.4)),
        (BT2020, HLG, lambda light: hlg(light @ TO_2020.T)),
        (BT2020, PQ, lambda light: pq(light @ TO_2020.T)),
        (P3, PQ, lambda light: pq(light @ TO_P3.T)),
        (PLAIN, LINEAR, lambda light: light),
    ],
)
def test_colors_come_back(colors, primaries, transfer, encoded):
    is_power = transfer == 14
    light = colors**2.4 if is_power else linear(colors)
    signal = encoded(light).astype(np.float32)
    assert _error(to_bt709(signal, primaries, transfer), colors) < 1
    if transfer != LINEAR:
        assert _error(signal, colors) > 3  # it was worth it


@pytest.mark.parametrize(("transfer", "encode"), [(PQ, pq), (HLG, hlg)])
def test_white_is_nearly_white_and_what_is_brighter_stays_apart(transfer, encode):
    light = np.array([0.18, 1.0, 1.5, 3.0])
    signal = np.repeat(encode(light)[None, :, None], 3, -1).astype(np.float32)
    shown = to_bt709(signal, BT2020, transfer)[0, :, 0] * 255
    assert shown[0] == pytest.approx(to_srgb(np.array(0.18)) * 255, abs=0.2)
    assert 250 < shown[1] < shown[2] < shown[3] <= 255


def test_hues_of_highlights_are_kept():
    light = np.array([[[4.0, 2.0, 1.0]]])
    shown = linear(to_bt709(pq(light).astype(np.float32), PLAIN, PQ).astype(float))[0, 0]
    assert shown / shown[2] == pytest.approx([4, 2, 1], rel=1e-3)


def test_what_is_left_alone():
    assert is_plain(1, 1)
    assert is_plain(2, 2)
    assert is_plain(6, 6)
    assert not is_plain(BT2020, 1)
    assert not is_plain(1, HLG)

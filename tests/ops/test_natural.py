"""Made pictures: the same for the same seed, and with the statistics of photographs."""

from __future__ import annotations

import numpy as np
import torch

from impasto.ops.natural import natural_picture


def test_shape_range_and_seed():
    picture = natural_picture(40, 56, seed=3)
    assert picture.shape == (1, 3, 40, 56)
    assert picture.dtype == torch.float32
    assert 0 <= picture.min() < picture.max() <= 1
    assert torch.equal(picture, natural_picture(40, 56, seed=3))
    assert not torch.equal(picture, natural_picture(40, 56, seed=4))


def test_the_spectrum_falls_off_as_photographs_do():
    """Amplitudes of photographs go with f^-0.8 to f^-1.5 (Tolhurst et al. 1992)."""
    powers = [
        (torch.fft.fft2(picture - picture.mean()).abs() ** 2)
        for picture in (natural_picture(128, 128, seed=seed)[0].mean(0) for seed in range(8))
    ]
    power = torch.stack(powers).mean(0)
    frequency = (torch.fft.fftfreq(128)[:, None] ** 2 + torch.fft.fftfreq(128)[None] ** 2).sqrt()
    bands = [(0.02 * 1.5**k, 0.02 * 1.5 ** (k + 1)) for k in range(7)]
    amplitude = [power[(frequency >= a) & (frequency < b)].mean().sqrt().item() for a, b in bands]
    slope = np.polyfit(np.log([a for a, _ in bands]), np.log(amplitude), 1)[0]
    assert -1.6 < slope < -0.7


def test_channels_go_together():
    picture = torch.cat([natural_picture(64, 64, seed=seed)[0].flatten(1) for seed in range(6)], 1)
    assert torch.corrcoef(picture)[0, 2] > 0.6

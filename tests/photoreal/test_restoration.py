"""Restoration: a known darkening undone, noise held down, nothing at strength 0."""

from __future__ import annotations

import torch

from impasto.ops.metrics import psnr
from impasto.ops.natural import natural_picture
from impasto.photoreal.exposure import Curve, exposure
from impasto.photoreal.light import to_light, to_values
from impasto.photoreal.noise import denoised, noise_levels
from impasto.photoreal.restoration import restore


def _noise(like, seed=0):
    return torch.randn(like.shape, generator=torch.Generator().manual_seed(seed))


def test_light_there_and_back():
    values = torch.linspace(0, 1, 101)
    torch.testing.assert_close(to_values(to_light(values)), values, atol=1e-5, rtol=0)


def test_the_curve_rises_and_at_nothing_changes_nothing():
    ramp = torch.linspace(0, 1, 100).expand(1, 3, 1, 100)
    assert (Curve(6.0, 0.7)(ramp).diff() >= 0).all()
    torch.testing.assert_close(Curve(6.0, 0.7).at(0)(ramp), ramp, atol=1e-5, rtol=0)


def test_an_eighth_of_the_light_is_given_back():
    truth = natural_picture(96, 96, seed=3)
    dark = to_values(to_light(truth) / 8)
    made = exposure(dark, [natural_picture(96, 96, seed=4)])(dark)
    assert psnr(made, truth) > psnr(dark, truth) + 5


def test_noise_is_measured_and_held_down():
    clean = torch.linspace(0.3, 0.6, 96).expand(1, 3, 96, 96).contiguous()
    noisy = clean + 0.03 * _noise(clean)
    levels = noise_levels(noisy)
    assert 0.02 < levels[5] < 0.04
    assert psnr(denoised(noisy), clean) > psnr(noisy, clean) + 6
    assert torch.equal(denoised(noisy, strength=0), noisy)


def test_strength_nothing_is_the_photograph():
    dark = natural_picture(64, 64, seed=5) / 4
    assert torch.equal(restore(dark, [dark], strength=0), dark)

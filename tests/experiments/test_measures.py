"""Each measurement against what it must be by hand."""

from __future__ import annotations

import math

import pytest
import torch
from scipy.stats import spearmanr

from impasto.experiments import measures
from impasto.ops.inits import stripes, white_noise


def test_difference_by_hand():
    black, grey = torch.zeros(1, 3, 4, 4), torch.full((1, 3, 4, 4), 0.25)
    assert measures.difference(black, grey) == 0.25
    assert measures.mean_difference([black, grey, grey]) == pytest.approx(0.5 / 3)


def test_a_picture_keeps_its_own_detail_and_a_negative_the_opposite(waves):
    image = waves(40, 48)
    assert measures.detail_kept(image, image) == pytest.approx(1)
    assert measures.detail_kept(1 - image, image) == pytest.approx(-1)
    assert abs(measures.detail_kept(white_noise(40, 48, seed=1).double(), image)) < 0.1


def test_noise_left_sees_the_start_under_a_picture(waves):
    start = white_noise(40, 48, seed=0).double()
    under = 0.5 * waves(40, 48) + 0.5 * start
    assert measures.noise_left(start, start) == pytest.approx(1)
    assert measures.noise_left(under, start) > 0.6
    assert abs(measures.noise_left(white_noise(40, 48, seed=1).double(), start)) < 0.1


def test_fine_detail_of_a_flat_picture_is_nothing():
    assert measures.fine(torch.full((1, 3, 8, 8), 0.3)).abs().max() < 1e-6


def test_correlation_with_a_constant_is_zero():
    assert measures.correlation(torch.ones(4), torch.arange(4.0)) == 0


def test_unlike_share_counts_the_windows_that_were_replaced():
    image = white_noise(64, 64, seed=0)
    assert measures.unlike_share(image, image) == 0
    assert measures.unlike_share(white_noise(64, 64, seed=1), image) == 1
    half = torch.cat([image[..., :32], white_noise(64, 32, seed=1)], dim=-1)
    assert 0.25 < measures.unlike_share(half, image) < 0.75


def test_texture_scale_is_the_period_of_a_wave():
    column = torch.arange(64)
    wave = 0.5 + 0.3 * torch.sin(2 * math.pi * column / 8)
    assert measures.texture_scale(wave.expand(1, 3, 64, 64)) == pytest.approx(8, rel=1e-3)
    assert measures.texture_scale(torch.full((1, 3, 8, 8), 0.5)) == math.inf


def test_stripes_stand_out_and_noise_does_not():
    assert measures.stripe_contrast(stripes(48, 96)) > 100
    assert 0.7 < measures.stripe_contrast(white_noise(96, 96, seed=0)) < 1.4
    faint = 0.9 * white_noise(96, 96, seed=0) + 0.1 * stripes(96, 96)
    assert measures.stripe_contrast(faint) > 2


@pytest.mark.parametrize(
    "other", [[1.0, 2.0, 3.0, 4.0], [4.0, 3.0, 2.0, 1.0], [2.0, 1.0, 1.0, 9.0]]
)
def test_rank_agreement_is_spearmans(other):
    values = [0.1, 0.5, 0.2, 7.0]
    expected = spearmanr(values, other).statistic
    assert measures.rank_agreement(values, other) == pytest.approx(expected)


def test_ranks_of_a_constant_mean_nothing():
    assert math.isnan(measures.rank_agreement([1.0, 1.0], [1.0, 2.0]))


def test_the_outlier_limit_by_hand():
    assert measures.outlier_limit([1.0, 2.0, 3.0, 4.0, 100.0]) == 3 + 5 * 1


def test_no_failure_is_reported_as_three_over_n():
    assert measures.failure_rate(0, 150) == 0.02
    assert measures.failure_rate(6, 150) == 0.04

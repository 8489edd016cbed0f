"""Colour: what is kept and what is taken."""

from __future__ import annotations

import torch
from hypothesis import given
from hypothesis import strategies as st
from skimage.exposure import match_histograms

from impasto.ops.color import (
    match_color_map,
    match_color_statistics,
    match_histogram,
    rgb_to_luma,
    with_luma_of,
)


def _picture(*shape: int, seed: int = 0, low: float = 0.0, high: float = 1.0) -> torch.Tensor:
    noise = torch.rand(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    return low + (high - low) * noise


def _moments(image: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    flat = image[0].flatten(1)
    return flat.mean(1), torch.cov(flat, correction=0)


def test_luma_of_the_primaries_and_of_grey():
    colors = torch.tensor([[1.0, 0, 0], [0, 1, 0], [0, 0, 1], [0.3, 0.3, 0.3]]).T[None, :, None]
    torch.testing.assert_close(
        rgb_to_luma(colors)[0, 0, 0], torch.tensor([0.299, 0.587, 0.114, 0.3])
    )


@given(seed=st.integers(0, 10**6))
def test_with_luma_of_takes_luma_from_one_and_hue_from_the_other(seed: int):
    colors, lights = _picture(1, 3, 5, 6, seed=seed), _picture(1, 3, 5, 6, seed=seed + 1)
    mixed = with_luma_of(colors, lights)
    assert mixed.min() >= 0
    assert mixed.max() <= 1
    torch.testing.assert_close(rgb_to_luma(mixed), rgb_to_luma(lights), rtol=0, atol=1e-6)
    chroma, wanted = mixed - rgb_to_luma(mixed), colors - rgb_to_luma(colors)
    # Parallel and never longer: the same hue, at most the same saturation.
    cross = torch.linalg.cross(chroma, wanted, dim=1)
    assert cross.abs().max() < 1e-6
    assert ((chroma * wanted).sum(1) > -1e-9).all()
    assert (chroma.norm(dim=1) <= wanted.norm(dim=1) + 1e-6).all()


def test_chroma_is_kept_whole_inside_the_cube():
    colors = _picture(1, 3, 4, 4, low=0.45, high=0.55)
    lights = _picture(1, 3, 4, 4, seed=1, low=0.3, high=0.7)
    mixed = with_luma_of(colors, lights)
    torch.testing.assert_close(
        mixed - rgb_to_luma(mixed), colors - rgb_to_luma(colors), rtol=0, atol=1e-6
    )


def test_a_picture_in_its_own_luma_is_itself():
    image = _picture(2, 3, 4, 4)
    torch.testing.assert_close(with_luma_of(image, image), image, rtol=0, atol=1e-6)


def test_matched_colors_have_the_mean_and_covariance_of_the_reference():
    image = _picture(1, 3, 20, 30)
    image[:, 1] = 0.7 * image[:, 0] + 0.3 * image[:, 1]
    reference = _picture(1, 3, 25, 15, seed=1, low=0.4, high=0.6)
    reference[:, 2] = 0.5 * reference[:, 2] + 0.5 * reference[:, 0]
    matched = match_color_statistics(image, reference)
    assert matched.shape == image.shape
    for found, wanted in zip(_moments(matched), _moments(reference), strict=True):
        torch.testing.assert_close(found, wanted, rtol=1e-3, atol=1e-6)


def test_matching_to_itself_changes_nothing_and_clips_to_the_cube():
    image = _picture(1, 3, 9, 8)
    torch.testing.assert_close(match_color_statistics(image, image), image, rtol=0, atol=1e-9)
    wild = match_color_statistics(image, (image > 0.5).double())
    assert wild.min() == 0
    assert wild.max() == 1


def test_matching_survives_pictures_without_any_variation():
    flat, image = torch.full((1, 3, 4, 4), 0.25), _picture(1, 3, 4, 4).float()
    assert match_color_statistics(flat, image).isfinite().all()
    torch.testing.assert_close(match_color_statistics(image, flat), flat, rtol=0, atol=0.01)


def test_a_color_map_is_found_and_carried_on():
    source, other = _picture(1, 3, 20, 30), _picture(1, 3, 8, 9, seed=1)
    turned = torch.tensor([[0.1, 0.5, 0.2], [0.6, 0.1, 0.0], [0.0, 0.2, 0.4]])

    def paint(picture):
        return torch.einsum("ij,njhw->nihw", turned.to(picture), picture) + 0.1

    made, weights = paint(source), torch.ones(1, 1, 20, 30)
    made[..., :5], weights[..., :5] = 0.9, 0
    found = match_color_map(other, source, made, weights)
    torch.testing.assert_close(found, paint(other), atol=2e-3, rtol=0)
    assert match_color_map(other, source, made, 0 * weights) is other


def test_a_matched_histogram_is_the_references():
    image, reference = _picture(1, 3, 20, 30), _picture(1, 3, 20, 30, seed=1, low=0.4, high=0.6)
    matched = match_histogram(image, reference)
    for found, wanted, before in zip(matched[0], reference[0], image[0], strict=True):
        assert torch.equal(found.flatten().sort().values, wanted.flatten().sort().values)
        assert torch.equal(found.flatten().argsort(), before.flatten().argsort())


def test_a_picture_matched_to_itself_is_itself():
    image = (_picture(1, 3, 20, 30) * 8).round() / 8  # with many equal values
    assert torch.equal(match_histogram(image, image), image)


def test_matching_is_that_of_scikit_image_but_for_its_interpolation():
    image = (255 * _picture(1, 3, 40, 30)).round() / 255
    reference = (255 * _picture(1, 3, 50, 20, seed=1) ** 2).round() / 255
    expected = match_histograms(image[0].numpy(), reference[0].numpy(), channel_axis=0)
    difference = match_histogram(image, reference)[0] - torch.from_numpy(expected)
    assert difference.abs().max() < 2 / 255

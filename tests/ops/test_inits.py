"""Starting pictures, and resizing."""

from __future__ import annotations

import pytest
import torch

from impasto.ops.inits import resize, stripes, white_noise


def test_white_noise_depends_on_the_seed_alone():
    torch.manual_seed(1)
    first = white_noise(7, 9, seed=3)
    torch.manual_seed(2)
    assert torch.equal(first, white_noise(7, 9, seed=3))
    assert not torch.equal(first, white_noise(7, 9, seed=4))
    assert first.shape == (1, 3, 7, 9)
    assert first.dtype == torch.float32


def test_white_noise_leaves_the_global_generator_alone():
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    white_noise(4, 4, seed=9)
    assert torch.equal(torch.rand(3), expected)


def test_white_noise_is_grey_on_the_mean_and_independent_across_channels_and_pixels():
    noise = white_noise(200, 200, seed=0)
    assert noise.min() >= 0
    assert noise.max() <= 1
    assert noise.mean().item() == pytest.approx(0.5, abs=0.005)
    assert noise.std().item() == pytest.approx(0.25, abs=0.02)  # a little is clipped
    assert (torch.corrcoef(noise[0].flatten(1)) - torch.eye(3)).abs().max() < 0.02
    left, right = noise[..., :-1].flatten(), noise[..., 1:].flatten()
    assert torch.corrcoef(torch.stack([left, right]))[0, 1].abs() < 0.02


def test_stripes_are_black_on_white_regular_and_vertical():
    picture = stripes(5, 64, count=4)
    assert picture.shape == (1, 3, 5, 64)
    assert set(picture.unique().tolist()) == {0.0, 1.0}
    assert torch.equal(picture, picture[:, :1, :1].expand_as(picture))
    row = picture[0, 0, 0]
    changes = row.diff().nonzero().flatten() + 1
    assert changes.tolist() == [8, 16, 24, 32, 40, 48, 56]  # 4 stripes as wide as their gaps


@pytest.mark.parametrize("size", [(8, 12), (31, 7), (16, 16)])
def test_resize_keeps_flat_colour_and_gives_the_size(size: tuple[int, int]):
    image = torch.tensor([0.2, 0.5, 1.0]).view(1, 3, 1, 1).expand(1, 3, 16, 16)
    resized = resize(image, *size)
    assert resized.shape == (1, 3, *size)
    torch.testing.assert_close(resized, image[..., :1, :1].expand_as(resized))


def test_resize_stays_in_range_where_a_bicubic_filter_overshoots():
    edge = torch.zeros(1, 3, 8, 8)
    edge[..., 4:] = 1
    resized = resize(edge, 19, 23)
    assert resized.min() == 0
    assert resized.max() == 1


def test_shrinking_averages_instead_of_picking_pixels():
    """A mean of about 64 independent pixels deviates by about an eighth; a picked one does not."""
    noise = torch.rand(1, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    small = resize(noise, 8, 8)
    assert small.std() < noise.std() / 4


def test_resize_to_the_same_size_is_exact():
    image = torch.rand(1, 3, 6, 5)
    assert torch.equal(resize(image, 6, 5), image)

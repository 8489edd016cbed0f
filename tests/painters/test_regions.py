"""Split and match: planted copies are found, and only the painting is shown."""

from __future__ import annotations

import pytest
import torch

from impasto.errors import PictureError
from impasto.ops.metrics import psnr
from impasto.ops.natural import natural_picture
from impasto.painters.regions import _leaves, split_and_match


def test_of_a_painting_that_holds_it_a_photograph_comes_out_nearly_whole():
    """Nearly: patches are looked for at every so many pixels."""
    picture, other = natural_picture(64, 96, seed=1), natural_picture(64, 96, seed=2)
    own, strange = (split_and_match(picture, each, largest=8) for each in (picture, other))
    assert float(psnr(own, picture)) > 22
    assert float(psnr(own, picture)) > float(psnr(strange, picture)) + 5


def test_only_the_painting_s_colours_come():
    painting = torch.zeros(1, 3, 64, 64)
    painting[:, 0, :, :32], painting[:, 2, :, 32:] = 1, 1
    made = split_and_match(natural_picture(48, 48, seed=2), painting, largest=16)
    assert float(made[:, 1].max()) < 1e-5
    torch.testing.assert_close(made[:, 0] + made[:, 2], torch.ones(1, 48, 48), atol=1e-4, rtol=0)


def test_flat_ground_has_large_patches_and_detail_small_ones():
    photo = torch.full((1, 3, 64, 128), 0.5)
    photo[..., 64:] = torch.rand(1, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    wide = torch.nn.functional.pad(photo, (8, 8, 8, 8), mode="replicate")
    leaves = _leaves(wide, torch.full((1, 3, 64, 64), 0.1), 32, 8, (64, 128))
    assert {leaf.side for leaf in leaves if leaf.x < 64 - 8} == {32}
    assert {leaf.side for leaf in leaves if leaf.x >= 64 + 8} == {8}
    assert sum(leaf.side**2 for leaf in leaves) == 64 * 128


@pytest.mark.parametrize("size", [(37, 50), (8, 8), (65, 20)])
def test_any_size_is_filled(size):
    made = split_and_match(natural_picture(*size, seed=1), natural_picture(40, 60, seed=3))
    assert made.shape == (1, 3, *size)
    assert float(made.amax(1).min()) > 0


def test_a_painting_of_a_few_pixels_is_refused():
    with pytest.raises(PictureError, match="too small"):
        split_and_match(natural_picture(32, 32, seed=1), natural_picture(10, 10, seed=1))

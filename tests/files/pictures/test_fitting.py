"""Exact sizes: crop and pad."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from impasto.errors import RecipeError
from impasto.files.pictures.fitting import cropped_for, padded_for
from impasto.files.pictures.images import Picture
from impasto.recipe.still import Recipe


def _picture(height: int, width: int) -> Picture:
    levels = torch.arange(height * width).view(1, 1, height, width) / (height * width)
    return Picture(levels.expand(1, 3, -1, -1), "p", "", levels.clone())


def test_the_middle_is_kept():
    cut = cropped_for(Recipe(size="40x20", fit="crop"), _picture(20, 20))
    assert cut.size == (10, 20)
    assert torch.equal(cut.tensor, _picture(20, 20).tensor[..., 5:15, :])
    assert torch.equal(cut.alpha, cut.tensor[:, :1])


def test_a_sheet_of_paper_is_turned_first():
    recipe = Recipe(print="20x10cm", dpi=100, fit="crop")
    tall = cropped_for(recipe, _picture(80, 40))
    assert tall.size == (80, 40)
    assert recipe.size_for(80, 40) == (787, 394)


def test_a_border_is_white_and_the_picture_in_its_middle():
    recipe = Recipe(size="30x21", fit="pad")
    out = padded_for(recipe, torch.zeros(1, 3, 21, 24))
    assert out.shape == (1, 3, 21, 30)
    assert float(out.sum()) == 3 * 21 * 6
    assert not out[..., 3:27].any()


@given(st.integers(16, 60), st.integers(16, 60), st.integers(16, 60), st.integers(16, 60))
def test_the_size_is_exact(height, width, rows, columns):
    picture = _picture(height, width)
    crop = Recipe(size=f"{columns}x{rows}", fit="crop")
    cut = cropped_for(crop, picture)
    assert crop.size_for(*cut.size) == (rows, columns)
    assert (
        min(cut.size[0] - height, cut.size[1] - width)
        <= 0
        == max((cut.size[0] == height) - 1, (cut.size[1] == width) - 1)
    )
    # Its proportion is that of the frame, to a pixel.
    assert abs(cut.size[0] * columns - cut.size[1] * rows) <= max(rows, columns)
    pad = Recipe(size=f"{columns}x{rows}", fit="pad")
    inside = pad.size_for(height, width)
    assert padded_for(pad, torch.zeros(1, 1, *inside)).shape[-2:] == (rows, columns)


def test_what_has_nothing_to_meet_is_refused():
    for options in ({"size": "full", "fit": "crop"}, {"fit": "pad", "crop_preview": True}):
        with pytest.raises(RecipeError, match="--fit"):
            Recipe(**options)

"""The window with most to see."""

from __future__ import annotations

import pytest
import torch

from impasto.ops.detail import most_detailed


def test_a_flat_picture_has_its_middle():
    y, x = most_detailed(torch.full((1, 3, 300, 400), 0.5), height=0.25, width=0.25)
    assert (y, x) == pytest.approx((0.5, 0.5), abs=0.01)


@pytest.mark.parametrize(("row", "column"), [(0, 0), (3, 1), (2, 3), (1, 2)])
def test_the_busy_part_is_found(row, column):
    image = torch.full((1, 3, 400, 400), 0.5)
    noise = torch.rand(1, 3, 25, 25, generator=torch.Generator().manual_seed(0))
    busy = torch.nn.functional.interpolate(noise, (100, 100))  # coarser than a camera's grain
    image[..., 100 * row : 100 * row + 100, 100 * column : 100 * column + 100] = busy
    y, x = most_detailed(image, height=0.25, width=0.25)
    assert (y, x) == pytest.approx(((row + 0.5) / 4, (column + 0.5) / 4), abs=0.03)


def test_a_window_of_the_whole_and_a_thin_picture():
    image = torch.rand(1, 3, 40, 2000, generator=torch.Generator().manual_seed(0))
    assert most_detailed(image, height=1, width=1) == pytest.approx((0.5, 0.5))
    y, x = most_detailed(image, height=1, width=0.1)
    assert y == 0.5
    assert 0.05 <= x <= 0.95

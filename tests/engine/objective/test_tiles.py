"""Where tiles lie: every pixel in one core, halos as wide as the receptive field asks."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from impasto.engine.objective.tiles import add, cut, halos, tiles
from impasto.nets.topology import layer_table, receptive_field
from impasto.recipe.still import STYLE_LAYERS

TABLE = layer_table((2, 2, 2, 2, 2), last="conv5_1")


def test_halos_by_hand():
    """From the deep end: 16, then four times 8, four times 4, twice 2, twice 1."""
    assert halos(TABLE, STYLE_LAYERS) == (70, 68, 64, 48, 16)
    assert halos(TABLE, ["conv1_1"]) == (1,)
    assert halos(TABLE, ["conv2_1", "conv1_2"]) == (4, 2)


@pytest.mark.parametrize("layer", ["conv1_1", "conv2_2", "conv3_4", "conv4_2", "conv5_1"])
def test_a_halo_is_half_the_receptive_field_and_whole_cells(layer):
    field, cell = receptive_field(layer_table(last=layer))
    (first, *_) = halos(TABLE, [layer])
    assert 0 <= first - (field - cell) / 2 < cell


@given(
    height=st.integers(1, 300),
    width=st.integers(1, 300),
    side=st.integers(1, 320),
)
def test_every_pixel_is_in_one_core(height, width, side):
    counts = torch.zeros(height, width)
    for tile in tiles(height, width, side, (0,)):
        rows, columns = tile.rows, tile.columns
        assert rows.start % 16 == columns.start % 16 == 0
        assert rows.stop - rows.start <= max(16, -(-side // 16) * 16)
        counts[rows.start : rows.stop, columns.start : columns.stop] += 1
    assert (counts == 1).all()


@given(
    size=st.tuples(st.integers(1, 20), st.integers(1, 20)),
    top=st.integers(-50, 50),
    left=st.integers(-50, 50),
    height=st.integers(1, 60),
    width=st.integers(1, 60),
)
def test_cutting_wraps_and_adding_is_its_transpose(size, top, left, height, width):
    generator = torch.Generator().manual_seed(0)
    whole = torch.rand(1, 2, *size, generator=generator, dtype=torch.float64)
    rows, columns = range(top, top + height), range(left, left + width)
    found = cut(whole, rows, columns)
    indices = [torch.tensor(list(r)) % n for r, n in zip((rows, columns), size, strict=True)]
    assert torch.equal(found, whole[..., indices[0], :][..., indices[1]])
    values = torch.rand(found.shape, generator=generator, dtype=torch.float64)
    sums = torch.zeros_like(whole)
    add(values, sums, rows, columns)
    assert (sums * whole).sum().item() == pytest.approx((values * found).sum().item(), rel=1e-12)

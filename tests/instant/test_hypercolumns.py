"""Hypercolumns against the layers' features written out."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F

from impasto.files.weights.store import load_network
from impasto.instant.decoder import Decoder, cells_of
from impasto.instant.hypercolumns import LAYERS, Hypercolumns, measure_scales
from impasto.recipe.still import Recipe


@pytest.fixture(scope="module")
def network():
    return load_network(Recipe()).network.double()


@pytest.fixture(scope="module")
def picture():
    return torch.rand(1, 3, 48, 64, generator=torch.Generator().manual_seed(1), dtype=torch.float64)


def _written_out(network, picture):
    maps = network.features(picture, LAYERS)
    for layer in LAYERS:
        head = network.heads[layer]
        weight, bias = head.weight.double(), head.bias.double()
        yield torch.einsum("ok,bkhw->bohw", weight, maps[layer]) + bias[:, None, None]


@torch.no_grad()
def test_each_layer_through_its_head_at_a_quarter(network, picture):
    scales = [1.0 + i for i in range(len(LAYERS))]
    columns, texture = Hypercolumns(network, scales)(picture)
    resized = [
        F.interpolate(f, (12, 16), mode="bilinear", align_corners=False) / scale
        for f, scale in zip(_written_out(network, picture), scales, strict=True)
    ]
    torch.testing.assert_close(columns.double(), torch.cat(resized, 1), rtol=1e-5, atol=1e-6)
    assert torch.equal(Hypercolumns(network, scales).columns(picture), columns)
    first = next(_written_out(network, picture))
    rough = first.unfold(2, 4, 4).unfold(3, 4, 4).square().mean((-2, -1)).add(1e-6).sqrt()
    torch.testing.assert_close(texture[:, : rough.shape[1]].double(), rough, rtol=1e-5, atol=1e-6)


@torch.no_grad()
def test_scales_are_root_mean_square_lengths(network, picture):
    expected = [float(f.square().sum(1).mean().sqrt()) for f in _written_out(network, picture)]
    assert measure_scales(network, picture) == pytest.approx(expected, rel=1e-5)


@torch.no_grad()
def test_the_decoder_gives_four_times_the_size_in_range(picture):
    cells = cells_of(picture)
    assert cells.shape == (1, 48, 12, 16)
    assert torch.equal(F.pixel_shuffle(cells, 4), picture)
    made = Decoder(7, 5)(torch.randn(1, 7, 12, 16), torch.randn(1, 5, 12, 16), cells.float())
    assert made.shape == (1, 3, 48, 64)
    assert 0 <= float(made.min()) <= float(made.max()) <= 1

"""The way through our own kernels against that by torch, layer by layer."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from impasto import native
from impasto.engine.objective.tiles import halos, tiles
from impasto.nets import fused

pytestmark = pytest.mark.skipif(not native.are_available(), reason="no kernels on this machine")

WIDTHS = (16, 32, 32, 16, 64)
NAMES = ("conv1_1", "conv1_2", "conv2_1", "conv2_2", "conv3_1", "conv3_4", "conv4_2", "conv5_1")
CHOICES = {
    "maps": st.sets(st.sampled_from(NAMES), max_size=2),
    "sums": st.sets(st.sampled_from(NAMES), min_size=1, max_size=4),
    "pooling": st.sampled_from(["max", "avg"]),
}


def _picture(height: int, width: int) -> torch.Tensor:
    return torch.rand(1, 3, height, width, generator=torch.Generator().manual_seed(height))


def _network(tiny_network, pooling, *, exact=False):
    network = tiny_network(WIDTHS, pooling=pooling)
    dtype = torch.float64 if exact else torch.bfloat16
    return network.to(dtype).to(memory_format=torch.channels_last)


def _loss(maps, sums):
    terms = [f.double().square().mean() for f in maps.values()]
    terms += [
        s.mean.double().square().sum() + s.covariance.double().square().sum() for s in sums.values()
    ]
    return torch.stack(terms).sum()


def _gradient(network, image, maps, sums):
    x = image.to(
        torch.float64 if next(network.parameters()).dtype == torch.float64 else image.dtype
    )
    x = x.clone().requires_grad_()
    loss = _loss(*network.measured(x, sorted(maps), sorted(sums)))
    (gradient,) = torch.autograd.grad(loss, x)
    return float(loss.detach()), gradient


def _without_kernels(monkeypatch):
    monkeypatch.setattr(fused, "serves", lambda *_: False)


@given(
    height=st.integers(16, 50),
    width=st.integers(16, 50),
    padding=st.sampled_from(["zeros", "circular"]),
    **CHOICES,
)
def test_no_further_from_the_exact_gradient_than_torch(
    height, width, padding, maps, sums, pooling, tiny_network
):
    image = _picture(height, width)
    networks = [_network(tiny_network, pooling, exact=each) for each in (True, False)]
    for each in networks:
        each.padding = padding
    exact, rounded = networks
    loss, wanted = _gradient(exact, image, maps, sums)
    found_loss, found = _gradient(rounded, image, maps, sums)
    with pytest.MonkeyPatch.context() as monkeypatch:
        _without_kernels(monkeypatch)
        _, usual = _gradient(rounded, image, maps, sums)
    assert found_loss == pytest.approx(loss, rel=0.05)
    ours, theirs = ((each.double() - wanted).norm() / wanted.norm() for each in (found, usual))
    assert ours < 1.25 * theirs + 1e-3
    # In bfloat16 it depends on rounding which of four is the largest: both lose that.
    assert ours < (0.15 if pooling == "avg" else 0.6)


@given(side=st.sampled_from([32, 48]), **CHOICES)
def test_tiles_there_and_back_are_those_of_torch(side, maps, sums, pooling, tiny_network):
    image = _picture(75, 90)
    network = _network(tiny_network, pooling)
    needed = halos(network.table, [*maps, *sums])
    for tile in tiles(75, 90, side, needed):
        results = []
        for has_kernels in (True, False):
            with pytest.MonkeyPatch.context() as monkeypatch:
                if not has_kernels:
                    _without_kernels(monkeypatch)
                cut = tile.cut(image)
                found_maps, found_sums = network.measured(
                    cut, sorted(maps), sorted(sums), part=tile
                )
                passage = network.passage(cut, sorted(maps), sorted(sums), part=tile)
                slopes = {
                    name: (torch.full_like(s.total, 1e-3), torch.full_like(s.second_moments, 1e-4))
                    for name, s in found_sums.items()
                }
                back = passage.backward(
                    {n: torch.ones_like(f) for n, f in passage.maps.items()}, slopes
                )
                results.append((found_maps, found_sums, back))
        (a_maps, a_sums, a), (b_maps, b_sums, b) = results
        for name, features in a_maps.items():
            assert (features - b_maps[name]).norm() <= 0.02 * b_maps[name].norm()
        for name, found in a_sums.items():
            torch.testing.assert_close(
                found.second_moments,
                b_sums[name].second_moments,
                rtol=0.05,
                atol=0.05 * float(b_sums[name].second_moments.max()),
            )
        assert (a - b).norm() <= (0.05 if pooling == "avg" else 0.3) * b.norm()


def test_what_it_serves(tiny_network):
    network, image = _network(tiny_network, "max"), _picture(32, 32)
    route = network._route(["conv3_1"], ["conv1_1"])
    assert fused.serves(route, image)
    assert not fused.serves(route, image.double())
    assert not fused.serves(route, _picture(8, 32))
    assert not fused.serves(route, torch.cat([image, image]))
    assert not fused.serves(route, image[:, :1])
    network.padding = "replicate"
    assert not fused.serves(network._route(["conv3_1"], ["conv1_1"]), image)
    wide = tiny_network((8, 8, 8, 8, 8)).bfloat16().to(memory_format=torch.channels_last)
    assert not fused.serves(wide._route(["conv1_1"], []), image)


def test_what_is_given_is_not_overwritten(tiny_network):
    network, image = _network(tiny_network, "max"), _picture(40, 33).requires_grad_()
    maps, sums = network.measured(image, ["conv2_1", "conv1_2"], ["conv2_1"])
    given_ones = [torch.ones_like(each) for each in (*maps.values(), sums["conv2_1"].total)]
    torch.autograd.grad([*maps.values(), sums["conv2_1"].total], image, given_ones)
    assert all((each == 1).all() for each in given_ones)


def test_a_derivative_that_is_part_of_a_larger_tensor(tiny_network):
    """Such as that of ``cat``: its rows lie further apart than a map's."""
    network, image = _network(tiny_network, "avg"), _picture(40, 36)
    found = []
    for has_kernels in (True, False):
        with pytest.MonkeyPatch.context() as monkeypatch:
            if not has_kernels:
                _without_kernels(monkeypatch)
            x = image.clone().requires_grad_()
            features = network.features(x, ["conv3_1"])["conv3_1"]
            both = torch.cat([features, features.detach()], dim=3).float()
            found.append(torch.autograd.grad(both.square().sum(), x)[0])
    assert (found[0] - found[1]).norm() < 0.03 * found[1].norm()

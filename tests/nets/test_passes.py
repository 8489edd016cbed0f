"""The way forward and backward by hand, against autograd through a plain implementation."""

from __future__ import annotations

import gc
import weakref

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from impasto.nets.network import ConvNetwork, InputConvention
from impasto.ops.statistics import Statistics

WIDTHS = (3, 4, 3, 2, 3)
NAMES = ("conv1_1", "conv1_2", "conv2_1", "conv2_2", "conv3_1", "conv3_4", "conv4_2", "conv5_1")
MODES = {"zeros": "constant", "circular": "circular", "replicate": "replicate"}


PLAIN = InputConvention()


def plain(network: ConvNetwork, image: Tensor) -> dict[str, Tensor]:
    """All maps, by torch's own operations; the networks here want their pictures as they are."""
    maps, x = {}, image
    for layer in network.table:
        if layer.kind == "pool":
            x = F.max_pool2d(x, 2) if network.pooling == "max" else F.avg_pool2d(x, 2)
            continue
        weight, bias = (getattr(network, f"{layer.name}_{each}") for each in ("weight", "bias"))
        padded = F.pad(x, (1, 1, 1, 1), mode=MODES[network.padding])
        x = maps[layer.name] = F.conv2d(padded, weight.to(x), bias.to(x)).relu()
    return maps


def plain_sums(features: Tensor) -> Statistics:
    rows = features[0].flatten(1)
    return Statistics(rows.shape[1], rows.sum(1), rows @ rows.mT)


def noise(*shape: int, seed: int = 0) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.rand(*shape, generator=generator, dtype=torch.float64)


def some_loss(maps: dict[str, Tensor], sums: dict[str, Statistics]) -> Tensor:
    """A different derivative at every place."""
    terms = [f.square().mul(noise(*f.shape, seed=1).to(f)).sum() for f in maps.values()]
    terms += [(s.mean.square().sum() + s.covariance.square().sum()) for s in sums.values()]
    return torch.stack([term.double() for term in terms]).sum()


@given(
    height=st.integers(16, 37),
    width=st.integers(16, 37),
    maps=st.sets(st.sampled_from(NAMES), max_size=3),
    sums=st.sets(st.sampled_from(NAMES), max_size=4),
    pooling=st.sampled_from(["max", "avg"]),
    padding=st.sampled_from(list(MODES)),
    layout=st.sampled_from([torch.contiguous_format, torch.channels_last]),
)
def test_values_and_gradient_are_the_plain_ones(
    height, width, maps, sums, pooling, padding, layout, tiny_network
):
    network = tiny_network(WIDTHS, pooling=pooling, convention=PLAIN).double()
    network.padding = padding
    network = network.to(memory_format=layout)
    image = noise(1, 3, height, width).requires_grad_()
    found, found_sums = network.measured(image, sorted(maps), sorted(sums))
    assert set(found) == maps
    assert set(found_sums) == sums
    if not maps | sums:
        return
    known = plain(network, image)
    expected = {name: known[name] for name in found}
    expected_sums = {name: plain_sums(known[name]) for name in found_sums}
    for name, values in expected.items():
        torch.testing.assert_close(found[name], values, rtol=1e-10, atol=1e-12)
    for name, values in expected_sums.items():
        assert found_sums[name].count == values.count
        torch.testing.assert_close(found_sums[name].total, values.total, rtol=1e-10, atol=1e-12)
        torch.testing.assert_close(
            found_sums[name].second_moments, values.second_moments, rtol=1e-10, atol=1e-12
        )
    with torch.no_grad():  # nothing is kept then
        again, again_sums = network.measured(image, sorted(maps), sorted(sums))
    assert all(torch.equal(again[name], found[name]) for name in maps)
    assert all(
        torch.equal(again_sums[name].second_moments, found_sums[name].second_moments)
        for name in sums
    )

    (gradient,) = torch.autograd.grad(some_loss(found, found_sums), image)
    (wanted,) = torch.autograd.grad(some_loss(expected, expected_sums), image)
    assert gradient.is_contiguous()
    # The deepest maps of a picture this small have four positions, which may all be negative.
    assert wanted.norm() > 0 or all(name.startswith(("conv4", "conv5")) for name in maps | sums)
    assert (gradient - wanted).norm() <= 1e-10 * wanted.norm()


@pytest.mark.parametrize("pooling", ["max", "avg"])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_rounding_costs_no_more_than_with_torch_s_own_operations(dtype, pooling, tiny_network):
    """In bfloat16 it decides which of four values is the largest: what is lost, both lose."""
    layers = (["conv4_2"], ["conv1_1", "conv1_2", "conv2_1", "conv3_1"])
    network = tiny_network((8, 8, 8, 8, 8), pooling=pooling, convention=PLAIN).to(dtype)
    network = network.to(memory_format=torch.channels_last)
    image = noise(1, 3, 40, 52).float().requires_grad_()

    def plain_gradient(x: Tensor) -> Tensor:
        known = plain(network, x)
        sums = {name: plain_sums(wide(known[name])) for name in layers[1]}
        loss = some_loss({name: known[name] for name in layers[0]}, sums)
        return torch.autograd.grad(loss, image)[0]

    def wide(features: Tensor) -> Tensor:
        return features.float() if features.dtype == torch.bfloat16 else features

    (gradient,) = torch.autograd.grad(some_loss(*network.measured(image, *layers)), image)
    assert gradient.dtype == torch.float32
    exact = plain_gradient(image.double())
    error, usual = (
        float((each - exact).norm() / exact.norm())
        for each in (gradient, plain_gradient(image.to(dtype)))
    )
    # In float32 the order in which positions are added up decides; it differs by processor.
    assert error < (3 if dtype == torch.float32 else 1.3) * usual
    assert usual < (1e-5 if dtype == torch.float32 else 0.3)


@pytest.mark.parametrize("which", ["total", "second_moments"])
def test_one_of_the_sums_alone(which, tiny_network):
    network, image = (
        tiny_network(WIDTHS, convention=PLAIN).double(),
        noise(1, 3, 20, 18).requires_grad_(),
    )
    names = ["conv1_1", "conv1_2", "conv3_1"]
    found = [getattr(s, which) for s in network.measured(image, (), names)[1].values()]
    known = plain(network, image)
    expected = [getattr(plain_sums(known[name]), which) for name in names]
    (gradient,) = torch.autograd.grad([each.square().sum() for each in found], image)
    (wanted,) = torch.autograd.grad([each.square().sum() for each in expected], image)
    torch.testing.assert_close(gradient, wanted, rtol=1e-10, atol=1e-12)


def test_what_is_given_is_not_overwritten(tiny_network):
    network, image = (
        tiny_network(WIDTHS, convention=PLAIN).double(),
        noise(1, 3, 20, 18).requires_grad_(),
    )
    maps, sums = network.measured(image, ["conv2_1", "conv1_2"], ["conv2_1"])
    given = [torch.ones_like(each) for each in (*maps.values(), sums["conv2_1"].total)]
    torch.autograd.grad([*maps.values(), sums["conv2_1"].total], image, given)
    assert all((each == 1).all() for each in given)


def test_nothing_outlives_its_use(tiny_network):
    """Node and maps do not hold each other: they would wait for the garbage collector."""
    network, image = (
        tiny_network(WIDTHS, convention=PLAIN).double(),
        noise(1, 3, 20, 18).requires_grad_(),
    )
    gc.disable()
    try:
        maps = network.features(image, ["conv1_1", "conv2_1"])
        watched = [weakref.ref(each) for each in maps.values()]
        del maps
        assert not any(each() is not None for each in watched)
    finally:
        gc.enable()


def test_a_second_way_back_is_refused(tiny_network):
    image = noise(1, 3, 20, 18).requires_grad_()
    found = (
        tiny_network(WIDTHS, convention=PLAIN)
        .double()
        .features(image, ["conv1_1"])["conv1_1"]
        .sum()
    )
    torch.autograd.grad(found, image, retain_graph=True)
    with pytest.raises(RuntimeError, match="once"):
        torch.autograd.grad(found, image)


class Window:
    """A part without a halo to trim, whose core is all but two rows and a column."""

    def trim(self, pooling):
        return slice(None), slice(None)

    def core(self, layer):
        return slice(1, -1), slice(1, None)


@given(
    maps=st.sets(st.sampled_from(NAMES), max_size=2),
    sums=st.sets(st.sampled_from(NAMES), min_size=1, max_size=4),
    pooling=st.sampled_from(["max", "avg"]),
    padding=st.sampled_from(list(MODES)),
    part=st.sampled_from([None, Window()]),
)
def test_a_passage_brings_derivatives_back_as_autograd_does(
    maps, sums, pooling, padding, part, tiny_network
):
    network = tiny_network(WIDTHS, pooling=pooling, convention=PLAIN).double()
    network.padding = padding
    image = noise(1, 3, 48, 53).requires_grad_()
    maps, sums = sorted(maps), sorted(sums)
    known, table = plain(network, image), {layer.name: layer for layer in network.table}
    core = {
        name: known[name][(..., *part.core(table[name]))] if part else known[name]
        for name in [*maps, *sums]
    }
    passage = network.passage(image, maps, sums, part=part)
    for name in maps:
        torch.testing.assert_close(passage.maps[name], core[name], rtol=1e-10, atol=1e-12)
    upstream = {name: noise(*core[name].shape, seed=2) for name in maps}
    slopes = {
        name: (noise(len_, seed=3), noise(len_, len_, seed=4))
        for name, len_ in ((name, core[name].shape[1]) for name in sums)
    }
    roots = [core[name] for name in maps]
    seeds = [upstream[name] for name in maps]
    for name in sums:
        found = plain_sums(core[name])
        roots += [found.total, found.second_moments]
        seeds += slopes[name]
    (wanted,) = torch.autograd.grad(roots, image, seeds)
    gradient = passage.backward({name: each.clone() for name, each in upstream.items()}, slopes)
    assert (gradient - wanted).norm() <= 1e-10 * wanted.norm()

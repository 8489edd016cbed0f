"""In tiles or not: the same losses, weights and gradient, whatever the tile, size and loss."""

from __future__ import annotations

import copy

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from impasto.engine.objective.objective import Objective
from impasto.engine.objective.tiling import TiledObjective
from impasto.files.weights.store import load_network
from impasto.ops.natural import natural_picture
from impasto.ops.style_losses import STYLE_LOSSES
from impasto.recipe.still import Recipe

CONTENT, STYLE = ("conv2_2", "conv4_2"), ("conv1_1", "conv2_1", "conv3_1", "conv4_1", "conv5_1")


def _w2_like(found, target, channels):
    """A loss of mean and covariance that is no polynomial of them."""
    mean = (found.mean - target.mean).square().sum()
    deviation = (found.covariance.diagonal() + 1e-3).sqrt()
    wanted = (target.covariance.diagonal() + 1e-3).sqrt()
    return (mean + (deviation - wanted).square().sum()) / channels


def _mean_alone(found, target, channels):
    return (found.mean - target.mean).square().sum() / channels


def _random(seed: int, *size: int) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.rand(1, 3, *size, generator=generator, dtype=torch.float64)


def _both(recipe, network, tile, photo, paintings, **options):
    whole = Objective(recipe, network, photo, paintings, **options)
    return whole, TiledObjective(recipe, network, photo, paintings, tile=tile, **options)


def _compare(whole, tiled, image, tolerance):
    assert _error(tiled.evaluate(image), whole.evaluate(image)) < tolerance


def _error(found, exact):
    """The worst relative error of the losses and the gradient."""
    errors = [float((found.gradient - exact.gradient).norm() / exact.gradient.norm())]
    for name in ("total", "content", "style", "variation"):
        value = getattr(exact.losses, name)
        errors.append(abs(getattr(found.losses, name) - value) / max(abs(value), 1e-300))
    return max(errors)


def _errors(recipe, network, photo, painting, image):
    """In tiles and as a whole, of float64; as a whole, the worse of both memory formats.

    Positions are added up in an order that differs by memory format and by processor, and where
    picture and painting are much alike, their small difference magnifies what the sums lose.
    """
    exact = Objective(recipe, copy.deepcopy(network).double(), photo.double(), [painting.double()])
    wanted = exact.evaluate(image.double())
    inputs = (recipe, network, photo, [painting])
    tiled = _error(TiledObjective(*inputs, tile=64).evaluate(image), wanted)
    whole = 0.0
    for layout in (torch.contiguous_format, torch.channels_last):
        other = copy.deepcopy(network).to(memory_format=layout)
        found = Objective(recipe, other, photo, [painting]).evaluate(image)
        whole = max(whole, _error(found, wanted))
    return tiled, whole


@settings(max_examples=15)
@given(
    height=st.integers(33, 190),
    width=st.integers(33, 230),
    tile=st.integers(1, 150),
    pooling=st.sampled_from(["max", "avg"]),
    heads=st.booleans(),
    loss=st.sampled_from([None, _w2_like, _mean_alone]),
    options=st.sampled_from(
        [
            {"strength": 0.6},
            {"alpha": 2.0, "beta": 30.0, "tv": 0.3},
            {"strength": 1.0, "content_layers": ()},
            {"strength": 0.9, "style_layers": ("conv2_2", "conv1_2")},
            {"strength": 0.5, "content_layers": ("conv1_1",)},
        ]
    ),
)
def test_the_gradient_is_the_untiled_one(
    height, width, tile, pooling, heads, loss, options, tiny_network
):
    sizes = {"conv1_1": 7, "conv4_2": 9} if heads else None
    network = tiny_network((2, 2, 3, 3, 2), pooling=pooling, heads=sizes).double()
    recipe = Recipe(**{"content_layers": CONTENT, "style_layers": STYLE, **options})
    photo, painting, other = _random(1, height, width), _random(2, 61, 40), _random(3, 30, 90)
    loss = {"layer_loss": loss} if loss else {}
    whole, tiled = _both(recipe, network, tile, photo, [painting, other], **loss)
    for name, value in vars(whole.weights).items():
        assert getattr(tiled.weights, name) == pytest.approx(value, rel=1e-10)
    _compare(whole, tiled, _random(4, height, width), 1e-10)


@pytest.mark.parametrize("pooling", ["max", "avg"])
@pytest.mark.parametrize("tile", [16, 40, 100])
def test_a_tile_of_its_own_edges_in_tiles(pooling, tile, tiny_network):
    """Padding across the edges, and paintings without one: the halo comes from the other side."""
    networks = [tiny_network((2, 2, 3, 3, 2), pooling=pooling).double() for _ in range(2)]
    network, edgeless = networks
    network.padding, edgeless.padding = "circular", "replicate"
    recipe = Recipe(strength=0.7, tileable=True, content_layers=CONTENT, style_layers=STYLE, tv=0.1)
    photo, painting = _random(1, 48, 112), _random(2, 50, 77)
    both = _both(recipe, network, tile, photo, [painting], painting_network=edgeless)
    _compare(*both, _random(4, 48, 112), 1e-10)


@pytest.mark.parametrize("channels_last", [False, True])
def test_float32_differs_by_rounding_alone(channels_last, tiny_network, waves):
    network = tiny_network((8, 8, 8, 8, 8))
    if channels_last:
        network = network.to(memory_format=torch.channels_last)
    pictures = (waves(150, 170, phase=p).float() for p in (0.0, 1.7, 0.4))
    tiled, whole = _errors(Recipe(style_loss="gram"), network, *pictures)
    assert tiled < 3 * whole
    assert whole < 1e-3


@pytest.mark.slow
@pytest.mark.parametrize("loss", STYLE_LOSSES)
def test_float32_on_the_bundled_network(loss):
    """Where no filter is silent; a covariance that is nearly singular would magnify rounding."""
    pictures = (natural_picture(150, 170, seed=seed) for seed in (1, 2, 3))
    recipe = Recipe(style_loss=loss)
    tiled, whole = _errors(recipe, load_network(recipe).network, *pictures)
    assert tiled < 3 * whole
    assert whole < 1e-3


def test_bfloat16_stays_bfloat16_s_own_rounding_away(tiny_network, waves):
    """A float32 picture and gradient; the sums in float64."""
    network = tiny_network((8, 8, 8, 8, 8)).bfloat16()
    photo, painting, image = (waves(150, 170, phase=p).float() for p in (0.0, 1.7, 0.4))
    tiled = TiledObjective(Recipe(), network, photo, [painting], tile=64)
    assert tiled.evaluate(image).gradient.dtype == torch.float32
    error, usual = _errors(Recipe(), network, photo, painting, image)
    assert error < 1.5 * usual
    assert usual < 0.3


def test_not_a_number_is_found_out(tiny_network, waves):
    photo, image = waves(50, 70).float(), waves(50, 70, phase=1.0).float()
    tiled = TiledObjective(Recipe(), tiny_network(), photo, [photo], tile=32)
    assert tiled.evaluate(image).finite
    image[0, 0, 40, 40] = float("nan")
    assert not tiled.evaluate(image).finite

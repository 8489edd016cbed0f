"""Tileable pictures: what the engine computes must not know where a tile was cut."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from impasto.engine.planning.plan import Machine, make_plan
from impasto.engine.run import Pictures, run
from impasto.errors import RecipeError
from impasto.ops.inits import interpolate, resize
from impasto.recipe.still import Recipe

LAYERS = ("conv1_2", "conv2_2", "conv3_1", "conv4_2", "conv5_1")


def _tile(height: int, width: int) -> Tensor:
    generator = torch.Generator().manual_seed(3)
    return torch.rand(1, 3, height, width, generator=generator, dtype=torch.float64)


@pytest.mark.parametrize("pooling", ["max", "avg"])
def test_features_of_a_shifted_tile_are_shifted_features(pooling, tiny_network):
    network = tiny_network(pooling=pooling).double()
    network.padding = "circular"
    tile = _tile(48, 64)
    features = network.features(tile, LAYERS)
    shifted = network.features(tile.roll((16, 32), (2, 3)), LAYERS)
    for layer in LAYERS:
        factor = 2 ** (int(layer[4]) - 1)
        expected = features[layer].roll((16 // factor, 32 // factor), (2, 3))
        torch.testing.assert_close(shifted[layer], expected, rtol=0, atol=1e-10)


def test_circular_padding_is_a_tiled_picture_s_middle(tiny_network):
    """Two rings of tiles around it: as far as the deepest layer sees."""
    network = tiny_network().double()
    tile = _tile(96, 96)
    tiled = network.features(tile.repeat(1, 1, 3, 3), LAYERS)
    network.padding = "circular"
    for layer, features in network.features(tile, LAYERS).items():
        side = features.shape[-1]
        middle = tiled[layer][..., side : 2 * side, side : 2 * side]
        torch.testing.assert_close(features, middle, rtol=0, atol=1e-10)


def test_replicate_padding_of_a_constant_picture_has_no_edge(tiny_network):
    network = tiny_network().double()
    network.padding = "replicate"
    features = network.features(torch.full((1, 3, 32, 48), 0.3, dtype=torch.float64), LAYERS)
    for each in features.values():
        torch.testing.assert_close(each, each[..., :1, :1].expand_as(each), rtol=0, atol=1e-10)


@pytest.mark.parametrize("size", [(96, 128), (24, 32), (50, 77), (48, 64)])
def test_resizing_a_tile_is_resizing_the_tiled_picture(size):
    height, width = size
    tile = _tile(48, 64)
    tiled = interpolate(tile.repeat(1, 1, 3, 3), 3 * height, 3 * width)
    middle = tiled[..., height : 2 * height, width : 2 * width]
    found = interpolate(tile, height, width, wrap=True)
    torch.testing.assert_close(found, middle, rtol=0, atol=1e-10)
    assert resize(tile, height, width, wrap=True).shape == (1, 3, height, width)


def test_sides_of_tiles_are_multiples_of_16_at_every_size():
    machine = Machine(("cpu",), frozenset(), 1)
    plan = make_plan(Recipe(size=500, tileable=True), (410, 500), [(100, 100)], machine)
    assert len(plan.stages) > 1
    for stage in plan.stages:
        assert all(side % 16 == 0 for side in stage.size)
        assert 0 <= stage.size[0] - stage.height < 16
        assert 0 <= stage.size[1] - stage.width < 16
    assert (plan.stages[-1].height, plan.stages[-1].width) == (410, 500)


def test_a_tile_that_is_resized_to_any_size_is_still_one(tiny_network):
    """What is delivered, tiled and moved by half its size, was made of a tiled picture alone."""
    recipe = Recipe(tileable=True, scales=1, steps=(0,), size=50, init="noise", strength=0.5)
    machine = Machine(("cpu",), frozenset(), 1)
    picture = _tile(37, 50)
    plan = make_plan(recipe, (37, 50), [(40, 56)], machine)
    network = tiny_network()
    (state,) = run(recipe, plan, Pictures(picture, (_tile(40, 56),)), network)
    made = state.checkpoint().image
    assert made.shape[-2:] == (48, 64)
    assert state.image.shape[-2:] == state.snapshot().shape[-2:] == (37, 50)
    tiled = resize(made.repeat(1, 1, 3, 3), 3 * 37, 3 * 50)[..., 37:74, 50:100]
    torch.testing.assert_close(state.image, tiled, rtol=0, atol=1e-4)


def _run(network, **options):
    recipe = Recipe(strength=1, content_layers=(), scales=2, steps=(4, 3), size=64, **options)
    machine = Machine(("cpu",), frozenset(), 1)
    noise, painting = _tile(64, 64).float(), _tile(40, 56).float()
    plan = make_plan(recipe, (64, 64), [(40, 56)], machine)
    return list(run(recipe, plan, Pictures(noise, (painting,)), network))


def test_style_alone_needs_no_content_layer(tiny_network):
    states = _run(tiny_network(), init="noise", tv=0.0)
    assert all(state.losses.content == 0 for state in states)
    last = [state for state in states if state.stage == 1]
    assert last[-1].losses.style < last[0].losses.style
    assert last[-1].losses.total == pytest.approx(
        last[-1].weights.beta * last[-1].losses.style, rel=1e-4
    )


def test_variation_counts_across_the_seam(tiny_network):
    """A step from the last column to the first is a difference like any other."""
    ramp = torch.linspace(0, 1, 64).expand(1, 3, 64, 64).contiguous()
    recipe = Recipe(
        strength=0.5, scales=1, steps=(0,), size=64, init="content", style_layers=LAYERS
    )
    machine = Machine(("cpu",), frozenset(), 1)

    def variation(tileable: bool) -> float:
        own = Recipe(**{**recipe.as_dict(), "tileable": tileable, "init": "noise"} | TUPLES)
        plan = make_plan(own, (64, 64), [(64, 64)], machine)
        (state,) = run(own, plan, Pictures(ramp, (ramp,)), tiny_network())
        return state.losses.variation

    assert variation(True) < 0.2 * variation(False)  # in units of the photograph's own


TUPLES = {"content_layers": ("conv4_2",), "style_layers": LAYERS, "steps": (0,)}


def test_a_network_that_cannot_pad_is_refused_before_the_first_state(tiny_network):
    class Blind:
        layers = LAYERS

        def features(self, image, layers):
            return dict.fromkeys(layers, image)

    recipe = Recipe(tileable=True, style_layers=("conv1_2",), content_layers=("conv4_2",))
    plan = make_plan(recipe, (64, 64), [(64, 64)])
    tile = _tile(64, 64)
    with pytest.raises(RecipeError, match="tileable="):
        run(recipe, plan, Pictures(tile, (tile,)), Blind())


def test_the_network_that_was_passed_in_keeps_its_padding(tiny_network):
    network = tiny_network()
    _run(network, tileable=True, init="noise")
    assert network.padding == "zeros"

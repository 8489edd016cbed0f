"""A picture at once, on a small network and a decoder of random weights."""

from __future__ import annotations

from itertools import pairwise

import pytest
import torch

from impasto.engine.planning.plan import Machine, make_plan
from impasto.engine.run import Pictures
from impasto.errors import RecipeError, RecordError
from impasto.files.weights.store import load_network
from impasto.instant import tiles as module
from impasto.instant.decoder import Decoder, Painter
from impasto.instant.hypercolumns import Hypercolumns, measure_scales
from impasto.instant.run import forecast, run_instant
from impasto.instant.tiles import tiles_of
from impasto.recipe.still import Recipe

PLAIN = Machine(("cpu",), frozenset(), 1, {"cpu": 8e9})


@pytest.fixture(scope="module")
def network():
    return load_network(Recipe()).network


@pytest.fixture(scope="module")
def painter(network):
    pictures = torch.rand(1, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        scales = tuple(measure_scales(network, pictures))
        columns, texture = Hypercolumns(network, scales)(pictures)
    torch.manual_seed(0)
    return Painter(Decoder(columns.shape[1], texture.shape[1]), scales, "")


def _states(recipe, network, painter, photo, *paintings):
    sizes = [tuple(each.shape[-2:]) for each in paintings]
    plan = make_plan(recipe, tuple(photo.shape[-2:]), sizes, PLAIN, network)
    pictures = Pictures(photo, tuple(paintings))
    return list(run_instant(recipe, plan, pictures, network, painter))


def _recipe(**options):
    return Recipe(quality="instant", threads=1, **options)


@pytest.fixture
def photo(waves):
    return waves(70, 101).float()


@pytest.fixture
def painting(waves):
    return waves(90, 60, phase=1.7).float()


def test_a_state_for_every_size(network, painter, photo, painting):
    states = _states(_recipe(size=520), network, painter, photo, painting)
    assert [state.step for state in states] == list(range(1, len(states) + 1))
    assert states[-1].steps == len(states)
    assert states[-1].progress == 1
    assert states[-1].snapshot().shape == (1, 3, 360, 520)
    ratios = [b.image.shape[-1] / a.image.shape[-1] for a, b in pairwise(states)]
    assert ratios == pytest.approx([2] * len(ratios), rel=0.05)
    with pytest.raises(RecordError, match="again"):
        states[-1].checkpoint()
    assert not states[-1].is_whole()


@pytest.mark.slow
def test_in_tiles_as_in_one(network, painter, photo, painting, monkeypatch):
    recipe = _recipe(size=480, strength=0.5)  # prices, which a sample decides, are all 0
    (*_, whole) = _states(recipe, network, painter, photo, painting)
    monkeypatch.setattr(module, "TILE", 128)
    monkeypatch.setattr(module.tiles_of, "__defaults__", (128,))
    (*_, tiled) = _states(recipe, network, painter, photo, painting)
    far = (whole.image - tiled.image).abs()
    assert float(far.mean()) < 1e-4
    assert float((far.amax(1) < 1e-4).float().mean()) > 0.99  # the rest are ties


def test_tiles_cover_a_picture_once():
    seen = torch.zeros(1, 1, 400, 272)
    for tile in tiles_of(400, 272, 96):
        seen[tile.core] += 1
        outer = seen[tile.outer]
        assert outer[tile.inner].shape == seen[tile.core].shape
        assert outer[..., ::4, ::4][tile.cells].numel() * 16 == seen[tile.core].numel()
        assert all(side % 16 == 0 for side in outer.shape[-2:])
    assert torch.equal(seen, torch.ones_like(seen))


def test_strength_zero_takes_nothing_of_the_painting(network, painter, photo, painting):
    recipe = _recipe(size=96, strength=0.0)
    one, other = (
        _states(recipe, network, painter, photo, each)[-1].image
        for each in (painting, painting.flip(1))
    )
    assert torch.equal(one, other)


def test_a_share_of_nothing_takes_nothing(network, painter, photo, painting, waves):
    other = waves(64, 64, phase=0.5).float()
    alone = _states(_recipe(size=96, blend=(1.0,)), network, painter, photo, painting)[-1].image
    both = _states(_recipe(size=96, blend=(1.0, 0.0)), network, painter, photo, painting, other)[
        -1
    ].image
    assert torch.equal(alone, both)


def test_another_network_is_refused(tiny_network, painter, photo, painting):
    plan = make_plan(_recipe(size=64), (70, 101), [(90, 60)], PLAIN)
    with pytest.raises(RecipeError, match="bundled network"):
        run_instant(_recipe(size=64), plan, Pictures(photo, (painting,)), tiny_network(), painter)


def test_a_forecast_without_a_trial():
    small, large = (
        forecast(make_plan(_recipe(size=size), (700, 1000), [(700, 1000)], PLAIN))
        for size in (256, 1000)
    )
    assert small.total < large.total
    assert small.memory < large.memory


@pytest.mark.parametrize(
    "options", [{"optimizer": "lbfgs"}, {"init": "noise"}, {"alpha": 1.0}, {"style_loss": "gram"}]
)
def test_what_has_no_effect_is_refused(options):
    name = next(iter(options)).replace("_", "-")
    with pytest.raises(
        RecipeError, match=f"optimises nothing: leave out {name.replace(chr(45), chr(95))}="
    ):
        _recipe(**options)

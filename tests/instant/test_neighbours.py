"""Matched features as a term: by hand, whole and in tiles, and what is refused."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F

from impasto.engine.framing import made
from impasto.engine.objective.objective import Objective
from impasto.engine.objective.terms import Activations
from impasto.engine.objective.tiling import TiledObjective
from impasto.engine.planning.plan import Machine, make_plan
from impasto.engine.run import Pictures
from impasto.errors import RecipeError
from impasto.files.weights.decoder import load_painter
from impasto.files.weights.store import load_network
from impasto.instant import neighbours as module
from impasto.instant.neighbours import MATCHED, Neighbours
from impasto.recipe.still import Recipe

PLAIN = Machine(("cpu",), frozenset(), 1, {"cpu": 8e9})
WHOLE = (slice(None), slice(None))


@pytest.fixture(scope="module")
def network():
    return load_network(Recipe()).network


def _term(network, photo, *paintings, **options):
    options = {"size": "full", "neighbours": 1.0, "scales": 1, "threads": 1, **options}
    recipe = Recipe(**options)
    sizes = [tuple(each.shape[-2:]) for each in paintings]
    plan = make_plan(recipe, tuple(photo.shape[-2:]), sizes, PLAIN, network)
    term = Neighbours(recipe, plan, Pictures(photo, paintings), network, load_painter())
    picture = made(photo, plan.stages[-1])
    term.start(plan.stages[-1], picture, picture)
    return term, picture, recipe


@torch.no_grad()
def test_a_painting_s_own_inside_is_matched_by_itself(network, waves):
    painting = waves(96, 112).float()
    term, picture, _ = _term(network, painting, painting, margin=0)
    maps = network.features(picture, MATCHED)
    own = torch.arange(20 * 24).view(20, 24)  # the painting's positions without the rim of two
    inner = term._matches[2:-2, 2:-2]
    assert (inner == own).float().mean() > 0.9
    for layer in MATCHED:
        matched = term._matched(layer, WHOLE, maps[layer])
        expected = F.normalize(maps[layer] - term._means[layer], dim=1)
        stride = 2 ** (int(layer[4]) - 1)
        rim = 24 // stride
        if stride < 8:  # those of conv4 lie between positions
            part = (..., slice(rim, -rim), slice(rim, -rim))
            near = (matched[part] - expected[part]).abs().amax(1) < 1e-3
            assert near.float().mean() > 0.8


@torch.no_grad()
def test_the_loss_by_hand(network, waves):
    term, picture, _ = _term(network, waves(64, 80).float(), waves(80, 64, phase=2.0).float())
    maps = network.features(picture, MATCHED)
    distances = []
    for layer in MATCHED:
        matched = term._matched(layer, WHOLE, maps[layer])
        likeness = F.cosine_similarity(maps[layer] - term._means[layer], matched, dim=1)
        distances.append(float((1 - likeness).mean()))
    loss = term.loss(Activations(maps, {}, {}, dict.fromkeys(MATCHED, WHOLE)))
    assert float(loss) == pytest.approx(sum(distances) / len(MATCHED), rel=1e-4)
    assert 0 < float(loss) < 2


@pytest.mark.parametrize("margin", [0, 8])
def test_in_tiles_as_in_one(network, waves, margin):
    photo, painting = waves(150, 170).float(), waves(120, 90, phase=1.0).float()
    term, picture, recipe = _term(network, photo, painting, margin=margin)
    inputs = (recipe, network, picture, [painting])
    image = (picture + 0.1 * torch.rand(picture.shape)).clamp(0, 1)
    whole = Objective(*inputs, terms=[term]).evaluate(image)
    term._kept = {}
    tiled = TiledObjective(*inputs, terms=[term], tile=64).evaluate(image)
    assert tiled.losses.total == pytest.approx(whole.losses.total, rel=1e-4)
    error = (tiled.gradient - whole.gradient).norm() / whole.gradient.norm()
    assert float(error) < 1e-3


def test_a_size_starts_from_what_the_decoder_paints(network, waves):
    photo, painting = waves(64, 96).float(), waves(80, 64, phase=2.0).float()
    term, picture, recipe = _term(network, photo, painting, strength=0.3)
    plan = make_plan(recipe, (64, 96), [(80, 64)], PLAIN, network)
    mild = term.start(plan.stages[-1], picture, picture)
    strong, *_ = _term(network, photo, painting, strength=0.9)
    bold = strong.start(plan.stages[-1], picture, picture)
    assert 0 <= float(bold.min()) <= float(bold.max()) <= 1
    assert (mild - picture).abs().mean() < (bold - picture).abs().mean()


def test_several_paintings_and_sizes_of_them(network, waves):
    photo = waves(64, 80).float()
    term, *_ = _term(
        network, photo, waves(64, 64, phase=1.0).float(), waves(48, 96, phase=2.0).float(),
        blend=(0.7, 0.3), style_scale=(1.0, 0.5),
    )  # fmt: skip
    assert len(term._matcher._bank._sizes) == 4
    assert int(term._matches.max()) < len(term._matcher._bank)


def test_another_network_is_refused(tiny_network, waves):
    photo = waves(64, 64).float()
    recipe = Recipe(size="full", neighbours=1.0)
    plan = make_plan(recipe, (64, 64), [(64, 64)], PLAIN)
    with pytest.raises(RecipeError, match="bundled network"):
        Neighbours(recipe, plan, Pictures(photo, (photo,)), tiny_network(), load_painter())


def test_strides_and_cells():
    assert [module._stride(layer) for layer in ("conv1_2", "conv2_1", "conv3_2", "conv4_1")] == [
        1, 2, 4, 8,
    ]  # fmt: skip
    assert [module._cells(layer) for layer in ("conv1_2", "conv2_1", "conv3_2", "conv4_1")] == [
        16, 4, 1, 1,
    ]  # fmt: skip

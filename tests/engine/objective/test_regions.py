"""Statistics and style losses by region: by hand, against autograd, in tiles."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from impasto.engine.objective.objective import Objective
from impasto.engine.objective.regions import Masks, SizedRegions, layer_of, regional
from impasto.engine.objective.tiling import TiledObjective
from impasto.ops.statistics import statistics_of, weighted_statistics
from impasto.ops.style_losses import STYLE_LOSSES
from impasto.recipe.still import Recipe

LAYERS = ("conv1_1", "conv2_1", "conv3_1")


def _recipe(**options):
    own = {"style_layers": LAYERS, "content_layers": ("conv2_1",), "layer_weights": "equal"}
    return Recipe(**{**own, "tv": 0.0, **options})


@pytest.fixture
def network(tiny_network):
    return tiny_network(last="conv3_1").double()


def _random(seed, *size):
    return torch.rand(
        1, 3, *size, generator=torch.Generator().manual_seed(seed), dtype=torch.double
    )


def _masks(height, width, *, soft):
    left = torch.linspace(0, 1, width, dtype=torch.double).expand(1, 1, height, width)
    left = left if soft else (left > 0.4).double()
    return Masks(torch.cat([left, 1 - left], 1))


@given(st.integers(1, 9), st.integers(1, 5), st.integers(0, 99))
@settings(max_examples=20, deadline=None)
def test_weighted_sums_by_hand(positions, channels, seed):
    generator = torch.Generator().manual_seed(seed)
    features = torch.rand(1, channels, 1, positions, generator=generator, dtype=torch.double)
    weights = torch.rand(1, positions, generator=generator, dtype=torch.double)
    found = weighted_statistics(features, weights)
    rows = features[0, :, 0].T
    expected = sum(w * torch.outer(f, f) for w, f in zip(weights[0], rows, strict=True))
    torch.testing.assert_close(found.second_moments, expected)
    torch.testing.assert_close(found.total, (weights[0, :, None] * rows).sum(0))
    assert found.count == pytest.approx(float(weights.sum()))


def test_their_derivatives_are_autograd_s():
    features = _random(0, 3, 4).requires_grad_()
    weights = _random(1, 3, 4)[0, 0]

    def sums(x):
        made = weighted_statistics(x, weights)
        return made.total, made.second_moments

    assert torch.autograd.gradcheck(sums, features)


def test_the_regions_sums_add_up_to_the_whole_s():
    features, masks = _random(0, 8, 12), _masks(16, 24, soft=True)
    names = [regional("a", 0), regional("a", 1)]
    parts = masks.sums(names, {"a": features})
    both = parts[names[0]] + parts[names[1]]
    whole = statistics_of(features)
    torch.testing.assert_close(both.second_moments, whole.second_moments)
    assert both.count == pytest.approx(whole.count)
    assert {layer_of(name) for name in names} == {"a"}


def test_one_region_of_all_is_the_whole(network):
    photo, painting, image = _random(0, 40, 48), _random(1, 32, 40), _random(2, 40, 48)
    everywhere = SizedRegions(Masks(torch.ones(1, 1, 40, 48, dtype=torch.double)), [(1.0,)], [None])
    plain = Objective(_recipe(), network, photo, [painting]).evaluate(image)
    found = Objective(_recipe(), network, photo, [painting], regions=everywhere).evaluate(image)
    assert found.losses.style == pytest.approx(plain.losses.style, rel=1e-9)
    torch.testing.assert_close(found.gradient, plain.gradient, rtol=1e-7, atol=1e-12)


@pytest.mark.parametrize("loss", ["gram", "gram+mean-std", "w2"])
def test_a_hard_region_s_loss_is_that_of_its_positions(loss, network):
    """At conv1_1, where a position is a pixel: each half by itself."""
    recipe = _recipe(style_layers=("conv1_1",), style_loss=loss, layer_weights=(1.0,))
    photo, image = _random(0, 32, 40), _random(3, 32, 40)
    paintings = [_random(1, 24, 24), _random(2, 24, 24)]
    masks = _masks(32, 40, soft=False)
    regions = SizedRegions(masks, [(1.0, 0.0), (0.0, 1.0)], [None, None])
    found = Objective(recipe, network, photo, paintings, regions=regions).evaluate(image)

    def statistics(picture):
        return network.features(picture, ["conv1_1"])["conv1_1"]

    maps, expected = statistics(image), 0.0
    for region, painting in enumerate(paintings):
        inside = masks.masks[0, region].bool()
        own = statistics_of(maps[..., inside][..., None])
        target = statistics_of(statistics(painting))
        share = float(masks.masks[0, region].mean())
        expected += share * float(STYLE_LOSSES[loss](own, target, maps.shape[1]))
    assert found.losses.style == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("options", [{"style_loss": "gram"}, {}, {"style_scale": (0.7, 1.0)}])
def test_the_gradient_is_that_of_finite_differences(options, network):
    recipe = _recipe(**options)
    sizes = len(recipe.style_scales)
    photo, image = _random(0, 32, 40), _random(3, 32, 40)
    paintings = [_random(i, 24, 28) for i in range(1, 1 + 2 * sizes)]
    parts = [_masks(24, 28, soft=False)] * sizes + [None] * sizes
    regions = SizedRegions(_masks(32, 40, soft=True), [(1.0, 0.0), (0.3, 0.7)], parts)
    objective = Objective(recipe, network, photo, paintings, regions=regions)
    at, step = objective.evaluate(image), 1e-7 * (_random(9, 32, 40) - 0.5)
    above, below = (objective.evaluate(image + s * step).losses.total for s in (1, -1))
    assert float((at.gradient * step).sum()) == pytest.approx((above - below) / 2, rel=1e-4)


@pytest.mark.parametrize("tile", [16, 48])
@pytest.mark.parametrize("soft", [True, False])
def test_tiles_are_the_whole(tile, soft, network):
    recipe = _recipe(style_loss="w2", tv=0.01)
    photo, image = _random(0, 57, 70), _random(3, 57, 70)
    paintings = [_random(1, 40, 36), _random(2, 33, 40)]
    parts = [_masks(40, 36, soft=False), None]
    regions = SizedRegions(_masks(57, 70, soft=soft), [(0.5, 0.5), (1.0, 0.0)], parts)
    whole = Objective(recipe, network, photo, paintings, regions=regions)
    tiled = TiledObjective(recipe, network, photo, paintings, tile=tile, regions=regions)
    one, other = whole.evaluate(image), tiled.evaluate(image)
    assert other.losses.total == pytest.approx(one.losses.total, rel=1e-10)
    assert float((one.gradient - other.gradient).norm() / one.gradient.norm()) < 1e-10


def test_a_region_that_is_not_there_counts_for_nothing(network):
    photo, image, painting = _random(0, 32, 40), _random(3, 32, 40), _random(1, 24, 24)
    ones = torch.ones(1, 1, 32, 40, dtype=torch.double)
    regions = SizedRegions(Masks(torch.cat([ones, 0 * ones], 1)), [(1.0,), (1.0,)], [None])
    plain = Objective(_recipe(), network, photo, [painting]).evaluate(image)
    found = Objective(_recipe(), network, photo, [painting], regions=regions).evaluate(image)
    assert found.losses.style == pytest.approx(plain.losses.style, rel=1e-9)
    assert found.finite


def test_a_term_of_one_s_own_still_gets_the_sums_of_the_whole(network):
    class Mean:
        name, needs, layers, weight = "mean", "sums", ("conv2_1",), 1.0

        def prepare(self, target):
            self.wanted = target.paintings[0].statistics["conv2_1"].mean

        def loss(self, activations):
            return (activations.sums["conv2_1"].mean - self.wanted).square().sum()

    photo, image, painting = _random(0, 32, 40), _random(3, 32, 40), _random(1, 24, 24)
    regions = SizedRegions(_masks(32, 40, soft=True), [(1.0,), (1.0,)], [None])
    plain = Objective(_recipe(), network, photo, [painting], terms=[Mean()]).evaluate(image)
    found = Objective(
        _recipe(), network, photo, [painting], terms=[Mean()], regions=regions
    ).evaluate(image)
    assert found.losses.others["mean"] == pytest.approx(plain.losses.others["mean"], rel=1e-9)

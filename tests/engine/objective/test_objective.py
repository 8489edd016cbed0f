"""Eq. (7) on a network's features, against the same thing written out, in float64."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F

from impasto.engine.objective.objective import Objective
from impasto.engine.objective.terms import statistics as module
from impasto.ops.losses import total_variation
from impasto.ops.statistics import gram_loss, mixture, statistics_of
from impasto.ops.style_losses import STYLE_LOSSES
from impasto.recipe.still import Recipe

CONTENT, STYLE = ("conv2_1",), ("conv1_1", "conv2_1", "conv3_1")


def _recipe(**options) -> Recipe:
    """The report's objective, whatever the defaults are."""
    report = {"style_loss": "gram", "layer_weights": "equal"}
    return Recipe(**{"content_layers": CONTENT, "style_layers": STYLE, **report, **options})


@pytest.fixture
def network(tiny_network):
    return tiny_network((3, 4, 5, 5, 5), last="conv3_1").double()


@pytest.fixture
def pictures(waves):
    return waves(17, 22), waves(20, 15, phase=1.7), waves(18, 18, phase=0.4)


def _content_loss(network, image, photo) -> torch.Tensor:
    f, p = (network.features(x, CONTENT)[CONTENT[0]] for x in (image, photo))
    return 0.5 * ((f - p) ** 2).sum()


def _style_losses(network, image, painting) -> list[torch.Tensor]:
    losses = []
    for layer in STYLE:
        f, s = (network.features(x, [layer])[layer][0].flatten(1) for x in (image, painting))
        (n, m), m_style = f.shape, s.shape[1]
        gram, target = f @ f.T, s @ s.T * m / m_style
        losses.append(((gram - target) ** 2).sum() / (4 * n**2 * m**2))
    return losses


def test_the_terms_are_eqs_1_3_5_7(network, pictures):
    photo, painting, image = pictures
    image = F.interpolate(image, photo.shape[-2:])
    recipe = _recipe(alpha=2.0, beta=30.0, layer_weights=(0.5, 0.2, 0.7))
    losses = Objective(recipe, network, photo, [painting]).evaluate(image).losses
    content = _content_loss(network, image, photo).item()
    layers = [loss.item() for loss in _style_losses(network, image, painting)]
    style = 0.5 * layers[0] + 0.2 * layers[1] + 0.7 * layers[2]
    assert losses.content == pytest.approx(content, rel=1e-10)
    assert losses.style == pytest.approx(style, rel=1e-10)
    assert losses.total == pytest.approx(2 * content + 30 * style, rel=1e-10)
    ratio = total_variation(image) / total_variation(photo)
    assert losses.variation == pytest.approx(ratio.item(), rel=1e-10)


def test_layers_weigh_one_over_their_number_unless_told(network, pictures):
    photo, painting, _ = pictures
    losses = Objective(_recipe(), network, photo, [painting]).evaluate(photo).losses
    layers = _style_losses(network, photo, painting)
    assert losses.style == pytest.approx(sum(layers).item() / 3, rel=1e-10)


def test_several_paintings_share_by_their_blend(network, pictures):
    photo, *paintings = pictures
    recipe = _recipe(blend=(3.0, 1.0))
    losses = Objective(recipe, network, photo, paintings).evaluate(photo).losses
    one, other = (sum(_style_losses(network, photo, p)).item() / 3 for p in paintings)
    assert losses.style == pytest.approx(0.75 * one + 0.25 * other, rel=1e-10)


def test_strength_becomes_alpha_and_beta_by_the_photograph_s_own_yardsticks(network, pictures):
    photo, painting, _ = pictures
    weights = Objective(_recipe(strength=0.3), network, photo, [painting]).weights
    p = network.features(photo, CONTENT)[CONTENT[0]]
    ratio = 5 * (0.3 / 0.7) ** 2.7
    share = ratio / (1 + ratio)
    c0 = 0.5 * ((p - p.mean((2, 3), keepdim=True)) ** 2).sum().item()
    s0 = sum(_style_losses(network, photo, painting)).item() / 3
    assert weights.content_unit == pytest.approx(c0, rel=1e-10)
    assert weights.style_unit == pytest.approx(s0, rel=1e-10)
    assert weights.alpha == pytest.approx((1 - share) / c0, rel=1e-10)
    assert weights.beta == pytest.approx(share / s0, rel=1e-10)


def test_alpha_and_beta_are_taken_as_they_are(network, pictures):
    photo, painting, _ = pictures
    weights = Objective(_recipe(alpha=1e-3, beta=0.0), network, photo, [painting]).weights
    assert (weights.alpha, weights.beta) == (1e-3, 0)


def test_the_photograph_lies_at_0_1(network, pictures):
    photo, painting, _ = pictures
    objective = Objective(_recipe(), network, photo, [painting])
    content, style = objective.weights.distances(objective.evaluate(photo).losses)
    assert content == pytest.approx(0, abs=1e-12)
    assert style == pytest.approx(1, rel=1e-10)


@pytest.mark.parametrize(
    "options",
    [
        {"alpha": 1.0, "beta": 0.0},
        {"alpha": 0.0, "beta": 1.0},
        {"strength": 0.4, "tv": 0.3},
        {"strength": 0.9, "blend": (0.2, 0.8)},
    ],
    ids=str,
)
@pytest.mark.parametrize("heads", [None, {"conv1_1": 7, "conv2_1": 9}], ids=["plain", "heads"])
def test_the_gradient_is_that_of_finite_differences(options, heads, pictures, tiny_network):
    network = tiny_network((3, 4, 5, 5, 5), last="conv3_1", heads=heads).double()
    photo, *paintings = pictures
    objective = Objective(_recipe(**{"blend": (1, 1), **options}), network, photo, paintings)
    generator = torch.Generator().manual_seed(3)
    image = torch.rand(photo.shape, generator=generator, dtype=torch.float64)
    at = objective.evaluate(image)
    assert at.image is image
    assert not image.requires_grad
    step = 1e-6
    for _ in range(3):
        direction = torch.randn(photo.shape, generator=generator, dtype=torch.float64)
        ahead, behind = (objective.evaluate(image + s * direction) for s in (step, -step))
        slope = (ahead.losses.total - behind.losses.total) / (2 * step)
        assert (at.gradient * direction).sum().item() == pytest.approx(slope, rel=1e-4)


def test_heads_give_the_losses_of_the_full_linear_heads(pictures, tiny_network, tiny_tensors):
    """With the teacher's N in eq. (5), from tensors that the engine never sees."""
    widths, heads = (3, 4, 5, 5, 5), {"conv1_1": 7, "conv2_1": 9}
    photo, painting, _ = pictures
    image = photo.flip(-1)
    tensors = tiny_tensors(widths, last="conv3_1", heads=heads)
    network = tiny_network(widths, last="conv3_1", heads=heads).double()
    objective = Objective(_recipe(alpha=1.0, beta=1.0), network, photo, [painting])
    losses = objective.evaluate(image).losses

    class Full:
        """The same network, its maps taken through the heads position by position."""

        def features(self, picture, layers):
            maps = network.features(picture, layers)
            for name in set(maps) & set(heads):
                weight, bias = (tensors[f"{name}_head.{p}"].double() for p in ("weight", "bias"))
                maps[name] = F.conv2d(maps[name], weight, bias)
            return maps

    content = _content_loss(Full(), image, photo).item()
    style = sum(_style_losses(Full(), image, painting)).item() / 3
    assert losses.content == pytest.approx(content, rel=1e-5)  # heads are kept in float32
    assert losses.style == pytest.approx(style, rel=1e-5)


def test_a_loss_of_one_s_own_gets_the_statistics_and_the_channels(network, pictures):
    photo, painting, _ = pictures
    seen = []

    def mean_loss(found, target, channels):
        seen.append((found.count, target.count, channels))
        return (found.mean - target.mean).square().sum()

    objective = Objective(_recipe(), network, photo, [painting], layer_loss=mean_loss)
    losses = objective.evaluate(photo).losses
    assert seen[:3] == [
        (17 * 22, 20 * 15, 3),
        (8 * 11, 10 * 7, 4),
        (4 * 5, 5 * 3, 5),
    ]
    expected = sum(
        (
            (
                network.features(photo, [layer])[layer].mean((0, 2, 3))
                - network.features(painting, [layer])[layer].mean((0, 2, 3))
            )
            ** 2
        ).sum()
        for layer in STYLE
    )
    assert losses.style == pytest.approx(expected.item() / 3, rel=1e-10)


@pytest.mark.parametrize("case", ["a flat photograph", "the painting is the photograph"])
@pytest.mark.parametrize("strength", [0.0, 0.5, 1.0])
def test_degenerate_pictures_give_finite_weights_and_gradients(case, strength, network, pictures):
    photo, painting, image = pictures
    image = F.interpolate(image, photo.shape[-2:])
    if case == "a flat photograph":
        photo = torch.full_like(photo, 0.45)
    else:
        painting = photo
    objective = Objective(_recipe(strength=strength), network, photo, [painting])
    assert objective.weights.content_unit > 0
    assert objective.weights.style_unit > 0
    for picture in (photo, image):
        at = objective.evaluate(picture)
        assert at.losses.finite
        assert at.gradient.isfinite().all()
        assert at.losses.total < 1e4


def test_a_photograph_without_any_detail_still_has_a_yardstick():
    """A network without padding sees no edge in it: the deviations are exactly 0."""

    class Colors:
        layers = ("colors",)

        def features(self, image, layers):
            return dict.fromkeys(layers, image)

    recipe = Recipe(content_layers=("colors",), style_layers=("colors",))
    photo = torch.full((1, 3, 16, 16), 0.5, dtype=torch.float64)
    objective = Objective(recipe, Colors(), photo, [photo.clone() / 2])
    assert objective.weights.content_unit > 1e-3
    assert objective.evaluate(photo / 2).losses.total < 1e6


def test_the_consumer_s_grad_mode_neither_matters_nor_changes(network, pictures):
    photo, painting, _ = pictures
    expected = Objective(_recipe(), network, photo, [painting]).evaluate(photo.flip(-1))
    with torch.no_grad():
        found = Objective(_recipe(), network, photo, [painting]).evaluate(photo.flip(-1))
        assert not torch.is_grad_enabled()
    assert torch.equal(found.gradient, expected.gradient)
    assert found.losses == expected.losses


def test_bfloat16_features_give_a_float32_gradient(tiny_network, pictures):
    photo, painting, _ = (picture.float() for picture in pictures)
    network = tiny_network((3, 4, 5, 5, 5), last="conv3_1")
    exact = Objective(_recipe(), network, photo, [painting]).evaluate(photo.flip(-1))
    rough = Objective(_recipe(), network.bfloat16(), photo, [painting]).evaluate(photo.flip(-1))
    assert rough.gradient.dtype == torch.float32
    assert rough.losses.total == pytest.approx(exact.losses.total, rel=0.05)
    assert (rough.gradient - exact.gradient).norm() < 0.5 * exact.gradient.norm()


def test_layer_weights_by_name_know_the_channels_that_heads_stand_for(pictures, tiny_network):
    heads = {"conv1_1": 7, "conv2_1": 9}
    network = tiny_network((3, 4, 5, 5, 5), last="conv3_1", heads=heads).double()
    photo, painting, _ = pictures

    def style(weights):
        objective = Objective(_recipe(layer_weights=weights), network, photo, [painting])
        return objective.evaluate(photo).losses.style

    numbers = (1e3 / 7**2, 1e3 / 9**2, 1e3 / 5**2)
    assert style("gatys") == pytest.approx(style(numbers), rel=1e-10)


@pytest.mark.parametrize("name", STYLE_LOSSES)
def test_the_recipe_names_the_style_loss(name, network, pictures):
    photo, painting, _ = pictures
    found = Objective(_recipe(style_loss=name), network, photo, [painting])
    given = Objective(_recipe(), network, photo, [painting], layer_loss=STYLE_LOSSES[name])
    assert found.evaluate(photo).losses == given.evaluate(photo).losses
    content, style = found.weights.distances(found.evaluate(photo).losses)
    assert (content, style) == (0, pytest.approx(1, rel=1e-10))  # a strength's yardstick for any


def test_a_painting_at_several_sizes_has_the_statistics_of_their_mixture(network, pictures):
    photo, painting, _ = pictures
    smaller = F.avg_pool2d(painting, 2)
    recipe = _recipe(style_scale=(1.0, 0.5))
    found = Objective(recipe, network, photo, [painting, smaller]).evaluate(photo).losses.style
    expected = 0.0
    for layer in STYLE:
        own, *sizes = (
            statistics_of(network.features(x, [layer])[layer]) for x in (photo, painting, smaller)
        )
        expected += gram_loss(own, mixture(sizes), own.total.numel()).item() / 3
    assert found == pytest.approx(expected, rel=1e-10)


def test_the_style_loss_is_made_on_one_thread_and_the_rest_on_all(network, pictures):
    photo, painting, image = pictures
    image = F.interpolate(image, photo.shape[-2:])
    counts: list[int] = []

    def loss(statistics, target, channels):
        counts.append(torch.get_num_threads())
        return gram_loss(statistics, target, channels)

    torch.set_num_threads(2)
    objective = Objective(_recipe(), network, photo, [painting], layer_loss=loss)
    counts.clear()
    objective.evaluate(image)
    assert counts == [1] * len(STYLE)
    assert torch.get_num_threads() == 2


def test_layers_side_by_side_give_the_same_numbers(tiny_network, waves, monkeypatch):
    wide = tiny_network((64, 64, 8, 8, 8), last="conv3_1").double()
    recipe = _recipe(style_loss="w2")
    photo, image = waves(17, 22), waves(17, 22, phase=0.4)
    objective = Objective(recipe, wide, photo, [waves(20, 15, phase=1.7)])
    calls: list[int] = []
    real = module.side_by_side
    monkeypatch.setattr(module, "side_by_side", lambda *two: calls.append(1) or real(*two))
    found = []
    for threads in (1, 2):
        torch.set_num_threads(threads)
        found.append(objective.evaluate(image))
    assert len(calls) == 1
    torch.testing.assert_close(found[0].gradient, found[1].gradient, rtol=1e-9, atol=0)
    assert found[0].losses.style == pytest.approx(found[1].losses.style, rel=1e-12)

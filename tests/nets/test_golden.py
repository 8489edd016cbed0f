"""What the true VGG-19's first blocks give on pictures made by a formula.

The numbers were computed once in float64 by the plain implementation below, which shares no line
with impasto's. Skipped where the true weights are not at hand (``../shared/weights``).
"""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from impasto.engine.objective.objective import Objective
from impasto.files.weights.store import load_network
from impasto.nets.vgg import vgg19
from impasto.ops.losses import content_loss, gram_matrix, style_layer_loss
from impasto.recipe.still import Recipe

MEANS = {
    "avg": {
        "conv1_1": 31.3566264,
        "conv2_2": 260.185634,
        "conv3_1": 226.582229,
        "conv3_4": 745.995647,
    },
    "max": {
        "conv1_1": 31.3566264,
        "conv2_2": 295.436385,
        "conv3_1": 382.003516,
        "conv3_4": 1323.21691,
    },
}
CONTENT = {
    "avg": {"conv3_1": 3708884890.0, "conv3_4": 9541157670.0},
    "max": {"conv3_1": 8872196330.0, "conv3_4": 27673740400.0},
}
STYLE = {
    "avg": {"conv1_1": 85689.4141, "conv2_1": 50872057.7, "conv3_1": 562192371.0},
    "max": {"conv1_1": 85689.4141, "conv2_1": 96063159.5, "conv3_1": 4786178000.0},
}


@pytest.fixture(scope="module")
def weights(shared: Path) -> Path:
    path = shared / "weights" / "vgg19_blocks1-3.safetensors"
    if not path.is_file():
        pytest.skip("the true VGG-19's first blocks are not on this machine")
    return path


def plain_features(picture: torch.Tensor, tensors: dict[str, torch.Tensor], pooling: str):
    """Blocks 1 to 3 by unfolding and matrix products, in float64."""
    x = picture.double()[:, [2, 1, 0]] * 255
    x = x - torch.tensor([103.939, 116.779, 123.68], dtype=torch.float64).view(1, 3, 1, 1)
    maps = {}
    for block, convolutions in ((1, 2), (2, 2), (3, 4)):
        if block > 1:
            h, w = x.shape[2] // 2, x.shape[3] // 2
            x = x[:, :, : 2 * h, : 2 * w].reshape(1, -1, h, 2, w, 2)
            x = x.amax((3, 5)) if pooling == "max" else x.mean((3, 5))
        for index in range(1, convolutions + 1):
            name = f"conv{block}_{index}"
            weight = tensors[f"{name}.weight"].double()
            columns = torch.nn.functional.unfold(x, 3, padding=1)[0]
            x = weight.flatten(1) @ columns + tensors[f"{name}.bias"].double()[:, None]
            x = x.clamp_min(0).view(1, weight.shape[0], *maps_size(picture, block))
            maps[name] = x
    return maps


def maps_size(picture: torch.Tensor, block: int) -> tuple[int, int]:
    return picture.shape[2] >> (block - 1), picture.shape[3] >> (block - 1)


@pytest.fixture(scope="module")
def pictures(waves) -> tuple[torch.Tensor, torch.Tensor]:
    """A photograph of 45 x 58 and a painting of another size."""
    return waves(45, 58).float(), waves(52, 41, phase=1.7).float()


@pytest.mark.parametrize("pooling", ["avg", "max"])
def test_maps_of_the_true_network(pooling, weights, pictures):
    tensors = load_file(weights)
    network = vgg19(tensors, pooling=pooling)
    found = network.features(pictures[0], network.layers)
    for name, expected in plain_features(pictures[0], tensors, pooling).items():
        error = (found[name].double() - expected).norm() / expected.norm()
        assert error < 1e-5, name
    for name, mean in MEANS[pooling].items():
        assert found[name].double().mean().item() == pytest.approx(mean, rel=1e-5)


@pytest.mark.parametrize("pooling", ["avg", "max"])
def test_losses_of_the_true_network(pooling, weights, pictures):
    network = vgg19(load_file(weights), pooling=pooling)
    photo, painting = (network.features(picture, network.layers) for picture in pictures)
    other = network.features(pictures[0].flip(-1), network.layers)
    for name, value in CONTENT[pooling].items():
        assert content_loss(other[name], photo[name]).item() == pytest.approx(value, rel=1e-4)
    for name, value in STYLE[pooling].items():
        loss = style_layer_loss(
            gram_matrix(photo[name]),
            gram_matrix(painting[name]),
            channels=photo[name].shape[1],
            positions=photo[name][0, 0].numel(),
            target_positions=painting[name][0, 0].numel(),
        )
        assert loss.item() == pytest.approx(value, rel=1e-4)


@pytest.mark.parametrize("pooling", ["avg", "max"])
def test_the_objective_of_the_true_network(pooling, weights, pictures):
    """The same numbers through the weights file, the statistics and eq. (7), as a run sees them."""
    layers = tuple(STYLE[pooling])
    recipe = Recipe(
        network="vgg19",
        weights=str(weights),
        pooling=pooling,
        content_layers=("conv3_4",),
        style_layers=layers,
        style_loss="gram",
        layer_weights="equal",
        alpha=2.0,
        beta=3.0,
    )
    photo, painting = pictures
    objective = Objective(recipe, load_network(recipe).network, photo, [painting])
    losses = objective.evaluate(photo).losses
    style = sum(STYLE[pooling].values()) / len(layers)
    assert losses.content == pytest.approx(0, abs=1e-6)
    assert losses.style == pytest.approx(style, rel=1e-4)
    assert losses.total == pytest.approx(3 * style, rel=1e-4)
    mirrored = objective.evaluate(photo.flip(-1)).losses
    assert mirrored.content == pytest.approx(CONTENT[pooling]["conv3_4"], rel=1e-4)

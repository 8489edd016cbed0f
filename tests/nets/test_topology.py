"""The one layer table."""

from __future__ import annotations

from itertools import pairwise

import pytest
import torch

from impasto.errors import RecipeError
from impasto.nets.topology import check_layers, conv_names, layer_table, receptive_field

# Worked by hand: a convolution adds 2 steps, a pooling 1 step and doubles the step.
FIELDS = {
    "conv1_1": 3, "conv1_2": 5, "pool1": 6,
    "conv2_1": 10, "conv2_2": 14, "pool2": 16,
    "conv3_1": 24, "conv3_2": 32, "conv3_3": 40, "conv3_4": 48, "pool3": 52,
    "conv4_1": 68, "conv4_2": 84, "conv4_3": 100, "conv4_4": 116, "pool4": 124,
    "conv5_1": 156, "conv5_2": 188, "conv5_3": 220, "conv5_4": 252, "pool5": 268,
}  # fmt: skip


def test_the_table_is_vgg19_s():
    table = layer_table()
    assert [layer.name for layer in table] == list(FIELDS)
    assert sum(layer.kind == "conv" for layer in table) == 16
    for before, after in pairwise(table):
        assert after.in_channels == before.out_channels
    assert table[0].in_channels == 3
    assert [layer.out_channels for layer in table if layer.kind == "pool"] == [
        64, 128, 256, 512, 512,
    ]  # fmt: skip


def test_a_table_ends_where_it_is_told():
    assert [layer.name for layer in layer_table((1, 2, 3, 4, 5), last="conv2_1")] == [
        "conv1_1", "conv1_2", "pool1", "conv2_1",
    ]  # fmt: skip
    assert conv_names("conv2_2") == ("conv1_1", "conv1_2", "conv2_1", "conv2_2")
    with pytest.raises(ValueError, match="conv9_9"):
        layer_table(last="conv9_9")


def test_receptive_fields_worked_by_hand():
    for name, side in FIELDS.items():
        assert receptive_field(layer_table(last=name)) == (side, 2 ** sum(
            pool in layer_names(name) for pool in ("pool1", "pool2", "pool3", "pool4", "pool5")
        ))  # fmt: skip


def layer_names(last: str) -> list[str]:
    names = list(FIELDS)
    return names[: names.index(last) + 1]


@pytest.mark.parametrize("layer", ["conv1_1", "conv2_2", "conv3_1", "conv4_2", "conv5_1"])
def test_receptive_fields_are_those_of_a_network(layer: str, tiny_network):
    """All weights positive and average pooling: each pixel that can count does."""
    network = tiny_network((1, 1, 1, 1, 1), pooling="avg").double()
    for parameter in network.parameters():
        parameter.data.abs_().add_(0.01)
    image = torch.full((1, 3, 256, 256), 0.9, dtype=torch.float64, requires_grad=True)
    features = network.features(image, [layer])[layer]
    middle = features.shape[-1] // 2
    (gradient,) = torch.autograd.grad(features[0, 0, middle, middle], image)
    seen = gradient[0].abs().sum(0) > 0
    assert seen.any(0).sum() == seen.any(1).sum() == FIELDS[layer]


def test_layers_are_checked_and_named_canonically():
    assert check_layers(["relu1_1", "conv2_1"], conv_names()) == ["conv1_1", "conv2_1"]
    with pytest.raises(RecipeError, match=r"no layer 'conv5_1'.*conv1_1 to conv3_4"):
        check_layers(["conv5_1"], conv_names("conv3_4"))

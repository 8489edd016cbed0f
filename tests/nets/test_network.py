"""The network, against an implementation written a second time from scipy's plain correlations."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.signal import correlate2d

from impasto.errors import RecipeError, WeightsError
from impasto.nets.convolution import Convolution
from impasto.nets.network import ConvNetwork, InputConvention, Network
from impasto.nets.topology import layer_table
from impasto.nets.vgg import KERAS_CONVENTION, TORCHVISION_CONVENTION

WIDTHS = (4, 4, 5, 5, 6)
VGG = "11 12 P 21 22 P 31 32 33 34 P 41 42 43 44 P 51"


def reference(picture, tensors, convention: InputConvention, pooling: str) -> dict[str, np.ndarray]:
    """Maps after the ReLU of a ``(3, H, W)`` picture, in float64 and without torch."""
    order = [2, 1, 0] if convention.channels == "BGR" else [0, 1, 2]
    mean, std = (np.array(v)[:, None, None] for v in (convention.mean, convention.std))
    x = (picture[order] * convention.range - mean) / std
    maps = {}
    for token in VGG.split():
        if token == "P":
            h, w = x.shape[1] // 2, x.shape[2] // 2
            windows = x[:, : 2 * h, : 2 * w].reshape(-1, h, 2, w, 2)
            x = windows.max((2, 4)) if pooling == "max" else windows.mean((2, 4))
            continue
        name = f"conv{token[0]}_{token[1]}"
        weight = tensors[f"{name}.weight"].double().numpy()
        bias = tensors[f"{name}.bias"].double().numpy()
        x = np.stack(
            [
                sum(
                    correlate2d(plane, kernel, mode="same", boundary="fill", fillvalue=0)
                    for plane, kernel in zip(x, kernels, strict=True)
                )
                + offset
                for kernels, offset in zip(weight, bias, strict=True)
            ]
        )
        x = maps[name] = np.maximum(x, 0)
    return maps


@pytest.mark.parametrize("pooling", ["max", "avg"])
@pytest.mark.parametrize("convention", [KERAS_CONVENTION, TORCHVISION_CONVENTION])
def test_every_map_is_that_of_the_plain_implementation(
    convention, pooling, waves, tiny_network, tiny_tensors
):
    picture = waves(37, 50)  # odd at every depth
    network = tiny_network(WIDTHS, pooling=pooling, convention=convention).double()
    expected = reference(
        picture[0].numpy(), tiny_tensors(WIDTHS, last="conv5_1"), convention, pooling
    )
    found = network.features(picture, network.layers)
    assert list(found) == list(expected)
    for name, values in expected.items():
        assert np.abs(values).max() > 0, name  # a dead layer would prove nothing
        np.testing.assert_allclose(found[name][0].numpy(), values, rtol=1e-9, atol=1e-9)


def test_maps_shrink_by_half_rounded_down(waves, tiny_network):
    found = tiny_network().features(waves(37, 50).float(), ["conv2_1", "conv3_1", "conv5_1"])
    assert {name: tuple(f.shape) for name, f in found.items()} == {
        "conv2_1": (1, 4, 18, 25),
        "conv3_1": (1, 5, 9, 12),
        "conv5_1": (1, 6, 2, 3),
    }


def test_the_border_is_padded_after_the_mean_is_taken_off(tiny_network):
    """A picture of the mean colour is zero everywhere, border included: only the biases remain."""
    network = tiny_network(convention=KERAS_CONVENTION).double()
    blue, green, red = KERAS_CONVENTION.mean
    color = torch.tensor([red, green, blue], dtype=torch.float64) / 255
    picture = color.view(1, 3, 1, 1).expand(1, 3, 6, 7)
    bias = network.conv1_1_bias.relu()
    found = network.features(picture, ["conv1_1"])["conv1_1"]
    torch.testing.assert_close(found, bias.view(1, -1, 1, 1).expand_as(found))


def test_channels_are_blue_green_red_where_the_weights_want_it():
    """Filters that pick their input channel show what comes in."""
    weight = torch.zeros(3, 3, 3, 3)
    weight[range(3), range(3), 1, 1] = 1
    tensors = {"conv1_1.weight": weight, "conv1_1.bias": torch.zeros(3)}
    table = layer_table((3, 1, 1, 1, 1), last="conv1_1")
    network = ConvNetwork(table, tensors, convention=KERAS_CONVENTION).double()
    picture = torch.tensor([0.6, 0.8, 1.0], dtype=torch.float64).view(1, 3, 1, 1)
    found = network.features(picture, ["conv1_1"])["conv1_1"].flatten().tolist()
    assert found == pytest.approx([255 - 103.939, 204 - 116.779, 153 - 123.68])


@pytest.mark.parametrize(
    ("layers", "convolutions"),
    [(["conv1_1"], 1), (["conv3_1", "conv1_2"], 5), (["conv5_1"], 13), ([], 0)],
)
def test_computes_no_deeper_than_asked(layers, convolutions, waves, tiny_network, monkeypatch):
    calls: list[int] = []
    original = Convolution.__call__

    def counting(*args, **kwargs):
        calls.append(1)
        return original(*args, **kwargs)

    monkeypatch.setattr(Convolution, "__call__", counting)
    found = tiny_network().features(waves(16, 16).float(), layers)
    assert set(found) == set(layers)
    assert len(calls) == convolutions


def test_a_map_does_not_depend_on_what_else_is_asked_for(waves, tiny_network):
    """No ReLU or pooling in place overwrites a captured map."""
    network, picture = tiny_network(), waves(20, 24).float()
    together = network.features(picture, network.layers)
    for name in network.layers:
        assert torch.equal(network.features(picture, [name])[name], together[name])
        assert together[name].min() >= 0


def test_relu_names_the_same_map(waves, tiny_network):
    network, picture = tiny_network(), waves(20, 24).float()
    found = network.features(picture, ["relu1_1", "conv1_1", "relu2_1"])
    assert set(found) == {"conv1_1", "conv2_1"}


def test_an_unknown_layer_is_named(waves, tiny_network):
    with pytest.raises(RecipeError, match="conv5_2"):
        tiny_network().features(waves(16, 16).float(), ["conv1_1", "conv5_2"])


def test_gradients_reach_the_picture_and_no_weight(waves, tiny_network):
    network, picture = tiny_network(), waves(20, 24).float().requires_grad_()
    network.features(picture, ["conv2_1"])["conv2_1"].sum().backward()
    assert picture.grad is not None
    assert picture.grad.abs().sum() > 0
    assert not any(p.requires_grad for p in network.parameters())


def test_channels_last_gives_the_same_maps(waves, tiny_network):
    network, picture = tiny_network().double(), waves(20, 24)
    expected = network.features(picture, ["conv4_2"])["conv4_2"]
    network = network.to(memory_format=torch.channels_last)
    found = network.features(picture, ["conv4_2"])["conv4_2"]
    assert found.is_contiguous(memory_format=torch.channels_last)
    torch.testing.assert_close(found, expected, rtol=1e-10, atol=1e-12)


def test_bfloat16_weights_normalise_the_picture_before_it_is_rounded(waves, tiny_network):
    """With a range of 255, rounding first would cost a quarter of a level at mid-grey."""
    picture = waves(16, 16).float()
    network = tiny_network((16, 4, 4, 4, 4), last="conv1_1", convention=KERAS_CONVENTION)
    expected = network.features(picture, ["conv1_1"])["conv1_1"]
    found = network.bfloat16().features(picture, ["conv1_1"])["conv1_1"]
    assert found.dtype == torch.bfloat16
    assert (found.float() - expected).norm() < 0.004 * expected.norm()


def test_it_is_what_the_engine_calls_a_network(tiny_network):
    assert isinstance(tiny_network(), Network)
    assert tiny_network(last="conv2_1").layers == ("conv1_1", "conv1_2", "conv2_1")


def test_missing_and_misshapen_tensors_are_named(tiny_tensors):
    table = layer_table(WIDTHS, last="conv2_1")
    good = tiny_tensors(WIDTHS, last="conv2_1", heads={"conv1_1": 9})
    ConvNetwork(table, good, convention=KERAS_CONVENTION)
    missing = {name: t for name, t in good.items() if name != "conv1_2.bias"}
    with pytest.raises(WeightsError, match=r"no tensor 'conv1_2\.bias'"):
        ConvNetwork(table, missing, convention=KERAS_CONVENTION)
    for name, shape in [
        ("conv2_1.weight", (4, 4, 3, 1)),
        ("conv2_1.bias", (5,)),
        ("conv1_1_head.weight", (9, 3, 1, 1)),
        ("conv1_1_head.bias", (8,)),
    ]:
        with pytest.raises(WeightsError, match=name.replace(".", r"\.")):
            ConvNetwork(table, {**good, name: torch.zeros(shape)}, convention=KERAS_CONVENTION)


def test_weights_that_change_are_used_at_once(waves, tiny_network):
    network = tiny_network()
    picture = waves(16, 16)
    before = network.features(picture, ["conv1_1"])["conv1_1"]
    with torch.no_grad():
        network.conv1_1_bias.add_(100)
    after = network.features(picture, ["conv1_1"])["conv1_1"]
    assert (after > before + 50).all()
    network.float()
    assert network.features(picture.float(), ["conv1_1"])["conv1_1"].dtype == torch.float32

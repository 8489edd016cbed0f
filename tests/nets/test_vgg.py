"""VGG-19 as far as its tensors reach, and its classifier."""

from __future__ import annotations

import pytest
import torch

from impasto.errors import PictureError, WeightsError
from impasto.nets import vgg
from impasto.nets.topology import VGG19_WIDTHS


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch, tiny_tensors) -> dict[str, torch.Tensor]:
    """VGG-19 and its classifier, a few channels wide."""
    widths = (2, 2, 2, 3, 3)
    dense = {"fc1": (6, 3 * 7 * 7), "fc2": (5, 6), "predictions": (4, 5)}
    monkeypatch.setattr(vgg, "VGG19_WIDTHS", widths)
    monkeypatch.setattr(vgg, "DENSE", dense)
    tensors = tiny_tensors(widths, last="pool5")
    generator = torch.Generator().manual_seed(7)
    for name, (outputs, inputs) in dense.items():
        tensors[f"{name}.weight"] = torch.randn(outputs, inputs, generator=generator) / 10
        tensors[f"{name}.bias"] = torch.randn(outputs, generator=generator) / 10
    return tensors


def test_the_network_is_as_deep_as_its_tensors(tiny_tensors):
    network = vgg.vgg19(tiny_tensors(VGG19_WIDTHS, last="conv2_1"))
    assert network.layers == ("conv1_1", "conv1_2", "conv2_1")
    assert network.pooling == "avg"  # as the report, after Gatys et al.
    assert network.convention == vgg.KERAS_CONVENTION


def test_tensors_of_something_else_are_refused(tiny_tensors):
    with pytest.raises(WeightsError, match="no VGG-19"):
        vgg.vgg19({"fc1.weight": torch.zeros(2, 2)})
    with pytest.raises(WeightsError, match=r"conv1_1\.weight.*\(64, 3, 3, 3\)"):
        vgg.vgg19(tiny_tensors((16, 32, 64, 128, 128), last="conv1_2"))
    gap = tiny_tensors(VGG19_WIDTHS, last="conv2_1")
    del gap["conv1_2.weight"]
    with pytest.raises(WeightsError, match=r"conv1_2\.weight"):
        vgg.vgg19(gap)


def test_the_classifier_is_max_pooling_then_three_dense_layers(small, waves):
    """Written out again, with the map flattened channel by channel, each row by row."""
    picture = torch.cat([waves(224, 224), waves(224, 224, phase=2.0)]).float()
    classifier = vgg.Classifier(small)
    network = vgg.vgg19(small, pooling="max")
    maps = network.features(picture, ["conv5_4"])["conv5_4"]
    pooled = maps.unfold(2, 2, 2).unfold(3, 2, 2).amax((-2, -1))
    assert pooled.shape == (2, 3, 7, 7)
    flat = torch.tensor(
        [
            [pooled[b, c, y, x].item() for c in range(3) for y in range(7) for x in range(7)]
            for b in range(2)
        ]
    )
    fc1 = (flat @ small["fc1.weight"].T + small["fc1.bias"]).clamp_min(0)
    fc2 = (fc1 @ small["fc2.weight"].T + small["fc2.bias"]).clamp_min(0)
    logits = fc2 @ small["predictions.weight"].T + small["predictions.bias"]
    expected = logits.exp() / logits.exp().sum(1, keepdim=True)
    assert (fc1 > 0).any()
    assert (expected[0] - expected[1]).abs().max() > 1e-4  # the picture matters
    torch.testing.assert_close(classifier(picture), expected, rtol=1e-4, atol=1e-6)


def test_the_classifier_takes_its_one_size(small, waves):
    with pytest.raises(PictureError, match="224 x 224"):
        vgg.Classifier(small)(waves(224, 225).float())


@pytest.mark.parametrize("name", ["fc1", "predictions"])
def test_a_classifier_without_its_dense_layers_is_refused(small, name):
    del small[f"{name}.weight"]
    with pytest.raises(WeightsError, match=name):
        vgg.Classifier(small)


def test_a_classifier_without_a_bias_is_refused_in_words(small):
    del small["fc2.bias"]
    with pytest.raises(WeightsError, match="fc2"):
        vgg.Classifier(small)

"""Normalisation as in Gatys et al.: every map F_i becomes F_i / m_i, and nothing else changes."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from safetensors.torch import load_file
from torch import Tensor

from impasto.files.pictures.images import read_picture
from impasto.nets.network import ConvNetwork
from impasto.nets.normalise import floored, mean_activations, means_hash, normalised
from impasto.nets.topology import VGG19_WIDTHS
from impasto.nets.vgg import KERAS_CONVENTION, vgg19
from impasto.ops.natural import natural_picture

POOLINGS = ["avg", "max"]


def _exact(tensors: dict[str, Tensor], pooling: str) -> ConvNetwork:
    """A network in float64, whose weights have not passed through float32."""
    network = vgg19(tensors, pooling=pooling).double()
    for name in network.layers:
        for kind in ("weight", "bias"):
            network.get_parameter(f"{name}_{kind}").data = tensors[f"{name}.{kind}"].double()
    return network


@pytest.fixture(scope="module")
def true_blocks(shared: Path) -> dict[str, Tensor]:
    path = shared / "weights" / "vgg19_blocks1-3.safetensors"
    if not path.is_file():
        pytest.skip("the true VGG-19's first blocks are not on this machine")
    return load_file(path)


def _proved(tensors: dict[str, Tensor], pooling: str) -> None:
    pictures = [natural_picture(40, 48, seed=seed).double() for seed in range(3)]
    raw = _exact(tensors, pooling)
    means = mean_activations(raw, pictures)
    scaled = _exact(normalised(tensors, means), pooling)
    other = natural_picture(37, 51, seed=9).double()
    before, after = raw.features(other, raw.layers), scaled.features(other, raw.layers)
    for name, mean in means.items():
        factor = torch.where(mean > 0, mean, 1.0)[None, :, None, None]
        wanted = before[name] / factor
        # Error of a map against its own size: the sums behind it are of that size.
        error = (after[name] - wanted).abs().amax((2, 3)) / wanted.abs().amax().clamp_min(1)
        assert error.max() < 1e-12, name
    for name, mean in mean_activations(scaled, pictures).items():
        assert torch.allclose(mean[means[name] > 0], torch.ones(()).double(), atol=1e-12), name


@pytest.mark.parametrize("pooling", POOLINGS)
def test_maps_of_the_true_network_become_f_over_m(pooling, true_blocks):
    _proved(true_blocks, pooling)


@pytest.mark.parametrize("pooling", POOLINGS)
def test_maps_of_any_network_become_f_over_m(pooling, tiny_tensors):
    _proved(tiny_tensors(VGG19_WIDTHS, last="conv3_1"), pooling)


@pytest.mark.parametrize("pooling", POOLINGS)
def test_dead_filters_keep_one(pooling, tiny_tensors):
    tensors = dict(tiny_tensors(VGG19_WIDTHS, last="conv2_1"))
    tensors["conv1_2.bias"] = tensors["conv1_2.bias"].clone()
    tensors["conv1_2.bias"][5] = -1e6  # never fires
    network = vgg19(tensors, convention=KERAS_CONVENTION, pooling=pooling)
    means = mean_activations(network, [natural_picture(32, 32, seed=0)])
    assert means["conv1_2"][5] == 0
    scaled = normalised(tensors, means)
    assert scaled["conv1_2.bias"][5] == -1e6
    before = means["conv1_1"].where(means["conv1_1"] > 0, torch.ones(()).double())
    assert torch.allclose(
        scaled["conv1_2.weight"][5],
        tensors["conv1_2.weight"][5].double() * before[:, None, None],
    )
    _proved(tensors, pooling)


def test_the_mean_is_over_pictures_and_positions(tiny_tensors):
    tensors = tiny_tensors(VGG19_WIDTHS, last="conv1_1")
    network = vgg19(tensors)
    pictures = [natural_picture(32, 32, seed=0), natural_picture(48, 40, seed=1)]
    maps = [network.features(picture, ["conv1_1"])["conv1_1"][0].double() for picture in pictures]
    wanted = torch.cat([each.flatten(1) for each in maps], 1).mean(1)
    assert torch.allclose(mean_activations(network, pictures)["conv1_1"], wanted, rtol=1e-12)
    with pytest.raises(ValueError, match="at least one picture"):
        mean_activations(network, [])


def test_a_floor_keeps_zero_and_lifts_the_rest():
    mean = torch.tensor([0.0, 0.001, 1.0, 2.0, 3.0], dtype=torch.float64)
    assert floored({"conv1_1": mean}, 0.1)["conv1_1"].tolist() == [0.0, 0.1, 1.0, 2.0, 3.0]


def test_the_hash_is_of_every_number_in_order():
    one, two = torch.tensor([1.0, 2.0]).double(), torch.tensor([3.0]).double()
    found = means_hash({"conv1_1": one, "conv1_2": two})
    assert found == means_hash({"conv1_2": two, "conv1_1": one})
    assert found != means_hash({"conv1_1": one, "conv1_2": two + 1e-15 * 8})
    assert len(found) == 64


@pytest.mark.slow
def test_made_pictures_move_the_true_filters_as_photographs_do(true_blocks, shared):
    """Mean activations over made pictures are those over photographs within a factor of two."""
    images = shared / "images"
    paths = [*images.glob("photoreal/in??_content.png"), *images.glob("photoreal/in??_style.png")]
    paths += [path for path in images.glob("photos/*.jpg") if "mask" not in path.name]
    photos = [_photo(path) for path in sorted(paths)]
    if len(photos) < 8:
        pytest.skip("there are not enough photographs to compare with")
    network = vgg19(true_blocks)
    made = mean_activations(network, (natural_picture(192, 192, seed=seed) for seed in range(6)))
    real = mean_activations(network, photos)
    for name, mean in floored(made, 0.1).items():
        ratio = (mean / real[name]).log()
        assert ratio.std().exp() < 2, name
        assert abs(ratio.median()) < 0.7, name


def _photo(path: Path) -> Tensor:
    picture = read_picture(path).tensor
    scale = 192 / max(picture.shape[-2:])
    size = [round(side * scale) for side in picture.shape[-2:]]
    return F.interpolate(picture, size, mode="bilinear", antialias=True).clamp(0, 1)

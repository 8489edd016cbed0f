"""Which VGG-19 a file holds: names, layouts, and the pictures that it wants."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from impasto.errors import WeightsError
from impasto.files.weights.readers import RawWeights, convention_to_json
from impasto.files.weights.recognise import recognise
from impasto.nets.network import InputConvention
from impasto.nets.topology import conv_names
from impasto.nets.vgg import DENSE, KERAS_CONVENTION, TORCHVISION_CONVENTION

PLACES = (0, 2, 5, 7, 10, 12, 14, 16, 19, 21, 23, 25, 28, 30, 32, 34)
TURNED_KERAS = InputConvention("RGB", 255.0, (123.68, 116.779, 103.939))


def as_torch(tensors, *, prefix: str = "features.", dense=(), places=(0, 3, 6)) -> RawWeights:
    named = {}
    for name, place in zip(conv_names(), PLACES, strict=True):
        for kind in ("weight", "bias"):
            named[f"{prefix}{place}.{kind}"] = tensors[f"{name}.{kind}"]
    for name, place in zip(DENSE, places, strict=True):
        for kind in ("weight", "bias"):
            if dense:
                named[f"classifier.{place}.{kind}"] = dense[f"{name}.{kind}"]
    return RawWeights("pth", named)


def as_keras(tensors, *, root: str = "", modern: bool = False, dense=()) -> RawWeights:
    named = {}
    for name in conv_names():
        group = f"block{name[4]}_conv{name[6]}"
        weight, bias = ("kernel:0", "bias:0") if modern else (f"{group}_W_1:0", f"{group}_b_1:0")
        inner = f"{group}/{group}" if modern else group
        named[f"{root}{inner}/{weight}"] = tensors[f"{name}.weight"].permute(2, 3, 1, 0)
        named[f"{root}{inner}/{bias}"] = tensors[f"{name}.bias"]
    for name in DENSE if dense else ():
        named[f"{root}{name}/{name}_W_1:0"] = dense[f"{name}.weight"].T
        named[f"{root}{name}/{name}_b_1:0"] = dense[f"{name}.bias"]
    return RawWeights("h5", named)


def _same(found, wanted) -> None:
    assert set(found) == set(wanted)
    for name, tensor in wanted.items():
        assert found[name].is_contiguous()
        assert torch.equal(found[name], tensor), name


@pytest.mark.parametrize("prefix", ["features.", "module.features.", ""])
def test_torchvision_by_its_first_filter(prefix, full_vgg):
    tensors = full_vgg("vgg19-torchvision")
    found = recognise(as_torch(tensors, prefix=prefix))
    assert (found.release, found.convention) == ("vgg19-torchvision", TORCHVISION_CONVENTION)
    assert "first filter" in found.reason
    assert not found.classifies
    _same(found.tensors, tensors)


@pytest.mark.slow
def test_caffe_under_torchvision_s_names_by_its_first_filter(full_vgg, dense):
    tensors = full_vgg("vgg19")
    found = recognise(as_torch(tensors, dense=dense))
    assert (found.release, found.convention) == ("vgg19", KERAS_CONVENTION)
    assert found.classifies


@pytest.mark.parametrize("root", ["", "model_weights/"])
@pytest.mark.parametrize("modern", [False, True])
def test_keras_names_and_layout(root, modern, full_vgg):
    tensors = full_vgg("vgg19")
    found = recognise(as_keras(tensors, root=root, modern=modern))
    assert (found.release, found.convention) == ("vgg19", KERAS_CONVENTION)
    _same(found.tensors, tensors)


def test_the_true_filters_are_known_in_either_order_raw_and_normalised(shared: Path, full_vgg):
    path = shared / "weights" / "vgg19_blocks1-3.safetensors"
    true = load_file(path)["conv1_1.weight"]
    tensors = full_vgg("vgg19", shared=shared)
    assert torch.equal(tensors["conv1_1.weight"], true)
    assert recognise(as_torch(tensors)).convention == KERAS_CONVENTION
    scaled = dict(tensors)
    scaled["conv1_1.weight"] = true / torch.linspace(0.5, 90, 64)[:, None, None, None]
    assert recognise(as_torch(scaled)).release == "vgg19"
    turned = dict(tensors)
    turned["conv1_1.weight"] = true.flip(1)
    found = recognise(as_torch(turned))
    assert (found.release, found.convention) == ("vgg19", TURNED_KERAS)
    assert "RGB order" in found.reason


def test_no_other_filter_of_the_true_network_is_taken_for_the_first(shared: Path):
    from impasto.files.weights.recognise import _release

    true = load_file(shared / "weights" / "vgg19_blocks1-3.safetensors")["conv1_1.weight"]
    assert [_release(each)[0] for each in true[1:]] == [""] * 63
    assert _release(true[0]) == ("vgg19", False)


def test_turned_colours_see_the_same_as_before(shared: Path, waves, full_vgg):
    from impasto.nets.vgg import vgg19

    tensors = full_vgg("vgg19", shared=shared)
    turned = {**tensors, "conv1_1.weight": tensors["conv1_1.weight"].flip(1)}
    maps = []
    for each in (tensors, turned):
        found = recognise(as_torch(each))
        network = vgg19(found.tensors, convention=found.convention)
        maps.append(network.features(waves(16, 16).float(), ["conv1_2"])["conv1_2"])
    assert torch.allclose(*maps, rtol=1e-4, atol=1e-3)


def test_a_keras_classifier_in_our_order(full_vgg):
    """Flattened H, W, C there and C, H, W here: the same numbers must meet."""
    dense = {"fc1.weight": torch.arange(25088.0).expand(4096, 25088)}
    dense |= {"fc2.weight": torch.zeros(1, 1).expand(4096, 4096)}
    dense |= {"predictions.weight": torch.zeros(1, 1).expand(1000, 4096)}
    dense |= {f"{name}.bias": torch.zeros(shape[0]) for name, shape in DENSE.items()}
    found = recognise(as_keras(full_vgg(), dense=dense))
    assert found.classifies
    row = found.tensors["fc1.weight"][7].view(512, 7, 7)
    channel, y, x = 300, 2, 5
    assert row[channel, y, x] == (y * 7 + x) * 512 + channel


def test_the_caffe_conversion_s_odd_names(full_vgg, dense):
    found = recognise(as_torch(full_vgg(""), dense=dense, places=(1, 4, 6)))
    assert (found.release, found.convention) == ("", KERAS_CONVENTION)
    assert found.reason == "by its layout"
    assert found.classifies


def test_an_unknown_one_is_not_guessed_at(full_vgg):
    raw = as_torch(full_vgg(""))
    with pytest.raises(WeightsError, match=r"add --convention vgg19 \(BGR.*vgg19-torchvision"):
        recognise(raw)
    found = recognise(raw, convention="vgg19-torchvision")
    assert found.convention == TORCHVISION_CONVENTION
    assert found.reason == "as the user said"
    with pytest.raises(WeightsError, match="no convention 'caffe'"):
        recognise(raw, convention="caffe")


def test_our_own_files_state_it(full_vgg):
    stated = InputConvention("RGB", 2.0, (0.1, 0.2, 0.3), (1.0, 2.0, 3.0))
    tensors = {**full_vgg(""), "conv1_1.mean_avg": torch.ones(64)}
    raw = RawWeights("safetensors", tensors, {"input": convention_to_json(stated)})
    found = recognise(raw)
    assert found.convention == stated
    assert json.loads(convention_to_json(stated))["range"] == 2.0
    assert "conv1_1.mean_avg" not in found.tensors


def test_other_networks_are_named_as_such(full_vgg):
    tensors = full_vgg()
    raw = as_torch(tensors)
    vgg16 = {name: tensor for name, tensor in raw.tensors.items() if int(name.split(".")[1]) < 30}
    with pytest.raises(WeightsError, match="no weights for conv5_2: give a complete VGG-19"):
        recognise(RawWeights("pth", vgg16))
    with pytest.raises(WeightsError, match="no weights for conv1_1"):
        recognise(RawWeights("pth", {"layer1.0.conv1.weight": torch.zeros(3)}))
    wide = {**raw.tensors, "features.0.weight": torch.zeros(32, 3, 3, 3)}
    with pytest.raises(WeightsError, match=r"'conv1_1\.weight' has shape.*another network"):
        recognise(RawWeights("pth", wide))
    broken = {**raw.tensors, "features.34.bias": torch.full((512,), torch.nan)}
    with pytest.raises(WeightsError, match=r"'conv5_4\.bias' holds numbers that are not finite"):
        recognise(RawWeights("pth", broken))

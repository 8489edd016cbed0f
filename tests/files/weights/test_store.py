"""Weights from files: hash before parsing, shapes before computing, nothing that could run."""

from __future__ import annotations

import hashlib
import io
import json
import pickle
from functools import partial
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from impasto.errors import WeightsError
from impasto.files.weights import store as weights
from impasto.files.weights.store import COMPACT_FILE, load_network
from impasto.nets.network import InputConvention
from impasto.nets.topology import COMPACT_WIDTHS, VGG19_WIDTHS
from impasto.nets.vgg import KERAS_CONVENTION
from impasto.recipe.still import Recipe


@pytest.fixture
def vgg_file(tmp_path: Path, tiny_tensors) -> Path:
    path = tmp_path / "vgg.safetensors"
    save_file(tiny_tensors(VGG19_WIDTHS, last="conv2_1"), path)
    return path


def _vgg(path: Path, **options) -> Recipe:
    return Recipe(network="vgg19", weights=str(path), **options)


def _refused(recipe: Recipe, words: str) -> None:
    with pytest.raises(WeightsError, match=words) as caught:
        load_network(recipe)
    assert str(caught.value).endswith(".")
    assert "\n" not in str(caught.value)


def test_the_bundled_network_is_what_its_hash_says():
    loaded = load_network(Recipe())
    assert loaded.name == "compact"
    assert loaded.file == COMPACT_FILE.name
    assert loaded.sha256 == hashlib.sha256(COMPACT_FILE.read_bytes()).hexdigest()
    assert loaded.network.pooling == "max"
    assert load_network(Recipe(pooling="avg")).network.pooling == "avg"


def test_damaged_bundled_weights_are_not_even_parsed(tmp_path, monkeypatch):
    data = bytearray(COMPACT_FILE.read_bytes())
    data[-1] ^= 1  # one bit of the last weight: still a valid file
    copy = tmp_path / "compact.safetensors"
    copy.write_bytes(data)
    monkeypatch.setattr(weights, "COMPACT_FILE", copy)
    monkeypatch.setattr(weights, "safe_open", lambda *_, **__: pytest.fail("parsed"))
    _refused(Recipe(), "bundled weights are damaged: install impasto again")


def test_vgg19_from_a_file(vgg_file, tiny_tensors, waves):
    loaded = load_network(_vgg(vgg_file))
    assert (loaded.name, loaded.file) == ("vgg19", "vgg.safetensors")
    assert loaded.network.layers[-1] == "conv2_1"
    assert loaded.network.convention == KERAS_CONVENTION
    weight = tiny_tensors(VGG19_WIDTHS, last="conv2_1")["conv2_1.weight"]
    assert torch.equal(loaded.network.conv2_1_weight, weight)
    assert loaded.network.features(waves(16, 16).float(), ["conv2_1"])["conv2_1"].shape[1] == 128


def test_the_file_says_how_it_wants_its_pictures(tmp_path, tiny_tensors):
    stated = {"channels": "RGB", "range": 1.0, "mean": [0.1, 0.2, 0.3], "std": [0.4, 0.5, 0.6]}
    path = tmp_path / "other.safetensors"
    metadata = {"input": json.dumps(stated), "pooling": "max"}
    save_file(tiny_tensors(VGG19_WIDTHS, last="conv1_1"), path, metadata=metadata)
    network = load_network(_vgg(path)).network
    assert network.convention == InputConvention("RGB", 1.0, (0.1, 0.2, 0.3), (0.4, 0.5, 0.6))
    assert network.pooling == "max"
    assert load_network(_vgg(path, pooling="avg")).network.pooling == "avg"


def test_the_full_network_needs_a_file():
    _refused(Recipe(network="vgg19"), "--weights")


def test_a_missing_file_and_a_folder(tmp_path):
    _refused(_vgg(tmp_path / "nowhere.safetensors"), r"no weights file .*nowhere")
    _refused(_vgg(tmp_path), "no weights file")


def test_weights_of_the_wrong_shape(tmp_path, tiny_tensors, vgg_file):
    path = tmp_path / "small.safetensors"
    save_file(tiny_tensors(COMPACT_WIDTHS, last="conv5_1"), path)
    _refused(_vgg(path), r"conv1_1\.weight.*not the file of this network")
    _refused(Recipe(weights=str(vgg_file)), r"conv1_1\.weight.*\(16, 3, 3, 3\)")
    save_file({"something": torch.zeros(3)}, path)
    _refused(_vgg(path), "no VGG-19")
    _refused(Recipe(weights=str(path)), "not the file of this network")


@pytest.mark.parametrize("damage", ["empty", "truncated", "noise", "huge header"])
def test_a_damaged_file(damage, vgg_file):
    data = vgg_file.read_bytes()
    vgg_file.write_bytes(
        {
            "empty": b"",
            "truncated": data[: len(data) // 2],
            "noise": bytes(range(256)) * 9,
            "huge header": (2**62).to_bytes(8, "little") + data[8:],
        }[damage]
    )
    _refused(_vgg(vgg_file), r"'vgg\.safetensors' is not a safetensors file, or it is damaged")


class _Trap:
    def __init__(self, path: Path):
        self.path = path

    def __reduce__(self):
        return (Path.touch, (self.path,))


@pytest.mark.parametrize("writer", ["pickle", "torch"])
def test_a_pickle_by_the_name_of_safetensors_is_not_run(writer, tmp_path):
    sprung, path = tmp_path / "sprung", tmp_path / "vgg.safetensors"
    if writer == "pickle":
        path.write_bytes(pickle.dumps(_Trap(sprung)))
    else:
        torch.save({"conv1_1.weight": _Trap(sprung)}, path)
    _refused(_vgg(path), "not a safetensors file")
    assert not sprung.exists()
    load = pickle.load if writer == "pickle" else partial(torch.load, weights_only=False)
    load(io.BytesIO(path.read_bytes()))
    assert sprung.exists()  # the trap does work

"""Files as others write them: told by their first bytes, and never run."""

from __future__ import annotations

import builtins
import importlib.util
import pickle
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from impasto.errors import WeightsError
from impasto.files.weights import readers
from impasto.files.weights.readers import (
    check_reader,
    convention_from_json,
    convention_to_json,
    kind_of,
    read_weights,
)
from impasto.nets.vgg import KERAS_CONVENTION, TORCHVISION_CONVENTION

TENSORS = {"features.0.weight": torch.arange(6.0).view(2, 3), "features.0.bias": torch.ones(2)}


def _same(found, wanted) -> None:
    assert set(found) == set(wanted)
    for name, tensor in wanted.items():
        assert torch.equal(found[name], tensor)


@pytest.mark.parametrize("zipped", [True, False], ids=["zip", "legacy"])
def test_pth(zipped, tmp_path):
    path = tmp_path / "weights.bin"
    torch.save(TENSORS, path, _use_new_zipfile_serialization=zipped)
    raw = read_weights(path)
    assert raw.kind == "pth"
    _same(raw.tensors, TENSORS)
    torch.save({"state_dict": TENSORS, "epoch": 3}, path, _use_new_zipfile_serialization=zipped)
    _same(read_weights(path).tensors, TENSORS)
    torch.save([1, 2], path)
    with pytest.raises(WeightsError, match="no named weights"):
        read_weights(path)


def test_safetensors(tmp_path):
    path = tmp_path / "weights.pth"  # a name says nothing
    save_file(TENSORS, path, metadata={"a": "b"})
    raw = read_weights(path)
    assert (raw.kind, raw.metadata) == ("safetensors", {"a": "b"})
    _same(raw.tensors, TENSORS)


@pytest.mark.parametrize(
    ("libver", "packed"), [("earliest", None), ("earliest", "gzip"), ("latest", None)]
)
def test_h5(libver, packed, tmp_path):
    h5py = pytest.importorskip("h5py")
    pytest.importorskip("pyfive")
    kernel = np.random.default_rng(0).normal(size=(3, 3, 3, 64)).astype(np.float32)
    with h5py.File(tmp_path / "weights.h5", "w", libver=libver) as file:
        file.attrs["layer_names"] = np.array([b"input_1", b"block1_conv1"])
        file.create_group("input_1")
        group = file.create_group("block1_conv1")
        group.attrs["weight_names"] = np.array([b"block1_conv1_W_1:0"])
        group.create_dataset("block1_conv1_W_1:0", data=kernel, compression=packed)
        file["step"] = 3
    raw = read_weights(tmp_path / "weights.h5")
    assert raw.kind == "h5"
    _same(raw.tensors, {"block1_conv1/block1_conv1_W_1:0": torch.from_numpy(kernel)})


def test_h5_without_pyfive_is_one_sentence_before_any_download(tmp_path, monkeypatch):
    real = importlib.util.find_spec
    monkeypatch.setattr(readers, "find_spec", lambda name: None if name == "pyfive" else real(name))
    path = tmp_path / "weights.h5"
    path.write_bytes(b"\x89HDF\r\n\x1a\n" + bytes(100))
    for refused in (lambda: read_weights(path), lambda: check_reader("h5")):
        with pytest.raises(WeightsError, match=r"pip install 'impasto\[h5\]' first\.$"):
            refused()
    check_reader("pth")


class _Trap:
    def __init__(self, path: Path):
        self.path = path

    def __reduce__(self):
        return (builtins.open, (str(self.path), "w"))


@pytest.mark.parametrize("zipped", [True, False], ids=["zip", "legacy"])
def test_a_pickle_with_code_is_not_run(zipped, tmp_path):
    sprung, path = tmp_path / "sprung", tmp_path / "weights.pth"
    torch.save({"features.0.weight": _Trap(sprung)}, path, _use_new_zipfile_serialization=zipped)
    with pytest.raises(WeightsError, match="damaged, or more than weights"):
        read_weights(path)
    path.write_bytes(pickle.dumps(_Trap(sprung), protocol=2))
    with pytest.raises(WeightsError, match="damaged, or more than weights"):
        read_weights(path)
    assert not sprung.exists()


@pytest.mark.parametrize("kind", ["h5", "pth", "safetensors"])
@pytest.mark.parametrize("damage", ["half", "tail", "noise"])
def test_damage_is_one_sentence(kind, damage, tmp_path):
    path = tmp_path / f"weights.{kind}"
    if kind == "h5":
        h5py = pytest.importorskip("h5py")
        pytest.importorskip("pyfive")
        with h5py.File(path, "w") as file:
            file["block1_conv1/kernel"] = np.ones((3, 3, 3, 64), np.float32)
    elif kind == "pth":
        torch.save(TENSORS, path)
    else:
        save_file(TENSORS, path)
    data = path.read_bytes()
    path.write_bytes({
        "half": data[: len(data) // 2],
        "tail": data[:-5],
        "noise": data[:16] + bytes(range(255, -1, -1)) * 20,
    }[damage])  # fmt: skip
    try:
        read_weights(path)
    except WeightsError as error:
        assert str(error).endswith(".")
        assert "\n" not in str(error)
    else:
        assert (kind, damage) == ("h5", "tail")  # the end of an HDF5 file may hold nothing


def test_no_weights_at_all(tmp_path):
    with pytest.raises(WeightsError, match="no weights file"):
        kind_of(tmp_path / "nowhere.pth")
    with pytest.raises(WeightsError, match="no weights file"):
        kind_of(tmp_path)
    for content in (b"", b"hello", b"<html>" * 100):
        (tmp_path / "page.pth").write_bytes(content)
        with pytest.raises(WeightsError, match=r"use a Keras \.h5, a torch \.pth"):
            kind_of(tmp_path / "page.pth")


def test_too_large(tmp_path, monkeypatch):
    monkeypatch.setattr(readers, "MAX_BYTES", 100)
    (tmp_path / "huge.pth").write_bytes(b"PK\x03\x04" + bytes(200))
    with pytest.raises(WeightsError, match="too large"):
        kind_of(tmp_path / "huge.pth")


@pytest.mark.parametrize("convention", [KERAS_CONVENTION, TORCHVISION_CONVENTION])
def test_conventions_survive_json(convention):
    assert convention_from_json(convention_to_json(convention)) == convention


@pytest.mark.parametrize("text", [
    "", "{}", "[]", "BGR, 0..255",
    '{"channels": "GRB", "range": 1, "mean": [0,0,0], "std": [1,1,1]}',
    '{"channels": "RGB", "range": 1, "mean": [0,0], "std": [1,1,1]}',
])  # fmt: skip
def test_what_is_no_convention(text):
    assert convention_from_json(text) is None

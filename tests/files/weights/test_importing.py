"""From a file or a server to a network that --network finds, normalised and recorded."""

from __future__ import annotations

import hashlib
import random
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors import safe_open
from safetensors.torch import save_file

import impasto
from impasto.errors import PictureError, WeightsError
from impasto.files.weights import importing
from impasto.files.weights.cache import model_path
from impasto.files.weights.download import Patience
from impasto.files.weights.importing import download_model, import_weights
from impasto.files.weights.registry import MODELS, find_model
from impasto.files.weights.store import load_classifier, load_network
from impasto.nets.normalise import mean_activations, means_hash
from impasto.nets.topology import conv_names
from impasto.nets.vgg import KERAS_CONVENTION, TORCHVISION_CONVENTION, vgg19
from impasto.recipe.still import Recipe

PLACES = (0, 2, 5, 7, 10, 12, 14, 16, 19, 21, 23, 25, 28, 30, 32, 34)


@pytest.fixture(scope="module", autouse=True)
def small_pictures():
    """Two of 32 x 32 in place of twelve of 256 x 256: 20 seconds become one."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setattr(importing, "MADE", 2)
        monkeypatch.setattr(importing, "MADE_SIZE", 32)
        yield


@pytest.fixture(scope="module")
def release(tmp_path_factory, full_vgg) -> Path:
    """A file as torch writes it, for all who only read it."""
    return write_pth(full_vgg(), tmp_path_factory.mktemp("release") / "v.pth")


@pytest.fixture(scope="module")
def imported(tmp_path_factory, release) -> Path:
    """The file that an import makes of it, for tests of what comes after."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setenv("IMPASTO_MODELS", str(tmp_path_factory.mktemp("imported")))
        return import_weights(release).path


def _stored(imported: Path) -> Path:
    """As if the import had just been made."""
    path = model_path("vgg19")
    path.parent.mkdir(exist_ok=True)
    return Path(shutil.copyfile(imported, path))


def write_pth(tensors, path: Path) -> Path:
    named = {}
    for name, place in zip(conv_names(), PLACES, strict=True):
        named[f"features.{place}.weight"] = tensors[f"{name}.weight"]
        named[f"features.{place}.bias"] = tensors[f"{name}.bias"]
    torch.save(named, path, _use_new_zipfile_serialization=False)
    return path


def write_h5(tensors, path: Path) -> Path:
    h5py = pytest.importorskip("h5py")
    pytest.importorskip("pyfive")
    with h5py.File(path, "w", libver="earliest") as file:
        layers = [f"block{name[4]}_conv{name[6]}" for name in conv_names()]
        file.attrs["layer_names"] = np.array(["input_1", *layers], dtype="S")
        for name, layer in zip(conv_names(), layers, strict=True):
            group = file.create_group(layer)
            weight = tensors[f"{name}.weight"].permute(2, 3, 1, 0).contiguous()
            group[f"{layer}_W_1:0"] = weight.numpy()
            group[f"{layer}_b_1:0"] = tensors[f"{name}.bias"].numpy()
    return path


def _metadata(path: Path) -> dict[str, str]:
    with safe_open(str(path), framework="pt") as file:
        return file.metadata()


def test_a_keras_file_becomes_the_network_vgg19(tmp_path, full_vgg):
    tensors = full_vgg()
    source = write_h5(tensors, tmp_path / "anything.h5")
    told: list[tuple[int, int, str]] = []
    stored = import_weights(source, report=lambda *words: told.append(words))
    assert stored.name == "vgg19"
    assert stored.path == model_path("vgg19")
    assert told[0] == (0, 4, "measuring mean activations")
    metadata = _metadata(stored.path)
    assert metadata["source"] == "anything.h5"
    assert metadata["source_sha256"] == hashlib.sha256(source.read_bytes()).hexdigest()
    assert metadata["means_over"] == "2 generated pictures of 32 x 32, seeds 0 to 1"
    assert str(tmp_path) not in str(metadata)
    raw = load_network(Recipe(network="vgg19", raw_weights=True))
    assert (raw.normalisation, raw.means_sha256) == ("raw", "")
    assert raw.network.convention == KERAS_CONVENTION
    assert torch.equal(raw.network.conv5_4_weight, tensors["conv5_4.weight"])
    assert raw.source_sha256 == metadata["source_sha256"]


@pytest.mark.slow
@pytest.mark.parametrize("pooling", ["avg", "max"])
def test_the_network_is_normalised_for_the_pooling_in_use(pooling, tmp_path, full_vgg, release):
    folder = tmp_path / "photos"
    folder.mkdir()
    random_ = np.random.default_rng(0)
    for index in range(2):
        levels = random_.integers(0, 256, (40, 48, 3), dtype=np.uint8)
        Image.fromarray(levels).save(folder / f"{index}.png")
    (folder / "notes.txt").write_text("no picture")
    stored = import_weights(release, pictures=folder)
    assert stored.pictures == "2 pictures of the user's"
    loaded = load_network(Recipe(network="vgg19", pooling=pooling))
    assert loaded.normalisation == "normalised"
    assert loaded.means_sha256 == _metadata(stored.path)[f"means_{pooling}_sha256"]
    pictures = [importing.read_picture(path).tensor for path in sorted(folder.glob("*.png"))]
    means = mean_activations(loaded.network, pictures)
    fresh = mean_activations(vgg19(full_vgg(), pooling=pooling), pictures)
    assert means_hash(fresh) == loaded.means_sha256
    for name, mean in means.items():
        alive = mean[fresh[name] > 0]
        assert torch.allclose(alive, torch.ones_like(alive), rtol=1e-3), name


@pytest.mark.slow
def test_the_record_says_which_network_it_was(imported, photo, painting):
    _stored(imported)
    options = {"network": "vgg19", "size": 32, "steps": (0,), "scales": 1, "precision": "fp32"}
    for raw, word in ((False, "normalised"), (True, "raw")):
        result = impasto.stylize(photo, painting, raw_weights=raw, **options)
        assert result.record["network"]["normalisation"] == word
        assert result.record["recipe"]["raw_weights"] is raw
        assert bool(result.record["network"]["means_sha256"]) is not raw
    assert load_network(Recipe()).normalisation == "normalised"  # compact, through its heads


@pytest.mark.slow
def test_torchvision_goes_by_its_own_name_and_a_name_can_be_given(tmp_path, full_vgg):
    source = write_pth(full_vgg("vgg19-torchvision"), tmp_path / "v.pth")
    assert import_weights(source).name == "vgg19-torchvision"
    network = load_network(Recipe(network="vgg19-torchvision")).network
    assert network.convention == TORCHVISION_CONVENTION
    assert import_weights(source, name="vgg19").name == "vgg19"
    assert load_network(Recipe(network="vgg19")).network.convention == TORCHVISION_CONVENTION
    with pytest.raises(WeightsError, match="no model 'mine'"):
        import_weights(source, name="mine")


def test_our_own_file_can_be_carried_to_another_machine(tmp_path, imported):
    carried = tmp_path / "carried.safetensors"
    shutil.copyfile(imported, carried)
    before = load_network(Recipe(network="vgg19", weights=str(carried)))
    assert before.normalisation == "normalised"
    stored = import_weights(carried)
    assert stored.weights.reason == "as the file states"
    assert load_network(Recipe(network="vgg19")).means_sha256 == before.means_sha256


def test_damaged_means_are_not_used(imported):
    stored = _stored(imported)
    with safe_open(str(stored), framework="pt") as file:
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        metadata = file.metadata()
    tensors["conv3_1.mean_avg"][0] += 1
    save_file(tensors, stored, metadata=metadata)
    with pytest.raises(WeightsError, match=r"mean activations.*import it again"):
        load_network(Recipe(network="vgg19"))
    assert load_network(Recipe(network="vgg19", pooling="max")).normalisation == "normalised"


def test_what_fails_leaves_what_was_there(tmp_path, release, imported, own_cache, monkeypatch):
    with pytest.raises(PictureError, match="no folder"):
        import_weights(release, pictures=tmp_path / "nowhere")
    (tmp_path / "empty").mkdir()
    with pytest.raises(PictureError, match="no pictures that can be read"):
        import_weights(release, pictures=tmp_path / "empty")
    assert not own_cache.exists()
    _stored(imported)
    before = model_path("vgg19").read_bytes()

    def full(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(importing, "save_file", full)
    with pytest.raises(WeightsError, match=r"could not be stored \(no space.*make room"):
        import_weights(release)
    assert model_path("vgg19").read_bytes() == before
    assert {path.name for path in own_cache.iterdir()} == {"vgg19.safetensors", ".vgg19.lock"}


def test_no_classifier_is_one_sentence_with_the_command(imported):
    with pytest.raises(WeightsError, match="impasto models download vgg19-torchvision"):
        load_classifier()
    stored = _stored(imported)
    with pytest.raises(WeightsError, match="impasto models download vgg19-torchvision"):
        load_classifier()
    with pytest.raises(WeightsError, match="lack the classifier"):
        load_classifier(stored)


@pytest.fixture
def registered(release, serve, monkeypatch):
    """The record of vgg19, pointing at a server of a file made here."""
    content = release.read_bytes()
    server = serve(content)
    digest = hashlib.sha256(content).hexdigest()
    model = replace(
        find_model("vgg19"),
        urls=(server.url("404"), server.url("cut")),
        algorithm="sha256",
        digest=digest,
        bytes=len(content),
        format="pth",
    )
    monkeypatch.setitem(MODELS, "vgg19", model)
    return server, model


def test_a_download_ends_as_a_network_and_leaves_nothing_else(registered, own_cache):
    server, model = registered
    told: list[tuple[int, int, str]] = []
    stored = download_model(
        "vgg19", report=lambda *words: told.append(words), patience=Patience(5, 0.001)
    )
    assert (0, model.bytes, "from 127.0.0.1") in told
    assert {path.name for path in own_cache.iterdir()} == {"vgg19.safetensors", ".vgg19.lock"}
    assert _metadata(stored.path)["source_sha256"] == model.digest
    assert load_network(Recipe(network="vgg19")).normalisation == "normalised"
    assert len(server.asked) > 2


def test_an_unverified_file_is_never_parsed(registered, monkeypatch, own_cache):
    server, model = registered
    monkeypatch.setitem(MODELS, "vgg19", replace(model, urls=(server.url("wrong"),)))
    monkeypatch.setattr(importing, "read_weights", lambda _: pytest.fail("parsed"))
    with pytest.raises(WeightsError, match="wrong hash"):
        download_model("vgg19", patience=Patience(5, 0.001))
    assert {path.name for path in own_cache.iterdir()} == {".vgg19.lock"}


@pytest.mark.slow
def test_a_full_torchvision_file_classifies_as_torch_s_own_layers_do(tmp_path, full_vgg, waves):
    """575 MB: its classifier, through import and load, against plain torch.nn modules."""
    tensors = full_vgg("vgg19-torchvision")
    generator = torch.Generator().manual_seed(3)
    modules: list[torch.nn.Module] = []
    names = iter(conv_names())
    for width, count in zip((64, 128, 256, 512, 512), (2, 2, 4, 4, 4), strict=True):
        for _ in range(count):
            name = next(names)
            layer = torch.nn.Conv2d(tensors[f"{name}.weight"].shape[1], width, 3, padding=1)
            layer.weight.data = tensors[f"{name}.weight"]
            layer.bias.data = tensors[f"{name}.bias"]
            modules += [layer, torch.nn.ReLU()]
        modules.append(torch.nn.MaxPool2d(2))
    dense = [torch.nn.Linear(25088, 4096), torch.nn.Linear(4096, 4096), torch.nn.Linear(4096, 1000)]
    for layer in dense:
        layer.weight.data.normal_(0, layer.in_features**-0.5, generator=generator)
    network = torch.nn.Module()
    network.features = torch.nn.Sequential(*modules)
    network.classifier = torch.nn.Sequential(
        dense[0], torch.nn.ReLU(), torch.nn.Dropout(), dense[1], torch.nn.ReLU(),
        torch.nn.Dropout(), dense[2],
    ).eval()  # fmt: skip
    torch.save(network.state_dict(), tmp_path / "v.pth")
    assert import_weights(tmp_path / "v.pth").weights.classifies
    picture = waves(224, 224).float()
    mean = torch.tensor([0.485, 0.456, 0.406]).view(1, 3, 1, 1)
    std = torch.tensor([0.229, 0.224, 0.225]).view(1, 3, 1, 1)
    with torch.no_grad():
        features = network.features((picture - mean) / std).flatten(1)
        wanted = network.classifier(features).softmax(1)
    found = load_classifier()(picture)
    assert torch.allclose(found, wanted, rtol=1e-3, atol=1e-6)
    assert found.sum().item() == pytest.approx(1, abs=1e-5)
    plain = load_network(Recipe(network="vgg19-torchvision"))
    assert plain.normalisation == "normalised"


CHILD = """
import sys
from dataclasses import replace
from impasto.files.weights import importing
from impasto.files.weights.download import Patience
from impasto.files.weights.registry import MODELS
url, digest, size = sys.argv[1:]
MODELS["vgg19"] = replace(MODELS["vgg19"], urls=(url,), algorithm="sha256", digest=digest,
                          bytes=int(size), format="pth")
importing.MADE, importing.MADE_SIZE = 2, 32
print("ready", flush=True)
importing.download_model("vgg19", patience=Patience(5, 0.01))
"""


@pytest.mark.slow
def test_killed_at_any_point_of_a_whole_download(registered, own_cache):
    """Bytes, check, parsing, measuring, storing: the network is whole or not there."""
    server, model = registered
    words = [sys.executable, "-c", CHILD, server.url("good"), model.digest, str(model.bytes)]
    random_ = random.Random(2)
    for _ in range(12):
        with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as child:
            assert child.stdout is not None
            assert child.stdout.readline() == "ready\n"
            time.sleep(random_.uniform(0.02, 2.5))
            child.send_signal(signal.SIGKILL)
        if model_path("vgg19").exists():
            assert load_network(Recipe(network="vgg19")).normalisation == "normalised"
            model_path("vgg19").unlink()
    subprocess.run(words, check=True, capture_output=True)
    assert load_network(Recipe(network="vgg19")).normalisation == "normalised"
    assert {path.name for path in own_cache.iterdir()} == {"vgg19.safetensors", ".vgg19.lock"}

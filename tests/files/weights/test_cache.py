"""Where networks lie, and that two processes do not work on one at a time."""

from __future__ import annotations

from pathlib import Path

import pytest

from impasto.errors import WeightsError
from impasto.files.weights.cache import (
    discard_download,
    discard_unfinished,
    download_path,
    installed,
    locked,
    model_path,
    models_folder,
    remove_model,
    staged,
)


def test_the_folder_is_the_user_s_cache_or_the_one_named(own_cache, monkeypatch):
    assert models_folder() == own_cache
    assert model_path("vgg19") == own_cache / "vgg19.safetensors"
    monkeypatch.delenv("IMPASTO_MODELS")
    assert models_folder().name == "models"
    assert "impasto" in models_folder().parts


def test_a_network_that_is_not_here_is_one_sentence_with_the_command(own_cache):
    with pytest.raises(WeightsError, match=r"impasto models download vgg19,.* import FILE"):
        installed("vgg19")
    own_cache.mkdir()
    model_path("vgg19").write_bytes(b"")
    assert installed("vgg19") == model_path("vgg19")


def _fill(folder: Path) -> None:
    (folder / ".vgg19.work").mkdir(parents=True)
    for name in (
        "vgg19.safetensors",
        "vgg19.h5.part",
        ".vgg19.work/.tmp123",
        "vgg19-torchvision.pth.part",
        "vgg19-torchvision.safetensors",
    ):
        (folder / name).write_bytes(b"12345")


def test_removing_takes_what_was_left_too_and_nothing_else(own_cache):
    _fill(own_cache)
    assert remove_model("vgg19") == 15
    left = {path.name for path in own_cache.iterdir() if not path.name.endswith(".lock")}
    assert left == {"vgg19-torchvision.pth.part", "vgg19-torchvision.safetensors"}
    with pytest.raises(WeightsError, match="not installed"):
        remove_model("vgg19")


def test_removing_where_there_is_nothing_makes_nothing(own_cache):
    with pytest.raises(WeightsError, match="not installed"):
        remove_model("vgg19")
    assert not own_cache.exists()


def test_a_partial_download_stays_to_be_resumed(own_cache):
    _fill(own_cache)
    discard_unfinished("vgg19")
    assert download_path("vgg19", "h5").exists()
    assert not (own_cache / ".vgg19.work").exists()


def test_a_download_that_is_stored_is_not_kept_twice(own_cache):
    _fill(own_cache)
    discard_download("vgg19")
    assert not download_path("vgg19", "h5").exists()
    assert download_path("vgg19-torchvision", "pth").exists()
    assert model_path("vgg19").exists()


def test_a_network_is_stored_whole_or_not_at_all(own_cache):
    with locked("vgg19"), staged("vgg19") as new:
        new.write_bytes(b"first")
        assert not model_path("vgg19").exists()
    assert model_path("vgg19").read_bytes() == b"first"
    with pytest.raises(KeyboardInterrupt), staged("vgg19") as new:
        new.write_bytes(b"second")
        raise KeyboardInterrupt
    with pytest.raises(WeightsError, match="could not be stored"), staged("vgg19"):
        pass  # nothing was written
    assert model_path("vgg19").read_bytes() == b"first"
    assert {path.name for path in own_cache.iterdir()} == {"vgg19.safetensors", ".vgg19.lock"}


def test_one_at_a_time():
    with locked("vgg19"):
        with pytest.raises(WeightsError, match=r"Another impasto.*'vgg19'"), locked("vgg19"):
            pytest.fail("both at once")
        with locked("vgg19-torchvision"):
            pass
    with locked("vgg19"):
        pass


def test_a_folder_that_cannot_be_made(own_cache):
    own_cache.write_text("a file is in the way")
    with pytest.raises(WeightsError, match=r"cannot be used \(.*IMPASTO_MODELS"), locked("vgg19"):
        pytest.fail("locked")

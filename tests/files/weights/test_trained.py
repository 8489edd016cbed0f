"""Files of trained networks: whatever is wrong with one is a sentence."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save_file

from impasto.engine.training import Training
from impasto.errors import OutputError, WeightsError
from impasto.files.weights import trained
from impasto.files.weights.trained import About, Point, Source, is_trained, read_trained
from impasto.nets.feedforward import Painter
from impasto.recipe.still import Recipe

ABOUT = About(
    paintings=(Source("a.jpg", "1" * 64), Source("b.jpg", "2" * 64)),
    photographs="3 photographs of one's own",
    photographs_sha256="3" * 64,
    network="compact",
    network_sha256="4" * 64,
    training=Training(size=64),
    recipe=Recipe(strength=0.8, style_scale=(0.7, 1.0)),
    widths=(4, 5, 6),
    blocks=1,
    step=12,
    seconds=3.5,
    is_finished=True,
    steps=12,
    minutes=None,
    losses=(Point(10, 0.5, 1.0, 2.0, None),),
    version="0.1.0",
)


def _tensors() -> dict[str, torch.Tensor]:
    torch.manual_seed(0)
    return {f"painter.{n}": v for n, v in Painter(2, (4, 5, 6), 1).state_dict().items()}


@pytest.fixture
def path(tmp_path) -> Path:
    trained.write_trained(tmp_path / "n.safetensors", ABOUT, _tensors())
    return tmp_path / "n.safetensors"


def _changed(path: Path, change) -> Path:
    """The file with other text, and a hash that fits it."""
    with safe_open(str(path), framework="pt") as file:
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        values = json.loads(file.metadata()[trained.FORMAT])
    change(values, tensors)
    text = json.dumps(values)
    metadata = {trained.FORMAT: text, "sha256": trained._digest(text, tensors)}
    save_file(tensors, path, metadata=metadata)
    return path


def test_what_is_written_is_read(path):
    found = read_trained(path)
    assert found.about == ABOUT
    assert found.tensors.keys() == _tensors().keys()
    assert all(torch.equal(found.tensors[name], value) for name, value in _tensors().items())
    photograph = torch.rand(1, 3, 20, 24)
    torch.manual_seed(0)
    wanted = Painter(2, (4, 5, 6), 1)(photograph, torch.tensor([0.5, 0.5]))
    assert torch.equal(found.painter()(photograph, torch.tensor([0.5, 0.5])), wanted)
    assert is_trained(path)


def test_others_may_read_it_as_any_file(path):
    plain = path.with_name("plain")
    plain.write_text("")
    assert path.stat().st_mode == plain.stat().st_mode


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda v, _: v.update(version=2), "later"),
        (lambda v, _: v.update(format="another"), "later"),
        (lambda v, _: v["about"].update(step=-1), "damaged"),
        (lambda v, _: v["about"].update(step="1"), "damaged"),
        (lambda v, _: v["about"].update(widths=[4, 5]), "damaged"),
        (lambda v, _: v["about"].update(widths=[4, 5, 10**6]), "damaged"),
        (lambda v, _: v["about"].update(blocks=10**9), "damaged"),
        (lambda v, _: v["about"].update(paintings=[]), "damaged"),
        (lambda v, _: v["about"].update(more=1), "damaged"),
        (lambda v, _: v["about"]["recipe"].update(strength=7), "damaged"),
        (lambda v, _: v["about"]["training"].update(size=7), "damaged"),
        (lambda v, _: v.pop("about"), "damaged"),
        (lambda _, t: t["painter.kept"].fill_(float("nan")), "damaged"),
        (lambda _, t: t.update({"painter.kept": torch.zeros(3, dtype=torch.int64)}), "damaged"),
        (lambda _, t: t.pop("painter.kept"), "not those"),
        (lambda _, t: t.update({"painter.kept": torch.zeros(4)}), "not those"),
    ],
)
def test_a_bad_file_is_a_sentence(path, change, said):
    with pytest.raises(WeightsError, match=said):
        read_trained(_changed(path, change)).painter()


def test_a_flipped_bit_is_seen(path):
    data = bytearray(path.read_bytes())
    data[-2] ^= 1
    path.write_bytes(data)
    with pytest.raises(WeightsError, match="damaged"):
        read_trained(path)


def test_a_pickle_is_refused_unread(tmp_path):
    torch.save({"a": torch.zeros(1)}, tmp_path / "n.safetensors")
    with pytest.raises(WeightsError, match="damaged"):
        read_trained(tmp_path / "n.safetensors")
    assert not is_trained(tmp_path / "n.safetensors")


def test_a_file_that_cannot_be_written_leaves_the_old_one(path, monkeypatch):
    before = path.read_bytes()

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OutputError, match="no space"):
        trained.write_trained(path, replace(ABOUT, step=13), _tensors())
    assert path.read_bytes() == before
    assert [each.name for each in path.parent.iterdir()] == ["n.safetensors"]


def test_only_what_decides_the_network_must_agree():
    assert ABOUT.made_of == replace(ABOUT, step=1, seconds=9.0, steps=99).made_of
    assert ABOUT.made_of == replace(ABOUT, recipe=replace(ABOUT.recipe, threads=2)).made_of
    assert ABOUT.made_of != replace(ABOUT, recipe=replace(ABOUT.recipe, strength=0.7)).made_of
    assert ABOUT.made_of != replace(ABOUT, training=Training(seed=1)).made_of

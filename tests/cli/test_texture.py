"""impasto texture."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from PIL import Image

from impasto.cli import main

QUICK = ["--steps", "2", "--scales", "1", "--precision", "fp32", "--threads", "1"]


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch) -> Path:
    here = tmp_path / "here"
    here.mkdir()
    monkeypatch.chdir(here)
    return here


def test_a_texture_and_its_record_by_their_default_names(painting, folder, capsys):
    assert main(["texture", str(painting), "--size", "64x48", "--tileable", *QUICK]) == 0
    assert {path.name for path in folder.iterdir()} == {
        "painting.texture.png", "painting.texture.json",
    }  # fmt: skip
    with Image.open("painting.texture.png") as image:
        assert image.size == (64, 48)
    assert json.loads(Path("painting.texture.json").read_text())["recipe"]["tileable"] is True
    printed = capsys.readouterr()
    assert printed.out == "painting.texture.png\n"
    assert "100%" in printed.err


def test_a_tile_of_any_size_is_delivered_at_that_size(painting, folder, capsys):
    words = ["texture", str(painting), "--size", "50x30", "--tileable", "-o", "t.png", *QUICK]
    assert main(words) == 0
    assert Image.open("t.png").size == (50, 30)
    assert "at 64x32, and resized to 50x30" in capsys.readouterr().err
    assert main(["reproduce", "t.png", "--style", str(painting)]) == 0
    assert Image.open("t.again.png").size == (50, 30)
    printed = capsys.readouterr()
    assert "identical" in printed.out + printed.err


def test_a_name_and_several_paintings(painting, photo, folder):
    words = [str(painting), str(photo), "--blend", "1,3", "--size", "32", "-o", "t.jpg", "-q"]
    assert main(["texture", *words, *QUICK]) == 0
    assert Image.open("t.jpg").size == (32, 32)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "painting"),
        (["PAINTING", "--size", "big"], "--size"),
        (["PAINTING", "--size", "64x"], "--size"),
        (["PAINTING", "--strength", "0.5"], "--strength"),
        (["nowhere.jpg"], "nowhere.jpg"),
        (["PAINTING", "-o", "no/such.png"], "does not exist"),
    ],
)
def test_bad_input_is_one_sentence(words, said, painting, folder, capsys):
    words = [str(painting) if word == "PAINTING" else word for word in words]
    assert main(["texture", *words]) == 2
    printed = capsys.readouterr()
    assert said in printed.err
    assert len(printed.err.splitlines()) == 1
    assert list(folder.iterdir()) == []

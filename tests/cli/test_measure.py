"""impasto measure."""

from __future__ import annotations

import json

import pytest
from PIL import Image

from impasto.cli import main


@pytest.fixture
def words(photo, painting, tmp_path, monkeypatch) -> list[str]:
    monkeypatch.setenv("IMPASTO_MODELS", str(tmp_path / "models"))
    result = str(tmp_path / "out.png")
    options = ["--size", "48", "--steps", "2", "--scales", "1", "-q", "-o", result]
    assert main(["stylize", str(photo), str(painting), *options]) == 0
    return ["measure", result, "--content", str(photo), "--style", str(painting)]


def test_a_table(words, capsys):
    assert main(words) == 0
    printed = capsys.readouterr()
    assert printed.err == ""
    lines = printed.out.splitlines()
    assert lines[:4] == [
        "out.png",
        "size: 48x40",
        "network: compact, which also made the result",
        "layers: conv1_2, conv2_2, conv3_2, conv4_3 (conv2_2, conv3_2 optimised)",
    ]
    heads = {line.split("  ")[0] for line in lines[5:]}
    assert {"ms-ssim", "gram conv3_2", "w2 conv4_3", "color", "style colors"} <= heads
    assert "far from the painting's style" in printed.out
    assert "photograph" in lines[4]


def test_json(words, capsys):
    assert main([*words, "--json", "--layers", "conv1_2,conv2_1"]) == 0
    values = json.loads(capsys.readouterr().out)
    assert [name for name in values["figures"] if name.startswith("w2")] == [
        "w2 conv1_2", "w2 conv2_1",
    ]  # fmt: skip
    assert values["facts"]["layers"] == "conv1_2, conv2_1 (conv2_1 optimised)"


def test_a_picture_without_a_record(words, tmp_path, capsys):
    with Image.open(words[1]) as image:
        image.convert("RGB").save(tmp_path / "plain.jpg")
    assert main([words[0], str(tmp_path / "plain.jpg"), *words[2:]]) == 0
    assert "no record says which" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({1: "nowhere.png"}, "nowhere.png"),
        ({3: "nowhere.png"}, "nowhere.png"),
        ({6: "--layers", 7: "conv9_1"}, "conv9_1"),
        ({6: "--network", 7: "vgg19"}, "impasto models"),
        ({6: "--network", 7: "nothing.safetensors"}, "nothing.safetensors"),
    ],
)
def test_bad_input_is_one_sentence(change, said, words, capsys):
    changed = [*words, "", ""]
    for place, word in change.items():
        changed[place] = word
    assert main([word for word in changed if word]) == 2
    printed = capsys.readouterr()
    assert said in printed.err
    assert len(printed.err.splitlines()) == 1

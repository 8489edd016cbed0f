"""Sizes, depth, notes and previews on the command line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from PIL import Image

from impasto.cli import main
from impasto.cli.naming import default_output

FAST = ["--steps", "1", "--scales", "1", "--precision", "fp32", "--threads", "1"]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder to stand in; the pictures lie elsewhere."""
    here = tmp_path / "here"
    here.mkdir()
    monkeypatch.chdir(here)
    return here


def _run(photo: Path, painting: Path, *words: str) -> int:
    return main(["stylize", str(photo), str(painting), "-o", "out.png", *words, *FAST])


@pytest.mark.parametrize(
    ("words", "size"),
    [
        (["--size", "full"], (48, 40)),
        (["--size", "60x33"], (40, 33)),
        (["--size", "36"], (36, 30)),
        (["--print", "30x40mm", "--dpi", "30"], (42, 35)),
        (["--print", "1x2in", "--dpi", "24"], (29, 24)),
    ],
)
def test_sizes(words, size, photo, painting):
    assert _run(photo, painting, *words) == 0
    with Image.open("out.png") as image:
        assert image.size == size
        if "--dpi" in words:
            assert image.info["dpi"][0] == pytest.approx(float(words[-1]), abs=0.05)


def test_sixteen_bits(photo, painting):
    pytest.importorskip("imagecodecs")
    assert _run(photo, painting, "--size", "40", "--depth", "16") == 0
    data = Path("out.png").read_bytes()
    assert data[24] == 16


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--size", "big"], "--size 'big' is unknown"),
        (["--size", "8x9"], "at least 16 pixels"),
        (["--print", "A4"], "such as 60x90cm"),
        (["--print", "60x90cm", "--size", "300"], "contradict"),
        (["--print", "6x9m"], "--print"),
        (["--dpi", "0"], "--dpi"),
        (["--depth", "12"], "--depth"),
        (["--depth", "16", "-o", "out.jpg"], "cannot hold 16 bits"),
        (["--max-pixels", "100"], "48 x 40 pixels, more than"),
        (["--size", "99999"], "more than 256,000,000"),
    ],
    ids=" ".join,
)
def test_bad_input_is_one_sentence_and_leaves_nothing(words, said, photo, painting, folder, capsys):
    words = [word for word in words if word]
    output = [] if "-o" in words else ["-o", "out.png"]
    assert main(["stylize", str(photo), str(painting), *output, *words, *FAST]) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    (line,) = printed.err.splitlines()
    assert said in line
    assert list(folder.iterdir()) == []


def test_notes_are_said_once_and_not_when_quiet(photo, painting, tmp_path, capsys):
    source = tmp_path / "a.gif"
    frames = [Image.open(photo).convert("RGBA"), Image.new("RGBA", (48, 40))]
    frames[0].putpixel((0, 0), (0, 0, 0, 0))
    frames[0].save(source, save_all=True, append_images=frames[1:])
    words = ["stylize", str(source), str(painting), "--size", "40", *FAST]
    assert main([*words, "-o", "a.jpg"]) == 0
    said = capsys.readouterr().err
    assert said.count("'a.gif' has 2 frames: the first is used.") == 1
    assert said.count("JPEG has no transparency") == 1
    assert main([*words, "-o", "b.jpg", "--quiet"]) == 0
    assert capsys.readouterr() == ("", "")


@pytest.mark.slow
def test_a_preview_of_one_part(painting, tmp_path, waves, folder, capsys):
    levels = (waves(600, 800)[0].permute(1, 2, 0) * 255).round().byte().numpy()
    photo = tmp_path / "photo.png"
    Image.fromarray(levels).save(photo)
    assert _run(photo, painting, "--size", "full", "--crop-preview") == 0
    assert {path.name for path in folder.iterdir()} == {"out.crop.png", "out.crop.json"}
    with Image.open("out.crop.png") as image:
        assert image.size == (512, 512)
    printed = capsys.readouterr()
    assert printed.out == "out.crop.png\n"
    last = printed.err.splitlines()[-1]
    assert "512x512 of 800x600 pixels; all of them take about" in last
    assert json.loads(Path("out.crop.json").read_text())["recipe"]["crop_preview"] is True


def test_a_default_name_that_would_be_too_long_is_cut():
    name = default_output(Path("ä" * 120 + ".jpg"), [Path("b" * 90 + ".jpg")]).name
    assert len(name.encode()) <= 210
    assert name.endswith(".png")
    assert default_output(Path("a.jpg"), [Path("b.jpg")]) == Path("a+b.png")

"""The first hours of four people, line by line as in examples/first_hour, on small pictures."""

from __future__ import annotations

import shlex
import shutil
from pathlib import Path

import pytest
from PIL import Image

from impasto.cli import main

FOLDER = Path(__file__).resolve().parents[2] / "examples" / "first_hour"
QUICK = ["--precision", "fp32", "--threads", "1"]
FEW = {
    "stylize": ["--steps", "1"],
    "texture": ["--steps", "1", "--scales", "1"],
    "sweep": ["--size", "32", "--steps", "1"],
    "experiments": ["--size", "32", "--steps", "1"],
}
"""What makes a command quick; sizes as well, where a line names none that it is about."""


@pytest.fixture
def here(tmp_path, photo, painting, monkeypatch) -> Path:
    folder = tmp_path / "here"
    for name in ("paintings", "sprites", "walk"):
        (folder / name).mkdir(parents=True)
    one, other = Image.open(photo).convert("RGB"), Image.open(painting).convert("RGB")
    one.save(folder / "photo.jpg")
    other.save(folder / "painting.jpg")
    other.save(folder / "paintings" / "one.jpg")
    other.rotate(90).save(folder / "paintings" / "two.jpg")
    for number in (1, 2):
        sprite = one.rotate(3 * number).convert("RGBA")
        sprite.putalpha(Image.new("L", sprite.size, 255).rotate(20))
        sprite.save(folder / "sprites" / f"hero{number}.png")
        one.rotate(number).save(folder / "walk" / f"walk_{number:02}.png")
    shutil.copy(FOLDER / "smoothing.py", folder)
    monkeypatch.chdir(folder)
    return folder


def _lines(name: str) -> list[list[str]]:
    lines = (FOLDER / name).read_text(encoding="utf-8").splitlines()
    return [shlex.split(line, comments=True)[1:] for line in lines if line.startswith("impasto ")]


def _quick(words: list[str]) -> list[str]:
    more = [] if words[0] not in FEW or words[1] == "list" else FEW[words[0]]
    if "--quality" in words:
        more = []
    if words[0] == "stylize":
        more = more + ([] if {"--size", "--print"} & set(words) else ["--size", "48"])
        words = ["2x2cm" if word == "20x20cm" else word for word in words]
        words = ["64x32" if word == "1000x600" else word for word in words]
    if words[0] == "texture":
        words = ["32" if w == "256" else "32x16" if w == "256x128" else w for w in words]
    return [*words, *more, *(QUICK if words[0] in ("stylize", "texture") else [])]


@pytest.mark.slow
@pytest.mark.parametrize("name", ["hobbyist.sh", "student.sh", "game_artist.sh"])
def test_every_line_does_what_it_says(name, here, capsys):
    for words in _lines(name):
        assert main(_quick(words)) == 0, (words, capsys.readouterr().err)
    made = {str(path.relative_to(here)) for path in here.rglob("*") if path.is_file()}
    assert made >= {
        "hobbyist.sh": {"tries/photo.sheet.png", "seeds/photo+one-3.png", "print.crop.png",
                        "cover.jpg", "again.png"},
        "student.sh": {"curve.svg", "losses.csv", "figure14/index.html", "own/index.html",
                       "sweep/index.html"},
        "game_artist.sh": {"tiles/one.texture.png", "variants/one.texture-3.png",
                           "painted/hero1.png", "walk_painted/walk_02.png", "looks/index.html"},
    }[name]  # fmt: skip
    if name == "game_artist.sh":
        assert Image.open("painted/hero1.png").mode == "RGBA"


def test_the_developer(photo, painting):
    from examples.first_hour.developer import first_hour

    options = {"size": 32, "steps": 2, "scales": 1, "precision": "fp32", "threads": 1}
    made = first_hour(photo, painting, **options)
    assert made["paths"].record["result"]["sha256"] == made["bytes"].record["result"]["sha256"]
    assert set(made) == {"paths", "bytes", "array", "override", "ended"}

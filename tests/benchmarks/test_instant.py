"""The times of instant pictures: medians in turns, ratios, and who is not here."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from benchmarks import instant, lite


def test_medians_leave_out_the_first_turn_and_whoever_cannot(capsys):
    values = iter([100.0, 1.0, 5.0, 2.0])

    def refuses() -> dict[str, float]:
        raise instant.MissingError("no films yet.")

    found = instant.medians({"a": lambda: {"a": next(values)}, "film": refuses}, 3)
    assert found == {"a": 2.0}
    assert capsys.readouterr().out == "film left out: no films yet.\n"


def test_ratios_are_to_the_rivals_own_kind():
    found = {
        "instant: command": 3.0,
        "instant: second": 1.0,
        instant.FRAMES_PER_SECOND: 4.0,
        instant.COMMAND: 1.5,
        instant.SECOND: 2.0,
    }
    cells = [line.split("|")[2:4] for line in instant.table(found)[2:]]
    assert [[c.strip() for c in row] for row in cells] == [
        ["3.000", "2.00"], ["1.000", "0.50"], ["4.000", ""], ["1.500", "1.00"], ["2.000", "1.00"],
    ]  # fmt: skip


def test_without_the_rival_there_are_no_ratios():
    assert instant.table({"instant: command": 3.0})[2] == "| instant: command | 3.000 |  |"


@pytest.fixture
def stand_in(tmp_path) -> Path:
    """A program that takes the rival's options and copies its input."""
    program = tmp_path / "lite"
    program.write_text(
        f"#!{sys.executable}\n"
        "import json, pathlib, shutil, sys\n"
        "_, _, source, _, style, _, out, *rest = sys.argv\n"
        "source, out = pathlib.Path(source), pathlib.Path(out)\n"
        "if source.is_dir():\n"
        "    out.mkdir()\n"
        "    told = [{'seconds': i + 0.5} for i, _ in enumerate(source.iterdir())]\n"
        "    print(json.dumps(told))\n"
        "elif 'bad' in style:\n"
        "    sys.exit('cannot read that')\n"
        "else:\n"
        "    shutil.copy(source, out)\n"
    )
    program.chmod(0o755)
    return program


def test_the_rival_is_run_by_its_command(stand_in, photo, painting, tmp_path):
    out = tmp_path / "made.png"
    assert lite.stylize(stand_in, photo, painting, out, 64) > 0
    assert out.read_bytes() == photo.read_bytes()
    assert lite.seconds_in_batch(stand_in, [photo, photo], painting, 64) == 1.5
    with pytest.raises(SystemExit, match="cannot read that"):
        lite.stylize(stand_in, photo, tmp_path / "bad.png", tmp_path / "none.png", 64)


def test_a_rival_that_is_not_here(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert lite.find_lite(None) is None
    with pytest.raises(SystemExit, match="no command"):
        lite.find_lite(tmp_path / "nothing")


@pytest.mark.slow
def test_from_end_to_end(photo, painting, stand_in, capsys):
    words = [str(photo), str(photo), str(painting), "--lite", str(stand_in)]
    instant.main([*words, "--size", "64", "--repeats", "1"])
    printed = capsys.readouterr().out
    for name in ("instant: command", "instant: picture", "instant: second", instant.COMMAND):
        assert f"| {name} |" in printed
    assert "trained left out" in printed
    assert "film left out" in printed

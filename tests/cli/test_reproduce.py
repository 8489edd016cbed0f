"""impasto reproduce."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from PIL import Image

from impasto.cli import main

QUICK = ["--size", "40", "--steps", "2", "--scales", "1", "--precision", "fp32", "--threads", "1"]


@pytest.fixture
def made(photo, painting, tmp_path, monkeypatch) -> Path:
    monkeypatch.chdir(tmp_path)
    path = photo.parent / "out.png"
    assert main(["stylize", str(photo), str(painting), "-q", "-o", str(path), *QUICK]) == 0
    return path


def test_again_beside_the_record(made, capsys):
    assert main(["reproduce", str(made)]) == 0
    again = made.with_name("out.again.png")
    printed = capsys.readouterr()
    assert printed.out == f"{again}\nThe pixels are identical.\n"
    assert "100%" in printed.err
    assert Image.open(again).tobytes() == Image.open(made).tobytes()
    assert again.with_suffix(".json").is_file()
    assert main(["reproduce", str(made)]) == 2  # it is there already
    assert main(["reproduce", str(made), "--overwrite", "-q"]) == 0


@pytest.mark.slow
def test_from_the_json_to_a_name_of_one_s_own(made, tmp_path, capsys):
    words = ["reproduce", str(made.with_suffix(".json")), "again.webp", "-q"]
    assert main(words) == 0
    assert capsys.readouterr() == ("", "")
    assert Image.open("again.webp").format == "WEBP"


def test_another_photograph_is_said_and_counts_as_another_picture(made, tmp_path, capsys):
    Image.new("RGB", (48, 40), "teal").save("other.png")
    assert main(["reproduce", str(made), "--content", "other.png"]) == 1
    printed = capsys.readouterr()
    assert "'other.png' is not the one of the record" in printed.err
    assert printed.out.endswith("The pixels are not identical.\n")


def test_inputs_by_option(made, photo, painting, tmp_path, capsys):
    moved = made.rename(tmp_path / "moved.png")
    assert main(["reproduce", str(moved)]) == 2
    assert "--content" in capsys.readouterr().err
    words = ["--content", str(photo), "--style", str(painting), "-q"]
    assert main(["reproduce", str(moved), *words]) == 0


def test_a_path_in_a_record_is_never_written_to(made, tmp_path, capsys):
    record = made.with_suffix(".json")
    values = json.loads(record.read_text())
    victim = tmp_path / "victim.png"
    values["inputs"]["content"][0]["name"] = str(victim)
    (made.parent / "bad.json").write_text(json.dumps(values))
    assert main(["reproduce", str(made.parent / "bad.json")]) == 2
    assert len(capsys.readouterr().err.splitlines()) == 1
    assert not victim.exists()
    assert not (made.parent / "bad.again.png").exists()

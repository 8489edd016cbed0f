"""One command, many results: paintings one by one, seeds, names."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from PIL import Image

from impasto.cli import main
from impasto.cli.naming import PIPE, default_output, default_texture, name_by, parse_seeds
from impasto.errors import RecipeError

QUICK = ["--size", "48", "--steps", "2", "--scales", "1", "--precision", "fp32", "--threads", "1"]
NOISE = ["--init", "noise"]


@pytest.fixture(autouse=True)
def here(tmp_path, photo, painting, monkeypatch) -> Path:
    """``photo.png``, and ``paintings/a.png`` to ``c.png``, all different."""
    folder = tmp_path / "here"
    (folder / "paintings").mkdir(parents=True)
    shutil.copy(photo, folder / "photo.png")
    with Image.open(painting) as image:
        for index, name in enumerate("abc"):
            image.rotate(90 * index).save(folder / "paintings" / f"{name}.png")
    monkeypatch.chdir(folder)
    return folder


def _run(*words: str, command: str = "stylize") -> int:
    return main([command, *words, *QUICK])


def _pictures(folder: str = ".") -> set[str]:
    return {path.name for path in Path(folder).glob("*.png")} - {"photo.png"}


def test_each_painting_has_its_own_result_and_all_are_on_a_sheet(capsys):
    assert _run("photo.png", "paintings", "--each", "-o", "out/") == 0
    made = [f"photo+{name}.png" for name in "abc"]
    assert _pictures("out") == {*made, "photo.sheet.png"}
    printed = capsys.readouterr()
    assert printed.out.splitlines() == [f"out/{name}" for name in made]
    assert "all of them on one sheet: out/photo.sheet.png" in printed.err
    one = json.loads(Path("out/photo+b.json").read_text())
    assert [each["name"] for each in one["inputs"]["styles"]] == ["b.png"]
    with Image.open("out/photo.sheet.png") as sheet:
        assert sheet.width > 3 * 320
    # The same command again makes nothing but the sheet, and says so.
    assert _run("photo.png", "paintings", "--each", "-o", "out/") == 0
    assert "0 made, 3 finished before" in capsys.readouterr().err


def test_what_is_made_of_each_is_what_one_call_makes():
    assert _run("photo.png", "paintings/a.png", "paintings/b.png", "--each", "-q") == 0
    assert _run("photo.png", "paintings/b.png", "-o", "one.png", "-q") == 0
    with Image.open("photo+b.png") as one, Image.open("one.png") as other:
        assert one.tobytes() == other.tobytes()


def test_seeds_are_numbered_and_differ():
    assert _run("photo.png", "paintings/a.png", *NOISE, "--seeds", "1-2,7", "-q") == 0
    assert _pictures() == {*(f"photo+a-{n}.png" for n in (1, 2, 7)), "photo.sheet.png"}
    pixels = {Image.open(f"photo+a-{n}.png").tobytes() for n in (1, 2, 7)}
    assert len(pixels) == 3
    assert json.loads(Path("photo+a-7.json").read_text())["recipe"]["seed"] == 7


def test_a_second_seed_does_not_meet_the_first_ones_file(capsys):
    for seed in ("0", "1", "2"):
        assert _run("photo.png", "paintings/a.png", *NOISE, "--seed", seed, "-q") == 0
    assert _pictures() == {"photo+a.png", "photo+a-1.png", "photo+a-2.png"}
    assert _run("photo.png", "paintings/a.png", *NOISE, "--seed", "1", "-q") == 2
    assert "exists already" in capsys.readouterr().err


def test_names_of_a_file_begin_all_results():
    words = ["photo.png", "paintings/a.png", "paintings/b.png", "--each", *NOISE]
    assert _run(*words, "--seeds", "1-2", "-o", "mine.jpg", "-q") == 0
    made = {path.name for path in Path().glob("mine*.jpg")}
    assert made == {f"mine-{name}-{seed}.jpg" for name in "ab" for seed in (1, 2)}


def test_names_by_a_template():
    words = ["photo.png", "paintings", "--each", "--name", "{number:02}-{painting}-of-{photo}"]
    assert _run(*words, "-o", "out/", "-q") == 0
    assert _pictures("out") == {
        "01-a-of-photo.png", "02-b-of-photo.png", "03-c-of-photo.png", "photo.sheet.png",
    }  # fmt: skip
    assert _run("photo.png", "paintings/a.png", "--name", "{photo}-{seed}", "-q") == 0
    assert Path("photo-0.png").is_file()


def test_a_folder_keeps_the_names_of_its_frames():
    Path("frames").mkdir()
    for number in (1, 2):
        shutil.copy("photo.png", f"frames/f{number:03}.png")
    assert _run("frames", "paintings/a.png", "--name", "{photo}", "-o", "out", "-q") == 0
    assert _pictures("out") == {"f001.png", "f002.png"}


def test_textures_of_a_folder_of_paintings():
    words = ["texture", "paintings", "--each", "--seeds", "3-4", "-o", "out/", "-q", "--size", "32"]
    assert main([*words, "--steps", "1", "--scales", "1"]) == 0
    assert _pictures("out") == {
        *(f"{name}.texture-{seed}.png" for name in "abc" for seed in (3, 4)), "sheet.png",
    }  # fmt: skip


def test_a_line_of_json_for_each_result(capsys):
    assert _run("photo.png", "paintings", "--each", "-o", "out/", "-q", "--json") == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line["output"] for line in lines] == [f"out/photo+{name}.png" for name in "abc"]
    assert _run("photo.png", "paintings/a.png", "--json") == 0
    (line,) = capsys.readouterr().out.splitlines()
    told = json.loads(line)
    record = json.loads(Path(told["record"]).read_text())
    assert (told["width"], told["height"]) == Image.open(told["output"]).size
    assert told["finished"] is True
    assert told["sha256"] == record["result"]["sha256"]


BAD = {
    "a template's field": (["paintings/a.png", "--name", "{artist}"], "--name knows no {artist}"),
    "an open brace": (["paintings/a.png", "--name", "{photo"], "--name"),
    "a folder in a name": (["paintings/a.png", "--name", "out/{photo}"], "--output"),
    "a hidden name": (["paintings/a.png", "--name", "."], "--name"),
    "an attribute": (["paintings/a.png", "--name", "{photo.x}"], "--name"),
    "a name and a file": (["paintings/a.png", "--name", "x", "-o", "y.png"], "--name"),
    "one name for all": (["paintings", "--each", "--name", "x"], "{painting}"),
    "no seeds": (["paintings/a.png", "--seeds", "many"], "--seeds"),
    "seeds backwards": (["paintings/a.png", "--seeds", "5-1"], "--seeds"),
    "a million seeds": (["paintings/a.png", "--seeds", "1-1000000"], "fewer"),
    "seeds of no effect": (
        ["paintings/a.png", "--seeds", "1-2", "--method", "statistics"],
        "--init noise",
    ),
    "a blend of each": (["paintings", "--each", "--blend", "1,2,3"], "--blend"),
    "a folder without each": (["paintings", "--seeds", "1-2"], "--each"),
    "a preview": (["paintings", "--each", "--preview", "2"], "--preview"),
    "a missing painting": (["paintings/a.png", "nowhere.png", "--each"], "nowhere.png"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input_is_one_sentence_before_any_work(case, capsys):
    words, said = BAD[case]
    assert _run("photo.png", *words) == 2
    printed = capsys.readouterr()
    assert said in printed.err
    assert len(printed.err.splitlines()) == 1
    assert _pictures() == set()


def test_a_file_of_that_name_that_is_no_sheet_stays(capsys):
    Image.new("RGB", (9, 9), "teal").save("photo.sheet.png")
    before = Path("photo.sheet.png").read_bytes()
    assert _run("photo.png", "paintings", "--each") == 0
    assert "no contact sheet: " in capsys.readouterr().err
    assert Path("photo.sheet.png").read_bytes() == before


def test_usual_names():
    photo, painting = Path("p.jpg"), Path("q.png")
    assert default_output(photo, [painting], 3) == Path("p+q-3.png")
    assert default_output(PIPE, [painting]) == Path("stdin+q.png")
    assert default_texture([painting]) == Path("q.texture.png")
    assert default_texture([painting], 12) == Path("q.texture-12.png")
    long = default_output(Path("ä" * 150), [painting], 12).stem
    assert long.endswith("-12")
    assert len(long.encode()) <= 200


def test_templates_and_lists_of_seeds():
    given = {"photo": "p", "painting": "q", "seed": 4, "number": 7}
    assert name_by("{photo}-{painting}-{seed}", **given) == "p-q-4"
    assert name_by("{number:03}", **given) == "007"
    assert name_by("{{{photo}}}", **given) == "{p}"
    assert parse_seeds("1-3, 9,2") == (1, 2, 3, 9)
    for bad in ("", "1-", "-1", "1.5", "1;2"):
        with pytest.raises(RecipeError, match="--seeds"):
            parse_seeds(bad)


@pytest.mark.parametrize("fit", ["inside", "crop", "pad"])
def test_a_size_is_met_as_asked_and_made_again(fit, capsys):
    words = ["stylize", "photo.png", "paintings/a.png", "--size", "64x32", "--fit", fit]
    quick = ["--steps", "1", "--scales", "1", "--precision", "fp32", "--threads", "1"]
    assert main([*words, *quick, "-o", "out.png"]) == 0
    said = capsys.readouterr().err
    with Image.open("out.png") as image:
        assert (image.size == (64, 32)) == (fit != "inside")
        shown = f"it becomes {image.width}x{image.height}"
        assert (shown in said) == (fit == "inside")
        assert (image.getpixel((0, 16)) == (255, 255, 255)) == (fit == "pad")
    assert main(["reproduce", "out.png", "--style", "paintings/a.png"]) == 0
    assert "identical" in capsys.readouterr().out

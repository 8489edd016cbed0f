"""impasto stylize with many photographs."""

from __future__ import annotations

import io
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from PIL import Image

from impasto.cli import main
from impasto.files.records.read import read_record

QUICK = ["--size", "48", "--steps", "2", "--scales", "1", "--precision", "fp32", "--threads", "1"]


@pytest.fixture
def folder(tmp_path, photo, painting, monkeypatch) -> Path:
    """Photographs ``photos/p0.png`` to ``p3.png``, all different, and ``painting.png``."""
    here = tmp_path / "here"
    (here / "photos").mkdir(parents=True)
    shutil.copy(painting, here / "painting.png")
    with Image.open(photo) as image:
        for index in range(4):
            image.rotate(5 * index).save(here / "photos" / f"p{index}.png")
    (here / "photos" / "notes.txt").write_text("no picture")
    monkeypatch.chdir(here)
    return here


def _names(path: str) -> set[str]:
    return {each.name for each in Path(path).iterdir()}


def _whole(*numbers: int) -> set[str]:
    return {f"p{i}+painting{end}" for i in numbers for end in (".png", ".json")}


def _batch(*words: str) -> int:
    return main(["stylize", *words, *QUICK])


def test_a_folder(folder, capsys):
    assert _batch("photos/", "painting.png", "-o", "out/") == 0
    assert _names("out") == _whole(0, 1, 2, 3)
    printed = capsys.readouterr()
    assert printed.out.splitlines() == [f"out/p{i}+painting.png" for i in range(4)]
    lines = printed.err.splitlines()
    assert lines[0].startswith("impasto: Of 'photos' 1 entry is left out")
    assert lines[0].endswith(": notes.txt.")
    assert lines[1].startswith(" 25%  1/4 p0.png  scale 1/1 48x40")
    assert lines[-1] == "4 made, 0 finished before, 0 failed."
    assert "\x1b" not in printed.err


def test_what_is_made_is_what_one_call_makes(folder):
    assert _batch("photos", "painting.png", "-o", "out", "-q") == 0
    assert _batch("photos/p2.png", "painting.png", "-q") == 0
    with Image.open("p2+painting.png") as one, Image.open("out/p2+painting.png") as other:
        assert one.tobytes() == other.tobytes()


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["photos/p[12].png", "painting.png"], _whole(1, 2)),
        (["photos/p1.png", "photos/p3.png", "--style", "painting.png"], _whole(1, 3)),
        (["photos/*1.png", "photos/p0.png", "photos/p1.png", "-s", "painting.png"], _whole(0, 1)),
    ],
    ids=["a pattern", "several names", "both, one twice"],
)
def test_patterns_and_several_names(words, expected, folder):
    assert _batch(*words, "-o", "out", "-q") == 0
    assert _names("out") == expected


def test_a_folder_with_a_bracket_and_files_of_any_suffix(folder, capsys):
    here = Path("holiday [2024]")
    shutil.copytree("photos", here)
    Image.open("photos/p2.png").convert("RGB").save(here / "p2.png", "JPEG")  # a wrong suffix
    (here / "p2.png").rename(here / "p4.jfif")
    (here / "p1.png").rename(here / "p1")
    assert _batch("holiday [2024]/*", "painting.png", "-o", "out") == 0
    assert _names("out") == _whole(0, 1, 3, 4)
    assert "holiday [2024]/*' 1 entry is left out" in capsys.readouterr().err
    assert _batch("holiday [2024]/*.png", "painting.png", "-o", "two", "-q") == 0
    assert _names("two") == _whole(0, 3)
    assert capsys.readouterr().err == ""


def test_a_file_that_looks_like_an_option(folder, capsys):
    shutil.copy("photos/p0.png", "-p.png")
    assert _batch("-p.png", "painting.png") == 2
    said = capsys.readouterr().err
    assert said == "impasto: '-p.png' looks like an option: name the file as './-p.png'.\n"
    assert _batch("./-p.png", "painting.png", "-o", "one.png", "-q") == 0
    assert main(["stylize", *QUICK, "-q", "-o", "two.png", "--", "-p.png", "painting.png"]) == 0
    assert Path("one.png").read_bytes()[:8] == Path("two.png").read_bytes()[:8]


@pytest.mark.slow
def test_several_paintings_are_a_blend_and_no_photographs(folder):
    shutil.copy("painting.png", "photos/second.png")
    words = ["photos", "--style", "painting.png", "--style", "photos/second.png"]
    assert _batch(*words, "--blend", "0.7,0.3", "-o", "out", "-q") == 0
    assert _names("out") == {
        f"p{i}+painting+second{end}" for i in range(4) for end in (".png", ".json")
    }


def test_the_meaning_of_a_single_photograph_is_kept(folder):
    assert _batch("photos/p0.png", "painting.png", "photos/p1.png", "-q") == 0
    assert Path("p0+painting+p1.png").exists()


def test_the_network_is_loaded_once(folder, monkeypatch):
    from impasto.jobs import stylizer

    loads = []
    original = stylizer.load_network
    monkeypatch.setattr(
        stylizer, "load_network", lambda recipe: loads.append(1) or original(recipe)
    )
    assert _batch("photos", "painting.png", "-o", "out", "-q") == 0
    assert len(loads) == 1


def test_a_failing_picture_is_named_and_the_rest_done(folder, capsys):
    Path("photos/p1.png").write_bytes(b"\x89PNG\r\n\x1a\n torn")
    Image.new("RGB", (3000, 2)).save("photos/p15.png")
    assert _batch("photos", "painting.png", "-o", "out") == 1
    assert _names("out") == _whole(0, 2, 3)
    lines = capsys.readouterr().err.splitlines()
    assert lines[-3].startswith("impasto: photos/p1.png: ")
    assert lines[-2].startswith("impasto: photos/p15.png: ")
    assert lines[-1] == "3 made, 0 finished before, 2 failed."
    assert _batch("photos", "painting.png", "-o", "out", "-q") == 1
    assert "p1.png" in capsys.readouterr().err  # failures are said even so


def _times(path: str) -> dict[str, int]:
    return {each.name: each.stat().st_mtime_ns for each in Path(path).iterdir()}


def test_finished_ones_are_skipped(folder, capsys):
    assert _batch("photos", "painting.png", "-o", "out", "-q") == 0
    before = _times("out")
    shutil.copy("photos/p0.png", "photos/p9.png")
    assert _batch("photos", "painting.png", "-o", "out") == 0
    assert "1 made, 4 finished before, 0 failed." in capsys.readouterr().err
    assert {name: _times("out")[name] for name in before} == before
    assert _batch("photos", "painting.png", "-o", "out", "--overwrite", "-q") == 0
    assert _times("out")["p0+painting.png"] != before["p0+painting.png"]


@pytest.mark.parametrize("changed", ["recipe", "photograph", "painting"])
def test_what_is_of_something_else_is_not_skipped_and_not_lost(changed, folder, capsys):
    assert _batch("photos/p[0]*", "painting.png", "-o", "out", "-q") == 0
    before = _times("out")
    if changed != "recipe":
        name = "photos/p0.png" if changed == "photograph" else "painting.png"
        Image.new("RGB", (50, 40), "teal").save(name)
    words = ["--strength", "0.3"] if changed == "recipe" else []
    assert _batch("photos/p[0]*", "painting.png", "-o", "out", *words) == 1
    assert "--overwrite" in capsys.readouterr().err
    assert _times("out") == before


@pytest.mark.slow
def test_a_picture_without_its_record_gets_it_back(folder):
    """Killed between the two files."""
    assert _batch("photos", "painting.png", "-o", "out", "-q") == 0
    record = Path("out/p1+painting.json")
    text = json.loads(record.read_text())
    record.unlink()
    assert _batch("photos", "painting.png", "-o", "out", "-q") == 0
    assert json.loads(record.read_text()) == text
    Path("out/p1+painting.png").unlink()  # and the other way round
    assert _batch("photos", "painting.png", "-o", "out", "-q") == 0
    assert Path("out/p1+painting.png").exists()


def test_an_unfinished_picture_is_finished(folder):
    from impasto.api import stylize_job

    options = {"size": 48, "steps": (2,), "scales": 1, "precision": "fp32", "threads": 1}
    job = stylize_job("photos/p0.png", ["painting.png"], **options)
    next(state for state in job if state.step == 1)
    Path("out").mkdir()
    job.result().save("out/p0+painting.png")
    assert _batch("photos", "painting.png", "-o", "out", "-q") == 0
    assert json.loads(Path("out/p0+painting.json").read_text())["result"]["finished"] is True


@pytest.mark.slow
def test_names_that_would_be_one(folder, capsys):
    with Image.open("photos/p0.png") as image:
        image.convert("RGB").save("photos/p0.jpg")
    assert _batch("photos", "painting.png", "-o", "out", "-q") == 0
    assert {"p0.png+painting.png", "p0.jpg+painting.png"} < _names("out")
    Path("more").mkdir()
    shutil.copy("photos/p0.png", "more/p0.png")
    assert _batch("photos", "more", "-s", "painting.png", "-o", "new") == 2
    assert "rename" in capsys.readouterr().err


BAD = {
    "no output": (["photos", "painting.png"], "--output"),
    "names without output": (["photos/p0.png", "photos/p1.png", "-s", "painting.png"], "--output"),
    "output is a picture": (["photos", "painting.png", "-o", "out.png"], "a folder"),
    "output is a file": (["photos", "painting.png", "-o", "photos/notes.txt"], "not a folder"),
    "output nowhere": (["photos", "painting.png", "-o", "no/such"], "does not exist"),
    "output among the photographs": (["photos", "painting.png", "-o", "photos"], "among"),
    "no painting": (["photos", "-o", "out"], "painting"),
    "missing painting": (["photos", "nowhere.png", "-o", "out"], "nowhere.png"),
    "no picture": (["empty", "painting.png", "-o", "out"], "no picture"),
    "no match": (["photos/*.gif", "painting.png", "-o", "out"], "no picture"),
    "blend": (["photos", "painting.png", "-o", "out", "--blend", "1,2"], "2 shares"),
    "option": (["photos", "painting.png", "-o", "out", "--strength", "7"], "--strength"),
    "start": (["photos", "painting.png", "-o", "out", "--init", "nowhere.png"], "nowhere.png"),
    "preview": (["photos", "painting.png", "-o", "out", "--preview", "1"], "--preview"),
    "weights": (["photos", "painting.png", "-o", "out", "--weights", "no.st"], "no.st"),
    "a pattern without quotes": (["photos/p0.png", "photos/p1.png", "painting.png", "-o", "out"],
                                 "--style"),
}  # fmt: skip


@pytest.mark.parametrize("case", BAD)
def test_bad_input_is_one_sentence_before_any_work(case, folder, capsys):
    words, said = BAD[case]
    Path("empty").mkdir()
    before = _names(".")
    assert main(["stylize", *words]) == 2
    printed = capsys.readouterr()
    assert said in printed.err
    assert len(printed.err.splitlines()) == 1
    assert printed.out == ""
    assert _names(".") == before


def test_one_bar_over_all(folder, monkeypatch):
    """Its position never goes back, and ends at the number of pictures."""
    from rich.console import Console

    from impasto.cli import progress

    places = []
    original = progress.Progress.update

    def update(self, task, **fields):
        places.append((fields["completed"], fields["description"]))
        return original(self, task, **fields)

    monkeypatch.setattr(progress.Progress, "update", update)
    terminal = Console(file=io.StringIO(), force_terminal=True)
    monkeypatch.setattr(progress, "Console", lambda **_: terminal)
    assert _batch("photos", "painting.png", "-o", "out") == 0
    numbers = [number for number, _ in places]
    assert numbers == sorted(numbers)
    assert numbers[-1] == 4
    assert "4/4 p3.png" in places[-1][1]


COMMAND = (
    "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)\n"
    "from impasto.engine.planning import forecast; forecast.LARGE_TRIALS = (112, 112)\n"
    "forecast.PATIENCE = 0.0\n"
    "from impasto.cli import main; raise SystemExit(main())"
)


def _process(words: list[str]) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", COMMAND, *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "OMP_NUM_THREADS": "1", "PYTHONUNBUFFERED": "1"},
    )


@pytest.mark.skipif(os.name != "posix", reason="needs POSIX signals")
@pytest.mark.parametrize(
    "how",
    [pytest.param(signal.SIGKILL, id="killed"), pytest.param(signal.SIGINT, id="Ctrl-C")],
)
@pytest.mark.slow
def test_half_way_and_finished_on_the_next_run(how, folder, capsys):
    for index in range(4, 12):
        shutil.copy("photos/p0.png", f"photos/p{index}.png")
    words = ["stylize", "photos", "painting.png", "-o", "out", *QUICK]
    # A picture takes a tenth of a second: time to stop in the middle.
    words[words.index("--steps") + 1] = "12"
    process = _process(words)
    try:
        while (
            not Path("out/p01+painting.png").exists() and not Path("out/p1+painting.png").exists()
        ):
            assert process.poll() is None, process.stderr.read()
            time.sleep(0.01)
        process.send_signal(how)
        _, err = process.communicate(timeout=60)
    finally:
        process.kill()
        process.wait()
    pictures = list(Path("out").glob("[!.]*.png"))
    made = {path.name for path in pictures if read_record(path).result.finished}
    assert len(pictures) - len(made) <= (how == signal.SIGINT)  # the picture so far, if any
    assert 0 < len(made) < 12
    assert "Traceback" not in err
    if how == signal.SIGINT:
        assert process.returncode == 130
        assert "run the same command to go on" in err
    for path in made:
        Image.open(Path("out") / path).load()  # none is torn
    before = {name: _times("out")[name] for name in made}
    assert main(words) == 0
    said = f"{12 - len(made)} made, {len(made)} finished before, 0 failed."
    assert said in capsys.readouterr().err
    assert _names("out") == _whole(*range(12))
    assert {name: _times("out")[name] for name in made} == before

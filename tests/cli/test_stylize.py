"""impasto stylize, in this process and (for what only a process shows) in one of its own."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from safetensors.torch import save_file

from impasto.cli import main
from impasto.engine.planning.plan import Machine
from impasto.nets.topology import COMPACT_WIDTHS

QUICK = ["--size", "40", "--steps", "2", "--scales", "1", "--precision", "fp32", "--threads", "1"]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder to stand in; the pictures lie elsewhere."""
    here = tmp_path / "here"
    here.mkdir()
    monkeypatch.chdir(here)
    return here


def _names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def test_a_picture_and_its_record_by_their_default_names(photo, painting, folder, capsys):
    assert main(["stylize", str(photo), str(painting), *QUICK]) == 0
    assert _names(folder) == {"photo+painting.png", "photo+painting.json"}
    with Image.open("photo+painting.png") as image:
        assert (image.format, image.size) == ("PNG", (40, 33))
    record = json.loads(Path("photo+painting.json").read_text())
    assert record["recipe"]["steps"] == [2]
    assert record["result"]["finished"] is True
    printed = capsys.readouterr()
    assert printed.out == "photo+painting.png\n"
    lines = printed.err.splitlines()
    assert re.fullmatch(r"impasto: 40x33: about \d+ s, 0\.\d GB of memory\.", lines[0])
    assert "scale 1/1 40x33" in lines[1]
    assert "100%" in lines[-1]
    assert "\x1b" not in printed.err  # plain lines where there is no terminal


def test_several_paintings_and_a_name_of_one_s_own(photo, painting, folder):
    words = [str(photo), str(painting), str(photo), "--blend", "0.7,0.3", "-o", "new.jpg"]
    assert main(["stylize", *words, *QUICK]) == 0
    assert _names(folder) == {"new.jpg", "new.json"}
    assert Image.open("new.jpg").format == "JPEG"


def test_quiet_says_nothing(photo, painting, folder, capsys):
    assert main(["stylize", str(photo), str(painting), "--quiet", *QUICK]) == 0
    assert capsys.readouterr() == ("", "")
    assert "photo+painting.png" in _names(folder)


def test_an_existing_file_is_replaced_only_with_overwrite(photo, painting, folder, capsys):
    for name in ("photo+painting.png", "photo+painting.json"):
        Path(name).write_bytes(b"precious")
        assert main(["stylize", str(photo), str(painting), *QUICK]) == 2
        assert "--overwrite" in capsys.readouterr().err
        assert Path(name).read_bytes() == b"precious"
        assert _names(folder) == {name}
        assert main(["stylize", str(photo), str(painting), "--overwrite", *QUICK]) == 0
        assert Path(name).read_bytes() != b"precious"
        for made in folder.iterdir():
            made.unlink()


def test_preview_shows_the_picture_so_far_and_goes_away(photo, painting, folder, monkeypatch):
    seen = []
    original = Path.replace

    def replace(self, target):
        seen.append(Path(target).name)
        return original(self, target)

    monkeypatch.setattr(Path, "replace", replace)
    words = ["--preview", "2", *QUICK]
    words[words.index("--steps") + 1] = "5"
    assert main(["stylize", str(photo), str(painting), *words]) == 0
    assert seen == [
        "photo+painting.preview.png",
        "photo+painting.preview.png",
        "photo+painting.png",
        "photo+painting.json",
    ]
    assert _names(folder) == {"photo+painting.png", "photo+painting.json"}


@pytest.mark.parametrize("options", [[], ["--preview", "1"]], ids=["no preview", "preview"])
def test_somebody_s_file_by_the_name_of_a_preview_is_kept(options, photo, painting):
    theirs = Path("photo+painting.preview.png")
    theirs.write_bytes(b"precious")
    main(["stylize", str(photo), str(painting), *options, *QUICK])
    assert theirs.exists()
    assert theirs.read_bytes() == b"precious"


def test_a_failure_after_a_preview_leaves_a_checkpoint_alone(
    photo, painting, folder, monkeypatch, capsys
):
    from impasto.errors import OutputError
    from impasto.jobs import still as job

    def fail(image, path, **options):
        raise OutputError("The disk is full.")

    monkeypatch.setattr(job, "write_result", fail)
    assert main(["stylize", str(photo), str(painting), "--preview", "1", *QUICK]) == 2
    assert "--resume goes on from photo+painting.checkpoint" in capsys.readouterr().err
    assert _names(folder) == {"photo+painting.checkpoint"}
    monkeypatch.undo()
    monkeypatch.chdir(folder)
    assert main(["stylize", str(photo), str(painting), "--resume", *QUICK]) == 0
    assert _names(folder) == {"photo+painting.png", "photo+painting.json"}


def _bad(tmp_path: Path, tiny_tensors) -> dict[str, tuple[list[str], str]]:
    (tmp_path / "torn.png").write_bytes(b"\x89PNG\r\n\x1a\n torn")
    Image.new("RGB", (1, 1)).save(tmp_path / "dot.png")
    save_file(tiny_tensors(COMPACT_WIDTHS, last="conv2_1"), tmp_path / "odd.safetensors")
    odd = str(tmp_path / "odd.safetensors")
    return {
        "missing photograph": (["nowhere.jpg", "PAINTING"], "nowhere.jpg"),
        "missing painting": (["PHOTO", "nowhere.jpg"], "nowhere.jpg"),
        "no painting": (["PHOTO"], "painting"),
        "unreadable": ([str(tmp_path / "torn.png"), "PAINTING"], "torn.png"),
        "one pixel": (["PHOTO", str(tmp_path / "dot.png")], "1 x 1"),
        "a folder": ([str(tmp_path), "PAINTING"], "not a file"),
        "unknown layer": (["PHOTO", "PAINTING", "--style-layers", "conv6_1"], "conv6_1"),
        "a layer too deep": (["PHOTO", "PAINTING", "--content-layers", "conv5_4"], "conv5_4"),
        "blend": (["PHOTO", "PAINTING", "--blend", "0.5,0.5"], "2 shares for 1 painting"),
        "blend of words": (["PHOTO", "PAINTING", "--blend", "much,little"], "blend"),
        "no such folder": (["PHOTO", "PAINTING", "-o", "no/such/out.png"], "does not exist"),
        "unknown format": (["PHOTO", "PAINTING", "-o", "out.xyz"], ".png"),
        "weights of another shape": (
            ["PHOTO", "PAINTING", "--network", "vgg19", "--weights", odd], "conv1_1.weight",
        ),
        "weights missing": (["PHOTO", "PAINTING", "--network", "vgg19"], "--weights"),
        "weights nowhere": (["PHOTO", "PAINTING", "--weights", "no.safetensors"], "no.safetensors"),
        "weights that are a picture": (["PHOTO", "PAINTING", "--weights", "PHOTO"], "photo.png"),
        "unknown option": (["PHOTO", "PAINTING", "--stength", "1"], "stength"),
        "unknown choice": (["PHOTO", "PAINTING", "--optimizer", "rprop"], "rprop"),
        "not a number": (["PHOTO", "PAINTING", "--size", "big"], "big"),
        "out of range": (["PHOTO", "PAINTING", "--strength", "7"], "between 0 and 1"),
        "seed": (["PHOTO", "PAINTING", "--seed", str(2**64), "--init", "noise"], "--seed"),
        "missing start": (["PHOTO", "PAINTING", "--init", "nowhere.png"], "nowhere.png"),
        "preview": (["PHOTO", "PAINTING", "--preview", "0"], "--preview"),
        "scales": (["PHOTO", "PAINTING", "--scales", "9", "--size", "64"], "--size"),
        "long name": (["PHOTO", "PAINTING", "-o", "n" * 260 + ".png", *QUICK], "n.png"),
    }  # fmt: skip


BAD = [
    "missing photograph", "missing painting", "no painting", "unreadable", "one pixel", "a folder",
    "unknown layer", "a layer too deep", "blend", "blend of words", "no such folder",
    "unknown format", "weights of another shape", "weights missing",
    "weights nowhere", "weights that are a picture", "unknown option", "unknown choice",
    "not a number", "out of range", "seed", "missing start", "preview", "scales", "long name",
]  # fmt: skip


@pytest.mark.parametrize("case", BAD)
def test_bad_input_is_one_sentence_and_leaves_nothing(
    case, photo, painting, folder, tmp_path, tiny_tensors, capsys
):
    words, said = _bad(tmp_path, tiny_tensors)[case]
    words = [{"PHOTO": str(photo), "PAINTING": str(painting)}.get(word, word) for word in words]
    assert main(["stylize", *words]) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert said in printed.err
    complaints = [line for line in printed.err.splitlines() if line.startswith("impasto: ")]
    assert len(complaints) == 1
    assert printed.err.splitlines() == complaints
    assert "Traceback" not in printed.err
    assert _names(folder) == set()


def test_every_bad_input_is_tried(tmp_path, tiny_tensors):
    assert set(BAD) == set(_bad(tmp_path, tiny_tensors))


def test_debug_shows_where_an_error_came_from(photo):
    from impasto.errors import PictureError

    with pytest.raises(PictureError):
        main(["stylize", str(photo), "nowhere.jpg", "--debug"])


def test_ctrl_c_before_there_is_a_picture(photo, painting, folder, monkeypatch, capsys):
    from impasto.cli import stylize

    def interrupt(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(stylize.Stylizer, "of", interrupt)
    assert main(["stylize", str(photo), str(painting), *QUICK]) == 130
    assert "nothing was written" in capsys.readouterr().err
    assert _names(folder) == set()


def _environment() -> dict[str, str]:
    return {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONUNBUFFERED": "1"}


def test_the_real_command_from_end_to_end(photo, painting, folder):
    command = [sys.executable, "-m", "impasto", "stylize", str(photo), str(painting)]
    done = subprocess.run(
        [*command, "--size", "64", "--steps", "3", "-o", "out.png"],
        check=False,
        capture_output=True,
        text=True,
        env=_environment(),
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout == "out.png\n"
    assert "Warning" not in done.stderr
    assert _names(folder) == {"out.png", "out.json"}
    with Image.open("out.png") as image:
        assert image.size == (64, 53)
        assert np.asarray(image).std() > 10


# Ctrl-C is ignored by what a script starts in the background; a test may be that.
COMMAND = (
    "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)\n"
    "from impasto.cli import main; raise SystemExit(main())"
)


@pytest.mark.skipif(os.name != "posix", reason="needs POSIX signals")
def test_ctrl_c_writes_the_picture_so_far(photo, painting, folder):
    words = ["stylize", str(photo), str(painting), "--size", "64", "--scales", "1"]
    process = subprocess.Popen(
        [sys.executable, "-c", COMMAND, *words, "--steps", "100000", "-o", "out.png"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=_environment(),
    )
    try:
        told, first = process.stderr.readline(), process.stderr.readline()
        assert "of memory" in told
        assert "step" in first
        time.sleep(0.5)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
    finally:
        process.kill()
        process.wait()
    assert process.returncode == 130
    assert out == ""
    assert "Traceback" not in err
    record = json.loads(Path("out.json").read_text())
    assert record["result"]["finished"] is False
    assert record["result"]["steps"] > 0
    assert f"stopped after {record['result']['steps']} of 100000 steps" in err
    assert "out.png" in err
    assert _names(folder) == {"out.png", "out.json", "out.checkpoint"}
    assert Image.open("out.png").size == (64, 53)


def test_tiles_are_told_beforehand_and_recorded(photo, painting, folder, capsys):
    words = [str(photo), str(painting), "--size", "100", "--tile", "70", *QUICK[2:]]
    assert main(["stylize", *words]) == 0
    first = capsys.readouterr().err.splitlines()[0]
    assert re.fullmatch(r"impasto: 100x83: about .*, .* GB of memory, tiles of 64 pixels\.", first)
    record = json.loads(Path("photo+painting.json").read_text())
    assert [stage["tile"] for stage in record["plan"]["stages"]] == [64]


def test_beyond_memory_is_one_sentence_before_anything_starts(photo, painting, capsys, monkeypatch):
    free = Machine(("cpu",), frozenset(), 1, {"cpu": 1_000_000})
    monkeypatch.setattr(Machine, "here", lambda: free)
    assert main(["stylize", str(photo), str(painting), *QUICK]) == 2
    (sentence,) = capsys.readouterr().err.splitlines()
    assert "even in tiles" in sentence
    assert "smaller --size" in sentence

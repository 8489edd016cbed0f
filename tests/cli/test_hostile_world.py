"""Full disks, folders that take nothing, signals, two runs at once: nothing is lost."""

from __future__ import annotations

import ast
import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from benchmarks.kills import stops
from impasto.cli import keeping, main
from impasto.errors import WeightsError
from impasto.files import atomic
from impasto.files.films.reader import open_clip, read_frames
from impasto.files.records.read import read_record
from impasto.files.weights import cache
from impasto.files.weights.store import COMPACT_FILE
from impasto.jobs.stylizer import Stylizer

QUICK = [
    "--quiet",
    "--size",
    "40",
    "--steps",
    "3",
    "--scales",
    "1",
    "--precision",
    "fp32",
    "--threads",
    "1",
]
OFTEN = ["--checkpoint", "0.000001", "--preview", "1"]


@pytest.fixture
def mounted(tmp_path: Path) -> Iterator[Callable[..., Path]]:
    """A small disk of its own, where one may be mounted."""
    folder = tmp_path / "disk"
    folder.mkdir()
    if sys.platform != "linux" or os.geteuid() != 0:
        pytest.skip("only root mounts disks, and this way on Linux only")

    def mount(options: str) -> Path:
        words = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)]
        if subprocess.run(words, check=False, capture_output=True).returncode:
            pytest.skip("no disk can be mounted here")
        return folder

    yield mount
    while subprocess.run(["umount", str(folder)], check=False, capture_output=True).returncode == 0:
        pass


def _names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def _pixels(path: Path) -> np.ndarray:
    with Image.open(path) as image:
        return np.asarray(image)


def _one_sentence(said: str) -> None:
    complaints = [line for line in said.splitlines() if line.startswith("impasto: ")]
    assert "Traceback" not in said
    assert len([line for line in complaints if "the run goes on" not in line]) == 1, said


@pytest.fixture
def whole(photo, painting, tmp_path, capsys) -> Path:
    path = tmp_path / "whole.png"
    assert main(["stylize", str(photo), str(painting), "-o", str(path), *QUICK]) == 0
    capsys.readouterr()
    return path


@pytest.mark.slow
@pytest.mark.parametrize("kilobytes", [4, 12, 40, 80, 160])
def test_a_disk_that_is_full_at_any_write(kilobytes, mounted, whole, photo, painting, capsys):
    """Sizes at which the checkpoint, the preview, the picture or the record no longer fit."""
    disk = mounted(f"size={kilobytes}k")
    out = disk / "out.png"
    words = ["stylize", str(photo), str(painting), "-o", str(out), *QUICK, *OFTEN]
    status = main(words)
    said = capsys.readouterr().err
    assert _names(disk) <= {"out.png", "out.json", "out.checkpoint"}  # no part of anything
    if status == 0:
        assert np.array_equal(_pixels(out), _pixels(whole))
        assert _names(disk) == {"out.png", "out.json"}
        return
    assert status == 2
    _one_sentence(said)
    assert "no space left" in said.lower() or "full" in said
    if out.exists():
        assert np.array_equal(_pixels(out), _pixels(whole))
    disk = mounted("size=4m,remount")  # room is made
    again = [word for word in words if word != "--preview"][:-1]
    assert main([*again, "--resume", "--overwrite"]) == 0
    assert np.array_equal(_pixels(out), _pixels(whole))


def test_some_of_the_disks_above_are_full_and_some_are_not(mounted, photo, painting, capsys):
    words = ["stylize", str(photo), str(painting), *QUICK, *OFTEN, "-o"]
    assert main([*words, str(mounted("size=4k") / "out.png")]) == 2
    assert main([*words, str(mounted("size=400k") / "out.png")]) == 0


@pytest.mark.slow
@pytest.mark.parametrize("write", range(1, 10))
def test_any_write_may_fail(write, monkeypatch, whole, photo, painting, tmp_path, capsys):
    """The same without a disk of its own: the nth file cannot be brought to the disk."""
    count, original = 0, atomic._flush

    def flush(path: Path) -> None:
        nonlocal count
        count += 1
        if count == write:
            raise OSError(28, "No space left on device")
        original(path)

    monkeypatch.setattr(atomic, "_flush", flush)
    monkeypatch.setattr(keeping, "MOST_OF_THE_TIME", 1e9)
    here = tmp_path / "here"
    here.mkdir()
    words = ["stylize", str(photo), str(painting), "-o", str(here / "out.png"), *QUICK, *OFTEN]
    status = main(words)
    said = capsys.readouterr().err
    assert "no space left" in said
    assert not list(here.glob(".*"))
    assert "out.preview.png" not in _names(here)
    if status == 0:
        assert "the run goes on" in said
        assert _names(here) == {"out.png", "out.json"}
    else:
        assert status == 2
        _one_sentence(said)
        assert "out.checkpoint" in _names(here)
        assert main([*words, "--resume"]) == 0
    assert np.array_equal(_pixels(here / "out.png"), _pixels(whole))


def test_a_folder_that_takes_nothing(mounted, photo, painting, capsys):
    disk = mounted("size=1m,ro")
    assert main(["stylize", str(photo), str(painting), "-o", str(disk / "a.png"), *QUICK]) == 2
    said = capsys.readouterr().err
    _one_sentence(said)
    assert "cannot be written to" in said
    folder = ["stylize", str(photo.parent), "-s", str(painting), "-o", str(disk / "many"), *QUICK]
    assert main(folder) == 2
    _one_sentence(capsys.readouterr().err)


@pytest.fixture
def clip(make_film, moving, tmp_path) -> Path:
    film = make_film(tmp_path / "clip.mkv", moving(4), codec="libx264", pixels="yuv420p")
    assert isinstance(film, Path)
    return film


FILM = [*QUICK, "--frame-steps", "1"]


@pytest.mark.slow
@pytest.mark.parametrize("kilobytes", [4, 8, 20, 28, 400])
def test_a_disk_that_is_full_at_any_write_of_a_film(kilobytes, mounted, clip, painting, capsys):
    """The settings, a frame, the film or its record no longer fit."""
    disk = mounted(f"size={kilobytes}k")
    out = disk / "out.mkv"
    words = ["video", str(clip), str(painting), "-o", str(out), "--codec", "ffv1", *FILM]
    status = main(words)
    said = capsys.readouterr().err
    assert _names(disk) <= {"out.mkv", "out.mkv.frames", "out.json"}
    assert (status == 0) == (kilobytes == 400)
    if status:
        _one_sentence(said)
        assert "no space left" in said.lower() or "full" in said
        kept = len(list(out.with_name("out.mkv.frames").glob("*.png")))
        assert ("no frame is finished yet" in said) == (kept == 0)
        mounted("size=4m,remount")
        assert main([*words, "--resume"]) == 0
    assert _names(disk) == {"out.mkv", "out.json"}
    assert len(list(read_frames(open_clip(out)))) == 4


def test_a_film_in_a_folder_that_takes_nothing(mounted, clip, painting, tmp_path, capsys):
    disk = mounted("size=1m,ro")
    words = ["video", str(clip), str(painting), *FILM, "-o"]
    assert main([*words, str(disk / "a.mkv")]) == 2
    _one_sentence(capsys.readouterr().err)
    assert main([*words, str(disk / "frames")]) == 2
    _one_sentence(capsys.readouterr().err)
    flow = ["--save-flow", str(disk / "flow")]
    assert main([*words, str(tmp_path / "b.mkv"), *flow]) == 2
    _one_sentence(capsys.readouterr().err)


def test_a_film_s_output_that_is_a_link_is_never_followed(clip, painting, tmp_path):
    elsewhere, out = tmp_path / "elsewhere.mkv", tmp_path / "out.mkv"
    elsewhere.write_bytes(b"precious")
    out.symlink_to(elsewhere)
    words = ["video", str(clip), str(painting), *FILM, "-o", str(out)]
    assert main(words) == 2
    assert main([*words, "--overwrite"]) == 0
    assert not out.is_symlink()
    assert elsewhere.read_bytes() == b"precious"


@pytest.mark.skipif(sys.platform != "linux", reason="names of files are text elsewhere")
def test_a_film_whose_name_is_no_text(clip, painting, tmp_path):
    here = tmp_path / os.fsdecode(b"caf\xe9")
    here.mkdir()
    name, out = here / os.fsdecode(b"f\xf8lm.mkv"), here / os.fsdecode(b"m\xe0de.mkv")
    shutil.copy(clip, name)
    assert main(["video", str(name), str(painting), *FILM, "-o", str(out)]) == 0
    assert len(list(read_frames(open_clip(out)))) == 4


@pytest.mark.parametrize("link", ["out.png", "out.json", "out.checkpoint"])
@pytest.mark.parametrize("target", ["a file", "nothing"])
def test_an_output_that_is_a_link_is_never_followed(
    target, link, photo, painting, tmp_path, capsys
):
    elsewhere, out = tmp_path / "elsewhere.png", tmp_path / link
    if target == "a file":
        elsewhere.write_bytes(b"precious")
    out.symlink_to(elsewhere)
    words = ["stylize", str(photo), str(painting), "-o", str(tmp_path / "out.png"), *QUICK, *OFTEN]
    if link == "out.checkpoint":
        assert main(words) == (2 if target == "a file" else 0)
        assert "no checkpoint of impasto's" in capsys.readouterr().err or target == "nothing"
    else:
        assert main(words) == 2
        assert "--overwrite" in capsys.readouterr().err
        assert out.is_symlink()
        assert main([*words, "--overwrite"]) == 0
        assert not out.is_symlink()
    assert elsewhere.exists() == (target == "a file")
    if target == "a file":
        assert elsewhere.read_bytes() == b"precious"


def test_a_clock_that_jumps_is_not_asked():
    """Whatever lasts is measured by the monotonic clock; nothing asks for the time of day."""
    for path in sorted(Path(atomic.__file__).parents[1].rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Attribute):
                assert ast.unparse(node) not in ("time.time", "datetime.now", "date.today"), path


def test_without_a_home_networks_need_a_folder(monkeypatch):
    monkeypatch.delenv("IMPASTO_MODELS", raising=False)
    monkeypatch.setattr(cache, "user_cache_path", lambda name: Path("~/.cache") / name)
    with pytest.raises(WeightsError, match="IMPASTO_MODELS"):
        cache.models_folder()


def test_weights_that_are_deleted_during_a_run(photo, painting, tmp_path):
    weights = tmp_path / "own.safetensors"
    shutil.copy(COMPACT_FILE, weights)
    options = {"size": 40, "scales": 2, "steps": (2, 2), "precision": "fp32"}
    options |= {"method": "statistics"}
    expected = Stylizer()(photo, painting, **options)
    job = Stylizer(weights=weights).job(photo, painting, **options)
    for state in job:
        if state.step == 1:
            weights.unlink()
    found = job.result().record["result"]
    assert found["sha256"] == expected.record["result"]["sha256"]


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="names of files are text elsewhere")
def test_a_strange_place(photo, painting, tmp_path):
    """Names that are no text, one core, no home, no other environment."""
    here = tmp_path / os.fsdecode(b"caf\xe9")
    here.mkdir()
    name = here / os.fsdecode(b"ph\xf8to.png")
    shutil.copy(photo, name)
    done = subprocess.run(
        [sys.executable, "-m", "impasto", "stylize", str(name), str(painting), *QUICK[1:]],
        check=False,
        capture_output=True,
        cwd=here,
        env={key: value for key, value in os.environ.items() if key == "PYTHONPATH"},
        preexec_fn=lambda: os.sched_setaffinity(0, {min(os.sched_getaffinity(0))}),
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout == b"ph\xf8to+painting.png\n"
    made = here / os.fsdecode(b"ph\xf8to+painting.png")
    assert read_record(made).inputs["content"][0].name == name.name
    assert main(["show", str(made)]) == 0


@pytest.mark.slow
def test_a_slice_of_the_signals(tmp_path):
    for stop in stops(2, tmp_path / "stops", seed=3, jobs=2):
        assert stop.is_good, stop


@pytest.mark.slow
def test_a_slice_of_the_signals_to_a_film(make_film, tmp_path):
    for stop in stops(1, tmp_path / "stops", seed=3, film=True):
        assert stop.is_good, stop


@pytest.mark.slow
@pytest.mark.parametrize("film", [False, True])
def test_signals_at_every_stage(film, make_film, tmp_path):
    results = list(stops(40, tmp_path / "stops", film=film))
    assert [stop for stop in results if not stop.is_good] == []
    assert {stop.status for stop in results} >= {128 + signal.SIGINT, 128 + signal.SIGTERM}


@pytest.mark.slow
def test_two_runs_at_once(photo, painting, tmp_path):
    """Of one output: one makes it, the other says so. The cache is read by both."""
    out = tmp_path / "out.png"
    words = [sys.executable, "-m", "impasto", "stylize", str(photo), str(painting), "-o", str(out)]
    both = [subprocess.Popen([*words, *QUICK], stderr=subprocess.PIPE, text=True) for _ in range(2)]
    ends = [(process.communicate(timeout=300)[1], process.returncode) for process in both]
    assert sorted(status for _, status in ends) == [0, 2]
    said = "".join(text for text, _ in ends)
    _one_sentence(said)
    assert "Another impasto" in said or "exists already" in said
    assert json.loads((tmp_path / "out.json").read_text())["result"]["finished"]
    assert not list(tmp_path.glob(".*"))

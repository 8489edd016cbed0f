"""impasto video."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch

import impasto.jobs.film
from impasto.cli import main
from impasto.files import atomic
from impasto.files.films.reader import open_clip, read_frames

QUICK = [
    "--size", "48", "--steps", "3", "--scales", "1", "--frame-steps", "2", "--precision", "fp32",
    "--threads", "1",
]  # fmt: skip


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch) -> Path:
    here = tmp_path / "here"
    here.mkdir()
    monkeypatch.chdir(here)
    return here


@pytest.fixture
def clip(make_film, moving, tmp_path) -> Path:
    return make_film(
        tmp_path / "clip.mp4", moving(5), codec="libx264", pixels="yuv420p", sound="aac"
    )


def _frames(path) -> list[torch.Tensor]:
    return [frame.picture for frame in read_frames(open_clip(Path(path)))]


def test_a_film_by_its_default_name(clip, painting, folder, capsys):
    assert main(["video", str(clip), str(painting), *QUICK]) == 0
    assert {path.name for path in folder.iterdir()} == {"clip+painting.mp4", "clip+painting.json"}
    printed = capsys.readouterr()
    assert printed.out == "clip+painting.mp4\n"
    assert "frame 5/5" in printed.err
    found = open_clip(Path("clip+painting.mp4"))
    assert (found.size, found.has_sound, len(_frames("clip+painting.mp4"))) == ((32, 48), True, 5)
    with pytest.raises(FileNotFoundError):
        Path("clip+painting.mp4.frames").stat()


def test_options_reach_the_film(clip, painting, folder):
    words = ["--temporal", "off", "--long-term", "1,3", "--codec", "ffv1", "--every", "2", "-q"]
    assert main(["video", str(clip), str(painting), *words, *QUICK]) == 0
    film = json.loads(Path("clip+painting.json").read_text())["film"]
    assert (film["temporal"], film["long_term"], film["every"]) == ("off", [1, 3], 2)
    assert len(_frames("clip+painting.mkv")) == 3
    words = ["--temporal", "7.5", "-o", "two.mp4", "--save-flow", "flow", "-q"]
    assert main(["video", str(clip), str(painting), str(painting), *words, *QUICK]) == 0
    assert json.loads(Path("two.json").read_text())["film"]["temporal"] == 7.5
    assert len(list(Path("flow").iterdir())) == 2 * (4 + 3 + 1)


def test_ctrl_c_keeps_the_film_so_far_and_resume_ends_it(
    clip, painting, folder, capsys, monkeypatch
):
    words = ["video", str(clip), str(painting), "--codec", "ffv1", *QUICK]
    assert main([*words, "-o", "whole.mkv", "-q"]) == 0
    make, count = impasto.jobs.film.Shot.following, 0

    def interrupted(*arguments, **options):
        nonlocal count
        count += 1
        if count == 3:
            raise KeyboardInterrupt
        return make(*arguments, **options)

    monkeypatch.setattr(impasto.jobs.film.Shot, "following", interrupted)
    assert main([*words, "-o", "film.mkv", "--preview"]) == 130
    assert "the film so far (3 of about 5 frames) is in film.mkv" in capsys.readouterr().err
    assert len(_frames("film.mkv")) == 3
    assert main([*words, "-o", "film.mkv", "--preview", "--resume", "-q"]) == 0
    assert all(map(torch.equal, _frames("film.mkv"), _frames("whole.mkv")))
    assert len(_frames("film.mkv")) == 5
    names = {path.name for path in folder.iterdir()}
    assert names == {"film.mkv", "film.json", "whole.mkv", "whole.json"}


def test_a_damaged_film_is_one_sentence_and_its_beginning_is_kept(
    make_film, moving, painting, tmp_path, capsys
):
    film = make_film(
        tmp_path / "clip.mkv", moving(12), codec="libx264", pixels="yuv420p", options={"g": "3"}
    )
    film.write_bytes(film.read_bytes()[: film.stat().st_size * 3 // 4])
    assert main(["video", str(film), str(painting), "-o", "out.mp4", "-q", *QUICK]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert "'clip.mkv' is damaged after" in line
    assert "the film so far" in line
    assert 0 < len(_frames("out.mp4")) < 12


@pytest.mark.parametrize("refused", ["film.mkv.frames", "here"])
def test_what_cannot_be_written_is_one_sentence_and_nothing_is_lost(
    refused, clip, painting, folder, capsys, monkeypatch
):
    """What goes into a folder: the frames, or the film itself once they are made."""
    flush, refusing = atomic._flush, True

    def full(path: Path) -> None:
        if refusing and path.absolute().parent.name == refused:
            raise OSError(28, "No space left on device")
        flush(path)

    monkeypatch.setattr(atomic, "_flush", full)
    words = ["video", str(clip), str(painting), "-o", "film.mkv", "--codec", "ffv1", "-q", *QUICK]
    assert main(words) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert "no space left" in line
    kept = {path.name for path in folder.iterdir()}
    if refused == "here":
        assert "the finished frames (5) are in film.mkv.frames; --resume goes on" in line
        assert kept == {"film.mkv.frames"}
    else:
        assert "no frame is finished yet" in line
        assert kept == set()
    refusing = False
    assert main([*words, "--resume"]) == 0
    assert len(_frames("film.mkv")) == 5


def test_a_finished_film_has_nothing_to_resume(clip, painting, folder, capsys):
    words = ["video", str(clip), str(painting), "-o", "film.mkv", "-q", *QUICK]
    assert main(words) == 0
    made = Path("film.mkv").read_bytes()
    assert main([*words, "--resume"]) == 2
    assert "'film.mkv' is finished" in capsys.readouterr().err
    assert Path("film.mkv").read_bytes() == made


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["CLIP"], "painting is needed"),
        (["nowhere.mp4", "PAINTING"], "nowhere.mp4"),
        (["CLIP", "nowhere.jpg"], "nowhere.jpg"),
        (["PAINTING", "PAINTING"], "a single picture"),
        (["CLIP", "PAINTING", "-o", "no/such.mp4"], "does not exist"),
        (["CLIP", "PAINTING", "-o", "film.gif"], "known film format"),
        (["CLIP", "PAINTING", "--temporal", "some"], "temporal"),
        (["CLIP", "PAINTING", "--start", "2", "--end", "1"], "--start"),
        (["CLIP", "PAINTING", "--codec", "nonsense"], "nonsense"),
    ],
)
def test_bad_input_is_one_sentence(words, said, clip, painting, folder, capsys):
    known = {"CLIP": str(clip), "PAINTING": str(painting)}
    assert main(["video", *(known.get(word, word) for word in words)]) == 2
    printed = capsys.readouterr()
    assert said in printed.err
    assert len(printed.err.splitlines()) == 1
    assert not list(folder.iterdir())


def _start(words: list[str]) -> subprocess.Popen[bytes]:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    return subprocess.Popen(
        [sys.executable, "-m", "impasto", *words], env=environment, stderr=subprocess.DEVNULL
    )


@pytest.mark.slow
def test_killed_at_twenty_moments_it_is_the_same_film(clip, painting, folder):
    words = ["video", str(clip), str(painting), "--codec", "ffv1", "-q", "--passes", "2", *QUICK]
    begun = time.monotonic()
    assert _start([*words, "-o", "whole.mkv"]).wait() == 0
    seconds = time.monotonic() - begun
    whole = _frames("whole.mkv")
    for kill in range(20):
        name = f"film{kill}.mkv"
        process = _start([*words, "-o", name])
        time.sleep(seconds * (kill + 0.5) / 20)
        process.send_signal(signal.SIGKILL)
        process.wait()
        finished = Path(f"film{kill}.json").exists() and not Path(f"{name}.frames").exists()
        kept = {path.name: path.stat().st_mtime_ns for path in Path(f"{name}.frames").glob("*.png")}
        if not finished:
            assert _start([*words, "-o", name, "--resume"]).wait() == 0
        again = _frames(name)
        assert len(again) == len(whole)
        assert all(map(torch.equal, again, whole)), (kill, len(kept))
        assert not list(folder.glob(".*.part")), kill

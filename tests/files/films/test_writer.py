"""Frames into films: what is written is read back."""

from __future__ import annotations

import time
from fractions import Fraction
from pathlib import Path

import pytest
import torch

from impasto.errors import OutputError
from impasto.files.films.form import choose_form
from impasto.files.films.reader import open_clip, read_frames
from impasto.files.films.writer import Finished, FolderWriter, film_writer, preview_writer
from impasto.files.pictures.images import read_picture


@pytest.fixture
def source(make_film, moving, tmp_path) -> Path:
    """Ten frames, one second of sound."""
    return make_film(
        tmp_path / "source.mp4", moving(10), codec="libx264", pixels="yuv420p", sound="aac"
    )


def _write(path: Path, clip, pictures, *, name: str | None = None, deep: bool = False) -> Path:
    height, width = pictures[0].shape[-2:]
    form, _ = choose_form(path, name, clip, (height, width), deep=deep)
    frames = list(read_frames(clip))
    with film_writer(path, form, clip, (height, width)) as writer:
        for picture, frame in zip(pictures, frames, strict=False):
            alpha = frame.alpha if form.has_alpha else None
            writer.write(Finished(picture, frame.time, alpha, frame.duration))
    return path


@pytest.mark.parametrize(
    ("name", "suffix", "deep", "error"),
    [
        (None, ".mp4", False, 0.03),
        ("h264", ".mkv", True, 0.03),
        ("hevc", ".mp4", False, 0.04),
        (None, ".webm", False, 0.04),
        ("prores", ".mov", True, 0.01),
        ("ffv1", ".mkv", False, 0.5 / 255 + 1e-4),
        ("ffv1", ".mkv", True, 0.5 / 65535 + 1e-5),
        ("mpeg4", ".mp4", False, 0.1),
    ],
)
def test_codecs(source, moving, tmp_path, name, suffix, deep, error):
    clip = open_clip(source)
    side = 64 if name == "hevc" else 32
    pictures = [picture * 0.9 for picture in moving(10, side, 96 if name == "hevc" else 48)]
    film = _write(tmp_path / f"film{suffix}", clip, pictures, name=name, deep=deep)
    found = open_clip(film)
    frames = list(read_frames(found))
    assert found.is_deep == deep
    assert len(frames) == 10
    assert [float(f.time * found.time_base) for f in frames] == pytest.approx(
        [i / 10 for i in range(10)], abs=2e-3
    )
    worst = max(
        float((frame.picture - picture).abs().mean())
        for frame, picture in zip(frames, pictures, strict=True)
    )
    assert worst < error


def test_uneven_times_are_written_as_they_are(make_film, moving, tmp_path):
    times = [0, 3, 20, 21, 50]
    clip = open_clip(make_film(tmp_path / "clip.mkv", moving(5), times=times))
    found = open_clip(_write(tmp_path / "film.mp4", clip, moving(5)))
    assert [float(f.time * found.time_base) for f in read_frames(found)] == pytest.approx(
        [t / 100 for t in times], abs=1e-3
    )


def test_a_preview_can_be_played_while_it_is_written(source, moving, tmp_path):
    path = tmp_path / "film.preview.mp4"
    clip = open_clip(source)
    with preview_writer(path, clip, (32, 48)) as writer:
        for number in range(40):
            at = number * int(clip.time_base.denominator / 10)
            writer.write(Finished(moving(2)[number % 2], at))
        deadline = time.monotonic() + 10
        while path.stat().st_size < 3000 and time.monotonic() < deadline:
            time.sleep(0.01)
        copy = tmp_path / "copy.mp4"
        copy.write_bytes(path.read_bytes())
    assert next(read_frames(open_clip(copy))).index == 0
    assert len(list(read_frames(open_clip(path)))) == 40


def test_a_folder_of_frames(moving, tmp_path):
    writer = FolderWriter(tmp_path)
    for picture in moving(2):
        writer.write(Finished(picture, 0))
    assert {path.name for path in tmp_path.iterdir()} == {"000001.png", "000002.png"}
    found = read_picture(tmp_path / "000002.png").tensor
    torch.testing.assert_close(found, moving(2)[1], atol=0.5 / 255 + 1e-6, rtol=0)


def test_a_folder_that_is_not_there_is_one_sentence(source, moving, tmp_path):
    with pytest.raises(OutputError, match="could not be written"):
        _write(tmp_path / "nowhere" / "film.mp4", open_clip(source), moving(1))


def test_rates_of_folders_are_written(moving, tmp_path):
    folder = tmp_path / "frames"
    folder.mkdir()
    writer = FolderWriter(folder)
    for picture in moving(4):
        writer.write(Finished(picture, 0))
    clip = open_clip(folder, fps=Fraction(5))
    found = open_clip(_write(tmp_path / "film.mp4", clip, moving(4)))
    assert found.rate == 5
    assert found.seconds == pytest.approx(0.8)

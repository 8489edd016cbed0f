"""Frames into films: what is written is read back."""

from __future__ import annotations

import time
from fractions import Fraction
from pathlib import Path

import pytest
import torch

from impasto.errors import FilmError, OutputError
from impasto.files.images import read_picture
from impasto.files.video import open_clip, read_frames
from impasto.files.video_output import (
    SUFFIXES,
    FolderWriter,
    check_container,
    codec_for,
    film_writer,
    preview_writer,
)
from impasto.film_recipe import Part


@pytest.fixture
def source(make_film, moving, tmp_path) -> Path:
    """Ten frames, one second of sound."""
    return make_film(
        tmp_path / "source.mp4", moving(10), codec="libx264", pixels="yuv420p", sound="aac"
    )


def _write(path: Path, clip, pictures, *, name: str | None = None, deep: bool = False) -> Path:
    kind, codec = SUFFIXES[path.suffix], codec_for(name, path)
    check_container(path, codec)
    times = [frame.time for frame in read_frames(clip)]
    with film_writer(path, kind, clip, (32, 48), codec, deep=deep) as writer:
        for picture, time in zip(pictures, times, strict=False):
            writer.write(picture, time)
    return path


def _sound(path: Path) -> list[bytes]:
    av = pytest.importorskip("av")
    with av.open(str(path)) as container:
        return [bytes(packet) for packet in container.demux(audio=0) if packet.size]


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
    pictures = [picture * 0.9 for picture in moving(10)]
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


def test_sound_is_copied_where_the_container_takes_it(source, moving, tmp_path):
    film = _write(tmp_path / "film.mov", open_clip(source), moving(10))
    assert _sound(film) == _sound(source) != []


def test_sound_is_encoded_anew_elsewhere(source, moving, tmp_path):
    av = pytest.importorskip("av")
    film = _write(tmp_path / "film.webm", open_clip(source), moving(10))
    with av.open(str(film)) as container:
        assert container.streams.audio[0].codec_context.name == "opus"
        samples = sum(frame.samples for frame in container.decode(audio=0))
    assert abs(samples / 48000 - 1) < 0.1


def test_sound_of_a_part(source, moving, tmp_path):
    av = pytest.importorskip("av")
    clip = open_clip(source, Part(0.3, 0.8))
    film = _write(tmp_path / "film.mp4", clip, moving(5))
    with av.open(str(film)) as container:
        seconds = sum(frame.samples for frame in container.decode(audio=0)) / 48000
    assert abs(seconds - 0.5) < 0.06


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
            writer.write(moving(2)[number % 2], number * int(clip.time_base.denominator / 10))
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
        writer.write(picture, 0)
    assert {path.name for path in tmp_path.iterdir()} == {"000001.png", "000002.png"}
    found = read_picture(tmp_path / "000002.png").tensor
    torch.testing.assert_close(found, moving(2)[1], atol=0.5 / 255 + 1e-6, rtol=0)


def test_what_cannot_be_written_is_one_sentence(source, moving, tmp_path):
    with pytest.raises(FilmError, match="no encoder 'nonsense'"):
        codec_for("nonsense", None)
    with pytest.raises(FilmError, match="no encoder of pictures"):
        codec_for("aac", None)
    with pytest.raises(OutputError, match="no known format"):
        check_container(tmp_path / "film.xyz", codec_for(None, None))
    with pytest.raises(OutputError, match="hold no"):
        check_container(tmp_path / "film.webm", codec_for("h264", None))
    with pytest.raises(OutputError, match="could not be written"):
        _write(tmp_path / "nowhere" / "film.mp4", open_clip(source), moving(1))


def test_rates_of_folders_are_written(moving, tmp_path):
    folder = tmp_path / "frames"
    folder.mkdir()
    writer = FolderWriter(folder)
    for picture in moving(4):
        writer.write(picture, 0)
    clip = open_clip(folder, fps=Fraction(5))
    found = open_clip(_write(tmp_path / "film.mp4", clip, moving(4)))
    assert found.rate == 5
    assert found.seconds == pytest.approx(0.8)

"""Codecs and containers: what goes with what, and what holds transparency."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from impasto.errors import FilmError, OutputError
from impasto.files.films.codecs import CODECS, check_container, codec_for, with_alpha
from impasto.files.films.form import choose_form
from impasto.files.films.reader import open_clip, read_frames
from impasto.files.films.writer import Finished, film_writer

av = pytest.importorskip("av")
SIZE = (32, 48)


@pytest.fixture
def clear(tmp_path) -> Path:
    """Three frames of a half transparent square that moves over nothing."""
    folder = tmp_path / "clear"
    folder.mkdir()
    for number in range(3):
        levels = np.zeros((*SIZE, 4), np.uint8)
        levels[8:24, 8 + 8 * number : 24 + 8 * number] = (200, 100, 50, 128)
        Image.fromarray(levels).save(folder / f"{number}.png")
    return folder


def _written(source: Path, target: Path, codec: str | None = None):
    clip = open_clip(source)
    form, notes = choose_form(target, codec, clip, SIZE, deep=False)
    with film_writer(target, form, clip, SIZE) as writer:
        for frame in read_frames(clip):
            alpha = frame.alpha if form.has_alpha else None
            writer.write(Finished(frame.picture, frame.time, alpha, frame.duration))
    return notes


@pytest.mark.parametrize(
    ("name", "codec"),
    [
        ("film.mov", None),
        ("film.webm", None),
        ("film.mkv", None),
        ("film.mov", "prores"),
        ("film.mkv", "ffv1"),
        ("film.mov", "qtrle"),
        ("film.mov", "png"),
    ],
)
def test_alpha_is_kept_where_it_can_be_held(name, codec, clear, tmp_path):
    assert _written(clear, tmp_path / name, codec) == ()
    found = list(read_frames(open_clip(tmp_path / name)))
    assert len(found) == 3
    for frame, source in zip(found, read_frames(open_clip(clear)), strict=True):
        assert float((frame.alpha - source.alpha).abs().mean()) < 0.03
        shown = source.alpha > 0
        difference = (frame.picture - source.picture).abs().mean(1, keepdim=True)
        assert float(difference[shown].mean()) < 0.06


@pytest.mark.parametrize(
    ("name", "codec"),
    [("film.mp4", None), ("film.mp4", "vp9"), ("film.mov", "h264"), ("film.mkv", "hevc")],
)
def test_where_alpha_cannot_be_held_a_sentence_says_so(name, codec, clear, tmp_path):
    clip, size = open_clip(clear), (64, 96)
    form, notes = choose_form(tmp_path / name, codec, clip, size, deep=False)
    assert not form.has_alpha
    assert "cannot hold transparency" in notes[0]
    assert not (tmp_path / name).exists()


def test_alpha_that_is_not_asked_for_changes_nothing(make_film, moving, tmp_path):
    clip = open_clip(make_film(tmp_path / "clip.mkv", moving(3)))
    form, notes = choose_form(tmp_path / "film.mov", None, clip, SIZE, deep=False)
    assert (form.codec, form.has_alpha, notes) == (CODECS["h264"], False, ())
    assert with_alpha(CODECS["h264"], "mp4") is None
    assert with_alpha(CODECS["vp9"], "mp4") is None


@pytest.mark.parametrize(
    ("name", "codec", "matrix", "transfer"),
    [
        ("film.mp4", None, 1, 1),
        ("film.webm", None, 1, 1),
        ("film.mov", "prores", 1, 1),
        ("film.mkv", "ffv1", 0, 13),
    ],
)
def test_colours_are_named_in_the_file(name, codec, matrix, transfer, make_film, moving, tmp_path):
    _written(make_film(tmp_path / "clip.mkv", moving(3)), tmp_path / name, codec)
    with av.open(str(tmp_path / name)) as container:
        context = container.streams.video[0].codec_context
        assert (context.color_primaries, context.color_trc) == (1, transfer)
        assert context.colorspace == matrix
        assert context.color_range == 1 or not matrix


@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".mov", ".webm"])
def test_the_last_frame_keeps_its_length(suffix, make_film, moving, tmp_path):
    clip = open_clip(make_film(tmp_path / "clip.mkv", moving(3)))
    film = tmp_path / f"film{suffix}"
    form, _ = choose_form(film, None, clip, SIZE, deep=False)
    unit = float(clip.time_base)
    with film_writer(film, form, clip, SIZE) as writer:
        for number, picture in enumerate(moving(3)):
            length = round((1.5 if number == 2 else 0.1) / unit)
            writer.write(Finished(picture, round(0.1 * number / unit), None, length))
    assert open_clip(film).seconds == pytest.approx(1.7, abs=0.01)


def test_an_encoder_that_does_not_work_is_refused_before_any_frame(
    make_film, moving, tmp_path, monkeypatch
):
    clip = open_clip(make_film(tmp_path / "clip.mkv", moving(3)))
    broken = CODECS["vp9"].__class__("libx264", {"profile": "no such"}, "yuv420p", "yuv420p")
    monkeypatch.setitem(CODECS, "broken", broken)
    with pytest.raises(OutputError, match="choose another"):
        choose_form(tmp_path / "film.mp4", "broken", clip, SIZE, deep=False)
    with pytest.raises(OutputError, match="at least 64 pixels"):
        choose_form(tmp_path / "film.mp4", "hevc", clip, SIZE, deep=False)
    assert not (tmp_path / "film.mp4").exists()


def test_what_cannot_be_written_is_one_sentence(tmp_path):
    with pytest.raises(FilmError, match="no encoder 'nonsense'"):
        codec_for("nonsense", None)
    with pytest.raises(FilmError, match="not a video encoder"):
        codec_for("aac", None)
    with pytest.raises(OutputError, match="known film format"):
        check_container(tmp_path / "film.xyz", codec_for(None, None))
    with pytest.raises(OutputError, match="cannot hold"):
        check_container(tmp_path / "film.webm", codec_for("h264", None))


def test_alpha_of_every_frame_or_of_none(clear, tmp_path):
    """A frame that is opaque all over, between others, is opaque in the film."""
    Image.new("RGB", SIZE[::-1], "teal").save(clear / "1.png")
    frames = list(read_frames(open_clip(clear)))
    assert frames[1].alpha is None
    clip = open_clip(clear)
    form, _ = choose_form(tmp_path / "film.mov", None, clip, SIZE, deep=False)
    with film_writer(tmp_path / "film.mov", form, clip, SIZE) as writer:
        for frame in frames:
            alpha = torch.ones(1, 1, *SIZE) if frame.alpha is None else frame.alpha
            writer.write(Finished(frame.picture, frame.time, alpha))
    found = [each.alpha for each in read_frames(open_clip(tmp_path / "film.mov"))]
    assert [each is None for each in found] == [False, True, False]

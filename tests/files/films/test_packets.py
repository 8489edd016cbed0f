"""Holes in films: packets that a container held and skips without a word."""

from __future__ import annotations

import math

import pytest

from impasto.errors import FilmError
from impasto.files.films.packets import walk
from impasto.files.films.reader import open_clip, read_frames
from impasto.recipe.film import FrameRange


@pytest.mark.parametrize("suffix", [".mkv", ".mp4"])
def test_a_film_damaged_anywhere_in_the_middle(make_film, moving, tmp_path, suffix):
    """The codec notices, or its container skips packets, raises nothing and is found out."""
    kind = {"codec": "libx264", "pixels": "yuv420p", "options": {"g": "5"}}
    whole = make_film(tmp_path / f"whole{suffix}", moving(40), **kind).read_bytes()
    bad = tmp_path / f"clip{suffix}"
    for start in range(len(whole) // 4, len(whole) // 2, len(whole) // 50):
        bad.write_bytes(whole[:start] + bytes(range(200)) * 2 + whole[start + 400 :])
        times = []
        with pytest.raises(FilmError, match="clip"):
            times.extend(frame.time for frame in read_frames(open_clip(bad)))
        assert len(times) < 40


def test_a_frame_held_for_long_is_no_damage(make_film, moving, tmp_path):
    times = [0, 10, 20, 30, 400, 410, 420, 900]
    film = make_film(tmp_path / "clip.mkv", moving(8), times=times)
    assert len(list(read_frames(open_clip(film)))) == 8
    film.write_bytes(film.read_bytes() + bytes(2000))  # what follows the film is no part of it
    assert len(list(read_frames(open_clip(film)))) == 8


def test_a_part_beyond_the_damage_can_be_read(make_film, moving, tmp_path):
    film = make_film(tmp_path / "clip.mkv", moving(40), options={"g": "1"})
    whole = film.read_bytes()
    start = len(whole) // 3
    film.write_bytes(whole[:start] + bytes(4000) + whole[start + 4000 :])
    with pytest.raises(FilmError, match="damaged after"):
        list(read_frames(open_clip(film)))
    assert len(list(read_frames(open_clip(film, FrameRange(3.0))))) == 10
    assert len(list(read_frames(open_clip(film, FrameRange(0.0, 0.5))))) == 5


def test_a_hole_is_where_bytes_and_a_step_are_missed(make_film, moving, tmp_path):
    film = make_film(tmp_path / "clip.mkv", moving(40), options={"g": "1"})
    assert walk(film, 0).holes == ()
    whole = film.read_bytes()
    start = len(whole) // 3
    film.write_bytes(whole[:start] + bytes(4000) + whole[start + 4000 :])
    at = walk(film, 0).holes[0]
    assert 1.0 < at < 2.5
    assert math.isclose(at, open_clip(film).hole)

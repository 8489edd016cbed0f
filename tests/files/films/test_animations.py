"""Animated pictures as films."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from impasto.errors import FilmError
from impasto.files.films.animations import is_animation
from impasto.files.films.reader import open_clip, read_frames
from impasto.recipe.film import FrameRange

LENGTHS = [100, 200, 50, 400]


def _pictures(mode: str, suffix: str = "png") -> list[Image.Image]:
    """A square that moves over nothing, or over grey; half of it is half transparent but in GIF."""
    pictures = []
    for number in range(4):
        levels = np.zeros((32, 48, 4), np.uint8) if mode == "RGBA" else None
        levels = np.full((32, 48, 3), 128, np.uint8) if levels is None else levels
        levels[8:24, 8 * number : 8 * number + 16] = (200, 40, 40, 255)[: levels.shape[2]]
        levels[16:24, 8 * number : 8 * number + 16, 3:] = 255 if suffix == "gif" else 128
        pictures.append(Image.fromarray(levels))
    return pictures


def _saved(path: Path, mode: str, **options) -> Path:
    first, *others = _pictures(mode, path.suffix[1:])
    first.save(path, save_all=True, append_images=others, duration=LENGTHS, **options)
    return path


@pytest.mark.parametrize("mode", ["RGB", "RGBA"])
@pytest.mark.parametrize(
    ("suffix", "options", "error"),
    [
        ("gif", {"disposal": 2}, 1),
        ("png", {}, 0.5),
        ("webp", {"lossless": True}, 0.5),
        ("avif", {"quality": 95}, 4),
    ],
)
def test_all_frames_their_lengths_and_their_alpha(tmp_path, suffix, options, error, mode):
    clip = open_clip(_saved(tmp_path / f"clip.{suffix}", mode, **options))
    frames = list(read_frames(clip))
    assert [frame.duration for frame in frames] == LENGTHS
    assert [frame.time for frame in frames] == [0, 100, 300, 350]
    assert (clip.frames, clip.seconds, clip.size) == (4, 0.75, (32, 48))
    assert clip.has_alpha == (mode == "RGBA")
    for frame, picture in zip(frames, _pictures(mode, suffix), strict=True):
        levels = np.asarray(picture)
        shown = frame.picture[0].permute(1, 2, 0).numpy() * 255
        if mode == "RGBA":
            np.testing.assert_allclose(frame.alpha[0, 0].numpy() * 255, levels[..., 3], atol=2)
            expected = np.full((32, 48, 3), (200, 40, 40))  # on a ground of what is visible
        else:
            assert frame.alpha is None
            expected = levels
        assert np.abs(shown - expected).mean() < error


def test_a_part(tmp_path):
    path = _saved(tmp_path / "clip.png", "RGB")
    frames = list(read_frames(open_clip(path, FrameRange(0.2, 0.4))))
    assert [(frame.time, frame.duration) for frame in frames] == [(100, 50), (150, 50)]
    frames = list(read_frames(open_clip(path, FrameRange(every=2))))
    assert [(frame.time, frame.duration) for frame in frames] == [(0, 300), (300, 450)]
    with pytest.raises(FilmError, match="no frame in that part"):
        open_clip(path, FrameRange(5))


def test_a_picture_for_programs_that_know_no_animation_is_no_frame(tmp_path):
    first, *others = _pictures("RGB")
    path = tmp_path / "clip.png"
    Image.new("RGB", (48, 32), "white").save(
        path, save_all=True, append_images=[first, *others], duration=LENGTHS, default_image=True
    )
    frames = list(read_frames(open_clip(path)))
    assert [frame.duration for frame in frames] == LENGTHS
    assert float(frames[0].picture.mean()) < 0.6


def test_no_time_at_all_is_a_tenth_of_a_second(tmp_path):
    first, *others = _pictures("RGB")
    first.save(tmp_path / "clip.gif", save_all=True, append_images=others, duration=0)
    assert [f.duration for f in read_frames(open_clip(tmp_path / "clip.gif"))] == [100] * 4


def test_bad_input_is_one_sentence(tmp_path, painting):
    with pytest.raises(FilmError, match="a single picture"):
        open_clip(painting)
    path = _saved(tmp_path / "clip.png", "RGB")
    with pytest.raises(FilmError, match="max-pixels"):
        open_clip(path, max_pixels=100)
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(FilmError, match=r"clip\.png"):
        open_clip(path)


def test_told_by_content(tmp_path, make_film, moving):
    path = _saved(tmp_path / "clip.png", "RGB")
    assert is_animation(path.rename(tmp_path / "clip.mp4"))
    assert not is_animation(make_film(tmp_path / "clip.mkv", moving(2)))

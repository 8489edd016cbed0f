"""Frames of any matrix, range, primaries and curve: the same colours come out."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from impasto.errors import FilmError
from impasto.files.films.reader import open_clip, read_frames

MATRICES = {"709": 1, "601": 6, "2020": 9}


def _film(path: Path, signal, pixels: str, tags: dict[str, int], codec: str = "ffv1") -> Path:
    """Two frames of ``(H, W, 3)`` in [0, 1], their numbers meaning what the tags say."""
    av = pytest.importorskip("av")
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=10)
        stream.height, stream.width = signal.shape[:2]
        stream.pix_fmt = pixels
        levels = np.round(signal * 65535).astype(np.uint16)
        frame = av.VideoFrame.from_ndarray(levels, format="rgb48le").reformat(
            format=pixels,
            dst_colorspace=tags["colorspace"],
            dst_color_range=tags["color_range"],
        )
        for name, value in tags.items():
            setattr(stream.codec_context, name, value)
            setattr(frame, name, value)
        for number in range(2):
            frame.pts, frame.time_base = number, Fraction(1, 10)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


def _tags(matrix: str, *, full: bool = False, primaries: int = 1, transfer: int = 1):
    return {
        "colorspace": MATRICES[matrix],
        "color_range": 2 if full else 1,
        "color_primaries": primaries,
        "color_trc": transfer,
    }


def _shown(path: Path):
    return next(read_frames(open_clip(path))).picture[0].permute(1, 2, 0).numpy()


@pytest.fixture
def colors(waves):
    return waves(32, 48)[0].permute(1, 2, 0).numpy()


@pytest.mark.parametrize("full", [False, True])
@pytest.mark.parametrize("matrix", ["709", "601", "2020"])
def test_the_matrix_and_the_range_are_those_that_the_film_says(colors, tmp_path, matrix, full):
    film = _film(tmp_path / "clip.mkv", colors, "yuv444p", _tags(matrix, full=full))
    assert np.abs(_shown(film) - colors).mean() * 255 < 1


@pytest.mark.parametrize(("transfer", "kind"), [(16, "PQ"), (18, "HLG")])
def test_high_dynamic_range_is_tone_mapped(tmp_path, transfer, kind):
    """A grey wedge up to white, 203 nits or 75% signal."""
    white = {16: 0.5807, 18: 0.75}[transfer]
    signal = np.full((32, 48, 3), white)
    signal[:, :24] = 0
    film = _film(
        tmp_path / "clip.mkv", signal, "yuv444p10le",
        _tags("2020", primaries=9, transfer=transfer),
    )  # fmt: skip
    shown = _shown(film) * 255
    assert shown[:, 30:].mean() == pytest.approx(252, abs=2)
    assert shown[:, :18].mean() < 1
    (note,) = open_clip(film).notes
    assert f"high dynamic range ({kind})" in note
    assert "tone-mapped" in note


def test_colors_of_a_wide_gamut_are_converted_and_it_is_said(colors, tmp_path):
    plain = _shown(_film(tmp_path / "a.mkv", colors, "yuv444p10le", _tags("709")))
    tags = _tags("709", primaries=12, transfer=13)
    film = _film(tmp_path / "b.mkv", colors, "yuv444p10le", tags)
    assert "Display P3" in open_clip(film).notes[0]
    found = _shown(film) - plain
    grey = np.full((32, 48, 3), 0.5)
    assert np.abs(found).max() > 0.03
    tags = _tags("2020", primaries=9, transfer=14)
    same = _shown(_film(tmp_path / "c.mkv", grey, "yuv444p10le", tags))
    assert np.abs(same - 0.5).max() < 0.005


def test_colors_that_nothing_here_reads_are_refused(colors, tmp_path, monkeypatch):
    film = _film(tmp_path / "clip.mkv", colors, "yuv444p", _tags("709"))
    av = pytest.importorskip("av")

    def refused(frame):
        raise av.error.OSError(95, "Operation not supported")

    monkeypatch.setattr("impasto.files.films.container_reader.upright", refused)
    with pytest.raises(FilmError, match=r"colours of 'clip.mkv'.*convert it to BT.709"):
        open_clip(film)


@pytest.mark.parametrize(
    ("codec", "pixels", "suffix"),
    [("ffv1", "bgra", "mkv"), ("prores_ks", "yuva444p10le", "mov"), ("qtrle", "argb", "mov")],
)
def test_alpha_is_read_on_one_ground(tmp_path, codec, pixels, suffix):
    """Two squares of different places and colours: the ground is the first frame's colour."""
    av = pytest.importorskip("av")
    path = tmp_path / f"clip.{suffix}"
    levels = np.zeros((2, 32, 48, 4), np.uint8)
    levels[0, 8:24, 8:24] = (200, 40, 40, 255)
    levels[1, 8:24, 24:40] = (40, 40, 200, 255)
    with av.open(str(path), "w") as container:
        options = {"profile": "4"} if codec == "prores_ks" else {}
        stream = container.add_stream(codec, rate=10, options=options)
        stream.height, stream.width, stream.pix_fmt = 32, 48, pixels
        for number, each in enumerate(levels):
            frame = av.VideoFrame.from_ndarray(each, format="rgba").reformat(format=pixels)
            frame.pts, frame.time_base = number, Fraction(1, 10)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    clip = open_clip(path)
    assert clip.has_alpha
    for frame, source in zip(read_frames(clip), levels, strict=True):
        expected = source[..., 3] / 255
        assert frame.alpha.shape == (1, 1, 32, 48)
        np.testing.assert_allclose(frame.alpha[0, 0].numpy(), expected, atol=1e-4)
        corner = frame.picture[0, :, 0, 0].numpy() * 255
        np.testing.assert_allclose(corner, [200, 40, 40], atol=3)


def test_opaque_films_have_no_alpha(make_film, moving, tmp_path):
    clip = open_clip(make_film(tmp_path / "clip.mkv", moving(2)))
    assert not clip.has_alpha
    assert all(frame.alpha is None for frame in read_frames(clip))

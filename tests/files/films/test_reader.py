"""Films into frames, from files that the tests make."""

from __future__ import annotations

import os
import struct
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from impasto.errors import FilmError
from impasto.files.films.reader import open_clip, read_frames
from impasto.files.pictures.images import to_pillow
from impasto.recipe.film import FrameRange


@pytest.fixture
def film(make_film, moving, tmp_path) -> Path:
    return make_film(tmp_path / "clip.mkv", moving(8))


def _times(clip) -> list[float]:
    return [float(frame.time * clip.time_base) for frame in read_frames(clip)]


def _rounded(picture: torch.Tensor) -> torch.Tensor:
    return (picture * 255).round() / 255


def test_every_frame_as_it_is(film, moving):
    clip = open_clip(film)
    assert (clip.name, clip.size, clip.frames, clip.is_deep) == ("clip.mkv", (32, 48), 8, False)
    frames = list(read_frames(clip))
    assert [frame.index for frame in frames] == list(range(8))
    assert _times(clip) == pytest.approx([i / 10 for i in range(8)])
    for frame, picture in zip(frames, moving(8), strict=True):
        torch.testing.assert_close(frame.picture, _rounded(picture))


def test_a_part(film, moving):
    clip = open_clip(film, FrameRange(0.2, 0.7, 2))
    assert clip.frames == 3
    assert _times(clip) == pytest.approx([0, 0.2, 0.4])
    first = next(read_frames(clip))
    torch.testing.assert_close(first.picture, _rounded(moving(8)[2]))


def test_a_part_far_from_a_key_frame(make_film, moving, tmp_path):
    film = make_film(
        tmp_path / "long.mp4", moving(30), codec="libx264", pixels="yuv420p",
        options={"g": "100", "bf": "3"},
    )  # fmt: skip
    whole = list(read_frames(open_clip(film)))
    part = open_clip(film, FrameRange(1.7))
    found = list(read_frames(part))
    assert len(whole) == 30
    assert len(found) == 13
    assert torch.equal(found[0].picture, whole[17].picture)


def test_variable_frame_rates_are_kept(make_film, moving, tmp_path):
    times = [0, 3, 20, 21, 50]
    film = make_film(tmp_path / "clip.mkv", moving(5), times=times)
    assert _times(open_clip(film)) == pytest.approx([t / 100 for t in times], abs=1e-3)


@pytest.mark.parametrize("rotation", [90, 180, -90])
def test_rotation_is_carried_out(make_film, tmp_path, rotation):
    picture = torch.zeros(1, 3, 32, 48)
    picture[..., :16, :24] = 1  # top left
    film = make_film(
        tmp_path / "clip.mp4", [picture] * 2, codec="libx264", pixels="yuv420p", rotation=rotation
    )
    clip = open_clip(film)
    shown = next(read_frames(clip)).picture
    assert tuple(shown.shape[-2:]) == clip.size == ((32, 48) if rotation == 180 else (48, 32))
    expected = torch.rot90(picture, rotation // 90, (-2, -1))
    assert (shown - expected).abs().mean() < 0.05


def test_a_mirrored_film_is_mirrored(make_film, tmp_path):
    """A display matrix that PyAV cannot write: it is put into the file's track header."""
    picture = torch.zeros(1, 3, 32, 48)
    picture[..., :16, :24] = 1  # top left
    film = make_film(
        tmp_path / "clip.mp4", [picture] * 2, codec="libx264", pixels="yuv420p", rotation=180
    )
    data = film.read_bytes()
    turned = struct.pack(">9i", -65536, 0, 0, 0, -65536, 0, 0, 0, 1 << 30)
    at = data.index(turned[:20])
    for a, b, c, d, expected in (
        (-1, 0, 0, 1, picture.flip(-1)),
        (1, 0, 0, -1, picture.flip(-2)),
        (0, 1, 1, 0, picture.transpose(-2, -1)),
        (0, 1, -1, 0, torch.rot90(picture, -1, (-2, -1))),
    ):
        numbers = [each << 16 for each in (a, b, 0, c, d)]
        film.write_bytes(data[:at] + struct.pack(">5i", *numbers) + data[at + 20 :])
        clip = open_clip(film)
        shown = next(read_frames(clip)).picture
        assert tuple(shown.shape) == tuple(expected.shape)
        assert clip.size == tuple(expected.shape[-2:])
        assert (shown - expected).abs().mean() < 0.05


def test_a_film_that_is_askew_is_said_to_be(make_film, moving, tmp_path):
    film = make_film(
        tmp_path / "clip.mp4", moving(2), codec="libx264", pixels="yuv420p", rotation=30
    )
    (note,) = open_clip(film).notes
    assert "30 degrees" in note


def test_oblong_pixels_are_counted_as_shown(make_film, moving, tmp_path):
    film = make_film(
        tmp_path / "clip.mkv", moving(2), codec="libx264", pixels="yuv420p", oblong=Fraction(4, 3)
    )
    assert open_clip(film).size == (32, 64)


def test_ten_bits_are_kept(make_film, tmp_path):
    ramp = torch.linspace(0.2, 0.8, 64).expand(1, 3, 32, 64)
    film = make_film(tmp_path / "clip.mkv", [ramp] * 2, pixels="yuv420p10le")
    clip = open_clip(film)
    assert clip.is_deep
    levels = next(read_frames(clip)).picture[0, 0, 0] * 255
    assert ((levels - levels.round()).abs() > 0.1).any()


def test_colors_survive_the_matrices(make_film, tmp_path):
    colors = torch.tensor([[1.0, 0, 0], [0, 1, 0], [0, 0, 1], [0.8, 0.5, 0.1]])
    picture = colors.T.reshape(1, 3, 2, 2).repeat_interleave(16, -1).repeat_interleave(16, -2)
    film = make_film(tmp_path / "clip.mkv", [picture] * 2, pixels="yuv444p")
    shown = next(read_frames(open_clip(film))).picture
    assert (shown - picture)[..., 4:12, 4:12].abs().max() < 0.02


def test_a_folder_of_frames(moving, tmp_path):
    folder = tmp_path / "frames"
    folder.mkdir()
    for number, picture in enumerate(moving(6)):
        to_pillow(picture).save(folder / f"{number:03d}.png")
    clip = open_clip(folder, FrameRange(every=2), fps=Fraction(5))
    assert (clip.size, clip.frames, clip.rate) == ((32, 48), 3, Fraction(5, 2))
    assert _times(clip) == pytest.approx([0, 0.4, 0.8])
    part = open_clip(folder, FrameRange(0.3, 0.9), fps=Fraction(5))
    frames = list(read_frames(part))
    assert len(frames) == 3
    torch.testing.assert_close(frames[0].picture, _rounded(moving(6)[2]))
    to_pillow(moving(1)[0][..., :20]).save(folder / "999.png")
    with pytest.raises(FilmError, match="one size"):
        list(read_frames(open_clip(folder)))


def test_transparent_frames_of_a_folder_lie_on_one_ground(tmp_path):
    folder = tmp_path / "frames"
    folder.mkdir()
    for number, color in enumerate([(0, 0, 0, 0), (200, 40, 40, 255), (40, 40, 200, 255)]):
        levels = np.zeros((32, 48, 4), np.uint8)
        levels[8:24, 8:24] = color
        Image.fromarray(levels).save(folder / f"{number}.png")
    Image.fromarray(levels[..., :3]).save(folder / "3.png")
    clip = open_clip(folder)
    frames = list(read_frames(clip))
    assert clip.has_alpha
    assert clip.ground == pytest.approx([200 / 255, 40 / 255, 40 / 255])  # nothing is in the first
    for frame in frames[:3]:
        corner = frame.picture[0, :, 0, 0].tolist()
        assert corner == pytest.approx(clip.ground)
    assert [float(frame.alpha.max()) for frame in frames[:3]] == [0, 1, 1]
    assert frames[3].alpha is None
    assert float(frames[3].picture[0, 0, 0, 0]) == 0


def test_frames_are_taken_by_their_numbers_and_it_is_said(moving, tmp_path):
    folder = tmp_path / "frames"
    folder.mkdir()
    for number, picture in enumerate(moving(12)):
        to_pillow(picture).save(folder / f"frame{number + 1}.png")
    clip = open_clip(folder)
    for frame, picture in zip(read_frames(clip), moving(12), strict=True):
        torch.testing.assert_close(frame.picture, _rounded(picture))
    (note,) = clip.notes
    assert "'frame1.png' to 'frame12.png'" in note


def _cut_off(path: Path) -> Path:
    data = path.read_bytes()
    path.write_bytes(data[: len(data) * 6 // 10])
    return path


@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
def test_a_film_cut_off_gives_what_there_is_and_a_sentence(make_film, moving, tmp_path, suffix):
    options = {"movflags": "faststart"} if suffix == ".mp4" else {}
    av = pytest.importorskip("av")
    whole = make_film(
        tmp_path / "whole.mp4", moving(40), codec="libx264", pixels="yuv420p", options={"g": "5"}
    )
    film = tmp_path / f"clip{suffix}"
    with av.open(str(whole)) as source, av.open(str(film), "w", options=options) as target:
        stream = target.add_stream_from_template(source.streams.video[0])
        for packet in source.demux(video=0):
            if packet.dts is not None:
                packet.stream = stream
                target.mux(packet)
    assert len(list(read_frames(open_clip(film)))) == 40
    clip = open_clip(_cut_off(film))
    count = 0
    with pytest.raises(FilmError, match=r"clip.* is damaged after \d+ frames"):
        for _ in read_frames(clip):
            count += 1
    assert 5 < count < 40


def test_what_is_no_film_is_one_sentence(make_film, moving, painting, tmp_path):
    text = tmp_path / "text.mp4"
    text.write_text("not a film")
    empty = tmp_path / "empty.mp4"
    empty.write_bytes(b"")
    for path in (text, empty, tmp_path / "nowhere.mp4"):
        with pytest.raises(FilmError, match=path.name):
            open_clip(path)
    film = make_film(tmp_path / "clip.mkv", moving(3))
    with pytest.raises(FilmError, match="no frame in that part"):
        open_clip(film, FrameRange(5))
    with pytest.raises(FilmError, match="max-pixels"):
        open_clip(film, max_pixels=100)
    codec = {"codec": "libx264", "pixels": "yuv420p"}
    film = make_film(tmp_path / "oblong.mkv", moving(3), oblong=Fraction(4), **codec)
    with pytest.raises(FilmError, match="max-pixels"):
        open_clip(film, max_pixels=3000)


def test_a_playlist_opens_no_other_file(make_film, moving, tmp_path):
    """FFmpeg's own joining of films would, whatever the playlist is called."""
    make_film(tmp_path / "other.mkv", moving(3))
    for name in ("list.mp4", "list.ffconcat"):
        playlist = tmp_path / name
        playlist.write_text("ffconcat version 1.0\nfile other.mkv\n")
        with pytest.raises(FilmError, match="not a film"):
            open_clip(playlist)


def test_a_name_is_never_taken_for_a_protocol(make_film, moving, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    names = ["a:b.mkv", "concat:a|b.mkv", "clip%03d.mkv", "data:,.mkv", os.fsdecode(b"caf\xe9.mkv")]
    film = make_film(tmp_path / "film.mkv", moving(3)).read_bytes()
    for name in names:
        Path(name).write_bytes(film)
        assert len(list(read_frames(open_clip(Path(name))))) == 3


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no FIFOs here")
def test_what_is_not_a_file_is_not_waited_for(tmp_path):
    pytest.importorskip("av")
    os.mkfifo(tmp_path / "clip.mp4")
    (tmp_path / "device.mp4").symlink_to("/dev/zero")
    for name in ("clip.mp4", "device.mp4"):
        with pytest.raises(FilmError, match="is not a file"):
            open_clip(tmp_path / name)


def test_a_kind_that_nothing_decodes(make_film, moving, tmp_path):
    path = make_film(tmp_path / "clip.mkv", moving(3), codec="libx264", pixels="yuv420p")
    known = path.read_bytes()
    path.write_bytes(known.replace(b"V_MPEG4/ISO/AVC", b"V_NOBODY/S/KIND"))
    assert path.read_bytes() != known
    with pytest.raises(FilmError, match="cannot be decoded here: convert it"):
        open_clip(path)


def test_a_sound_without_pictures(tmp_path):
    av = pytest.importorskip("av")
    path = tmp_path / "hum.mka"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("pcm_s16le", rate=8000, layout="mono")
        frame = av.AudioFrame(format="s16", layout="mono", samples=100)
        frame.sample_rate = 8000
        container.mux(stream.encode(frame))
        container.mux(stream.encode())
    with pytest.raises(FilmError, match="no video stream"):
        open_clip(path)

"""Films whose containers say little, nothing or nonsense of time: no frame is left out."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

from impasto.files.films.reader import open_clip, read_frames
from impasto.files.films.times import timed, times_of
from impasto.recipe.film import FrameRange

_B_FRAMES = {"bf": "3", "g": "100", "x264-params": "b-adapt=0:bframes=3"}


@pytest.fixture
def whole(make_film, moving, tmp_path) -> Path:
    """Thirty frames, three seconds, most of them B-frames, in a container that knows its times."""
    return make_film(
        tmp_path / "whole.mp4", moving(30), codec="libx264", pixels="yuv420p", options=_B_FRAMES
    )


@pytest.fixture
def in_avi(make_film, moving, tmp_path) -> Path:
    """The same in a container that knows only in which order frames are decoded."""
    return make_film(
        tmp_path / "clip.avi", moving(30), codec="libx264", pixels="yuv420p", unit=10,
        options=_B_FRAMES,
    )  # fmt: skip


def _copied(source: Path, target: Path) -> Path:
    """The same packets in another container."""
    av = pytest.importorskip("av")
    with av.open(str(source)) as read, av.open(str(target), "w") as written:
        old = read.streams.video[0]
        new = written.add_stream_from_template(old)
        for packet in read.demux(old):
            if packet.dts is not None:
                packet.stream = new
                written.mux(packet)
    return target


def _seen(path: Path, **options):
    clip = open_clip(path, **options)
    frames = list(read_frames(clip))
    return clip, frames, [float(frame.time * clip.time_base) for frame in frames]


def _is_same(frames, path: Path, start: int = 0) -> bool:
    others = [frame.picture for frame in read_frames(open_clip(path))][start:]
    return len(frames) == len(others) and all(
        torch.equal(frame.picture, other) for frame, other in zip(frames, others, strict=True)
    )


@pytest.mark.parametrize("suffix", ["avi", "mkv", "mp4"])
def test_packets_in_the_order_of_decoding(whole, in_avi, tmp_path, suffix):
    """In AVI, and in what an AVI was copied into as it is."""
    film = in_avi if suffix == "avi" else _copied(in_avi, tmp_path / f"clip.{suffix}")
    clip, frames, times = _seen(film)
    assert _is_same(frames, whole)
    assert times == pytest.approx([i / 10 for i in range(30)], abs=1e-3)
    assert (clip.frames, clip.rate) == (30, 10)
    lasting = float(sum(frame.duration for frame in frames) * clip.time_base)
    assert lasting == pytest.approx(3, abs=2e-3)


def test_a_part_of_such_a_film(whole, in_avi):
    _, frames, times = _seen(in_avi, part=FrameRange(1.7))
    assert _is_same(frames, whole, 17)
    assert times == pytest.approx([i / 10 for i in range(13)])


@pytest.mark.parametrize(("codec", "suffix"), [("libx264", "h264"), ("libx265", "hevc")])
def test_raw_streams_are_counted(make_film, moving, tmp_path, codec, suffix):
    options = {"x265-params": "log-level=none"} if codec == "libx265" else _B_FRAMES
    pictures = moving(10, 64, 64)  # below 64 pixels x265 damages its own memory
    film = make_film(
        tmp_path / f"clip.{suffix}", pictures, codec=codec, pixels="yuv420p", options=options
    )
    clip, frames, times = _seen(film, fps=Fraction(5))
    assert times == pytest.approx([i / 5 for i in range(10)])
    assert (clip.rate, clip.frames, clip.seconds) == (5, 10, 2.0)
    assert clip.notes == ()
    assert float(sum(frame.duration for frame in frames) * clip.time_base) == pytest.approx(2)
    clip, frames, _ = _seen(film)
    assert len(frames) == 10
    assert clip.seconds == pytest.approx(10 / float(clip.rate))
    assert "states no times" in clip.notes[0]
    assert "--fps" in clip.notes[0]
    clip, frames, times = _seen(film, fps=Fraction(5), part=FrameRange(1.0, 1.8, 2))
    assert times == pytest.approx([0, 0.4])


def test_a_rate_for_a_film_that_has_times_is_not_used_and_it_is_said(whole):
    clip, _, times = _seen(whole, fps=Fraction(5))
    assert times[-1] == pytest.approx(2.9)
    assert "--fps is not used" in clip.notes[0]


@pytest.mark.parametrize("suffix", ["mkv", "mp4"])
def test_every_frame_keeps_its_length(make_film, moving, tmp_path, suffix):
    film = make_film(
        tmp_path / f"clip.{suffix}", moving(3), codec="libx264", pixels="yuv420p",
        times=[0, 100, 150], last=300,
    )  # fmt: skip
    clip, frames, times = _seen(film)
    assert times == pytest.approx([0, 1, 1.5])
    assert [float(f.duration * clip.time_base) for f in frames] == pytest.approx([1, 0.5, 3])
    assert (clip.frames, clip.seconds) == (3, pytest.approx(4.5))
    clip, frames, _ = _seen(film, part=FrameRange(0.5, 2.0))
    assert [float(f.duration * clip.time_base) for f in frames] == pytest.approx([0.5, 0.5])
    clip, frames, _ = _seen(film, part=FrameRange(every=2))
    assert [float(f.duration * clip.time_base) for f in frames] == pytest.approx([1.5, 3])


def test_the_last_length_of_an_mp4_that_is_stored_in_another_order(make_film, moving, tmp_path):
    """The packet that is stored last is not the frame that is shown last."""
    av = pytest.importorskip("av")
    source = make_film(
        tmp_path / "source.mkv", moving(5), codec="libx264", pixels="yuv420p",
        times=[0, 10, 20, 100, 150], last=300, options=_B_FRAMES,
    )  # fmt: skip
    film = tmp_path / "clip.mp4"
    with av.open(str(source)) as read, av.open(str(film), "w") as written:
        new = written.add_stream_from_template(read.streams.video[0])
        packets = [packet for packet in read.demux(video=0) if packet.size]
        assert packets[-1].pts < max(packet.pts for packet in packets)
        first = -max(1, packets[1].pts // 10)
        for number, packet in enumerate(packets):
            packet.dts = first * (len(packets) - number)
            if packet is packets[-1]:
                packet.duration = 4500 - packet.dts
            packet.stream = new
            written.mux(packet)
    clip, frames, times = _seen(film)
    assert times == pytest.approx([0, 0.1, 0.2, 1, 1.5])
    lengths = [float(frame.duration * clip.time_base) for frame in frames]
    assert lengths == pytest.approx([0.1, 0.1, 0.8, 0.5, 3.0])


@pytest.mark.parametrize("suffix", ["mkv", "mp4", "avi", "ts"])
def test_sound_that_is_longer_is_no_length_of_the_film(make_film, moving, tmp_path, suffix):
    codec, sound = ("mpeg4", "mp2") if suffix == "avi" else ("libx264", "aac")
    film = make_film(
        tmp_path / f"clip.{suffix}", moving(5), codec=codec, pixels="yuv420p", sound=sound, unit=10
    )
    clip, frames, _ = _seen(film)
    assert len(frames) == clip.frames == 5
    assert clip.seconds == pytest.approx(0.5, abs=0.01)


def _clock(times, pts, *, rate=10):
    """Times of made-up frames, one a packet, in units of a hundredth of a second."""
    packets = [SimpleNamespace(pts=p, dts=None, size=1) for p in pts]
    container = SimpleNamespace(
        format=SimpleNamespace(name="mpegts"), demux=lambda _: iter(packets)
    )
    frames = iter([SimpleNamespace(pts=p, duration=10, time_base=None) for p in pts])
    return [
        frame.pts
        for frame in timed(
            container, None, lambda _: [next(frames)], times,
            rate=Fraction(rate), time_base=Fraction(1, 100),
        )
    ]  # fmt: skip


def test_times_that_are_missing_repeated_or_jump_back():
    assert _clock("own", [0, None, 20, None]) == [0, 10, 20, 30]
    assert _clock("own", [0, 10, 10, 20]) == [0, 10, 11, 20]
    assert _clock("own", [500, 510, 0, 10]) == [500, 510, 520, 530]
    assert _clock("own", [0, 10, 300, 310]) == [0, 10, 300, 310]


def test_where_times_come_from():
    def container(name):
        return SimpleNamespace(format=SimpleNamespace(name=name))

    assert times_of(container("h264"), [None, None]) == "counted"
    assert times_of(container("mpegts"), [3, None, 5]) == "own"
    assert times_of(container("matroska,webm"), [1, 4, 3]) == "sorted"
    assert times_of(container("avi"), [1, 2, 3]) == "sorted"

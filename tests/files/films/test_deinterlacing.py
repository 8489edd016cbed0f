"""Two fields of different moments into one whole frame."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import torch

from impasto.files.films.deinterlacing import deinterlaced
from impasto.files.films.reader import open_clip, read_frames


@pytest.fixture
def fields(waves):
    """Forty moments of a camera that pans by two pixels from one to the next."""
    wide = waves(64, 64 + 2 * 40).float()
    return [wide[..., 2 * i : 2 * i + 64].contiguous() for i in range(40)]


def _woven(fields, order: str) -> list[torch.Tensor]:
    frames = []
    for one, other in zip(fields[::2], fields[1::2], strict=True):
        frame = other.clone()
        first = 0 if order == "tff" else 1
        frame[..., first::2, :] = one[..., first::2, :]
        frames.append(frame)
    return frames


def _film(path: Path, pictures, order: str, codec: str) -> Path:
    """Twenty-five frames a second, each of them noted to be interlaced."""
    av = pytest.importorskip("av")
    options = {
        "libx264": {"x264-params": f"{order}=1", "crf": "5"},
        "mpeg2video": {"flags": "+ildct+ilme", "b": "30000000", "qmax": "2"},
        "prores_ks": {"flags": "+ildct"},
    }[codec]
    pixels = {"libx264": "yuv444p", "mpeg2video": "yuv422p", "prores_ks": "yuv422p10le"}[codec]
    graph = av.filter.Graph()
    source = graph.add_buffer(
        width=64, height=64, format=av.VideoFormat(pixels), time_base=Fraction(1, 25)
    )
    noted = graph.add("setfield", mode=order)
    graph.link_nodes(source, noted, graph.add("buffersink")).configure()
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=25, options=options)
        stream.height, stream.width, stream.pix_fmt = 64, 64, pixels
        for number, picture in enumerate(pictures):
            levels = (picture[0].permute(1, 2, 0) * 255).round().to(torch.uint8).numpy()
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(levels), format="rgb24")
            frame = frame.reformat(format=pixels)
            frame.pts, frame.time_base = number, Fraction(1, 25)
            graph.vpush(frame)
            container.mux(stream.encode(graph.vpull()))
        container.mux(stream.encode())
    return path


@pytest.mark.parametrize(
    ("codec", "suffix", "share"),
    [
        ("libx264", "mp4", 0.25),
        ("libx264", "avi", 0.25),
        ("mpeg2video", "mpg", 0.6),  # a coarser codec
        ("prores_ks", "mov", 0.25),
    ],
)
@pytest.mark.parametrize("order", ["tff", "bff"])
def test_a_frame_is_the_moment_of_its_first_field(fields, tmp_path, order, codec, suffix, share):
    path = _film(tmp_path / f"clip.{suffix}", _woven(fields, order), order, codec)
    clip = open_clip(path)
    frames = list(read_frames(clip))
    times = [float(frame.time * clip.time_base) for frame in frames]
    assert times == pytest.approx([i / 25 for i in range(20)], abs=1e-3)
    lengths = [float(frame.duration * clip.time_base) for frame in frames]
    assert lengths == pytest.approx([1 / 25] * 20, abs=2e-3)
    assert "interlaced" in clip.notes[0]

    def error(pictures, moments) -> float:
        pairs = zip(pictures, moments, strict=True)
        return max(float((picture - moment).abs().mean()) for picture, moment in pairs)

    shown = [frame.picture for frame in frames]
    first, second = fields[::2], fields[1::2]
    assert error(shown, first) < share * error(_woven(fields, order), first)
    assert error(shown, first) < share * error(shown, second)


def test_frames_that_are_whole_pass_as_they_are(make_film, moving, tmp_path):
    path = make_film(tmp_path / "clip.mkv", moving(5))
    av = pytest.importorskip("av")
    with av.open(str(path)) as container:
        frames = list(container.decode(video=0))
        assert list(deinterlaced(frames)) == frames


def test_what_goes_wrong_comes_after_the_frames_before_it(fields, tmp_path):
    av = pytest.importorskip("av")
    film = _film(tmp_path / "clip.mp4", _woven(fields, "tff"), "tff", "libx264")

    def broken():
        with av.open(str(film)) as container:
            for number, frame in enumerate(container.decode(video=0)):
                if number == 7:
                    raise ValueError
                frame.time_base = Fraction(1, 12800)
                yield frame

    count = 0
    with pytest.raises(ValueError):
        for _ in deinterlaced(broken()):
            count += 1
    assert count == 7

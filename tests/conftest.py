"""Pictures made by formula, networks made of seeded noise: no file from outside is needed."""

from __future__ import annotations

import math
import os
import shutil
import sys
from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

# One thread for each worker of pytest-xdist, and in what the tests start: before torch reads it.
os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import pytest
import torch
from hypothesis import settings
from PIL import Image
from torch import Tensor

from impasto.engine.planning import forecast
from impasto.evaluate.panel import figures
from impasto.nets.network import ConvNetwork, InputConvention
from impasto.nets.topology import layer_table

settings.register_profile(
    "impasto", deadline=None, max_examples=25, derandomize=True, database=None
)
settings.load_profile("impasto")


HERE = ("127.0.0.1", "localhost", "::1", None, "", b"localhost", b"127.0.0.1")


def _no_network(event: str, arguments: tuple[object, ...]) -> None:
    """No test may reach another machine; a server of a test's own is no network."""
    host = arguments[0] if event == "socket.getaddrinfo" else None
    if event in ("socket.connect", "socket.sendto") and isinstance(arguments[-1], tuple):
        host = arguments[-1][0]
    if event.startswith("socket.") and host not in HERE:
        raise RuntimeError(f"a test asked for the network: {event} {host!r}")


sys.addaudithook(_no_network)


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """Tiny tensors gain nothing from more; and a test must not leave its own count behind."""
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(1)


@pytest.fixture(scope="session", autouse=True)
def small_trials() -> Iterator[None]:
    """A forecast's trial of two small pictures, once each; and the panel compares few patches."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setattr(forecast, "SMALL_TRIAL", 32)
        monkeypatch.setattr(forecast, "LARGE_TRIALS", (48, 48))
        monkeypatch.setattr(forecast, "PATIENCE", 0.0)
        monkeypatch.setattr(figures, "PATCHES", (256, 1024))
        yield


BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome")


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    """The system's own browser, a ``playwright.sync_api.Browser``; skips where there is none."""
    playwright = pytest.importorskip("playwright.sync_api")
    program = next(filter(None, map(shutil.which, BROWSERS)), None)
    if program is None:
        pytest.skip("there is no Chromium on this machine")
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=program)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder beside the checkout; no other test than those that ask for it needs it."""
    folder = Path(__file__).resolve().parents[2] / "shared"
    if not folder.is_dir():
        pytest.skip("there is no ../shared on this machine")
    return folder


def _waves(height: int, width: int, *, phase: float = 0.0) -> Tensor:
    """A colourful picture from sines, ``(1, 3, height, width)`` float64 in [0, 1]."""
    row = torch.arange(height, dtype=torch.float64)[:, None]
    column = torch.arange(width, dtype=torch.float64)[None, :]
    channels = [
        0.5
        + 0.25 * torch.sin((0.31 + 0.11 * c) * row + 0.05 * column + phase + c)
        + 0.25 * torch.cos((0.23 + 0.07 * c) * column - 0.1 * row * phase - c)
        for c in range(3)
    ]
    return torch.stack(channels)[None]


@pytest.fixture(scope="session")
def waves() -> Callable[..., Tensor]:
    return _waves


def _tensors(
    widths: tuple[int, ...], *, last: str, seed: int = 0, heads: dict[str, int] | None = None
) -> dict[str, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    tensors = {}
    for layer in layer_table(widths, last=last):
        if layer.kind != "conv":
            continue
        shape = (layer.out_channels, layer.in_channels, 3, 3)
        scale = math.sqrt(2 / (9 * layer.in_channels))
        tensors[f"{layer.name}.weight"] = scale * torch.randn(shape, generator=generator)
        tensors[f"{layer.name}.bias"] = 0.1 * torch.randn(shape[:1], generator=generator)
        if heads and layer.name in heads:
            head = (heads[layer.name], layer.out_channels, 1, 1)
            tensors[f"{layer.name}_head.weight"] = torch.randn(head, generator=generator)
            tensors[f"{layer.name}_head.bias"] = torch.randn(head[:1], generator=generator)
    return tensors


@pytest.fixture(scope="session")
def tiny_tensors() -> Callable[..., dict[str, Tensor]]:
    """Seeded weights for any widths of the topology."""
    return _tensors


@pytest.fixture(scope="session")
def tiny_network() -> Callable[..., ConvNetwork]:
    """A network of VGG-19's topology, a few channels wide."""

    def make(
        widths: tuple[int, ...] = (4, 4, 5, 5, 6),
        *,
        last: str = "conv5_1",
        seed: int = 0,
        heads: dict[str, int] | None = None,
        pooling: str = "max",
        convention: InputConvention | None = None,
    ) -> ConvNetwork:
        tensors = _tensors(widths, last=last, seed=seed, heads=heads)
        convention = convention or InputConvention(mean=(0.45, 0.45, 0.45), std=(0.2, 0.2, 0.2))
        table = layer_table(widths, last=last)
        return ConvNetwork(table, tensors, convention=convention, pooling=pooling)

    return make


def _save(picture: Tensor, path: Path) -> Path:
    levels = (picture[0].permute(1, 2, 0) * 255).round().to(torch.uint8)
    Image.fromarray(np.ascontiguousarray(levels.numpy())).save(path)
    return path


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    """48 x 40 pixels, in a folder with a telling name."""
    folder = tmp_path / "holiday-in-private"
    folder.mkdir(exist_ok=True)
    return _save(_waves(40, 48), folder / "photo.png")


@pytest.fixture
def painting(tmp_path: Path) -> Path:
    """56 x 44 pixels."""
    folder = tmp_path / "holiday-in-private"
    folder.mkdir(exist_ok=True)
    return _save(_waves(44, 56, phase=1.7), folder / "painting.png")


def _film(
    path: Path,
    pictures: Sequence[Tensor],
    *,
    codec: str = "ffv1",
    pixels: str = "bgr0",
    times: Sequence[int] | None = None,
    rotation: int = 0,
    last: int = 0,
    unit: int = 100,
    oblong: Fraction | None = None,
    sound: str | None = None,
    options: dict[str, str] | None = None,
) -> Path:
    """A film of pictures, 10 frames a second in units of 1/``unit`` s; lossless by default.

    ``last``: how long the last frame is shown, in these units.
    """
    av = pytest.importorskip("av")
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=10, options=options or {})
        stream.height, stream.width = pictures[0].shape[-2:]
        stream.pix_fmt, stream.codec_context.time_base = pixels, Fraction(1, unit)
        if oblong is not None:
            stream.codec_context.sample_aspect_ratio = oblong
        if rotation:
            stream.set_display_rotation(rotation)
        if sound:
            _add_hum(container, sound)

        def mux(packets: list[Any]) -> None:
            for packet in packets:
                if last and packet.pts == times[-1]:
                    packet.duration = last
                container.mux(packet)

        for number, picture in enumerate(pictures):
            levels = (picture[0].permute(1, 2, 0) * 255).round().to(torch.uint8).numpy()
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(levels), format="rgb24")
            # Converted by the encoder's own threads, not every film would be the same bytes.
            frame = frame.reformat(format=pixels)
            frame.pts = times[number] if times else unit * number // 10
            frame.time_base = Fraction(1, unit)
            mux(stream.encode(frame))
        mux(stream.encode())
    return path


def _add_hum(container: Any, codec: str, *, seconds: float = 1.0) -> None:
    """A tone of 440 Hz, one channel."""
    av = pytest.importorskip("av")
    stream = container.add_stream(codec, rate=48000, layout="mono")
    wave = np.sin(2 * np.pi * 440 / 48000 * np.arange(int(48000 * seconds)))
    size = stream.codec_context.frame_size or 1024
    for start in range(0, len(wave), size):
        part = (wave[start : start + size] * 20000).astype(np.int16)[None]
        frame = av.AudioFrame.from_ndarray(part, format="s16", layout="mono")
        frame.sample_rate, frame.pts, frame.time_base = 48000, start, Fraction(1, 48000)
        container.mux(stream.encode(frame))
    container.mux(stream.encode())


@pytest.fixture(scope="session")
def make_film() -> Callable[..., Path]:
    """Write a film; the tests are skipped where PyAV is missing."""
    pytest.importorskip("av")
    pytest.importorskip("cv2")
    return _film


def _moving(count: int, height: int = 32, width: int = 48, *, step: int = 2) -> list[Tensor]:
    """Frames of a camera that pans over a smooth picture."""
    wide = _waves(height, width + step * count).float()
    return [wide[..., step * i : step * i + width].contiguous() for i in range(count)]


@pytest.fixture(scope="session")
def moving() -> Callable[..., list[Tensor]]:
    return _moving

"""A server of weights that misbehaves as it is told, and a full VGG-19 made here."""

from __future__ import annotations

import math
import re
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor

from impasto.files.weights.recognise import FIRST_FILTERS
from impasto.nets.topology import layer_table
from impasto.nets.vgg import DENSE
from impasto.wording import on_the_command_line


@dataclass
class WeightsServer:
    """Serves one content under any path; the path's last part says how it misbehaves.

    ``good``, ``cut`` (drops the connection half-way through what is left), ``wrong`` (a byte),
    ``whole`` (ignores ranges), ``whole-cut``, ``page`` (a small page with status 200), ``stall``,
    ``silent`` (never even answers), ``slow`` (in small pieces), ``trickle`` (a byte at a time),
    ``long`` (more than there should be), ``moved`` (redirects to good), ``shifted`` (another range
    than asked for), ``416`` or any other status by its number, ``503-once``.
    """

    content: bytes
    port: int = 0
    asked: list[tuple[str, str | None]] = field(default_factory=list)
    stop: threading.Event = field(default_factory=threading.Event)

    def url(self, manner: str) -> str:
        return f"http://127.0.0.1:{self.port}/{manner}"

    def ranges(self, manner: str) -> list[str | None]:
        """The Range headers that came in for one manner."""
        return [range_ for path, range_ in self.asked if path.rstrip("/").endswith(manner)]


def _handler(server: WeightsServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_: object) -> None:
            pass

        def do_GET(self) -> None:
            self.close_connection = True
            manner = self.path.rstrip("/").rsplit("/", 1)[-1]
            server.asked.append((self.path, self.headers.get("Range")))
            first = sum(path == self.path for path, _ in server.asked) == 1
            try:
                if manner == "silent":
                    server.stop.wait(20)
                elif manner == "moved":
                    self._head(302, 0, {"Location": server.url("good")})
                elif manner == "503-once" and not first:
                    self._send("good")
                elif manner[:3].isdigit():
                    self._head(int(manner[:3]), 0, {})
                else:
                    self._send(manner)
            except (BrokenPipeError, ConnectionResetError):
                pass

        def _head(self, status: int, length: int, headers: dict[str, str]) -> None:
            self.send_response(status)
            self.send_header("Content-Length", str(length))
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()

        def _send(self, manner: str) -> None:
            content = b"<html>log in first</html>" if manner == "page" else server.content
            if manner == "wrong":
                middle = len(content) // 2
                content = content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :]
            if manner == "long":
                self.send_response(200)
                self.end_headers()
                self.wfile.write(content + b"more")
                return
            asked = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range") or "")
            start = int(asked[1]) if asked and not manner.startswith("whole") else 0
            if start >= len(content):
                self._head(416, 0, {"Content-Range": f"bytes */{len(content)}"})
                return
            self._answer(manner, content, start)

        def _answer(self, manner: str, content: bytes, start: int) -> None:
            body = content[start:]
            if start:
                said = start + 7 if manner == "shifted" else start
                span = f"bytes {said}-{len(content) - 1}/{len(content)}"
                self._head(206, len(body), {"Content-Range": span})
            else:
                self._head(200, len(body), {})
            if manner == "trickle":
                for at in range(len(body)):
                    self.wfile.write(body[at : at + 1])
                    if server.stop.wait(0.02):
                        return
            elif manner == "slow":
                for at in range(0, len(body), 4096):
                    self.wfile.write(body[at : at + 4096])
                    time.sleep(0.005)
            elif manner in ("cut", "whole-cut", "stall", "shifted"):
                self.wfile.write(body[: math.ceil(len(body) / 2)])
                self.wfile.flush()
                if manner == "stall":
                    server.stop.wait(20)
            else:
                self.wfile.write(body)

    return Handler


@pytest.fixture
def serve() -> Iterator[Callable[[bytes], WeightsServer]]:
    """Start a server of some content; it ends with the test."""
    running: list[tuple[WeightsServer, ThreadingHTTPServer]] = []

    def start(content: bytes) -> WeightsServer:
        told = WeightsServer(content)
        http = ThreadingHTTPServer(("127.0.0.1", 0), _handler(told))
        http.daemon_threads = True
        told.port = http.server_address[1]
        threading.Thread(target=http.serve_forever, args=(0.05,), daemon=True).start()
        running.append((told, http))
        return told

    yield start
    for told, http in running:
        told.stop.set()
        http.shutdown()
        http.server_close()


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """No test reads or writes the user's networks, or asks a proxy of this machine."""
    folder = tmp_path / "models"
    monkeypatch.setenv("IMPASTO_MODELS", str(folder))
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    return folder


def _full(first: str, blocks: dict[str, Tensor]) -> dict[str, Tensor]:
    generator = torch.Generator().manual_seed(5)
    tensors = dict(blocks)
    for layer in layer_table():
        if layer.kind == "conv" and f"{layer.name}.weight" not in tensors:
            shape = (layer.out_channels, layer.in_channels, 3, 3)
            scale = math.sqrt(2 / (9 * layer.in_channels))
            tensors[f"{layer.name}.weight"] = scale * torch.randn(shape, generator=generator)
            tensors[f"{layer.name}.bias"] = 0.1 * torch.randn(shape[:1], generator=generator)
    if first and not blocks:
        tensors["conv1_1.weight"][0] = torch.tensor(FIRST_FILTERS[first]).view(3, 3, 3)
    return tensors


@pytest.fixture(scope="session")
def full_vgg() -> Callable[..., dict[str, Tensor]]:
    """All convolutions of a VGG-19 of seeded noise, with the first filter of a release or none.

    With ``shared``, a folder of shared weights, blocks 1 to 3 are the true ones. Each is drawn
    once: the dictionary is the caller's own, what lies in its tensors is everybody's.
    """

    @cache
    def drawn(first: str, shared: Path | None) -> dict[str, Tensor]:
        path = shared / "weights" / "vgg19_blocks1-3.safetensors" if shared else None
        return _full(first, load_file(path) if path and path.is_file() else {})

    def make(first: str = "vgg19", *, shared: Path | None = None) -> dict[str, Tensor]:
        return dict(drawn(first, shared))

    return make


@pytest.fixture(scope="session")
def dense() -> dict[str, Tensor]:
    """A classifier of the full shape that costs no memory: one number, expanded."""
    tensors = {}
    for name, shape in DENSE.items():
        tensors[f"{name}.weight"] = torch.full((1, 1), 1e-3).expand(shape)
        tensors[f"{name}.bias"] = torch.zeros(shape[0])
    return tensors


@pytest.fixture(autouse=True)
def _flags() -> Iterator[None]:
    """Sentences with the command line's flags, as they are written."""
    with on_the_command_line():
        yield

"""A studio in a process of its own, and pictures to drop; skipped where Gradio is missing."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import numpy as np
import pytest
from PIL import Image

pytest.importorskip("gradio")


@dataclass
class Server:
    """A studio that is running."""

    url: str
    process: subprocess.Popen[str]
    sockets: Path

    def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(10)


# The command line, with every address but this machine's written down, and refused.
WATCHED = """
import sys

log, HERE = sys.argv[1], ("127.0.0.1", "localhost", "::1", "0.0.0.0", None, "")
open(log, "w").close()

def watch(event, arguments):
    host = arguments[0] if event == "socket.getaddrinfo" else None
    if event in ("socket.connect", "socket.sendto") and isinstance(arguments[-1], tuple):
        host = arguments[-1][0]
    if event.startswith("socket.") and host not in HERE:
        with open(log, "a") as file:
            print(event, host, file=file)
        raise OSError("refused by the test")

sys.addaudithook(watch)
from impasto.cli import main
sys.exit(main(sys.argv[2:]))
"""


def start(folder: Path, *more: str, port: int = 0, **environment: str) -> Server:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = port or free.getsockname()[1]
    sockets = folder.with_name(f"{folder.name}-sockets-{port}")
    command = [sys.executable, "-c", WATCHED, str(sockets), "studio", "--folder", str(folder)]
    command += ["--port", str(port), "--no-browser", "--size", "96", *more]
    process = subprocess.Popen(
        command,
        env={**os.environ, "OMP_NUM_THREADS": "1", **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    url = f"http://127.0.0.1:{port}"
    for _ in range(600):
        if process.poll() is not None:
            raise AssertionError(process.stdout.read())
        try:
            urlopen(url, timeout=5).close()
            return Server(url, process, sockets)
        except OSError:
            time.sleep(0.1)
    raise AssertionError("the studio does not start")


@pytest.fixture(scope="module")
def started() -> Iterator[Callable[..., Server]]:
    servers: list[Server] = []

    def begin(*given: Any, **environment: str) -> Server:
        servers.append(start(*given, **environment))
        return servers[-1]

    yield begin
    for each in servers:
        if each.process.poll() is None:
            each.kill()


@pytest.fixture(scope="module")
def pictures(tmp_path_factory) -> dict[str, Path]:
    """A photograph and two paintings, 160 x 120."""
    folder = tmp_path_factory.mktemp("dropped")
    y, x = np.mgrid[0:120, 0:160] / 120
    kinds = {
        "harbour.png": np.stack([x / 1.4, 0.5 + 0.4 * np.sin(9 * y), 1 - y], -1),
        "waves.png": np.stack([0.5 + 0.5 * np.sin(40 * x + 9 * y), y, 0 * x + 0.4], -1),
        "spots.png": np.stack([np.sin(30 * x) * np.sin(30 * y) > 0, x > 0.6, y > 0.5], -1) * 0.9,
    }
    for name, levels in kinds.items():
        Image.fromarray((levels.clip(0, 1) * 255).astype(np.uint8)).save(folder / name)
    return {name.removesuffix(".png"): folder / name for name in kinds}


class Page:
    """One browser's page of the studio, as somebody uses it."""

    def __init__(self, page: Any, url: str) -> None:
        self.page = page
        self.asked: list[str] = []
        page.on("request", lambda request: self.asked.append(request.url))
        page.goto(url)
        self.wait("Drop|Picture|Step|Finished|Stopped|first|Paint")

    @property
    def status(self) -> str:
        return str(self.page.inner_text("#status p[role=status]"))

    def wait(self, pattern: str, seconds: float = 60) -> str:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self.page.wait_for_selector("#status p[role=status]")
            if re.search(pattern, text := self.status):
                return text
            time.sleep(0.03)
        raise AssertionError(f"never {pattern!r}, but {self.status!r}")

    def drop(self, place: str, path: Path) -> None:
        self.page.set_input_files(f"#{place} input[type=file]", path)

    def drop_both(self, pictures: dict[str, Path], painting: str = "waves") -> None:
        self.drop("photo-drop", pictures["harbour"])
        self.page.wait_for_selector("#photo img")
        self.drop("painting-drop", pictures[painting])

    def press(self, name: str) -> None:
        self.page.get_by_role("button", name=name, exact=True).click()

    def tab(self, name: str) -> None:
        self.page.get_by_role("tab", name=name).click()

    def slide(self, option: str, presses: int) -> None:
        """By keyboard."""
        self.page.locator(f"#option-{option} input[type=range]").focus()
        for _ in range(abs(presses)):
            self.page.keyboard.press("ArrowRight" if presses > 0 else "ArrowLeft")

    def history(self) -> list[str]:
        return [
            each.inner_text() for each in self.page.query_selector_all("#history .caption-label")
        ]

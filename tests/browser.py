"""A real browser for tests: headless Chromium, driven over a pipe by the DevTools protocol."""

from __future__ import annotations

import base64
import fcntl
import json
import os
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

PATIENCE = 120  # seconds; other work may hold the processor
HIGH = 50  # file descriptors out of the way of those that Chromium expects, 3 and 4


@contextmanager
def open_browser(profile: Path) -> Iterator[Page]:
    """A fresh page; what it stores lies in ``profile``. Skips where there is no Chromium."""
    program = next(filter(None, map(shutil.which, ("chromium", "chromium-browser"))), None)
    if program is None:
        pytest.skip("there is no Chromium on this machine")
    theirs, ours = zip(*(_pipe(ours_writes=writes) for writes in (True, False)), strict=True)
    read, write = theirs
    command = [
        "bash", "-c", f'exec "$@" 3<&{read} 4>&{write} {read}<&- {write}>&-', "bash", program,
        "--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run",
        "--disable-dev-shm-usage", "--disable-extensions", "--disable-background-networking",
        f"--user-data-dir={profile}", "--remote-debugging-pipe", "about:blank",
    ]  # fmt: skip
    process = subprocess.Popen(
        command, pass_fds=theirs, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    for fd in theirs:
        os.close(fd)
    try:
        with os.fdopen(ours[0], "wb") as to, os.fdopen(ours[1], "rb") as back:
            yield Page(to, back)
    finally:
        process.terminate()
        process.wait(PATIENCE)


def _pipe(*, ours_writes: bool) -> tuple[int, int]:
    """Their end and ours."""
    read, write = os.pipe()
    theirs, ours = (read, write) if ours_writes else (write, read)
    moved = fcntl.fcntl(theirs, fcntl.F_DUPFD_CLOEXEC, HIGH)
    os.close(theirs)
    return moved, ours


class Page:
    """One tab.

    Attributes:
        requests: every address that was asked for.
        errors: what the page's scripts complained of.

    """

    def __init__(self, to: Any, back: Any) -> None:
        self._to, self._back = to, back
        self._next, self._rest, self._session = 0, b"", None
        self.requests: list[str] = []
        self.errors: list[str] = []
        target = self._call("Target.createTarget", url="about:blank")["targetId"]
        self._session = self._call("Target.attachToTarget", targetId=target, flatten=True)[
            "sessionId"
        ]
        for domain in ("Page", "Network", "Runtime", "Log"):
            self._call(f"{domain}.enable")
        self._call("Page.bringToFront")
        self._call("Emulation.setFocusEmulationEnabled", enabled=True)

    def open(self, path: Path) -> None:
        """Load a file and wait until it and its pictures are there."""
        self._load("Page.navigate", url=path.resolve().as_uri())

    def reload(self) -> None:
        """As the browser's own key does."""
        self._load("Page.reload")

    def _load(self, method: str, **parameters: Any) -> None:
        # The page before must be gone, or it would answer in place of the new one.
        self.value("window.isBefore = true")
        self._call(method, **parameters)

        def is_there() -> bool:
            try:
                return bool(self.value("!window.isBefore && document.readyState === 'complete'"))
            except AssertionError:  # neither page is there
                return False

        self.until(is_there)

    def value(self, expression: str) -> Any:
        """What JavaScript makes of an expression; promises are awaited."""
        found = self._call(
            "Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True
        )
        assert "exceptionDetails" not in found, found["exceptionDetails"]
        return found["result"].get("value")

    def wait(self, expression: str) -> None:
        """Wait until an expression is true."""
        self.until(lambda: bool(self.value(expression)))

    def until(self, is_so: Callable[[], bool]) -> None:
        """Wait until something is so."""
        end = time.monotonic() + PATIENCE
        while not is_so():
            assert time.monotonic() < end
            time.sleep(0.05)

    def press(self, key: str) -> None:
        """A key, down and up."""
        text = {"text": key} if len(key) == 1 else {}
        self._call("Input.dispatchKeyEvent", type="keyDown", key=key, **text)
        self._call("Input.dispatchKeyEvent", type="keyUp", key=key)

    def click(self, name: str) -> None:
        """The mouse, on the middle of the element of this id."""
        box = f"document.getElementById({name!r}).getBoundingClientRect()"
        x, y = self.value(f"(b => [b.x + b.width / 2, b.y + b.height / 2])({box})")
        for kind in ("mousePressed", "mouseReleased"):
            self._call("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", clickCount=1)

    def save_downloads_in(self, folder: Path) -> None:
        """Where the page's downloads go."""
        self._call("Page.setDownloadBehavior", behavior="allow", downloadPath=str(folder))

    def screenshot(self, path: Path, *, width: int = 1200, height: int = 800) -> None:
        """What is to be seen, as a PNG."""
        self._call(
            "Emulation.setDeviceMetricsOverride",
            width=width, height=height, deviceScaleFactor=1, mobile=False,
        )  # fmt: skip
        path.write_bytes(base64.b64decode(self._call("Page.captureScreenshot")["data"]))

    def _call(self, method: str, **parameters: Any) -> dict[str, Any]:
        self._next += 1
        message = {"id": self._next, "method": method, "params": parameters}
        if self._session:
            message["sessionId"] = self._session
        self._to.write(json.dumps(message).encode() + b"\0")
        self._to.flush()
        while True:
            answer = self._read()
            if answer.get("id") == self._next:
                assert "error" not in answer, answer
                return answer["result"]
            self._note(answer)

    def _note(self, event: dict[str, Any]) -> None:
        if event.get("method") == "Network.requestWillBeSent":
            self.requests.append(event["params"]["request"]["url"])
        if event.get("method") == "Runtime.exceptionThrown":
            self.errors.append(str(event["params"]["exceptionDetails"]))
        if event.get("method") == "Log.entryAdded" and event["params"]["entry"]["level"] == "error":
            self.errors.append(event["params"]["entry"]["text"])

    def _read(self) -> dict[str, Any]:
        while b"\0" not in self._rest:
            piece = os.read(self._back.fileno(), 1 << 16)
            assert piece, "the browser has ended"
            self._rest += piece
        message, _, self._rest = self._rest.partition(b"\0")
        return json.loads(message)

"""The studio's times, as somebody sees them in a browser on the same machine; and its screenshots.

    python -m benchmarks.studio PHOTO PAINTING [--repeats 5] [--size 512] [--page docs/studio.md]
        [--shots docs/images]

From the painting's drop, after the photograph's, to the first version in the page, of any size; to
the first version at its whole size; to the optimiser's first steps. Between two states that the
page shows. From the last key on a slider to the first picture by the other strength. Medians. Needs
Playwright and the system's Chromium.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import perf_counter, sleep
from typing import Any

from playwright.sync_api import Browser, Page, sync_playwright

from benchmarks.page import put

PROGRAMS = ("chromium", "chromium-browser", "google-chrome")
STATUS = "#status p[role=status]"
# Milliseconds from the drop to each picture that has been loaded, and its longer side.
WATCH = """() => {
  window.seen = [];
  let start = 0;
  document.querySelector('#painting-drop input[type=file]').addEventListener(
    'change', () => { start = performance.now(); }, true);
  document.querySelector('#picture').addEventListener('load', event => {
    const side = Math.max(event.target.naturalWidth, event.target.naturalHeight);
    window.seen.push([performance.now() - start, side]);
  }, true);
}"""


def main() -> None:
    """Measure, print and, where a page is named, write the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("photo", type=Path)
    parser.add_argument("painting", type=Path)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--size", type=int, default=512)
    parser.add_argument("--page", type=Path)
    parser.add_argument("--shots", type=Path)
    given = parser.parse_args()
    with _studio(given.size) as url, _browser() as browser:
        turns = [
            _turn(browser, url, given.photo, given.painting, given.size)
            for _ in range(given.repeats + 1)
        ][1:]  # the first warms up
        if given.shots is not None:
            _shoot(browser, url, given.photo, given.painting, given.shots)
    table = _table(turns, given.size)
    print(table)
    if given.page is not None:
        put(given.page, "studio", table)


def _turn(browser: Browser, url: str, photo: Path, painting: Path, size: int) -> dict[str, float]:
    """One visitor: seconds by name."""
    with browser.new_context(viewport={"width": 1280, "height": 900}) as context:
        page = context.new_page()
        _opened(page, url)
        page.set_input_files("#photo-drop input[type=file]", photo)
        page.wait_for_selector("#photo img")
        sleep(2)  # as long as somebody looks for the painting
        times = {}
        page.evaluate(WATCH)
        start = perf_counter()
        page.set_input_files("#painting-drop input[type=file]", painting)
        sleep(2.5)  # asking the page meanwhile would take the painter's time
        _until(page, "Step [1-9]")
        seen = page.evaluate("window.seen")
        times["first"] = seen[0][0] / 1000
        times["whole"] = next(at for at, side in seen if side >= size) / 1000
        times["step"] = perf_counter() - start
        times["apart"] = _apart(page)
        page.locator("#option-strength input[type=range]").focus()
        for _ in range(20):
            page.keyboard.press("ArrowLeft")
        start = perf_counter()
        _until(page, r"of (5[1-9]|[6-9]\d|1\d\d)")
        times["steer"] = perf_counter() - start
        page.get_by_role("button", name="Stop").click()
        _until(page, "Stopped")
    return times


def _apart(page: Page) -> float:
    """Seconds between two states that are shown."""
    seen, changes = page.inner_text(STATUS), []
    end = perf_counter() + 3
    while perf_counter() < end:
        if (text := page.inner_text(STATUS)) != seen:
            seen = text
            changes.append(perf_counter())
        sleep(0.01)
    return (changes[-1] - changes[0]) / max(1, len(changes) - 1)


def _shoot(browser: Browser, url: str, photo: Path, painting: Path, folder: Path) -> None:
    """Two screenshots: a screen's width, and a phone's."""
    with browser.new_context(viewport={"width": 1280, "height": 900}) as context:
        page = context.new_page()
        _opened(page, url)
        page.set_input_files("#photo-drop input[type=file]", photo)
        page.wait_for_selector("#photo img")
        page.set_input_files("#painting-drop input[type=file]", painting)
        _until(page, "Finished")
        for option, key, times in (
            ("strength", "ArrowRight", 5),
            ("style_scale", "ArrowRight", 10),
        ):
            page.locator(f"#option-{option} input[type=range]").focus()
            for _ in range(times):
                page.keyboard.press(key)
            _until(page, "Step|Going on")
            _until(page, "Finished")
        sleep(1)
        page.evaluate("document.activeElement.blur()")
        page.screenshot(path=folder / "studio.png")
        page.set_viewport_size({"width": 390, "height": 844})
        page.mouse.move(200, 400)
        page.mouse.wheel(0, 430)
        sleep(1)
        page.screenshot(path=folder / "studio-phone.png")


def _opened(page: Page, url: str) -> None:
    page.goto(url)
    page.wait_for_selector(STATUS)
    _until(page, "Drop")


def _until(page: Page, pattern: str) -> None:
    end = perf_counter() + 120
    while perf_counter() < end:
        if re.search(pattern, page.inner_text(STATUS)):
            return
        sleep(0.01)
    raise TimeoutError(pattern)


def _table(turns: list[dict[str, float]], size: int) -> str:
    rows = {
        "first": "first version, in small",
        "whole": f"first version, {size} pixels",
        "step": "the optimiser's first steps",
        "apart": "between two states shown",
        "steer": "from a slider to the picture by it",
    }
    lines = ["| | seconds | of |", "| --- | --- | --- |"]
    for name, text in rows.items():
        values = sorted(turn[name] for turn in turns)
        lines.append(f"| {text} | {median(values):.2f} | {values[0]:.2f} to {values[-1]:.2f} |")
    return "\n".join(lines)


@contextmanager
def _studio(size: int) -> Iterator[str]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with TemporaryDirectory() as folder:
        words = ["studio", "--folder", folder, "--port", str(port), "--size", str(size)]
        command = [sys.executable, "-m", "impasto", *words, "--no-browser"]
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, env=dict(os.environ))
        try:
            for _ in range(300):
                try:
                    socket.create_connection(("127.0.0.1", port), 1).close()
                    break
                except OSError:
                    sleep(0.1)
            sleep(5)  # what is slower the first time
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()
            process.wait(20)


@contextmanager
def _browser() -> Iterator[Any]:
    program = next(filter(None, map(shutil.which, PROGRAMS)))
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=program)
        yield browser
        browser.close()


if __name__ == "__main__":
    main()

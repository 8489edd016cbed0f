"""The studio in a real browser."""

from __future__ import annotations

import json
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image

import impasto
from impasto.files.records.read import read_record

from .conftest import Page

pytestmark = pytest.mark.alone


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("studio")


@pytest.fixture(scope="module")
def server(started, folder):
    return started(folder)


@pytest.fixture
def opened(chromium, server) -> Iterator[Page]:
    with chromium.new_context(viewport={"width": 1280, "height": 1000}) as context:
        yield Page(context.new_page(), server.url)


def _albums(folder: Path) -> list[dict]:
    return [json.loads(p.read_text()) for p in folder.glob("albums/*/album.json")]


def _newest(folder: Path) -> Path:
    """The folder of the album that was written last."""
    return max(folder.glob("albums/*/album.json"), key=lambda p: p.stat().st_mtime).parent


def test_two_pictures_are_dropped_and_painted(opened, pictures, server):
    opened.drop_both(pictures)
    opened.wait("first|Step")
    opened.page.wait_for_function("document.querySelector('#picture img').naturalWidth == 96")
    opened.wait("Step [1-9]")
    opened.wait("Finished after 50 of 50 steps")
    opened.page.wait_for_selector("#history img")
    assert opened.history() == ["1: waves"]
    # Nobody else was asked for anything, and the browser would not have let it.
    assert server.sockets.read_text() == ""
    assert {url.split("/")[2] for url in opened.asked if url.startswith("http")} == {
        opened.page.url.split("/")[2]
    }
    refused = opened.page.evaluate(
        "fetch('http://127.0.0.2:9/').then(() => 'went', e => 'refused: ' + e)"
    )
    assert refused.startswith("refused")


def test_steering_undoing_branching_and_comparing(opened, pictures, folder):
    opened.drop_both(pictures)
    opened.wait("Step [1-9]")
    opened.slide("strength", -30)
    opened.wait(r"of (5[2-9]|[6-9]\d|1\d\d)")
    opened.wait("Finished")
    opened.page.wait_for_function("document.querySelectorAll('#history img').length == 2")
    assert opened.history()[0] == "2: strength 0.3"
    album = _newest(folder)
    record = read_record(album / "00002.png")
    assert [each.recipe.strength for each in record.changes] == [0.3]
    assert 0 < record.changes[0].step < 50

    opened.press("Undo")
    opened.wait("Picture 1: waves")
    opened.page.wait_for_function(
        "document.querySelector('#option-strength input[type=range]').value == '0.6'"
    )
    opened.slide("style_scale", 10)  # another way from the first
    opened.wait("Finished")
    opened.page.wait_for_function("document.querySelectorAll('#history img').length == 3")
    entries = json.loads((album / "album.json").read_text())["entries"]
    assert [each["parent"] for each in entries] == [0, 1, 1]

    opened.page.locator("#history button.thumbnail-item").nth(1).click()
    opened.press("Compare with it")
    opened.page.wait_for_selector("#both img")
    opened.press("Go back to it")
    opened.wait("Picture 2: strength 0.3")
    opened.press("Remove it")
    opened.page.wait_for_function("document.querySelectorAll('#history img').length == 2")
    opened.press("Remove everything")
    assert len(opened.history()) == 2  # not before one is sure
    opened.press("Yes, remove every version and what was dropped")
    opened.wait("^Drop a photograph")
    assert not album.exists()


@pytest.mark.slow
def test_stopping_and_keeping(opened, pictures):
    opened.page.locator("#option-quality input").click()
    opened.page.get_by_role("option", name="best").click()
    opened.drop_both(pictures)
    opened.wait("Step [3-9]")
    opened.press("Keep")
    opened.page.wait_for_function("document.querySelectorAll('#history img').length >= 1")
    opened.press("Stop")
    told = opened.wait("Stopped after")
    assert int(told.split()[2]) < 300
    opened.page.wait_for_function("document.querySelectorAll('#history img').length == 2")
    opened.press("Go on")
    opened.wait("Finished")


@pytest.mark.slow
def test_a_mask_is_painted(opened, pictures, folder):
    opened.drop_both(pictures)
    opened.wait("Step [1-9]")
    opened.tab("Brush")
    canvas = opened.page.wait_for_selector("#brush canvas")
    opened.wait("Finished")
    opened.page.wait_for_timeout(1000)
    box = canvas.bounding_box()
    mouse = opened.page.mouse
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    mouse.move(x - 40, y)
    mouse.down()
    for step in range(9):
        mouse.move(x - 40 + 10 * step, y)
    mouse.up()
    opened.wait(r"of (5[2-9]|[6-9]\d|1\d\d)|Going on")
    opened.wait("Finished")
    album = _newest(folder)
    entry = json.loads((album / "album.json").read_text())["entries"][-1]
    (mask,) = entry["masks"]
    with Image.open(album / "inputs" / mask) as image:
        assert image.getextrema() == (0, 255)
    record = read_record(album / f"{entry['number']:05}.png")
    assert record.latest.protect == Path(mask).name
    opened.press("Protect nothing")
    opened.wait("Step|Going on")
    opened.wait("Finished")
    entry = json.loads((album / "album.json").read_text())["entries"][-1]
    assert read_record(album / f"{entry['number']:05}.png").latest.protect is None


@pytest.mark.slow
def test_an_export_is_made_again_to_the_same_pixels(opened, pictures, tmp_path):
    opened.drop_both(pictures)
    opened.wait("Step [1-9]")
    opened.slide("strength", 5)
    opened.wait("Finished")
    opened.tab("Download")
    command = opened.page.locator("textarea").first
    opened.page.wait_for_function(
        "[...document.querySelectorAll('textarea')].some(t => t.value.includes('impasto'))"
    )
    assert command.input_value() == (
        "impasto stylize harbour.png waves.png --strength 0.65 --size 96"
    )
    opened.press("Make it")
    link = opened.page.wait_for_selector("#files a[download]")
    with opened.page.expect_download() as download:
        link.click()
    path = tmp_path / download.value.suggested_filename
    download.value.save_as(path)
    assert path.name == "harbour+waves.png"
    again = impasto.reproduce(path, content=pictures["harbour"], style=[pictures["waves"]])
    assert again.identical is True


@pytest.mark.slow
def test_a_photograph_without_a_network(opened, pictures):
    opened.drop_both(pictures)
    opened.tab("Without a network")
    opened.press("Paint it")
    opened.page.wait_for_function(
        "document.querySelector('#plain-picture img')?.naturalWidth > 0", timeout=60000
    )
    opened.page.wait_for_function(
        "document.querySelector('#plain-status').textContent.includes('impressionist: done')"
    )


@pytest.mark.slow
def test_a_contact_sheet(opened, pictures):
    opened.drop_both(pictures)
    opened.wait("Step [1-9]")
    opened.press("Stop")
    opened.wait("Stopped")
    opened.tab("Contact sheet")
    opened.press("By strength")
    opened.page.wait_for_function(
        "document.querySelectorAll('#sheet img').length == 6", timeout=60000
    )
    opened.page.locator("#sheet button.thumbnail-item").nth(1).click()
    opened.wait("first|Step")
    opened.page.wait_for_function(
        "document.querySelector('#option-strength input[type=range]').value == '0.35'"
    )
    opened.wait("Finished")


def _png_header(width: int, height: int) -> bytes:
    """A PNG that says how large it is, and holds nothing."""
    body = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunk = struct.pack(">I", 13) + body + struct.pack(">I", zlib.crc32(body))
    return b"\x89PNG\r\n\x1a\n" + chunk


BAD = {
    "huge.png": (_png_header(20000, 10000), "20000 x 10000 pixels, more than 100 million"),
    "bomb.png": (_png_header(60000, 60000), "60000 x 60000 pixels, more than 100 million"),
    "notes.jpg": (b"These are no colours." * 9, "'notes.jpg' is not a picture"),
    "torn.jpg": (b"\xff\xd8\xff\xe0" + bytes(300), "'torn.jpg' is damaged"),
}


def test_bad_files_get_a_sentence(opened, tmp_path):
    for name, (data, told) in BAD.items():
        path = tmp_path / name
        path.write_bytes(data)
        opened.drop("photo-drop", path)
        opened.page.get_by_text(told).first.wait_for()
    assert opened.status == "Drop a photograph and a painting."


@pytest.mark.slow
def test_killed_and_found_again(chromium, started, pictures, tmp_path):
    server = started(tmp_path / "studio")
    state = tmp_path / "browser"
    port = server.url.rpartition(":")[2]
    with chromium.new_context() as context:
        page = Page(context.new_page(), server.url)
        page.drop_both(pictures)
        page.wait("Finished")
        page.page.wait_for_selector("#history img")
        page.slide("strength", -10)
        page.wait("Step")
        server.kill()
        context.storage_state(path=state)
    server = started(tmp_path / "studio", port=int(port))
    with chromium.new_context(storage_state=state) as context:
        page = Page(context.new_page(), server.url)
        page.page.wait_for_selector("#history img")
        assert page.history()[-1] == "1: waves"
        assert page.page.wait_for_selector("#photo img")
        page.slide("strength", -5)
        page.wait("Finished")
    with chromium.new_context() as context:  # another browser knows nothing of it
        other = Page(context.new_page(), server.url)
        assert other.status == "Drop a photograph and a painting."
        other.page.wait_for_timeout(500)
        assert other.history() == []


@pytest.mark.slow
def test_no_access_for_others(chromium, started, tmp_path):
    server = started(tmp_path / "studio", "--host", "0.0.0.0", IMPASTO_STUDIO_PASSWORD="Kadmium")
    with chromium.new_context() as context:
        page = context.new_page()
        page.goto(server.url)
        page.get_by_label("username").fill("impasto")
        page.get_by_label("password").fill("wrong")
        page.get_by_role("button", name="Login").click()
        page.wait_for_selector("text=Incorrect")
        page.get_by_label("username").fill("impasto")
        page.get_by_label("password").fill("Kadmium")
        page.get_by_role("button", name="Login").click()
        page.wait_for_selector("#status p[role=status]")


@pytest.mark.slow
def test_every_part_can_be_used_by_everybody(opened, pictures):
    """axe-core finds nothing serious, at two widths; the keyboard reaches everything."""
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
    opened.drop_both(pictures)
    opened.wait("Finished")
    found = set()
    for width in (1280, 390):
        opened.page.set_viewport_size({"width": width, "height": 900})
        for name in (
            "History",
            "Brush",
            "Contact sheet",
            "Without a network",
            "Download",
            "Many, or a film",
            "Curve",
        ):
            if opened.page.get_by_role("tab", name=name).is_visible():
                opened.tab(name)
                opened.page.wait_for_timeout(400)
            for each in axe.run(opened.page).response["violations"]:
                if each["impact"] in ("serious", "critical"):
                    found |= {(each["id"], node["html"][:200]) for node in each["nodes"]}
        wide = opened.page.evaluate("document.documentElement.scrollWidth")
        assert wide <= width
    assert found == set()


@pytest.mark.slow
def test_by_keyboard_alone(opened, pictures):
    opened.drop_both(pictures)
    opened.wait("Finished")
    reached = set()
    for _ in range(90):
        opened.page.keyboard.press("Tab")
        reached.add(
            opened.page.evaluate(
                "(e => e.innerText || e.getAttribute('aria-label') || e.type)"
                "(document.activeElement)"
            )
        )
    for name in ("Go on", "Undo", "History", "Go back to it", "Remove everything", "range"):
        assert any(name in str(each) for each in reached), (name, reached)


@pytest.mark.slow
def test_eight_people_at_once(chromium, server, pictures):
    """Everybody's picture is finished, and is their own."""
    contexts = [chromium.new_context() for _ in range(8)]
    pages = [Page(context.new_page(), server.url) for context in contexts]
    for number, page in enumerate(pages):
        page.drop_both(pictures, ("waves", "spots")[number % 2])
    for number, page in enumerate(pages):
        page.wait("Finished after 50 of 50 steps", seconds=300)
        page.page.wait_for_selector("#history img")
        assert page.history() == [f"1: {('waves', 'spots')[number % 2]}"]
    for context in contexts:
        context.close()

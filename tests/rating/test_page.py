"""The page: nothing from outside, and, in a real browser, everything that a rater does."""

from __future__ import annotations

import base64
import io
import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image

from impasto.errors import PictureError
from impasto.rating.choices import read_ballots
from impasto.rating.page import write_page
from impasto.rating.sheet import Item, draw_comparisons, read_sheets
from tests.browser import Page, open_browser

NAMES = {"red": "good", "green": "plain", "blue": "poor"}


@pytest.fixture
def page(sheet, tmp_path) -> Path:
    items = read_sheets([sheet])
    write_page(items, draw_comparisons(items), tmp_path / "rate.html", title="Six <b> questions")
    return tmp_path / "rate.html"


def _data(page: Path) -> dict:
    return json.loads(re.search(r'id="data">(.*?)</script>', page.read_text(), re.DOTALL)[1])


def test_every_picture_is_inside(page):
    text = page.read_text()
    data = _data(page)
    assert len(data["comparisons"]) == 6
    assert len(data["pictures"]) == 10
    assert not re.search(r"""(src|href)=["']|url\(|https?:|@import""", text)
    kinds, word = data["pictures"]["0"].split(",")
    assert kinds == "data:image/jpeg;base64"
    with Image.open(io.BytesIO(base64.b64decode(word))) as image:
        assert image.size == (48, 40)
        assert image.convert("RGB").getpixel((5, 5)) == (255, 255, 255)


def test_the_data_cannot_break_out(sheet, tmp_path):
    items = [Item(i.content, i.style, i.results, "</script><b>") for i in read_sheets([sheet])[:1]]
    write_page(items, draw_comparisons(items), tmp_path / "rate.html")
    assert _data(tmp_path / "rate.html")["items"][0]["name"] == "</script><b>"


def test_pictures_are_made_smaller_and_lose_what_they_say_of_their_maker(sheet, tmp_path):
    items = read_sheets([sheet])
    big = Image.new("RGB", (300, 200))
    big.save(items[0].content, exif=Image.Exif())
    write_page(items, draw_comparisons(items), tmp_path / "rate.html", size=64)
    word = _data(tmp_path / "rate.html")["pictures"]["0"].split(",")[1]
    with Image.open(io.BytesIO(base64.b64decode(word))) as image:
        assert image.size == (64, 43)
        assert not image.getexif()


def test_a_missing_picture_leaves_no_page(sheet, tmp_path):
    items = read_sheets([sheet])
    Path(items[0].results["good"]).unlink()
    with pytest.raises(PictureError):
        write_page(items, draw_comparisons(items), tmp_path / "rate.html")
    assert not (tmp_path / "rate.html").exists()


COLOR = """(async id => {
  const image = document.getElementById(id);
  await image.decode();
  const canvas = new OffscreenCanvas(1, 1).getContext("2d");
  canvas.drawImage(image, 0, 0, 1, 1);
  const [r, g, b] = canvas.getImageData(0, 0, 1, 1).data;
  return r > 90 ? "red" : b > 90 ? "blue" : "green";
})"""


@pytest.fixture(scope="module")
def browser(tmp_path_factory) -> Iterator[Page]:
    with open_browser(tmp_path_factory.mktemp("profile")) as page:
        yield page


def test_a_rater_in_a_browser(browser, page, tmp_path):
    folder = tmp_path / "saved"
    folder.mkdir()
    browser.open(page)
    browser.save_downloads_in(folder)
    count = "document.getElementById('count').textContent"
    assert browser.value("document.getElementById('title').textContent") == "Six <b> questions"
    assert browser.value("document.body.innerText.match(/good|plain|poor/)") is None

    shown, keys = [], ["ArrowLeft", "ArrowRight", " ", "ArrowLeft", "=", "ArrowRight"]
    for key in keys[:2]:
        shown.append([NAMES[browser.value(f"{COLOR}('{s}-image')")] for s in ("left", "right")])
        browser.press(key)
    browser.press("ArrowLeft")
    browser.press("Backspace")  # taken back
    assert browser.value(count) == "2 of 6"

    browser.value("document.getElementById('rater').focus()")
    for letter in "us ":  # letters of a name are no commands
        browser.press(letter)
    assert browser.value(count) == "2 of 6"
    browser.value("document.getElementById('rater').blur()")

    browser.reload()  # loses nothing
    assert browser.value(count) == "2 of 6"
    assert browser.value("document.getElementById('rater').value") == "us "
    for key in keys[2:]:
        shown.append([NAMES[browser.value(f"{COLOR}('{s}-image')")] for s in ("left", "right")])
        browser.press(key)
    assert browser.value(count) == "6 of 6"
    browser.press("ArrowLeft")  # there is nothing left to choose
    assert browser.value("document.getElementById('pair').hidden")
    browser.press("s")
    path = folder / "choices-us.json"
    browser.until(path.is_file)
    assert browser.errors == []
    assert [r for r in browser.requests if not r.startswith(("data:", "blob:", "file:"))] == []
    assert {r for r in browser.requests if r.startswith("file:")} == {page.as_uri()}

    (ballot,) = read_ballots([path])
    assert ballot.rater == "us"
    assert [each.choice for each in ballot.choices] == [
        "left", "right", "tie", "left", "tie", "right",
    ]  # fmt: skip
    assert [[each.left, each.right] for each in ballot.choices] == shown
    pairs = {(each.item, *sorted((each.left, each.right))) for each in ballot.choices}
    assert len(pairs) == 6


def test_the_mouse_and_the_space_bar_after_it(browser, page):
    browser.open(page)
    browser.value("localStorage.clear(), sessionStorage.clear()")
    browser.reload()
    for name in ("right-image", "left-image", "tie", "undo"):
        browser.click(name)
    browser.press(" ")
    browser.click("save")
    browser.press("ArrowRight")
    assert browser.value("JSON.stringify(state.answers)") == '["right","left","tie","right"]'


def test_a_browser_that_forgets_one_of_the_two_stores(browser, page):
    """As Chromium does now and then on a reload, with what a page that is a file has stored."""
    browser.open(page)
    browser.value("localStorage.clear(), sessionStorage.clear()")
    browser.reload()
    for key, forgotten in (("ArrowLeft", "localStorage"), (" ", "localStorage")):
        browser.press(key)
        browser.value(f"{forgotten}.clear()")
        browser.reload()
    assert browser.value("JSON.stringify(state.answers)") == '["left","tie"]'
    older = "JSON.stringify({...state, answers: ['right'], changes: 1})"
    for name, other in (("localStorage", "sessionStorage"), ("sessionStorage", "localStorage")):
        browser.value(f"{other}.setItem(key, JSON.stringify(state))")
        browser.value(f"{name}.setItem(key, {older})")
        assert browser.value("JSON.stringify(stored().answers)") == '["left","tie"]'
        browser.value(f"{name}.clear()")
        assert browser.value("JSON.stringify(stored().answers)") == '["left","tie"]'


def test_a_choice_is_stored_before_it_is_shown(browser, page):
    browser.open(page)
    browser.value("localStorage.clear(), sessionStorage.clear()")
    browser.reload()
    watch = """
      const seen = [], count = document.getElementById("count");
      new MutationObserver(() => seen.push(stored().answers.length)).observe(
        count, { childList: true, characterData: true, subtree: true });
      const shown = draw;
      draw = () => { seen.push(stored().answers.length); shown(); };
      window.seen = seen;"""
    browser.value(f"(() => {{ {watch} }})()")
    browser.press("ArrowLeft")
    assert browser.value("JSON.stringify(seen)") == "[1,1]"

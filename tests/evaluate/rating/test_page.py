"""The page: nothing from outside, and, in a real browser, everything that a rater does."""

from __future__ import annotations

import base64
import io
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from impasto.errors import PictureError
from impasto.evaluate.rating.choices import read_ballots
from impasto.evaluate.rating.page import write_page
from impasto.evaluate.rating.sheet import Item, draw_comparisons, read_sheets

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


COUNT = "document.getElementById('count').textContent"
ANSWERS = "JSON.stringify(state.answers)"


@pytest.fixture
def opened(chromium, page) -> Iterator[Any]:
    """Open the page for a rater who has never been there."""
    with chromium.new_context() as context:
        tab = context.new_page()
        tab.goto(page.as_uri())
        yield tab


def _shown(tab) -> list[str]:
    """The contenders to the left and right, by the colours that they have here."""
    return [NAMES[tab.evaluate(f"({COLOR})('{side}-image')")] for side in ("left", "right")]


@pytest.mark.alone
def test_a_rater_in_a_browser(chromium, page, tmp_path):
    context = chromium.new_context()
    tab = context.new_page()
    errors, requests = [], []
    tab.on("pageerror", lambda error: errors.append(str(error)))
    tab.on("console", lambda said: errors.append(said.text) if said.type == "error" else None)
    tab.on("request", lambda asked: requests.append(asked.url))
    tab.goto(page.as_uri())
    assert tab.text_content("#title") == "Six <b> questions"
    assert tab.evaluate("document.body.innerText.match(/good|plain|poor/)") is None

    shown, keys = [], ["ArrowLeft", "ArrowRight", "Space", "ArrowLeft", "=", "ArrowRight"]
    for key in keys[:2]:
        shown.append(_shown(tab))
        tab.keyboard.press(key)
    tab.keyboard.press("ArrowLeft")
    tab.keyboard.press("Backspace")  # taken back
    assert tab.evaluate(COUNT) == "2 of 6"

    tab.focus("#rater")
    tab.keyboard.type("us ")  # letters of a name are no commands
    assert tab.evaluate(COUNT) == "2 of 6"
    tab.evaluate("document.getElementById('rater').blur()")

    tab.reload()  # loses nothing
    assert tab.evaluate(COUNT) == "2 of 6"
    assert tab.input_value("#rater") == "us "
    for key in keys[2:]:
        shown.append(_shown(tab))
        tab.keyboard.press(key)
    assert tab.evaluate(COUNT) == "6 of 6"
    tab.keyboard.press("ArrowLeft")  # there is nothing left to choose
    assert tab.is_hidden("#pair")
    with tab.expect_download() as download:
        tab.keyboard.press("s")
    assert download.value.suggested_filename == "choices-us.json"
    download.value.save_as(tmp_path / "choices-us.json")
    assert errors == []
    assert {url for url in requests if not url.startswith(("data:", "blob:"))} == {page.as_uri()}
    context.close()

    (ballot,) = read_ballots([tmp_path / "choices-us.json"])
    assert ballot.rater == "us"
    assert [each.choice for each in ballot.choices] == [
        "left", "right", "tie", "left", "tie", "right",
    ]  # fmt: skip
    assert [[each.left, each.right] for each in ballot.choices] == shown
    pairs = {(each.item, *sorted((each.left, each.right))) for each in ballot.choices}
    assert len(pairs) == 6


@pytest.mark.alone
def test_the_mouse_and_the_space_bar_after_it(opened):
    for name in ("right-image", "left-image", "tie", "undo"):
        opened.click(f"#{name}")
    opened.keyboard.press("Space")
    opened.click("#save")
    opened.keyboard.press("ArrowRight")
    assert opened.evaluate(ANSWERS) == '["right","left","tie","right"]'


@pytest.mark.alone
def test_a_browser_that_forgets_one_of_the_two_stores(opened):
    """As Chromium does now and then on a reload, with what a page that is a file has stored."""
    for key, forgotten in (("ArrowLeft", "localStorage"), ("Space", "localStorage")):
        opened.keyboard.press(key)
        opened.evaluate(f"{forgotten}.clear()")
        opened.reload()
    assert opened.evaluate(ANSWERS) == '["left","tie"]'
    older = "JSON.stringify({...state, answers: ['right'], changes: 1})"
    for name, other in (("localStorage", "sessionStorage"), ("sessionStorage", "localStorage")):
        opened.evaluate(f"{other}.setItem(key, JSON.stringify(state))")
        opened.evaluate(f"{name}.setItem(key, {older})")
        assert opened.evaluate("JSON.stringify(stored().answers)") == '["left","tie"]'
        opened.evaluate(f"{name}.clear()")
        assert opened.evaluate("JSON.stringify(stored().answers)") == '["left","tie"]'


@pytest.mark.alone
def test_a_choice_is_stored_before_it_is_shown(opened):
    watch = """
      const seen = [], count = document.getElementById("count");
      new MutationObserver(() => seen.push(stored().answers.length)).observe(
        count, { childList: true, characterData: true, subtree: true });
      const shown = draw;
      draw = () => { seen.push(stored().answers.length); shown(); };
      window.seen = seen;"""
    opened.evaluate(f"(() => {{ {watch} }})()")
    opened.keyboard.press("ArrowLeft")
    assert opened.evaluate("JSON.stringify(seen)") == "[1,1]"

"""Sizes as people say them, and what is said to those that are none."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from impasto.errors import RecipeError
from impasto.recipe.sizes import Frame, parse_paper, parse_size
from impasto.recipe.still import Recipe


@pytest.mark.parametrize(
    ("value", "frame"),
    [
        (512, Frame(512, 512)),
        ("512", Frame(512, 512)),
        ("3000x2000", Frame(3000, 2000)),
        (" 3000 X 2000 ", Frame(3000, 2000)),
        ("3000×2000", Frame(3000, 2000)),
        ("full", None),
        ("FULL", None),
    ],
)
def test_sizes(value, frame):
    assert parse_size(value) == frame


@pytest.mark.parametrize(
    ("value", "dpi", "width", "height"),
    [
        ("60x90cm", 300, 7087, 10630),
        ("60 x 90 cm", 300, 7087, 10630),
        ("600x900mm", 300, 7087, 10630),
        ("24x36in", 300, 7200, 10800),
        ('24x36"', 100, 2400, 3600),
        ("8.5x11inch", 200, 1700, 2200),
        ("29,7x42cm", 150, 1754, 2480),
    ],
)
def test_paper(value, dpi, width, height):
    assert parse_paper(value, dpi) == Frame(width, height, turns=True)


@pytest.mark.parametrize("value", ["", "big", "12x", "x12", "3000x2000x3", "12.5", "1e3", "٣x٤٤"])
def test_what_is_no_size(value):
    with pytest.raises(RecipeError, match=r"--size .*\.$"):
        parse_size(value)


@pytest.mark.parametrize("value", ["60x90", "60cm", "A4", "60x90m", "-6x9cm", "6x9 cm²", ""])
def test_what_is_no_paper(value):
    with pytest.raises(RecipeError, match="such as 60x90cm"):
        parse_paper(value, 300)


@pytest.mark.parametrize("value", [15, -512, "15x3000", "0"])
def test_too_small(value):
    with pytest.raises(RecipeError, match="at least 16 pixels"):
        parse_size(value)
    with pytest.raises(RecipeError, match="must be at least 16 each way"):
        parse_paper("1x90mm", 300)


@given(
    frame=st.builds(Frame, st.integers(16, 9000), st.integers(16, 9000), st.booleans()),
    height=st.integers(16, 9000),
    width=st.integers(16, 9000),
)
def test_a_picture_fits_and_touches(frame, height, width):
    rows, columns = frame.fit(height, width)
    sides = (frame.height, frame.width)
    if frame.turns and (height > width) != (frame.height > frame.width):
        sides = sides[::-1]
    assert 1 <= rows <= sides[0]
    assert 1 <= columns <= sides[1]
    assert rows == sides[0] or columns == sides[1]
    assert abs(rows - columns * height / width) <= max(1, height / width)


def test_a_sheet_is_turned_and_a_frame_is_not():
    assert Recipe(print="60x90cm").frame.fit(2000, 3000) == (7087, 10630)
    assert Recipe(print="60x90cm").frame.fit(3000, 2000) == (10630, 7087)
    assert Recipe(size="3000x2000").frame.fit(3000, 2000) == (2000, 1333)


def test_the_resolution_is_stated_where_something_asks_for_it():
    assert Recipe().resolution is None
    assert Recipe(dpi=240).resolution == 240
    assert Recipe(print="10x15cm").resolution == 300
    assert Recipe(print="10x15cm", dpi=100).frame == Frame(394, 591, turns=True)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"size": 600, "print": "60x90cm"}, "--size and --print contradict"),
        ({"size": "huge"}, "--size 'huge' is unknown"),
        ({"size": True}, "--size"),
        ({"print": "big"}, "--print 'big'"),
        ({"dpi": 0}, "--dpi must lie"),
        ({"depth": 12}, "--depth 12 is unknown: choose from 8, 16"),
        ({"max_pixels": 0}, "--max-pixels"),
    ],
    ids=str,
)
def test_a_recipe_says_what_is_wrong(options, words):
    with pytest.raises(RecipeError, match=words):
        Recipe(**options)


def test_a_number_in_words_is_a_number():
    assert Recipe(size="700") == Recipe(size=700)

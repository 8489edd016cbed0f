"""What is asked of a film."""

from __future__ import annotations

import pytest

from impasto.errors import RecipeError
from impasto.recipe.film import FilmRecipe, FrameRange, check_frames, seconds_of
from impasto.recipe.still import Recipe


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("83.5", 83.5), ("1:23.5", 83.5), ("0:01:23.5", 83.5), (2, 2.0), ("0", 0.0), (None, None)],
)
def test_times(text, seconds):
    assert seconds_of(text, "--start") == seconds


@pytest.mark.parametrize("text", ["", "one", "1:2:3:4", "-1", "1e9", "nan"])
def test_what_is_no_time(text):
    with pytest.raises(RecipeError, match="--start"):
        seconds_of(text, "--start")


def test_a_part():
    assert FilmRecipe(start="1", end="0:02", every=3).part == FrameRange(1.0, 2.0, 3)
    assert FilmRecipe().part == FrameRange()
    assert FilmRecipe().ties_frames
    assert not FilmRecipe(temporal="off").ties_frames


@pytest.mark.parametrize(
    "options",
    [
        {"every": 0},
        {"fps": 0.0},
        {"passes": 0},
        {"frame_steps": 0},
        {"temporal": -1.0},
        {"temporal": float("nan")},
        {"temporal": "on"},
        {"long_term": ()},
        {"long_term": (2, 4)},
        {"long_term": (1, 4, 2)},
        {"start": "2", "end": "1"},
        {"passes": 2, "temporal": "off"},
    ],
)
def test_bad_options_are_one_sentence(options):
    name = next(iter(options)).replace("_", "-")
    with pytest.raises(RecipeError, match=f"--{name}"):
        FilmRecipe(**options)


def test_options_are_told_apart():
    film, rest = FilmRecipe.split({"size": 64, "long_term": [1, 3], "passes": 2, "seed": 5})
    assert (film.long_term, film.passes) == ((1, 3), 2)
    assert rest == {"size": 64, "seed": 5}


def test_frames_are_no_tiles_and_at_once_nothing_is_optimised():
    check_frames(Recipe(size=64), FilmRecipe(passes=2))
    check_frames(Recipe(quality="instant"), FilmRecipe(temporal="off"))
    with pytest.raises(RecipeError, match="--tileable"):
        check_frames(Recipe(tileable=True), FilmRecipe())
    with pytest.raises(RecipeError, match="leave out --passes"):
        check_frames(Recipe(quality="instant"), FilmRecipe(passes=2))

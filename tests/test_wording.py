"""One sentence, two readers: flags on the command line, keywords in a program."""

from __future__ import annotations

import pytest

import impasto
from impasto.recipe.film import FilmRecipe
from impasto.wording import on_the_command_line, worded


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("--steps needs a number.", "steps=… needs a number."),
        ("--style-scale must lie between", "style_scale=… must lie between"),
        ("--fit crop fills it", "fit='crop' fills it"),
        ("give --size WIDTHxHEIGHT, or", "give size='WIDTHxHEIGHT', or"),
        ("--print 'big' is no size", "print='big' is no size"),
        ("--tile 512.", "tile=512."),
        ("leave out --crop-preview.", "leave out crop_preview=True."),
        ("choose another --output, or add --overwrite.",
         "choose another path, or add overwrite=True."),
        ("see impasto stylize --help.", "see impasto stylize --help."),
        ("a dash -- and --a-word-nobody-knows", "a dash -- and --a-word-nobody-knows"),
    ],
)  # fmt: skip
def test_a_sentence_in_a_program(written, read):
    assert FilmRecipe  # its names are known from here on
    assert worded(written) == read
    with on_the_command_line():
        assert worded(written) == written


def test_errors_speak_so():
    with pytest.raises(impasto.RecipeError) as caught:
        impasto.Recipe(strength=2)
    assert str(caught.value) == "strength=… must lie between 0 and 1."
    assert isinstance(impasto.StoppedError("x"), TimeoutError)


def test_values_as_a_program_gives_them():
    import numpy as np

    plain = impasto.Recipe(steps=(40,), style_layers=("conv1_1",), scales=2, blend=(1.0, 3.0))
    given = impasto.Recipe(
        steps=40, style_layers="conv1_1", scales=np.int64(2), blend=[np.float32(1), 3]
    )
    assert given == plain
    assert type(given.scales) is int
    assert impasto.Recipe(style_scale=[0.5, 1]).style_scale == (0.5, 1)
    assert impasto.Recipe(strength=np.float64(0.5)).strength == 0.5

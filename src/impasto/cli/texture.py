"""``impasto texture``: a painting's style alone, as a picture of any size that may tile."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from impasto.cli.batch import textures_command
from impasto.cli.destination import destination
from impasto.cli.making import Output, make
from impasto.cli.naming import PIPE, default_texture
from impasto.cli.pipes import from_pipe, to_pipe
from impasto.cli.wishes import Wishes
from impasto.errors import RecipeError
from impasto.files.outputs import named_in
from impasto.files.pictures.finding import is_many
from impasto.jobs.still import Job
from impasto.jobs.stylizer import Stylizer
from impasto.recipe.still import Recipe, as_texture


def texture_command(
    styles: Sequence[Path],
    *,
    size: str,
    output: str | None,
    wishes: Wishes,
    recipe: Recipe,
) -> int:
    """Make the texture and write it, or one for each painting and seed; the exit status.

    Raises:
        ImpastoError: with one sentence that says what to do.

    """
    if not styles:
        raise RecipeError("A painting is needed: impasto texture painting.jpg.")
    sides = sides_of(size)
    own = as_texture(recipe, *sides)

    if wishes.many.is_asked_for or any(map(is_many, styles)):
        return textures_command(styles, own, sides, output, wishes)
    paintings = from_pipe(styles)

    def start(resume: Path | None) -> Job:
        return Stylizer.of(own).start_texture(own, paintings, sides, resume=resume)

    inputs = (*styles, *named_in(vars(own)))
    named = default_texture(styles, own.seed or None)
    usual = wishes.usual_name(named, "", styles, own.seed, output)
    with to_pipe(usual) if output == str(PIPE) else destination(output, usual) as path:
        target = Output(
            *(path, own.depth, wishes.overwrite, wishes.keeping, inputs),
            quiet=wishes.quiet,
            tells=wishes.tells(output),
        )
        return make(start, target)[1]


def sides_of(text: str) -> tuple[int, int]:
    """Width and height from ``512`` or ``1024x512``.

    Raises:
        RecipeError: it is neither.

    """
    match = re.fullmatch(r"(\d{1,6})(?:x(\d{1,6}))?", text.strip().lower())
    if not match:
        raise RecipeError(f"--size {text[:40]!r} is no size: write 512, or 1024x512.")
    width = int(match[1])
    return width, int(match[2] or width)

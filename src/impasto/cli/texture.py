"""``impasto texture``: a painting's style alone, as a picture of any size that may tile."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from impasto.cli.destination import destination
from impasto.cli.keeping import Keeping
from impasto.cli.making import Output, make
from impasto.errors import RecipeError
from impasto.files.outputs import named_in
from impasto.jobs.still import Job
from impasto.jobs.stylizer import Stylizer
from impasto.recipe.still import Recipe, as_texture


def texture_command(
    styles: Sequence[Path],
    *,
    size: str,
    output: str | None,
    overwrite: bool,
    keeping: Keeping,
    quiet: bool,
    recipe: Recipe,
) -> int:
    """Make the texture and write it; the exit status.

    Raises:
        ImpastoError: with one sentence that says what to do.

    """
    if not styles:
        raise RecipeError("A painting is needed: impasto texture painting.jpg.")
    sides = sides_of(size)
    own = as_texture(recipe, *sides)

    def start(resume: Path | None) -> Job:
        return Stylizer.of(own).start_texture(own, list(styles), sides, resume=resume)

    inputs = (*styles, *named_in(vars(own)))
    with destination(output, default_output(styles)) as path:
        target = Output(path, own.depth, overwrite, keeping, inputs, quiet=quiet)
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


def default_output(styles: Sequence[Path]) -> Path:
    """``painting.texture.png``, in the current folder."""
    return Path("+".join(path.stem for path in styles) + ".texture.png")

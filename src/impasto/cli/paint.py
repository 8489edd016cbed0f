"""``impasto paint``: a photograph painted without a network, as before there were any."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import Parameter

from impasto.cli.flags import Debug, Overwrite, Quiet
from impasto.errors import ImpastoError, OutputError, RecipeError
from impasto.recipe.paint import PaintRecipe

if TYPE_CHECKING:
    from torch import Tensor

    from impasto.files.outputs import Outputs
    from impasto.painters.strokes import Painting

FAILED = 1
SECONDS, HELD = 9, 1  # of a film of the painting being made; of its end
RATE = 25
DRAWING = ".svg"


def paint(
    method: Annotated[str, Parameter(help="strokes, portrait, filter, regions or analogy.")],
    photo: Annotated[
        Path, Parameter(help="The photograph, or a film; a folder or a quoted pattern for many.")
    ],
    palette: Annotated[
        Path | None,
        Parameter(
            help="A painting: strokes take its colours, regions are cut out of it, an analogy "
            "learns from it."
        ),
    ] = None,
    *,
    manner: Annotated[
        str,
        Parameter(
            help="Of strokes: impressionist (the usual one), expressionist, wash, pointillist, "
            "stipples, tiles; of a filter: oil (the usual one), ink, cartoon, pencil."
        ),
    ] = "",
    original: Annotated[
        Path | None,
        Parameter(
            help="Of an analogy: the picture that the painting was made of; what was done to it "
            "is done to the photograph, which keeps its colours."
        ),
    ] = None,
    size: Annotated[int, Parameter(help="Longest side of the result, in pixels.")] = 512,
    seed: Annotated[
        int, Parameter(help="Another one lays the strokes in another order, in other colours.")
    ] = 0,
    depth: Annotated[Literal[8, 16], Parameter(help="Bits a channel, 8 or 16 (PNG and TIFF).")] = 8,
    output: Annotated[
        str | None,
        Parameter(
            name=["--output", "-o"],
            help="Where to write; by default photo.manner.png. NAME.svg for strokes as a drawing "
            "of any size, NAME.mp4 for a film of them being laid. A folder for many photographs.",
        ),
    ] = None,
    overwrite: Overwrite = False,
    quiet: Quiet = False,
    debug: Debug = False,
) -> int:
    """Paint with strokes, a filter, a painting's patches or by an example; without a network."""
    del debug  # read by main, which alone catches errors
    from impasto.cli.destination import destination, names_folder
    from impasto.files.formats import is_moving
    from impasto.files.outputs import Outputs, is_folder
    from impasto.files.pictures.finding import is_many, pictures_of

    recipe = PaintRecipe(method, manner, size, seed, depth)
    outputs = Outputs([photo, palette, original], overwrite=overwrite)
    if not is_many(photo):
        suffix = ".mp4" if is_moving(photo) and photo.suffix.lower() != ".gif" else ".png"
        usual = Path(f"{photo.stem}.{recipe.manner}{suffix}")
        with destination(output, usual) as path:
            return _one(recipe, photo, (palette, original), path, outputs, quiet=quiet)
    if output is None or not (names_folder(output) or is_folder(output)):
        raise OutputError("Many photographs need a folder: add --output FOLDER/.")
    photographs = pictures_of([photo])
    if len({each.stem for each in photographs}) < len(photographs):
        raise OutputError("Two photographs differ by their suffix only: rename one.")
    with destination(output, Path("x.png")) as example:
        return _many(recipe, photographs, (palette, original), example.parent, outputs, quiet=quiet)


def _many(
    recipe: PaintRecipe,
    photographs: list[Path],
    paintings: Sequence[Path | None],
    folder: Path,
    outputs: Outputs,
    *,
    quiet: bool,
) -> int:
    """One after the other; a failure stops no others."""
    from impasto.cli.making import say

    outputs.check_folder(folder, overwrite=True)
    failed = 0
    for photo in photographs:
        try:
            path = folder / f"{photo.stem}.{recipe.manner}.png"
            _one(recipe, photo, paintings, path, outputs, quiet=quiet)
        except ImpastoError as error:
            say((f"{photo.name}: {error}",), quiet=False)
            failed += 1
    if failed:
        say((f"{failed} of {len(photographs)} pictures failed.",), quiet=False)
    return FAILED if failed else 0


def _one(
    recipe: PaintRecipe,
    photo: Path,
    paintings: Sequence[Path | None],
    path: Path,
    outputs: Outputs,
    *,
    quiet: bool,
) -> int:
    from impasto.cli.making import say
    from impasto.cli.results import tell_results
    from impasto.files.atomic import claimed
    from impasto.files.formats import is_moving, written_as
    from impasto.files.records.write import record_path, write_record
    from impasto.jobs.painted import LAID, paint_photograph

    is_film = written_as(path, "film") is not None
    if is_film and is_moving(photo):
        outputs.check(path, record_path(path))
        return _film(recipe, photo, paintings, path, quiet=quiet)
    is_picture = not (path.suffix.lower() == DRAWING or is_film)
    if not is_picture and recipe.method not in LAID:
        raise RecipeError("Only strokes become a drawing or a film: end --output in .png.")
    if is_picture:
        outputs.check_picture(path, depth=recipe.depth)
    else:
        outputs.check(path, record_path(path))
    with claimed(path, record_path(path)):
        made = paint_photograph(recipe, photo, *paintings)
        say(made.result.notes, quiet=quiet)
        if made.painting is None or is_picture:
            made.result.save(path, overwrite=True)
        else:
            _write(made.painting, made.result.tensor, path)
            write_record(made.result.record, record_path(path))
    tell_results([path], quiet=quiet, as_json=False)
    return 0


def _film(
    recipe: PaintRecipe,
    clip: Path,
    paintings: Sequence[Path | None],
    path: Path,
    *,
    quiet: bool,
) -> int:
    """A film of a film."""
    import sys

    from impasto.cli.film_progress import film_display
    from impasto.cli.making import say
    from impasto.cli.results import tell_results
    from impasto.cli.stopping import INTERRUPTED
    from impasto.files.atomic import claimed
    from impasto.jobs.painted import check_paintings
    from impasto.jobs.painted_film import paint_film

    palette, original = paintings
    check_paintings(recipe, palette, original)
    with claimed(path), film_display(quiet=quiet) as show:
        made = paint_film(recipe, clip, path, palette, show=show)
    say(made.notes, quiet=quiet)
    if not made.finished:
        print(
            f"impasto: stopped; the film so far ({made.frames} frames) is in {path}.",
            file=sys.stderr,
        )
        return INTERRUPTED
    tell_results([path], quiet=quiet, as_json=False)
    return 0


def _write(painting: Painting, whole: Tensor, path: Path) -> None:
    """A drawing, or a film of the painting being made."""
    from itertools import chain, repeat

    from impasto.files.atomic import atomic_write
    from impasto.painters.svg import to_svg

    if path.suffix.lower() == DRAWING:
        with atomic_write(path) as temporary:
            temporary.write_text(to_svg(painting), encoding="utf-8")
        return
    from impasto.files.films.silent import write_silent

    height, width = whole.shape[-2:]
    made = painting.unfolding(width, height, SECONDS * RATE)
    write_silent(path, chain(made, repeat(whole, HELD * RATE)), (height, width), rate=RATE)

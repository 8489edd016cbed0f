"""``impasto rate``: results shown blind in pairs, and scores from what people chose."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import App, Parameter

from impasto.cli.flags import Debug, Overwrite

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.table import Table

    from impasto.rating.agreement import Agreement
    from impasto.rating.choices import Ballot
    from impasto.rating.scores import Scores

rate = App(name="rate", help="Compare results blind, in pairs; then read scores from the choices.")


@rate.default
def page(
    *sheet: Annotated[
        Path, Parameter(help="A sheet.json, or a folder of items (docs/measuring.md).")
    ],
    output: Annotated[
        Path, Parameter(name=["--output", "-o"], help="The page to write.")
    ] = Path("rate.html"),
    comparisons: Annotated[
        int | None, Parameter(help="How many comparisons; all of them when not given.")
    ] = None,
    size: Annotated[int, Parameter(help="Longest side of a picture in the page.")] = 640,
    title: Annotated[str, Parameter(help="Shown at the top of the page.")] = "",
    seed: Annotated[int, Parameter(help="Seed of the drawing of comparisons.")] = 0,
    overwrite: Overwrite = False,
    debug: Debug = False,
) -> int:
    """Write a page that shows results blind, in random pairs, and saves what is chosen."""
    del debug
    from impasto.errors import RatingError
    from impasto.files.atomic import check_output
    from impasto.rating.page import write_page
    from impasto.rating.sheet import draw_comparisons, read_sheets

    if not sheet:
        raise RatingError("A sheet is needed: impasto rate sheet.json (see docs/measuring.md).")
    if size < 32 or (comparisons is not None and comparisons < 1):
        raise RatingError("--size must be at least 32 pixels, and --comparisons at least 1.")
    check_output(output, overwrite=overwrite)
    items = read_sheets(sheet)
    drawn = draw_comparisons(items, limit=comparisons, seed=seed)
    write_page(items, drawn, output, title=title, size=size)
    print(f"{output}: {len(drawn)} comparisons on {len({each.item for each in drawn})} items")
    return 0


@rate.command
def read(
    *choices: Annotated[Path, Parameter(help="Files that the page has saved.")],
    against: Annotated[
        str | None, Parameter(help="The contender to compare with; the best when not given.")
    ] = None,
    prior: Annotated[
        float, Parameter(help="Deviation of the Gaussian prior of the scores, in log-odds.")
    ] = 1.0,
    bootstrap: Annotated[
        int, Parameter(help="Draw the items anew this often for the intervals; 0 for none.")
    ] = 0,
    seed: Annotated[int, Parameter(help="Seed of the bootstrap.")] = 0,
    plot: Annotated[
        Path | None, Parameter(help="Draw the scores into this .png or .svg as well.")
    ] = None,
    as_json: Annotated[
        bool, Parameter(name="--json", help="Print JSON in place of the table.", negative="")
    ] = False,
    overwrite: Overwrite = False,
    debug: Debug = False,
) -> int:
    """Fit scores to saved choices, with 95% intervals, and say how far raters agree."""

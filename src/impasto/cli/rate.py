"""``impasto rate``: results shown blind in pairs, and scores from what people chose."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import App, Parameter

from impasto.cli.flags import Debug, Overwrite

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rich.table import Table

    from impasto.evaluate.rating.agreement import Agreement
    from impasto.evaluate.rating.verdict import Verdict

LARGEST_PRIOR, MOST_DRAWS = 100, 100_000

rate = App(name="rate", help="Compare results blind, in pairs; then read scores from the choices.")


@rate.default
def page(
    *sheet: Annotated[
        Path, Parameter(help="A sheet.json, or a folder of items (docs/measuring.md).")
    ],
    output: Annotated[Path, Parameter(name=["--output", "-o"], help="The page to write.")] = Path(
        "rate.html"
    ),
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
    from impasto.evaluate.rating.page import write_page
    from impasto.evaluate.rating.sheet import draw_comparisons, read_sheets
    from impasto.files.outputs import Outputs

    if not sheet:
        raise RatingError("A sheet is needed: impasto rate sheet.json (see docs/measuring.md).")
    if size < 32 or (comparisons is not None and comparisons < 1):
        raise RatingError("--size must be at least 32 pixels, and --comparisons at least 1.")
    Outputs(sheet, overwrite=overwrite).check(output)
    items = read_sheets(sheet)
    pictures = (
        file for each in items for file in (each.content, each.style, *each.results.values())
    )
    Outputs(pictures, overwrite=overwrite).check(output)
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
        int, Parameter(help="Resample the items this often for the intervals; 0 for none.")
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
    del debug
    from impasto.errors import RatingError
    from impasto.evaluate.rating.agreement import agreement_of
    from impasto.evaluate.rating.choices import read_ballots
    from impasto.evaluate.rating.plot import write_scores
    from impasto.evaluate.rating.scores import score_ballots
    from impasto.evaluate.rating.verdict import Verdict
    from impasto.files.outputs import Outputs

    if not choices:
        raise RatingError("Saved choices are needed: impasto rate read choices.json.")
    if not 0 < prior <= LARGEST_PRIOR or not 0 <= bootstrap <= MOST_DRAWS:
        raise RatingError(
            f"--prior must lie between 0 and {LARGEST_PRIOR}, --bootstrap between 0 and "
            f"{MOST_DRAWS:,}."
        )
    if plot is not None:
        Outputs(choices, overwrite=overwrite).check(plot)
    ballots = read_ballots(choices)
    scores = score_ballots(ballots, prior=prior, bootstrap=bootstrap, seed=seed)
    if against is not None and against not in scores.names:
        raise RatingError(
            f"There is no contender {against!r}: choose from {', '.join(scores.names)}."
        )
    reference = against or scores.ranked[0]
    if plot is not None:
        write_scores(scores, plot, title="Bradley-Terry scores, 95% intervals")
    verdict = Verdict(ballots, scores, agreement_of(ballots), reference)
    if as_json:
        print(json.dumps(verdict.as_dict(), indent=1, allow_nan=False))
    else:
        _print(verdict)
    return 0


def _print(verdict: Verdict) -> None:
    from impasto.cli.tables import plain_console

    console = plain_console()
    console.print(_table(verdict))
    for line in _agreement_lines(verdict.agreement):
        console.print(line)


def _table(verdict: Verdict) -> Table:
    from rich.table import Table

    table = Table(box=None, padding=(0, 2, 0, 0))
    table.add_column("contender", no_wrap=True)
    behind = f"against {verdict.reference}"
    for heading in ("score", "95% interval", "won", "tied", "lost", behind, "95% interval"):
        table.add_column(heading, justify="right", no_wrap=True)
    for name in verdict.scores.ranked:
        counts = map(str, verdict.tally(name))
        own, *ends = verdict.scores.score(name)
        row = [name, f"{own:+.2f}", _interval(ends), *counts]
        if name != verdict.reference:
            apart, *ends = verdict.scores.difference(name, verdict.reference)
            row += [f"{apart:+.2f}", _interval(ends)]
        table.add_row(*row)
    return table


def _interval(ends: Sequence[float]) -> str:
    return " to ".join(f"{end:+.2f}" for end in ends)


def _agreement_lines(agreement: Agreement) -> Iterator[str]:
    if not agreement.pairs:
        return
    alpha = "-" if math.isnan(agreement.alpha) else f"{agreement.alpha:.2f}"
    yield f"agreement: Krippendorff's alpha {alpha} on {agreement.shared} shared comparisons"
    for pair in agreement.pairs:
        names = " and ".join(pair.raters)
        yield f"{names}: the same choice in {pair.agreed} of {pair.shared}"

"""Measuring the report's trade-off: seconds, paintings, and distance to the painting.

    python -m benchmarks.tradeoff PHOTOS PAINTINGS --out DIR --judge FILE [--trained FILE ...]
        [--lite COMMAND] [--size 384]       # makes, measures, writes docs/tradeoff.json, draws
    python -m benchmarks.tradeoff --draw    # draws again from the numbers

The distances are *patch fidelity* and *coverage* of the panel, by a network that made none of the
pictures. Pictures that are in DIR already are kept, with the seconds stored when they were
made.
"""

from __future__ import annotations

import argparse
import json
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from statistics import fmean, median
from typing import Any

from benchmarks.corners import add_maker_options, chosen, made
from benchmarks.notes import Notes
from benchmarks.page import put
from benchmarks.pairs import pairs_named
from impasto.evaluate.judge import find_judge
from impasto.evaluate.panel import measure
from impasto.files.atomic import atomic_write
from impasto.plots.scatter import Point, Scatter, write_scatters

FIGURES = ("patch fidelity", "coverage")
PAIRS = (
    "tubingen+starry_night_google",
    "golden_gate+the_scream",
    "portrait+starry_night_google",
    "deep_in1+shipwreck",
)
DOCS = Path(__file__).parents[1] / "docs"
Numbers = dict[str, dict[str, Any]]
"""By maker: flexibility, median seconds, means of the figures, number of pairs."""


def measured(options: argparse.Namespace) -> dict[str, Any]:
    """Make the missing pictures and measure all."""
    takers = chosen(options)
    pairs = pairs_named(options.photos, options.paintings, options.pairs)
    options.out.mkdir(parents=True, exist_ok=True)
    notes = Notes(options.out / "seconds.json")
    times, rows = notes.of("seconds"), defaultdict(list)
    for maker, pair, path, seconds in made(options.out, takers, pairs, options.size):
        place = str(path.relative_to(options.out))
        if seconds is not None:
            times[place] = seconds
            notes.keep("seconds", times)
        panel = measure(path, *pair, network=options.judge)
        rows[maker.name].append((times[place], *(panel[name] for name in FIGURES)))
    makers: Numbers = {
        each.name: _summary(each.flexibility, rows[each.name]) for each in takers if rows[each.name]
    }
    judge = find_judge(options.judge, made_with={}).words.split(",")[0]
    return {"size": options.size, "judge": judge, "note": options.note, "makers": makers}


def _summary(flexibility: str, rows: Sequence[tuple[float, ...]]) -> dict[str, Any]:
    seconds, *figures = zip(*rows, strict=True)
    means = {name: round(fmean(f), 3) for name, f in zip(FIGURES, figures, strict=True)}
    return {
        "paintings": flexibility,
        "pairs": len(rows),
        "seconds": float(f"{median(seconds):.3g}"),
        **means,
    }


def charts(numbers: Numbers) -> list[Scatter]:
    """A chart for each figure over seconds; the colour shows which paintings are possible."""
    return [
        Scatter(
            "seconds from command to file",
            f"{figure} (less is nearer)",
            [
                Point(name, values["paintings"], values["seconds"], values[figure])
                for name, values in numbers.items()
            ],
        )
        for figure in FIGURES
    ]


def table(numbers: Numbers) -> str:
    """The numbers as a Markdown table."""
    lines = ["| | paintings | pairs | seconds | patch fidelity | coverage |"]
    lines.append("| --- | --- | --: | --: | --: | --: |")
    lines += [
        f"| {name} | {v['paintings']} | {v['pairs']} | {v['seconds']:.3g} | "
        + " | ".join(f"{v[figure]:.3f}" for figure in FIGURES)
        + " |"
        for name, v in numbers.items()
    ]
    return "\n".join([*lines, ""])


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, unless only drawing is requested; then draw, and write the table into its page."""
    options = _options(arguments)
    path = options.docs / "tradeoff.json"
    if options.draw:
        numbers = json.loads(path.read_text(encoding="utf-8"))
    else:
        numbers = measured(options)
        with atomic_write(path) as temporary:
            temporary.write_text(json.dumps(numbers, indent=1) + "\n", encoding="utf-8")
    write_scatters(charts(numbers["makers"]), options.docs / "images" / "tradeoff.svg")
    put(options.docs / "tradeoff.md", "tradeoff", table(numbers["makers"]))
    print(table(numbers["makers"]))


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("photos", type=Path, nargs="?", help="a folder of photographs")
    parser.add_argument("paintings", type=Path, nargs="?", help="a folder of paintings")
    parser.add_argument("--out", type=Path, help="a folder for the pictures")
    parser.add_argument("--pairs", default=",".join(PAIRS), help="PHOTO+PAINTING,...")
    parser.add_argument("--judge", help="a network that made none of the pictures")
    parser.add_argument("--size", type=int, default=384)
    parser.add_argument("--note", default="", help="a note on the machine, stored with the numbers")
    parser.add_argument("--docs", type=Path, default=DOCS, help="folder for numbers and chart")
    parser.add_argument("--draw", action="store_true", help="measure nothing")
    add_maker_options(parser)
    options = parser.parse_args(arguments)
    if not options.draw and not (options.photos and options.paintings and options.out):
        parser.error("give PHOTOS, PAINTINGS and --out, or --draw")
    return options


if __name__ == "__main__":
    main()

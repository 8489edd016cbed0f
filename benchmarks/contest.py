"""The contest of objectives: every contender at equal seconds, on the same pairs and network.

    python -m benchmarks.contest PHOTOS PAINTINGS --out DIR [--only gram,w2] [--judge FILE]

1. *Pace*: seconds a step of every contender at every size, in turns, so that the machine's noise
   affects all alike; medians. Every contender then gets as many steps as fit into the budget (by
   default the time of the reference's default steps), so that a busy machine favours none.
2. *Strength*: a contender's strength is chosen such that its distance from the content, measured
   with the reference's network over the calibration pairs, equals the reference's at its default:
   raters are to compare the look, not the amount of style. Contenders with weights of their own
   keep them.
3. *Pictures*, with records; existing ones are kept, so the contest can be stopped and resumed.
4. *Panel* figures by contender, labelled sheets, and ``sheet.json`` for ``impasto rate``.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch

from benchmarks.contenders import Contender, named
from benchmarks.matching import match
from benchmarks.notes import Notes
from benchmarks.pairs import Pair, pairs_named
from benchmarks.rounds import clock_for, prepare
from benchmarks.verdict import write_verdict

PAIRS = (
    "tubingen+starry_night_google",
    "golden_gate+the_scream",
    "portrait+woman-with-hat-matisse",
    "deep_in1+shipwreck",
    "hoovertowernight+seated-nude",
    "deep_fullhd+escher_sphere",
    "tubingen+shipwreck",
    "golden_gate+woman-with-hat-matisse",
    "portrait+picasso_selfport1907",
    "deep_in1+frida_kahlo",
    "hoovertowernight+starry_night_google",
    "deep_fullhd+the_scream",
)
CALIBRATION = 3  # number of pairs, the first ones


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the contest, or the rest of it."""
    options = _options(arguments)
    torch.set_num_threads(options.threads)
    contenders = named(options.only)
    pairs = pairs_named(options.photos, options.paintings, options.pairs)
    options.out.mkdir(parents=True, exist_ok=True)
    if not options.verdict_only:
        make_pictures(contenders, pairs, options)
    if not options.pictures_only:
        write_verdict(options.out, [each.name for each in contenders], pairs, options.judge)


def make_pictures(
    contenders: Sequence[Contender], pairs: Sequence[Pair], options: argparse.Namespace
) -> None:
    """Measure paces, match strengths, then make the missing pictures."""
    clock = clock_for(options.threads)
    notes = Notes(options.out / "contest.json")
    heat = prepare(contenders, pairs[0], options.match_size, notes, clock=clock)
    strengths = match(contenders, pairs[:CALIBRATION], heat, notes)
    final = prepare(contenders, pairs[0], options.size, notes, clock=clock, budget=options.budget)
    for pair in pairs:
        folder = options.out / f"{pair[0].stem}+{pair[1].stem}"
        folder.mkdir(exist_ok=True)
        for each in contenders:
            given = {} if each.balance else {"strength": strengths[each.name]}
            final.make(each, pair, folder, **given)


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add: Callable[..., Any] = parser.add_argument
    add("photos", type=Path, help="a folder of photographs")
    add("paintings", type=Path, help="a folder of paintings")
    add("--out", type=Path, required=True, help="a folder for the results")
    add("--pairs", default=",".join(PAIRS), help="PHOTO+PAINTING,..., by names without suffix")
    add("--only", help="contenders, such as gram,w2; all when not given")
    add("--size", type=int, default=384)
    add("--match-size", type=int, default=192, help="at which strengths are matched")
    add("--budget", type=float, help="seconds a picture; the reference's default when not given")
    add("--threads", type=int, default=1)
    add("--judge", help="a network that made none of the pictures, for the panel")
    add("--verdict-only", action="store_true", help="make no pictures")
    add("--pictures-only", action="store_true", help="leave out panel, sheets and manifest")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    main()

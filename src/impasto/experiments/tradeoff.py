"""Section 3.1: the weights of content and style."""

from __future__ import annotations

from collections.abc import Sequence

from impasto.experiments.lab import RATIO, Lab
from impasto.experiments.measures import rank_agreement
from impasto.experiments.model import Cell, Check, Diagram, Experiment, Finding
from impasto.plots.lines import Plot, Series

RATIOS = (1e-1, 1e-2, 1e-3, 1e-4)


def _label(ratio: float) -> str:
    return f"alpha/beta = 1e{round(ratio_exponent(ratio))}"


def ratio_exponent(ratio: float) -> int:
    """The decimal exponent of a ratio: -3 for 1e-3."""
    return int(f"{ratio:e}".split("e")[1])


def _cells(lab: Lab) -> Sequence[Cell]:
    cells = [Cell(_label(ratio), {RATIO: ratio}) for ratio in RATIOS]
    if lab.preset.as_stated:
        return cells
    as_stated = [Cell(f"{_label(r)}, as stated", {"alpha": r, "beta": 1.0}) for r in RATIOS]
    return [*cells, *as_stated]


def _measure(lab: Lab) -> Finding:
    made = [lab.made[_label(ratio)] for ratio in RATIOS]
    content, style = [each.content for each in made], [each.style for each in made]
    plot = Plot(
        "alpha / beta",
        "relative distance",
        [
            Series("to the content", list(zip(RATIOS, content, strict=True))),
            Series("to the style", list(zip(RATIOS, style, strict=True))),
        ],
        log_x=True,
    )
    notes = []
    if not lab.preset.as_stated:
        notes = [
            "The second row takes the numbers as they stand, on this network at this size, where "
            "they mean another balance; the checks are on the first row."
        ]
    return Finding(
        {
            "content order": rank_agreement(RATIOS, content),
            "style order": rank_agreement(RATIOS, style),
            "style distance at 1e-1": style[0],
            "content distance at 1e-4": content[-1],
        },
        figures=[Diagram(plot.svg(), "Distances to photograph and painting over the ratio.")],
        notes=notes,
    )


TRADEOFF = Experiment(
    name="tradeoff",
    section="3.1, figures 14 and 15",
    claim=(
        "A larger alpha/beta keeps more content and less style; at 1e-1 the two pictures do not "
        "mix, at 1e-4 the style overrides the content completely."
    ),
    cells=_cells,
    measure=_measure,
    checks=(
        Check(
            "content order",
            "at most",
            -0.999,
            "rank correlation of the ratio with the distance to the content",
        ),
        Check(
            "style order",
            "at least",
            0.999,
            "rank correlation of the ratio with the distance to the style",
        ),
        Check(
            "style distance at 1e-1",
            "at least",
            0.5,
            "nearer to the photograph's own style (1) than to the painting's (0)",
        ),
        Check(
            "content distance at 1e-4",
            "at least",
            0.9,
            "about as far from the photograph as a picture without content (1)",
        ),
    ),
    caption="From white noise, with the weights of figure 15.",
)

"""Section 1.1: what there was before neural style transfer, and what is said against it."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields

from torch import Tensor

from impasto.evaluate.panel.figures import Trio, figures_of
from impasto.experiments.lab import Lab
from impasto.experiments.model import Cell, Check, Experiment, Finding, Sheet
from impasto.experiments.presets import REPORT_METHOD
from impasto.jobs.painted import split_and_matched
from impasto.ops.inits import resize
from impasto.ops.metrics import psnr
from impasto.painters import filters
from impasto.painters.analogy import analogy
from impasto.painters.mosaic import tiled
from impasto.painters.strokes import MANNERS, paint
from impasto.recipe.still import Recipe

GRAM, DEFAULT, INSTANT = "Gram matrices", "the default", "instant"
STROKES, REGIONS, EXAMPLE = "strokes", "regions", "example"
# impasto's own choices in place of the report's.
OWN = {item.name: item.default for item in fields(Recipe) if item.name in REPORT_METHOD}
OWN |= {"steps": None, "strength": Recipe().strength}
SHALLOW, DEEP = ("conv1_1", "conv2_1"), ("conv4_1", "conv5_1")
SMALLEST = 48  # pixels of the shorter side: a patch of three positions on conv5_1
LEARNT: Mapping[str, Callable[[Tensor], Tensor]] = {"ink": filters.ink, "oil": filters.oil}


def _cells(_: Lab) -> Sequence[Cell]:
    return [
        Cell(GRAM),
        Cell(DEFAULT, OWN),
        Cell(INSTANT, {**OWN, "quality": "instant"}),
    ]


def _measure(lab: Lab) -> Finding:
    photograph, painting = lab.pictures["photograph"], lab.pictures["painting"]
    before = _painted(photograph, painting)
    numbers, columns = _panels(lab, before)
    learnt, rows = _learnt(photograph, lab.pictures["photo"])
    own = {name: numbers[f"deep, {name}"] for name in (STROKES, REGIONS)}
    focus = {name: own[name] - numbers[f"shallow, {name}"] for name in own}
    return Finding(
        {
            "deep less shallow": min(focus.values()),
            "deep beyond Gram's": min(own.values()) - numbers[f"deep, {GRAM}"],
            **learnt,
            **numbers,
        },
        columns,
        figures=[
            Sheet([_shown(photograph)], "Figure 1 anew: filters, by impasto paint filter."),
            Sheet(
                [[(name, before[name]) for name in (STROKES, "tiles")]],
                "Figure 2 anew: strokes and tiles in the painting's colours.",
            ),
            Sheet(
                [[("the painting", painting), *((n, before[n]) for n in (REGIONS, EXAMPLE))]],
                "Figure 3 anew: regions of the painting; and the painting as an example.",
            ),
            Sheet(rows, "A filter learnt from one pair, on that pair and on another photograph."),
        ],
        notes=[
            "Shallow and deep: the distance of Gram matrices to the painting's, 1 for the "
            "photograph itself, on the first two and the last two layers of style. Gram matrices "
            "are what the first cell minimises, so that its own figures are its training error.",
            "The examples that filters are learnt from are made by this project's own filters, so "
            "that the truth is known for any photograph.",
        ],
    )


def _painted(photograph: Tensor, painting: Tensor) -> dict[str, Tensor]:
    """By each method, at the photograph's size."""
    height, width = photograph.shape[-2:]
    *_, strokes = paint(photograph, MANNERS["impressionist"], palette=painting)
    return {
        STROKES: strokes.drawn(width, height),
        "tiles": tiled(photograph, painting).drawn(width, height),
        REGIONS: split_and_matched(photograph, painting),
        EXAMPLE: analogy(photograph, painting),
    }


def _shown(photograph: Tensor) -> list[tuple[str, Tensor]]:
    ways = {**LEARNT, "cartoon": filters.cartoon}
    return [
        ("the photograph", photograph),
        *((name, way(photograph)) for name, way in ways.items()),
    ]


def _panels(
    lab: Lab, before: Mapping[str, Tensor]
) -> tuple[dict[str, float], dict[str, dict[str, float]]]:
    """Each method's panel: all of it for the cells, shallow and deep for every one."""
    photograph, painting = lab.pictures["photograph"], lab.pictures["painting"]
    network, layers = lab.networks["own"].network, REPORT_METHOD["style_layers"]
    numbers: dict[str, float] = {}
    columns: dict[str, dict[str, float]] = {"shallow": {}, "deep": {}}
    for name, image in {**{n: m.image for n, m in lab.made.items()}, **before}.items():
        trio = Trio(*map(_measurable, (image, photograph, painting)))
        panel = {each.name: each.value for each in figures_of(trio, network, layers)}
        for depth, among in (("shallow", SHALLOW), ("deep", DEEP)):
            value = statistics.fmean(panel[f"gram {layer}"] for layer in among)
            numbers[f"{depth}, {name}"] = value
            if name in lab.made:
                columns[depth][name] = value
        for figure in ("ms-ssim", "patch fidelity", "coverage"):
            numbers[f"{figure}, {name}"] = panel[figure]
    return numbers, columns


def _measurable(picture: Tensor) -> Tensor:
    """As it is, or enlarged to the smallest size that the panel measures."""
    height, width = picture.shape[-2:]
    ratio = SMALLEST / min(height, width)
    return picture if ratio <= 1 else resize(picture, *(round(n * ratio) for n in (height, width)))


def _learnt(
    known: Tensor, unseen: Tensor
) -> tuple[dict[str, float], list[list[tuple[str, Tensor]]]]:
    """Filters learnt from one photograph: how well on it, and on another."""
    lost, gained, rows = [], [], []
    for name, way in LEARNT.items():
        example = way(known)
        again, made, truth = (
            analogy(known, example, known),
            analogy(unseen, example, known),
            way(unseen),
        )
        # Of brightness: an analogy with an original learns that alone.
        on_pair, on_other, as_it_is = (
            float(psnr(one.mean(1, keepdim=True), other.mean(1, keepdim=True)))
            for one, other in ((again, example), (made, truth), (unseen, truth))
        )
        lost.append(on_pair - on_other)
        gained.append(on_other - as_it_is)
        rows.append(
            [
                (f"{name}, learnt from this", example),
                ("on the same again", again),
                ("on another", made),
                ("what it should be", truth),
            ]
        )
    numbers = {
        "PSNR lost on a pair never seen, dB": statistics.fmean(lost),
        "PSNR over leaving it as it is, dB": statistics.fmean(gained),
    }
    return numbers, rows


BEFORE = Experiment(
    name="before",
    section="1.1, figures 1, 2, 3",
    claim=(
        "Strokes and regions transfer details rather than global features; what is learnt from "
        "examples does badly on pairs never seen before."
    ),
    cells=_cells,
    measure=_measure,
    checks=(
        Check(
            "deep less shallow",
            "at least",
            0.1,
            "strokes and regions are farther from the painting on deep layers than on shallow ones",
        ),
        Check(
            "deep beyond Gram's",
            "at least",
            0.1,
            "and farther there than the transfer by Gram matrices",
        ),
        Check(
            "PSNR lost on a pair never seen, dB",
            "at least",
            3.0,
            "a filter learnt from one pair, on that pair and on another photograph",
        ),
        Check(
            "PSNR over leaving it as it is, dB",
            "at most",
            0.0,
            "on another photograph it is no nearer to the filter than the photograph itself",
        ),
    ),
    columns=3,
    caption="The same pair by the report's method, by the default, and at once.",
)

"""Section 2.1: the network's table, and its operations on toy examples."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from itertools import product
from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F
from torch import Tensor

from impasto.experiments.lab import Lab
from impasto.experiments.measures import difference
from impasto.experiments.model import Cell, Check, Diagram, Experiment, Finding
from impasto.nets.summary import Row, summarise
from impasto.nets.topology import layer_table
from impasto.ops.metrics import high_frequency_energy, ssim
from impasto.plots.canvas import INK, POINT, diagram, svg

if TYPE_CHECKING:
    from matplotlib.axes import Axes

PRINTED = (  # figure 6, "Param #", as printed in the report
    *(1_792, 36_928, 73_856, 147_584, 295_168, 590_080, 590_080, 590_080),
    *(1_180_160, 2_359_808, 2_359_808, 2_359_808, 2_359_808, 2_359_808, 2_359_808, 2_359_808),
    *(102_764_544, 1_678_312, 4_097_000),
)
PRINTED_TOTAL = 143_667_240
TEXT_FC2 = 16_781_312  # the text of section 2.1
KERNEL = torch.tensor([[1.0, 0.0, 1.0], [0.0, 1.0, 0.0], [1.0, 0.0, 1.0]])
TOY = torch.tensor(
    [
        [1.0, 1.0, 1.0, 0.0, 0.0],
        [0.0, 1.0, 1.0, 1.0, 0.0],
        [0.0, 0.0, 1.0, 1.0, 1.0],
        [0.0, 0.0, 1.0, 1.0, 0.0],
        [0.0, 1.0, 1.0, 0.0, 0.0],
    ]
)
POOLED = torch.tensor(
    [[1.0, 3.0, 2.0, 9.0], [7.0, 4.0, 1.0, 5.0], [8.0, 5.0, 2.0, 3.0], [4.0, 2.0, 1.0, 4.0]]
)


def _architecture(_: Lab) -> Finding:
    rows = [row for row in summarise() if row.parameters]
    differ = [row for row, printed in zip(rows, PRINTED, strict=True) if row.parameters != printed]
    fc2 = next(row for row in rows if row.name == "fc2")
    return Finding(
        {
            "total, less the report's": float(sum(r.parameters for r in rows) - PRINTED_TOTAL),
            "rows that differ": float(len(differ)),
            "fc2, less the text's": float(fc2.parameters - TEXT_FC2),
            "total": float(sum(row.parameters for row in rows)),
        },
        figures=[
            Diagram(_table(summarise()), "VGG-19 as figure 6 lists it, with receptive fields."),
            Diagram(_blocks(), "Figure 7: heights stand for rows, widths for channels."),
            Diagram(_dense(), "Figure 10: in a dense layer every output sees every input."),
        ],
        notes=[
            f"{row.name} is printed as {printed} in figure 6; it has {row.parameters}, as the text "
            "says and the total needs: a digit was lost."
            for row, printed in zip(rows, PRINTED, strict=True)
            if row in differ
        ],
    )


def _table(rows: Sequence[Row]) -> str:
    lines = [("layer", "output", "parameters", "receptive field")]
    for row in rows:
        field = str(row.receptive_field) if row.receptive_field else "all"
        lines.append((row.name, " x ".join(map(str, row.shape)), f"{row.parameters:,}", field))
    with diagram(640, 18 * len(rows) + 32) as (drawn, axes):
        for index, words in enumerate(lines):
            for x, text, anchor in _across(words):
                axes.text(x, 16 + 18 * index, text, ha=anchor, va="center", size=13 * POINT)
        return svg(drawn)


def _across(words: Sequence[str]) -> Iterator[tuple[float, str, str]]:
    yield from zip((10, 300, 460, 620), words, ("left", "right", "right", "right"), strict=True)


def _blocks() -> str:
    x = 14.0
    with diagram(680, 330) as (drawn, axes):
        for row in summarise()[1:]:
            height = 12 + 1.1 * (row.shape[0] if len(row.shape) == 3 else 24)
            width = 3 + 2.6 * math.log2(row.shape[-1]) / 2
            fill = (
                "#e2a36b" if "pool" in row.name else "#8fb8d8" if "conv" in row.name else "#a5c9a5"
            )
            _box(axes, x, 150 - height / 2, width, height, fill)
            if "pool" in row.name or len(row.shape) == 1:
                axes.text(x + width / 2, 296, row.name, ha="center", va="center", size=9 * POINT)
            x += width + (28 if len(row.shape) == 1 or row.name == "pool5" else 8)
        axes.text(14, 318, "convolution, pooling, dense", va="center", size=11 * POINT)
        return svg(drawn)


def _box(axes: Axes, x: float, y: float, width: float, height: float, fill: str) -> None:
    from matplotlib.patches import Rectangle

    axes.add_patch(Rectangle((x, y), width, height, facecolor=fill, edgecolor=INK, lw=POINT))


def _dense() -> str:
    left = [(120.0, 30.0 + 40 * i) for i in range(6)]
    right = [(360.0, 70.0 + 40 * i) for i in range(4)]
    words = (
        (60, 130, "inputs", "center", 15),
        (430, 130, "outputs", "center", 15),
        (480, 160, "each: one weight", "left", 12),
        (480, 176, "an input, and a bias", "left", 12),
    )
    with diagram(640, 260) as (drawn, axes):
        for (x, y), (across, down) in product(left, right):
            axes.plot([x, across], [y, down], color="#bbbbbb", lw=POINT)
        x_places, y_places = zip(*left, *right, strict=True)
        axes.plot(x_places, y_places, "o", color="#2a7fbf", ms=14 * POINT)
        for x, y, text, anchor, size in words:
            axes.text(x, y, text, ha=anchor, va="center", size=size * POINT)
        return svg(drawn)


def _convolution(lab: Lab) -> Finding:
    valid = F.conv2d(TOY[None, None], KERNEL[None, None])[0, 0]
    same = F.conv2d(TOY[None, None], KERNEL[None, None], padding=1)[0, 0]
    by_hand = [
        abs(float(valid[i, j]) - float((TOY[i : i + 3, j : j + 3] * KERNEL).sum()))
        for i in range(3)
        for j in range(3)
    ]
    layers = [layer for layer in layer_table() if layer.kind == "conv"]
    counted = {row.name: row.parameters for row in summarise()}
    formula = [
        3**2 * layer.in_channels * layer.out_channels + layer.out_channels for layer in layers
    ]
    wrong = sum(
        counted[layer.name] != number for layer, number in zip(layers, formula, strict=True)
    )
    photograph = lab.pictures["photograph"]
    first = lab.features(photograph, ["conv1_1"])["conv1_1"]
    return Finding(
        {
            "toy example, largest error": max(by_hand),
            "layers without P = K²CN + N": float(wrong),
            "rows and columns lost": float(sum(photograph.shape[-2:]) - sum(first.shape[-2:])),
        },
        figures=[
            Diagram(
                _arrays([("input", TOY), ("kernel", KERNEL), ("sums", valid), ("padded", same)]),
                "Figure 8: a 3 x 3 kernel on a toy example, without and with padding.",
            )
        ],
    )


def _pooling_cells(lab: Lab) -> Sequence[Cell]:
    for kind in ("max", "avg"):
        lab.add_network(f"{kind} pooling", pooling=kind)
    return [Cell(f"{kind} pooling", network=f"{kind} pooling") for kind in ("max", "avg")]


def _pooling(lab: Lab) -> Finding:
    blocks = POOLED[None, None]
    largest, mean = F.max_pool2d(blocks, 2)[0, 0], F.avg_pool2d(blocks, 2)[0, 0]
    most, average = (lab.made[f"{kind} pooling"] for kind in ("max", "avg"))
    grain = {name: float(high_frequency_energy(m.image)) for name, m in lab.made.items()}
    return Finding(
        {
            "grain, avg / max": grain["avg pooling"] / grain["max pooling"],
            "style distance, avg / max": average.style / most.style,
            "similarity (SSIM)": float(ssim(most.image, average.image)),
            "difference": difference(most.image, average.image),
        },
        {"energy of the finest detail": grain},
        [
            Diagram(
                _arrays([("input", POOLED), ("max", largest), ("average", mean)]),
                "Figure 9: max and average pooling of 2 x 2 windows on a toy example.",
            )
        ],
        [
            "Each result is measured by the network that made it. compact was trained with max "
            "pooling only: with average pooling its maps are no longer what it was taught."
        ]
        if lab.network_name == "compact"
        else [],
    )


def _arrays(arrays: Sequence[tuple[str, Tensor]]) -> str:
    """Arrays side by side as squares, dark for large values, with their numbers."""
    side, gap, margin = 30.0, 24, 14.0
    across = sum(side * array.shape[1] + gap for _, array in arrays)
    tallest = max(array.shape[0] for _, array in arrays)
    with diagram(round(max(margin + across, 640)), round(48 + side * tallest)) as (drawn, axes):
        left = margin
        for name, array in arrays:
            axes.text(left, 18, name, va="center")
            _squares(axes, array, left, 34, side)
            left += side * array.shape[1] + gap
        return svg(drawn)


def _squares(axes: Axes, array: Tensor, left: float, top: float, side: float) -> None:
    low, high = float(array.min()), float(array.max())
    for i, row in enumerate(array.tolist()):
        for j, value in enumerate(row):
            grey = round(255 - 130 * (value - low) / max(high - low, 1e-9))
            x, y = left + side * j, top + side * i
            _box(axes, x, y, side, side, f"#{grey:02x}{grey:02x}ff")
            middle = (x + side / 2, y + side / 2)
            axes.text(*middle, f"{value:g}", ha="center", va="center", size=12 * POINT)


ARCHITECTURE = Experiment(
    name="architecture",
    section="2.1, figures 6, 7 and 10",
    claim="VGG-19 has the layers and parameters of figure 6, 143,667,240 in all.",
    measure=_architecture,
    checks=(
        Check("total, less the report's", "at most", 0, "parameters"),
        Check("rows that differ", "at most", 0, "layers whose count is not the printed one"),
        Check("fc2, less the text's", "at most", 0, "parameters; the text says 16,781,312"),
    ),
)

CONVOLUTION = Experiment(
    name="convolution",
    section="2.1, figure 8",
    claim="A layer has P = K² C N + N parameters, and padding keeps rows and columns.",
    measure=_convolution,
    checks=(
        Check("toy example, largest error", "at most", 0, "sums by hand against the operation"),
        Check("layers without P = K²CN + N", "at most", 0, "of VGG-19's sixteen"),
        Check("rows and columns lost", "at most", 0, "by conv1_1 on the photograph"),
    ),
)

POOLING = Experiment(
    name="pooling",
    section="2.1, figure 9",
    claim=(
        "Average pooling can take the place of max pooling in style transfer (Gatys et al.: with "
        "slightly more appealing results); measured: less grain, and a style matched as well."
    ),
    cells=_pooling_cells,
    measure=_pooling,
    checks=(
        Check("grain, avg / max", "at most", 0.9, "energy of the finest detail, of one over other"),
        Check("style distance, avg / max", "at most", 1.5, "each by its own network"),
    ),
    columns=2,
    caption="The same transfer with both poolings.",
)

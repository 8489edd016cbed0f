"""Beyond the report: whether other networks give the same ranking."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import combinations

from impasto.engine.objective.objective import Objective
from impasto.experiments.inputs import longest
from impasto.experiments.lab import Lab
from impasto.experiments.measures import rank_agreement
from impasto.experiments.model import Cell, Check, Experiment, Finding
from impasto.experiments.presets import REPORT_METHOD
from impasto.nets.topology import conv_names
from impasto.recipe.still import STYLE_LAYERS, Recipe
from impasto.recipe.strength import strength_for

SHARES = (0.3, 0.7, 0.9, 0.99)
CONTENT = ("conv4_2", "conv3_2", "conv2_2", "conv1_2")
SMALLER, SMALLEST = 2, 64  # the full VGG-19 takes sixteen times as long


def _layers(lab: Lab) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The usual content layer and style layers, as far as every network has them."""
    shared = set(conv_names())
    for name in _names(lab):
        shared &= set(lab.networks[name].network.layers)
    content = next(layer for layer in CONTENT if layer in shared)
    return (content,), tuple(layer for layer in STYLE_LAYERS if layer in shared)


def _options(lab: Lab) -> dict[str, object]:
    content, style = _layers(lab)
    return {
        "size": _size(lab),
        "content_layers": content,
        "style_layers": style,
        "tv": 0.0,
    }


def _size(lab: Lab) -> int:
    return min(lab.preset.size, max(SMALLEST, lab.preset.size // SMALLER))


def _names(lab: Lab) -> list[str]:
    return ["own", *lab.others]


def _cells(lab: Lab) -> Sequence[Cell]:
    return [
        Cell(
            f"{_title(lab, name)}, style share {share:g}",
            {**_options(lab), "strength": strength_for(share)},
            network=name,
        )
        for name in _names(lab)
        for share in SHARES
    ]


def _title(lab: Lab, name: str) -> str:
    return lab.network_name if name == "own" else name


def _scaling(lab: Lab, name: str) -> str:
    return str(lab.networks[name].description["normalisation"])


def _measure(lab: Lab) -> Finding:
    judged = {name: _judged(lab, name) for name in _names(lab)}
    pairs = list(combinations(judged.values(), 2))
    agreement = [
        min((rank_agreement(a[term], b[term]) for a, b in pairs), default=math.nan)
        for term in (0, 1)
    ]
    content, style = _layers(lab)
    columns = {
        f"{what} distance by {_title(lab, name)}": dict(
            zip(lab.made, judged[name][term], strict=True)
        )
        for name in judged
        for term, what in enumerate(("content", "style"))
    }
    alone = ["No other network was given: name one with --other."] if not pairs else []
    return Finding(
        {"content ranks": agreement[0], "style ranks": agreement[1]},
        columns,
        notes=[
            *alone,
            "Normalised (Gatys et al.) or raw, as its file has it: "
            + ", ".join(f"{_title(lab, name)} {_scaling(lab, name)}" for name in judged)
            + ".",
            f"Every network measures every picture, whoever made it, at {', '.join(content)} for "
            f"the content and {', '.join(style)} for the style.",
        ],
    )


def _judged(lab: Lab, name: str) -> tuple[list[float], list[float]]:
    """Content and style distances of all pictures, measured by one network."""
    content, style = _layers(lab)
    size = _size(lab)
    objective = Objective(
        Recipe(**{**REPORT_METHOD, "content_layers": content, "style_layers": style}),
        lab.networks[name].network,
        longest(lab.pictures["photograph"], size),
        [longest(lab.pictures["painting"], size)],
    )
    distances = [
        objective.weights.distances(objective.evaluate(made.image).losses)
        for made in lab.made.values()
    ]
    return [content for content, _ in distances], [style for _, style in distances]


NETWORKS = Experiment(
    name="networks",
    section="beyond the report",
    claim="Other networks rank the same pictures alike by their distances to content and style.",
    cells=_cells,
    measure=_measure,
    checks=(
        Check("content ranks", "at least", 0.8, "least rank correlation between two networks"),
        Check("style ranks", "at least", 0.8, "least rank correlation between two networks"),
    ),
    columns=len(SHARES),
    caption="The same transfers on every network, one row each.",
)

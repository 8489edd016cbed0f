"""Section 3.2: which layers hold the content, and which the style."""

from __future__ import annotations

from collections.abc import Sequence

from impasto.experiments.lab import Lab
from impasto.experiments.measures import detail_kept, noise_left
from impasto.experiments.model import Cell, Check, Experiment, Finding
from impasto.ops.inits import white_noise
from impasto.recipe.still import STYLE_LAYERS

LOW, HIGH = "conv2_2", "conv4_2"
LOW_STYLE, HIGH_STYLE, ALL = "conv2_1", "conv4_1", "all five"


def _content_cells(_: Lab) -> Sequence[Cell]:
    return [Cell(f"content from {layer}", {"content_layers": (layer,)}) for layer in (LOW, HIGH)]


def _content_measure(lab: Lab) -> Finding:
    made = lab.made
    detail = {name: detail_kept(m.image, lab.pictures["photograph"]) for name, m in made.items()}
    style = {name: lab.distances(m.image)[1] for name, m in made.items()}
    low, high = (f"content from {layer}" for layer in (LOW, HIGH))
    return Finding(
        {
            "detail gained": detail[low] - detail[high],
            "style distance, conv2_2 / conv4_2": style[low] / style[high],
        },
        {"detail kept": detail},
    )


def _style_options(layers: str) -> tuple[str, ...]:
    return STYLE_LAYERS if layers == ALL else (layers,)


def _style_cells(_: Lab) -> Sequence[Cell]:
    return [
        Cell(f"style from {layers}", {"style_layers": _style_options(layers)})
        for layers in (LOW_STYLE, HIGH_STYLE, ALL)
    ]


def _style_measure(lab: Lab) -> Finding:
    start = white_noise(*lab.pictures["photograph"].shape[-2:], seed=0)
    noise = {name: noise_left(made.image, start) for name, made in lab.made.items()}
    content = {name: lab.distances(made.image)[0] for name, made in lab.made.items()}
    low, high, every = (f"style from {name}" for name in (LOW_STYLE, HIGH_STYLE, ALL))
    return Finding(
        {
            "content distance, conv2_1 / conv4_1": content[low] / content[high],
            "noise left by conv2_1": noise[low],
            "noise left, conv2_1 / all": noise[low] / max(noise[every], 1e-3),
        },
        {"noise left": noise},
    )


CONTENT_LAYER = Experiment(
    name="content-layer",
    section="3.2, figure 16",
    claim=(
        "Content from the low layer conv2_2 keeps fine details but rather juxtaposes the two "
        "pictures; from conv4_2 style and content are better balanced."
    ),
    cells=_content_cells,
    measure=_content_measure,
    checks=(
        Check(
            "detail gained",
            "at least",
            0.1,
            "correlation of fine detail with the photograph's, conv2_2 less conv4_2",
        ),
        Check(
            "style distance, conv2_2 / conv4_2",
            "at least",
            1.2,
            "how much farther from the painting's style, at all five layers",
        ),
    ),
    columns=2,
    caption="From white noise, alpha/beta = 1e-3, style from all five layers.",
)

STYLE_LAYER = Experiment(
    name="style-layer",
    section="3.2, figure 17",
    claim=(
        "Style from conv2_1 alone still leaves stage to the content, but leaves areas of the "
        "starting noise; from conv4_1 alone it overrides the content."
    ),
    cells=_style_cells,
    measure=_style_measure,
    checks=(
        Check(
            "content distance, conv2_1 / conv4_1",
            "at most",
            0.8,
            "distance to the content at conv4_2, of the one over the other",
        ),
        Check(
            "noise left by conv2_1",
            "at least",
            0.1,
            "correlation of the result's fine detail with the starting noise's",
        ),
        Check(
            "noise left, conv2_1 / all",
            "at least",
            2.0,
            "how much more of the noise than with all five layers",
        ),
    ),
    columns=3,
    caption="From white noise, alpha/beta = 1e-3, content from conv4_2.",
)

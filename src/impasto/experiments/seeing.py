"""Sections 2.1 to 2.3: what the layers represent, and reconstructions from them."""

from __future__ import annotations

import statistics
from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from impasto.experiments.lab import Lab
from impasto.experiments.measures import detail_kept, rank_agreement, texture_scale
from impasto.experiments.model import Cell, Check, Diagram, Experiment, Finding, Sheet
from impasto.ops.color import rgb_to_luma
from impasto.ops.metrics import psnr
from impasto.plots.lines import Plot, Series
from impasto.recipe.still import STYLE_LAYERS

LOW, HIGH = "conv1_1", "conv5_1"
MAPS = 8  # of each layer, on the sheet
GRAIN = 0.03  # standard deviation of the noise added to test the maps, in picture units
CONTENT_DEPTHS = ("conv1_2", "conv2_2", "conv3_2", "conv4_2", "conv5_2")


def _features(lab: Lab) -> Finding:
    photograph = lab.pictures["photograph"]
    maps = lab.features(photograph, STYLE_LAYERS)
    grain = GRAIN * torch.randn(photograph.shape, generator=torch.Generator().manual_seed(0))
    moved = lab.features((photograph + grain).clamp(0, 1), STYLE_LAYERS)
    detail = [
        _pixels_explained(maps[layer], photograph, 2**block)
        for block, layer in enumerate(STYLE_LAYERS)
    ]
    shaken = [_relative_change(maps[layer], moved[layer]) for layer in STYLE_LAYERS]
    depth = list(range(len(STYLE_LAYERS)))
    plot = Plot(
        "block",
        "share",
        [
            Series("pixels explained", [(i + 1.0, v) for i, v in enumerate(detail)]),
            Series("moved by grain", [(i + 1.0, v) for i, v in enumerate(shaken)]),
        ],
    )
    return Finding(
        {
            "detail order": rank_agreement(depth, detail),
            "pixels explained, low layer": detail[0],
            "pixels explained, low less high": detail[0] - detail[-1],
            "moved by grain, low": shaken[0],
            "moved by grain, high": shaken[-1],
        },
        figures=[
            Sheet(
                [_strongest(maps[LOW], LOW), _strongest(maps[HIGH], HIGH)],
                f"Figure 11: the {MAPS} maps that vary most, of a low layer and of a high one.",
                width=120,
                smooth=False,
            ),
            Diagram(plot.svg(), "What of the photograph's pixels a layer's maps explain linearly."),
        ],
        notes=[
            "Pixels explained: R² of a linear map from a position's features to the luma of the "
            "pixels that it stands for, fitted on half of the positions and tried on the others. "
            "Moved by grain: how far faint noise moves the maps, relative to their variation."
        ],
    )


def _strongest(maps: Tensor, layer: str) -> list[tuple[str, Tensor]]:
    flat = maps[0].float().flatten(1)
    order = flat.var(1).argsort(descending=True)[:MAPS]
    chosen = maps[0, order].float()
    top = chosen.amax((1, 2), keepdim=True).clamp_min(1e-12)
    return [
        (f"{layer}, {int(number)}", image[None, None])
        for number, image in zip(order, chosen / top, strict=True)
    ]


def _pixels_explained(maps: Tensor, photograph: Tensor, step: int) -> float:
    """R² of pixels from features, held out; ridge regression, for layers with few positions."""
    rows, columns = maps.shape[-2:]
    luma = rgb_to_luma(photograph)[..., : rows * step, : columns * step]
    targets = F.pixel_unshuffle(luma, step)[0].flatten(1).T.double()
    inputs = maps[0].flatten(1).T.double()
    inputs = inputs / inputs.std(0).clamp_min(1e-9)
    train = torch.arange(len(inputs)) % 2 == 0
    mean_x, mean_y = inputs[train].mean(0), targets[train].mean(0)
    x, y = inputs[train] - mean_x, targets[train] - mean_y
    ridge = 0.03 * len(x) * torch.eye(x.shape[1], dtype=x.dtype)
    weights = torch.linalg.solve(x.mT @ x + ridge, x.mT @ y)
    predicted = (inputs[~train] - mean_x) @ weights + mean_y
    left = (targets[~train] - predicted).square().sum()
    return max(0.0, 1 - float(left / (targets[~train] - mean_y).square().sum()))


def _relative_change(maps: Tensor, moved: Tensor) -> float:
    spread = (maps - maps.mean((-2, -1), keepdim=True)).norm()
    return float((moved - maps).norm() / spread.clamp_min(1e-12))


def _depths(lab: Lab) -> list[str]:
    """The report's layers; those deeper than the network are replaced by its deepest."""
    return list(dict.fromkeys(x if x in lab.layers else lab.layers[-1] for x in CONTENT_DEPTHS))


def _reconstruction_cells(lab: Lab) -> Sequence[Cell]:
    first = lab.layers[:1]
    content = [
        Cell(
            f"content from {layer}",
            {"strength": 0.0, "content_layers": (layer,), "style_layers": first},
        )
        for layer in _depths(lab)
    ]
    style = [
        Cell(
            f"style up to {layer}",
            {"strength": 1.0, "tv": 0.0, "content_layers": (), "style_layers": STYLE_LAYERS[:n]},
        )
        for n, layer in enumerate(STYLE_LAYERS, start=1)
    ]
    return [*content, *style]


def _reconstructions(lab: Lab) -> Finding:
    photograph = lab.pictures["photograph"]
    content = [made for name, made in lab.made.items() if name.startswith("content")]
    style = [made for name, made in lab.made.items() if name.startswith("style")]
    quality = [float(psnr(made.image, photograph)) for made in content]
    scale = [texture_scale(made.image) for made in style]
    deepest = _depths(lab)[-1]
    notes = [
        "Texture scale is the inverse of the mean frequency, by which a little grain of single "
        "pixels weighs as much as the strokes above it: look at the lower row as well."
    ]
    if deepest != CONTENT_DEPTHS[-1]:
        notes += [f"{lab.network_name} ends at {deepest}, which stands for conv5_2."]
    return Finding(
        {
            "content order": rank_agreement(range(len(quality)), quality),
            "content lost with depth, dB": quality[0] - quality[-1],
            "texture order": rank_agreement(range(len(scale)), scale),
            "texture scale of the painting": texture_scale(lab.pictures["painting"]),
            "mean texture scale": statistics.fmean(scale),
        },
        {
            "PSNR to the photograph, dB": {
                m.cell.label: value for m, value in zip(content, quality, strict=True)
            },
            "fine detail kept": {m.cell.label: detail_kept(m.image, photograph) for m in content},
            "texture scale, pixels": {
                m.cell.label: value for m, value in zip(style, scale, strict=True)
            },
        },
        notes=notes,
    )


FEATURES = Experiment(
    name="features",
    section="2.1, figures 11 and 12",
    claim="The first layers keep detail, the last ones learn more abstract features.",
    measure=_features,
    checks=(
        Check("detail order", "at most", -0.8, "rank correlation of depth with pixels explained"),
        Check("pixels explained, low layer", "at least", 0.9, "R² at conv1_1"),
        Check("pixels explained, low less high", "at least", 0.2, "R² at conv1_1 less conv5_1"),
    ),
)

RECONSTRUCTIONS = Experiment(
    name="reconstructions",
    section="2.2 and 2.3, figures 12 and 13",
    claim="Deeper content layers lose detail; more style layers match texture of larger scale.",
    cells=_reconstruction_cells,
    measure=_reconstructions,
    checks=(
        Check("content order", "at most", -0.9, "rank correlation of depth with PSNR"),
        Check("content lost with depth, dB", "at least", 3.0, "PSNR at conv1_2 less the deepest"),
        Check("texture order", "at least", 0.8, "rank correlation of layers with texture scale"),
    ),
    columns=5,
    caption=(
        "From white noise: above, content alone from one layer; below, style alone from conv1_1 up "
        "to the layer named."
    ),
)

"""Transfers with the bundled network and with the small teacher, measured on other networks.

``python -m benchmarks.judges PHOTOS PAINTINGS --vgg FILE --small FILE [--pairs 12] [--size 384]
[--report]``

Neither network is measured by itself alone: content is measured on the true VGG-19's conv3_3, style
on its conv1_1, conv2_1, conv3_1 and on the small network's conv4_1 and conv5_1. Each network gives
a curve over shares of the style; the bundled network's style distances are interpolated to the
other's content distances, and their ratio is averaged over their common range.
"""

from __future__ import annotations

import argparse
from collections.abc import Collection
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn

from benchmarks.contenders import REPORT
from benchmarks.pairs import Pair, add_pair_options, pairs_of
from benchmarks.sheet import sheet_of
from impasto import Stylizer
from impasto.files.pictures.images import read_picture
from impasto.nets.network import Head
from impasto.nets.topology import conv_names
from impasto.ops.inits import resize
from impasto.recipe.strength import strength_for
from training.teachers import VGG, Small, load_small, load_vgg

SHOWN = 0.975
SHARES = (0.85, 0.93, SHOWN, 0.99)
TRUE, SMALL = ("conv1_1", "conv2_1", "conv3_1"), ("conv4_1", "conv5_1")
Curve = list[tuple[float, dict[str, float]]]


class SmallNetwork(nn.Module):
    """The small teacher with its heads, as a network for impasto."""

    layers = conv_names(last="conv5_1")

    def __init__(self, small: Small) -> None:
        super().__init__()
        self.small = small
        buffers = dict(small.named_buffers())
        self.heads = {
            layer: Head.from_linear(
                buffers[f"{layer}_head_weight"][:, :, 0, 0], buffers[f"{layer}_head_bias"]
            )
            for layer in self.layers
            if f"{layer}_head_weight" in buffers
        }

    def features(self, image: Tensor, layers: Collection[str]) -> dict[str, Tensor]:
        """Feature maps of ``(1, 3, H, W)`` in [0, 1]."""
        dtype = self.small.get_buffer("input_weight").dtype
        return dict(self.small(image.to(dtype), list(layers)))


class Judges:
    """Distances of a result to its photograph and painting, on the two networks."""

    def __init__(self, vgg: VGG, small: Small, content: Tensor, style: Tensor) -> None:
        self.vgg, self.small = vgg, small
        photograph, self.painting = self._measure(content), self._measure(style)
        self.content = photograph["conv3_3"]
        self.unit = (self.content - self.content.mean((-2, -1), keepdim=True)).norm()
        self.own = {layer: self._gram_error(photograph, layer) for layer in (*TRUE, *SMALL)}

    def judge(self, result: Tensor) -> tuple[float, dict[str, float]]:
        """Relative content distance, and relative Gram distance of each style layer."""
        measured = self._measure(result)
        content = float((measured["conv3_3"] - self.content).norm() / self.unit)
        return content, {k: self._gram_error(measured, k) / own for k, own in self.own.items()}

    @torch.no_grad()
    def _measure(self, image: Tensor) -> dict[str, Tensor]:
        maps = dict(self.vgg(image, [*TRUE, "conv3_3"]))
        heads = self.small(image, [], heads=SMALL)
        maps |= {layer: heads[f"{layer}_head"] for layer in SMALL}
        grams = {k: torch.einsum("bihw,bjhw->ij", m, m) / m[0, 0].numel() for k, m in maps.items()}
        return {**grams, "conv3_3": maps["conv3_3"]}

    def _gram_error(self, measured: dict[str, Tensor], layer: str) -> float:
        return float((measured[layer] - self.painting[layer]).norm())


def ratios(ours: Curve, theirs: Curve) -> dict[str, float]:
    """Our style distances over theirs at equal content distance, averaged over the common range."""
    x, x_theirs = (np.array([content for content, _ in curve]) for curve in (ours, theirs))
    low, high = max(x.min(), x_theirs.min()), min(x.max(), x_theirs.max())
    grid = np.linspace(low, high, 9)
    by_layer = {}
    for layer in ours[0][1]:
        a = np.interp(grid, x, [style[layer] for _, style in ours])
        b = np.interp(grid, x_theirs, [style[layer] for _, style in theirs])
        by_layer[layer] = float(np.exp(np.log(a / b).mean())) if high > low else float("nan")
    return by_layer


def main() -> None:
    """Print a line for each pair, the worst and the mean; write the sheet."""
    parser = argparse.ArgumentParser(description=__doc__)
    add_pair_options(parser, pairs=12)
    parser.add_argument("--vgg", type=Path, required=True, help="true blocks 1-3, safetensors")
    parser.add_argument("--small", type=Path, required=True, help="the small teacher, safetensors")
    parser.add_argument("--weights", help="another network of the bundled kind")
    parser.add_argument("--size", type=int, default=384)
    parser.add_argument("--sheet", type=Path, help="pictures at a share of 0.975")
    parser.add_argument("--report", action="store_true", help="use the report's objective")
    options = parser.parse_args()
    small, vgg = load_small(options.small), load_vgg(options.vgg)
    contenders = [Stylizer(weights=options.weights), Stylizer(SmallNetwork(small))]
    rows, results = [], []
    for photo, painting in pairs_of(options):
        asked = {"size": options.size, **(REPORT if options.report else {})}
        curves, images = zip(
            *(_curve(c, vgg, small, (photo, painting), asked) for c in contenders), strict=True
        )
        rows.append(images)
        results.append(ratios(*curves))
        print(f"{photo.stem:16} {painting.stem:22}", _line(results[-1]), flush=True)
    print(f"{'worst':39}", _line({k: max(f[k] for f in results) for k in results[0]}))
    print(f"{'mean':39}", _line({k: float(np.mean([f[k] for f in results])) for k in results[0]}))
    if options.sheet:
        sheet_of([image for row in rows for image in row], columns=2).save(options.sheet)


def _curve(
    stylizer: Stylizer, vgg: VGG, small: Small, pair: Pair, options: dict[str, Any]
) -> tuple[Curve, Image.Image]:
    curve, shown = [], None
    for share in SHARES:
        job = stylizer.job(
            *pair, **{"method": "statistics", **options, "strength": strength_for(share)}
        )
        for _ in job:
            pass
        stage, result = job.plan.stages[-1], job.result()
        content, style = (read_picture(path).tensor for path in pair)
        judges = Judges(
            vgg,
            small,
            resize(content, stage.height, stage.width),
            resize(style, *stage.styles[0]),
        )
        curve.append(judges.judge(result.tensor))
        shown = result.image if share == SHOWN else shown
    assert shown is not None
    return curve, shown


def _line(values: dict[str, float]) -> str:
    return "  ".join(f"{layer} {value:.3f}" for layer, value in values.items())


if __name__ == "__main__":
    main()

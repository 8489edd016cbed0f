"""Whether a larger style scale makes larger strokes, by the default and at once.

``python -m benchmarks.strokes PHOTOS PAINTINGS [--pairs 4] [--size 384] [--sheet strokes.png]``

For each pair and style scale the result is compared with the painting at many sizes: the size at
which the two are most alike, by the Gram matrices of layers that are not optimised, is the scale
that a viewer sees. Prints it beside the one that was asked for, and draws the pictures on a sheet.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Sequence
from pathlib import Path
from statistics import geometric_mean

import torch
from torch import Tensor

from benchmarks.pairs import add_pair_options, pairs_of
from impasto import Stylizer
from impasto.experiments.model import Sheet
from impasto.experiments.sheets import draw_sheet
from impasto.files.pictures.images import read_picture, write_image
from impasto.nets.network import Network
from impasto.ops.inits import resize
from impasto.ops.losses import gram_matrix

SCALES = (0.5, 1.0, 2.0, 4.0)
MAKERS = ("standard", "instant")
CANDIDATES = tuple(2 ** (n / 2) for n in range(-4, 6))  # sizes of the painting, a quarter to 5.7
LAYERS = ("conv1_2", "conv2_2", "conv3_2")


def seen_scale(image: Tensor, painting: Tensor, network: Network) -> float:
    """The size of a painting, relative to the picture's, at which a picture is most like it.

    Args:
        image: ``(1, 3, H, W)`` in [0, 1].
        painting: likewise, of any size.
        network: gives the features.

    """
    own = _texture(image, network)
    longest = max(image.shape[-2:])
    distances = []
    for scale in CANDIDATES:
        ratio = scale * longest / max(painting.shape[-2:])
        size = (max(16, round(side * ratio)) for side in painting.shape[-2:])
        other = _texture(resize(painting, *size), network)
        distances.append(math.log(max(_distance(own, other), 1e-9)))
    return lowest(CANDIDATES, distances)


def lowest(places: Sequence[float], values: Sequence[float]) -> float:
    """Where values are lowest, by a parabola through the lowest and its neighbours; the places are
    geometric.
    """
    at = min(range(len(values)), key=values.__getitem__)
    if not 0 < at < len(values) - 1:
        return places[at]
    before, here, after = values[at - 1 : at + 2]
    shift = 0.5 * (before - after) / (before - 2 * here + after)
    return float(places[at] * (places[at + 1] / places[at]) ** shift)


def _texture(image: Tensor, network: Network) -> list[Tensor]:
    with torch.no_grad():
        maps = network.features(image, LAYERS)
    return [gram_matrix(maps[n]) / (maps[n].shape[-2] * maps[n].shape[-1]) for n in LAYERS]


def _distance(one: Sequence[Tensor], other: Sequence[Tensor]) -> float:
    """Mean over the layers of the relative distances."""
    shares = [float((a - b).norm() / b.norm()) for a, b in zip(one, other, strict=True)]
    return sum(shares) / len(shares)


def main(arguments: Sequence[str] | None = None) -> None:
    """Make, measure, and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    add_pair_options(parser, pairs=4)
    parser.add_argument("--size", type=int, default=384)
    parser.add_argument("--sheet", type=Path)
    given = parser.parse_args(arguments)
    stylizer = Stylizer()
    rows: list[list[tuple[str, Tensor]]] = []
    seen: dict[tuple[str, float], list[float]] = {}
    for photo, painting in pairs_of(given):
        style = read_picture(painting).tensor
        for quality in MAKERS:
            row: list[tuple[str, Tensor]] = []
            for scale in SCALES:
                result = stylizer(
                    photo, painting, size=given.size, style_scale=scale, quality=quality
                )
                figure = seen_scale(result.tensor, style, stylizer.network)
                seen.setdefault((quality, scale), []).append(figure)
                row.append((f"{quality}, {scale:g}: seen as {figure:.2f}", result.tensor))
                print(f"{photo.stem:14} {painting.stem:20} {quality:9} {scale:3g}  {figure:.2f}")
            rows.append(row)
    for (quality, scale), figures in seen.items():
        print(f"mean  {quality:9} {scale:3g}  {geometric_mean(figures):.2f}")
    if given.sheet:
        write_image(draw_sheet(Sheet(rows, "", width=320)), given.sheet)


if __name__ == "__main__":
    main()

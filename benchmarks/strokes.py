"""Whether a larger style scale makes larger strokes, by the default and at once.

``python -m benchmarks.strokes PHOTOS PAINTINGS [--pairs 4] [--size 384] [--sheet strokes.png]``

Prints for each pair and scale the mean wavelength of the picture's detail in pixels: that of its
power spectrum between 5 and 64 pixels (finer is the painting's grain), of the squares of 96 pixels
in which the photograph is calmest, so that it is not the photograph's own detail. Draws the
pictures on a sheet.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from itertools import product
from pathlib import Path
from statistics import fmean
from typing import Any

import torch
from torch import Tensor

from benchmarks.pairs import add_pair_options, pairs_of
from impasto import Stylizer
from impasto.experiments.model import Sheet
from impasto.experiments.sheets import draw_sheet
from impasto.files.pictures.images import read_picture, write_image
from impasto.ops.inits import resize

SCALES = (0.5, 1.0, 2.0, 4.0)
MAKERS = ("standard", "instant")
FINEST, COARSEST = 5.0, 64.0  # pixels
WINDOW, WINDOWS = 96, 4


def wavelength(image: Tensor, photograph: Tensor) -> float:
    """Mean wavelength of a picture's detail, in pixels, where the photograph is calm.

    Args:
        image: ``(1, 3, H, W)`` in [0, 1].
        photograph: of the same size.

    """
    power = sum(_power(image[place]) for place in calmest(photograph))
    assert isinstance(power, Tensor)
    down = torch.fft.fftfreq(WINDOW)[:, None]
    across = torch.fft.rfftfreq(WINDOW)[None]
    frequency = (down.square() + across.square()).sqrt()
    is_meant = (frequency > 1 / COARSEST) & (frequency < 1 / FINEST)
    weights = power[is_meant]
    return float(weights.sum() / (weights * frequency[is_meant]).sum())


def calmest(photograph: Tensor) -> list[tuple[Any, ...]]:
    """Slices of the squares in which a photograph varies least."""
    height, width = photograph.shape[-2:]
    tops = range(0, height - WINDOW + 1, WINDOW // 2)
    lefts = range(0, width - WINDOW + 1, WINDOW // 2)
    places: list[tuple[Any, ...]] = [
        (..., slice(t, t + WINDOW), slice(le, le + WINDOW)) for t, le in product(tops, lefts)
    ]
    return sorted(places, key=lambda place: float(photograph[place].var()))[:WINDOWS]


def _power(square: Tensor) -> Tensor:
    grey = square.mean(1)[0].double()
    hann = torch.hann_window(WINDOW, dtype=torch.float64)
    power: Tensor = torch.fft.rfft2((grey - grey.mean()) * hann[:, None] * hann).abs().square()
    return power


def main(arguments: Sequence[str] | None = None) -> None:
    """Make, measure, and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    add_pair_options(parser, pairs=4)
    parser.add_argument("--size", type=int, default=384)
    parser.add_argument("--sheet", type=Path)
    given = parser.parse_args(arguments)
    stylizer = Stylizer()
    rows: list[list[tuple[str, Tensor]]] = []
    means: dict[tuple[str, float], list[float]] = {}
    for photo, painting in pairs_of(given):
        for quality in MAKERS:
            row: list[tuple[str, Tensor]] = []
            for scale in SCALES:
                result = stylizer(
                    photo, painting, size=given.size, style_scale=scale, quality=quality
                )
                own = resize(read_picture(photo).tensor, *result.tensor.shape[-2:])
                figure = wavelength(result.tensor, own)
                means.setdefault((quality, scale), []).append(figure)
                row.append((f"{quality}, {scale:g}: {figure:.1f} px", result.tensor))
                print(f"{photo.stem:16} {painting.stem:20} {quality:9} {scale:3g}  {figure:.2f} px")
            rows.append(row)
    for (quality, scale), figures in means.items():
        print(f"mean  {quality:9} {scale:3g}  {fmean(figures):.2f} px")
    if given.sheet:
        write_image(draw_sheet(Sheet(rows, "", width=320)), given.sheet)


if __name__ == "__main__":
    main()

"""Likeness: how near a painted face is to the photograph's, with and without ``--protect faces``.

    python -m benchmarks.faces PAINTING… [--portrait FILE]… [--network FILE] [--size 512]

The distance is that of the features at conv3_3 in the face's square, over the photograph's own
deviation from their mean: 0 is the photograph, 1 a flat grey. The network should be one that made
no picture: a VGG-19, or its first blocks; else the bundled one is taken. Without a portrait of
one's own it is scikit-image's astronaut.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

import impasto
from impasto.files.pictures.faces import Face, faces_in
from impasto.files.pictures.images import read_picture
from impasto.files.weights.store import load_network
from impasto.jobs.options import Options
from impasto.nets.network import Network
from impasto.ops.inits import resize
from impasto.recipe.still import Recipe

LAYER = "conv3_3"
CASES = {"no protection": None, "half": 0.5, "whole": 1.0}


def likeness_distance(network: Network, result: Tensor, photograph: Tensor, face: Face) -> float:
    """The distance of two pictures of one size ``(1, 3, H, W)`` in a face's square."""
    top, left, side = (round(each) for each in (face.top, face.left, face.side))
    part = ..., slice(top, top + side), slice(left, left + side)
    with torch.no_grad():
        maps = [network.features(each[part], (LAYER,))[LAYER] for each in (result, photograph)]
    spread = (maps[1] - maps[1].mean((2, 3), keepdim=True)).square().sum()
    return float(((maps[0] - maps[1]).square().sum() / spread).sqrt())


def main(words: Sequence[str] | None = None) -> None:
    """Print a row for each portrait and painting."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("paintings", nargs="+", type=Path)
    parser.add_argument("--portrait", action="append", type=Path)
    parser.add_argument("--network", type=Path)
    parser.add_argument("--size", type=int, default=512)
    args = parser.parse_args(words)
    own = Recipe(network="vgg19", weights=str(args.network)) if args.network else Recipe()
    network = load_network(own).network
    portraits = {path.stem: read_picture(path) for path in args.portrait or ()}
    if not portraits:
        from skimage import data

        portraits = {"astronaut": read_picture(data.astronaut())}
    print(f"{'portrait':12} {'painting':20} " + " ".join(f"{name:>14}" for name in CASES))
    found: list[list[float]] = []
    for name, portrait in portraits.items():
        for painting in args.paintings:
            row = []
            for amount in CASES.values():
                options: Options = {"size": args.size}
                if amount is not None:
                    options |= {"protect": "faces", "protect_amount": amount}
                made = impasto.stylize(portrait, str(painting), **options).tensor
                photograph = resize(portrait.tensor, *made.shape[-2:])
                face = faces_in(photograph)[0]
                row.append(likeness_distance(network, made, photograph, face))
            found.append(row)
            print(f"{name:12} {painting.stem:20} " + " ".join(f"{each:14.2f}" for each in row))
    print(f"{'mean':33} " + " ".join(f"{each:14.2f}" for each in np.mean(found, 0)))


if __name__ == "__main__":
    main()

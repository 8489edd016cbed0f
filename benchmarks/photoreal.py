"""Photorealistic transfer against transfers of colour alone, and against plain style transfer.

``python -m benchmarks.photoreal PAIRS.json --out FOLDER [--network FILE] [--skip stylize]``

PAIRS.json: ``{"name": {"photograph": FILE, "style": FILE, "maps": [FILE, FILE]}}``, maps where
there are any: pictures in which a region has one colour, the same in both. For each pair and method
a PNG, ``NAME_METHOD.png``, and a sheet. Figures: *edges*, the SSIM of two maps of edges, photograph
and result (the magnitude of the Sobel gradient of luma, each map divided by its root mean square,
so that a plain change of contrast costs nothing, then by 4, and at most 1); *edges, local*, the
same with each map divided by its root mean square nearby (31 x 31 pixels); *gram* and *w2*, the
panel's style distances, the means over layers in units of the photograph's own, on a network that
made none of the pictures, at 512 pixels; *colours*, the distance of histograms in the same units.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from statistics import fmean

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor

import impasto
from benchmarks.sheet import captioned, sheet_of
from impasto.engine.objective.features import Features
from impasto.evaluate.judge import find_judge
from impasto.evaluate.panel import LAYERS
from impasto.files.pictures.images import read_picture
from impasto.files.weights.store import load_network
from impasto.nets.network import Network
from impasto.ops.color import match_histogram, rgb_to_luma
from impasto.ops.inits import resize
from impasto.ops.metrics import color_distance, gram_distance, ssim, wasserstein_distance
from impasto.ops.statistics import Statistics
from impasto.photoreal.fit import fit_grid
from impasto.photoreal.space import to_opponent, to_rgb
from impasto.recipe.still import Recipe

STEPS = 15
SIZE = 512  # longest side, in pixels, that style is measured at
EDGE_SCALE = 4.0
NEARBY = 15  # reach, in pixels, of the local root mean square
RARE = 0.003  # share below which a map's colour is an error of its compression
DIRECTIONS, ROUNDS = 3, 20  # of sliced transport


def main() -> None:
    """Make, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("pairs", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--network", help="for the panel; a name or a file")
    parser.add_argument("--skip", nargs="*", default=[], help="methods to leave out")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    network = load_network(Recipe()).network
    judge = find_judge(options.network, made_with=None).network
    rows: dict[str, dict[str, dict[str, float]]] = {}
    for name, pair in json.loads(options.pairs.read_text()).items():
        files = Path(pair["photograph"]), Path(pair["style"])
        photograph, style = (read_picture(file).tensor for file in files)

        methods = methods_for(files, pair.get("maps"), photograph, style, network)
        distances = Distances(judge, photograph, style)
        cells = [captioned(_thumb(photograph), name), captioned(_thumb(style), "style")]
        for method, make in methods.items():
            if method in options.skip:
                continue
            started = time.perf_counter()
            made = make()
            seconds = time.perf_counter() - started
            file = options.out / f"{name}_{method}.png"
            _image(made).save(file)
            figures = {
                "edges": edge_similarity(made, photograph),
                "edges, local": edge_similarity(made, photograph, local=True),
                **distances(made),
                "seconds": seconds,
            }
            rows.setdefault(name, {})[method] = figures
            told = "  ".join(f"{key} {value:.3f}" for key, value in figures.items())
            print(f"{name:16} {method:12} {told}", flush=True)
            cells.append(captioned(_thumb(made), f"{method}  {figures['edges']:.3f}"))
        sheet_of(cells, 4).save(options.out / f"sheet_{name}.png")
        (options.out / "photoreal.json").write_text(json.dumps(rows, indent=1))


def methods_for(
    files: tuple[Path, Path],
    maps: list[str] | None,
    photograph: Tensor,
    style: Tensor,
    network: Network,
) -> dict[str, Callable[[], Tensor]]:
    """What makes each method's picture, by name."""

    def fitted(regions: Tensor | None, shares: Tensor | None) -> Tensor:
        *_, last = fit_grid(
            photograph, [style], network, regions=regions, style_regions=[shares], steps=STEPS
        )
        return last.change.apply(photograph)

    methods: dict[str, Callable[[], Tensor]] = {"grid": partial(fitted, None, None)}
    if maps is not None:
        methods["gridmaps"] = partial(fitted, *regions_of(*(Path(each) for each in maps)))
    for name, transfer in TRANSFERS.items():
        methods[name] = partial(transfer, photograph, style)
    methods["stylize"] = lambda: _tensor(
        impasto.stylize(files[0], files[1], method="statistics", size=512).image
    )
    return methods


class Distances:
    """How far pictures are from a style picture, in units of their photograph's own distance."""

    def __init__(self, network: Network, photograph: Tensor, style: Tensor) -> None:
        self._features = Features(network, photograph.device)
        self._layers = [layer for layer in LAYERS if layer in network.layers]
        self._style, self._sums = style, self._measured(style)
        self._own = self._distances(photograph)

    def __call__(self, image: Tensor) -> dict[str, float]:
        """Each figure by its name."""
        found = self._distances(image)
        return {
            name: fmean(d / own for d, own in zip(found[name], self._own[name], strict=True))
            for name in found
        }

    @torch.no_grad()
    def _measured(self, image: Tensor) -> dict[str, Statistics]:
        scale = min(1.0, SIZE / max(image.shape[-2:]))
        height, width = (round(side * scale) for side in image.shape[-2:])
        return self._features.measure(resize(image, height, width), (), self._layers)[1]

    def _distances(self, image: Tensor) -> dict[str, list[float]]:
        sums = self._measured(image)
        pairs = [(sums[layer], self._sums[layer]) for layer in self._layers]
        return {
            "gram": [float(gram_distance(*pair)) for pair in pairs],
            "w2": [float(wasserstein_distance(*pair)) for pair in pairs],
            "colours": [float(color_distance(image, self._style))],
        }


def edge_similarity(image: Tensor, photograph: Tensor, *, local: bool = False) -> float:
    """SSIM of maps of edges; pictures of different sizes are compared at the smaller one's."""
    if image.shape != photograph.shape:
        photograph = F.interpolate(
            photograph, image.shape[-2:], mode="bicubic", antialias=True
        ).clamp(0, 1)
    return float(ssim(*(_edges(each, local) for each in (image, photograph))))


def _edges(image: Tensor, local: bool) -> Tensor:
    across = image.new_tensor([[1.0, 0, -1], [2, 0, -2], [1, 0, -1]]) / 8
    kernels = torch.stack([across, across.mT])[:, None]
    luma = F.pad(rgb_to_luma(image), (1, 1, 1, 1), mode="replicate")
    edges = F.conv2d(luma, kernels).square().sum(1, keepdim=True)
    power = edges.mean()
    if local:
        side = 2 * NEARBY + 1
        near = F.avg_pool2d(edges, side, 1, NEARBY, count_include_pad=False)
        power = near + 0.01 * power
    scaled: Tensor = (edges / power.clamp_min(1e-12)).sqrt() / EDGE_SCALE
    return scaled.clamp(0, 1)


def regions_of(*files: Path) -> tuple[Tensor, Tensor]:
    """Regions ``(1, R, H, W)`` of two maps, by the colours that are in either, to two levels."""
    codes = [(np.asarray(Image.open(file).convert("RGB")) > 96) @ [1, 2, 4] for file in files]
    together = np.concatenate([code.ravel() for code in codes])
    kept = [code for code in np.unique(together) if (together == code).mean() > RARE]
    first, second = (torch.from_numpy(np.stack([c == k for k in kept])).float() for c in codes)
    regions = [m[None] + 1e-6 for m in (first, second)]
    return regions[0] / regions[0].sum(1, keepdim=True), regions[1] / regions[1].sum(
        1, keepdim=True
    )


def reinhard(photograph: Tensor, style: Tensor) -> Tensor:
    """Means and deviations of luma and chroma (Reinhard et al. 2001, in these axes)."""
    own, wanted = (to_opponent(each) for each in (photograph, style))
    dims = (-2, -1)
    factor = wanted.std(dims, keepdim=True) / own.std(dims, keepdim=True).clamp_min(1e-4)
    moved = (own - own.mean(dims, keepdim=True)) * factor + wanted.mean(dims, keepdim=True)
    return to_rgb(moved).clamp(0, 1)


def linear_transport(photograph: Tensor, style: Tensor) -> Tensor:
    """The linear map of Monge and Kantorovich (Pitie and Kokaram 2007)."""
    rows, others = (each[0].flatten(1).double() for each in (photograph, style))
    steady = 1e-6 * torch.eye(3, dtype=torch.float64)
    root, inverse = _powers(torch.cov(rows) + steady)
    middle, _ = _powers(root @ (torch.cov(others) + steady) @ root)
    moved = inverse @ middle @ inverse @ (rows - rows.mean(1, keepdim=True))
    return (moved + others.mean(1, keepdim=True)).float().view_as(photograph).clamp(0, 1)


def sliced_transport(photograph: Tensor, style: Tensor) -> Tensor:
    """Histograms matched along turned axes, again and again (Pitie et al. 2005)."""
    generator = torch.Generator().manual_seed(0)
    rows = photograph[0].flatten(1)
    wanted = style[0].flatten(1)
    for _ in range(ROUNDS):
        axes, _ = torch.linalg.qr(torch.randn(3, DIRECTIONS, generator=generator))
        turned, other = axes.mT @ rows, (axes.mT @ wanted).sort(1).values
        order = turned.argsort(1)
        places = torch.linspace(0, other.shape[1] - 1, turned.shape[1]).round().long()
        rows = axes @ torch.empty_like(turned).scatter_(1, order, other[:, places])
    return rows.view_as(photograph).clamp(0, 1)


TRANSFERS: Mapping[str, Callable[[Tensor, Tensor], Tensor]] = {
    "reinhard": reinhard,
    "mkl": linear_transport,
    "sliced": sliced_transport,
    "histogram": match_histogram,
}


def _powers(symmetric: Tensor) -> tuple[Tensor, Tensor]:
    values, vectors = torch.linalg.eigh(symmetric)
    roots = values.clamp_min(1e-12).sqrt()
    return (vectors * roots) @ vectors.mT, (vectors / roots) @ vectors.mT


def _tensor(image: Image.Image) -> Tensor:
    return torch.from_numpy(np.array(image.convert("RGB"))).permute(2, 0, 1)[None].float() / 255


def _image(image: Tensor) -> Image.Image:
    return Image.fromarray((image[0].permute(1, 2, 0) * 255).round().byte().numpy())


def _thumb(image: Tensor) -> Image.Image:
    made = _image(image)
    made.thumbnail((480, 360))
    return made


if __name__ == "__main__":
    main()

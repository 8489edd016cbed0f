"""The figures of a picture's panel, and the limits of faults."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from impasto.engine.objective.features import Features
from impasto.errors import PictureError
from impasto.evaluate.panel.model import Figure
from impasto.nets.network import Network
from impasto.ops.color import rgb_to_luma
from impasto.ops.inits import resize
from impasto.ops.metrics import (
    FRAMED_FROM,
    color_distance,
    flat_patch_ratio,
    frame_share,
    gram_distance,
    high_frequency_energy,
    multiscale_ssim,
    patch_distance,
    style_color_share,
    wasserstein_distance,
)
from impasto.ops.statistics import Statistics

LAYERS = ("conv1_2", "conv2_2", "conv3_2", "conv4_3")  # not optimised by default
SMALLEST = 32  # pixels of the shorter side: two patches, and positions enough in block 4
LARGEST = 1024  # longest side of the pictures that the network measures
PATCHES = (2048, 8192)  # of the picture and of what its nearest are sought in, at most

# Limits of faults, between results without faults and added faults: docs/measuring.md.
CONTENT_LOST = 0.25
STYLE_MISSED = 0.7
COLORS_MISSED, COLORS_APART = 0.6, 0.05  # times the photograph's own distance; in units of colour
OVER_REPRESENTED = 1.25
NOISY = 1.5  # times the painting's energy, or the photograph's where that is larger
FRAMED = 0.03  # of the lines inside, and not the photograph itself
FLAT = 0.1  # of all patches, above the painting's share


@dataclass(frozen=True)
class Trio:
    """A result, and its photograph and painting at the sizes used to make it.

    Attributes:
        result: ``(1, 3, H, W)`` in [0, 1].
        content: the same shape.
        style: ``(1, 3, h, w)`` in [0, 1].

    """

    result: Tensor
    content: Tensor
    style: Tensor


def figures_of(
    trio: Trio, network: Network, layers: Sequence[str] = LAYERS, *, keeps_color: bool = False
) -> Iterator[Figure]:
    """The figures of the panel, from tensors.

    Args:
        trio: the result and the pictures to compare it with.
        network: computes the features on which style is compared.
        layers: of the network.
        keeps_color: True if the photograph's colours were requested, so that they are no fault.

    Raises:
        PictureError: the pictures are too small.
        RecipeError: the network has no such layer.

    """
    smallest = min(*trio.result.shape[-2:], *trio.style.shape[-2:])
    if smallest < SMALLEST:
        raise PictureError(f"Measuring needs pictures of at least {SMALLEST} x {SMALLEST} pixels.")
    yield _content_figure(trio)
    yield from _style_figures(trio, network, layers)
    yield from _color_figures(trio, keeps_color=keeps_color)
    yield _noise_figure(trio)
    yield _flatness_figure(trio)
    yield from _frame_figures(trio)


def _content_figure(trio: Trio) -> Figure:
    similarity = float(multiscale_ssim(rgb_to_luma(trio.result), rgb_to_luma(trio.content)))
    fault = "content lost" if similarity < CONTENT_LOST else ""
    return Figure("ms-ssim", similarity, 1.0, None, fault)


@torch.no_grad()
def _style_figures(trio: Trio, network: Network, layers: Sequence[str]) -> Iterator[Figure]:
    """Distances to the painting, in units of the photograph's own."""
    features = Features(network, trio.result.device)
    seen = [
        features.measure(each, layers, layers)
        for each in _at_most_largest((trio.result, trio.content, trio.style))
    ]
    result, content, style = (sums for _, sums in seen)
    distances: dict[str, Callable[[Statistics, Statistics], Tensor]] = {
        "gram": gram_distance,
        "w2": wasserstein_distance,
    }
    for name, distance in distances.items():
        for layer in layers:
            own = float(distance(content[layer], style[layer]))
            value = float(distance(result[layer], style[layer])) / max(own, 1e-12)
            fault = "far from the painting's style" if value > STYLE_MISSED else ""
            yield Figure(f"{name} {layer}", value, 1.0, 0.0, fault)
    yield from _patch_figures(*([maps[layer] for layer in layers] for maps, _ in seen))


def _patch_figures(
    result: Sequence[Tensor], content: Sequence[Tensor], style: Sequence[Tensor]
) -> Iterator[Figure]:
    """Patch distances from the result to the painting, and from the painting to the result."""
    value, photograph = (_patch_distances(each, style) for each in (result, content))
    yield Figure("patch fidelity", value, photograph, 0.0)
    value, photograph = (_patch_distances(style, each) for each in (result, content))
    yield Figure("coverage", value, photograph, 0.0)


def _patch_distances(maps: Sequence[Tensor], reference: Sequence[Tensor]) -> float:
    """The mean of the patch distance over the layers."""
    pairs = zip(maps, reference, strict=True)
    return statistics.fmean(
        float(patch_distance(a.float(), b.float(), most=PATCHES)) for a, b in pairs
    )


def _at_most_largest(pictures: Sequence[Tensor]) -> Iterator[Tensor]:
    """All pictures, reduced by the same factor if one is too large for the network."""
    longest = max(max(each.shape[-2:]) for each in pictures)
    ratio = min(1.0, LARGEST / longest)
    for each in pictures:
        height, width = (max(SMALLEST, round(side * ratio)) for side in each.shape[-2:])
        yield resize(each, height, width)


def _color_figures(trio: Trio, *, keeps_color: bool) -> Iterator[Figure]:
    apart = float(color_distance(trio.result, trio.style))
    own = float(color_distance(trio.content, trio.style))
    missed = apart > max(COLORS_MISSED * own, COLORS_APART) and not keeps_color
    yield Figure("color", apart, own, 0.0, "colours are not the painting's" if missed else "")
    share = float(style_color_share(trio.result, trio.content, trio.style))
    over = share > OVER_REPRESENTED
    yield Figure(
        "style colors", share, 0.0, 1.0, "the painting's colours over-represented" if over else ""
    )


def _noise_figure(trio: Trio) -> Figure:
    unit = max(float(high_frequency_energy(trio.style)), 1e-12)
    value, photograph = (
        float(high_frequency_energy(each)) / unit for each in (trio.result, trio.content)
    )
    fault = "noise or ringing" if value > NOISY * max(1.0, photograph) else ""
    return Figure("high frequencies", value, photograph, 1.0, fault)


def _flatness_figure(trio: Trio) -> Figure:
    value, photograph, painting = (
        float(flat_patch_ratio(each)) for each in (trio.result, trio.content, trio.style)
    )
    fault = "flat patches" if value > painting + FLAT else ""
    return Figure("flat patches", value, photograph, painting, fault)


def _frame_figures(trio: Trio) -> Iterator[Figure]:
    """The figure ``frame``; none for a picture with too few lines for comparison."""
    value, photograph, painting = (
        float(frame_share(each)) if min(each.shape[-2:]) >= FRAMED_FROM else None
        for each in (trio.result, trio.content, trio.style)
    )
    if value is None or photograph is None:
        return
    fault = "a frame" if value < FRAMED <= photograph else ""
    yield Figure("frame", value, photograph, painting, fault)

"""The panel: figures that say how a result stands to its photograph and its painting.

No download, no training, nothing that the optimiser saw: similarity to the photograph, distances
to the painting on layers (and, where one is to be had, on a network) that were not optimised, its
colours, noise, flat patches. docs/measuring.md says what each figure means and where its limits
come from.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from impasto.engine.objective import Features
from impasto.engine.plan import Size, fit
from impasto.errors import PictureError, RecordError
from impasto.files.images import Picture, read_picture
from impasto.files.judges import Judge, find_judge
from impasto.files.reading import Record, read_record
from impasto.nets.network import Network
from impasto.nets.topology import check_layers
from impasto.ops.color import rgb_to_luma
from impasto.ops.inits import resize
from impasto.ops.metrics import (
    color_distance,
    flat_patch_ratio,
    gram_distance,
    high_frequency_energy,
    multiscale_ssim,
    style_color_share,
    wasserstein_distance,
)
from impasto.ops.statistics import Statistics

LAYERS = ("conv1_2", "conv2_2", "conv3_2", "conv4_3")  # not optimised by default
SMALLEST = 32  # pixels of the shorter side: two patches, and positions enough in block 4
LARGEST = 1024  # longest side at which a network looks
OTHER_SHAPE = 0.05  # of proportion, by which a photograph may differ from its result

# Where a fault begins. docs/measuring.md: between the results that look right and made faults.
CONTENT_LOST = 0.25
STYLE_MISSED = 0.7
COLORS_MISSED, COLORS_APART = 0.6, 0.05  # of the photograph's own distance; in units of colour
OVER_REPRESENTED = 1.25
NOISY = 1.5  # times the painting's energy, or the photograph's where that is larger
FLAT = 0.1  # of all patches, beyond the painting's share


@dataclass(frozen=True)
class Figure:
    """One line of the panel.

    Attributes:
        name: such as ``gram conv2_2``.
        value: the result's.
        photograph: what the photograph itself would have; None where that says nothing.
        painting: what the painting itself would have; None where that says nothing.
        fault: what the value shows to be wrong; empty where nothing.

    """

    name: str
    value: float
    photograph: float | None = None
    painting: float | None = None
    fault: str = ""


@dataclass(frozen=True)
class Panel:
    """All figures of one result.

    Attributes:
        subject: the result's name.
        facts: what was measured and with what, name to words.
        figures: the lines.

    """

    subject: str
    facts: dict[str, str]
    figures: tuple[Figure, ...]

    @property
    def faults(self) -> tuple[str, ...]:
        """Each fault once, in the order of the figures."""
        return tuple(dict.fromkeys(each.fault for each in self.figures if each.fault))

    def __getitem__(self, name: str) -> float:
        """The value of a figure."""
        return next(each.value for each in self.figures if each.name == name)

    def as_dict(self) -> dict[str, Any]:
        """Plain values, ready for JSON: what is not a number becomes None."""
        figures = {each.name: asdict(each) for each in self.figures}
        for values in figures.values():
            del values["name"]
            if not math.isfinite(values["value"]):
                values["value"] = None
        return {"subject": self.subject, "facts": self.facts, "figures": figures}


@dataclass(frozen=True)
class Trio:
    """A result, and photograph and painting at the sizes at which they met.

    Attributes:
        result: ``(1, 3, H, W)`` in [0, 1].
        content: the same shape.
        style: ``(1, 3, h, w)`` in [0, 1].

    """

    result: Tensor
    content: Tensor
    style: Tensor


def measure(
    result: Path,
    content: Path,
    style: Path,
    *,
    network: str | Network | None = None,
    layers: Sequence[str] = (),
) -> Panel:
    """The panel of a result, whatever kind of file it is.

    Args:
        result: the picture to be judged; its record, inside or beside it, is used if there is one.
        content: the photograph.
        style: the painting.
        network: a name, a safetensors file or an object that computes features; by default the
            first of vgg19, vgg19-torchvision and compact that is here and did not make the result,
            or compact.
        layers: those on which style is compared; by default those of :data:`LAYERS` that the
            network has.

    Raises:
        PictureError: a picture cannot be read, or is not of this result.
        RecipeError: the network has no such layer.
        WeightsError: the network's weights are missing or broken.

    """
    return _measurer_of(result)(result, content, style, network, layers)


Measurer = Callable[[Path, Path, Path, str | Network | None, Sequence[str]], Panel]


def _measurer_of(result: Path) -> Measurer:
    """The one place where kinds of results are told apart; so far there are pictures."""
    del result
    return _measure_picture


def _measure_picture(
    result: Path,
    content: Path,
    style: Path,
    network: str | Network | None,
    layers: Sequence[str],
) -> Panel:
    pictures = [read_picture(path) for path in (result, content, style)]
    record = _record_of(result)
    judge = find_judge(network, made_with=record.network if record else None)
    layers = check_layers(layers or _usual_layers(judge.network), judge.network.layers)
    trio = align(pictures, record)
    figures = figures_of(trio, judge.network, layers, keeps_color=_keeps_color(record))
    return Panel(result.name, _facts(trio, judge, layers, record), tuple(figures))


def figures_of(
    trio: Trio, network: Network, layers: Sequence[str] = LAYERS, *, keeps_color: bool = False
) -> Iterator[Figure]:
    """The lines of the panel, for tensors.

    Args:
        trio: the result and what it is compared with.
        network: gives the features on which style is compared.
        layers: of the network.
        keeps_color: the photograph's colours were asked for, so having them is no fault.

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


def align(pictures: Sequence[Picture], record: Record | None) -> Trio:
    """Bring photograph and painting to the sizes that they had when the result was made.

    Those of the record's last stage; without a record the painting's longer side is the result's,
    but never enlarged, which is the default.

    Raises:
        PictureError: the photograph has other proportions than the result.

    """
    result, content, style = (each.tensor for each in pictures)
    size: Size = (result.shape[-2], result.shape[-1])
    own: Size = pictures[2].size
    stage = record.plan.stages[-1] if record and record.plan else None
    if stage and stage.window:
        top, left, height, width = stage.window
        whole = resize(content, stage.height, stage.width)
        content = whole[..., top : top + height, left : left + width]
    ratio = (content.shape[-1] / content.shape[-2]) / (size[1] / size[0])
    if abs(math.log(ratio)) > OTHER_SHAPE:
        raise PictureError(
            f"{pictures[1].name!r} is {content.shape[-1]} x {content.shape[-2]} pixels and the "
            f"result {size[1]} x {size[0]}: give the photograph that it was made from."
        )
    painted = _size_in(record, pictures[2]) or fit(own, min(max(own), max(size)))
    return Trio(result, resize(content, *size), resize(style, *painted))


def _size_in(record: Record | None, painting: Picture) -> Size | None:
    """Size at which a painting was seen at the last stage; None where the record knows it not."""
    if record is None or record.plan is None:
        return None
    sizes = zip(record.inputs["styles"], record.plan.stages[-1].styles, strict=True)
    return next((size for each, size in sizes if each.sha256 == painting.sha256), None)


def _content_figure(trio: Trio) -> Figure:
    similarity = float(multiscale_ssim(rgb_to_luma(trio.result), rgb_to_luma(trio.content)))
    fault = "content lost" if similarity < CONTENT_LOST else ""
    return Figure("ms-ssim", similarity, 1.0, None, fault)


@torch.no_grad()
def _style_figures(trio: Trio, network: Network, layers: Sequence[str]) -> Iterator[Figure]:
    """Distances to the painting, in units of the photograph's own."""
    features = Features(network, trio.result.device)
    result, content, style = (
        features.measure(each, (), layers)[1]
        for each in _looked_at((trio.result, trio.content, trio.style))
    )
    distances: dict[str, Callable[[Statistics, Statistics], Tensor]] = {
        "gram": gram_distance,
        "w2": wasserstein_distance,
    }
    for name, distance in distances.items():
        for layer in layers:
            own = float(distance(content[layer], style[layer]))
            found = float(distance(result[layer], style[layer])) / max(own, 1e-12)
            fault = "far from the painting's style" if found > STYLE_MISSED else ""
            yield Figure(f"{name} {layer}", found, 1.0, 0.0, fault)


def _looked_at(pictures: Sequence[Tensor]) -> Iterator[Tensor]:
    """All of them smaller by one factor, where one is too large for a network's memory."""
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
    found, photograph = (
        float(high_frequency_energy(each)) / unit for each in (trio.result, trio.content)
    )
    fault = "noise or ringing" if found > NOISY * max(1.0, photograph) else ""
    return Figure("high frequencies", found, photograph, 1.0, fault)


def _flatness_figure(trio: Trio) -> Figure:
    found, photograph, painting = (
        float(flat_patch_ratio(each)) for each in (trio.result, trio.content, trio.style)
    )
    fault = "flat patches" if found > painting + FLAT else ""
    return Figure("flat patches", found, photograph, painting, fault)


def _usual_layers(network: Network) -> Sequence[str]:
    return [layer for layer in LAYERS if layer in network.layers] or network.layers


def _record_of(result: Path) -> Record | None:
    """The record of a result; None where there is none, or none that can be used."""
    try:
        return read_record(result)
    except RecordError:
        return None


def _keeps_color(record: Record | None) -> bool:
    return record is not None and record.recipe.preserve_color != "none"


def _facts(
    trio: Trio, judge: Judge, layers: Sequence[str], record: Record | None
) -> dict[str, str]:
    height, width = trio.result.shape[-2:]
    facts = {"size": f"{width}x{height}", "network": judge.words}
    if record is None:
        facts["layers"] = f"{', '.join(layers)} (no record says which were optimised)"
        return facts
    optimised = {*record.recipe.style_layers, *record.recipe.content_layers}
    seen = [layer for layer in layers if layer in optimised and judge.made_it]
    facts["layers"] = f"{', '.join(layers)} ({', '.join(seen) or 'none'} optimised)"
    return facts

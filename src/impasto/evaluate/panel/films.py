"""Measuring a film: its flicker, and the distances of its frames from source and painting.

Flicker is the warping error (Lai et al. 2018): the difference between a frame and
an earlier one that was warped along the optical flow of the *source*, over the pixels that
both show. Here it is the root of the mean square, in units of colour (0 to 1). The same figure for
the source itself is the part caused by motion, noise and light.
"""

from __future__ import annotations

import json
import math
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import fmean

from torch import Tensor

from impasto.engine.objective.objective import Objective, StyleTargets
from impasto.engine.planning.plan import fit
from impasto.engine.shots import is_cut
from impasto.errors import FilmError, ImpastoError
from impasto.evaluate.judge import find_judge
from impasto.evaluate.panel.model import Figure, Panel
from impasto.files.films.flow import DIS, FlowEstimator
from impasto.files.films.reader import open_clip, read_frames
from impasto.files.formats import suffixes_of
from impasto.files.pictures.images import read_picture
from impasto.nets.network import Network
from impasto.nets.topology import check_layers
from impasto.ops.inits import resize
from impasto.ops.warp import reliable, warping_error
from impasto.plots.losses import Chart, Curve
from impasto.recipe.film import FilmRecipe, FrameRange
from impasto.recipe.still import Recipe

LAGS = (1, 8)  # frames back: the previous one, and about a third of a second
Truth = Callable[[int, int], tuple[Tensor, Tensor]]
"""Maps (frame, earlier frame) to the flow between them and the mask of visible points."""


@dataclass
class Curves:
    """The measurements, frame by frame.

    Attributes:
        warping: frames back to mean squares; None if there is no frame to compare with.
        source: the same of the source.
        content: relative distance to the source's content, 0 for the source itself.
        style: relative distance to the painting's style, 1 for the source.

    """

    warping: dict[int, list[float | None]] = field(default_factory=dict)
    source: dict[int, list[float | None]] = field(default_factory=dict)
    content: list[float] = field(default_factory=list)
    style: list[float] = field(default_factory=list)

    def flicker(self, lag: int, *, of_source: bool = False) -> float:
        """Root of the mean square over the film; NaN for one that is too short."""
        squares = (self.source if of_source else self.warping)[lag]
        measured = [each for each in squares if each is not None]
        return math.sqrt(fmean(measured)) if measured else math.nan


def is_film(path: Path) -> bool:
    """True for a folder of frames, or a name with a film's suffix."""
    return path.is_dir() or path.suffix.lower() in suffixes_of("film")


def measure_film(
    result: Path,
    content: Path,
    style: Path,
    network: str | Network | None,
    layers: Sequence[str],
) -> Panel:
    """The panel of a film; see :func:`impasto.evaluate.panel.measure`."""
    curves, facts = measure_frames(result, content, style, network, layers)
    figures = []
    for lag in LAGS:
        own, source = curves.flicker(lag), curves.flicker(lag, of_source=True)
        if not math.isnan(own):
            figures.append(Figure(f"warping error {lag}", own, source))
    figures += [
        Figure("content distance", fmean(curves.content), 0.0),
        Figure("style distance", fmean(curves.style), 1.0, 0.0),
        Figure("style distance, worst", max(curves.style), 1.0, 0.0),
    ]
    return Panel(result.name, facts, tuple(figures))


def measure_frames(
    result: Path, content: Path, style: Path, network: str | Network | None, layers: Sequence[str]
) -> tuple[Curves, dict[str, str]]:
    """Curves of a film, and the facts of the measurement.

    Raises:
        FilmError: the films cannot be read, or have different numbers of frames.

    """
    made, source = open_clip(result), open_clip(content, _part_of(result))
    judge = find_judge(network, made_with=None)
    painting = read_picture(style).tensor
    options = {"style_layers": check_layers(layers, judge.network.layers)} if layers else {}
    recipe = Recipe(size="full", **options)  # type: ignore[arg-type]
    pictures = (frame.picture for frame in read_frames(made))
    sources = (resize(frame.picture, *made.size) for frame in read_frames(source))
    try:
        curves = curves_of(pictures, sources, painting, judge.network, recipe)
    except ImpastoError:
        raise
    except ValueError as error:
        raise FilmError(
            f"{made.name!r} and {source.name!r} have different numbers of frames: give the film "
            "that it was made from."
        ) from error
    facts = {
        "size": f"{made.size[1]}x{made.size[0]}, {len(curves.content)} frames",
        "network": judge.words,
    }
    return curves, facts


def curves_of(
    results: Iterable[Tensor],
    sources: Iterable[Tensor],
    painting: Tensor,
    network: Network,
    recipe: Recipe,
    *,
    truth: Truth | None = None,
    flow: FlowEstimator | None = None,
) -> Curves:
    """Measure a film, with a few frames in memory at a time.

    Args:
        results: frames, ``(1, 3, H, W)`` in [0, 1].
        sources: the source's frames, of the same sizes.
        painting: ``(1, 3, h, w)``.
        network: computes the features.
        recipe: names the layers.
        truth: the true flow, if known; otherwise the source's flow is estimated.
        flow: optical flow; DIS when not given.

    Raises:
        ValueError: the numbers of results and sources differ.

    """
    curves = Curves({lag: [] for lag in LAGS}, {lag: [] for lag in LAGS})
    motion = _Motion(truth, flow)
    before: deque[tuple[Tensor, Tensor]] = deque(maxlen=max(LAGS))
    targets: StyleTargets | None = None
    for index, (result, source) in enumerate(zip(results, sources, strict=True)):
        if before and truth is None and motion.cuts(source, before[-1][1]):
            before.clear()
        for lag in LAGS:
            squares = _squares(lag, index, (result, source), before, motion)
            curves.warping[lag].append(squares[0])
            curves.source[lag].append(squares[1])
        before.append((result, source))
        targets = _add_distances(curves, result, source, painting, network, recipe, targets)
    return curves


def flicker_chart(curves: Curves) -> Chart:
    """Warping errors, frame by frame, of the film and of its source."""
    lines = [
        Curve(f"{name}, {lag} back", color, tuple(map(_root, squares[lag])))
        for squares, name, colors in (
            (curves.source, "source", ("#bbbbbb", "#888888")),
            (curves.warping, "film", ("#c23b22", "#1f5fa8")),
        )
        for lag, color in zip(LAGS, colors, strict=True)
    ]
    return Chart(tuple(lines), (), 1e-4, 1.0, "frame", "warping error")


class _Motion:
    """The flow between two frames, and the mask where it is reliable."""

    def __init__(self, truth: Truth | None, flow: FlowEstimator | None) -> None:
        self._truth = truth
        self._estimate = flow or (None if truth else DIS())

    def between(self, index: int, lag: int, source: Tensor, other: Tensor) -> tuple[Tensor, Tensor]:
        if self._truth is not None:
            return self._truth(index, index - lag)
        assert self._estimate is not None
        flow = self._estimate(source, other)
        return flow, reliable(flow, self._estimate(other, source))

    def cuts(self, source: Tensor, other: Tensor) -> bool:
        assert self._estimate is not None
        return is_cut(source, other, self._estimate(source, other))


def _squares(
    lag: int,
    index: int,
    now: tuple[Tensor, Tensor],
    before: Sequence[tuple[Tensor, Tensor]],
    motion: _Motion,
) -> tuple[float, float] | tuple[None, None]:
    if lag > len(before):
        return None, None
    result, source = before[-lag]
    flow, weights = motion.between(index, lag, now[1], source)
    if not weights.any():
        return None, None
    return (
        float(warping_error(now[0], result, flow, weights)),
        float(warping_error(now[1], source, flow, weights)),
    )


def _add_distances(
    curves: Curves,
    result: Tensor,
    source: Tensor,
    painting: Tensor,
    network: Network,
    recipe: Recipe,
    targets: StyleTargets | None,
) -> StyleTargets:
    longest = min(max(painting.shape[-2:]), max(source.shape[-2:]))
    height, width = painting.shape[-2:]
    sized = resize(painting, *fit((height, width), longest)) if targets is None else painting
    objective = Objective(recipe, network, source, [sized], targets=targets)
    losses = objective.evaluate(result).losses
    content, style = objective.weights.distances(losses)
    curves.content.append(content)
    curves.style.append(style)
    return objective.targets


def _part_of(result: Path) -> FrameRange:
    """The frames of its source from which a film was made, by its record."""
    path = result / "film.json" if result.is_dir() else result.with_suffix(".json")
    try:
        film = json.loads(path.read_text(encoding="utf-8"))["film"]
        return FilmRecipe(start=film["start"], end=film["end"], every=film["every"]).part
    except (OSError, ValueError, KeyError, TypeError):
        return FrameRange()


def _root(square: float | None) -> float | None:
    return None if square is None else math.sqrt(square)

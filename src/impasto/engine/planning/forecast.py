"""What a run will take, told before it starts: memory from its sizes, time from a short trial.

The trial evaluates two small pictures in each precision of the plan, which gives seconds for a
stage's beginning, for a step and for a pixel; the rest is arithmetic on the plan. The larger one
grows with the run's picture, as what lies in a cache costs less. A run that has begun corrects it
by what it has taken so far.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass

import torch

from impasto.engine.objective.terms import needed, standard
from impasto.engine.objective.tiling import make_objective
from impasto.engine.planning.footprint import PICTURE, PROGRAM, Footprint, tiling_cost
from impasto.engine.planning.plan import Plan
from impasto.engine.planning.stages import Size, Stage
from impasto.engine.run import placed
from impasto.engine.threads import on_threads
from impasto.engine.waiting import waiting
from impasto.nets.network import ConvNetwork, Network
from impasto.recipe.still import Recipe

SMALL_TRIAL = 96  # side of the smaller picture that is tried
LARGE_TRIALS = (224, 1024)  # least and largest side of the other, half of the run's own
PATIENCE = 0.25  # seconds for each of them, but for the first evaluation
REPEATS = 6  # of each at most; the median counts
OPTIMIZER = 0.1  # of an evaluation, that an optimiser's own arithmetic takes
MEASURED = 0.4  # of an evaluation, that measuring a painting takes


@dataclass(frozen=True)
class EvaluationTime:
    """Seconds that an evaluation takes.

    Attributes:
        fixed: whatever the size: a style loss's matrices, and calls.
        pixel: for each pixel.
        beginning: of a stage: what its first evaluation takes more, as kernels are made for a size.

    """

    fixed: float
    pixel: float
    beginning: float = 0.0

    def seconds(self, pixels: float) -> float:
        """Of one evaluation."""
        return self.fixed + self.pixel * pixels

    @classmethod
    def through(
        cls, small: tuple[int, float], large: tuple[int, float], beginning: float = 0.0
    ) -> EvaluationTime:
        """The line through two trials, pixels and seconds each, that costs nothing negative."""
        pixel = (large[1] - small[1]) / (large[0] - small[0])
        if pixel <= 0:  # noise
            return cls(0.0, large[1] / large[0], beginning)
        return cls(max(0.0, large[1] - pixel * large[0]), pixel, beginning)


@dataclass(frozen=True)
class Forecast:
    """What a run will take.

    Attributes:
        memory: bytes of the process at its peak, mapped files apart; None for another's network.
        seconds: of each stage, the evaluation of its start included.

    """

    memory: float | None
    seconds: tuple[float, ...]

    @property
    def total(self) -> float:
        """Seconds of the whole run."""
        return sum(self.seconds)

    def progress(self, plan: Plan, stage: int, step: int) -> float:
        """Share of the time that has passed after a step of a stage, in [0, 1]."""
        share = (step + 1) / (plan.stages[stage].steps + 1)
        return (sum(self.seconds[:stage]) + share * self.seconds[stage]) / self.total


def forecast(
    recipe: Recipe, plan: Plan, content: Size, styles: Sequence[Size], network: Network
) -> Forecast:
    """Make a forecast; takes about a second with ``compact``.

    Args:
        recipe: what was asked for.
        plan: its tiles, sizes, precisions and steps count.
        content: height and width of the photograph.
        styles: those of each painting.
        network: what will be computed.

    """
    first = {stage.precision: stage for stage in reversed(plan.stages)}
    paces = {name: _pace(recipe, plan, stage, network) for name, stage in first.items()}
    seconds = tuple(
        _seconds(recipe, stage, paces[stage.precision], network) for stage in plan.stages
    )
    return Forecast(_memory(recipe, plan, content, styles, network), seconds)


def _memory(
    recipe: Recipe, plan: Plan, content: Size, styles: Sequence[Size], network: Network
) -> float | None:
    if not isinstance(network, ConvNetwork):
        return None
    footprint = Footprint(recipe, network.table, plan.device)
    mapped = any(stage.mapped for stage in plan.stages)
    held = [*styles] if mapped else [content, *styles]
    pictures = PICTURE * sum(height * width for height, width in held)
    weights = sum(each.numel() * each.element_size() for each in network.parameters())
    return PROGRAM + pictures + weights + max(footprint.stage(s, content) for s in plan.stages)


def _seconds(recipe: Recipe, stage: Stage, pace: EvaluationTime, network: Network) -> float:
    tiles = 1.0
    if stage.tile is not None and isinstance(network, ConvNetwork):
        layers = needed(standard(recipe)).layers
        tiles = tiling_cost(network.table, layers, stage.size, stage.tile)
    paintings = sum(height * width for height, width in stage.styles)
    own = pace.seconds(stage.pixels * tiles)
    optimizer = OPTIMIZER * pace.pixel * stage.pixels
    start = pace.beginning + MEASURED * pace.seconds(paintings + stage.pixels)
    evaluations = 1 + stage.steps + bool(recipe.average)  # at last that of the average
    return start + evaluations * own + stage.steps * optimizer


def _pace(recipe: Recipe, plan: Plan, stage: Stage, network: Network) -> EvaluationTime:
    """Of evaluations in the stage's precision."""
    least, largest = LARGE_TRIALS
    side = min(largest, max(least, max(*plan.stages[-1].size) // 2))
    small, _ = _trial(recipe, plan, stage, network, SMALL_TRIAL)
    large, beginning = _trial(recipe, plan, stage, network, side)
    return EvaluationTime.through((SMALL_TRIAL**2, small), (side**2, large), beginning)


def _trial(
    recipe: Recipe, plan: Plan, stage: Stage, network: Network, side: int
) -> tuple[float, float]:
    """Seconds of one evaluation of a square picture, and those that the first one took more."""
    generator = torch.Generator().manual_seed(0)
    image = torch.rand(1, 3, side, side, generator=generator).to(plan.device)
    styles = [image] * len(stage.styles)
    with on_threads(plan.threads):
        waiting.look(plan.threads)
        begun = time.perf_counter()
        objective = make_objective(recipe, placed(network, plan, stage), image, styles, None, None)
        objective.evaluate(image)
        first = time.perf_counter() - begun
        waiting.look(plan.threads)
        times: list[float] = []
        while not times or (len(times) < REPEATS and sum(times) < PATIENCE):
            start = time.perf_counter()
            objective.evaluate(image)
            times.append(time.perf_counter() - start)
            waiting.look(plan.threads)
    usual = statistics.median(times)
    return usual, max(0.0, first - (1 + MEASURED * (1 + len(styles))) * usual)

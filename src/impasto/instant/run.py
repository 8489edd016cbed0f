"""A picture at once: coarse to fine, each size matched and painted in one go.

At each size (:mod:`impasto.instant.size`), every position of the photograph, and from the second
size on of the coarser result too, takes the features and pixels of one of the paintings' positions
(:mod:`impasto.instant.bank`), and the decoder paints them.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace
from functools import partial

import torch
from torch import Tensor

from impasto.engine.crop import alone, cropped, enlarged
from impasto.engine.framing import asked, made
from impasto.engine.planning.forecast import Forecast
from impasto.engine.planning.plan import Plan
from impasto.engine.run import Pictures, protection, recolored
from impasto.engine.state import Checkpoint, Losses, LossWeights, State
from impasto.engine.threads import on_threads
from impasto.errors import RecipeError, RecordError
from impasto.instant.decoder import Painter
from impasto.instant.hypercolumns import LAYERS
from impasto.instant.size import SizePainter
from impasto.instant.tiles import HALO, TILE
from impasto.nets.network import ConvNetwork, Network
from impasto.ops.color import with_luma_of
from impasto.recipe.still import Recipe

SECONDS = {"bf16": 2.5e-6, "fp32": 5e-6}  # for a pixel of photograph and paintings together
BYTES = 1_000  # for a pixel of a tile
PROGRAM = 0.45e9  # bytes of Python, torch and the network


def forecast(plan: Plan) -> Forecast:
    """What :func:`run_instant` will take, by rates that were measured, without a trial."""
    seconds = tuple(
        SECONDS[stage.precision] * (stage.pixels + sum(h * w for h, w in stage.styles))
        for stage in plan.stages
    )
    side = TILE + 2 * HALO
    pixels = plan.stages[-1].pixels
    return Forecast(PROGRAM + 60 * pixels + BYTES * min(pixels, side**2), seconds)


def check_network(network: Network) -> ConvNetwork:
    """Make sure that the network is the one that the decoder was trained on, and return it.

    Raises:
        RecipeError: the decoder was not trained on its features.

    """
    if not isinstance(network, ConvNetwork) or not set(LAYERS) <= set(network.heads):
        raise RecipeError(
            "--quality instant works with the bundled network: leave out --network and --weights."
        )
    return network


def run_instant(
    recipe: Recipe, plan: Plan, pictures: Pictures, network: Network, painter: Painter
) -> Iterator[State]:
    """Make the picture; yield a state for every size.

    Args:
        recipe: strength, shares, seed and colours count.
        plan: of one step at each size.
        pictures: photograph and paintings.
        network: ``compact``.
        painter: the decoder.

    Raises:
        RecipeError: the network is another one, or the blend does not match the paintings.

    """
    own = check_network(network)
    recipe.blend_for(len(pictures.styles))
    return _states(recipe, plan, pictures, own, painter)


def _states(
    recipe: Recipe, plan: Plan, pictures: Pictures, network: ConvNetwork, painter: Painter
) -> Iterator[State]:
    pictures = recolored(recipe, pictures)
    coarser: Tensor | None = None
    for index, stage in enumerate(plan.stages):
        with on_threads(plan.threads), torch.no_grad():
            own = alone(stage)
            content = made(cropped(pictures.content, stage), own)
            regions = None if pictures.regions is None else pictures.regions.in_window(stage)
            size = SizePainter(
                recipe, plan, stage, pictures.styles, network, painter, regions=regions
            )
            before = None
            if coarser is not None:
                before = made(enlarged(coarser, plan.stages[index - 1], stage), own)
            mask = pictures.protect
            if mask is not None:
                mask = protection(own, replace(pictures, protect=cropped(mask, stage)))
            masks = None if regions is None else regions.masks(own)
            image = size.paint(content.to(plan.device), before, protect=mask, regions=masks)
            coarser = asked(image, own)
        yield painted(recipe, plan, index, asked(content, own).to(plan.device), coarser)


def painted(recipe: Recipe, plan: Plan, index: int, content: Tensor, image: Tensor) -> State:
    """The state after the only step of a stage, whose losses nobody has measured.

    Args:
        recipe: says whether the photograph's luminance is kept.
        plan: of one step at each size.
        index: of the stage.
        content: the photograph at its size.
        image: the result.

    """
    keeps_luminance = recipe.preserve_color == "luminance"
    unknown = math.nan
    return State(
        step=plan.steps_before(index) + 1,
        steps=plan.steps,
        stage=index,
        progress=plan.progress(index, 1),
        losses=Losses(unknown, unknown, unknown, unknown),
        weights=LossWeights(unknown, unknown, unknown, unknown),
        image=image,
        finish=partial(with_luma_of, content) if keeps_luminance else _unchanged,
        checkpoint=_no_checkpoint,
        is_whole=bool,  # False: there is nothing to go on from
    )


def _unchanged(image: Tensor) -> Tensor:
    return image


def _no_checkpoint() -> Checkpoint:
    raise RecordError("A picture that is not optimised has no checkpoints: make it again.")

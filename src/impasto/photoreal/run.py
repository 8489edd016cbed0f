"""A photograph in another's light and colours, as a stream of states."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import torch
from torch import Tensor

from impasto.engine.planning.forecast import Forecast
from impasto.engine.planning.plan import Plan
from impasto.engine.regions import Regions
from impasto.engine.run import Pictures, placed, protection
from impasto.engine.state import State
from impasto.engine.threads import on_threads
from impasto.instant.run import painted
from impasto.nets.network import Network
from impasto.ops.inits import resize
from impasto.photoreal.fit import Settings, fit_grid
from impasto.photoreal.restoration import restore
from impasto.recipe.still import Recipe

STEP = 8e-6  # seconds for a pixel in a step of the fit, on two cores
APPLIED = 6e-7  # seconds for a pixel of the result
RESTORED = 3e-5  # the same, with its noise held down
PROGRAM = 0.45e9  # bytes of Python, torch and the network
BYTES, LOOKED_AT = 40, 1500  # for a pixel of the result; and of the size that it is fitted at


def forecast(recipe: Recipe, plan: Plan) -> Forecast:
    """What :func:`run_graded` will take, by rates that were measured, without a trial."""
    last = RESTORED if recipe.restore else APPLIED
    seconds = [stage.steps * STEP * stage.pixels for stage in plan.stages[:-1]]
    seconds.append(last * plan.stages[-1].pixels)
    memory = PROGRAM + BYTES * plan.stages[-1].pixels + LOOKED_AT * plan.stages[0].pixels
    return Forecast(min(memory, PROGRAM + 2e3 * plan.stages[-1].pixels), tuple(seconds))


def run_graded(recipe: Recipe, plan: Plan, pictures: Pictures, network: Network) -> Iterator[State]:
    """Change the photograph's colours; yield a state for every step, and one for the result.

    Args:
        recipe: photorealistic or restoring; its strength and shares count.
        plan: the size that the change is found at, if any, and the size of the result.
        pictures: the photograph, and those whose look or exposure it shall have; what is protected
            and the regions.
        network: gives the features.

    """
    last = plan.stages[-1]
    with on_threads(plan.threads), torch.no_grad():
        content = resize(pictures.content, last.height, last.width)
        mask = protection(last, pictures)
    if recipe.restore:
        with on_threads(plan.threads), torch.no_grad():
            made = restore(content, pictures.styles, strength=recipe.strength)
        yield _finished(recipe, plan, content, made, mask)
        return
    own = placed(network, plan, plan.stages[0])
    regions, style_regions, shares = _places(recipe, pictures, last.height, last.width)
    states = fit_grid(
        content,
        pictures.styles,
        own,
        regions=regions,
        style_regions=style_regions,
        shares=shares,
        strength=recipe.strength,
        steps=plan.stages[0].steps,
        settings=Settings(size=max(plan.stages[0].height, plan.stages[0].width)),
    )
    change = None
    while True:
        with on_threads(plan.threads):
            state = next(states, None)
        if state is None:
            break
        change = state.change
        yield replace(
            painted(recipe, plan, 0, state.image, state.image),
            step=state.step,
            progress=plan.progress(0, state.step),
        )
    assert change is not None
    with on_threads(plan.threads), torch.no_grad():
        made = change.apply(content)
    yield _finished(recipe, plan, content, made, mask)


def _finished(
    recipe: Recipe, plan: Plan, content: Tensor, made: Tensor, mask: Tensor | None
) -> State:
    if mask is not None:
        made = torch.lerp(made, content, mask)
    return painted(recipe, plan, len(plan.stages) - 1, content, made)


def _places(
    recipe: Recipe, pictures: Pictures, height: int, width: int
) -> tuple[Tensor | None, list[Tensor | None], list[tuple[float, ...]]]:
    """Regions of the photograph, those of each style picture, and the shares by region."""
    given: Regions | None = pictures.regions
    if given is None:
        return None, [None] * len(pictures.styles), [recipe.blend_for(len(pictures.styles))]
    sizes = [(each.shape[-2], each.shape[-1]) for each in pictures.styles]
    return given.masks_of(height, width), given.parts_at(sizes), list(given.shares)

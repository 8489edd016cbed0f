"""Fitting a run into memory: the whole picture at once where it fits, else in tiles."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from impasto.engine.objective.tiling import check_can_tile
from impasto.engine.planning.footprint import Footprint
from impasto.engine.planning.stages import Size, Stage
from impasto.errors import RecipeError
from impasto.nets.network import ConvNetwork, Network
from impasto.nets.topology import CELL
from impasto.recipe.still import Recipe

TILES = (1536, 1024, 960, 768, 512)  # from the fastest down; the smaller, the more of it is halo
THRIFTY = 960  # where memory is short: maps of ``compact`` in bfloat16 of no more than 32 MB
SHARE = 0.8  # of the free memory that a run may take


def fitted(
    recipe: Recipe,
    stages: Sequence[Stage],
    content: Size,
    free: int | None,
    device: str,
    network: Network | None,
) -> tuple[Stage, ...]:
    """The stages with the tiles that the recipe or the memory asks for.

    Args:
        recipe: what was asked for.
        stages: without tiles.
        content: height and width of the photograph as it is.
        free: bytes of memory; None where that is not known.
        device: where it is to be computed; only a CPU's memory can lie in a file.
        network: what is to be computed.

    Raises:
        RecipeError: a stage does not fit even in tiles, or tiles are requested of a network that
            is not impasto's own.

    """
    if recipe.tile == "none":
        return tuple(stages)
    if isinstance(recipe.tile, int):
        if network is not None:
            check_can_tile(network)
        side = recipe.tile // CELL * CELL
        stages = [
            replace(stage, tile=side) if max(stage.size) > side else stage for stage in stages
        ]
    if free is None or not isinstance(network, ConvNetwork):
        return tuple(stages)
    footprint = Footprint(recipe, network.table, device)
    largest_first = [_fitted(each, footprint, content, free, device) for each in reversed(stages)]
    return tuple(reversed(largest_first))


def _fitted(stage: Stage, footprint: Footprint, content: Size, free: int, device: str) -> Stage:
    smaller = [side for side in TILES if side < max(stage.size)]
    sides = [stage.tile] if stage.tile else [None, *smaller]
    choices = [replace(stage, tile=side) for side in sides]
    if device == "cpu":
        thrifty = [side for side in sides if side and side <= THRIFTY]
        choices += [replace(stage, tile=side, mapped=True) for side in thrifty or sides]
    for choice in choices:
        if footprint.stage(choice, content) <= SHARE * free:
            return choice
    needed = min(footprint.stage(choice, content) for choice in choices) / SHARE
    raise RecipeError(
        f"A picture of {stage.width} x {stage.height} pixels needs {needed / 1e9:.2g} GB of free "
        f"memory even in tiles, and {free / 1e9:.2g} GB are free: ask for a smaller --size, or "
        "close other programs."
    )

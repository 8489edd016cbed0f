"""When memory runs out, a GPU's or the machine's: tiles, then smaller ones, instead of a crash."""

from __future__ import annotations

import traceback
from collections.abc import Callable

import torch
from torch import Tensor

from impasto.engine.objective.objective import Evaluation, Objective
from impasto.engine.planning.fitting import TILES
from impasto.engine.state import LossWeights
from impasto.errors import ImpastoError, RecipeError, ShortageError
from impasto.shortage import ADVICE, is_shortage


class Shrinking:
    """An objective that is rebuilt with smaller tiles whenever memory runs out.

    Args:
        make: makes the objective in tiles of some side, or for the whole picture at once.
        tile: the side to begin with; None for the whole.
        can_tile: whether the network can be computed in tiles.

    Attributes:
        tile: the side of the tiles as they are now.

    """

    def __init__(
        self, make: Callable[[int | None], Objective], tile: int | None, *, can_tile: bool = True
    ) -> None:
        self.tile = tile
        self._can_tile = can_tile
        self._make = make
        self._objective: Objective | None = None
        self._objective = self._made()

    @property
    def weights(self) -> LossWeights:
        """Of the objective, whatever its tiles."""
        return self._made().weights

    def evaluate(self, image: Tensor) -> Evaluation:
        """:meth:`impasto.engine.objective.objective.Objective.evaluate`.

        Raises:
            RecipeError: not even the smallest tiles fit into a GPU's memory.
            ShortageError: nor into the machine's.

        """
        while True:
            try:
                return self._made().evaluate(image)
            except (RuntimeError, MemoryError) as error:
                if not _ran_out(error):
                    raise
                self._shrink(error)

    def _made(self) -> Objective:
        while self._objective is None:
            try:
                self._objective = self._make(self.tile)
            except (RuntimeError, MemoryError) as error:
                if not _ran_out(error):
                    raise
                self._shrink(error)
        return self._objective

    def _shrink(self, error: RuntimeError | MemoryError) -> None:
        """Change to smaller tiles after an error that says that memory ran out."""
        smaller = [side for side in TILES if self.tile is None or side < self.tile]
        if not smaller or not self._can_tile:
            raise _too_little(error) from error
        traceback.clear_frames(error.__traceback__)  # they hold what the evaluation had made
        self.tile, self._objective = smaller[0], None
        torch.cuda.empty_cache()


def _ran_out(error: RuntimeError | MemoryError) -> bool:
    return isinstance(error, torch.OutOfMemoryError) or is_shortage(error)


def _too_little(error: RuntimeError | MemoryError) -> ImpastoError:
    """What to say where there are no smaller tiles."""
    if isinstance(error, torch.OutOfMemoryError):
        return RecipeError(
            "The GPU's memory does not hold the picture even in tiles: ask for a smaller --size, "
            "or take --device cpu."
        )
    return ShortageError(f"Memory ran out: {ADVICE}.")

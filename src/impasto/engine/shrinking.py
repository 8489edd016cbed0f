"""On a GPU whose memory runs out: tiles, and then smaller ones, in place of a crash."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from impasto.engine.fitting import TILES
from impasto.engine.objective import Evaluation, Objective
from impasto.engine.state import Weights
from impasto.errors import RecipeError


class Shrinking:
    """An objective that is made anew, in smaller tiles, whenever memory runs out.

    Args:
        make: makes the objective in tiles of some side, or for the whole picture at once.
        tile: the side to begin with; None for the whole.

    Attributes:
        tile: the side of the tiles as they are now.

    """

    def __init__(self, make: Callable[[int | None], Objective], tile: int | None) -> None:
        self.tile = tile
        self._make = make
        self._objective: Objective | None = None
        self._objective = self._made()

    @property
    def weights(self) -> Weights:
        """Of the objective, whatever its tiles."""
        return self._made().weights

    def evaluate(self, image: Tensor) -> Evaluation:
        """:meth:`impasto.engine.objective.Objective.evaluate`.

        Raises:
            RecipeError: not even the smallest tiles fit.

        """
        while True:
            try:
                return self._made().evaluate(image)
            except torch.OutOfMemoryError as error:
                self._shrink(error)

    def _made(self) -> Objective:
        while self._objective is None:
            try:
                self._objective = self._make(self.tile)
            except torch.OutOfMemoryError as error:
                self._shrink(error)
        return self._objective

    def _shrink(self, error: torch.OutOfMemoryError) -> None:
        smaller = [side for side in TILES if self.tile is None or side < self.tile]
        if not smaller:
            raise RecipeError(
                "The GPU's memory does not hold the picture even in tiles: ask for a smaller "
                "--size, or take --device cpu."
            ) from error
        self.tile, self._objective = smaller[0], None
        torch.cuda.empty_cache()

"""The losses of a run, step by step, in a few bytes a step for long runs."""

from __future__ import annotations

import math
from array import array
from collections.abc import Iterator, Mapping

import numpy as np
import torch
from torch import Tensor

from impasto.engine.state import NAMED
from impasto.files.records.write import finite_or_none

WIDTH = 2 + len(NAMED)  # step and stage come first


class LossCurve:
    """A list of losses; iteration yields a record's entries, one a step."""

    def __init__(self) -> None:
        self._numbers = array("d")

    @classmethod
    def of(cls, numbers: Tensor) -> LossCurve:
        """The curve from the result of :meth:`numbers`.

        Raises:
            ValueError: the shape or type is wrong.

        """
        if numbers.dtype != torch.float64 or numbers.shape != (len(numbers), WIDTH):
            raise ValueError("no losses")
        curve = cls()
        curve._numbers.frombytes(numbers.numpy().tobytes())
        return curve

    def numbers(self) -> Tensor:
        """A copy, ``(steps, WIDTH)`` float64."""
        return torch.from_numpy(np.array(self._numbers)).view(-1, WIDTH)

    def append(self, step: int, stage: int, losses: Mapping[str, float | None]) -> None:
        """Add a step; a missing value (None) counts as not finite."""
        values = (losses[name] for name in NAMED)
        self._numbers.extend((step, stage))
        self._numbers.extend(math.nan if value is None else value for value in values)

    def __len__(self) -> int:
        return len(self._numbers) // WIDTH

    def __iter__(self) -> Iterator[dict[str, float | None]]:
        for start in range(0, len(self._numbers), WIDTH):
            step, stage, *values = self._numbers[start : start + WIDTH]
            named = zip(NAMED, map(finite_or_none, values), strict=True)
            yield {"step": int(step), "stage": int(stage), **dict(named)}

"""The running average of a run's pictures: iterate averaging (Polyak and Juditsky 1992)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import Tensor

from impasto.engine.optim.storage import Storage, in_memory, pieces


class Average:
    """Exponential average of the pictures of a stage, without a trace of where it started.

    After n pictures x_1 ... x_n it is sum (1 - d) d^(n-k) x_k / (1 - d^n), so it reaches back over
    about 1 / (1 - d) steps. What the steps keep adding and taking away again cancels, and what
    they agree on stays.

    Args:
        decay: d in [0, 1); 0 averages nothing.
        storage: where the average lies.

    """

    def __init__(self, decay: float, storage: Storage = in_memory) -> None:
        self.decay = decay
        self._storage = storage
        self._picture: Tensor | None = None
        self._count = 0

    def add(self, image: Tensor) -> None:
        """Add one more picture."""
        if not self.decay:
            return
        self._count += 1
        share = (1 - self.decay) / (1 - self.decay**self._count)
        if self._picture is None:
            self._picture = self._copied(image)
            return
        for mine, one in pieces(self._picture, image):
            mine.lerp_(one, share)

    def forget(self) -> None:
        """Start again, without the pictures before this."""
        self._picture, self._count = None, 0

    @property
    def picture(self) -> Tensor | None:
        """The average so far, within the bounds of its pictures; None where nothing is averaged.

        Not a copy: the next picture that is taken in changes it.
        """
        return self._picture

    def state_dict(self) -> dict[str, Any]:
        """All that later averages depend on, besides later pictures."""
        return {"average": self._picture, "averaged": self._count}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Restore a :meth:`state_dict`."""
        picture, self._count = state["average"], state["averaged"]
        self._picture = None if picture is None else self._copied(picture)

    def _copied(self, image: Tensor) -> Tensor:
        return self._storage(image, tuple(image.shape)).copy_(image)

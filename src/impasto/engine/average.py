"""The running average of a run's pictures: iterate averaging (Polyak and Juditsky 1992)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import Tensor


class Average:
    """Exponential average of the pictures of a stage, without a trace of where it started.

    After n pictures x_1 ... x_n it is sum (1 - d) d^(n-k) x_k / (1 - d^n), so it reaches back over
    about 1 / (1 - d) steps. What the steps keep adding and taking away again cancels, and what
    they agree on stays.

    Args:
        decay: d in [0, 1); 0 averages nothing.

    """

    def __init__(self, decay: float) -> None:
        self.decay = decay
        self._picture: Tensor | None = None
        self._count = 0

    def add(self, image: Tensor) -> None:
        """Take in one more picture."""
        if not self.decay:
            return
        self._count += 1
        share = (1 - self.decay) / (1 - self.decay**self._count)
        before = self._picture
        self._picture = image.clone() if before is None else before.lerp(image, share)

    def forget(self) -> None:
        """Begin anew, so that nothing is left of pictures before this."""
        self._picture, self._count = None, 0

    @property
    def picture(self) -> Tensor | None:
        """The average so far, within the bounds of its pictures; None where nothing is averaged."""
        return self._picture

    def state_dict(self) -> dict[str, Any]:
        """All that later averages depend on, besides later pictures."""
        return {"average": self._picture, "averaged": self._count}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take up where :meth:`state_dict` left off."""
        self._picture, self._count = state["average"], state["averaged"]

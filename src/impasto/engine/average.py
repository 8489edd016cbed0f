"""The running average of a run's pictures: iterate averaging (Polyak and Juditsky 1992)."""

from __future__ import annotations

from torch import Tensor


class Average:
    """Exponential average of the pictures added, free of any start: the first alone is itself.

    After n pictures x_1 ... x_n it is sum (1 - d) d^(n-k) x_k / (1 - d^n). Averaging cancels what
    the steps keep adding and taking away again, so that a first-order method's noise goes, and
    what they agree on stays. It reaches back over about 1 / (1 - d) steps.

    Args:
        decay: d in [0, 1); 0 keeps the last picture only.

    """

    def __init__(self, decay: float) -> None:
        self.decay = decay
        self._sum: Tensor | None = None
        self._count = 0

    def add(self, image: Tensor) -> Tensor:
        """Take in one more picture; the average of all so far."""
        if self._sum is None:
            self._sum = image.new_zeros(image.shape)
        self._count += 1
        self._sum = self._sum.lerp(image, 1 - self.decay)
        return self._sum / (1 - self.decay**self._count)

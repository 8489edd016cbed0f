"""The options of a picture that is painted without a network. Standard library only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

from impasto.errors import RecipeError

MANNERS: Mapping[str, tuple[str, ...]] = {
    "strokes": ("impressionist", "expressionist", "wash", "pointillist", "stipples", "tiles"),
    "portrait": ("portrait",),
    "filter": ("oil", "ink", "cartoon", "pencil"),
    "regions": ("patches",),
    "analogy": ("example",),
}
"""Method to its manners; the first is the usual one."""
LARGEST = 16_384
SMALLEST = 16


@dataclass(frozen=True)
class PaintRecipe:
    """How a picture is painted.

    Attributes:
        method: a key of :data:`MANNERS`.
        manner: one of its manners; the first when empty.
        size: longest side of the result, in pixels.
        seed: of the order of strokes and of their random colours; the others have none.
        depth: bits a channel of the file.

    Raises:
        RecipeError: an option is unknown or out of range.

    """

    method: str = "strokes"
    manner: str = ""
    size: int = 512
    seed: int = 0
    depth: Literal[8, 16] = 8

    def __post_init__(self) -> None:
        if self.method not in MANNERS:
            raise RecipeError(
                f"There is no method {self.method[:40]!r}: choose {', '.join(MANNERS)}."
            )
        known = MANNERS[self.method]
        if not self.manner:
            object.__setattr__(self, "manner", known[0])
        if self.manner not in known:
            raise RecipeError(
                f"{self.method} has no manner {self.manner[:40]!r}: choose {', '.join(known)}."
            )
        if not SMALLEST <= self.size <= LARGEST:
            raise RecipeError(f"--size must be {SMALLEST} to {LARGEST:,} pixels.")
        if not 0 <= self.seed < 2**63:
            raise RecipeError("--seed must be a whole number, not negative.")
        if self.depth not in (8, 16):
            raise RecipeError("--depth must be 8 or 16 bits a channel.")

    def as_dict(self) -> dict[str, Any]:
        """Plain values."""
        return asdict(self)

    def size_for(self, height: int, width: int) -> tuple[int, int]:
        """Height and width of the result for a photograph of some size."""
        scale = self.size / max(height, width)
        return max(1, round(height * scale)), max(1, round(width * scale))

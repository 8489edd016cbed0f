"""What L-BFGS does with vectors as long as the picture: by torch, or by our own kernels.

A value is *held* where the picture lies on a bound of [0, 1] and the gradient pushes it further
out, or where the gradient is zero; the others are *free*. Held values count as zero.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import torch
from torch import Tensor

from impasto import native
from impasto.engine.objective.objective import Evaluation
from impasto.engine.optim.storage import along
from impasto.engine.planning.footprint import has_half_pairs
from impasto.engine.planning.stages import Stage

_BLOCK = 4096  # values; a thread's share of the vectors is many of them
_BLOCKS = 1024  # at a time, so that the vectors' copies stay small


class Vectors(Protocol):
    """The arithmetic of L-BFGS. Rows are the remembered pairs, ``(K, n)``."""

    def row_like(self, image: Tensor) -> Tensor:
        """A tensor of the rows' type and device."""
        ...

    def remember(self, later: Evaluation, at: Evaluation, pair: Tensor) -> tuple[float, float]:
        """The differences s of the pictures and y of the gradients into a pair; s . y, y . y."""
        ...

    def products(self, rows: Tensor, at: Evaluation | None, row: Tensor | None) -> Tensor:
        """Inner products of all rows with the free gradient, with one of them, or both.

        Returns:
            ``(1, K)`` or ``(2, K)``, float64 on the CPU.

        """
        ...

    def search_direction(
        self, rows: Tensor, shares: Tensor, scale: float, at: Evaluation, out: Tensor
    ) -> float:
        """-(scale g + the rows times their shares) where values are free, into ``out``; g . out."""
        ...

    def move(self, at: Evaluation, direction: Tensor, length: float) -> tuple[Tensor, float]:
        """The picture a step further, clipped to [0, 1]; and g . what has moved."""
        ...


class Plain:
    """By torch, in the picture's own precision, on any device."""

    def row_like(self, image: Tensor) -> Tensor:
        """The picture itself."""
        return image

    def remember(self, later: Evaluation, at: Evaluation, pair: Tensor) -> tuple[float, float]:
        """See :class:`Vectors`, as for the others."""
        s, y = pair
        torch.sub(later.image.flatten(), at.image.flatten(), out=s)
        torch.sub(later.gradient.flatten(), at.gradient.flatten(), out=y)
        return float(torch.dot(s, y)), float(torch.dot(y, y))

    def products(self, rows: Tensor, at: Evaluation | None, row: Tensor | None) -> Tensor:
        """In one pass over the rows."""
        free = None if at is None else at.gradient.masked_fill(at.held, 0).flatten()
        return _products([each for each in (free, row) if each is not None], rows)

    def search_direction(
        self, rows: Tensor, shares: Tensor, scale: float, at: Evaluation, out: Tensor
    ) -> float:
        """A matrix product, in place."""
        held = at.held
        out.copy_(at.gradient).masked_fill_(held, 0)
        out.view(-1).addmv_(rows.mT, shares.to(out), beta=-scale, alpha=-1)
        out.masked_fill_(held, 0)
        return float(torch.dot(at.gradient.flatten(), out.flatten()))

    def move(self, at: Evaluation, direction: Tensor, length: float) -> tuple[Tensor, float]:
        """Two passes."""
        image = torch.add(at.image, direction, alpha=length).clamp_(0, 1)
        return image, along(at.gradient, (image, at.image))


class Halved:
    """By our own kernels: pairs of bfloat16, of float32 pictures in ordinary memory.

    A pair is what it is after rounding: its products are those of the rounded numbers, so H stays
    symmetric and positive definite. Their error, a five-hundredth of each value, is far below that
    of a gradient from a network in bfloat16.
    """

    def row_like(self, image: Tensor) -> Tensor:
        """One of bfloat16."""
        return image.new_empty(0, dtype=torch.bfloat16)

    def remember(self, later: Evaluation, at: Evaluation, pair: Tensor) -> tuple[float, float]:
        """See :class:`Vectors`, as for the others."""
        return native.remembered((later.image, at.image), (later.gradient, at.gradient), pair)

    def products(self, rows: Tensor, at: Evaluation | None, row: Tensor | None) -> Tensor:
        """In one pass over the rows."""
        if at is not None:
            return native.products(rows, at.image, at.gradient, row)
        assert row is not None
        single = row.float()
        return native.products(rows, torch.full_like(single, 0.5), single, None)

    def search_direction(
        self, rows: Tensor, shares: Tensor, scale: float, at: Evaluation, out: Tensor
    ) -> float:
        """In one pass over the rows."""
        return native.search_direction(rows, shares, scale, at.image, at.gradient, out)

    def move(self, at: Evaluation, direction: Tensor, length: float) -> tuple[Tensor, float]:
        """In one pass."""
        return native.moved(at.image, direction, length, at.gradient)


def vectors_for(stage: Stage, device: str) -> Vectors:
    """The arithmetic that suits a stage."""
    return Halved() if has_half_pairs(stage, device) else Plain()


def _products(vectors: Sequence[Tensor], rows: Tensor) -> Tensor:
    """Inner products of all with all, ``(vectors, rows)`` in float64 on the CPU, in one pass."""
    products = torch.zeros(len(vectors), len(rows), dtype=torch.float64)
    length = _BLOCK * _BLOCKS
    for start in range(0, rows.shape[1], length):
        left = torch.stack([vector[start : start + length] for vector in vectors])
        right = rows[:, start : start + length]
        whole = left.shape[1] // _BLOCK * _BLOCK
        a, b = (each[:, :whole].view(len(each), -1, _BLOCK) for each in (left, right))
        blocks = torch.bmm(a.transpose(0, 1), b.permute(1, 2, 0)).sum(0, dtype=torch.float64)
        products += (blocks + left[:, whole:] @ right[:, whole:].mT).cpu()
    return products

"""Where an optimiser's state is stored, and operations on pictures without copies."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import torch
from torch import Tensor

Storage = Callable[[Tensor, tuple[int, ...]], Tensor]
"""(a tensor, a shape) to an empty tensor of that shape, and of the first one's type and device.

A caller may hand one in that maps files (:class:`impasto.files.scratch.Scratch`), so that what
outlives a step need not fit into memory; the engine itself opens nothing.
"""

_PIECE = 1 << 22  # values at a time


def in_memory(like: Tensor, shape: tuple[int, ...]) -> Tensor:
    """The storage when none is given."""
    return like.new_empty(shape)


def pieces(*tensors: Tensor) -> Iterator[tuple[Tensor, ...]]:
    """The same stretch of each of several tensors of one shape, flat, one stretch after another."""
    return zip(*(torch.split(each.reshape(-1), _PIECE) for each in tensors), strict=True)


def along(vector: Tensor, difference: tuple[Tensor, Tensor]) -> float:
    """Inner product of a vector with a difference, v . (d0 - d1)."""
    return sum(float(torch.dot(v, p - q)) for v, p, q in pieces(vector, *difference))

"""Which layers' maps and sums are requested, and what the backward pass needs of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from impasto.native import Pooled
from impasto.nets.convolution import Convolution
from impasto.nets.padding import Padding
from impasto.nets.pooling import Pooling
from impasto.nets.topology import Layer


class Part(Protocol):
    """Which positions count of a picture that is part of a larger one; rows and columns."""

    def trim(self, pooling: Layer) -> tuple[slice, slice]:
        """Of a pooling's output those that the layers after it shall see."""
        ...

    def core(self, layer: Layer) -> tuple[slice, slice]:
        """Of a layer's map those that the picture does not share with other parts."""
        ...


@dataclass(frozen=True)
class Route:
    """What is requested of which layers, and the steps to it.

    Attributes:
        mean: of the network's pictures, RGB; the first layer takes a picture less that.
        like: a weight of the first layer, for its type and layout.
        layers: those to go through, in order.
        maps: names of those whose maps are requested.
        sums: names of those whose statistics are requested.
        convolution: of a layer.
        pooling: of all.
        padding: of all.
        late: convolutions whose ReLU follows the pooling after them, on fewer positions; ReLU and
            maximum commute.
        part: what the picture is of a larger one; maps and sums are those of its core then.

    """

    mean: tuple[float, float, float]
    like: Tensor
    layers: Sequence[Layer]
    maps: Sequence[str]
    sums: Sequence[str]
    convolution: Callable[[Layer], Convolution]
    pooling: Pooling
    padding: Padding
    late: frozenset[str]
    part: Part | None = None

    def core(self, layer: Layer, features: Tensor) -> Tensor:
        """The positions of a map that count, as a view."""
        return features[(..., *self.part.core(layer))] if self.part else features

    def requests(self, layer: Layer) -> bool:
        """Whether a layer's map or statistics are wanted."""
        return layer.name in self.maps or layer.name in self.sums


@dataclass(frozen=True)
class Derivatives:
    """With respect to a layer's map, and to the two sums over it; None where there is none."""

    map: Tensor | None
    total: Tensor | None = None
    second_moments: Tensor | None = None

    @property
    def is_nothing(self) -> bool:
        """Whether nothing is requested of the layer."""
        return self.map is None and self.second_moments is None


@dataclass
class Step:
    """A layer's forward pass, and what its backward pass needs.

    Attributes:
        layer: the layer.
        shape: of its input, without padding.
        output: what it has given; dropped where its backward pass does not need it.
        relu: whether the ReLU was the last thing done to it.
        places: of a pooling's maxima.
        convolution: none for a pooling.
        whole: shape of its output, before that was trimmed.
        pooled: the next pooling's output, where a kernel has taken both at once.

    """

    layer: Layer
    shape: torch.Size
    whole: torch.Size
    output: Tensor
    relu: bool = False
    places: Tensor | None = None
    convolution: Convolution | None = None
    pooled: Pooled | None = None

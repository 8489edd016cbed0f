"""The protocol of a network, and the convolutional network.

``compact``, the full VGG-19 and the true VGG-19's first blocks are all a :class:`ConvNetwork`: one
topology, different widths, depths, input conventions and, for ``compact``, linear heads.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal, Protocol, runtime_checkable

import torch
from torch import Tensor, nn

from impasto.errors import WeightsError
from impasto.nets.convolution import Convolution, Prepared, layout_of
from impasto.nets.padding import Padding
from impasto.nets.passes import Passage, follow
from impasto.nets.pooling import Pooling
from impasto.nets.route import Part, Route
from impasto.nets.topology import Layer, check_layers
from impasto.ops.statistics import Statistics


@dataclass(frozen=True)
class InputConvention:
    """A network's input: channel order, range of a white pixel, mean, deviation."""

    channels: Literal["RGB", "BGR"] = "RGB"
    range: float = 1.0
    mean: tuple[float, float, float] = (0.0, 0.0, 0.0)
    std: tuple[float, float, float] = (1.0, 1.0, 1.0)


@dataclass(frozen=True)
class Head:
    """A linear map from a layer's features to those of the network that it stands in for.

    The map is the square, equivalent one: for every pair of feature maps f, g, and A f + b the
    original head with N outputs, ``|weight (f - g)| = |A (f - g)|``, and Gram matrices,
    covariances and means of (weight f + bias) lie as far apart as those of (A f + b).

    Attributes:
        weight: ``(K, C)`` with K at most C + 1.
        bias: ``(K,)``.
        channels: N, the number of channels that it stands for; eq. (5) is normalised by it.
        frame: Q ``(N, K)`` with orthonormal columns: Q (weight f + bias) are the N channels. None
            where nobody asks for a single channel.

    """

    weight: Tensor
    bias: Tensor
    channels: int
    frame: Tensor | None = None

    def to(self, device: torch.device) -> Head:
        """The same on another device."""
        frame = None if self.frame is None else self.frame.to(device)
        return Head(self.weight.to(device), self.bias.to(device), self.channels, frame)

    @classmethod
    def from_linear(cls, weight: Tensor, bias: Tensor) -> Head:
        """Reduce A ``(N, C)`` and b ``(N,)`` to the triangular factor of [A b] = Q R."""
        joined = torch.cat([weight, bias[:, None]], dim=1).double()
        frame, factor = (x.to(weight.dtype) for x in torch.linalg.qr(joined))
        matrix, offset = factor[:, :-1].contiguous(), factor[:, -1].contiguous()
        return cls(matrix, offset, weight.shape[0], frame)


@runtime_checkable
class Network(Protocol):
    """All that the engine needs. Any object with these members can be passed in its place."""

    @property
    def layers(self) -> Sequence[str]:
        """Names of the layers that :meth:`features` knows, shallow to deep."""
        ...

    def features(self, image: Tensor, layers: Collection[str]) -> dict[str, Tensor]:
        """Feature maps ``(1, N, h, w)`` of an RGB picture ``(1, 3, H, W)`` in [0, 1]."""
        ...


class ConvNetwork(nn.Module):
    """3 x 3 convolutions with padding, ReLU and 2 x 2 pooling, as in VGG-19.

    Args:
        table: the layers, from :func:`impasto.nets.topology.layer_table`.
        tensors: ``convB_I.weight`` (OIHW) and ``convB_I.bias`` for each convolution, and for some
            of them ``convB_I_head.weight`` (N, C, 1, 1) and ``convB_I_head.bias``.
        convention: what the weights expect as input.
        pooling: ``max`` or ``avg``.
        padding: ``zeros``, as in VGG-19; ``circular``, which sees the picture as a tile whose
            sides should be multiples of 16; or ``replicate``, which sees no edge where it ends.
            An attribute, which may be set later.

    Raises:
        WeightsError: a tensor is missing or has another shape.

    """

    def __init__(
        self,
        table: Sequence[Layer],
        tensors: Mapping[str, Tensor],
        *,
        convention: InputConvention,
        pooling: Pooling = "max",
        padding: Padding = "zeros",
    ) -> None:
        super().__init__()
        self.table = tuple(table)
        self.pooling = pooling
        self.padding: Padding = padding
        self.convention = convention
        self.layers = tuple(layer.name for layer in self.table if layer.kind == "conv")
        self._closing = _before_pooling(self.table)
        self.heads: dict[str, Head] = {}
        self._prepared = Prepared()
        for layer in self.table:
            if layer.kind == "conv":
                self._add_convolution(layer, tensors)
        self.requires_grad_(False)

    def features(self, image: Tensor, layers: Collection[str]) -> dict[str, Tensor]:
        """Feature maps after the ReLU, computing no deeper than asked.

        Args:
            image: RGB ``(B, 3, H, W)`` in [0, 1]; differentiable.
            layers: names such as ``conv4_2`` (``relu4_2`` is the same).

        Returns:
            ``{name: (B, N, H / 2^(block-1), W / 2^(block-1))}``, rows and columns rounded down,
            in the type of the weights.

        Raises:
            RecipeError: a layer that the network does not have.

        """
        return follow(self._route(check_layers(layers, self.layers), ()), image)[0]

    def measured(
        self,
        image: Tensor,
        maps: Collection[str],
        sums: Collection[str],
        *,
        part: Part | None = None,
    ) -> tuple[dict[str, Tensor], dict[str, Statistics]]:
        """Feature maps of some layers and statistics of others, as :meth:`features` would give.

        Args:
            image: RGB ``(1, 3, H, W)`` in [0, 1]; differentiable.
            maps: names of layers.
            sums: likewise.
            part: what the picture is of a larger one; maps and sums are those of its core then.

        Raises:
            RecipeError: a layer that the network does not have.

        """
        return follow(self._checked(maps, sums, part), image)

    def passage(
        self,
        image: Tensor,
        maps: Collection[str],
        sums: Collection[str],
        *,
        part: Part | None = None,
    ) -> Passage:
        """The forward pass, where derivatives with respect to the sums are known beforehand.

        Args:
            image: as of :meth:`measured`, and so are the others.
            maps: names of layers whose maps are requested.
            sums: names of layers whose statistics' derivatives will come.
            part: what the picture is of a larger one.

        Raises:
            RecipeError: a layer that the network does not have.

        """
        return Passage(self._checked(maps, sums, part), image)

    def forward(self, image: Tensor) -> Tensor:
        """The last layer's output."""
        (output,) = follow(self._route([self.table[-1].name], ()), image)[0].values()
        return output

    def _checked(self, maps: Collection[str], sums: Collection[str], part: Part | None) -> Route:
        known = self.layers
        return self._route(check_layers(maps, known), check_layers(sums, known), part)

    def _route(self, maps: Sequence[str], sums: Sequence[str], part: Part | None = None) -> Route:
        """No further than asked."""
        requested = {*maps, *sums}
        last = max(
            (at for at, each in enumerate(self.table, 1) if each.name in requested), default=0
        )
        is_max = self.pooling == "max"
        return Route(
            mean=self._mean,
            like=self.get_parameter(f"{self.table[0].name}_weight"),
            layers=self.table[:last],
            maps=maps,
            sums=sums,
            convolution=self._convolution,
            pooling=self.pooling,
            padding=self.padding,
            late=self._closing - requested if is_max else frozenset(),
            part=part,
        )

    @property
    def _mean(self) -> tuple[float, float, float]:
        """What a picture is centred by; the rest of the convention is in the first weights."""
        first, second, third = (each / self.convention.range for each in self.convention.mean)
        is_turned = self.convention.channels == "BGR"
        return (third, second, first) if is_turned else (first, second, third)

    def _convolution(self, layer: Layer) -> Convolution:
        """The layer's weights, prepared again when they have changed."""
        weight = self.get_parameter(f"{layer.name}_weight").detach()
        bias = self.get_parameter(f"{layer.name}_bias").detach()
        state = tuple((t.data_ptr(), t._version, t.dtype) for t in (weight, bias))
        known = self._prepared.get(layer.name)
        if known is None or known[0] != state:
            if layer is self.table[0]:
                weight = self._on_centred(weight)
            known = self._prepared[layer.name] = state, Convolution(weight, bias)
        return known[1]

    def _on_centred(self, weight: Tensor) -> Tensor:
        """The first weights for a picture less its mean: channel order, range and deviation."""
        convention = self.convention
        scale = convention.range / torch.tensor(convention.std, dtype=torch.float64)
        scaled = (weight.double() * scale.view(1, 3, 1, 1).to(weight.device)).to(weight.dtype)
        scaled = scaled.flip(1) if convention.channels == "BGR" else scaled
        return scaled.contiguous(memory_format=layout_of(weight))

    def _add_convolution(self, layer: Layer, tensors: Mapping[str, Tensor]) -> None:
        shape = (layer.out_channels, layer.in_channels, 3, 3)
        weight = _tensor(tensors, f"{layer.name}.weight", shape)
        bias = _tensor(tensors, f"{layer.name}.bias", shape[:1])
        self.register_parameter(f"{layer.name}_weight", nn.Parameter(weight.clone()))
        self.register_parameter(f"{layer.name}_bias", nn.Parameter(bias.clone()))
        if f"{layer.name}_head.weight" in tensors:
            head = tensors[f"{layer.name}_head.weight"].float()
            outputs = head.shape[0]
            head = _tensor(tensors, f"{layer.name}_head.weight", (outputs, shape[0], 1, 1))
            offset = _tensor(tensors, f"{layer.name}_head.bias", (outputs,))
            self.heads[layer.name] = Head.from_linear(head[:, :, 0, 0], offset)


def _before_pooling(table: Sequence[Layer]) -> frozenset[str]:
    return frozenset(layer.name for layer, after in pairwise(table) if after.kind == "pool")


def _tensor(tensors: Mapping[str, Tensor], name: str, shape: tuple[int, ...]) -> Tensor:
    if name not in tensors:
        raise WeightsError(
            f"The weights have no tensor {name!r}: this is not the file of this network."
        )
    tensor = tensors[name]
    if tuple(tensor.shape) != shape:
        raise WeightsError(
            f"The tensor {name!r} has shape {tuple(tensor.shape)} where {shape} is needed: "
            "this is not the file of this network."
        )
    return tensor.float()

"""Through a network's layers and back: one node of autograd's graph, its derivative by hand.

A layer's map is read by the next layer and by its statistics. Autograd would make a map of each
one's derivative, and their sum a third; here the one is added to the other where it lies.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

import torch
from torch import Tensor

from impasto.nets.convolution import Convolution, layout_of
from impasto.nets.padding import Padding, padded, unpadded
from impasto.nets.pooling import Pooling, pool, unpool
from impasto.nets.topology import Layer
from impasto.ops.statistics import (
    Statistics,
    add_statistics_gradient,
    statistics_gradient,
    statistics_of,
)


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
    """What is wanted of which layers, and how to get there.

    Attributes:
        enter: a picture to the first layer's input: the picture less a constant.
        layers: those to go through, in order.
        maps: names of those whose maps are wanted.
        sums: names of those whose statistics are wanted.
        convolution: of a layer.
        pooling: of all.
        padding: of all.
        late: convolutions whose ReLU follows the pooling after them, on fewer positions; ReLU and
            maximum commute.
        part: what the picture is of a larger one; maps and sums are those of its core then.

    """

    enter: Callable[[Tensor], Tensor]
    layers: Sequence[Layer]
    maps: Sequence[str]
    sums: Sequence[str]
    convolution: Callable[[Layer], Convolution]
    pooling: Pooling
    padding: Padding
    late: frozenset[str]
    part: Part | None = None

    def follow(self, image: Tensor) -> tuple[dict[str, Tensor], dict[str, Statistics]]:
        """Maps and statistics of a picture, by layer; differentiable once."""
        if torch.is_grad_enabled() and image.requires_grad:
            found = iter(_Layers.apply(image, self))  # type: ignore[no-untyped-call]
        else:
            found = (each for step in _there(self, image) for each in _wanted(self, step))
        maps, sums = dict[str, Tensor](), dict[str, Statistics]()
        for layer in self.layers:
            if layer.name in self.maps:
                maps[layer.name] = next(found)
            if layer.name in self.sums:
                sums[layer.name] = Statistics(next(found), next(found), next(found))
        return maps, sums


@dataclass
class _Step:
    """A layer on the way there, and what its way back needs.

    Attributes:
        layer: the layer.
        shape: of its input, without padding.
        output: what it has given; forgotten where its way back has no use for it.
        relu: whether the ReLU was the last thing done to it.
        places: of a pooling's maxima.
        convolution: none for a pooling.
        whole: shape of its output, before that was trimmed.

    """

    layer: Layer
    shape: torch.Size
    whole: torch.Size
    output: Tensor
    relu: bool = False
    places: Tensor | None = None
    convolution: Convolution | None = None


class _Layers(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, image: Tensor, route: Route) -> tuple[Tensor | int, ...]:
        ctx.set_materialize_grads(False)
        ctx.route, ctx.dtype, ctx.steps = route, image.dtype, list[_Step]()
        found: list[Tensor | int] = []
        for step in _there(route, image):
            found += _wanted(route, step)
            ctx.steps.append(_remembered(route, step))
        return tuple(found)

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, *derivatives: Tensor | None) -> tuple[Tensor | None, None]:
        if not ctx.steps:
            raise RuntimeError("the way back is gone once only: retain_graph is of no use here")
        given, wanted = iter(derivatives), dict[str, _Derivatives]()
        for layer in ctx.route.layers:
            of_map = next(given) if layer.name in ctx.route.maps else None
            sums = [next(given) for _ in range(3)][1:] if layer.name in ctx.route.sums else []
            wanted[layer.name] = _Derivatives(of_map, *_none_missing(sums))
        gradient = _back(ctx.route, ctx.steps, wanted)
        if gradient is not None:
            gradient = gradient.to(ctx.dtype, memory_format=torch.contiguous_format)
        return gradient, None


@dataclass(frozen=True)
class _Derivatives:
    """With respect to a layer's map, and to the two sums over it; None where there is none."""

    map: Tensor | None
    total: Tensor | None = None
    outer: Tensor | None = None

    @property
    def is_nothing(self) -> bool:
        return self.map is None and self.outer is None


def _none_missing(sums: list[Tensor | None]) -> list[Tensor]:
    """Derivatives with respect to both sums, zero where there is none; nothing without any."""
    given = [each for each in sums if each is not None]
    if not given:
        return []
    total, outer = sums
    channels = given[0].shape[-1]
    return [
        given[0].new_zeros(channels) if total is None else total,
        given[0].new_zeros(channels, channels) if outer is None else outer,
    ]


class Passage:
    """A picture's way through a network's layers, and a derivative's way back, once.

    For whoever knows the derivatives with respect to the sums without asking for the sums.

    Args:
        route: its maps are wanted; its sums are not, but derivatives with respect to them come.
        image: the picture.

    Attributes:
        maps: those of the route, by layer.

    """

    def __init__(self, route: Route, image: Tensor) -> None:
        self.maps: dict[str, Tensor] = {}
        self._route, self._dtype, self._steps = route, image.dtype, list[_Step]()
        with torch.no_grad():
            for step in _there(route, image):
                if step.layer.name in route.maps:
                    self.maps[step.layer.name] = _core(route, step.layer, step.output)
                self._steps.append(_remembered(route, step))

    def back(self, maps: Mapping[str, Tensor], sums: Mapping[str, tuple[Tensor, Tensor]]) -> Tensor:
        """The derivative with respect to the picture, from those with respect to maps and sums.

        Args:
            maps: by layer, of the shape of its map; may be used up.
            sums: by layer, with respect to its total and outer sum.

        """
        nothing = (None, None)
        wanted = {
            layer.name: _Derivatives(maps.get(layer.name), *sums.get(layer.name, nothing))
            for layer in self._route.layers
        }
        with torch.no_grad():
            gradient = _back(self._route, self._steps, wanted)
        assert gradient is not None, "nothing is wanted of any layer"
        return gradient.to(self._dtype, memory_format=torch.contiguous_format)


def _there(route: Route, image: Tensor) -> Iterator[_Step]:
    x, is_late = route.enter(image), False
    for layer in route.layers:
        if layer.kind == "conv":
            step = _convolved(route, layer, x)
        else:
            step = _pooled(route, layer, x, is_late=is_late)
        x, is_late = step.output, layer.name in route.late
        yield step


def _convolved(route: Route, layer: Layer, x: Tensor) -> _Step:
    relu = layer.name not in route.late
    convolution = route.convolution(layer)
    y = convolution(padded(x, route.padding), padding=_zeros(route), relu=relu)
    return _Step(layer, x.shape, y.shape, y, relu, convolution=convolution)


def _pooled(route: Route, layer: Layer, x: Tensor, *, is_late: bool) -> _Step:
    y, places = pool(x, route.pooling)
    whole = y.shape
    if route.part:
        y = y[(..., *route.part.trim(layer))].contiguous(memory_format=layout_of(y))
    return _Step(layer, x.shape, whole, y.relu_() if is_late else y, is_late, places)


def _wanted(route: Route, step: _Step) -> list[Tensor | int]:
    core = _core(route, step.layer, step.output)
    found: list[Tensor | int] = [core] if step.layer.name in route.maps else []
    if step.layer.name in route.sums:
        sums = statistics_of(core)
        found += [sums.count, sums.total, sums.outer]
    return found


def _remembered(route: Route, step: _Step) -> _Step:
    """A step without what its way back has no use for."""
    is_used = step.relu or step.layer.name in route.sums
    # Not the output itself: the node and its output would keep each other alive.
    step.output = step.output.detach() if is_used else step.output.new_empty(0)
    return step


def _back(route: Route, steps: list[_Step], wanted: dict[str, _Derivatives]) -> Tensor | None:
    """The derivative with respect to the first layer's input; uses up the steps."""
    gradient: Tensor | None = None
    while steps:
        step = steps.pop()
        gradient = _joined(route, step, gradient, wanted[step.layer.name])
        if gradient is None:
            continue
        if step.relu:
            gradient = torch.ops.aten.threshold_backward(gradient, step.output, 0)
        if step.convolution is None:
            gradient = _unpooled(route, step, gradient)
        else:
            offset = _taken_below(route, steps, wanted)
            gradient = step.convolution.back(gradient, padding=_zeros(route), offset=offset)
            gradient = unpadded(gradient, route.padding)
    return gradient


def _taken_below(
    route: Route, steps: list[_Step], wanted: dict[str, _Derivatives]
) -> Tensor | None:
    """What the layer below wants added at every position, which a convolution does for nothing."""
    if not steps or route.padding != "zeros" or route.part:
        return None
    below = wanted[steps[-1].layer.name]
    wanted[steps[-1].layer.name] = replace(below, total=None)
    return None if below.total is None else below.total.to(steps[-1].output.dtype)


def _joined(
    route: Route, step: _Step, gradient: Tensor | None, wanted: _Derivatives
) -> Tensor | None:
    """What comes from the layers above, if anything, and what is wanted of this one, together."""
    if route.part and not wanted.is_nothing:
        gradient = torch.zeros_like(step.output) if gradient is None else gradient
        here, features = (_core(route, step.layer, x) for x in (gradient, step.output))
        _joined_whole(here, features, wanted)  # added to where it lies in the gradient
        return gradient
    return _joined_whole(gradient, step.output, wanted)


def _joined_whole(gradient: Tensor | None, output: Tensor, wanted: _Derivatives) -> Tensor | None:
    if wanted.outer is not None:
        if gradient is not None:
            add_statistics_gradient(gradient, output, wanted.total, wanted.outer)
        elif wanted.total is not None:
            gradient = statistics_gradient(output, wanted.total, wanted.outer)
    if wanted.map is None:
        return gradient
    return wanted.map if gradient is None else gradient.add_(wanted.map)


def _unpooled(route: Route, step: _Step, gradient: Tensor) -> Tensor:
    if route.part:
        layout = layout_of(gradient)
        whole = gradient.new_zeros(step.whole).contiguous(memory_format=layout)
        whole[(..., *route.part.trim(step.layer))] = gradient
        gradient = whole
    return unpool(gradient, step.places, step.shape)


def _core(route: Route, layer: Layer, features: Tensor) -> Tensor:
    """The positions of a map that count, as a view."""
    return features[(..., *route.part.core(layer))] if route.part else features


def _zeros(route: Route) -> int:
    """Rows of zeros that a convolution is to put around its input."""
    return 1 if route.padding == "zeros" else 0

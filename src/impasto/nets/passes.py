"""Forward and backward pass of a network as one node of autograd's graph.

They are those of :mod:`impasto.nets.fused` where our own kernels serve, and else of
:mod:`impasto.nets.layerwise`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import torch
from torch import Tensor

from impasto.nets import fused, layerwise
from impasto.nets.route import Derivatives, Route, Step
from impasto.ops.statistics import Statistics, statistics_of


def follow(route: Route, image: Tensor) -> tuple[dict[str, Tensor], dict[str, Statistics]]:
    """Maps and statistics of a picture, by layer; differentiable once."""
    if torch.is_grad_enabled() and image.requires_grad:
        outputs = iter(_Layers.apply(image, route))  # type: ignore[no-untyped-call]
    else:
        outputs = (each for step in _forward(route, image) for each in _requested(route, step))
    maps, sums = dict[str, Tensor](), dict[str, Statistics]()
    for layer in route.layers:
        if layer.name in route.maps:
            maps[layer.name] = next(outputs)
        if layer.name in route.sums:
            sums[layer.name] = Statistics(next(outputs), next(outputs), next(outputs))
    return maps, sums


class _Layers(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, image: Tensor, route: Route) -> tuple[Tensor | float, ...]:
        ctx.set_materialize_grads(False)
        ctx.route, ctx.image, ctx.steps = route, image.detach(), list[Step]()
        outputs: list[Tensor | float] = []
        for step in _forward(route, image):
            outputs += _requested(route, step)
            ctx.steps.append(_remembered(route, step))
        return tuple(outputs)

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, *derivatives: Tensor | None) -> tuple[Tensor | None, None]:
        if not ctx.steps:
            raise RuntimeError(
                "the backward pass is gone once only: retain_graph is of no use here"
            )
        given, upstream = iter(derivatives), dict[str, Derivatives]()
        for layer in ctx.route.layers:
            of_map = next(given) if layer.name in ctx.route.maps else None
            sums = [next(given) for _ in range(3)][1:] if layer.name in ctx.route.sums else []
            upstream[layer.name] = Derivatives(of_map, *_none_missing(sums))
        return _backward(ctx.route, ctx.image, ctx.steps, upstream), None


def _none_missing(sums: list[Tensor | None]) -> list[Tensor]:
    """Derivatives with respect to both sums, zero where there is none; nothing without any."""
    given = [each for each in sums if each is not None]
    if not given:
        return []
    total, second_moments = sums
    channels = given[0].shape[-1]
    return [
        given[0].new_zeros(channels) if total is None else total,
        given[0].new_zeros(channels, channels) if second_moments is None else second_moments,
    ]


class Passage:
    """One forward pass of a picture through a network's layers, and one backward pass.

    For a caller who knows the derivatives with respect to the sums beforehand.

    Args:
        route: its maps are wanted; its sums are not, but derivatives with respect to them come.
        image: the picture.

    Attributes:
        maps: those of the route, by layer.

    """

    def __init__(self, route: Route, image: Tensor) -> None:
        self.maps: dict[str, Tensor] = {}
        self._route, self._image, self._steps = route, image, list[Step]()
        with torch.no_grad():
            for step in _forward(route, image):
                if step.layer.name in route.maps:
                    self.maps[step.layer.name] = route.core(step.layer, step.output)
                self._steps.append(_remembered(route, step))

    def backward(
        self, maps: Mapping[str, Tensor], sums: Mapping[str, tuple[Tensor, Tensor]]
    ) -> Tensor:
        """The derivative with respect to the picture, from those with respect to maps and sums.

        Args:
            maps: by layer, of the shape of its map; may be used up.
            sums: by layer, with respect to its total and second moments.

        """
        nothing = (None, None)
        upstream = {
            layer.name: Derivatives(maps.get(layer.name), *sums.get(layer.name, nothing))
            for layer in self._route.layers
        }
        with torch.no_grad():
            gradient = _backward(self._route, self._image, self._steps, upstream)
        assert gradient is not None, "nothing is requested of any layer"
        return gradient


def _forward(route: Route, image: Tensor) -> Iterator[Step]:
    """Each layer in turn, just computed."""
    return (fused.forward if fused.serves(route, image) else layerwise.forward)(route, image)


def _backward(
    route: Route, image: Tensor, steps: list[Step], upstream: dict[str, Derivatives]
) -> Tensor | None:
    """The derivative with respect to a picture like this one; uses up the steps."""
    backward = fused.backward if fused.serves(route, image) else layerwise.backward
    gradient = backward(route, steps, upstream)
    if gradient is not None:
        gradient = gradient.to(image.dtype, memory_format=torch.contiguous_format)
    return gradient


def _requested(route: Route, step: Step) -> list[Tensor | float]:
    core = route.core(step.layer, step.output)
    outputs: list[Tensor | float] = [core] if step.layer.name in route.maps else []
    if step.layer.name in route.sums:
        sums = statistics_of(core)
        outputs += [sums.count, sums.total, sums.second_moments]
    return outputs


def _remembered(route: Route, step: Step) -> Step:
    """A step without what its backward pass does not need."""
    is_used = step.relu or step.layer.name in route.sums
    # Not the output itself: the node and its output would keep each other alive.
    step.output = step.output.detach() if is_used else step.output.new_empty(0)
    return step

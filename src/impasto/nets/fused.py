"""Forward and backward through a network in few passes over its maps, by our own kernels.

In the forward pass a convolution, its ReLU and the pooling after it are one call; the map between
is never whole in memory. In the backward pass one call spreads a pooling's gradient, convolves it,
adds the derivative of the style loss at the layer below and passes that layer's ReLU.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import torch
from torch import Tensor

from impasto import native
from impasto.native import Box, Joined, Picture, Pooled
from impasto.nets.layerwise import pooled, unpooled
from impasto.nets.route import Derivatives, Route, Step
from impasto.nets.topology import CELL, Layer


def serves(route: Route, image: Tensor) -> bool:
    """Whether the kernels can compute this route."""
    is_picture = image.dim() == 4 and image.shape[:2] == (1, 3) and image.dtype == torch.float32
    is_large = is_picture and min(image.shape[2:]) >= CELL
    is_here = image.device.type == route.like.device.type == "cpu" and native.are_available()
    if not (is_large and is_here and route.layers):
        return False
    is_known = route.like.dtype == torch.bfloat16 and route.padding in ("zeros", "circular")
    is_no_pooling = all(each.kind == "conv" for each in route.layers if each.name in route.maps)
    return is_known and is_no_pooling and suits(route.layers)


def suits(layers: Sequence[Layer]) -> bool:
    """Whether the kernels know layers of these widths."""
    return all(each.out_channels == 16 or each.out_channels % 32 == 0 for each in layers)


def forward(route: Route, image: Tensor) -> Iterator[Step]:
    """Each layer in turn, just computed; a pooling along with its convolution where it can be."""
    source: Tensor | Picture = Picture(image.contiguous(), route.mean)
    shape = image.shape
    layers = list(route.layers)
    while layers:
        layer = layers.pop(0)
        if layer.kind == "pool":
            assert isinstance(source, Tensor)
            step = pooled(route, layer, source, is_late=False)
        elif layers and layers[0].kind == "pool" and not route.requests(layer):
            step = _convolved_and_pooled(route, layer, layers.pop(0), source, shape)
        else:
            step = _convolved(route, layer, source, shape)
        source, shape = step.output, step.output.shape
        yield step


def _convolved(route: Route, layer: Layer, x: Tensor | Picture, shape: torch.Size) -> Step:
    convolution = route.convolution(layer)
    y = native.convolve(
        x, convolution.tiles, wraps=_wraps(route), bias=convolution.bias, then="relu"
    )
    return Step(layer, shape, y.shape, y, relu=True, convolution=convolution)


def _convolved_and_pooled(
    route: Route, layer: Layer, pooling: Layer, x: Tensor | Picture, shape: torch.Size
) -> Step:
    convolution, halved = route.convolution(layer), (shape[-2] // 2, shape[-1] // 2)
    kept = Box.of(*route.part.trim(pooling), halved) if route.part else Box.whole(halved)
    pooled = native.convolve_and_pool(
        x,
        convolution.tiles,
        convolution.bias,
        wraps=_wraps(route),
        kind=route.pooling,
        kept=kept,
    )
    whole = torch.Size((1, layer.out_channels, *shape[-2:]))
    return Step(layer, shape, whole, pooled.values, convolution=convolution, pooled=pooled)


def backward(route: Route, steps: list[Step], upstream: dict[str, Derivatives]) -> Tensor | None:
    """The derivative with respect to the picture; uses up the steps."""
    gradient: Tensor | None = None  # with respect to a convolution's sums, or to a pooling
    while steps:
        step = steps.pop()
        if step.convolution is not None:
            gradient = _through(route, step, gradient, steps, upstream)
        elif gradient is not None:  # a pooling of a map that is requested, too
            below, spread = steps[-1], unpooled(route, step, gradient)
            joined = _joined(route, below, upstream[below.layer.name], spread)
            gradient = native.join(_sizes(below), joined)
    return gradient


def _through(
    route: Route,
    step: Step,
    gradient: Tensor | None,
    below: list[Step],
    upstream: dict[str, Derivatives],
) -> Tensor | None:
    """The backward pass of a convolution, joined with the derivatives of the layer below."""
    assert step.convolution is not None
    if gradient is None:
        if upstream[step.layer.name].is_nothing:
            return None
        gradient = native.join(_sizes(step), _joined(route, step, upstream[step.layer.name]))
    source: Tensor | Pooled = gradient
    weights = step.convolution.tiles_back
    if step.pooled is not None:
        source = Pooled(gradient, step.pooled.places, step.pooled.shape, step.pooled.box)
        weights = step.convolution.tiles_back_from_mean if route.pooling == "avg" else weights
    if not below:
        return native.convolve_to_picture(source, weights, wraps=_wraps(route))
    joined = None
    if below[-1].convolution is not None and below[-1].pooled is None:
        joined = _joined(route, below[-1], upstream[below[-1].layer.name])
    return native.convolve(source, weights, wraps=_wraps(route), joined=joined)


def _joined(
    route: Route, step: Step, upstream: Derivatives, gradient: Tensor | None = None
) -> Joined:
    """The derivatives of a layer, and the gradient from the layers above."""
    height, width = step.output.shape[-2:]
    core = Box.whole((height, width))
    if route.part:
        core = Box.of(*route.part.core(step.layer), (height, width))
    if upstream.map is not None and gradient is None and not route.part:
        gradient = upstream.map.to(step.output.dtype)
        gradient = gradient.contiguous(memory_format=torch.channels_last)  # .to() keeps a slice
    elif upstream.map is not None:
        gradient = torch.zeros_like(step.output) if gradient is None else gradient
        route.core(step.layer, gradient).add_(upstream.map)
    total, second_moments = (
        None if each is None else each.float().contiguous()
        for each in (upstream.total, upstream.second_moments)
    )
    return Joined(step.output, total, second_moments, gradient, core)


def _sizes(step: Step) -> tuple[int, int, int]:
    channels, height, width = step.output.shape[1:]
    return channels, height, width


def _wraps(route: Route) -> bool:
    return route.padding == "circular"

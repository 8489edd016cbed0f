"""Forward and backward pass, layer by layer, by torch's operations, on any device.

A layer's map is read by the next layer and by its statistics. Autograd would make a map of each
one's derivative, and their sum a third; here the one is added to the other where it lies.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import torch
from torch import Tensor

from impasto.nets.convolution import layout_of
from impasto.nets.padding import padded, unpadded
from impasto.nets.pooling import pool, unpool
from impasto.nets.route import Derivatives, Route, Step
from impasto.nets.topology import Layer
from impasto.ops.statistics import add_statistics_gradient, statistics_gradient


def forward(route: Route, image: Tensor) -> Iterator[Step]:
    """Each layer in turn, just computed."""
    x, is_late = _entered(route, image), False
    for layer in route.layers:
        if layer.kind == "conv":
            step = _convolved(route, layer, x)
        else:
            step = pooled(route, layer, x, is_late=is_late)
        x, is_late = step.output, layer.name in route.late
        yield step


def _entered(route: Route, image: Tensor) -> Tensor:
    """The picture less the mean, in the type and layout of the weights."""
    mean = image.new_tensor(route.mean).view(1, 3, 1, 1)
    return (image - mean).to(route.like.dtype, memory_format=layout_of(route.like))


def _convolved(route: Route, layer: Layer, x: Tensor) -> Step:
    relu = layer.name not in route.late
    convolution = route.convolution(layer)
    y = convolution(padded(x, route.padding), padding=_zeros(route), relu=relu)
    return Step(layer, x.shape, y.shape, y, relu, convolution=convolution)


def pooled(route: Route, layer: Layer, x: Tensor, *, is_late: bool) -> Step:
    """A pooling of x; after it the ReLU, if that is late."""
    y, places = pool(x, route.pooling)
    whole = y.shape
    if route.part:
        y = y[(..., *route.part.trim(layer))].contiguous(memory_format=layout_of(y))
    return Step(layer, x.shape, whole, y.relu_() if is_late else y, is_late, places)


def backward(route: Route, steps: list[Step], upstream: dict[str, Derivatives]) -> Tensor | None:
    """The derivative with respect to the first layer's input; uses up the steps."""
    gradient: Tensor | None = None
    while steps:
        step = steps.pop()
        gradient = _joined(route, step, gradient, upstream[step.layer.name])
        if gradient is None:
            continue
        if step.relu:
            gradient = torch.ops.aten.threshold_backward(gradient, step.output, 0)
        if step.convolution is None:
            gradient = unpooled(route, step, gradient)
        else:
            offset = _taken_below(route, steps, upstream)
            gradient = step.convolution.backward(gradient, padding=_zeros(route), offset=offset)
            gradient = unpadded(gradient, route.padding)
    return gradient


def _taken_below(
    route: Route, steps: list[Step], upstream: dict[str, Derivatives]
) -> Tensor | None:
    """What is added at every position of the layer below: a convolution's bias, at no cost."""
    if not steps or route.padding != "zeros" or route.part:
        return None
    below = upstream[steps[-1].layer.name]
    upstream[steps[-1].layer.name] = replace(below, total=None)
    return None if below.total is None else below.total.to(steps[-1].output.dtype)


def _joined(
    route: Route, step: Step, gradient: Tensor | None, upstream: Derivatives
) -> Tensor | None:
    """The gradient from the layers above, if any, and what is requested of this one, together."""
    if route.part and not upstream.is_nothing:
        gradient = torch.zeros_like(step.output) if gradient is None else gradient
        here, features = (route.core(step.layer, x) for x in (gradient, step.output))
        _joined_whole(here, features, upstream)  # added to where it lies in the gradient
        return gradient
    return _joined_whole(gradient, step.output, upstream)


def _joined_whole(gradient: Tensor | None, output: Tensor, upstream: Derivatives) -> Tensor | None:
    if upstream.second_moments is not None:
        if gradient is not None:
            add_statistics_gradient(gradient, output, upstream.total, upstream.second_moments)
        elif upstream.total is not None:
            gradient = statistics_gradient(output, upstream.total, upstream.second_moments)
    if upstream.map is None:
        return gradient
    return upstream.map if gradient is None else gradient.add_(upstream.map)


def unpooled(route: Route, step: Step, gradient: Tensor) -> Tensor:
    """The backward pass of :func:`pooled`, but for the ReLU."""
    if route.part:
        layout = layout_of(gradient)
        whole = gradient.new_zeros(step.whole).contiguous(memory_format=layout)
        whole[(..., *route.part.trim(step.layer))] = gradient
        gradient = whole
    return unpool(gradient, step.places, step.shape)


def _zeros(route: Route) -> int:
    """Rows of zeros that a convolution is to put around its input."""
    return 1 if route.padding == "zeros" else 0

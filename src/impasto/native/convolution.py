"""A 3 x 3 convolution with what comes before and after it, in one pass over its maps.

Maps are of bfloat16, ``(1, C, H, W)`` with channels last, C 16 or a multiple of 32.
"""

from __future__ import annotations

import ctypes
from dataclasses import dataclass
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor

from impasto.native.library import kernels

_TILE, _DEPTH = 16, 32  # of the matrix unit: rows; values of bfloat16 in a row
_THEN = {"nothing": 0, "relu": 1}
_RELU_BACK = 2
_MAP, _PICTURE, _POOLED = range(3)
_POOLINGS = {"max": 0, "avg": 1}


@dataclass(frozen=True)
class Box:
    """Rows and columns of a map; the later bounds are not in it."""

    top: int
    bottom: int
    left: int
    right: int

    @classmethod
    def of(cls, rows: slice, columns: slice, shape: tuple[int, int]) -> Box:
        """What two slices take of a map of this height and width."""
        (top, bottom, _), (left, right, _) = rows.indices(shape[0]), columns.indices(shape[1])
        return cls(top, bottom, left, right)

    @classmethod
    def whole(cls, shape: tuple[int, int]) -> Box:
        """All of a map of this height and width."""
        return cls(0, shape[0], 0, shape[1])


class Packed:
    """Weights as tiles of the matrix unit.

    Args:
        weight: OIHW, 3 x 3. Three inputs are a picture's; three outputs a picture's gradient.

    """

    def __init__(self, weight: Tensor) -> None:
        outputs, inputs = weight.shape[:2]
        self.inputs = 4 if inputs == 3 else inputs
        self.outputs = -(-outputs // _TILE) * _TILE
        more = (0, self.inputs - inputs, 0, 0, 0, 0, 0, self.outputs - outputs)
        lines = F.pad(weight.permute(0, 2, 3, 1).float(), more).flatten(2)
        lines = F.pad(lines, (0, -lines.shape[2] % _DEPTH))
        parts = lines.view(-1, _TILE, 3, lines.shape[2] // _DEPTH, _DEPTH // 2, 2)
        self.tiles = parts.permute(0, 2, 3, 4, 1, 5).bfloat16().contiguous()


@dataclass(frozen=True)
class Picture:
    """A picture ``(1, 3, H, W)``, float32 and contiguous, and what its channels are centred by."""

    image: Tensor
    mean: tuple[float, float, float]


@dataclass(frozen=True)
class Pooled:
    """A pooling's output, or a gradient with respect to that, and where it came from.

    Attributes:
        values: ``(1, C, h, w)``.
        places: of the same shape, a byte each: bit 2 r + c is set where the value in row r and
            column c of the four takes the gradient. The ReLU before the pooling is counted in. Of
            a mean each takes a fourth, and the weights in the backward pass have to hold that.
        shape: height and width of what was pooled.
        box: which positions of the pooling these are.

    """

    values: Tensor
    places: Tensor
    shape: tuple[int, int]
    box: Box


@dataclass(frozen=True)
class Joined:
    """What is added to a gradient with respect to a map, before the ReLU that gave the map.

    Attributes:
        features: the map f, after its ReLU; None without ReLU and derivatives.
        total: derivative with respect to sum f, ``(N,)`` float32, or None.
        second_moments: derivative with respect to sum f f^T, ``(N, N)`` float32, or None.
        added: a gradient with respect to f, or None.
        core: where the two sums were taken.

    """

    features: Tensor | None
    total: Tensor | None
    second_moments: Tensor | None
    added: Tensor | None
    core: Box


class _Box(ctypes.Structure):
    _fields_ = [(side, ctypes.c_int32) for side in ("top", "bottom", "left", "right")]


class _Convolution(ctypes.Structure):
    _fields_ = [
        *(
            (name, ctypes.c_void_p)
            for name in (
                "source_values",
                "source_places",
                "out",
                "out_places",
                "weights",
                "bias",
                "features",
                "second_moments",
                "added",
            )
        ),
        ("mean", ctypes.c_float * 3),
        *(
            (name, ctypes.c_int32)
            for name in (
                "source",
                "target",
                "then",
                "pooling",
                "padding",
                "wraps",
                "threads",
                "height",
                "width",
                "channels",
                "out_height",
                "out_width",
                "outputs",
            )
        ),
        ("core", _Box),
        ("given", _Box),
        ("kept", _Box),
    ]


Source = Tensor | Picture | Pooled


def convolve(
    source: Source,
    weights: Packed,
    *,
    wraps: bool,
    bias: Tensor | None = None,
    then: Literal["nothing", "relu"] = "nothing",
    joined: Joined | None = None,
) -> Tensor:
    """A map from a map, a picture, or a pooled gradient.

    Args:
        source: what is convolved.
        weights: of the convolution.
        wraps: whether the map goes on at its other edge, or ends in zeros.
        bias: ``(N,)`` float32.
        then: what is done to the sums.
        joined: in place of the two above, in the backward pass.

    """
    call = _call(source, weights, wraps)
    out = _map(call.outputs, call.out_height, call.out_width)
    call.target, call.then, call.bias = _MAP, _THEN[then], _pointer(bias)
    if joined is not None:
        _join(call, joined)
    _run(call, out)
    return out


def convolve_and_pool(
    source: Source,
    weights: Packed,
    bias: Tensor,
    *,
    wraps: bool,
    kind: Literal["max", "avg"],
    kept: Box,
) -> Pooled:
    """A convolution, its ReLU, and the pooling of that; the map itself is never whole.

    Args:
        source: what is convolved.
        weights: of the convolution.
        bias: ``(N,)`` float32.
        wraps: whether the map goes on at its other edge, or ends in zeros.
        kind: of the pooling.
        kept: the positions of the pooling that are wanted.

    """
    call = _call(source, weights, wraps)
    height, width = kept.bottom - kept.top, kept.right - kept.left
    out = _map(call.outputs, height, width)
    places = torch.empty_like(out, dtype=torch.uint8)
    call.target, call.then, call.pooling = _POOLED, _THEN["relu"], _POOLINGS[kind]
    call.bias, call.out_places, call.kept = bias.data_ptr(), places.data_ptr(), _box(kept)
    _run(call, out)
    return Pooled(out, places, (call.out_height, call.out_width), kept)


def convolve_to_picture(source: Tensor | Pooled, weights: Packed, *, wraps: bool) -> Tensor:
    """A gradient with respect to a picture, ``(1, 3, H, W)`` float32."""
    call = _call(source, weights, wraps)
    out = torch.empty(1, 3, call.out_height, call.out_width)
    call.target = _PICTURE
    _run(call, out)
    return out


def join(shape: tuple[int, int, int], joined: Joined) -> Tensor:
    """What :func:`convolve` makes of nothing: a map ``(1, *shape)`` of what is joined alone."""
    call = _Convolution(threads=torch.get_num_threads())
    call.outputs, call.out_height, call.out_width = shape
    call.core = _box(Box.whole(shape[1:]))
    out = _map(*shape)
    _join(call, joined)
    _run(call, out)
    return out


def _call(source: Source, weights: Packed, wraps: bool) -> _Convolution:
    call = _Convolution(
        weights=weights.tiles.data_ptr(),
        outputs=weights.outputs,
        channels=weights.inputs,
        padding=1,
        wraps=wraps,
        threads=torch.get_num_threads(),
    )
    if isinstance(source, Picture):
        call.source, shape = _PICTURE, source.image.shape[2:]
        call.source_values, call.mean = source.image.data_ptr(), (ctypes.c_float * 3)(*source.mean)
    elif isinstance(source, Pooled):
        call.source, shape = _POOLED, torch.Size(source.shape)
        call.source_values, call.source_places = _pointer(source.values), _pointer(source.places)
        call.given = _box(source.box)
    else:
        call.source, call.source_values, shape = _MAP, source.data_ptr(), source.shape[2:]
    call.height, call.width = call.out_height, call.out_width = shape
    call.core = _box(Box.whole((shape[0], shape[1])))
    return call


def _join(call: _Convolution, joined: Joined) -> None:
    call.then = _THEN["nothing"] if joined.features is None else _RELU_BACK
    call.features, call.second_moments = _pointer(joined.features), _pointer(joined.second_moments)
    call.bias, call.added = _pointer(joined.total), _pointer(joined.added)
    call.core = _box(joined.core)


def _run(call: _Convolution, out: Tensor) -> None:
    call.out = out.data_ptr()
    if out.numel():
        kernels().impasto_convolve(ctypes.byref(call))


def _map(channels: int, height: int, width: int) -> Tensor:
    return torch.empty(1, height, width, channels, dtype=torch.bfloat16).permute(0, 3, 1, 2)


def _box(box: Box) -> _Box:
    return _Box(box.top, box.bottom, box.left, box.right)


def _pointer(tensor: Tensor | None) -> int | None:
    return None if tensor is None else tensor.data_ptr()

"""The student ``compact``: VGG-19's topology to ``conv5_1`` with a sixteenth of its arithmetic.

It has a quarter of VGG-19's channels; ``conv5_1``, which needs only a hundredth of the
arithmetic, has three eighths, since its head has 512 output channels.

During training every convolution is followed by a batch norm; `Student.folded` folds it in
exactly, `Student.from_folded` inserts it without changing the function.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import cast

import torch
import torch.nn.functional as F
from safetensors import safe_open
from safetensors.torch import save
from torch import Tensor, nn

from .teachers import LAYERS, POOLS, Features, depth

WIDTHS = {1: 16, 2: 32, 3: 64, 4: 128, 5: 192}
MEAN, STD = 0.45, 0.226
TRUE = "normalised VGG-19, each filter divided by its mean activation over photographs"
HEADS = {
    "conv1_1": (64, TRUE),
    "conv1_2": (64, TRUE),
    "conv2_1": (128, TRUE),
    "conv2_2": (128, TRUE),
    "conv3_1": (256, TRUE),
    "conv3_2": (256, TRUE),
    "conv4_1": (512, "normalised VGG-19 as the 16x network's head gives it, after the ReLU"),
    "conv4_2": (128, "the 16x network's own map"),
    "conv5_1": (512, "normalised VGG-19 as the 16x network's head gives it, after the ReLU"),
}
"""Layer -> (channels of its head, the head's target)."""

FORMAT = "impasto-network-1"
CONVS = tuple(name for name in LAYERS if name.startswith("conv"))


class Student(nn.Module):
    """``conv1_1 … conv5_1`` with batch norm, and a linear 1x1 head at every layer of ``heads``."""

    def __init__(self, heads: Iterable[str] = HEADS):
        super().__init__()
        self.convs, self.norms, self.heads = nn.ModuleDict(), nn.ModuleDict(), nn.ModuleDict()
        before = 3
        for name in CONVS:
            width = WIDTHS[int(name[4])]
            self.convs[name] = nn.Conv2d(before, width, 3, padding=1, bias=False)
            self.norms[name] = nn.BatchNorm2d(width, momentum=0.02)
            before = width
        for name in heads:
            self.heads[name] = nn.Conv2d(WIDTHS[int(name[4])], HEADS[name][0], 1)

    def forward(self, image: Tensor, layers: Iterable[str]) -> Features:
        """The student's own maps ``{layer: (B, C, H', W')}`` of pictures in [0, 1]."""
        requested = set(layers)
        features: Features = {}
        x = (image - MEAN) / STD
        for name in LAYERS[: depth(requested)]:
            if name.startswith("pool"):
                x = F.max_pool2d(x, 2)
                continue
            x = F.relu(self.normed(name, x), inplace=True)
            if name in requested:
                features[name] = x
        return features

    def normed(self, name: str, x: Tensor) -> Tensor:
        """The pre-activation of layer ``name``; a frozen norm is folded in."""
        conv, norm = cast(nn.Conv2d, self.convs[name]), cast(nn.BatchNorm2d, self.norms[name])
        if norm.training:
            return cast(Tensor, norm(conv(x)))
        assert norm.running_mean is not None and norm.running_var is not None
        scale = norm.weight / (norm.running_var + norm.eps).sqrt()
        bias = norm.bias - norm.running_mean * scale
        return F.conv2d(x, conv.weight * scale.view(-1, 1, 1, 1), bias, padding=1)

    def head(self, name: str, rows: Tensor) -> Tensor:
        """The head of layer ``name`` applied to ``rows`` ``(..., C)`` of its map."""
        head = cast(nn.Conv2d, self.heads[name])
        return F.linear(rows, head.weight[:, :, 0, 0], head.bias)

    @torch.no_grad()
    def folded(self) -> dict[str, Tensor]:
        """Plain tensors ``convN_M.weight/.bias`` and ``convN_M_head.weight/.bias``, float32."""
        out: dict[str, Tensor] = {}
        for name in CONVS:
            conv, norm = cast(nn.Conv2d, self.convs[name]), cast(nn.BatchNorm2d, self.norms[name])
            assert norm.running_mean is not None and norm.running_var is not None
            scale = norm.weight.double() / (norm.running_var.double() + norm.eps).sqrt()
            out[f"{name}.weight"] = (conv.weight.double() * scale.view(-1, 1, 1, 1)).float()
            out[f"{name}.bias"] = (norm.bias - norm.running_mean.double() * scale).float()
        for name, module in self.heads.items():
            head = cast(nn.Conv2d, module)
            assert head.bias is not None
            out[f"{name}_head.weight"] = head.weight.detach().float().clone()
            out[f"{name}_head.bias"] = head.bias.detach().float().clone()
        return {key: value.contiguous() for key, value in sorted(out.items())}

    @classmethod
    @torch.no_grad()
    def from_folded(
        cls, weights: Mapping[str, Tensor], pictures: Tensor, heads: Iterable[str] = HEADS
    ) -> Student:
        """A student that computes the same function as the folded ``weights``.

        Filters are scaled to unit norm; running mean and variance are measured on ``pictures``
        ``(B, 3, H, W)``; gamma and beta reverse both. Heads without a tensor stay random.
        """
        student = cls(heads)
        plain = Plain(weights)
        x = (pictures - MEAN) / STD
        for name in LAYERS:
            if name.startswith("pool"):
                x = F.max_pool2d(x, 2)
                continue
            weight, bias = plain.get_buffer(f"{name}_weight"), plain.get_buffer(f"{name}_bias")
            size = weight.flatten(1).norm(dim=1).clamp(min=1e-8)
            y = F.conv2d(x, weight, padding=1)
            var, mean = torch.var_mean(y, (0, 2, 3))
            norm = cast(nn.BatchNorm2d, student.norms[name])
            assert norm.running_mean is not None and norm.running_var is not None
            cast(nn.Conv2d, student.convs[name]).weight.copy_(weight / size.view(-1, 1, 1, 1))
            norm.running_mean.copy_(mean / size)
            norm.running_var.copy_(var / size**2)
            norm.weight.copy_(size * (norm.running_var + norm.eps).sqrt())
            norm.bias.copy_(bias + mean)
            x = F.relu(y + bias.view(1, -1, 1, 1))
        for name, module in student.heads.items():
            head = cast(nn.Conv2d, module)
            if f"{name}_head.weight" in weights:
                assert head.bias is not None
                head.weight.copy_(weights[f"{name}_head.weight"])
                head.bias.copy_(weights[f"{name}_head.bias"])
        return student


@torch.no_grad()
def widened(weights: Mapping[str, Tensor], *, seed: int = 0) -> dict[str, Tensor]:
    """The folded ``weights`` widened to `WIDTHS`, with the same function.

    A new filter is random, with its layer's norm; the weights that read it are zero.
    """
    gen = torch.Generator().manual_seed(seed)
    out = dict(weights)
    for name, after in zip(CONVS, (*CONVS[1:], None), strict=True):
        more = WIDTHS[int(name[4])] - len(weights[f"{name}.weight"])
        if more <= 0:
            continue
        weight = out[f"{name}.weight"]
        new = torch.randn(more, *weight.shape[1:], generator=gen)
        size = weight.flatten(1).norm(dim=1).mean() / new.flatten(1).norm(dim=1)
        out[f"{name}.weight"] = torch.cat([weight, new * size.view(-1, 1, 1, 1)])
        out[f"{name}.bias"] = F.pad(out[f"{name}.bias"], (0, more))
        for reader in (f"{name}_head.weight", f"{after}.weight"):
            if reader in out:
                out[reader] = F.pad(out[reader], (0, 0, 0, 0, 0, more))
    return out


class Plain(nn.Module):
    """The folded network as impasto runs it: convolution, ReLU, 2x2 pooling, heads."""

    def __init__(self, weights: Mapping[str, Tensor], *, pooling: str = "max"):
        super().__init__()
        self.pool = POOLS[pooling]
        for name, value in weights.items():
            self.register_buffer(name.replace(".", "_"), value.float())

    def forward(self, image: Tensor, layers: Iterable[str], *, heads: bool = False) -> Features:
        """Maps of ``layers``, through their linear heads if ``heads``."""
        requested = set(layers)
        features: Features = {}
        x = (image - MEAN) / STD
        for name in LAYERS[: depth(requested)]:
            if name.startswith("pool"):
                x = self.pool(x, 2)
                continue
            x = F.relu(F.conv2d(x, *self.tensors(name, x), padding=1))
            if name in requested:
                features[name] = F.conv2d(x, *self.tensors(f"{name}_head", x)) if heads else x
        return features

    def tensors(self, name: str, like: Tensor) -> tuple[Tensor, Tensor]:
        """Weight and bias called ``name`` in the precision of ``like``."""
        weight, bias = self.get_buffer(f"{name}_weight"), self.get_buffer(f"{name}_bias")
        return weight.to(like.dtype), bias.to(like.dtype)


def read(path: Path) -> tuple[dict[str, Tensor], dict[str, str]]:
    """Tensors (float32) and metadata of a file."""
    with safe_open(path, "pt") as file:
        return {
            key: file.get_tensor(key).float() for key in list(file.keys())
        }, file.metadata() or {}


def export(path: Path, weights: Mapping[str, Tensor], training: Mapping[str, object]) -> int:
    """Write the folded ``weights`` in float16, with metadata; return the number of bytes."""
    layers = [key.removesuffix("_head.weight") for key in weights if key.endswith("_head.weight")]
    convention = {"channels": "RGB", "range": 1.0, "mean": [MEAN] * 3, "std": [STD] * 3}
    metadata = {
        "format": FORMAT,
        "heads": json.dumps({name: HEADS[name][1] for name in layers}, sort_keys=True),
        "input": json.dumps(convention, separators=(",", ":")),
        "licence": "CC BY 4.0",
        "name": "compact",
        "pooling": "max",
        "training": json.dumps(dict(training), sort_keys=True),
    }
    half = {key: value.half().contiguous() for key, value in sorted(weights.items())}
    data = in_order(save(half, metadata))
    partial = path.with_name(path.name + ".partial")
    partial.write_bytes(data)
    partial.replace(path)
    return len(data)


def in_order(data: bytes) -> bytes:
    """A safetensors file with sorted header keys, so that equal content gives equal bytes."""
    size = int.from_bytes(data[:8], "little")
    header = json.dumps(json.loads(data[8 : 8 + size]), sort_keys=True, separators=(",", ":"))
    encoded = header.encode()
    encoded += b" " * (-len(encoded) % 8)
    return len(encoded).to_bytes(8, "little") + encoded + data[8 + size :]

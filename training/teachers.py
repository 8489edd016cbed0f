"""The two teachers: the true VGG-19 (blocks 1 to 3, normalised) and the 16 times smaller network.

Pictures are RGB tensors ``(B, 3, H, W)`` in [0, 1]; features are the maps after the ReLU, as
``{layer: (B, C, H', W')}``. Each teacher keeps its own padding: zeros for VGG-19, reflection for
the small one, so that targets at a border are the teacher's own. The student (zero
padding) has borders in every crop and learns both.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

import torch
import torch.nn.functional as F
from safetensors.torch import load_file
from torch import Tensor, nn

LAYERS = (
    *("conv1_1", "conv1_2", "pool1", "conv2_1", "conv2_2", "pool2"),
    *("conv3_1", "conv3_2", "conv3_3", "conv3_4", "pool3"),
    *("conv4_1", "conv4_2", "conv4_3", "conv4_4", "pool4", "conv5_1"),
)
"""The sequence of layers that all networks here share."""

POOLS: dict[str, Callable[..., Tensor]] = {"max": F.max_pool2d, "avg": F.avg_pool2d}
"""2 x 2 pooling; training uses ``max``, the other is for testing."""
VGG_MEAN_BGR = (103.939, 116.779, 123.68)
Features = dict[str, Tensor]


def depth(layers: Iterable[str]) -> int:
    """The number of entries of `LAYERS` up to the deepest of ``layers``."""
    return 1 + max(LAYERS.index(layer) for layer in layers)


class VGG(nn.Module):
    """The normalised VGG-19: every filter divided by its mean activation over pictures.

    The scale 255 and the channel order BGR are folded into ``conv1_1``, the means of the filters
    into all layers (the ReLU is positively homogeneous), so that the maps have mean one and
    bfloat16 is accurate enough.
    """

    def __init__(
        self,
        weights: Mapping[str, Tensor],
        means: Mapping[str, Tensor] | None = None,
        *,
        pooling: str = "max",
    ):
        super().__init__()
        self.pool = POOLS[pooling]
        self.names = [n for n in LAYERS if f"{n}.weight" in weights]
        mean = torch.tensor(VGG_MEAN_BGR[::-1]) / 255
        self.register_buffer("mean", mean.view(1, 3, 1, 1))
        before = torch.full((3,), 255.0)
        for name in self.names:
            weight, bias = weights[f"{name}.weight"].float(), weights[f"{name}.bias"].float()
            if name == "conv1_1":
                weight = weight.flip(1)
            after = torch.ones(len(bias))
            if means is not None and name in means:
                after = means[name].float().clamp(min=1e-6)
            weight = weight * before.view(1, -1, 1, 1) / after.view(-1, 1, 1, 1)
            self.register_buffer(f"{name}_weight", weight)
            self.register_buffer(f"{name}_bias", bias / after)
            before = after

    def forward(self, image: Tensor, layers: Iterable[str]) -> Features:
        """Features ``{layer: (B, C, H', W')}`` of ``image`` ``(B, 3, H, W)`` in [0, 1]."""
        requested = set(layers)
        features: Features = {}
        x = image - self.get_buffer("mean").to(image.dtype)
        for name in LAYERS[: depth(requested)]:
            if name.startswith("pool"):
                x = self.pool(x, 2)
                continue
            weight, bias = self.get_buffer(f"{name}_weight"), self.get_buffer(f"{name}_bias")
            x = F.relu(F.conv2d(x, weight.to(x.dtype), bias.to(x.dtype), padding=1), inplace=True)
            if name in requested:
                features[name] = x
        return features


def load_vgg(path: Path, means: Mapping[str, Tensor] | None = None, *, pooling: str = "max") -> VGG:
    """The true blocks 1 to 3 from a file in Keras' convention (BGR, 0..255, OIHW)."""
    return VGG(load_file(path), means, pooling=pooling)


TAUGHT = ("conv1_1", "conv1_2", "conv2_1", "conv2_2", "conv3_1", "conv3_2")
"""The layers of the true VGG-19 whose filter means are measured."""


@torch.no_grad()
def filter_means(path: Path, pictures: Iterable[Tensor]) -> dict[str, Tensor]:
    """Mean activation of every filter of `TAUGHT` over ``pictures`` (``(3, H, W)`` in [0, 1])."""
    vgg = load_vgg(path)
    sums = {name: torch.zeros(()) for name in TAUGHT}
    count = 0
    for picture in pictures:
        features = vgg(picture[None].contiguous(memory_format=torch.channels_last), TAUGHT)
        for name, value in features.items():
            sums[name] = sums[name] + value.mean((0, 2, 3))
        count += 1
    return {name: total / count for name, total in sums.items()}


def central(photos: Iterable[Tensor], side: int = 224) -> Iterable[Tensor]:
    """The centre of every uint8 photograph ``(3, H, W)``, in [0, 1], for the filters' means."""
    for photo in photos:
        top, left = (max(0, (n - side) // 2) for n in photo.shape[1:])
        yield photo[:, top : top + side, left : left + side].float() / 255


def padded(x: Tensor, mode: str) -> Tensor:
    """``(B, C, H, W)`` with a border of one: ``reflect`` or ``constant`` (zeros).

    Reflection is built from slices: `torch.nn.functional.pad` is slow on channels-last maps.
    """
    if mode == "constant":
        return F.pad(x, (1, 1, 1, 1))
    x = torch.cat([x[:, :, 1:2], x, x[:, :, -2:-1]], 2)
    return torch.cat([x[..., 1:2], x, x[..., -2:-1]], 3)


class Small(nn.Module):
    """The 16 times smaller VGG-19 of Collaborative Distillation (Wang et al., CVPR 2020).

    Its linear heads map the features after the ReLU to the normalised VGG-19's before its ReLU.
    """

    def __init__(
        self, weights: Mapping[str, Tensor], *, padding: str = "reflect", pooling: str = "max"
    ):
        super().__init__()
        self.padding, self.pool = padding, POOLS[pooling]
        for name, value in weights.items():
            self.register_buffer(name.replace(".", "_"), value.float())

    def forward(
        self, image: Tensor, layers: Iterable[str], *, heads: Iterable[str] = ()
    ) -> Features:
        """Own maps of ``layers``; ``heads`` are given as ``ReLU(head)``, under ``<layer>_head``."""
        requested, headed = set(layers), set(heads)
        features: Features = {}

        def conv(x: Tensor, name: str) -> Tensor:
            weight, bias = self.get_buffer(f"{name}_weight"), self.get_buffer(f"{name}_bias")
            return F.conv2d(x, weight.to(x.dtype), bias.to(x.dtype))

        x = conv(image, "input")
        for name in LAYERS[: depth(requested | headed)]:
            if name.startswith("pool"):
                x = self.pool(x, 2)
                continue
            x = F.relu(conv(padded(x, self.padding), name), inplace=True)
            if name in requested:
                features[name] = x
            if name in headed:
                features[f"{name}_head"] = F.relu(conv(x, f"{name}_head"))
        return features


def load_small(path: Path, *, padding: str = "reflect", pooling: str = "max") -> Small:
    """The small teacher with its heads; ``padding`` is ``reflect`` (its own) or ``constant``."""
    return Small(load_file(path), padding=padding, pooling=pooling)


class Teachers(nn.Module):
    """Both teachers as one source of targets, named by the student's heads.

    ``conv1_* … conv3_*`` come from the true VGG-19, ``conv4_1`` and ``conv5_1`` from the small
    network's heads, ``conv4_2`` is the small network's own map.
    """

    def __init__(self, vgg: VGG, small: Small):
        super().__init__()
        self.vgg, self.small = vgg, small

    def forward(self, image: Tensor, layers: Iterable[str]) -> Features:
        """Targets ``{layer: (B, C, H', W')}`` of ``image`` ``(B, 3, H, W)`` in [0, 1]."""
        requested = list(layers)
        true = [n for n in requested if n[4] in "123"]
        heads = [n for n in requested if n in ("conv4_1", "conv5_1")]
        own = [n for n in requested if n == "conv4_2"]
        targets: Features = self.vgg(image, true) if true else {}
        if heads or own:
            for name, value in self.small(image, own, heads=heads).items():
                targets[name.removesuffix("_head")] = value
        return targets

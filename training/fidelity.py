"""Measuring a network's errors: ``python -m training.fidelity WEIGHTS``.

Prints, for held-out photographs, paintings and half-optimised pictures, the errors
``sum |g' - g|^2 / sum |g - mean g|^2`` of features, Gram matrices (divided by the positions) and
picture gradients (uncentred, each teacher's scaled to length one), for ``compact`` and for the 16x
network with heads.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor

from . import data
from .distill import WEIGHTS, half_optimised
from .student import HEADS, Plain, read
from .teachers import POOLS, Features, Small, Teachers, central, filter_means, load_small, load_vgg

PAINTINGS = Path("../shared/images/paintings")
SIDE = 384
LAYERS = tuple(HEADS)
SHARED = ("conv1_1", "conv2_1", "conv3_1")
"""Where the 16x network has heads onto the true network."""

Network = Callable[[Tensor, Sequence[str]], Features]


@dataclass
class Ratio:
    """``sum |given - target|^2 / sum |target - mean target|^2`` summed over pictures."""

    centred: bool = True
    wrong: float = 0.0
    square: float = 0.0
    total: Tensor | None = None
    count: int = 0

    def add(self, given: Tensor, target: Tensor) -> None:
        """Add ``(n, C)`` samples."""
        given, target = given.double(), target.double()
        self.wrong += float((given - target).square().sum())
        self.square += float(target.square().sum())
        if self.centred:
            here = target.sum(0)
            self.total = here if self.total is None else self.total + here
        self.count += len(target)

    def value(self) -> float:
        """The ratio so far; 0/0 is 0."""
        mean = 0.0 if self.total is None else float(self.total.square().sum()) / self.count
        return self.wrong / max(1e-30, self.square - mean)


@dataclass
class Errors:
    """The three errors of one layer."""

    feature: Ratio = field(default_factory=Ratio)
    gram: Ratio = field(default_factory=Ratio)
    gradient: Ratio = field(default_factory=lambda: Ratio(centred=False))


def flat(value: Tensor) -> Tensor:
    """``(1, C, H, W)`` as ``(H W, C)``."""
    return value[0].flatten(1).T


def gram(value: Tensor) -> Tensor:
    """The Gram matrix of ``(1, C, H, W)`` divided by the positions, ``(C, C)``."""
    rows = flat(value)
    return rows.T @ rows / len(rows)


def gradient(net: Network, picture: Tensor, layer: str, goal: Tensor) -> Tensor:
    """The picture gradient ``(1, 3, H, W)`` of ``|Gram - goal|^2 / |goal|^2`` at ``layer``."""
    picture = picture.clone().requires_grad_()
    loss = (gram(net(picture, [layer])[layer]) - goal).square().sum() / goal.square().sum()
    (result,) = torch.autograd.grad(loss, [picture])
    return result


def judge(
    nets: Mapping[str, tuple[Network, Sequence[str]]],
    teacher: Network,
    pictures: Sequence[Tensor],
    *,
    gradients: int = 6,
) -> dict[str, dict[str, Errors]]:
    """Errors of every network at its layers against ``teacher`` on ``pictures`` ``(3, H, W)``.

    The gradient is that of each layer's style loss towards the teacher's Gram matrix of the
    previous picture of the list (the same goal for all networks), scaled so that the
    teacher's has length one, so no picture dominates. Only for the first ``gradients`` pictures.
    """
    layers = list(dict.fromkeys(layer for _, own in nets.values() for layer in own))
    errors_of = {name: {layer: Errors() for layer in own} for name, (_, own) in nets.items()}
    batches = [p[None].contiguous(memory_format=torch.channels_last) for p in pictures]
    for k, picture in enumerate(batches):
        with torch.no_grad():
            target = teacher(picture, layers)
            for name, (net, own) in nets.items():
                for layer, value in net(picture, own).items():
                    errors = errors_of[name][layer]
                    errors.feature.add(flat(value), flat(target[layer]))
                    grams = gram(value), gram(target[layer])
                    errors.gram.add(grams[0].flatten()[None], grams[1].flatten()[None])
        if k >= gradients:
            continue
        with torch.no_grad():
            goals = {n: gram(v) for n, v in teacher(batches[k - 1], layers).items()}
        for layer in layers:
            if layer == "conv4_2":
                continue
            true_gradient = gradient(teacher, picture, layer, goals[layer]).flatten()[None]
            for name, (net, own) in nets.items():
                if layer in own:
                    given = gradient(net, picture, layer, goals[layer]).flatten()[None]
                    errors_of[name][layer].gradient.add(
                        given / true_gradient.norm(), true_gradient / true_gradient.norm()
                    )
    return errors_of


def small_heads(small: Small) -> Network:
    """The 16x network with its linear heads, as in a transfer."""

    def net(image: Tensor, layers: Sequence[str]) -> Features:
        headed = {}
        for layer, value in small(image, layers).items():
            weight = small.get_buffer(f"{layer}_head_weight")
            headed[layer] = F.conv2d(value, weight, small.get_buffer(f"{layer}_head_bias"))
        return headed

    return net


def half(
    photos: Sequence[Tensor], net: Plain | Small, count: int = 12, size: int = 256
) -> list[Tensor]:
    """``count`` pictures ``(3, size, size)`` of held-out ``photos``, half-optimised by ``net``."""
    gen = torch.Generator().manual_seed(2020)
    made: list[Tensor] = []
    while len(made) < count:
        made.extend(half_optimised(net, photos, gen, 4, size, torch.float32))
    return made


def table(errors_of: Mapping[str, Mapping[str, Errors]]) -> Iterator[str]:
    """Lines ``layer, network, feature, Gram, gradient``."""
    for name, layers in errors_of.items():
        for layer, e in layers.items():
            numbers = f"{e.feature.value():8.3f} {e.gram.value():8.3f}"
            gradients = f"{e.gradient.value():8.3f}" if e.gradient.count else "        "
            yield f"  {layer:8} {name:20} {numbers} {gradients}"


def main(argv: Sequence[str] | None = None) -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(prog="training.fidelity", description=__doc__)
    parser.add_argument("weights", type=Path)
    parser.add_argument("--photos", type=Path, default=data.PHOTOS)
    parser.add_argument("--paintings", type=Path, default=PAINTINGS)
    parser.add_argument("--teachers", type=Path, default=WEIGHTS)
    parser.add_argument("--threads", type=int)
    parser.add_argument("--json", type=Path, help="also write the figures there")
    parser.add_argument("--pooling", default="max", choices=POOLS, help="of every network")
    parser.add_argument("--quick", action="store_true", help="held-out photographs, no gradients")
    args = parser.parse_args(argv)
    if args.threads:
        torch.set_num_threads(args.threads)
    weights, _ = read(args.weights)
    compact = Plain(weights, pooling=args.pooling)
    trained = data.photo_paths(args.photos, held=False)
    some = (data.load(path) for path in trained[:: max(1, len(trained) // 100)])
    true, lesser = (args.teachers / f"vgg19_{n}.safetensors" for n in ("blocks1-3", "small16x"))
    means = filter_means(true, central(some))
    vgg = load_vgg(true, means, pooling=args.pooling)
    small = load_small(lesser, pooling=args.pooling)
    zero = load_small(lesser, padding="constant", pooling=args.pooling)
    layers = [n for n in LAYERS if f"{n}_head.weight" in weights]
    nets: dict[str, tuple[Network, Sequence[str]]] = {
        "compact": (lambda image, own: compact(image, own, heads=True), layers),
        "16x": (small_heads(small), SHARED),
        "16x, zero padding": (small_heads(zero), SHARED),
    }
    held = [data.load(path) for path in data.photo_paths(args.photos, held=True)]
    sets = {"held-out photographs": [photo.float() / 255 for photo in held]}
    if not args.quick:
        paths = sorted(p for p in args.paintings.iterdir() if p.suffix.lower() in data.SUFFIXES)
        sets["paintings"] = [data.load(path, SIDE).float() / 255 for path in paths]
        sets["pictures half-optimised by the 16x network"] = half(held, small)
        sets["pictures half-optimised by compact"] = half(held, compact)
    figures: dict[str, dict[str, dict[str, list[float]]]] = {}
    for title, pictures in sets.items():
        errors_of = judge(nets, Teachers(vgg, small), pictures, gradients=0 if args.quick else 6)
        print(f"{title} ({len(pictures)}): errors of features, Gram matrices, picture gradients")
        print("\n".join(table(errors_of)), flush=True)
        figures[title] = {
            name: {
                n: [e.feature.value(), e.gram.value(), e.gradient.value()] for n, e in own.items()
            }
            for name, own in errors_of.items()
        }
    if args.json:
        args.json.write_text(json.dumps(figures, indent=1) + "\n")


if __name__ == "__main__":
    main()

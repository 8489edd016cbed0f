"""The normalised network of Gatys et al. (CVPR 2016, section 2).

Every filter is rescaled so that the mean of its map, after the ReLU, over pictures and positions
is one: with m_i that mean for filter i, its map becomes F_i / m_i and nothing else changes. ReLU
and both poolings commute with positive factors, so dividing a filter by m_i and multiplying the
next layer's weights on its map by m_i does it exactly.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping

import torch
from torch import Tensor

from impasto.nets.network import ConvNetwork
from impasto.nets.topology import conv_names

Means = Mapping[str, Tensor]


def mean_activations(network: ConvNetwork, pictures: Iterable[Tensor]) -> dict[str, Tensor]:
    """Mean activation m of every filter, ``{layer: (N,)}`` in float64.

    Args:
        network: as it was released, with the pooling that it will be used with.
        pictures: RGB ``(1, 3, H, W)`` in [0, 1]; every position of every picture counts alike.

    Raises:
        ValueError: there is no picture.

    """
    sums: dict[str, Tensor] = {}
    positions = dict.fromkeys(network.layers, 0)
    for picture in pictures:
        with torch.no_grad():
            maps = network.features(picture, network.layers)
        for name, features in maps.items():
            total = features[0].double().sum((1, 2))
            sums[name] = sums[name] + total if name in sums else total
            positions[name] += features[0, 0].numel()
    if not sums:
        raise ValueError("mean activations need at least one picture")
    return {name: sums[name] / positions[name] for name in network.layers}


def normalised(tensors: Mapping[str, Tensor], means: Means) -> dict[str, Tensor]:
    """The tensors of the network whose maps are F_i / m_i; float64 where they changed.

    Filters that never fired (m_i = 0) keep the factor 1.

    Args:
        tensors: ``convB_I.weight`` (OIHW), ``convB_I.bias``; others are passed through.
        means: of every layer of ``tensors``, from :func:`mean_activations`.

    """
    result = dict(tensors)
    before: Tensor | None = None
    for name in _layers(means):
        factor = _factors(means[name])
        weight = tensors[f"{name}.weight"].double() / factor[:, None, None, None]
        if before is not None:
            weight = weight * before[None, :, None, None]
        result[f"{name}.weight"] = weight
        result[f"{name}.bias"] = tensors[f"{name}.bias"].double() / factor
        before = factor
    return result


def floored(means: Means, share: float) -> dict[str, Tensor]:
    """No mean but zero below a share of its layer's median.

    Departure from Gatys et al., for pictures that are no photographs: a filter that such pictures
    hardly move would be blown up a hundredfold, and then rule every loss of its layer.
    """
    return {
        name: torch.where(mean > 0, mean.clamp_min(share * mean.median().item()), mean)
        for name, mean in means.items()
    }


def means_hash(means: Means) -> str:
    """SHA-256 of the means as little-endian float64, layer after layer."""
    digest = hashlib.sha256()
    for name in _layers(means):
        digest.update(means[name].double().contiguous().numpy().astype("<f8").tobytes())
    return digest.hexdigest()


def _layers(means: Means) -> list[str]:
    return [name for name in conv_names() if name in means]


def _factors(mean: Tensor) -> Tensor:
    mean = mean.double()
    return torch.where(mean > 0, mean, torch.ones_like(mean))

"""Recognising a VGG-19: its names and layout, and the input that the weights require.

Three sources decide, in this order:

1. the file's own statement: a safetensors file of impasto states its convention in its metadata;
2. its first filter. The numbers of a release survive every conversion, so the 27 weights of the
   first filter, up to a positive factor (which normalisation may change), show which release it
   is; and whether they match in BGR or in RGB order shows whether a converter has swapped the
   colour channels. This distinguishes torchvision's ``.pth`` from a Caffe one of the same names;
3. the layout: Keras writes ``blockB_convI`` and trains on BGR, 0 to 255, mean subtracted;
   ``classifier.1`` and ``.4`` are only found in the Caffe conversion. A file with neither, and
   with an unknown first filter, is not guessed at: the user has to state its convention.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from impasto.errors import WeightsError
from impasto.files.weights.readers import RawWeights, convention_from_json
from impasto.nets.network import InputConvention
from impasto.nets.topology import VGG19_WIDTHS, conv_names, layer_table
from impasto.nets.vgg import DENSE, KERAS_CONVENTION, TORCHVISION_CONVENTION

CONVENTIONS = {"vgg19": KERAS_CONVENTION, "vgg19-torchvision": TORCHVISION_CONVENTION}

# First filter of conv1_1, channel by channel, in the order of the release's training.
FIRST_FILTERS = {
    "vgg19": (
        (0.3412, 0.34, -0.0448, 0.2322, 0.0898, -0.3033, -0.0726, -0.2467, -0.3368),
        (0.4642, 0.4181, -0.0481, 0.3051, 0.1039, -0.3731, -0.0765, -0.3107, -0.4645),
        (0.3942, 0.3774, -0.0459, 0.2671, 0.0999, -0.341, -0.0757, -0.2803, -0.416),
    ),
    "vgg19-torchvision": (
        (-0.053474, -0.049257, -0.067942, 0.015314, 0.045068, 0.0021444, 0.036226, 0.019999,
         0.019864),
        (0.017015, 0.055403, -0.0062293, 0.14165, 0.22705, 0.13758, 0.12, 0.2003, 0.092114),
        (-0.044885, 0.01268, -0.014497, 0.059742, 0.13955, 0.054102, -0.00096141, 0.058304,
         -0.029663),
    ),
}  # fmt: skip
SAME = 0.9999  # cosine above which two filters are the same

_KERAS = re.compile(r"block(\d)_conv(\d)$|(fc1|fc2|predictions)$")
_FEATURE = re.compile(r"(?:module\.)?(?:features\.)?(\d+)\.(weight|bias)$")
_CLASSIFIER = re.compile(r"(?:module\.)?classifier\.(\d)\.(weight|bias)$")
_OWN = re.compile(r"((?:conv\d_\d|fc1|fc2|predictions)\.(?:weight|bias))$")
_FEATURE_NAMES = dict(
    zip((0, 2, 5, 7, 10, 12, 14, 16, 19, 21, 23, 25, 28, 30, 32, 34), conv_names(), strict=True)
)
_CLASSIFIER_NAMES = {"0": "fc1", "1": "fc1", "3": "fc2", "4": "fc2", "6": "predictions"}


@dataclass(frozen=True)
class VggWeights:
    """A VGG-19 in impasto's names and layout.

    Attributes:
        tensors: ``convB_I`` (OIHW), and ``fc1``, ``fc2``, ``predictions`` if the file has them;
            float32.
        convention: the input that the weights require.
        release: ``vgg19`` or ``vgg19-torchvision`` by the first filter, else ``""``.
        reason: how the convention was determined, for the record.

    """

    tensors: Mapping[str, Tensor]
    convention: InputConvention
    release: str
    reason: str

    @property
    def classifies(self) -> bool:
        """Whether the file includes the classifier."""
        return all(f"{name}.weight" in self.tensors for name in DENSE)


def recognise(raw: RawWeights, *, convention: str | None = None) -> VggWeights:
    """Name the tensors of a file, check their shapes, and determine their input convention.

    Args:
        raw: the file's tensors.
        convention: ``vgg19`` or ``vgg19-torchvision`` to state it instead of the file.

    Raises:
        WeightsError: a convolution of VGG-19 is missing, a number is not finite, or
            the convention is neither recognised nor given.

    """
    tensors = _checked(_named(raw))
    release, turned = _release(tensors["conv1_1.weight"][0])
    if convention is not None:
        if convention not in CONVENTIONS:
            raise WeightsError(
                f"There is no convention {convention!r}: choose from {', '.join(CONVENTIONS)}."
            )
        return VggWeights(tensors, CONVENTIONS[convention], release, "as the user said")
    stated = convention_from_json(raw.metadata.get("input", ""))
    if stated is not None:
        return VggWeights(tensors, stated, release, "as the file states")
    if release:
        told = _turned(CONVENTIONS[release]) if turned else CONVENTIONS[release]
        order = f", {told.channels} order" if turned else ""
        return VggWeights(tensors, told, release, f"by its first filter{order}")
    if raw.kind == "h5" or any("classifier.1." in name for name in raw.tensors):
        return VggWeights(tensors, KERAS_CONVENTION, "", "by its layout")
    raise WeightsError(
        "This VGG-19 is neither the original nor torchvision's: add --convention vgg19 (BGR, 0 to "
        "255) or --convention vgg19-torchvision (RGB, 0 to 1)."
    )


def _named(raw: RawWeights) -> dict[str, Tensor]:
    tensors: dict[str, Tensor] = {}
    for name, tensor in raw.tensors.items():
        own = _keras_name(name, tensor) if raw.kind == "h5" else _torch_name(name)
        if own is not None:
            tensors[own] = _from_keras(own, tensor) if raw.kind == "h5" else tensor
    return tensors


def _keras_name(name: str, tensor: Tensor) -> str | None:
    """``.../block1_conv1/.../block1_conv1_W_1:0`` and similar names, by their group."""
    for part in name.split("/")[:-1]:
        match = _KERAS.match(part)
        if match:
            layer = match[3] or f"conv{match[1]}_{match[2]}"
            return f"{layer}.{'bias' if tensor.ndim == 1 else 'weight'}"
    return None


def _from_keras(name: str, tensor: Tensor) -> Tensor:
    """HWIO to OIHW; dense (in, out) to (out, in), fc1's inputs from H, W, C to C, H, W order."""
    if name.startswith("conv") and tensor.ndim == 4:
        return tensor.permute(3, 2, 0, 1)
    if name == "fc1.weight" and tuple(tensor.shape) == DENSE["fc1"][::-1]:
        return tensor.view(7, 7, 512, -1).permute(3, 2, 0, 1).flatten(1)
    return tensor.T if tensor.ndim == 2 else tensor


def _torch_name(name: str) -> str | None:
    if match := _FEATURE.match(name):
        layer = _FEATURE_NAMES.get(int(match[1]))
        return f"{layer}.{match[2]}" if layer else None
    if match := _CLASSIFIER.match(name):
        return (
            f"{_CLASSIFIER_NAMES[match[1]]}.{match[2]}" if match[1] in _CLASSIFIER_NAMES else None
        )
    match = _OWN.match(name)
    return match[1] if match else None


def _checked(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Every convolution, and the classifier if it is complete, in float32."""
    shapes: dict[str, tuple[int, ...]] = {}
    for layer in layer_table(VGG19_WIDTHS):
        if layer.kind == "conv":
            shapes[f"{layer.name}.weight"] = (layer.out_channels, layer.in_channels, 3, 3)
            shapes[f"{layer.name}.bias"] = (layer.out_channels,)
    dense: dict[str, tuple[int, ...]] = {f"{n}.weight": shape for n, shape in DENSE.items()}
    dense |= {f"{n}.bias": shape[:1] for n, shape in DENSE.items()}
    if all(name in tensors for name in dense):
        shapes |= dense
    return {name: _one(tensors, name, shape) for name, shape in shapes.items()}


def _one(tensors: Mapping[str, Tensor], name: str, shape: tuple[int, ...]) -> Tensor:
    if name not in tensors:
        raise WeightsError(
            f"The file has no weights for {name.partition('.')[0]}: give a complete VGG-19."
        )
    tensor = tensors[name]
    if tuple(tensor.shape) != shape:
        raise WeightsError(
            f"{name!r} has shape {tuple(tensor.shape)} where VGG-19 has {shape}: it is another "
            "network."
        )
    tensor = tensor.detach().float().contiguous()
    if not torch.isfinite(tensor).all():
        raise WeightsError(f"{name!r} holds numbers that are not finite: get the file again.")
    return tensor


def _release(first: Tensor) -> tuple[str, bool]:
    """The release that a first filter ``(3, 3, 3)`` belongs to, and whether colours are swapped."""
    for name, numbers in FIRST_FILTERS.items():
        known = torch.tensor(numbers, dtype=torch.float64).view(3, 3, 3)
        for turned in (False, True):
            filter_ = first.double().flip(0) if turned else first.double()
            if torch.cosine_similarity(filter_.flatten(), known.flatten(), dim=0) > SAME:
                return name, turned
    return "", False


def _turned(convention: InputConvention) -> InputConvention:
    """The convention with red and blue swapped."""
    return replace(
        convention,
        channels="RGB" if convention.channels == "BGR" else "BGR",
        mean=convention.mean[::-1],
        std=convention.std[::-1],
    )

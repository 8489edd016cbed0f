"""The full VGG-19 (Simonyan and Zisserman 2014), convolutions and classifier (section 2.1)."""

from __future__ import annotations

from collections.abc import Mapping

import torch
import torch.nn.functional as F
from torch import Tensor

from impasto.errors import PictureError, WeightsError
from impasto.nets.network import ConvNetwork, InputConvention
from impasto.nets.pooling import Pooling
from impasto.nets.topology import VGG19_WIDTHS, conv_names, layer_table

KERAS_CONVENTION = InputConvention("BGR", 255.0, (103.939, 116.779, 123.68))
TORCHVISION_CONVENTION = InputConvention("RGB", 1.0, (0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
DENSE = {"fc1": (4096, 25088), "fc2": (4096, 4096), "predictions": (1000, 4096)}


def vgg19(
    tensors: Mapping[str, Tensor],
    *,
    convention: InputConvention = KERAS_CONVENTION,
    pooling: Pooling = "avg",
) -> ConvNetwork:
    """The feature network, as deep as the tensors reach (so the first blocks alone work too).

    The report follows Gatys et al. in average pooling (section 2.1), hence the default.

    Args:
        tensors: ``conv1_1.weight`` (OIHW), ``conv1_1.bias``, ... up to ``conv5_4`` or less.
        convention: what the weights expect as input; the Keras release's by default.
        pooling: ``avg`` or ``max``.

    Raises:
        WeightsError: a tensor is missing or has another shape.

    """
    present = [name for name in conv_names() if f"{name}.weight" in tensors]
    if not present:
        raise WeightsError("The weights have no tensor 'conv1_1.weight': this is no VGG-19.")
    table = layer_table(VGG19_WIDTHS, last=present[-1])
    return ConvNetwork(table, tensors, convention=convention, pooling=pooling)


def classifier_picture(image: Tensor) -> Tensor:
    """The middle 224 x 224 pixels of a picture scaled to a shorter side of 256.

    So VGG-19 was tested (Simonyan and Zisserman 2014, section 3.2); ``(B, 3, H, W)`` in and out.
    """
    scale = 256 / min(image.shape[-2:])
    size = [max(256, round(side * scale)) for side in image.shape[-2:]]
    scaled = F.interpolate(image, size=size, mode="bilinear", antialias=True, align_corners=False)
    top, left = (size[0] - 224) // 2, (size[1] - 224) // 2
    return scaled[..., top : top + 224, left : left + 224].clamp(0, 1)


class Classifier:
    """VGG-19 as it was trained: pool5, flatten, fc1, fc2, predictions, softmax (figure 6).

    Args:
        tensors: the convolutions, and ``fc1``, ``fc2``, ``predictions`` (``.weight``, ``.bias``),
            with fc1's columns in channel, row, column order.
        convention: what the weights expect as input.

    Raises:
        WeightsError: a tensor is missing or has another shape.

    """

    def __init__(
        self, tensors: Mapping[str, Tensor], *, convention: InputConvention = KERAS_CONVENTION
    ) -> None:
        table = layer_table(VGG19_WIDTHS)
        self.convolutions = ConvNetwork(table, tensors, convention=convention, pooling="max")
        for name, shape in DENSE.items():
            for tensor, wanted in ((f"{name}.weight", shape), (f"{name}.bias", shape[:1])):
                if tensor not in tensors or tuple(tensors[tensor].shape) != wanted:
                    raise WeightsError(
                        f"The weights lack the classifier's tensor {tensor!r} of shape {wanted}."
                    )
        self.dense = {
            name: (tensors[f"{name}.weight"].float(), tensors[f"{name}.bias"].float())
            for name in DENSE
        }

    def __call__(self, image: Tensor) -> Tensor:
        """Probabilities ``(B, 1000)`` of RGB pictures ``(B, 3, 224, 224)`` in [0, 1].

        Raises:
            PictureError: the pictures have another size.

        """
        if tuple(image.shape[1:]) != (3, 224, 224):
            raise PictureError("The classifier takes pictures of 224 x 224 pixels: resize first.")
        x = torch.flatten(self.convolutions(image), 1)
        for name, (weight, bias) in self.dense.items():
            x = F.linear(x, weight, bias)
            if name != "predictions":
                x = F.relu(x)
        return F.softmax(x, dim=1)

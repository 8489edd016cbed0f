"""The networks that can be downloaded, as data.

Sources: ``keras.applications.vgg19`` gives the addresses and the MD5 of the
release that the report used; torchvision's ``VGG19_Weights`` gives the other, with the first eight
digits of its SHA-256 in the name of the file.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from impasto.errors import WeightsError
from impasto.nets.network import InputConvention
from impasto.nets.vgg import KERAS_CONVENTION, TORCHVISION_CONVENTION

Format = Literal["h5", "pth"]


@dataclass(frozen=True)
class Model:
    """One release of a network's weights.

    Attributes:
        name: its name for ``--network`` and ``impasto models``.
        urls: its addresses; those after the first are mirrors.
        algorithm: of ``digest``, as :mod:`hashlib` names it.
        digest: of the file, in hexadecimal; only its beginning, where no more is published.
        bytes: exact size of the file.
        licence: its terms.
        convention: of its input.
        format: of the file.
        about: one line of description.

    """

    name: str
    urls: tuple[str, ...]
    algorithm: Literal["md5", "sha256"]
    digest: str
    bytes: int
    licence: str
    convention: InputConvention
    format: Format
    about: str


MODELS = {
    model.name: model
    for model in (
        Model(
            name="vgg19",
            urls=(
                "https://storage.googleapis.com/tensorflow/keras-applications/vgg19/"
                "vgg19_weights_tf_dim_ordering_tf_kernels_notop.h5",
                "https://github.com/fchollet/deep-learning-models/releases/download/v0.1/"
                "vgg19_weights_tf_dim_ordering_tf_kernels_notop.h5",
            ),
            algorithm="md5",
            digest="253f8cb515780f3b799900260a226db6",
            bytes=80_134_624,
            licence="CC BY 4.0, Visual Geometry Group, University of Oxford",
            convention=KERAS_CONVENTION,
            format="h5",
            about="the original VGG-19, convolutions only: the report's and Gatys' network",
        ),
        Model(
            name="vgg19-torchvision",
            urls=("https://download.pytorch.org/models/vgg19-dcbb9e9d.pth",),
            algorithm="sha256",
            digest="dcbb9e9dad569fff7a846263a77324fc34978fea2bfb039c012d710e1776ae44",
            bytes=574_673_361,
            licence="BSD-3-Clause, torchvision",
            convention=TORCHVISION_CONVENTION,
            format="pth",
            about="trained by torchvision, with the classifier: impasto classify",
        ),
    )
}

CONVERSIONS = {"d01eb7cb": "vgg19"}
"""Beginning of a SHA-256, and the release from which that file was converted.

``vgg19-d01eb7cb.pth`` is J. Johnson's conversion of the Caffe release for torch; as torch does, its
name states the first eight digits of its hash.
"""


def find_model(name: str) -> Model:
    """The model of that name.

    Raises:
        WeightsError: there is no such model.

    """
    if name not in MODELS:
        raise WeightsError(f"There is no model {name!r}: choose from {', '.join(MODELS)}.")
    return MODELS[name]

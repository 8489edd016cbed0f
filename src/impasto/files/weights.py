"""Networks from files: the bundled one, checked by its hash, and VGG-19 from a file of the user's.

Files are safetensors: shapes and numbers only, nothing that could run.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from safetensors import SafetensorError, safe_open
from torch import Tensor

from impasto import nets
from impasto.config import Recipe
from impasto.errors import WeightsError
from impasto.nets.compact import COMPACT_CONVENTION, compact
from impasto.nets.network import ConvNetwork, InputConvention, Pooling
from impasto.nets.vgg import KERAS_CONVENTION, vgg19

COMPACT_FILE = Path(nets.__file__).parent / "weights" / "compact.safetensors"
COMPACT_SHA256 = "f3016f3d297e001f1c94e5ddfcf4fab8d65aa9fccd3f914e7cefef4f2efc320a"
MAX_BYTES = 4_000_000_000


@dataclass(frozen=True)
class LoadedNetwork:
    """A network, and what a record says of it.

    Attributes:
        network: ready to compute.
        name: ``compact`` or ``vgg19``.
        file: name of the weights file, without folders.
        sha256: of the weights file.

    """

    network: ConvNetwork
    name: str
    file: str
    sha256: str


def load_network(recipe: Recipe) -> LoadedNetwork:
    """The network that a recipe names.

    Raises:
        WeightsError: the file is missing, broken, or another network's; or ``vgg19`` is asked for
            without a file.

    """
    if recipe.network == "vgg19" and recipe.weights is None:
        raise WeightsError(
            "The full VGG-19 needs its weights: name the safetensors file with --weights."
        )
    path = Path(recipe.weights) if recipe.weights else COMPACT_FILE
    digest = _hash_of(path)
    if path == COMPACT_FILE and digest != COMPACT_SHA256:
        raise WeightsError("The bundled weights are damaged: install impasto again.")
    tensors, metadata = _read(path)
    build, usual = (
        (compact, COMPACT_CONVENTION) if recipe.network == "compact" else (vgg19, KERAS_CONVENTION)
    )
    convention = _convention(metadata, usual)
    pooling = recipe.pooling or cast("Pooling", metadata.get("pooling"))
    network = (
        build(tensors, convention=convention, pooling=pooling)
        if pooling in ("max", "avg")
        else build(tensors, convention=convention)
    )
    return LoadedNetwork(network, recipe.network, path.name, digest)


def _read(path: Path) -> tuple[dict[str, Tensor], dict[str, str]]:
    try:
        with safe_open(str(path), framework="pt") as file:
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
            return tensors, file.metadata() or {}
    except (SafetensorError, OSError, ValueError) as error:
        raise WeightsError(
            f"{path.name!r} is no safetensors file, or a damaged one: get it anew."
        ) from error


def _hash_of(path: Path) -> str:
    if not path.is_file():
        raise WeightsError(f"There is no weights file {str(path)!r}: check the name.")
    if path.stat().st_size > MAX_BYTES:
        raise WeightsError(f"{path.name!r} is too large to be a network's weights: check the name.")
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _convention(metadata: dict[str, str], usual: InputConvention) -> InputConvention:
    """As the file states it in JSON; as usual for the network where it does not."""
    try:
        stated = json.loads(metadata.get("input", ""))
        return InputConvention(
            stated["channels"], float(stated["range"]), tuple(stated["mean"]), tuple(stated["std"])
        )
    except (ValueError, KeyError, TypeError):
        return usual

"""Loading networks: the bundled one, checked by its hash, and the user's VGG-19.

Files are safetensors: shapes and numbers only, no code.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, cast

from safetensors import SafetensorError, safe_open
from torch import Tensor

from impasto import nets
from impasto.engine.interrupts import held
from impasto.errors import WeightsError
from impasto.files.weights.cache import installed, model_path
from impasto.files.weights.provenance import (
    BUNDLED,
    UNKNOWN,
    Provenance,
    provenance_of_file,
    provenance_of_stored,
)
from impasto.files.weights.readers import convention_from_json
from impasto.files.weights.registry import MODELS
from impasto.nets.compact import COMPACT_CONVENTION, compact
from impasto.nets.network import ConvNetwork, InputConvention
from impasto.nets.normalise import means_hash, normalised
from impasto.nets.pooling import Pooling
from impasto.nets.topology import COMPACT_WIDTHS, VGG19_WIDTHS, conv_names
from impasto.nets.vgg import KERAS_CONVENTION, Classifier, vgg19
from impasto.recipe.still import Recipe
from impasto.shortage import is_shortage

COMPACT_FILE = Path(nets.__file__).parent / "weights" / "compact.safetensors"
COMPACT_SHA256 = "74548d5e178aa45732a3cb17ebbf62ecee0f987acae0046f8258b6830e8129c4"
MAX_BYTES = 4_000_000_000
CLASSIFIER = ("fc1.", "fc2.", "predictions.")


@dataclass(frozen=True)
class LoadedNetwork:
    """A network, and the facts for a record.

    Attributes:
        network: ready to compute.
        name: ``compact``, or a name of the registry.
        file: name of the weights file, without folders.
        sha256: of the weights file.
        normalisation: ``normalised`` (Gatys et al.: every map has mean 1) or ``raw``; alpha and
            beta have different effects on the two. The compact network's heads approximate the
            normalised one.
        means_sha256: of the mean activations used for normalisation; empty without them.
        source_sha256: of the file that the weights were imported from; empty if unknown.
        provenance: the origin of the weights, by their file's hash.

    """

    network: ConvNetwork
    name: str
    file: str
    sha256: str
    normalisation: Literal["normalised", "raw"] = "raw"
    means_sha256: str = ""
    source_sha256: str = ""
    provenance: Provenance = field(default_factory=Provenance)


def load_network(recipe: Recipe) -> LoadedNetwork:
    """The network that a recipe names.

    Raises:
        WeightsError: the file is missing, damaged, or of another network; or the network is not
            installed.

    """
    path = _file_of(recipe)
    digest = _hash_of(path)
    if path == COMPACT_FILE and digest != COMPACT_SHA256:
        raise WeightsError("The bundled weights are damaged: install impasto again.")
    tensors, metadata = _read(path, leave_out=CLASSIFIER)
    provenance = _provenance(path, digest, tensors, metadata)
    if recipe.network == "compact":
        convention = _convention(metadata, COMPACT_CONVENTION)
        network = compact(tensors, convention=convention, pooling=_pooling(recipe, metadata, "max"))
        return LoadedNetwork(
            network,
            recipe.network,
            path.name,
            digest,
            "normalised" if network.heads else "raw",
            provenance=provenance,
        )
    pooling = _pooling(recipe, metadata, "avg")
    means = {} if recipe.raw_weights else _means(tensors, metadata, pooling, path)
    network = vgg19(
        normalised(tensors, means) if means else tensors,
        convention=_convention(metadata, KERAS_CONVENTION),
        pooling=pooling,
    )
    return LoadedNetwork(
        network,
        recipe.network,
        path.name,
        digest,
        "normalised" if means else "raw",
        means_hash(means) if means else "",
        metadata.get("source_sha256", ""),
        provenance,
    )


def stored_provenance(name: str) -> Provenance:
    """The origin of an installed network; every tensor is checked.

    Raises:
        WeightsError: it is damaged.

    """
    path = model_path(name)
    _check_size(path)
    tensors, metadata = _read(path)
    return provenance_of_stored(metadata, tensors, set(tensors))


def _provenance(
    path: Path, digest: str, tensors: Mapping[str, Tensor], metadata: Mapping[str, str]
) -> Provenance:
    if digest == COMPACT_SHA256:
        return Provenance(BUNDLED)
    known = provenance_of_file(path, digest)
    if known.kind != UNKNOWN:
        return known
    with safe_open(str(path), framework="pt") as file:
        return provenance_of_stored(metadata, tensors, set(file.keys()))


def load_classifier(path: Path | None = None) -> Classifier:
    """VGG-19 with its output layer (section 2.1), from a file or from the installed networks.

    Raises:
        WeightsError: the file is missing, or no weights have a classifier.

    """
    for candidate in [path] if path else [model_path(name) for name in reversed(MODELS)]:
        if path is None and not candidate.is_file():
            continue
        _check_size(candidate)
        tensors, metadata = _read(candidate)
        if path is not None or "predictions.weight" in tensors:
            return Classifier(tensors, convention=_convention(metadata, KERAS_CONVENTION))
    raise WeightsError(
        "Classifying needs weights with the output layer: run impasto models download "
        "vgg19-torchvision, or import such a file."
    )


def topology_of(path: Path) -> Literal["compact", "vgg19"]:
    """Which network a safetensors file holds, by the width of its first layer.

    Raises:
        WeightsError: it is missing, damaged or another network.

    """
    _check_size(path)
    tensors, _ = _read(path, only=("conv1_1.weight",))
    first = tensors.get("conv1_1.weight")
    widths: dict[int, Literal["compact", "vgg19"]] = {
        COMPACT_WIDTHS[0]: "compact",
        VGG19_WIDTHS[0]: "vgg19",
    }
    if first is None or first.shape[0] not in widths:
        raise WeightsError(
            f"{path.name!r} is neither a VGG-19 nor a compact network: choose another file."
        )
    return widths[first.shape[0]]


def _file_of(recipe: Recipe) -> Path:
    if recipe.weights:
        return Path(recipe.weights)
    return COMPACT_FILE if recipe.network == "compact" else installed(recipe.network)


def _pooling(recipe: Recipe, metadata: dict[str, str], usual: Pooling) -> Pooling:
    """The pooling of the recipe, else the file's, else the network's default."""
    chosen = recipe.pooling or metadata.get("pooling")
    return cast("Pooling", chosen) if chosen in ("max", "avg") else usual


def _means(
    tensors: dict[str, Tensor], metadata: dict[str, str], pooling: Pooling, path: Path
) -> dict[str, Tensor]:
    """The file's mean activations for a pooling; empty if it has none."""
    suffix = f".mean_{pooling}"
    names = [name for name in conv_names() if f"{name}.weight" in tensors]
    means = {name: tensors[name + suffix] for name in names if name + suffix in tensors}
    if not means:
        return {}
    fits = all(
        name in means and means[name].shape == tensors[f"{name}.bias"].shape for name in names
    )
    if not fits or means_hash(means) != metadata.get(f"means_{pooling}_sha256"):
        raise WeightsError(
            f"The mean activations in {path.name!r} are damaged: import it again, with --overwrite."
        )
    return means


def _read(
    path: Path, *, only: tuple[str, ...] = ("",), leave_out: tuple[str, ...] = ()
) -> tuple[dict[str, Tensor], dict[str, str]]:
    try:
        with held(), safe_open(str(path), framework="pt") as file:
            present = [name for name in file.keys() if name.startswith(only)]  # noqa: SIM118
            names = [name for name in present if not name.startswith(leave_out)]
            return {name: file.get_tensor(name) for name in names}, file.metadata() or {}
    except (SafetensorError, OSError, ValueError) as error:
        if is_shortage(error):
            raise
        raise WeightsError(
            f"{path.name!r} is not a safetensors file, or it is damaged: get it again."
        ) from error


def _hash_of(path: Path) -> str:
    _check_size(path)
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _check_size(path: Path) -> None:
    if not path.is_file():
        raise WeightsError(f"There is no weights file {str(path)!r}: check the name.")
    if path.stat().st_size > MAX_BYTES:
        raise WeightsError(f"{path.name!r} is too large to be a network's weights: check the name.")


def _convention(metadata: dict[str, str], usual: InputConvention) -> InputConvention:
    """The convention that the file states in JSON, else the network's default."""
    return convention_from_json(metadata.get("input", "")) or usual

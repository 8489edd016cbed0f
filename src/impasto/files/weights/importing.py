"""Importing a network: stored as safetensors, with its convention and mean activations.

The weights are stored as released, and beside them, for each pooling, the mean
activations by which :mod:`impasto.nets.normalise` scales when the network is loaded.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import torch.nn.functional as F
from safetensors.torch import save_file
from torch import Tensor

from impasto.errors import OutputError, PictureError
from impasto.files.outputs import Outputs
from impasto.files.pictures.images import read_picture
from impasto.files.weights.cache import (
    discard_unfinished,
    download_path,
    locked,
    model_path,
    staged,
)
from impasto.files.weights.download import Patience, download
from impasto.files.weights.provenance import (
    UNKNOWN,
    Provenance,
    provenance_of_file,
    provenance_of_stored,
    stated,
)
from impasto.files.weights.readers import check_reader, convention_to_json, read_weights
from impasto.files.weights.recognise import VggWeights, recognise
from impasto.files.weights.registry import Model, find_model
from impasto.nets.normalise import floored, mean_activations, means_hash
from impasto.nets.pooling import Pooling
from impasto.nets.vgg import TORCHVISION_CONVENTION, vgg19
from impasto.ops.natural import natural_picture
from impasto.shortage import memory_told

Report = Callable[[int, int, str], None]
"""Called with the amount done, the total (bytes or pictures), and a few words."""

POOLINGS: tuple[Pooling, ...] = ("avg", "max")
MADE, MADE_SIZE = 12, 256  # generated pictures, and their sides in pixels
FLOOR = 0.1  # of a layer's median mean activation, for generated pictures
MOST_PICTURES, LONGEST = 200, 512  # the user's pictures, and their longest side in pixels


@dataclass(frozen=True)
class Stored:
    """The result of an import or a download.

    Attributes:
        name: its name for ``--network``.
        path: of the safetensors file.
        weights: which network it is, and how that was determined.
        provenance: the origin of the weights, by their file's hash.
        pictures: a text on the pictures for the means.

    """

    name: str
    path: Path
    weights: VggWeights
    provenance: Provenance
    pictures: str


@dataclass(frozen=True)
class _Pictures:
    """Pictures for the means, read or generated one at a time."""

    count: int
    about: str
    floor: float
    one: Callable[[int], Tensor]

    def __iter__(self) -> Iterator[Tensor]:
        return (self.one(index) for index in range(self.count))


@memory_told("close other programs")
def import_weights(
    path: Path,
    *,
    name: str | None = None,
    convention: str | None = None,
    pictures: Path | None = None,
    overwrite: bool = True,
    report: Report = lambda *_: None,
) -> Stored:
    """Store a VGG-19 from a Keras ``.h5``, a torch ``.pth`` or a safetensors file.

    Args:
        path: the file.
        name: a name of the registry; by default the release that is recognised.
        convention: ``vgg19`` or ``vgg19-torchvision``, for a file that does not state it.
        pictures: a folder of photographs for the mean activations; generated pictures by default.
        overwrite: whether an installed network of that name may be replaced.
        report: called with the progress.

    Raises:
        OutputError: the file is the installed network itself, or that may not be replaced.
        WeightsError: the file has another format, is no complete VGG-19, or cannot be stored.
        PictureError: the folder has no pictures.

    """
    if name is not None:
        find_model(name)
    chosen = _chosen(pictures)
    raw = read_weights(path)
    weights = recognise(raw, convention=convention)
    name = name or weights.release or _name_by_convention(weights)
    Outputs([path]).check_not_read(model_path(name))
    if model_path(name).is_file() and not overwrite:
        raise OutputError(
            f"The network {name!r} is already installed: add --overwrite to replace it, or run "
            f"impasto models remove {name} first."
        )
    with locked(name):
        discard_unfinished(name)
        return _store(weights, name, path, chosen, report, metadata=raw.metadata)


@memory_told("close other programs")
def download_model(
    name: str,
    *,
    pictures: Path | None = None,
    report: Report = lambda *_: None,
    patience: Patience | None = None,
) -> Stored:
    """Download a network of the registry and store it; an interrupted download is resumed.

    Raises:
        WeightsError: no such model, no mirror has it, or it cannot be stored.
        PictureError: the folder has no pictures.

    """
    model = find_model(name)
    check_reader(model.format)
    chosen = _chosen(pictures)
    with locked(name):
        discard_unfinished(name)
        part = download_path(name, model.format)
        download(
            model,
            part,
            report=lambda done, what: report(done, model.bytes, what),
            patience=patience or Patience(),
        )
        weights = recognise(read_weights(part), convention=_stated(model))
        stored = _store(weights, name, part, chosen, report, source=Path(model.urls[0]).name)
        part.unlink()
    return stored


def _store(
    weights: VggWeights,
    name: str,
    path: Path,
    pictures: _Pictures,
    report: Report,
    *,
    source: str | None = None,
    metadata: Mapping[str, str] | None = None,
) -> Stored:
    tensors = dict(weights.tensors)
    sha256 = _sha256(path)
    provenance = provenance_of_file(path, sha256)
    if metadata and provenance.kind == UNKNOWN:  # perhaps one that impasto stored elsewhere
        provenance = provenance_of_stored(metadata, tensors, set(tensors))
    if provenance.kind != UNKNOWN and metadata and "source_sha256" in metadata:
        sha256 = metadata["source_sha256"]
    kept = {
        "input": convention_to_json(weights.convention),
        "network": "vgg19",
        "told": weights.reason,
        "source": source or path.name,
        "source_sha256": sha256,
        "means_over": pictures.about,
        **stated(provenance, weights.tensors),
    }
    for turn, pooling in enumerate(POOLINGS):
        means = _means(weights, pooling, pictures, report, turn)
        tensors |= {f"{layer}.mean_{pooling}": mean for layer, mean in means.items()}
        kept[f"means_{pooling}_sha256"] = means_hash(means)
    with staged(name) as new:
        save_file(tensors, new, metadata=kept)
    return Stored(name, model_path(name), weights, provenance, pictures.about)


def _means(
    weights: VggWeights, pooling: Pooling, pictures: _Pictures, report: Report, turn: int
) -> dict[str, Tensor]:
    network = vgg19(weights.tensors, convention=weights.convention, pooling=pooling)

    def reported() -> Iterator[Tensor]:
        for index, picture in enumerate(pictures):
            done = turn * pictures.count + index
            report(done, len(POOLINGS) * pictures.count, "measuring mean activations")
            yield picture

    means = mean_activations(network, reported())
    return floored(means, pictures.floor) if pictures.floor else means


def _chosen(folder: Path | None) -> _Pictures:
    if folder is None:
        return _Pictures(
            MADE,
            f"{MADE} generated pictures of {MADE_SIZE} x {MADE_SIZE}, seeds 0 to {MADE - 1}",
            FLOOR,
            lambda seed: natural_picture(MADE_SIZE, MADE_SIZE, seed=seed),
        )
    if not folder.is_dir():
        raise PictureError(f"There is no folder {str(folder)!r}: give --pictures a folder.")
    usable = [path for path in sorted(folder.iterdir()) if path.is_file() and _readable(path)]
    usable = usable[:MOST_PICTURES]
    if not usable:
        raise PictureError(f"The folder {str(folder)!r} has no pictures that can be read.")
    return _Pictures(
        len(usable),
        f"{len(usable)} pictures of the user's",
        0.0,
        lambda index: _fitted(read_picture(usable[index]).tensor),
    )


def _readable(path: Path) -> bool:
    try:
        return min(read_picture(path).size) >= 32
    except PictureError:
        return False


def _fitted(image: Tensor) -> Tensor:
    scale = LONGEST / max(image.shape[-2:])
    if scale >= 1:
        return image
    size = [max(32, round(side * scale)) for side in image.shape[-2:]]
    return F.interpolate(image, size=size, mode="bilinear", antialias=True, align_corners=False)


def _stated(model: Model) -> str:
    """The convention of a registered release has the release's name."""
    return "vgg19-torchvision" if model.convention == TORCHVISION_CONVENTION else "vgg19"


def _name_by_convention(weights: VggWeights) -> str:
    return "vgg19-torchvision" if weights.convention.range == 1.0 else "vgg19"


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()

"""Files of trained networks: a finished one, or a checkpoint of its training.

A safetensors file: the network's tensors (and the optimiser's, in a checkpoint), and as text how it
was trained, with a hash of everything. Nothing in it is executed, and no name in it is used as
a path.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from impasto.engine.training import Training
from impasto.errors import ImpastoError, WeightsError
from impasto.files.atomic import atomic_write
from impasto.nets.feedforward import Painter
from impasto.recipe.methods import brought_up
from impasto.recipe.still import Recipe
from impasto.recipe.typed import MismatchError, build, convert
from impasto.shortage import is_shortage

FORMAT, VERSION = "impasto-trained", 1
SUFFIX = ".safetensors"
MAX_BYTES = 256_000_000
MOST_PAINTINGS, WIDEST, MOST_BLOCKS = 100, 256, 32


@dataclass(frozen=True)
class Source:
    """A painting: its file's name without folders, and hash."""

    name: str
    sha256: str


@dataclass(frozen=True)
class Point:
    """Mean losses of the steps since the previous point, up to this step."""

    step: int
    total: float | None
    content: float | None
    style: float | None
    variation: float | None


@dataclass(frozen=True)
class About:
    """How a network was trained.

    Attributes:
        paintings: those that it was trained for, in order.
        photographs: a text on their origin.
        photographs_sha256: hash of their names and sizes.
        network: name of the network whose features the loss uses.
        network_sha256: hash of its file.
        training: size and number of the crops, rate, seed.
        recipe: the objective; its size is that of the pictures to be made.
        widths: of :class:`impasto.nets.feedforward.Painter`.
        blocks: likewise.
        step: steps done.
        seconds: time that they took.
        is_finished: it has done all requested steps or minutes.
        steps: requested; None if minutes were.
        minutes: requested; None if steps were.
        losses: the loss curve.
        version: of impasto.

    """

    paintings: tuple[Source, ...]
    photographs: str
    photographs_sha256: str
    network: str
    network_sha256: str
    training: Training
    recipe: Recipe
    widths: tuple[int, int, int]
    blocks: int
    step: int
    seconds: float
    is_finished: bool
    steps: int | None
    minutes: float | None
    losses: tuple[Point, ...] = field(repr=False)
    version: str

    @property
    def made_of(self) -> tuple[object, ...]:
        """The values that must be equal for one training to continue another."""
        hashes = tuple(each.sha256 for each in self.paintings)
        recipe = {k: v for k, v in self.recipe.as_dict().items() if k not in ("threads", "weights")}
        own = (self.training, self.widths, self.blocks, self.photographs_sha256)
        return (hashes, self.network_sha256, json.dumps(recipe, sort_keys=True), *own)


@dataclass(frozen=True)
class Trained:
    """A file that has been read.

    Attributes:
        about: how it was trained.
        tensors: ``painter.*``; in a checkpoint also ``adam.*``.
        sha256: of the file.

    """

    about: About
    tensors: Mapping[str, Tensor] = field(repr=False)
    sha256: str

    def painter(self) -> Painter:
        """The network, in float32, ready to paint.

        Raises:
            WeightsError: the tensors belong to another network.

        """
        painter = Painter(len(self.about.paintings), self.about.widths, self.about.blocks)
        own = {n.removeprefix("painter."): v for n, v in self.tensors.items() if "painter." in n}
        try:
            painter.load_state_dict(own)
        except RuntimeError as error:
            if is_shortage(error):
                raise
            raise WeightsError(
                "The file's tensors are not those of the network that it describes: train it again."
            ) from error
        return painter.eval().requires_grad_(False)


def write_trained(path: Path, about: About, tensors: Mapping[str, Tensor]) -> None:
    """Write a network or a checkpoint of its training atomically.

    Raises:
        OutputError: it cannot be written.

    """
    own = {name: tensor.contiguous() for name, tensor in tensors.items()}
    values = {**asdict(about), "recipe": about.recipe.as_dict()}
    text = json.dumps({"format": FORMAT, "version": VERSION, "about": values}, allow_nan=False)
    data = save(own, metadata={FORMAT: text, "sha256": _digest(text, own)})
    with atomic_write(path) as temporary:
        temporary.write_bytes(data)


def read_trained(path: Path) -> Trained:
    """Read a network or a checkpoint; its tensors are copies.

    Raises:
        WeightsError: it is missing, damaged, another kind of file, or of a later version.

    """
    if not path.is_file():
        raise WeightsError(f"There is no trained network {str(path)!r}: check the name.")
    try:
        if path.stat().st_size > MAX_BYTES:
            raise MismatchError("too large")
        with safe_open(str(path), framework="pt") as file:
            metadata = file.metadata() or {}
            tensors = {name: file.get_tensor(name).clone() for name in file.keys()}  # noqa: SIM118
        if FORMAT not in metadata:
            raise WeightsError(
                f"{path.name!r} is not a network made by impasto train: name a painting, or "
                "such a network."
            )
        if metadata.get("sha256") != _digest(metadata[FORMAT], tensors):
            raise MismatchError("another hash")
        return Trained(_about(json.loads(metadata[FORMAT])), _checked(tensors), _hash_of(path))
    except WeightsError:
        raise
    except (
        *(SafetensorError, OSError, ImpastoError),
        *(ArithmeticError, LookupError, RuntimeError, TypeError, ValueError),
    ) as error:
        if is_shortage(error):
            raise
        raise WeightsError(
            f"{path.name!r} is not a trained network, or it is damaged: train it again."
        ) from error


def is_trained(path: Path) -> bool:
    """Whether a file states that impasto train made it, even a damaged one."""
    try:
        with safe_open(str(path), framework="pt") as file:
            return FORMAT in (file.metadata() or {})
    except (SafetensorError, OSError):
        return False


def finite_or_none(value: float) -> float | None:
    """The number, or None if it is not finite, which JSON cannot express."""
    return value if math.isfinite(value) else None


def _about(values: Any) -> About:
    if values["format"] != FORMAT or convert(values["version"], int) > VERSION:
        raise WeightsError("The network was trained by a later impasto: update this one.")
    described = values["about"]
    about = build(About, {**described, "recipe": brought_up(described["recipe"])})
    if not 1 <= len(about.paintings) <= MOST_PAINTINGS:
        raise MismatchError("paintings out of range")
    if not (min(about.widths) >= 1 and max(about.widths) <= WIDEST):
        raise MismatchError("widths out of range")
    if not (0 <= about.blocks <= MOST_BLOCKS and about.step >= 0 and about.seconds >= 0):
        raise MismatchError("a number out of range")
    return about


def _checked(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    for tensor in tensors.values():
        if tensor.dtype != torch.float32 or not tensor.isfinite().all():
            raise MismatchError("numbers that are not finite float32")
    return tensors


def _digest(text: str, tensors: Mapping[str, Tensor]) -> str:
    digest = hashlib.sha256(text.encode())
    for name in sorted(tensors):
        digest.update(name.encode())
        digest.update(tensors[name].reshape(-1).view(torch.uint8).numpy().data)
    return digest.hexdigest()


def _hash_of(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()

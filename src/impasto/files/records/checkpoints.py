"""Checkpoints: a run between two steps in one file, from which it goes on bit for bit.

A safetensors file: the tensors, numbered, and as text the record of the run so far, how the tensors
lie in the optimiser's state, and a hash of it all. Nothing in it could run, and no name in it is
used as a path.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from impasto.engine.planning.plan import Plan
from impasto.engine.state import Checkpoint, Losses
from impasto.errors import ImpastoError, OutputError, RecordError
from impasto.files.atomic import atomic_write
from impasto.files.records.finished import Wanted
from impasto.files.records.loss_curve import LossCurve
from impasto.files.records.read import Record, StepLosses, parse_record
from impasto.recipe.typed import MismatchError, convert
from impasto.shortage import is_shortage

_LOSSES = "losses"  # beside tensors that are named by numbers
ADVICE = "leave out --resume to start anew"


@dataclass(frozen=True)
class Kept:
    """A checkpoint, read back.

    Attributes:
        record: of the run so far; its last losses are those of the checkpoint.
        plan: the run's, to be gone on with.
        point: where the run stood.

    """

    record: Record
    plan: Plan
    point: Checkpoint

    def check(self, wanted: Wanted, plan: Plan) -> None:
        """Make sure that it is a checkpoint of this very run.

        Args:
            wanted: the recipe, the inputs and the network of the run.
            plan: as it would be made now; other threads, tiles or precisions do not matter.

        Raises:
            RecordError: it is another run's, or of another device.

        """
        if not wanted.matches(self.record) or _sizes(plan) != _sizes(self.plan):
            raise RecordError(
                "The checkpoint is of another recipe, other pictures or another network: "
                f"{ADVICE}, or give the same options again."
            )
        if plan.device != self.plan.device:
            raise RecordError(
                f"The checkpoint is of a run on {self.plan.device!r}, and this one would be on "
                f"{plan.device!r}: {ADVICE}."
            )


def checkpoint_path(picture: Path) -> Path:
    """Where the checkpoint of a picture lies: beside it, ending in ``.checkpoint``."""
    return picture.with_suffix(".checkpoint")


def write_checkpoint(
    path: Path, point: Checkpoint, record: Mapping[str, Any], losses: LossCurve
) -> None:
    """Write where a run stands, atomically.

    Args:
        path: where to.
        point: between two steps.
        record: of the run so far, without its losses, of which text would take many times the room.
        losses: of the run so far, the point's last.

    Raises:
        OutputError: it cannot be written.

    """
    tensors: dict[str, Tensor] = {}
    state = _packed(
        {"image": point.image, "gradient": point.gradient, "optimizer": point.optimizer}, tensors
    )
    text = json.dumps(
        {"stage": point.stage, "step": point.step, "state": state, "record": record}, default=str
    )
    tensors[_LOSSES] = losses.numbers()
    metadata = {"impasto": text, "sha256": _digest(text, tensors)}
    try:
        with atomic_write(path) as temporary:
            save_file(tensors, temporary, metadata=metadata)
    except SafetensorError as error:
        raise OutputError(
            f"{path.name!r} could not be written (the disk may be full): make room, or leave "
            "checkpoints out with --checkpoint 0."
        ) from error


def read_checkpoint(path: Path) -> Kept:
    """Read a checkpoint back; its tensors are copies, the file itself is only mapped.

    Raises:
        RecordError: there is none, it is damaged, or another version's.

    """
    if not path.is_file():
        raise RecordError(f"There is no checkpoint {str(path)!r}: {ADVICE}.")
    try:
        with safe_open(str(path), framework="pt") as file:
            metadata = file.metadata() or {}
            tensors = {name: file.get_tensor(name).clone() for name in file.keys()}  # noqa: SIM118
        text = metadata["impasto"]
        if metadata["sha256"] != _digest(text, tensors):
            raise MismatchError("another hash")
        return _kept(json.loads(text), tensors, path.name)
    except ImpastoError:
        raise
    except (
        *(SafetensorError, OSError),
        *(ArithmeticError, LookupError, RuntimeError, TypeError, ValueError),
    ) as error:
        if is_shortage(error):
            raise
        raise RecordError(
            f"{path.name!r} is no checkpoint of impasto's, or a damaged one: {ADVICE}."
        ) from error


def is_checkpoint(path: Path) -> bool:
    """Whether a file is one of impasto's checkpoints, whole or damaged: it may be replaced."""
    try:
        with safe_open(str(path), framework="pt") as file:
            return "impasto" in (file.metadata() or {})
    except (SafetensorError, OSError):
        return False


def losses_of(step: StepLosses) -> Losses:
    """The losses that a record's entry stands for: None is what was not finite."""
    total, content, style, variation = (
        math.nan if value is None else value
        for value in (step.total, step.content, step.style, step.variation)
    )
    return Losses(total, content, style, variation)


def _kept(values: Any, tensors: Mapping[str, Tensor], name: str) -> Kept:
    losses = list(LossCurve.of(tensors[_LOSSES]))
    record = parse_record({**values["record"], "losses": losses}, name)
    state = _unpacked(values["state"], tensors)
    if record.plan is None:
        raise RecordError(f"{name!r} is another version's checkpoint: {ADVICE}.")
    point = Checkpoint(
        convert(values["stage"], int),
        convert(values["step"], int),
        state["image"],
        state["gradient"],
        losses_of(record.losses[-1]),
        state["optimizer"],
    )
    return Kept(record, record.plan, point)


def _packed(value: Any, tensors: dict[str, Tensor]) -> Any:
    """The plain values of a state, each tensor moved to ``tensors`` and named by its number."""
    if isinstance(value, Tensor):
        return {"tensor": _numbered(value.detach().cpu().contiguous(), tensors)}
    if isinstance(value, Mapping):
        return {"dict": {name: _packed(each, tensors) for name, each in value.items()}}
    return [_packed(each, tensors) for each in value] if isinstance(value, list | tuple) else value


def _numbered(tensor: Tensor, tensors: dict[str, Tensor]) -> str:
    for name, other in tensors.items():
        if other.data_ptr() == tensor.data_ptr() and other.shape == tensor.shape:
            return name
    if tensor.untyped_storage().nbytes() != tensor.nbytes:
        tensor = tensor.clone()  # a part of something larger
    name = str(len(tensors))
    tensors[name] = tensor
    return name


def _unpacked(value: Any, tensors: Mapping[str, Tensor]) -> Any:
    if isinstance(value, list):
        return [_unpacked(each, tensors) for each in value]
    if not isinstance(value, dict):
        return value
    if "tensor" in value:
        return tensors[value["tensor"]]
    return {name: _unpacked(each, tensors) for name, each in value["dict"].items()}


def _digest(text: str, tensors: Mapping[str, Tensor]) -> str:
    digest = hashlib.sha256(text.encode())
    for name in sorted(tensors):
        digest.update(tensors[name].reshape(-1).view(torch.uint8).numpy().data)
    return digest.hexdigest()


def _sizes(plan: Plan) -> list[tuple[Any, ...]]:
    """What of a plan decides what is computed, rather than how."""
    return [(s.height, s.width, s.size, s.styles, s.steps, s.window) for s in plan.stages]

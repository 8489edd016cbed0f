"""Checkpoints: the state of a run between two steps in one file, to resume from bit for bit.

A safetensors file with numbered tensors and, as text, the record of the run so far, the structure
of the optimiser's state, and a hash of everything. Nothing in it is executed, and no name in it is
used as a path.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
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

_LOSSES = "losses"  # the other tensors are named by numbers
ADVICE = "leave out --resume to start again"


@dataclass(frozen=True)
class Kept:
    """A checkpoint that has been read.

    Attributes:
        record: of the run so far; its last losses are those of the checkpoint.
        plan: the run's; a resumed run uses it.
        point: the state of the run.

    """

    record: Record
    plan: Plan
    point: Checkpoint

    def check(self, wanted: Wanted, plan: Plan) -> None:
        """Make sure that the checkpoint belongs to this run.

        Args:
            wanted: the recipe, the inputs and the network of the run.
            plan: as it would be made now; threads, tiles and precision may differ.

        Raises:
            RecordError: it belongs to another run or another device.

        """
        if not wanted.matches(self.record) or _sizes(plan) != _sizes(self.plan):
            raise RecordError(
                "The checkpoint is of another recipe, other pictures or another network: "
                f"{ADVICE}, or give the same options again."
            )
        if plan.device != self.plan.device:
            raise RecordError(
                f"The checkpoint was made on {self.plan.device!r}, and this one would be on "
                f"{plan.device!r}: {ADVICE}."
            )


def checkpoint_path(picture: Path) -> Path:
    """The path of a picture's checkpoint: beside it, ending in ``.checkpoint``."""
    return picture.with_suffix(".checkpoint")


def write_checkpoint(
    path: Path, point: Checkpoint, record: Mapping[str, Any], losses: LossCurve
) -> None:
    """Write the state of a run atomically.

    Args:
        path: the file.
        point: the state between two steps.
        record: of the run so far, without its losses, which would be much larger as text.
        losses: of the run so far, up to ``point``.

    Raises:
        OutputError: it cannot be written.

    """
    tensors: dict[str, Tensor] = {}
    state = _packed(
        {"image": point.image, "gradient": point.gradient, "optimizer": point.optimizer}, tensors
    )
    text = json.dumps(
        {
            "stage": point.stage,
            "step": point.step,
            "state": state,
            "record": record,
            "others": {
                name: loss if math.isfinite(loss) else None
                for name, loss in point.losses.others.items()
            },
        },
        default=str,
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
    """Read a checkpoint; its tensors are copied out of the mapped file.

    Raises:
        RecordError: it is missing, damaged or of another version.

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
            f"{path.name!r} is not one of impasto's checkpoints, or it is damaged: {ADVICE}."
        ) from error


def is_checkpoint(path: Path) -> bool:
    """Whether a file is an impasto checkpoint, even a damaged one; it may then be replaced."""
    try:
        with safe_open(str(path), framework="pt") as file:
            return "impasto" in (file.metadata() or {})
    except (SafetensorError, OSError):
        return False


def losses_of(step: StepLosses) -> Losses:
    """The losses of a record's entry, where None means not finite."""
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
        raise RecordError(f"{name!r} is a checkpoint of another version: {ADVICE}.")
    point = Checkpoint(
        convert(values["stage"], int),
        convert(values["step"], int),
        state["image"],
        state["gradient"],
        replace(losses_of(record.losses[-1]), others=_others(values)),
        state["optimizer"],
    )
    return Kept(record, record.plan, point)


def _others(values: Any) -> dict[str, float]:
    """The losses of the terms that a record's entry has no place for."""
    found = convert(values.get("others", {}), dict[str, float | None])
    return {name: math.nan if loss is None else loss for name, loss in found.items()}


def _packed(value: Any, tensors: dict[str, Tensor]) -> Any:
    """A state as plain values; each tensor is moved to ``tensors`` and replaced by its number."""
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
        tensor = tensor.clone()  # a view of a larger tensor
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
    """The parts of a plan that decide what is computed, not how."""
    return [(s.height, s.width, s.size, s.styles, s.steps, s.window) for s in plan.stages]

"""Pictures by a trained network, and the same made again from their records."""

from __future__ import annotations

import copy
import json
import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch

from impasto.engine.painting import paint
from impasto.engine.planning.plan import Plan, make_plan
from impasto.engine.threads import on_threads
from impasto.errors import ImpastoError, PictureError, RecipeError, RecordError
from impasto.files.outputs import is_folder
from impasto.files.pictures.finding import find_by_name
from impasto.files.pictures.fitting import cropped_for, padded_for
from impasto.files.pictures.images import Picture, PictureLike, read_picture, to_pillow
from impasto.files.records.read import Input, check_name, read_values
from impasto.files.records.write import (
    SCHEMA,
    changed_versions,
    pixels_sha256,
    record_path,
    versions,
)
from impasto.files.weights.trained import SUFFIX, Trained, read_trained
from impasto.jobs.still import Result, StrPath
from impasto.nets.feedforward import SMALLEST
from impasto.ops.color import match_color_statistics, with_luma_of
from impasto.ops.inits import resize
from impasto.recipe.options import given_in_vain
from impasto.recipe.still import Recipe
from impasto.recipe.typed import MismatchError, build, convert
from impasto.shortage import memory_told

TASK = "trained"


class TrainedStylizer:
    """A network that ``impasto train`` has made, ready for any number of photographs.

    Args:
        path: its file.

    Attributes:
        trained: the file.

    Raises:
        WeightsError: it is missing, damaged, or another kind of file.

    """

    def __init__(self, path: StrPath) -> None:
        self.path = Path(path)
        self.trained: Trained = read_trained(self.path)
        self._painter = self.trained.painter()

    def check(self, recipe: Recipe) -> None:
        """Make sure that a recipe is one that the network can follow.

        Raises:
            RecipeError: it names something that was settled by the training, or the blend does not
                match the paintings.

        """
        if given := given_in_vain(recipe, "trained"):
            raise RecipeError(
                f"{given} means nothing to a trained network: leave it out, or name the painting "
                "in place of the network."
            )
        recipe.blend_for(len(self.trained.about.paintings))

    def __call__(
        self,
        content: PictureLike,
        show: Callable[[float], None] = lambda _: None,
        **options: Any,
    ) -> Result:
        """Paint a photograph.

        Args:
            content: the photograph.
            show: is told how much is done, in [0, 1].
            options: those of the recipe that a trained network knows.

        Raises:
            ImpastoError: with one sentence that says what to do.

        """
        return self.paint(Recipe.from_dict(options), content, show)

    @memory_told()
    def paint(
        self,
        recipe: Recipe,
        content: PictureLike,
        show: Callable[[float], None] = lambda _: None,
    ) -> Result:
        """The same of a recipe."""
        self.check(recipe)
        read = cropped_for(recipe, read_picture(content, max_pixels=recipe.max_pixels))
        size = _size(recipe, read.size)
        photograph = resize(read.tensor, *size)
        shares = torch.tensor(recipe.blend_for(len(self.trained.about.paintings)))
        start = time.monotonic()
        plan = _plan(recipe)
        with on_threads(plan.threads):
            painter = copy.deepcopy(self._painter).to(plan.device, _dtype(plan))
            painter = painter.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
            for done, record in paint(painter, photograph, shares):
                tensor = record
                show(done)
        seconds = time.monotonic() - start
        if recipe.preserve_color == "luminance":
            tensor = with_luma_of(photograph, tensor)
        elif recipe.preserve_color == "statistics":
            tensor = match_color_statistics(tensor, photograph)
        alpha = None if read.alpha is None else resize(read.alpha, *size)
        tensor = padded_for(recipe, tensor)
        alpha = None if alpha is None else padded_for(recipe, alpha)
        image = to_pillow(tensor, alpha)
        sources = [content] if isinstance(content, str | os.PathLike) else []
        return Result(
            image,
            tensor,
            {
                "schema": SCHEMA,
                **self.made_of(recipe, read),
                "trained": self._described(plan),
                "result": {
                    "size": list(tensor.shape[-2:]),
                    "sha256": pixels_sha256(image),
                    "seconds": round(seconds, 3),
                },
                "versions": versions(),
            },
            alpha,
            recipe.depth,
            recipe.resolution,
            read.notes,
            tuple(Path(each).absolute() for each in (*sources, self.path)),
        )

    def made_of(self, recipe: Recipe, photograph: Picture) -> dict[str, Any]:
        """What decides how a picture comes out; plain values, part of its record."""
        picture = {
            "name": photograph.name,
            "sha256": photograph.sha256,
            "size": list(photograph.size),
        }
        network = {"name": self.path.name, "sha256": self.trained.sha256}
        return {
            "task": TASK,
            "recipe": recipe.as_dict(),
            "inputs": {"content": [picture]},
            "network": network,
        }

    def _described(self, plan: Plan) -> dict[str, Any]:
        about = self.trained.about
        return {
            "paintings": [each.name for each in about.paintings],
            "steps": about.step,
            "device": plan.device,
            "precision": plan.stages[0].precision,
            "threads": plan.threads,
        }


def is_network(path: Path) -> bool:
    """Whether a name is a trained network's, in the place of a painting's."""
    return path.suffix.lower() == SUFFIX and not is_folder(path)


@dataclass(frozen=True)
class _Found:
    """What a record says, checked."""

    recipe: Recipe
    content: Input
    network: str
    network_sha256: str
    sha256: str
    versions: Mapping[str, str]


class TrainedRerun:
    """A trained network's picture about to be made again.

    Args:
        path: the picture, or its ``.json``.
        content: the photograph, where it lies neither beside the record nor here.
        weights: the network's file, likewise.
        max_pixels: largest picture that is read or made, whatever the record allows.

    Attributes:
        inputs: the files that are read.

    Raises:
        ImpastoError: a file is not to be found, or cannot be read.

    """

    def __init__(
        self,
        path: Path,
        *,
        content: StrPath | None = None,
        weights: StrPath | None = None,
        max_pixels: int = Recipe.max_pixels,
    ) -> None:
        self._record = _read(path)
        record, folders = self._record, (path.parent, Path())
        if record.recipe.max_pixels > max_pixels:
            raise RecordError(
                f"The record allows pictures of {record.recipe.max_pixels:,} pixels: if you do "
                f"too, say so with --max-pixels {record.recipe.max_pixels}."
            )
        photograph = content or find_by_name(record.content.name, record.content.sha256, folders)
        network = weights or find_by_name(record.network, record.network_sha256, folders)
        if photograph is None or network is None:
            missing, flag = (
                (record.content.name, "--content")
                if photograph is None
                else (record.network, "--weights")
            )
            raise RecordError(
                f"{missing!r} lies neither beside the record nor here: name it with {flag}."
            )
        self._stylizer = TrainedStylizer(network)
        self.inputs = (Path(photograph), Path(network))

    def finish(self) -> tuple[Result, bool, tuple[str, ...]]:
        """The picture, whether its pixels are the record's, and what is not as it was."""
        record = self._record
        result = self._stylizer.paint(record.recipe, self.inputs[0])
        changes = []
        if result.record["inputs"]["content"][0]["sha256"] != record.content.sha256:
            changes.append(f"The photograph {record.content.name!r} is not the one of the record.")
        if self._stylizer.trained.sha256 != record.network_sha256:
            changes.append(f"The network {record.network!r} is not that of the record.")
        changes += changed_versions(record.versions, versions())
        return result, result.record["result"]["sha256"] == record.sha256, tuple(changes)


def is_finished(path: Path, made_of: Mapping[str, Any]) -> bool:
    """Whether a picture is there, with the record of one that is made of the same."""
    try:
        values = json.loads(record_path(path).read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return False
    plain = json.loads(json.dumps(made_of))
    is_same = isinstance(values, dict) and all(values.get(n) == v for n, v in plain.items())
    return is_same and path.is_file()


def _read(path: Path) -> _Found:
    values = read_values(path)
    try:
        (content,) = convert(values["inputs"]["content"], tuple[Input, ...])
        network = convert(values["network"], dict[str, str])
        for name in (network["name"], content.name):
            check_name(name)
        return _Found(
            build(Recipe, values["recipe"]),
            content,
            network["name"],
            network["sha256"],
            convert(values["result"]["sha256"], str),
            convert(values["versions"], dict[str, str]),
        )
    except (MismatchError, ImpastoError, LookupError, TypeError, ValueError) as error:
        raise RecordError(f"The record of {path.name!r} is not one that impasto wrote.") from error


def _size(recipe: Recipe, photograph: tuple[int, int]) -> tuple[int, int]:
    full = recipe.size_for(*photograph)
    if full[0] * full[1] > recipe.max_pixels:
        raise RecipeError(
            f"The result would have {full[1]} x {full[0]} pixels, more than "
            f"{recipe.max_pixels:,}: ask for a smaller one, or allow more with --max-pixels."
        )
    if min(full) < SMALLEST:
        raise PictureError(
            f"The photograph would be {full[1]} x {full[0]} pixels: its short side must be at "
            f"least {SMALLEST}; crop it, or ask for a larger --size."
        )
    return full


def _plan(recipe: Recipe) -> Plan:
    """Device, precision and threads."""
    small = replace(
        recipe, size=256, print=None, scales=1, steps=(1,), margin=0, blend=None, tile="none"
    )
    return make_plan(small, (256, 256), [])


def _dtype(plan: Plan) -> torch.dtype:
    return torch.bfloat16 if plan.stages[0].precision == "bf16" else torch.float32

"""Making a result again from its record, and saying what is no longer as it was.

Files are looked for by name, in folders that the caller names, and checked by hash; a record can
name no folder, and nothing is written here.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from PIL import Image

from impasto.engine.planning.plan import Machine, Plan
from impasto.engine.state import State
from impasto.errors import RecordError
from impasto.files.pictures.finding import file_sha256, find_by_name
from impasto.files.records.films import FilmRecord
from impasto.files.records.read import Input, Record, read_record, task_of
from impasto.files.records.write import changed_versions, pixels_sha256, versions
from impasto.jobs import painted, trained
from impasto.jobs.painted import PaintedRerun
from impasto.jobs.running import carry_out
from impasto.jobs.still import Job, Result, StrPath
from impasto.jobs.stylizer import Stylizer
from impasto.jobs.trained import TrainedRerun
from impasto.recipe.still import FACES, INITS, Recipe

_ROLES = {
    "content": "photograph",
    "styles": "painting",
    "init": "starting picture",
    "protect": "mask",
    "regions": "map",
    "style_regions": "painting's map",
}
_OPTIONS = {
    "content": "--content",
    "styles": "--style",
    "init": "--init",
    "protect": "--protect",
    "regions": "--regions",
    "style_regions": "--style-regions",
}


@dataclass(frozen=True)
class Reproduction:
    """A result made again.

    Attributes:
        result: the new one.
        identical: whether its pixels are those of the original; None where neither the record has
            a hash nor a lossless original is at hand.
        changes: what is not as it was, one sentence each.

    """

    result: Result
    identical: bool | None
    changes: tuple[str, ...]


class Rerun:
    """A record about to be carried out.

    Args:
        path: the result, or its ``.json``.
        folders: where its files are looked for, by name; beside it and here when not given.
        content: the photograph, in place of the record's name; likewise ``style`` (all of them),
            ``init``, ``protect`` (all of them), ``regions``, ``style_regions`` (all of them) and
            ``weights``.
        max_pixels: largest picture that is read or made, whatever the record allows.

    Raises:
        RecordError: a file is not to be found, or the record is of a run with objects of the
            caller's own.
        ImpastoError: a file cannot be read.

    """

    def __init__(
        self,
        path: Path,
        folders: Sequence[Path] | None = None,
        *,
        content: StrPath | None = None,
        style: Sequence[StrPath] = (),
        init: StrPath | None = None,
        protect: Sequence[StrPath] = (),
        regions: StrPath | None = None,
        style_regions: Sequence[StrPath] = (),
        weights: StrPath | None = None,
        max_pixels: int = Recipe.max_pixels,
    ) -> None:
        record = read_record(path)
        check_objects(record)
        folders = (path.parent, Path()) if folders is None else folders
        given = {
            "content": [] if content is None else [Path(content)],
            "styles": [Path(each) for each in style],
            "init": [] if init is None else [Path(init)],
            "protect": [Path(each) for each in protect],
            "regions": [] if regions is None else [Path(regions)],
            "style_regions": [Path(each) for each in style_regions],
        }
        self.record = record
        self._pixels = _pixels_at(path) if record.recipe.depth == 8 else None
        check_pixels(record, max_pixels)
        self._found = {role: find_inputs(record, role, given[role], folders) for role in _ROLES}
        starts = self._found["init"]
        recipe = recipe_here(record, folders, weights, starts[0] if starts else None)
        recipe = _mapped(recipe, self._found["regions"], self._found["style_regions"])
        masks = dict(zip(_names(record, "protect"), self._found["protect"], strict=True))
        stylizer = Stylizer.of(_masked(recipe, masks))
        self.job: Job = self._job(stylizer, stylizer.defaults, plan_here(record.plan))
        for each in record.changes:
            plan = plan_here(each.plan) or each.plan
            other = replace(
                each.recipe,
                weights=recipe.weights,
                regions=recipe.regions,
                style_regions=recipe.style_regions,
            )
            self.job.replay(replace(each, recipe=_masked(other, masks), plan=plan))
        self.changes = (
            *self._changed_result(),
            *self._changed_inputs(),
            *changed_weights(record.network, self.job.network),
            *changed_plan(record.plan, self.job.plan),
            *changed_versions(record.versions, versions()),
        )

    def is_done(self, state: State) -> bool:
        """True after as many steps as the record's run took: it may have been stopped early."""
        return state.step >= self.record.result.steps

    def finish(self) -> Reproduction:
        """The picture as the job left it, compared with the record."""
        result = self.job.result()
        known = self.record.result.sha256 or self._pixels
        identical = None if known is None else result.record["result"]["sha256"] == known
        return Reproduction(result, identical, self.changes)

    def _job(self, stylizer: Stylizer, recipe: Recipe, plan: Plan | None) -> Job:
        styles = list(self._found["styles"])
        if self.record.task == "stylize":
            return stylizer.start(recipe, self._found["content"][0], styles, plan=plan)
        return stylizer.start_texture(recipe, styles, _sides(self.record), plan=plan)

    def _changed_result(self) -> list[str]:
        known = self.record.result.sha256
        if known is None or self._pixels in (known, None):
            return []
        return ["The picture beside the record has been edited since it was made."]

    def _changed_inputs(self) -> list[str]:
        return [
            f"The {_ROLES[role]} {path.name!r} is not the one of the record: it has changed."
            for role, paths in self._found.items()
            for path, known in zip(paths, self.record.inputs[role], strict=True)
            if file_sha256(path) != known.sha256
        ]


def reproduce(
    path: StrPath,
    *,
    content: StrPath | None = None,
    style: Sequence[StrPath] = (),
    init: StrPath | None = None,
    protect: Sequence[StrPath] = (),
    regions: StrPath | None = None,
    style_regions: Sequence[StrPath] = (),
    weights: StrPath | None = None,
    max_pixels: int = Recipe.max_pixels,
) -> Reproduction:
    """Make a result again from the record inside it or beside it.

    Args:
        path: the result, or its ``.json``. Its inputs are looked for by name in its folder, then
            in the current one.
        content: the photograph, where it lies elsewhere; likewise ``style``, ``init``, ``weights``.
        style: the paintings, all of them; of an analogy, the example and its original.
        init: the starting picture.
        protect: the masks, all of them.
        regions: the map.
        style_regions: the paintings' maps, all of them.
        weights: the network's weights.
        max_pixels: largest picture that is read or made, whatever the record allows.

    Raises:
        ImpastoError: with one sentence that says what to do.

    """
    task = task_of(Path(path))
    if task == trained.TASK:
        again = TrainedRerun(Path(path), content=content, weights=weights, max_pixels=max_pixels)
        return Reproduction(*again.finish())
    if task == painted.TASK:
        painting = PaintedRerun(Path(path), content=content, style=style, max_pixels=max_pixels)
        return Reproduction(*painting.finish())
    rerun = Rerun(
        *(Path(path),), content=content, style=style, init=init, protect=protect, regions=regions,
        style_regions=style_regions, weights=weights, max_pixels=max_pixels,
    )  # fmt: skip
    carry_out(rerun.job, until=rerun.is_done)
    return rerun.finish()


def _pixels_at(path: Path) -> str | None:
    """Hash of the pixels of the result, if it is at hand as PNG."""
    picture = path.with_suffix(".png")
    if not picture.is_file():
        return None
    try:
        with Image.open(picture) as image:
            return pixels_sha256(image)
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        return None


def check_objects(record: Record | FilmRecord) -> None:
    """Make sure that a record holds all that made its result.

    Raises:
        RecordError: something came in as an object.

    """
    own = [name for name in ("style_loss", "terms", "optimizer", "flow") if name in record.network]
    if own or "sha256" not in record.network:
        what = record.network.get(own[0] if own else "name", "an object")
        raise RecordError(
            f"It was made with an object of the caller's own ({what[:60]!r}), which no "
            "record can hold: make it again from the same program."
        )
    if record.recipe.init not in INITS and not record.inputs["init"]:
        raise RecordError("The record does not say what its starting picture was.")


def find_inputs(
    record: Record | FilmRecord, role: str, given: list[Path], folders: Sequence[Path]
) -> list[Path]:
    """Files of a role: those that are given, or those of the record's names.

    Raises:
        RecordError: one is not to be found, or too few are given.

    """
    known = record.inputs[role]
    if given and len(given) != len(known):
        raise RecordError(
            f"{_OPTIONS[role]} names {len(given)} of {len(known)} pictures: name each, in order."
        )
    return given or [_find_one(each, role, folders) for each in known]


def _find_one(known: Input, role: str, folders: Sequence[Path]) -> Path:
    network_file = find_by_name(known.name, known.sha256, folders)
    if network_file is None:
        raise RecordError(
            f"The {_ROLES[role]} {known.name!r} lies neither beside the record nor here: name it "
            f"with {_OPTIONS[role]}."
        )
    return network_file


def recipe_here(
    record: Record | FilmRecord,
    folders: Sequence[Path],
    weights: StrPath | None,
    init: Path | None,
) -> Recipe:
    """The record's recipe, with the files that its names stand for here.

    Args:
        record: of a picture or a film.
        folders: where weights are looked for, by name.
        weights: the network's file, in place of that.
        init: the starting picture, where it is a file.

    Raises:
        RecordError: the weights are not to be found.

    """
    recipe = record.recipe
    if weights is None and recipe.weights is not None:
        weights = find_by_name(recipe.weights, record.network["sha256"], folders)
        if weights is None:
            raise RecordError(
                f"The weights {recipe.weights!r} lie neither beside the record nor here: name "
                "them with --weights."
            )
    return replace(
        recipe,
        weights=None if weights is None else os.fspath(weights),
        init=recipe.init if init is None else str(init),
    )


def _names(record: Record, role: str) -> list[str]:
    return [each.name for each in record.inputs[role]]


def _mapped(recipe: Recipe, regions: Sequence[Path], styles: Sequence[Path]) -> Recipe:
    """With the maps' files as they are named here."""
    if recipe.regions is None:
        return recipe
    if len(regions) != 1 or len(styles) != len(recipe.style_regions or ()):
        raise RecordError("The record does not say what its maps were.")
    parts = tuple(str(each) for each in styles) or None
    return replace(recipe, regions=str(regions[0]), style_regions=parts)


def _masked(recipe: Recipe, masks: Mapping[str, Path]) -> Recipe:
    """With the mask's file as it is named here."""
    if recipe.protect in (None, FACES):
        return recipe
    if recipe.protect not in masks:
        raise RecordError("The record does not say what its mask was.")
    return replace(recipe, protect=str(masks[recipe.protect]))


def check_pixels(record: Record | FilmRecord, most: int) -> None:
    """A record is not to decide how much memory it takes."""
    sizes = [stage.size for stage in record.plan.stages] if record.plan else []
    sizes += [size for stage in record.plan.stages for size in stage.styles] if record.plan else []
    asked = max([record.recipe.max_pixels, *(height * width for height, width in sizes)])
    if asked > most:
        raise RecordError(
            f"The record allows pictures of {asked:,} pixels: if you do too, say so with "
            f"--max-pixels {asked}."
        )


def plan_here(plan: Plan | None) -> Plan | None:
    """The record's plan on a device of this machine."""
    if plan is None or plan.device in Machine.here().devices:
        return plan
    return replace(plan, device="cpu", channels_last=True)


def _sides(record: Record) -> tuple[int, int]:
    """Width and height of a texture; one that was stopped early may have been smaller so far."""
    if record.plan is not None:
        last = record.plan.stages[-1]
        return last.width, last.height
    if record.result.size is None:
        raise RecordError("The record does not say how large the texture was.")
    height, width = record.result.size
    return width, height


def changed_weights(known: Mapping[str, str], here: Mapping[str, Any]) -> list[str]:
    """A sentence for each network that is another one."""

    def differs(*keys: str) -> bool:
        return any(known.get(key, here.get(key)) != here.get(key) for key in keys)

    changes = []
    if differs("sha256", "means_sha256"):
        changes.append(f"The network's weights {here['file']!r} are not those of the record.")
    if differs("decoder"):
        changes.append("The decoder of instant pictures is not that of the record.")
    return changes


def changed_plan(known: Plan | None, here: Plan) -> list[str]:
    """A sentence if the plan, or its device, is another one."""
    if known is None:
        return ["The record's plan is another version's: it was made again."]
    if known.device != here.device:
        return [f"It was made on {known.device!r}; here it is made on {here.device!r}."]
    return []

"""One picture in the making, and the finished one."""

from __future__ import annotations

import logging
import os
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, BinaryIO, Protocol

import numpy as np
import numpy.typing as npt
from PIL import Image
from torch import Tensor

from impasto.engine.crop import crop_plan, cropped, placed_in, run_cropped
from impasto.engine.interrupts import whole_steps
from impasto.engine.objective.terms import Term
from impasto.engine.optim.optimize import Optimizer
from impasto.engine.optim.storage import Storage, in_memory
from impasto.engine.planning.forecast import Forecast, forecast
from impasto.engine.planning.plan import Plan, make_plan
from impasto.engine.planning.stages import Stage
from impasto.engine.run import Pictures, run
from impasto.engine.state import Checkpoint, State
from impasto.errors import OutputError, StoppedError
from impasto.files.outputs import Outputs
from impasto.files.pictures.encoding import rounded
from impasto.files.pictures.fitting import mask_for, padded_for
from impasto.files.pictures.images import (
    Picture,
    PictureLike,
    check_suffix,
    to_pillow,
    write_result,
)
from impasto.files.pictures.maps import RegionMaps, regions_of
from impasto.files.records.checkpoints import Kept, is_checkpoint, read_checkpoint, write_checkpoint
from impasto.files.records.finished import Wanted
from impasto.files.records.loss_curve import LossCurve
from impasto.files.records.read import Record, StepLosses
from impasto.files.records.write import (
    Change,
    finite_or_none,
    make_record,
    png_text,
    record_path,
    write_record,
)
from impasto.files.scratch import Scratch
from impasto.files.weights.decoder import load_painter, with_decoder
from impasto.instant.neighbours import Neighbours, forecast_matched, instant_states
from impasto.instant.run import forecast as forecast_instant
from impasto.instant.run import run_instant
from impasto.jobs.course import Course
from impasto.jobs.masks import mask_of
from impasto.nets.network import Network
from impasto.nets.topology import CELL
from impasto.ops.statistics import StatisticsLoss
from impasto.photoreal.run import forecast as forecast_graded
from impasto.photoreal.run import run_graded
from impasto.recipe.still import FACES, Recipe
from impasto.shortage import memory_told
from impasto.wording import worded

StrPath = str | os.PathLike[str]
_log = logging.getLogger("impasto")
_log.addHandler(logging.NullHandler())


class Maker(Protocol):
    """What a picture is made with: a :class:`impasto.Stylizer`.

    Attributes:
        network: gives the features.
        style_loss: style loss of one layer; None for the recipe's.
        terms: more terms of the objective.
        optimizer: makes a fresh optimiser for each size; None for the recipe's.
        description: names of all these, for the record.

    """

    network: Network
    style_loss: StatisticsLoss | None
    terms: tuple[Term, ...]
    optimizer: Callable[[], Optimizer] | None
    description: dict[str, str]


@dataclass(frozen=True)
class Result:
    """A finished picture.

    Attributes:
        image: 8-bit RGB; RGBA where the photograph is transparent.
        tensor: its colours before rounding, ``(1, 3, H, W)`` float32 in [0, 1].
        record: what it takes to make it again, and how the losses went; plain values.
        alpha: the photograph's transparency at the result's size, ``(1, 1, H, W)`` float32 in
            [0, 1]; None where it has none.
        depth: bits a channel that :meth:`save` writes, 8 or 16.
        dpi: dots per inch that :meth:`save` states in the file.
        notes: sentences on what was left out or taken for granted of the pictures.
        inputs: files that it was made from, as far as they are files.

    ``np.asarray(result)`` is :attr:`array`; a notebook shows :attr:`image`.

    """

    image: Image.Image
    tensor: Tensor = field(repr=False)
    record: dict[str, Any] = field(repr=False)
    alpha: Tensor | None = field(default=None, repr=False)
    depth: int = 8
    dpi: int | None = None
    notes: tuple[str, ...] = ()
    inputs: tuple[Path, ...] = field(default=(), repr=False)

    @property
    def array(self) -> npt.NDArray[Any]:
        """The picture ``(H, W, 3)``, or 4 with alpha: uint8, or uint16 for a depth of 16."""
        return rounded(self.tensor, self.alpha, np.uint16 if self.depth == 16 else np.uint8)

    @property
    def finished(self) -> bool:
        """False where the run was ended before its last step."""
        return bool(self.record["result"].get("finished", True))

    def __array__(
        self, dtype: npt.DTypeLike | None = None, copy: bool | None = None
    ) -> npt.NDArray[Any]:
        array = self.array  # always a new one
        return array if dtype is None else array.astype(dtype)

    def _repr_png_(self) -> bytes:
        return bytes(self.image._repr_png_() or b"")

    @memory_told()
    def save(
        self, path: StrPath | BinaryIO, *, overwrite: bool = False, format: str | None = None
    ) -> Path | None:
        """Write the picture, and its record beside it as JSON, each atomically.

        Inside a PNG lies the record as well.

        Args:
            path: the file; or an open one, which takes the picture alone, where it stands.
            overwrite: an existing file may be replaced.
            format: of an open file, such as ``"png"`` (when not given) or ``"jpg"``.

        Returns:
            the path; None for an open file.

        Raises:
            OutputError: the folder does not exist, a file exists already or cannot be written, or
                it is one of those that the picture was made from.

        """
        if not isinstance(path, str | os.PathLike):
            path.write(self._encoded(format or "png"))
            return None
        if format is not None:
            raise OutputError("The name of a file says its format: leave out format.")
        path = Path(path)
        Outputs(self.inputs, overwrite=overwrite).check_picture(path, depth=self.depth)
        self._write(path)
        write_record(self.record, record_path(path))
        return path

    def _write(self, path: Path) -> None:
        write_result(
            self.tensor,
            path,
            alpha=self.alpha,
            depth=self.depth,
            dpi=self.dpi,
            text=png_text(self.record),
        )

    def _encoded(self, format: str) -> bytes:
        """The bytes of a file."""
        with tempfile.TemporaryDirectory(prefix="impasto-") as folder:
            path = Path(folder) / f"picture.{format.lower().lstrip('.')}"
            check_suffix(path, depth=self.depth)
            self._write(path)
            return path.read_bytes()


class Job:
    """One picture in the making: iterate for its states, then take the result.

    Made by :class:`impasto.Stylizer`; can be iterated once.

    Attributes:
        recipe: every choice.
        plan: the automatic ones.
        transparent: whether the photograph is.
        inputs: the files that are read, which the result never replaces.

    """

    @memory_told()
    def __init__(
        self,
        recipe: Recipe,
        content: Picture,
        styles: Sequence[Picture],
        init: Picture | None,
        maker: Maker,
        *,
        task: str = "stylize",
        plan: Plan | None = None,
        resume: StrPath | None = None,
        inputs: Iterable[object] = (),
        protect: Picture | None = None,
        maps: RegionMaps | None = None,
    ) -> None:
        self.recipe = recipe
        self.inputs = tuple(
            Path(each).absolute() for each in inputs if isinstance(each, str | os.PathLike)
        )
        self.plan = plan or _plan_for(recipe, content, styles, maker.network)
        self.transparent = content.alpha is not None
        self._alpha_whole = content.alpha
        self._task = task
        self._pictures = {"styles": list(styles)}
        if task == "stylize":
            self._pictures = {"content": [content], **self._pictures}
        if init is not None:
            self._pictures["init"] = [init]
        if protect is not None and recipe.protect != FACES:
            self._pictures["protect"] = [protect]
        self._told = protect.notes if protect and recipe.protect == FACES else ()
        regions = None
        if maps is not None:
            regions, told = regions_of(maps, content, styles, recipe.blend)
            self._told += told
            self._pictures |= maps.by_role
        self._maker = maker
        self._losses = LossCurve()
        self._weights: dict[int, dict[str, float | None]] = {}
        self._troubles: list[dict[str, Any]] = []
        self._last: State | None = None
        self._forecast: Forecast | None = None
        self._content_size = content.size
        self._seconds = 0.0
        self._course = Course(recipe, self.plan)
        kept = None if resume is None else self._taken_up(Path(resume))
        storage = self._storage()
        if task == "stylize" and storage is not in_memory:
            content = _stored(content, storage)
            self._pictures["content"] = [content]
        self._given = Pictures(
            content.tensor,
            tuple(style.tensor for style in styles),
            init.tensor if init is not None else None,
            protect=mask_for(content, protect, recipe.protect_amount),
            regions=regions,
        )
        if recipe.init == "instant" and recipe.strength:
            self._given = replace(self._given, init=self._instant)
        self._first: Tensor | None = None
        self._states = self._run(self._given, storage, kept.point if kept else None)

    def _storage(self) -> Storage:
        return Scratch() if any(stage.mapped for stage in self.plan.stages) else in_memory

    def _run(
        self, pictures: Pictures, storage: Storage, point: Checkpoint | None = None
    ) -> Iterator[State]:
        """The states by the recipe and the plan as they are now."""
        recipe, plan, maker = self.recipe, self.plan, self._maker
        if recipe.is_graded:
            return run_graded(recipe, plan, pictures, maker.network)
        if recipe.is_instant:
            return run_instant(recipe, plan, pictures, maker.network, load_painter())
        terms = maker.terms
        if recipe.is_matched:
            more = Neighbours(recipe, plan, pictures, maker.network, load_painter())
            terms = (*terms, more)
        return (run_cropped if recipe.crop_preview else run)(
            recipe,
            plan,
            pictures,
            maker.network,
            layer_loss=maker.style_loss,
            terms=terms,
            optimizer=maker.optimizer,
            resume=point,
            storage=storage,
        )

    def sketch(self) -> Iterator[State]:
        """The states of the instant picture that it starts from, to look at beforehand.

        Nothing where it starts from something else, or has started. Need not be asked for.
        """
        if not callable(self._given.init) or self._first is not None or self._last is not None:
            return
        network, last = self._maker.network, None
        for last in instant_states(self.recipe, self.plan, self._given, network, load_painter()):
            yield last
        assert last is not None
        stage = self.plan.stages[-1]
        self._first = placed_in(self._given.content, last.image, stage)

    def _instant(self) -> Tensor:
        """The instant picture to start from."""
        for _ in self.sketch():
            pass
        assert self._first is not None
        return self._first

    def steer(self, recipe: Recipe, protect: PictureLike | None = None) -> None:
        """Go on by another recipe from the next step on, with the picture as it stands.

        The optimiser begins anew, with as many steps as the recipe asks for. The record lists the
        change, so the result can be made again. Also once the states are used up: iterate again.
        May be called from another thread; of several changes between two steps, the last counts.

        Args:
            recipe: of the same size, network and file.
            protect: the mask that it names, where that is no file's path.

        Raises:
            RecipeError: something differs that cannot change on the way.
            PictureError: the mask cannot be read.

        """
        self._course.check(recipe, self._task)
        recipe.blend_for(len(self._given.styles))
        self._course.wish(recipe, self._mask(recipe, protect))

    def _mask(self, recipe: Recipe, given: PictureLike | None = None) -> Picture | None:
        """A recipe's mask, made sure to be of the photograph's shape."""
        photograph = self._pictures["content"][0]
        mask = mask_of(recipe, photograph, given)
        mask_for(photograph, mask)
        return mask

    def replay(self, change: Change) -> None:
        """Have a change that a record lists be made again, after the same step.

        Raises:
            RecipeError: something differs that cannot change on the way.
            PictureError: its mask cannot be read.

        """
        self._course.check(change.recipe, self._task)
        self._course.schedule(change, self._mask(change.recipe))

    def go_on_from(self, record: Record, picture: Tensor, masks: Sequence[Picture] = ()) -> None:
        """Take up an earlier result of these very pictures, to :meth:`steer` from there.

        Args:
            record: of the result.
            picture: as it was before rounding, ``(1, 3, H, W)`` float32 in [0, 1].
            masks: every mask that the record lists, in order.

        """
        self._note_past(record, record.losses)
        self._course = Course(record.recipe, record.plan or self.plan, record.changes)
        self._course.done, self._course.picture = record.result.steps, picture
        self._course.stage = record.losses[-1].stage if record.losses else 0
        self.recipe, self.plan = self._course.latest
        self._pictures["protect"] = list(masks)
        self._states = iter(())

    def _steered(self) -> Iterator[State]:
        """The states, by one recipe after the other."""
        course = self._course
        while True:
            if course.is_due:
                self._turn()
            for state in self._states:
                course.note(state)
                yield course.numbered(state)
                if course.is_due:
                    break
            if not course.is_due:
                return

    def _turn(self) -> None:
        """From here on by the recipe that was wished for."""
        content = self._pictures["content"][0]
        sizes = [style.size for style in self._pictures["styles"]]

        def planned(recipe: Recipe) -> Plan:
            return make_plan(recipe, content.size, sizes, network=self._maker.network)

        self.recipe, self.plan, mask = self._course.turn(planned)
        self._forecast = None
        masks = self._pictures.setdefault("protect", [])
        is_file = mask is not None and self.recipe.protect != FACES
        if mask is not None and is_file and all(mask.sha256 != each.sha256 for each in masks):
            masks.append(mask)
        given = replace(
            self._given,
            init=self._course.picture,
            protect=mask_for(content, mask, self.recipe.protect_amount),
        )
        self._states = self._run(given, self._storage())

    def __iter__(self) -> Iterator[State]:
        start = time.monotonic() - self._seconds

        def noted(state: State) -> State:
            self._seconds = time.monotonic() - start
            self._last = self._timed(state)
            self._note(state)
            _log.debug("step %d of %d, %.0f%%", state.step, state.steps, 100 * state.progress)
            return self._last

        for note in self.notes:
            _log.warning(note)
        last = self.plan.stages[-1]
        _log.info(
            "%s: %dx%d, %d steps, %s, %s",
            *(self._task, last.width, last.height, self.plan.steps, self.plan.device),
            last.precision,
        )
        with memory_told():
            yield from whole_steps(map(noted, self._steered()))

    @memory_told()
    def forecast(self) -> Forecast:
        """What the whole run will take, from a trial of a second; ask before the first state.

        The states' progress is then a share of this time.
        """
        if self._forecast is None and self.recipe.is_graded:
            self._forecast = forecast_graded(self.recipe, self.plan)
        if self._forecast is None and self.recipe.is_instant:
            self._forecast = forecast_instant(self.plan)
        if self._forecast is None:
            self._forecast = forecast(
                self.recipe,
                self.plan,
                self._content_size,
                [each.size for each in self._pictures["styles"]],
                self._maker.network,
            )
            if self.recipe.is_matched:
                self._forecast = forecast_matched(self._forecast, self.plan)
        return self._forecast

    @property
    def last(self) -> State | None:
        """The last state so far; None before the first."""
        return self._last

    @property
    def is_whole(self) -> bool:
        """False before the first state, and after an interruption inside a step.

        Then :meth:`keep` refuses, since the optimiser's memory is no longer that of :attr:`last`.
        """
        return self._last is not None and self._last.is_whole()

    @property
    def notes(self) -> tuple[str, ...]:
        """Sentences on what was left out or taken for granted of the pictures and their sizes."""
        every = [
            note for pictures in self._pictures.values() for each in pictures for note in each.notes
        ]
        last = self.plan.stages[-1]
        more = (*self._told, *_sizes_note(last), *_frame_note(self.recipe, last))
        return tuple(worded(note) for note in (*dict.fromkeys(every), *more))

    @property
    def seconds(self) -> float:
        """Wall time of the steps so far."""
        return self._seconds

    @property
    def troubles(self) -> int:
        """Steps in which the optimiser had to recover."""
        return sum(each["times"] for each in self._troubles)

    @property
    def wanted(self) -> Wanted:
        """What a result or a checkpoint of this very run is made of."""
        inputs = {role: [each.sha256 for each in p] for role, p in self._pictures.items()}
        return Wanted(self.recipe, inputs, self.network, self._task)

    @property
    def network(self) -> dict[str, str]:
        """What the record says about the networks."""
        return with_decoder(self._maker.description, self.recipe)

    @memory_told()
    def keep(self, path: StrPath) -> None:
        """Write a checkpoint of where the run stands; nothing before the first state.

        What lies there already stays as it is if anything is raised.

        Raises:
            OutputError: it cannot be written, or would replace something else than a checkpoint.
            RecordError: the run was interrupted inside a step.

        """
        if self._last is None:
            return
        path = Path(path)
        if path.exists() and not is_checkpoint(path):
            raise OutputError(
                f"{str(path)!r} is no checkpoint of impasto's and would be replaced: choose "
                "another name."
            )
        point = self._last.checkpoint()
        image = to_pillow(self._last.snapshot(), self._alpha(self._last))
        record = self._record(self._last, image, losses=())
        write_checkpoint(path, point, record, self._losses)

    @memory_told()
    def result(self) -> Result:
        """The picture so far: the finished one once the states are used up.

        After an interruption inside a step it is the last state's; where the recipe averages, the
        average may hold the next one already.

        Raises:
            StoppedError: not a single state has been asked for.

        """
        if self._last is None:
            raise StoppedError("There is no picture yet: iterate over the job first.")
        _log.info(
            "%s after %d of %d steps, %.1f s",
            "finished" if self._last.step == self._last.steps else "ended",
            *(self._last.step, self._last.steps, self._seconds),
        )
        tensor = padded_for(self.recipe, self._last.snapshot())
        alpha = self._alpha(self._last)
        alpha = None if alpha is None else padded_for(self.recipe, alpha)
        image = to_pillow(tensor, alpha)
        record = self._record(self._last, image, losses=self._losses)
        image.info.update(png_text(record))
        return Result(
            image,
            tensor,
            record,
            alpha,
            self.recipe.depth,
            self.recipe.resolution,
            self.notes,
            self.inputs,
        )

    def _taken_up(self, path: Path) -> Kept:
        """A checkpoint, and what is known of the run before it; its own state comes once more."""
        kept = read_checkpoint(path)
        kept.check(self.wanted, self.plan)
        self.plan = kept.plan
        self._note_past(kept.record, kept.record.losses[:-1])
        self._course = Course(self.recipe, self.plan)
        return kept

    def _note_past(self, record: Record, losses: Sequence[StepLosses]) -> None:
        """What a record knows of the steps before."""
        for each in losses:
            self._losses.append(each.step, each.stage, asdict(each))
        self._weights = {index: asdict(each) for index, each in enumerate(record.weights)}
        self._troubles = [asdict(each) for each in record.troubles]
        self._seconds = record.result.seconds

    def _alpha(self, last: State) -> Tensor | None:
        alpha = self._alpha_whole
        return None if alpha is None else cropped(alpha, self.plan.stages[last.stage])

    def _timed(self, state: State) -> State:
        if self._forecast is None:
            return state
        step = self._course.step_of(state) - self.plan.steps_before(state.stage)
        progress = self._forecast.progress(self.plan, state.stage, step)
        return replace(state, progress=progress)

    def _note(self, state: State) -> None:
        stage = self._course.stage_of(state)
        self._losses.append(state.step, stage, asdict(state.losses))
        weights = {key: finite_or_none(value) for key, value in asdict(state.weights).items()}
        self._weights.setdefault(stage, weights)
        self.plan = self._course.plan = self.plan.in_tiles(state.stage, state.tile)
        if state.trouble:
            _log.warning("step %d: %s", state.step, state.trouble)
            self._note_trouble(state.step, stage, asdict(state.trouble))

    def _note_trouble(self, step: int, stage: int, trouble: dict[str, str]) -> None:
        """The same trouble step after step is one entry."""
        last = self._troubles[-1] if self._troubles else {}
        goes_on = last and last["stage"] == stage and last["step"] + last["times"] >= step
        if goes_on and trouble.items() <= last.items():
            last["times"] = step - last["step"] + 1
        else:
            self._troubles.append({"step": step, "stage": stage, **trouble, "times": 1})

    def _record(
        self, last: State, image: Image.Image, *, losses: Iterable[Mapping[str, float | None]]
    ) -> dict[str, Any]:
        return make_record(
            *self._course.first,
            changes=self._course.changes,
            task=self._task,
            image=image,
            pictures=self._pictures,
            network=self.network,
            losses=losses,
            weights=list(self._weights.values()),
            troubles=self._troubles,
            last=last,
            seconds=self._seconds,
        )


def _sizes_note(last: Stage) -> tuple[str, ...]:
    """That a tile is made at another size than it is delivered at, where it is."""
    (height, width), asked = last.size, (last.height, last.width)
    if not last.whole_cells or last.size == asked:
        return ()
    return (
        f"a tile is made in multiples of {CELL} pixels: this one at {width}x{height}, and resized "
        f"to {last.width}x{last.height} as the tile that it is.",
    )


def _frame_note(recipe: Recipe, last: Stage) -> tuple[str, ...]:
    """That a photograph of another proportion does not fill the frame that it was to fit in."""
    if not isinstance(recipe.size, str) or recipe.frame is None or recipe.fit != "inside":
        return ()
    if (last.height, last.width) == recipe.frame.whole(last.height, last.width):
        return ()
    return (
        f"{recipe.size} is a frame that the picture fits in: it becomes "
        f"{last.width}x{last.height}; --fit crop or --fit pad makes exactly that size.",
    )


def _stored(picture: Picture, storage: Storage) -> Picture:
    """The same picture, its values where the storage has room."""
    tensor = picture.tensor
    return replace(picture, tensor=storage(tensor, tuple(tensor.shape)).copy_(tensor))


def _plan_for(
    recipe: Recipe, content: Picture, styles: Sequence[Picture], network: Network
) -> Plan:
    sizes = [style.size for style in styles]
    whole = make_plan(recipe, content.size, sizes, network=network)
    return crop_plan(whole, content.tensor) if recipe.crop_preview else whole

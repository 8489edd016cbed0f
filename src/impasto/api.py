"""The library's front door: paths and pictures in, results out.

>>> import impasto
>>> impasto.stylize("photo.jpg", "painting.jpg").save("picture.png")  # doctest: +SKIP

Besides names, objects are taken: ``network`` may be any object with ``layers`` and ``features``
(:class:`impasto.nets.network.Network`), ``style_loss`` a function of two layers' statistics
(:data:`impasto.ops.statistics.StatisticsLoss`), ``optimizer`` a function that makes an
:class:`impasto.engine.optimize.Optimizer`.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

from PIL import Image
from torch import Tensor

from impasto.config import INITS, NOT_FOR_TEXTURES, TEXTURE, Recipe
from impasto.engine.crop import crop_plan, cropped, run_cropped
from impasto.engine.forecast import Forecast, forecast
from impasto.engine.optimize import Optimizer
from impasto.engine.plan import Plan, make_plan
from impasto.engine.pyramid import Pictures, run
from impasto.engine.state import State
from impasto.engine.storage import Storage, in_memory
from impasto.errors import RecipeError
from impasto.files.atomic import check_output
from impasto.files.checkpoints import Kept, read_checkpoint, write_checkpoint
from impasto.files.finished import Wanted
from impasto.files.images import (
    Picture,
    PictureLike,
    check_suffix,
    read_picture,
    to_pillow,
    write_result,
)
from impasto.files.loss_curve import LossCurve
from impasto.files.records import finite_or_none, make_record, png_text, record_path, write_record
from impasto.files.scratch import Scratch
from impasto.files.weights import LoadedNetwork, load_network
from impasto.nets.network import Network
from impasto.nets.topology import CELL
from impasto.ops.inits import white_noise
from impasto.ops.statistics import StatisticsLoss

Styles = PictureLike | Sequence[PictureLike]
StrPath = str | os.PathLike[str]

STYLIZER_OPTIONS = ("network", "weights", "raw_weights", "pooling")


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

    """

    image: Image.Image
    tensor: Tensor = field(repr=False)
    record: dict[str, Any] = field(repr=False)
    alpha: Tensor | None = field(default=None, repr=False)
    depth: int = 8
    dpi: int | None = None
    notes: tuple[str, ...] = ()

    def save(self, path: StrPath, *, overwrite: bool = False) -> Path:
        """Write the picture, and its record beside it as JSON, each atomically.

        Inside a PNG lies the record as well.

        Raises:
            OutputError: the folder does not exist, a file exists already, or cannot be written.

        """
        path = Path(path)
        check_destination(path, overwrite=overwrite, depth=self.depth)
        write_result(
            self.tensor,
            path,
            alpha=self.alpha,
            depth=self.depth,
            dpi=self.dpi,
            text=png_text(self.record),
        )
        write_record(self.record, record_path(path))
        return path


class Job:
    """One picture in the making: iterate for its states, then take the result.

    Made by :class:`Stylizer`; can be iterated once.
    """

    def __init__(
        self,
        recipe: Recipe,
        content: Picture,
        styles: Sequence[Picture],
        init: Picture | None,
        stylizer: Stylizer,
        *,
        task: str = "stylize",
        plan: Plan | None = None,
        resume: StrPath | None = None,
    ) -> None:
        self.recipe = recipe
        self.plan = plan or _plan_for(recipe, content, styles, stylizer.network)
        self.transparent = content.alpha is not None
        self._alpha_whole = content.alpha
        self._task = task
        self._pictures = {"styles": list(styles)}
        if task == "stylize":
            self._pictures = {"content": [content], **self._pictures}
        if init is not None:
            self._pictures["init"] = [init]
        self._stylizer = stylizer
        self._losses = LossCurve()
        self._weights: dict[int, dict[str, float | None]] = {}
        self._troubles: list[dict[str, Any]] = []
        self._last: State | None = None
        self._forecast: Forecast | None = None
        self._content_size = content.size
        self._seconds = 0.0
        kept = None if resume is None else self._taken_up(Path(resume))
        storage = Scratch() if any(stage.mapped for stage in self.plan.stages) else in_memory
        if task == "stylize" and storage is not in_memory:
            content = _stored(content, storage)
            self._pictures["content"] = [content]
        self._states = (run_cropped if recipe.crop_preview else run)(
            recipe,
            self.plan,
            Pictures(
                content.tensor,
                tuple(style.tensor for style in styles),
                init.tensor if init is not None else None,
            ),
            stylizer.network,
            layer_loss=stylizer.style_loss,
            optimizer=stylizer.optimizer,
            resume=kept.point if kept else None,
            storage=storage,
        )

    def __iter__(self) -> Iterator[State]:
        start = time.monotonic() - self._seconds
        for state in self._states:
            self._seconds = time.monotonic() - start
            self._last = self._timed(state)
            self._note(state)
            yield self._last

    def forecast(self) -> Forecast:
        """What the whole run will take, from a trial of a second; ask before the first state.

        The states' progress is then a share of this time.
        """
        if self._forecast is None:
            self._forecast = forecast(
                self.recipe,
                self.plan,
                self._content_size,
                [each.size for each in self._pictures["styles"]],
                self._stylizer.network,
            )
        return self._forecast

    @property
    def last(self) -> State | None:
        """The last state so far; None before the first."""
        return self._last

    @property
    def notes(self) -> tuple[str, ...]:
        """Sentences on what was left out or taken for granted of the pictures."""
        every = [
            note for pictures in self._pictures.values() for each in pictures for note in each.notes
        ]
        return tuple(dict.fromkeys(every))

    @property
    def seconds(self) -> float:
        """Wall time of the steps so far."""
        return self._seconds

    @property
    def troubles(self) -> int:
        """Steps in which the optimiser had to be put back on its feet."""
        return sum(each["times"] for each in self._troubles)

    @property
    def wanted(self) -> Wanted:
        """What a result or a checkpoint of this very run is made of."""
        inputs = {role: [each.sha256 for each in p] for role, p in self._pictures.items()}
        return Wanted(self.recipe, inputs, self._stylizer.description, self._task)

    def keep(self, path: StrPath) -> None:
        """Write a checkpoint of where the run stands; nothing before the first state.

        Raises:
            OutputError: it cannot be written.

        """
        if self._last is None:
            return
        image = to_pillow(self._last.snapshot(), self._alpha(self._last))
        record = self._record(self._last, image, losses=())
        write_checkpoint(Path(path), self._last.checkpoint(), record, self._losses)

    def result(self) -> Result:
        """The picture so far: the finished one once the states are used up.

        Raises:
            RecipeError: not a single state has been asked for.

        """
        if self._last is None:
            raise RecipeError("There is no picture yet: iterate over the job first.")
        tensor = self._last.snapshot()
        alpha = self._alpha(self._last)
        image = to_pillow(tensor, alpha)
        return Result(
            image,
            tensor,
            self._record(self._last, image, losses=self._losses),
            alpha,
            self.recipe.depth,
            self.recipe.resolution,
            self.notes,
        )

    def _taken_up(self, path: Path) -> Kept:
        """A checkpoint, and what is known of the run before it; its own state comes once more."""
        kept = read_checkpoint(path)
        kept.check(self.wanted, self.plan)
        record, self.plan = kept.record, kept.plan
        for each in record.losses[:-1]:
            self._losses.append(each.step, each.stage, asdict(each))
        self._weights = {index: asdict(each) for index, each in enumerate(record.weights)}
        self._troubles = [asdict(each) for each in record.troubles]
        self._seconds = record.result.seconds
        return kept

    def _alpha(self, last: State) -> Tensor | None:
        alpha = self._alpha_whole
        return None if alpha is None else cropped(alpha, self.plan.stages[last.stage])

    def _timed(self, state: State) -> State:
        if self._forecast is None:
            return state
        step = state.step - self.plan.steps_before(state.stage)
        progress = self._forecast.progress(self.plan, state.stage, step)
        return replace(state, progress=progress)

    def _note(self, state: State) -> None:
        self._losses.append(state.step, state.stage, asdict(state.losses))
        weights = {key: finite_or_none(value) for key, value in asdict(state.weights).items()}
        self._weights.setdefault(state.stage, weights)
        self.plan = self.plan.in_tiles(state.stage, state.tile)
        if state.trouble:
            self._note_trouble(state.step, state.stage, asdict(state.trouble))

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
            self.recipe,
            self.plan,
            task=self._task,
            image=image,
            pictures=self._pictures,
            network=self._stylizer.description,
            losses=losses,
            weights=list(self._weights.values()),
            troubles=self._troubles,
            last=last,
            seconds=self._seconds,
        )


class Stylizer:
    """Loads a network once and serves any number of pictures, from any number of threads.

    Args:
        network: ``compact``, ``vgg19``, or an object that computes features.
        weights: a safetensors file for a named network.
        raw_weights: take a full VGG-19 as released, not normalised.
        pooling: ``max`` or ``avg`` for a named network; its own when not given.
        style_loss: style loss of one layer, a function of statistics, in place of the recipe's.
        optimizer: makes a fresh optimiser for each size, in place of the recipe's.

    Raises:
        WeightsError: the weights are missing, broken or another network's.

    """

    def __init__(
        self,
        network: str | Network = "compact",
        *,
        weights: StrPath | None = None,
        raw_weights: bool = False,
        pooling: str | None = None,
        style_loss: StatisticsLoss | None = None,
        optimizer: Callable[[], Optimizer] | None = None,
    ) -> None:
        self.style_loss = style_loss
        self.optimizer = optimizer
        self._named: dict[str, Any] = {}
        if isinstance(network, str):
            self._named = {
                "network": network,
                "weights": os.fspath(weights) if weights is not None else None,
                "raw_weights": raw_weights,
                "pooling": pooling,
            }
            loaded = load_network(Recipe(**self._named))
            self.network: Network = loaded.network
            self.description = _describe(loaded)
        else:
            self.network = network
            self.description = {"name": type(network).__qualname__}
        if style_loss is not None:
            self.description["style_loss"] = _name_of(style_loss)
        if optimizer is not None:
            self.description["optimizer"] = _name_of(optimizer)

    def recipe(self, options: Mapping[str, Any]) -> Recipe:
        """The recipe of some options, with this network.

        Raises:
            RecipeError: an option is unknown or out of range.

        """
        for name in STYLIZER_OPTIONS:
            if name in options:
                raise RecipeError(f"{name!r} is an option of the Stylizer itself: give it there.")
        return Recipe.from_dict({**self._named, **options})

    def job(
        self,
        content: PictureLike,
        style: Styles,
        *,
        plan: Plan | None = None,
        resume: StrPath | None = None,
        **options: Any,
    ) -> Job:
        """A picture to be made: its plan can be read before its states are asked for.

        Args:
            content: the photograph: a path, a Pillow image or an array.
            style: a painting, or a list of them.
            plan: the automatic choices of an earlier run, where they shall not be made anew.
            resume: a checkpoint of the same picture (:meth:`Job.keep`), to go on from.
            options: those of :class:`impasto.Recipe`, but the network's own.

        Raises:
            PictureError: a picture cannot be read.
            RecipeError: an option is unknown or out of range.
            RecordError: the checkpoint is damaged, or another picture's.

        """
        recipe = self.recipe(options)
        styles = _listed(style)
        recipe.blend_for(len(styles))
        read = partial(read_picture, max_pixels=recipe.max_pixels)
        pictures = [read(each) for each in (content, *styles)]
        init = None if recipe.init in INITS else read(recipe.init)
        return Job(recipe, pictures[0], pictures[1:], init, self, plan=plan, resume=resume)

    def texture_job(
        self,
        style: Styles,
        size: int | tuple[int, int] = 512,
        *,
        plan: Plan | None = None,
        resume: StrPath | None = None,
        **options: Any,
    ) -> Job:
        """A texture to be made; see :func:`texture`."""
        for name in NOT_FOR_TEXTURES:
            if name in options:
                raise RecipeError(f"A texture has no photograph: leave {name!r} out.")
        width, height = (size, size) if isinstance(size, int) else size
        sides = {"size": max(width, height)}
        recipe = self.recipe({**options, **TEXTURE, **sides})
        _check_sides(width, height, recipe)
        read = partial(read_picture, max_pixels=recipe.max_pixels)
        styles = [read(each) for each in _listed(style)]
        recipe.blend_for(len(styles))
        # The engine's yardsticks are a photograph's; at strength 1 noise serves as well as any.
        noise = white_noise(height, width, seed=recipe.seed)[0].permute(1, 2, 0).numpy()
        noise_picture = read(noise)
        return Job(
            recipe, noise_picture, styles, None, self, task="texture", plan=plan, resume=resume
        )

    def stream(self, content: PictureLike, style: Styles, **options: Any) -> Iterator[State]:
        """The states of :meth:`job`, one for the start and one for every step."""
        return iter(self.job(content, style, **options))

    def __call__(self, content: PictureLike, style: Styles, **options: Any) -> Result:
        """The finished picture: the stream, drained."""
        job = self.job(content, style, **options)
        for _ in job:
            pass
        return job.result()


def stylize(content: PictureLike, style: Styles, **options: Any) -> Result:
    """Make one picture: a photograph's content in the style of one or more paintings.

    Args:
        content: the photograph: a path, a Pillow image, or an array ``(H, W, 3)``.
        style: a painting, or a list of them.
        options: those of :class:`impasto.Recipe`; ``network``, ``style_loss`` and ``optimizer``
            may be objects (see :class:`Stylizer`).

    Raises:
        ImpastoError: with one sentence that says what to do.

    """
    job = stylize_job(content, style, **options)
    for _ in job:
        pass
    return job.result()


def stylize_iter(content: PictureLike, style: Styles, **options: Any) -> Iterator[State]:
    """The same as a stream of states: :func:`stylize` is this, drained."""
    return iter(stylize_job(content, style, **options))


def stylize_job(
    content: PictureLike, style: Styles, *, resume: StrPath | None = None, **options: Any
) -> Job:
    """The same as a :class:`Job`, whose plan can be read before its states are asked for."""
    stylizer, rest = stylizer_for(options)
    return stylizer.job(content, style, resume=resume, **rest)


def texture(
    style: Styles, size: int | tuple[int, int] = 512, *, tileable: bool = False, **options: Any
) -> Result:
    """Make a texture: the style of one or more paintings alone, from noise (section 1.2).

    Args:
        style: a painting, or a list of them.
        size: side in pixels, or width and height.
        tileable: make opposite edges meet; sides must then be multiples of 16.
        options: those of :class:`impasto.Recipe` that need no photograph; ``network``,
            ``style_loss`` and ``optimizer`` may be objects (see :class:`Stylizer`).

    Raises:
        ImpastoError: with one sentence that says what to do.

    """
    job = texture_job(style, size, tileable=tileable, **options)
    for _ in job:
        pass
    return job.result()


def texture_job(
    style: Styles,
    size: int | tuple[int, int] = 512,
    *,
    resume: StrPath | None = None,
    **options: Any,
) -> Job:
    """The same as a :class:`Job`, whose plan can be read before its states are asked for."""
    stylizer, rest = stylizer_for(options)
    return stylizer.texture_job(style, size, resume=resume, **rest)


def stylizer_for(options: Mapping[str, Any]) -> tuple[Stylizer, dict[str, Any]]:
    """The stylizer that some options ask for, and the options that are left for its jobs.

    Raises:
        RecipeError: an option is unknown or out of range.
        WeightsError: the weights are missing, broken or another network's.

    """
    rest = dict(options)
    own: dict[str, Any] = {name: rest.pop(name) for name in STYLIZER_OPTIONS if name in rest}
    own |= {
        name: rest.pop(name) for name in ("style_loss", "optimizer") if callable(rest.get(name))
    }
    Recipe.from_dict(rest)  # a wrong option is said before any weights are read
    return Stylizer(**own), rest


def check_destination(path: Path, *, overwrite: bool, depth: int = 8) -> None:
    """Make sure, before any work, that a picture and its record may be written.

    Raises:
        OutputError: they may not.

    """
    check_suffix(path, depth=depth)
    check_output(path, overwrite=overwrite)
    check_output(record_path(path), overwrite=overwrite)


def _listed(style: Styles) -> list[Any]:
    styles: list[Any] = list(style) if isinstance(style, list | tuple) else [style]
    if not styles:
        raise RecipeError("At least one painting is needed: name it after the photograph.")
    return styles


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


def _check_sides(width: int, height: int, recipe: Recipe) -> None:
    if min(width, height) < CELL or width * height > recipe.max_pixels:
        raise RecipeError(
            f"A texture of {width} x {height} pixels cannot be made: take sides of at least "
            f"{CELL}, and no more than {recipe.max_pixels:,} pixels (--max-pixels)."
        )
    if recipe.tileable and (width % CELL or height % CELL):
        raise RecipeError(
            f"Sides of a tileable texture are multiples of {CELL}: "
            f"{round(width / CELL) * CELL}x{round(height / CELL) * CELL} would do."
        )


def _describe(loaded: LoadedNetwork) -> dict[str, str]:
    return {
        "name": loaded.name,
        "file": loaded.file,
        "sha256": loaded.sha256,
        "pooling": loaded.network.pooling,
        "normalisation": loaded.normalisation,
        "means_sha256": loaded.means_sha256,
        "source_sha256": loaded.source_sha256,
    }


def _name_of(thing: object) -> str:
    return str(getattr(thing, "__qualname__", type(thing).__qualname__))

"""Films: a clip and a painting in, a film out, frame by frame.

>>> import impasto
>>> impasto.stylize_video("clip.mp4", "painting.jpg", "film.mp4", size=320)  # doctest: +SKIP
"""

from __future__ import annotations

import json
import os
import time
from collections import deque
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import islice
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from impasto.engine.interrupts import whole_steps
from impasto.engine.planning.plan import Plan, make_plan
from impasto.engine.shots import PRONE, Held, Link, Shot, flicker_tendency, until_settled
from impasto.engine.state import State
from impasto.errors import OutputError, RecipeError
from impasto.files.atomic import atomic_write, claimed, make_folder
from impasto.files.films.flow import DIS, FlowEstimator, flow_picture
from impasto.files.films.form import choose_form
from impasto.files.films.frame_store import KeptFrames
from impasto.files.films.prefetch import ahead
from impasto.files.films.reader import Clip, SourceFrame, open_clip, read_frames
from impasto.files.films.writer import (
    Finished,
    FolderWriter,
    Form,
    Writer,
    film_writer,
    frame_sha256,
    preview_writer,
)
from impasto.files.outputs import Outputs, is_folder, named_in
from impasto.files.pictures.finding import file_sha256
from impasto.files.pictures.images import Picture, PictureLike, read_picture, write_result
from impasto.files.records.films import make_film_record
from impasto.files.records.read import is_of_film
from impasto.files.records.write import finite_or_none, record_path, write_record
from impasto.files.weights.decoder import load_painter, with_decoder
from impasto.instant.film import InstantShot
from impasto.jobs.film_maps import FilmMaps
from impasto.jobs.motion import TiedFrame, tied
from impasto.jobs.running import carry_out
from impasto.jobs.stylizer import Stylizer
from impasto.ops.color import with_luma_of
from impasto.ops.inits import resize
from impasto.recipe.film import FilmRecipe, check_frames
from impasto.recipe.still import INITS, Recipe, without_neighbours
from impasto.shortage import memory_told

AT_ONCE: dict[str, Any] = {"long_term": (1,), "frame_steps": 1}  # an instant film's
SETTLED = 1e-3  # share of the loss by which a step must lower it to be followed by another
_RESULT, _SOURCE = "pass{}", "source"

Deliver = Callable[[SourceFrame, Tensor], None]


@dataclass(frozen=True)
class FilmState:
    """One step of a film in the making.

    Attributes:
        index: the frame that is made, 0 for the first.
        frames: how many there will be, as far as the source says.
        progress: share of the work done, in [0, 1].
        state: of the frame's own run; None for a frame that was there already.

    """

    index: int
    frames: int
    progress: float
    state: State | None


@dataclass(frozen=True)
class Target:
    """Where a film goes.

    Attributes:
        path: a film, or a folder for frames.
        overwrite: replace what is there.
        resume: go on with the frames that an earlier run has left.
        preview: keep a playable film of what is done, as ``NAME.preview.mp4``.
        flow_folder: where to write flows and masks as pictures.

    """

    path: Path
    overwrite: bool = False
    resume: bool = False
    preview: bool = False
    flow_folder: Path | None = None

    @property
    def is_folder(self) -> bool:
        """True for a folder of frames."""
        return is_folder(self.path) or not self.path.suffix

    @property
    def has_frames(self) -> bool:
        """True for a folder that an earlier run has filled, or begun to."""
        return self.is_folder and (self.record_path.is_file() or self.frames_path.is_dir())

    @property
    def record_path(self) -> Path:
        """Where the film's record lies."""
        return self.path / "film.json" if self.is_folder else record_path(self.path)

    @property
    def preview_path(self) -> Path:
        """Where the preview lies."""
        return self.path.with_name(f"{self.path.stem}.preview.mp4")

    @property
    def frames_path(self) -> Path:
        """Where finished frames lie until the film is done."""
        return self.path.with_name(f"{self.path.name}.frames")


class FilmJob:
    """One film in the making: iterate for its states; at their end it is written.

    What stops it halfway leaves the finished frames beside the output; the same job with ``resume``
    continues with them and ends in the same film. :meth:`save_so_far` makes a film of them.

    Args:
        clip: the source.
        styles: the paintings.
        target: where to.
        recipe: what is asked for of each picture.
        film: what is asked for of the film.
        stylizer: has the network.
        init: a starting picture for the first frames of shots.
        flow: optical flow between source frames; DIS when not given.
        plan: the automatic choices; made here when not given.
        maps: what holds for each frame: masks, and maps of regions.

    Attributes:
        is_finished: the film and its record are written.
        hashes: of the frames as they were delivered, SHA-256 of their levels.
        troubles: sentences on what went wrong with the sound.

    Raises:
        ImpastoError: with one sentence that says what to do, before any work.

    """

    @memory_told()
    def __init__(
        self,
        clip: Clip,
        styles: Sequence[Picture],
        target: Target,
        recipe: Recipe,
        film: FilmRecipe,
        stylizer: Stylizer,
        *,
        init: Picture | None = None,
        flow: FlowEstimator | None = None,
        plan: Plan | None = None,
        maps: FilmMaps | None = None,
    ) -> None:
        self.clip, self.film, self.target = clip, film, target
        self._motion = replace(film, **AT_ONCE) if recipe.is_instant else film
        self.size = film_size(recipe, clip)
        self.recipe = replace(recipe, size="full")
        sizes = [style.size for style in styles]
        self.plan = plan or make_plan(self.recipe, self.size, sizes, network=stylizer.network)
        self._form: Form | None = None
        self._form_notes: tuple[str, ...] = ()
        if not target.is_folder:
            self._form, self._form_notes = choose_form(
                target.path, film.codec, clip, self.size, deep=recipe.depth > 8
            )
        self._asked = recipe
        self._styles, self._init, self._stylizer = tuple(styles), init, stylizer
        self._flow, self._maps = flow, maps
        self._kept = KeptFrames(target.frames_path, depth=recipe.depth)
        goes_on = self._kept.begin(
            self._settings(), resume=target.resume, overwrite=target.overwrite
        )
        if not target.overwrite:
            _check_what_is_there(target, goes_on=goes_on)
        self._found: dict[int, Mapping[str, Any]] = {}
        self.hashes: list[str] = []
        self.troubles: list[str] = []
        self.is_finished = False

    @property
    @memory_told()
    def notes(self) -> tuple[str, ...]:
        """Sentences on what was left out or taken for granted, and on what may flicker."""
        every = [
            *self.clip.notes,
            *(note for style in self._styles for note in style.notes),
            *self._form_notes,
            *(self._maps.notes if self._maps else ()),
        ]
        return (*dict.fromkeys(every), *self._warnings())

    @property
    def done(self) -> int:
        """How many frames from the first on are finished."""
        count = 0
        while self._latest(count) is not None:
            count += 1
        return count

    def __iter__(self) -> Iterator[FilmState]:
        with memory_told():
            yield from self._made()

    def _made(self) -> Iterator[FilmState]:
        start = time.monotonic()
        last = self.film.passes - 1
        # Frames that come from the first pass's files have lost their alpha.
        delivers_at_once = last == 0 or (last % 2 == 0 and not self.clip.has_alpha)
        count = self.clip.frames
        for number in range(last):
            count = yield from self._pass(number, count, None)
        with self._output() as deliver:
            count = yield from self._pass(last, count, deliver if delivers_at_once else None)
            if not delivers_at_once:
                self._deliver_kept(deliver)
        self._finish(time.monotonic() - start)

    @memory_told()
    def save_so_far(self) -> int:
        """Make a film of the frames that are done; how many they are. Writes nothing for none."""
        done = self.done
        if done:
            with self._output(resumed=True) as deliver:
                self._deliver_kept(deliver, done)
        return done

    def _warnings(self) -> Iterator[str]:
        first = next(read_frames(self.clip)).picture
        styles = [
            resize(style.tensor, *size)
            for style, size in zip(self._styles, self.plan.stages[-1].styles, strict=False)
        ]
        tendency = flicker_tendency(
            self.recipe, resize(first, *self.size), styles, self._stylizer.network
        )
        if tendency > PRONE:
            advice = "" if self.film.ties_frames else ": leave out --temporal off"
            yield (
                f"this style is prone to flicker (the trace of its Gram matrices is {tendency:.1f} "
                f"times the film's own){advice}."
            )

    def _pass(
        self, number: int, count: int, deliver: Deliver | None
    ) -> Generator[FilmState, None, int]:
        """One pass over the film, backwards for an odd number; the number of its frames."""
        kind = _RESULT.format(number)
        results: deque[Tensor] = deque(maxlen=max(self._motion.long_term))
        shot: Shot | InstantShot | None = None
        done = 0
        maps_of = self._maps.frames(self._kept, self.size) if self._maps else None
        with closing(ahead(self._tied(number, count))) as frames:
            for each in frames:
                index = each.frame.index
                held = maps_of(each) if maps_of else Held()
                if each.begins_shot or shot is None:
                    shot = self._shot(each)
                    results.clear()
                if not self._kept.has(kind, index):
                    for state in whole_steps(self._states(number, shot, each, results, held)):
                        yield self._film_state(number, index, done, count, state)
                    self._save_flow(number, each)
                    self._kept.write(kind, index, _shown(state), _notes(each, state))
                # What goes on is what a run that takes up here would read.
                result, self._found[index] = self._kept.read(kind, index)
                results.append(result)
                if deliver is not None:
                    deliver(each.frame, result)
                done += 1
                yield self._film_state(number, index, done, count, None)
        return done

    def _states(
        self,
        number: int,
        shot: Shot | InstantShot,
        each: TiedFrame,
        results: Sequence[Tensor],
        held: Held,
    ) -> Iterator[State]:
        before = None
        if number:
            before, _ = self._kept.read(_RESULT.format(number - 1), each.frame.index)
        elif each.begins_shot:
            return shot.still(None if self._init is None else self._init.tensor, held)
        links = [
            Link(results[-tie.back], tie.flow, tie.weights, tie.explained) for tie in each.ties
        ]
        states = shot.following(each.frame.picture, links, before=before, held=held)
        return until_settled(states, tolerance=SETTLED)

    def _shot(self, each: TiedFrame) -> Shot | InstantShot:
        styles, network = tuple(style.tensor for style in self._styles), self._stylizer.network
        if self.recipe.is_instant:
            return InstantShot(
                self.recipe, self.plan, each.frame.picture, styles, network, load_painter()
            )
        temporal = 0.0 if self.film.temporal == "off" else float(self.film.temporal)
        return Shot(
            self.recipe,
            self.plan,
            each.frame.picture,
            styles,
            network,
            temporal=temporal,
            frame_steps=self.film.frame_steps,
            layer_loss=self._stylizer.style_loss,
            terms=self._stylizer.terms,
            optimizer=self._stylizer.optimizer,
        )

    def _tied(self, number: int, count: int) -> Iterator[TiedFrame]:
        frames = self._sources(number, count)
        if not self.film.ties_frames:
            yield from (TiedFrame(frame, True) for frame in frames)
            return
        kind = _RESULT.format(number)

        def known(index: int) -> bool | None:
            is_kept = self._kept.has(kind, index)
            return bool(self._kept.notes(kind, index)["begins_shot"]) if is_kept else None

        yield from tied(
            frames,
            self._flow or DIS(quick=self.recipe.is_instant and not self._held),
            self._motion.long_term,
            known=known,
        )

    def _sources(self, number: int, count: int) -> Iterator[SourceFrame]:
        """Frames at the film's size; from the second pass on those that the first has kept."""
        if number == 0:
            for frame in read_frames(self.clip):
                sized = frame.resized(*self.size)
                if self.film.passes > 1 and not self._kept.has(_SOURCE, frame.index):
                    times = {"time": frame.time, "duration": frame.duration}
                    self._kept.write(_SOURCE, frame.index, sized.picture, times)
                yield sized
            return
        for index in range(count) if number % 2 == 0 else reversed(range(count)):
            picture, notes = self._kept.read(_SOURCE, index)
            yield SourceFrame(index, notes["time"], picture, duration=notes.get("duration"))

    @contextmanager
    def _output(self, *, resumed: bool = False) -> Iterator[Deliver]:
        """A function that hands over finished frames; the output is there when the block ends."""
        target, depth = self.target, self._asked.depth
        self.hashes = []
        with ExitStack() as stack:
            writers = [self._writer(stack, is_whole=not resumed)]
            previews: list[Writer] = []
            if target.preview and not resumed:
                previews.append(
                    stack.enter_context(preview_writer(target.preview_path, self.clip, self.size))
                )

            def deliver(frame: SourceFrame, result: Tensor) -> None:
                if self.recipe.preserve_color == "luminance":
                    result = with_luma_of(frame.picture, result)
                finished = Finished(
                    result, frame.time, self._alpha(frame), frame.duration, frame.name
                )
                self.hashes.append(frame_sha256(finished, depth=depth))
                for writer in writers:
                    writer.write(finished)
                for writer in previews:
                    writer.write(replace(finished, alpha=None))

            yield deliver

    def _alpha(self, frame: SourceFrame) -> Tensor | None:
        """Alpha of a frame as the output holds it: of every frame, or of none."""
        holds_alpha = self._form is None or self._form.has_alpha
        if not (holds_alpha and self.clip.has_alpha):
            return None
        return torch.ones(1, 1, *self.size) if frame.alpha is None else frame.alpha

    def _writer(self, stack: ExitStack, *, is_whole: bool) -> Writer:
        path = self.target.path
        if self._form is None:
            make_folder(path)
            return FolderWriter(path, depth=self._asked.depth)
        temporary = stack.enter_context(atomic_write(path))
        writer = film_writer(
            temporary, self._form, self.clip, self.size,
            troubles=self.troubles, is_whole=is_whole,
        )  # fmt: skip
        return stack.enter_context(writer)

    def _deliver_kept(self, deliver: Deliver, count: int | None = None) -> None:
        for frame in islice(read_frames(self.clip), count):
            result, _ = self._kept.read(str(self._latest(frame.index)), frame.index)
            deliver(frame.resized(*self.size), result)

    def _latest(self, index: int) -> str | None:
        """The last pass that has made a frame."""
        kinds = [_RESULT.format(number) for number in reversed(range(self.film.passes))]
        return next((kind for kind in kinds if self._kept.has(kind, index)), None)

    def _finish(self, seconds: float) -> None:
        write_record(self._record(seconds), self.target.record_path)
        self.is_finished = True
        self.clear()

    def clear(self) -> None:
        """Remove what a finished film needs no more."""
        self._kept.remove()
        if self.target.preview:
            self.target.preview_path.unlink(missing_ok=True)

    def _film_state(
        self, number: int, index: int, done: int, count: int, state: State | None
    ) -> FilmState:
        total = max(count, done, index + 1)
        part = state.progress if state is not None else 0.0
        opening = 1.0 if number else self._opening
        here = opening * part if done == 0 else opening + done - 1 + part
        first = self._opening + total - 1
        before = first + (number - 1) * total if number else 0.0
        whole = first + (self.film.passes - 1) * total
        return FilmState(index, total, min(1.0, (before + here) / whole), state)

    @property
    def _opening(self) -> float:
        """What the first frame costs, in later ones: it is made like a still."""
        if not self.film.ties_frames:
            return 1.0
        last = self.plan.stages[-1]
        later = last.work * (self._motion.frame_steps + 1) / (last.steps + 1)
        return sum(stage.work for stage in self.plan.stages) / later

    def _save_flow(self, number: int, each: TiedFrame) -> None:
        folder = self.target.flow_folder
        if folder is None or number:
            return
        make_folder(folder)
        for tie in each.ties:
            name = f"{each.frame.index + 1:06d}-{tie.back}"
            write_result(flow_picture(tie.flow), folder / f"{name}.flow.png")
            believed = (tie.weights > 0).to(tie.weights.dtype).expand(-1, 3, -1, -1)
            write_result(believed, folder / f"{name}.mask.png")

    def _settings(self) -> dict[str, Any]:
        """All that the frames depend on."""
        film = self.film.as_dict()
        film.pop("codec")
        return {
            "recipe": self._asked.as_dict(),
            "film": film,
            "plan": self.plan.as_dict(),
            "inputs": {
                "clip": self.clip.sha256,
                "styles": [style.sha256 for style in self._styles],
                "init": self._init.sha256 if self._init is not None else None,
                **{role: [each.sha256 for each in own] for role, own in self._held.items()},
            },
            "network": with_decoder(self._stylizer.description, self.recipe),
        }

    @property
    def _held(self) -> dict[str, list[Picture]]:
        """Masks and maps by their roles."""
        return self._maps.by_role if self._maps else {}

    @property
    def network(self) -> dict[str, str]:
        """What stands for the networks, and for objects of the caller's own, in the record."""
        own = {} if self._flow is None else {"flow": type(self._flow).__name__}
        return {**with_decoder(self._stylizer.description, self.recipe), **own}

    def _record(self, seconds: float) -> dict[str, Any]:
        path = self.target.path
        frames = [dict(self._found[index]) for index in sorted(self._found)]
        for frame, sha256 in zip(frames, self.hashes, strict=True):
            frame["sha256"] = sha256
        return make_film_record(
            self._asked,
            self.film,
            self.plan,
            clip=self.clip,
            styles=self._styles,
            init=self._init,
            maps=self._held,
            network=self.network,
            frames=frames,
            result={
                "name": path.name,
                "size": list(self.size),
                "frames": len(frames),
                "seconds": round(seconds, 3),
                "sha256": None if self.target.is_folder else file_sha256(path),
            },
        )


@memory_told()
def film_job(
    clip: str | os.PathLike[str],
    style: PictureLike | Sequence[PictureLike],
    output: str | os.PathLike[str],
    *,
    overwrite: bool = False,
    resume: bool = False,
    preview: bool = False,
    save_flow: str | os.PathLike[str] | None = None,
    flow: FlowEstimator | None = None,
    **options: Any,
) -> FilmJob:
    """A film to be made: the same as :func:`stylize_video`, but its states can be followed."""
    film, rest = FilmRecipe.split(options)
    folder = None if save_flow is None else Path(save_flow)
    target = Target(Path(output), overwrite, resume, preview, folder)
    check_target(target, (clip, *_listed(style), *named_in(rest)))
    return start_film(Stylizer(**rest), film, clip, style, target, flow=flow)


@memory_told()
def start_film(
    stylizer: Stylizer,
    film: FilmRecipe,
    clip: str | os.PathLike[str],
    style: PictureLike | Sequence[PictureLike],
    target: Target,
    *,
    flow: FlowEstimator | None = None,
) -> FilmJob:
    """The same of recipes: the stylizer's default for the frames, and the film's own."""
    recipe, styles = without_neighbours(stylizer.defaults), _listed(style)
    check_frames(recipe, film)
    if not styles:
        raise RecipeError("At least one painting is needed: name it after the film.")
    recipe.blend_for(len(styles))
    source = open_clip(
        Path(clip),
        film.part,
        fps=None if film.fps is None else Fraction(film.fps).limit_denominator(1001),
        max_pixels=recipe.max_pixels,
    )  # fmt: skip
    pictures = [read_picture(each, max_pixels=recipe.max_pixels) for each in styles]
    init = None if recipe.init in INITS else read_picture(recipe.init)
    maps = FilmMaps(recipe, film, source, pictures)
    return FilmJob(
        source, pictures, target, recipe, film, stylizer, init=init, flow=flow, maps=maps
    )


def stylize_video(
    clip: str | os.PathLike[str],
    style: PictureLike | Sequence[PictureLike],
    output: str | os.PathLike[str],
    **options: Any,
) -> Path:
    """Make a film: a clip in the style of one or more paintings, without flicker, with its sound.

    Args:
        clip: a film, or a folder of pictures.
        style: a painting, or a list of them.
        output: a film (``.mp4``, ``.mov``, ``.mkv``, ``.webm``), or a folder for frames.
        options: those of :class:`impasto.Recipe` and :class:`impasto.recipe.film.FilmRecipe`;
            ``overwrite``, ``resume``, ``preview``, ``save_flow`` as of ``impasto video``; ``flow``,
            an object of :class:`impasto.files.films.flow.FlowEstimator`.

    Returns:
        Where it lies.

    Raises:
        ImpastoError: with one sentence that says what to do.

    """
    overwrite, resume = options.get("overwrite", False), options.get("resume", False)
    read = (clip, *_listed(style), *named_in(options))
    check_target(Target(Path(output), overwrite, resume), read)
    with claimed(Path(output)):
        job = film_job(clip, style, output, **options)
        carry_out(job)
    return job.target.path


def film_size(recipe: Recipe, clip: Clip) -> tuple[int, int]:
    """Height and width of the film: as a picture's, but even, which codecs ask for."""
    height, width = recipe.frame.fit(*clip.size) if recipe.frame else clip.size
    return max(2, round(height / 2) * 2), max(2, round(width / 2) * 2)


def check_target(target: Target, inputs: Sequence[object] = ()) -> None:
    """Make sure, before any work, that a film may be written there, and all that lies beside it.

    Whether an existing film is the one to be resumed is known from its kept frames only.

    Args:
        target: where to.
        inputs: what is read.

    Raises:
        OutputError: it may not.

    """
    outputs = Outputs(inputs, overwrite=target.overwrite or target.resume)
    if target.is_folder:
        outputs.check_folder(target.path)
    else:
        outputs.check(target.path, target.record_path)
    if target.preview:
        outputs.check(target.preview_path)
    outputs.check_folder(target.frames_path, overwrite=True)
    if target.flow_folder is not None:
        outputs.check_folder(target.flow_folder)


def _check_what_is_there(target: Target, *, goes_on: bool) -> None:
    """Without --overwrite only the files of a run that is resumed may be replaced."""
    if not goes_on:
        if target.resume and target.path.exists() and _is_film_record(target.record_path):
            raise OutputError(
                f"{str(target.path)!r} is finished, there is nothing to resume: leave out "
                "--resume and add --overwrite to make it again."
            )
        check_target(replace(target, resume=False))
    elif os.path.lexists(target.record_path) and not _is_film_record(target.record_path):
        Outputs().check(target.record_path)


def _is_film_record(path: Path) -> bool:
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return False
    return is_of_film(values)


def _listed(style: PictureLike | Sequence[PictureLike]) -> list[Any]:
    return list(style) if isinstance(style, list | tuple) else [style]


def _shown(state: State) -> Tensor:
    """The picture without the source's luminance, which comes last of all."""
    return state.image if state.shown is None else state.shown


def _notes(each: TiedFrame, state: State) -> dict[str, Any]:
    content, style = state.weights.distances(state.losses)
    figures = {
        "content_distance": round(content, 6),
        "style_distance": round(style, 6),
        "temporal": round(state.losses.temporal, 9),
    }
    return {
        "time": each.frame.time,
        "begins_shot": each.begins_shot,
        "steps": state.step,
        **{name: finite_or_none(value) for name, value in figures.items()},
    }

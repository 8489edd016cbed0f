"""Films painted without a network: strokes that follow what they show, or a filter's frames."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from impasto.engine.shots import is_cut
from impasto.errors import RecipeError
from impasto.files.atomic import atomic_write
from impasto.files.films.clip import Clip, SourceFrame
from impasto.files.films.flow import DIS
from impasto.files.films.form import choose_form
from impasto.files.films.reader import open_clip, read_frames
from impasto.files.films.writer import Finished, film_writer, frame_sha256
from impasto.files.pictures.images import PictureLike, read_picture
from impasto.files.records.write import SCHEMA, record_path, versions, write_record
from impasto.jobs.film import FilmState
from impasto.jobs.painted import FILTERS, TASK, PaintedRerun, check_paintings, described
from impasto.painters.moving import followed, without_covered
from impasto.painters.strokes import MANNERS, Laid, Painting, off_by, paint
from impasto.recipe.paint import PaintRecipe
from impasto.recipe.still import Recipe
from impasto.shortage import memory_told

Show = Callable[[FilmState], None]


@dataclass(frozen=True)
class PaintedFilm:
    """A film that was painted.

    Attributes:
        record: what it takes to make it again; plain values.
        frames: how many there are.
        finished: False where it was interrupted; the film then ends there.
        notes: sentences on what was left out or taken for granted.

    """

    record: dict[str, Any]
    frames: int
    finished: bool
    notes: tuple[str, ...]


def check_film(recipe: PaintRecipe) -> None:
    """Make sure that films can be painted that way.

    Raises:
        RecipeError: they cannot.

    """
    if recipe.manner not in MANNERS and recipe.method != "filter":
        raise RecipeError(
            f"Films are painted by a filter or by strokes ({', '.join(MANNERS)}), not by "
            f"{recipe.manner}."
        )


@memory_told()
def paint_film(
    recipe: PaintRecipe,
    source: Path,
    path: Path,
    palette: PictureLike | None = None,
    *,
    show: Show = lambda _: None,
    max_pixels: int = Recipe.max_pixels,
) -> PaintedFilm:
    """Paint a film; its sound is kept. An interruption ends the film after the last frame.

    Args:
        recipe: how; ``size`` is the longest side, and sides are even.
        source: the film.
        path: of the result; what lies there is replaced. Its record goes beside it.
        palette: a painting whose colours strokes take.
        show: told of every finished frame.
        max_pixels: largest picture that is read.

    Raises:
        ImpastoError: with one sentence that says what to do.

    """
    check_film(recipe)
    check_paintings(recipe, palette, None)
    clip = open_clip(source, max_pixels=max_pixels)
    colors = None if palette is None else read_picture(palette, max_pixels=max_pixels)
    size = _even(recipe.size_for(*clip.size))
    form, notes = choose_form(path, None, clip, size, deep=recipe.depth == 16)
    painter = _Filtered(recipe)
    if recipe.method == "strokes":
        painter = _Followed(recipe, None if colors is None else colors.tensor)
    start, finished = time.monotonic(), True
    hashes: list[str] = []
    troubles: list[str] = []
    with ExitStack() as stack:
        temporary = stack.enter_context(atomic_write(path))
        writer = stack.enter_context(film_writer(temporary, form, clip, size, troubles=troubles))
        try:
            for frame in _sized(clip, size):
                with torch.no_grad():
                    picture = painter(frame.picture)
                alpha = None
                if form.has_alpha:
                    alpha = torch.ones(1, 1, *size) if frame.alpha is None else frame.alpha
                made = Finished(picture, frame.time, alpha, frame.duration, frame.name)
                hashes.append(frame_sha256(made, depth=recipe.depth))
                writer.write(made)
                show(_state(len(hashes), clip.frames))
        except KeyboardInterrupt as error:
            if not hashes or getattr(error, "at_once", False):
                raise
            finished = False
    record = {
        "schema": SCHEMA,
        "task": TASK,
        "recipe": recipe.as_dict(),
        "inputs": {
            "content": [{"name": clip.name, "sha256": clip.sha256, "size": list(clip.size)}],
            "styles": [] if colors is None else [described(colors)],
        },
        "result": {
            "size": list(size),
            "frames": len(hashes),
            "sha256": hashlib.sha256("".join(hashes).encode()).hexdigest(),
            "seconds": round(time.monotonic() - start, 3),
            "finished": finished,
        },
        "versions": versions(),
    }
    write_record(record, record_path(path))
    return PaintedFilm(record, len(hashes), finished, (*clip.notes, *notes, *troubles))


def film_again(
    rerun: PaintedRerun, path: Path, *, show: Show = lambda _: None
) -> tuple[PaintedFilm, bool, tuple[str, ...]]:
    """A film made again, whether its frames are the record's, and what is not as it was."""
    made = paint_film(rerun.recipe, rerun.inputs[0], path, *rerun.inputs[1:], show=show)
    return (made, *rerun.compared(made.record))


class _Filtered:
    """Frame by frame: a filter's output moves as its input does."""

    def __init__(self, recipe: PaintRecipe) -> None:
        self._filter = FILTERS.get(recipe.manner)

    def __call__(self, picture: Tensor) -> Tensor:
        assert self._filter is not None
        return self._filter(picture)


class _Followed(_Filtered):
    """Strokes that are carried from frame to frame, and begun anew where a shot begins."""

    def __init__(self, recipe: PaintRecipe, palette: Tensor | None) -> None:
        super().__init__(recipe)
        self._manner, self._seed, self._palette = MANNERS[recipe.manner], recipe.seed, palette
        self._flow = DIS(quick=True)
        self._before: tuple[Tensor, Painting, list[Tensor]] | None = None

    def __call__(self, picture: Tensor) -> Tensor:
        height, width = picture.shape[-2:]
        onto = self._followed(picture)
        *_, painting = paint(
            picture, self._manner, palette=self._palette, seed=self._seed, onto=onto
        )
        painting = without_covered(painting, width, height)
        drawn = painting.drawn(width, height)
        off = off_by(picture, drawn, self._manner, self._palette)
        self._before = picture, painting, off
        return drawn

    def _followed(self, picture: Tensor) -> Laid | None:
        if self._before is None:
            return None
        earlier, painting, off = self._before
        back = self._flow(picture, earlier)
        if is_cut(picture, earlier, back):
            return None
        return followed(painting, off, (self._flow(earlier, picture), back))


def _state(done: int, count: int) -> FilmState:
    total = max(done, count)
    return FilmState(done - 1, total, done / total, None)


def _sized(clip: Clip, size: tuple[int, int]) -> Iterator[SourceFrame]:
    for frame in read_frames(clip):
        yield frame.resized(*size)


def _even(size: tuple[int, int]) -> tuple[int, int]:
    """Codecs ask for even sides."""
    height, width = (max(2, round(each / 2) * 2) for each in size)
    return height, width

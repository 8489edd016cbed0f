"""The library's front door: paths and pictures in, results out.

>>> import impasto
>>> impasto.stylize("photo.jpg", "painting.jpg").save("picture.png")  # doctest: +SKIP

Besides names, objects are taken: ``network`` may be any object with ``layers`` and ``features``
(:class:`impasto.nets.network.Network`), ``style_loss`` a function of two layers' statistics
(:data:`impasto.ops.statistics.StatisticsLoss`), ``terms`` more terms of the objective
(:class:`impasto.engine.objective.terms.Term`), ``optimizer`` a function that makes an
:class:`impasto.engine.optim.optimize.Optimizer`. Nothing is printed; what happens is logged under
the name ``impasto``.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Unpack

from impasto.engine.state import State
from impasto.files.pictures.images import PictureLike
from impasto.jobs.options import Options
from impasto.jobs.running import stopper
from impasto.jobs.still import Job, Result, StrPath
from impasto.jobs.stylizer import Styles, Stylizer, drained
from impasto.jobs.trained import TrainedStylizer, is_network
from impasto.recipe.still import Recipe

Progress = Callable[[State], object]


def stylize(
    content: PictureLike,
    style: Styles,
    recipe: Recipe | None = None,
    *,
    progress: Progress | None = None,
    timeout: float | None = None,
    cancel: threading.Event | None = None,
    **options: Unpack[Options],
) -> Result:
    """Make one picture: a photograph's content in the style of one or more paintings.

    Args:
        content: the photograph: a path, a file's bytes, an open file, a Pillow image, an array
            ``(H, W, 3)`` or a tensor ``(3, H, W)``.
        style: a painting, or a list of them; or the file of a network that ``impasto train`` has
            made of some.
        recipe: options as one object; those that are named as well override it.
        progress: is called with every :class:`State`: its ``progress`` lies in [0, 1], its
            ``snapshot()`` is the picture so far. What it raises ends the run.
        timeout: seconds after which the run ends with the step that is being made.
        cancel: an event that any thread may set to end the run likewise.
        options: those of :class:`impasto.Recipe`; ``network``, ``style_loss`` and ``optimizer``
            may be objects (see :class:`impasto.Stylizer`).

    Returns:
        the picture; of a run that was ended, the picture so far, whose ``finished`` is False.

    Raises:
        StoppedError: it was ended before there was a picture.
        ImpastoError: with one sentence that says what to do.

    """
    until = stopper(timeout, cancel)
    if isinstance(style, str | os.PathLike) and is_network(Path(style)):
        own = recipe.but(options) if recipe else Recipe.from_dict(options)
        return TrainedStylizer(style).paint(own, content)
    return drained(stylize_job(content, style, recipe, **options), progress, until)


def stylize_iter(
    content: PictureLike, style: Styles, recipe: Recipe | None = None, **options: Unpack[Options]
) -> Iterator[State]:
    """The same as a stream of states: :func:`stylize` is this, drained."""
    return iter(stylize_job(content, style, recipe, **options))


def stylize_job(
    content: PictureLike,
    style: Styles,
    recipe: Recipe | None = None,
    *,
    resume: StrPath | None = None,
    **options: Unpack[Options],
) -> Job:
    """The same as a :class:`Job`, whose plan can be read before its states are asked for."""
    stylizer = Stylizer(recipe=recipe, **options)
    return stylizer.start(stylizer.defaults, content, style, resume=resume)


def texture(
    style: Styles,
    size: int | tuple[int, int] = 512,
    recipe: Recipe | None = None,
    *,
    tileable: bool = False,
    progress: Progress | None = None,
    timeout: float | None = None,
    cancel: threading.Event | None = None,
    **options: Any,
) -> Result:
    """Make a texture: the style of one or more paintings alone, from noise (section 1.2).

    Args:
        style: a painting, or a list of them.
        size: side in pixels, or width and height.
        recipe: options as one object; those that are named as well override it.
        tileable: make opposite edges meet; of any size: the texture is made at the next multiples
            of 16 and resized as the tile that it is.
        progress: as of :func:`stylize`; likewise ``timeout``.
        timeout: seconds.
        cancel: an event.
        options: those of :class:`impasto.Recipe` that need no photograph; ``network``,
            ``style_loss`` and ``optimizer`` may be objects (see :class:`impasto.Stylizer`).

    Raises:
        StoppedError: it was ended before there was a picture.
        ImpastoError: with one sentence that says what to do.

    """
    until = stopper(timeout, cancel)
    job = texture_job(style, size, recipe, tileable=tileable, **options)
    return drained(job, progress, until)


def texture_job(
    style: Styles,
    size: int | tuple[int, int] = 512,
    recipe: Recipe | None = None,
    *,
    resume: StrPath | None = None,
    **options: Any,
) -> Job:
    """The same as a :class:`Job`, whose plan can be read before its states are asked for."""
    return Stylizer(recipe=recipe, **options).texture_job(style, size, resume=resume)

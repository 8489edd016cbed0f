"""The library's front door: paths and pictures in, results out.

>>> import impasto
>>> impasto.stylize("photo.jpg", "painting.jpg").save("picture.png")  # doctest: +SKIP

Besides names, objects are taken: ``network`` may be any object with ``layers`` and ``features``
(:class:`impasto.nets.network.Network`), ``style_loss`` a function of two layers' statistics
(:data:`impasto.ops.statistics.StatisticsLoss`), ``terms`` more terms of the objective
(:class:`impasto.engine.objective.terms.Term`), ``optimizer`` a function that makes an
:class:`impasto.engine.optim.optimize.Optimizer`.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from impasto.engine.state import State
from impasto.files.pictures.images import PictureLike
from impasto.jobs.running import carry_out
from impasto.jobs.still import Job, Result, StrPath
from impasto.jobs.stylizer import Styles, Stylizer
from impasto.jobs.trained import TrainedStylizer, is_network


def stylize(content: PictureLike, style: Styles, **options: Any) -> Result:
    """Make one picture: a photograph's content in the style of one or more paintings.

    Args:
        content: the photograph: a path, a Pillow image, or an array ``(H, W, 3)``.
        style: a painting, or a list of them; or the file of a network that ``impasto train`` has
            made of some.
        options: those of :class:`impasto.Recipe`; ``network``, ``style_loss`` and ``optimizer``
            may be objects (see :class:`impasto.Stylizer`).

    Raises:
        ImpastoError: with one sentence that says what to do.

    """
    if isinstance(style, str | os.PathLike) and is_network(Path(style)):
        return TrainedStylizer(style)(content, **options)
    job = stylize_job(content, style, **options)
    carry_out(job)
    return job.result()


def stylize_iter(content: PictureLike, style: Styles, **options: Any) -> Iterator[State]:
    """The same as a stream of states: :func:`stylize` is this, drained."""
    return iter(stylize_job(content, style, **options))


def stylize_job(
    content: PictureLike, style: Styles, *, resume: StrPath | None = None, **options: Any
) -> Job:
    """The same as a :class:`Job`, whose plan can be read before its states are asked for."""
    stylizer = Stylizer(**options)
    return stylizer.start(stylizer.defaults, content, style, resume=resume)


def texture(
    style: Styles, size: int | tuple[int, int] = 512, *, tileable: bool = False, **options: Any
) -> Result:
    """Make a texture: the style of one or more paintings alone, from noise (section 1.2).

    Args:
        style: a painting, or a list of them.
        size: side in pixels, or width and height.
        tileable: make opposite edges meet; of any size: the texture is made at the next multiples
            of 16 and resized as the tile that it is.
        options: those of :class:`impasto.Recipe` that need no photograph; ``network``,
            ``style_loss`` and ``optimizer`` may be objects (see :class:`impasto.Stylizer`).

    Raises:
        ImpastoError: with one sentence that says what to do.

    """
    job = texture_job(style, size, tileable=tileable, **options)
    carry_out(job)
    return job.result()


def texture_job(
    style: Styles,
    size: int | tuple[int, int] = 512,
    *,
    resume: StrPath | None = None,
    **options: Any,
) -> Job:
    """The same as a :class:`Job`, whose plan can be read before its states are asked for."""
    return Stylizer(**options).texture_job(style, size, resume=resume)

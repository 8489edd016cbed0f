"""A network that is loaded once, and the jobs that it serves."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

from impasto.engine.objective.terms import Term
from impasto.engine.optim.optimize import Optimizer
from impasto.engine.planning.plan import Plan
from impasto.engine.state import State
from impasto.errors import RecipeError
from impasto.files.outputs import named_in
from impasto.files.pictures.images import (
    PictureLike,
    read_picture,
)
from impasto.files.weights.store import LoadedNetwork, load_network
from impasto.jobs.still import Job, Result, StrPath
from impasto.nets.network import Network
from impasto.nets.topology import CELL
from impasto.ops.inits import white_noise
from impasto.ops.statistics import StatisticsLoss
from impasto.recipe.still import INITS, TEXTURE, Recipe, options_not_for, options_of_network
from impasto.shortage import memory_told

Styles = PictureLike | Sequence[PictureLike]


class Stylizer:
    """Loads a network once and serves any number of pictures, from any number of threads.

    Args:
        network: ``compact``, ``vgg19``, or an object that computes features.
        weights: a safetensors file for a named network.
        raw_weights: take a full VGG-19 as released, not normalised.
        pooling: ``max`` or ``avg`` for a named network; its own when not given.
        style_loss: style loss of one layer, a function of statistics, in place of the recipe's.
        terms: more terms of the objective (:class:`impasto.engine.objective.terms.Term`).
        optimizer: makes a fresh optimiser for each size, in place of the recipe's.

    Raises:
        WeightsError: the weights are missing, broken or another network's.

    """

    @memory_told()
    def __init__(
        self,
        network: str | Network = "compact",
        *,
        weights: StrPath | None = None,
        raw_weights: bool = False,
        pooling: str | None = None,
        style_loss: StatisticsLoss | None = None,
        terms: Sequence[Term] = (),
        optimizer: Callable[[], Optimizer] | None = None,
    ) -> None:
        self.style_loss = style_loss
        self.terms = tuple(terms)
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
        if terms:
            self.description["terms"] = ", ".join(term.name for term in terms)
        if optimizer is not None:
            self.description["optimizer"] = _name_of(optimizer)

    def recipe(self, options: Mapping[str, Any]) -> Recipe:
        """The recipe of some options, with this network.

        Raises:
            RecipeError: an option is unknown or out of range.

        """
        for name in options_of_network():
            if name in options:
                raise RecipeError(f"{name!r} is an option of the Stylizer itself: give it there.")
        return Recipe.from_dict({**self._named, **options})

    @memory_told()
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
        return self.start(self.recipe(options), content, style, plan=plan, resume=resume)

    @classmethod
    def of(cls, recipe: Recipe) -> Stylizer:
        """The one that a recipe names.

        Raises:
            WeightsError: the weights are missing, broken or another network's.

        """
        return cls(**{name: getattr(recipe, name) for name in options_of_network()})

    @memory_told()
    def start(
        self,
        recipe: Recipe,
        content: PictureLike,
        style: Styles,
        *,
        plan: Plan | None = None,
        resume: StrPath | None = None,
    ) -> Job:
        """The same as :meth:`job`, of a recipe that names this network."""
        styles = _listed(style)
        recipe.blend_for(len(styles))
        read = partial(read_picture, max_pixels=recipe.max_pixels)
        pictures = [read(each) for each in (content, *styles)]
        init = None if recipe.init in INITS else read(recipe.init)
        inputs = (content, *styles, *named_in(vars(recipe)))
        return Job(
            recipe, pictures[0], pictures[1:], init, self, plan=plan, resume=resume, inputs=inputs
        )

    @memory_told()
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
        if options.get("quality") == "instant":
            raise RecipeError("A texture cannot be made at once: choose another --quality.")
        for name in options_not_for("texture"):
            if name in options:
                raise RecipeError(f"A texture has no photograph: leave {name!r} out.")
        width, height = (size, size) if isinstance(size, int) else size
        sides = {"size": max(width, height)}
        recipe = self.recipe({**options, **TEXTURE, **sides})
        _check_sides(width, height, recipe)
        read = partial(read_picture, max_pixels=recipe.max_pixels)
        given = _listed(style)
        styles = [read(each) for each in given]
        recipe.blend_for(len(styles))
        # The engine's yardsticks are a photograph's; at strength 1 noise serves as well as any.
        noise = white_noise(height, width, seed=recipe.seed)[0].permute(1, 2, 0).numpy()
        noise_picture = read(noise)
        inputs = (*given, *named_in(vars(recipe)))
        return Job(
            *(recipe, noise_picture, styles, None, self),
            task="texture", plan=plan, resume=resume, inputs=inputs,
        )  # fmt: skip

    def stream(self, content: PictureLike, style: Styles, **options: Any) -> Iterator[State]:
        """The states of :meth:`job`, one for the start and one for every step."""
        return iter(self.job(content, style, **options))

    def __call__(self, content: PictureLike, style: Styles, **options: Any) -> Result:
        """The finished picture: the stream, drained."""
        job = self.job(content, style, **options)
        for _ in job:
            pass
        return job.result()


def stylizer_for(options: Mapping[str, Any]) -> tuple[Stylizer, dict[str, Any]]:
    """The stylizer that some options ask for, and the options that are left for its jobs.

    Raises:
        RecipeError: an option is unknown or out of range.
        WeightsError: the weights are missing, broken or another network's.

    """
    rest = dict(options)
    own: dict[str, Any] = {name: rest.pop(name) for name in options_of_network() if name in rest}
    if "terms" in rest:
        own["terms"] = rest.pop("terms")
    own |= {
        name: rest.pop(name) for name in ("style_loss", "optimizer") if callable(rest.get(name))
    }
    Recipe.from_dict(rest)  # a wrong option is said before any weights are read
    return Stylizer(**own), rest


def _listed(style: Styles) -> list[Any]:
    styles: list[Any] = list(style) if isinstance(style, list | tuple) else [style]
    if not styles:
        raise RecipeError("At least one painting is needed: name it after the photograph.")
    return styles


def _check_sides(width: int, height: int, recipe: Recipe) -> None:
    if min(width, height) < CELL or width * height > recipe.max_pixels:
        raise RecipeError(
            f"A texture of {width} x {height} pixels cannot be made: take sides of at least "
            f"{CELL}, and no more than {recipe.max_pixels:,} pixels (--max-pixels)."
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
        **loaded.provenance.as_dict(),
    }


def _name_of(thing: object) -> str:
    return str(getattr(thing, "__qualname__", type(thing).__qualname__))

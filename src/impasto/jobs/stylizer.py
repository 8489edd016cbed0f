"""A network that is loaded once, and the jobs that it serves."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

from impasto.engine.objective.terms import Term
from impasto.engine.optim.optimize import Optimizer
from impasto.engine.planning.plan import Plan
from impasto.engine.state import State
from impasto.errors import RecipeError
from impasto.files.outputs import named_in
from impasto.files.pictures.fitting import cropped_for
from impasto.files.pictures.images import PictureLike, read_picture
from impasto.files.pictures.maps import RegionMaps
from impasto.files.weights.store import LoadedNetwork, load_network
from impasto.jobs.masks import mask_of
from impasto.jobs.running import carry_out, stopper
from impasto.jobs.still import Job, Result, StrPath
from impasto.nets.network import Network
from impasto.nets.topology import CELL
from impasto.ops.inits import white_noise
from impasto.ops.statistics import StatisticsLoss
from impasto.recipe.still import INITS, Recipe, as_texture, options_of_network, without_neighbours
from impasto.shortage import memory_told

Styles = PictureLike | Sequence[PictureLike]


class Stylizer:
    """Loads a network once and serves any number of pictures, from any number of threads.

    Args:
        network: ``compact``, ``vgg19``, or an object that computes features.
        style_loss: a name, or the style loss of one layer, a function of statistics.
        terms: more terms of the objective (:class:`impasto.engine.objective.terms.Term`).
        optimizer: a name, or what makes a fresh optimiser for each size.
        recipe: which weights the network takes, and what holds for every picture that asks for
            nothing else.
        options: the same by name; they override the recipe's.

    Attributes:
        defaults: the recipe of a picture that is asked for with no options.

    Raises:
        RecipeError: an option is unknown or out of range.
        WeightsError: the weights are missing, broken or another network's.

    """

    def __init__(
        self,
        network: str | Network = "compact",
        *,
        style_loss: str | StatisticsLoss | None = None,
        terms: Sequence[Term] = (),
        optimizer: str | Callable[[], Optimizer] | None = None,
        recipe: Recipe | None = None,
        **options: Any,
    ) -> None:
        named = {"network": network, "style_loss": style_loss, "optimizer": optimizer}
        options |= {name: given for name, given in named.items() if isinstance(given, str)}
        if recipe is not None and network == Recipe.network:
            options.pop("network")  # it was not asked for: the recipe's
        recipe = recipe.but(options) if recipe else Recipe.from_dict(options)
        if "method" not in options and not (isinstance(network, str) and _is_named(style_loss)):
            recipe = without_neighbours(recipe)
        self._set_up(
            recipe,
            None if isinstance(network, str) else network,
            None if isinstance(style_loss, str) else style_loss,
            tuple(terms),
            None if isinstance(optimizer, str) else optimizer,
        )

    @classmethod
    def of(cls, recipe: Recipe) -> Stylizer:
        """The one that a recipe names, with it as the default.

        Raises:
            WeightsError: the weights are missing, broken or another network's.

        """
        made = cls.__new__(cls)
        made._set_up(recipe, None, None, (), None)
        return made

    @memory_told()
    def _set_up(
        self,
        recipe: Recipe,
        network: Network | None,
        style_loss: StatisticsLoss | None,
        terms: tuple[Term, ...],
        optimizer: Callable[[], Optimizer] | None,
    ) -> None:
        self.defaults = recipe
        self.style_loss, self.terms, self.optimizer = style_loss, terms, optimizer
        if network is None:
            loaded = load_network(recipe)
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
        """The defaults but for some options.

        Raises:
            RecipeError: an option is unknown or out of range, or names another network.

        """
        for name in options_of_network():
            if name in options:
                raise RecipeError(f"{name!r} is an option of the Stylizer itself: give it there.")
        return self.defaults.but(options)

    @memory_told()
    def job(
        self,
        content: PictureLike,
        style: Styles,
        recipe: Recipe | None = None,
        *,
        plan: Plan | None = None,
        resume: StrPath | None = None,
        **options: Any,
    ) -> Job:
        """A picture to be made: its plan can be read before its states are asked for.

        Args:
            content: the photograph: a path, a file's bytes, a Pillow image, an array, ...
            style: a painting, or a list of them.
            recipe: options as one object, in place of the defaults; of this network.
            plan: the automatic choices of an earlier run, where they are to be kept.
            resume: a checkpoint of the same picture (:meth:`Job.keep`), to go on from.
            options: those of :class:`impasto.Recipe`, but the network's own.

        Raises:
            PictureError: a picture cannot be read.
            RecipeError: an option is unknown or out of range.
            RecordError: the checkpoint is damaged, or another picture's.

        """
        own = self.recipe(options) if recipe is None else self._checked(recipe).but(options)
        return self.start(own, content, style, plan=plan, resume=resume)

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
        photograph = cropped_for(recipe, pictures[0])
        return Job(
            *(recipe, photograph, pictures[1:], init, self),
            plan=plan, resume=resume, inputs=inputs,
            protect=mask_of(recipe, photograph), maps=_maps_for(recipe),
        )  # fmt: skip

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
        """A texture to be made; see :func:`impasto.texture`."""
        sides = (size, size) if isinstance(size, int) else size
        recipe = as_texture(self.recipe(options), *sides)
        return self.start_texture(recipe, style, sides, plan=plan, resume=resume)

    @memory_told()
    def start_texture(
        self,
        recipe: Recipe,
        style: Styles,
        size: tuple[int, int],
        *,
        plan: Plan | None = None,
        resume: StrPath | None = None,
    ) -> Job:
        """The same as :meth:`texture_job`, of a texture's recipe, which names this network.

        Args:
            recipe: from :func:`impasto.recipe.still.as_texture`.
            style: a painting, or a list of them.
            size: width and height in pixels.
            plan: as of :meth:`job`; likewise ``resume``.
            resume: a checkpoint.

        """
        width, height = size
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
            task="texture", plan=plan, resume=resume, inputs=inputs, maps=_maps_for(recipe),
        )  # fmt: skip

    def stream(self, content: PictureLike, style: Styles, **options: Any) -> Iterator[State]:
        """The states of :meth:`job`, one for the start and one for every step."""
        return iter(self.job(content, style, **options))

    def __call__(
        self,
        content: PictureLike,
        style: Styles,
        recipe: Recipe | None = None,
        *,
        progress: Callable[[State], object] | None = None,
        timeout: float | None = None,
        cancel: threading.Event | None = None,
        **options: Any,
    ) -> Result:
        """The finished picture; the arguments are those of :func:`impasto.stylize`."""
        until = stopper(timeout, cancel)
        job = self.job(content, style, recipe, **options)
        return drained(job, progress, until)

    def _checked(self, recipe: Recipe) -> Recipe:
        """A recipe, made sure to be of this network.

        Raises:
            RecipeError: it names another one.

        """
        for name in options_of_network():
            if getattr(recipe, name) != getattr(self.defaults, name):
                raise RecipeError(f"The recipe's {name} is not the Stylizer's: make one of it.")
        return recipe


def drained(
    job: Job, progress: Callable[[State], object] | None, until: Callable[[object], bool]
) -> Result:
    """The result of a job, once it is done or is to end."""
    carry_out(job, *([progress] if progress else []), until=until)
    return job.result()


def _maps_for(recipe: Recipe) -> RegionMaps | None:
    """The maps that a recipe names; the picture's in the proportion that is asked for.

    Raises:
        PictureError: one cannot be read.

    """
    if recipe.regions is None:
        return None
    read = partial(read_picture, max_pixels=recipe.max_pixels)
    picture = cropped_for(recipe, read(recipe.regions))
    return RegionMaps(picture, tuple(read(each) for each in recipe.style_regions or ()))


def _is_named(style_loss: str | StatisticsLoss | None) -> bool:
    return style_loss is None or isinstance(style_loss, str)


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

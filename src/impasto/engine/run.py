"""The run: stage after stage, coarse to fine, as a stream of states."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from impasto.engine.framing import asked, made, surrounded
from impasto.engine.interrupts import let_through
from impasto.engine.objective.objective import Evaluation, Objective, StyleTargets
from impasto.engine.objective.regions import SizedRegions
from impasto.engine.objective.shrinking import Shrinking
from impasto.engine.objective.terms import Term, needed, standard
from impasto.engine.objective.terms.protected import Protected
from impasto.engine.objective.terms.temporal import Anchor, Temporal
from impasto.engine.objective.terms.term import Starting
from impasto.engine.objective.tiling import check_can_tile, make_objective
from impasto.engine.optim.average import Average
from impasto.engine.optim.guard import Guard
from impasto.engine.optim.optimize import Optimizer, make_optimizer
from impasto.engine.optim.storage import Storage, in_memory
from impasto.engine.optim.vectors import vectors_for
from impasto.engine.planning.plan import Plan
from impasto.engine.planning.stages import Stage
from impasto.engine.regions import Regions
from impasto.engine.state import Checkpoint, State
from impasto.engine.threads import on_threads
from impasto.engine.waiting import waiting
from impasto.errors import RecipeError, RecordError
from impasto.nets.network import ConvNetwork, Network
from impasto.nets.topology import check_layers
from impasto.ops.color import match_color_statistics, with_luma_of
from impasto.ops.inits import interpolate, resize, stripes, white_noise
from impasto.ops.masks import softened
from impasto.ops.statistics import StatisticsLoss
from impasto.recipe.still import Recipe
from impasto.shortage import is_shortage

COARSER = "coarser"  # in a checkpoint: the result of the size before, if a term starts from it
RIM = 2  # pixels at a picture's edge that the network's padding has spoiled


@dataclass(frozen=True)
class Pictures:
    """What goes into a run: RGB ``(1, 3, H, W)`` float32 in [0, 1], each of its own size.

    Attributes:
        content: the photograph.
        styles: the paintings.
        init: a starting picture, or what makes it once it is needed; None for the recipe's.
        anchors: of a film's frame, what ties it to earlier ones; for a plan of one stage.
        targets: the paintings' statistics, where they are known already; for a plan of one stage.
        protect: how far the photograph is left alone, ``(1, 1, H, W)`` float32 in [0, 1].
        regions: what takes after which painting; all of the picture after all of them when None.

    """

    content: Tensor
    styles: tuple[Tensor, ...]
    init: Tensor | Callable[[], Tensor] | None = None
    anchors: tuple[Anchor, ...] = ()
    targets: StyleTargets | None = None
    protect: Tensor | None = None
    regions: Regions | None = None

    def started(self) -> Pictures:
        """With the starting picture made."""
        return replace(self, init=self.init()) if callable(self.init) else self


def run(
    recipe: Recipe,
    plan: Plan,
    pictures: Pictures,
    network: Network,
    *,
    layer_loss: StatisticsLoss | None = None,
    terms: Sequence[Term] = (),
    optimizer: Callable[[], Optimizer] | None = None,
    resume: Checkpoint | None = None,
    storage: Storage = in_memory,
) -> Iterator[State]:
    """Make the picture; yield a state for the start and for every step.

    To cancel is to stop iterating. The last state carries the result.

    Args:
        recipe: what was asked for.
        plan: the automatic choices, from :func:`impasto.engine.planning.plan.make_plan`.
        pictures: photograph, paintings, and a starting picture where the recipe names one.
        network: gives the features.
        layer_loss: style loss of one layer, a function of statistics; the recipe's when not given.
        terms: more terms of the objective, prepared again at each size.
        optimizer: makes a fresh optimiser for each stage; the recipe's own when not given.
        resume: a checkpoint of the same run; its own state is then the first.
        storage: where the optimiser's memory and the average lie where a plan says ``mapped``.

    Raises:
        RecipeError: the network lacks a layer or cannot pad a tile, the plan has tiles for a
            network that is not impasto's own, or the blend does not match the paintings.
        RecordError: the checkpoint is not one of such a run.

    """
    check_layers(needed((*standard(recipe), *terms)).layers, network.layers)
    recipe.blend_for(len(pictures.styles))
    if recipe.tileable and not isinstance(network, ConvNetwork):
        raise RecipeError("--tileable needs one of impasto's own networks: leave it out.")
    if any(stage.tile for stage in plan.stages):
        check_can_tile(network)

    def place(stage: Stage) -> Storage:
        return storage if stage.mapped else in_memory

    def make(stage: Stage) -> Optimizer:
        if optimizer is not None:
            return optimizer()
        return make_optimizer(
            recipe,
            steps=stage.steps,
            storage=place(stage),
            vectors=vectors_for(stage, plan.device),
        )

    if resume is not None:
        _check_resumable(resume, plan, make)
    return _stages(recipe, plan, pictures, network, (layer_loss, terms), make, place, resume)


def _stages(
    recipe: Recipe,
    plan: Plan,
    pictures: Pictures,
    network: Network,
    own_terms: tuple[StatisticsLoss | None, Sequence[Term]],
    make: Callable[[Stage], Optimizer],
    place: Callable[[Stage], Storage],
    resume: Checkpoint | None,
) -> Iterator[State]:
    pictures = recolored(recipe, pictures)
    coarser = None if resume is None else resume.optimizer.get(COARSER)
    starting = [term for term in own_terms[1] if isinstance(term, Starting)]
    standing = _Standing()
    for index, stage in enumerate(plan.stages):
        if resume and index < resume.stage:
            continue
        with let_through(), on_threads(plan.threads):
            waiting.look(plan.threads)
            content, *styles = _at_size(plan, stage, pictures, wrap=recipe.tileable)
            own, sized = placed(network, plan, stage), (content, *styles)
            mask = protection(stage, pictures)
            mask = None if mask is None else mask.to(content.device)
            tied = replace(pictures, anchors=_anchors(stage, pictures), protect=mask)
            begins = resume is None or index > resume.stage
            start = content
            if begins or starting:
                start = _start(recipe, plan, index, pictures, coarser, content)
            regions = _regions(stage, pictures, wrap=recipe.tileable)
            regions = None if regions is None else regions.to(content.device)
            for term in starting:
                start = term.start(stage, content, start, regions)
            if mask is not None:
                start = torch.lerp(start, content, mask)
            objective = Shrinking(
                partial(_objective, recipe, own, sized, own_terms, tied, regions),
                stage.tile,
                can_tile=isinstance(network, ConvNetwork),
            )
            fresh, average = partial(make, stage), Average(recipe.average, place(stage))
            if resume is not None and not begins:
                first, at, guard = _resumed(resume, fresh, average, content.device)
            else:
                at = objective.evaluate(start)
                first, guard = 0, Guard(fresh, at)
        again = coarser if starting else None
        deliver = partial(asked, stage=stage, wrap=recipe.tileable)
        keeps_luminance = recipe.preserve_color == "luminance"
        finish = partial(with_luma_of, deliver(content)) if keeps_luminance else _unchanged
        for step in range(first, stage.steps + 1):
            if step > first:
                standing.step = None
                with on_threads(plan.threads):
                    at = guard.step(at, objective.evaluate)
                    if guard.went_back:
                        average.forget()
                    average.add(at.image)
                    if step == stage.steps:
                        at = guard.settled(at, objective.evaluate, average.picture)
                waiting.look(plan.threads)
            standing.step = (index, step)
            yield State(
                step=plan.steps_before(index) + step,
                steps=plan.steps,
                stage=index,
                progress=plan.progress(index, step),
                losses=at.losses,
                weights=objective.weights,
                image=deliver(at.image),
                finish=finish,
                shown=None if average.picture is None else deliver(average.picture),
                checkpoint=partial(_checkpoint, standing, index, step, at, guard, average, again),
                is_whole=partial(standing.is_at, index, step),
                trouble=guard.trouble,
                tile=objective.tile,
            )
        coarser = at.image


@dataclass
class _Standing:
    """Which step, as (stage, step), the optimiser's memory is of; None inside a step."""

    step: tuple[int, int] | None = None

    def is_at(self, stage: int, step: int) -> bool:
        return self.step == (stage, step)


def _checkpoint(
    standing: _Standing,
    stage: int,
    step: int,
    at: Evaluation,
    guard: Guard,
    average: Average,
    coarser: Tensor | None,
) -> Checkpoint:
    if not standing.is_at(stage, step):
        raise RecordError(
            "The run was interrupted inside a step, so it cannot go on from the picture before it: "
            "use a checkpoint made earlier, or start again."
        )
    state = {**guard.state_dict(at), **average.state_dict()}
    if coarser is not None:
        state[COARSER] = coarser
    return Checkpoint(stage, step, at.image, at.gradient, at.losses, state)


def _resumed(
    resume: Checkpoint, make: Callable[[], Optimizer], average: Average, device: torch.device
) -> tuple[int, Evaluation, Guard]:
    """The step that a checkpoint was made at, its evaluated picture, and what goes on from it."""
    at = Evaluation(resume.image.to(device), resume.losses, resume.gradient.to(device))
    guard, state = Guard(make, at), _moved(resume.optimizer, device)
    guard.load_state_dict(state, at)
    average.load_state_dict(state)
    return resume.step, at, guard


def _moved(state: Any, device: torch.device) -> Any:
    """The same plain values, their tensors on a device."""
    if isinstance(state, Tensor):
        return state.to(device)
    if isinstance(state, Mapping):
        return {name: _moved(value, device) for name, value in state.items()}
    return [_moved(value, device) for value in state] if isinstance(state, list) else state


def _check_resumable(resume: Checkpoint, plan: Plan, make: Callable[[Stage], Optimizer]) -> None:
    fits = 0 <= resume.stage < len(plan.stages)
    if fits:
        stage = plan.stages[resume.stage]
        shape = (1, 3, *stage.size)
        fits = 0 <= resume.step <= stage.steps and all(
            each.shape == shape and each.dtype == torch.float32
            for each in (resume.image, resume.gradient)
        )
    if not fits:
        raise RecordError("The checkpoint is another run's: leave out --resume to start again.")
    try:
        _resumed(resume, partial(make, stage), Average(0.0), torch.device("cpu"))
    except (AttributeError, IndexError, KeyError, RuntimeError, TypeError, ValueError) as error:
        if is_shortage(error):
            raise
        raise RecordError(
            "The checkpoint holds another optimiser's state: leave out --resume to start again."
        ) from error


def _objective(
    recipe: Recipe,
    network: Network,
    sized: Sequence[Tensor],
    own_terms: tuple[StatisticsLoss | None, Sequence[Term]],
    pictures: Pictures,
    regions: SizedRegions | None,
    tile: int | None,
) -> Objective:
    """The objective for photograph and paintings at a stage's size; tied where it is a film's."""
    content, *styles = sized
    layer_loss, terms = own_terms
    tied: list[Term] = [Temporal(pictures.anchors)] if pictures.anchors else []
    if pictures.protect is not None:
        tied.append(Protected(content, pictures.protect))
    return make_objective(
        recipe,
        network,
        content,
        styles,
        layer_loss,
        tile,
        targets=pictures.targets,
        terms=(*terms, *tied),
        regions=regions,
    )


def style_targets(
    recipe: Recipe, plan: Plan, pictures: Pictures, network: Network, terms: Sequence[Term] = ()
) -> Pictures:
    """The pictures with the paintings at the size of a plan's only stage, and measured there."""
    (stage,) = plan.stages
    content, *styles = _at_size(plan, stage, pictures, wrap=False)
    with on_threads(plan.threads):
        own = placed(network, plan, stage)
        objective = make_objective(
            recipe, own, content, styles, None, stage.tile, terms=terms,
            regions=_regions(stage, pictures),
        )  # fmt: skip
    return replace(pictures, styles=tuple(styles), targets=objective.targets)


def recolored(recipe: Recipe, pictures: Pictures) -> Pictures:
    """Paintings in the photograph's colours, or the other way round, where the recipe asks."""
    if recipe.match_color:
        shares = recipe.blend_for(len(pictures.styles))
        matched = [match_color_statistics(pictures.content, style) for style in pictures.styles]
        both = zip(shares, matched, strict=True)
        return replace(pictures, content=torch.stack([s * m for s, m in both]).sum(0))
    if recipe.preserve_color != "statistics":
        return pictures
    styles = tuple(match_color_statistics(style, pictures.content) for style in pictures.styles)
    return replace(pictures, styles=styles)


def _start(
    recipe: Recipe,
    plan: Plan,
    index: int,
    pictures: Pictures,
    coarser: Tensor | None,
    content: Tensor,
) -> Tensor:
    """Where a stage starts: the recipe's starting picture, or the result of the stage before.

    A run that started from the photograph enlarges only its change to it, so that the photograph's
    finer detail is there again; enlarging the picture itself ended 2 to 5% higher in the loss.
    """
    wrap, stage, before = recipe.tileable, plan.stages[index], plan.stages[index - 1]
    if coarser is None:
        return _first_picture(recipe, stage, pictures).to(content.device)
    coarser = coarser.to(content.device)
    if recipe.init != "content":
        return made(_inner(coarser, before, wrap), stage, wrap=wrap)
    photograph = made(pictures.content, before, wrap=wrap).to(content.device)
    change = _inner(coarser - photograph, before, wrap)
    return made(change, stage, wrap=wrap, resize=interpolate).add_(content).clamp_(0, 1)


def _inner(image: Tensor, stage: Stage, wrap: bool) -> Tensor:
    """What of a stage's picture the next stage begins with: all but margin or rim."""
    if stage.margin:
        return asked(image, stage)
    return image if wrap else _without_rim(image)


def _without_rim(image: Tensor) -> Tensor:
    """The outermost pixels made like their inner neighbours, of a picture without a margin.

    Next to the zeros of a network's padding they come out lighter or darker than they should;
    enlarged from size to size, the rim would grow to several pixels.
    """
    inner = image[..., RIM:-RIM, RIM:-RIM]
    return F.pad(inner, (RIM, RIM, RIM, RIM), mode="replicate")


def _first_picture(recipe: Recipe, stage: Stage, pictures: Pictures) -> Tensor:
    if pictures.init is None and recipe.init == "noise":
        return white_noise(*stage.size, seed=recipe.seed)
    if pictures.init is None and recipe.init == "stripes":
        return stripes(*stage.size)
    first = pictures.styles[0] if recipe.init == "style" else pictures.content
    given = pictures.started().init
    assert not callable(given)
    return made(first if given is None else given, stage, wrap=recipe.tileable)


def protection(stage: Stage, pictures: Pictures) -> Tensor | None:
    """How far the photograph is left alone, at a stage's size, with an edge that is not seen."""
    if pictures.protect is None:
        return None
    return softened(made(pictures.protect, stage)).clamp_(0, 1)


def _regions(stage: Stage, pictures: Pictures, *, wrap: bool = False) -> SizedRegions | None:
    """The regions at a stage's sizes."""
    return None if pictures.regions is None else pictures.regions.at(stage, wrap=wrap)


def _anchors(stage: Stage, pictures: Pictures) -> tuple[Anchor, ...]:
    """What ties a film's frame, with the stage's margin."""
    return tuple(
        Anchor(surrounded(each.picture, stage), surrounded(each.weights, stage))
        for each in pictures.anchors
    )


def _at_size(plan: Plan, stage: Stage, pictures: Pictures, *, wrap: bool) -> list[Tensor]:
    """Photograph and paintings at the stage's sizes, where the computation takes place."""
    content = made(pictures.content, stage, wrap=wrap)
    scales = len(stage.styles) // len(pictures.styles)
    paintings = [style for style in pictures.styles for _ in range(scales)]
    styles = [resize(style, *size) for style, size in zip(paintings, stage.styles, strict=True)]
    return [picture.to(plan.device) for picture in (content, *styles)]


def placed(network: Network, plan: Plan, stage: Stage) -> Network:
    """A copy of the network on the plan's device, in its precision and layout.

    A network that is no torch module is taken as it is.
    """
    if not isinstance(network, nn.Module):
        return network
    dtype = torch.bfloat16 if stage.precision == "bf16" else torch.float32
    layout = torch.channels_last if plan.channels_last else torch.contiguous_format
    own = copy.deepcopy(network).to(plan.device, dtype)
    return own.to(memory_format=layout)  # type: ignore[call-overload, no-any-return]


def _unchanged(image: Tensor) -> Tensor:
    return image

"""One part of a large picture at its final scale: what it will look like, at a small price.

The picture is made as always, coarse to fine, but of each size only a window is made, all of them
around the same spot. Sizes hardly larger than the window are made whole, so the large shapes come
from the whole photograph; the paintings are whole, and of the same sizes as always. What differs
from the finished picture: at the large sizes the losses know only the window.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial

from torch import Tensor

from impasto.engine.framing import Resize
from impasto.engine.objective.terms import Term
from impasto.engine.optim.optimize import Optimizer
from impasto.engine.optim.storage import Storage, in_memory
from impasto.engine.planning.plan import Plan
from impasto.engine.planning.stages import Stage, Window
from impasto.engine.run import Pictures, recolored, run
from impasto.engine.state import Checkpoint, State
from impasto.nets.network import Network
from impasto.ops.detail import most_detailed
from impasto.ops.inits import interpolate, resize
from impasto.ops.statistics import StatisticsLoss
from impasto.recipe.still import Recipe

SIDE = 512
HARDLY_LARGER = 1.5  # a size with up to this many times the window's pixels is made whole


def crop_plan(plan: Plan, content: Tensor, *, side: int = SIDE) -> Plan:
    """The same plan for a window around the photograph's most detailed spot.

    Args:
        plan: of the whole picture.
        content: the photograph, ``(1, 3, H, W)`` in [0, 1].
        side: pixels of the window, at every size.

    """
    last = plan.stages[-1]
    shares = {"height": min(1.0, side / last.height), "width": min(1.0, side / last.width)}
    spot = most_detailed(content, **shares)
    return replace(plan, stages=tuple(_windowed(stage, spot, side) for stage in plan.stages))


def run_cropped(
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
    """:func:`impasto.engine.run.run` for a plan from :func:`crop_plan`.

    The states' pictures are those of each stage's window.

    Raises:
        RecipeError: as :func:`impasto.engine.run.run`, and RecordError likewise.

    """
    go = partial(
        run,
        network=network,
        layer_loss=layer_loss,
        terms=terms,
        optimizer=optimizer,
        storage=storage,
    )
    recipe, pictures = _recolored_once(recipe, pictures)
    whole = [stage for stage in plan.stages if stage.window is None]
    done = max(1, len(whole))
    first: Iterator[State] = iter(())
    if resume and resume.stage >= done:
        done = resume.stage
    elif whole:
        first = go(recipe, replace(plan, stages=tuple(whole)), pictures, resume=resume)
    else:
        first = go(
            recipe,
            _plan_of(plan, plan.stages[0]),
            _first_pictures(pictures, plan.stages[0]),
            resume=resume,
        )
    return _stages(recipe, plan, pictures, first, go, done=done, resume=resume)


def cropped(image: Tensor, stage: Stage) -> Tensor:
    """The stage's window of ``(1, C, H, W)``, resized to the stage first; a view where it can be.

    Returns:
        ``(1, C, h, w)`` in [0, 1]; of the stage's own size where it has no window.

    """
    return _cut(resize(image, stage.height, stage.width), stage.window)


def _stages(
    recipe: Recipe,
    plan: Plan,
    pictures: Pictures,
    first: Iterator[State],
    go: Callable[..., Iterator[State]],
    *,
    done: int,
    resume: Checkpoint | None,
) -> Iterator[State]:
    state = None
    for state in first:
        yield replace(
            state, steps=plan.steps, progress=plan.progress(state.stage, _within(plan, state))
        )
    for index in range(done, len(plan.stages)):
        before, stage = plan.stages[index - 1], plan.stages[index]
        content = cropped(pictures.content, stage)
        start, again = None, None
        if state is None:
            assert resume is not None
            again = replace(resume, stage=0)
        else:
            start = _start(recipe, state.image.cpu(), pictures.content, content, before, stage)
        given = _part_of(pictures, content, stage, start)
        for state in go(recipe, _plan_of(plan, stage), given, resume=again):
            yield replace(
                state,
                step=plan.steps_before(index) + state.step,
                steps=plan.steps,
                stage=index,
                progress=plan.progress(index, state.step),
                checkpoint=partial(_checkpoint, state, index),
            )


def _checkpoint(state: State, stage: int) -> Checkpoint:
    return replace(state.checkpoint(), stage=stage)


def _within(plan: Plan, state: State) -> int:
    return state.step - plan.steps_before(state.stage)


def _recolored_once(recipe: Recipe, pictures: Pictures) -> tuple[Recipe, Pictures]:
    """Colours are matched to and from the whole photograph, not the window."""
    if recipe.preserve_color != "statistics" and not recipe.match_color:
        return recipe, pictures
    plain = replace(recipe, preserve_color="none", match_color=False)
    return plain, recolored(recipe, pictures)


def _first_pictures(pictures: Pictures, stage: Stage) -> Pictures:
    whole = pictures.started().init
    assert not callable(whole)
    init = None if whole is None else cropped(whole, stage)
    return _part_of(pictures, cropped(pictures.content, stage), stage, init)


def _part_of(pictures: Pictures, content: Tensor, stage: Stage, init: Tensor | None) -> Pictures:
    """The pictures of a stage's window."""
    mask = pictures.protect
    mask = None if mask is None else cropped(mask, stage)
    regions = None if pictures.regions is None else pictures.regions.in_window(stage)
    return Pictures(content, pictures.styles, init, protect=mask, regions=regions)


def _start(
    recipe: Recipe, last: Tensor, photograph: Tensor, content: Tensor, before: Stage, stage: Stage
) -> Tensor:
    """The result of the stage before, enlarged; see :mod:`impasto.engine.run`."""
    if recipe.init != "content":
        return enlarged(last, before, stage)
    change = enlarged(last - cropped(photograph, before), before, stage, resize=interpolate)
    return (content + change).clamp(0, 1)


def windows_like(plan: Plan, stage: Stage) -> Plan:
    """A plan of the same picture at other sizes, with windows around the same spot.

    Args:
        plan: of whole pictures.
        stage: has the window; without one the plan stays as it is.

    """
    if stage.window is None:
        return plan
    top, left, height, width = stage.window
    spot = (top + height / 2) / stage.height, (left + width / 2) / stage.width
    stages = (_windowed(each, spot, max(height, width)) for each in plan.stages)
    return replace(plan, stages=tuple(stages))


def placed_in(photograph: Tensor, image: Tensor, stage: Stage) -> Tensor:
    """A stage's picture as a whole one: around its window lies the photograph."""
    if stage.window is None:
        return image.cpu()
    whole = resize(photograph, stage.height, stage.width).clone()
    top, left, height, width = stage.window
    whole[..., top : top + height, left : left + width] = image
    return whole


def enlarged(last: Tensor, before: Stage, stage: Stage, *, resize: Resize = resize) -> Tensor:
    """The part of a stage's window that an earlier stage's result has made, at the stage's size.

    Args:
        last: the earlier result, of its own window.
        before: the earlier stage.
        stage: the later one.
        resize: :func:`impasto.ops.inits.resize`, or ``interpolate`` for values beyond [0, 1].

    """
    top, left, height, width = before.window or (0, 0, before.height, before.width)
    down, across = stage.height / before.height, stage.width / before.width
    size = (round(height * down), round(width * across))
    inner = _inner(stage, (round(top * down), round(left * across), *size))
    return _cut(resize(last, *size), inner)


def _inner(stage: Stage, outer: Window) -> Window:
    """The stage's window, counted from the corner of one that contains it up to rounding."""
    top, left, height, width = stage.window or (0, 0, stage.height, stage.width)
    return (
        min(max(top - outer[0], 0), outer[2] - height),
        min(max(left - outer[1], 0), outer[3] - width),
        height,
        width,
    )


def _windowed(stage: Stage, spot: tuple[float, float], side: int) -> Stage:
    if stage.height * stage.width <= HARDLY_LARGER * side * side:
        return stage
    height, width = min(side, stage.height), min(side, stage.width)
    top = min(max(round(spot[0] * stage.height - height / 2), 0), stage.height - height)
    left = min(max(round(spot[1] * stage.width - width / 2), 0), stage.width - width)
    return replace(stage, window=(top, left, height, width))


def _plan_of(plan: Plan, stage: Stage) -> Plan:
    """A plan of this stage's window, as a picture of its own."""
    return replace(plan, stages=(alone(stage),))


def alone(stage: Stage) -> Stage:
    """A stage's window, as a picture of its own; the stage itself where it has none."""
    if stage.window is None:
        return stage
    height, width = stage.window[2:]
    return replace(stage, height=height, width=width, window=None)


def _cut(image: Tensor, window: Window | None) -> Tensor:
    if window is None:
        return image
    top, left, height, width = window
    return image[..., top : top + height, left : left + width].contiguous()

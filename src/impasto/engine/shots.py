"""Frames of a film: the first of a shot is made like a still, each later one from those before it.

After Ruder, Dosovitskiy and Brox, *Artistic style transfer for videos* (2016): a later frame starts
from earlier results moved along the optical flow between the source's frames, and a temporal loss
keeps it to them wherever the flow may be believed. It starts so near its solution that a few steps
at full size are enough.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from impasto.engine.objective.features import Features
from impasto.engine.objective.terms import Term
from impasto.engine.objective.terms.temporal import Anchor
from impasto.engine.optim.optimize import Optimizer
from impasto.engine.planning.plan import Plan
from impasto.engine.regions import Regions
from impasto.engine.run import Pictures, recolored, run, style_targets
from impasto.engine.state import State
from impasto.nets.network import Network
from impasto.ops.color import match_color_map
from impasto.ops.statistics import StatisticsLoss
from impasto.ops.warp import warp
from impasto.recipe.still import Recipe

EXPLAINED = 0.08  # mean difference of the channels up to which a warped frame explains a pixel
PRONE = 2.0  # tendency to flicker from which on a painting is warned of
PATIENCE = 3  # steps, since a single one may raise the loss
CUT = 0.2  # share of unexplained pixels from which on a frame begins a new shot


@dataclass(frozen=True)
class Link:
    """An earlier result, and where the frame that is made lies in it.

    Attributes:
        picture: the earlier result, ``(1, 3, H, W)`` in [0, 1].
        flow: from the frame that is made to the earlier one, ``(1, 2, H, W)`` in pixels.
        weights: ``(1, 1, H, W)``: the link's part where the flow may be believed, else 0; the parts
            of a pixel add up to 1, or to 0.
        explained: of the same shape: 1 where the earlier source, moved, looks like this one, so
            that the result may start from there, whether it is held to it or not; ``weights``
            when not given.

    """

    picture: Tensor
    flow: Tensor
    weights: Tensor
    explained: Tensor | None = None


@dataclass(frozen=True)
class Held:
    """What holds for one frame, of a size of its own; see :class:`impasto.engine.run.Pictures`.

    Attributes:
        protect: how far the source is left alone, ``(1, 1, H, W)`` in [0, 1]; None for nowhere.
        regions: what takes after which painting; None for all after all.

    """

    protect: Tensor | None = None
    regions: Regions | None = None


class Shot:
    """The frames between two cuts.

    What does not change from frame to frame is computed once: the paintings' sizes and colours, and
    their statistics.

    Args:
        recipe: what is asked for of each picture.
        plan: of the first frame; later ones take its last stage.
        first: the shot's first frame, ``(1, 3, H, W)`` in [0, 1]; gives the paintings their colours
            where the recipe asks for that.
        styles: the paintings.
        network: gives the features.
        temporal: weight of the temporal loss.
        frame_steps: most steps of a later frame.
        layer_loss: style loss of one layer; the recipe's when not given.
        terms: more terms of the objective.
        optimizer: makes a fresh optimiser; the recipe's own when not given.

    """

    def __init__(
        self,
        recipe: Recipe,
        plan: Plan,
        first: Tensor,
        styles: tuple[Tensor, ...],
        network: Network,
        *,
        temporal: float,
        frame_steps: int,
        layer_loss: StatisticsLoss | None = None,
        terms: Sequence[Term] = (),
        optimizer: Callable[[], Optimizer] | None = None,
    ) -> None:
        self._recipe, self._pictures = for_a_shot(recipe, first, styles)
        self._plan = plan
        last = replace(plan.stages[-1], steps=frame_steps)
        self._later_plan = replace(plan, stages=(last,))
        self._later_recipe = _near_its_solution(self._recipe)
        self._network = network
        self._temporal = temporal
        self._layer_loss, self._optimizer = layer_loss, optimizer
        self._terms = terms
        self._later: Pictures | None = None

    def still(
        self,
        init: Tensor | None = None,
        held: Held = Held(),
    ) -> Iterator[State]:
        """The shot's first frame, as a picture of its own."""
        pictures = replace(self._pictures, init=init, protect=held.protect, regions=held.regions)
        return self._run(self._recipe, self._plan, pictures)

    def following(
        self,
        content: Tensor,
        links: Sequence[Link],
        *,
        before: Tensor | None = None,
        held: Held = Held(),
    ) -> Iterator[State]:
        """A later frame, from earlier results.

        Args:
            content: the source's frame, ``(1, 3, H, W)`` in [0, 1], of the plan's last size.
            links: earlier results, nearest first.
            before: what an earlier pass has made of this frame.
            held: what holds for this frame.

        """
        moved = [warp(link.picture, link.flow).clamp(0, 1) for link in links]
        weights = [link.weights for link in links]
        start = before
        if start is None:
            known = sum(weights, torch.zeros_like(content[:, :1]))
            made = blended(moved, weights, content)
            start = match_color_map(content, content, made, known)
        nearest = links[0].explained if links else None
        if nearest is not None:
            start = torch.lerp(start, moved[0], nearest)
        start = blended(moved, weights, start)
        if before is not None:
            start = torch.lerp(start, before, 0.5)
        free = self._temporal * (1.0 if held.protect is None else 1 - held.protect)
        anchors = tuple(
            Anchor(
                picture.to(self._plan.device),
                (free * weight).to(self._plan.device),
            )
            for picture, weight in zip(moved, weights, strict=True)
        )
        pictures = replace(
            self._prepared(held.regions), content=content, init=start, anchors=anchors,
            protect=held.protect, regions=held.regions,
        )  # fmt: skip
        return self._run(self._later_recipe, self._later_plan, pictures)

    def _run(self, recipe: Recipe, plan: Plan, pictures: Pictures) -> Iterator[State]:
        return run(
            recipe,
            plan,
            pictures,
            self._network,
            layer_loss=self._layer_loss,
            terms=self._terms,
            optimizer=self._optimizer,
        )

    def _prepared(self, regions: Regions | None) -> Pictures:
        """The paintings at their last sizes, and their statistics."""
        if self._later is None:
            pictures = replace(self._pictures, regions=regions)
            self._later = style_targets(
                self._recipe, self._later_plan, pictures, self._network, self._terms
            )
        return self._later


def for_a_shot(
    recipe: Recipe, first: Tensor, styles: tuple[Tensor, ...]
) -> tuple[Recipe, Pictures]:
    """A shot's paintings in the colours of its first frame, and a recipe that leaves them so."""
    colors = "none" if recipe.preserve_color == "statistics" else recipe.preserve_color
    pictures = recolored(recipe, Pictures(first, styles))
    return replace(recipe, preserve_color=colors), pictures


def _near_its_solution(recipe: Recipe) -> Recipe:
    """For a frame that starts near its solution: L-BFGS, whose steps shrink with what is left.

    Adam's first steps change every channel by its learning rate, wherever it stands.
    """
    return replace(recipe, optimizer="lbfgs", average=0.0)


def flicker_tendency(
    recipe: Recipe, content: Tensor, styles: Sequence[Tensor], network: Network
) -> float:
    """How prone to flicker a painting is: the trace of its Gram matrices over the photograph's own.

    Gupta, Johnson, Alahi and Fei-Fei 2017, *Characterizing and improving stability in neural style
    transfer*, section 3: solutions of the style loss lie on spheres whose radius is the square root
    of the trace, and the larger the sphere, the farther apart two frames may end. Here per position
    and summed over the style layers; the ratio makes it independent of the network's scale.

    Args:
        recipe: names the style layers.
        content: a frame, ``(1, 3, H, W)`` in [0, 1].
        styles: the paintings, near the frame's size.
        network: gives the features.

    """
    features = Features(network, content.device)

    def trace(picture: Tensor) -> float:
        measured = features.measure(picture, (), recipe.style_layers)[1].values()
        return sum(float(each.second_moments.trace()) / each.count for each in measured)

    with torch.no_grad():
        return sum(map(trace, styles)) / len(styles) / trace(content)


def blended(moved: Sequence[Tensor], weights: Sequence[Tensor], rest: Tensor) -> Tensor:
    """Earlier results by the parts that they have in a pixel, something else for what is left."""
    picture, left = torch.zeros_like(rest), torch.ones_like(rest)
    for each, weight in zip(moved, weights, strict=True):
        picture += weight * each
        left -= weight
    return picture.add_(left * rest)


def until_settled(states: Iterator[State], *, tolerance: float) -> Iterator[State]:
    """States until a step lowers the loss by less than a share of it, as a mean of the last few."""
    losses: deque[float] = deque(maxlen=PATIENCE + 1)
    for state in states:
        yield state
        losses.append(state.losses.total)
        if len(losses) > PATIENCE and losses[0] - losses[-1] < PATIENCE * tolerance * losses[0]:
            return


def is_cut(content: Tensor, earlier: Tensor, flow: Tensor) -> bool:
    """True if a frame is not the earlier one with its things moved.

    Args:
        content: the source's frame, ``(1, 3, H, W)`` in [0, 1].
        earlier: the frame before it.
        flow: from ``content`` to ``earlier``.

    """
    return 1 - float(explained(content, earlier, flow).mean()) > CUT


def explained(content: Tensor, earlier: Tensor, flow: Tensor) -> Tensor:
    """Where an earlier frame of the source, moved, looks like this one: ``(1, 1, H, W)``."""
    difference = (warp(earlier, flow) - content).abs().mean(1, keepdim=True)
    return (difference <= EXPLAINED).to(content.dtype)

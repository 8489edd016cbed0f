"""Frames of a film at once: the first of a shot is a picture, each later one is tied to the last.

What ties them is the last result, warped along the optical flow: its features are most of what is
matched, and wherever the last frame shows the same, it is most of the result.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import torch
from torch import Tensor

from impasto.engine.framing import asked, made
from impasto.engine.planning.plan import Plan
from impasto.engine.regions import Regions
from impasto.engine.run import protection, recolored
from impasto.engine.shots import Held, Link, blended, for_a_shot
from impasto.engine.state import State
from impasto.engine.threads import on_threads
from impasto.instant.bank import Effort
from impasto.instant.decoder import Painter
from impasto.instant.run import check_network, painted, run_instant
from impasto.instant.size import SizePainter
from impasto.nets.network import Network
from impasto.ops.warp import warp
from impasto.recipe.still import Recipe

FRAME = 0.35  # of the features that are matched; the rest is the last result's
KEPT = 0.65  # of the last result in this one, where that one shows the same
EFFORT = Effort(first=1024, queries=1024, rounds=4)  # earlier frames' matches help


class InstantShot:
    """The frames between two cuts; see :class:`impasto.engine.shots.Shot`.

    Args:
        recipe: what is asked for of each picture.
        plan: of the first frame; later ones take its last stage.
        first: the shot's first frame, ``(1, 3, H, W)`` in [0, 1]; gives the paintings their colours
            where the recipe asks for that.
        styles: the paintings.
        network: ``compact``.
        painter: the decoder.

    Raises:
        RecipeError: the network is another one.

    """

    def __init__(
        self,
        recipe: Recipe,
        plan: Plan,
        first: Tensor,
        styles: tuple[Tensor, ...],
        network: Network,
        painter: Painter,
    ) -> None:
        self._recipe, self._pictures = for_a_shot(recipe, first, styles)
        self._plan = plan
        self._later_plan = replace(plan, stages=plan.stages[-1:])
        self._network, self._painter = check_network(network), painter
        self._later: SizePainter | None = None

    def still(
        self,
        init: Tensor | None = None,
        held: Held = Held(),  # noqa: B008 (frozen)
    ) -> Iterator[State]:
        """The shot's first frame, as a picture of its own; nothing starts from ``init``."""
        del init
        pictures = replace(self._pictures, protect=held.protect, regions=held.regions)
        return run_instant(self._recipe, self._plan, pictures, self._network, self._painter)

    def following(
        self,
        content: Tensor,
        links: Sequence[Link],
        *,
        before: Tensor | None = None,
        held: Held = Held(),  # noqa: B008 (frozen)
    ) -> Iterator[State]:
        """A later frame, from the last result.

        Args:
            content: the source's frame, ``(1, 3, H, W)`` in [0, 1], of the plan's last size.
            links: earlier results, nearest first, of which the nearest counts.
            before: nothing; a film is made in one pass.
            held: what holds for this frame.

        """
        del before
        (stage,), link = self._later_plan.stages, links[0]
        with on_threads(self._plan.threads), torch.no_grad():
            pictures = replace(self._pictures, content=content, protect=held.protect)
            content = recolored(self._recipe, pictures).content
            moved = warp(link.picture, link.flow).clamp(0, 1)
            seen = link.weights if link.explained is None else link.explained
            kept = torch.maximum(link.weights, seen)
            start = blended([moved], [kept], content)
            mask = protection(stage, pictures)
            image = self._size(held.regions).paint(
                *(made(each, stage).to(self._plan.device) for each in (content, start)),
                photograph=FRAME,
                protect=mask,
                regions=None if held.regions is None else held.regions.masks(stage),
            )
            image = asked(image, stage)
            image = torch.lerp(image, moved.to(image.device), KEPT * kept.to(image.device))
            if mask is not None:
                still = asked(mask, stage).to(image.device)
                image = torch.lerp(image, content.to(image.device), still)
        yield painted(self._recipe, self._later_plan, 0, content.to(image.device), image)

    def _size(self, regions: Regions | None) -> SizePainter:
        if self._later is None:
            self._later = SizePainter(
                self._recipe, self._plan, self._later_plan.stages[0], self._pictures.styles,
                self._network, self._painter, effort=EFFORT, regions=regions,
            )  # fmt: skip
        return self._later

"""What a term of the objective is, what it is prepared with, and what it is given."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol, runtime_checkable

from torch import Tensor

from impasto.engine.objective.regions import SizedRegions
from impasto.engine.planning.stages import Stage
from impasto.ops.statistics import Statistics

Needs = Literal["maps", "sums", "pixels"]

Slopes = dict[str, tuple[Tensor, Tensor]]
"""By layer: derivatives with respect to ``Statistics.total`` and ``Statistics.second_moments``."""


@dataclass(frozen=True)
class Painting:
    """A painting at the current size.

    Attributes:
        share: its part of the blend; the shares add up to 1.
        statistics: by layer, those of the layers that some term needs sums of; over all the sizes
            of a recipe with several style scales.
        map_of: a layer's map ``(1, N, h, w)``, of the first of its sizes; computed when called.

    """

    share: float
    statistics: Mapping[str, Statistics]
    map_of: Callable[[str], Tensor]


@dataclass(frozen=True)
class Target:
    """What a term is prepared with, once at each size.

    Attributes:
        photograph: ``(1, 3, H, W)`` in [0, 1].
        paintings: at this size.

    """

    photograph: Tensor
    paintings: Sequence[Painting]


@dataclass(frozen=True)
class Activations:
    """What a term is computed from: what it needs, and what else is known.

    Attributes:
        maps: by layer, the picture's maps ``(1, N, h, w)``; of a tile, those of its core.
        sums: by layer, statistics over all positions, through the network's heads.
        photograph: by layer, the photograph's maps at the same positions.
        where: by layer, which rows and columns of the whole map these are.
        picture: the whole picture ``(1, 3, H, W)``; for a term that needs pixels.

    """

    maps: Mapping[str, Tensor] = field(default_factory=dict)
    sums: Mapping[str, Statistics] = field(default_factory=dict)
    photograph: Mapping[str, Tensor] = field(default_factory=dict)
    where: Mapping[str, tuple[slice, slice]] = field(default_factory=dict)
    picture: Tensor | None = None


@runtime_checkable
class Term(Protocol):
    """A part of what is minimised. Any object with these members can be passed.

    A term that needs maps is a sum over positions, each by itself, so that tiles add up to the
    whole; what decides for all positions belongs into :meth:`prepare`. One that needs sums may be
    any function of the statistics. One that needs pixels sees the whole picture, at any size.

    Attributes:
        name: under which its loss is reported; unlike all others.
        needs: ``maps``, ``sums`` or ``pixels``.
        layers: names of the layers that it looks at; none for pixels.
        weight: in units of the objective with a strength, whose other terms are 1 for a picture
            without content and for one without style.

    """

    @property
    def name(self) -> str:
        """The name of its loss."""
        ...

    @property
    def needs(self) -> Needs:
        """What it is computed from."""
        ...

    @property
    def layers(self) -> Sequence[str]:
        """The layers that it is computed from."""
        ...

    @property
    def weight(self) -> float:
        """Its weight in the objective."""
        ...

    def prepare(self, target: Target) -> None:
        """Once at each size, before any loss."""
        ...

    def loss(self, activations: Activations) -> Tensor:
        """A scalar, differentiable with respect to the activations."""
        ...


@runtime_checkable
class Pixels(Term, Protocol):
    """A term of pixels that adds its own derivative: without a graph over the whole picture."""

    def add(self, picture: Tensor, gradient: Tensor | None, slope: float) -> float:
        """The loss; ``slope`` times its derivative goes to ``gradient``, if there is one."""
        ...


@runtime_checkable
class Starting(Term, Protocol):
    """A term that changes the picture that a size starts from."""

    def start(
        self, stage: Stage, photograph: Tensor, picture: Tensor, regions: SizedRegions | None
    ) -> Tensor:
        """Once at each size, before :meth:`prepare`.

        Args:
            stage: the size.
            photograph: at this size, ``(1, 3, H, W)`` in [0, 1].
            picture: what the size would start from, such as the coarser result, enlarged.
            regions: what takes after which painting; None where all of it does after all.

        Returns:
            of the same shape and range: what it is to start from.

        """
        ...


@runtime_checkable
class Sums(Term, Protocol):
    """A term of sums that computes its own derivatives, for instance on several threads."""

    def differentiated(self, sums: Mapping[str, Statistics], slope: float) -> tuple[Tensor, Slopes]:
        """The loss, and ``slope`` times its derivatives; the sums are those before any head."""
        ...


def leaves_of(sums: Statistics) -> Statistics:
    """The same sums, to differentiate with respect to."""
    total, second_moments = (
        each.detach().requires_grad_() for each in (sums.total, sums.second_moments)
    )
    return Statistics(sums.count, total, second_moments)

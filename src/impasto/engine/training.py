"""Training a :class:`impasto.nets.feedforward.Painter`: what one step does.

Each picture that the network paints is judged by the optimiser's own objective, eq. (7), for its
photograph and one of the paintings; the objective's derivative is handed on to the network.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

import torch
from torch import Generator, Tensor

from impasto.engine.objective.objective import Objective
from impasto.engine.planning.plan import Plan, make_plan
from impasto.engine.run import placed
from impasto.engine.state import Losses
from impasto.engine.threads import on_threads
from impasto.errors import RecipeError
from impasto.nets.feedforward import CELL, Painter
from impasto.nets.network import ConvNetwork, Network
from impasto.ops.inits import resize
from impasto.recipe.still import Recipe

WARM_UP = 30  # steps over which the rate rises
LAST_RATE = 0.02  # at the end, of the highest
LONGEST_GRADIENT = 1.0
SMALLEST_CROP = 64


@dataclass(frozen=True, kw_only=True)
class Training:
    """How a network is trained.

    Attributes:
        size: side of the crops that it learns from, in pixels.
        batch: crops of a step.
        rate: step size of Adam at its highest.
        seed: of the network's first weights and of the crops.
        scratch: the first weights are random, not those of a network that can paint already.

    Raises:
        RecipeError: one is out of range.

    """

    size: int = 256
    batch: int = 2
    rate: float = 4e-3
    seed: int = 0
    scratch: bool = False

    def __post_init__(self) -> None:
        for item in fields(self)[:-1]:
            value, kind = getattr(self, item.name), float if item.name == "rate" else int
            if isinstance(value, bool) or not isinstance(value, int | kind):
                raise RecipeError(f"--{item.name} must be a number, not {value!r}.")
        if not (32 <= self.size <= 1024 and self.size % CELL == 0):
            raise RecipeError("--size must lie between 32 and 1024 and be a multiple of 4.")
        if not 1 <= self.batch <= 64:
            raise RecipeError("--batch must lie between 1 and 64.")
        if not 0 < self.rate <= 0.1:
            raise RecipeError("--rate must be above 0 and at most 0.1.")
        if not 0 <= self.seed < 2**63:
            raise RecipeError("--seed must be a number of at least 0 and below 2^63.")


class Trainer:
    """A network in training.

    Args:
        training: how.
        recipe: the objective. Its ``size`` is that of the pictures which the network is for: the
            paintings are studied as for a picture of that size, and the crops are parts of one.
        network: gives the objective's features.
        paintings: ``(1, 3, h, w)`` in [0, 1].
        make: the network to train, from the number of paintings; of random weights.
        start: other weights to begin with, by name; those of the norms for any number of paintings.

    Attributes:
        painter: the network; its weights are float32.
        step: steps done.

    """

    def __init__(
        self,
        training: Training,
        recipe: Recipe,
        network: Network,
        paintings: Sequence[Tensor],
        make: Callable[[int], Painter] = Painter,
        start: Mapping[str, Tensor] | None = None,
    ) -> None:
        self.training, self.step = training, 0
        self.recipe = replace(recipe, blend=None, tile="none", scales=1, steps=(1,), margin=0)
        self.plan = _plan(self.recipe, paintings)
        (stage,) = self.plan.stages
        self._network = placed(network, self.plan, stage)
        if isinstance(self._network, ConvNetwork):
            self._network.padding = "replicate"  # a crop goes on beyond its edges
        scales = len(self.recipe.style_scales)
        repeated = [each for each in paintings for _ in range(scales)]
        sized = [
            resize(each, *size).to(self.plan.device)
            for each, size in zip(repeated, stage.styles, strict=True)
        ]
        self._sizes = [sized[i : i + scales] for i in range(0, len(sized), scales)]
        with on_threads(self.plan.threads), torch.no_grad():
            self._targets = [self._study(sizes) for sizes in self._sizes]
        with torch.random.fork_rng(devices=()):
            torch.manual_seed(training.seed)
            self.painter = make(len(paintings))
        if start is not None:
            own = self.painter.state_dict()
            self.painter.load_state_dict({n: v.expand_as(own[n]) for n, v in start.items()})
        self.painter.to(self.plan.device)  # not channels-last: the norm's derivative is slow there
        self._adam = torch.optim.Adam(self.painter.parameters(), lr=training.rate)

    def generator(self) -> Generator:
        """What the next step's crops are drawn with: a function of the seed and the step."""
        return Generator().manual_seed((self.training.seed * 1_000_003 + self.step) % 2**63)

    def advance(self, photographs: Tensor, progress: float) -> Losses:
        """One step.

        Args:
            photographs: ``(B, 3, S, S)`` in [0, 1].
            progress: how much of the training is done, in [0, 1].

        Returns:
            the batch's mean losses, before the step.

        """
        with on_threads(self.plan.threads):
            photographs = photographs.to(self.plan.device)
            which = self.step % len(self._targets)
            with torch.enable_grad():
                pictures = self._painted(photographs, which)
                results = [
                    self.objective(photograph[None], which).evaluate(picture[None].detach())
                    for photograph, picture in zip(photographs, pictures, strict=True)
                ]
                gradient = torch.cat([each.gradient for each in results]) / len(results)
                self._adam.zero_grad(set_to_none=True)
                pictures.backward(gradient)  # type: ignore[no-untyped-call]
            self._move(progress)
        self.step += 1
        return _mean([each.losses for each in results])

    def objective(self, photograph: Tensor, painting: int = 0) -> Objective:
        """Eq. (7) for a photograph ``(1, 3, H, W)`` and one of the paintings."""
        return Objective(
            self.recipe,
            self._network,
            photograph,
            self._sizes[painting],
            targets=[self._targets[painting]],
        )

    @torch.no_grad()
    def painted(self, photographs: Tensor, painting: int = 0) -> Tensor:
        """What the network makes of photographs ``(B, 3, H, W)`` by now; on the CPU."""
        with on_threads(self.plan.threads):
            return self._painted(photographs.to(self.plan.device), painting).cpu()

    def state_dict(self) -> dict[str, Tensor]:
        """All that the rest of a training depends on, but for the step: copies, on the CPU."""
        tensors = {f"painter.{name}": value for name, value in self.painter.state_dict().items()}
        for index, each in self._adam.state_dict()["state"].items():
            tensors |= {f"adam.{index}.{name}": value for name, value in each.items()}
        return {name: value.detach().cpu().clone() for name, value in tensors.items()}

    def load_state_dict(self, state: Mapping[str, Tensor], step: int) -> None:
        """Go on from :meth:`state_dict` after so many steps.

        Raises:
            RuntimeError, KeyError, ValueError: it is another network's.

        """
        own = {n.removeprefix("painter."): v for n, v in state.items() if n.startswith("painter.")}
        self.painter.load_state_dict(own)
        memory: dict[int, dict[str, Any]] = {}
        for name, value in state.items():
            if name.startswith("adam."):
                _, index, key = name.split(".", 2)
                memory.setdefault(int(index), {})[key] = value
        whole = self._adam.state_dict()
        sizes = [each.shape for each in self.painter.parameters()]
        if step and [memory[i]["exp_avg"].shape for i in range(len(sizes))] != sizes:
            raise ValueError("another network's optimiser")
        self._adam.load_state_dict({**whole, "state": memory})
        self.step = step

    def _painted(self, photographs: Tensor, which: int) -> Tensor:
        shares = torch.zeros(len(self._targets), device=self.plan.device)
        shares[which] = 1
        weights: dict[str, Tensor] = dict(self.painter.named_parameters())
        if self.plan.stages[0].precision == "bf16":  # the norms' and the last colours stay float32
            half = {n: v.bfloat16() for n, v in weights.items() if n.endswith((".weight", ".bias"))}
            weights |= half
        inputs = photographs.contiguous(), shares
        out: Tensor = torch.func.functional_call(self.painter, weights, inputs)
        return out

    def _move(self, progress: float) -> None:
        cosine = 0.5 * (1 + math.cos(math.pi * min(1.0, max(0.0, progress))))
        warm = min(1.0, (self.step + 1) / WARM_UP)
        for group in self._adam.param_groups:
            group["lr"] = self.training.rate * warm * (LAST_RATE + (1 - LAST_RATE) * cosine)
        torch.nn.utils.clip_grad_norm_(self.painter.parameters(), LONGEST_GRADIENT)
        self._adam.step()

    def _study(self, sizes: Sequence[Tensor]) -> Any:
        """A painting's statistics, as an objective takes them."""
        return Objective(self.recipe, self._network, sizes[0], sizes).targets[0]


def _plan(recipe: Recipe, paintings: Sequence[Tensor]) -> Plan:
    """Device, precision, threads and the paintings' sizes, as for a photograph of full size."""
    longest = max(recipe.frame.fit(1000, 1000)) if recipe.frame else 512
    sizes = [(each.shape[-2], each.shape[-1]) for each in paintings]
    return make_plan(recipe, (longest, longest), sizes)


def _mean(losses: Sequence[Losses]) -> Losses:
    names = ("content", "style", "variation")
    terms = {name: sum(getattr(each, name) for each in losses) / len(losses) for name in names}
    return Losses.of(sum(each.total for each in losses) / len(losses), terms)

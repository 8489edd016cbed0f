"""The contest's contenders: objectives used in the field, each on impasto's network and engine.

Settings that an entry does not name are the report's: eq. (5) with w_l = 1/5, the bundled network
with its own pooling, L-BFGS coarse to fine from the photograph, a little total variation. The
settings of crowsonkb/style-transfer-pytorch and ProGamerGov/neural-style-pt are their documented
ones.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import torch
from torch import Tensor

from impasto.engine.objective.objective import Objective
from impasto.engine.planning.plan import COARSEST, DEFAULT_STEPS, RATIO, Plan, make_plan
from impasto.engine.planning.stages import Size
from impasto.nets.network import Network
from impasto.ops.losses import total_variation
from impasto.recipe.still import Recipe
from impasto.recipe.strength import strength_for

REPORT_STEPS = (150, 100, 60)  # at sizes that double


@dataclass(frozen=True)
class Scene:
    """A photograph and a painting at the sizes of the last stage, and the network."""

    recipe: Recipe
    network: Network
    content: Tensor
    styles: tuple[Tensor, ...]

    def objective(self) -> Objective:
        """Eq. (7) for these pictures."""
        return Objective(self.recipe, self.network, self.content, self.styles)


Balance = Callable[[Scene], dict[str, Any]]


@dataclass(frozen=True)
class Contender:
    """One entry of the contest.

    Attributes:
        name: name in files and tables.
        words: what distinguishes it.
        options: of the recipe, where they differ from the reference's.
        shares: of the steps at each size, coarse to fine; further sizes use the last.
        ratio: of each size to the previous one.
        coarsest: smallest longest side.
        balance: weights of content and smoothing by its authors; None if the strength is
            matched to the reference's.

    """

    name: str
    words: str
    options: Mapping[str, Any] = field(default_factory=dict)
    shares: tuple[float, ...] = REPORT_STEPS
    ratio: float = 2.0
    coarsest: int = COARSEST
    balance: Balance | None = None

    def sizes(self, size: int) -> list[int]:
        """Longest sides, coarse to fine."""
        sizes = [size]
        while (smaller := round(size / self.ratio ** len(sizes))) >= self.coarsest:
            sizes.insert(0, smaller)
        return sizes

    def steps(self, paces: Sequence[float], budget: float) -> tuple[int, ...]:
        """Steps at each size, in the entry's own proportions, that use the budget.

        Args:
            paces: seconds a step at each size.
            budget: total seconds.

        """
        pairs = list(zip(self._shares(len(paces)), paces, strict=True))
        factor = budget / sum(share * seconds for share, seconds in pairs)
        return tuple(max(1, round(factor * share)) for share, _ in pairs)

    def _shares(self, stages: int) -> tuple[float, ...]:
        return (self.shares + self.shares[-1:] * stages)[:stages]

    def plan(self, recipe: Recipe, content: Size, style: Size, steps: Mapping[int, int]) -> Plan:
        """The plan for given steps at each size; each stage as planned by the engine."""
        alone = [
            make_plan(replace(recipe, size=size, scales=1, steps=(n,)), content, [style])
            for size, n in steps.items()
        ]
        return replace(alone[-1], stages=tuple(plan.stages[0] for plan in alone))


def crowsonkb_balance(scene: Scene) -> dict[str, Any]:
    """0.015 mean (F - P)^2 + sum w_l W2_l / N_l + 2 mean of squared differences of neighbours.

    Content and total variation are means there and sums, or relative, here; a style share s is
    (1 - s) L_content / C0 + s L_style / S0, so s = 1 / (1 + alpha C0 / S0) for beta = 1.
    """
    (layer,) = scene.recipe.content_layers
    with torch.no_grad():
        features = scene.network.features(scene.content, [layer])[layer]
        variation = float(total_variation(scene.content).sum())
    head = getattr(scene.network, "heads", {}).get(layer)
    channels = head.channels if head else features.shape[1]
    weights = scene.objective().weights
    alpha = 0.015 * 2 / (channels * features[0, 0].numel())
    share = 1 / (1 + alpha * weights.content_unit / weights.style_unit)
    return {
        "strength": strength_for(share),
        "tv": 2.0 * variation * share / weights.style_unit,
    }


# The report's objective in full, independent of impasto's defaults.
REPORT: dict[str, Any] = {
    "method": "statistics",
    "strength": strength_for(0.95),
    "style_loss": "gram",
    "layer_weights": "equal",
    "style_scale": 1.0,
    "match_color": False,
    "init": "content",
    "optimizer": "lbfgs",
    "average": 0.0,
    "margin": 0,
}


def _entry(name: str, words: str, **differences: Any) -> Contender:
    return Contender(name, words, {**REPORT, **differences})


def _varied(
    base: Contender, name: str, words: str, *, weights: str | tuple[float, ...], **differences: Any
) -> Contender:
    options = {**base.options, "layer_weights": weights, **differences}
    return replace(base, name=name, words=words, options=options)


MILD = (16.0, 8.0, 4.0, 2.0, 1.0)
CROWSONKB = Contender(
    "crowsonkb",
    "its objective and weights",
    {
        **REPORT, "style_loss": "w2", "layer_weights": "falling", "optimizer": "adam",
        "learning_rate": 0.02, "average": 0.99,
    },
    shares=(1000, 500),
    ratio=math.sqrt(2),
    balance=crowsonkb_balance,
)  # fmt: skip

_MATCHED = replace(
    CROWSONKB, name="crowsonkb-matched", words="its objective, strength matched", balance=None
)
_LBFGS = _varied(
    _MATCHED,
    "w2-mild-lbfgs",
    "the same by L-BFGS, last ten steps averaged",
    weights=MILD,
    optimizer="lbfgs",
    average=0.9,
)
REFERENCE = _entry("gram", "the report: eq. (5), w_l = 1/5")
DEFAULT = Contender(
    "statistics",
    "impasto's statistics",
    {"method": "statistics"},
    shares=DEFAULT_STEPS,
    ratio=RATIO,
    balance=lambda _: {"strength": strength_for(0.975)},
)
CONTENDERS = (
    REFERENCE,
    DEFAULT,
    _entry("gatys-weights", "w_l = 1000/N^2", layer_weights="gatys"),
    _entry("falling-weights", "w_l = 256:64:16:4:1", layer_weights="falling"),
    _entry("gram+mean-std", "Gram, mean, deviation", style_loss="gram+mean-std"),
    _entry("w2", "squared Wasserstein", style_loss="w2"),
    _entry("w2-falling", "W2, 256:64:16:4:1", style_loss="w2", layer_weights="falling"),
    _entry("average", "the last ten steps averaged", average=0.9),
    _entry("no-tv", "no total variation", tv=0.0),
    _entry("noise", "from noise", init="noise"),
    _entry("avg-pool", "average pooling", pooling="avg"),
    _entry("style-scales", "painting at 0.5, 0.7, 1", style_scale=(0.5, 0.7, 1.0)),
    _entry("match-color", "photograph recoloured first", match_color=True),
    CROWSONKB,
    _MATCHED,
    # Its loss, mean((G - A)^2) / (N M)^2, is eq. (5) with w_l in proportion to 1/N^2. Its content
    # weight is for features of another scale (an unnormalised VGG-19 with inputs from 0 to 255).
    replace(
        _entry("neural-style-pt", "its objective, matched", layer_weights="gatys", init="noise"),
        ratio=math.inf,
    ),
    # Combinations of the best ones.
    _varied(_MATCHED, "w2-adam", "W2 with equal weights, the rest crowsonkb's", weights="equal"),
    _varied(_MATCHED, "w2-mild-adam", "the same with 16:8:4:2:1", weights=MILD),
    _LBFGS,
    replace(_LBFGS, name="w2-coarse", words="the same from 64 px on", coarsest=64),
    replace(
        _LBFGS,
        name="w2-coarse-strong",
        words="the same at strength 0.96",
        coarsest=64,
        balance=lambda _: {"strength": strength_for(0.96)},
    ),
    # Ways to minimise the winner's objective.
    replace(
        DEFAULT,
        name="default-lbfgs",
        words="the same by L-BFGS",
        options={"method": "statistics", "optimizer": "lbfgs"},
    ),
    replace(
        DEFAULT,
        name="default-long",
        words="the default, all steps averaged, no smoothing",
        options={"average": 0.99, "tv": 0.0},
        balance=lambda _: {"strength": strength_for(0.966)},
    ),
)


def named(names: str | None) -> list[Contender]:
    """The contenders of a list such as ``gram,w2``; all when not given. The reference is first."""
    if names is None:
        return list(CONTENDERS)
    known = {each.name: each for each in CONTENDERS}
    wanted = names.split(",")
    for name in wanted:
        if name not in known:
            raise SystemExit(f"no contender is called {name!r}: choose from {', '.join(known)}")
    return [known[name] for name in dict.fromkeys(wanted)]

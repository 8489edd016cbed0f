"""Presets: sizes and steps, for runs of some minutes, an hour, or days."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

REPORT_METHOD: dict[str, Any] = {
    "method": "report",
    "scales": 1,
    "init": "noise",
    "seed": 0,
    "content_layers": ("conv4_2",),
    "style_layers": ("conv1_1", "conv2_1", "conv3_1", "conv4_1", "conv5_1"),
    "layer_weights": "equal",
    "style_loss": "gram",
    "style_scale": 1.0,
    "preserve_color": "none",
    "tv": 0.0,
    "optimizer": "lbfgs",
    "average": 0.0,
    "precision": "fp32",
    "margin": 0,
}
"""Eqs. (1) to (7) from white noise at one size, independent of impasto's defaults."""


@dataclass(frozen=True)
class Preset:
    """Sizes and steps of a run of experiments.

    Attributes:
        name: on the command line.
        size: longest side of every picture, in pixels.
        steps: n, where the report has 3000 (5000 in section 3.5).
        long_steps: the steps where the report has 10,000.
        trials: random starts of ``adversarial``.
        trial_size: longest side in ``adversarial``.
        trial_steps: steps in ``adversarial``.
        attacks: starts that are attacked, each with every bound.
        bounds: of the attacks' changes, in 255ths, on every channel of every pixel.
        attack_steps: gradient steps of an attack.
        frames: of the film.
        as_stated: use alpha / beta as the report states them, and a full VGG-19 as released;
            otherwise 1e-3 is put where a style share of 0.95 is (:meth:`Lab.weights_for`).
        as_product: add neither steps nor alpha / beta to a cell's options, so that options that a
            cell does not name have the recipe's defaults.
        options: of :class:`impasto.Recipe`, for every cell.

    """

    name: str
    size: int
    steps: int
    long_steps: int
    trials: int = 100
    trial_size: int = 48
    trial_steps: int = 30
    attacks: int = 2
    bounds: tuple[int, ...] = (1, 2, 4, 8, 16, 32)
    attack_steps: int = 12
    frames: int = 6
    as_stated: bool = False
    as_product: bool = False
    options: dict[str, Any] = field(default_factory=REPORT_METHOD.copy)


QUICK = Preset("quick", size=96, steps=60, long_steps=200, trial_steps=20, attack_steps=8)
STANDARD = Preset(
    "standard",
    size=192,
    steps=200,
    long_steps=667,
    trial_size=64,
    trial_steps=60,
    attacks=4,
    attack_steps=20,
    frames=12,
)
REPORT = Preset(
    "report",
    size=512,
    steps=3000,
    long_steps=10_000,
    trials=300,
    trial_size=128,
    trial_steps=300,
    attacks=8,
    attack_steps=40,
    frames=30,
    as_stated=True,
)
PRESETS = {preset.name: preset for preset in (QUICK, STANDARD, REPORT)}

"""The options of a program's calls, typed: what :class:`impasto.Recipe` has, and objects as well.

A test compares them with the recipe, so that neither gets ahead of the other. ``network``,
``style_loss`` and ``optimizer`` may be objects, see :class:`impasto.Stylizer`.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import Literal, TypedDict

from impasto.engine.objective.terms import Term
from impasto.engine.optim.optimize import Optimizer
from impasto.nets.network import Network
from impasto.ops.statistics import StatisticsLoss


class Options(TypedDict, total=False):
    """Options by name; each may be left out."""

    method: Literal["neighbours", "statistics", "report"] | None
    strength: float | None
    size: int | str
    print: str | None
    fit: Literal["inside", "crop", "pad"]
    dpi: int | None
    crop_preview: bool
    depth: Literal[8, 16]
    max_pixels: int
    style_scale: float | tuple[float, ...] | list[float]
    blend: tuple[float, ...] | list[float] | float | None
    preserve_color: Literal["none", "luminance", "statistics"]
    match_color: bool
    tileable: bool
    init: str | os.PathLike[str] | None
    protect: str | os.PathLike[str] | None
    protect_amount: float
    regions: str | os.PathLike[str] | None
    style_regions: tuple[str, ...] | list[str] | str | None
    photorealistic: bool
    restore: bool
    neighbours: float | None
    seed: int
    alpha: float | None
    beta: float | None
    tv: float | None
    network: Literal["compact", "vgg19", "vgg19-torchvision"] | Network
    weights: str | os.PathLike[str] | None
    raw_weights: bool
    pooling: Literal["max", "avg"] | None
    content_layers: tuple[str, ...] | list[str] | str
    style_layers: tuple[str, ...] | list[str] | str | None
    layer_weights: (
        Literal["equal", "gatys", "falling"] | tuple[float, ...] | list[float] | float | None
    )
    style_loss: Literal["gram", "gram+mean-std", "w2"] | StatisticsLoss | None
    margin: int | None
    optimizer: Literal["lbfgs", "adam", "sgd"] | Callable[[], Optimizer] | None
    history: int
    learning_rate: float
    scales: int | None
    steps: tuple[int, ...] | list[int] | int | None
    quality: Literal["instant", "draft", "standard", "fine", "best"]
    average: float | None
    device: Literal["auto", "cpu", "cuda", "mps"]
    precision: Literal["auto", "fp32", "bf16"] | None
    tile: int | str
    threads: int | None
    terms: Sequence[Term]

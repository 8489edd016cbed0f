"""What makes a recipe a possible one. Standard library only."""

from __future__ import annotations

import math
from dataclasses import fields
from typing import TYPE_CHECKING

from impasto.errors import RecipeError
from impasto.recipe.options import flag, given_in_vain
from impasto.recipe.typed import choices, declared, fits

if TYPE_CHECKING:
    from impasto.recipe.still import Recipe

SMALLEST_TILE = 64
WIDEST_MARGIN = 512


def check(recipe: Recipe) -> None:
    """Make sure that every option is in range, and that none contradicts another.

    What may be written in several ways is brought to one: sizes as numbers, layers by their names.

    Raises:
        RecipeError: with what to write instead.

    """
    _check_types(recipe)
    _check_numbers(recipe)
    _check_size(recipe)
    _check_tile(recipe)
    _check_colors(recipe)
    _check_layers(recipe)
    _check_lists(recipe)
    _check_regions(recipe)
    _check_instant(recipe)
    _check_graded(recipe)


def _check_types(recipe: Recipe) -> None:
    for item, hint in declared(type(recipe)):
        value = getattr(recipe, item.name)
        if not fits(value, hint):
            listed = ", ".join(map(str, choices(hint)))
            advice = f"choose from {listed}" if listed else "see impasto stylize --help"
            raise RecipeError(f"--{flag(item.name)} {value!r} is unknown: {advice}.")


def _check_numbers(recipe: Recipe) -> None:
    def need(ok: bool, sentence: str) -> None:
        if not ok:
            raise RecipeError(sentence)

    for item in fields(recipe):
        value = getattr(recipe, item.name)
        for number in value if isinstance(value, tuple) else (value,):
            if isinstance(number, float):
                need(math.isfinite(number), f"--{flag(item.name)} must be a finite number.")
    need(0 <= recipe.strength <= 1, "--strength must lie between 0 and 1.")
    for scale in recipe.style_scales or (0,):
        need(0.05 <= scale <= 20, "--style-scale must lie between 0.05 and 20.")
    need(0 <= recipe.protect_amount <= 1, "--protect-amount must lie between 0 and 1.")
    need(0 <= recipe.average < 1, "--average must be at least 0 and below 1.")
    need(0 <= recipe.seed < 2**63, "--seed must be a number of at least 0 and below 2^63.")
    need((recipe.tv or 0) >= 0, "--tv must not be negative.")
    need(recipe.neighbours >= 0, "--neighbours must not be negative.")
    need(
        (recipe.alpha or 0) >= 0 and (recipe.beta or 0) >= 0, "--alpha and --beta must be positive."
    )
    need(0 <= recipe.margin <= WIDEST_MARGIN, f"--margin must lie between 0 and {WIDEST_MARGIN}.")
    need(1 <= recipe.history <= 1000, "--history must lie between 1 and 1000.")
    need(recipe.learning_rate > 0, "--learning-rate must be positive.")
    need(recipe.scales is None or 1 <= recipe.scales <= 12, "--scales must lie between 1 and 12.")
    need(recipe.dpi is None or 1 <= recipe.dpi <= 10_000, "--dpi must lie between 1 and 10000.")
    need(recipe.max_pixels >= 1, "--max-pixels must be at least 1.")
    need(recipe.threads is None or recipe.threads >= 1, "--threads must be at least 1.")


def _check_size(recipe: Recipe) -> None:
    if len(recipe.style_scales) == 1:
        object.__setattr__(recipe, "style_scale", recipe.style_scales[0])
    if isinstance(recipe.size, str) and recipe.size.strip().isdigit():
        object.__setattr__(recipe, "size", int(recipe.size))
    if recipe.print is not None and recipe.size != type(recipe).size:
        raise RecipeError("--size and --print contradict each other: give one of them.")
    if recipe.tileable and recipe.crop_preview:
        raise RecipeError("--crop-preview makes a part, which is no tile: leave out --tileable.")
    if recipe.frame is None and recipe.fit != "inside":
        raise RecipeError("--fit needs a size to meet: give --size WIDTHxHEIGHT, or --print.")
    if recipe.fit == "pad" and recipe.crop_preview:
        raise RecipeError("--crop-preview makes a part, without a border: leave out --fit pad.")


def _check_tile(recipe: Recipe) -> None:
    if isinstance(recipe.tile, str) and recipe.tile.strip().isdigit():
        object.__setattr__(recipe, "tile", int(recipe.tile))
    if isinstance(recipe.tile, str) and recipe.tile not in ("auto", "none"):
        raise RecipeError(
            f"--tile {recipe.tile[:40]!r} is unknown: write auto, none, or a number of pixels."
        )
    if isinstance(recipe.tile, int) and recipe.tile < SMALLEST_TILE:
        raise RecipeError(
            f"--tile {recipe.tile} is too small, as tiles need 70 more pixels all around: take at "
            f"least {SMALLEST_TILE}."
        )


def _check_colors(recipe: Recipe) -> None:
    if recipe.match_color and recipe.preserve_color != "none":
        raise RecipeError(
            "--match-color and --preserve-color contradict each other: give one of them."
        )


def _check_layers(recipe: Recipe) -> None:
    for name in ("content_layers", "style_layers"):
        layers = getattr(recipe, name)
        if not layers and not (name == "content_layers" and recipe.is_style_alone):
            raise RecipeError(f"--{flag(name)} needs at least one layer.")
        canonical = tuple(canonical_layer(layer) for layer in layers)
        if len(set(canonical)) < len(canonical):
            raise RecipeError(f"--{flag(name)} names a layer twice.")
        object.__setattr__(recipe, name, canonical)


def _check_lists(recipe: Recipe) -> None:
    weights, layers = recipe.layer_weights, len(recipe.style_layers)
    if isinstance(weights, tuple) and len(weights) != layers:
        raise RecipeError(
            f"--layer-weights has {count(len(weights), 'number')} for "
            f"{count(layers, 'style layer')}: give one for each."
        )
    for name in ("layer_weights", "blend"):
        shares = getattr(recipe, name)
        if isinstance(shares, tuple) and (min(shares, default=0) < 0 or sum(shares) <= 0):
            raise RecipeError(f"--{flag(name)} needs numbers of at least 0 with a positive sum.")
    if recipe.steps is not None:
        if recipe.quality != type(recipe).quality:
            raise RecipeError("--quality and --steps contradict each other: give one of them.")
        if not recipe.steps or min(recipe.steps) < 0:
            raise RecipeError("--steps needs one or more numbers of at least 0.")
        if recipe.scales and len(recipe.steps) not in (1, recipe.scales):
            raise RecipeError(
                f"--steps has {count(len(recipe.steps), 'number')} for {recipe.scales} scales: "
                "give one for each, or one for all."
            )


def _check_regions(recipe: Recipe) -> None:
    if recipe.protect is None and recipe.protect_amount != type(recipe).protect_amount:
        raise RecipeError(
            "--protect-amount says how far what is protected is left alone: name a mask, or faces, "
            "with --protect."
        )
    if recipe.style_regions is not None and recipe.regions is None:
        raise RecipeError(
            "--style-regions says which parts of the paintings go where: name the map of the "
            "picture with --regions."
        )
    if recipe.regions is not None and (recipe.preserve_color == "statistics" or recipe.match_color):
        color = "--match-color" if recipe.match_color else "--preserve-color statistics"
        raise RecipeError(
            f"{color} is about the whole picture, --regions about its parts: leave out one of them."
        )


def _check_graded(recipe: Recipe) -> None:
    """What has no effect where colours alone are changed."""
    if recipe.photorealistic and recipe.restore:
        raise RecipeError("--photorealistic and --restore are two ways: give one of them.")
    if given := given_in_vain(recipe, "graded") if recipe.is_graded else None:
        way = "--photorealistic" if recipe.photorealistic else "--restore"
        raise RecipeError(f"{way} changes nothing but colours: leave out {given}.")


def _check_instant(recipe: Recipe) -> None:
    """What has no effect on an instant picture."""
    if given := given_in_vain(recipe, "instant") if recipe.is_instant else None:
        raise RecipeError(
            f"--quality instant optimises nothing: leave out {given}, or choose another quality."
        )


def canonical_layer(name: str) -> str:
    """``relu4_2`` is accepted for ``conv4_2``: both name the map after its ReLU."""
    return "conv" + name[4:] if name.startswith("relu") else name


def count(number: int, noun: str) -> str:
    """``1 painting``, ``2 paintings``."""
    return f"{number} {noun}" + ("" if number == 1 else "s")

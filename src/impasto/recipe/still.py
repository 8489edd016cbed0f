"""The recipe: every choice that a person can make, in one frozen dataclass.

Standard library only. The command line's flags and the record beside a result are drawn from it,
so each option's default and its explanation live here and nowhere else.
"""

from __future__ import annotations

import math
import shlex
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from pathlib import PurePath
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from impasto.errors import RecipeError
from impasto.recipe.sizes import DEFAULT_DPI, Frame, parse_paper, parse_size

STYLE_LAYERS = ("conv1_1", "conv2_1", "conv3_1", "conv4_1", "conv5_1")
CONTENT_LAYERS = ("conv4_2",)
LAYER_WEIGHTS = ("equal", "gatys", "falling")
SMALLEST_TILE = 64
MARGIN, WIDEST_MARGIN = 8, 512
INITS = ("noise", "content", "style", "stripes")


Use = Literal["texture", "film", "grid", "instant", "trained"]


def option_group(group: str) -> Callable[..., Any]:
    """Fields of one heading of the help.

    Each has a default and an explanation; ``not_for`` names the uses that it has no meaning in or
    that settle it. A trained network knows only what says ``trained``, as its training has settled
    the rest. ``of_network`` is what the network is made by, once for any number of pictures.
    """

    def option(
        default: Any,
        text: str,
        *,
        not_for: tuple[Use, ...] = (),
        trained: bool = False,
        of_network: bool = False,
    ) -> Any:
        uses = not_for if trained else (*not_for, "trained")
        about = {"help": text, "group": group, "not_for": uses, "of_network": of_network}
        return field(default=default, metadata=about)

    return option


_look = option_group("The look")
_picture = option_group("Size and file")
_objective = option_group("The objective (the report's terms)")
_run = option_group("The optimisation")
_machine = option_group("The machine")


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """What to make of a photograph and one or more paintings.

    Raises:
        RecipeError: an option is out of range or contradicts another.

    """

    strength: float = _look(
        0.975,
        "How much style, from 0 (the photograph) to 1; means the same at every size.",
        not_for=("texture",),
    )
    size: int | str = _picture(
        512,
        "Size of the result: its longest side in pixels, a frame to fit in such as 3000x2000, "
        "or full (the photograph's own).",
        not_for=("texture", "grid"),
        trained=True,
    )
    print: str | None = _picture(
        None,
        "Size on paper, such as 60x90cm or 24x36in, in place of --size; the sheet is turned the "
        "way the photograph lies.",
        not_for=("texture", "film", "grid"),
        trained=True,
    )
    dpi: int | None = _picture(
        None,
        f"Dots per inch, written into the file; {DEFAULT_DPI} for --print when not given.",
        not_for=("film", "grid"),
        trained=True,
    )
    crop_preview: bool = _picture(
        False,
        "Make only the most detailed 512 pixels, at the final scale, as NAME.crop.png: to judge a "
        "large picture before it is paid for.",
        not_for=("texture", "film", "grid", "instant"),
    )
    depth: Literal[8, 16] = _picture(
        8, "Bits of each colour in a PNG or TIFF: 8 or 16.", not_for=("grid",), trained=True
    )
    max_pixels: int = _picture(
        256_000_000,
        "Largest picture that is read or made, in pixels (width times height).",
        not_for=("grid",),
        trained=True,
    )
    style_scale: float | tuple[float, ...] = _look(
        1.0,
        "Size of the painting relative to the photograph: larger means larger strokes; several "
        "sizes, such as 0.7,1,1.4, share alike.",
    )
    blend: tuple[float, ...] | None = _look(
        None, "Share of each painting, such as 0.7,0.3; equal shares when not given.", trained=True
    )
    preserve_color: Literal["none", "luminance", "statistics"] = _look(
        "none",
        "Keep the photograph's colours: exactly (luminance), or on the whole (statistics).",
        not_for=("texture",),
        trained=True,
    )
    match_color: bool = _look(
        False,
        "Give the photograph the paintings' mean colour and colour contrast beforehand.",
        not_for=("texture",),
    )
    tileable: bool = _look(False, "Make opposite edges meet, at any size.", not_for=("film",))
    init: str = _run(
        "content",
        "Starting picture: noise, content, style, stripes, or a picture file.",
        not_for=("texture", "instant"),
    )
    seed: int = _run(0, "Seed of the noise.")
    alpha: float | None = _objective(
        None,
        "Content weight of the report's eq. (7); used with beta, in place of strength.",
        not_for=("texture", "instant"),
    )
    beta: float | None = _objective(
        None,
        "Style weight of the report's eq. (7); used with alpha, in place of strength.",
        not_for=("texture", "instant"),
    )
    tv: float | None = _objective(
        None,
        "Weight of total variation, which smooths; relative to the photograph's own. When not "
        "given, 0.005 times the strength, and 0 with alpha and beta.",
        not_for=("instant",),
    )
    network: Literal["compact", "vgg19", "vgg19-torchvision"] = _objective(
        "compact",
        "The bundled compact network, or a full VGG-19 (see impasto models).",
        not_for=("grid",),
        of_network=True,
    )
    weights: str | None = _objective(
        None, "A safetensors file with the network's weights.", not_for=("grid",), of_network=True
    )
    raw_weights: bool = _objective(
        False,
        "Take a full VGG-19 as released, not with every map scaled to mean 1 (Gatys et al.).",
        of_network=True,
    )
    pooling: Literal["max", "avg"] | None = _objective(
        None, "Pooling; when not given, the one that the network was made for.", of_network=True
    )
    content_layers: tuple[str, ...] = _objective(
        CONTENT_LAYERS,
        "Layers whose features keep the content; none for a texture.",
        not_for=("texture", "instant"),
    )
    style_layers: tuple[str, ...] = _objective(
        STYLE_LAYERS, "Layers whose statistics carry the style.", not_for=("instant",)
    )
    layer_weights: Literal["equal", "gatys", "falling"] | tuple[float, ...] = _objective(
        "falling",
        "Weight w_l of each style layer in eq. (3): numbers, or equal (1/L), gatys (1000/N^2 for N "
        "channels), falling (256:64:16:4:1).",
        not_for=("instant",),
    )
    style_loss: Literal["gram", "gram+mean-std", "w2"] = _objective(
        "w2",
        "Style loss of a layer: eq. (5) of the report (gram); that with means and standard "
        "deviations; or the squared Wasserstein distance of Gaussians (w2).",
        not_for=("instant",),
    )
    margin: int = _run(
        MARGIN,
        "Pixels that are made beyond each edge and cut off again, so that no frame is seen; 0, as "
        "in the report, makes none.",
    )
    optimizer: Literal["lbfgs", "adam", "sgd"] = _run(
        "adam",
        "The optimiser: Adam, L-BFGS, or gradient descent with momentum.",
        not_for=("instant",),
    )
    history: int = _run(10, "Pairs that L-BFGS remembers.", not_for=("instant",))
    learning_rate: float = _run(
        0.02,
        "Step size of Adam, and of the first step of sgd, in picture units.",
        not_for=("instant",),
    )
    scales: int | None = _run(
        None, "Sizes from coarse to fine, each 1.4 times the last; 1 works at full size only."
    )
    steps: tuple[int, ...] | None = _run(
        None, "Steps at each size, coarse to fine, such as 100,50,50; or one number for all."
    )
    quality: Literal["instant", "draft", "standard", "fine", "best"] = _run(
        "standard",
        "Steps at every size where --steps names none; points on one measured curve of time and "
        "distance (docs/performance.md). instant: no steps, a network paints in about a second.",
    )
    average: float = _run(
        0.9,
        "Deliver the running average of the steps' pictures, with this decay, such as 0.9; 0 "
        "delivers the last one.",
        not_for=("instant",),
    )
    device: Literal["auto", "cpu", "cuda", "mps"] = _machine(
        "auto", "Where to compute.", trained=True
    )
    precision: Literal["auto", "fp32", "bf16"] = _machine(
        "auto",
        "Arithmetic of the network; auto is bfloat16 where the hardware has it.",
        trained=True,
    )
    tile: int | str = _machine(
        "auto",
        "Side of the tiles that a large picture is computed in, in pixels; the result is the same. "
        "auto: as free memory asks for; none: the whole at once.",
        not_for=("instant",),
    )
    threads: int | None = _machine(
        None, "CPU threads; when not given, torch's own choice.", trained=True
    )

    def __post_init__(self) -> None:
        _check_types(self)
        _check_numbers(self)
        _check_size(self)
        _check_tile(self)
        _check_colors(self)
        _check_layers(self)
        _check_lists(self)
        _check_instant(self)

    @property
    def is_instant(self) -> bool:
        """True where a network paints the picture, and nothing is optimised."""
        return self.quality == "instant"

    @property
    def uses_alpha_beta(self) -> bool:
        """True when eq. (7)'s own weights replace the strength."""
        return self.alpha is not None or self.beta is not None

    @property
    def is_style_alone(self) -> bool:
        """True when the content has no weight, so that a picture needs no photograph."""
        return self.strength == 1 and not self.uses_alpha_beta

    @property
    def variation_weight(self) -> float:
        """Weight of total variation: as given, or as much as it takes against max pooling's grid.

        Max pooling leaves a grain of single pixels in flat regions. At 0.005 the changes across
        even and odd lines of a texture are 1.0 : 1.0 instead of 1.25 : 0.75, and the total
        variation of transfers falls by a third, at no cost in style distance.
        """
        if self.tv is not None:
            return self.tv
        return 0.0 if self.uses_alpha_beta else 0.005 * self.strength

    @property
    def frame(self) -> Frame | None:
        """The frame that the result fits in; None for the photograph's own size."""
        if self.print is not None:
            return parse_paper(self.print, self.resolution or DEFAULT_DPI)
        return parse_size(self.size)

    @property
    def resolution(self) -> int | None:
        """Dots per inch that the file is to state; None where nothing asks for any."""
        return self.dpi or (DEFAULT_DPI if self.print is not None else None)

    @property
    def style_scales(self) -> tuple[float, ...]:
        """Sizes of each painting relative to the photograph."""
        return self.style_scale if isinstance(self.style_scale, tuple) else (self.style_scale,)

    def weights_of_layers(self, channels: Sequence[int]) -> tuple[float, ...]:
        """w_l of eq. (3) for style layers of N = ``channels``, shallow to deep: as given, or

        - ``equal``: 1/L, the report's;
        - ``gatys``: 1000/N^2, of the published code of Gatys et al.;
        - ``falling``: a quarter of the layer before, adding up to 1 (crowsonkb's default).
        """
        if isinstance(self.layer_weights, tuple):
            return self.layer_weights
        layers = len(channels)
        if self.layer_weights == "gatys":
            return tuple(1e3 / n**2 for n in channels)
        ratio = 4 if self.layer_weights == "falling" else 1
        powers = [ratio**i for i in reversed(range(layers))]
        return tuple(power / sum(powers) for power in powers)

    def blend_for(self, styles: int) -> tuple[float, ...]:
        """Shares of ``styles`` paintings, adding up to 1.

        Raises:
            RecipeError: the blend names another number of paintings.

        """
        if self.blend is None:
            return (1 / styles,) * styles
        if len(self.blend) != styles:
            raise RecipeError(
                f"--blend has {_count(len(self.blend), 'share')} for {_count(styles, 'painting')}: "
                "give one share for each."
            )
        return tuple(share / sum(self.blend) for share in self.blend)

    def as_dict(self) -> dict[str, Any]:
        """Plain values, ready for JSON; :meth:`from_dict` reads them back.

        Of files only the names are kept: where they lie on somebody's disk is nobody's business.
        """
        values = asdict(self)
        for name in ("init", "weights"):
            values[name] = values[name] and PurePath(values[name]).name
        return values

    def command_line(self) -> str:
        """The options that are not at their defaults, as one writes them after a command."""
        return command_line(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Recipe:
        """The recipe that :meth:`as_dict` wrote, lists standing for tuples.

        Raises:
            RecipeError: a value has an unknown name or is out of range.

        """
        known = {item.name for item in fields(cls)}
        unknown = sorted(set(values) - known)
        if unknown:
            raise RecipeError(
                f"There is no option named {unknown[0]!r}; see impasto stylize --help."
            )
        plain: dict[str, Any] = {
            name: tuple(value) if isinstance(value, list) else value
            for name, value in values.items()
        }
        return cls(**plain)


TEXTURE: dict[str, Any] = {"strength": 1.0, "content_layers": (), "init": "noise"}
"""What makes a recipe one of a texture: style alone, from noise."""


def options_not_for(use: Use) -> tuple[str, ...]:
    """Names of the recipe's options that have no meaning in a use, or that it settles."""
    return tuple(item.name for item in fields(Recipe) if use in item.metadata["not_for"])


def options_of_network() -> tuple[str, ...]:
    """Names of the recipe's options that a network is made by."""
    return tuple(item.name for item in fields(Recipe) if item.metadata["of_network"])


def command_line(options: Any) -> str:
    """The fields of a dataclass of options that are not at their defaults, as flags."""
    words: list[str] = []
    for item in fields(options):
        value = getattr(options, item.name)
        if value == item.default:
            continue
        words.append(f"--{_flag(item.name)}")
        if value is not True:
            words.append(_written(value))
    return shlex.join(words)


def canonical_layer(name: str) -> str:
    """``relu4_2`` is accepted for ``conv4_2``: both name the map after its ReLU."""
    return "conv" + name[4:] if name.startswith("relu") else name


def _check_types(recipe: Recipe) -> None:
    for name, hint in get_type_hints(Recipe).items():
        value = getattr(recipe, name)
        if not any(_fits(value, kind) for kind in _kinds(hint)):
            choices = [str(choice) for kind in _kinds(hint) for choice in get_args(kind)]
            listed = ", ".join(choices) if get_origin(_kinds(hint)[0]) is Literal else None
            advice = f"choose from {listed}" if listed else "see impasto stylize --help"
            raise RecipeError(f"--{_flag(name)} {value!r} is unknown: {advice}.")


def _kinds(hint: Any) -> tuple[Any, ...]:
    """The alternatives of a union; the hint itself where it is none."""
    return get_args(hint) if get_origin(hint) in (UnionType, Union) else (hint,)


def _fits(value: Any, kind: Any) -> bool:
    origin = get_origin(kind)
    if origin is Literal:
        return value in get_args(kind)
    if origin is tuple:
        return isinstance(value, tuple) and all(_fits(item, get_args(kind)[0]) for item in value)
    if kind is float:
        return isinstance(value, int | float) and not isinstance(value, bool)
    if kind is NoneType:
        return value is None
    return isinstance(value, kind) and (kind is bool or not isinstance(value, bool))


def _check_numbers(recipe: Recipe) -> None:
    def need(ok: bool, sentence: str) -> None:
        if not ok:
            raise RecipeError(sentence)

    for item in fields(recipe):
        value = getattr(recipe, item.name)
        for number in value if isinstance(value, tuple) else (value,):
            if isinstance(number, float):
                need(math.isfinite(number), f"--{_flag(item.name)} must be a finite number.")
    need(0 <= recipe.strength <= 1, "--strength must lie between 0 and 1.")
    for scale in recipe.style_scales or (0,):
        need(0.05 <= scale <= 20, "--style-scale must lie between 0.05 and 20.")
    need(0 <= recipe.average < 1, "--average must be at least 0 and below 1.")
    need(0 <= recipe.seed < 2**63, "--seed must be a number of at least 0 and below 2^63.")
    need((recipe.tv or 0) >= 0, "--tv must not be negative.")
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
    if recipe.print is not None and recipe.size != Recipe.size:
        raise RecipeError("--size and --print contradict each other: give one of them.")
    if recipe.tileable and recipe.crop_preview:
        raise RecipeError("--crop-preview makes a part, which is no tile: leave out --tileable.")
    _ = recipe.frame  # says what is wrong with either


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
            raise RecipeError(f"--{_flag(name)} needs at least one layer.")
        canonical = tuple(canonical_layer(layer) for layer in layers)
        if len(set(canonical)) < len(canonical):
            raise RecipeError(f"--{_flag(name)} names a layer twice.")
        object.__setattr__(recipe, name, canonical)


def _check_lists(recipe: Recipe) -> None:
    weights, layers = recipe.layer_weights, len(recipe.style_layers)
    if isinstance(weights, tuple) and len(weights) != layers:
        raise RecipeError(
            f"--layer-weights has {_count(len(weights), 'number')} for "
            f"{_count(layers, 'style layer')}: give one for each."
        )
    for name in ("layer_weights", "blend"):
        shares = getattr(recipe, name)
        if isinstance(shares, tuple) and (min(shares, default=0) < 0 or sum(shares) <= 0):
            raise RecipeError(f"--{_flag(name)} needs numbers of at least 0 with a positive sum.")
    if recipe.steps is not None:
        if recipe.quality != Recipe.quality:
            raise RecipeError("--quality and --steps contradict each other: give one of them.")
        if not recipe.steps or min(recipe.steps) < 0:
            raise RecipeError("--steps needs one or more numbers of at least 0.")
        if recipe.scales and len(recipe.steps) not in (1, recipe.scales):
            raise RecipeError(
                f"--steps has {_count(len(recipe.steps), 'number')} for {recipe.scales} scales: "
                "give one for each, or one for all."
            )


def _check_instant(recipe: Recipe) -> None:
    """Nothing is optimised, so that nothing of the objective or the optimiser has an effect."""
    if not recipe.is_instant:
        return
    for each in fields(recipe):
        if "instant" in each.metadata["not_for"] and getattr(recipe, each.name) != each.default:
            raise RecipeError(
                f"--quality instant optimises nothing: leave out --{_flag(each.name)}, or choose "
                "another quality."
            )


def _flag(name: str) -> str:
    return name.replace("_", "-")


def _written(value: Any) -> str:
    """A value as the command line takes it."""
    return ",".join(map(_written, value)) if isinstance(value, tuple) else str(value)


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" + ("" if number == 1 else "s")

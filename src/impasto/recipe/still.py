"""The recipe: every choice that a person can make, in one frozen dataclass.

Standard library only. The command line's flags and the record beside a result are drawn from it,
so each option's default and its explanation live here and nowhere else.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from pathlib import PurePath
from typing import Any, Literal

from impasto.errors import RecipeError
from impasto.recipe import options as declared
from impasto.recipe import typed
from impasto.recipe.checks import check, count
from impasto.recipe.methods import NEIGHBOURS, STATISTICS, automatic, settle, settled, told
from impasto.recipe.options import Use, command_line, given, given_in_vain, make_known, option_group
from impasto.recipe.sizes import DEFAULT_DPI, Frame, parse_paper, parse_size
from impasto.recipe.strength import style_share

STYLE_LAYERS = ("conv1_1", "conv2_1", "conv3_1", "conv4_1", "conv5_1")
CONTENT_LAYERS = ("conv4_2",)
LAYER_WEIGHTS = ("equal", "gatys", "falling")
FACES = "faces"  # in place of a mask's file
INITS = ("noise", "content", "style", "stripes", "instant")


_look = option_group("The look")
_picture = option_group("Size and file")
_objective = option_group("The objective (the report's terms)")
_run = option_group("The optimisation")
_machine = option_group("The machine")


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """What to make of a photograph and one or more paintings.

    What is left open, or None, has the value of its method (:mod:`impasto.recipe.methods`) as soon
    as the recipe is made.

    Raises:
        RecipeError: an option is out of range or contradicts another.

    """

    method: Literal["neighbours", "statistics", "report"] = _look(
        None,
        "neighbours: each place of the picture takes after its match in the painting, and the "
        "whole after the painting's statistics; statistics: these alone; report: eqs. (1) to (7) "
        "by L-BFGS from noise at one size. When not given: neighbours for a picture by the bundled "
        "network, but statistics for films and textures, and where --style-loss, --layer-weights, "
        "--alpha or --beta is given.",
        not_for=("grid", "instant"),
    )
    strength: float = _look(
        None,
        "How much style, from 0 (the photograph) to 1; means the same at every size."
        + told("strength")
        + " With --quality instant: 0.6; with --photorealistic or --restore: 1.",
        not_for=("texture",),
        graded=True,
    )
    size: int | str = _picture(
        512,
        "Size of the result: its longest side in pixels, a frame to fit in such as 3000x2000, "
        "or full (the photograph's own).",
        not_for=("texture", "grid"),
        trained=True,
        graded=True,
    )
    print: str | None = _picture(
        None,
        "Size on paper, such as 60x90cm or 24x36in, in place of --size; the sheet is turned the "
        "way the photograph lies.",
        not_for=("texture", "film", "grid"),
        trained=True,
        graded=True,
    )
    fit: Literal["inside", "crop", "pad"] = _picture(
        "inside",
        "How a photograph of another proportion meets --size WIDTHxHEIGHT or --print: inside the "
        "frame, with one side shorter; crop: its middle, at exactly that size; pad: inside, with a "
        "white border up to exactly that size.",
        not_for=("texture", "film", "grid"),
        trained=True,
        graded=True,
    )
    dpi: int | None = _picture(
        None,
        f"Dots per inch, written into the file; {DEFAULT_DPI} for --print when not given.",
        not_for=("film", "grid"),
        trained=True,
        graded=True,
    )
    crop_preview: bool = _picture(
        False,
        "Make only the most detailed 512 pixels, at the final scale, as NAME.crop.png: to judge a "
        "large picture before it is paid for.",
        not_for=("texture", "film", "grid"),
    )
    depth: Literal[8, 16] = _picture(
        8,
        "Bits of each colour in a PNG or TIFF: 8 or 16.",
        not_for=("grid",),
        trained=True,
        graded=True,
    )
    max_pixels: int = _picture(
        256_000_000,
        "Largest picture that is read or made, in pixels (width times height).",
        not_for=("grid",),
        trained=True,
        graded=True,
    )
    style_scale: float | tuple[float, ...] = _look(
        1.0,
        "Size of the painting relative to the photograph: larger means larger strokes; several "
        "sizes, such as 0.7,1,1.4, share alike.",
    )
    blend: tuple[float, ...] | None = _look(
        None,
        "Share of each painting, such as 0.7,0.3; equal shares when not given.",
        trained=True,
        graded=True,
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
        None,
        "Starting picture: noise, content, style, stripes, instant (the picture of --quality "
        "instant), or a picture file." + told("init"),
        not_for=("texture", "instant"),
    )
    protect: str | None = _look(
        None,
        "A picture file that says where the photograph stays: white leaves it alone, black does "
        "not, grey lies between; of the photograph's proportion, in any size. For a film: that of "
        "the first frame, which is carried along, or a folder or film with one for each. Or faces: "
        "those that are found.",
        not_for=("texture", "grid"),
        graded=True,
    )
    protect_amount: float = _look(
        1.0,
        "How far what is protected is left alone, from 0 to 1; 0.5 lies half-way between the "
        "photograph and the painting.",
        not_for=("texture", "grid"),
        graded=True,
    )
    regions: str | None = _look(
        None,
        "A picture file whose flat colours say which painting goes where: from the darkest colour, "
        "which is the first painting's, to the lightest; of the photograph's proportion, in any "
        "size. With --style-regions: which part of the paintings. For a film as --protect.",
        not_for=("grid",),
        graded=True,
    )
    style_regions: tuple[str, ...] | None = _look(
        None,
        "For each painting a picture file whose colours are those of --regions: each region takes "
        "after the parts of its own colour.",
        not_for=("grid",),
        graded=True,
    )
    photorealistic: bool = _look(
        False,
        "Change nothing but the photograph's colours, to those of another photograph: no line "
        "bends, and no grain appears.",
        not_for=("texture", "film", "grid", "instant"),
        graded=True,
    )
    restore: bool = _look(
        False,
        "Brighten a dark photograph as another one is exposed, and hold its noise down; its own "
        "colours stay.",
        not_for=("texture", "film", "grid", "instant"),
        graded=True,
    )
    neighbours: float = _objective(
        None,
        "Weight of the features that an instant picture takes from the painting, position by "
        "position; 1 counts as much as the other terms." + told("neighbours"),
        not_for=("texture", "film", "instant"),
    )
    seed: int = _run(
        0,
        "Seed of the noise; where places are matched, any but 0 also likes some parts of the "
        "paintings better than others, for another picture.",
    )
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
        None,
        "Layers whose statistics carry the style." + told("style_layers"),
        not_for=("instant",),
    )
    layer_weights: Literal["equal", "gatys", "falling"] | tuple[float, ...] = _objective(
        None,
        "Weight w_l of each style layer in eq. (3): numbers, or equal (1/L), gatys (1000/N^2 for N "
        "channels), falling (256:64:16:4:1)." + told("layer_weights"),
        not_for=("instant",),
    )
    style_loss: Literal["gram", "gram+mean-std", "w2"] = _objective(
        None,
        "Style loss of a layer: eq. (5) of the report (gram); that with means and standard "
        "deviations; or the squared Wasserstein distance of Gaussians (w2)." + told("style_loss"),
        not_for=("instant",),
    )
    margin: int = _run(
        None,
        "Pixels that are made beyond each edge and cut off again, so that no frame is seen; 0 "
        "makes none." + told("margin"),
    )
    optimizer: Literal["lbfgs", "adam", "sgd"] = _run(
        None,
        "The optimiser: Adam, L-BFGS, or gradient descent with momentum." + told("optimizer"),
        not_for=("instant",),
    )
    history: int = _run(10, "Pairs that L-BFGS remembers.", not_for=("instant",))
    learning_rate: float = _run(
        0.02,
        "Step size of Adam, and of the first step of sgd, in picture units.",
        not_for=("instant",),
    )
    scales: int | None = _run(
        None,
        "Sizes from coarse to fine, each 1.4 times the last; 1 works at full size only. When not "
        "given: all from 128 pixels on, but 1 with neighbours or --method report.",
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
        None,
        "Deliver the running average of the steps' pictures, with this decay, such as 0.9; 0 "
        "delivers the last one." + told("average"),
        not_for=("instant",),
    )
    device: Literal["auto", "cpu", "cuda", "mps"] = _machine(
        "auto",
        "Where to compute.",
        trained=True,
        graded=True,
    )
    precision: Literal["auto", "fp32", "bf16"] = _machine(
        None,
        "Arithmetic of the network; auto is bfloat16 where the hardware has it."
        + told("precision"),
        trained=True,
    )
    tile: int | str = _machine(
        "auto",
        "Side of the tiles that a large picture is computed in, in pixels; the result is the same. "
        "auto: as free memory asks for; none: the whole at once.",
        not_for=("instant",),
    )
    threads: int | None = _machine(
        None,
        "CPU threads; when not given, torch's own choice.",
        trained=True,
        graded=True,
    )

    def __post_init__(self) -> None:
        for item, hint in typed.declared(Recipe):
            object.__setattr__(self, item.name, typed.tidied(getattr(self, item.name), hint))
        settle(self)
        check(self)

    @property
    def given(self) -> dict[str, Any]:
        """The options, by name, that are neither at their defaults nor as the method settles them.

        A recipe of these is the same recipe.
        """
        own = given(self, settled(self))
        own.pop("method", None)
        return own if automatic(own) == self.method else {"method": self.method, **own}

    @property
    def is_instant(self) -> bool:
        """True where a network paints the picture, and nothing is optimised."""
        return self.quality == "instant"

    @property
    def is_graded(self) -> bool:
        """True where a photograph's colours are changed, and nothing else."""
        return self.photorealistic or self.restore

    @property
    def uses_chance(self) -> bool:
        """True where the seed makes a difference: for noise, and for the choice of matches."""
        if self.is_graded:
            return False
        return self.init in ("noise", "instant") or self.is_instant or self.is_matched

    @property
    def is_matched(self) -> bool:
        """True where matched features are a part of the objective; never for a strength of 0."""
        return bool(self.neighbours and self.strength)

    @property
    def pictures(self) -> dict[str, tuple[str, ...]]:
        """The picture files that the options name, by role.

        The roles are ``init``, ``protect``, ``regions`` and ``style_regions``.
        """
        init = None if self.init in INITS else self.init
        protect = None if self.protect == FACES else self.protect
        named = {"init": init, "protect": protect, "regions": self.regions}
        single = {role: (path,) for role, path in named.items() if path is not None}
        return {**single, **({"style_regions": self.style_regions} if self.style_regions else {})}

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
        return 0.0 if self.uses_alpha_beta else 0.005 * self.style_share

    @property
    def style_share(self) -> float:
        """Weight of the style in the objective, in [0, 1]; the content has the rest."""
        return style_share(self.strength)

    @property
    def frame(self) -> Frame | None:
        """The frame that the result fits in; None for the photograph's own size."""
        if self.print is not None:
            return parse_paper(self.print, self.resolution or DEFAULT_DPI)
        return parse_size(self.size)

    def size_for(self, height: int, width: int) -> tuple[int, int]:
        """Height and width that a photograph of some size is painted at; a border comes later."""
        if self.frame is None:
            return height, width
        return (self.frame.whole if self.fit == "crop" else self.frame.fit)(height, width)

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
                f"--blend has {count(len(self.blend), 'share')} for {count(styles, 'painting')}: "
                "give one share for each."
            )
        return tuple(share / sum(self.blend) for share in self.blend)

    def as_dict(self) -> dict[str, Any]:
        """Plain values, ready for JSON; :meth:`from_dict` reads them back.

        Of files only the names are kept: where they lie on somebody's disk is nobody's business.
        """
        values = asdict(self)
        for name in ("init", "protect", "regions", "weights"):
            values[name] = values[name] and PurePath(values[name]).name
        if self.style_regions:
            values["style_regions"] = tuple(PurePath(each).name for each in self.style_regions)
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
        return cls(**cls._plain(values))

    def but(self, options: Mapping[str, Any]) -> Recipe:
        """The same but for some options.

        Raises:
            RecipeError: one is unknown or out of range.

        """
        return type(self)(**{**self.given, **self._plain(options)}) if options else self

    def by(self, method: str) -> Recipe:
        """The same by another method: what was left open is the other's."""
        return type(self)(**{**self.given, "method": method})

    @classmethod
    def _plain(cls, values: Mapping[str, Any]) -> dict[str, Any]:
        unknown = sorted(set(values) - {item.name for item in fields(cls)})
        if unknown:
            raise RecipeError(
                f"There is no option named {unknown[0]!r}; see impasto stylize --help."
            )
        return dict(values)


make_known(Recipe)

TEXTURE: dict[str, Any] = {"strength": 1.0, "content_layers": (), "init": "noise"}
"""What makes a recipe one of a texture: style alone, from noise."""


def as_texture(recipe: Recipe, width: int, height: int) -> Recipe:
    """The recipe of a texture of some size, style alone, from one of options.

    Raises:
        RecipeError: an option has no meaning without a photograph.

    """
    if recipe.is_instant:
        raise RecipeError("A texture cannot be made at once: choose another --quality.")
    if vain := given_in_vain(recipe, "texture"):
        raise RecipeError(f"A texture has no photograph: leave out {vain}.")
    return replace(without_neighbours(recipe), **TEXTURE, size=max(width, height))


def without_neighbours(recipe: Recipe) -> Recipe:
    """The same by statistics where it would be by neighbours: for films and textures."""
    return recipe.by(STATISTICS) if recipe.method == NEIGHBOURS else recipe


def options_not_for(use: Use) -> tuple[str, ...]:
    """Names of the recipe's options that have no meaning in a use, or that it settles."""
    return declared.options_not_for(Recipe, use)


def options_of_network() -> tuple[str, ...]:
    """Names of the recipe's options that a network is made by."""
    return tuple(item.name for item in fields(Recipe) if item.metadata["of_network"])

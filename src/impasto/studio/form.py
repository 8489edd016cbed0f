"""The form, drawn from the recipe's dataclass as the command line's flags are: controls and values.

A control's value is a text, a number or True; :func:`options_of` makes options of them, in which
what is left open, or at its default, is missing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import Field, dataclass
from typing import Any, Literal

from impasto.errors import RecipeError
from impasto.recipe.options import flag
from impasto.recipe.still import Recipe, options_of_network
from impasto.recipe.typed import alternatives, choices, declared, items

AUTOMATIC = "automatic"  # in a list of choices: left open
FRONT = {  # what everybody uses: in words, and what it does
    "strength": ("Strength", "From the photograph (0) to the painting (1)."),
    "style_scale": ("Size of strokes", "1 as the painting has them; larger is broader."),
    "preserve_color": ("Keep the photograph's colours", "Exactly (luminance), or on the whole."),
    "quality": ("Care", "How long it is worked at; instant ends with the first version."),
    "seed": ("Another version", "Any other number gives another picture of the same kind."),
}
RANGES = {"strength": (0.0, 1.0, 0.01), "style_scale": (0.25, 4.0, 0.05)}  # and the step
# What a page settles otherwise, or what names a file or a size of the server's.
_ELSEWHERE = {
    "init", "weights", "protect", "regions", "style_regions", "blend", "size", "print", "fit",
    "dpi", "depth", "crop_preview", "max_pixels", "tileable", "device", "precision", "tile",
    "threads", *options_of_network(),
}  # fmt: skip


@dataclass(frozen=True)
class Control:
    """One option on the page.

    Attributes:
        name: the option's.
        label: the same in words.
        help: what it does.
        group: the heading that it stands under.
        kind: ``slider``, ``choice``, ``tick``, ``number`` or ``text``.
        choices: of a choice.
        usual: what it shows where nothing was chosen.
        is_front: whether everybody sees it at once.

    """

    name: str
    label: str
    help: str
    group: str
    kind: Literal["slider", "choice", "tick", "number", "text"]
    choices: tuple[str, ...]
    usual: Any
    is_front: bool


def controls() -> list[Control]:
    """The recipe's options that a page has, what everybody uses first."""
    drawn = [_control(item, hint) for item, hint in declared(Recipe) if item.name not in _ELSEWHERE]
    return sorted(drawn, key=lambda c: [*FRONT, c.name].index(c.name))


def options_of(values: Mapping[str, Any]) -> dict[str, Any]:
    """The options that a form's values stand for.

    Args:
        values: by the options' names.

    Raises:
        RecipeError: a text is no value of its option.

    """
    hints = {item.name: (item, hint) for item, hint in declared(Recipe)}
    found = {name: _value(*hints[name], value) for name, value in values.items()}
    options = {n: v for n, v in found.items() if v is not None and v != hints[n][0].default}
    strength = options.pop("strength", None)  # what it usually is depends on the method
    if strength in (None, Recipe(**options).strength):
        return options
    return {"strength": strength, **options}


def values_of(options: Mapping[str, Any], shown: Iterable[Control]) -> list[Any]:
    """What each control shows for some options."""
    settled = {"strength": Recipe(**options).strength, **options}
    return [_written(settled[c.name], c) if c.name in settled else c.usual for c in shown]


def _control(item: Field[Any], hint: Any) -> Control:
    named = tuple(str(each) for each in choices(hint))
    kind: Literal["slider", "choice", "tick", "number", "text"] = "text"
    if item.name in RANGES:
        kind = "slider"
    elif named and items(hint) is None:
        kind = "choice"
        named = (AUTOMATIC, *named) if item.default is None else named
    elif hint is bool:
        kind = "tick"
    elif item.default is not None and any(each in (int, float) for each in alternatives(hint)):
        kind = "number"
    usual = item.name.replace("_", " ").capitalize(), item.metadata["help"].replace("--", "")
    label, text = FRONT.get(item.name, usual)
    front, group = item.name in FRONT, item.metadata["group"]
    return Control(item.name, label, text, group, kind, named, _usual(item, hint), front)


def _usual(item: Field[Any], hint: Any) -> Any:
    if item.name == "strength":
        return Recipe().strength  # left open, it is the default method's
    if item.default is None:
        return AUTOMATIC if choices(hint) and items(hint) is None else ""
    return _text_of(item.default) if isinstance(item.default, tuple) else item.default


def _value(item: Field[Any], hint: Any, value: Any) -> Any:
    """What a control's value stands for; None where it is left open."""
    if value in (None, "", AUTOMATIC):
        return None
    if not isinstance(value, str):
        is_whole = float not in alternatives(hint) and isinstance(value, float)
        return int(value) if is_whole and value.is_integer() else value
    if value in choices(hint):
        return value
    kind = items(hint) or next((each for each in alternatives(hint) if each in (int, float)), str)
    try:
        parts = tuple(kind(part.strip()) for part in value.split(",") if part.strip())
    except ValueError as error:
        raise RecipeError(
            f"--{flag(item.name)} {value[:40]!r} is no number, or no numbers with commas."
        ) from error
    return parts if items(hint) is not None else parts[0]


def _written(value: Any, control: Control) -> Any:
    return _text_of(value) if control.kind == "text" else value


def _text_of(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, tuple | list) else str(value)

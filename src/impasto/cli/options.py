"""Command-line options, drawn from the recipe: names, defaults and help all come from there."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Collection
from dataclasses import fields
from typing import Annotated, Any, get_type_hints

from cyclopts import Group, Parameter, Token

from impasto.recipe.still import Recipe

_GROUPS: dict[str, Group] = {}


def with_recipe_options(
    command: Callable[..., Any],
    *,
    leave_out: Collection[str] = (),
    also: type[Any] | None = None,
) -> Callable[..., Any]:
    """Give a command one option for each field of the recipe, in place of its ``**options``.

    Args:
        command: takes ``**options``.
        leave_out: fields that mean nothing there.
        also: another dataclass, whose fields come first.

    """
    signature = inspect.signature(command)
    hints = get_type_hints(command, include_extras=True)
    own = [
        parameter.replace(annotation=hints[parameter.name])
        for parameter in signature.parameters.values()
        if parameter.kind is not inspect.Parameter.VAR_KEYWORD
    ]
    sources = [Recipe] if also is None else [also, Recipe]
    types = {name: hint for source in sources for name, hint in get_type_hints(source).items()}
    drawn = [
        inspect.Parameter(
            item.name,
            inspect.Parameter.KEYWORD_ONLY,
            default=item.default,
            annotation=_annotation(types[item.name], item.metadata["help"], item.metadata["group"]),
        )
        for source in sources
        for item in fields(source)
        if item.name not in leave_out
    ]
    command.__signature__ = inspect.Signature(own + drawn)  # type: ignore[attr-defined]
    command.__annotations__ = {p.name: p.annotation for p in own + drawn}
    return command


def _annotation(kind: Any, text: str, group: str) -> Any:
    shared: dict[str, Any] = {"help": text, "group": _group(group)}
    if kind is bool:
        shared["negative"] = ""
    if "tuple" in str(kind):
        shared |= {
            "converter": _floats_or_name
            if "Literal" in str(kind)
            else _floats
            if "float" in str(kind)
            else _integers
            if "int" in str(kind)
            else _names,
            "n_tokens": 1,
            "accepts_keys": False,
            "negative": "",
        }
    return Annotated[kind, Parameter(**shared)]


def _group(name: str) -> Group:
    return _GROUPS.setdefault(name, Group.create_ordered(name))


def _split(tokens: tuple[Token, ...]) -> list[str]:
    return [part.strip() for token in tokens for part in token.value.split(",") if part.strip()]


def _names(_: Any, tokens: tuple[Token, ...]) -> tuple[str, ...]:
    return tuple(_split(tokens))


def _floats_or_name(_: Any, tokens: tuple[Token, ...]) -> tuple[float, ...] | str:
    (token,) = tokens
    return token.value if token.value.isalpha() else _floats(_, tokens)


def _floats(_: Any, tokens: tuple[Token, ...]) -> tuple[float, ...]:
    return tuple(float(part) for part in _split(tokens))


def _integers(_: Any, tokens: tuple[Token, ...]) -> tuple[int, ...]:
    return tuple(int(part) for part in _split(tokens))

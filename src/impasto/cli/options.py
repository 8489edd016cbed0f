"""Command-line options, drawn from the recipe: names, defaults and help all come from there."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Collection
from dataclasses import Field
from functools import partial
from typing import Annotated, Any, get_type_hints

from cyclopts import Group, Parameter, Token

from impasto.recipe.still import Recipe
from impasto.recipe.typed import choices, declared, items

_GROUPS: dict[str, Group] = {}


def with_recipe_options(
    command: Callable[..., Any],
    *,
    leave_out: Collection[str] = (),
    also: type[Any] | None = None,
) -> Callable[..., Any]:
    """Give a command an option for each field of the recipe.

    Args:
        command: takes ``recipe``, the finished :class:`Recipe`, in place of these options; or, for
            a grid of them, ``**options`` as they are.
        leave_out: fields that mean nothing there.
        also: another dataclass, whose fields come first; the command takes one as ``film``.

    """
    signature = inspect.signature(command)
    hints = get_type_hints(command, include_extras=True)
    sources = {"film": also, "recipe": Recipe} if also else {"recipe": Recipe}
    own = [
        parameter.replace(annotation=hints[parameter.name])
        for parameter in signature.parameters.values()
        if parameter.name not in sources and parameter.kind is not inspect.Parameter.VAR_KEYWORD
    ]
    drawn = {
        role: [
            _parameter(item, hint) for item, hint in declared(kind) if item.name not in leave_out
        ]
        for role, kind in sources.items()
    }
    takes_recipe = "recipe" in signature.parameters

    @functools.wraps(command)
    def called(*names: Any, **given: Any) -> Any:
        for role, kind in sources.items() if takes_recipe else ():
            options = {
                each.name: given.pop(each.name) for each in drawn[role] if each.name in given
            }
            given[role] = kind(**options)
        return command(*names, **given)

    every = own + [each for role in sources for each in drawn[role]]
    called.__signature__ = inspect.Signature(every)  # type: ignore[attr-defined]
    called.__annotations__ = {each.name: each.annotation for each in every}
    return called


def _parameter(item: Field[Any], hint: Any) -> inspect.Parameter:
    """An option of the command line for a field of a dataclass of options.

    One that may be left open says so: where pydantic is loaded as well, cyclopts checks defaults.
    """
    hint = hint if item.default is not None else hint | None
    return inspect.Parameter(
        item.name,
        inspect.Parameter.KEYWORD_ONLY,
        default=item.default,
        annotation=_annotation(hint, item.metadata["help"], item.metadata["group"]),
    )


_CONVERTERS: dict[type[Any], Callable[[str], Any]] = {float: float, int: int, str: str}


def _annotation(hint: Any, text: str, group: str) -> Any:
    shared: dict[str, Any] = {"help": text, "group": _group(group)}
    if hint is bool:
        shared["negative"] = ""
    if kind := items(hint):
        shared |= {
            "converter": partial(_listed, _CONVERTERS[kind], choices(hint)),
            "n_tokens": 1,
            "accepts_keys": False,
            "negative": "",
        }
    return Annotated[hint, Parameter(**shared)]


def _listed(
    convert: Callable[[str], Any], names: Collection[str], _: Any, tokens: tuple[Token, ...]
) -> tuple[Any, ...] | str:
    """``1,2`` as a tuple; where names are allowed as well, a word is one of them or none."""
    if names and tokens[0].value.isalpha():
        return tokens[0].value
    parts = [part.strip() for token in tokens for part in token.value.split(",")]
    return tuple(convert(part) for part in parts if part)


def _group(name: str) -> Group:
    return _GROUPS.setdefault(name, Group.create_ordered(name))

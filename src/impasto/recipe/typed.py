"""What type annotations say of values: of options, of records, and of the command line's words.

The one place that reads annotations. Standard library only.
"""

from __future__ import annotations

import math
import os
import types
from collections.abc import Mapping
from dataclasses import MISSING, Field, fields, is_dataclass
from numbers import Number
from typing import Any, Literal, TypeVar, Union, cast, get_args, get_origin, get_type_hints

T = TypeVar("T")

LONGEST_TEXT = 1000
LARGEST_NUMBER = 1e300
LARGEST_INTEGER = 2**64


class MismatchError(ValueError):
    """A value does not match its annotation; the text says why in a few words.

    Attributes:
        is_about_names: True if field names are wrong, not types of values.

    """

    def __init__(self, text: str, *, is_about_names: bool = False) -> None:
        super().__init__(text)
        self.is_about_names = is_about_names


def alternatives(hint: Any) -> tuple[Any, ...]:
    """The members of a union; the annotation itself where it is none."""
    return get_args(hint) if get_origin(hint) in (Union, types.UnionType) else (hint,)


def choices(hint: Any) -> tuple[Any, ...]:
    """The values that Literals among the alternatives allow."""
    named = (each for each in alternatives(hint) if get_origin(each) is Literal)
    return tuple(choice for each in named for choice in get_args(each))


def declared(cls: type[Any]) -> list[tuple[Field[Any], Any]]:
    """The fields of a dataclass, each with its annotation."""
    hints = get_type_hints(cls)
    return [(item, hints[item.name]) for item in fields(cls)]


def items(hint: Any) -> type[Any] | None:
    """T where ``tuple[T, ...]`` is among the alternatives; else None."""
    tuples = (get_args(each) for each in alternatives(hint) if get_origin(each) is tuple)
    return next((each[0] for each in tuples), None)


def fits(value: Any, hint: Any) -> bool:
    """Whether a value given in Python is of the annotated type; an int is a float as well.

    Subclasses count, such as NumPy's numbers; True and False are no numbers.
    """
    return any(_fits_one(value, each) for each in alternatives(hint))


def tidied(value: Any, hint: Any) -> Any:
    """A value as a program may give it, in the form that is annotated.

    A list becomes a tuple, a single number or name a tuple of one where only a tuple will do, and
    a number of another library's, such as NumPy's, Python's own.
    """
    kind = items(hint)
    if kind is not None and isinstance(value, list):
        value = tuple(value)
    if isinstance(value, tuple):
        return tuple(_own_number(each) for each in value)
    value = _own_number(os.fspath(value) if isinstance(value, os.PathLike) else value)
    if kind is None or fits(value, hint):
        return value
    return (value,) if fits(value, kind) else value


def _own_number(value: Any) -> Any:
    is_foreign = isinstance(value, Number) and not type(value).__module__.startswith("builtins")
    return value.item() if is_foreign and hasattr(value, "item") else value


def _fits_one(value: Any, hint: Any) -> bool:
    origin = get_origin(hint)
    if origin is Literal:
        return value in get_args(hint)
    if origin is tuple:
        return isinstance(value, tuple) and all(fits(each, get_args(hint)[0]) for each in value)
    if hint is type(None):
        return value is None
    if isinstance(value, bool):
        return hint is bool
    return isinstance(value, int | float if hint is float else hint)


def build(cls: type[T], values: Any) -> T:
    """A dataclass from a mapping; fields with defaults may be missing.

    Raises:
        MismatchError: a field is unknown, missing or of another type.
        ImpastoError: the dataclass rejects the values.

    """
    if not isinstance(values, Mapping):
        raise MismatchError(f"no {cls.__name__.lower()}")
    hints = get_type_hints(cls)
    known = {item.name: item for item in fields(cast("Any", cls))}
    for name in values:
        if name not in known:
            raise MismatchError(f"an unknown {str(name)[:40]!r}", is_about_names=True)
    for name, item in known.items():
        optional = item.default is not MISSING or item.default_factory is not MISSING
        if name not in values and not optional:
            raise MismatchError(f"no {name!r}", is_about_names=True)
    return cls(**{name: _field(name, value, hints[name]) for name, value in values.items()})


def convert(value: Any, hint: Any) -> Any:
    """Convert a plain value to the type of an annotation; lists become tuples.

    Supports None, bool, int, float, str, list, Literal, unions, tuples, ``dict[str, ...]`` and
    dataclasses.

    Raises:
        MismatchError: it is of another type, not finite, or too large.

    """
    if len(members := alternatives(hint)) > 1:
        return _first_fit(value, members)
    origin = get_origin(hint)
    if origin is Literal:
        if type(value) in (str, int) and value in get_args(hint):
            return value
        raise MismatchError("an unknown choice")
    if origin is tuple:
        return _tuple(value, get_args(hint))
    if origin is dict:
        if not isinstance(value, dict):
            raise MismatchError("a wrong type")
        return {convert(k, str): convert(v, get_args(hint)[1]) for k, v in value.items()}
    if is_dataclass(hint):
        return build(cast("type[Any]", hint), value)
    return _plain(value, hint)


def _plain(value: Any, hint: Any) -> Any:
    if hint is float and type(value) is int:
        value = float(value) if abs(value) < LARGEST_INTEGER else math.inf
    if type(value) is not hint and not (hint is type(None) and value is None):
        raise MismatchError("a wrong type")
    if isinstance(value, str) and len(value) > LONGEST_TEXT:
        raise MismatchError("a text too long")
    if isinstance(value, int) and abs(value) > LARGEST_INTEGER:
        raise MismatchError("a number too large")
    if isinstance(value, float) and not abs(value) <= LARGEST_NUMBER:
        raise MismatchError("a number too large")
    return value


def _first_fit(value: Any, hints: tuple[Any, ...]) -> Any:
    for hint in hints:
        try:
            return convert(value, hint)
        except MismatchError as error:
            last = error
    raise last


def _tuple(value: Any, hints: tuple[Any, ...]) -> tuple[Any, ...]:
    if not isinstance(value, list | tuple):
        raise MismatchError("a wrong type")
    if len(hints) == 2 and hints[1] is Ellipsis:
        return tuple(convert(each, hints[0]) for each in value)
    if len(value) != len(hints):
        raise MismatchError("a list of another length")
    return tuple(convert(each, hint) for each, hint in zip(value, hints, strict=True))


def _field(name: str, value: Any, hint: Any) -> Any:
    try:
        return convert(value, hint)
    except MismatchError as error:
        if "in " in str(error):
            raise
        raise MismatchError(f"{error} in {name!r}", is_about_names=error.is_about_names) from error

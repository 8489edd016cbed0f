"""How options are declared: a dataclass's fields, with what the command line says of them.

Standard library only.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable, Mapping
from dataclasses import field, fields
from typing import Any, Literal

from impasto.recipe.typed import choices, declared
from impasto.wording import register

Use = Literal["texture", "film", "grid", "instant", "trained", "graded"]


def option_group(group: str) -> Callable[..., Any]:
    """A maker of fields under one heading of the help.

    Each has a default and an explanation; ``not_for`` names the uses that it has no meaning in or
    that settle it. A trained network knows only what says ``trained``, as its training has settled
    the rest; a change of colours only what says ``graded``. ``of_network`` is what the network is
    made by, once for any number of pictures.
    """

    def option(
        default: Any,
        text: str,
        *,
        not_for: tuple[Use, ...] = (),
        trained: bool = False,
        graded: bool = False,
        of_network: bool = False,
    ) -> Any:
        known: dict[Use, bool] = {"trained": trained, "graded": graded}
        uses = (*not_for, *(use for use, is_known in known.items() if not is_known))
        about = {"help": text, "group": group, "not_for": uses, "of_network": of_network}
        return field(default=default, metadata=about)

    return option


def options_not_for(options: type[Any], use: Use) -> tuple[str, ...]:
    """Names of those that have no meaning in a use, or that it settles."""
    return tuple(item.name for item in fields(options) if use in item.metadata["not_for"])


def given_in_vain(options: Any, use: Use) -> str | None:
    """The flag of an option that is not at its default and means nothing in a use, if there is one.

    Args:
        options: a dataclass of options.
        use: what they are for.

    """
    vain = set(options_not_for(type(options), use))
    return next((f"--{flag(name)}" for name in _given(options) if name in vain), None)


def given(options: Any, settled: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """The fields of a dataclass of options that are not at their defaults, in their order.

    Args:
        options: the dataclass.
        settled: other defaults, by name.

    """
    settled = settled or {}
    values = {item.name: (getattr(options, item.name), item.default) for item in fields(options)}
    return {
        name: value
        for name, (value, default) in values.items()
        if value != settled.get(name, default)
    }


def command_line(options: Any) -> str:
    """The fields of a dataclass of options that are not at their defaults, as flags."""
    words: list[str] = []
    for name, value in _given(options).items():
        words.append(f"--{flag(name)}")
        if value is not True:
            words.append(_written(value))
    return shlex.join(words)


def make_known(options: type[Any]) -> None:
    """Have sentences with these options' flags read as keywords in a program."""
    register(
        {item.name: None if hint is bool else choices(hint) for item, hint in declared(options)}
    )


def _given(options: Any) -> dict[str, Any]:
    """As the dataclass itself says it; else what is not at its default."""
    return options.given if hasattr(options, "given") else given(options)


def flag(name: str) -> str:
    """An option's name as the command line writes it, without the hyphens before it."""
    return name.replace("_", "-")


def _written(value: Any) -> str:
    """A value as the command line takes it."""
    return ",".join(map(_written, value)) if isinstance(value, tuple) else str(value)

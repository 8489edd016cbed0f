"""Files of choices: reading them, and writing them without the page."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from impasto.errors import RatingError
from impasto.files.atomic import atomic_write
from impasto.recipe.typed import MismatchError, build

SCHEMA = 1
MAX_BYTES = 32_000_000


@dataclass(frozen=True)
class Choice:
    """One comparison, as shown, with its choice.

    Attributes:
        item: name of the item.
        left: the contender shown on the left.
        right: the other.
        choice: ``left``, ``right`` or ``tie``.

    """

    item: str
    left: str
    right: str
    choice: Literal["left", "right", "tie"]

    def points(self, name: str) -> float:
        """1 for the one preferred, 0 for the other, 1/2 each for a tie."""
        if self.choice == "tie":
            return 0.5
        return float(name == (self.left if self.choice == "left" else self.right))


@dataclass(frozen=True)
class Ballot:
    """The choices of one rater, as the page saves them.

    Attributes:
        choices: in the order in which they were made.
        rater: the rater's name; may be empty.
        schema: of the file.
        sheet: the page's identifier of the sheet.

    """

    choices: tuple[Choice, ...]
    rater: str = ""
    schema: int = SCHEMA
    sheet: str = ""


def read_ballots(paths: Iterable[Path]) -> tuple[Ballot, ...]:
    """The choices of several files; files of the same rater are combined.

    A file without a rater's name counts as a separate rater with the file's name.

    Raises:
        RatingError: a file is missing, damaged or given twice, or there are no choices.

    """
    by_rater: dict[str, tuple[Choice, ...]] = {}
    seen: dict[tuple[str, tuple[Choice, ...]], Path] = {}
    for path in paths:
        ballot = _read(path)
        rater = ballot.rater.strip() or path.stem
        same = seen.setdefault((rater, ballot.choices), path)
        if same is not path and ballot.choices:
            raise RatingError(f"{same.name!r} and {path.name!r} hold the same choices: omit one.")
        by_rater[rater] = by_rater.get(rater, ()) + ballot.choices
    if not any(by_rater.values()):
        raise RatingError("The files hold no choices: rate some results first.")
    return tuple(Ballot(choices, rater) for rater, choices in by_rater.items())


def write_ballot(ballot: Ballot, path: Path) -> None:
    """Write choices as the page saves them, atomically.

    Raises:
        OutputError: the file cannot be written.

    """
    values = {"kind": "impasto choices", **asdict(ballot)}
    with atomic_write(path) as temporary:
        temporary.write_text(json.dumps(values, indent=1) + "\n", encoding="utf-8")


def contenders(ballots: Sequence[Ballot]) -> tuple[str, ...]:
    """The names of all contenders, sorted."""
    names = {n for ballot in ballots for each in ballot.choices for n in (each.left, each.right)}
    return tuple(sorted(names))


def _read(path: Path) -> Ballot:
    try:
        if path.stat().st_size > MAX_BYTES:
            raise RatingError(f"{path.name!r} is too large to hold choices: check the name.")
        values: Any = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise RatingError(f"{str(path)!r} cannot be read as choices: check the name.") from error
    try:
        if not isinstance(values, dict) or values.pop("kind", "") != "impasto choices":
            raise MismatchError("not saved by its page")
        ballot = build(Ballot, values)
        if ballot.schema != SCHEMA:
            raise MismatchError("of another version")
        _check_names(ballot)
    except MismatchError as error:
        raise RatingError(f"{path.name!r} holds no choices of impasto rate ({error}).") from error
    return ballot


def _check_names(ballot: Ballot) -> None:
    for each in ballot.choices:
        if each.left == each.right:
            raise MismatchError("a contender against itself")
        if not all(name.isprintable() for name in (each.item, each.left, each.right)):
            raise MismatchError("a name that cannot be printed")
    if not ballot.rater.isprintable():
        raise MismatchError("a name that cannot be printed")

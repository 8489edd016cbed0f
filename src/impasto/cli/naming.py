"""Names of results: the usual ones, and those by ``--name``."""

from __future__ import annotations

import os
import re
import string
from collections.abc import Sequence
from pathlib import Path

from impasto.errors import RecipeError

LONGEST_NAME = 200  # bytes; disks take 255, and previews and records add to it
PIPE = Path("<pipe>")
"""Standard input or output in place of a file: what ``-`` on the command line is read as."""
_FIELDS = ("photo", "painting", "seed", "number")
_MOST_SEEDS = 10_000


def stem_of(path: Path) -> str:
    """A picture's name without its suffix."""
    return "stdin" if path == PIPE else path.stem


def default_output(content: Path, styles: Sequence[Path], seed: int | None = None) -> Path:
    """``photo+painting.png``, in the current folder; with a seed ``photo+painting-3.png``.

    Cut where it would be too long for a disk.
    """
    return Path(_cut("+".join(map(stem_of, (content, *styles))), seed) + ".png")


def default_texture(styles: Sequence[Path], seed: int | None = None) -> Path:
    """``painting.texture.png``, in the current folder; with a seed ``painting.texture-3.png``."""
    return Path(_cut(f"{'+'.join(map(stem_of, styles))}.texture", seed) + ".png")


def name_by(template: str, *, photo: str, painting: str, seed: int, number: int) -> str:
    """A result's name, without its suffix, by what was given as ``--name``.

    Args:
        template: such as ``{photo}-{painting}-{seed}``, or ``{number:03}``.
        photo: name of the photograph, without its suffix.
        painting: those of the paintings, joined by ``+``.
        seed: of the run.
        number: of the result among all, from 1.

    Raises:
        RecipeError: the template cannot be filled in, or names no file.

    """
    try:
        for _, field, _, _ in string.Formatter().parse(template):
            if field is not None and field not in _FIELDS:
                raise RecipeError(
                    f"--name knows no {{{field}}}: write "
                    f"{', '.join(f'{{{each}}}' for each in _FIELDS)}, or plain text."
                )
        name = template.format(photo=photo, painting=painting, seed=seed, number=number)
    except RecipeError:
        raise
    except (ValueError, LookupError, TypeError) as error:
        raise RecipeError(
            f"--name {template[:60]!r} cannot be filled in: write such as '{{photo}}-{{seed}}'."
        ) from error
    separators = tuple(each for each in (os.sep, os.altsep, "\0") if each)
    if not name.strip() or name.startswith(".") or any(each in name for each in separators):
        raise RecipeError(
            f"--name {template[:60]!r} gives no name of a file: leave folders to --output, and "
            "begin with no dot."
        )
    return _cut(name)


def parse_seeds(text: str) -> tuple[int, ...]:
    """``1-5`` or ``1,4,7-9`` as numbers, in their order and each once.

    Raises:
        RecipeError: it is neither, or too many.

    """
    numbers = list[int]()
    for part in text.split(","):
        match = re.fullmatch(r"\s*(\d{1,18})\s*(?:-\s*(\d{1,18})\s*)?", part)
        first = int(match[1]) if match else 0
        last = int(match[2] or first) if match else 0
        if not match or last < first:
            raise RecipeError(f"--seeds {text[:40]!r} is no list of seeds: write 1-5, or 1,4,7-9.")
        if len(numbers) + last - first >= _MOST_SEEDS:
            raise RecipeError(f"--seeds names more than {_MOST_SEEDS:,} seeds: name fewer.")
        numbers += range(first, last + 1)
    return tuple(dict.fromkeys(numbers))


def _cut(name: str, seed: int | None = None) -> str:
    end = "" if seed is None else f"-{seed}"
    data = os.fsencode(name)
    if len(data) + len(end) > LONGEST_NAME:
        name = data[: LONGEST_NAME - len(end)].decode(errors="ignore")
    return name + end

"""The options of a film beside those of each picture. Standard library only."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, Literal

from impasto.errors import RecipeError
from impasto.recipe.methods import NEIGHBOURS
from impasto.recipe.options import command_line, given_in_vain, make_known, option_group
from impasto.recipe.still import Recipe

_film = option_group("The film")
_motion = option_group("From frame to frame")


@dataclass(frozen=True)
class FrameRange:
    """Which frames of a film are meant.

    Attributes:
        start: seconds from the film's beginning.
        end: the first second that is not meant any more; None for all.
        every: 1 for every frame, 2 for every other, ...

    """

    start: float = 0.0
    end: float | None = None
    every: int = 1


@dataclass(frozen=True, kw_only=True)
class FilmRecipe:
    """How a film is read, tied together and written.

    Raises:
        RecipeError: an option is out of range or contradicts another.

    """

    start: str | None = _film(None, "Where to begin: seconds, or minutes as in 1:23.5.")
    end: str | None = _film(None, "Where to end: seconds, or minutes as in 1:23.5.")
    every: int = _film(1, "Take every Nth frame only.")
    fps: float | None = _film(
        None,
        "Frames a second of what says none itself: a folder of pictures (25 when not given), or a "
        "raw stream (its codec's).",
    )
    codec: str | None = _film(
        None, "h264, hevc, vp9, prores, ffv1, or another encoder's name; h264 when not given."
    )
    temporal: float | Literal["off"] = _motion(
        8.0,
        "Weight of the temporal loss, which keeps a frame to the ones before it; off makes every "
        "frame by itself, as in the report's section 3.4.",
    )
    long_term: tuple[int, ...] = _motion(
        (1, 2, 4, 8),
        "How many frames back a frame is compared with, so that what reappears is kept.",
        not_for=("instant",),
    )
    passes: int = _motion(
        1,
        "Times that the film is gone through, forwards and backwards by turns.",
        not_for=("instant",),
    )
    frame_steps: int = _motion(
        25, "Most steps for a frame that is not the first of its shot.", not_for=("instant",)
    )

    def __post_init__(self) -> None:
        _check(self)

    @property
    def part(self) -> FrameRange:
        """The frames that are meant."""
        start, end = seconds_of(self.start, "--start"), seconds_of(self.end, "--end")
        return FrameRange(start or 0.0, end, self.every)

    @property
    def ties_frames(self) -> bool:
        """False when every frame is made by itself."""
        return self.temporal != "off"

    def as_dict(self) -> dict[str, Any]:
        """Plain values, ready for JSON."""
        return asdict(self)

    def command_line(self) -> str:
        """The options that are not at their defaults, as one writes them after a command."""
        return command_line(self)

    @classmethod
    def names(cls) -> frozenset[str]:
        """Names of the options."""
        return frozenset(item.name for item in fields(cls))

    @classmethod
    def split(cls, options: Mapping[str, Any]) -> tuple[FilmRecipe, dict[str, Any]]:
        """The film's options out of some, and those that are left for each picture.

        Raises:
            RecipeError: an option is out of range.

        """
        own = {name: value for name, value in options.items() if name in cls.names()}
        for name, value in own.items():
            if isinstance(value, list):
                own[name] = tuple(value)
        return cls(**own), {name: v for name, v in options.items() if name not in own}


make_known(FilmRecipe)


def check_frames(recipe: Recipe, film: FilmRecipe) -> None:
    """Make sure that a recipe is one that a film's frames can be made by.

    Raises:
        RecipeError: an option means nothing for a film, or for one whose frames are painted at
            once.

    """
    if given := given_in_vain(recipe, "film"):
        raise RecipeError(f"{given} is for single pictures: leave it.")
    if recipe.init == "instant" and recipe.method != NEIGHBOURS:  # there it may be left open
        raise RecipeError("--init instant is for single pictures: leave it out.")
    if not recipe.is_instant:
        return
    if given := given_in_vain(film, "instant"):
        raise RecipeError(f"--quality instant optimises nothing: leave out {given}.")
    if film.temporal not in ("off", FilmRecipe.temporal):
        raise RecipeError("With --quality instant --temporal is off, or left out.")


def seconds_of(text: str | float | None, flag: str) -> float | None:
    """Seconds from ``83.5`` or ``1:23.5`` or ``0:01:23.5``.

    Raises:
        RecipeError: it is none of these.

    """
    if text is None:
        return None
    parts = str(text).strip().split(":")
    if not 1 <= len(parts) <= 3 or not all(re.fullmatch(r"\d{1,9}(\.\d*)?", p) for p in parts):
        raise RecipeError(f"{flag} {str(text)[:40]!r} is no time: write seconds, or 1:23.5.")
    seconds = 0.0
    for each in parts:
        seconds = 60 * seconds + float(each)
    return seconds


def _check(film: FilmRecipe) -> None:
    def need(ok: bool, sentence: str) -> None:
        if not ok:
            raise RecipeError(sentence)

    if film.temporal != "off":
        need(
            isinstance(film.temporal, int | float)
            and math.isfinite(film.temporal)
            and film.temporal >= 0,
            "--temporal must be a number of at least 0, or off.",
        )
    need(film.every >= 1, "--every must be at least 1.")
    need(film.fps is None or 0.1 <= film.fps <= 1000, "--fps must lie between 0.1 and 1000.")
    need(1 <= film.passes <= 20, "--passes must lie between 1 and 20.")
    need(film.frame_steps >= 1, "--frame-steps must be at least 1.")
    lags = film.long_term
    need(
        bool(lags) and list(lags) == sorted(set(lags)) and lags[0] == 1 and lags[-1] <= 100,
        "--long-term needs growing numbers that begin with 1, such as 1,2,4,8.",
    )
    need(
        film.passes == 1 or film.ties_frames,
        "--passes and --temporal off contradict each other: leave out one of them.",
    )
    part = film.part
    need(part.end is None or part.end > part.start, "--end must come after --start: give it later.")

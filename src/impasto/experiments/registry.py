"""All experiments, in the order of the report."""

from __future__ import annotations

import difflib
import importlib.util
import re
import traceback
from collections.abc import Mapping, Sequence
from pathlib import Path

from impasto.errors import RecipeError
from impasto.experiments.adversarial import ADVERSARIAL
from impasto.experiments.agreement import NETWORKS
from impasto.experiments.anatomy import ARCHITECTURE, CONVOLUTION, POOLING
from impasto.experiments.before import BEFORE
from impasto.experiments.film import FRAMES
from impasto.experiments.layers import CONTENT_LAYER, STYLE_LAYER
from impasto.experiments.model import Experiment
from impasto.experiments.optimisers import OPTIMISERS_COMPARED
from impasto.experiments.photographs import PHOTOREALISTIC, RESTORATION
from impasto.experiments.seeing import FEATURES, RECONSTRUCTIONS
from impasto.experiments.starts import INITIALISATION, SEEDED, STRIPES
from impasto.experiments.tradeoff import TRADEOFF

EXPERIMENTS = {
    experiment.name: experiment
    for experiment in (
        BEFORE,
        ARCHITECTURE,
        CONVOLUTION,
        POOLING,
        FEATURES,
        RECONSTRUCTIONS,
        OPTIMISERS_COMPARED,
        TRADEOFF,
        CONTENT_LAYER,
        STYLE_LAYER,
        INITIALISATION,
        STRIPES,
        SEEDED,
        FRAMES,
        PHOTOREALISTIC,
        RESTORATION,
        ADVERSARIAL,
        NETWORKS,
    )
}
EVERY = "all"
_FIGURE = re.compile(r"(?:figure|fig\.?)?[ -]?(\d{1,2})[a-z]?")
_NUMBERS = re.compile(r"figures? ((?:\d+[a-z]?(?:, | and )?)+)")


def find_experiments(
    names: Sequence[str], among: Mapping[str, Experiment] = EXPERIMENTS
) -> list[Experiment]:
    """The experiments of these names, in the report's order; ``all`` means every one.

    Args:
        names: of experiments; or what the report calls them, such as ``14``, ``figure14`` or
            ``3.1``.
        among: all that there are.

    Raises:
        RecipeError: there is no experiment of that name.

    """
    wanted = {name for given in names for name in _meant(given, among)}
    return [experiment for name, experiment in among.items() if name in wanted]


def _meant(given: str, among: Mapping[str, Experiment]) -> list[str]:
    """The names that one word stands for."""
    word = given.strip().lower()
    if word == EVERY:
        return list(among)
    if word in among:
        return [word]
    figure = _FIGURE.fullmatch(word)
    named = [
        name
        for name, each in among.items()
        if (figure and int(figure[1]) in figures_of(each)) or word in _sections_of(each)
    ]
    if not named:
        close = difflib.get_close_matches(word, among, 1)
        advice = f"did you mean {close[0]}? There are" if close else "choose from"
        raise RecipeError(
            f"There is no experiment {given[:40]!r}: {advice} {', '.join(among)}, all, or a figure "
            "of the report, such as figure14."
        )
    return named


def figures_of(experiment: Experiment) -> set[int]:
    """The numbers of the report's figures that an experiment is about."""
    listed = _NUMBERS.findall(experiment.section)
    return {int(number) for each in listed for number in re.findall(r"\d+", each)}


def _sections_of(experiment: Experiment) -> list[str]:
    return re.findall(r"\d\.\d", experiment.section)


def experiments_in(path: Path) -> dict[str, Experiment]:
    """The experiments that a Python file defines, by name; the file is run.

    Raises:
        RecipeError: it cannot be run, or holds none.

    """
    if not path.is_file():
        raise RecipeError(f"There is no file {str(path)!r}: check the name.")
    spec = importlib.util.spec_from_file_location(f"impasto_{path.stem}", path)
    if spec is None or spec.loader is None:
        raise RecipeError(f"{str(path)!r} is no Python file: end its name in .py.")
    module = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        line = traceback.extract_tb(error.__traceback__)[-1]
        place = f"line {line.lineno}" if Path(line.filename) == path.absolute() else "what it calls"
        raise RecipeError(
            f"{path.name!r} cannot be run: {type(error).__name__} in {place}: {error}."
        ) from error
    found = [each for each in vars(module).values() if isinstance(each, Experiment)]
    if not found:
        raise RecipeError(
            f"{path.name!r} holds no Experiment: see the end of docs/experiments.md for one."
        )
    if len({each.name for each in found}) < len(found):
        raise RecipeError(f"{path.name!r} holds two experiments of one name: rename one.")
    return {each.name: each for each in found}

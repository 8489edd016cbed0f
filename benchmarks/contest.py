"""The contest of objectives: every contender at equal seconds, on the same pairs and network.

    python -m benchmarks.contest PHOTOS PAINTINGS --out DIR [--only gram,w2] [--judge FILE]

1. *Pace*: seconds a step of every contender at every size, in turns, so that noise of the machine
   hits all alike; medians. Everybody then gets as many steps as the budget pays for (the
   reference's own default steps when no budget is given), so that a busy machine favours nobody.
2. *Strength*: a contender's strength is chosen such that its distance from the content, on the
   reference's yardstick and over the calibration pairs, is the reference's at its default: raters
   are to judge the look, not how much of it there is. Contenders with weights of their own keep
   them.
3. *Pictures*, with records; what exists already is kept, so the contest can be stopped and resumed.
4. *Panel* figures by contender, sheets to look at, and ``sheet.json`` for ``impasto rate``.
"""

from __future__ import annotations

import argparse
import json
import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import fmean, median
from typing import Any

import torch

from benchmarks.contenders import REFERENCE, Contender, Scene, named
from benchmarks.pairs import Pair
from benchmarks.verdict import write_verdict
from impasto.api import Job, stylizer_for
from impasto.config import Recipe
from impasto.engine.plan import DEFAULT_STEPS
from impasto.engine.pyramid import Pictures, recolored
from impasto.files.atomic import atomic_write
from impasto.files.images import read_picture
from impasto.ops.inits import resize

PAIRS = (
    "tubingen+starry_night_google",
    "golden_gate+the_scream",
    "portrait+woman-with-hat-matisse",
    "deep_in1+shipwreck",
    "hoovertowernight+seated-nude",
    "deep_fullhd+escher_sphere",
    "tubingen+shipwreck",
    "golden_gate+woman-with-hat-matisse",
    "portrait+picasso_selfport1907",
    "deep_in1+frida_kahlo",
    "hoovertowernight+starry_night_google",
    "deep_fullhd+the_scream",
)
CALIBRATION = 3  # of the pairs, the first ones
WARM_UP, TIMED = 12, 7  # steps; the history of L-BFGS is full after ten
TOLERANCE = 0.03  # of the matched distance
SLOPE = 0.35  # of the logarithm of the distance over the strength's log-odds, as a first guess
SUFFIXES = (".jpg", ".jpeg", ".png")

Paces = dict[str, dict[int, float]]
"""By contender: seconds a step at each size."""


@dataclass(frozen=True)
class Entry:
    """A contender on a pair, its strength settled."""

    contender: Contender
    pair: Pair
    size: int
    options: Mapping[str, Any]

    def job(self, steps: Sequence[int]) -> Job:
        """The picture to be made, in so many steps at each size."""
        stylizer, rest = stylizer_for({**self.contender.options, **self.options})
        recipe = stylizer.recipe({**rest, "size": self.size})
        content, style = (read_picture(path).size for path in self.pair)
        by_size = dict(zip(self.contender.sizes(self.size), steps, strict=True))
        plan = self.contender.plan(recipe, content, style, by_size)
        return stylizer.job(*self.pair, plan=plan, **{**rest, "size": self.size})

    def scene(self) -> Scene:
        """The pictures as the last stage sees them."""
        job = self.job([1] * len(self.contender.sizes(self.size)))
        content, style = (read_picture(path).tensor for path in self.pair)
        given = recolored(job.recipe, Pictures(content, (style,)))
        stage = job.plan.stages[-1]
        return Scene(
            job.recipe,
            stylizer_for({**self.contender.options, **self.options})[0].network,
            resize(given.content, stage.height, stage.width),
            tuple(resize(style, *size) for size in stage.styles),
        )


@dataclass(frozen=True)
class Contest:
    """Contenders at one size, with their paces and the budget in seconds."""

    size: int
    paces: Paces
    budget: float

    def steps(self, contender: Contender) -> tuple[int, ...]:
        """Steps at each size."""
        return contender.steps(self.paces[contender.name], self.budget)

    def job(self, contender: Contender, pair: Pair, **options: Any) -> Job:
        """The picture to be made, at the contender's own weights or a given strength."""
        entry = Entry(contender, pair, self.size, options)
        if contender.balance is not None:
            entry = replace(entry, options=contender.balance(entry.scene()))
        return entry.job(self.steps(contender))


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the contest, or what is left of it."""
    options = _options(arguments)
    torch.set_num_threads(options.threads)
    contenders = named(options.only)
    pairs = [_pair(options, name) for name in options.pairs.split(",")]
    options.out.mkdir(parents=True, exist_ok=True)
    notes = _Notes(options.out / "contest.json")
    contest = prepare(contenders, pairs[0], options.size, notes, options.budget)
    smaller = prepare(contenders, pairs[0], options.match_size or options.size // 2, notes)
    strengths = match(contenders, pairs[:CALIBRATION], smaller, notes)
    for pair in pairs:
        folder = options.out / f"{pair[0].stem}+{pair[1].stem}"
        folder.mkdir(exist_ok=True)
        for contender in contenders:
            path = folder / f"{contender.name}.png"
            if not path.exists():
                given = {} if contender.balance else {"strength": strengths[contender.name]}
                _make(contest.job(contender, pair, **given), path)
    if not options.pictures_only:
        write_verdict(options.out, contenders, pairs, options.judge)


def prepare(
    contenders: Sequence[Contender],
    pair: Pair,
    size: int,
    notes: _Notes,
    budget: float | None = None,
) -> Contest:
    """Paces at one size, measured unless the notes know them; and the budget in seconds."""
    everyone = list({each.name: each for each in (REFERENCE, *contenders)}.values())
    known: Paces = notes.of(f"pace {size}")
    missing = [each for each in everyone if each.name not in known]
    if missing:
        # The reference takes part every time: what is measured later is brought to its level.
        again = list({each.name: each for each in (REFERENCE, *missing)}.values())
        found = measure_paces(again, pair, size)
        level = _level(known.get(REFERENCE.name), found[REFERENCE.name])
        for each in missing:
            known[each.name] = {side: level * pace for side, pace in found[each.name].items()}
        notes.keep(f"pace {size}", {n: {str(s): p for s, p in v.items()} for n, v in known.items()})
    reference = known[REFERENCE.name]
    spent = sum(n * p for n, p in zip(DEFAULT_STEPS, reference.values(), strict=False))
    contest = Contest(size, known, budget or spent)
    for each in contenders:
        steps = "+".join(map(str, contest.steps(each)))
        print(f"{size} px  {each.name:20} {steps} steps in {contest.budget:.1f} s", flush=True)
    return contest


def measure_paces(contenders: Sequence[Contender], pair: Pair, size: int) -> Paces:
    """Seconds a step of each contender at each of its sizes, all in turns.

    With one thread it is processor time, which other programs hardly touch.
    """
    clock = time.process_time if torch.get_num_threads() == 1 else time.perf_counter
    paces: Paces = {each.name: {} for each in contenders}
    for side in sorted({side for each in contenders for side in each.sizes(size)}):
        present = [each for each in contenders if side in each.sizes(size)]
        runs = [_stage_alone(each, pair, size, side) for each in present]
        times: list[list[float]] = [[] for _ in runs]
        for step in range(WARM_UP + TIMED):
            for run, found in zip(runs, times, strict=True):
                start = clock()
                next(run)
                if step >= WARM_UP:
                    found.append(clock() - start)
        for each, found in zip(present, times, strict=True):
            paces[each.name][side] = median(found)
    return paces


def match(
    contenders: Sequence[Contender], pairs: Sequence[Pair], contest: Contest, notes: _Notes
) -> dict[str, float]:
    """The strength at which each contender is as far from the content as the reference is."""
    known: dict[str, float] = notes.of("strength")
    target: float | None = None
    for each in contenders:
        if each.balance or each.name in known:
            continue
        if each == REFERENCE:
            known[each.name] = Recipe.strength
        else:
            target = target or _distance(REFERENCE, Recipe.strength, pairs, contest)
            known[each.name] = _matched(each, target, pairs, contest)
        notes.keep("strength", known)
    return known


def _matched(contender: Contender, target: float, pairs: Sequence[Pair], contest: Contest) -> float:
    """Secant steps in the strength's log-odds against the logarithm of the distance."""

    def error(odds: float) -> float:
        distance = _distance(contender, _sigmoid(odds), pairs, contest)
        print(f"{contender.name:20} s={_sigmoid(odds):.4f}  {distance:.3f} for {target:.3f}")
        return math.log(distance / target)

    before, odds, slope = math.nan, math.log(Recipe.strength / (1 - Recipe.strength)), SLOPE
    found = error(odds)
    for _ in range(4):
        if abs(found) < TOLERANCE:
            break
        before, last, odds = found, odds, min(max(odds - found / slope, -3.0), 9.0)
        found = error(odds)
        slope = min(max((found - before) / (odds - last), 0.1), 1.5) if odds != last else slope
    return _sigmoid(odds)


def _distance(
    contender: Contender, strength: float, pairs: Sequence[Pair], contest: Contest
) -> float:
    """Geometric mean over pairs of sqrt(L_content / C0), on the reference's network and pooling."""
    logarithms = []
    for pair in pairs:
        job = contest.job(contender, pair, strength=strength)
        for _ in job:
            pass
        objective = Entry(REFERENCE, pair, contest.size, {}).scene().objective()
        losses = objective.evaluate(job.result().tensor).losses
        logarithms.append(math.log(max(objective.weights.distances(losses)[0], 1e-6)))
    return math.exp(fmean(logarithms))


def _stage_alone(contender: Contender, pair: Pair, size: int, side: int) -> Iterator[object]:
    """The steps of one stage, with the precision that it has in the whole run."""
    sizes = contender.sizes(size)
    job = Entry(contender, pair, size, {}).job([WARM_UP + TIMED + 1] * len(sizes))
    stage = job.plan.stages[sizes.index(side)]
    plan = replace(job.plan, stages=(stage,))
    stylizer, rest = stylizer_for(contender.options)
    states = iter(stylizer.job(*pair, plan=plan, **{**rest, "size": side}))
    next(states)  # the start is no step
    return states


def _make(job: Job, path: Path) -> None:
    for _ in job:
        pass
    result = job.result()
    result.save(path)
    facts = result.record["result"]
    print(f"{path.parent.name:40} {path.stem:20} {facts['seconds']:.1f} s", flush=True)


def _level(known: Mapping[int, float] | None, found: Mapping[int, float]) -> float:
    """How much slower the machine was when the known paces were measured."""
    return 1.0 if known is None else sum(known.values()) / sum(found.values())


def _sigmoid(odds: float) -> float:
    return 1 / (1 + math.exp(-odds))


class _Notes:
    """What earlier runs have found out, in a JSON file."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._values: dict[str, Any] = json.loads(path.read_text()) if path.exists() else {}

    def of(self, name: str) -> dict[str, Any]:
        """A table by name; the sizes in it are numbers again."""
        found = self._values.get(name, {})
        return {key: _with_numbers(value) for key, value in found.items()}

    def keep(self, name: str, values: Mapping[str, Any]) -> None:
        """Write a table down."""
        self._values[name] = values
        with atomic_write(self._path) as temporary:
            temporary.write_text(json.dumps(self._values, indent=1) + "\n")


def _with_numbers(value: Any) -> Any:
    return {int(k): v for k, v in value.items()} if isinstance(value, dict) else value


def _pair(options: argparse.Namespace, name: str) -> Pair:
    photo, painting = name.split("+")
    return _find(options.photos, photo), _find(options.paintings, painting)


def _find(folder: Path, stem: str) -> Path:
    for suffix in SUFFIXES:
        if (path := folder / f"{stem}{suffix}").is_file():
            return path
    raise SystemExit(f"no picture called {stem!r} in {folder}")


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add: Callable[..., Any] = parser.add_argument
    add("photos", type=Path, help="a folder of photographs")
    add("paintings", type=Path, help="a folder of paintings")
    add("--out", type=Path, required=True, help="a folder for the results")
    add("--pairs", default=",".join(PAIRS), help="PHOTO+PAINTING,..., by names without suffix")
    add("--only", help="contenders, such as gram,w2; all when not given")
    add("--size", type=int, default=384)
    add("--match-size", type=int, help="where strengths are matched; half the size when not given")
    add("--budget", type=float, help="seconds a picture; the reference's default when not given")
    add("--threads", type=int, default=1)
    add("--judge", help="a network that made none of the pictures, for the panel")
    add("--pictures-only", action="store_true", help="leave out panel, sheets and manifest")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    main()

"""The flicker of films and of separately stylised frames, and the time that each takes.

    python -m benchmarks.films CLIP PAINTING [--frames 12] [--size 320] [--start 0]
        [--quality instant] [--work FOLDER]

CLIP is a film, or ``camera`` or ``object``: synthetic films whose true motion is known, from
scikit-image's photographs. Made and measured are the source itself, each frame separately
(``--temporal off``), the first result warped along the flow, and impasto's film. Frames are kept in
the work folder, so that a run that was stopped can be resumed.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from statistics import fmean
from typing import Any

import numpy as np
import torch
from torch import Tensor

from benchmarks.synthetic import Disc, Synthetic, camera
from impasto.engine.shots import blended
from impasto.evaluate.panel.films import LAGS, Curves, Truth, curves_of
from impasto.files.films.flow import DIS
from impasto.files.films.reader import open_clip, read_frames
from impasto.files.pictures.images import read_picture, write_result
from impasto.files.weights.store import load_network
from impasto.jobs.film import film_job, film_size
from impasto.ops.inits import resize
from impasto.ops.warp import reliable, warp
from impasto.recipe.film import FilmRecipe
from impasto.recipe.still import Recipe

ASPECT = 9 / 16


def main() -> None:
    """Make the films, and print the table."""
    options = _options()
    options.work.mkdir(parents=True, exist_ok=True)
    synthetic = _synthetic(options)
    clip, part = (options.clip, {}) if synthetic is None else (_drawn(options, synthetic), {})
    if synthetic is None:
        end = options.start + (options.frames - 0.5) / float(open_clip(Path(clip)).rate)
        part = {"start": str(options.start), "end": str(end)}
    sources = _sources(Path(clip), part, options.size)
    films: dict[str, list[Tensor]] = {"source": sources}
    seconds = {}
    for name, temporal in (("each frame separately", "off"), ("impasto", None)):
        films[name], seconds[name] = _made(options, clip, name, temporal, part)
    films["first result warped"] = _warped(films["each frame separately"][0], sources)
    _print(options, films, seconds, None if synthetic is None else _truth(synthetic))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("clip")
    parser.add_argument("painting", type=Path)
    parser.add_argument("--frames", type=int, default=12)
    parser.add_argument("--size", type=int, default=320)
    parser.add_argument("--start", type=float, default=0.0)
    parser.add_argument("--threads", type=int)
    parser.add_argument("--quality", default=Recipe.quality)
    parser.add_argument("--work", type=Path, default=Path("out/films"))
    return parser.parse_args()


def _synthetic(options: argparse.Namespace) -> Synthetic | None:
    from skimage import data

    width = options.size
    size = (round(width * ASPECT / 2) * 2, width)
    if options.clip == "camera":
        move = camera(pan=(2.0, 0.5), zoom=1.01, turn=0.7, scale=1.1, start=(-30, -20))
        return Synthetic(_photograph(data.coffee()), size, move)
    if options.clip == "object":
        face = _photograph(data.astronaut())[..., 60:260, 130:330]
        disc = Disc(face, width / 8, (-0.35 * width, 10), (0.028 * width, -1.0))
        return Synthetic(_photograph(data.rocket()), size, camera(pan=(-1.3, 0.4)), disc)
    return None


def _photograph(levels: Any) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(levels)).permute(2, 0, 1)[None].float() / 255


def _drawn(options: argparse.Namespace, synthetic: Synthetic) -> str:
    folder: Path = options.work / f"{options.clip}-source"
    folder.mkdir(exist_ok=True)
    for number, frame in enumerate(synthetic.frames(options.frames)):
        write_result(frame, folder / f"{number:06d}.png")
    return str(folder)


def _truth(synthetic: Synthetic) -> Truth:
    def truth(frame: int, other: int) -> tuple[Tensor, Tensor]:
        truth_between = synthetic.truth(frame, other)
        return truth_between.flow, truth_between.seen

    return truth


def _sources(clip: Path, part: dict[str, str], size: int) -> list[Tensor]:
    opened = open_clip(clip, FilmRecipe(**part).part)  # type: ignore[arg-type]
    sides = film_size(Recipe(size=size), opened)
    return [resize(frame.picture, *sides) for frame in read_frames(opened)]


def _made(
    options: argparse.Namespace, clip: str, name: str, temporal: str | None, part: dict[str, str]
) -> tuple[list[Tensor], list[float]]:
    """Frames of a film, and the seconds that each took; resumed where an earlier run stopped."""
    out: Path = options.work / f"{Path(options.clip).stem}-{name.replace(' ', '-')}"
    times = out.with_suffix(".times.json")
    if not (out / "film.json").exists():
        extra: dict[str, Any] = {
            "quality": options.quality,
            **part,
            **({"temporal": temporal} if temporal else {}),
        }
        job = film_job(
            clip, options.painting, out, resume=True, size=options.size, threads=options.threads,
            **extra,
        )  # fmt: skip
        seconds = json.loads(times.read_text()) if times.exists() else {}
        begun, steps = time.monotonic(), 0
        for state in job:
            if state.state is not None:
                steps += 1
                continue
            now = time.monotonic()
            if steps:
                seconds[str(state.index)] = now - begun
                times.write_text(json.dumps(seconds))
            begun, steps = now, 0
    frames = [read_picture(path).tensor for path in sorted(out.glob("*.png"))]
    seconds_by_frame = json.loads(times.read_text())
    return frames, [seconds_by_frame[key] for key in sorted(seconds_by_frame, key=int)]


def _warped(first: Tensor, sources: list[Tensor]) -> list[Tensor]:
    """The first result warped to each frame; missing pixels are filled from the source."""
    estimate, results = DIS(), [first]
    for before, now in pairwise(sources):
        flow = estimate(now, before)
        moved = warp(results[-1], flow).clamp(0, 1)
        results.append(blended([moved], [reliable(flow, estimate(before, now))], now))
    return results


def _print(
    options: argparse.Namespace,
    films: dict[str, list[Tensor]],
    seconds: dict[str, list[float]],
    truth: Truth | None,
) -> None:
    painting = read_picture(options.painting).tensor
    network = load_network(Recipe()).network
    print(f"{options.clip}, {len(films['source'])} frames, {options.painting.stem}")
    heads = [f"{kind} {lag}" for kind in ("true", "warp") for lag in LAGS]
    print(" " * 22 + "".join(f"{head:>9}" for head in [*heads, "content", "style", "s first", "s"]))
    for name, frames in films.items():
        kinds = [truth, None]
        measured = [
            curves_of(frames, films["source"], painting, network, Recipe(), truth=each)
            if each or kind
            else None
            for kind, each in enumerate(kinds)
        ]
        print(f"{name:22}" + "".join(f"{cell:>9}" for cell in _cells(measured, seconds.get(name))))


def _cells(measured: list[Curves | None], seconds: list[float] | None) -> Iterator[str]:
    for curves in measured:
        for lag in LAGS:
            yield "-" if curves is None else f"{curves.flicker(lag):.4f}"
    last = measured[-1]
    assert last is not None
    yield f"{fmean(last.content):.3f}"
    yield f"{fmean(last.style):.4f}"
    if seconds:
        yield f"{seconds[0]:.2f}"
        yield f"{fmean(seconds[1:]):.2f}"


if __name__ == "__main__":
    main()

"""Training the decoder of instant pictures: ``python -m training.decoder``.

It learns to reconstruct a picture from matched hypercolumns: crops of a photograph take a style
crop's features, and the features of the decoded picture must be close to them (cosine and squared
distance, and the texture within each cell), while a style crop's own features must give that
crop. Styles are photographs, strongly recoloured, procedural pictures and photographs painted by
:mod:`training.painted`; no paintings.

A batch is a function of seed and step, so a run that was stopped or killed can be resumed.
"""

from __future__ import annotations

import argparse
import json
import math
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from safetensors.torch import save_file
from torch import Generator, Tensor

from impasto.files.weights.store import load_network
from impasto.instant.coherence import AROUND, coherent, continuations
from impasto.instant.decoder import Decoder, cells_of
from impasto.instant.hypercolumns import CELL, Hypercolumns, measure_scales
from impasto.instant.matching import cheapest, directions, prices
from impasto.nets.network import ConvNetwork
from impasto.recipe.still import Recipe
from training import data
from training.distill import Budget, clock, save
from training.painted import painted


@dataclass(frozen=True)
class Settings:
    """All settings except the budget; stored in the checkpoint and in the file.

    Attributes:
        crops: number of crops in a batch.
        size: side of a crop in pixels.
        paintings: number of photographs painted beforehand.
        rate: highest learning rate of Adam.
        ema: decay of the exported running average of the weights.
        squared: weight of the squared distance to the matched features.
        texture: weight of the distance to the matched texture.
        weave: weight of differences between neighbouring pixels beyond those of the matched cells.
        copied: weight of the absolute distance to the style crop where its own neighbours meet.
        pixels: weight of the absolute distance of a crop made from its own features.
        seed: of everything.

    """

    crops: int = 4
    size: int = 192
    paintings: int = 120
    rate: float = 1e-3
    ema: float = 0.998
    squared: float = 0.3
    texture: float = 0.5
    weave: float = 0.3
    copied: float = 1.0
    pixels: float = 1.0
    seed: int = 0


BALANCES = (0.0, 0.3, 1.0)
COHERENCES = (0.0, 0.3, 0.6, 1.2)


class Run:
    """The decoder, its optimiser and the training pictures."""

    def __init__(self, settings: Settings, photos: Sequence[Tensor], device: torch.device) -> None:
        self.settings, self.photos, self.device = settings, photos, device
        self.step, self.minutes = 0, 0.0
        loaded = load_network(Recipe()).network
        assert isinstance(loaded, ConvNetwork)
        self._network = loaded.to(device)
        gen = Generator().manual_seed(settings.seed)
        crops = [data.crop(gen, photos[data.pick(gen, len(photos))], 192) for _ in range(16)]
        with torch.no_grad():
            self.scales = measure_scales(self._network, torch.stack(crops).to(device))
            self.see = Hypercolumns(self._network.to(torch.bfloat16), self.scales)
            columns, texture = self.see(crops[0][None].to(device))
        chosen = [photos[data.pick(gen, len(photos))] for _ in range(settings.paintings)]
        self.paintings = [painted(gen, photo) for photo in chosen]
        torch.manual_seed(settings.seed)
        self.channels = columns.shape[1], texture.shape[1]
        self.decoder = Decoder(*self.channels).to(device)
        self.decoder.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.average = {k: v.clone() for k, v in self.decoder.state_dict().items()}
        self.adam = torch.optim.Adam(self.decoder.parameters(), lr=settings.rate)

    def advance(self, progress: float) -> dict[str, float]:
        """Make one step at ``progress`` in [0, 1] of the budget; return the batch's losses."""
        gen = Generator().manual_seed(self.settings.seed * 1_000_003 + self.step)
        losses = self._losses(gen)
        s = self.settings
        total = (
            losses["cosine"]
            + s.squared * losses["squared"]
            + s.texture * losses["texture"]
            + s.weave * losses["weave"]
            + s.copied * losses["copied"]
            + s.pixels * losses["pixels"]
        )
        warm = min(1.0, (self.step + 1) / 50)
        factor = warm * (0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * min(1.0, progress))))
        self.adam.param_groups[0]["lr"] = s.rate * factor
        self.adam.zero_grad(set_to_none=True)
        total.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(self.decoder.parameters(), 1.0)
        self.adam.step()
        self.step += 1
        keep = min(s.ema, self.step / (self.step + 10))
        with torch.no_grad():
            for name, value in self.decoder.state_dict().items():
                self.average[name].lerp_(value, 1 - keep)
        return {name: float(value.detach()) for name, value in losses.items()}

    def _losses(self, gen: Generator) -> dict[str, Tensor]:
        s = self.settings
        contents = torch.stack([self._photo(gen) for _ in range(s.crops)]).to(self.device)
        styles = torch.stack([self._style(gen) for _ in range(s.crops)]).to(self.device)
        balance = BALANCES[data.pick(gen, len(BALANCES))]
        with torch.no_grad():
            bank = torch.cat([*self.see(styles), cells_of(styles)], 1)
            queries = self.see(contents)[0]
            coherence = COHERENCES[data.pick(gen, len(COHERENCES))]
            matches = [
                _matched(a, b, balance, coherence) for a, b in zip(queries, bank, strict=True)
            ]
            target = torch.stack([taken for taken, _ in matches])
            whole = torch.stack([meets for _, meets in matches])[:, None]
        split = [*self.channels, cells_of(styles).shape[1]]
        half = max(1, s.crops // 2)
        both = torch.cat([target, bank[:half]]).contiguous(memory_format=torch.channels_last)
        with torch.autocast(self.device.type, torch.bfloat16):
            made = self.decoder(*torch.split(both, split, 1))
        made = made.float()
        columns, texture = self.see(made[: s.crops])
        matched, rough, cells = torch.split(target, split, 1)
        painting = F.pixel_shuffle(cells, CELL)
        allowed = fine(painting)
        whole = F.interpolate(whole, scale_factor=CELL, mode="nearest")
        return {
            "cosine": (1 - F.cosine_similarity(columns, matched, dim=1)).mean(),
            "squared": (columns - matched).square().sum(1).mean() / matched.square().sum(1).mean(),
            "texture": (texture - rough).abs().mean() / rough.mean(),
            "weave": F.relu(fine(made[: s.crops]) - allowed).mean() / (allowed.mean() + 5e-3),
            "copied": ((made[: s.crops] - painting).abs() * whole).mean() * 2,
            "pixels": (made[s.crops :] - styles[:half]).abs().mean() * 2,
        }

    def _photo(self, gen: Generator) -> Tensor:
        picture = data.crop(gen, self.photos[data.pick(gen, len(self.photos))], self.settings.size)
        return data.recolour(gen, picture) if data.pick(gen, 2) else picture

    def _style(self, gen: Generator) -> Tensor:
        size, kind = self.settings.size, data.uniform(gen, 0, 1)
        if kind < 0.2:
            return data.recolour(gen, data.procedural(gen, size))
        pool = self.photos if kind < 0.5 else self.paintings
        return data.recolour(gen, data.crop(gen, pool[data.pick(gen, len(pool))], size))

    def state(self) -> dict[str, Any]:
        """The state that a resumed run needs."""
        return {
            "settings": asdict(self.settings),
            "step": self.step,
            "minutes": self.minutes,
            "decoder": self.decoder.state_dict(),
            "average": self.average,
            "adam": self.adam.state_dict(),
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Restore the result of `state`."""
        self.step, self.minutes = state["step"], state["minutes"]
        self.decoder.load_state_dict(state["decoder"])
        self.average = {k: v.to(self.device) for k, v in state["average"].items()}
        self.adam.load_state_dict(state["adam"])

    def export(self, path: Path) -> None:
        """Write the averaged weights in float16, with scales, settings and licence."""
        training = {
            "settings": asdict(self.settings),
            "steps": self.step,
            "minutes": round(self.minutes, 1),
            "photos": len(self.photos),
            "torch": torch.__version__,
        }
        metadata = {
            "format": "impasto-decoder-1",
            "licence": "CC BY 4.0",
            "scales": json.dumps(self.scales),
            "channels": json.dumps(self.channels),
            "training": json.dumps(training),
        }
        tensors = {k: v.to("cpu", torch.float16).contiguous() for k, v in self.average.items()}
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_suffix(".partial")
        save_file(tensors, partial, metadata)
        partial.replace(path)


def fine(pictures: Tensor) -> Tensor:
    """Differences of neighbouring pixels by cell: ``(B, 3, H, W)`` to ``(B, 9, H / 4, W / 4)``.

    The root mean square of Haar's three finest differences (across, down, diagonal), which are
    large in a grid of two pixels' period.
    """
    a, b, c, d = (pictures[..., i::2, j::2] for i in (0, 1) for j in (0, 1))
    differences = torch.cat([a - b + c - d, a + b - c - d, a - b - c + d], 1) / 4
    return F.avg_pool2d(differences.square(), CELL // 2).add(1e-6).sqrt()


def _matched(
    query: Tensor, bank: Tensor, balance: float, coherence: float
) -> tuple[Tensor, Tensor]:
    """The bank's channels ``(C, h, w)`` at the matches of ``query`` ``(D, h, w)``.

    And 1 where all eight neighbours are the painting's own, else 0, ``(h, w)``.
    """
    columns, size = bank.flatten(1).T, (query.shape[-2], query.shape[-1])
    asked, offered = directions(query.flatten(1).T), directions(columns[:, : len(query)])
    price = prices(asked, offered, balance)
    index = cheapest(asked, offered, price)
    table = continuations([(bank.shape[-2], bank.shape[-1])])
    if coherence:
        index = coherent(asked, offered, price, index, table, size=size, weight=coherence)
    return columns[index].T.reshape(len(bank), *size), _meets(index.view(size), table)


def _meets(index: Tensor, table: Tensor) -> Tensor:
    """Where the matches of all eight neighbours go on from a position's own, as 0 or 1."""
    padded = F.pad(index, (1, 1, 1, 1), value=-1)
    height, width = index.shape
    agree = [
        padded[1 + down : 1 + down + height, 1 + right : 1 + right + width] == table[way][index]
        for way, (down, right) in enumerate(AROUND)
    ]
    return torch.stack(agree).all(0).float()


def train(run: Run, budget: Budget, *, output: Path, checkpoint: Path, every: float) -> None:
    """Step until the budget is spent; write a checkpoint and an export every ``every`` seconds."""
    saved, sums, count = time.time(), dict[str, float](), 0

    def keep() -> None:
        save(checkpoint, {**run.state(), "since": budget.since})
        run.export(output)

    while (progress := budget.progress(run.step, run.minutes, time.time())) < 1:
        began = time.monotonic()
        for name, value in run.advance(progress).items():
            sums[name] = sums.get(name, 0.0) + value
        count += 1
        run.minutes += min(time.monotonic() - began, 60.0) / 60
        if count == 25:
            losses = "  ".join(f"{name} {value / count:.4f}" for name, value in sums.items())
            print(f"{run.step:6d} {progress:6.3f} {run.minutes:6.1f} min  {losses}", flush=True)
            sums, count = {}, 0
        if time.time() - saved > every:
            keep()
            saved = time.time()
    keep()


def main(argv: Sequence[str] | None = None) -> None:
    """Train, or resume a training, and write the file of the decoder."""
    parser = argparse.ArgumentParser(prog="training.decoder", description=__doc__)
    parser.add_argument("--photos", type=Path, default=data.PHOTOS)
    parser.add_argument("--checkpoints", type=Path, default=Path("out/decoder"))
    parser.add_argument("--output", type=Path, default=Path("out/decoder/decoder.safetensors"))
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--threads", type=int)
    parser.add_argument("--every", type=float, default=300, help="seconds between checkpoints")
    budget = parser.add_mutually_exclusive_group(required=True)
    budget.add_argument("--steps", type=int)
    budget.add_argument("--minutes", type=float, help="minutes of computing, without interruptions")
    budget.add_argument("--until", type=clock, help="HH:MM in UTC")
    for name, value in asdict(Settings()).items():
        parser.add_argument(f"--{name}", type=type(value), default=value)
    args = parser.parse_args(argv)
    if args.threads:
        torch.set_num_threads(args.threads)
    settings = Settings(**{name: getattr(args, name) for name in asdict(Settings())})
    photos = [data.load(path) for path in data.photo_paths(args.photos, held=False)]
    run = Run(settings, photos, torch.device(args.device))
    spent = Budget(args.steps, args.minutes, args.until, time.time())
    args.checkpoints.mkdir(parents=True, exist_ok=True)
    checkpoint = args.checkpoints / "last.pt"
    if checkpoint.exists():
        state = torch.load(checkpoint, map_location="cpu", weights_only=True)
        run.restore(state)
        print(f"resumed at step {run.step}", flush=True)
    train(run, spent, output=args.output, checkpoint=checkpoint, every=args.every)


if __name__ == "__main__":
    main()

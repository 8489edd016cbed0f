"""Train ``compact``: ``python -m training.distill --until 13:00``.

A run depends on its settings, the photographs and, if its budget is a time, on the
clock. It can be killed at any moment and resumed with the same command.
"""

from __future__ import annotations

import argparse
import math
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any, cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from . import data, first
from .optim import Muon
from .student import CONVS, HEADS, Plain, Student, export, read, widened
from .teachers import Features, Small, Teachers, central, filter_means, load_small, load_vgg

WEIGHTS = Path("../shared/weights")


@dataclass(frozen=True)
class Layer:
    """How one layer is trained: weights of its errors, and positions taken from every crop."""

    feature: float
    gram: float
    positions: int


LAYERS = {
    "conv1_1": Layer(4.0, 2.0, 384),
    "conv1_2": Layer(0.5, 0.1, 192),
    "conv2_1": Layer(1.5, 0.7, 384),
    "conv2_2": Layer(0.5, 0.1, 192),
    "conv3_1": Layer(1.5, 0.7, 384),
    "conv4_1": Layer(1.5, 0.8, 192),
    "conv4_2": Layer(1.5, 0.8, 192),
    "conv5_1": Layer(6.0, 3.0, 144),
}
AFTERWARDS = {"conv3_2": 384}
"""Layers whose heads are solved by least squares at the end, with positions from every crop."""
STYLE = ("conv1_1", "conv2_1", "conv3_1", "conv4_1", "conv5_1")


@dataclass(frozen=True)
class Settings:
    """All settings of a run except its budget; written into the file's metadata."""

    seed: int = 0
    crops: int = 8
    size: int = 192
    lr: float = 1e-3
    muon_lr: float = 0.003
    optimiser: str = "muon"
    freeze_norms_at: float = 0.0
    ema: float = 0.998
    pool: int = 48
    refresh: int = 60
    first_steps: int = 1500
    frozen_to: str = ""
    """The deepest frozen layer; only the layers after it are trained."""


@dataclass(frozen=True)
class Scale:
    """The centre and spread of a target over training crops, by which errors are divided."""

    centre: Tensor
    spread: float
    gram_centre: Tensor
    gram_spread: float


def names_to(layer: str) -> set[str]:
    """The convolutions up to and including ``layer``; none for an empty name."""
    return set(CONVS[: CONVS.index(layer) + 1]) if layer else set()


def rows(features: Tensor, index: Tensor) -> Tensor:
    """The positions ``index`` ``(n,)`` of maps ``(B, C, H, W)``, as ``(B, n, C)``."""
    return features.permute(0, 2, 3, 1).flatten(1, 2).index_select(1, index)


def gram(sampled: Tensor) -> Tensor:
    """``(B, C, C)``: the Gram matrix of ``(B, n, C)`` divided by the number of positions."""
    return (sampled.transpose(1, 2) @ sampled).float() / sampled.shape[1]


def relative(difference: Tensor, own: Tensor, spread: float) -> Tensor:
    """Mean over pictures of squared ``difference`` over half ``spread`` plus half ``own``.

    The reported errors divide by the spread over all pictures; taking half of it from each
    picture keeps a few unusual crops from dominating a batch.
    """
    return (difference / (0.5 * spread + 0.5 * own)).mean()


def errors(given: Tensor, target: Tensor, scale: Scale) -> tuple[Tensor, Tensor]:
    """Relative errors of features and Gram matrices: ``given``, ``target`` ``(B, n, C)``."""
    given_gram, target_gram = gram(given), gram(target)
    given, target = given.float(), target.float()
    feature = relative(
        (given - target).square().sum(2).mean(1),
        (target - scale.centre).square().sum(2).mean(1),
        scale.spread,
    )
    grams = relative(
        (given_gram - target_gram).square().sum((1, 2)),
        (target_gram - scale.gram_centre).square().sum((1, 2)),
        scale.gram_spread,
    )
    return feature, grams


@dataclass(frozen=True)
class Lesson:
    """The data of one step: pictures, positions, and the teachers' features there."""

    pictures: Tensor
    index: dict[str, Tensor]
    target: Features


class Run:
    """A training run."""

    def __init__(
        self, settings: Settings, photos: Sequence[Tensor], weights: Path, device: torch.device
    ):
        self.settings, self.photos, self.device = settings, photos, device
        frozen = names_to(settings.frozen_to)
        self.frozen, self.layers = frozen, {n: x for n, x in LAYERS.items() if n not in frozen}
        some = photos[:: max(1, len(photos) // 100)]
        means = filter_means(weights / "vgg19_blocks1-3.safetensors", central(some))
        vgg = load_vgg(weights / "vgg19_blocks1-3.safetensors", means)
        small = load_small(weights / "vgg19_small16x.safetensors")
        self.vgg = vgg
        self.teachers = Teachers(vgg, small).to(device, self.low)
        self.step, self.minutes = 0, 0.0
        self.pool: Tensor | None = None

    @property
    def low(self) -> torch.dtype:
        """The precision of forward and backward passes: bfloat16 where the hardware has it."""
        if self.device.type == "cuda":
            return torch.bfloat16 if torch.cuda.is_bf16_supported() else torch.float32
        supported = torch._C._has_mkldnn and torch.ops.mkldnn._is_mkldnn_bf16_supported()
        return torch.bfloat16 if supported else torch.float32

    def batch(self, step: int) -> Tensor:
        """The pictures of ``step``, on the device."""
        s = self.settings
        pictures = data.batch(
            self.photos, seed=s.seed, step=step, count=s.crops, size=s.size, pool=self.pool
        )
        return pictures.to(self.device, memory_format=torch.channels_last)

    @torch.no_grad()
    def targets(self, pictures: Tensor, index: Mapping[str, Tensor]) -> Features:
        """The teachers' features at the positions ``index`` of every layer."""
        features = self.teachers(pictures.to(self.low), index)
        return {name: rows(features[name], chosen) for name, chosen in index.items()}

    def positions(
        self, size: int, generator: torch.Generator, counts: Mapping[str, int] | None = None
    ) -> dict[str, Tensor]:
        """Random positions of every layer for crops of ``size``, the same in every crop.

        ``counts`` of them per layer; by default those of each trained layer.
        """
        positions = {}
        for name, count in (counts or {n: x.positions for n, x in self.layers.items()}).items():
            side = size >> (int(name[4]) - 1)
            chosen = torch.randperm(side * side, generator=generator)[:count]
            positions[name] = chosen.sort().values.to(self.device)
        return positions

    def measure(self, batches: int = 16) -> None:
        """Measure the scales of all errors on extra crops."""
        gathered: dict[str, list[Tensor]] = {name: [] for name in self.layers}
        gen = torch.Generator().manual_seed(self.settings.seed)
        for k in range(batches):
            pictures = self.batch(-1 - k)
            for name, value in self.targets(
                pictures, self.positions(self.settings.size, gen)
            ).items():
                gathered[name].append(value)
        self.scales = {}
        for name, parts in gathered.items():
            value = torch.cat(parts).float()
            centre, grams = value.mean((0, 1)), gram(value)
            self.scales[name] = Scale(
                centre,
                float((value - centre).square().sum(2).mean()),
                grams.mean(0),
                float((grams - grams.mean(0)).square().sum((1, 2)).mean()),
            )

    def begin(self, start: Mapping[str, Tensor] | None) -> None:
        """Create the student at step 0: from the folded weights ``start``, or at random."""
        torch.manual_seed(self.settings.seed)
        sample = torch.cat([self.batch(-100 - k) for k in range(6)]).cpu()
        weights = widened(start) if start is not None else Student().folded()
        if self.settings.first_steps:
            self.fit_first(weights)
        self.adopt(Student.from_folded(weights, sample, LAYERS))
        self.measure()
        if start is not None:
            new = {n: c.positions for n, c in LAYERS.items() if f"{n}_head.weight" not in weights}
            self.solve_heads(self.student, new)
        self.average = {k: v.detach().clone() for k, v in self.floats()}

    def fit_first(self, weights: dict[str, Tensor]) -> None:
        """Replace ``conv1_1`` and its head by a better fit, and adapt ``conv1_2``."""
        s = self.settings
        sample = [self.batch(-1000 - k)[:, :, :96, :96].cpu() for k in range(60)]
        kernel, bias = (
            self.vgg.get_buffer(f"conv1_1_{part}").float().cpu() for part in ("weight", "bias")
        )
        mean = self.vgg.get_buffer("mean").float().cpu().view(3, 1).expand(3, 9).reshape(27)

        def target(patch: Tensor) -> Tensor:
            return F.relu(F.linear(patch - mean, kernel.flatten(1), bias))

        new, error = first.fit(torch.cat(sample), target, weights, steps=s.first_steps, seed=s.seed)
        print(f"conv1_1 alone: feature error {error:.4f}", flush=True)
        some = torch.cat(sample[:6])
        old = Plain(weights)(some, ["conv1_1"])["conv1_1"]
        output = F.conv2d(old, weights["conv1_2.weight"], weights["conv1_2.bias"], padding=1)
        weights.update(new)
        now = Plain(weights)(some, ["conv1_1"])["conv1_1"]
        weights["conv1_2.weight"], weights["conv1_2.bias"] = first.refit(now, output)

    def adopt(self, student: Student) -> None:
        """Set the student to train, with optimisers for its parameters."""
        self.student = student.to(self.device)
        for conv in self.student.convs.values():
            weight = cast(nn.Conv2d, conv).weight
            weight.data = weight.data.contiguous(memory_format=torch.channels_last)
        for part in (self.student.convs, self.student.norms, self.student.heads):
            for name in self.frozen & set(part):
                part[name].requires_grad_(False)
        convs = [p for p in self.student.convs.parameters() if p.requires_grad]
        others = [*self.student.norms.parameters(), *self.student.heads.parameters()]
        rest = [p for p in others if p.requires_grad]
        self.optimisers: list[torch.optim.Optimizer]
        if self.settings.optimiser == "muon":
            self.optimisers = [Muon(convs, self.settings.muon_lr)]
            self.optimisers.append(torch.optim.Adam(rest, self.settings.lr, betas=(0.9, 0.99)))
        else:
            both = [*convs, *rest]
            self.optimisers = [torch.optim.Adam(both, self.settings.lr, betas=(0.9, 0.99))]
        self.rates = [o.param_groups[0]["lr"] for o in self.optimisers]

    def floats(self) -> list[tuple[str, Tensor]]:
        """The student's floating-point tensors by name, of which a running average is kept."""
        return [(k, v) for k, v in self.student.state_dict().items() if v.is_floating_point()]

    @torch.no_grad()
    def solve_heads(self, student: Student, counts: Mapping[str, int], batches: int = 24) -> None:
        """Solve heads of ``student`` by least squares for its present features.

        ``counts``: positions from every crop for each head to solve.
        """
        if not counts:
            return
        student.eval()
        gen = torch.Generator().manual_seed(self.settings.seed + 1)
        normal: dict[str, Tensor] = {}
        cross: dict[str, Tensor] = {}
        for k in range(batches):
            pictures = self.batch(-500 - k)
            index = self.positions(self.settings.size, gen, counts)
            target, own = self.targets(pictures, index), student(pictures, counts)
            for name in counts:
                x = rows(own[name], index[name]).flatten(0, 1).double()
                x = torch.cat([x, torch.ones_like(x[:, :1])], 1)
                y = target[name].flatten(0, 1).double()
                normal[name] = normal.get(name, 0) + x.T @ x
                cross[name] = cross.get(name, 0) + x.T @ y
        for name in counts:
            ridge = 1e-5 * normal[name].diagonal().mean() * torch.eye(len(normal[name]))
            solved = torch.linalg.solve(normal[name] + ridge.to(normal[name]), cross[name]).float()
            head = cast(nn.Conv2d, student.heads[name])
            assert head.bias is not None
            head.weight.copy_(solved[:-1].T[:, :, None, None])
            head.bias.copy_(solved[-1])

    def lesson(self, step: int) -> Lesson:
        """The pictures of ``step``, positions in their maps, and the teachers' features there."""
        pictures = self.batch(step)
        gen = torch.Generator().manual_seed(self.settings.seed + 7 * step)
        index = self.positions(pictures.shape[-1], gen)
        return Lesson(pictures, index, self.targets(pictures, index))

    def loss(self, lesson: Lesson) -> tuple[Tensor, dict[str, tuple[Tensor, Tensor]]]:
        """The weighted sum of all errors on ``lesson``, and the errors of every layer."""
        by_layer: dict[str, tuple[Tensor, Tensor]] = {}
        with torch.autocast(self.device.type, self.low, enabled=self.low != torch.float32):
            own = self.student(lesson.pictures, self.layers)
            for name in self.layers:
                given = self.student.head(name, rows(own[name], lesson.index[name]))
                by_layer[name] = errors(given, lesson.target[name], self.scales[name])
        parts = [LAYERS[n].feature * f + LAYERS[n].gram * g for n, (f, g) in by_layer.items()]
        return torch.stack(parts).sum(), by_layer

    def advance(self, lesson: Lesson, progress: float) -> dict[str, tuple[float, float]]:
        """Make one step at ``progress`` in [0, 1] of the budget; return its batch's errors."""
        self.student.train()
        if progress >= self.settings.freeze_norms_at:
            self.student.norms.eval()
        factor = min(1.0, (self.step + 1) / 150) * 0.5 * (1 + math.cos(math.pi * min(1, progress)))
        for optimiser, rate in zip(self.optimisers, self.rates, strict=True):
            optimiser.param_groups[0]["lr"] = rate * max(factor, 1e-3)
            optimiser.zero_grad(set_to_none=True)
        total, by_layer = self.loss(lesson)
        total.backward()  # type: ignore[no-untyped-call]
        for optimiser in self.optimisers:
            optimiser.step()
        keep = min(self.settings.ema, (self.step + 1) / (self.step + 10))
        with torch.no_grad():
            for name, value in self.floats():
                self.average[name].lerp_(value, 1 - keep)
        self.step += 1
        return {n: (float(f.detach()), float(g.detach())) for n, (f, g) in by_layer.items()}

    def averaged(self, more: Iterable[str] = ()) -> Student:
        """The student with the averaged tensors, and ``more`` untrained heads."""
        student = Student([n for n in HEADS if n in LAYERS or n in more]).to(self.device)
        student.load_state_dict(self.average, strict=False)
        return student.eval()

    def refresh_pool(self) -> None:
        """Add a batch of pictures half-optimised by the present student or by the teacher.

        The two alternate, because each network causes different artefacts.
        """
        s = self.settings
        gen = torch.Generator().manual_seed(s.seed * 7919 + self.step)
        turn = self.step // s.refresh % 2
        plain = Plain(self.averaged().folded()).to(self.device) if turn else self.teachers.small
        new = (half_optimised(plain, self.photos, gen, s.crops, s.size, self.low) * 255).round()
        fresh = new.to("cpu", torch.uint8)
        old = fresh[:0] if self.pool is None else self.pool
        self.pool = torch.cat([old, fresh])[-s.pool :]

    def state(self) -> dict[str, Any]:
        """The state that a resumed run needs."""
        return {
            "settings": asdict(self.settings),
            "step": self.step,
            "minutes": self.minutes,
            "student": self.student.state_dict(),
            "average": self.average,
            "optimisers": [o.state_dict() for o in self.optimisers],
            "pool": self.pool,
            "scales": {
                n: (s.centre, s.spread, s.gram_centre, s.gram_spread)
                for n, s in self.scales.items()
            },
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Restore the result of `state`."""
        self.adopt(Student(LAYERS))
        self.student.load_state_dict(state["student"])
        self.average = {k: v.to(self.device) for k, v in state["average"].items()}
        for optimiser, saved in zip(self.optimisers, state["optimisers"], strict=True):
            optimiser.load_state_dict(saved)
        self.step, self.minutes, self.pool = state["step"], state["minutes"], state["pool"]
        self.scales = {
            n: Scale(a.to(self.device), b, c.to(self.device), d)
            for n, (a, b, c, d) in state["scales"].items()
        }


def half_optimised(
    net: Plain | Small,
    photos: Sequence[Tensor],
    gen: torch.Generator,
    count: int,
    size: int,
    low: torch.dtype,
) -> Tensor:
    """Pictures ``(count, 3, size, size)`` from an unfinished transfer by ``net``.

    Contents are photographs; styles are other photographs, strongly recoloured, or procedural.
    """
    device = net.get_buffer("conv1_1_weight").device

    def style() -> Tensor:
        if data.pick(gen, 2):
            return data.procedural(gen, size)
        return data.recolour(gen, data.crop(gen, photos[data.pick(gen, len(photos))], size))

    contents = [data.crop(gen, photos[data.pick(gen, len(photos))], size) for _ in range(count)]
    content = torch.stack(contents).to(device)
    styles = torch.stack([style() for _ in range(count)]).to(device)
    kind = torch.rand(count, 1, 1, 1, generator=gen).to(device)
    start = torch.where(kind < 0.3, torch.rand(content.shape, generator=gen).to(device), content)

    def maps(pictures: Tensor) -> Features:
        pictures = pictures.contiguous(memory_format=torch.channels_last)
        features: Features = net(pictures.to(low), [*STYLE, "conv4_2"])
        return features

    def second(value: Tensor) -> Tensor:
        return gram(value.permute(0, 2, 3, 1).flatten(1, 2))

    with torch.no_grad():
        targets = {n: second(v) for n, v in maps(styles).items()}
        held = maps(content)["conv4_2"]
    picture = start.clone().requires_grad_()
    adam = torch.optim.Adam([picture], lr=data.uniform(gen, 0.01, 0.05))
    # Mostly few steps, where pictures change fast; sometimes nearly a whole transfer.
    for _ in range(8 + data.pick(gen, 16) if data.pick(gen, 4) else 60 + data.pick(gen, 60)):
        features = maps(picture)
        loss = (features["conv4_2"] - held).float().square().mean() / held.float().square().mean()
        for name in STYLE:
            away = (second(features[name]) - targets[name]).square().sum((1, 2))
            loss = loss + 3 * (away / targets[name].square().sum((1, 2))).sum()
        (picture.grad,) = torch.autograd.grad(loss, [picture])
        adam.step()
        with torch.no_grad():
            picture.clamp_(0, 1)
    return picture.detach()


@dataclass(frozen=True)
class Budget:
    """The length of a training; exactly one of the three is set. ``until`` is a POSIX time."""

    steps: int | None = None
    minutes: float | None = None
    until: float | None = None
    since: float = 0.0

    def progress(self, step: int, minutes: float, now: float) -> float:
        """The share in [0, 1+] of the budget that has been used."""
        if self.steps is not None:
            return step / max(1, self.steps)
        if self.minutes is not None:
            return minutes / max(1e-9, self.minutes)
        assert self.until is not None
        return (now - self.since) / max(1e-9, self.until - self.since)


def save(path: Path, state: Mapping[str, Any]) -> None:
    """Write ``state`` atomically."""
    partial = path.with_suffix(".partial")
    torch.save(dict(state), partial)
    partial.replace(path)


def train(
    run: Run,
    budget: Budget,
    *,
    checkpoint: Path | None = None,
    every: float = 300.0,
    stop_after: int | None = None,
    report: Callable[[int, float, Mapping[str, tuple[float, float]]], None] | None = None,
) -> None:
    """Step until the budget is spent; save a checkpoint every ``every`` seconds and at the end.

    ``stop_after`` ends the call after that many steps even if the budget is not used up.
    """
    saved = time.time()
    settings = run.settings

    def keep() -> None:
        if checkpoint is not None:
            save(checkpoint, {**run.state(), "since": budget.since})

    threads = torch.get_num_threads()
    # On a CPU the teachers run ahead on another core, since small layers do not use two well.
    with ThreadPoolExecutor(1, initializer=torch.set_num_threads, initargs=(threads,)) as ahead:
        coming = ahead.submit(run.lesson, run.step)
        while (progress := budget.progress(run.step, run.minutes, time.time())) < 1:
            if stop_after is not None and run.step >= stop_after:
                break
            began = time.monotonic()
            lesson = coming.result()
            if settings.pool and run.step % settings.refresh == settings.refresh // 2:
                run.refresh_pool()
            coming = ahead.submit(run.lesson, run.step + 1)
            by_layer = run.advance(lesson, progress)
            run.minutes += min(time.monotonic() - began, 30.0) / 60
            if report is not None:
                report(run.step, progress, by_layer)
            if time.time() - saved > every:
                keep()
                saved = time.time()
    keep()


class Log:
    """Prints the errors of every layer, averaged over ``every`` steps."""

    def __init__(self, every: int = 100):
        self.every, self.count, self.began = every, 0, time.time()
        self.sums: dict[str, tuple[float, float]] = {}

    def __call__(  # noqa: D102
        self, step: int, progress: float, by_layer: Mapping[str, tuple[float, float]]
    ) -> None:
        for name, (feature, grams) in by_layer.items():
            a, b = self.sums.get(name, (0.0, 0.0))
            self.sums[name] = (a + feature, b + grams)
        self.count += 1
        if self.count == self.every:
            pace = (time.time() - self.began) / self.count
            parts = [
                f"{n[4:]} {a / self.count:.3f}/{b / self.count:.3f}"
                for n, (a, b) in self.sums.items()
            ]
            print(f"{step:6d} {progress:6.3f} {pace:5.2f} s  " + "  ".join(parts), flush=True)
            self.count, self.began, self.sums = 0, time.time(), {}


def clock(text: str) -> float:
    """``HH:MM`` (UTC) as the next POSIX time at that hour."""
    hours, minutes = (int(part) for part in text.split(":"))
    now = datetime.now().astimezone()
    moment = now.timestamp() - now.timestamp() % 86400 + hours * 3600 + minutes * 60
    return moment if moment > now.timestamp() else moment + 86400


def parse(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="training.distill", description=__doc__)
    parser.add_argument("--photos", type=Path, default=data.PHOTOS)
    parser.add_argument("--weights", type=Path, default=WEIGHTS, help="folder of the teachers")
    parser.add_argument("--start", type=Path, help="folded weights to start from")
    parser.add_argument(
        "--pool-from", type=Path, help="checkpoint whose half-optimised pictures are used"
    )
    parser.add_argument("--checkpoints", type=Path, default=Path("out/training"))
    parser.add_argument("--output", type=Path, default=Path("out/training/compact.safetensors"))
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--threads", type=int)
    budget = parser.add_mutually_exclusive_group(required=True)
    budget.add_argument("--steps", type=int)
    budget.add_argument("--minutes", type=float, help="minutes of computing, without interruptions")
    budget.add_argument("--until", type=clock, help="HH:MM in UTC")
    for name, value in asdict(Settings()).items():
        parser.add_argument(f"--{name.replace('_', '-')}", type=type(value), default=value)
    return parser.parse_args(argv)


def main(argv: Sequence[str] | None = None) -> None:
    """Train, or resume a training, and write the file of the network."""
    args = parse(argv)
    if args.threads:
        torch.set_num_threads(args.threads)
    settings = Settings(**{name: getattr(args, name) for name in asdict(Settings())})
    photos = [data.load(path) for path in data.photo_paths(args.photos, held=False)]
    run = Run(settings, photos, args.weights, torch.device(args.device))
    budget = Budget(args.steps, args.minutes, args.until, time.time())
    args.checkpoints.mkdir(parents=True, exist_ok=True)
    checkpoint = args.checkpoints / "last.pt"
    if checkpoint.exists():
        state = torch.load(checkpoint, map_location="cpu", weights_only=True)
        run.restore(state)
        budget = replace(budget, since=state["since"])
        print(f"resumed at step {run.step}", flush=True)
    else:
        if args.pool_from:
            run.pool = torch.load(args.pool_from, map_location="cpu", weights_only=True)["pool"]
        run.begin(read(args.start)[0] if args.start else None)
    train(run, budget, checkpoint=checkpoint, report=Log())
    finish(run, args.output, started_from=args.start.stem if args.start else "random")


def finish(run: Run, output: Path, *, started_from: str) -> None:
    """Solve the last heads, fold the average and write the file of the network."""
    student = run.averaged(AFTERWARDS)
    run.solve_heads(student, AFTERWARDS)
    training = {
        "settings": asdict(run.settings),
        "layers": {name: asdict(layer) for name, layer in LAYERS.items()},
        "started_from": started_from,
        "steps": run.step,
        "minutes": round(run.minutes, 1),
        "photos": len(run.photos),
        "torch": torch.__version__,
    }
    output.parent.mkdir(parents=True, exist_ok=True)
    size = export(output, student.folded(), training)
    print(
        f"{output.name}: {size} bytes after {run.step} steps, {run.minutes:.1f} minutes", flush=True
    )


if __name__ == "__main__":
    main()

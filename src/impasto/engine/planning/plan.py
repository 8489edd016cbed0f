"""The plan: every automatic choice of a run, made once, before it starts.

The same plan, machine and versions give the same picture on a CPU, bit for bit (the number of
threads is part of the plan: another count adds in another order). On CUDA some sums are not
ordered, and small differences grow over a run; the tolerance between two runs there is 2/255 in
the mean over pixels (stated, not measured: no GPU was at hand).
"""

from __future__ import annotations

import math
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Literal

import torch

from impasto.engine.planning.fitting import fitted
from impasto.engine.planning.limits import free_memory, processors
from impasto.engine.planning.stages import Size, Stage
from impasto.errors import PictureError, RecipeError
from impasto.nets.network import Network
from impasto.recipe.still import Recipe

COARSEST = 128  # longest side at which an automatic pyramid starts
RATIO = math.sqrt(2)  # of a size to the one before
NARROWEST = 16  # the deepest style layer, in block 5, has one position for 16 pixels
DEFAULT_STEPS = (100, 50)  # coarse to fine; further, larger stages take the last number
NEIGHBOURS_STEPS = (50,)  # the same with matched neighbours
INSTANT_RATIO = 2.0  # between the sizes of an instant picture
GRADED_AT, GRADED_STEPS = 384, 15  # longer side that a change of colours is found at, and its steps
QUALITIES = {"draft": 0.4, "standard": 1.0, "fine": 2.5, "best": 6.0}  # times those


@dataclass(frozen=True)
class Machine:
    """What decides a plan about the machine.

    Attributes:
        devices: usable ones, best first.
        fast_bf16: those on which bfloat16 convolutions are done in hardware.
        threads: CPU threads that torch uses, and no more than a container's limits allow.
        memory: bytes that are free, by device, within a container's limits; of a device that is
            missing nothing is known.

    """

    devices: tuple[str, ...]
    fast_bf16: frozenset[str]
    threads: int
    memory: Mapping[str, int] = field(default_factory=dict)

    @classmethod
    def here(cls) -> Machine:
        """The present machine, as torch sees it."""
        devices = ["cpu"]
        memory = {"cpu": free_memory()}
        bf16 = {"cpu"} if _cpu_has_bf16() else set()
        if torch.backends.mps.is_available():
            devices.insert(0, "mps")
            memory["mps"] = memory["cpu"]  # it is the same
        if torch.cuda.is_available():
            devices.insert(0, "cuda")
            memory["cuda"] = torch.cuda.mem_get_info()[0]
            if torch.cuda.is_bf16_supported(including_emulation=False):
                bf16.add("cuda")
        threads = min(torch.get_num_threads(), processors())
        return cls(tuple(devices), frozenset(bf16), threads, memory)


@dataclass(frozen=True)
class Plan:
    """Every automatic choice, resolved.

    Attributes:
        device: ``cpu``, ``cuda`` or ``mps``.
        channels_last: whether the network computes in channels-last layout.
        threads: CPU threads.
        stages: coarse to fine.

    """

    device: str
    channels_last: bool
    threads: int
    stages: tuple[Stage, ...]

    @property
    def share(self) -> float:
        """Share of the whole picture's work that is done: 1 but for a preview of a part."""
        whole = sum(replace(stage, window=None).work for stage in self.stages)
        return sum(stage.work for stage in self.stages) / whole

    @property
    def steps(self) -> int:
        """Steps of the whole run."""
        return sum(stage.steps for stage in self.stages)

    def steps_before(self, stage: int) -> int:
        """Steps of all the stages before this one."""
        return sum(earlier.steps for earlier in self.stages[:stage])

    def progress(self, stage: int, step: int) -> float:
        """Share of the work that is done after a step of a stage, in [0, 1]."""
        current = self.stages[stage]
        before = sum(earlier.work for earlier in self.stages[:stage])
        done = before + current.work * (step + 1) / (current.steps + 1)
        return done / sum(each.work for each in self.stages)

    def in_tiles(self, stage: int, tile: int | None) -> Plan:
        """The same plan with a stage in tiles of another size."""
        if self.stages[stage].tile == tile:
            return self
        changed = replace(self.stages[stage], tile=tile)
        return replace(self, stages=(*self.stages[:stage], changed, *self.stages[stage + 1 :]))

    def as_dict(self) -> dict[str, Any]:
        """Plain values, ready for JSON."""
        return asdict(self)


def make_plan(
    recipe: Recipe,
    content: Size,
    styles: Sequence[Size],
    machine: Machine | None = None,
    network: Network | None = None,
) -> Plan:
    """Resolve every automatic choice.

    Args:
        recipe: what was asked for.
        content: height and width of the photograph.
        styles: height and width of each painting.
        machine: where it will run; this machine when not given.
        network: what it will run; without one no tiles are chosen.

    Raises:
        RecipeError: the device or precision is not to be had here, the stages and steps do not fit
            each other, or the picture does not fit into memory even in tiles.
        PictureError: a picture would be too narrow to have a style.

    """
    machine = machine or Machine.here()
    device = _device(recipe, machine)
    sizes = _sizes(recipe, content)
    steps = _steps(recipe, len(sizes))
    precisions = _precisions(recipe, machine, device, len(sizes))
    stages = tuple(
        Stage(
            *size,
            _style_sizes(recipe, size, styles),
            n,
            precision,
            whole_cells=recipe.tileable,
            margin=_margin(recipe),
        )
        for size, n, precision in zip(sizes, steps, precisions, strict=True)
    )
    stages = fitted(recipe, stages, content, machine.memory.get(device), device, network)
    return Plan(device, device != "mps", recipe.threads or machine.threads, stages)


def fit(size: Size, longest: int) -> Size:
    """Height and width in the same proportion, the longer one being ``longest``."""
    ratio = longest / max(size)
    return max(1, round(size[0] * ratio)), max(1, round(size[1] * ratio))


def _margin(recipe: Recipe) -> int:
    """As asked for; an instant picture always has one, as it is made of whole cells."""
    if recipe.tileable:
        return 0
    return max(1, recipe.margin) if recipe.is_instant else recipe.margin


def _device(recipe: Recipe, machine: Machine) -> str:
    if recipe.device == "auto":
        return machine.devices[0]
    if recipe.device not in machine.devices:
        raise RecipeError(
            f"--device {recipe.device} is not to be had on this machine: use "
            f"{' or '.join(machine.devices)}, or leave it out."
        )
    return recipe.device


def _precisions(
    recipe: Recipe, machine: Machine, device: str, stages: int
) -> list[Literal["fp32", "bf16"]]:
    """As asked for; else bfloat16 where it is fast.

    With the default loss and average, small sizes in bfloat16 as well take 30% less time, and the
    final losses lie within 0.5% of those with small sizes in float32.
    """
    if recipe.precision != "auto":
        return [recipe.precision] * stages
    return ["bf16" if device in machine.fast_bf16 else "fp32"] * stages


def _sizes(recipe: Recipe, content: Size) -> list[Size]:
    full = recipe.size_for(*content)
    if full[0] * full[1] > recipe.max_pixels:
        raise RecipeError(
            f"The result would have {full[1]} x {full[0]} pixels, more than "
            f"{recipe.max_pixels:,}: ask for a smaller one, or allow more with --max-pixels."
        )
    if min(full) < NARROWEST:
        raise PictureError(
            f"The photograph would be {full[1]} x {full[0]} pixels: its short side must be at "
            f"least {NARROWEST}; crop it, or ask for a larger --size."
        )
    if recipe.is_graded:
        return [fit(full, min(GRADED_AT, max(full))), full] if recipe.photorealistic else [full]
    ratio = INSTANT_RATIO if recipe.is_instant else RATIO
    wanted = recipe.scales or _scales_of(recipe.steps) or (1 if recipe.neighbours else None)
    sizes = [full]
    while wanted is None or len(sizes) < wanted:
        longest = round(max(full) / ratio ** len(sizes))
        smaller = fit(content, longest)
        if min(smaller) < NARROWEST or (wanted is None and longest < COARSEST):
            break
        sizes.insert(0, smaller)
    if wanted and len(sizes) < wanted:
        raise RecipeError(
            f"{wanted} scales need a larger --size: at {max(full)} pixels this photograph has "
            f"room for {len(sizes)}."
        )
    return sizes


def _steps(recipe: Recipe, stages: int) -> tuple[int, ...]:
    if recipe.is_graded:
        return (GRADED_STEPS, 1)[-stages:]
    if recipe.is_instant:
        return (1,) * stages
    if recipe.steps is None:
        factor = QUALITIES[recipe.quality]
        usual = NEIGHBOURS_STEPS if recipe.neighbours else DEFAULT_STEPS
        steps = (usual + usual[-1:] * stages)[:stages]
        return tuple(round(factor * each) for each in steps)
    return recipe.steps if _scales_of(recipe.steps) else recipe.steps * stages


def _scales_of(steps: tuple[int, ...] | None) -> int | None:
    """Number of stages that a list of steps asks for; None where one number stands for all."""
    return len(steps) if steps and len(steps) > 1 else None


def _style_sizes(recipe: Recipe, stage: Size, styles: Sequence[Size]) -> tuple[Size, ...]:
    return tuple(
        _style_size(stage, style, scale) for style in styles for scale in recipe.style_scales
    )


def _style_size(stage: Size, style: Size, scale: float) -> Size:
    """The painting at the stage's size times the style scale, but never enlarged."""
    longest = min(max(style), round(max(stage) * scale))
    size = fit(style, longest)
    if min(size) >= NARROWEST:
        return size
    if min(style) < NARROWEST:
        raise PictureError(
            f"The painting has {style[1]} x {style[0]} pixels: its short side must be at least "
            f"{NARROWEST}."
        )
    return fit(style, -(-NARROWEST * max(style) // min(style)))


def _cpu_has_bf16() -> bool:
    """bfloat16 in hardware: AVX512-BF16 or AMX. Emulated bfloat16 is slower than float32."""
    if os.environ.get("ONEDNN_MAX_CPU_ISA", "").upper() in {"SSE41", "AVX", "AVX2", "AVX512_CORE"}:
        return False
    probes = ("_is_avx512_bf16_supported", "_is_amx_tile_supported")
    return any(getattr(torch.cpu, probe, lambda: False)() for probe in probes)

"""A network in training: a stream of states."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import Tensor

from impasto import __version__
from impasto.engine.interrupts import whole_steps
from impasto.engine.state import Losses
from impasto.engine.training import Trainer, Training
from impasto.errors import RecipeError, RecordError, WeightsError
from impasto.files.pictures.images import Picture, read_picture
from impasto.files.pictures.photographs import (
    photographs_in,
    photographs_without_a_folder,
)
from impasto.files.weights.painter_start import load_start
from impasto.files.weights.store import load_network
from impasto.files.weights.trained import (
    About,
    Point,
    Source,
    finite_or_none,
    read_trained,
    write_trained,
)
from impasto.nets.feedforward import BLOCKS, WIDTHS
from impasto.recipe.still import Recipe, without_neighbours
from impasto.shortage import memory_told

StrPath = str | os.PathLike[str]
DEFAULT_MINUTES = 20.0
POINTS = 400  # of the loss curve, at most


@dataclass(frozen=True)
class TrainState:
    """One step of a training.

    Attributes:
        step: steps done; the first state has 0, or where an earlier run has ended.
        progress: in [0, 1].
        losses: the last steps' mean, each of a picture before the step; None before the first.

    """

    step: int
    progress: float
    losses: Losses | None


class TrainJob:
    """A network in training: iterate for its states, then :meth:`save` it.

    Args:
        paintings: one or more; the network learns all of them.
        photos: a folder of photographs; without one, see :attr:`photographs`.
        minutes: how long; 20 where neither these nor steps are given.
        steps: how long, in steps.
        training: size of the crops, seed, rate.
        recipe: the objective, and with its ``size`` the pictures that the network is for.
        resume: a training that was kept.

    Attributes:
        photographs: what it learns from.

    Raises:
        ImpastoError: with one sentence that says what to do.

    """

    @memory_told()
    def __init__(
        self,
        paintings: Sequence[StrPath],
        photos: StrPath | None = None,
        *,
        minutes: float | None = None,
        steps: int | None = None,
        training: Training | None = None,
        recipe: Recipe | None = None,
        resume: Path | None = None,
    ) -> None:
        recipe, training = without_neighbours(recipe or Recipe()), training or Training()
        _check_length(minutes, steps)
        if not paintings:
            raise RecipeError("A painting is needed: impasto train painting.jpg.")
        if recipe.frame is None:
            raise RecipeError("--for-size must be a number of pixels.")
        self._minutes = DEFAULT_MINUTES if minutes is None and steps is None else minutes
        self._steps = steps
        longest = max(recipe.frame.fit(1000, 1000))
        self.photographs = (
            photographs_without_a_folder(longest=longest)
            if photos is None
            else photographs_in(
                Path(photos),
                longest=longest,
                max_pixels=recipe.max_pixels,
                leave_out=[Path(each) for each in paintings],
            )
        )
        read = [read_picture(each, max_pixels=recipe.max_pixels) for each in paintings]
        loaded = load_network(recipe)
        self._trainer = Trainer(
            *(training, recipe, loaded.network, [each.tensor for each in read]),
            start=None if training.scratch else load_start(),
        )
        self._about = self._described(read, recipe, training, (loaded.name, loaded.sha256))
        self._points = list[Point]()
        self._since = list[Losses]()
        self._every = 10
        self._seconds = 0.0
        if resume is not None:
            self._take_up(resume)

    def __iter__(self) -> Iterator[TrainState]:
        with memory_told():
            yield from whole_steps(self._states())

    @property
    def step(self) -> int:
        """Steps done."""
        return self._trainer.step

    @property
    def seconds(self) -> float:
        """Time of the steps so far."""
        return self._seconds

    @property
    def is_done(self) -> bool:
        """Whether it has seen all that was asked for."""
        return self._progress() >= 1

    @property
    def about(self) -> About:
        """How it was trained so far."""
        return replace(
            self._about,
            step=self.step,
            seconds=round(self._seconds, 3),
            is_finished=self.is_done,
            losses=tuple(self._points),
        )

    @memory_told()
    def painted(self, photograph: Tensor) -> Tensor:
        """What the network by now makes of a photograph, side by side for each painting.

        Args:
            photograph: ``(1, 3, H, W)`` in [0, 1].

        Returns:
            ``(1, 3, H, n W)`` on the CPU.

        """
        count = len(self._about.paintings)
        return torch.cat([self._trainer.painted(photograph, i) for i in range(count)], dim=-1)

    @memory_told()
    def specimen(self) -> Tensor:
        """A photograph to look at while it learns: one of those that it learns from."""
        generator = torch.Generator().manual_seed(self._about.training.seed)
        size = max(self._about.training.size, 256)
        return self.photographs.crops(generator, 1, size)

    @memory_told()
    def keep(self, path: Path) -> None:
        """Write the state of the training, from which it can be resumed.

        Raises:
            OutputError: it cannot be written.

        """
        write_trained(path, self.about, self._trainer.state_dict())

    @memory_told()
    def save(self, path: Path) -> None:
        """Write the network.

        Raises:
            OutputError: it cannot be written.

        """
        own = self._trainer.state_dict().items()
        write_trained(path, self.about, {n: v for n, v in own if n.startswith("painter.")})

    def _states(self) -> Iterator[TrainState]:
        yield TrainState(self.step, self._progress(), None)
        settings = self._about.training
        while not self.is_done:
            start = time.monotonic()
            generator = self._trainer.generator()
            crops = self.photographs.crops(generator, settings.batch, settings.size)
            losses = self._trainer.advance(crops, self._progress())
            if not losses.finite:
                raise RecipeError(
                    f"The training has diverged at step {self.step}: give it a smaller --rate."
                )
            self._note(losses)
            self._seconds += time.monotonic() - start
            yield TrainState(self.step, self._progress(), losses)

    def _progress(self) -> float:
        if self._steps is not None:
            return self.step / self._steps
        assert self._minutes is not None
        return min(1.0, self._seconds / (60 * self._minutes))

    def _note(self, losses: Losses) -> None:
        """A point of the curve for every few steps; every other one goes where they are many."""
        self._since.append(losses)
        if self.step % self._every:
            return
        if len(self._points) >= POINTS:
            self._points, self._every = self._points[1::2], 2 * self._every
        means = [
            finite_or_none(sum(getattr(each, name) for each in self._since) / len(self._since))
            for name in ("total", "content", "style", "variation")
        ]
        self._points.append(Point(self.step, *means))
        self._since.clear()

    def _take_up(self, path: Path) -> None:
        try:
            kept = read_trained(path)
        except WeightsError as error:
            raise RecordError(
                f"{path.name!r} is no training of impasto's, or a damaged one: leave out --resume "
                "to start again."
            ) from error
        about = kept.about
        if about.made_of != self._about.made_of:
            raise RecordError(
                f"{path.name!r} is of other paintings, photographs or options: leave out --resume "
                "to start again, or give the same again."
            )
        try:
            self._trainer.load_state_dict(kept.tensors, about.step)
        except (KeyError, RuntimeError, ValueError) as error:
            raise RecordError(
                f"{path.name!r} cannot be gone on with: leave out --resume to start again."
            ) from error
        self._seconds, self._points = about.seconds, list(about.losses)
        if len(self._points) > 1:
            self._every = self._points[1].step - self._points[0].step

    def _described(
        self,
        paintings: Sequence[Picture],
        recipe: Recipe,
        training: Training,
        network: tuple[str, str],
    ) -> About:
        return About(
            tuple(Source(each.name, each.sha256) for each in paintings),
            self.photographs.description,
            self.photographs.sha256,
            *network,
            training,
            recipe,
            WIDTHS,
            BLOCKS,
            step=0,
            seconds=0.0,
            is_finished=False,
            steps=self._steps,
            minutes=self._minutes,
            losses=(),
            version=__version__,
        )


def _check_length(minutes: float | None, steps: int | None) -> None:
    if minutes is not None and steps is not None:
        raise RecipeError("--minutes and --steps say the same in two ways: leave one out.")
    if minutes is not None and not 0 < minutes <= 100_000:
        raise RecipeError("--minutes must be above 0 and at most 100000.")
    if steps is not None and not 1 <= steps <= 10_000_000:
        raise RecipeError("--steps must lie between 1 and 10000000.")

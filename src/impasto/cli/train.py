"""``impasto train``: a network that paints like some paintings; what is learnt is kept."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import fields
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from impasto.cli.flags import Checkpoint, Debug, Overwrite, Quiet, Resume
from impasto.cli.options import with_recipe_options
from impasto.errors import OutputError, RecipeError, ShortageError
from impasto.recipe.still import Recipe

if TYPE_CHECKING:
    from impasto.jobs.train import TrainJob, TrainState

OBJECTIVE = {
    *("strength", "style_scale", "tv", "alpha", "beta", "network", "weights", "raw_weights"),
    *("pooling", "content_layers", "style_layers", "layer_weights", "style_loss"),
    *("device", "precision", "threads", "max_pixels"),
}
"""Options of a recipe that decide what a network learns, or where."""

NOT_FOR_TRAINING = {item.name for item in fields(Recipe)} - OBJECTIVE


@partial(with_recipe_options, leave_out=NOT_FOR_TRAINING)
def train(
    *paintings: Annotated[
        Path, Parameter(help="One or more paintings; one network learns all of them.")
    ],
    photos: Annotated[
        Path | None,
        Parameter(
            help="A folder of photographs to learn from, the more the better (some hundreds); "
            "without one, pictures made by program and scikit-image's photographs."
        ),
    ] = None,
    output: Annotated[
        str | None,
        Parameter(
            name=["--output", "-o"],
            help="Where to write, NAME.safetensors or a folder; by default painting.safetensors.",
        ),
    ] = None,
    minutes: Annotated[
        float | None, Parameter(help="How long to train; 20 unless --steps says it.")
    ] = None,
    steps: Annotated[int | None, Parameter(help="How long to train, in steps.")] = None,
    size: Annotated[
        int, Parameter(help="Side of the parts of photographs that it learns from, in pixels.")
    ] = 256,
    batch: Annotated[int, Parameter(help="Parts of photographs in each step.")] = 2,
    for_size: Annotated[
        int,
        Parameter(help="Longest side of the pictures that it is for: strokes are of that size."),
    ] = 512,
    rate: Annotated[float, Parameter(help="Step size of Adam at its highest.")] = 4e-3,
    seed: Annotated[int, Parameter(help="Seed of the first weights and of what it sees.")] = 0,
    scratch: Annotated[
        bool,
        Parameter(
            help="Begin with random weights, instead of a bundled network that can paint already.",
            negative="",
        ),
    ] = False,
    preview: Annotated[
        int | None,
        Parameter(help="Write what it makes of a photograph every N steps, as NAME.preview.png."),
    ] = None,
    overwrite: Overwrite = False,
    checkpoint: Checkpoint = 30.0,
    resume: Resume = False,
    quiet: Quiet = False,
    debug: Debug = False,
    recipe: Recipe,
) -> int:
    """Train a network that then paints any photograph like a painting in a fraction of a second."""
    del debug
    from impasto.cli.destination import destination
    from impasto.cli.keeping import Keeping
    from impasto.engine.training import Training
    from impasto.files.weights.trained import SUFFIX

    if not paintings:
        raise RecipeError("A painting is needed: impasto train painting.jpg --photos photos/.")
    if preview is not None and preview < 1:
        raise RecipeError("--preview must be at least 1.")
    training = Training(size=size, batch=batch, rate=rate, seed=seed, scratch=scratch)
    recipe = recipe.but({"size": for_size})
    keeping = Keeping(resume, checkpoint)

    def start(kept: Path | None) -> TrainJob:
        from impasto.jobs.train import TrainJob

        return TrainJob(
            paintings,
            photos,
            minutes=minutes,
            steps=steps,
            training=training,
            recipe=recipe,
            resume=kept,
        )

    usual = Path("+".join(path.stem for path in paintings) + SUFFIX)
    with destination(output, usual) as path:
        if path.suffix.lower() != SUFFIX:
            raise OutputError(f"{str(path)!r} must end in {SUFFIX}: choose another --output.")
        inputs = (*paintings, photos, recipe.weights)
        run = _Run(path, inputs, keeping.seconds, preview, overwrite=overwrite, quiet=quiet)
        return run(start, resume=resume)


class _Run:
    """One training from the command line: claimed, resumed or begun, shown, kept, written."""

    def __init__(
        self,
        path: Path,
        inputs: tuple[object, ...],
        seconds: float,
        preview: int | None,
        *,
        overwrite: bool,
        quiet: bool,
    ) -> None:
        from impasto.files.records.checkpoints import checkpoint_path

        self._path, self._kept = path, checkpoint_path(path)
        self._inputs, self._seconds, self._every = inputs, seconds, preview
        self._overwrite, self._quiet = overwrite, quiet
        self._preview = path.with_name(f"{path.stem}.preview.png")
        self._due = time.monotonic() + seconds
        self._has_failed = False
        self._steps_whole: int | None = None  # steps after which all that is learnt is in order

    def __call__(self, start: Callable[[Path | None], TrainJob], *, resume: bool) -> int:
        """The exit status."""
        from impasto.cli.making import say
        from impasto.files.atomic import claimed

        self._check(resume=resume)
        with claimed(self._path, self._kept):
            kept = self._found(resume=resume)
            job = start(kept)
            notes = (f"learns from {job.photographs.description}.", *job.photographs.notes)
            say(notes, quiet=self._quiet)
            status = self._work(job)
            job.save(self._path)
            if status == 0:
                self._kept.unlink(missing_ok=True)
            say(job.photographs.notes[len(notes) - 1 :], quiet=self._quiet)
            self._report(job, status)
        return status

    def _check(self, *, resume: bool) -> None:
        """What may be written, made sure before any work."""
        from impasto.cli.making import is_preview
        from impasto.files.outputs import Outputs
        from impasto.files.weights.trained import is_trained, read_trained

        outputs = Outputs(self._inputs, overwrite=self._overwrite)
        is_earlier = (
            resume
            and self._kept.is_file()
            and is_trained(self._path)
            and not read_trained(self._path).about.is_finished
        )
        outputs.check(self._path, overwrite=self._overwrite or is_earlier)
        outputs.check_not_read(self._kept)
        if self._every and not is_preview(self._preview):
            outputs.check(self._preview)

    def _found(self, *, resume: bool) -> Path | None:
        """The checkpoint to go on from, if there is one and that is wanted."""
        from impasto.files.weights.trained import is_trained

        if not self._kept.exists() or not (resume or self._seconds):
            return None
        if not is_trained(self._kept):
            raise OutputError(
                f"{str(self._kept)!r} is no training of impasto's and would be replaced: move it, "
                "choose another --output, or add --checkpoint 0."
            )
        if not (resume or self._overwrite):
            raise OutputError(
                f"{self._kept} holds an earlier training: add --resume to go on with it, or "
                "--overwrite to start again."
            )
        return self._kept if resume else None

    def _work(self, job: TrainJob) -> int:
        from impasto.cli.stopping import ends_at_once, status_of
        from impasto.jobs.running import carry_out

        try:
            with _display(quiet=self._quiet) as show:
                look, keep = (partial(do, job) for do in (self._look, self._keep_when_due))
                carry_out(job, show, look, keep)
        except KeyboardInterrupt as stop:
            if ends_at_once(stop) or self._steps_whole is None:
                raise
            self._keep(job)
            return status_of(stop)
        finally:
            self._preview_done()
        return 0

    def _keep_when_due(self, job: TrainJob, state: TrainState) -> None:
        self._steps_whole = state.step
        if self._seconds and time.monotonic() >= self._due:
            self._keep(job)

    def _keep(self, job: TrainJob) -> None:
        """A full disk costs a checkpoint, not the training."""
        if not self._seconds:
            return
        try:
            job.keep(self._kept)
        except (OutputError, ShortageError) as error:
            if not self._has_failed:
                print(f"impasto: no checkpoint, but it goes on: {error}", file=sys.stderr)
            self._has_failed = True
        self._due = time.monotonic() + self._seconds

    def _look(self, job: TrainJob, state: TrainState) -> None:
        """What the network by now makes of a photograph."""
        if not self._every or not state.step or state.step % self._every:
            return
        from impasto.files.pictures.images import to_pillow, write_image

        try:
            picture = to_pillow(job.painted(job.specimen()))
            write_image(picture, self._preview, text={"impasto-preview": "yes"})
        except (OutputError, ShortageError) as error:
            print(f"impasto: no preview, but it goes on: {error}", file=sys.stderr)
            self._every = None

    def _preview_done(self) -> None:
        from impasto.cli.making import is_preview

        if self._every and is_preview(self._preview):
            self._preview.unlink(missing_ok=True)

    def _report(self, job: TrainJob, status: int) -> None:
        if status:
            again = "; add --resume to go on" if self._kept.is_file() else ""
            print(
                f"impasto: stopped after {job.step} steps; the network so far is in "
                f"{self._path}{again}.",
                file=sys.stderr,
            )
        elif not self._quiet:
            print(self._path)


@contextmanager
def _display(*, quiet: bool) -> Iterator[Callable[[TrainState], None]]:
    """A bar with the recent mean loss; plain lines where there is no terminal."""
    from rich.console import Console

    from impasto.cli.progress import at_tenths, progress_bar

    console, describe = Console(stderr=True), _Description()
    if quiet:
        yield lambda _: None
    elif console.is_terminal:
        with progress_bar(console) as bar:
            task = bar.add_task("reading", total=1.0, rate="")
            yield lambda state: bar.update(
                task, completed=state.progress, description=describe(state)
            )
    else:
        yield at_tenths(describe)


class _Description:
    """The step, and the loss, smoothed: each step's is of other photographs."""

    def __init__(self) -> None:
        self._loss: float | None = None

    def __call__(self, state: TrainState) -> str:
        if state.losses is not None:
            total = state.losses.total
            self._loss = total if self._loss is None else self._loss + 0.05 * (total - self._loss)
        loss = "" if self._loss is None else f"  loss {self._loss:.3f}"
        return f"step {state.step}{loss}"

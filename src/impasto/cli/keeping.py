"""Checkpoints of a run from the command line: beside the output, every so many seconds."""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass
from pathlib import Path

from impasto.errors import OutputError, RecipeError, ShortageError
from impasto.files.records.checkpoints import checkpoint_path, is_checkpoint
from impasto.jobs.still import Job

MOST_OF_THE_TIME = 0.05  # that writing checkpoints may take


@dataclass(frozen=True)
class Keeping:
    """What was asked for.

    Attributes:
        resume: go on from the checkpoint, if there is one.
        seconds: between two checkpoints; 0 for none.

    """

    resume: bool
    seconds: float

    def __post_init__(self) -> None:
        if not 0 <= self.seconds < float("inf"):
            raise RecipeError("--checkpoint must be a number of seconds, or 0 for none.")


class Keeper:
    """Writes the checkpoints of one output. A full disk costs a checkpoint, not the run."""

    def __init__(self, output: Path, seconds: float) -> None:
        self.path = checkpoint_path(output)
        self._seconds = seconds
        self._due = time.monotonic() + seconds
        self._has_failed = False
        self._is_ours = False  # what lies there is this run's, or may be replaced

    @property
    def has_one(self) -> bool:
        """Whether a checkpoint of this run lies there."""
        return self._is_ours and self.path.is_file()

    def __call__(self, job: Job) -> None:
        """Write one if it is time."""
        if self._seconds and time.monotonic() >= self._due:
            self.keep(job)

    def keep(self, job: Job) -> bool:
        """Write one now, unless none are wanted; whether one lies there.

        There is none of a picture that is not optimised, nor of a step that was cut short, by a
        shortage of memory for instance: it has moved the optimiser and not the picture, so the
        checkpoint before it is left.
        """
        if self._seconds and job.is_whole:
            start = time.monotonic()
            try:
                job.keep(self.path)
                self._is_ours = True
            except (OutputError, ShortageError) as error:
                self._say(error)
            now = time.monotonic()
            self._due = now + max(self._seconds, (now - start) / MOST_OF_THE_TIME)
        return self.has_one

    def discard(self) -> None:
        """Remove the checkpoint of a picture that is finished."""
        if self.has_one and is_checkpoint(self.path):
            self.path.unlink(missing_ok=True)

    def resumable(self, *, resume: bool, overwrite: bool, quiet: bool) -> Path | None:
        """The checkpoint to go on from, if there is one and that is wanted.

        Raises:
            OutputError: what lies there is not ours to replace, or of a run that nobody gave up.

        """
        if not self.path.exists() or not (resume or self._seconds):
            return None
        if not is_checkpoint(self.path):
            raise OutputError(
                f"{str(self.path)!r} is no checkpoint of impasto's and would be replaced: move it, "
                "choose another --output, or add --checkpoint 0."
            )
        if not (resume or overwrite):
            raise OutputError(
                f"{self.path} holds an earlier run: add --resume to go on with it, or --overwrite "
                "to start again."
            )
        self._is_ours = True
        if not resume and not quiet:
            print(
                f"impasto: {self.path} holds an earlier run, which --resume would go on with; this "
                "one starts again.",
                file=sys.stderr,
            )
        return self.path if resume else None

    def _say(self, error: OutputError | ShortageError) -> None:
        if not self._has_failed:
            print(f"impasto: no checkpoint, but the run goes on: {error}", file=sys.stderr)
        self._has_failed = True

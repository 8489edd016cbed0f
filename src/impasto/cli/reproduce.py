"""``impasto reproduce``: make a result again, and say whether it is the same."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from impasto.cli.destination import destination
from impasto.cli.memory import keep_freed_memory
from impasto.cli.progress import progress_display
from impasto.files.outputs import Outputs
from impasto.files.records import record_path
from impasto.reproduction import Reproduction, Rerun

VERDICTS = {
    True: "The pixels are identical.",
    False: "The pixels are not identical.",
    None: "Whether the pixels are identical is not known: the record is from before pixel hashes.",
}


def reproduce_command(
    path: Path, output: str | None, *, overwrite: bool, quiet: bool, **given: Any
) -> int:
    """Make it again; 0 if it is the same or cannot be compared, 1 if it is not.

    Raises:
        ImpastoError: with one sentence that says what to do.

    """
    read = (path, record_path(path), path.with_suffix(".png"))
    with destination(output, default_output(path)) as target:
        Outputs(read, overwrite=overwrite).check_picture(target)
        rerun = Rerun(path, **given)
        outputs = Outputs((*read, *rerun.job.inputs), overwrite=overwrite)
        outputs.check_picture(target, depth=rerun.job.recipe.depth)
        return _make(rerun, target, overwrite=overwrite, quiet=quiet)


def _make(rerun: Rerun, path: Path, *, overwrite: bool, quiet: bool) -> int:
    if not quiet:
        for change in rerun.changes:
            print(change, file=sys.stderr)
    keep_freed_memory(rerun.job.plan)
    with progress_display(rerun.job.plan, quiet=quiet) as show:
        for state in rerun.job:
            show(state)
            if rerun.is_done(state.step):
                break
    return _deliver(rerun.finish(), path, overwrite=overwrite, quiet=quiet)


def default_output(path: Path) -> Path:
    """``NAME.again.png``, beside the record."""
    return path.with_name(f"{path.stem}.again.png")


def _deliver(again: Reproduction, path: Path, *, overwrite: bool, quiet: bool) -> int:
    again.result.save(path, overwrite=overwrite)
    if not quiet:
        print(path)
        print(VERDICTS[again.identical])
    return 1 if again.identical is False else 0

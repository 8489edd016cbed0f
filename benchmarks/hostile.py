"""Thousands of hostile inputs: each must succeed or end with one sentence, without side effects.

    python -m benchmarks.hostile [--count 3600] [--commands 150] [--seed 1] [--kind film] ...

All of them are passed to the readers in one forked process, with limits on its memory and on the
processor time of each; a part of them also to the command, in separate processes. Counted as
a failure: any other exception, more than one line, a crash, ten seconds of processor time (or five
minutes of waiting), a file left behind or changed, or a marker file made by code in a pickle.
Of a film that is damaged further on, the beginning must be written and must be playable.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import os
import resource
import shutil
import signal
import sys
import tempfile
import time
import traceback
from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from types import FrameType

import numpy as np
import torch
from PIL import Image

from benchmarks.hostile_inputs import Case, Kind, cases
from impasto.cli import main as command
from impasto.errors import ImpastoError
from impasto.files.films.reader import open_clip, read_frames
from impasto.files.pictures.images import read_picture
from impasto.files.records.checkpoints import read_checkpoint
from impasto.files.weights.readers import read_weights
from impasto.files.weights.recognise import recognise
from impasto.jobs.reproduce import Rerun

PROCESSOR_SECONDS, WAITING_SECONDS = 10, 300
MEMORY = 3_000_000_000  # bytes of address space in addition to that at the process's start
WHOLE = ([".json", ".png"], [".json", ".mp4"])  # suffixes of the files of a successful run
GOOD = ("success", "sentence", "sentence, the frames so far kept")
READERS: dict[Kind, Callable[[Path], object]] = {
    "picture": read_picture,
    "record": lambda path: Rerun(path, [path.parent]),
    "weights": lambda path: recognise(read_weights(path)),
    "checkpoint": read_checkpoint,
    "film": lambda path: deque(read_frames(open_clip(path)), maxlen=0),
}
QUICK = [
    "--quiet",
    "--size",
    "32",
    "--scales",
    "1",
    "--steps",
    "1",
    "--threads",
    "1",
    "--overwrite",
]
WORDS: dict[Kind, Callable[[str], list[str]]] = {
    "picture": lambda name: ["stylize", name, "sound.png", *QUICK, "-o", "out/out.png"],
    "record": lambda name: ["reproduce", name, "out/out.png", "--overwrite"],
    "weights": lambda name: ["stylize", "sound.png", "sound.png", "--weights", name,
                             "--network", "vgg19", *QUICK, "-o", "out/out.png"],
    "checkpoint": lambda _: ["stylize", "sound.png", "sound.png", "--resume", *QUICK,
                                "-o", "out/hostile.png"],
    "film": lambda name: ["video", name, "sound.png", "--frame-steps", "1", *QUICK,
                          "-o", "out/out.mp4"],
}  # fmt: skip


@dataclass(frozen=True)
class Verdict:
    """The outcome of an input.

    Attributes:
        kind: of the input.
        how: what is hostile about it.
        end: one of ``GOOD``, or the failure.
        seconds: of processor time.

    """

    kind: str
    how: str
    end: str
    seconds: float

    @property
    def is_good(self) -> bool:
        """Whether the outcome is one of ``GOOD``."""
        return self.end in GOOD


def through_readers(given: Sequence[Case], folder: Path) -> list[Verdict]:
    """Pass every input to its reader, all in one forked process with limits."""
    return list(_forked(lambda: (_read(case, folder) for case in given), given))


def through_command(given: Sequence[Case], folder: Path) -> Iterator[Verdict]:
    """Pass every input to the command, each in a separate process."""
    for case in given:
        yield from _forked(lambda case=case: iter([_run(case, folder)]), [case])  # type: ignore[misc]


def _forked(work: Callable[[], Iterator[Verdict]], given: Sequence[Case]) -> Iterator[Verdict]:
    """Verdicts from a child process; if it dies, the current input has failed."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reader)
        with contextlib.suppress(BaseException), os.fdopen(writer, "w") as pipe:
            _limit()
            for verdict in work():
                pipe.write(json.dumps(asdict(verdict)) + "\n")
                pipe.flush()
        os._exit(0)
    os.close(writer)
    done = 0
    with os.fdopen(reader) as pipe:
        for line in pipe:
            done += 1
            yield Verdict(**json.loads(line))
    _, status = os.waitpid(child, 0)
    for index, case in enumerate(given[done:]):
        end = f"killed the process ({status})" if index == 0 else "not reached"
        yield Verdict(case.kind, case.how, end, 0.0)


def _limit() -> None:
    own = int(Path("/proc/self/statm").read_text().split()[0]) * os.sysconf("SC_PAGE_SIZE")
    resource.setrlimit(resource.RLIMIT_AS, (own + MEMORY, own + MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    for name in (signal.SIGALRM, signal.SIGPROF):
        signal.signal(name, _too_long)


class _TooLong(BaseException):
    pass


def _too_long(_: int, __: FrameType | None) -> None:
    raise _TooLong


@contextlib.contextmanager
def _put(case: Case, folder: Path) -> Iterator[Path]:
    """Put the input in place; afterwards restore the folder."""
    path = folder / case.name
    case.put(path)
    signal.setitimer(signal.ITIMER_PROF, PROCESSOR_SECONDS)
    signal.alarm(WAITING_SECONDS)
    try:
        yield path
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.alarm(0)
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)


def _read(case: Case, folder: Path) -> Verdict:
    start, before = time.process_time(), _names(folder)
    try:
        with _put(case, folder) as path:
            READERS[case.kind](path)
        end = "success"
    except ImpastoError as error:
        end = "sentence" if _is_sentence(str(error)) else f"no sentence: {error}"
    except BaseException as error:
        end = "".join(traceback.format_exception_only(error)).strip()
    if _names(folder) != before:
        end = f"left {_names(folder) ^ before}"
    return Verdict(case.kind, case.how, end, time.process_time() - start)


def _run(case: Case, folder: Path) -> Verdict:
    out = folder / "out"
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir()
    os.chdir(folder)
    start, before = time.process_time(), _names(folder)
    said, printed = io.StringIO(), io.StringIO()
    place = out if case.kind == "checkpoint" else folder
    try:
        with (
            _put(case, place),
            contextlib.redirect_stderr(said),
            contextlib.redirect_stdout(printed),
        ):
            status = command(WORDS[case.kind](case.name))
    except BaseException as error:
        return Verdict(case.kind, case.how, repr(error), time.process_time() - start)
    end = _judged(status, said.getvalue(), out)
    if _names(folder) != before:
        end = f"left {_names(folder) ^ before}"
    return Verdict(case.kind, case.how, end, time.process_time() - start)


def _judged(status: int, said: str, out: Path) -> str:
    lines, left = [line for line in said.splitlines() if line.startswith("impasto: ")], _names(out)
    if status in (0, 1) and sorted(Path(name).suffix for name in left) in WHOLE:
        return "success"
    is_kept = left == {"out.mp4", "out.mp4.frames"} and "the film so far" in said and _plays(out)
    is_kept |= left == {"out.mp4.frames"} and "the finished frames" in said
    if status == 2 and len(lines) == 1 and "Traceback" not in said and (is_kept or not left):
        return "sentence, the frames so far kept" if is_kept else "sentence"
    return f"status {status}, left {left}, said {said!r}"


def _plays(out: Path) -> bool:
    """Whether the film so far has a frame for each kept frame."""
    frames = sum(1 for _ in read_frames(open_clip(out / "out.mp4")))
    return frames == len(list((out / "out.mp4.frames").glob("*.png"))) > 0


def _is_sentence(text: str) -> bool:
    return bool(text.strip()) and "\n" not in text.strip() and len(text) < 1000


def _names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def hostile(
    count: int, commands: int, seed: int, kind: Kind | None = None
) -> tuple[list[Verdict], list[Verdict], bool]:
    """Verdicts of the readers and of the command, and whether code of an input was executed.

    Args:
        count: number of inputs.
        commands: number of them that are also passed to the command.
        seed: of the mutations.
        kind: only the inputs of this kind among them.

    """
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "here"
        folder.mkdir()
        os.chdir(folder)
        marker = Path(name) / "marker"
        levels = np.random.default_rng(0).integers(0, 255, (32, 32, 3), dtype=np.uint8)
        Image.fromarray(levels).save(folder / "sound.png")
        given = [each for each in cases(count, marker, seed=seed) if kind in (None, each.kind)]
        read = through_readers(given, folder)
        every = max(1, len(given) // commands) if commands else len(given)
        ran = list(through_command(given[::every][:commands], folder)) if commands else []
        os.chdir("/")
        return read, ran, marker.exists()


def main() -> None:
    """Print the failures and the counts; the status is 1 if there are failures."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--count", type=int, default=3600)
    parser.add_argument("--commands", type=int, default=150)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--kind", choices=list(READERS), help="only inputs of this kind among them")
    parser.add_argument("--verbose", action="store_true")
    given = parser.parse_args()
    read, ran, has_run = hostile(given.count, given.commands, given.seed, given.kind)
    for verdict in (*read, *ran):
        if given.verbose or not verdict.is_good:
            print(f"{verdict.kind}, {verdict.how}: {verdict.end[:300]}")
    for name, verdicts in (("readers", read), ("the command", ran)):
        kinds = Counter(verdict.kind for verdict in verdicts)
        ends = Counter(verdict.end if verdict.is_good else "FAILED" for verdict in verdicts)
        slowest = max((verdict.seconds for verdict in verdicts), default=0.0)
        print(
            f"{len(verdicts)} through {name} {dict(kinds)}: {dict(ends)}, slowest {slowest:.1f} s"
        )
    print(f"code of an input has run: {'YES' if has_run else 'no'}")
    sys.exit(0 if all(verdict.is_good for verdict in (*read, *ran)) and not has_run else 1)


if __name__ == "__main__":
    main()

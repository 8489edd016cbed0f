"""Memory that runs out: one sentence, in the library and in every command; nothing is lost."""

from __future__ import annotations

import errno
import subprocess
import sys
import weakref

import numpy as np
import pytest
import torch

import impasto
from impasto.cli import main
from impasto.engine import run as pyramid
from impasto.errors import ImpastoError, ShortageError
from impasto.files.pictures.images import read_picture
from impasto.files.records.checkpoints import is_checkpoint
from impasto.files.records.read import read_record
from impasto.shortage import is_shortage, memory_told

TOO_MUCH = 2**50
SMALL = ["--size", "48", "--steps", "2", "--scales", "1", "--threads", "1"]


def _run_out(*_, **__):
    torch.empty(TOO_MUCH)


@pytest.mark.parametrize(
    "ask",
    [
        lambda: torch.empty(TOO_MUCH),
        lambda: np.empty(TOO_MUCH),
        lambda: bytearray(2**62),
    ],
    ids=["torch", "numpy", "python"],
)
def test_what_runs_out_is_known_as_such(ask):
    with pytest.raises(ShortageError, match=r"^Memory ran out: .*tile=512.*\.$"), memory_told():
        ask()


def test_other_errors_are_left_alone():
    assert is_shortage(OSError(errno.ENOMEM, "Cannot allocate memory"))
    assert is_shortage(RuntimeError("could not create a primitive"))
    assert not is_shortage(RuntimeError("could not create a primitive descriptor for relu"))
    assert not is_shortage(OSError(errno.ENOSPC, "No space left on device"))
    assert not is_shortage(impasto.PictureError("'a' is out of memory of man."))
    for error in (RuntimeError("shapes do not fit"), impasto.PictureError("torn.")):
        with pytest.raises(type(error), match=str(error)), memory_told():
            raise error


def test_what_the_calls_were_holding_is_let_go():
    class Large:
        pass

    kept = []

    def work():
        large = Large()
        kept.append(weakref.ref(large))
        raise MemoryError

    try:
        with memory_told():
            work()
    except ShortageError:
        assert kept[0]() is None


@pytest.fixture
def short(monkeypatch):
    """No objective can be made, whole or in tiles."""
    monkeypatch.setattr(pyramid, "make_objective", _run_out)


def test_the_library_says_one_sentence(photo, painting, short):
    options = {"size": 48, "steps": (1,), "scales": 1}
    with pytest.raises(ImpastoError, match=r"^Memory ran out"):
        impasto.stylize(photo, painting, **options)
    with pytest.raises(MemoryError, match=r"^Memory ran out"):
        impasto.texture(painting, size=48, steps=(1,), scales=1)


@pytest.mark.parametrize(
    "words",
    [
        ["stylize", "{photo}", "{painting}", "-o", "out.png", *SMALL],
        ["texture", "{painting}", "-o", "out.png", *SMALL],
        ["sweep", "--vary", "seed=1,2", "--content", "{photo}", "--style", "{painting}", *SMALL],
    ],
    ids=lambda words: words[0],
)
def test_every_command_says_one_sentence(
    words, photo, painting, short, tmp_path, monkeypatch, capsys
):
    monkeypatch.chdir(tmp_path)
    words = [word.format(photo=photo, painting=painting) for word in words]
    assert main([*words, "--quiet"]) == 2
    error = capsys.readouterr().err
    assert error.startswith("impasto: Memory ran out: ")
    assert error.count("\n") == 1
    assert not list(tmp_path.glob("out*"))


@pytest.mark.parametrize(
    "where", ["impasto.evaluate.panel.pictures.read_picture", "impasto.evaluate.panel._measurer_of"]
)
def test_measuring_says_one_sentence(where, photo, painting, monkeypatch, capsys):
    monkeypatch.setattr(where, _run_out)
    assert main(["measure", str(photo), "-c", str(photo), "-s", str(painting)]) == 2
    assert capsys.readouterr().err == (
        "impasto: Memory ran out: take smaller pictures, or close other programs.\n"
    )


def test_what_nobody_expected_is_one_sentence_too(monkeypatch, capsys):
    monkeypatch.setattr("impasto.cli.summary.summary_command", _run_out)
    assert main(["summary"]) == 2
    assert capsys.readouterr().err.startswith("impasto: Memory ran out: take smaller pictures")


def test_a_batch_goes_on_with_the_next_picture(photo, painting, tmp_path, monkeypatch, capsys):
    folder = tmp_path / "photos"
    folder.mkdir()
    for name in ("a.png", "b.png"):
        (folder / name).write_bytes(photo.read_bytes())
    real, calls = pyramid.make_objective, []

    def once(*given, **named):
        calls.append(given)
        return real(*given, **named) if len(calls) > 6 else _run_out()

    monkeypatch.setattr(pyramid, "make_objective", once)
    out = tmp_path / "out"
    assert main(["stylize", str(folder), str(painting), "-o", str(out), "-q", *SMALL]) == 1
    assert "a.png: Memory ran out" in capsys.readouterr().err
    assert {path.name for path in out.iterdir()} == {"b+painting.png", "b+painting.json"}


def test_between_sizes_a_checkpoint_is_kept(photo, painting, tmp_path, monkeypatch, capsys):
    """The second size does not fit: what the first has made is there for --resume."""
    real, calls = pyramid.make_objective, []

    def first_only(*given, **named):
        calls.append(given)
        return real(*given, **named) if len(calls) < 2 else _run_out()

    words = ["stylize", str(photo), str(painting), "-o", str(tmp_path / "out.png"), "-q"]
    words += ["--size", "48", "--steps", "2,2", "--scales", "2", "--threads", "1"]
    with monkeypatch.context() as patch:
        patch.setattr(pyramid, "make_objective", first_only)
        assert main(words) == 2
    kept = tmp_path / "out.checkpoint"
    assert f"--resume goes on from {kept}" in capsys.readouterr().err
    assert is_checkpoint(kept)
    assert not (tmp_path / "out.png").exists()
    assert main([*words, "--resume"]) == 0
    assert main([*words[:4], str(tmp_path / "whole.png"), *words[5:]]) == 0
    results = [read_record(tmp_path / f"{name}.json").result.sha256 for name in ("out", "whole")]
    assert results[0] == results[1]


def test_a_film_keeps_its_frames(make_film, moving, painting, tmp_path, monkeypatch, capsys):
    clip = make_film(tmp_path / "clip.mkv", moving(3))
    real, frames = pyramid._start, []

    def until_the_second(*given):
        frames.append(given)
        return real(*given) if len(frames) < 2 else _run_out()

    words = ["video", str(clip), str(painting), "-o", str(tmp_path / "film.mkv"), "-q"]
    words += ["--size", "48", "--steps", "1", "--scales", "1", "--frame-steps", "1"]
    with monkeypatch.context() as patch:
        patch.setattr(pyramid, "_start", until_the_second)
        assert main(words) == 2
    error = capsys.readouterr().err
    assert "Memory ran out" in error
    assert "finished frames (1) are in" in error
    assert "--resume goes on" in error
    assert main([*words, "--resume"]) == 0


def test_a_picture_is_not_called_damaged(photo, monkeypatch):
    monkeypatch.setattr("impasto.files.pictures.images._bytes_of", lambda _: bytearray(2**62))
    with pytest.raises(ShortageError, match="does not fit into memory"):
        read_picture(photo)


LIMITED = """
import resource, sys
import numpy as np, psutil
import impasto

generator = np.random.default_rng(0)
photo, painting = generator.random((2, 300, 300, 3), dtype=np.float32)
stylizer = impasto.Stylizer()
small = dict(method="statistics", size=64, steps=(1,), scales=1, threads=1)
first = stylizer(photo, painting, **small).tensor
taken = psutil.Process().memory_info().vms
resource.setrlimit(resource.RLIMIT_AS, (taken + 150_000_000,) * 2)
large = {**small, "size": 6000}
for options in ({**large, "tile": "none", "style_scale": 0.1}, large):
    try:
        stylizer(photo, painting, **options)
        print("made")
    except impasto.ImpastoError as error:
        print(error)
assert (stylizer(photo, painting, **small).tensor == first).all()
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="other systems do not keep to RLIMIT_AS")
def test_a_real_limit_is_one_sentence_and_the_process_goes_on():
    words = [sys.executable, "-c", LIMITED]
    told = subprocess.run(words, capture_output=True, text=True, check=True, timeout=120)
    by_torch, by_plan = told.stdout.splitlines()
    assert by_torch.startswith("Memory ran out: ask for a smaller size=…, add tile=512")
    assert by_plan == "made" or "free memory even in tiles" in by_plan

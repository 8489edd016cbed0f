"""``-``: pictures from standard input and to standard output, through the real command."""

from __future__ import annotations

import io
import json
import subprocess
import sys

import pytest
from PIL import Image

from impasto.cli import main

QUICK = ["--size", "32", "--steps", "1", "--scales", "1", "--precision", "fp32", "--threads", "1"]


def _piped(words: list[str], given: bytes) -> subprocess.CompletedProcess[bytes]:
    command = [sys.executable, "-m", "impasto", *words]
    return subprocess.run(command, input=given, capture_output=True, check=False, timeout=120)


def test_a_picture_in_and_a_picture_out(photo, painting, tmp_path):
    done = _piped(["stylize", "-", str(painting), "-o", "-", *QUICK], photo.read_bytes())
    assert done.returncode == 0, done.stderr
    with Image.open(io.BytesIO(done.stdout)) as image:
        piped = image.convert("RGB").tobytes()
        assert json.loads(image.info["impasto"])["inputs"]["content"][0]["name"] == "image"
    out = tmp_path / "out.png"
    assert main(["stylize", str(photo), str(painting), "-o", str(out), "-q", *QUICK]) == 0
    assert Image.open(out).convert("RGB").tobytes() == piped
    assert b"32x" in done.stderr  # progress is told beside it


@pytest.mark.slow
def test_the_painting_and_the_format(photo, painting):
    words = ["stylize", str(photo), "-", "-o", "-", "--format", "jpg", "-q", *QUICK]
    done = _piped(words, painting.read_bytes())
    assert done.returncode == 0, done.stderr
    assert Image.open(io.BytesIO(done.stdout)).format == "JPEG"
    assert done.stderr == b""


@pytest.mark.parametrize(
    ("words", "given", "said"),
    [
        (["stylize", "-", "PAINTING"], b"", b"Standard input is empty"),
        (["stylize", "-", "PAINTING"], b"no picture", b"image"),
        (["stylize", "-", "-"], b"x", b"holds one picture"),
        (["stylize", "-", "PAINTING", "--each"], b"x", b"standard input"),
        (["stylize", "PHOTO", "PAINTING", "-o", "-", "--json"], b"", b"--json"),
    ],
)
def test_bad_input_is_one_sentence(words, given, said, photo, painting, monkeypatch, capsys):
    named = {"PAINTING": str(painting), "PHOTO": str(photo)}
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(given)))
    assert main([named.get(word, word) for word in words] + QUICK) == 2
    printed = capsys.readouterr()
    assert said.decode() in printed.err
    assert len(printed.err.splitlines()) == 1
    assert printed.out == ""

"""A file whole or not at all."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from impasto.errors import OutputError
from impasto.files.atomic import atomic_write, remove_leftovers


def test_the_file_appears_only_when_the_block_ends(tmp_path):
    path = tmp_path / "out.txt"
    with atomic_write(path) as temporary:
        assert temporary.parent == tmp_path
        temporary.write_text("first half")
        assert not path.exists()
    assert path.read_text() == "first half"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt, MemoryError])
def test_any_error_leaves_everything_as_it_was(error, tmp_path):
    path = tmp_path / "out.txt"
    path.write_text("precious")
    with pytest.raises(error), atomic_write(path) as temporary:
        temporary.write_text("half")
        raise error
    assert path.read_text() == "precious"
    assert list(tmp_path.iterdir()) == [path]


def test_a_full_disk_is_said_in_one_sentence(tmp_path, monkeypatch):
    path = tmp_path / "out.txt"

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with (
        pytest.raises(OutputError, match=r"'out\.txt' could not be written \(no space left"),
        atomic_write(path) as temporary,
    ):
        temporary.write_text("x")
    assert list(tmp_path.iterdir()) == []


def test_a_name_that_is_too_long_is_said_in_one_sentence(tmp_path):
    """The default name joins the names of all the pictures, so it can become long."""
    with pytest.raises(OutputError), atomic_write(tmp_path / ("n" * 245 + ".png")) as temporary:
        temporary.write_text("x")
        raise OutputError("a short temporary name would do as well")


def test_a_relative_name_is_written_where_one_stands(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with atomic_write(Path("out.txt")) as temporary:
        temporary.write_text("here")
    assert (tmp_path / "out.txt").read_text() == "here"


def test_what_a_killed_writer_left_is_told_from_others(tmp_path):
    mine, other = tmp_path / ("n" * 240 + ".png"), tmp_path / "other.png"
    writers = [atomic_write(path) for path in (mine, other)]
    for writer in writers:  # never left: what comes after the yield does not run
        writer.__enter__().write_bytes(b"half")
    assert len(list(tmp_path.iterdir())) == 2
    remove_leftovers(mine)
    assert len(list(tmp_path.iterdir())) == 1
    remove_leftovers(other)
    assert list(tmp_path.iterdir()) == []

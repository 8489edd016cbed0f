"""What may be written: no file that is read, and no other one unasked."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from impasto.errors import OutputError
from impasto.files import outputs
from impasto.files.outputs import (
    Outputs,
    check_folder,
    folded,
    ignores_case,
    mark_folder,
    same_file,
)


@pytest.fixture
def photo(tmp_path) -> Path:
    path = tmp_path / "photo.png"
    path.write_bytes(b"precious")
    return path


def test_what_may_be_written(tmp_path):
    path = tmp_path / "out.png"
    Outputs().check(path)
    path.touch()
    Outputs(overwrite=True).check(path)
    Outputs().check(path, overwrite=True)
    for bad, words in (
        (path, "exists already.*--overwrite"),
        (tmp_path / "no" / "out.png", "does not exist: make it"),
        (tmp_path, "is a folder"),
        (tmp_path / ("n" * 300 + ".png"), "cannot be written.*long"),
    ):
        with pytest.raises(OutputError, match=words):
            Outputs().check(bad)
    with pytest.raises(OutputError, match="is a folder"):
        Outputs(overwrite=True).check(tmp_path)
    assert list(tmp_path.iterdir()) == [path]


def test_a_relative_name_is_looked_for_where_one_stands(tmp_path, monkeypatch, photo):
    monkeypatch.chdir(tmp_path)
    Outputs([photo]).check(Path("out.txt"))
    with pytest.raises(OutputError, match="is an input"):
        Outputs([photo], overwrite=True).check(Path("photo.png"))


@pytest.mark.parametrize(
    "how", ["itself", "dots", "symlink", "link to link", "hard link", "folder"]
)
def test_what_is_read_is_never_written(how, tmp_path, photo):
    output = tmp_path / "out.png"
    if how == "itself":
        output = photo
    elif how == "dots":
        output = tmp_path / "sub" / ".." / "photo.png"
        (tmp_path / "sub").mkdir()
    elif how == "hard link":
        os.link(photo, output)
    elif how == "folder":
        (tmp_path / "alias").symlink_to(tmp_path)
        output = tmp_path / "alias" / "photo.png"
    else:
        output.symlink_to(photo)
    given = photo
    if how == "link to link":
        given = tmp_path / "given.png"
        given.symlink_to(output)
    with pytest.raises(OutputError, match="never replaced"):
        Outputs([given], overwrite=True).check(output)
    with pytest.raises(OutputError, match="never replaced"):
        Outputs([given]).check_not_read(output)


def test_files_of_folders_and_patterns_are_read_too(tmp_path, photo):
    for given in (tmp_path, str(tmp_path / "*.png"), tmp_path / "p[h]oto.png"):
        with pytest.raises(OutputError, match="never replaced"):
            Outputs([given], overwrite=True).check(photo)
    Outputs([tmp_path, None, 3], overwrite=True).check(tmp_path / "new.png")


def test_beside_a_picture_lies_its_record(tmp_path, photo):
    (tmp_path / "out.json").write_text("precious")
    with pytest.raises(OutputError, match=r"out\.json.*exists already"):
        Outputs([photo]).check_picture(tmp_path / "out.png")
    with pytest.raises(OutputError, match=r"out\.json.*never replaced"):
        Outputs([tmp_path / "out.json"], overwrite=True).check_picture(tmp_path / "out.png")
    with pytest.raises(OutputError, match="no known picture format"):
        Outputs().check_picture(tmp_path / "out.txt")


def test_two_results_are_two_files(tmp_path, monkeypatch):
    one, other = tmp_path / "out.png", tmp_path / "sub" / ".." / "out.png"
    (tmp_path / "sub").mkdir()
    with pytest.raises(OutputError, match="Two results"):
        Outputs(overwrite=True).check(one, other)
    Outputs().check(one, tmp_path / "OUT.PNG")
    monkeypatch.setattr(outputs, "ignores_case", lambda _: True)
    with pytest.raises(OutputError, match="Two results"):
        Outputs().check(one, tmp_path / "OUT.PNG")


def test_names_in_other_letters(tmp_path, monkeypatch):
    assert folded("Éa.PNG") == folded("e\N{COMBINING ACUTE ACCENT}a.png")
    is_so = (tmp_path / "A").mkdir() or (tmp_path / "a").exists()
    assert ignores_case(tmp_path) == is_so
    assert ignores_case(tmp_path / "not there yet") == is_so
    assert [path.name for path in tmp_path.iterdir()] == ["A"]
    monkeypatch.setattr(outputs, "ignores_case", lambda _: True)
    assert same_file(tmp_path / "É.png", tmp_path / "é.PNG")
    assert not same_file(tmp_path / "a.png", tmp_path / "b.png")
    assert not same_file(tmp_path / "a.png", tmp_path / "A" / "a.png")


def test_a_folder_for_results_is_there_or_can_be_made(tmp_path, monkeypatch):
    check_folder(tmp_path)
    check_folder(tmp_path / "new")
    monkeypatch.chdir(tmp_path)
    check_folder(Path("new"))
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="is not a folder"):
        check_folder(tmp_path / "file")
    with pytest.raises(OutputError, match="does not exist"):
        check_folder(tmp_path / "no" / "new")
    monkeypatch.setattr(os, "access", lambda *_: False)
    with pytest.raises(OutputError, match="cannot be written to"):
        check_folder(tmp_path / "new")
    assert not (tmp_path / "new").exists()


def test_a_folder_is_empty_and_apart_from_what_is_read(tmp_path, photo):
    empty = tmp_path / "empty"
    empty.mkdir()
    Outputs([photo]).check_folder(empty)
    (tmp_path / "alias").symlink_to(tmp_path)
    for folder in (tmp_path, tmp_path / "alias"):
        for read in (photo, tmp_path):
            with pytest.raises(OutputError, match="among the inputs"):
                Outputs([read], overwrite=True).check_folder(folder)
    with pytest.raises(OutputError, match="not empty"):
        Outputs().check_folder(tmp_path)
    Outputs().check_folder(tmp_path, overwrite=True)


def test_a_folder_of_one_s_own_is_new_empty_or_marked(tmp_path, photo):
    folder = tmp_path / "report"
    Outputs([photo]).check_own_folder(folder)
    folder.mkdir()
    Outputs([photo]).check_own_folder(folder)
    (folder / "index.html").write_text("precious")
    with pytest.raises(OutputError, match="holds other files"):
        Outputs([photo]).check_own_folder(folder)
    mark_folder(folder)
    mark_folder(folder)
    Outputs([photo]).check_own_folder(folder)
    (folder / "inputs").mkdir()
    (folder / "inputs" / "photo.png").write_bytes(b"")
    with pytest.raises(OutputError, match="among the inputs"):
        Outputs([folder / "inputs" / "photo.png"]).check_own_folder(folder)


def test_a_folder_of_before_there_were_marks_is_known(tmp_path):
    (tmp_path / "cells").mkdir()
    (tmp_path / "cells" / "0123456789abcdef.json").write_text("{}")
    Outputs().check_own_folder(tmp_path)

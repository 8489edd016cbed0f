"""Finding pictures by folder, pattern and name."""

from __future__ import annotations

from pathlib import Path

import pytest

from impasto.errors import PictureError
from impasto.files.finding import file_sha256, find_by_name, is_many, pictures_of


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for name in ("b.PNG", "a.jpg", "c.heic", ".hidden.png", "notes.txt", "odd[1].png", "1.png"):
        Path(name).write_text(name)
    Path("deeper.png").mkdir()
    return tmp_path


def test_a_folder_s_pictures_in_order():
    assert [path.name for path in pictures_of([Path()])] == [
        "1.png", "a.jpg", "b.PNG", "c.heic", "odd[1].png",
    ]  # fmt: skip


def test_a_file_with_the_signs_of_a_pattern_is_a_file():
    assert not is_many(Path("odd[1].png"))
    assert pictures_of([Path("odd[1].png")]) == [Path("odd[1].png")]
    assert is_many(Path("*.png"))
    assert is_many(Path())
    assert not is_many(Path("nowhere.png"))


def test_none_is_found_twice():
    assert pictures_of([Path("a.jpg"), Path("*.jpg"), Path("a.jpg")]) == [Path("a.jpg")]


def test_nothing_found_is_said():
    Path("empty").mkdir()
    for path in (Path("empty"), Path("*.gif")):
        with pytest.raises(PictureError, match="no picture"):
            pictures_of([path])


def test_the_file_of_the_same_hash_is_preferred():
    for folder, text in (("one", "other"), ("two", "same")):
        Path(folder).mkdir()
        Path(folder, "x.png").write_text(text)
    folders = [Path("one"), Path("two")]
    wanted = file_sha256(Path("two/x.png"))
    assert find_by_name("x.png", wanted, folders) == Path("two/x.png")
    assert find_by_name("x.png", "0" * 64, folders) == Path("one/x.png")
    assert find_by_name("y.png", wanted, folders) is None

"""Finding pictures by folder, pattern and name."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, features

from impasto.errors import PictureError
from impasto.files.pictures.finding import (
    Found,
    file_sha256,
    find_by_name,
    find_pictures,
    is_many,
    natural_key,
    pictures_of,
)
from impasto.files.pictures.images import read_picture
from impasto.files.pictures.opening import has_heif


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


def _saved(name: str, kind: str) -> Path:
    path = Path(name)
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (16, 16), "red").save(path, kind)
    return path


BY_CONTENT = {
    "a.jfif": "JPEG", "b.JPE": "JPEG", "c.jpeg_large": "JPEG", "d.txt": "PNG", "e": "WEBP",
    "f.dat": "GIF", "g.": "BMP", "h": "TIFF", "i.JPG": "PNG", "j.TiF": "TIFF",
}  # fmt: skip


def test_pictures_are_told_by_their_content():
    made = [_saved(f"mixed/{name}", kind) for name, kind in BY_CONTENT.items()]
    if features.check("avif"):
        made.append(_saved("mixed/k.download", "AVIF"))
    if has_heif():
        made += [_saved(f"mixed/{name}", "HEIF") for name in ("l.hif", "m.HIF", "n")]
    found = find_pictures([Path("mixed")])
    assert found == Found(made)
    for path in found.pictures:
        assert read_picture(path).size == (16, 16)


def test_what_is_left_out_is_named():
    _saved("mixed/a.png", "PNG")
    for name in ("notes.txt", "film.mp4", "thumbs.db", ".hidden", "short", "empty"):
        Path("mixed", name).write_bytes(b"" if name == "empty" else b"no picture" * 9)
    _saved("mixed/photo.nef", "TIFF")  # cameras' raw files begin as TIFFs do
    Path("mixed/deeper").mkdir()
    found = find_pictures([Path("mixed"), Path("a.jpg")])
    assert found.pictures == [Path("mixed/a.png"), Path("a.jpg")]
    assert found.notes == (
        "Of 'mixed' 6 entries are left out, not being readable pictures: deeper/, "
        "empty, film.mp4, notes.txt, photo.nef and 1 more.",
    )
    assert find_pictures([Path("mixed/a*")]) == Found([Path("mixed/a.png")])
    assert find_pictures([Path("mixed/[ae]*")]).notes == (
        "Of 'mixed/[ae]*' 1 entry is left out, not being readable pictures: empty.",
    )


@pytest.mark.parametrize(
    ("names", "wanted"),
    [
        (["f10.png", "f9.png", "f1.png", "F2.png"], ["f1.png", "F2.png", "f9.png", "f10.png"]),
        (["a1b10", "a1b9", "a01b1", "a", "1", "b"], ["1", "a", "a01b1", "a1b9", "a1b10", "b"]),
        (["10", "9", "x", "³", "٣", "9" * 200], ["9", "10", "9" * 200, "x", "³", "٣"]),
    ],
)
def test_natural_order(names, wanted):
    assert [path.name for path in sorted(map(Path, names), key=natural_key)] == wanted


@given(st.lists(st.text(st.sampled_from("ab0129. -[A"), min_size=1, max_size=6), max_size=8))
def test_natural_order_does_not_hang_on_the_order_before(names):
    paths = [Path(name) for name in names]
    backwards = paths[::-1]
    assert sorted(paths, key=natural_key) == sorted(backwards, key=natural_key)


def test_frames_of_a_folder_come_in_natural_order():
    for number in range(1, 13):
        _saved(f"seq/frame{number}.png", "PNG")
    wanted = [f"frame{number}.png" for number in range(1, 13)]
    assert [path.name for path in pictures_of([Path("seq")])] == wanted
    assert [path.name for path in pictures_of([Path("seq/*.png")])] == wanted


@pytest.mark.parametrize("name", ["holiday [2024]", "[a]", "a*b", "what?", "-dash", "[!x] [1-9]"])
def test_a_folder_with_the_signs_of_a_pattern(name, tmp_path):
    one, two = _saved(f"{name}/1.png", "PNG"), _saved(f"{name}/[2].png", "PNG")
    _saved("holiday 2/other.png", "PNG")
    for start in (Path(), tmp_path):
        both = [start / one, start / two]
        assert pictures_of([start / name]) == both
        assert pictures_of([start / name / "*.png"]) == both
        assert pictures_of([start / name / "[0-9].png"]) == both[:1]
        assert pictures_of([start / name / "[2].png"]) == both[1:]
        assert not is_many(start / name / "[2].png")
        assert is_many(start / name / "?.png")
        assert not is_many(start / name / "nowhere.png")
        with pytest.raises(PictureError, match="no picture"):
            pictures_of([start / name / "*.gif"])


def test_brackets_that_name_nothing_are_a_pattern():
    for name in ("trip 1/a.png", "trip 2/a.png", "trip 3/[a]/b.png"):
        _saved(name, "PNG")
    assert pictures_of([Path("trip [12]/*.png")]) == [Path("trip 1/a.png"), Path("trip 2/a.png")]
    assert pictures_of([Path("trip [0-9]/[a]/*.png")]) == [Path("trip 3/[a]/b.png")]
    assert pictures_of([Path("trip */[a].png")]) == [Path("trip 1/a.png"), Path("trip 2/a.png")]


def test_a_name_that_is_too_long_is_not_there():
    assert not is_many(Path("x" * 5000))
    assert is_many(Path("x" * 5000, "*.png"))
    with pytest.raises(PictureError, match="no picture"):
        pictures_of([Path("x" * 5000, "*.png")])

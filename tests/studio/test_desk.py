"""One browser's pictures, without a browser: steered, kept, undone, ordered; and eight at once."""

from __future__ import annotations

import json
import shutil
import time
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import impasto
from impasto.errors import PictureError, RecipeError
from impasto.files.records.read import read_record
from impasto.studio import sitting
from impasto.studio.desk import AS_SHOWN, SIZES, Desk, Desks

SECRET = "s" * 40
QUICK = {"steps": "2", "scales": "1"}


@pytest.fixture(scope="module")
def root(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("albums")


@pytest.fixture(scope="module")
def desks(root) -> Iterator[Desks]:
    opened = Desks(root, side=64)
    yield opened
    opened.painter.close()


@pytest.fixture
def desk(desks, root, request) -> Desk:
    return desks.of(f"{abs(hash(request.node.name)):040d}")


@pytest.fixture(autouse=True)
def hurried(monkeypatch):
    monkeypatch.setattr(sitting, "PATIENCE", 0.0)


def _until(condition: Callable[[], bool], seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)


def _painted(desk: Desk, pictures: dict[str, Path], *paintings: str) -> None:
    """A finished picture of two steps."""
    desk.steer(QUICK, [])
    desk.sitting.drop(pictures["harbour"], "harbour.png", "photo")
    desk.sitting.drop(pictures[(paintings or ("waves",))[0]], "waves.png", "painting")
    for each in paintings[1:]:
        desk.another(pictures[each], f"{each}.png")
    _finish(desk)


def _finish(desk: Desk) -> None:
    _until(lambda: not desk.is_busy)
    assert desk.sitting.view.text.startswith(("Finished", "Stopped"))


def _steered(desk: Desk, **values: object) -> None:
    before = len(desk.album.entries)
    desk.steer({**QUICK, **values}, [])
    _until(lambda: len(desk.album.entries) > before)
    _finish(desk)


def test_a_picture_is_kept_with_its_record(desk, pictures):
    _painted(desk, pictures)
    (entry,) = desk.album.entries
    record = read_record(desk.album.picture_of(entry))
    assert record.result.finished
    assert record.result.steps == 2
    assert [each.name for each in record.inputs["content"]] == ["harbour.png"]
    assert desk.sitting.view.picture.shape == (48, 64, 3)
    assert [each[0] for each in desk.sitting.view.losses] == [0, 1, 2]
    with Image.open(desk.album.thumbnail_of(entry)) as small:
        assert small.size == (64, 48)


def test_steered_undone_branched_and_made_again(desk, pictures):
    _painted(desk, pictures)
    _steered(desk, strength=0.3)
    _steered(desk, strength=0.3, style_scale=2.0)
    desk.undo()
    _until(lambda: desk.sitting.view.text.startswith("Picture 2"))
    assert desk.sitting.options["strength"] == 0.3
    assert "style_scale" not in desk.sitting.options
    _steered(desk, strength=0.9)
    assert [(e.number, e.parent) for e in desk.album.entries] == [(1, 0), (2, 1), (3, 2), (4, 2)]
    assert [e.label for e in desk.album.entries] == [
        "waves", "strength 0.3", "style scale 2", "strength 0.9",
    ]  # fmt: skip
    last = read_record(desk.album.picture_of(desk.album.entries[-1]))
    assert [each.recipe.strength for each in last.changes] == [0.3, 0.9]
    for entry in desk.album.entries:
        again = impasto.reproduce(
            desk.album.picture_of(entry), content=pictures["harbour"], style=[pictures["waves"]]
        )
        assert again.identical is True, entry


def test_a_picture_is_steered_while_it_is_made(desk, pictures):
    desk.steer({"steps": "60"}, [])
    desk.sitting.drop(pictures["harbour"], "harbour.png", "photo")
    desk.sitting.drop(pictures["waves"], "waves.png", "painting")
    _until(lambda: len(desk.sitting.view.losses) > 3)
    desk.steer({"steps": "4", "strength": 0.2}, [])
    _until(lambda: len(desk.album.entries) == 2)
    _finish(desk)
    record = read_record(desk.album.picture_of(desk.album.entries[1]))
    assert 3 <= record.changes[0].step < 60
    assert record.result.steps == record.changes[0].step + 5
    again = impasto.reproduce(
        desk.album.picture_of(desk.album.entries[1]),
        content=pictures["harbour"],
        style=[pictures["waves"]],
    )
    assert again.identical is True


def test_stopped_kept_and_gone_on(desk, pictures):
    desk.steer({"steps": "200"}, [])
    desk.sitting.drop(pictures["harbour"], "harbour.png", "photo")
    desk.sitting.drop(pictures["waves"], "waves.png", "painting")
    _until(lambda: len(desk.sitting.view.losses) > 2)
    desk.sitting.keep()
    _until(lambda: len(desk.album.entries) == 1)
    desk.sitting.stop()
    _finish(desk)
    assert desk.sitting.view.text.startswith("Stopped after")
    assert len(desk.album.entries) == 2
    before = read_record(desk.album.picture_of(desk.album.entries[-1])).result.steps
    desk.steer(QUICK, [])
    _until(lambda: len(desk.album.entries) == 3)
    _finish(desk)
    assert read_record(desk.album.picture_of(desk.album.entries[-1])).result.steps == before + 3


def test_paintings_and_their_shares(desk, pictures):
    _painted(desk, pictures, "waves", "spots")
    desk.steer(QUICK, [0.9, 0.1, 0.5, 0.5])
    _finish(desk)
    record = read_record(desk.album.picture_of(desk.album.entries[-1]))
    assert record.latest.blend == (0.9, 0.1)
    desk.another(pictures["spots"], "more.png")
    assert "blend" not in desk.sitting.options
    desk.another(pictures["waves"], "four.png")
    with pytest.raises(RecipeError, match="room for 4 paintings"):
        desk.another(pictures["waves"], "five.png")
    _finish(desk)


def test_a_brush_protects(desk, pictures):
    _painted(desk, pictures)
    layer = np.zeros((120, 160, 4), np.uint8)
    layer[:, :80, 3] = 255
    desk.brush(layer)
    _until(lambda: len(desk.album.entries) == 2)
    _finish(desk)
    entry = desk.album.entries[1]
    assert len(entry.masks) == 1
    assert (desk.painted(desk.album.sources)[..., 3] == layer[..., 3]).all()
    desk.order(2, AS_SHOWN, "png")
    _until(lambda: bool(desk.ready))
    assert sorted(each.suffix for each in desk.ready) == [".json", ".png", ".png"]
    again = impasto.reproduce(desk.ready[0], content=pictures["harbour"], style=[pictures["waves"]])
    assert again.identical is True  # the mask lies beside it
    desk.brush(None)
    _until(lambda: len(desk.album.entries) == 3)
    _finish(desk)
    assert read_record(desk.album.picture_of(desk.album.entries[2])).latest.protect is None


def test_prints_formats_and_the_command(desk, pictures, tmp_path, monkeypatch):
    _painted(desk, pictures)
    _steered(desk, strength=0.4)
    for size, suffix in ((AS_SHOWN, "jpg"), (AS_SHOWN, "tif"), ("80", "png")):
        desk.order(0, size, suffix)
    _until(lambda: len(desk.ready) == 6)
    sizes = []
    for each in desk.ready[::2]:
        with Image.open(each) as image:
            sizes.append(image.size)
    assert sizes == [(64, 48), (64, 48), (80, 60)]
    assert "--print 21x29.7cm" in desk.command(0, SIZES["A4"])
    command = desk.command(0, "80")
    assert command.startswith("impasto stylize harbour.png waves.png --strength 0.4")
    # The command makes the print's very pixels.
    from impasto.cli import main

    for each in ("harbour", "waves"):
        shutil.copy(pictures[each], tmp_path)
    monkeypatch.chdir(tmp_path)
    assert main([*command.split()[1:], "--threads", "1", "-q"]) == 0
    with Image.open("harbour+waves.png") as mine, Image.open(desk.ready[4]) as theirs:
        assert mine.tobytes() == theirs.tobytes()
    with pytest.raises(RecipeError, match="format 'exe' is unknown"):
        desk.order(0, AS_SHOWN, "exe")
    with pytest.raises(PictureError, match="no picture yet"):
        desk.order(99, AS_SHOWN, "png")


def test_a_folder_of_photographs(desk, pictures, tmp_path):
    _painted(desk, pictures)
    bad = tmp_path / "bad.png"
    bad.write_text("no picture")
    desk.order_many(
        [(pictures["harbour"], "a.png"), (bad, "bad.png"), (pictures["spots"], "a.png")], 0
    )
    _until(lambda: desk.errands[-1].is_over)
    with zipfile.ZipFile(desk.ready[0]) as archive:
        assert archive.namelist() == ["001-a.png", "003-a.png", "left out.txt"]
        assert b"'bad.png' is not a picture" in archive.read("left out.txt")
    with pytest.raises(PictureError, match="Drop some photographs"):
        desk.order_many([], 0)


def test_a_film_with_a_preview(desk, pictures, make_film, moving, tmp_path):
    _painted(desk, pictures)
    clip = make_film(tmp_path / "clip.mkv", moving(3))
    desk.order_film(clip, "clip.mkv", 0, at_once=True)
    _until(lambda: desk.errands[-1].is_over)
    assert desk.errands[-1].text == "done"
    assert [each.name for each in desk.ready] == ["clip.mp4", "clip.json"]


def test_a_contact_sheet_and_the_best_of_it(desk, pictures):
    with pytest.raises(PictureError, match="Drop a photograph first"):
        desk.make_sheet([])
    _painted(desk, pictures)
    desk.make_sheet([(pictures["waves"], "waves.png"), (pictures["spots"], "spots.png")])
    _until(lambda: desk.sheet.is_over)
    assert [caption for _, caption in desk.sheet.sheet] == ["waves", "spots"]
    desk.take_from_sheet(1)
    _until(lambda: len(desk.album.entries) == 2)
    _finish(desk)
    assert desk.album.sources.paintings[0].endswith("spots.png")
    with pytest.raises(RecipeError, match="room for 24"):
        desk.make_sheet([(pictures["waves"], f"{n}.png") for n in range(25)])


def test_a_photograph_without_a_network(desk, pictures):
    with pytest.raises(PictureError, match="Drop a photograph"):
        desk.paint("ink", 64, by_painting=False)
    desk.sitting.drop(pictures["harbour"], "harbour.png", "photo")
    with pytest.raises(RecipeError, match="A painting is needed"):
        desk.paint("patches", 64, by_painting=False)
    with pytest.raises(RecipeError, match="16 to"):
        desk.paint("ink", 1, by_painting=False)
    for manner, by_painting in (("ink", True), ("pointillist", False)):
        desk.paint(manner, 64, by_painting=by_painting)
        _until(lambda: desk.plain.is_over)
        assert desk.plain.text == "done"
        picture, record = desk.plain.files
        assert picture.name == f"harbour.{manner}.png"
        assert desk.plain.sheet[0][1] == manner
        assert json.loads(record.read_text())["inputs"]["styles"] == []
    assert set(desk.plain.files) <= set(desk.ready)


def test_errands_are_cancelled(desk, pictures):
    _painted(desk, pictures)
    for _ in range(3):
        desk.order(0, "4096", "png")
    desk.cancel_errands()
    _until(lambda: not desk.is_busy)
    assert [each.text for each in desk.errands[-3:]] == ["cancelled"] * 3
    assert desk.ready == ()


def test_found_again_after_a_crash(desks, root, desk, pictures, request):
    _painted(desk, pictures)
    _steered(desk, strength=0.4)
    others = Desks(root, side=64)
    again = others.of(f"{abs(hash(request.node.name)):040d}")
    assert again.album.entries == desk.album.entries
    assert again.sitting.options == {"strength": 0.4, "steps": (2,), "scales": 1}
    assert (again.sitting.view.picture == desk.sitting.view.picture).all()
    assert len(again.sitting.view.losses) == len(desk.sitting.view.losses)
    _steered(again, strength=0.8)
    assert again.album.entries[-1].parent == 2
    others.painter.close()


@pytest.mark.parametrize(
    "damage", [b"", b"{", b'{"entries": 7}', b'{"entries": [{"number": "x"}]}']
)
def test_a_damaged_index_loses_no_picture(damage, root, desk, pictures, request):
    _painted(desk, pictures)
    (desk.album.folder / "album.json").write_bytes(damage)
    others = Desks(root, side=64)
    again = others.of(f"{abs(hash(request.node.name)):040d}")
    assert again.album.entries == ()
    assert (desk.album.folder / "00001.png").is_file()
    assert again.album.new_number() == 2  # and none is written over
    others.painter.close()


def test_a_damaged_picture_does_not_shut_the_others_out(root, desk, pictures, request):
    _painted(desk, pictures)
    _steered(desk, strength=0.4)
    desk.album.picture_of(desk.album.entries[1]).with_suffix(".safetensors").write_bytes(b"no")
    others = Desks(root, side=64)
    again = others.of(f"{abs(hash(request.node.name)):040d}")
    assert len(again.album.entries) == 2
    again.sitting.go_back(2)
    _until(lambda: "Picture 2 is damaged" in again.sitting.view.text)
    again.sitting.go_back(1)
    _until(lambda: again.sitting.view.text.startswith("Picture 1"))
    others.painter.close()


def test_what_is_being_made_can_be_removed(desk, pictures):
    desk.steer({"steps": "500"}, [])
    desk.sitting.drop(pictures["harbour"], "harbour.png", "photo")
    desk.sitting.drop(pictures["waves"], "waves.png", "painting")
    _until(lambda: len(desk.sitting.view.losses) > 2)
    desk.sitting.keep()
    _until(lambda: len(desk.album.entries) == 1)
    desk.sitting.forget(2)
    _until(lambda: not desk.is_busy)
    assert [each.number for each in desk.album.entries] == [1]
    desk.sitting.forget(1)
    _until(lambda: desk.album.entries == ())
    _steered(desk, strength=0.3)  # begins anew
    assert len(desk.album.entries) == 1


def test_everything_can_be_forgotten(desk, pictures):
    _painted(desk, pictures)
    desk.sitting.forget(1)
    _until(lambda: desk.album.entries == ())
    assert not list(desk.album.folder.glob("00001*"))
    desk.sitting.forget()
    _until(lambda: desk.sitting.view.text.startswith("Drop"))
    assert not desk.album.folder.exists()


@pytest.mark.slow
def test_eight_at_once_and_none_loses_anything(desks, pictures):
    own = [desks.of(f"{n:040d}") for n in range(8)]
    for number, each in enumerate(own):
        each.steer({**QUICK, "seed": number}, [])
        each.sitting.drop(pictures["harbour"], "harbour.png", "photo")
        each.sitting.drop(pictures["waves"], "waves.png", "painting")
    for each in own:
        _finish(each)
    for number, each in enumerate(own):
        (entry,) = each.album.entries
        assert read_record(each.album.picture_of(entry)).recipe.seed == number


@pytest.mark.parametrize(
    "secret", ["", "short", "../../../../../../../../../etc/passwd..", "s" * 99]
)
def test_a_secret_that_is_none(secret, desks):
    with pytest.raises(PictureError, match="load it again"):
        desks.of(secret)


def test_nothing_of_one_lies_with_another(desks, root):
    assert desks.of("a" * 40).album.folder != desks.of("b" * 40).album.folder
    assert "a" * 40 not in str(desks.of("a" * 40).album.folder)


def test_names_of_files_are_made_harmless(desk, pictures):
    for name in ("../../evil.png", "C:\\photo.png", ".hidden", "a/b\0c.png", "", "x" * 300):
        own = desk.album.take(pictures["harbour"], name)
        path = desk.album.path(own).resolve()
        assert path.is_relative_to(desk.album.folder.resolve())
        assert path.is_file()


def test_the_index_is_plain(desk, pictures):
    _painted(desk, pictures)
    values = json.loads((desk.album.folder / "album.json").read_text())
    assert str(pictures["harbour"].parent) not in json.dumps(values)

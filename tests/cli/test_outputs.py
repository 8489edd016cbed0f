"""Through all commands: no output is ever an input, and nothing is replaced without --overwrite."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import pytest

from impasto.cli import main
from impasto.files.films.frame_store import KeptFrames
from impasto.files.weights.cache import model_path

RECORDS = Path(__file__).parents[1] / "files" / "records"
READ, THERE = "never replaced", "exists already"
AMONG, FULL = "among the inputs", "not empty"
ELSE = "holds other files"
OVER = ["--overwrite"]

STYLIZE = ["stylize", "photo.png", "painting.png"]
QUICK = ["--size", "40", "--steps", "1", "--scales", "1"]
TEXTURE = ["texture", "painting.png", "--size", "32", "--steps", "1"]
TRAIN = ["train", "painting.png", "--steps", "1"]
WEIGHTS = "report/cells/w.safetensors"
BATCH = ["stylize", "photos", "painting.png", *QUICK]
VIDEO = ["video", "clip.mkv", "painting.png"]
FRAMES = ["video", "photos", "painting.png"]
MEASURE = ["measure", "film.mp4", "-c", "clip.mkv", "-s", "painting.png"]
RUN = ["experiments", "run", "stripes", "--content", "photo.png", "--style", "painting.png"]
SWEEP = ["sweep", "--vary", "seed=0,1", "--content", "photo.png", "--style", "painting.png"]

CASES = {
    # without a network
    "photograph, painted over": (["paint", "filter", "photo.png", "-o", "photo.png", *OVER], READ),
    "its drawing's record": (["paint", "strokes", "photo.png", "-o", "w.svg"], THERE),
    "a painted picture": (["paint", "strokes", "photo.png", "-o", "other.png"], THERE),
    # one picture
    "photograph": ([*STYLIZE, "-o", "photo.png", *OVER], READ),
    "photograph, resumed": ([*STYLIZE, "-o", "photo.png", "--resume"], READ),
    "photograph, by a link": ([*STYLIZE, "-o", "link.png", *OVER], READ),
    "photograph, by another name": ([*STYLIZE, "-o", "hard.png", *OVER], READ),
    "photograph, by its folder's link": ([*STYLIZE, "-o", "alias/photo.png", *OVER], READ),
    "a link to the output": (
        ["stylize", "link.png", "painting.png", "-o", "photo.png", *OVER], READ),
    "painting": ([*STYLIZE, "-o", "painting.png", *OVER], READ),
    "start": ([*STYLIZE, "--init", "start.png", "-o", "start.png", *OVER], READ),
    "weights by the record's name": ([*STYLIZE, "--weights", "w.json", "-o", "w.png", *OVER], READ),
    "weights by the checkpoint's name": (
        [*STYLIZE, "--weights", "w.checkpoint", "-o", "w.png", *OVER], READ),
    "photograph by the preview's name": (
        ["stylize", "x.preview.png", "painting.png", "-o", "x.png", "--preview", "1", *OVER], READ),
    "photograph by the crop's name": (
        ["stylize", "x.crop.png", "painting.png", "-o", "x.png", "--crop-preview", *OVER], READ),
    "a picture": ([*STYLIZE, "-o", "other.png"], THERE),
    "a picture, resumed": ([*STYLIZE, *QUICK, "-o", "other.png", "--resume"], THERE),
    "a picture beside a record of this one": (
        [*STYLIZE, "-o", "made.png", "--resume", "--seed", "7"], THERE),
    "somebody's record": ([*STYLIZE, "-o", "w.png"], THERE),
    "somebody's record, resumed": ([*STYLIZE, *QUICK, "-o", "v.png", "--resume"], THERE),
    "somebody's preview": ([*STYLIZE, "-o", "x.png", "--preview", "1"], THERE),
    "somebody's checkpoint": ([*STYLIZE, "-o", "y.png", *OVER], "no checkpoint of impasto's"),
    "the crop of something else": ([*STYLIZE, "-o", "x.png", "--crop-preview"], THERE),
    "by the default name": ([*STYLIZE, "--quiet"], THERE),
    "in a folder": ([*STYLIZE, "-o", "full/"], THERE),
    # textures
    "texture: painting": ([*TEXTURE, "-o", "painting.png", *OVER], READ),
    "texture: a link": (["texture", "link.png", "-o", "photo.png", *OVER], READ),
    "texture: a picture": ([*TEXTURE, "-o", "other.png"], THERE),
    "texture: a picture, resumed": ([*TEXTURE, "-o", "other.png", "--resume"], THERE),
    "texture: in a folder": ([*TEXTURE, "-o", "full"], THERE),
    # trainings
    "train: a network": ([*TRAIN, "-o", WEIGHTS], THERE),
    "train: a network, resumed": ([*TRAIN, "-o", WEIGHTS, "--resume"], THERE),
    "train: weights": (
        [*TRAIN, "--weights", WEIGHTS, "-o", WEIGHTS, *OVER], READ),
    "train: somebody's checkpoint": (
        [*TRAIN, "-o", "y.safetensors", *OVER], "no training of impasto's"),
    "train: painting by the preview's name": (
        ["train", "x.preview.png", "-o", "x.safetensors", "--preview", "1", *OVER], READ),
    # many pictures
    "batch: among the photographs": ([*BATCH, "-o", "photos", *OVER], AMONG),
    "batch: by a link": ([*BATCH, "-o", "alias/photos", *OVER], AMONG),
    "batch: start": ([*BATCH, "--init", "full/a+painting.png", "-o", "full", *OVER], READ),
    "batch: weights": ([*BATCH, "--weights", "full/a+painting.json", "-o", "full", *OVER], READ),
    # films
    "film: the clip": ([*VIDEO, "-o", "clip.mkv", *OVER], READ),
    "film: the clip, resumed": ([*VIDEO, "-o", "clip.mkv", "--resume"], READ),
    "film: the clip, by a link": ([*VIDEO, "-o", "clip-link.mkv", *OVER], READ),
    "film: painting by the record's name": (
        ["video", "clip.mkv", "w.json", "-o", "w.mp4", *OVER], READ),
    "film: painting by the preview's name": (
        ["video", "clip.mkv", "film.preview.mp4", "-o", "film.mp4", "--preview", *OVER], READ),
    "film: start": ([*VIDEO, "--init", "film.mp4", "-o", "film.mp4", *OVER], READ),
    "film: another": ([*VIDEO, "-o", "film.mp4"], THERE),
    "film: somebody's record": ([*VIDEO, "-o", "w.mp4"], THERE),
    "film: somebody's preview": ([*VIDEO, "-o", "film.mkv", "--preview"], THERE),
    "film: frames among frames": ([*FRAMES, "-o", "photos", *OVER], AMONG),
    "film: frames in a full folder": ([*FRAMES, "-o", "full"], FULL),
    "film: flow among frames": ([*FRAMES, "-o", "new", "--save-flow", "photos", *OVER], AMONG),
    "film: flow in a full folder": ([*FRAMES, "-o", "new", "--save-flow", "full"], FULL),
    "film: kept frames are the clip": (
        ["video", "z.mp4.frames", "painting.png", "-o", "z.mp4", *OVER], AMONG),
    # the rest
    "reproduce: the picture": (["reproduce", "made.png", "made.png", *OVER], READ),
    "reproduce: the picture of a record": (["reproduce", "made.json", "made.png", *OVER], READ),
    "reproduce: the record": (["reproduce", "made.json", "made.jpg", *OVER], READ),
    "reproduce: the photograph": (["reproduce", "made.json", "photo.png", *OVER], READ),
    "reproduce: a painting": (
        ["reproduce", "made.json", "link.png", "--style", "photo.png", *OVER], READ),
    "reproduce: another": (["reproduce", "made.json", "other.png"], THERE),
    "show: the picture": (["show", "made.png", "--plot", "made.png", *OVER], READ),
    "show: the record": (["show", "made.json", "--plot", "made.json", *OVER], READ),
    "show: another": (["show", "made.json", "--plot", "other.png"], THERE),
    "measure: the result": ([*MEASURE, "--plot", "film.mp4", *OVER], READ),
    "measure: the clip": ([*MEASURE, "--plot", "clip-link.mkv", *OVER], READ),
    "measure: the painting": ([*MEASURE, "--plot", "painting.png", *OVER], READ),
    "measure: the network": ([*MEASURE, "--network", "w.json", "--plot", "w.json", *OVER], READ),
    "measure: another": ([*MEASURE, "--plot", "other.png"], THERE),
    "rate: the sheet": (["rate", "sheet.json", "-o", "sheet.json", *OVER], READ),
    "rate: a picture": (["rate", "sheet.json", "-o", "link.png", *OVER], READ),
    "rate: another": (["rate", "sheet.json", "-o", "other.png"], THERE),
    "rate read: choices": (["rate", "read", "w.json", "--plot", "w.json", *OVER], READ),
    "rate read: another": (["rate", "read", "w.json", "--plot", "other.png"], THERE),
    "experiments: the photograph's folder": ([*RUN, "--out", "."], AMONG),
    "experiments: somebody's folder": ([*RUN, "--out", "full"], ELSE),
    "experiments: their own inputs": (
        [*RUN[:3], "--content", "report/inputs/a.png", "--out", "report"], AMONG),
    "experiments: weights": (
        [*RUN, "--weights", "report/cells/w.safetensors", "--out", "report"], AMONG),
    "sweep: the photograph's folder": ([*SWEEP, "--out", "alias"], AMONG),
    "sweep: somebody's folder": ([*SWEEP, "--out", "full"], ELSE),
}  # fmt: skip


@pytest.fixture
def here(tmp_path, photo, painting, monkeypatch) -> Path:
    """A folder with all that the cases name; what is no picture is never looked into."""
    folder = tmp_path / "here"
    (folder / "photos").mkdir(parents=True)
    monkeypatch.chdir(folder)
    for name in ("photo", "start", "other", "x.preview", "x.crop", "photos/a", "photo+painting"):
        shutil.copy(photo, f"{name}.png")
    shutil.copy(painting, "painting.png")
    for name in ("full", "report/inputs", "report/cells", "z.mp4.frames"):
        Path(name).mkdir(parents=True)
    for name in ("full/photo+painting", "full/painting.texture", "full/a+painting"):
        shutil.copy(photo, f"{name}.png")
    shutil.copy(photo, "report/inputs/a.png")
    shutil.copy(photo, "z.mp4.frames/pass0-000000.png")
    for name in (
        *(
            "v.json",
            "w.json",
            "w.checkpoint",
            "y.checkpoint",
            "clip.mkv",
            "film.mp4",
            "film.preview.mp4",
        ),
        *("full/a+painting.json", "report/cells/w.safetensors"),
    ):
        Path(name).write_text(f"precious {name}")
    shutil.copy(RECORDS / "schema-3.json", "made.json")
    shutil.copy(photo, "made.png")
    item = {"content": "photo.png", "style": "painting.png"}
    results = {"a": "start.png", "b": "other.png"}
    Path("sheet.json").write_text(json.dumps({"items": [{**item, "results": results}]}))
    Path("alias").symlink_to(".")
    Path("link.png").symlink_to("photo.png")
    Path("clip-link.mkv").symlink_to("clip.mkv")
    os.link("photo.png", "hard.png")
    return folder


def _all(folder: Path) -> dict[str, bytes | str]:
    """Every file's bytes, every link's target, every folder."""
    return {
        str(path): str(path.readlink()) if path.is_symlink() else path.read_bytes()
        if path.is_file() else "a folder"
        for path in folder.rglob("*")
    }  # fmt: skip


def _refused(words: list[str], said: str, here: Path, capsys) -> None:
    before = _all(here)
    assert main(words) == 2
    printed = capsys.readouterr()
    (line,) = printed.err.splitlines()
    assert said in line
    assert printed.out == ""
    assert _all(here) == before


@pytest.mark.parametrize("case", CASES)
def test_nothing_is_lost(case, here, capsys):
    _refused(*CASES[case], here, capsys)


def test_every_command_that_writes_is_among_them():
    """A new command must come into the table, or be known to write nothing but its own files."""
    from impasto.cli.app import app

    told = {words[0] for words, _ in CASES.values()}
    silent = {"classify", "summary", "models", "studio", "--help", "-h", "--version"}
    assert told | silent >= set(app)


def test_a_batch_leaves_what_is_there(here, capsys):
    """It names what it could not make and goes on; 1 is some of many."""
    before = _all(here)
    assert main([*BATCH, "-o", "full", "-q"]) == 1
    assert THERE in capsys.readouterr().err
    assert _all(here) == before


def test_a_batch_of_names_that_differ_by_case_alone(here, capsys, monkeypatch):
    from impasto.files import outputs

    monkeypatch.setattr(outputs, "ignores_case", lambda _: True)
    Path("more").mkdir()
    shutil.copy("photo.png", "more/A.png")
    words = ["stylize", "photos/a.png", "more/A.png", "-s", "painting.png", "-o", "out"]
    _refused(words, "would become one file", here, capsys)


def test_a_film_goes_on_only_with_kept_frames(here, make_film, moving, painting, capsys):
    """Neither a film alone, nor with frames of another run, nor with another folder's files."""
    make_film(Path("real.mkv"), moving(2))
    words = ["video", "real.mkv", "painting.png", *QUICK, "-q", "--resume", "-o"]
    _refused([*words, "film.mp4"], THERE, here, capsys)
    _refused([*words, "w.mp4"], THERE, here, capsys)
    _refused([*words[:-1], "--preview", "-o", "film.mkv"], THERE, here, capsys)
    Path("film.mp4.frames").mkdir()
    Path("film.mp4.frames/holiday.jpg").write_text("precious")
    _refused([*words, "film.mp4"], "not one of impasto's frames", here, capsys)
    _refused([*words[:-2], "-o", "film.mp4", *OVER], "not one of impasto's frames", here, capsys)
    Path("film.mp4.frames/holiday.jpg").unlink()
    shutil.copy("photo.png", "film.mp4.frames/pass0-000000.png")
    _refused([*words, "film.mp4"], "another run", here, capsys)


def test_a_film_s_preview_that_is_not_its_own_stays(here, make_film, moving, capsys):
    make_film(Path("real.mkv"), moving(2))
    before = Path("film.preview.mp4").read_bytes()
    words = ["video", "real.mkv", "painting.png", *QUICK, "--frame-steps", "1", "-q"]
    assert main([*words, "-o", "film.mkv"]) == 0
    assert Path("film.preview.mp4").read_bytes() == before


def test_a_stored_network_is_not_replaced_unasked(tmp_path, monkeypatch, here, capsys):
    from impasto.files.weights import importing

    monkeypatch.setenv("IMPASTO_MODELS", str(here / "models"))
    model_path("vgg19").parent.mkdir()
    model_path("vgg19").write_bytes(b"precious")
    monkeypatch.setattr(importing, "read_weights", lambda _: None)
    monkeypatch.setattr(importing, "recognise", lambda *_, **__: None)
    words = ["models", "import", "w.json", "--name", "vgg19"]
    _refused(words, "is already installed", here, capsys)
    words[2] = str(model_path("vgg19"))
    _refused([*words, *OVER], READ, here, capsys)


def test_a_checkpoint_of_another_run_is_neither_replaced_nor_removed(here, capsys):
    from impasto.api import stylize_job

    job = stylize_job("photo.png", "painting.png", size=40, steps=(2,), scales=1)
    next(iter(job))
    job.keep("out.checkpoint")
    kept = Path("out.checkpoint").read_bytes()
    words = [*STYLIZE, *QUICK, "--strength", "0.3", "-q", "-o", "out.png"]
    _refused(words, "holds an earlier run", here, capsys)
    _refused([*words, "--resume"], "another recipe", here, capsys)
    assert main([*words, "--checkpoint", "0"]) == 0
    assert Path("out.checkpoint").read_bytes() == kept
    Path("full/photo+painting.checkpoint").write_bytes(kept)
    Path("full/photo+painting.png").unlink()
    shutil.copy("photo.png", "photos/photo.png")
    assert main([*BATCH, "--strength", "0.3", "-q", "-o", "full"]) == 1
    assert "holds another run" in capsys.readouterr().err
    assert Path("full/photo+painting.checkpoint").read_bytes() == kept


def test_a_record_of_something_else_is_not_mended(here, capsys):
    words = [*STYLIZE, *QUICK, "-q", "-o", "out.png"]
    assert main(words) == 0
    Path("out.json").write_text("precious")
    assert main([*words, "--resume"]) == 0
    assert Path("out.json").read_text() == "precious"


def test_a_preview_that_a_kill_has_left_is_replaced(here, monkeypatch, capsys):
    from impasto.cli import making

    words = [*STYLIZE, *QUICK, "-q", "-o", "out.png", "--preview", "1"]
    monkeypatch.setattr(making._Preview, "remove", lambda _: None)
    assert main(words) == 0
    assert Path("out.preview.png").exists()
    monkeypatch.undo()
    monkeypatch.chdir(here)
    assert main([*words, "--overwrite"]) == 0
    assert not Path("out.preview.png").exists()


def test_a_library_s_result_is_not_saved_over_what_it_was_made_of(here):
    import impasto

    result = impasto.stylize("photo.png", "painting.png", size=40, steps=(1,), scales=1)
    before = _all(here)
    for name in ("photo.png", "painting.png", "link.png", "hard.png"):
        with pytest.raises(impasto.OutputError, match=READ):
            result.save(name, overwrite=True)
    with pytest.raises(impasto.OutputError, match=READ):
        impasto.stylize_video("clip.mkv", "painting.png", "clip.mkv", overwrite=True)
    assert _all(here) == before


def test_frames_are_removed_and_nothing_else(tmp_path, waves):
    kept = KeptFrames(tmp_path / "frames")
    kept.begin({}, resume=False, overwrite=False)
    kept.write("pass0", 0, waves(8, 8).float(), {})
    (tmp_path / "frames" / "mine.txt").write_text("precious")
    kept.remove()
    assert [path.name for path in (tmp_path / "frames").iterdir()] == ["mine.txt"]


@pytest.mark.parametrize(
    ("words", "name"),
    [
        ([*STYLIZE, *QUICK], "photo+painting.png"),
        ([*STYLIZE, *QUICK, "--crop-preview"], "photo+painting.crop.png"),
        (TEXTURE, "painting.texture.png"),
    ],
)
def test_a_folder_takes_one_picture(words, name, here, capsys):
    assert main([*words, "-q", "-o", "new/"]) == 0
    Path("empty").mkdir()
    assert main([*words, "-o", "empty"]) == 0
    assert capsys.readouterr().out == f"empty/{name}\n"
    names = {name, str(Path(name).with_suffix(".json"))}
    assert {path.name for path in Path("new").iterdir()} == names
    assert {path.name for path in Path("empty").iterdir()} == names


def test_a_folder_takes_one_film(here, make_film, moving, capsys):
    make_film(Path("real.mkv"), moving(2))
    Path("seq").mkdir()
    for number in range(2):
        shutil.copy("photo.png", f"seq/{number}.png")
    words = ["video", "real.mkv", "painting.png", *QUICK, "--frame-steps", "1", "-q"]
    assert main([*words, "-o", "new/"]) == 0
    Path("empty").mkdir()
    assert main([*words, "-o", "empty"]) == 0
    names = {"real+painting.mp4", "real+painting.json"}
    assert {path.name for path in Path("new").iterdir()} == names
    assert {path.name for path in Path("empty").iterdir()} == names
    frames = {"000001.png", "000002.png", "film.json"}
    assert main([*words, "-o", "frames"]) == 0  # a new name is a folder of frames
    assert {path.name for path in Path("frames").iterdir()} == frames
    assert main([*words, "-o", "frames/", "--overwrite"]) == 0  # and stays one
    words[1] = "seq"
    assert main([*words, "-o", "painted/"]) == 0  # folders of pictures, in and out
    assert {path.name for path in Path("painted").iterdir()} == {"0.png", "1.png", "film.json"}


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([*STYLIZE, "-o", "no/such/"], "does not exist"),
        ([*STYLIZE, "-o", "photo.png/"], "not a folder"),
        ([*STYLIZE[:2], "nowhere.png", "-o", "new/"], "nowhere.png"),
        ([*TEXTURE, "-o", "no/such/"], "does not exist"),
        ([*VIDEO, "-o", "no/such/"], "does not exist"),
        ([*STYLIZE, "start.png", "-o", "new/"], "name the painting with --style"),
    ],
)
def test_a_folder_is_not_made_in_vain(words, said, here, capsys):
    _refused(words, said, here, capsys)


def test_several_paintings_by_name_and_a_folder(here):
    words = ["stylize", "photo.png", "-s", "painting.png", "-s", "start.png", *QUICK, "-q"]
    assert main([*words, "-o", "new/"]) == 0
    assert Path("new/photo+painting+start.png").is_file()


def test_a_record_is_shown_quietly(here, capsys):
    assert main(["show", "made.json", "--plot", "plot.svg", "--quiet"]) == 0
    assert capsys.readouterr() == ("", "")
    assert Path("plot.svg").is_file()

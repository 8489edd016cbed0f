"""Making a result again from its record."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import torch
from PIL import Image

import impasto
from impasto.api import stylize_job

QUICK = {"size": 40, "scales": 1, "steps": (3,), "precision": "fp32", "threads": 1}
RECORDS = Path(__file__).parents[1] / "files" / "records"


@pytest.fixture
def made(photo, painting) -> Path:
    """A result beside its inputs."""
    path = photo.parent / "out.png"
    impasto.stylize(photo, painting, init="noise", seed=7, **QUICK).save(path)
    return path


@pytest.mark.parametrize("name", ["out.png", "out.json"])
def test_the_same_pixels(name, made):
    again = impasto.reproduce(made.parent / name)
    assert again.identical is True
    assert again.changes == ()
    with Image.open(made) as original:
        assert original.tobytes() == again.result.image.tobytes()
    first = json.loads(made.with_suffix(".json").read_text())
    for key in ("recipe", "plan", "inputs", "network"):
        assert json.loads(json.dumps(again.result.record[key])) == first[key]


def test_the_png_alone_is_enough(made, tmp_path):
    made.with_suffix(".json").unlink()
    assert impasto.reproduce(made).identical is True


@pytest.mark.parametrize(
    "options",
    [
        {"init": "painting.png", "preserve_color": "luminance"},
        {"alpha": 1e-3, "beta": 1.0, "pooling": "avg"},
        {"tileable": True, "optimizer": "adam"},
        {"scales": 2, "steps": (2, 2), "size": 48},
        {"size": 100, "tile": 64},
    ],
    ids=["init from a file", "alpha and beta", "tile", "scales", "in tiles"],
)
def test_every_kind_of_recipe(options, photo, painting):
    options = {**QUICK, **options}
    if options.get("init") == "painting.png":
        options["init"] = str(painting)
    path = photo.parent / "out.png"
    impasto.stylize(photo, [painting, photo], blend=(2, 1), **options).save(path)
    again = impasto.reproduce(path)
    assert (again.identical, again.changes) == (True, ())


def test_a_texture(painting):
    path = painting.parent / "t.png"
    impasto.texture(painting, (48, 32), tileable=True, scales=1, steps=(2,), threads=1).save(path)
    again = impasto.reproduce(path)
    assert (again.identical, again.changes) == (True, ())
    assert again.result.record["task"] == "texture"


def test_a_run_that_was_stopped(photo, painting):
    job = stylize_job(photo, painting, **QUICK)
    next(state for state in job if state.step == 2)
    job.result().save(photo.parent / "out.png")
    again = impasto.reproduce(photo.parent / "out.png")
    assert again.identical is True
    assert again.result.record["result"]["finished"] is False


def test_inputs_in_the_current_folder_or_named(made, photo, painting, tmp_path, monkeypatch):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    moved = Path(shutil.copy(made, elsewhere / "out.png"))
    with pytest.raises(impasto.RecordError, match=r"'photo\.png'.*content="):
        impasto.reproduce(moved)
    assert impasto.reproduce(moved, content=photo, style=[painting]).identical is True
    with pytest.raises(impasto.RecordError, match="style=… names 2 of 1"):
        impasto.reproduce(moved, content=photo, style=[painting, photo])
    monkeypatch.chdir(photo.parent)
    assert impasto.reproduce(moved).identical is True


def test_the_unchanged_file_is_preferred(made, photo, tmp_path, monkeypatch):
    here = tmp_path / "here"
    here.mkdir()
    shutil.copy(photo, here / "photo.png")
    Image.new("RGB", (48, 40)).save(photo)
    monkeypatch.chdir(here)
    assert impasto.reproduce(made).identical is True


def test_a_changed_input_is_said(made, photo):
    Image.new("RGB", (48, 40), "teal").save(photo)
    again = impasto.reproduce(made)
    assert again.identical is False
    (change,) = again.changes
    assert "'photo.png'" in change
    assert "changed" in change


def _with(path: Path, **changes) -> Path:
    values = json.loads(path.with_suffix(".json").read_text())
    path = path.with_name("changed.json")
    path.write_text(json.dumps({**values, **changes}))
    return path


def test_changed_versions_weights_and_plans_are_said(made):
    values = json.loads(made.with_suffix(".json").read_text())
    network = {**values["network"], "sha256": "0" * 64}
    plan = {**values["plan"], "device": "abacus"}
    again = impasto.reproduce(
        _with(made, versions={**values["versions"], "torch": "1.0"}, network=network, plan=plan)
    )
    text = " ".join(again.changes)
    assert "torch was 1.0" in text
    assert "compact.safetensors" in text
    assert "'abacus'" in text
    later = impasto.reproduce(_with(made, plan={**values["plan"], "tiles": 3}))
    assert "plan" in later.changes[0]
    assert later.identical is True


def test_an_edited_result_is_said(made):
    values = made.read_bytes()
    Image.new("RGB", (40, 33)).save(made)
    again = impasto.reproduce(made.with_suffix(".json"))
    assert "edited" in again.changes[0]
    assert again.identical is True
    made.write_bytes(values)


def test_a_record_of_schema_1(photo, painting):
    """Its picture may come out otherwise by now: nothing else about it may fail."""
    path = Path(shutil.copy(RECORDS / "schema-1.json", photo.parent / "first.json"))
    again = impasto.reproduce(path)
    assert again.identical is None
    assert again.result.image.size == (40, 33)
    again.result.save(photo.parent / "first.png", overwrite=True)
    shutil.copy(RECORDS / "schema-1.json", path)
    Image.open(photo.parent / "first.png").save(photo.parent / "first.png")  # without its record
    assert impasto.reproduce(path).identical is True  # compared with the picture beside it


def test_objects_of_the_caller_s_own_cannot_be_in_a_record(photo, painting):
    def loss(statistics, target, channels):
        return (statistics.mean - target.mean).square().sum()

    path = photo.parent / "out.png"
    impasto.stylize(photo, painting, style_loss=loss, **QUICK).save(path)
    with pytest.raises(impasto.RecordError, match="caller's own"):
        impasto.reproduce(path)


def test_nothing_is_read_outside_the_folders(made, tmp_path):
    """Names with folders in them are refused before anything is opened."""
    secret = tmp_path / "secret.png"
    Image.new("RGB", (48, 40)).save(secret)
    values = json.loads(made.with_suffix(".json").read_text())
    for name in (str(secret), "../secret.png"):
        values["inputs"]["content"][0]["name"] = name
        with pytest.raises(impasto.RecordError):
            impasto.reproduce(_with(made, inputs=values["inputs"]))


def test_weights_by_name(photo, painting, tiny_tensors, tmp_path):
    from safetensors.torch import save_file

    from impasto.nets.topology import COMPACT_WIDTHS

    weights = photo.parent / "own.safetensors"
    save_file(tiny_tensors(COMPACT_WIDTHS, last="conv5_1"), weights)
    path = photo.parent / "out.png"
    impasto.stylize(photo, painting, weights=weights, **QUICK).save(path)
    assert impasto.reproduce(path).identical is True
    moved = weights.rename(tmp_path / "moved.safetensors")
    with pytest.raises(impasto.RecordError, match="weights="):
        impasto.reproduce(path)
    assert impasto.reproduce(path, weights=moved).identical is True


def test_a_size_without_measure_is_refused_before_any_work(made):
    values = json.loads(made.with_suffix(".json").read_text())
    recipe = {**values["recipe"], "size": 10**9}
    with pytest.raises(impasto.ImpastoError, match="pixels"):
        impasto.reproduce(_with(made, recipe=recipe, plan={**values["plan"], "tiles": 3}))
    stage = {**values["plan"]["stages"][0], "height": 10**6, "width": 10**6}
    with pytest.raises(impasto.RecordError, match="max_pixels="):
        impasto.reproduce(_with(made, plan={**values["plan"], "stages": [stage]}))
    recipe = {**values["recipe"], "max_pixels": 10**12}
    with pytest.raises(impasto.RecordError, match="max_pixels="):
        impasto.reproduce(_with(made, recipe=recipe))
    assert impasto.reproduce(_with(made, recipe=recipe), max_pixels=10**12).identical is True


@pytest.mark.parametrize("options", [{"depth": 16}, {"crop_preview": True}], ids=str)
def test_depths_and_previews(options, photo, painting):
    path = photo.parent / "out.png"
    impasto.stylize(photo, painting, **QUICK, **options).save(path)
    path.with_suffix(".json").unlink()
    again = impasto.reproduce(path)
    assert (again.identical, again.changes) == (True, ())


def test_a_transparent_photograph(photo, painting):
    with Image.open(photo) as image:
        image.putalpha(Image.linear_gradient("L").resize(image.size))
        image.save(photo)
    path = photo.parent / "out.png"
    impasto.stylize(photo, painting, **QUICK).save(path)
    again = impasto.reproduce(path)
    assert (again.identical, again.changes) == (True, ())
    assert again.result.image.mode == "RGBA"


def test_the_result_is_a_result(made):
    again = impasto.reproduce(made).result
    assert isinstance(again, impasto.Result)
    assert isinstance(again.tensor, torch.Tensor)

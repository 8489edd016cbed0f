"""What a program does with the library: pictures of any kind in, results out, and ending a run."""

from __future__ import annotations

import dataclasses
import io
import json
import logging
import threading
import time
import typing

import numpy as np
import pytest
import torch
from PIL import Image

import impasto
from impasto.files.pictures.images import read_picture
from impasto.jobs.options import Options
from impasto.recipe.typed import alternatives, declared

QUICK = {"size": 32, "steps": 2, "scales": 1, "precision": "fp32", "threads": 1}


@pytest.fixture
def result(photo, painting) -> impasto.Result:
    return impasto.stylize(photo, painting, **QUICK)


def _same(source, photo) -> bool:
    return torch.equal(read_picture(source).tensor, read_picture(photo).tensor)


def test_pictures_of_any_kind(photo):
    image = Image.open(photo).convert("RGB")
    array = np.asarray(image)
    tensor = torch.from_numpy(array.copy()).permute(2, 0, 1)
    data = photo.read_bytes()
    with photo.open("rb") as file:
        assert _same(file, photo)
    for source in (str(photo), data, bytearray(data), memoryview(data), io.BytesIO(data)):
        assert _same(source, photo)
    for source in (image, array, tensor, tensor[None], tensor / 255, (tensor / 255).double()):
        assert _same(source, photo)
    assert _same((tensor.float() / 255).requires_grad_(), photo)
    grey = tensor[:1]
    assert torch.equal(read_picture(grey).tensor, read_picture(array[..., 0]).tensor)


def test_a_file_keeps_its_name(photo):
    with photo.open("rb") as file:
        assert read_picture(file).name == photo.name


@pytest.mark.parametrize(
    "thing",
    [None, 3, 1.5, object(), {"a": 1}, lambda: None, torch.zeros(2, 3, 8, 8), torch.zeros(4),
     torch.full((3, 8, 8), 2.0), np.zeros((8, 8), object), b"", b"no picture", io.BytesIO(),
     io.StringIO("text")],
)  # fmt: skip
def test_anything_else_is_a_picture_error(thing, painting):
    with pytest.raises(impasto.PictureError) as caught:
        impasto.stylize(thing, painting, **QUICK)
    assert len(str(caught.value).splitlines()) == 1
    if not isinstance(thing, dict):
        with pytest.raises(impasto.PictureError):
            impasto.stylize(painting, thing, **QUICK)


def test_a_closed_file(photo, painting):
    file = photo.open("rb")
    file.close()
    with pytest.raises(impasto.PictureError, match="open"):
        impasto.stylize(file, painting, **QUICK)


def test_a_result_is_an_array_and_a_picture(result, painting):
    height, width = result.image.height, result.image.width
    assert result.array.shape == (height, width, 3)
    assert result.array.dtype == np.uint8
    assert np.array_equal(np.asarray(result), np.asarray(result.image))
    assert np.asarray(result, dtype=np.float32).dtype == np.float32
    assert result._repr_png_()[:4] == b"\x89PNG"
    again = impasto.stylize(result, painting, **QUICK)  # what NumPy takes is a picture
    assert again.finished


def test_a_result_goes_into_an_open_file(result):
    for form, magic in (("png", b"\x89PNG"), ("jpg", b"\xff\xd8"), (None, b"\x89PNG")):
        file = io.BytesIO()
        assert result.save(file, format=form) is None
        assert file.getvalue().startswith(magic)
    record = json.loads(Image.open(io.BytesIO(file.getvalue())).info["impasto"])
    assert record == json.loads(result.image.info["impasto"])
    assert record["result"]["sha256"] == result.record["result"]["sha256"]
    with pytest.raises(impasto.OutputError, match="format"):
        result.save(io.BytesIO(), format="xyz")
    with pytest.raises(impasto.OutputError, match="format"):
        result.save("a.png", format="png")


def test_a_recipe_is_passed_and_overridden(photo, painting):
    recipe = impasto.Recipe(**QUICK, strength=0.3)
    assert impasto.stylize(photo, painting, recipe).record["recipe"]["strength"] == 0.3
    own = impasto.stylize(photo, painting, recipe, strength=0.4).record["recipe"]
    assert (own["strength"], own["size"]) == (0.4, 32)
    stylizer = impasto.Stylizer(recipe=recipe)
    assert stylizer(photo, painting).record["recipe"]["strength"] == 0.3
    assert stylizer(photo, painting, impasto.Recipe(**QUICK)).record["recipe"]["strength"] == 0.6
    with pytest.raises(impasto.RecipeError, match="pooling"):
        stylizer(photo, painting, impasto.Recipe(pooling="avg"))
    out = impasto.texture(painting, 32, impasto.Recipe(steps=1, scales=1, seed=3))
    assert out.record["recipe"]["seed"] == 3


def test_typed_options_are_the_recipe_s():
    hints = typing.get_type_hints(Options)
    assert set(hints) - {"terms"} == {item.name for item in dataclasses.fields(impasto.Recipe)}
    for item, hint in declared(impasto.Recipe):
        missing = set(alternatives(hint)) - set(alternatives(hints[item.name]))
        assert not missing, item.name


def test_progress_is_told(photo, painting):
    seen = []
    impasto.stylize(photo, painting, progress=lambda state: seen.append(state.step), **QUICK)
    assert seen == [0, 1, 2]


def test_a_run_that_is_ended_gives_the_picture_so_far(photo, painting):
    cancel = threading.Event()
    long = {**QUICK, "steps": 10_000}
    threading.Timer(0.5, cancel.set).start()
    begin = time.monotonic()
    cancelled = impasto.stylize(photo, painting, cancel=cancel, **long)
    assert not cancelled.finished
    assert 0 < cancelled.record["result"]["steps"] < 10_000
    timed = impasto.stylize(photo, painting, timeout=0.2, **long)
    assert not timed.finished
    assert time.monotonic() - begin < 60
    assert impasto.texture(painting, 32, timeout=0, steps=10_000).finished is False


def test_what_a_callback_raises_ends_the_run(photo, painting):
    class EnoughError(Exception):
        pass

    def progress(state):
        if state.step == 1:
            raise EnoughError

    with pytest.raises(EnoughError):
        impasto.stylize(photo, painting, progress=progress, **QUICK)


@pytest.mark.parametrize("timeout", [-1, float("nan")])
def test_no_timeout(timeout, photo, painting):
    with pytest.raises(impasto.RecipeError, match="timeout"):
        impasto.stylize(photo, painting, timeout=timeout, **QUICK)


def test_a_run_is_logged_and_nothing_is_printed(photo, painting, caplog, capsys):
    with caplog.at_level(logging.DEBUG, logger="impasto"):
        impasto.stylize(photo, painting, **{**QUICK, "size": "64x32"})
    said = [(each.levelname, each.getMessage()) for each in caplog.records]
    assert any(level == "WARNING" and "fit='crop'" in words for level, words in said)
    assert any(level == "INFO" and "2 steps, cpu, fp32" in words for level, words in said)
    assert any(level == "DEBUG" and words.startswith("step 1 of 2") for level, words in said)
    assert any(words.startswith("finished after 2 of 2 steps") for _, words in said)
    assert capsys.readouterr() == ("", "")

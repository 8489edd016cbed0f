"""Faces: what is found, what is missed, and what is protected."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from PIL import Image

from impasto.errors import RecipeError
from impasto.files.pictures import faces as module
from impasto.files.pictures.faces import faces_in, mask_of_faces
from impasto.files.pictures.images import read_picture

data = pytest.importorskip("skimage.data")


def _tensor(image):
    return read_picture(image).tensor


@pytest.fixture(scope="module")
def astronaut():
    return Image.fromarray(data.astronaut())


@pytest.mark.parametrize("side", [256, 512, 900])
def test_a_face_is_found_at_any_size(side, astronaut):
    (face,) = faces_in(_tensor(astronaut.resize((side, side))))
    unit = side / 512
    assert 40 * unit < face.top < 95 * unit
    assert 150 * unit < face.left < 200 * unit
    assert 75 * unit < face.side < 125 * unit


def test_what_is_missed_is_known(astronaut):
    """Tilted by a third of a right angle, upside down, of thirty pixels, or a cat's."""
    face = astronaut.crop((120, 10, 340, 230))
    for missed in (
        face.rotate(40), face.rotate(180), face.resize((48, 48)), Image.fromarray(data.chelsea()),
    ):  # fmt: skip
        assert not faces_in(_tensor(missed))


@pytest.mark.slow
@pytest.mark.parametrize("name", ["coffee", "rocket", "brick", "grass", "gravel"])
def test_nothing_is_found_where_there_is_none(name):
    image = Image.fromarray(getattr(data, name)()).convert("RGB")
    assert not faces_in(_tensor(image))


def test_the_mask_is_white_on_the_face_and_black_away_from_it(astronaut):
    picture = read_picture(astronaut)
    mask = mask_of_faces(picture)
    assert mask.size == picture.size
    assert mask.tensor[0, 0, 110, 222] == 1
    assert mask.tensor[..., 300:, :].max() == 0
    assert 0 < float((mask.tensor > 0).float().mean()) < 0.1
    assert "1 face found" in mask.notes[0]


def test_without_a_face_nothing_is_protected_and_that_is_said():
    mask = mask_of_faces(read_picture(np.zeros((64, 64, 3), np.uint8)))
    assert not mask.tensor.any()
    assert "no face was found" in mask.notes[0]
    assert not mask_of_faces(read_picture(np.zeros((8, 8, 3), np.uint8))).tensor.any()


def test_without_the_package_it_is_named(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "skimage.feature", None)
    module._cascade.cache_clear()
    with pytest.raises(RecipeError, match="impasto\\[faces\\]"):
        faces_in(torch.rand(1, 3, 64, 64))
    module._cascade.cache_clear()

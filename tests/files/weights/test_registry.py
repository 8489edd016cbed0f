"""The records: facts that can be checked without a connection."""

from __future__ import annotations

import hashlib
from dataclasses import FrozenInstanceError
from urllib.parse import urlsplit

import pytest

from impasto.errors import WeightsError
from impasto.files.weights.recognise import CONVENTIONS
from impasto.files.weights.registry import MODELS, find_model
from impasto.recipe.still import Recipe


def test_the_release_that_the_report_used():
    model = find_model("vgg19")
    assert model.bytes == 80_134_624
    assert (model.algorithm, model.digest) == ("md5", "253f8cb515780f3b799900260a226db6")
    assert len(model.urls) > 1


@pytest.mark.parametrize("model", MODELS.values(), ids=list(MODELS))
def test_every_record_is_whole(model):
    assert MODELS[model.name] is model
    for url in model.urls:
        assert urlsplit(url).scheme == "https"
        assert url.endswith(f".{model.format}")
    assert set(model.digest) <= set("0123456789abcdef")
    assert len(model.digest) == 2 * hashlib.new(model.algorithm).digest_size
    assert model.licence
    assert model.convention == CONVENTIONS[model.name]
    assert Recipe(network=model.name).network == model.name
    with pytest.raises(FrozenInstanceError):
        model.digest = ""


def test_the_name_of_torchvision_s_file_begins_its_hash():
    model = find_model("vgg19-torchvision")
    assert model.urls[0].endswith(f"-{model.digest[:8]}.pth")


def test_no_such_model():
    with pytest.raises(WeightsError, match=r"no model 'vgg16': choose from vgg19, vgg19-torch"):
        find_model("vgg16")

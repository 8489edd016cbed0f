"""The bundled network."""

from __future__ import annotations

import pytest

from impasto.files.weights.store import COMPACT_FILE, load_network
from impasto.recipe.still import CONTENT_LAYERS, STYLE_LAYERS, Recipe


@pytest.fixture(scope="module")
def loaded():
    return load_network(Recipe())


def test_it_reaches_every_default_layer_and_conv5_1(loaded):
    assert loaded.network.layers[-1] == "conv5_1"
    assert {*CONTENT_LAYERS, *STYLE_LAYERS} <= set(loaded.network.layers)


def test_its_file_is_small():
    assert COMPACT_FILE.stat().st_size < 4_000_000


def test_its_heads_stand_for_the_layers_of_vgg19(loaded):
    channels = {name: head.channels for name, head in loaded.network.heads.items()}
    widths = {"conv1_1": 64, "conv2_1": 128, "conv3_1": 256, "conv4_1": 512, "conv5_1": 512}
    assert {name: channels[name] for name in STYLE_LAYERS} == widths


def test_it_tells_pictures_apart_at_every_layer(loaded, waves):
    one, other = (
        loaded.network.features(waves(48, 64, phase=p).float(), loaded.network.layers)
        for p in (0.0, 2.0)
    )
    for name in loaded.network.layers:
        assert one[name].isfinite().all(), name
        assert (one[name] - other[name]).norm() > 0.05 * one[name].norm(), name

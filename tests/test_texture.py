"""Textures: a painting's style alone; seams like any other line."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from PIL import Image

import impasto
from impasto.api import texture_job

QUICK = {"scales": 1, "steps": (2,), "precision": "fp32", "threads": 1}


def seam_ratios(image: Image.Image) -> list[float]:
    """Mean change across the seam over that across all lines of the same phase, by axis.

    Pooling makes even lines differ from odd ones; the seam is a multiple of 16, and is compared
    with the others.
    """
    levels = np.asarray(image, dtype=np.float64)
    ratios = []
    for axis in (0, 1):
        others = tuple(i for i in range(3) if i != axis)
        changes = np.abs(levels - np.roll(levels, 1, axis)).mean(others)
        ratios.append(changes[0] / changes[2::2].mean())
    return ratios


@pytest.fixture(scope="module")
def brush(waves) -> np.ndarray:
    return waves(96, 120, phase=1.7)[0].permute(1, 2, 0).numpy()


@pytest.mark.slow
def test_a_seam_is_a_line_like_any_other(brush):
    options = {**QUICK, "scales": 2, "steps": (30, 20)}
    tile = impasto.texture(brush, (128, 96), tileable=True, **options)
    cut = impasto.texture(brush, (128, 96), **options)
    assert tile.image.size == cut.image.size == (128, 96)
    assert max(seam_ratios(tile.image)) < 1.35
    assert min(seam_ratios(cut.image)) > 1.8


@pytest.mark.slow
def test_a_tile_of_any_size_meets_at_its_edges(brush):
    options = {**QUICK, "scales": 2, "steps": (30, 20)}
    tile = impasto.texture(brush, (125, 90), tileable=True, **options)
    cut = impasto.texture(brush, (125, 90), **options)
    assert tile.image.size == cut.image.size == (125, 90)
    levels = [np.asarray(each.image, dtype=np.float64) for each in (tile, cut)]
    for axis in (0, 1):
        changes = [np.abs(np.diff(x, axis=axis, append=np.take(x, [0], axis))) for x in levels]
        others = tuple(i for i in range(3) if i != axis)
        of_tile, of_cut = (each.mean(others) for each in changes)
        assert of_tile[-1] < 1.5 * of_tile[:-1].mean()
        assert of_cut[-1] > 1.8 * of_cut[:-1].mean()


def test_a_tile_s_sizes_are_said_and_recorded(brush):
    tile = impasto.texture(brush, (50, 30), tileable=True, **QUICK)
    assert [note for note in tile.notes if "64x32" in note and "50x30" in note]
    assert tile.record["result"]["size"] == [30, 50]
    assert tile.record["result"]["made_at"] == [32, 64]
    whole = impasto.texture(brush, (64, 32), tileable=True, **QUICK)
    assert not whole.notes
    assert whole.record["result"]["size"] == whole.record["result"]["made_at"] == [32, 64]


def test_a_texture_stopped_at_an_early_size_goes_on_and_is_made_again(brush, tmp_path):
    options = {**QUICK, "scales": 2, "steps": (2, 2), "tileable": True}
    Image.fromarray((255 * brush).astype("uint8")).save(tmp_path / "brush.png")
    job = texture_job(tmp_path / "brush.png", (50, 30), **options)
    next(state for state in job if state.step == 1)
    job.keep(tmp_path / "kept")
    early = job.result().save(tmp_path / "early.png")
    assert impasto.reproduce(early).identical
    again = texture_job(tmp_path / "brush.png", (50, 30), resume=tmp_path / "kept", **options)
    assert [state.step for state in again] == [1, 2, 2, 3, 4]
    whole = impasto.texture(tmp_path / "brush.png", (50, 30), **options)
    assert torch.equal(again.result().tensor, whole.tensor)


def test_the_picture_comes_to_the_painting_s_style(brush):
    record = impasto.texture(brush, 64, tileable=True, **{**QUICK, "steps": (60,)}).record
    assert record["task"] == "texture"
    assert set(record["inputs"]) == {"styles"}
    assert record["recipe"]["strength"] == 1
    assert not record["recipe"]["content_layers"]
    assert record["losses"][-1]["style"] < 0.1 * record["losses"][0]["style"]
    assert record["losses"][-1]["content"] == 0
    assert record["result"]["size"] == [64, 64]


def test_seeds_make_different_textures_and_the_same_seed_the_same(brush):
    first, again, other = (impasto.texture(brush, 32, seed=s, **QUICK).tensor for s in (1, 1, 2))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


def test_several_paintings_are_blended(brush, painting):
    one = impasto.texture([brush, painting], 32, blend=(1, 0), **QUICK)
    other = impasto.texture([brush, painting], 32, blend=(0, 1), **QUICK)
    assert not torch.equal(one.tensor, other.tensor)


@pytest.mark.parametrize(
    ("size", "options", "said"),
    [
        (64, {"strength": 0.5}, "strength"),
        (64, {"preserve_color": "luminance"}, "preserve_color"),
        (64, {"stength": 1}, "stength"),
        (8, {}, "at least 16"),
        ((100_000, 100_000), {}, "max_pixels"),
        (64, {"blend": (1, 2)}, "2 shares for 1 painting"),
    ],
)
def test_what_a_texture_cannot_be(size, options, said, brush):
    with pytest.raises(impasto.RecipeError, match=said):
        impasto.texture(brush, size, **{**QUICK, **options})
    with pytest.raises(impasto.RecipeError, match="painting"):
        impasto.texture([], 64)

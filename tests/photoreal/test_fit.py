"""Fitting: repeatable, nothing at strength 0, and each region by its own style."""

from __future__ import annotations

import pytest
import torch

from impasto.files.weights.store import load_network
from impasto.ops.metrics import color_distance
from impasto.ops.natural import natural_picture
from impasto.photoreal.fit import Settings, fit_grid
from impasto.photoreal.meaning import alike
from impasto.photoreal.regions import refined
from impasto.recipe.still import Recipe

SMALL = Settings(size=64, depth=6, across=3)


@pytest.fixture(scope="module")
def network():
    return load_network(Recipe()).network


@pytest.fixture(scope="module")
def photograph():
    return natural_picture(60, 80, seed=1)


@pytest.fixture(scope="module")
def style():
    return (natural_picture(64, 64, seed=2) * torch.tensor([1.0, 0.6, 0.3]).view(3, 1, 1)) * 0.7


def test_nears_the_styles_colours_and_is_repeatable(network, photograph, style):
    runs = [list(fit_grid(photograph, [style], network, steps=2, settings=SMALL)) for _ in range(2)]
    assert [state.step for state in runs[0]] == [0, 1, 2]
    last = runs[0][-1].change.apply(photograph)
    assert last.shape == photograph.shape
    assert last.min() >= 0
    assert last.max() <= 1
    assert torch.equal(last, runs[1][-1].change.apply(photograph))
    assert color_distance(last, style) < 0.5 * color_distance(photograph, style)


def test_strength_nothing_is_the_photograph(network, photograph, style):
    *_, state = fit_grid(photograph, [style], network, strength=0, steps=1, settings=SMALL)
    assert torch.equal(state.change.apply(photograph), photograph)


def test_each_region_takes_its_own_styles_colours(network, photograph):
    regions = torch.zeros(1, 2, 60, 80)
    regions[:, 0, :, :40], regions[:, 1, :, 40:] = 1, 1
    style = torch.full((1, 3, 64, 64), 0.3)
    style[:, 0, :, :32] += 0.3
    style[:, 2, :, 32:] += 0.3
    style_regions = torch.zeros(1, 2, 64, 64)
    style_regions[:, 0, :, :32], style_regions[:, 1, :, 32:] = 1, 1
    *_, state = fit_grid(
        photograph,
        [style],
        network,
        regions=regions,
        style_regions=[style_regions],
        steps=0,
        settings=SMALL,
    )
    made = state.change.apply(photograph)[0]
    left, right = made[..., :36].mean((1, 2)), made[..., 44:].mean((1, 2))
    assert left[0] > left[2] + 0.1
    assert right[2] > right[0] + 0.1


def test_regions_found_and_refined_are_shares(network, photograph, style):
    found, believed, of_styles = alike(photograph, [style], network)
    ones = found.sum(1)
    torch.testing.assert_close(ones, torch.ones_like(ones), atol=1e-4, rtol=0)
    assert believed.min() > 0
    assert of_styles[0].shape[1] == found.shape[1]
    masks = refined(found, photograph, believed).at(photograph)
    assert masks.shape[-2:] == photograph.shape[-2:]
    assert masks.min() >= 0
    torch.testing.assert_close(masks.sum(1), torch.ones(1, 60, 80), atol=1e-4, rtol=0)


def test_shares_leave_a_style_picture_out(network, photograph, style):
    blue = torch.rand(1, 3, 48, 48) * torch.tensor([0.2, 0.3, 1.0]).view(3, 1, 1)

    def made(styles, shares):
        own = {"shares": shares, "steps": 1, "settings": SMALL}
        regions = torch.ones(1, 1, 60, 80)
        *_, state = fit_grid(photograph, styles, network, regions=regions, **own)
        return state.change.apply(photograph)

    both, alone = made([style, blue], [[1.0, 0.0]]), made([style], [[1.0]])
    torch.testing.assert_close(both, alone, atol=2e-3, rtol=0)
    assert color_distance(made([style, blue], [[0.5, 0.5]]), alone) > 0.01

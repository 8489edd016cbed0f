"""Image analogies: PatchMatch, coherence, and filters that are learnt from one pair."""

from __future__ import annotations

import pytest
import torch

from impasto.ops.color import rgb_to_luma
from impasto.ops.metrics import psnr
from impasto.ops.natural import natural_picture
from impasto.painters.analogy import KAPPA, _distance, _finer, analogy, coherent, search
from impasto.painters.structure import blurred


def _rng(seed=0):
    return torch.Generator().manual_seed(seed)


def _field(height, width, rows, columns, seed=0):
    places = torch.rand(height, width, 2, generator=_rng(seed)) * torch.tensor([rows, columns])
    return places.long()


def test_a_planted_copy_is_found():
    """A part of the keys, as queries: every pixel's own place is at distance nought."""
    keys = torch.randn(40, 50, 6, generator=_rng())
    # Neighbouring descriptions are alike, as those of patches are.
    keys = blurred(keys.permute(2, 0, 1)[None], 2.0)[0].permute(1, 2, 0)
    queries = keys[9:29, 17:47].contiguous()
    found = search(queries, keys, _field(20, 30, 40, 50), _rng(1))
    rows, columns = torch.meshgrid(torch.arange(20), torch.arange(30), indexing="ij")
    right = (found == torch.stack([rows + 9, columns + 17], -1)).all(-1)
    assert float(right.float().mean()) > 0.97


@pytest.mark.parametrize("seed", range(4))
def test_no_place_becomes_worse_and_all_are_inside(seed):
    queries, keys = (torch.randn(13, 17, 4, generator=_rng(seed + each)) for each in (0, 9))
    before = _field(13, 17, 13, 17, seed)
    after = search(queries, keys, before, _rng(seed))
    assert bool((_distance(queries, keys, after) <= _distance(queries, keys, before)).all())
    assert int(after.min()) >= 0
    assert bool((after <= torch.tensor([12, 16])).all())


def test_coherence_costs_no_more_than_it_may():
    queries, keys = (torch.rand(12, 12, 3, generator=_rng(each)) for each in (0, 1))
    field = search(queries, keys, _field(12, 12, 12, 12), _rng())
    joined = coherent(queries, keys, field)
    before, after = (_distance(queries, keys, each) for each in (field, joined))
    assert bool((after <= (1 + KAPPA) * before + 1e-6).all())

    def beside(each):
        return int(((each[:, 1:] - each[:, :-1]) == torch.tensor([0, 1])).all(-1).sum())

    assert beside(joined) > beside(field)


@pytest.mark.parametrize("size", [(8, 8), (9, 8), (17, 11)])
def test_a_finer_field_keeps_the_order_of_rows_and_columns(size):
    """The field of a picture that is its own example stays that."""
    half = [each // 2 for each in size]
    rows, columns = torch.meshgrid(*(torch.arange(each) for each in half), indexing="ij")
    finer = _finer(torch.stack([rows, columns], -1), size, torch.Size(size))
    even = finer[: 2 * half[0], : 2 * half[1]]
    rows, columns = torch.meshgrid(
        torch.arange(even.shape[0]), torch.arange(even.shape[1]), indexing="ij"
    )
    assert torch.equal(even, torch.stack([rows, columns], -1))


def test_of_a_pair_that_is_one_picture_nothing_is_learnt_but_that():
    photo = natural_picture(72, 96, seed=1)
    made = analogy(photo, photo, photo)
    assert float(psnr(made, photo)) > 30


def test_a_filter_is_learnt_from_one_pair():
    """The pair is a picture and its negative: another picture becomes its own negative."""
    known, photo = natural_picture(96, 96, seed=1), natural_picture(96, 96, seed=2)
    made = rgb_to_luma(analogy(photo, 1 - known, known))
    both = torch.stack([made.flatten(), rgb_to_luma(photo).flatten()])
    assert float(torch.corrcoef(both)[0, 1]) < -0.85


def test_without_an_original_every_pixel_is_the_example_s():
    example = torch.zeros(1, 3, 48, 48)
    example[:, 0, :, :24], example[:, 2, :, 24:] = 1, 1
    made = analogy(natural_picture(40, 52, seed=3), example)
    colors = {tuple(each) for each in made[0].flatten(1).T.tolist()}
    assert colors <= {(1.0, 0.0, 0.0), (0.0, 0.0, 1.0)}
    assert made.shape == (1, 3, 40, 52)


@pytest.mark.parametrize("size", [(8, 9), (16, 200)])
def test_any_size(size):
    made = analogy(natural_picture(*size, seed=1), natural_picture(20, 31, seed=2))
    assert made.shape == (1, 3, *size)
    assert bool(torch.isfinite(made).all())

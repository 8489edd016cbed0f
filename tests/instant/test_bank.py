"""The bank: which positions it holds, in what shares, and what its prices are."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from impasto.instant import bank as module
from impasto.instant.bank import Bank, Effort
from impasto.instant.decoder import cells_of
from impasto.ops.natural import natural_picture


def _bank(*paintings: Tensor, shares=None, seed=0, effort=module.DEFAULT):
    shares = shares or [1 / len(paintings)] * len(paintings)
    return Bank(
        paintings, shares, cells_of, features=48, dtype=torch.float32, seed=seed, effort=effort
    )


def _painting(height, width, seed=0):
    return torch.rand(1, 3, height, width, generator=torch.Generator().manual_seed(seed))


def test_all_of_a_painting_but_its_rim_and_odd_pixels():
    painting = _painting(66, 83)
    bank = _bank(painting)
    inner = cells_of(painting[..., :64, :80])[..., 2:-2, 2:-2]
    assert len(bank) == 12 * 16
    assert torch.equal(bank.take(torch.arange(len(bank)).view(12, 16)), inner)


def test_a_tiny_painting_keeps_its_rim():
    assert len(_bank(_painting(16, 20))) == 4 * 5


def test_pieces_of_a_large_painting_are_the_painting_s(monkeypatch):
    monkeypatch.setattr(module, "POSITIONS", 3 * 64**2)
    painting = _painting(1100, 900)
    pieces = module._pieces(painting, 1.0, torch.Generator().manual_seed(0))
    assert len(pieces) == 3
    assert {tuple(each.shape[-2:]) for each in pieces} == {(272, 272)}
    cells = {tuple(row.tolist()) for row in cells_of(painting)[0].flatten(1).T[:, :3]}
    assert all(tuple(row.tolist()) in cells for row in cells_of(pieces[0])[0].flatten(1).T[:, :3])
    bank = _bank(painting)
    assert len(bank) == 3 * 64**2
    other = [_bank(painting, seed=seed).take(torch.arange(9).view(3, 3)) for seed in (0, 1, 2)]
    assert torch.equal(bank.take(torch.arange(9).view(3, 3)), other[0])
    assert not all(torch.equal(other[0], each) for each in other[1:])


def test_a_long_and_thin_painting_has_pieces_too(monkeypatch):
    monkeypatch.setattr(module, "POSITIONS", 2 * 64**2)
    assert len(_bank(_painting(40, 4000))) > 0


@pytest.mark.parametrize("shares", [(0.5, 0.5), (0.8, 0.2)])
def test_the_first_matches_are_among_the_shares(shares):
    one, other = _painting(80, 80, 1), _painting(120, 90, 2)
    sample = _bank(one, other, shares=shares, effort=Effort(first=100))._sample
    counts = [int((sample < 16 * 16).sum()), int((sample >= 16 * 16).sum())]
    assert counts == [round(100 * share) for share in shares]


def test_a_share_of_nothing_is_not_in_it():
    assert len(_bank(_painting(80, 80), _painting(80, 80, 2), shares=(1.0, 0.0))) == 16 * 16


def test_prices_between_the_sample_are_the_mean_of_those_near():
    bank = _bank(_painting(80, 80), effort=Effort(first=60))
    queries = cells_of(_painting(40, 40, 5))[0].flatten(1).T
    price = bank.prices(queries, queries.mean(0), 1.0)
    known = torch.full((16 * 16,), torch.nan)
    known[bank._sample] = price[bank._sample]
    for position in range(0, 16 * 16, 7):
        y, x = divmod(position, 16)
        reach = 3  # the root of 256 / 60, rounded up
        near = known.view(16, 16)[
            max(0, y - reach) : y + reach + 1, max(0, x - reach) : x + reach + 1
        ]
        if known[position].isnan() and not near.isnan().all():
            assert float(price[position]) == pytest.approx(float(near.nanmean()), abs=1e-5)
    assert torch.equal(bank.prices(queries, queries.mean(0), 0.0), torch.zeros(16 * 16))


def test_a_picture_finds_itself():
    painting = _painting(80, 80)
    bank = _bank(painting)
    inner = cells_of(painting)[..., 2:-2, 2:-2]
    queries = inner[0].flatten(1).T
    match = bank.match(queries, queries.mean(0), torch.zeros(len(bank)), (16, 16))
    assert torch.equal(match, torch.arange(16 * 16))


def test_another_seed_likes_other_parts_of_the_painting():
    painting = natural_picture(96, 96, seed=1)
    banks = [
        Bank(
            [painting],
            [1.0],
            lambda picture: torch.nn.functional.avg_pool2d(picture, 4),
            features=3,
            dtype=torch.float32,
            seed=seed,
        )
        for seed in (0, 1, 1, 2)
    ]
    queries = torch.rand(64, 3, generator=torch.Generator().manual_seed(0))
    none, one, again, two = (bank.prices(queries, queries.mean(0), 0.0) for bank in banks)
    assert not none.any()
    assert torch.equal(one, again)
    assert (one - two).abs().mean() > 0.02

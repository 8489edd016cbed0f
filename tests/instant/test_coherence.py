"""Coherent matching: the table and the votes by hand, and what agreement is worth."""

from __future__ import annotations

import torch
from hypothesis import given
from hypothesis import strategies as st

from impasto.instant.coherence import AROUND, coherent, continuations
from impasto.instant.matching import cheapest, directions


def _directions(rows, seed, channels=5):
    generator = torch.Generator().manual_seed(seed)
    return directions(torch.randn(rows, channels, generator=generator))


def _agreement(matches, table, size):
    """The mean share of a position's eight neighbours whose matches its own goes on to."""
    grid, votes, count = matches.view(size), 0, 0
    for i, (down, right) in enumerate(AROUND):
        for y in range(size[0]):
            for x in range(size[1]):
                if 0 <= y + down < size[0] and 0 <= x + right < size[1]:
                    votes += int(table[i, grid[y, x]] == grid[y + down, x + right])
                    count += 1
    return votes / count


def test_the_table_by_hand():
    # 0 1 2
    # 3 4 5   and   6
    table = continuations([(2, 3), (1, 1)])
    nothing = 7
    assert table.shape == (8, 8)
    assert table[:, 4].tolist() == [0, 1, 2, 3, 5, nothing, nothing, nothing]
    assert table[:, 0].tolist() == [nothing, nothing, nothing, nothing, 1, nothing, 3, 4]
    assert table[:, 6].tolist() == [nothing] * 8  # the other piece goes on to nothing
    assert table[:, nothing].tolist() == [nothing] * 8


def test_a_picture_of_the_painting_itself_is_its_own_match():
    offered = _directions(35, 1)
    table = continuations([(5, 7)])
    first = torch.arange(35)
    found = coherent(offered, offered, torch.zeros(35), first, table, size=(5, 7), weight=0.5)
    assert torch.equal(found, first)


def test_the_neighbours_mend_a_match():
    """One position of nine differs from what its neighbours say, by less than they are worth."""
    offered = torch.eye(9)
    asked = offered.clone()
    asked[4] = 0.6 * offered[4] + 0.8 * offered[0]
    table = continuations([(3, 3)])
    first = cheapest(asked, offered, torch.zeros(9))
    assert first.tolist() == [0, 1, 2, 3, 0, 5, 6, 7, 8]
    for weight, match in ((0.3, 4), (0.1, 0)):  # .8 against .6 and all of the weight
        found = coherent(asked, offered, torch.zeros(9), first, table, size=(3, 3), weight=weight)
        assert found[4] == match
        assert found[0] == 0


def test_a_price_is_paid():
    asked, offered = torch.ones(1, 1), torch.tensor([[1.0], [0.9]])
    table = continuations([(1, 2)])
    first = torch.tensor([1])
    found = coherent(
        asked, offered, torch.tensor([0.2, 0.0]), first, table, size=(1, 1), weight=1.0
    )
    assert found.tolist() == [1]


@given(st.integers(2, 9), st.integers(2, 9), st.integers(0, 99))
def test_agreement_rises_and_no_match_is_outside(height, width, seed):
    asked, offered = _directions(height * width, seed), _directions(30, seed + 1)
    table, price = continuations([(5, 6)]), torch.zeros(30)
    first = cheapest(asked, offered, price)
    size = (height, width)
    shares = [_agreement(first, table, size)]
    for weight in (0.0, 8.0):
        found = coherent(asked, offered, price, first, table, size=size, weight=weight)
        assert 0 <= int(found.min()) <= int(found.max()) < 30
        shares.append(_agreement(found, table, size))
        if not weight:  # the likeness alone: the first matches are already the best
            likeness = (asked * offered[found]).sum(1)
            assert torch.allclose(likeness, (asked * offered[first]).sum(1), atol=1e-6)
    assert shares[2] >= shares[0] - 0.05
    assert shares[2] > 0


def test_a_match_depends_on_no_more_than_the_rounds_reach():
    """Tiles rely on this: what lies further away than the rounds changes nothing."""
    asked, other = _directions(24 * 24, 3), _directions(24 * 24, 4)
    offered, table, price = _directions(30, 5), continuations([(5, 6)]), torch.zeros(30)
    mixed = torch.where(torch.arange(24 * 24)[:, None] % 24 < 4, other, asked)
    found = [
        coherent(
            each, offered, price, cheapest(each, offered, price), table, size=(24, 24), weight=0.6
        ).view(24, 24)
        for each in (asked, mixed)
    ]
    reach = 4 + 8
    assert torch.equal(found[0][:, reach:], found[1][:, reach:])
    assert not torch.equal(found[0], found[1])

"""Coherent matching: neighbours in the picture take neighbours in the painting.

Matched each by itself, positions side by side take pieces from all over a painting, and no stroke
longer than a position survives. So each position is also offered what continues the matches around
it, as in image analogies (Ashikhmin 2001; Hertzmann et al. 2001, section 3.2), and every neighbour
that the offer continues speaks for it.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

AROUND = ((-1, -1), (-1, 0), (-1, 1), (0, -1), (0, 1), (1, -1), (1, 0), (1, 1))


def continuations(sizes: Sequence[tuple[int, int]]) -> Tensor:
    """Where a bank's positions go on, ``(8, M + 1)``: for each of :data:`AROUND` what lies there.

    Args:
        sizes: height and width of each piece of a painting; the bank holds their positions one
            piece after the other, row by row.

    Returns:
        Indices; M, which also goes on to itself, stands for nothing.

    """
    total = sum(height * width for height, width in sizes)
    tables, start = [], 0
    for height, width in sizes:
        own = torch.arange(start, start + height * width).view(1, 1, height, width)
        padded = F.pad(own, (1, 1, 1, 1), value=total)[0, 0]
        tables.append(
            torch.stack(
                [
                    padded[1 + down : 1 + down + height, 1 + right : 1 + right + width].flatten()
                    for down, right in AROUND
                ]
            )
        )
        start += height * width
    return torch.cat([*tables, torch.full((8, 1), total)], 1)


def coherent(
    asked: Tensor,
    offered: Tensor,
    price: Tensor,
    first: Tensor,
    table: Tensor,
    *,
    size: tuple[int, int],
    weight: float,
    rounds: int = 8,
) -> Tensor:
    """Better matches than the first ones, each position's seen with its neighbours'.

    A match is worth its likeness less its price, plus ``weight`` times the share of the eight
    neighbours whose own matches it continues.

    Args:
        asked: directions of the picture's positions ``(N, D)``.
        offered: those of the bank's ``(M, D)``.
        price: of the bank's positions ``(M)``.
        first: matches to begin with ``(N)``.
        table: from :func:`continuations`, ``(8, M + 1)``.
        size: height and width of the picture, in positions; their product is N.
        weight: of agreeing with all neighbours, in units of cosine similarity.
        rounds: each decides every other position, as the colours of a chessboard.

    Returns:
        Indices ``(N)`` below M.

    """
    nothing = len(offered)
    offered = torch.cat([offered, offered.new_zeros(1, offered.shape[1])])
    price = torch.cat([price, price.new_full((1,), torch.inf)])
    width = size[1] + 2
    matches = F.pad(first.view(size), (1, 1, 1, 1), value=nothing).flatten()
    steps = [down * width + right for down, right in AROUND]
    halves = _halves(*size, first.device)
    for number in range(rounds):
        half, places = halves[number % 2]
        # What lies up and left of the match of the position down and right of here, and so on.
        offers = torch.stack([table[7 - i, matches[places + step]] for i, step in enumerate(steps)])
        choices = torch.cat([offers, matches[places][None], first[half][None]])
        votes = (choices[:, None] == offers[None]).sum(1)
        queries = asked[half]
        worth = torch.stack([(queries * offered[each]).sum(1) for each in choices])
        worth += votes * (weight / len(AROUND)) - price[choices]
        matches[places] = choices.gather(0, worth.argmax(0, keepdim=True))[0]
    return matches.view(-1, width)[1:-1, 1:-1].flatten()


def _halves(height: int, width: int, device: torch.device) -> list[tuple[Tensor, Tensor]]:
    """The positions of each colour of a chessboard, and where they lie with a border of one."""
    halves = []
    for colour in (0, 1):
        half = 2 * torch.arange((height * width + 1 - colour) // 2, device=device) + colour
        if width % 2 == 0:  # or the colours of a row would be those of the row above it
            half = half + (1 - 2 * colour) * (half // width % 2)
        rows, columns = half // width, half % width
        halves.append((half, (rows + 1) * (width + 2) + columns + 1))
    return halves

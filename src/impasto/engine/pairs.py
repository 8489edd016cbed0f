"""The pairs that L-BFGS remembers, and its product H g, by inner products alone.

The two-loop recursion (Nocedal and Wright 2006, algorithm 7.4) needs no more of its vectors than
their inner products; with those in a small matrix it is arithmetic on a few numbers (Chen, Wang
and Zhou 2014, "Large-scale L-BFGS using MapReduce"). What is left for the long vectors: one pass
over all of them for a new pair, one for a gradient and one to put the result together, each a
matrix-vector product, in place of forty passes one after the other.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from impasto.engine.storage import Storage, in_memory


class Pairs:
    """The last pairs (s, y) of steps and gradient changes, as rows of one matrix.

    Args:
        capacity: pairs remembered; each further one takes the oldest one's place.
        storage: where they lie.

    """

    def __init__(self, capacity: int, storage: Storage = in_memory) -> None:
        self.capacity = capacity
        self._storage = storage
        self._rows = torch.empty(0)  # s and y of the pair in place k are rows 2k and 2k + 1
        self._products = torch.zeros(2 * capacity, 2 * capacity, dtype=torch.float64)
        self._places: list[int] = []  # oldest first

    def __len__(self) -> int:
        return len(self._places)

    def add(self, images: tuple[Tensor, Tensor], gradients: tuple[Tensor, Tensor]) -> None:
        """Remember the differences of two pictures and of their gradients; s . y must be positive.

        Args:
            images: the later one first.
            gradients: likewise.

        """
        if not self._places:
            self._rows = self._storage(images[0], (2 * self.capacity, images[0].numel()))
        place = len(self) if len(self) < self.capacity else self._places.pop(0)
        self._places.append(place)
        s, y = self._rows[2 * place], self._rows[2 * place + 1]
        for row, (after, before) in ((s, images), (y, gradients)):
            torch.sub(after.flatten(), before.flatten(), out=row)
        # Of s . y' the recursion asks only where y' is the younger, so s needs no pass of its own.
        found = self._dot(y)
        self._products[2 * place + 1, : len(found)] = found
        self._products[: len(found), 2 * place + 1] = found

    def turn(self, gradient: Tensor) -> Tensor:
        """Turn g into -H g, in place; H is the inverse Hessian that the pairs tell of.

        At least one pair is needed, and a contiguous gradient.
        """
        flat = gradient.view(-1)
        scale, shares = self._recursion(self._dot(flat))
        flat.addmv_(self._filled().mT, shares.to(flat), beta=-scale, alpha=-1)
        return gradient

    def forget(self) -> None:
        """Forget every pair."""
        self._places, self._rows = [], torch.empty(0)

    def state_dict(self) -> dict[str, Any]:
        """Copies of the pairs, and what is known of them."""
        return {
            "rows": self._copied(self._filled()),
            "products": self._products.clone(),
            "places": list(self._places),
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take up where :meth:`state_dict` left off."""
        rows = state["rows"]
        self._places = list(state["places"])
        self._products = state["products"].clone()
        self._rows = self._storage(rows, (2 * self.capacity, rows.shape[-1]))
        self._rows[: len(rows)].copy_(rows)

    def _copied(self, rows: Tensor) -> Tensor:
        return self._storage(rows, tuple(rows.shape)).copy_(rows)

    def _filled(self) -> Tensor:
        return self._rows[: 2 * len(self)]

    def _dot(self, vector: Tensor) -> Tensor:
        """Inner products of all the rows with a vector."""
        return torch.mv(self._filled(), vector).double().cpu()

    def _recursion(self, dots: Tensor) -> tuple[float, Tensor]:
        """H g = scale * g + the rows times their shares, from the rows' products with g."""
        products: list[list[float]] = self._products.tolist()
        with_gradient: list[float] = dots.tolist()
        shares = [0.0] * len(dots)  # of the rows in q, and then in r

        def product(row: int) -> float:
            """Of one row with scale * g + the shares so far."""
            return scale * with_gradient[row] + sum(
                share * products[row][other] for other, share in enumerate(shares) if share
            )

        scale = 1.0
        for k in reversed(self._places):
            s, y = 2 * k, 2 * k + 1
            shares[y] = -product(s) / products[s][y]
        youngest = 2 * self._places[-1]
        scale = products[youngest][youngest + 1] / products[youngest + 1][youngest + 1]
        shares = [scale * share for share in shares]
        for k in self._places:
            s, y = 2 * k, 2 * k + 1
            shares[s] = -shares[y] / scale - product(y) / products[s][y]
        return scale, torch.tensor(shares, dtype=torch.float64)

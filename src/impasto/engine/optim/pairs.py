"""The pairs that L-BFGS remembers, and its product H g, by inner products alone.

The two-loop recursion (Nocedal and Wright 2006, algorithm 7.4) needs no more of its vectors than
their inner products; with those in a small matrix it is arithmetic on a few numbers (Chen, Wang
and Zhou 2014, "Large-scale L-BFGS using MapReduce"). What is left for the long vectors: one pass
over all of them for their products with a gradient and with what is new among them, and one to put
the result together, each a matrix product, in place of forty passes one after the other.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from impasto.engine.objective.objective import Evaluation
from impasto.engine.optim.storage import Storage, in_memory
from impasto.engine.optim.vectors import Plain, Vectors


class Pairs:
    """The last pairs (s, y) of steps and gradient changes, as rows of one matrix.

    Args:
        capacity: pairs remembered; each further one takes the oldest one's place.
        storage: where they lie.
        vectors: the arithmetic, and the pairs' type.

    """

    def __init__(
        self, capacity: int, storage: Storage = in_memory, vectors: Vectors | None = None
    ) -> None:
        self.capacity = capacity
        self._vectors = vectors or Plain()
        self._storage = storage
        self._rows = torch.empty(0)  # s and y of the pair in place k are rows 2k and 2k + 1
        self._products = torch.zeros(2 * capacity, 2 * capacity, dtype=torch.float64)
        self._places: list[int] = []  # oldest first
        self._new: int | None = None  # the row of a y whose products are not known yet

    def __len__(self) -> int:
        return len(self._places)

    def add(self, later: Evaluation, at: Evaluation) -> bool:
        """Remember the differences of two pictures and of their gradients.

        The oldest pair makes room where there is none. A pair without positive curvature, s . y not
        above 1e-10 y . y, is not remembered.

        Args:
            later: the later one.
            at: the earlier one.

        Returns:
            Whether it is remembered.

        """
        if self._new is not None:
            self._learn()
        if not self._rows.numel():
            self._rows = self._room_for(later.image.numel(), later.image)
        if len(self) == self.capacity:
            del self._places[0]
        place = min(set(range(self.capacity)).difference(self._places))
        pair = self._rows[2 * place : 2 * place + 2]
        s_y, y_y = self._vectors.remember(later, at, pair)
        if not s_y > 1e-10 * y_y:
            pair.zero_()
            return False
        self._places.append(place)
        self._new = 2 * place + 1
        return True

    def search_direction(self, at: Evaluation, out: Tensor) -> float:
        """-H g within the free values into ``out``; its product with g.

        H is the approximate inverse Hessian of the pairs, of which at least one is needed; g is the
        gradient, zero where values are held (:mod:`impasto.engine.optim.vectors`).
        """
        scale, shares = self._recursion(self._learn(at)[0])
        return self._vectors.search_direction(self._filled(), shares, scale, at, out)

    def forget(self) -> None:
        """Forget every pair."""
        self._places, self._rows, self._new = [], torch.empty(0), None

    def state_dict(self) -> dict[str, Any]:
        """Copies of the pairs, and what is known of them."""
        return {
            "rows": self._copied(self._filled()),
            "products": self._products.clone(),
            "places": list(self._places),
            "new": self._new,
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Restore a :meth:`state_dict`."""
        rows = state["rows"]
        self._places, self._new = list(state["places"]), state["new"]
        self._products = state["products"].clone()
        # Pairs may have been halved where they come from, and not be here.
        like = rows.float() if rows.dtype == torch.bfloat16 else rows
        self._rows = self._room_for(rows.shape[-1], like)
        self._rows[: len(rows)].copy_(rows)

    def _room_for(self, length: int, image: Tensor) -> Tensor:
        return self._storage(self._vectors.row_like(image), (2 * self.capacity, length))

    def _copied(self, rows: Tensor) -> Tensor:
        return self._storage(rows, tuple(rows.shape)).copy_(rows)

    def _filled(self) -> Tensor:
        return self._rows[: 2 * (max(self._places, default=-1) + 1)]

    def _learn(self, at: Evaluation | None = None) -> Tensor:
        """Inner products of the gradient with all rows; those of a new y become known as well."""
        rows, new = self._filled(), self._new
        products = self._vectors.products(rows, at, None if new is None else rows[new])
        if new is None:
            return products
        # Of s . y' the recursion asks only where y' is the younger, so s needs no pass of its own.
        self._products[new, : len(rows)] = products[-1]
        self._products[: len(rows), new] = products[-1]
        self._new = None
        return products

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

"""Region-based rendering: split and match (report, reference 6, figure 3).

Frigo, Sabater, Delon and Hellier 2016, *Split and Match: Example-based Adaptive Patch Sampling for
Unsupervised Style Transfer*. The photograph is split into a quadtree: a patch is split where it is
not uniform and nothing in the painting is like it. Each leaf has a few candidates of the painting;
a Markov field chooses among them, so that neighbours agree where they overlap, and overlaps are
blended. Departures: patches are compared on 8 x 8 means and in colour, after the photograph has
been given the painting's colour statistics, where the paper compares luminance and transfers colour
afterwards; and two neighbours that are the same place of the painting cost extra.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F
from torch import Tensor

from impasto.errors import PictureError
from impasto.ops.color import match_color_statistics
from impasto.painters.field import Field, settled

Floats = npt.NDArray[np.floating[Any]]
Box = tuple[int, int, int, int]
CELLS = 8  # along a patch's side, where patches are compared
CANDIDATES = 16
UNIFORM = 0.04  # standard deviation of a patch that is never split, in units of values
LIKE = 0.10  # root mean square difference from its best match, likewise
REPEATED = 0.02  # what two neighbours cost that are the same place of the painting
AGREE = 1.5  # weight of the overlaps' differences beside a patch's own
OVERLAP = 4  # a patch reaches beyond its leaf by its side divided by this
MOST = 6000  # patches of the painting for each size


@dataclass(frozen=True)
class Leaf:
    """A square of the photograph, and its candidates.

    Attributes:
        y: its upper edge.
        x: its left edge.
        side: in pixels, without overlap.
        costs: mean square difference of each candidate, ``(K,)``.
        corners: of the candidates, with overlap, y and x in the painting, ``(K, 2)``.

    """

    y: int
    x: int
    side: int
    costs: Floats
    corners: npt.NDArray[np.int64]

    @property
    def margin(self) -> int:
        """How far it reaches beyond its edges."""
        return max(1, self.side // OVERLAP)

    @property
    def box(self) -> Box:
        """Its square with overlap: top, left, bottom, right."""
        whole = self.side + self.margin
        return self.y - self.margin, self.x - self.margin, self.y + whole, self.x + whole


def split_and_match(
    photograph: Tensor, painting: Tensor, *, largest: int = 64, smallest: int = 8
) -> Tensor:
    """A photograph put together from patches of a painting.

    Args:
        photograph: ``(1, 3, H, W)`` float32 in [0, 1].
        painting: ``(1, 3, h, w)``, at the size that its strokes are to have.
        largest: side of the quadtree's roots, in pixels.
        smallest: side below which nothing is split.

    Returns:
        ``(1, 3, H, W)`` in [0, 1].

    Raises:
        PictureError: the painting is smaller than the smallest patch.

    """
    while largest > smallest and largest + 2 * (largest // OVERLAP) > min(painting.shape[-2:]):
        largest //= 2
    if largest + 2 * (largest // OVERLAP) > min(painting.shape[-2:]):
        raise PictureError("The painting is too small to be cut into patches: choose a larger one.")
    height, width = photograph.shape[-2:]
    around = largest // OVERLAP
    source = match_color_statistics(photograph, painting).clamp(0, 1)
    right, below = -width % largest, -height % largest
    wide = F.pad(source, (around, right + around, around, below + around), mode="replicate")
    leaves = _leaves(wide, painting, largest, smallest, (height, width))
    values = painting[0].permute(1, 2, 0).contiguous().numpy()
    chosen = settled(_field(leaves, values))
    size = wide.shape[-2], wide.shape[-1]
    return _blended(leaves, chosen, values, size, around)[..., :height, :width]


def _leaves(
    source: Tensor, style: Tensor, largest: int, smallest: int, size: tuple[int, int]
) -> list[Leaf]:
    """The quadtree, from its roots to its leaves; places are the padded photograph's."""
    around = largest // OVERLAP
    height, width = size
    open_now = [
        (y + around, x + around)
        for y in range(0, height, largest)
        for x in range(0, width, largest)
    ]
    leaves, side = [], largest
    while open_now:
        margin = max(1, side // OVERLAP)
        whole = side + 2 * margin
        corners, described = _style_patches(style, whole)
        rows = [_described(_cut(source, y - margin, x - margin, whole)) for y, x in open_now]
        distances = torch.cdist(torch.stack(rows), described).square() / described.shape[1]
        best = distances.topk(min(CANDIDATES, len(corners)), largest=False)
        split = []
        for index, (y, x) in enumerate(open_now):
            uniform = float(_cut(source, y, x, side).std((2, 3)).mean()) < UNIFORM
            like = float(best.values[index, 0]) < LIKE**2
            if side > smallest and not (uniform or like):
                half = side // 2
                split += [(y + a, x + b) for a in (0, half) for b in (0, half)]
            else:
                costs, chosen = best.values[index].numpy(), best.indices[index].numpy()
                leaves.append(Leaf(y, x, side, costs, corners[chosen]))
        # What lies wholly in the padding is of no use.
        open_now = [at for at in split if at[0] < height + around and at[1] < width + around]
        side //= 2
    return leaves


def _cut(image: Tensor, y: int, x: int, side: int) -> Tensor:
    return image[..., y : y + side, x : x + side]


def _described(patch: Tensor) -> Tensor:
    return F.adaptive_avg_pool2d(patch, CELLS).flatten()


def _style_patches(style: Tensor, side: int) -> tuple[npt.NDArray[np.int64], Tensor]:
    """Corners ``(M, 2)`` of patches of the painting, and what they look like ``(M, D)``."""
    height, width = style.shape[-2] - side + 1, style.shape[-1] - side + 1
    step = max(1, side // 8, int(np.ceil((height * width / MOST) ** 0.5)))
    ys, xs = np.arange(0, height, step), np.arange(0, width, step)
    corners = np.stack(np.meshgrid(ys, xs, indexing="ij"), -1).reshape(-1, 2)
    return corners, torch.stack([_described(_cut(style, y, x, side)) for y, x in corners.tolist()])


def _field(leaves: list[Leaf], style: Floats) -> Field:
    """Neighbours cost what their candidates differ by where they overlap, and being the same."""
    count = min(len(leaf.costs) for leaf in leaves)
    own = np.stack([leaf.costs[:count] for leaf in leaves])
    edges = _neighbours(leaves)
    between = np.zeros((len(edges), count, count))
    for index, (one, other) in enumerate(edges):
        pair = leaves[one], leaves[other]
        box = _common(pair[0].box, pair[1].box)
        first, second = (_seen(leaf, style, box, count) for leaf in pair)
        unlike = np.square(first[:, None] - second[None]).mean(-1)
        a, b = (leaf.corners[:count] for leaf in pair)
        same = np.abs(a[:, None] - b[None]).max(-1) < pair[0].margin
        between[index] = (AGREE * unlike + REPEATED * same) / 4  # of four neighbours
    return Field(own, np.array(edges, np.int64).reshape(-1, 2), between)


def _common(one: Box, other: Box) -> Box:
    """Where two boxes overlap: top, left, bottom, right."""
    return (
        max(one[0], other[0]),
        max(one[1], other[1]),
        min(one[2], other[2]),
        min(one[3], other[3]),
    )


def _seen(leaf: Leaf, style: Floats, box: Box, count: int) -> Floats:
    """What each candidate of a leaf shows in a box of the photograph, a row each."""
    top, left, bottom, right = box
    y, x = top - leaf.box[0], left - leaf.box[1]
    return np.stack(
        [
            style[cy + y : cy + y + bottom - top, cx + x : cx + x + right - left].ravel()
            for cy, cx in leaf.corners[:count].tolist()
        ]
    )


def _neighbours(leaves: list[Leaf]) -> list[tuple[int, int]]:
    """Pairs of leaves that share an edge or a part of one."""
    owner: dict[tuple[int, int], int] = {}
    unit = min(leaf.side for leaf in leaves)
    for index, leaf in enumerate(leaves):
        for y in range(leaf.y, leaf.y + leaf.side, unit):
            for x in range(leaf.x, leaf.x + leaf.side, unit):
                owner[y, x] = index
    pairs = set()
    for (y, x), one in owner.items():
        for other in (owner.get((y + unit, x)), owner.get((y, x + unit))):
            if other is not None and other != one:
                pairs.add((min(one, other), max(one, other)))
    return sorted(pairs)


def _blended(
    leaves: list[Leaf],
    chosen: npt.NDArray[np.int64],
    style: Floats,
    size: tuple[int, int],
    around: int,
) -> Tensor:
    """The chosen patches, overlaps blended by weights that fall linearly."""
    total, weights = np.zeros((*size, 3)), np.zeros((*size, 1))
    for leaf, label in zip(leaves, chosen.tolist(), strict=True):
        whole = leaf.side + 2 * leaf.margin
        ramp = np.minimum(np.arange(whole) + 0.5, whole - np.arange(whole) - 0.5)
        ramp = np.minimum(ramp / (2 * leaf.margin), 1)
        window = (ramp[:, None] * ramp)[..., None]
        cy, cx = leaf.corners[label].tolist()
        y, x = leaf.y - leaf.margin, leaf.x - leaf.margin
        total[y : y + whole, x : x + whole] += window * style[cy : cy + whole, cx : cx + whole]
        weights[y : y + whole, x : x + whole] += window
    picture = (total / np.maximum(weights, 1e-9))[around:, around:]
    return torch.from_numpy(picture).float().permute(2, 0, 1)[None].clamp(0, 1)

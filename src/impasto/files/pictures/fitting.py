"""Pictures of an exact size: the middle is cut out beforehand, or a border is added at the end."""

from __future__ import annotations

from dataclasses import replace

import torch.nn.functional as F
from torch import Tensor

from impasto.errors import PictureError
from impasto.files.pictures.images import Picture
from impasto.recipe.still import Recipe

SKEW = 0.02  # by which a mask's proportion may differ
PAPER = 1.0  # the border is white


def cropped_for(recipe: Recipe, picture: Picture) -> Picture:
    """The middle of a photograph in the proportion that is asked for; whole unless ``fit`` is
    ``crop``.

    Args:
        recipe: size and fit.
        picture: the photograph.

    """
    if recipe.fit != "crop" or recipe.frame is None:
        return picture
    height, width = picture.size
    rows, columns = recipe.frame.whole(height, width)
    ratio = min(height / rows, width / columns)
    own = max(1, round(rows * ratio)), max(1, round(columns * ratio))
    top, left = (height - own[0]) // 2, (width - own[1]) // 2
    part = ..., slice(top, top + own[0]), slice(left, left + own[1])
    alpha = None if picture.alpha is None else picture.alpha[part].contiguous()
    return replace(picture, tensor=picture.tensor[part].contiguous(), alpha=alpha)


def mask_for(photograph: Picture, mask: Picture | None, amount: float = 1.0) -> Tensor | None:
    """A mask's brightness, ``(1, 1, H, W)`` in [0, 1], made sure to be of a photograph's shape.

    Args:
        photograph: what it belongs to.
        mask: the mask; None for none.
        amount: that it is multiplied by.

    Raises:
        PictureError: it has another proportion.

    """
    if mask is None:
        return None
    check_proportion("a mask", mask, photograph, "the photograph")
    return amount * mask.tensor.mean(1, keepdim=True)


def check_proportion(kind: str, own: Picture, other: Picture, whose: str) -> None:
    """Make sure that a mask or map has the proportion of what it belongs to.

    Args:
        kind: what it is, in a sentence.
        own: the mask or map.
        other: what it belongs to.
        whose: what that is, in a sentence.

    Raises:
        PictureError: it has another one.

    """
    (height, width), (rows, columns) = other.size, own.size
    if abs(height * columns - width * rows) > SKEW * width * rows + max(height, width):
        raise PictureError(
            f"{own.name!r} is {columns}x{rows} and {whose} {width}x{height}: {kind} needs "
            f"{whose}'s proportion."
        )


def padded_for(recipe: Recipe, image: Tensor) -> Tensor:
    """A result ``(1, C, H, W)`` in the middle of a white frame where ``fit`` is ``pad``."""
    if recipe.fit != "pad" or recipe.frame is None:
        return image
    height, width = image.shape[-2:]
    rows, columns = recipe.frame.whole(height, width)
    down, across = max(0, rows - height), max(0, columns - width)
    edges = (across // 2, across - across // 2, down // 2, down - down // 2)
    return F.pad(image, edges, value=PAPER)

"""Faces in a photograph, by the cascade that scikit-image brings (extra ``demo``).

Local binary patterns (Liao et al. 2007) in a cascade (Viola and Jones 2001): frontal and upright
faces only. What is found counts if it is found in the mirrored picture too; that leaves out
brickwork and foliage, of which the cascade alone finds faces.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from impasto.errors import RecipeError
from impasto.files.pictures.images import Picture
from impasto.ops.inits import resize

LOOKED_AT = 640  # pixels of the longer side
SMALLEST = 28  # pixels of a face there
SUPPORT = 10  # findings that overlap to make one
SAME = 0.4  # overlap, over the union, from which on two findings are one face
TALL, WIDE, UP = 0.7, 0.52, 0.06  # half axes of the ellipse, and its rise, in sides of the finding
SOFT = 0.3  # share of the axes over which it fades


@dataclass(frozen=True)
class Face:
    """A square around a face from brows to chin, in pixels."""

    top: float
    left: float
    side: float


def faces_in(picture: Tensor) -> list[Face]:
    """The frontal, upright faces of a picture ``(1, 3, H, W)`` in [0, 1], the largest first.

    Raises:
        RecipeError: scikit-image is not installed.

    """
    height, width = picture.shape[-2:]
    ratio = min(1.0, LOOKED_AT / max(height, width))
    small = resize(picture, max(1, round(height * ratio)), max(1, round(width * ratio)))
    levels = (255 * small[0].permute(1, 2, 0)).round().byte().numpy()
    if min(levels.shape[:2]) < SMALLEST:
        return []
    mirrored = [
        Face(each.top, levels.shape[1] - each.left - each.side, each.side)
        for each in _found(np.ascontiguousarray(levels[:, ::-1]))
    ]
    faces: list[Face] = []
    for each in sorted(_found(levels), key=lambda face: -face.side):
        is_twice = any(_overlap(each, other) > SAME for other in mirrored)
        if is_twice and not any(_overlap(each, other) > 0.1 for other in faces):
            faces.append(each)
    return [Face(each.top / ratio, each.left / ratio, each.side / ratio) for each in faces]


def mask_of_faces(photograph: Picture) -> Picture:
    """A mask ``(1, 3, H, W)`` of a photograph's faces: a soft ellipse around each."""
    height, width = photograph.size
    faces = faces_in(photograph.tensor)
    mask = torch.zeros(height, width)
    rows, columns = torch.arange(height)[:, None] + 0.5, torch.arange(width)[None] + 0.5
    for face in faces:
        middle = face.top + face.side * (0.5 - UP), face.left + face.side / 2
        down = (rows - middle[0]) / (TALL * face.side)
        across = (columns - middle[1]) / (WIDE * face.side)
        away = (down.square() + across.square()).sqrt()
        mask = torch.maximum(mask, ((1 + SOFT / 2 - away) / SOFT).clamp(0, 1))
    found = f"{len(faces)} face{'' if len(faces) == 1 else 's'} found in {photograph.name}"
    note = (
        f"{found}, and protected."
        if faces
        else (
            f"no face was found in {photograph.name}, so nothing of it is protected: of faces from "
            "the side, tilted or small, paint a mask, and name it with --protect."
        )
    )
    digest = hashlib.sha256(mask.numpy().tobytes()).hexdigest()
    return Picture(mask.expand(1, 3, -1, -1), "faces", digest, notes=(note,))


def _found(levels: npt.NDArray[np.uint8]) -> list[Face]:
    height, width = levels.shape[:2]
    found = _cascade().detect_multi_scale(
        levels, scale_factor=1.1, step_ratio=1, min_size=(SMALLEST, SMALLEST),
        max_size=(height, width), min_neighbor_number=SUPPORT,
    )  # fmt: skip
    return [Face(float(e["r"]), float(e["c"]), float(e["width"])) for e in found]


@cache
def _cascade() -> Any:
    try:
        from skimage.data import lbp_frontal_face_cascade_filename
        from skimage.feature import Cascade
    except ImportError as error:
        raise RecipeError(
            "Faces are found by scikit-image: pip install 'impasto[faces]'; for --protect, a mask "
            "that you paint does as well."
        ) from error
    return Cascade(lbp_frontal_face_cascade_filename())


def _overlap(one: Face, other: Face) -> float:
    down = min(one.top + one.side, other.top + other.side) - max(one.top, other.top)
    across = min(one.left + one.side, other.left + other.side) - max(one.left, other.left)
    common = max(0.0, down) * max(0.0, across)
    return common / (one.side**2 + other.side**2 - common)

"""AVIF and HEIC that note their colours by the numbers of ITU-T H.273."""

from __future__ import annotations

import io

import numpy as np
from PIL import Image


def heic(levels: np.ndarray, primaries: int, transfer: int) -> bytes:
    """``(H, W, 3)`` of eight bits."""
    import pillow_heif

    data = io.BytesIO()
    pillow_heif.from_pillow(Image.fromarray(levels)).save(
        data, quality=-1, chroma=444, color_primaries=primaries,
        transfer_characteristics=transfer, matrix_coefficients=1, full_range_flag=1,
    )  # fmt: skip
    return data.getvalue()


def avif(levels: np.ndarray, primaries: int, transfer: int) -> bytes:
    """``(H, W, 3)`` of eight bits."""
    import imagecodecs

    return bytes(
        imagecodecs.avif_encode(
            levels, level=100, primaries=primaries, transfer=transfer, pixelformat="444"
        )
    )

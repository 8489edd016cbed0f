"""The decoder: a picture from matched hypercolumns and the painting's own pixels at the match."""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from impasto.instant.hypercolumns import CELL

WIDTHS = (128, 64, 32)  # channels at a quarter, half and the whole of the size


class Residual(nn.Module):
    """``x + conv(relu(conv(relu(x))))``, reflection padding."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first, self.second = (convolution(channels, channels) for _ in range(2))

    def forward(self, x: Tensor) -> Tensor:
        """``(B, C, h, w)`` to the same shape."""
        out: Tensor = x + self.second(F.relu(self.first(F.relu(x))))
        return out


class Decoder(nn.Module):
    """Matched features to a picture, by convolutions, residual blocks and bilinear enlargement.

    Bilinear, not nearest or transposed: those leave a weave.

    Args:
        columns: channels of the hypercolumns.
        texture: channels of the texture.

    """

    def __init__(self, columns: int, texture: int) -> None:
        super().__init__()
        self.channels = columns, texture
        quarter, half, whole = WIDTHS
        self.enter = nn.Conv2d(columns + texture + 3 * CELL**2, quarter, 1)
        self.at_quarter = nn.Sequential(*(Residual(quarter) for _ in range(4)))
        self.to_half = convolution(quarter, half)
        self.at_half = Residual(half)
        self.to_whole = convolution(half, whole)
        self.leave = convolution(whole, 3)

    def forward(self, columns: Tensor, texture: Tensor, pixels: Tensor) -> Tensor:
        """The picture ``(B, 3, 4 h, 4 w)`` in [0, 1].

        Args:
            columns: matched hypercolumns ``(B, D, h, w)``.
            texture: matched texture ``(B, E, h, w)``.
            pixels: the painting's 4 x 4 pixels at each match, ``(B, 48, h, w)``
                (:func:`cells_of`).

        """
        x = self.at_quarter(self.enter(torch.cat([columns, texture, (pixels - 0.5) * 4], 1)))
        x = self.at_half(self.to_half(_twice(x)))
        x = F.relu(self.to_whole(_twice(F.relu(x))))
        return torch.sigmoid(self.leave(x))


def convolution(inputs: int, outputs: int) -> nn.Conv2d:
    """3 x 3, reflection padding."""
    return nn.Conv2d(inputs, outputs, 3, padding=1, padding_mode="reflect")


def cells_of(pictures: Tensor) -> Tensor:
    """The pixels of each 4 x 4 cell, ``(B, 3, H, W)`` to ``(B, 48, H / 4, W / 4)``."""
    return F.pixel_unshuffle(pictures, CELL)


def _twice(x: Tensor) -> Tensor:
    return F.interpolate(x, scale_factor=2, mode="bilinear", align_corners=False)


@dataclass(frozen=True)
class Painter:
    """The decoder as its file has it.

    Attributes:
        decoder: in float32.
        scales: what each layer of the hypercolumns is divided by.
        sha256: of its file.

    """

    decoder: Decoder
    scales: tuple[float, ...]
    sha256: str

"""A network that paints a photograph in one pass, after it was trained on one or more paintings.

After Johnson, Alahi and Fei-Fei 2016, *Perceptual Losses for Real-Time Style Transfer*: residual
blocks at a quarter of the size; with instance norm (Ulyanov et al. 2016) whose gains and offsets
are each painting's own (Dumoulin et al. 2017, *A Learned Representation for Artistic Style*), and
bilinear enlargement before a convolution in place of a transposed one, which leaves a weave.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import torch
import torch.nn.functional as F
from torch import Tensor, nn

WIDTHS = (16, 32, 64)  # channels at the whole size, half and a quarter
BLOCKS = 5
CELL = 4  # sides of a picture are made multiples of this
SMALLEST_VARIANCE = 1e-5
SMALLEST = 16  # pixels of a side; below, reflection would reach beyond the picture


class Painter(nn.Module):
    """Photographs to pictures in the style of the paintings that it was trained on.

    Args:
        paintings: how many.
        widths: channels at the whole size, half and a quarter.
        blocks: residual blocks at a quarter of the size.

    """

    def __init__(
        self, paintings: int = 1, widths: Sequence[int] = WIDTHS, blocks: int = BLOCKS
    ) -> None:
        super().__init__()
        whole, half, quarter = self.widths = tuple(widths)
        self.paintings, self.blocks = paintings, blocks
        self.enter = _Layer(3, whole, paintings, kernel=5)
        self.to_half = _Layer(whole, half, paintings, stride=2)
        self.to_quarter = _Layer(half, quarter, paintings, stride=2)
        self.residual = nn.ModuleList(_Block(quarter, paintings) for _ in range(blocks))
        self.from_quarter = _Layer(quarter, half, paintings)
        self.from_half = _Layer(half, whole, paintings)
        self.leave = nn.Conv2d(whole, 3, 5, padding=2, padding_mode="reflect")
        self.kept = nn.Parameter(torch.ones(3))
        self.norm = _Norm(3, paintings)  # the painting's colours, whatever the photograph's
        nn.init.normal_(self.leave.weight, std=0.01)
        nn.init.zeros_(self.leave.bias)  # type: ignore[arg-type]

    def forward(self, photographs: Tensor, shares: Tensor) -> Tensor:
        """The pictures; an untrained network's are the photographs, but for their colours.

        Args:
            photographs: RGB ``(B, 3, H, W)`` in [0, 1], sides of at least 16.
            shares: of each painting, ``(paintings,)``, adding up to 1.

        Returns:
            of the same shape, in [0, 1] and float32; computed in the type of the weights.

        """
        height, width = photographs.shape[-2:]
        centred = (photographs - 0.5) * 4
        framed = F.pad(centred, (0, -width % CELL, 0, -height % CELL), mode="reflect")
        x = self.enter(framed.to(self.leave.weight.dtype), shares)
        x = self.to_quarter(self.to_half(x, shares), shares)
        for block in self.residual:
            x = block(x, shares)
        x = self.from_quarter(_twice(x), shares)
        change = self.leave(self.from_half(_twice(x), shares)).float()
        kept = self.kept.float()[:, None, None]
        return torch.sigmoid(self.norm(kept * centred + change[..., :height, :width], shares))

    @property
    def reach(self) -> int:
        """Pixels, at most, from which one of the picture's depends on the photograph's, but for the
        statistics of the norms; a multiple of 8.
        """
        return 24 + 8 * self.blocks

    @contextmanager
    def with_statistics_of(self, photographs: Tensor, shares: Tensor) -> Iterator[None]:
        """In the block every norm takes its statistics from these photographs together.

        For a picture that is painted in tiles, which must all be normed alike.

        Args:
            photographs: ``(B, 3, H, W)``, parts of the picture.
            shares: of each painting.

        """
        norms = [each for each in self.modules() if isinstance(each, _Norm)]
        for norm in norms:
            norm.is_studying = True
        try:
            with torch.no_grad():
                self(photographs, shares)
            for norm in norms:
                norm.is_studying = False
            yield
        finally:
            for norm in norms:
                norm.is_studying, norm.statistics = False, None


class _Norm(nn.Module):
    """Instance norm; gain and offset are the paintings' own, mixed by their shares."""

    def __init__(self, channels: int, paintings: int) -> None:
        super().__init__()
        self.gain = nn.Parameter(torch.ones(paintings, channels))
        self.offset = nn.Parameter(torch.zeros(paintings, channels))
        self.is_studying = False
        self.statistics: tuple[Tensor, Tensor] | None = None

    def forward(self, x: Tensor, shares: Tensor) -> Tensor:
        """``(B, C, h, w)`` to the same shape."""
        shares = shares.to(self.gain)
        gain, offset = shares @ self.gain, shares @ self.offset
        if self.is_studying:
            variance, mean = torch.var_mean(x.float(), (0, 2, 3), correction=0)
            self.statistics = mean, (variance + SMALLEST_VARIANCE).rsqrt()
        if self.statistics is None:
            return F.group_norm(x, x.shape[1], gain.to(x), offset.to(x), SMALLEST_VARIANCE)
        mean, inverse = self.statistics
        scale = gain * inverse
        shift = offset - mean * scale
        return x * scale.to(x)[:, None, None] + shift.to(x)[:, None, None]


class _Layer(nn.Module):
    """A convolution, instance norm, and ReLU unless a residual block does without."""

    def __init__(
        self,
        inputs: int,
        outputs: int,
        paintings: int,
        *,
        kernel: int = 3,
        stride: int = 1,
        is_bent: bool = True,
    ) -> None:
        super().__init__()
        self.convolution = nn.Conv2d(
            inputs,
            outputs,
            kernel,
            stride=stride,
            padding=kernel // 2,
            padding_mode="reflect",
            bias=False,  # the norm would take it off again
        )
        self.norm = _Norm(outputs, paintings)
        self._is_bent = is_bent

    def forward(self, x: Tensor, shares: Tensor) -> Tensor:
        """``(B, inputs, h, w)`` to ``(B, outputs, h / stride, w / stride)``."""
        x = self.norm(self.convolution(x), shares)
        return F.relu(x) if self._is_bent else x


class _Block(nn.Module):
    """``x + f(x)``."""

    def __init__(self, channels: int, paintings: int) -> None:
        super().__init__()
        self.first = _Layer(channels, channels, paintings)
        self.second = _Layer(channels, channels, paintings, is_bent=False)

    def forward(self, x: Tensor, shares: Tensor) -> Tensor:
        """``(B, C, h, w)`` to the same shape."""
        out: Tensor = x + self.second(self.first(x, shares), shares)
        return out


def _twice(x: Tensor) -> Tensor:
    return F.interpolate(x, scale_factor=2, mode="bilinear", align_corners=False)

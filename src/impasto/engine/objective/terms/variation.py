"""Total variation, relative to the photograph's own: it smooths."""

from __future__ import annotations

import torch
from torch import Tensor

from impasto import native
from impasto.engine.objective.terms.term import Activations, Needs, Target
from impasto.engine.objective.tiles import add, cut
from impasto.ops.losses import total_variation
from impasto.recipe.still import Recipe

BAND = 256  # rows at a time, of a picture that is computed in tiles


class Variation:
    """The picture's total variation over the photograph's; across its seams if it is a tile.

    Args:
        recipe: its weight, and whether the picture is a tile.
        in_bands: go through the picture in bands of rows, for pictures that are large.

    """

    name = "variation"
    needs: Needs = "pixels"
    layers: tuple[str, ...] = ()

    def __init__(self, recipe: Recipe, *, in_bands: bool = False) -> None:
        self.weight = recipe.variation_weight
        self._wraps, self._in_bands = recipe.tileable, in_bands
        self._unit = 1.0

    def prepare(self, target: Target) -> None:
        """The photograph's own, kept away from zero."""
        self._unit = max(1e-4, self._add(target.photograph, None, 0.0))

    def loss(self, activations: Activations) -> Tensor:
        """As a tensor, differentiable with respect to the picture."""
        assert activations.picture is not None
        return total_variation(_closed(activations.picture, wraps=self._wraps)).sum() / self._unit

    def add(self, picture: Tensor, gradient: Tensor | None, slope: float) -> float:
        """The loss; ``slope`` times its derivative goes to ``gradient``, if there is one."""
        return self._add(picture, gradient, slope / self._unit) / self._unit

    def _add(self, image: Tensor, gradient: Tensor | None, slope: float) -> float:
        if not self._wraps and native.can_vary(image):
            across, down = image[..., 1:].numel(), image[..., 1:, :].numel()
            weights = (1 / max(1, across), 1 / max(1, down))
            return native.add_variation(image, weights, gradient, slope)
        add_by_torch = self._add_in_bands if self._in_bands else self._add_at_once
        return add_by_torch(image, gradient, slope)

    def _add_at_once(self, image: Tensor, gradient: Tensor | None, slope: float) -> float:
        with torch.enable_grad():
            x = image.detach().requires_grad_(gradient is not None)
            value = total_variation(_closed(x, wraps=self._wraps)).sum()
            if gradient is not None:
                (derivative,) = torch.autograd.grad(value, x)
                gradient.add_(derivative, alpha=slope)
        return float(value.detach())

    def _add_in_bands(self, image: Tensor, gradient: Tensor | None, slope: float) -> float:
        height, width = (side + self._wraps for side in image.shape[-2:])
        channels, columns, value = image.shape[1], range(width), 0.0
        for top in range(0, height, BAND):
            rows = range(top, min(top + BAND + 1, height))
            with torch.enable_grad():
                band = cut(image, rows, columns).detach().requires_grad_()
                across = band[..., :BAND, :].diff(dim=-1).square().sum()
                down = band.diff(dim=-2).square().sum()
                term = across / (channels * height * (width - 1))
                term = term + down / (channels * (height - 1) * width)
                if gradient is not None:
                    (derivative,) = torch.autograd.grad(slope * term, band)
                    add(derivative, gradient, rows, columns)
            value += float(term.detach())
        return value


def _closed(image: Tensor, *, wraps: bool) -> Tensor:
    """A tile with its first column and row once more at its other sides."""
    if not wraps:
        return image
    image = torch.cat([image, image[..., :1]], dim=-1)
    return torch.cat([image, image[..., :1, :]], dim=-2)

"""Restore a dark photograph: the exposure of a bright one, and noise held down."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor

from impasto.photoreal.exposure import exposure
from impasto.photoreal.noise import denoised


def restore(
    dark: Tensor, bright: Sequence[Tensor], *, strength: float = 1.0, denoise: float = 1.0
) -> Tensor:
    """Brighten a photograph like others; nothing is known of how it became dark.

    Noise is averaged away first, where its level can be read; then one rising curve, the same for
    each channel, gives light back. Colours keep their ratios but for the curve's power.

    Args:
        dark: ``(1, 3, H, W)`` float32 in [0, 1].
        bright: pictures whose exposure is wanted, likewise.
        strength: of the curve, in [0, 1]; 0 is the photograph itself.
        denoise: share of the noise that is taken away, in [0, 1], at full strength.

    Returns:
        of the shape of ``dark``, in [0, 1].

    """
    if not strength:
        return dark
    clean = denoised(dark, strength=denoise * strength)
    return exposure(dark, bright).at(strength)(clean)

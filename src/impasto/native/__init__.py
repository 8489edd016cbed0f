"""Kernels of our own, in C, for processors with AVX512-BF16 and AMX; optional.

Torch's operations go over every map several times: convolution, pooling, ReLU, the style loss's
sums and derivatives. Where a network's maps are bfloat16 and the processor has a matrix unit,
these kernels do what belongs together in one pass (docs/performance.md). They are compiled when
the package is installed, if a C compiler is at hand; everything works without them, slower.
``IMPASTO_KERNELS=0`` in the environment turns them off.
"""

from impasto.native.convolution import (
    Box,
    Joined,
    Packed,
    Picture,
    Pooled,
    convolve,
    convolve_and_pool,
    convolve_to_picture,
    join,
)
from impasto.native.differences import add_variation, can_vary
from impasto.native.library import are_available
from impasto.native.totals import can_sum, sums
from impasto.native.vectors import moved, products, remembered, search_direction

__all__ = [
    "Box",
    "Joined",
    "Packed",
    "Picture",
    "Pooled",
    "add_variation",
    "are_available",
    "can_sum",
    "can_vary",
    "convolve",
    "convolve_and_pool",
    "convolve_to_picture",
    "join",
    "moved",
    "products",
    "remembered",
    "search_direction",
    "sums",
]

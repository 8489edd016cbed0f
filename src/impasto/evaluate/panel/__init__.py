"""The panel: figures that say how a result stands to its photograph and its painting.

No download, no training, nothing that the optimiser saw: similarity to the photograph, distances
to the painting on layers (and, where one is to be had, on a network) that were not optimised, its
colours, noise, flat patches. docs/measuring.md says what each figure means and where its limits
come from.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from impasto.evaluate.panel.figures import LAYERS, Trio, figures_of
from impasto.evaluate.panel.films import is_film, measure_film
from impasto.evaluate.panel.model import Figure, Panel
from impasto.evaluate.panel.pictures import align, measure_picture
from impasto.nets.network import Network
from impasto.shortage import SMALLER, memory_told

__all__ = ["LAYERS", "Figure", "Panel", "Trio", "align", "figures_of", "measure"]

Measurer = Callable[[Path, Path, Path, str | Network | None, Sequence[str]], Panel]


@memory_told(SMALLER)
def measure(
    result: Path,
    content: Path,
    style: Path,
    *,
    network: str | Network | None = None,
    layers: Sequence[str] = (),
) -> Panel:
    """The panel of a result, whatever kind of file it is.

    Args:
        result: the picture or film to be judged; its record, inside or beside it, is used if there
            is one.
        content: the photograph, or the film's source.
        style: the painting.
        network: a name, a safetensors file or an object that computes features; by default the
            first of vgg19, vgg19-torchvision and compact that is here and did not make the result,
            or compact.
        layers: those on which style is compared; by default those of :data:`LAYERS` that the
            network has.

    Raises:
        PictureError: a picture cannot be read, or is not of this result.
        RecipeError: the network has no such layer.
        WeightsError: the network's weights are missing or broken.
        ShortageError: memory ran out.

    """
    return _measurer_of(result)(result, content, style, network, layers)


def _measurer_of(result: Path) -> Measurer:
    """The one place where kinds of results are told apart: by their names."""
    return measure_film if is_film(result) else measure_picture

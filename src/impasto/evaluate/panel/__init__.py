"""The panel: measurements that compare a result with its photograph and its painting.

Nothing is downloaded or trained, and nothing that the optimiser minimised is measured: similarity
to the photograph, distances to the painting on layers (and, if one is available, on a network) that
were not optimised, its colours, noise, flat patches. docs/measuring.md explains each figure and the
origin of its limits.
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
    """Measure a picture or a film.

    Args:
        result: the picture or film to be measured; its record, inside or beside it, is used if
            there is one.
        content: the photograph, or the film's source.
        style: the painting.
        network: a name, a safetensors file or an object that computes features; by default the
            first of vgg19, vgg19-torchvision and compact that is installed and did not make it,
            or compact.
        layers: the layers on which style is compared; by default those of :data:`LAYERS` that the
            network has.

    Raises:
        PictureError: a picture cannot be read, or does not belong to this result.
        RecipeError: the network has no such layer.
        WeightsError: the network's weights are missing or damaged.
        ShortageError: memory ran out.

    """
    return _measurer_of(result)(result, content, style, network, layers)


def _measurer_of(result: Path) -> Measurer:
    """Choose the function for a picture or a film, by the file's name."""
    return measure_film if is_film(result) else measure_picture

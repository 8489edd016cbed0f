"""The report's figure 6 for any width of the topology, with receptive fields and arithmetic."""

from __future__ import annotations

from dataclasses import dataclass

from impasto.nets.topology import VGG19_WIDTHS, layer_table, receptive_field
from impasto.nets.vgg import DENSE


@dataclass(frozen=True)
class Row:
    """One layer of a summary.

    Attributes:
        name: the layer.
        shape: output shape for the summarised input, without the batch.
        parameters: weights and biases.
        receptive_field: side of the square of pixels that one output sees.
        multiply_adds: multiplications with an addition, for one picture.

    """

    name: str
    shape: tuple[int, ...]
    parameters: int
    receptive_field: int
    multiply_adds: int


def summarise(
    widths: tuple[int, ...] = VGG19_WIDTHS,
    *,
    last: str = "pool5",
    height: int = 224,
    width: int = 224,
    classifier: bool = True,
) -> list[Row]:
    """One row a layer, from the picture to ``last``, and the classifier's where it is asked for.

    The classifier takes pictures of 224 x 224 and 512 channels only.
    """
    table = layer_table(widths, last=last)
    rows = [Row("input", (height, width, 3), 0, 1, 0)]
    for index, layer in enumerate(table):
        if layer.kind == "pool":
            height, width = height // 2, width // 2
        weights = 9 * layer.in_channels * layer.out_channels if layer.kind == "conv" else 0
        biases = layer.out_channels if layer.kind == "conv" else 0
        rows.append(
            Row(
                layer.name,
                (height, width, layer.out_channels),
                weights + biases,
                receptive_field(table[: index + 1])[0],
                weights * height * width,
            )
        )
    return rows + (_dense_rows(rows[-1]) if classifier else [])


def _dense_rows(last: Row) -> list[Row]:
    size = last.shape[0] * last.shape[1] * last.shape[2]
    rows = [Row("flatten", (size,), 0, last.receptive_field, 0)]
    for name, (outputs, inputs) in DENSE.items():
        rows.append(Row(name, (outputs,), outputs * inputs + outputs, 0, outputs * inputs))
    return rows

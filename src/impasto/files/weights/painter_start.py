"""The bundled start of a training: a network that has already learnt to paint, of no painting."""

from __future__ import annotations

from pathlib import Path

from safetensors import SafetensorError, safe_open
from torch import Tensor

from impasto import nets
from impasto.engine.interrupts import held
from impasto.errors import WeightsError

START_FILE = Path(nets.__file__).parent / "weights" / "painter.safetensors"
FORMAT = "impasto-painter-start-1"


def load_start(path: Path = START_FILE) -> dict[str, Tensor]:
    """Weights of :class:`impasto.nets.feedforward.Painter`, in float32.

    It was trained on sixteen pictures painted by program (``training.painter_start``); gains and
    offsets of its norms, which are each painting's own, are their mean, ``(1, C)``.

    Raises:
        WeightsError: the file is missing or damaged.

    """
    try:
        with held(), safe_open(path, framework="pt") as file:
            if (file.metadata() or {}).get("format") != FORMAT:
                raise ValueError("another format")
            return {name: file.get_tensor(name).float() for name in file.keys()}  # noqa: SIM118
    except (OSError, SafetensorError, ValueError) as error:
        raise WeightsError(
            f"The start of a training ({path.name}) is missing or damaged: install impasto again, "
            "or add --scratch."
        ) from error

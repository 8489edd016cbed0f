"""The bundled decoder of instant pictures."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

from safetensors import SafetensorError, safe_open

from impasto import instant
from impasto.engine.interrupts import held
from impasto.errors import WeightsError
from impasto.instant.decoder import Decoder, Painter
from impasto.recipe.still import Recipe

DECODER_FILE = Path(instant.__file__).parent / "weights" / "decoder.safetensors"
FORMAT = "impasto-decoder-1"


def with_decoder(network: Mapping[str, str], recipe: Recipe) -> dict[str, str]:
    """What a record says about the networks of a run: the decoder's file too where it is used."""
    uses_it = recipe.is_instant or recipe.neighbours or recipe.init == "instant"
    decoder = {"decoder": load_painter().sha256} if uses_it else {}
    return {**network, **decoder}


@lru_cache(maxsize=1)
def load_painter(path: Path = DECODER_FILE) -> Painter:
    """Load the decoder from a file that ``training.decoder`` wrote, in float32.

    Raises:
        WeightsError: the file is missing or not such a decoder.

    """
    try:
        with held(), safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
            if metadata.get("format") != FORMAT:
                raise ValueError("another format")
            columns, texture = json.loads(metadata["channels"])
            decoder = Decoder(columns, texture)
            names = list(file.keys())
            decoder.load_state_dict({name: file.get_tensor(name).float() for name in names})
            scales = tuple(float(each) for each in json.loads(metadata["scales"]))
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
    except (OSError, SafetensorError, KeyError, TypeError, ValueError, RuntimeError) as error:
        raise WeightsError(
            f"The decoder of instant pictures ({path.name}) is missing or damaged: install impasto "
            "again."
        ) from error
    return Painter(decoder.eval().requires_grad_(False), scales, digest)

"""The bundled decoder: it loads, and what is no such file is refused in a sentence."""

from __future__ import annotations

import pytest
import torch
from safetensors.torch import save_file

from impasto.errors import WeightsError
from impasto.files.weights.decoder import DECODER_FILE, load_painter
from impasto.instant.hypercolumns import LAYERS


def test_the_bundled_one_loads():
    painter = load_painter()
    assert len(painter.scales) == len(LAYERS)
    assert len(painter.sha256) == 64
    assert DECODER_FILE.stat().st_size < 3_000_000


@pytest.mark.parametrize("kind", ["none", "garbage", "another", "no tensors"])
def test_others_are_refused(tmp_path, kind):
    path = tmp_path / "a.safetensors"
    if kind == "garbage":
        path.write_bytes(b"\0" * 100)
    if kind == "another":
        save_file({"a": torch.zeros(2)}, path, {"format": "pt"})
    if kind == "no tensors":
        meta = {"format": "impasto-decoder-1", "scales": "[1]", "channels": "[3, 2]"}
        save_file({"a": torch.zeros(2)}, path, meta)
    with pytest.raises(WeightsError, match="missing or damaged"):
        load_painter(path)

"""The trained network in L-BFGS iterations."""

from __future__ import annotations

import pytest
import torch

from benchmarks.feedforward import Figure, main, measure
from impasto.cli import main as impasto
from impasto.nets.feedforward import Painter
from impasto.recipe.still import Recipe


def test_the_first_iteration_that_is_as_good_counts():
    assert Figure(1.0, 0.3, (1.0, 0.5, 0.3, 0.2), 0.1).iterations == 2
    assert Figure(1.0, 0.1, (1.0, 0.5, 0.3, 0.2), 0.1).iterations is None


def test_it_ends_where_the_optimiser_is_as_good(tiny_network, waves):
    torch.manual_seed(0)
    recipe = Recipe(size=32, precision="fp32", threads=1)
    pictures = waves(32, 32).float().clamp(0, 1), waves(40, 32, phase=1.7).float().clamp(0, 1)
    painter = Painter(1, (4, 4, 4), 1)
    found = measure(
        painter, torch.ones(1), recipe, tiny_network(), pictures, most=30, init="content"
    )
    assert found.curve[0] == pytest.approx(found.start, rel=1e-4)
    assert found.iterations in (None, len(found.curve) - 1)
    assert found.iterations is None or found.curve[-1] <= found.network < found.curve[-2]


@pytest.mark.slow
def test_the_command(painting, photo, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    words = ["--photos", str(photo), "--steps", "1", "--size", "32", "--for-size", "48", "-q"]
    words += ["--precision", "fp32", "--threads", "1", "-o", "n.safetensors"]
    assert impasto(["train", str(painting), *words]) == 0
    main(["n.safetensors", str(painting), str(photo), "--most", "2"])
    printed = capsys.readouterr().out.splitlines()
    assert printed[1].startswith("photo.png")
    assert printed[-1].startswith("from noise; after 1 steps")

"""The figure for the size of strokes, on waves of a known length."""

from __future__ import annotations

import math

import pytest
import torch

from benchmarks.strokes import WINDOW, calmest, main, wavelength


@pytest.mark.parametrize("length", [8.0, 16.0, 32.0])
def test_of_a_wave_it_is_its_length(length):
    x = torch.arange(200.0)
    wave = 0.5 + 0.3 * torch.sin(2 * math.pi * x / length)
    image = wave.expand(1, 3, 200, 200)
    assert wavelength(image, torch.zeros(1, 3, 200, 200)) == pytest.approx(length, rel=0.12)


def test_it_looks_where_the_photograph_is_calm():
    photograph = torch.rand(1, 3, 200, 200)
    photograph[..., :WINDOW, :WINDOW] = 0.5
    assert calmest(photograph)[0] == (..., slice(0, WINDOW), slice(0, WINDOW))


def test_from_end_to_end(photo, painting, tmp_path, capsys):
    folder, sheet = str(photo.parent), tmp_path / "out.png"
    main([folder, folder, "--pairs", "1", "--size", "128", "--sheet", str(sheet)])
    lines = capsys.readouterr().out.splitlines()
    assert sum(line.startswith("mean") for line in lines) == 8
    assert sheet.is_file()

"""The scale that a viewer sees: of a painting itself, it is the painting's own."""

from __future__ import annotations

import pytest

from benchmarks import strokes
from benchmarks.strokes import lowest, main, seen_scale
from impasto import Stylizer
from impasto.ops.inits import resize
from impasto.ops.natural import natural_picture


def test_a_parabola_s_lowest_point():
    places = [2.0**n for n in range(-2, 3)]
    values = [(n - 0.3) ** 2 for n in range(-2, 3)]
    assert lowest(places, values) == pytest.approx(2**0.3)
    assert lowest(places, [1, 2, 3, 4, 5]) == places[0]


@pytest.mark.slow
@pytest.mark.parametrize("scale", [0.7, 1.0, 1.4])
def test_of_a_painting_cut_out_at_a_size(scale):
    painting = natural_picture(400, 400, seed=3)
    side = round(128 * scale)
    part = resize(painting, side, side)[..., :128, :128]
    if side < 128:
        part = part.repeat(1, 1, 2, 2)[..., :128, :128]
    assert seen_scale(part, painting, Stylizer().network) == pytest.approx(scale, rel=0.35)


def test_from_end_to_end(photo, painting, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(strokes, "SCALES", (1.0, 2.0))
    monkeypatch.setattr(strokes, "MAKERS", ("instant",))
    folder, sheet = str(photo.parent), tmp_path / "out.png"
    main([folder, folder, "--pairs", "1", "--size", "48", "--sheet", str(sheet)])
    lines = capsys.readouterr().out.splitlines()
    assert sum(line.startswith("mean") for line in lines) == 2
    assert sheet.is_file()

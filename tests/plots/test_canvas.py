"""Figures: their size, their formats, and a sentence where matplotlib is missing."""

from __future__ import annotations

import sys

import matplotlib as mpl
import pytest
from PIL import Image

from impasto.errors import OutputError
from impasto.plots.canvas import check_matplotlib, diagram, figure, svg, write


def test_a_diagram_is_drawn_in_pixels(tmp_path):
    with diagram(100, 40) as (drawn, axes):
        axes.plot([60], [20], "s", ms=10, color="#00ff00")
        write(drawn, tmp_path / "a.png")
    with Image.open(tmp_path / "a.png") as image:
        assert image.size == (100, 40)
        assert image.convert("RGB").getpixel((60, 20)) == (0, 255, 0)
        assert image.convert("RGB").getpixel((5, 5)) == (255, 255, 255)


def test_the_callers_settings_are_left_alone():
    before = dict(mpl.rcParams)
    with figure(100, 100) as drawn:
        svg(drawn)
    assert dict(mpl.rcParams) == before


def test_files_are_the_same_bytes_each_time(tmp_path):
    for suffix in (".svg", ".png"):
        for name in ("a", "b"):
            with figure(80, 60) as drawn:
                drawn.add_subplot().plot([0, 1], [1, 2])
                write(drawn, tmp_path / f"{name}{suffix}")
        assert (tmp_path / f"a{suffix}").read_bytes() == (tmp_path / f"b{suffix}").read_bytes()


def test_other_formats_are_refused(tmp_path):
    with figure(80, 60) as drawn, pytest.raises(OutputError, match=r"\.png or \.svg"):
        write(drawn, tmp_path / "a.pdf")


def test_without_matplotlib_a_sentence_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(OutputError, match=r"pip install 'impasto\[plots\]'"):
        check_matplotlib()

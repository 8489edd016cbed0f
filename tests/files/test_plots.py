"""Plots: every point in its place, and nothing that a logarithm has no room for."""

from __future__ import annotations

import math
import re
import xml.etree.ElementTree as ET

import pytest

from impasto.files.drawing import Box, Line, Text, picture, svg
from impasto.files.plots import BOTTOM, LEFT, MOST_POINTS, RIGHT, TOP, Plot, Series


def _circles(document: str) -> list[tuple[float, float]]:
    root = ET.fromstring(document)
    return [
        (float(each.get("cx")), float(each.get("cy")))
        for each in root.iter("{http://www.w3.org/2000/svg}circle")
    ]


def test_points_lie_inside_and_in_order():
    plot = Plot("x", "y", [Series("a", [(0.0, 1.0), (1.0, 3.0), (2.0, 2.0)])])
    places = _circles(plot.svg())
    assert len(places) == 3
    assert all(LEFT < x < RIGHT and TOP < y < BOTTOM for x, y in places)
    (x1, y1), (x2, y2), (x3, y3) = places
    assert x2 - x1 == pytest.approx(x3 - x2, abs=0.2)
    assert y2 < y3 < y1  # up is less
    assert y1 - y3 == pytest.approx(y3 - y2, abs=0.2)


def test_decades_are_equally_far_apart():
    plot = Plot("x", "y", [Series("a", [(10.0**n, 1.0 + n) for n in (-4, -3, -2)])], log_x=True)
    (x1, _), (x2, _), (x3, _) = _circles(plot.svg())
    assert x2 - x1 == pytest.approx(x3 - x2, abs=0.2)
    assert "0.001" in plot.svg()


def test_what_has_no_place_is_left_out():
    points = [(1.0, 2.0), (0.0, 2.0), (2.0, -1.0), (3.0, math.inf), (4.0, math.nan), (5.0, 1.0)]
    assert len(_circles(Plot("x", "y", [Series("a", points)], log_x=True, log_y=True).svg())) == 2
    assert "nothing to draw" in Plot("x", "y", [Series("a", [(1.0, math.nan)])]).svg()


@pytest.mark.parametrize("points", [[(1.0, 1.0)], [(0.0, 0.0), (0.0, 0.0)]])
def test_a_single_place_can_be_drawn(points):
    assert len(_circles(Plot("x", "y", [Series("a", points)]).svg())) == len(points)


def test_a_long_series_is_thinned_and_keeps_its_end():
    points = [(float(n), float(n)) for n in range(5000)]
    document = Plot("x", "y", [Series("a", points)]).svg()
    (line,) = re.findall(r'points="([^"]+)" fill="none" stroke="#2a7fbf"', document)
    assert 2 < len(line.split()) <= MOST_POINTS + 2
    assert _circles(document) == []


def test_names_and_labels_are_escaped():
    plot = Plot("<x>", "y & z", [Series("a<b", [(0.0, 1.0)], ["<1>"]), Series("c", [(1.0, 1.0)])])
    words = [each.text for each in ET.fromstring(plot.svg()).iter() if each.text]
    assert {"<x>", "y & z", "a<b", "<1>", "c"} <= set(words)


def test_a_drawing_is_the_same_as_svg_and_as_a_picture():
    shapes = [
        Box(10, 10, 30, 20, "#ff0000"),
        Line([(60.0, 20.0)], "#00ff00", 12),
        Line([(80.0, 5.0), (80.0, 35.0)], "#0000ff", 6),
        Text(5, 36, "a"),
    ]
    image = picture(shapes, 100, 40)
    assert image.size == (100, 40)
    assert image.getpixel((25, 20)) == (255, 0, 0)
    assert image.getpixel((60, 20)) == (0, 255, 0)
    assert image.getpixel((80, 20)) == (0, 0, 255)
    assert image.getpixel((95, 5)) == (255, 255, 255)
    kinds = {each.tag.rpartition("}")[2] for each in ET.fromstring(svg(shapes, 100, 40)).iter()}
    assert kinds == {"svg", "rect", "circle", "polyline", "text"}

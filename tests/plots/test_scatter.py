"""Named points: each in its place, a colour and a shape for each group."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure

from impasto.plots.scatter import Point, Scatter, write_scatters

POINTS = (Point("a", "any", 1.0, 0.3), Point("b", "one", 0.1, 0.2), Point("c$", "any", 10.0, 0.1))


def test_points_lie_where_they_belong_by_group():
    axes = Figure().add_subplot()
    Scatter("seconds", "distance", POINTS).draw(axes)
    first, second = axes.lines
    np.testing.assert_array_equal(first.get_xydata(), [(1.0, 0.3), (10.0, 0.1)])
    np.testing.assert_array_equal(second.get_xydata(), [(0.1, 0.2)])
    assert (first.get_label(), second.get_label()) == ("any", "one")
    assert first.get_color() != second.get_color()
    assert first.get_marker() != second.get_marker()
    assert [each.get_text() for each in axes.texts] == ["b", "a", r"c\$"]
    assert axes.get_xscale() == "log"
    low, high = axes.get_ylim()
    assert low < 0.1
    assert high > 0.3


def test_charts_side_by_side_are_the_same_bytes_each_time(tmp_path):
    charts = [Scatter("seconds", name, POINTS) for name in ("fidelity", "coverage")]
    for name in ("a.svg", "b.svg"):
        write_scatters(charts, tmp_path / name)
    text = (tmp_path / "a.svg").read_text()
    assert text == (tmp_path / "b.svg").read_text()
    assert "fidelity" in text
    assert "coverage" in text


def test_no_points_are_no_error(tmp_path):
    write_scatters([Scatter("seconds", "fidelity", ())], tmp_path / "a.png")

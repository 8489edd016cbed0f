"""Plots: every point in its place, and nothing that a logarithm has no room for."""

from __future__ import annotations

import math
import xml.etree.ElementTree as ET

import numpy as np
import pytest
from matplotlib.figure import Figure

from impasto.plots.canvas import figure
from impasto.plots.lines import MOST_POINTS, POINTS_SHOWN, Plot, Series


def _drawn(plot: Plot):
    axes = Figure().add_subplot()
    plot.draw(axes)
    return axes


def test_points_lie_where_they_belong():
    points = [(0.0, 1.0), (1.0, 3.0), (2.0, 2.0)]
    axes = _drawn(Plot("across", "up", [Series("a", points)]))
    (line,) = axes.lines
    np.testing.assert_array_equal(line.get_xydata(), points)
    assert line.get_marker() == "o"
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("across", "up")
    assert axes.get_legend() is None


def test_axes_are_logarithmic_where_asked():
    plot = Plot("x", "y", [Series("a", [(0.001, 1.0), (1.0, 2.0)])], log_x=True)
    axes = _drawn(plot)
    assert (axes.get_xscale(), axes.get_yscale()) == ("log", "linear")


def test_what_has_no_place_is_left_out():
    points = [(1.0, 2.0), (0.0, 2.0), (2.0, -1.0), (3.0, math.inf), (4.0, math.nan), (5.0, 1.0)]
    (line,) = _drawn(Plot("x", "y", [Series("a", points)], log_x=True, log_y=True)).lines
    np.testing.assert_array_equal(line.get_xydata(), [(1.0, 2.0), (5.0, 1.0)])
    assert "nothing to draw" in Plot("x", "y", [Series("a", [(1.0, math.nan)])]).svg()


@pytest.mark.parametrize("points", [[(1.0, 1.0)], [(0.0, 0.0), (0.0, 0.0)]])
@pytest.mark.parametrize("log", [False, True])
def test_a_single_place_can_be_drawn(points, log):
    assert Plot("x", "y", [Series("a", points)], log_x=log).svg().startswith("<svg")


def test_a_long_series_is_thinned_and_keeps_its_end():
    points = [(float(n), float(n)) for n in range(5000)]
    (line,) = _drawn(Plot("x", "y", [Series("a", points)])).lines
    assert POINTS_SHOWN < len(line.get_xdata()) <= MOST_POINTS + 1
    assert line.get_xdata()[-1] == 4999
    assert line.get_marker() == "None"


def test_names_and_labels_are_words_as_they_are():
    series = [Series("a<b", [(0.0, 1.0)], ["<1> $x$"]), Series("c", [(1.0, 1.0)])]
    document = Plot("<x>", "y & z", series).svg()
    words = {(each.text or "").strip() for each in ET.fromstring(document).iter()}
    assert {"<x>", "y & z", "a<b", "<1> $x$", "c"} <= words


def test_a_plot_is_the_same_text_each_time():
    plot = Plot("x", "y", [Series("a", [(0.0, 1.0), (1.0, 2.0)])])
    assert plot.svg() == plot.svg()


@pytest.mark.parametrize(("low", "high"), [(0.3, 0.9), (3.0, 50.0), (1e-3, 1e3), (5.0, 5.0)])
@pytest.mark.parametrize("is_log", [True, False])
def test_there_are_numbers_on_every_axis(low, high, is_log):
    plot = Plot("x", "y", [Series("a", [(low, low), (high, high)])], log_x=is_log, log_y=is_log)
    with figure(640, 400) as drawn:
        axes = drawn.add_subplot()
        plot.draw(axes)
        drawn.draw_without_rendering()
        for axis in (axes.xaxis, axes.yaxis):
            shown = [each.get_text() for each in axis.get_ticklabels(which="both")]
            assert sum(map(bool, shown)) >= 2

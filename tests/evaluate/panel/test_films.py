"""Measuring films whose flicker is known."""

from __future__ import annotations

import math

import pytest
import torch

import impasto
from impasto.errors import FilmError
from impasto.evaluate.panel.films import curves_of, flicker_chart, is_film, measure_frames
from impasto.ops.warp import warping_error
from impasto.recipe.still import Recipe

RECIPE = Recipe(size="full", content_layers=("conv2_1",), style_layers=("conv1_1", "conv2_1"))
STEP = 2


@pytest.fixture
def network(tiny_network):
    return tiny_network(last="conv2_1")


def _truth(frame: int, other: int) -> tuple[torch.Tensor, torch.Tensor]:
    shift = float(STEP * (frame - other))
    flow = torch.tensor([shift, 0.0]).view(1, 2, 1, 1).expand(1, 2, 32, 48)
    seen = torch.ones(1, 1, 32, 48)
    seen[..., 48 - int(shift) :] = 0
    return flow.contiguous(), seen


def test_warping_error_by_hand():
    image, earlier = torch.zeros(1, 3, 2, 4), torch.full((1, 3, 2, 4), 0.5)
    weights = torch.tensor([1.0, 0, 0, 1]).expand(1, 1, 2, 4)
    assert warping_error(image, earlier, torch.zeros(1, 2, 2, 4), weights) == pytest.approx(0.25)
    assert warping_error(image, earlier, torch.zeros(1, 2, 2, 4), 0 * weights) == 0


def test_what_moves_with_the_source_does_not_flicker(moving, network, waves):
    frames = moving(10, step=STEP)
    painted = [(1 - frame) for frame in frames]
    curves = curves_of(painted, frames, waves(30, 40), network, RECIPE, truth=_truth)
    assert curves.flicker(1) < 1e-3
    assert curves.flicker(8) < 1e-3
    assert curves.warping[1][0] is None
    assert curves.warping[8][:8] == [None] * 8
    assert len(curves.content) == len(curves.style) == 10


def test_flicker_of_known_strength_is_found(moving, network, waves):
    frames = [0.2 + 0.6 * frame for frame in moving(10, step=STEP)]
    flickering = [frame + (0.05 if i % 2 else -0.05) for i, frame in enumerate(frames)]
    curves = curves_of(flickering, frames, waves(30, 40), network, RECIPE, truth=_truth)
    assert curves.flicker(1) == pytest.approx(0.1, rel=0.02)
    assert curves.flicker(8) < 1e-2
    assert curves.flicker(1, of_source=True) < 1e-2
    estimated = curves_of(flickering, frames, waves(30, 40), network, RECIPE)
    assert estimated.flicker(1) == pytest.approx(0.1, rel=0.05)


def test_nothing_is_compared_across_a_cut(moving, network, waves):
    frames = [*moving(3), *(1 - frame for frame in moving(3))]
    curves = curves_of(frames, frames, waves(30, 40), network, RECIPE)
    assert curves.warping[1][3] is None
    assert curves.warping[1][4] is not None
    assert math.isnan(curves.flicker(8))


def test_the_source_itself_is_at_content_0_and_style_1(moving, network, waves):
    frames = moving(2)
    curves = curves_of(frames, frames, waves(30, 40), network, RECIPE)
    assert curves.content == pytest.approx([0, 0], abs=1e-3)
    assert curves.style == pytest.approx([1, 1], abs=1e-3)


def test_the_panel_of_a_film(make_film, moving, painting, tmp_path):
    source = make_film(tmp_path / "source.mkv", moving(5))
    film = make_film(tmp_path / "film.mkv", [1 - frame for frame in moving(5)])
    panel = impasto.measure(film, source, painting, network="compact")
    assert {"warping error 1", "content distance", "style distance"} <= {
        figure.name for figure in panel.figures
    }
    assert panel["warping error 1"] < 0.05
    assert panel["content distance"] > 0.1
    short = make_film(tmp_path / "short.mkv", moving(4))
    with pytest.raises(FilmError, match="different numbers of frames"):
        impasto.measure(film, short, painting, network="compact")


def test_a_film_is_measured_against_the_part_it_was_made_of(make_film, moving, painting, tmp_path):
    source = make_film(tmp_path / "source.mkv", moving(6))
    out = tmp_path / "film.mkv"
    quick = {"size": 48, "steps": (1,), "scales": 1, "frame_steps": 1, "codec": "ffv1"}
    impasto.stylize_video(source, painting, out, start="0.1", every=2, **quick)
    curves, facts = measure_frames(out, source, painting, "compact", ())
    assert facts["size"] == "48x32, 3 frames"
    assert curves.flicker(1, of_source=True) < 0.05
    chart = flicker_chart(curves)
    assert [curve.name for curve in chart.curves][-2:] == ["film, 1 back", "film, 8 back"]
    assert chart.length == 3


def test_films_by_name(tmp_path):
    assert is_film(tmp_path)
    assert is_film(tmp_path / "a.MP4")
    assert not is_film(tmp_path / "a.png")

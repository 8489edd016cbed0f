"""Films at once: whole, resumed, made again; what ties the frames, and what is refused."""

from __future__ import annotations

import json
from itertools import islice

import pytest
import torch

import impasto
from impasto.engine.planning.plan import make_plan
from impasto.engine.shots import Link
from impasto.errors import RecipeError
from impasto.files.films.reader import open_clip, read_frames
from impasto.files.weights.decoder import load_painter
from impasto.files.weights.store import load_network
from impasto.instant.film import KEPT, InstantShot
from impasto.jobs.film import film_job
from impasto.jobs.reproduce_film import reproduce_film
from impasto.ops.color import match_color_statistics
from impasto.recipe.still import Recipe

QUICK = {"quality": "instant", "size": 96, "codec": "ffv1", "threads": 1, "precision": "fp32"}


@pytest.fixture
def clip(make_film, moving, tmp_path):
    """Five frames, a cut after the third."""
    pictures = [*moving(3, 64, 96), *(1 - picture for picture in moving(2, 64, 96))]
    return make_film(tmp_path / "clip.mkv", pictures)


def _frames(path):
    return [frame.picture for frame in read_frames(open_clip(path))]


def test_a_film_its_record_and_the_same_again(clip, painting, tmp_path):
    out = impasto.stylize_video(clip, painting, tmp_path / "film.mkv", **QUICK)
    record = json.loads(out.with_suffix(".json").read_text())
    shots = [frame["begins_shot"] for frame in record["frames"]]
    assert shots == [True, False, False, True, False]
    assert record["frames"][1]["style_distance"] is None
    assert reproduce_film(out, tmp_path / "again.mkv", style=[painting]).identical is True
    assert all(map(torch.equal, _frames(tmp_path / "again.mkv"), _frames(out)))


def test_stopped_and_resumed_it_is_the_same_film(clip, painting, tmp_path):
    whole = impasto.stylize_video(clip, painting, tmp_path / "whole.mkv", **QUICK)
    out = tmp_path / "film.mkv"
    job = film_job(clip, painting, out, **QUICK)
    for _ in islice((state for state in job if state.state is None), 2):
        pass
    list(film_job(clip, painting, out, resume=True, **QUICK))
    assert all(map(torch.equal, _frames(out), _frames(whole)))


def test_tied_frames_flicker_less_than_frames_by_themselves(clip, painting, tmp_path):
    films = [
        _frames(impasto.stylize_video(clip, painting, tmp_path / name, **QUICK, **more))
        for name, more in (("tied.mkv", {}), ("alone.mkv", {"temporal": "off"}))
    ]
    # The camera pans by two pixels a frame.
    far = [
        float((film[2][..., 8:-10] - film[1][..., 10:-8]).square().mean().sqrt()) for film in films
    ]
    assert far[0] < far[1] / 2


@torch.no_grad()
def test_the_last_result_goes_into_the_next_where_it_shows_the_same(waves):
    recipe = Recipe(quality="instant", size="full", threads=1, precision="fp32")
    frame, painting = waves(48, 64).float(), waves(64, 64, phase=1.0).float()
    network, painter = load_network(recipe).network, load_painter()
    plan = make_plan(recipe, (48, 64), [(64, 64)], network=network)
    shot = InstantShot(recipe, plan, frame, (painting,), network, painter)
    flow, nowhere = torch.zeros(1, 2, 48, 64), torch.zeros(1, 1, 48, 64)
    left = nowhere.clone()
    left[..., :32] = 1
    (alone,) = shot.following(frame, [Link(frame, flow, nowhere)])
    for link in (Link(frame, flow, left), Link(frame, flow, nowhere, left)):
        (tied,) = shot.following(frame, [link])
        assert torch.equal(tied.image[..., 32:], alone.image[..., 32:])
        mixed = torch.lerp(alone.image, frame, KEPT)[..., :32]
        torch.testing.assert_close(tied.image[..., :32], mixed, rtol=0, atol=1e-6)


@torch.no_grad()
def test_later_frames_too_are_given_the_paintings_colours(waves):
    frame, painting = waves(48, 64).float(), waves(64, 64, phase=1.0).float() * 0.3
    network, painter = load_network(Recipe()).network, load_painter()

    def later(content, **options):
        recipe = Recipe(quality="instant", size="full", threads=1, precision="fp32", **options)
        plan = make_plan(recipe, (48, 64), [(64, 64)], network=network)
        shot = InstantShot(recipe, plan, content, (painting,), network, painter)
        nowhere = torch.zeros(1, 1, 48, 64)
        (state,) = shot.following(content, [Link(content, torch.zeros(1, 2, 48, 64), nowhere)])
        return state.image

    matched = match_color_statistics(frame, painting)
    assert torch.equal(later(frame, match_color=True), later(matched))
    assert not torch.equal(later(frame), later(matched))


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"passes": 2}, "leave out passes="),
        ({"frame_steps": 3}, "leave out frame_steps="),
        ({"long_term": (1, 2)}, "leave out long_term="),
        ({"temporal": 3.0}, "temporal=… is off, or left out"),
        ({"init": "noise"}, "leave out init="),
    ],
)
def test_what_optimises_is_refused(options, said, clip, painting, tmp_path):
    with pytest.raises(RecipeError, match=said):
        film_job(clip, painting, tmp_path / "film.mkv", **{**QUICK, **options})
    assert not (tmp_path / "film.mkv").exists()

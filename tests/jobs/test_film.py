"""Whole films, small and short."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from PIL import Image

import impasto
from impasto.engine.planning.plan import make_plan
from impasto.engine.run import Pictures, run
from impasto.engine.shots import flicker_tendency
from impasto.errors import FilmError, ImpastoError, OutputError
from impasto.files.films.reader import open_clip, read_frames
from impasto.files.pictures.images import read_picture, to_pillow
from impasto.jobs.film import film_job
from impasto.ops.color import with_luma_of
from impasto.ops.inits import white_noise
from impasto.ops.warp import inside, warping_error

QUICK = {
    "size": 48,
    "steps": (4,),
    "scales": 1,
    "frame_steps": 2,
    "codec": "ffv1",
    "threads": 1,
    "precision": "fp32",
}


@pytest.fixture
def clip(make_film, moving, tmp_path) -> Path:
    """Six frames, a cut after the fourth."""
    pictures = [*moving(4), *(1 - picture for picture in moving(2))]
    return make_film(tmp_path / "clip.mkv", pictures)


def _frames(path: Path) -> list[torch.Tensor]:
    return [frame.picture for frame in read_frames(open_clip(path))]


def _record(path: Path) -> dict:
    return json.loads(path.with_suffix(".json").read_text())


def _same(one: list[torch.Tensor], other: list[torch.Tensor]) -> bool:
    return len(one) == len(other) and all(map(torch.equal, one, other))


def test_a_film_its_record_and_nothing_else(clip, painting, tmp_path):
    out = tmp_path / "film.mkv"
    folder = set(tmp_path.iterdir())
    assert impasto.stylize_video(clip, painting, out, **QUICK) == out
    assert set(tmp_path.iterdir()) - folder == {out, tmp_path / "film.json"}
    assert len(_frames(out)) == 6
    record = _record(out)
    assert [frame["begins_shot"] for frame in record["frames"]] == [
        True, False, False, False, True, False,
    ]  # fmt: skip
    assert record["frames"][0]["steps"] == 4
    assert max(frame["steps"] for frame in record["frames"][1:4]) <= 2
    assert record["inputs"]["clip"][0]["name"] == "clip.mkv"
    assert str(tmp_path) not in json.dumps(record)


@pytest.mark.slow
@pytest.mark.parametrize("passes", [1, 2])
def test_progress_is_a_share_of_the_work(passes, make_film, moving, painting, tmp_path):
    """The first frame counts as what it is, a still of 9 + 1 evaluations to 2 of later ones."""
    clip = make_film(tmp_path / "calm.mkv", moving(4))
    options = {**QUICK, "steps": (9,), "frame_steps": 1, "passes": passes}
    states = list(film_job(clip, painting, tmp_path / "film.mkv", **options))
    shares = [state.progress for state in states]
    assert shares == sorted(shares)
    assert shares[-1] == 1
    first = next(state for state in states if state.state is None)
    assert first.progress == pytest.approx(5 / (5 + 3 + 4 * (passes - 1)))


def test_the_first_frame_is_the_still(clip, painting, tmp_path, moving):
    out = impasto.stylize_video(clip, painting, tmp_path / "film.mkv", **QUICK)
    stylizer_options = {k: v for k, v in QUICK.items() if k not in ("frame_steps", "codec")}
    picture = read_frames(open_clip(clip)).__next__().picture
    still = impasto.stylize(
        picture[0].permute(1, 2, 0).numpy(),
        painting,
        **{**stylizer_options, "size": "full", "method": "statistics"},
    )
    torch.testing.assert_close(_frames(out)[0], still.tensor, atol=0.6 / 255, rtol=0)


def test_a_cut_leaves_no_ghost(clip, painting, tmp_path, make_film, moving):
    out = impasto.stylize_video(clip, painting, tmp_path / "film.mkv", **QUICK)
    alone = make_film(tmp_path / "alone.mkv", [1 - picture for picture in moving(2)])
    other = impasto.stylize_video(alone, painting, tmp_path / "other.mkv", **QUICK)
    assert _same(_frames(out)[4:], _frames(other))


@pytest.mark.slow
def test_a_cut_of_a_real_film_leaves_no_ghost(shared, painting, tmp_path):
    """What comes after it resembles the earlier shot no more than the same frame made by itself."""
    film, options = shared / "video" / "scene_cuts.mp4", {**QUICK, "size": 160, "end": "1.27"}
    out = impasto.stylize_video(film, painting, tmp_path / "a.mkv", start="1.12", **options)
    assert [f["begins_shot"] for f in _record(out)["frames"]] == [True, False, True, False]
    alone = impasto.stylize_video(film, painting, tmp_path / "b.mkv", start="1.2", **options)
    assert _same(_frames(out)[2:], _frames(alone))


@pytest.mark.slow
def test_off_makes_every_frame_by_itself(clip, painting, tmp_path):
    out = impasto.stylize_video(clip, painting, tmp_path / "film.mkv", temporal="off", **QUICK)
    assert all(frame["begins_shot"] for frame in _record(out)["frames"])
    part = {**QUICK, "start": "0.2", "end": "0.3", "temporal": "off"}
    alone = impasto.stylize_video(clip, painting, tmp_path / "alone.mkv", **part)
    assert torch.equal(_frames(alone)[0], _frames(out)[2])


@pytest.mark.parametrize(
    ("passes", "stop"),
    [
        *(
            pytest.param(*each, marks=pytest.mark.slow)
            for each in ((1, 1), (1, 16), (2, 20), (2, 34))
        ),
        (1, 7),
    ],
)
def test_stopped_anywhere_and_resumed_it_is_the_same_film(
    clip, painting, tmp_path, whole, stop, passes
):
    out = tmp_path / "film.mkv"
    options = {**QUICK, "passes": passes}
    job = iter(film_job(clip, painting, out, **options))
    for _ in range(stop):
        next(job)
    job.close()
    assert not out.exists()
    if stop > 5:
        with pytest.raises(OutputError, match="resume="):
            film_job(clip, painting, out, **options)
    states = list(film_job(clip, painting, out, resume=True, **options))
    again = [state.index for state in states if state.state is not None and state.state.step == 0]
    assert len(again) < 6 * passes or stop < 6
    assert _same(_frames(out), whole(passes))
    assert not (tmp_path / "film.mkv.frames").exists()


@pytest.fixture
def whole(clip, painting, tmp_path):
    """The film of an undisturbed run."""

    def make(passes: int) -> list[torch.Tensor]:
        path = tmp_path / "whole.mkv"
        return _frames(impasto.stylize_video(clip, painting, path, **QUICK, passes=passes))

    return make


def test_other_options_are_not_mixed_in(clip, painting, tmp_path):
    out = tmp_path / "film.mkv"
    job = iter(film_job(clip, painting, out, **QUICK))
    for _ in range(8):
        next(job)
    job.close()
    with pytest.raises(OutputError, match="film differ"):
        film_job(clip, painting, out, resume=True, **{**QUICK, "temporal": 3.0})
    job = film_job(clip, painting, out, resume=True, **{**QUICK, "codec": "ffv1"})
    assert len([s for s in job if s.state is not None and s.state.step == 0]) < 6


def test_a_film_damaged_in_the_middle_keeps_what_was_made(make_film, moving, painting, tmp_path):
    clip = make_film(
        tmp_path / "clip.mkv", moving(12), codec="libx264", pixels="yuv420p", options={"g": "3"}
    )
    data = clip.read_bytes()
    clip.write_bytes(data[: len(data) * 3 // 4])
    out = tmp_path / "film.mkv"
    job = film_job(clip, painting, out, **QUICK)
    with pytest.raises(FilmError, match="damaged after"):
        list(job)
    assert not out.exists()
    done = job.save_so_far()
    assert 0 < done < 12
    assert len(_frames(out)) == done


def test_folders_in_and_out(moving, painting, tmp_path):
    source, out = tmp_path / "source", tmp_path / "out"
    source.mkdir()
    for number, picture in enumerate(moving(3)):
        levels = (picture[0].permute(1, 2, 0) * 255).round().to(torch.uint8).numpy()
        Image.fromarray(levels).save(source / f"shot_{number + 7:02}.png")
    options = {k: v for k, v in QUICK.items() if k != "codec"}
    impasto.stylize_video(source, painting, out, **options)
    assert {path.name for path in out.iterdir()} == {
        "shot_07.png", "shot_08.png", "shot_09.png", "film.json",
    }  # fmt: skip
    assert read_picture(out / "shot_09.png").size == (32, 48)
    with pytest.raises(OutputError, match="not empty"):
        impasto.stylize_video(source, painting, out, **options)


def test_flows_and_masks_as_pictures(clip, painting, tmp_path):
    flows = tmp_path / "flows"
    impasto.stylize_video(clip, painting, tmp_path / "film.mkv", save_flow=flows, **QUICK)
    names = {path.name for path in flows.iterdir()}
    assert {"000002-1.flow.png", "000002-1.mask.png", "000004-2.mask.png"} <= names
    assert not any(name.startswith(("000001", "000005")) for name in names)


@pytest.mark.slow
def test_the_sources_luminance_comes_last(clip, painting, tmp_path):
    out = impasto.stylize_video(
        clip, painting, tmp_path / "film.mkv", preserve_color="luminance", **QUICK
    )
    plain = impasto.stylize_video(clip, painting, tmp_path / "plain.mkv", **QUICK)
    for made, source, free in zip(*map(_frames, (out, clip, plain)), strict=True):
        torch.testing.assert_close(made, with_luma_of(source, free), atol=2 / 255, rtol=0)


def test_sizes_are_even(make_film, waves, painting, tmp_path):
    clip = make_film(tmp_path / "clip.mkv", [waves(35, 51).float()] * 2)
    out = impasto.stylize_video(clip, painting, tmp_path / "film.mkv", **{**QUICK, "size": 47})
    assert open_clip(out).size == (32, 48)


@pytest.mark.slow
def test_memory_does_not_grow_with_the_film(make_film, moving, painting, tmp_path, monkeypatch):
    """No more than a handful of frames is ever held between the decoder and the disk."""
    import gc

    def held() -> int:
        tensors = (each for each in gc.get_objects() if type(each) is torch.Tensor)
        return sum(each.shape == (1, 3, 32, 48) for each in tensors)

    found = []
    clip = make_film(tmp_path / "clip.mkv", moving(16))
    for state in film_job(clip, painting, tmp_path / "film.mkv", **{**QUICK, "frame_steps": 1}):
        if state.state is None and state.index in (7, 15):
            gc.collect()
            found.append(held())
    assert 0 < found[1] <= found[0] + 4


@pytest.mark.slow
def test_the_warning_ranks_styles_as_the_measurement_does(waves, moving):
    """Frames by themselves, in styles of growing contrast: both orders are the same."""
    stylizer = impasto.Stylizer()
    recipe = stylizer.recipe({"size": "full", "scales": 1, "steps": (15,), "precision": "fp32"})
    before, now = moving(2, 48, 64, step=2)
    shift = torch.tensor([2.0, 0.0]).view(1, 2, 1, 1).expand(1, 2, 48, 64).contiguous()
    noise = white_noise(48, 64, seed=0)
    warned, measured = [], []
    for contrast in (0.1, 0.4, 0.7, 1.0):
        style = 0.5 + contrast * (noise - 0.5)
        warned.append(flicker_tendency(recipe, before, [style], stylizer.network))
        plan = make_plan(recipe, (48, 64), [(48, 64)])
        made = []
        for frame in (before, now):
            *_, last = run(recipe, plan, Pictures(frame, (style,)), stylizer.network)
            made.append(last.snapshot())
        measured.append(float(warping_error(made[1], made[0], shift, inside(shift).float())))
    order = sorted(range(4), key=measured.__getitem__)
    assert sorted(range(4), key=warned.__getitem__) == order
    assert measured[order[-1]] > 1.1 * measured[order[0]]


def test_a_style_that_is_prone_to_flicker_is_warned_of(make_film, moving, tmp_path):
    dull = [0.45 + 0.1 * frame for frame in moving(2)]
    clip = make_film(tmp_path / "clip.mkv", dull)
    calm, wild = tmp_path / "calm.png", tmp_path / "wild.png"
    to_pillow(dull[0]).save(calm)
    to_pillow((white_noise(48, 64, seed=0) > 0.5).float()).save(wild)
    job = film_job(clip, wild, tmp_path / "film.mkv", temporal="off", **QUICK)
    (note,) = job.notes
    assert "prone to flicker" in note
    assert "--temporal off" in note
    assert film_job(clip, calm, tmp_path / "film.mkv", **QUICK).notes == ()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"temporal": -1.0}, "temporal="),
        ({"crop_preview": True}, "crop_preview="),
        ({"start": "99"}, "no frame in that part"),
        ({"size": 8}, "16"),
        ({"codec": "nonsense"}, "no encoder"),
        ({"blend": (1.0, 2.0)}, "blend="),
    ],
)
def test_bad_input_leaves_nothing(clip, painting, tmp_path, options, said):
    before = set(tmp_path.iterdir())
    with pytest.raises(ImpastoError, match=said):
        film_job(clip, painting, tmp_path / "film.mkv", **{**QUICK, **options})
    assert set(tmp_path.iterdir()) == before

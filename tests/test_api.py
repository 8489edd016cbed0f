"""The library's front door, with the bundled network and with objects of one's own."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

import impasto
from impasto.api import stylize_job
from impasto.files.pictures.images import read_picture
from impasto.recipe.strength import style_share

QUICK = {"size": 40, "scales": 1, "steps": (3,), "precision": "fp32", "threads": 1}


def test_paths_in_a_picture_out(photo, painting):
    result = impasto.stylize(photo, painting, **QUICK)
    assert isinstance(result.image, Image.Image)
    assert result.image.mode == "RGB"
    assert result.image.size == (40, 33)
    assert result.tensor.shape == (1, 3, 33, 40)
    rounded = (result.tensor[0] * 255).round().permute(1, 2, 0).numpy()
    assert (np.asarray(result.image) == rounded).all()
    start = impasto.stylize(photo, painting, **{**QUICK, "steps": (0,)})
    assert (result.tensor - start.tensor).abs().mean() > 1e-3  # something happened


def test_paths_pillow_images_and_arrays_give_the_same(photo, painting):
    by_path = impasto.stylize(str(photo), painting, **QUICK)
    by_image = impasto.stylize(Image.open(photo), [Image.open(painting)], **QUICK)
    arrays = [np.asarray(Image.open(path)) for path in (photo, painting)]
    by_array = impasto.stylize(arrays[0], arrays[1].astype(np.float32) / 255, **QUICK)
    assert torch.equal(by_path.tensor, by_image.tensor)
    assert torch.equal(by_path.tensor, by_array.tensor)


def test_stylize_is_the_stream_drained(photo, painting):
    states = list(impasto.stylize_iter(photo, painting, **QUICK))
    assert [state.step for state in states] == [0, 1, 2, 3]
    assert torch.equal(states[-1].snapshot(), impasto.stylize(photo, painting, **QUICK).tensor)


def test_several_paintings(photo, painting, waves):
    other = (waves(40, 40, phase=4.0)[0].permute(1, 2, 0)).numpy()
    both = impasto.stylize(photo, [painting, other], blend=[0.5, 0.5], **QUICK)
    first = impasto.stylize(photo, [painting, other], blend=[1, 0], **QUICK)
    alone = impasto.stylize(photo, painting, **QUICK)
    torch.testing.assert_close(first.tensor, alone.tensor, rtol=0, atol=1e-3)
    assert (both.tensor - alone.tensor).abs().max() > 1e-2
    with pytest.raises(impasto.RecipeError, match="2 shares for 1 painting"):
        impasto.stylize(photo, painting, blend=(1, 2), **QUICK)
    with pytest.raises(impasto.RecipeError, match="painting is needed"):
        impasto.stylize(photo, [], **QUICK)


def test_mistakes_are_said_at_the_call_and_not_at_the_first_state(photo, painting):
    for options in ({"stength": 1}, {"strength": 2}, {"style_layers": ("conv5_4",)}):
        with pytest.raises(impasto.RecipeError):
            impasto.stylize_iter(photo, painting, **options)
    with pytest.raises(impasto.PictureError):
        impasto.stylize_iter("nowhere.png", painting)
    with pytest.raises(impasto.PictureError, match="nowhere"):
        impasto.stylize_iter(photo, painting, init="nowhere.png")


def test_a_starting_picture_from_a_file(photo, painting):
    first = next(impasto.stylize_iter(photo, painting, init=str(painting), **QUICK))
    by_name = next(impasto.stylize_iter(photo, painting, init="style", **QUICK))
    assert torch.equal(first.image, by_name.image)
    job = stylize_job(photo, painting, init=str(painting), **QUICK)
    list(job)
    assert job.result().record["inputs"]["init"][0]["name"] == "painting.png"


def test_a_job_shows_its_plan_and_can_be_stopped(photo, painting):
    job = stylize_job(photo, painting, **QUICK)
    assert job.plan.steps == 3
    assert job.last is None
    with pytest.raises(impasto.StoppedError, match="no picture yet"):
        job.result()
    for state in job:
        if state.step == 1:
            break
    result = job.result()
    assert result.record["result"]["steps"] == 1
    assert result.record["result"]["finished"] is False
    assert len(result.record["losses"]) == 2


def test_the_record_is_enough_to_make_the_picture_again(photo, painting, tmp_path):
    result = impasto.stylize(photo, painting, init="noise", seed=7, strength=0.7, **QUICK)
    path = result.save(tmp_path / "out.png")
    text = path.with_suffix(".json").read_text()
    record = json.loads(text)
    assert record == json.loads(json.dumps(result.record))
    recipe = impasto.Recipe.from_dict(record["recipe"])
    options = {k: v for k, v in recipe.as_dict().items() if k not in ("network", "weights")}
    again = impasto.stylize(photo, painting, **options)
    assert torch.equal(again.tensor, result.tensor)
    assert (np.asarray(Image.open(path)) == np.asarray(again.image)).all()


def test_the_record_names_files_and_no_folders(photo, painting, tmp_path):
    result = impasto.stylize(photo, painting, init=str(painting), **QUICK)
    text = json.dumps(result.record)
    assert "holiday-in-private" not in text
    assert str(tmp_path) not in text
    assert str(Path.home()) not in text
    inputs = result.record["inputs"]
    assert inputs["content"] == [
        {"name": "photo.png", "sha256": read_picture(photo).sha256, "size": [40, 48]}
    ]
    assert inputs["styles"][0]["name"] == "painting.png"
    assert len(result.record["network"]["sha256"]) == 64
    assert {"python", "torch", "impasto"} <= set(result.record["versions"])


def test_the_record_says_which_alpha_and_beta_a_strength_became(photo, painting):
    share, options = style_share(0.25), {"method": "statistics", "strength": 0.25}
    record = impasto.stylize(photo, painting, **options, **QUICK).record
    (weights,) = record["weights"]
    assert weights["alpha"] == pytest.approx((1 - share) / weights["content_unit"])
    assert weights["beta"] == pytest.approx(share / weights["style_unit"])
    last = record["losses"][-1]
    total = weights["alpha"] * last["content"] + weights["beta"] * last["style"]
    total += 0.005 * share * last["variation"]
    assert last["total"] == pytest.approx(total, rel=1e-4)


def test_saving_replaces_nothing_unless_told(photo, painting, tmp_path):
    result = impasto.stylize(photo, painting, **QUICK)
    path = tmp_path / "out.png"
    path.write_bytes(b"precious")
    with pytest.raises(impasto.OutputError, match="exists already"):
        result.save(path)
    assert path.read_bytes() == b"precious"
    result.save(path, overwrite=True)
    assert Image.open(path).size == (40, 33)
    path.unlink()
    with pytest.raises(impasto.OutputError, match=r"out\.json"):  # the record counts as well
        result.save(path)
    assert not path.exists()


# Objects of one's own, each in about a dozen lines.


class Edges:
    """A network: two maps of differences between neighbours, and the picture at half the size."""

    layers = ("edges", "colors")

    def features(self, image, layers):
        across = image[..., 1:, 1:] - image[..., 1:, :-1]
        down = image[..., 1:, 1:] - image[..., :-1, 1:]
        maps = {
            "edges": torch.cat([across, down], 1),
            "colors": torch.nn.functional.avg_pool2d(image, 2),
        }
        return {layer: maps[layer] for layer in layers}


def moments(statistics, target, channels):
    """A style loss: means and variances instead of Gram matrices."""
    mean = (statistics.mean - target.mean).square().sum()
    spread = (statistics.covariance - target.covariance).diagonal().square().sum()
    return (mean + spread) / channels


class Downhill:
    """An optimiser: plain gradient descent with a decaying step."""

    def __init__(self):
        self.count = 0

    def step(self, at, evaluate):
        self.count += 1
        change = at.gradient * (0.05 / self.count / at.gradient.abs().amax())
        return evaluate((at.image - change).clamp(0, 1))

    def state_dict(self):
        return {"count": self.count}

    def load_state_dict(self, state):
        self.count = state["count"]


def test_a_network_of_one_s_own(photo, painting):
    layers = {"content_layers": ("edges",), "style_layers": ("colors",)}
    result = impasto.stylize(
        photo, painting, network=Edges(), strength=0.9, **layers, **{**QUICK, "steps": (20,)}
    )
    assert result.record["network"]["name"] == "Edges"
    losses = [entry["total"] for entry in result.record["losses"]]
    assert losses[-1] < 0.7 * losses[0]
    with pytest.raises(impasto.RecipeError, match="'conv4_2'"):
        impasto.stylize(photo, painting, network=Edges(), **QUICK)


def test_a_style_loss_of_one_s_own(photo, painting):
    result = impasto.stylize(photo, painting, style_loss=moments, **QUICK)
    assert result.record["network"]["style_loss"] == "moments"
    losses = [entry["style"] for entry in result.record["losses"]]
    assert losses[-1] < losses[0]
    gram = impasto.stylize(photo, painting, **QUICK)
    assert not torch.equal(result.tensor, gram.tensor)


def test_an_optimiser_of_one_s_own(photo, painting):
    result = impasto.stylize(photo, painting, optimizer=Downhill, **QUICK)
    assert result.record["network"]["optimizer"] == "Downhill"
    losses = [entry["total"] for entry in result.record["losses"]]
    assert len(losses) == 4
    assert losses[-1] < losses[0]
    assert not torch.equal(result.tensor, impasto.stylize(photo, painting, **QUICK).tensor)


def test_one_stylizer_serves_many_calls(photo, painting):
    stylizer = impasto.Stylizer()
    for seed in (0, 1):
        options = {**QUICK, "init": "noise", "seed": seed}
        assert torch.equal(
            stylizer(photo, painting, **options).tensor,
            impasto.stylize(photo, painting, **options).tensor,
        )
    assert len(list(stylizer.stream(photo, painting, **QUICK))) == 4


@pytest.mark.slow
def test_one_stylizer_from_several_threads_gives_what_it_gives_serially(photo, painting):
    stylizer = impasto.Stylizer()
    jobs = [
        {"init": "noise", "seed": 1},
        {"size": 32},
        {"strength": 0.9, "optimizer": "adam"},
        {"preserve_color": "luminance"},
        {"init": "stripes"},
        {"strength": 0.1},
    ]

    def make(options):
        return stylizer(photo, painting, **{**QUICK, **options}).tensor

    serial = [make(options) for options in jobs]
    with ThreadPoolExecutor(3) as pool:
        threaded = list(pool.map(make, jobs))
    for one, other in zip(serial, threaded, strict=True):
        assert torch.equal(one, other)


@pytest.mark.parametrize("option", [{"pooling": "avg"}, {"network": "vgg19"}])
def test_a_stylizer_does_not_take_another_network_s_options_silently(option, photo, painting):
    """Its network is loaded: what the record says of it must be true."""
    with pytest.raises(impasto.RecipeError):
        impasto.Stylizer()(photo, painting, **option, **QUICK)


def test_a_picture_whose_losses_are_no_numbers_is_not_half_saved(photo, painting, tmp_path):
    class Broken(Edges):
        def features(self, image, layers):
            return {k: v * float("nan") for k, v in super().features(image, layers).items()}

    layers = {"content_layers": ("edges",), "style_layers": ("colors",)}
    try:
        impasto.stylize(photo, painting, network=Broken(), **layers, **QUICK).save(
            tmp_path / "out.png"
        )
    except impasto.ImpastoError:
        assert not (tmp_path / "out.png").exists()
    else:
        json.loads((tmp_path / "out.json").read_text())


@pytest.mark.slow
def test_memory_in_a_file_changes_no_pixel(photo, painting, tmp_path, monkeypatch):
    """The plan says so; nothing is left of the files, and the record's plan makes it again."""
    monkeypatch.setattr("impasto.files.scratch.user_cache_path", lambda _: tmp_path / "cache")
    options = {"size": 100, "scales": 2, "steps": (2, 3), "precision": "fp32", "threads": 1}
    stylizer = impasto.Stylizer()
    plain = stylizer.job(photo, painting, tile=64, **options)
    stages = tuple(replace(stage, mapped=True) for stage in plain.plan.stages)
    mapped = stylizer.job(photo, painting, plan=replace(plain.plan, stages=stages), **options)
    results = []
    for job in (plain, mapped):
        for _ in job:
            pass
        results.append(job.result())
    assert torch.equal(results[0].tensor, results[1].tensor)
    assert [stage["mapped"] for stage in results[1].record["plan"]["stages"]] == [True, True]
    assert (tmp_path / "cache" / "scratch").is_dir()
    assert not list((tmp_path / "cache" / "scratch").iterdir())


def test_what_a_stylizer_is_given_holds_for_every_picture(photo, painting):
    stylizer = impasto.Stylizer(**QUICK)
    assert stylizer.job(photo, painting).recipe == impasto.Recipe(**QUICK)
    other = stylizer.job(photo, painting, strength=0.5).recipe
    assert other == impasto.Recipe(**QUICK, strength=0.5)
    with pytest.raises(impasto.RecipeError, match="no option named"):
        impasto.Stylizer(stength=1)


def test_a_stylizer_may_be_one_of_instant_pictures(photo, painting):
    result = impasto.Stylizer(quality="instant", size=64)(photo, painting)
    assert result.record["recipe"]["quality"] == "instant"

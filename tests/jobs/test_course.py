"""A picture that is steered: another recipe between two steps, and the same pixels again."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

import impasto
from impasto import Stylizer
from impasto.errors import PictureError, RecipeError, RecordError
from impasto.files.pictures.images import read_picture
from impasto.files.records.read import read_record

QUICK = {"size": 48, "precision": "fp32", "threads": 1}


@pytest.fixture(scope="module")
def stylizer() -> Stylizer:
    return Stylizer(**QUICK)


def _steered(stylizer, photo, painting, changes, **options):
    """A job whose recipe changes after some steps, and how many states it had."""
    job = stylizer.job(photo, painting, **options)
    states = []
    for state in job:
        states.append(state)
        if state.step in changes:
            job.steer(stylizer.recipe({**options, **changes[state.step]}))
    return job, states


@pytest.fixture
def mask(photo) -> Path:
    """The left half of the photograph."""
    path = photo.parent / "mask.png"
    levels = np.zeros((40, 48), np.uint8)
    levels[:, :24] = 255
    Image.fromarray(levels).save(path)
    return path


@pytest.mark.parametrize(
    ("options", "changes"),
    [
        ({"steps": (4,)}, {2: {"strength": 0.3}, 5: {"style_scale": 2.0}}),
        ({"steps": (3,), "method": "statistics", "scales": 2}, {1: {"strength": 0.9}}),
        ({"steps": (3,), "method": "report"}, {1: {"layer_weights": "falling"}}),
        ({"quality": "instant"}, {1: {"strength": 0.4}}),
        ({"steps": (2,)}, {1: {"method": "statistics", "scales": 2}}),
        ({"steps": (2,), "preserve_color": "luminance"}, {2: {"tv": 0.1}}),
    ],
    ids=[
        "neighbours",
        "coarse to fine",
        "the report's",
        "at once",
        "another method",
        "after the last step",
    ],
)
def test_a_changed_picture_is_made_again_bit_for_bit(
    options, changes, stylizer, photo, painting, tmp_path
):
    job, states = _steered(stylizer, photo, painting, changes, **options)
    steps = [state.step for state in states]
    assert steps == sorted(steps)
    if options.get("quality") != "instant":  # there each size is made at its only step
        assert set(steps) == set(range(steps[-1] + 1))
    assert states[-1].step == states[-1].steps
    path = photo.parent / "out.png"
    job.result().save(path)
    record = read_record(path)
    assert [each.step for each in record.changes] == sorted(changes)
    assert [each.recipe for each in record.changes] == [
        stylizer.recipe({**options, **changes[step]}) for step in sorted(changes)
    ]
    assert record.result.finished
    again = impasto.reproduce(path)
    assert again.identical is True
    assert again.changes == ()


def test_a_change_is_seen_and_the_steps_are_those_of_the_new_recipe(stylizer, photo, painting):
    plain = stylizer(photo, painting, steps=(6,))
    job, states = _steered(
        stylizer, photo, painting, {2: {"strength": 0.1, "steps": (6,)}}, steps=(6,)
    )
    assert states[-1].step == 2 + 1 + 6
    photograph = read_picture(photo).tensor
    mine, theirs = (
        float((t - photograph).abs().mean()) for t in (job.result().tensor, plain.tensor)
    )
    assert mine < 0.8 * theirs


def test_of_several_changes_between_two_steps_the_last_counts(stylizer, photo, painting):
    job = stylizer.job(photo, painting, steps=(3,))
    states = iter(job)
    next(states)
    for strength in (0.1, 0.9, 0.4):
        job.steer(stylizer.recipe({"steps": (3,), "strength": strength}))
    list(states)
    record = job.result().record
    assert [each["recipe"]["strength"] for each in record["changes"]] == [0.4]


def test_an_earlier_result_is_taken_up(stylizer, photo, painting, mask):
    first = stylizer.job(photo, painting, steps=(3,))
    list(first)
    path = photo.parent / "first.png"
    first.result().save(path)
    again = stylizer.job(photo, painting, steps=(3,))
    again.go_on_from(read_record(path), first.result().tensor)
    again.steer(stylizer.recipe({"steps": (2,), "protect": str(mask)}))
    states = list(again)
    assert [state.step for state in states] == [4, 5, 6]
    second = photo.parent / "second.png"
    again.result().save(second)
    assert [each.step for each in read_record(second).losses] == list(range(7))
    assert impasto.reproduce(second).identical is True


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"size": 40}, "^size cannot change"),
        ({"blend": (1.0, 2.0)}, "2 shares"),
        ({"depth": 16}, "^depth cannot change"),
    ],
)
def test_what_cannot_change_on_the_way(options, told, stylizer, photo, painting):
    job = stylizer.job(photo, painting, steps=(1,))
    next(iter(job))
    with pytest.raises(RecipeError, match=told):
        job.steer(stylizer.recipe({"steps": (1,), **options}))


def test_a_record_with_changes_that_make_no_sense(stylizer, photo, painting):
    import json

    job, _ = _steered(stylizer, photo, painting, {1: {"strength": 0.2}}, steps=(2,))
    job.result().save(photo.parent / "out.jpg")
    path = photo.parent / "out.json"
    values = json.loads(path.read_text())
    for damage in (
        {"step": 99},
        {"step": -1},
        {"step": "1"},
        {"plan": {}},
        {"recipe": {"strength": 7.0}},
        {"recipe": {**values["recipe"], "protect": "../../etc/passwd"}},
    ):
        path.write_text(json.dumps({**values, "changes": [{**values["changes"][0], **damage}]}))
        with pytest.raises(RecordError, match="not written by impasto"):
            read_record(path)


@pytest.mark.parametrize(
    "options",
    [
        {"steps": (8,)},
        {"quality": "instant"},
        {"method": "statistics", "steps": (20,), "scales": 1},
    ],
)
def test_what_is_protected_stays(options, stylizer, photo, painting, mask):
    free = stylizer(photo, painting, **options).tensor
    kept = stylizer(photo, painting, protect=str(mask), **options).tensor
    photograph = read_picture(photo).tensor
    inside = (..., slice(None), slice(0, 20))
    outside = (..., slice(None), slice(28, None))

    def change(picture, part):
        return float((picture - photograph)[part].abs().mean())

    assert change(kept, inside) < 0.1 * change(free, inside)
    assert change(kept, outside) > 0.6 * change(free, outside)


@pytest.mark.slow
def test_grey_lies_between(stylizer, photo, painting):
    photograph = read_picture(photo).tensor
    changes = []
    for level in (0, 128, 255):
        path = photo.parent / f"{level}.png"
        Image.new("L", (48, 40), level).save(path)
        made = stylizer(photo, painting, steps=(12,), protect=str(path)).tensor
        changes.append(float((made - photograph).abs().mean()))
    nothing, half, whole = changes
    assert whole < 0.05 * nothing
    assert 0.25 * nothing < half < 0.8 * nothing


def test_a_mask_in_tiles_is_the_same(photo, painting, mask):
    whole, tiled = (
        impasto.stylize(
            photo, painting, method="statistics", size=96, steps=(2,), scales=1, tile=tile,
            protect=str(mask), precision="fp32", threads=1,
        ).tensor
        for tile in ("none", 64)
    )  # fmt: skip
    assert float((whole - tiled).abs().max()) < 2e-3


def test_a_mask_of_another_proportion(photo, painting, stylizer):
    path = photo.parent / "square.png"
    Image.new("L", (30, 90)).save(path)
    with pytest.raises(PictureError, match=r"30x90 and the photograph 48x40"):
        stylizer(photo, painting, protect=str(path), quality="instant")


def test_a_missing_mask(photo, painting, stylizer):
    with pytest.raises(PictureError, match=r"nothing\.png"):
        stylizer(photo, painting, protect="nothing.png", quality="instant")


@settings(max_examples=4)
@given(
    st.lists(
        st.tuples(st.integers(0, 5), st.floats(0.05, 0.95)), max_size=3, unique_by=lambda c: c[0]
    )
)
def test_any_changes_are_listed_in_their_order(stylizer, changes):
    rng = np.random.default_rng(3)
    photo, painting = (rng.random((32, 32, 3)) for _ in range(2))
    wanted = {step: {"strength": strength} for step, strength in changes}
    job, states = _steered(stylizer, photo, painting, wanted, steps=(2,), size=32)
    listed = [(c["step"], c["recipe"]["strength"]) for c in job.result().record["changes"]]
    assert listed == [(s, wanted[s]["strength"]) for s in sorted(wanted) if s <= states[-1].step]


def test_the_protected_term_s_gradient_in_float64():
    from impasto.engine.objective.terms import Activations
    from impasto.engine.objective.terms.protected import Protected

    generator = torch.Generator().manual_seed(0)
    photograph, x = (torch.rand(1, 3, 6, 7, generator=generator, dtype=torch.float64) for _ in "ab")
    mask = torch.rand(1, 1, 6, 7, generator=generator, dtype=torch.float64)
    term = Protected(photograph, mask)
    x.requires_grad_()
    assert torch.autograd.gradcheck(lambda p: term.loss(Activations(picture=p)), (x,))
    assert float(term.loss(Activations(picture=photograph))) == 0


@pytest.mark.slow
def test_a_part_of_a_large_picture_is_protected_too(photo, painting):
    path = photo.parent / "all.png"
    Image.new("L", (48, 40), 255).save(path)
    options = {"quality": "instant", "size": 700, "crop_preview": True, "threads": 1}
    free, kept = (
        impasto.stylize(photo, painting, **options, **more).tensor
        for more in ({}, {"protect": str(path)})
    )
    assert free.shape == kept.shape == (1, 3, 512, 512)
    assert float((kept - free).abs().mean()) > 0.02
    # All of it is the photograph, which is smooth; strokes are not.
    steps = [float(each.diff(dim=-1).abs().mean()) for each in (kept, free)]
    assert steps[0] < 0.5 * steps[1]

"""A checkpoint's file: what goes in comes out, and what is damaged is named."""

from __future__ import annotations

import math
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from impasto.errors import OutputError, RecordError
from impasto.files.records.checkpoints import (
    checkpoint_path,
    is_checkpoint,
    read_checkpoint,
    write_checkpoint,
)
from impasto.files.records.loss_curve import LossCurve
from impasto.jobs.stylizer import Stylizer

OPTIONS = {"size": 32, "scales": 1, "steps": (6,), "precision": "fp32"}


@pytest.fixture(scope="module")
def stylizer() -> Stylizer:
    return Stylizer()


@pytest.fixture(scope="module")
def pictures() -> list[np.ndarray]:
    draw = np.random.default_rng(0)
    return [draw.random((40, 40, 3), dtype=np.float32) for _ in range(2)]


def _kept(stylizer, pictures, path: Path, steps: int = 3, **options) -> Path:
    job = stylizer.job(*pictures, **{**OPTIONS, **options})
    for state in job:
        if state.step == steps:
            break
    job.keep(path)
    return path


def _same(a, b) -> bool:
    if isinstance(a, torch.Tensor):
        return a.dtype == b.dtype and torch.equal(a, b)
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(_same(a[key], b[key]) for key in a)
    if isinstance(a, list | tuple):
        return len(a) == len(b) and all(map(_same, a, b))
    return a == b or (a != a and b != b)


def test_it_lies_beside_the_picture():
    assert checkpoint_path(Path("a/photo+painting.v2.png")) == Path(
        "a/photo+painting.v2.checkpoint"
    )


@pytest.mark.parametrize("optimizer", ["lbfgs", "adam"])
def test_what_goes_in_comes_out(optimizer, stylizer, pictures, tmp_path):
    job = stylizer.job(*pictures, **OPTIONS, optimizer=optimizer)
    states = iter(job)
    point = [next(states) for _ in range(4)][-1].checkpoint()
    job.keep(tmp_path / "a.checkpoint")
    kept = read_checkpoint(tmp_path / "a.checkpoint")
    assert (kept.point.stage, kept.point.step) == (0, 3)
    assert kept.point.losses == point.losses
    assert kept.plan == job.plan
    for name in ("image", "gradient", "optimizer"):
        assert _same(getattr(kept.point, name), getattr(point, name))
    assert [path.name for path in tmp_path.iterdir()] == ["a.checkpoint"]


def test_states_of_any_plain_shape(stylizer, pictures, tmp_path):
    """Half precision, one tensor in two places, parts of a larger one, numbers that are none."""
    path = _kept(stylizer, pictures, tmp_path / "a.checkpoint")
    kept = read_checkpoint(path)
    whole = torch.arange(12, dtype=torch.float64).view(3, 4)
    state = {
        "halves": [torch.ones(2, dtype=torch.float16), torch.ones(3, dtype=torch.bfloat16)],
        "twice": [whole, whole],
        "parts": [whole[1], whole.T],
        "nothing": None,
        "none": torch.empty(0),
        "one": torch.tensor(7),
        "text": "forward",
        "numbers": [1, True, 2.5, math.inf, math.nan],
        "deep": {"a": {"b": []}},
    }
    job = stylizer.job(*pictures, **OPTIONS)
    list(job)
    curve = LossCurve()
    curve.append(3, 0, asdict(kept.point.losses))
    write_checkpoint(path, replace(kept.point, optimizer=state), job.result().record, curve)
    assert _same(read_checkpoint(path).point.optimizer, state)


@pytest.mark.parametrize("options", [{}, {"optimizer": "lbfgs"}], ids=str)
def test_a_job_goes_on_to_the_same_record(options, stylizer, pictures, tmp_path):
    whole = stylizer(*pictures, **OPTIONS, **options)
    path = _kept(stylizer, pictures, tmp_path / "a.checkpoint", **options)
    job = stylizer.job(*pictures, resume=path, **OPTIONS, **options)
    steps = [state.step for state in job]
    assert steps == [3, 4, 5, 6]
    again = job.result()
    assert torch.equal(again.tensor, whole.tensor)
    for part in ("losses", "weights", "recipe", "plan", "inputs", "troubles"):
        assert again.record[part] == whole.record[part]
    assert again.record["result"]["sha256"] == whole.record["result"]["sha256"]


@pytest.mark.parametrize(
    "other", [{"steps": (7,)}, {"strength": 0.5}, {"size": 40}, {"optimizer": "lbfgs"}], ids=str
)
def test_another_recipe_s_checkpoint_is_refused(other, stylizer, pictures, tmp_path):
    path = _kept(stylizer, pictures, tmp_path / "a.checkpoint")
    with pytest.raises(RecordError, match=r"another recipe.*--resume"):
        stylizer.job(*pictures, resume=path, **{**OPTIONS, **other})


def test_another_picture_s_checkpoint_is_refused(stylizer, pictures, tmp_path):
    path = _kept(stylizer, pictures, tmp_path / "a.checkpoint")
    with pytest.raises(RecordError, match="other pictures"):
        stylizer.job(*reversed(pictures), resume=path, **OPTIONS)


def test_another_texture_s_checkpoint_is_refused(stylizer, pictures, tmp_path):
    options = {"scales": 1, "steps": (2,), "precision": "fp32"}
    job = stylizer.texture_job(pictures[1], (40, 32), **options)
    list(job)
    job.keep(tmp_path / "a.checkpoint")
    stylizer.texture_job(pictures[1], (40, 32), resume=tmp_path / "a.checkpoint", **options)
    with pytest.raises(RecordError, match="another recipe"):
        stylizer.texture_job(pictures[1], (40, 40), resume=tmp_path / "a.checkpoint", **options)


def test_damaged_anywhere_it_is_named(stylizer, pictures, tmp_path):
    path = _kept(stylizer, pictures, tmp_path / "a.checkpoint")
    whole = path.read_bytes()
    draw = np.random.default_rng(1)
    bad = tmp_path / "bad.checkpoint"
    for at in draw.integers(0, len(whole), 40):
        bad.write_bytes(
            whole[:at] + bytes([whole[at] ^ 1 << int(draw.integers(8))]) + whole[at + 1 :]
        )
        with pytest.raises(RecordError, match=r"bad\.checkpoint"):
            read_checkpoint(bad)
    for length in (0, 1, 8, 100, len(whole) // 2, len(whole) - 1):
        bad.write_bytes(whole[:length])
        with pytest.raises(RecordError, match=r"bad\.checkpoint"):
            read_checkpoint(bad)


def test_what_is_none_is_told_from_what_is(stylizer, pictures, tmp_path):
    assert is_checkpoint(_kept(stylizer, pictures, tmp_path / "a.checkpoint"))
    (tmp_path / "b").write_bytes(b"precious")
    save_file({"a": torch.ones(1)}, tmp_path / "c")
    for other in ("b", "c", "nowhere", "."):
        assert not is_checkpoint(tmp_path / other)
    for other in ("c", "nowhere", "."):
        with pytest.raises(RecordError):
            read_checkpoint(tmp_path / other)


def test_a_folder_that_is_not_there(stylizer, pictures, tmp_path):
    with pytest.raises(OutputError):
        _kept(stylizer, pictures, tmp_path / "no" / "a.checkpoint")

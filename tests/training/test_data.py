import numpy as np
import pytest
import torch
from PIL import Image

from training import data


@pytest.fixture
def photos(generator):
    return [torch.randint(256, (3, 40, 50), generator=generator).byte() for _ in range(3)]


def test_held_out_depends_on_the_name_alone(tmp_path):
    names = [f"n{k:08d}.jpg" for k in range(400)]
    held = [name for name in names if data.held_out(name)]
    assert 2 <= len(held) <= 20
    for name in (held[0], names[0], "notes.txt"):
        (tmp_path / name).touch()
    assert [p.name for p in data.photo_paths(tmp_path, held=True)] == [held[0]]
    assert not data.held_out(names[0])
    assert [p.name for p in data.photo_paths(tmp_path, held=False)] == [names[0]]


def test_load(tmp_path):
    path = tmp_path / "p.png"
    Image.fromarray(np.full((20, 40, 3), 7, np.uint8)).save(path)
    assert data.load(path).shape == (3, 20, 40)
    assert data.load(path, side=10).shape == (3, 5, 10)
    assert int(data.load(path).max()) == 7


def test_batches_are_a_function_of_seed_and_step(photos):
    def batch(step, seed=1, pool=None):
        return data.batch(photos, seed=seed, step=step, count=24, size=32, pool=pool)

    first = batch(5)
    assert first.shape == (24, 3, 32, 32)
    assert float(first.min()) >= 0
    assert float(first.max()) <= 1
    assert bool(torch.isfinite(first).all())
    torch.testing.assert_close(batch(5), first, rtol=0, atol=0)
    assert not torch.equal(batch(6), first)
    assert not torch.equal(batch(5, seed=2), first)
    pool = torch.zeros(1, 3, 32, 32, dtype=torch.uint8)
    assert bool((batch(5, pool=pool).flatten(1).amax(1) == 0).any())


@pytest.mark.parametrize("make", [data.strokes, data.cells, data.procedural])
def test_textures_are_pictures(make, generator):
    for _ in range(8):
        picture = make(generator, 24)
        assert picture.shape == (3, 24, 24)
        assert 0 <= float(picture.min()) <= float(picture.max()) <= 1


def test_every_spoiling_keeps_the_range(photos, generator):
    one, other = (data.crop(generator, photo, 32) for photo in photos[:2])
    for _ in range(30):
        spoilt = data.spoilt(generator, one, other)
        assert spoilt.shape == one.shape
        assert 0 <= float(spoilt.min()) <= float(spoilt.max()) <= 1

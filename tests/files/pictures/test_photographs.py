"""Photographs to train on."""

from __future__ import annotations

import pytest
import torch
from PIL import Image

from impasto.errors import PictureError
from impasto.files.pictures.photographs import (
    Photographs,
    photographs_in,
    photographs_without_a_folder,
)


def _generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@pytest.fixture
def folder(tmp_path):
    for number, color in enumerate(("red", "green", "blue")):
        Image.new("RGB", (60 + number, 45), color).save(tmp_path / f"{number}.png")
    return tmp_path


def test_crops_are_a_function_of_the_generator(folder):
    one, other = (photographs_in(folder, longest=64, max_pixels=10**6) for _ in range(2))
    found = one.crops(_generator(3), 4, 32)
    assert found.shape == (4, 3, 32, 32)
    assert 0 <= found.min() <= found.max() <= 1
    other.crops(_generator(4), 4, 32)  # what is in memory makes no difference
    assert torch.equal(other.crops(_generator(3), 4, 32), found)
    assert one.sha256 == other.sha256


def test_small_photographs_are_enlarged(folder):
    made = photographs_in(folder, longest=64, max_pixels=10**6)
    assert made.crops(_generator(), 1, 128).shape == (1, 3, 128, 128)


def test_a_damaged_one_is_left_out_and_noted(folder):
    (folder / "0.png").write_bytes(b"no picture")
    made = photographs_in(folder, longest=64, max_pixels=10**6)
    for seed in range(8):
        made.crops(_generator(seed), 2, 16)
    assert len([note for note in made.notes if note.startswith("0.png")]) == 1


def test_none_at_all_is_an_error(folder):
    with pytest.raises(PictureError, match="but the paintings"):
        photographs_in(folder, longest=64, max_pixels=10**6, leave_out=sorted(folder.iterdir()))
    with pytest.raises(PictureError, match="check the name"):
        photographs_in(folder / "nowhere", longest=64, max_pixels=10**6)
    for path in folder.iterdir():
        path.write_bytes(b"no picture")
    with pytest.raises(PictureError, match="None of the photographs"):
        photographs_in(folder, longest=64, max_pixels=10**6).crops(_generator(), 1, 16)


def test_scale_is_that_of_pictures_as_large_as_asked():
    """A crop of the whole width is from a photograph at its smallest scale."""
    ramp = torch.linspace(0, 1, 640).expand(1, 3, 480, 640)
    made = Photographs([lambda: ramp], ["ramp"], "", "", longest=320)
    for seed in range(10):
        crop = made.crops(_generator(seed), 1, 80)
        slope = abs(float(crop[0, 0, 40, 60] - crop[0, 0, 40, 20])) / 40
        assert 1 / 480 * 0.97 < slope < 1 / 320 * 1.03


def test_without_a_folder():
    made = photographs_without_a_folder(longest=48)
    assert made.crops(_generator(1), 3, 32).shape == (3, 3, 32, 32)
    assert "generated pictures" in made.description

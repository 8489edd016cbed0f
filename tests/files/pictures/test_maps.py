"""Maps of regions: which colours they have, what each takes after, and what is refused."""

from __future__ import annotations

import io

import numpy as np
import pytest
import torch
from PIL import Image, ImageFilter

from impasto.engine.regions import NOWHERE
from impasto.errors import PictureError, RecipeError
from impasto.files.pictures.images import Picture, read_picture
from impasto.files.pictures.maps import RegionMaps, colors_of, labels_of, regions_of

RED, GREEN, BLUE = (255, 0, 0), (0, 255, 0), (0, 0, 255)


def _picture(levels, name="map.png"):
    levels = np.asarray(levels)
    values = torch.from_numpy(levels / np.iinfo(levels.dtype).max).float()
    values = values[None].expand(3, -1, -1) if values.ndim == 2 else values.permute(2, 0, 1)
    return Picture(values[None].contiguous(), name, "0" * 64)


def _bands(*colors, height=40, width=60):
    levels = np.zeros((height, width, 3), np.uint8)
    for index, color in enumerate(colors):
        levels[:, index * width // len(colors) :] = color
    return levels


def _plain(height=40, width=60, name="photo.png"):
    return Picture(torch.zeros(1, 3, height, width), name, "1" * 64)


PAINTINGS = [_plain(30, 30, f"{name}.jpg") for name in "abc"]


def test_each_colour_is_a_painting_s_from_dark_to_light():
    maps = RegionMaps(_picture(_bands(GREEN, BLUE, RED)))
    regions, (told,) = regions_of(maps, _plain(), PAINTINGS, None)
    assert regions.labels[0, 0, 0, [0, 25, 59]].tolist() == [2, 0, 1]
    assert regions.shares == ((1, 0, 0), (0, 1, 0), (0, 0, 1))
    assert "#0000ff (33%) after a.jpg; #ff0000 (33%) after b.jpg; #00ff00" in told


@pytest.mark.parametrize("kind", [np.uint8, np.uint16])
def test_labels_count_from_nought(kind):
    levels = np.repeat(np.arange(3, dtype=kind), 20)[None].repeat(40, 0)
    colors = colors_of(_picture(levels))
    assert len(colors) == 3
    assert labels_of(_picture(levels).tensor, colors)[0, 0, 0, ::20].tolist() == [0, 1, 2]


@pytest.mark.parametrize("change", ["blur", "jpeg", "resize"])
def test_soft_borders_and_noise_are_no_regions(change):
    image = Image.fromarray(_bands(RED, BLUE, (255, 255, 255), height=200, width=300))
    if change == "blur":
        image = image.filter(ImageFilter.GaussianBlur(1))
    elif change == "resize":
        image = image.resize((417, 278), Image.Resampling.BICUBIC)
    else:
        file = io.BytesIO()
        image.save(file, "JPEG", quality=60)
        image = Image.open(file)
    picture = _picture(np.asarray(image.convert("RGB")))
    colors = colors_of(picture)
    assert len(colors) == 3
    labels = labels_of(picture.tensor, colors)
    assert labels[0, 0, 50, [3, 160, -3]].tolist() == [1, 0, 2]


def test_parts_of_paintings_by_their_colour():
    maps = RegionMaps(
        _picture(_bands(RED, BLUE)),
        (_picture(_bands(BLUE, GREEN, RED, height=30, width=30)), _picture(_bands(RED)[:30, :30])),
    )
    regions, (told,) = regions_of(maps, _plain(), PAINTINGS[:2], (1.0, 3.0))
    assert regions.shares == ((1.0, 0.0), (0.25, 0.75))
    assert regions.parts[0][0, 0, 0, [0, 15, 29]].tolist() == [0, NOWHERE, 1]
    assert "the same colour of a.jpg and b.jpg" in told


@pytest.mark.parametrize(
    ("maps", "paintings", "blend", "error", "said"),
    [
        ((_bands(RED, BLUE, GREEN),), 2, None, RecipeError, "3 regions.*#00ff00.*2 paintings"),
        ((_bands(RED),), 2, None, RecipeError, "1 region"),
        ((_bands(RED, BLUE),), 2, (1, 1), RecipeError, "--blend"),
        ((_bands(RED, BLUE), _bands(RED)[:30, :30]), 2, None, RecipeError, "1 map for 2 paintings"),
        ((_bands(RED, BLUE), _bands(RED)[:30, :30]), 1, None, RecipeError, "colour #0000ff"),
        ((_bands(RED, BLUE), _bands(RED, BLUE)), 1, None, PictureError, "proportion"),
        ((_bands(RED, BLUE)[:, :40],), 2, None, PictureError, "proportion"),
    ],
)
def test_what_does_not_fit_is_said(maps, paintings, blend, error, said):
    pictures = [_picture(each) for each in maps]
    with pytest.raises(error, match=said):
        regions_of(
            RegionMaps(pictures[0], tuple(pictures[1:])), _plain(), PAINTINGS[:paintings], blend
        )


def test_a_tiny_region_is_named():
    levels = _bands(RED, BLUE, height=200, width=200)
    levels[7:10, 7:10] = GREEN
    with pytest.raises(PictureError, match=r"#00ff00.*too small"):
        colors_of(_picture(levels))


def test_a_photograph_is_no_map():
    noise = np.random.default_rng(0).integers(0, 255, (64, 64, 3), dtype=np.uint8)
    with pytest.raises(PictureError, match="flat colour"):
        colors_of(_picture(noise))


def test_a_palette_s_colours_are_what_is_seen(tmp_path):
    image = Image.fromarray(_bands(RED, BLUE)).convert("P", palette=Image.Palette.ADAPTIVE)
    image.save(tmp_path / "map.png")
    assert len(colors_of(read_picture(tmp_path / "map.png"))) == 2

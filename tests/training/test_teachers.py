from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from safetensors.torch import save_file

from training.teachers import VGG, Small, Teachers, central, filter_means

WEIGHTS = Path(__file__).parents[3] / "shared" / "weights"


def convs(widths, generator, before=3):
    out = {}
    for name, width in widths.items():
        out[f"{name}.weight"] = torch.randn(width, before, 3, 3, generator=generator) / before
        out[f"{name}.bias"] = torch.randn(width, generator=generator) / 10
        before = width
    return out


@pytest.fixture
def block(generator):
    return convs({"conv1_1": 6, "conv1_2": 5, "conv2_1": 4}, generator)


def test_normalised_filters_are_the_plain_ones_divided(block, generator):
    picture = torch.rand(1, 3, 12, 10, generator=generator)
    names = ["conv1_1", "conv1_2", "conv2_1"]
    means = {n: torch.rand(len(block[f"{n}.bias"]), generator=generator) + 0.5 for n in names}
    plain, normal = VGG(block)(picture, names), VGG(block, means)(picture, names)
    for name in names:
        expected = plain[name] / means[name].view(1, -1, 1, 1)
        torch.testing.assert_close(normal[name], expected, rtol=1e-4, atol=1e-4)


def test_convention_is_keras(block, generator):
    picture = torch.rand(1, 3, 8, 8, generator=generator)
    bgr = picture.flip(1) * 255 - torch.tensor([103.939, 116.779, 123.68]).view(1, 3, 1, 1)
    expected = F.relu(F.conv2d(bgr, block["conv1_1.weight"], block["conv1_1.bias"], padding=1))
    found = VGG(block)(picture, ["conv1_1"])["conv1_1"]
    torch.testing.assert_close(found, expected, rtol=1e-3, atol=1e-3)


def test_means_make_filters_average_one(tmp_path, generator, monkeypatch, block):
    monkeypatch.setattr("training.teachers.TAUGHT", ("conv1_1", "conv2_1"))
    path = tmp_path / "vgg.safetensors"
    save_file(block, path)
    photos = [torch.randint(256, (3, 16, 20), generator=generator).byte() for _ in range(3)]
    means = filter_means(path, central(photos, side=12))
    net, total = VGG(block, means), torch.zeros(4)
    for picture in central(photos, side=12):
        assert picture.shape == (3, 12, 12)
        total += net(picture[None], ["conv2_1"])["conv2_1"].mean((0, 2, 3)) / 3
    alive = means["conv2_1"] > 0
    torch.testing.assert_close(total[alive], torch.ones(int(alive.sum())))


@pytest.mark.parametrize("padding", ["reflect", "constant"])
def test_small_network_pads_as_told(padding, generator):
    weights = convs({"conv1_1": 4}, generator)
    weights |= {
        "input.weight": torch.eye(3).view(3, 3, 1, 1),
        "input.bias": torch.zeros(3),
        "conv1_1_head.weight": torch.randn(7, 4, 1, 1, generator=generator),
        "conv1_1_head.bias": torch.zeros(7),
    }
    picture = torch.rand(1, 3, 6, 6, generator=generator)
    net = Small(weights, padding=padding)
    found = net(picture, ["conv1_1"], heads=["conv1_1"])
    padded = F.pad(picture, (1, 1, 1, 1), mode=padding)
    own = F.relu(F.conv2d(padded, weights["conv1_1.weight"], weights["conv1_1.bias"]))
    torch.testing.assert_close(found["conv1_1"], own)
    head = F.relu(F.conv2d(own, weights["conv1_1_head.weight"]))
    torch.testing.assert_close(found["conv1_1_head"], head)


@pytest.mark.skipif(not WEIGHTS.is_dir(), reason="the development weights are not here")
def test_real_teachers_give_every_target():
    from training.student import HEADS
    from training.teachers import load_small, load_vgg

    vgg = load_vgg(WEIGHTS / "vgg19_blocks1-3.safetensors")
    small = load_small(WEIGHTS / "vgg19_small16x.safetensors")
    with torch.no_grad():
        found = Teachers(vgg, small)(torch.rand(1, 3, 32, 32), HEADS)
    assert {n: v.shape[1] for n, v in found.items()} == {n: c for n, (c, _) in HEADS.items()}

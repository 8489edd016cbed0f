import json

import pytest
import torch
from torch import nn

from training.student import CONVS, FORMAT, HEADS, Plain, Student, export, in_order, read, widened


@pytest.fixture
def student(generator):
    """A student whose norms have seen something."""
    torch.manual_seed(0)
    student = Student()
    for norm in student.norms.values():
        norm.weight.data.uniform_(0.5, 2)
        norm.bias.data.normal_()
        norm.running_mean.normal_(0, 0.3)
        norm.running_var.uniform_(0.3, 3)
    return student.eval()


def test_folding_changes_nothing(student, generator):
    picture = torch.rand(2, 3, 48, 40, generator=generator)
    plain = Plain(student.folded()).double()
    student.double()
    for part in plain.buffers():
        assert part.dtype == torch.float64
    ours, folded = student(picture.double(), CONVS), plain(picture.double(), CONVS)
    for name in CONVS:
        torch.testing.assert_close(folded[name], ours[name], rtol=1e-4, atol=1e-5)


def test_putting_norms_back_changes_nothing(student, generator):
    pictures = torch.rand(4, 3, 48, 48, generator=generator)
    weights = student.folded()
    again = Student.from_folded(weights, pictures)
    for name, value in again.eval().folded().items():
        torch.testing.assert_close(value, weights[name], rtol=1e-4, atol=1e-5)
    train = again.train()(pictures, ["conv1_1"])["conv1_1"]
    still = Plain(weights)(pictures, ["conv1_1"])["conv1_1"]
    # A batch is normalised by its biased variance, 1 part in 9,216 less than what was measured.
    torch.testing.assert_close(train, still, rtol=1e-3, atol=5e-4)


def test_more_channels_change_nothing(student, generator):
    """Of the last layer, which a head reads, and of one in the middle, which a layer reads too."""
    picture = torch.rand(1, 3, 32, 32, generator=generator)
    weights = student.folded()
    narrow = dict(weights)
    for part in ("conv5_1.weight", "conv5_1.bias", "conv3_4.weight", "conv3_4.bias"):
        narrow[part] = weights[part][:50]
    narrow["conv5_1_head.weight"] = weights["conv5_1_head.weight"][:, :50]
    narrow["conv4_1.weight"] = weights["conv4_1.weight"][:, :50]
    wide = widened(narrow)
    assert {n: x.shape for n, x in wide.items()} == {n: x.shape for n, x in weights.items()}
    layers = ["conv4_1", "conv5_1"]
    before, after = (Plain(each)(picture, layers, heads=True) for each in (narrow, wide))
    for layer in layers:
        torch.testing.assert_close(after[layer], before[layer], rtol=1e-5, atol=1e-5)
    assert wide["conv5_1.weight"][50:].any(), "new filters do not start at zero"
    assert widened(weights).keys() == weights.keys()


def test_maps_have_vgg_sizes(student):
    found = student(torch.rand(1, 3, 35, 50), ["conv1_2", "conv3_4", "conv5_1"])
    assert {n: tuple(v.shape) for n, v in found.items()} == {
        "conv1_2": (1, 16, 35, 50),
        "conv3_4": (1, 64, 8, 12),
        "conv5_1": (1, 192, 2, 3),
    }


def test_head_on_rows_is_the_head_on_maps(student, generator):
    value = torch.rand(1, 64, 3, 4, generator=generator)
    rows = student.head("conv3_1", value[0].flatten(1).T)
    head: nn.Conv2d = student.heads["conv3_1"]
    torch.testing.assert_close(rows.T.view(1, 256, 3, 4), head(value))


def test_file(tmp_path, student):
    path = tmp_path / "compact.safetensors"
    size = export(path, student.folded(), {"seed": 3})
    assert size == path.stat().st_size < 2_500_000
    weights, metadata = read(path)
    assert metadata["format"] == FORMAT
    assert metadata["licence"] == "CC BY 4.0"
    assert json.loads(metadata["training"]) == {"seed": 3}
    assert set(json.loads(metadata["heads"])) == set(HEADS)
    assert json.loads(metadata["input"])["mean"] == [0.45] * 3
    for name, value in student.folded().items():
        torch.testing.assert_close(weights[name], value, rtol=1e-3, atol=1e-4)
    first = path.read_bytes()
    export(path, student.folded(), {"seed": 3})
    assert path.read_bytes() == first == in_order(first)
    assert list(tmp_path.iterdir()) == [path]


def test_average_pooling_is_offered_for_judging(student, generator):
    picture = torch.rand(1, 3, 8, 8, generator=generator)
    weights = student.folded()
    most, mean = (Plain(weights, pooling=kind)(picture, ["conv2_1"]) for kind in ("max", "avg"))
    below = Plain(weights)(picture, ["conv1_2"])["conv1_2"]
    by_hand = (below[..., ::2, ::2] + below[..., 1::2, ::2] + below[..., ::2, 1::2]) / 4
    by_hand = by_hand + below[..., 1::2, 1::2] / 4
    again = torch.relu(
        nn.functional.conv2d(by_hand, weights["conv2_1.weight"], weights["conv2_1.bias"], padding=1)
    )
    torch.testing.assert_close(mean["conv2_1"], again)
    assert not torch.allclose(mean["conv2_1"], most["conv2_1"])

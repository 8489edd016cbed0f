"""The network that paints in one pass."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F

from impasto.nets.feedforward import Painter, _Norm


@pytest.fixture
def painter() -> Painter:
    torch.manual_seed(0)
    return Painter(2, (4, 5, 6), 2).double()


def _random(painter: Painter) -> Painter:
    with torch.no_grad():
        for value in painter.parameters():
            value.add_(0.3 * torch.randn_like(value))
    return painter


@pytest.mark.parametrize("size", [(16, 16), (17, 30), (31, 19)])
def test_a_picture_of_any_size_in_range(painter, size):
    photographs = torch.rand(2, 3, *size, dtype=torch.float64)
    found = _random(painter)(photographs, torch.tensor([0.5, 0.5]))
    assert found.shape == photographs.shape
    assert found.min() >= 0
    assert found.max() <= 1


def test_an_untrained_one_gives_the_photograph_with_other_contrast(waves):
    torch.manual_seed(0)
    photograph = waves(32, 40).float().clamp(0.05, 0.95)
    found = Painter()(photograph, torch.ones(1))
    both = torch.stack([photograph.flatten(), found.flatten()])
    assert torch.corrcoef(both)[0, 1] > 0.9


def test_it_has_no_more_than_half_a_million_weights():
    assert sum(each.numel() for each in Painter().parameters()) < 500_000


def test_a_share_of_one_is_the_painting_s_own(painter):
    """What another painting learns changes nothing of it; a mixture lies between."""
    _random(painter)
    photograph = torch.rand(1, 3, 16, 20, dtype=torch.float64)
    one, two = torch.eye(2)
    before = painter(photograph, one), painter(photograph, two)
    assert not torch.allclose(*before)
    with torch.no_grad():
        for name, value in painter.named_parameters():
            if "norm" in name:
                value[1] += 1
    assert torch.equal(painter(photograph, one), before[0])
    assert not torch.allclose(painter(photograph, two), before[1])


def test_the_norm_is_instance_norm_with_mixed_gains():
    norm = _Norm(3, 2).double()
    with torch.no_grad():
        norm.gain.copy_(torch.tensor([[1.0, 2, 3], [5, 6, 7]]))
        norm.offset.copy_(torch.tensor([[0.0, 1, 0], [1, 0, 1]]))
    x = torch.randn(2, 3, 7, 5, dtype=torch.float64)
    gain, offset = torch.tensor([[2.0, 3, 4], [0.25, 0.75, 0.25]], dtype=torch.float64)
    wanted = F.instance_norm(x, weight=gain, bias=offset, eps=1e-5)
    assert torch.allclose(norm(x, torch.tensor([0.75, 0.25])), wanted, atol=1e-12)


def test_statistics_of_the_picture_itself_change_nothing(painter):
    photograph = torch.rand(1, 3, 24, 16, dtype=torch.float64)
    shares = torch.tensor([0.3, 0.7])
    own = _random(painter)(photograph, shares)
    with painter.with_statistics_of(photograph, shares):
        # Each norm's statistics are those of what the norms before it have made.
        assert torch.allclose(painter(photograph, shares), own, atol=1e-12)
        painter(torch.rand_like(photograph), shares)
        assert torch.allclose(painter(photograph, shares), own, atol=1e-12)
    assert torch.equal(painter(photograph, shares), own)


def test_nothing_depends_on_what_lies_beyond_the_reach(painter):
    size = 2 * painter.reach + 8
    photograph = torch.rand(1, 3, 16, size, dtype=torch.float64)
    other = photograph.clone()
    other[..., size - 4 :] = 1 - other[..., size - 4 :]
    shares = torch.tensor([1.0, 0.0])
    with _random(painter).with_statistics_of(photograph, shares):
        change = (painter(photograph, shares) - painter(other, shares)).abs().amax((0, 1, 2))
    assert change[: size - 4 - painter.reach].max() == 0
    assert change[-4:].min() > 0

import torch
import torch.nn.functional as F

from training import first
from training.student import MEAN, STD


def test_patches_are_windows(generator):
    pictures = torch.rand(2, 3, 7, 6, generator=generator)
    found = first.patches(pictures, 50, generator)
    windows = F.unfold(pictures, 3).transpose(1, 2)
    assert found.shape == (2, 50, 27)
    for row in found[1]:
        assert bool((windows[1] == row).all(1).any())


def test_fit_approaches_a_target_of_its_own_kind(generator):
    def start():
        return {
            "conv1_1.weight": torch.randn(4, 3, 3, 3, generator=generator) / 3,
            "conv1_1.bias": torch.randn(4, generator=generator) / 3,
            "conv1_1_head.weight": torch.randn(6, 4, 1, 1, generator=generator),
            "conv1_1_head.bias": torch.zeros(6),
        }

    goal = start()

    def target(patch):
        hidden = F.linear(
            (patch - MEAN) / STD, goal["conv1_1.weight"].flatten(1), goal["conv1_1.bias"]
        )
        return F.linear(F.relu(hidden), goal["conv1_1_head.weight"].flatten(1))

    near = {k: v + 0.1 * torch.randn(v.shape, generator=generator) for k, v in goal.items()}
    pictures = torch.rand(16, 3, 24, 24, generator=generator)
    found, error = first.fit(pictures, target, near, steps=150, seed=0)
    assert {k: v.shape for k, v in found.items()} == {k: v.shape for k, v in goal.items()}
    assert error < 0.05


def test_refit_recovers_a_convolution(generator):
    before = torch.randn(2, 4, 12, 12, generator=generator)
    weight = torch.randn(5, 4, 3, 3, generator=generator)
    bias = torch.randn(5, generator=generator)
    found = first.refit(before, F.conv2d(before, weight, bias, padding=1))
    torch.testing.assert_close(found[0], weight, rtol=1e-3, atol=1e-3)
    torch.testing.assert_close(found[1], bias, rtol=1e-3, atol=1e-3)

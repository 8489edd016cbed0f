import pytest
import torch

from training.fidelity import Ratio, gradient, judge, table


def test_ratio_by_hand():
    ratio = Ratio()
    ratio.add(torch.tensor([[1.0], [2.0]]), torch.tensor([[0.0], [2.0]]))
    ratio.add(torch.tensor([[4.0]]), torch.tensor([[4.0]]))
    assert ratio.value() == pytest.approx(1 / 8)
    plain = Ratio(centred=False)
    plain.add(torch.tensor([[1.0, 1.0]]), torch.tensor([[2.0, 0.0]]))
    assert plain.value() == pytest.approx(2 / 4)
    assert Ratio().value() == 0


def scaled(factor):
    def net(image, layers):
        return dict.fromkeys(layers, image * factor)

    return net


def test_judge_against_itself_and_a_louder_one(generator):
    pictures = [torch.rand(3, 8, 9 + k, generator=generator) for k in range(4)]
    nets = {"same": (scaled(1.0), ["conv1_1"]), "louder": (scaled(1.1), ["conv1_1"])}
    found = judge(nets, scaled(1.0), pictures, gradients=2)
    same, louder = found["same"]["conv1_1"], found["louder"]["conv1_1"]
    for ratio in (same.feature, same.gram, same.gradient):
        assert ratio.value() == pytest.approx(0, abs=1e-12)
    assert louder.feature.value() > 0.01
    assert louder.gram.value() > louder.feature.value()
    assert louder.gradient.value() > 0
    assert len(list(table(found))) == 2


def test_gradient_is_the_finite_difference(generator):
    picture = torch.rand(1, 3, 4, 4, generator=generator).double()
    goal = torch.eye(3).double()

    def loss(x):
        rows = x[0].flatten(1)
        return ((rows @ rows.T / 16 - goal).square().sum() / goal.square().sum()).item()

    found = gradient(scaled(1.0), picture, "conv1_1", goal)
    step = torch.zeros_like(picture)
    step[0, 1, 2, 3] = 1e-6
    numeric = (loss(picture + step) - loss(picture - step)) / 2e-6
    assert float(found[0, 1, 2, 3]) == pytest.approx(numeric, rel=1e-5)

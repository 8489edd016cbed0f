import torch

from training.optim import Muon, orthogonal


def test_singular_values_come_near_one(generator):
    for shape in ((8, 30), (30, 8), (5, 5)):
        matrix = torch.randn(shape, generator=generator)
        values = torch.linalg.svdvals(orthogonal(matrix))
        assert 0.3 < float(values.min()) <= float(values.max()) < 1.3


def test_a_parabola(generator):
    goal = torch.randn(4, 3, 3, 3, generator=generator)
    weight = torch.zeros(4, 3, 3, 3, requires_grad=True)
    muon = Muon([weight], lr=0.2)
    for step in range(200):
        muon.param_groups[0]["lr"] = 0.2 * (1 - step / 200)
        muon.zero_grad()
        (weight - goal).square().sum().backward()
        muon.step()
    assert float((weight - goal).detach().norm() / goal.norm()) < 0.05
    assert muon.state[weight]["velocity"].shape == weight.shape

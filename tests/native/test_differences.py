"""Differences of neighbours against autograd in float64."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from impasto import native


@given(
    planes=st.integers(1, 3),
    height=st.integers(1, 40),
    width=st.integers(1, 40),
    threads=st.integers(1, 3),
)
def test_value_and_derivative(planes, height, width, threads):
    torch.set_num_threads(threads)
    image = torch.rand(planes, height, width, generator=torch.Generator().manual_seed(width))
    assert native.can_vary(image)
    gradient = torch.ones_like(image)
    value = native.add_variation(image, (0.5, 0.25), gradient, 3.0)
    alone = native.add_variation(image, (0.5, 0.25))
    assert alone == pytest.approx(value, rel=1e-5, abs=1e-9)
    x = image.double().requires_grad_()
    exact = 0.5 * x.diff(dim=-1).square().sum() + 0.25 * x.diff(dim=-2).square().sum()
    (wanted,) = torch.autograd.grad(exact, x)
    assert value == pytest.approx(float(exact.detach()), rel=1e-5, abs=1e-9)
    torch.testing.assert_close(gradient.double(), 1 + 3 * wanted, rtol=0, atol=3e-5)


def test_pictures_that_are_left_to_torch():
    image = torch.rand(1, 3, 8, 8)
    assert not native.can_vary(image.double())
    assert not native.can_vary(image.permute(0, 1, 3, 2))

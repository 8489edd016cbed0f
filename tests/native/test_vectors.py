"""L-BFGS's long vectors against float64."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from impasto import native

LENGTHS = st.one_of(st.integers(1, 100), st.integers(4000, 4200), st.integers(12000, 13000))


def _pairs(count: int, length: int) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(length)
    rows = torch.randn(count, length, generator=generator).bfloat16()
    image = torch.rand(length, generator=generator).mul(1.5).sub(0.25).clamp(0, 1)
    return rows, image, torch.randn(length, generator=generator)


def _free(image: torch.Tensor, gradient: torch.Tensor) -> torch.Tensor:
    out = ((image <= 0) & (gradient > 0)) | ((image >= 1) & (gradient < 0))
    return gradient.masked_fill(out, 0).double()


@given(count=st.integers(1, 7), length=LENGTHS, threads=st.integers(1, 3))
def test_products(count, length, threads):
    torch.set_num_threads(threads)
    rows, image, gradient = _pairs(count, length)
    found = native.products(rows, image, gradient, rows[count // 2])
    wide = rows.double()
    exact = torch.stack([wide @ _free(image, gradient), wide @ wide[count // 2]])
    tolerance = 1e-6 * wide.norm(dim=1).max() * wide.norm()
    assert (found - exact).abs().max() <= tolerance
    assert torch.equal(native.products(rows, image, gradient, None), found[:1])


@given(count=st.integers(1, 7), length=LENGTHS, threads=st.integers(1, 3))
def test_a_direction(count, length, threads):
    torch.set_num_threads(threads)
    rows, image, gradient = _pairs(count, length)
    shares, out = torch.arange(1.0, count + 1), torch.empty(length)
    slope = native.search_direction(rows, shares, 0.5, image, gradient, out)
    free = _free(image, gradient)
    exact = -(0.5 * gradient.double() + shares.double() @ rows.double()) * (free != 0)
    torch.testing.assert_close(out.double(), exact, rtol=1e-5, atol=1e-5)
    assert slope == pytest.approx(float(exact @ free), rel=1e-4, abs=1e-3)


@given(length=LENGTHS, threads=st.integers(1, 3))
def test_a_step(length, threads):
    torch.set_num_threads(threads)
    _, image, gradient = _pairs(1, length)
    direction = -gradient
    moved, slope = native.moved(image, direction, 0.25, gradient)
    exact = (image.double() + 0.25 * direction.double()).clamp(0, 1)
    torch.testing.assert_close(moved.double(), exact, rtol=0, atol=1e-6)
    wanted = float(gradient.double() @ (exact - image.double()))
    assert slope == pytest.approx(wanted, rel=1e-4, abs=1e-3)


@given(length=LENGTHS, threads=st.integers(1, 3))
def test_a_pair(length, threads):
    torch.set_num_threads(threads)
    _, image, gradient = _pairs(1, length)
    _, before, gradient_before = _pairs(1, length + 1)
    pair = torch.empty(2, length, dtype=torch.bfloat16)
    was = before[:length].contiguous(), gradient_before[:length].contiguous()
    s_y, y_y = native.remembered((image, was[0]), (gradient, was[1]), pair)
    assert torch.equal(pair[0], (image - was[0]).bfloat16())
    assert torch.equal(pair[1], (gradient - was[1]).bfloat16())
    s, y = pair.double()
    assert y_y == pytest.approx(float(y @ y), rel=1e-5)
    assert s_y == pytest.approx(float(s @ y), rel=1e-4, abs=1e-2)


def test_what_is_not_a_number_stays_so():
    rows, image, gradient = _pairs(2, 50)
    gradient[7] = torch.nan
    moved, slope = native.moved(image, gradient, 1.0, gradient)
    assert moved[7].isnan() and slope != slope
    assert native.products(rows, image, gradient, None).isnan().all()

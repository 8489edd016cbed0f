"""The network's operations against torch's own, forward and backward."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F

from impasto.nets.convolution import Convolution, average_pool, centred

LAYOUTS = {"NCHW": torch.contiguous_format, "NHWC": torch.channels_last}


def _noise(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("relu", [False, True])
@pytest.mark.parametrize("padding", [0, 1])
@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize(
    ("dtype", "tolerance"), [(torch.float32, 1e-5), (torch.bfloat16, 0.02), (torch.float64, 1e-12)]
)
def test_a_convolution_and_its_gradient_are_torch_s(dtype, tolerance, layout, padding, relu):
    x = _noise(1, 5, 9, 14).to(dtype, memory_format=LAYOUTS[layout])
    weight = _noise(6, 5, 3, 3, seed=1).to(dtype, memory_format=LAYOUTS[layout])
    bias, upstream = _noise(6, seed=2).to(dtype), _noise(1, 6, 7 + 2 * padding, 12 + 2 * padding)

    def both(convolve, x, upstream):
        x = x.detach().requires_grad_()
        y = convolve(x)
        return y, torch.autograd.grad(y, x, upstream)[0]

    convolution = Convolution(weight, bias)
    y, gradient = both(lambda x: convolution(x, padding=padding, relu=relu), x, upstream.to(dtype))
    assert y.dtype == gradient.dtype == dtype
    after = F.relu if relu else torch.nn.Identity()
    expected, gradient_expected = both(
        lambda x: after(F.conv2d(x, weight.double(), bias.double(), padding=padding)),
        x.double(),
        upstream.to(dtype).double(),
    )
    torch.testing.assert_close(y.double(), expected, rtol=tolerance, atol=20 * tolerance)
    scale = float(gradient_expected.abs().max())
    error = (gradient.double() - gradient_expected).abs()
    assert error.mean() < tolerance * scale


def test_a_convolution_needs_no_gradient():
    layer = Convolution(_noise(4, 3, 3, 3), _noise(4))
    y = layer(_noise(1, 3, 6, 6), padding=1, relu=True)
    assert not y.requires_grad
    assert y.min() >= 0


@pytest.mark.parametrize("size", [(4, 6), (5, 6), (4, 7), (5, 7)])
def test_average_pooling_and_its_gradient_are_torch_s(size):
    x = _noise(1, 3, *size).double().requires_grad_()
    assert torch.equal(average_pool(x), F.avg_pool2d(x, 2))
    assert torch.autograd.gradcheck(average_pool, x)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_centred_picture_has_the_weight_s_type_and_layout_and_its_gradient_the_picture_s(layout):
    weight = _noise(4, 3, 3, 3).to(torch.bfloat16, memory_format=LAYOUTS[layout])
    image = torch.rand(1, 3, 4, 5).requires_grad_()
    mean = torch.tensor([0.1, 0.2, 0.3]).view(1, 3, 1, 1)
    found = centred(image, mean, like=weight)
    assert found.dtype == torch.bfloat16
    assert found.is_contiguous(memory_format=LAYOUTS[layout])
    torch.testing.assert_close(found, (image - mean).bfloat16())
    upstream = _noise(1, 3, 4, 5).to(torch.bfloat16, memory_format=LAYOUTS[layout])
    (gradient,) = torch.autograd.grad(found, image, upstream)
    assert gradient.is_contiguous()
    assert torch.equal(gradient, upstream.float())

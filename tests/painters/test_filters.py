"""Each filter on pictures whose result is known."""

from __future__ import annotations

import torch

from impasto.ops.natural import natural_picture
from impasto.painters.filters import bilateral, cartoon, ink, oil


def _step(noise=0.0):
    generator = torch.Generator().manual_seed(0)
    picture = torch.full((1, 3, 40, 40), 0.2)
    picture[..., 20:] = 0.8
    return (picture + noise * torch.randn(picture.shape, generator=generator)).clamp(0, 1)


def test_oil_keeps_a_step_and_takes_its_noise_away():
    """At 40 pixels the usual radius would be half a pixel."""
    noisy = _step(0.05)
    made = oil(noisy, radius=6 * 512 / 40 * 0.8)
    for columns, level in ((slice(2, 18), 0.2), (slice(22, 38), 0.8)):
        left, before = (float((x[..., columns] - level).square().mean()) for x in (made, noisy))
        assert left < 0.15 * before
    assert float(made[..., 20:22].mean() - made[..., 18:20].mean()) > 0.5


def test_oil_leaves_one_colour_alone():
    flat = torch.tensor([0.3, 0.6, 0.1]).view(1, 3, 1, 1).expand(1, 3, 24, 30).contiguous()
    torch.testing.assert_close(oil(flat, radius=60.0), flat, atol=1e-5, rtol=0)


def test_oil_is_smoother_inside_than_the_photograph():
    photo = natural_picture(96, 96, seed=3)
    made = oil(photo, radius=24.0)
    fine = [float((each - each.roll(1, -1)).abs().median()) for each in (made, photo)]
    assert fine[0] < 0.7 * fine[1]
    assert float(made.min()) >= 0
    assert float(made.max()) <= 1


def test_ink_is_white_above_the_level_and_dark_on_a_dark_line():
    picture = torch.full((1, 3, 64, 64), 0.6)
    picture[..., 30:33] = 0.1
    made = ink(picture, sigma=8.0)
    assert float(made[..., :20].min()) == 1
    assert float(made[..., 31].max()) < 0.1
    assert torch.equal(made[:, 0], made[:, 2])


def test_ink_by_hand_where_nothing_changes():
    """On one grey both Gaussians are the grey: D is the grey itself."""
    grey = torch.full((1, 3, 16, 16), 0.3)
    expected = (1 + torch.tanh(torch.tensor(8.0 * (0.3 - 0.5)))).expand(1, 3, 16, 16)
    torch.testing.assert_close(ink(grey, level=0.5), expected, atol=2e-4, rtol=0)


def test_the_bilateral_filter_is_its_double_sum():
    generator = torch.Generator().manual_seed(1)
    picture = torch.rand(1, 3, 7, 6, generator=generator)
    made = bilateral(picture, radius=1, tone=0.3)
    total, weights = torch.zeros(3), 0.0
    for y in (2, 3, 4):
        for x in (1, 2, 3):
            near = picture[0, :, y, x]
            unlike = (near - picture[0, :, 3, 2]).square().sum()
            place = ((y - 3) ** 2 + (x - 2) ** 2) / (2 * 0.5**2)
            own = torch.exp(-unlike / (2 * 0.3**2) - place)
            total, weights = total + own * near, weights + own
    torch.testing.assert_close(made[0, :, 3, 2], total / weights)


def test_a_cartoon_has_steps_of_luma_and_a_line_on_an_edge():
    ramp = torch.linspace(0.1, 0.9, 400).expand(1, 3, 40, 400).contiguous()
    made = cartoon(ramp, steps=4, lines=0.9)
    slopes = made[0, 0, 20].diff()
    assert float(slopes.max()) > 3 * float(slopes.median())
    # No line where nothing ends: values stay near the ramp's.
    assert float((made - ramp).abs()[..., 20:-20].max()) < 0.15
    step = torch.full((1, 3, 32, 512), 0.2)
    step[..., 256:] = 0.8
    drawn = cartoon(step, steps=0)
    assert float(drawn[..., 250:256].min()) < 0.1
    torch.testing.assert_close(drawn[..., :200], step[..., :200], atol=0.02, rtol=0)

"""Each figure against another's implementation, by hand, and on the fault that it is for."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st
from scipy.linalg import sqrtm
from scipy.ndimage import convolve1d, gaussian_filter
from scipy.stats import wasserstein_distance as scipy_w1
from skimage.metrics import peak_signal_noise_ratio, structural_similarity
from torch import Tensor

from impasto.errors import PictureError
from impasto.ops.color import rgb_to_luma
from impasto.ops.metrics import (
    color_distance,
    flat_patch_ratio,
    frame_share,
    gram_distance,
    high_frequency_energy,
    multiscale_ssim,
    patch_distance,
    psnr,
    ssim,
    style_color_share,
    wasserstein_distance,
)
from impasto.ops.natural import natural_picture
from impasto.ops.statistics import statistics_of


@pytest.fixture(scope="module")
def picture() -> Tensor:
    return natural_picture(190, 201, seed=3).double()


@pytest.fixture(scope="module")
def other() -> Tensor:
    return natural_picture(190, 201, seed=8).double()


def _noisy(image: Tensor, amount: float, seed: int = 0) -> Tensor:
    noise = torch.randn(image.shape, generator=torch.Generator().manual_seed(seed))
    return (image + amount * noise.to(image)).clamp(0, 1)


def _array(image: Tensor) -> np.ndarray:
    return image[0].permute(1, 2, 0).numpy()


def test_psnr_is_scikit_images(picture):
    noisy = _noisy(picture, 0.1)
    wanted = peak_signal_noise_ratio(_array(picture), _array(noisy), data_range=1)
    assert psnr(noisy, picture).item() == pytest.approx(wanted)
    assert psnr(picture, picture).item() == math.inf


@pytest.mark.parametrize("amount", [0.02, 0.2])
def test_ssim_is_scikit_images(picture, amount):
    noisy = _noisy(picture, amount)
    wanted = structural_similarity(
        _array(picture), _array(noisy), data_range=1, channel_axis=2,
        gaussian_weights=True, sigma=1.5, use_sample_covariance=False,
    )  # fmt: skip
    assert ssim(noisy, picture).item() == pytest.approx(wanted)


def _ms_ssim(x: np.ndarray, y: np.ndarray) -> float:
    """By the paper, with SciPy's filters, on one channel."""
    product = 1.0
    for scale, weight in enumerate((0.0448, 0.2856, 0.3001, 0.2363, 0.1333)):
        mean = [gaussian_filter(a, 1.5, truncate=3.5)[5:-5, 5:-5] for a in (x, y)]
        square = [gaussian_filter(a, 1.5, truncate=3.5)[5:-5, 5:-5] for a in (x * x, y * y, x * y)]
        v, w, c = square[0] - mean[0] ** 2, square[1] - mean[1] ** 2, square[2] - mean[0] * mean[1]
        factor = (2 * c + 0.0009) / (v + w + 0.0009)
        if scale == 4:
            factor *= (2 * mean[0] * mean[1] + 0.0001) / (mean[0] ** 2 + mean[1] ** 2 + 0.0001)
        product *= factor.mean() ** weight
        rows, columns = x.shape[0] // 2 * 2, x.shape[1] // 2 * 2
        x, y = (sum(a[i:rows:2, j:columns:2] for i in (0, 1) for j in (0, 1)) / 4 for a in (x, y))
    return product


def test_multiscale_ssim_is_the_papers(picture):
    noisy = _noisy(picture, 0.15)
    lumas = [rgb_to_luma(each) for each in (noisy, picture)]
    wanted = _ms_ssim(*(each[0, 0].numpy() for each in lumas))
    assert multiscale_ssim(*lumas).item() == pytest.approx(wanted)
    assert 0.2 < wanted < 0.99


def test_small_pictures_have_fewer_scales():
    image = natural_picture(12, 15, seed=0)
    noisy = _noisy(image, 0.2)
    torch.testing.assert_close(multiscale_ssim(noisy, image), ssim(noisy, image), rtol=0, atol=1e-3)
    with pytest.raises(PictureError, match="11 x 11"):
        multiscale_ssim(image[..., :10, :], image[..., :10, :])


@given(seed=st.integers(0, 10**6))
def test_a_picture_is_like_itself_and_less_like_anything_else(seed):
    image = natural_picture(24, 32, seed=seed)
    noisy = _noisy(image, 0.1, seed)
    for similarity in (ssim, multiscale_ssim):
        assert similarity(image, image).item() == pytest.approx(1, abs=1e-5)
        assert similarity(noisy, image) < 0.999
        assert similarity(noisy, image) == pytest.approx(float(similarity(image, noisy)), abs=1e-5)


def test_leading_dimensions_are_kept(picture, other):
    both = torch.stack([picture, other])  # (2, 1, 3, H, W)
    noisy = _noisy(both, 0.1)
    for figure in (psnr, ssim, multiscale_ssim):
        apart = torch.stack([figure(n, b) for n, b in zip(noisy, both, strict=True)])
        torch.testing.assert_close(figure(noisy, both), apart)
    for figure in (high_frequency_energy, flat_patch_ratio):
        torch.testing.assert_close(figure(both), torch.stack([figure(each) for each in both]))


def test_shuffled_content_is_content_lost(picture):
    blocks = rgb_to_luma(picture)[..., :160, :192].reshape(1, 1, 5, 32, 6, 32)
    turned = blocks.flip(2, 4).reshape(1, 1, 160, 192)
    whole = blocks.reshape(1, 1, 160, 192)
    softened = torch.nn.functional.avg_pool2d(whole, 3, 1, 1, count_include_pad=False)
    assert multiscale_ssim(turned, whole) < 0.4 < 0.9 < multiscale_ssim(softened, whole)


def test_color_distance_is_scipys_along_each_direction(picture, other):
    axes = np.array([d for d in np.ndindex(3, 3, 3) if d > (1, 1, 1)]) - 1
    assert len(axes) == 13
    flat = [_array(each).reshape(-1, 3) for each in (picture, other)]
    wanted = np.mean([scipy_w1(*(f @ a for f in flat)) / np.linalg.norm(a) for a in axes])
    assert color_distance(picture, other).item() == pytest.approx(wanted, abs=1e-3)


def test_color_distance_by_hand():
    black, white = torch.zeros(1, 3, 4, 4), torch.ones(1, 3, 3, 5)
    # along (1,0,0) 1 apart; (1,1,0) sqrt 2; (1,1,1) sqrt 3; (1,1,-1) 1/sqrt 3; (1,-1,0) 0
    by_hand = (3 * 1 + 3 * 2**0.5 + 3**0.5 + 3 / 3**0.5) / 13
    assert color_distance(black, white).item() == pytest.approx(by_hand, abs=2e-3)
    assert by_hand == pytest.approx(0.8236, abs=1e-4)


def test_where_colors_sit_plays_no_part(picture):
    shuffled = picture.flatten(2)[..., torch.randperm(190 * 201)].view_as(picture)
    assert color_distance(shuffled, picture) == 0


def test_washed_out_colors_are_far_from_the_paintings(picture):
    washed = 0.5 + 0.3 * (picture - 0.5)
    grey = rgb_to_luma(picture).expand_as(picture)
    slight = _noisy(picture, 0.02)
    assert color_distance(slight, picture) < 0.01
    assert color_distance(washed, picture) > 0.05
    assert color_distance(grey, picture) > color_distance(slight, picture)


def test_style_color_share_is_numpys(picture, other):
    mixed = torch.where(torch.rand(190, 201) < 0.4, picture, other)
    histograms = [
        np.histogramdd(_array(each).reshape(-1, 3), bins=8, range=[(0, 1)] * 3)[0].ravel()
        / (190 * 201)
        for each in (mixed, picture, other)
    ]
    m, c, s = histograms
    r = np.divide(s, s + c, out=np.zeros_like(s), where=s > 0)
    wanted = (m @ r - c @ r) / (s @ r - c @ r)
    assert style_color_share(mixed, picture, other).item() == pytest.approx(wanted)
    assert 0.5 < wanted < 0.7


def test_style_color_share_by_hand():
    red, blue = torch.tensor([1.0, 0, 0]), torch.tensor([0, 0, 1.0])

    def of(reds: int) -> Tensor:
        return torch.stack([red] * reds + [blue] * (4 - reds), 1)[None, :, None]

    # content 3/4 red, style 1/4 red: r(red) = 1/4, r(blue) = 3/4
    found = [style_color_share(of(reds), of(3), of(1)).item() for reds in (4, 3, 2, 1, 0)]
    assert found == pytest.approx([-0.5, 0, 0.5, 1, 1.5])  # the last: over-represented
    assert math.isnan(style_color_share(of(2), of(2), of(2)).item())


def test_high_frequency_energy_is_scipys(picture):
    luma = _array(picture) @ [0.299, 0.587, 0.114]
    kernel = np.array([1, 4, 6, 4, 1]) / 16
    blurred = convolve1d(convolve1d(luma, kernel, axis=0), kernel, axis=1)
    wanted = ((luma - blurred)[2:-2, 2:-2] ** 2).mean()
    assert high_frequency_energy(picture).item() == pytest.approx(wanted)


def test_high_frequency_energy_of_waves_by_hand():
    """A sine across of period T keeps (1 - cos^4(pi / T)) of its amplitude."""
    column = torch.arange(64, dtype=torch.float64)
    for period, share in ((2, 1.0), (4, 0.75), (8, 1 - math.cos(math.pi / 8) ** 4)):
        wave = 0.1 * torch.cos(2 * math.pi * column / period)
        energy = high_frequency_energy((0.5 + wave).expand(1, 3, 20, 64)).item()
        assert energy == pytest.approx((0.1 * share) ** 2 * (1 if period == 2 else 0.5))


@pytest.mark.parametrize("fault", ["noise", "checkerboard", "ringing"])
def test_noise_and_grids_have_high_frequency_energy(picture, fault):
    picture = torch.nn.functional.interpolate(picture, scale_factor=2, mode="bilinear")
    row, column = torch.arange(380)[:, None], torch.arange(402)
    faults = {
        "noise": _noisy(picture, 0.08),
        "checkerboard": picture + 0.06 * (-1.0) ** (row + column),
        "ringing": picture + 0.08 * torch.sin(2 * math.pi * column / 3),
    }
    own = high_frequency_energy(picture)
    assert high_frequency_energy(faults[fault].clamp(0, 1)) > 2 * own
    assert high_frequency_energy(picture.flip(-1)) == pytest.approx(float(own))


def test_flat_patches_by_hand():
    image = torch.full((1, 3, 32, 48), 0.4)
    image[..., :16, :16] = torch.rand(3, 16, 16)
    image[:, 1, 16:, 32:] += 0.03 * (-1.0) ** torch.arange(16)  # deviates by 0.03, green alone
    image[:, 1, 16:, 16:32] += 0.01 * (-1.0) ** torch.arange(16)
    assert flat_patch_ratio(image).item() == pytest.approx(4 / 6)
    assert flat_patch_ratio(image, flat=0.05).item() == pytest.approx(5 / 6)
    assert flat_patch_ratio(image, patch=32).item() == 0


def test_flat_patches_are_numpys(picture):
    painted = picture.clone()
    painted[..., 40:120, 30:140] = 0.5
    cut = _array(painted)[:176, :192].reshape(11, 16, 12, 16, 3)
    wanted = (cut.std(axis=(1, 3)).max(-1) < 0.02).mean()
    assert flat_patch_ratio(painted).item() == pytest.approx(wanted)
    assert wanted > 0.1 + flat_patch_ratio(picture).item()


def _features(channels: int, positions: int, seed: int) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    mixing = torch.randn(channels, channels, generator=generator, dtype=torch.float64)
    plain = torch.randn(channels, positions, generator=generator, dtype=torch.float64)
    return (mixing @ plain + torch.randn(channels, 1, generator=generator)).view(
        1, channels, 1, positions
    )


@given(seed=st.integers(0, 10**6))
def test_distances_of_statistics_are_numpys_and_scipys(seed):
    maps = [_features(5, 60, seed), _features(5, 45, seed + 1)]
    found = [statistics_of(each) for each in maps]
    f, g = (each[0, :, 0].numpy() for each in maps)
    gram = np.linalg.norm(f @ f.T / 60 - g @ g.T / 45)
    assert gram_distance(*found).item() == pytest.approx(gram)
    c, d = np.cov(f, bias=True), np.cov(g, bias=True)
    squared = np.sum((f.mean(1) - g.mean(1)) ** 2) + np.trace(c + d - 2 * sqrtm(c @ d).real)
    assert wasserstein_distance(*found).item() == pytest.approx(math.sqrt(squared), rel=1e-5)


def test_wasserstein_distance_by_hand():
    """Deviations 1, 2 against 3, 5 along the axes, means 4 apart: 4^2 + 2^2 + 3^2."""
    corners = torch.tensor([[1.0, 1, -1, -1], [1, -1, 1, -1]]).double()
    one = corners * torch.tensor([[1.0], [2]])
    two = corners * torch.tensor([[3.0], [5]]) + torch.tensor([[4.0], [0]])
    found = [statistics_of(each.view(1, 2, 2, 2)) for each in (one, two)]
    assert wasserstein_distance(*found).item() == pytest.approx(math.sqrt(29))
    assert wasserstein_distance(found[0], found[0]).item() == pytest.approx(0, abs=1e-6)


def test_distances_survive_fewer_positions_than_channels():
    few, many = statistics_of(torch.rand(1, 6, 1, 2)), statistics_of(torch.rand(1, 6, 4, 4))
    for distance in (gram_distance, wasserstein_distance):
        assert 0 < distance(few, many) < math.inf


def _stripes(seed: int, height: int = 120, width: int = 140) -> Tensor:
    """Blots of paint some pixels wide, of a picture's contrast."""
    generator = torch.Generator().manual_seed(seed)
    noise = torch.rand(1, 3, height // 4, width // 4, generator=generator)
    return F.interpolate(noise, (height, width), mode="bicubic").clamp(0, 1)


def _framed(image: Tensor, change: Callable[[Tensor], Tensor], width: int) -> Tensor:
    framed = change(image)
    inner = (..., slice(width, -width), slice(width, -width))
    framed[inner] = image[inner]
    return framed


@pytest.mark.parametrize("width", [2, 3, 4, 6, 8, 10])
@pytest.mark.parametrize(
    "change", [lambda x: 0.6 * x, lambda x: 0.4 + 0.6 * x], ids=["dark", "light"]
)
@pytest.mark.parametrize("seed", [1, 2])
def test_a_frame_stands_out_from_all_lines_inside(seed, change, width):
    image = _stripes(seed)
    assert frame_share(image) > 0.05
    assert frame_share(_framed(image, change, width)) < 0.02


def test_a_frame_is_told_from_the_inside_alone():
    """Of the same change, less is a frame in a picture that changes so itself."""
    image = _stripes(3)
    ruled = image * (1 - 0.4 * ((torch.arange(140) // 4 % 4) == 0))
    assert frame_share(_framed(ruled, lambda x: 0.6 * x, 4)) > frame_share(
        _framed(image, lambda x: 0.6 * x, 4)
    )


def _share_by_numpy(image: np.ndarray) -> float:
    """From the definition, line by line; ``(H, W, 3)``."""
    found = []
    for width in (2, 3, 4, 6, 8, 10):
        shares = []
        for lines in (image, image.transpose(1, 0, 2)):
            steps = []
            for at in range(lines.shape[1] - 2 * width):
                near = lines[:, at : at + width].mean(1)
                far = lines[:, at + width + 1 : at + 2 * width + 1].mean(1)
                step = near - far
                steps.append((step.mean(0) ** 2).sum() / (step**2).mean(0).sum())
            inside = np.array(steps[16:-16])
            shares += [
                (1 + (inside >= edge).sum()) / (1 + inside.size) for edge in (steps[0], steps[-1])
            ]
        found.append(np.prod(shares) ** 0.25)
    return min(found)


def test_a_frame_s_share_is_numpys(picture):
    framed = _framed(picture, lambda x: x + 0.02, 3)
    for each in (picture, framed):
        assert frame_share(each).item() == pytest.approx(_share_by_numpy(_array(each)))


def test_natural_pictures_have_no_frame(picture, other):
    assert min(frame_share(each) for each in (picture, other)) > 0.03


def test_a_flat_picture_has_no_frame_and_a_small_one_no_figure():
    assert frame_share(torch.full((1, 3, 100, 100), 0.3)) == 1
    with pytest.raises(PictureError, match="100 x 100"):
        frame_share(torch.rand(1, 3, 99, 120))


def test_patch_distance_is_the_brute_force_search():
    gen = torch.Generator().manual_seed(3)
    one, other = (
        torch.randn(1, 4, *size, generator=gen, dtype=torch.float64) for size in ((6, 7), (5, 9))
    )
    patches = []
    for maps in (one, other):
        height, width = maps.shape[-2:]
        rows = [
            maps[0, :, y : y + 3, x : x + 3].flatten()
            for y in range(height - 2)
            for x in range(width - 2)
        ]
        patches.append(torch.stack(rows) - torch.stack(rows).mean(0))
    expected = sum(
        min(1 - float(torch.cosine_similarity(a, b, 0)) for b in patches[1]) for a in patches[0]
    ) / len(patches[0])
    assert float(patch_distance(one, other)) == pytest.approx(expected, abs=1e-12)


def test_patches_of_oneself_are_at_no_distance():
    maps = torch.randn(1, 3, 20, 30, generator=torch.Generator().manual_seed(1)).double()
    assert float(patch_distance(maps, maps)) == pytest.approx(0, abs=1e-12)
    part = maps[..., :12]  # each of its patches is there, but not all are covered
    assert float(patch_distance(part, maps)) < 0.1 < float(patch_distance(maps, part))

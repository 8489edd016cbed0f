"""Dark photographs made bright like another one, against matching of histograms.

``python -m benchmarks.restoration PICTURE ... --out FOLDER [--size 512]``

Every photograph is darkened by each of :data:`CURVES`, gets a sensor's noise (shot and read noise)
and is rounded to 8 bits. The bright picture is the next one in the list whose median luma is at
least .3: another scene, as in use. Neither the curve nor the truth is known to a method. PSNR and
SSIM against the truth, the mean over the curves; a table, and a sheet for each curve.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from pathlib import Path

import torch
from PIL import Image
from torch import Tensor

from benchmarks.sheet import sheet_of
from impasto.files.pictures.images import read_picture
from impasto.ops.color import match_histogram, rgb_to_luma
from impasto.ops.inits import resize
from impasto.ops.metrics import psnr, ssim
from impasto.photoreal.exposure import exposure
from impasto.photoreal.light import to_light, to_values
from impasto.photoreal.noise import denoised
from impasto.photoreal.restoration import restore

PHOTONS, READ = 4000.0, 0.001  # at white, and of the light at white
BRIGHT = 0.3  # least median luma of a bright picture
CURVES: dict[str, Callable[[Tensor], Tensor]] = {
    "a quarter of the light": lambda light: light / 4,
    "an eighth of the light": lambda light: light / 8,
    "power 1.8, half the light": lambda light: light**1.8 / 2,
    # No gain and power undoes these two.
    "a camera's S-curve, a quarter of the light": lambda light: _s_curve(light / 4),
    "values less .15, times .6": lambda light: to_light(0.6 * (to_values(light) - 0.15).clamp(0)),
}
METHODS: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "as darkened": lambda dark, _: dark,
    "histogram matching": match_histogram,
    "denoised, then histogram matching": lambda dark, bright: match_histogram(
        denoised(dark), bright
    ),
    "curve alone": lambda dark, bright: exposure(dark, [bright])(dark),
    "restored": lambda dark, bright: restore(dark, [bright]),
}


def main() -> None:
    """Darken, restore, measure; print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("pictures", nargs="+", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--size", type=int, default=512)
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    pictures = {path.stem: _read(path, options.size) for path in options.pictures}
    rows: dict[str, dict[str, list[tuple[float, float]]]] = {}
    for curve, darken in CURVES.items():
        cells = []
        for index, (name, truth) in enumerate(pictures.items()):
            bright = _bright(pictures, index)
            dark = sensed(darken(to_light(truth)), seed=index)
            made = {method: make(dark, bright) for method, make in METHODS.items()}
            cells += [truth, bright, *made.values()]
            for method, image in made.items():
                figures = float(psnr(image, truth)), float(ssim(image, truth))
                rows.setdefault(name, {}).setdefault(method, []).append(figures)
        file = options.out / f"{curve.replace(' ', '_').replace(',', '')}.jpg"
        sheet_of([_image(_thumb(cell)) for cell in cells], 2 + len(METHODS)).save(file, quality=90)
    _print(rows)
    (options.out / "restoration.json").write_text(json.dumps(rows, indent=1))


def _s_curve(light: Tensor) -> Tensor:
    """Values in [0, 1] by half their way to a smoothstep: shadows and highlights pressed."""
    values = to_values(light)
    return to_light((values + values.square() * (3 - 2 * values)) / 2)


def sensed(light: Tensor, *, seed: int) -> Tensor:
    """A file's values for light in [0, 1]: shot noise, read noise, 8 bits."""
    generator = torch.Generator().manual_seed(seed)
    caught = torch.poisson(light * PHOTONS, generator=generator) / PHOTONS
    noisy = caught + READ * torch.randn(light.shape, generator=generator)
    return (to_values(noisy.clamp(0, 1)) * 255).round() / 255


def _bright(pictures: dict[str, Tensor], index: int) -> Tensor:
    values = list(pictures.values())
    others = values[index + 1 :] + values[:index]
    return next(each for each in others if float(rgb_to_luma(each).median()) >= BRIGHT)


def _print(rows: dict[str, dict[str, list[tuple[float, float]]]]) -> None:
    print("| picture | " + " | ".join(METHODS) + " |\n|---" * 1 + "|---" * len(METHODS) + "|")
    means: dict[str, list[tuple[float, float]]] = {}
    for name, methods in rows.items():
        cells = []
        for method, figures in methods.items():
            mean = _mean(figures)
            means.setdefault(method, []).append(mean)
            cells.append(f"{mean[0]:.1f} / {mean[1]:.3f}")
        print(f"| {name} | " + " | ".join(cells) + " |")
    overall = [_mean(figures) for figures in means.values()]
    print("| mean | " + " | ".join(f"{p:.1f} / {s:.3f}" for p, s in overall) + " |")


def _mean(figures: list[tuple[float, float]]) -> tuple[float, float]:
    peaks, structures = zip(*figures, strict=True)
    return sum(peaks) / len(peaks), sum(structures) / len(structures)


def _read(path: Path, size: int) -> Tensor:
    image = read_picture(path).tensor
    scale = min(1.0, size / max(image.shape[-2:]))
    height, width = (round(side * scale) for side in image.shape[-2:])
    return resize(image, height, width).clamp(0, 1)


def _thumb(image: Tensor) -> Tensor:
    scale = 220 / image.shape[-2]
    return resize(image, 220, round(image.shape[-1] * scale)).clamp(0, 1)


def _image(tensor: Tensor) -> Image.Image:
    return Image.fromarray((tensor[0].permute(1, 2, 0) * 255).round().byte().numpy())


if __name__ == "__main__":
    main()

"""Section 3.5: photographs in the style of photographs."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor

from impasto.experiments.lab import Lab
from impasto.experiments.measures import noise_left, unlike_share
from impasto.experiments.model import Cell, Check, Experiment, Finding, Sheet
from impasto.ops.color import match_histogram
from impasto.ops.inits import white_noise
from impasto.ops.metrics import psnr, ssim, style_color_share

DARKER = 8.0  # divisor of the light in the darkened photograph
BRIGHTER = 0.8  # exponent of the bright one
RESTORED, BY_ANOTHER = "restored by its bright mirror image", "restored by another photograph"
FROM_CONTENT, REAL = "the same, from the content", "a dark photograph, by another"


AS_COLORS = "as a change of colours alone"  # the report's pair by our own ways, for comparison
EXPOSED, EXPOSED_REAL = "by exposure alone", "a dark photograph, by exposure alone"


def _photo_cells(_: Lab) -> Sequence[Cell]:
    return [
        *(Cell(f"from {start}", {"init": start}, style="photo") for start in ("noise", "content")),
        Cell(AS_COLORS, {"photorealistic": True}, style="photo"),
    ]


def _photo_measure(lab: Lab) -> Finding:
    photograph = lab.pictures["photograph"]
    start = white_noise(*photograph.shape[-2:], seed=0)
    unlike = {name: unlike_share(made.image, photograph) for name, made in lab.made.items()}
    noise = {name: noise_left(made.image, start) for name, made in lab.made.items()}
    return Finding(
        {
            "unlike, noise less content": unlike["from noise"] - unlike["from content"],
            "noise left": noise["from noise"],
            f"unlike, {AS_COLORS}": unlike[AS_COLORS],
        },
        {"unlike share": unlike, "noise left": noise},
        notes=[
            "The last picture is not the report's: --photorealistic moves colours and nothing "
            "else, so no line bends and no noise is left. It has no part in the verdict."
        ],
    )


def _restoration_cells(lab: Lab) -> Sequence[Cell]:
    photograph = lab.pictures["photograph"]
    lab.pictures.add("darkened", darkened(photograph))
    lab.pictures.add("bright", photograph.flip(-1) ** BRIGHTER)
    n = {"steps": (round(lab.preset.steps * 5 / 3),)}  # the report's 5000 where it has 3000
    return [
        Cell(RESTORED, n, content="darkened", style="bright"),
        Cell(BY_ANOTHER, n, content="darkened", style="photo"),
        Cell(FROM_CONTENT, {**n, "init": "content"}, content="darkened", style="bright"),
        Cell(REAL, n, content="dark", style="photo"),
        Cell(EXPOSED, {"restore": True}, content="darkened", style="bright"),
        Cell(EXPOSED_REAL, {"restore": True}, content="dark", style="photo"),
    ]


def _restoration(lab: Lab) -> Finding:
    truth = lab.pictures["photograph"]
    matched = match_histogram(lab.pictures["darkened"], lab.pictures["bright"])
    pictures = {
        **{name: lab.made[name].image for name in (RESTORED, BY_ANOTHER, FROM_CONTENT, EXPOSED)},
        "histogram matching": matched,
        "as darkened": lab.pictures["darkened"],
    }
    quality = {name: float(psnr(image, truth)) for name, image in pictures.items()}
    structure = {name: float(ssim(image, truth)) for name, image in pictures.items()}
    share = style_color_share(lab.made[BY_ANOTHER].image, truth, lab.pictures["photo"])
    best = max(quality[RESTORED], quality[FROM_CONTENT])
    rows: list[list[tuple[str, Tensor]]] = [
        [
            ("the truth", truth),
            ("darkened", lab.pictures["darkened"]),
            ("its bright mirror image", lab.pictures["bright"]),
            ("histogram matching", matched),
        ]
    ]
    return Finding(
        {
            "PSNR over histogram matching, dB": best - quality["histogram matching"],
            "structure kept (SSIM)": structure[RESTORED],
            "style's share of the colours": float(share),
            **{f"PSNR, {name}": value for name, value in quality.items()},
            **{f"SSIM, {name}": value for name, value in structure.items()},
        },
        figures=[Sheet(rows, "The truth, what it was made into, and plain histogram matching.")],
        notes=[
            "The darkened photograph has an eighth of the light, in 8 bits. The first check takes "
            "the better of both starts. Where the truth is known, plain matching of each channel's "
            "histogram is what a transfer must beat.",
            "What is made by exposure alone is not the report's: --restore averages noise away and "
            "gives light back by one curve. It has no part in the verdict.",
        ],
    )


def darkened(image: Tensor) -> Tensor:
    """An sRGB picture with an eighth of the light; approximating its curve by a power of 2.2."""
    dark: Tensor = image * DARKER ** (-1 / 2.2)
    return dark


PHOTOREALISTIC = Experiment(
    name="photorealistic",
    section="3.5, figure 21",
    claim=(
        "Two photographs give a satisfactory result too; some blurred areas remain, which come "
        "from the white noise at the start."
    ),
    cells=_photo_cells,
    measure=_photo_measure,
    checks=(
        Check(
            "unlike, noise less content",
            "at least",
            0.1,
            "share of textured windows that correlate by less than a half with the photograph's",
        ),
        Check(
            "noise left", "at least", 0.1, "correlation of fine detail with the starting noise's"
        ),
    ),
    columns=2,
    caption="A photograph in the style of another, from noise and from the content.",
)

RESTORATION = Experiment(
    name="restoration",
    section="3.5, figure 22",
    claim=(
        "Restoring a dark photograph by a bright one is disappointing: the content is respected, "
        "but the style's colours are over-represented."
    ),
    cells=_restoration_cells,
    measure=_restoration,
    checks=(
        Check(
            "PSNR over histogram matching, dB",
            "at most",
            0.0,
            "the transfer is no better than plain histogram matching",
        ),
        Check("structure kept (SSIM)", "at least", 0.4, "similarity with the truth"),
        Check(
            "style's share of the colours",
            "at least",
            0.5,
            "colours are rather the style's (1) than the truth's (0), by another photograph",
        ),
    ),
    caption="Dark photographs in the style of bright ones, 5/3 n iterations.",
)

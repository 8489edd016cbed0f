"""The pictures for experiments: the user's own, or the example pair."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from PIL import Image
from torch import Tensor

from impasto.errors import PictureError
from impasto.files.pictures.images import PictureLike, read_picture
from impasto.ops.inits import resize

INPUTS = ("photograph", "painting", "photo", "dark")
EXAMPLE_PAINTING = Path(__file__).with_name("painting.jpg")
CREDIT = (
    "Photographs from scikit-image: coffee (Rachel Michetti, CC0), chelsea (Stefan van der Walt, "
    "CC0), rocket (SpaceX, CC0). The painting was made by this project's examples/painting.py."
)


@dataclass(frozen=True)
class Inputs:
    """Sources of the pictures; None means the example.

    Attributes:
        photograph: the content of nearly every experiment.
        painting: the style.
        photo: a second, bright photograph, for section 3.5.
        dark: a dark photograph, for section 3.5.

    """

    photograph: PictureLike | None = None
    painting: PictureLike | None = None
    photo: PictureLike | None = None
    dark: PictureLike | None = None

    @property
    def is_example(self) -> bool:
        """True if no picture was given."""
        return all(each is None for each in (self.photograph, self.painting, self.photo, self.dark))

    @property
    def given(self) -> list[str]:
        """The names of the pair and of other pictures that were given."""
        return [
            n for n in INPUTS if n in ("photograph", "painting") or getattr(self, n) is not None
        ]

    def read(self, name: str, size: int) -> Tensor:
        """Read one of the pictures, ``(1, 3, H, W)`` in [0, 1].

        The photographs' longest side is ``size``. The painting, and likewise ``photo``, is cropped
        to the photograph's aspect ratio and resized to its size, so that both have as many
        positions at every layer, and eq. (5) has one M.

        Raises:
            PictureError: the picture cannot be read, or the examples are not installed.

        """
        if name == "photograph":
            return longest(_read(self.photograph, "coffee", "--content"), size)
        if name == "dark":
            return longest(_read(self.dark, "rocket", "--dark"), size)
        photograph = self.read("photograph", size)
        if name == "photo":
            return filled(_read(self.photo, "chelsea", "--photo"), photograph)
        painting = self.painting if self.painting is not None else EXAMPLE_PAINTING
        return filled(read_picture(painting).tensor, photograph)


def longest(image: Tensor, size: int) -> Tensor:
    """Resize a picture so that its longer side is ``size``; the aspect ratio is kept."""
    height, width = image.shape[-2:]
    ratio = size / max(height, width)
    return resize(image, max(1, round(height * ratio)), max(1, round(width * ratio)))


def filled(image: Tensor, like: Tensor) -> Tensor:
    """Crop a picture at its centre to another one's aspect ratio, and resize it to its size."""
    (rows, columns), (height, width) = image.shape[-2:], like.shape[-2:]
    ratio = min(rows / height, columns / width)
    tall, wide = min(rows, round(height * ratio)), min(columns, round(width * ratio))
    top, left = (rows - tall) // 2, (columns - wide) // 2
    return resize(image[..., top : top + tall, left : left + wide], height, width)


def _read(source: PictureLike | None, example: str, flag: str) -> Tensor:
    if source is not None:
        return read_picture(source).tensor
    try:
        from skimage import data
    except ImportError as error:
        raise PictureError(
            "The example photographs come with scikit-image: pip install 'impasto[demo]', or give "
            f"your own with {flag}."
        ) from error
    return read_picture(Image.fromarray(getattr(data, example)())).tensor

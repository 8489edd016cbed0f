"""The pictures of a lab: rounded to 8 bits, each in a file for use in commands."""

from __future__ import annotations

from pathlib import Path

from torch import Tensor

from impasto.errors import PictureError
from impasto.experiments.inputs import INPUTS, Inputs
from impasto.files.atomic import make_folder
from impasto.files.outputs import mark_folder
from impasto.files.pictures.finding import file_sha256
from impasto.files.pictures.images import read_picture, to_pillow, write_image


class NamedPictures:
    """Pictures ``(1, 3, H, W)`` in [0, 1] by name; the inputs are read when needed.

    Args:
        folder: for their files, ``NAME.png``; made with the first picture.
        inputs: the photographs and the painting.
        size: longest side of the photographs.

    Raises:
        PictureError: one of the given pictures cannot be read.

    """

    def __init__(self, folder: Path, inputs: Inputs, size: int) -> None:
        self._folder = folder
        self._inputs = inputs
        self._size = size
        self._images: dict[str, Tensor] = {}
        given = {name: inputs.read(name, size) for name in inputs.given}
        for name, image in given.items():
            self.add(name, image)

    def __getitem__(self, name: str) -> Tensor:
        """One of the pictures.

        Raises:
            PictureError: there is no picture of that name, or it cannot be read.

        """
        if name not in self._images:
            if name not in INPUTS:
                raise PictureError(f"The lab has no picture {name!r}: add it first.")
            self.add(name, self._inputs.read(name, self._size))
        return self._images[name]

    def __contains__(self, name: object) -> bool:
        return name in self._images

    def add(self, name: str, image: Tensor) -> None:
        """Add a picture, rounded to 8 bits."""
        make_folder(self._folder)
        mark_folder(self._folder.parent)
        path = self._folder / f"{name}.png"
        write_image(to_pillow(image), path)
        self._images[name] = read_picture(path).tensor

    def path(self, name: str) -> Path:
        """File of one of the pictures."""
        _ = self[name]
        return self._folder / f"{name}.png"

    def digest(self, name: str) -> str:
        """Hash of the file of one of the pictures."""
        return file_sha256(self.path(name))

    def size(self, name: str) -> tuple[int, int]:
        """Height and width of one of the pictures."""
        height, width = self[name].shape[-2:]
        return height, width

    @property
    def inputs(self) -> dict[str, Tensor]:
        """The inputs that have been read so far."""
        return {name: self._images[name] for name in INPUTS if name in self._images}

"""Photographs for training: those of a folder, or a built-in set; random crops of them.

Each is read when it is first needed and kept at a small size; unreadable ones are noted.
"""

from __future__ import annotations

import hashlib
import importlib.util
import math
from collections import OrderedDict
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import torch
from PIL import Image
from torch import Generator, Tensor

from impasto.errors import PictureError
from impasto.files.pictures.finding import find_pictures, is_many
from impasto.files.pictures.images import read_picture
from impasto.ops.inits import resize
from impasto.ops.natural import natural_picture

MADE = 40  # generated pictures, where there is no folder
EXAMPLES = ("astronaut", "coffee", "chelsea", "rocket")  # included in scikit-image
KEPT = 400  # photographs in memory, of half a megabyte each
SMALLEST, LARGEST = 1.0, 1.5  # longest side of a photograph, relative to the network's picture size


class Photographs:
    """Random crops of some photographs.

    Args:
        sources: functions that return a picture ``(1, 3, H, W)`` in [0, 1].
        names: of the sources.
        description: a text on their origin.
        mark: a hash that identifies them.

    Attributes:
        notes: a sentence for each that could not be read.

    """

    def __init__(
        self,
        sources: Sequence[Callable[[], Tensor]],
        names: Sequence[str],
        description: str,
        mark: str,
        longest: int,
    ) -> None:
        self.description, self.sha256, self.notes = description, mark, list[str]()
        self._sources, self._names, self._longest = list(sources), list(names), longest
        self._kept: OrderedDict[int, Tensor] = OrderedDict()
        self._broken: set[int] = set()

    def __len__(self) -> int:
        return len(self._sources)

    def crops(self, generator: Generator, count: int, size: int) -> Tensor:
        """Random squares at random scales, half of them mirrored: ``(count, 3, size, size)``.

        Raises:
            PictureError: none of the photographs can be read.

        """
        return torch.cat([self._crop(generator, size) for _ in range(count)])

    def _crop(self, generator: Generator, size: int) -> Tensor:
        picture = self._picture(_pick(generator, len(self._sources)))
        height, width = picture.shape[-2:]
        wanted = self._longest * math.exp(_uniform(generator) * math.log(LARGEST / SMALLEST))
        scale = max(wanted / max(height, width), size / min(height, width))
        side = min(height, width, max(1, round(size / scale)))
        top, left = _pick(generator, height - side + 1), _pick(generator, width - side + 1)
        piece = picture[..., top : top + side, left : left + side].float() / 255
        piece = resize(piece, size, size)
        return piece.flip(-1) if _pick(generator, 2) else piece

    def _picture(self, index: int) -> Tensor:
        """The photograph as uint8, or the next one that can be read."""
        for number in range(len(self._sources)):
            at = (index + number) % len(self._sources)
            if at in self._broken:
                continue
            if at in self._kept:
                self._kept.move_to_end(at)
                return self._kept[at]
            try:
                picture = self._small(self._sources[at]())
            except PictureError as error:
                self._broken.add(at)
                self.notes.append(f"{self._names[at]} is left out: {error}")
                continue
            self._kept[at] = picture
            if len(self._kept) > KEPT:
                self._kept.popitem(last=False)
            return picture
        raise PictureError("None of the photographs can be read: name another --photos.")

    def _small(self, picture: Tensor) -> Tensor:
        height, width = picture.shape[-2:]
        ratio = min(1.0, LARGEST * self._longest / max(height, width))
        small = resize(picture, max(1, round(height * ratio)), max(1, round(width * ratio)))
        return (small * 255).round().to(torch.uint8)


def photographs_in(
    folder: Path, *, longest: int, max_pixels: int, leave_out: Sequence[Path] = ()
) -> Photographs:
    """The photographs of a folder or a pattern.

    Args:
        folder: a folder, a pattern or one file.
        longest: longest side of the pictures that the network is for, in pixels.
        max_pixels: largest picture that is read.
        leave_out: files in the folder to ignore: the paintings.

    Raises:
        PictureError: there are no photographs.

    """
    if not (is_many(folder) or folder.exists()):
        raise PictureError(f"There is no folder {str(folder)!r}: check the name of --photos.")
    listing = find_pictures([folder])
    others = {path.resolve() for path in leave_out}
    paths = [path for path in listing.pictures if path.resolve() not in others]
    if not paths:
        raise PictureError(
            f"There is no photograph in {str(folder)!r} but the paintings: name another --photos."
        )
    listed = [f"{path.name} {path.stat().st_size if path.is_file() else 0}" for path in paths]
    mark = hashlib.sha256("\n".join(listed).encode("utf-8", "surrogateescape")).hexdigest()
    count = "1 photograph" if len(paths) == 1 else f"{len(paths)} photographs"
    made = Photographs(
        [partial(_read, path, max_pixels) for path in paths],
        [path.name for path in paths],
        f"{count} of the user's own",
        mark,
        longest,
    )
    made.notes += listing.notes
    return made


def photographs_without_a_folder(*, longest: int) -> Photographs:
    """Generated pictures with the statistics of photographs, and scikit-image's if installed.

    Args:
        longest: longest side of the pictures that the network is for, in pixels.

    """
    height = max(1, round(longest * 0.75))
    sources: list[Callable[[], Tensor]] = [
        partial(natural_picture, height, longest, seed=seed) for seed in range(MADE)
    ]
    names = [f"picture {seed}" for seed in range(MADE)]
    description = f"{MADE} generated pictures"
    if importlib.util.find_spec("skimage") is not None:
        sources += [partial(_example, name) for name in EXAMPLES] * (MADE // len(EXAMPLES))
        names += list(EXAMPLES) * (MADE // len(EXAMPLES))
        description += f" and {len(EXAMPLES)} photographs of scikit-image's"
    mark = hashlib.sha256(" ".join([*names, str(longest)]).encode()).hexdigest()
    return Photographs(sources, names, description, mark, longest)


def _read(path: Path, max_pixels: int) -> Tensor:
    return read_picture(path, max_pixels=max_pixels).tensor


def _example(name: str) -> Tensor:
    from skimage import data

    return read_picture(Image.fromarray(getattr(data, name)())).tensor


def _pick(generator: Generator, count: int) -> int:
    return int(torch.randint(count, (), generator=generator))


def _uniform(generator: Generator) -> float:
    return float(torch.rand((), generator=generator))

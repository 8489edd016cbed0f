"""Pictures: files, Pillow images and arrays to tensors ``(1, 3, H, W)`` in [0, 1], and back."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt
import torch
from PIL import Image
from torch import Tensor

from impasto.errors import PictureError, ShortageError
from impasto.files.pictures.decoding import Decoded, decode, decode_image
from impasto.files.pictures.encoding import (
    check_suffix,
    left_out,
    to_pillow,
    write_image,
    write_result,
)
from impasto.recipe.still import Recipe
from impasto.shortage import is_shortage

__all__ = [
    "Picture",
    "PictureLike",
    "check_suffix",
    "left_out",
    "read_picture",
    "to_pillow",
    "write_image",
    "write_result",
]


@dataclass(frozen=True)
class Picture:
    """A picture for the engine, and its origin.

    Attributes:
        tensor: RGB, sRGB-encoded, ``(1, 3, H, W)`` float32 in [0, 1]; transparent pixels are
            blended with the mean colour of the visible ones.
        name: the file's name without folders, or ``image`` for an object.
        sha256: of the file, or of the values of an object.
        alpha: ``(1, 1, H, W)`` float32 in [0, 1]; None if the whole picture is opaque.
        notes: sentences on what was ignored or assumed.

    """

    tensor: Tensor
    name: str
    sha256: str
    alpha: Tensor | None = None
    notes: tuple[str, ...] = ()

    @property
    def size(self) -> tuple[int, int]:
        """Height and width."""
        return self.tensor.shape[-2], self.tensor.shape[-1]


PictureLike = (
    str
    | os.PathLike[str]
    | bytes
    | bytearray
    | memoryview
    | BinaryIO
    | Image.Image
    | Tensor
    | npt.ArrayLike
    | Picture
)


def read_picture(
    source: PictureLike,
    *,
    max_pixels: int = Recipe.max_pixels,
    ground: tuple[float, float, float] | None = None,
) -> Picture:
    """Read a picture: a path, a file's bytes, an open file, a Pillow image, an array or a tensor.

    One that has been read already is returned as it is. EXIF's rotation is applied, an embedded
    colour profile is converted to sRGB, and transparent pixels are blended with the mean colour of
    the visible ones. Of several frames or pages the first is used. Arrays are ``(H, W)``,
    ``(H, W, 3)`` or ``(H, W, 4)``, tensors ``(H, W)``, ``(C, H, W)`` or ``(1, C, H, W)``, for C of
    1, 3 or 4: unsigned integers over their whole range, or floats in [0, 1]. Whatever NumPy takes
    for an array is one, such as a :class:`impasto.Result`.

    Args:
        source: the picture.
        max_pixels: the most pixels of a file, checked before it is decoded.
        ground: RGB in [0, 1] with which transparent pixels are blended instead.

    Raises:
        PictureError: missing, not a picture, damaged, too small or too large.
        ShortageError: it does not fit into memory.

    """
    if isinstance(source, Picture):
        return source
    if isinstance(source, str | os.PathLike):
        return _from_file(Path(source), max_pixels, ground)
    if isinstance(source, Image.Image):
        return _picture(decode_image(source, max_pixels), "image", None, ground)
    if isinstance(source, bytes | bytearray | memoryview):
        return _from_bytes(bytes(source), "image", max_pixels, ground)
    if callable(getattr(source, "read", None)):
        return _from_bytes(*_whole(source), max_pixels, ground)
    return _picture(_from_array(_as_array(source)), "image", None, ground)


def _from_file(path: Path, max_pixels: int, ground: tuple[float, float, float] | None) -> Picture:
    if path.suffix.lower() == ".safetensors":
        raise PictureError(
            f"{path.name!r} is a network, not a picture: give it to impasto stylize instead of the "
            "painting, or name a picture."
        )
    try:
        return _from_bytes(_bytes_of(path), path.name, max_pixels, ground)
    except MemoryError as error:
        raise _too_large(path.name) from error


def _from_bytes(
    data: bytes, name: str, max_pixels: int, ground: tuple[float, float, float] | None
) -> Picture:
    try:
        return _picture(decode(data, name, max_pixels), name, _hash(data), ground)
    except (MemoryError, RuntimeError) as error:
        if not is_shortage(error):
            raise
        raise _too_large(name) from error


def _too_large(name: str) -> ShortageError:
    return ShortageError(f"{name!r} does not fit into memory: make it smaller first.")


def _whole(file: Any) -> tuple[bytes, str]:
    """What an open file holds from where it stands, and its name."""
    try:
        data = file.read()
    except (OSError, ValueError) as error:  # closed, or opened for writing
        raise PictureError(f"The open file cannot be read ({error}): open it anew.") from error
    if not isinstance(data, bytes):
        raise PictureError("The open file gives text: open it with mode 'rb'.")
    name = getattr(file, "name", None)
    return data, Path(name).name if isinstance(name, str) else "image"


def _as_array(source: object) -> npt.NDArray[Any]:
    """What NumPy makes of an object; a tensor with its channels last."""
    if isinstance(source, Tensor):
        return _channels_last(source)
    if isinstance(source, np.ndarray):
        return source
    if not (hasattr(source, "__array__") or hasattr(source, "__array_interface__")):
        raise PictureError(
            f"A {type(source).__name__} is no picture: give a path, a file's bytes, an open file, "
            "a Pillow image, an array (H, W, 3) or a tensor (3, H, W)."
        )
    return np.asarray(source)


def _channels_last(tensor: Tensor) -> npt.NDArray[Any]:
    shape = tuple(tensor.shape)
    one = tensor[0] if tensor.ndim == 4 and shape[0] == 1 else tensor
    if one.ndim not in (2, 3):
        raise PictureError(f"A picture's tensor must be (C, H, W) or (1, C, H, W), not {shape}.")
    one = one.detach().cpu()
    one = one.float() if one.is_floating_point() else one  # NumPy has no bfloat16
    return np.asarray((one.permute(1, 2, 0) if one.ndim == 3 else one).numpy())


def on_ground(
    decoded: Decoded, ground: tuple[float, float, float] | None = None
) -> tuple[Tensor, Tensor | None]:
    """Colours and alpha as tensors, with transparent pixels blended with a background.

    Args:
        decoded: the colours.
        ground: RGB in [0, 1] of the background; by default the mean colour of the visible pixels,
            which then is also the mean of the result.

    Returns:
        ``(1, 3, H, W)`` and ``(1, 1, H, W)``, float32 in [0, 1]; None for alpha if the whole
        picture is opaque.

    """
    levels = _floats(decoded.levels)
    if levels.ndim == 2:
        levels = np.repeat(levels[:, :, None], 3, axis=2)
    alpha = None if decoded.alpha is None else _floats(decoded.alpha)[..., None]
    if alpha is None or alpha.min() == 1:
        return _tensor(levels), None
    return _tensor(_composited(levels, alpha, ground)), _tensor(alpha)


def _picture(
    decoded: Decoded, name: str, sha256: str | None, ground: tuple[float, float, float] | None
) -> Picture:
    tensor, mask = on_ground(decoded, ground)
    if sha256 is None:
        values = [each.numpy().tobytes() for each in (tensor, mask) if each is not None]
        sha256 = _hash(b"".join(values))
    return Picture(tensor, name, sha256, mask, decoded.notes)


def _bytes_of(path: Path) -> bytes:
    try:
        if not path.exists():
            raise PictureError(f"There is no file {str(path)!r}: check the name.")
        if not path.is_file():
            raise PictureError(f"{str(path)!r} is not a file: give the name of a picture.")
        return path.read_bytes()
    except OSError as error:
        reason = (error.strerror or "it cannot be read").lower()
        raise PictureError(
            f"{str(path)!r} cannot be read ({reason}): check its name and permissions."
        ) from error


def _from_array(array: npt.NDArray[Any]) -> Decoded:
    channels = array.shape[2] if array.ndim == 3 else 1
    if array.ndim not in (2, 3) or min(array.shape[:2]) < 2 or channels not in (1, 3, 4):
        raise PictureError(
            f"A picture's array must be (H, W), (H, W, 3) or (H, W, 4), not {array.shape}."
        )
    if array.dtype.kind not in "uf":
        raise PictureError(
            f"A picture's array must hold unsigned integers or floats, not {array.dtype}."
        )
    levels = _floats(array)
    if not np.isfinite(levels).all() or levels.min() < 0 or levels.max() > 1:
        raise PictureError("A picture's floats must lie between 0 and 1.")
    if channels == 1:
        levels = levels.reshape(levels.shape[:2])
    return Decoded(levels[..., :3], levels[..., 3]) if channels == 4 else Decoded(levels)


def _floats(levels: npt.NDArray[Any]) -> npt.NDArray[np.float32]:
    """Unsigned integers over their whole range to [0, 1]; floats as they are."""
    if levels.dtype.kind == "u":
        return (levels / np.float32(np.iinfo(levels.dtype).max)).astype(np.float32, copy=False)
    return levels.astype(np.float32)


def _composited(
    color: npt.NDArray[np.float32],
    alpha: npt.NDArray[np.float32],
    ground: tuple[float, float, float] | None,
) -> npt.NDArray[np.float32]:
    """Blend colours with a background; that of the visible pixels' mean adds no false edge."""
    weight = alpha.sum(dtype=np.float64)
    mean = (color * alpha).sum((0, 1), dtype=np.float64) / weight if weight else np.full(3, 0.5)
    below = mean if ground is None else np.asarray(ground)
    mixed: npt.NDArray[np.float32] = (color * alpha + below * (1 - alpha)).astype(np.float32)
    return mixed.clip(0, 1)


def _tensor(levels: npt.NDArray[np.float32]) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(levels.transpose(2, 0, 1)))[None]


def _hash(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()

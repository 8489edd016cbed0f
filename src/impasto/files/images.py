"""Pictures: files, Pillow images and arrays to tensors ``(1, 3, H, W)`` in [0, 1], and back."""

from __future__ import annotations

import hashlib
import io
import os
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from PIL import Image, ImageCms, ImageOps, PngImagePlugin, UnidentifiedImageError
from torch import Tensor

from impasto.errors import OutputError, PictureError
from impasto.files.atomic import atomic_write

PictureLike = str | os.PathLike[str] | Image.Image | npt.NDArray[Any]

SUFFIXES = {
    ".png": "PNG",
    ".jpg": "JPEG",
    ".jpeg": "JPEG",
    ".webp": "WEBP",
    ".tif": "TIFF",
    ".tiff": "TIFF",
}
MAX_PIXELS = 256_000_000


@dataclass(frozen=True)
class Picture:
    """A picture as the engine takes it, and where it came from.

    Attributes:
        tensor: RGB, sRGB-encoded, ``(1, 3, H, W)`` float32 in [0, 1].
        name: the file's name without folders, or ``image`` for one that came as an object.
        sha256: of the file, or of the values for one that came as an object.

    """

    tensor: Tensor
    name: str
    sha256: str

    @property
    def size(self) -> tuple[int, int]:
        """Height and width."""
        return self.tensor.shape[-2], self.tensor.shape[-1]


def read_picture(source: PictureLike) -> Picture:
    """Read a picture from a path, a Pillow image or an array.

    Rotation noted in EXIF is carried out, an embedded colour profile is converted to sRGB, and
    transparency is composited on the picture's own mean colour. Arrays are ``(H, W)``,
    ``(H, W, 3)`` or ``(H, W, 4)``: unsigned integers over their whole range, or floats in [0, 1].

    Raises:
        PictureError: missing, not a picture, damaged, or over 256 megapixels.

    """
    if isinstance(source, np.ndarray):
        tensor = _from_array(source)
        return Picture(tensor, "image", _hash(tensor.numpy().tobytes()))
    if isinstance(source, Image.Image):
        tensor = _from_pillow(source, "The image")
        return Picture(tensor, "image", _hash(tensor.numpy().tobytes()))
    path = Path(source)
    data = _bytes_of(path)
    return Picture(_decode(data, path.name), path.name, _hash(data))


def to_pillow(image: Tensor) -> Image.Image:
    """``(1, 3, H, W)`` in [0, 1] as an 8-bit RGB image, rounded to nearest."""
    levels = (image[0].clamp(0, 1) * 255).round().to(torch.uint8)
    return Image.fromarray(levels.permute(1, 2, 0).contiguous().cpu().numpy())


def check_suffix(path: Path) -> None:
    """Make sure that the name says a format that can be written.

    Raises:
        OutputError: it does not.

    """
    if path.suffix.lower() not in SUFFIXES:
        raise OutputError(f"{path.name!r} names no known format: end it in {', '.join(SUFFIXES)}.")


def write_image(
    image: Image.Image, path: Path, *, text: PngImagePlugin.PngInfo | None = None
) -> None:
    """Write a picture atomically, in the format that its name says, with an sRGB profile.

    Args:
        image: the picture.
        path: where.
        text: what a PNG shall say besides (:func:`impasto.files.records.png_text`).

    Raises:
        OutputError: unknown suffix, or the file cannot be written.

    """
    check_suffix(path)
    kind = SUFFIXES[path.suffix.lower()]
    choices: dict[str, dict[str, Any]] = {
        "JPEG": {"quality": 95, "subsampling": 0},
        "WEBP": {"quality": 95},
        "PNG": {"pnginfo": text},
    }
    with atomic_write(path) as temporary:
        image.save(temporary, format=kind, icc_profile=_srgb_profile(), **choices.get(kind, {}))


def _bytes_of(path: Path) -> bytes:
    if not path.exists():
        raise PictureError(f"There is no file {str(path)!r}: check the name.")
    if not path.is_file():
        raise PictureError(f"{str(path)!r} is not a file: give the name of a picture.")
    try:
        return path.read_bytes()
    except OSError as error:
        raise PictureError(f"{str(path)!r} cannot be read: check its permissions.") from error


def _decode(data: bytes, name: str) -> Tensor:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Pillow's own limit warns; ours, below, is an error
            with Image.open(io.BytesIO(data)) as image:
                if image.width * image.height > MAX_PIXELS:
                    raise PictureError(
                        f"{name!r} has {image.width} x {image.height} pixels, more than "
                        f"{MAX_PIXELS // 1_000_000} million: make it smaller first."
                    )
                return _from_pillow(image, repr(name))
    except UnidentifiedImageError as error:
        raise PictureError(
            f"{name!r} is no picture that can be read here: convert it to PNG or JPEG."
        ) from error
    except PictureError:
        raise
    except (OSError, ValueError, SyntaxError, EOFError, Image.DecompressionBombError) as error:
        raise PictureError(f"{name!r} is damaged and cannot be read: get it anew.") from error


def _from_pillow(image: Image.Image, name: str) -> Tensor:
    image.load()
    image = _to_srgb(ImageOps.exif_transpose(image))
    if image.mode.startswith("I") or image.mode == "F":  # 16-bit grey, 32-bit grey, float
        return _from_array(_grey_levels(image))
    has_alpha = "A" in image.getbands() or "transparency" in image.info
    if min(image.size) < 2:
        raise PictureError(f"{name} has {image.width} x {image.height} pixels: too small to use.")
    return _from_array(np.asarray(image.convert("RGBA" if has_alpha else "RGB")))


def _grey_levels(image: Image.Image) -> npt.NDArray[np.float32]:
    levels = np.asarray(image).astype(np.float32)
    if image.mode == "F":
        return levels.clip(0, 1)
    return (levels / (65535 if levels.max() > 255 else 255)).clip(0, 1)


def _to_srgb(image: Image.Image) -> Image.Image:
    """Converted by the embedded profile; as it is where there is none, or a broken one."""
    profile = image.info.get("icc_profile")
    if not profile or image.mode not in ("RGB", "RGBA", "CMYK", "L"):
        return image
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        mode = "RGBA" if image.mode == "RGBA" else "RGB"
        converted = ImageCms.profileToProfile(
            image, source, ImageCms.createProfile("sRGB"), outputMode=mode
        )
    except (ImageCms.PyCMSError, OSError, ValueError):
        return image
    return converted or image


def _from_array(array: npt.NDArray[Any]) -> Tensor:
    if array.ndim == 2:
        array = np.repeat(array[:, :, None], 3, axis=2)
    if array.ndim != 3 or array.shape[2] not in (3, 4) or min(array.shape[:2]) < 2:
        raise PictureError(
            f"A picture's array must be (H, W), (H, W, 3) or (H, W, 4), not {array.shape}."
        )
    if np.issubdtype(array.dtype, np.unsignedinteger):
        levels = (array / np.float32(np.iinfo(array.dtype).max)).astype(np.float32)
    elif np.issubdtype(array.dtype, np.floating):
        levels = array.astype(np.float32)
    else:
        raise PictureError(
            f"A picture's array must hold unsigned integers or floats, not {array.dtype}."
        )
    if not np.isfinite(levels).all() or levels.min() < 0 or levels.max() > 1:
        raise PictureError("A picture's floats must lie between 0 and 1.")
    if levels.shape[2] == 4:
        levels = _composited(levels)
    return torch.from_numpy(np.ascontiguousarray(levels.transpose(2, 0, 1)))[None]


def _composited(levels: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """RGBA on the mean colour of what is visible, so that no invented edge appears."""
    color, alpha = levels[..., :3], levels[..., 3:]
    weight = alpha.sum(dtype=np.float64)
    ground = (color * alpha).sum((0, 1), dtype=np.float64) / weight if weight else np.full(3, 0.5)
    mixed: npt.NDArray[np.float32] = (color * alpha + ground * (1 - alpha)).astype(np.float32)
    return mixed.clip(0, 1)


def _srgb_profile() -> bytes:
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def _hash(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()

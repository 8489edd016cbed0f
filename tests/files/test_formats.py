"""Every format and every property, made, read and written; ``docs/formats.md`` says what was found.

``IMPASTO_WRITE_DOCS=1 pytest tests/files/test_formats.py`` writes the page anew.
"""

from __future__ import annotations

import io
import os
from collections.abc import Callable
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image, ImageCms, features

from impasto.errors import OutputError
from impasto.files import formats
from impasto.files.formats import formats_of, suffixes_of, written_as
from impasto.files.pictures import deep
from impasto.files.pictures.images import check_suffix, read_picture, write_result
from tests.files import profiles
from tests.files.by_number import avif, heic
from tests.files.pngs import gama, png

PAGE = Path(__file__).parents[2] / "docs" / "formats.md"
YES, NO, NEVER = "yes", "**no**", "–"  # NEVER: the format has no such thing
READ = {
    "PNG": ".png", "JPEG": ".jpg", "WEBP": ".webp", "TIFF": ".tif",
    "GIF": ".gif", "AVIF": ".avif", "HEIF": ".heic", "BMP": ".bmp",
}  # fmt: skip
WRITTEN = {"PNG": ".png", "JPEG": ".jpg", "WEBP": ".webp", "TIFF": ".tif", "AVIF": ".avif"}
TITLES = {"WEBP": "WebP", "HEIF": "HEIC"}
FAITHFUL = {
    "JPEG": {"quality": 100, "subsampling": 0},
    "WEBP": {"lossless": True, "exact": True},
    "AVIF": {"quality": 100, "subsampling": "4:4:4"},
    "HEIF": {"quality": -1, "chroma": 444},
}
CLOSE = 6  # levels of 255, on the mean: lossy formats and palettes
DEEP = ("PNG", "TIFF")


def _there(kind: str) -> bool:
    if kind == "HEIF":
        return find_spec("pillow_heif") is not None
    return kind != "AVIF" or features.check("avif")


ALL_THERE = all(map(_there, READ)) and deep.available()


@cache
def _photo() -> np.ndarray:
    """40 x 56 pixels without any symmetry: a few smooth colours, and a dark corner."""
    y, x = np.mgrid[0:40, 0:56] / np.array([40, 56])[:, None, None]
    levels = np.stack([x, y, 1 - (x + y) / 2], -1)
    levels[:12, :12] = 0.1
    return np.round(levels * 255).astype(np.uint8)


def _saved(kind: str, image: Image.Image, **options) -> bytes | None:
    """The file; None where the format has no such thing."""
    if kind == "HEIF":
        import pillow_heif

        pillow_heif.register_heif_opener()
    data = io.BytesIO()
    try:
        image.save(data, kind, **FAITHFUL.get(kind, {}), **options)
    except (OSError, KeyError, ValueError):
        return None
    return data.getvalue()


def _read(kind: str, data: bytes, folder: Path):
    path = folder / f"picture{READ[kind]}"
    path.write_bytes(data)
    return read_picture(path)


def _levels(tensor: torch.Tensor) -> np.ndarray:
    return tensor[0].permute(1, 2, 0).numpy() * 255


def _near(tensor: torch.Tensor, wanted: np.ndarray) -> str:
    found = _levels(tensor)
    return YES if found.shape == wanted.shape and np.abs(found - wanted).mean() < CLOSE else NO


def _color(kind: str, folder: Path) -> str:
    data = _saved(kind, Image.fromarray(_photo()))
    return NEVER if data is None else _near(_read(kind, data, folder).tensor, _photo())


def _in_mode(mode: str) -> Callable[[str, Path], str]:
    def cell(kind: str, folder: Path) -> str:
        image = Image.fromarray(_photo()).convert(mode)
        data = _saved(kind, image)
        if data is None or Image.open(io.BytesIO(data)).mode != mode:
            return NEVER
        return _near(_read(kind, data, folder).tensor, np.asarray(image.convert("RGB"), float))

    return cell


def _ramp() -> np.ndarray:
    """4 x 1024 pixels of 1024 levels."""
    return np.broadcast_to(
        np.arange(1024, dtype=np.uint16)[None, :, None] * 64, (4, 1024, 3)
    ).copy()


def _encoded(kind: str, levels: np.ndarray) -> bytes | None:
    if kind not in DEEP:
        return None
    import imagecodecs
    import tifffile

    if kind == "PNG" and levels.dtype == np.uint16:
        return imagecodecs.png_encode(levels)
    if kind != "TIFF":
        return None
    data = io.BytesIO()
    tifffile.imwrite(data, levels, photometric="rgb")
    return data.getvalue()


def _deep(dtype: type) -> Callable[[str, Path], str]:
    def cell(kind: str, folder: Path) -> str:
        levels = _ramp() if dtype is np.uint16 else (_ramp() / 65535).astype(dtype)
        data = _encoded(kind, levels)
        if data is None:
            return NEVER
        found = _read(kind, data, folder).tensor
        return YES if found.unique().numel() == 1024 else NO

    return cell


def _cut_out() -> Image.Image:
    image = Image.fromarray(_photo()).convert("RGBA")
    image.paste((0, 0, 0, 0), (0, 20, 56, 40))
    return image


def _transparency(kind: str, folder: Path) -> str:
    image = _cut_out()
    data = _saved(kind, image)
    if data is None or not Image.open(io.BytesIO(data)).has_transparency_data:
        return NEVER
    alpha = _read(kind, data, folder).alpha
    return _near(alpha, np.asarray(image)[..., 3:]) if alpha is not None else NO


def _profile(kind: str, folder: Path) -> str:
    red = Image.new("RGB", (32, 32), (255, 0, 0))
    data = _saved(kind, red, icc_profile=profiles.swapped())
    if data is None or not Image.open(io.BytesIO(data)).info.get("icc_profile"):
        return NEVER
    return _near(_read(kind, data, folder).tensor, np.broadcast_to([0, 255, 0], (32, 32, 3)))


def _without_profile(kind: str, folder: Path) -> str:
    """Linear light, or Adobe RGB's colours, said by the format's own means."""
    linear, red = np.full((32, 32, 3), 55, np.uint8), np.full((32, 32, 3), (219, 0, 0), np.uint8)
    if kind == "PNG":
        return _near(_read(kind, png(linear, gama(1.0)), folder).tensor, np.full((32, 32, 3), 128))
    if kind in ("AVIF", "HEIF"):
        data = (avif if kind == "AVIF" else heic)(linear, 1, 8)
        return _near(_read(kind, data, folder).tensor, np.full((32, 32, 3), 128))
    exif = Image.Exif()
    exif[319] = (0.64, 0.33, 0.21, 0.71, 0.15, 0.06)
    data = _saved(kind, Image.fromarray(red), exif=exif.tobytes())
    if data is None or 319 not in Image.open(io.BytesIO(data)).getexif():
        return NEVER
    return _near(_read(kind, data, folder).tensor, np.broadcast_to([255, 0, 0], (32, 32, 3)))


def _turns(image: Image.Image) -> bool:
    """Whether the file says so: in its EXIF, or by a property of its own, which Pillow reads."""
    return image.getexif().get(0x0112) == 6 or image.size == (40, 56)


def _rotation(kind: str, folder: Path) -> str:
    exif = Image.Exif()
    exif[0x0112] = 6
    data = _saved(kind, Image.fromarray(_photo()), exif=exif.tobytes())
    if data is None or not _turns(Image.open(io.BytesIO(data))):
        return NEVER
    return _near(_read(kind, data, folder).tensor, np.rot90(_photo(), -1))


def _first(kind: str, folder: Path) -> str:
    pictures = [Image.fromarray(_photo()), Image.new("RGB", (56, 40))]
    data = _saved(kind, pictures[0], save_all=True, append_images=pictures[1:])
    if data is None or getattr(Image.open(io.BytesIO(data)), "n_frames", 1) < 2:
        return NEVER
    picture = _read(kind, data, folder)
    said = any("the first is used" in note for note in picture.notes)
    return _near(picture.tensor, _photo()) if said else NO


READING = {
    "colour": _color,
    "grey": _in_mode("L"),
    "palette": _in_mode("P"),
    "CMYK": _in_mode("CMYK"),
    "16 bit": _deep(np.uint16),
    "float": _deep(np.float32),
    "transparency": _transparency,
    "profile converted": _profile,
    "colours without a profile": _without_profile,
    "EXIF rotation": _rotation,
    "first of several, with a message": _first,
}


def _result() -> torch.Tensor:
    return torch.from_numpy(_photo() / np.float32(255)).permute(2, 0, 1)[None]


def _written(kind: str, folder: Path, result: torch.Tensor | None = None, **options) -> Path:
    path = folder / f"out{WRITTEN[kind]}"
    write_result(_result() if result is None else result, path, **options)
    return path


def _back(kind: str, folder: Path) -> str:
    return _near(read_picture(_written(kind, folder)).tensor, _photo())


def _deep_back(kind: str, folder: Path) -> str:
    if kind not in DEEP:
        return NEVER
    ramp = torch.linspace(0, 1, 1024).expand(1, 3, 4, 1024)
    found = read_picture(_written(kind, folder, ramp, depth=16)).tensor
    return YES if found.unique().numel() == 1024 and (found - ramp).abs().max() < 1e-5 else NO


def _alpha_back(kind: str, folder: Path) -> str:
    if kind == "JPEG":
        return NEVER
    alpha = torch.linspace(0, 1, 56).expand(1, 1, 40, 56)
    found = read_picture(_written(kind, folder, alpha=alpha)).alpha
    return YES if found is not None and (found - alpha).abs().mean() < 0.01 else NO


def _profile_back(kind: str, folder: Path) -> str:
    with Image.open(_written(kind, folder)) as image:
        profile = ImageCms.ImageCmsProfile(io.BytesIO(image.info["icc_profile"]))
        return YES if "sRGB" in ImageCms.getProfileName(profile) else NO


def _dpi_back(kind: str, folder: Path) -> str:
    with Image.open(_written(kind, folder, dpi=300)) as image:
        found = image.info.get("dpi", (image.getexif().get(282, 0),))
        return YES if abs(float(found[0]) - 300) < 0.1 else NO


WRITING = {
    "colour": _back,
    "16 bit": _deep_back,
    "transparency": _alpha_back,
    "sRGB profile": _profile_back,
    "resolution": _dpi_back,
}


@pytest.mark.parametrize("kind", READ)
@pytest.mark.parametrize("what", READING)
def test_reading(kind, what, tmp_path):
    _must_be_there(kind)
    assert READING[what](kind, tmp_path) in (YES, NEVER)


@pytest.mark.parametrize("kind", WRITTEN)
@pytest.mark.parametrize("what", WRITING)
def test_writing(kind, what, tmp_path):
    _must_be_there(kind)
    assert WRITING[what](kind, tmp_path) in (YES, NEVER)


def test_these_are_all_the_formats_that_can_be_written():
    assert [each.name for each in formats_of("still") if each.is_written] == list(WRITTEN)
    assert tuple(each.name for each in formats_of("still") if each.deep) == DEEP


def test_suffixes_by_what_they_say():
    assert suffixes_of("still", written=True) == (
        ".png", ".jpg", ".jpeg", ".webp", ".tif", ".tiff", ".avif",
    )  # fmt: skip
    assert set(suffixes_of("still")) - set(suffixes_of("still", written=True)) == {
        ".jfif", ".jpe", ".gif", ".bmp", ".heic", ".heif", ".hif",
    }  # fmt: skip
    assert suffixes_of("film", written=True) == (".mp4", ".m4v", ".mov", ".mkv", ".webm")
    assert set(suffixes_of("film")) - set(suffixes_of("film", written=True)) == {
        ".avi", ".gif", ".mpg", ".ts",
    }  # fmt: skip
    assert set(suffixes_of("chart")) == {".png", ".svg"}


@pytest.mark.parametrize(
    ("name", "kind", "found"),
    [
        ("a.PNG", "still", "PNG"), ("a.gif", "still", None), ("a.jpe", "still", None),
        ("a.mkv", "film", "matroska"), ("a.mkv", "still", None), ("a", "still", None),
        ("a.svg", "chart", "svg"), ("a.jpg", "chart", None),
    ],
)  # fmt: skip
def test_the_format_of_a_result_is_told_by_its_name(name, kind, found):
    known = written_as(Path(name), kind)
    assert (known and known.name) == found


def test_a_format_that_pillow_writes_is_one_row(tmp_path, monkeypatch):
    row = formats.Format("JPEG2000", ("still",), (".jp2",), options={"irreversible": False})
    with pytest.raises(OutputError, match="no known picture format"):
        check_suffix(tmp_path / "a.jp2")
    monkeypatch.setattr(formats, "FORMATS", (*formats.FORMATS, row))
    write_result(torch.full((1, 3, 8, 12), 0.5), tmp_path / "a.jp2")
    with Image.open(tmp_path / "a.jp2") as image:
        assert (image.format, image.size, image.getpixel((0, 0))) == (
            "JPEG2000", (12, 8), (128, 128, 128),
        )  # fmt: skip
    with pytest.raises(OutputError, match="cannot hold 16 bits"):
        check_suffix(tmp_path / "a.jp2", depth=16)


def test_the_page_says_what_is_so(tmp_path):
    if not ALL_THERE:
        pytest.skip("the page is made where every format can be tried")
    page = TEXT.format(
        reading=_table(READ, READING, tmp_path), writing=_table(WRITTEN, WRITING, tmp_path)
    )
    if os.environ.get("IMPASTO_WRITE_DOCS"):
        PAGE.write_text(page, encoding="utf-8")
    assert PAGE.read_text(encoding="utf-8") == page


def _must_be_there(kind: str) -> None:
    if not _there(kind) or (kind in DEEP and not deep.available()):
        pytest.skip(f"no {kind} here")


def _table(kinds: dict[str, str], cells: dict[str, Callable], folder: Path) -> str:
    lines = ["| | " + " | ".join(cells) + " |", "| --- " * (len(cells) + 1) + "|"]
    for kind in kinds:
        found = [cell(kind, folder) for cell in cells.values()]
        lines.append(f"| {TITLES.get(kind, kind)} | " + " | ".join(found) + " |")
    return "\n".join(lines)


TEXT = """# Picture formats

<!-- Written by tests/files/test_formats.py from its results; IMPASTO_WRITE_DOCS=1 updates it. -->

Every cell was tested: a file with that property was made, and read or written by impasto. A dash
means that the format does not have the property, or that the test cannot make such a file.

## Read

{reading}

HEIC needs `pip install 'impasto[heic]'`. Sixteen-bit colour and float TIFFs need
`pip install 'impasto[deep]'` (tifffile and imagecodecs, 45 MB); without it such a file is read at
8 bits, and a message says so (a TIFF that cannot be read at 8 bits is refused). AVIF and HEIC of
10 or 12 bits are read at 8. Sixteen-bit grey needs no extra.

A picture of more than 256 million pixels (`--max-pixels`) is refused before it is decoded.
Profiles are converted to sRGB, relative colorimetric with black point compensation. CMYK without a
profile is converted by Pillow's simple formula. A profile that cannot be used is ignored, and a
message says so. Floats are treated as sRGB values from 0 to 1; values outside are clipped, and a
message says so.

Without a profile, other colour information in the file is used: in a PNG the first of cICP (even
before a profile), sRGB, and gAMA with cHRM; in AVIF and HEIC the code points of `nclx`; in EXIF the
colour space, the interoperability index (R03 is Adobe RGB), primaries and gamma. High dynamic range
(PQ and HLG) is mapped so that its reference white becomes nearly white, and a message says so.

The largest page of a TIFF is read, also one in a SubIFD; of several of that size the first.
TIFFs that Pillow does not read, such as CMYK with transparency, need `impasto[deep]`.

Damage that loses no pixel is ignored, and a message says so: a wrong checksum of a PNG's text
or profile, a missing end marker. A file that lacks pixels is refused.

The pictures of a folder are recognised by their content or their suffix, and sorted in natural
order (`frame2` before `frame10`); a message names the files that are left out, such as cameras' raw
files. In a pattern, brackets that are part of an existing folder's name are taken literally.

## Written

{writing}

`--depth 16` needs `impasto[deep]`. The resolution is written with `--dpi` or `--print`. For the
network, a photograph's transparent pixels are blended with the mean colour of the visible ones; the
result gets the transparency at its own size; JPEG has none, and a message says so. No metadata of
the originals (EXIF, GPS, comments, names of folders) is written to a result.
"""

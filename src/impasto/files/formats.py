"""The table of file formats: the use of each, its suffixes, and what it can hold.

A format that Pillow writes with 8 bits needs only a row here. Standard library only.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

Kind = Literal["still", "film", "chart"]


@dataclass(frozen=True)
class Format:
    """One format.

    Attributes:
        name: the name that its library uses: Pillow for stills, FFmpeg for films, matplotlib for
            charts.
        kinds: what a file with such a suffix may contain.
        suffixes: in lower case, the usual one first.
        more_suffixes: suffixes that are read but never written.
        is_written: whether results can be written in it.
        alpha: whether a still can hold transparency.
        deep: whether a still is written with 16 bits a channel (impasto.files.pictures.encoding).
        text: whether a still can hold named texts, such as the record.
        dpi: how a still states its resolution: as an option of Pillow's, or in Exif.
        animated: whether Pillow also reads films of it.
        options: of Pillow's writer.

    """

    name: str
    kinds: tuple[Kind, ...]
    suffixes: tuple[str, ...]
    more_suffixes: tuple[str, ...] = ()
    is_written: bool = True
    alpha: bool = True
    deep: bool = False
    text: bool = False
    dpi: Literal["option", "exif"] = "exif"
    animated: bool = False
    options: Mapping[str, Any] = field(default_factory=dict)


FORMATS = (
    Format(
        *("PNG", ("still", "chart"), (".png",)),
        deep=True, text=True, dpi="option", animated=True,
    ),
    Format(
        *("JPEG", ("still",), (".jpg", ".jpeg"), (".jfif", ".jpe")),
        alpha=False, dpi="option", options={"quality": 95, "subsampling": 0},
    ),
    Format("WEBP", ("still",), (".webp",), animated=True, options={"quality": 95}),
    Format(
        *("TIFF", ("still",), (".tif", ".tiff")),
        deep=True, dpi="option", options={"compression": "tiff_adobe_deflate"},
    ),
    Format("GIF", ("still", "film"), (".gif",), is_written=False, animated=True),
    Format(
        *("AVIF", ("still",), (".avif",)),
        animated=True, options={"quality": 90, "subsampling": "4:4:4", "speed": 8},
    ),
    Format("BMP", ("still",), (".bmp",), is_written=False),
    Format("HEIF", ("still",), (".heic", ".heif", ".hif"), is_written=False),
    Format("mp4", ("film",), (".mp4", ".m4v")),
    Format("mov", ("film",), (".mov",)),
    Format("matroska", ("film",), (".mkv",)),
    Format("webm", ("film",), (".webm",)),
    Format("avi", ("film",), (".avi",), is_written=False),
    Format("mpeg", ("film",), (".mpg",), is_written=False),
    Format("mpegts", ("film",), (".ts",), is_written=False),
    Format("svg", ("chart",), (".svg",)),
)  # fmt: skip


def formats_of(kind: Kind) -> tuple[Format, ...]:
    """The formats of a kind that are read or written."""
    return tuple(each for each in FORMATS if kind in each.kinds)


def suffixes_of(kind: Kind, *, written: bool = False) -> tuple[str, ...]:
    """The suffixes of a kind of file; with ``written``, those that a result may have."""
    return tuple(
        suffix
        for each in formats_of(kind)
        if each.is_written or not written
        for suffix in (each.suffixes if written else (*each.suffixes, *each.more_suffixes))
    )


def is_moving(path: Path) -> bool:
    """Whether a file of that name may be a film."""
    return path.suffix.lower() in suffixes_of("film")


def written_as(path: Path, kind: Kind) -> Format | None:
    """The format in which a file of that name is written; None for an unknown suffix."""
    suffix = path.suffix.lower()
    return next(
        (each for each in formats_of(kind) if each.is_written and suffix in each.suffixes), None
    )

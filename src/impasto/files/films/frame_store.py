"""Finished frames kept beside an unfinished film: lossless, each written atomically."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from PIL import Image
from torch import Tensor

from impasto.errors import OutputError, PictureError
from impasto.files.atomic import atomic_write, make_folder
from impasto.files.pictures.images import read_picture, write_result

_SETTINGS = "settings.json"
_NOTES = "impasto-frame"
_OURS = re.compile(r"settings\.json|[a-z]+\d*-\d{6,}\.png|\.\w+\.part")


class KeptFrames:
    """A folder of finished frames, of one or more passes.

    Args:
        folder: made when the first frame is written.
        depth: bits a channel, 8 or 16.

    """

    def __init__(self, folder: Path, *, depth: int = 8) -> None:
        self.folder = folder
        self._depth = depth
        self._settings: dict[str, Any] = {}

    def begin(self, settings: Mapping[str, Any], *, resume: bool, overwrite: bool) -> bool:
        """Open the folder, and empty it where that is allowed.

        Returns:
            Whether there are frames to resume from.

        Raises:
            OutputError: the folder holds frames that may not be replaced, frames of another film,
                or other files.

        """
        plain = json.loads(json.dumps(settings, default=str))
        if others := self._others():
            raise OutputError(
                f"{self.folder.name!r} holds {others[0].name!r}, not one of impasto's frames: "
                "move it, or choose another --output."
            )
        self._settings = plain
        if next(self.folder.glob("*.png"), None) is None or (overwrite and not resume):
            self.remove()
        elif not resume:
            raise OutputError(
                f"{self.folder.name!r} holds frames of an earlier run: add --resume to continue "
                "with them, or --overwrite to start again."
            )
        elif (stored := self._stored_settings()) != plain:
            other = ", ".join(key for key in plain if (stored or {}).get(key) != plain[key])
            raise OutputError(
                f"{self.folder.name!r} holds frames of another run ({other} differ): give the same "
                "options, or --overwrite instead of --resume to start again."
            )
        else:
            return True
        return False

    def has(self, kind: str, index: int) -> bool:
        """True if the frame exists."""
        return self._path(kind, index).is_file()

    def notes(self, kind: str, index: int) -> dict[str, Any]:
        """The values stored with a frame.

        Raises:
            OutputError: the frame is missing or damaged.

        """
        try:
            with Image.open(self._path(kind, index)) as image:
                return dict(json.loads(image.info[_NOTES]))
        except (OSError, KeyError, TypeError, ValueError) as error:
            raise self._damaged() from error

    def read(self, kind: str, index: int) -> tuple[Tensor, dict[str, Any]]:
        """A frame, ``(1, 3, H, W)`` in [0, 1], and the values stored with it.

        Raises:
            OutputError: the frame is missing or damaged.

        """
        try:
            picture = read_picture(self._path(kind, index)).tensor
        except PictureError as error:
            raise self._damaged() from error
        return picture, self.notes(kind, index)

    def write(self, kind: str, index: int, picture: Tensor, notes: Mapping[str, Any]) -> None:
        """Store a frame, rounded to the folder's depth.

        Raises:
            OutputError: it cannot be written.

        """
        text = {_NOTES: json.dumps(notes, allow_nan=False)}
        try:
            if not self.folder.exists():
                self._make()
            write_result(picture, self._path(kind, index), depth=self._depth, text=text, quick=True)
        except BaseException:
            if next(self.folder.glob("*.png"), None) is None:
                self.remove()
            raise

    def remove(self) -> None:
        """Remove the frames, and the folder unless it holds other files.

        The settings are removed last, so a run that is killed here can still be resumed.
        """
        with suppress(OSError):
            for each in sorted(self.folder.iterdir(), key=lambda path: path.name == _SETTINGS):
                if _OURS.fullmatch(each.name):
                    each.unlink(missing_ok=True)
            self.folder.rmdir()

    def _others(self) -> list[Path]:
        """Files that were not written here, without hidden ones."""
        if not self.folder.is_dir():
            return []
        return [
            each
            for each in self.folder.iterdir()
            if not (each.name.startswith(".") or _OURS.fullmatch(each.name))
        ]

    def _damaged(self) -> OutputError:
        return OutputError(
            f"Frames in {self.folder.name!r} are missing or damaged: start again with --overwrite."
        )

    def _path(self, kind: str, index: int) -> Path:
        return self.folder / f"{kind}-{index:06d}.png"

    def _make(self) -> None:
        make_folder(self.folder)
        with atomic_write(self.folder / _SETTINGS) as temporary:
            temporary.write_text(json.dumps(self._settings, indent=1), encoding="utf-8")

    def _stored_settings(self) -> dict[str, Any] | None:
        try:
            stored = json.loads((self.folder / _SETTINGS).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return None
        return stored if isinstance(stored, dict) else None

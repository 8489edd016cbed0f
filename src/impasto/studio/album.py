"""What one browser has made, on disk: its inputs, every picture with its record, and its history.

A folder for each browser, named by a hash of its secret. Each picture lies there three times: as a
PNG with its record inside, as it was before rounding (to go on from), and as a thumbnail. The index
is written last, and atomically, so a killed studio finds all but the last seconds again.
"""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import threading
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from PIL import Image
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from impasto.errors import RecordError
from impasto.files.atomic import atomic_write
from impasto.files.outputs import mark_folder
from impasto.files.pictures.images import Picture, read_picture
from impasto.files.records.read import Record, read_record
from impasto.jobs.still import Result
from impasto.recipe.typed import MismatchError, build, convert

MOST = 200  # pictures of one browser; then the oldest go
THUMBNAIL = 256
_INDEX = "album.json"


@dataclass(frozen=True)
class Sources:
    """What a picture is made from: names within the album.

    Attributes:
        photo: the photograph; empty for none yet.
        paintings: one or more.

    """

    photo: str = ""
    paintings: tuple[str, ...] = ()

    @property
    def is_whole(self) -> bool:
        """Whether there is all that a picture needs."""
        return bool(self.photo and self.paintings)


@dataclass(frozen=True)
class Entry:
    """One picture of the history.

    Attributes:
        number: counts from 1; never given twice.
        sources: what it is made from.
        masks: every mask that its record lists, in order: names within the album.
        options: of the recipe that it was finished by, as the form has them.
        label: a few words.
        parent: the picture that it went on from; 0 for none.

    """

    number: int
    sources: Sources
    masks: tuple[str, ...] = ()
    options: dict[str, Any] = field(default_factory=dict)
    label: str = ""
    parent: int = 0


@dataclass(frozen=True)
class _Index:
    entries: tuple[Entry, ...] = ()
    sources: Sources = Sources()
    shown: int = 0
    last: int = 0


class Album:
    """One browser's pictures; may be used from several threads.

    Args:
        root: where all albums lie.
        secret: the browser's own.

    """

    def __init__(self, root: Path, secret: str) -> None:
        self.folder = root / hashlib.sha256(secret.encode()).hexdigest()[:32]
        self._lock = threading.RLock()
        self._index = self._read()

    @property
    def entries(self) -> tuple[Entry, ...]:
        """Oldest first."""
        return self._index.entries

    @property
    def sources(self) -> Sources:
        """What was last dropped."""
        return self._index.sources

    @property
    def shown(self) -> Entry | None:
        """The picture that was last shown."""
        return self.entry(self._index.shown)

    def entry(self, number: int) -> Entry | None:
        """The picture of a number, if it is still there."""
        return next((each for each in self.entries if each.number == number), None)

    def path(self, name: str) -> Path:
        """Where an input or a mask lies."""
        return self.folder / "inputs" / name

    def picture_of(self, entry: Entry) -> Path:
        """The PNG, with its record inside."""
        return self.folder / f"{entry.number:05}.png"

    def thumbnail_of(self, entry: Entry) -> Path:
        """A small JPEG."""
        return self.folder / f"{entry.number:05}.jpg"

    def take(self, file: Path, name: str) -> str:
        """Copy a file among the inputs; its name there, which ends in its own.

        Args:
            file: the file.
            name: what it was called where it came from.

        """
        data = file.read_bytes()
        own = f"{hashlib.sha256(data).hexdigest()[:16]}/{_plain(name)}"
        with self._lock:
            path = self.path(own)
            path.parent.mkdir(parents=True, exist_ok=True)
            with atomic_write(path) as temporary:
                temporary.write_bytes(data)
        return own

    def take_mask(self, mask: Image.Image) -> str:
        """Keep a mask; its name among the inputs, which is its hash: no two masks share one."""
        levels = mask.convert("L")
        digest = hashlib.sha256(levels.tobytes() + str(levels.size).encode()).hexdigest()[:12]
        name = f"masks/mask-{digest}.png"
        path = self.path(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.exists():
            with atomic_write(path) as temporary:
                levels.save(temporary, "PNG")
        return name

    def use(self, sources: Sources) -> None:
        """Remember what was dropped."""
        with self._lock:
            self._write(replace(self._index, sources=sources))

    def show(self, number: int) -> None:
        """Remember which picture is shown."""
        with self._lock:
            self._write(replace(self._index, shown=number))

    def new_number(self) -> int:
        """A number for the next picture."""
        with self._lock:
            self._write(replace(self._index, last=self._index.last + 1))
            return self._index.last

    def keep(self, entry: Entry, result: Result) -> None:
        """Write a picture, or write it again where it has gone on, and show it from now on."""
        with self._lock:
            path = self.picture_of(entry)
            with atomic_write(path.with_suffix(".safetensors")) as temporary:
                save_file({"picture": result.tensor.contiguous()}, temporary)
            result.save(path, overwrite=True)
            small = result.image.convert("RGB")
            small.thumbnail((THUMBNAIL, THUMBNAIL))
            with atomic_write(self.thumbnail_of(entry)) as temporary:
                small.save(temporary, "JPEG", quality=88)
            others = [each for each in self.entries if each.number != entry.number]
            entries = sorted([*others, entry], key=lambda each: each.number)
            self._remove(entries[:-MOST])
            kept = tuple(entries[-MOST:])
            self._write(replace(self._index, entries=kept, shown=entry.number))

    def remove(self, number: int) -> None:
        """Forget a picture."""
        with self._lock:
            self._remove([each for each in self.entries if each.number == number])
            kept = tuple(each for each in self.entries if each.number != number)
            self._write(replace(self._index, entries=kept))

    def clear(self) -> None:
        """Forget everything, inputs too."""
        with self._lock:
            shutil.rmtree(self.folder, ignore_errors=True)
            self._index = _Index()

    def standing(self, entry: Entry) -> tuple[Record, Tensor, list[Picture]]:
        """A picture's record, the picture before rounding, and its masks: to go on from.

        Raises:
            RecordError: a file of it is missing or damaged.

        """
        path = self.picture_of(entry)
        try:
            picture = load_file(path.with_suffix(".safetensors"))["picture"].clone()
        except (OSError, KeyError, SafetensorError) as error:
            raise RecordError(f"Picture {entry.number} is damaged: go on from another.") from error
        return read_record(path), picture, [read_picture(self.path(m)) for m in entry.masks]

    def _remove(self, entries: Sequence[Entry]) -> None:
        for each in entries:
            for suffix in (".png", ".json", ".jpg", ".safetensors"):
                self.picture_of(each).with_suffix(suffix).unlink(missing_ok=True)

    def _read(self) -> _Index:
        """The index; of an album that is new, or whose index is damaged, an empty one.

        Of a damaged one the pictures stay where they are, and their numbers are not used again.
        """
        try:
            values = json.loads((self.folder / _INDEX).read_text(encoding="utf-8"))
            index = build(_Index, {**values, "entries": ()})
            entries = (_entry(each) for each in values.get("entries", ()))
            there = tuple(each for each in entries if self.picture_of(each).is_file())
            return replace(index, entries=there)
        except FileNotFoundError:
            return _Index()
        except (OSError, ValueError, TypeError, AttributeError, MismatchError):
            numbers = [int(each.stem) for each in self.folder.glob("?????.png")]
            return _Index(last=max(numbers, default=0))

    def _write(self, index: _Index) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        mark_folder(self.folder)
        with atomic_write(self.folder / _INDEX) as temporary:
            temporary.write_text(json.dumps(asdict(index), indent=1) + "\n", encoding="utf-8")
        self._index = index


def _entry(values: Any) -> Entry:
    options = values.pop("options", {})
    plain = {name: convert(value, _PLAIN) for name, value in dict(options).items()}
    return replace(build(Entry, values), options=plain)


_PLAIN = bool | int | float | str | tuple[float, ...] | tuple[str, ...] | None


def _plain(name: str) -> str:
    """A file name without folders or anything that a system might stumble over."""
    stem = re.sub(r"[^\w .()+-]", "_", Path(name.replace("\\", "/")).name).strip(". ")
    return stem[-100:] or "picture"

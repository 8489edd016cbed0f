"""All that one browser has in hand: its picture in the making, its errands, its contact sheet."""

from __future__ import annotations

import re
import shlex
import threading
import time
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from impasto.errors import PictureError, RecipeError
from impasto.jobs.stylizer import Stylizer
from impasto.recipe.paint import MANNERS, PaintRecipe
from impasto.recipe.still import Recipe
from impasto.studio import errands
from impasto.studio.album import Album, Entry, Sources
from impasto.studio.errands import Errand
from impasto.studio.form import options_of
from impasto.studio.painter import Painter, Work
from impasto.studio.sitting import MOST_PIXELS, SIDE, Sitting

SHARES = 4  # paintings at a time, each with a slider
STRENGTHS = (0.2, 0.35, 0.5, 0.6, 0.75, 0.9)  # of a contact sheet
AS_SHOWN = "as shown"
SIZES = {  # in words: pixels of the longer side, or a paper
    AS_SHOWN: AS_SHOWN,
    "1024 pixels": "1024",
    "2048 pixels": "2048",
    "4096 pixels": "4096",
    "10 x 15 cm": "10x15cm",
    "A5": "14.8x21cm",
    "A4": "21x29.7cm",
    "A3": "29.7x42cm",
    "A2": "42x59.4cm",
}
FORMATS = ("png", "jpg", "tif")
FAREWELL = 5.0  # seconds in which everything is kept at the end
KEPT_ERRANDS = 20
DESKS = 64  # browsers that are held in memory; the others' albums stay on disk
_SECRET = re.compile(r"[\w-]{32,64}")


class Desk:
    """One browser's.

    Args:
        album: its pictures on disk.
        stylizer: has the network.
        painter: the thread that computes.

    Attributes:
        sitting: its picture in the making.
        errands: what takes its time, newest last.
        sheet: its contact sheet; None for none yet.
        plain: what was painted last without a network; None for nothing yet.

    """

    def __init__(self, album: Album, stylizer: Stylizer, painter: Painter) -> None:
        self.album, self._stylizer, self._painter = album, stylizer, painter
        self.sitting = Sitting(album, stylizer, painter)
        self.errands: list[Errand] = []
        self.sheet: Errand | None = None
        self.plain: Errand | None = None
        self._cells: list[tuple[Sources, dict[str, Any]]] = []

    @property
    def ready(self) -> tuple[Path, ...]:
        """What there is to download."""
        return tuple(file for each in self.errands for file in each.files)

    @property
    def is_busy(self) -> bool:
        """Whether anything is in the making."""
        works: list[Work] = [self.sitting, *self.errands]
        return any(map(self._painter.holds, works))

    def another(self, file: Path, name: str) -> None:
        """Add a painting to those that the picture takes after.

        Raises:
            RecipeError: there are as many as there is room for.
            PictureError: it cannot be read.

        """
        if len(self.album.sources.paintings) >= SHARES:
            raise RecipeError(f"There is room for {SHARES} paintings: drop one in place of all.")
        self.sitting.drop(file, name, "another")

    def steer(self, values: Mapping[str, Any], shares: Sequence[float]) -> None:
        """Go on by what the form shows.

        Args:
            values: by the options' names.
            shares: of each painting, any positive numbers; further ones are left out.

        Raises:
            RecipeError: one is out of range.

        """
        options = options_of(values)
        own = tuple(float(each) for each in shares[: len(self.album.sources.paintings)])
        if len(set(own)) > 1:
            options["blend"] = own
        self.sitting.steer(options, self.sitting.mask)

    def brush(self, layer: npt.NDArray[np.uint8] | None) -> None:
        """Protect what was painted over.

        Args:
            layer: ``(h, w, 4)``: its opacity counts; None, or nothing painted, for no mask.

        """
        mask = None
        if layer is not None and layer[..., 3].any():
            mask = self.album.take_mask(Image.fromarray(layer[..., 3]))
        self.sitting.steer(self.sitting.options, mask)

    def painted(self, sources: Sources) -> npt.NDArray[np.uint8] | None:
        """The mask as a layer ``(h, w, 4)`` to paint on."""
        if self.sitting.mask is None or sources != self.album.sources:
            return None
        with Image.open(self.album.path(self.sitting.mask)) as image:
            alpha = np.asarray(image.convert("L"))
        return np.dstack([np.full_like(alpha, each) for each in (255, 0, 128)] + [alpha])

    def undo(self) -> None:
        """Back to the picture that the one shown has come from.

        Raises:
            PictureError: it has come from none.

        """
        shown = self.album.shown
        if shown is None or not shown.parent:
            raise PictureError("There is nothing before this picture.")
        self.sitting.go_back(shown.parent)

    def order(self, number: int, size: str, suffix: str) -> None:
        """Have a picture of the history made for download.

        Args:
            number: which.
            size: one of the values of :data:`SIZES`.
            suffix: one of :data:`FORMATS`.

        Raises:
            PictureError: it is no longer there.
            RecipeError: the size is none.

        """
        entry = self._entry(number)
        if suffix not in FORMATS:
            raise RecipeError(f"The format {suffix[:20]!r} is unknown: {', '.join(FORMATS)}.")
        if size == AS_SHOWN:
            self._submit(errands.delivered(self.album, entry, suffix))
            return
        recipe = errands.sized(self._recipe(entry), size)
        stylizer = self._stylizer
        self._submit(errands.printed(self.album, entry, recipe, stylizer, size, suffix))

    def order_many(self, files: Sequence[tuple[Path, str]], number: int) -> None:
        """Have photographs made in the look of a picture of the history.

        Raises:
            PictureError: there are none, or the picture is no longer there.

        """
        if not files:
            raise PictureError("Drop some photographs first.")
        entry = self._entry(number)
        recipe = replace(self._recipe(entry), protect=None)
        paintings = self._paintings(entry.sources)
        kept = [(self.album.path(self.album.take(file, name)), name) for file, name in files]
        self._submit(errands.many(self.album, kept, paintings, recipe, self._stylizer))

    def order_film(self, file: Path, name: str, number: int, *, at_once: bool) -> None:
        """Have a film made in the look of a picture of the history.

        Raises:
            PictureError: the picture is no longer there.

        """
        entry = self._entry(number)
        recipe = errands.film_recipe(self._recipe(entry), at_once=at_once)
        clip = self.album.path(self.album.take(file, name))
        self._submit(errands.film(self.album, clip, self._paintings(entry.sources), recipe))

    def make_sheet(self, files: Sequence[tuple[Path, str]]) -> None:
        """A contact sheet: of these paintings; of none, of several strengths.

        Raises:
            PictureError: there is no photograph yet, or no painting.
            RecipeError: there are too many.

        """
        sources = self.album.sources
        options = self.sitting.options
        if not sources.photo or not (files or sources.paintings):
            raise PictureError("Drop a photograph first, and a painting.")
        if files:
            single = {name: value for name, value in options.items() if name != "blend"}
            names = [self.album.take(file, name) for file, name in files]
            self._cells = [(Sources(sources.photo, (name,)), single) for name in names]
            captions = [Path(name).stem for name in names]
        else:
            self._cells = [(sources, {**options, "strength": each}) for each in STRENGTHS]
            captions = [f"strength {each}" for each in STRENGTHS]
        cells = [
            (caption, self._paintings(own), self._at_once(chosen))
            for caption, (own, chosen) in zip(captions, self._cells, strict=True)
        ]
        if self.sheet is not None:
            self.sheet.cancel()
        self.sheet = errands.sheet(self.album.path(sources.photo), cells, self._stylizer)
        self._painter.submit(self.sheet)

    def paint(self, manner: str, size: float, *, by_painting: bool) -> None:
        """Have the photograph painted without a network.

        Raises:
            PictureError: there is no photograph yet.
            RecipeError: the manner is unknown, or needs a painting; or the size is out of range.

        """
        sources = self.album.sources
        if not sources.photo:
            raise PictureError("Drop a photograph first.")
        method = next((name for name, each in MANNERS.items() if manner in each), "")
        recipe = PaintRecipe(method, manner, int(size))
        self.plain = errands.painted(self.album, sources, recipe, by_painting=by_painting)
        self._submit(self.plain)

    def take_from_sheet(self, index: int) -> None:
        """Refine a picture of the contact sheet."""
        sources, options = self._cells[index]
        self.sitting.options = dict(options)
        self.sitting.begin(sources)
        self.sitting.show_form()

    def cancel_errands(self) -> None:
        """End all errands."""
        for each in self.errands:
            each.cancel()

    def command(self, number: int, size: str) -> str:
        """The command line that makes a picture of the history, as it is named in one's own folder.

        Raises:
            PictureError: it is no longer there.
            RecipeError: the size is none.

        """
        entry = self._entry(number)
        recipe = self._recipe(entry)
        recipe = recipe if size == AS_SHOWN else errands.sized(recipe, size)
        recipe = replace(
            recipe,
            protect=recipe.protect and Path(recipe.protect).name,
            max_pixels=Recipe.max_pixels,
        )
        names = [Path(each).name for each in (entry.sources.photo, *entry.sources.paintings)]
        return f"impasto stylize {shlex.join(names)} {recipe.command_line()}"

    def _recipe(self, entry: Entry) -> Recipe:
        """The last recipe of a picture."""
        record, _, _ = self.album.standing(entry)
        return self.sitting.recipe(entry.options, self.sitting.mask_of(record.latest, entry))

    def _at_once(self, options: Mapping[str, Any]) -> Recipe:
        recipe = errands.instant_recipe(self.sitting.recipe(options))
        return replace(recipe, size=errands.SHEET_SIDE)

    def _paintings(self, sources: Sources) -> list[Path]:
        return [self.album.path(each) for each in sources.paintings]

    def _entry(self, number: int) -> Entry:
        entry = self.album.entry(number) if number else self.album.shown
        if entry is None:
            raise PictureError("There is no picture yet: drop a photograph and a painting.")
        return entry

    def _submit(self, errand: Errand) -> None:
        over = [each for each in self.errands if each.is_over]
        for old in over[: max(0, len(self.errands) + 1 - KEPT_ERRANDS)]:
            self.errands.remove(old)
        self.errands.append(errand)
        self._painter.submit(errand)


class Desks:
    """Every browser's, by its secret.

    Args:
        folder: where albums are kept.
        side: pixels of the longer side while a picture is steered.

    """

    def __init__(self, folder: Path, side: int = SIDE) -> None:
        self._folder = folder
        self._desks: OrderedDict[str, Desk] = OrderedDict()
        self._lock = threading.Lock()
        self.painter = Painter()
        self.stylizer = Stylizer(size=side, max_pixels=MOST_PIXELS)
        self.painter.submit(errands.warm_up(self.stylizer))

    def of(self, secret: str) -> Desk:
        """The desk of a browser.

        Raises:
            PictureError: the secret is none.

        """
        if not _SECRET.fullmatch(secret or ""):
            raise PictureError("The page is not ready yet: load it again.")
        with self._lock:
            desk = self._desks.get(secret)
            if desk is None:
                album = Album(self._folder, secret)
                desk = self._desks[secret] = Desk(album, self.stylizer, self.painter)
                self._let_go()
            self._desks.move_to_end(secret)
            return desk

    def close(self) -> None:
        """Keep every picture as it stands, and end."""
        for desk in list(self._desks.values()):
            desk.sitting.stop()
            desk.cancel_errands()
        end = time.monotonic() + FAREWELL
        while any(desk.is_busy for desk in self._desks.values()) and time.monotonic() < end:
            time.sleep(0.02)
        self.painter.close()

    def _let_go(self) -> None:
        """Of the longest unused desks, where nothing is in the making."""
        idle = [secret for secret, desk in self._desks.items() if not desk.is_busy]
        for secret in idle[: max(0, len(self._desks) - DESKS)]:
            del self._desks[secret]

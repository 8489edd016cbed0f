"""One browser's picture in the making: dropped, shown, steered, kept, undone."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from impasto.engine.state import State
from impasto.errors import ImpastoError, PictureError
from impasto.files.pictures.images import Picture, PictureLike, read_picture
from impasto.files.records.read import Record
from impasto.jobs.still import Job
from impasto.jobs.stylizer import Stylizer
from impasto.recipe.still import Recipe
from impasto.studio.album import Album, Entry, Sources
from impasto.studio.painter import AT_ONCE, LIVE, Painter
from impasto.studio.view import Pixels, View, curve, small, told, with_step

SIDE = 512  # pixels of the longer side, while it is steered, unless another is asked for
MOST_PIXELS = 100_000_000  # of a picture that is dropped
PATIENCE = 0.3  # seconds without another change before one is made: a slider is being moved
AT_HAND = 12_000_000  # values of a picture that is kept in memory
REMEMBERED = 8  # inputs as a page shows them, in memory
SAVED_EVERY = 5.0  # seconds


@dataclass(frozen=True)
class _Wish:
    """That the picture be another from now on; a fresh one begins anew."""

    is_fresh: bool
    since: float

    @property
    def is_ripe(self) -> bool:
        return self.is_fresh or time.monotonic() - self.since > PATIENCE


@dataclass
class _Making:
    """A picture that is being made.

    Attributes:
        job: it.
        states: that are still to come: of the sketch, or of the optimiser.
        is_sketch: which of them.
        entry: under which it is kept.
        began: when the present recipe's steps began; seconds of the monotonic clock.
        saved: when it was last kept.

    """

    job: Job
    states: Iterator[State]
    is_sketch: bool
    entry: Entry
    began: float = 0.0
    saved: float = 0.0


class Sitting:
    """One browser's picture.

    What is asked for is carried out by the painter's thread, which calls :meth:`advance`; all the
    other methods return at once, whichever thread calls them.

    Args:
        album: its pictures on disk.
        stylizer: has the network, and the size while a picture is steered.
        painter: the thread.

    Attributes:
        options: of the recipe, as the form has them: those that are not at their defaults.
        mask: what is protected: a name in the album.
        view: what is shown.

    """

    def __init__(self, album: Album, stylizer: Stylizer, painter: Painter) -> None:
        self.album = album
        self._side = int(stylizer.defaults.size)
        self._stylizer, self._painter = stylizer, painter
        self._lock = threading.RLock()
        self._orders: deque[Callable[[], None]] = deque()
        self._wish: _Wish | None = None
        self._making: _Making | None = None
        self.options: dict[str, Any] = {}
        self.mask: str | None = None
        self._small: dict[str, Pixels] = {}
        self._whole: dict[str, Picture] = {}
        self.view = View()
        if (shown := album.shown) is not None:
            with suppress(ImpastoError):  # a damaged one is not shown, and the others are there
                self._show(shown)

    def recipe(self, options: Mapping[str, Any], mask: str | None = None, **more: Any) -> Recipe:
        """The recipe of some of the form's options.

        Raises:
            RecipeError: one is out of range.

        """
        path = None if mask is None else str(self.album.path(mask))
        fixed = {"protect": path, "size": self._side, "max_pixels": MOST_PIXELS}
        return self._stylizer.recipe({**options, **fixed, **more})

    def drop(self, file: Path, name: str, role: str) -> None:
        """Take a photograph or painting, and begin once there are both.

        Args:
            file: the file.
            name: what it was called.
            role: ``photo``, ``painting`` (in place of all), or ``another`` painting.

        Raises:
            PictureError: it cannot be read, or is too large.

        """
        picture = read_picture(file, max_pixels=MOST_PIXELS)
        own = self.album.take(file, name)
        sources = self.album.sources
        if role == "photo":
            sources, self.mask = replace(sources, photo=own), None
        elif role == "painting":
            sources = replace(sources, paintings=(own,))
        else:
            sources = replace(sources, paintings=(*sources.paintings, own))
        self._remember(own, picture)
        self.begin(sources)

    def seen(self, name: str) -> Pixels:
        """An input of the album's as a page can show it."""
        if name not in self._small:
            picture = read_picture(self._input(name), max_pixels=MOST_PIXELS)
            self._small = {
                **dict(list(self._small.items())[-REMEMBERED:]),
                name: small(picture.tensor),
            }
        return self._small[name]

    def _remember(self, name: str, picture: Picture) -> None:
        """Keep an input at hand, so that it need not be read again at once."""
        with self._lock:
            if picture.tensor.numel() <= AT_HAND:
                self._whole = {**dict(list(self._whole.items())[-1:]), name: picture}

    def _input(self, name: str) -> PictureLike:
        """An input to make a picture of."""
        return self._whole.get(name) or self.album.path(name)

    def begin(self, sources: Sources) -> None:
        """Begin a picture of these, if they are all that it needs."""
        with self._lock:
            if len(sources.paintings) != len(self.options.get("blend", sources.paintings)):
                del self.options["blend"]
            self.album.use(sources)
            if sources.is_whole:
                self._want(is_fresh=True)

    def steer(self, options: Mapping[str, Any], mask: str | None) -> None:
        """Go on with other options, from the picture as it stands.

        Raises:
            RecipeError: one is out of range.

        """
        recipe, sources = self.recipe(options, mask), self.album.sources
        if sources.paintings:
            recipe.blend_for(len(sources.paintings))
        with self._lock:
            is_new = (self.options, self.mask) != (dict(options), mask)
            self.options, self.mask = dict(options), mask
            if is_new and sources.is_whole:
                self._want(is_fresh=self._wish is not None and self._wish.is_fresh)

    def more(self) -> None:
        """Go on with the same options, from the picture that is shown."""
        self._want(is_fresh=False)

    def stop(self) -> None:
        """End with the step that is being made; the picture is kept."""
        self._order(lambda: self._end("Stopped"))

    def keep(self) -> None:
        """Keep the picture as it is now, and go on."""
        self._order(self._keep)

    def go_back(self, number: int) -> None:
        """Show an earlier picture, with its options; what is steered next goes on from it.

        Raises:
            PictureError: it is no longer there.

        """
        entry = self.album.entry(number)
        if entry is None:
            raise PictureError("That picture is no longer there: choose another.")

        def back() -> None:
            self._end("Stopped")
            self.album.show(number)
            self._show(entry)

        self._order(back)

    def forget(self, number: int | None = None) -> None:
        """Remove a picture from the history; or everything, inputs too."""
        self._order(self._forget if number is None else lambda: self._remove(number))

    def show_form(self) -> None:
        """Have the form show the options again."""
        self._change(form=self.view.form + 1)

    @property
    def urgency(self) -> int:
        """What somebody waits for with a look comes first."""
        is_sketch = self._making is not None and self._making.is_sketch
        return AT_ONCE if self._orders or self._wish is not None or is_sketch else LIVE

    def advance(self) -> bool:
        """What has been asked for; else the next step of the picture."""
        while self._orders:
            self._orders.popleft()()
        with self._lock:
            wish = self._wish if self._wish is not None and self._wish.is_ripe else None
            self._wish = None if wish is not None else self._wish
        if wish is not None:
            self._take_up(wish)
        if self._making is not None:
            self._step(self._making)
        elif self._wish is not None:
            time.sleep(PATIENCE / 10)
        return self._making is not None or self._wish is not None

    def fail(self, sentence: str) -> None:
        """Show why it has ended."""
        self._making = None
        self._change(text=sentence, is_running=False, is_live=False)

    def _want(self, *, is_fresh: bool) -> None:
        with self._lock:
            self._wish = _Wish(is_fresh, time.monotonic())
        self._painter.submit(self)

    def _order(self, do: Callable[[], None]) -> None:
        """Have something done before the next step; what was wished for before is forgotten."""
        with self._lock:
            self._wish = None
            self._orders.append(do)
        self._painter.submit(self)

    def _take_up(self, wish: _Wish) -> None:
        """Begin anew, turn the picture that is being made, or go on from the one that is shown."""
        with self._lock:
            recipe = self.recipe(self.options, self.mask)
        making, shown = self._making, self.album.shown
        if making is not None and not making.is_sketch and not wish.is_fresh:
            self._save()
            making.job.steer(recipe)
            making.entry = self._new_entry(making.entry)
            making.saved = time.monotonic()
        elif making is None and shown is not None and not wish.is_fresh:
            self._go_on(shown, recipe)
        else:
            self._let_go()
            job = self._new_job(self.album.sources, recipe)
            self._making = _Making(job, job.sketch(), True, self._new_entry(shown))
            self._change(losses=(), text="Painting …", is_running=True, is_live=False)

    def _go_on(self, entry: Entry, recipe: Recipe) -> None:
        """Take up an earlier picture, by another recipe."""
        record, picture, masks = self.album.standing(entry)
        job = self._new_job(entry.sources, self._first_of(record, entry))
        job.go_on_from(record, picture, masks)
        job.steer(recipe)
        self.album.use(entry.sources)
        making = _Making(job, iter(job), False, self._new_entry(entry), saved=time.monotonic())
        self._making = making
        self._change(is_running=True, text="Going on …", losses=curve(record))

    def _first_of(self, record: Record, entry: Entry) -> Recipe:
        """A record's first recipe, with its mask's file as it is named here."""
        mask = self.mask_of(record.recipe, entry)
        return replace(record.recipe, protect=mask and str(self.album.path(mask)))

    def mask_of(self, recipe: Recipe, entry: Entry) -> str | None:
        """The album's name of a recipe's mask."""
        names = {Path(each).name: each for each in entry.masks}
        return None if recipe.protect is None else names.get(Path(recipe.protect).name)

    def _new_job(self, sources: Sources, recipe: Recipe) -> Job:
        paintings = [self._input(each) for each in sources.paintings]
        return self._stylizer.start(recipe, self._input(sources.photo), paintings)

    def _new_entry(self, before: Entry | None) -> Entry:
        """What comes after an entry, of the present options and mask."""
        sources = self.album.sources
        if before is not None and before.sources != sources:
            before = None
        masks = () if before is None else before.masks
        if self.mask is not None and self.mask not in masks:
            masks = (*masks, self.mask)
        words = told(self.options, before.options) if before is not None else ""
        words = words or " + ".join(Path(each).stem for each in sources.paintings)
        parent = 0 if before is None else before.number
        number = self.album.new_number()
        return Entry(number, sources, masks, dict(self.options), words, parent)

    def _step(self, making: _Making) -> None:
        state = next(making.states, None)
        if state is not None:
            self._look(making, state)
        elif making.is_sketch:
            making.is_sketch, making.states = False, iter(making.job)
            making.saved = time.monotonic()
        else:
            self._end("Finished")

    def _look(self, making: _Making, state: State) -> None:
        picture = small(state.snapshot(), self._side)
        if making.is_sketch:
            self._change(picture=picture, text="The first version …")
            return
        losses = state.step, state.losses.total, state.losses.content, state.losses.style
        self._change(
            picture=picture,
            text=self._progress(making, state),
            is_running=True,
            is_live=True,
            losses=with_step(self.view.losses, losses),
        )
        if time.monotonic() - making.saved > SAVED_EVERY:
            self._save()

    def _progress(self, making: _Making, state: State) -> str:
        done = state.step - (state.steps - making.job.plan.steps)
        if done == 0:
            making.began = time.monotonic()  # what prepares the first step is not repeated
        seconds = time.monotonic() - making.began
        left = seconds / done * (state.steps - state.step) if done > 0 else 0.0
        waiting = self._painter.before(self)
        return (
            f"Step {state.step} of {state.steps}"
            + (f", about {left:.0f} s left" if left >= 1 else "")
            + (f"; {waiting} others are painting" if waiting else "")
        )

    def _keep(self) -> None:
        if self._making is None or self._making.is_sketch:
            return
        self._save()
        self._making.entry = self._new_entry(self._making.entry)

    def _end(self, word: str) -> None:
        """Keep the picture as it stands, let go of it and say so."""
        if self._making is None:
            return
        last = self._let_go()
        after = "" if last is None else f" after {last.step} of {last.steps} steps"
        self._change(text=f"{word}{after}.", is_running=False, is_live=False)

    def _let_go(self) -> State | None:
        """Keep the picture as it stands; its last state. None of a sketch, which is not kept."""
        making = self._making
        last = None if making is None or making.is_sketch else making.job.last
        if last is not None:
            self._save()
        self._making = None
        return last

    def _save(self) -> None:
        making = self._making
        if making is not None and making.job.last is not None:
            self.album.keep(making.entry, making.job.result())
            making.saved = time.monotonic()
            self._change(history=self.view.history + 1)

    def _show(self, entry: Entry) -> None:
        """An earlier picture with its options."""
        record, picture, _ = self.album.standing(entry)
        self.options, self.mask = dict(entry.options), self.mask_of(record.latest, entry)
        self.album.use(entry.sources)
        self._change(
            picture=small(picture, self._side),
            text=f"Picture {entry.number}: {entry.label}.",
            is_running=False,
            is_live=False,
            losses=curve(record),
            form=self.view.form + 1,
            history=self.view.history + 1,
        )

    def _remove(self, number: int) -> None:
        if self._making is not None and self._making.entry.number == number:
            self._making = None
            self._change(text="Removed.", is_running=False, is_live=False)
        self.album.remove(number)
        self._change(history=self.view.history + 1)

    def _forget(self) -> None:
        self._making = None
        self.album.clear()
        self.options, self.mask = {}, None
        view = self.view
        self.view = View(view.version + 1, history=view.history + 1, form=view.form + 1)

    def _change(self, **values: Any) -> None:
        with self._lock:
            self.view = replace(self.view, version=self.view.version + 1, **values)

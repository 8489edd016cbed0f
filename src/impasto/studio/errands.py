"""What takes its time, one after the other: prints, many photographs, films; and contact sheets."""

from __future__ import annotations

import shutil
import zipfile
from collections.abc import Callable, Generator, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from impasto.errors import PictureError, RecipeError
from impasto.files.atomic import atomic_write
from impasto.files.pictures.images import read_picture, write_result
from impasto.files.records.write import record_path
from impasto.jobs.painted import LAID, NEEDED, paint_photograph
from impasto.jobs.still import Job
from impasto.jobs.stylizer import Stylizer
from impasto.recipe.film import FilmRecipe
from impasto.recipe.paint import PaintRecipe
from impasto.recipe.still import Recipe, options_not_for
from impasto.studio.album import Album, Entry, Sources
from impasto.studio.painter import LATER, LIVE
from impasto.studio.view import Pixels, small

WARM = 256  # pixels of the side of what is painted beforehand
SHEET_SIDE = 320  # pixels of the longer side of a picture on a contact sheet
MOST_ON_SHEET = 24
Parts = Callable[["Errand"], Iterator[None]]


class Errand:
    """Something that takes its time.

    Args:
        title: what it makes.
        parts: does the next part of it at each step; writes :attr:`text`, :attr:`files` and
            :attr:`sheet`.
        urgency: LATER, or LIVE for what somebody looks at meanwhile.

    Attributes:
        text: how far it is.
        files: what there is to download.
        sheet: pictures of a contact sheet, with their captions.
        is_over: done, failed or cancelled.

    """

    def __init__(self, title: str, parts: Parts, urgency: int = LATER) -> None:
        self.title, self.urgency = title, urgency
        self.text = "waiting"
        self.files: tuple[Path, ...] = ()
        self.sheet: tuple[tuple[Pixels, str], ...] = ()
        self.is_over = self._is_cancelled = False
        self._parts = parts(self)

    def cancel(self) -> None:
        """End with the part that is being done."""
        self._is_cancelled = True

    def advance(self) -> bool:
        """The next part; False once all is done, or it was cancelled."""
        if self._is_cancelled:
            self._over("cancelled")
            return False
        try:
            next(self._parts)
        except StopIteration:
            self._over("done")
        return not self.is_over

    def fail(self, sentence: str) -> None:
        """It has ended, and why."""
        self._over(sentence)

    def _over(self, text: str) -> None:
        self.text, self.is_over = text, True
        if isinstance(self._parts, Generator):
            self._parts.close()  # what it has claimed is let go


def delivered(album: Album, entry: Entry, suffix: str) -> Errand:
    """A picture of the history as it is, in some format, with its record and its masks."""

    def parts(errand: Errand) -> Iterator[None]:
        record, tensor, _ = album.standing(entry)
        path = new_file(album, f"{stem_of(entry)}.{suffix}")
        source = album.picture_of(entry)
        if suffix == "png":
            _copied(source, path)
        else:
            alpha = read_picture(source).alpha
            write_result(tensor, path, alpha=alpha, depth=record.latest.depth)
        _copied(record_path(source), record_path(path))
        masks = [_copied(album.path(m), path.with_name(Path(m).name)) for m in entry.masks]
        errand.files = (path, record_path(path), *masks)
        yield

    return Errand(f"{stem_of(entry)}.{suffix}", parts)


def printed(
    album: Album, entry: Entry, recipe: Recipe, stylizer: Stylizer, size: str, suffix: str
) -> Errand:
    """A picture of the history at another size: made from its start by its last options.

    Args:
        album: has the pictures.
        entry: which picture.
        recipe: its options, at that size.
        stylizer: has the network.
        size: in words.
        suffix: of the file.

    """

    def parts(errand: Errand) -> Iterator[None]:
        sources = entry.sources
        paintings = [album.path(each) for each in sources.paintings]
        path = new_file(album, f"{stem_of(entry)}.{suffix}")
        job = stylizer.start(recipe, album.path(sources.photo), paintings)
        yield from _made(errand, job, "")
        job.result().save(path)
        masks = [recipe.protect] if recipe.protect else []
        kept = [_copied(Path(each), path.with_name(Path(each).name)) for each in masks]
        errand.files = (path, record_path(path), *kept)

    return Errand(f"{stem_of(entry)}.{suffix}, {size}", parts)


def many(
    album: Album, photographs: Sequence[tuple[Path, str]], paintings: Sequence[Path],
    recipe: Recipe, stylizer: Stylizer,
) -> Errand:  # fmt: skip
    """Photographs in one look, in a zip with their records; one that cannot be read is left out.

    Args:
        album: takes the zip.
        photographs: files, and what they were called.
        paintings: one or more.
        recipe: of each.
        stylizer: has the network.

    """

    def parts(errand: Errand) -> Iterator[None]:
        path = new_file(album, "photographs.zip")
        errors = []
        with atomic_write(path) as temporary, zipfile.ZipFile(temporary, "w") as archive:
            for number, (file, name) in enumerate(photographs, 1):
                place = f"{number} of {len(photographs)}: "
                try:
                    job = stylizer.start(recipe, file, list(paintings))
                    yield from _made(errand, job, place)
                    one = new_file(album, f"{Path(name).stem}.png")
                    job.result().save(one)
                except PictureError as error:
                    errors.append(str(error))
                    continue
                archive.write(one, f"{number:03}-{one.name}")
                shutil.rmtree(one.parent)
            if len(errors) == len(photographs):
                raise PictureError(errors[0])
            if errors:
                archive.writestr("left out.txt", "\n".join(errors) + "\n")
        errand.files = (path,)

    return Errand(f"{len(photographs)} photographs", parts)


def film(album: Album, clip: Path, paintings: Sequence[Path], recipe: Recipe) -> Errand:
    """A film, with a preview that plays while it is made.

    Args:
        album: takes the film.
        clip: the source.
        paintings: one or more.
        recipe: of each frame.

    """

    def parts(errand: Errand) -> Iterator[None]:
        from impasto.jobs.film import Target, start_film

        path = new_file(album, f"{clip.stem}.mp4")
        target = Target(path, preview=True)
        job = start_film(Stylizer.of(recipe), FilmRecipe(), clip, list(paintings), target)
        preview = path.with_name(f"{path.stem}.preview.mp4")
        for state in job:
            errand.text = f"frame {state.index + 1} of {state.frames}, {state.progress:.0%}"
            errand.files = (preview,) if preview.is_file() else ()
            yield
        errand.files = (path, path.with_suffix(".json"))

    return Errand(clip.name, parts)


def sheet(
    photograph: Path, cells: Sequence[tuple[str, Sequence[Path], Recipe]], stylizer: Stylizer
) -> Errand:
    """A contact sheet: one photograph by several paintings or options, each at once.

    Args:
        photograph: the file.
        cells: of each picture its caption, its paintings and its recipe.
        stylizer: has the network.

    """
    if len(cells) > MOST_ON_SHEET:
        raise RecipeError(f"A contact sheet has room for {MOST_ON_SHEET} pictures: take fewer.")

    def parts(errand: Errand) -> Iterator[None]:
        for number, (caption, paintings, recipe) in enumerate(cells, 1):
            job = stylizer.start(recipe, photograph, list(paintings))
            yield from _made(errand, job, f"{number} of {len(cells)}: ")
            picture = small(job.result().tensor, SHEET_SIDE)
            errand.sheet = (*errand.sheet, (picture, caption))

    return Errand("contact sheet", parts, LIVE)


def painted(album: Album, sources: Sources, recipe: PaintRecipe, *, by_painting: bool) -> Errand:
    """A photograph painted without a network, with its record.

    Args:
        album: has the pictures, and takes the result.
        sources: the photograph, and maybe a painting.
        recipe: how.
        by_painting: let strokes take the painting's colours; the others need it or take none.

    Raises:
        RecipeError: the manner needs a painting, and there is none.

    """
    needs = recipe.method in NEEDED
    taken = sources.paintings[:1] if needs or (by_painting and recipe.method in LAID) else ()
    if needs and not taken:
        raise RecipeError(f"{NEEDED[recipe.method]}: drop one.")

    def parts(errand: Errand) -> Iterator[None]:
        errand.text = "painting"
        yield
        names = [album.path(each) for each in (sources.photo, *taken)]
        result = paint_photograph(recipe, *names).result
        path = new_file(album, f"{Path(sources.photo).stem}.{recipe.manner}.png")
        result.save(path)
        errand.files = (path, record_path(path))
        errand.sheet = ((small(result.tensor, max(result.tensor.shape[-2:])), recipe.manner),)

    return Errand(recipe.manner, parts, LIVE)


def warm_up(stylizer: Stylizer) -> Errand:
    """What is slower the first time, done before anybody waits for it."""

    def parts(errand: Errand) -> Iterator[None]:
        noise = np.random.default_rng(0).random((WARM, WARM, 3))
        job = stylizer.job(noise, noise, size=WARM, steps=1)
        yield from _made(errand, job, "")

    return Errand("", parts, LIVE)


def instant_recipe(recipe: Recipe) -> Recipe:
    """The same at once: without what only the optimiser knows."""
    unknown = {*options_not_for("instant"), "steps", "scales", "quality", "method"}
    return Recipe(**{n: v for n, v in recipe.given.items() if n not in unknown}, quality="instant")


def film_recipe(recipe: Recipe, *, at_once: bool) -> Recipe:
    """The same for a film's frames: what a film does not know is left out."""
    chosen = instant_recipe(recipe) if at_once else recipe
    unknown = {*options_not_for("film"), "method"}
    return Recipe(**{name: v for name, v in chosen.given.items() if name not in unknown})


def sized(recipe: Recipe, size: str) -> Recipe:
    """A recipe at a size as the page names it: pixels, or a paper.

    Raises:
        RecipeError: it is none.

    """
    own: dict[str, Any] = {"size": int(size)} if size.isdigit() else {"print": size, "size": "full"}
    plain = {name: value for name, value in recipe.given.items() if name != "size"}
    return Recipe(**{**plain, **{n: v for n, v in own.items() if v != "full"}})


def stem_of(entry: Entry) -> str:
    """``photo+painting``, as the command line names results."""
    names = (entry.sources.photo, *entry.sources.paintings)
    return "+".join(Path(each).stem for each in names)[:120]


def new_file(album: Album, name: str) -> Path:
    """A file of a name in a new folder of the album's."""
    folder = album.folder / "out"
    folder.mkdir(parents=True, exist_ok=True)
    number = 1 + max(
        (int(each.name) for each in folder.iterdir() if each.name.isdigit()), default=0
    )
    (folder / str(number)).mkdir()
    return folder / str(number) / name


def _made(errand: Errand, job: Job, place: str) -> Iterator[None]:
    for _ in job.sketch():
        errand.text = f"{place}beginning"
        yield
    for state in job:
        errand.text = f"{place}{state.progress:.0%}"
        yield


def _copied(source: Path, target: Path) -> Path:
    with atomic_write(target) as temporary:
        shutil.copyfile(source, temporary)
    return target

"""Making a film again from its record, and comparing its frames with those of the record.

Frames are compared as they were before any encoder, by hashes of their levels.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import chain
from pathlib import Path
from typing import Any

from impasto.engine.planning.plan import Plan
from impasto.errors import RecordError
from impasto.files.atomic import claimed
from impasto.files.films.codecs import CODECS
from impasto.files.films.reader import Clip, open_clip
from impasto.files.pictures.finding import file_sha256
from impasto.files.pictures.images import Picture, read_picture
from impasto.files.records.films import FilmRecord, film_versions, read_film_record
from impasto.files.records.write import changed_versions
from impasto.jobs.film import FilmJob, Target, check_target, film_size
from impasto.jobs.film_maps import FilmMaps
from impasto.jobs.reproduce import (
    changed_plan,
    changed_weights,
    check_objects,
    check_pixels,
    find_inputs,
    plan_here,
    recipe_here,
)
from impasto.jobs.running import carry_out
from impasto.jobs.still import StrPath
from impasto.jobs.stylizer import Stylizer
from impasto.recipe.still import Recipe


@dataclass(frozen=True)
class FilmReproduction:
    """A film made again.

    Attributes:
        path: where it lies.
        different: numbers of the frames, from 0 on, that are not those of the record, of which one
            film may have more; None where the record has no hashes.
        changes: what is not as it was, one sentence each.

    """

    path: Path
    different: tuple[int, ...] | None
    changes: tuple[str, ...]

    @property
    def identical(self) -> bool | None:
        """Whether all frames are those of the record; None where that is not known."""
        return None if self.different is None else not self.different


class FilmRerun:
    """A film's record about to be carried out.

    Args:
        path: the film, the folder of its frames, or the ``.json``.
        output: where to; beside it when not given.
        content: the source film, in place of the record's name; likewise ``style`` (all of them),
            ``init``, ``protect``, ``regions``, ``style_regions`` (all of them) and ``weights``.
        max_pixels: largest picture that is read or made, whatever the record allows.
        overwrite: what lies at ``output`` may be replaced.

    Raises:
        RecordError: a file is not to be found, or the record is of a run with objects of the
            caller's own.
        ImpastoError: a file cannot be read, or the film not be written.

    """

    def __init__(
        self,
        path: Path,
        output: Path | None = None,
        *,
        content: StrPath | None = None,
        style: Sequence[StrPath] = (),
        init: StrPath | None = None,
        protect: Sequence[StrPath] = (),
        regions: StrPath | None = None,
        style_regions: Sequence[StrPath] = (),
        weights: StrPath | None = None,
        max_pixels: int = Recipe.max_pixels,
        overwrite: bool = False,
    ) -> None:
        self.record = record = read_film_record(path)
        self._original = _original(path, record)
        self.path = output or self._original.with_name(_again(self._original))
        read = (path, self._original)
        check_target(Target(self.path, overwrite), read)
        check_objects(record)
        check_pixels(record, max_pixels)
        folders = (self._original.parent, path.parent, Path())
        self._max_pixels = max_pixels
        clip = self._clip(None if content is None else Path(content), folders)
        check_target(Target(self.path, overwrite), (*read, clip.path, *style, init, weights))
        styles = self._pictures("styles", [Path(each) for each in style], folders)
        first = self._pictures("init", [] if init is None else [Path(init)], folders)
        # The starting picture was read above: the recipe keeps its name, as the record has it.
        recipe = recipe_here(record, folders, weights, None)
        given = {
            "protect": [Path(each) for each in protect],
            "regions": [] if regions is None else [Path(regions)],
            "style_regions": [Path(each) for each in style_regions],
        }
        found = {role: self._beside(role, paths, folders) for role, paths in given.items()}
        recipe = replace(
            recipe,
            protect=str(found["protect"][0]) if found["protect"] else recipe.protect,
            regions=recipe.regions and str(found["regions"][0]),
            style_regions=recipe.style_regions and tuple(map(str, found["style_regions"])),
        )
        maps = FilmMaps(recipe, record.film, clip, styles)
        stylizer = Stylizer.of(recipe)
        self.job = FilmJob(
            clip,
            styles,
            # An earlier attempt that was stopped is resumed.
            Target(self.path, overwrite, resume=not overwrite),
            recipe,
            record.film,
            stylizer,
            init=first[0] if first else None,
            plan=_fitting(plan_here(record.plan), recipe, clip),
            maps=maps,
        )
        self.changes = (
            *self._changed_result(),
            *self._changed_inputs(clip, {"styles": styles, "init": first, **maps.by_role}),
            *changed_weights(record.network, self.job.network),
            *changed_plan(record.plan, self.job.plan),
            *changed_versions(record.versions, film_versions()),
        )

    def finish(self) -> FilmReproduction:
        """The film as the job has written it, compared with the record."""
        known = [each.sha256 for each in self.record.frames]
        made = self.job.hashes
        different: tuple[int, ...] | None = None
        if None not in known:
            most = max(len(known), len(made))
            pairs = zip(_filled(known, most), _filled(made, most), strict=True)
            different = tuple(number for number, (one, other) in enumerate(pairs) if one != other)
        return FilmReproduction(self.path, different, self.changes)

    def _clip(self, given: Path | None, folders: Sequence[Path]) -> Clip:
        known, film = self.record.inputs["clip"][0], self.record.film
        here = [folder / known.name for folder in folders if (folder / known.name).exists()]
        if given is None and not here:
            raise RecordError(
                f"The film {known.name!r} lies neither beside the record nor here: name it with "
                "--content."
            )
        fps = None if film.fps is None else Fraction(film.fps).limit_denominator(1001)
        clips = [
            open_clip(each, film.part, fps=fps, max_pixels=self._max_pixels)
            for each in ([given] if given else here)
        ]
        return next((each for each in clips if each.sha256 == known.sha256), clips[0])

    def _pictures(self, role: str, given: list[Path], folders: Sequence[Path]) -> list[Picture]:
        paths = find_inputs(self.record, role, given, folders)
        return [read_picture(each, max_pixels=self._max_pixels) for each in paths]

    def _changed_result(self) -> list[str]:
        known, path = self.record.result.sha256, self._original
        if known is None or not path.is_file() or file_sha256(path) == known:
            return []
        return [f"The film {path.name!r} has been changed since it was made."]

    def _beside(self, role: str, given: list[Path], folders: Sequence[Path]) -> list[Path]:
        """Masks or maps, of which a film or folder cannot be told by the hash of a file."""
        known = self.record.inputs[role]
        if given and len(given) == len(known):
            return given
        beside = [[f / each.name for f in folders if (f / each.name).exists()] for each in known]
        if given or not all(beside):
            return find_inputs(self.record, role, given, folders)
        return [paths[0] for paths in beside]

    def _changed_inputs(
        self, clip: Clip, pictures: Mapping[str, Sequence[Picture]]
    ) -> Iterator[str]:
        inputs = self.record.inputs
        if clip.sha256 != inputs["clip"][0].sha256:
            yield f"The film {clip.name!r} is not the one of the record: it has changed."
        pairs = [zip(own, inputs[role], strict=True) for role, own in pictures.items()]
        for picture, recorded in chain.from_iterable(pairs):
            if picture.sha256 != recorded.sha256:
                yield f"The picture {picture.name!r} is not the one of the record: it has changed."


def reproduce_film(
    path: StrPath, output: StrPath | None = None, **options: Any
) -> FilmReproduction:
    """Make a film again from its record, and compare the two frame by frame.

    Args:
        path: the film, the folder of its frames, or the ``.json``.
        output: where to; ``NAME.again`` with the same suffix, beside it, when not given.
        options: ``content`` (the source film), ``style`` (a list), ``init``, ``weights``,
            ``max_pixels`` and ``overwrite`` as of :class:`FilmRerun`.

    Raises:
        ImpastoError: with one sentence that says what to do.

    """
    rerun = FilmRerun(Path(path), None if output is None else Path(output), **options)
    with claimed(rerun.path):
        carry_out(rerun.job)
    return rerun.finish()


def _original(path: Path, record: FilmRecord) -> Path:
    """The film or folder of a record, whether it is there or not."""
    if path.is_dir() or path.suffix.lower() != ".json":
        return path
    name = record.result.name
    if name is None:
        codec = CODECS.get(record.film.codec or "")
        return path.with_suffix(codec.suffix if codec else ".mp4")
    return path.parent if path.name == "film.json" and "." not in name else path.with_name(name)


def _again(original: Path) -> str:
    if original.is_dir() or not original.suffix:
        return f"{original.absolute().name}-again".replace(".", "-")
    return f"{original.stem}.again{original.suffix}"


def _fitting(plan: Plan | None, recipe: Recipe, clip: Clip) -> Plan | None:
    """None for the plan of a film of another size."""
    if plan is None:
        return None
    last = plan.stages[-1]
    return plan if (last.height, last.width) == film_size(recipe, clip) else None


def _filled(hashes: Sequence[str | None], count: int) -> list[str | None]:
    return [*hashes, *[None] * (count - len(hashes))]

"""``impasto video``: a film in, a film out; what is done is kept whatever happens."""

from __future__ import annotations

import sys
from contextlib import AbstractContextManager, ExitStack, nullcontext
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from impasto.cli.flags import AsJson, Debug, Overwrite, Quiet
from impasto.cli.memory import keep_freed_memory
from impasto.cli.options import with_recipe_options
from impasto.errors import FilmError, OutputError, RecipeError, ShortageError
from impasto.recipe.film import FilmRecipe
from impasto.recipe.still import Recipe, options_not_for

if TYPE_CHECKING:
    from impasto.jobs.film import FilmJob


@partial(with_recipe_options, leave_out=options_not_for("film"), also=FilmRecipe)
def video(
    clip: Annotated[Path, Parameter(help="The film, or a folder of frames.")],
    *style: Annotated[Path, Parameter(help="One or more paintings.")],
    output: Annotated[
        str | None,
        Parameter(
            name=["--output", "-o"],
            help="Where to write: .mp4, .mov, .mkv, .webm, a folder for that, or a new name for a "
            "folder of frames; by default clip+painting.mp4.",
        ),
    ] = None,
    overwrite: Overwrite = False,
    resume: Annotated[
        bool, Parameter(help="Go on with what an earlier run has left.", negative="")
    ] = False,
    preview: Annotated[
        bool,
        Parameter(help="Keep a playable film of what is done, NAME.preview.mp4.", negative=""),
    ] = False,
    save_flow: Annotated[
        Path | None, Parameter(help="A folder for optical flow and masks, as pictures.")
    ] = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
    debug: Debug = False,
    film: FilmRecipe,
    recipe: Recipe,
) -> int:
    """Paint a film: it moves as the source does, does not flicker, and keeps its sound."""
    del debug
    from impasto.cli.making import say
    from impasto.cli.naming import default_output
    from impasto.cli.results import tell_results
    from impasto.cli.stopping import ends_at_once, status_of
    from impasto.files.atomic import claimed
    from impasto.files.outputs import named_in
    from impasto.jobs.film import Target, check_target, start_film
    from impasto.jobs.stylizer import Stylizer

    if not style:
        raise RecipeError("A painting is needed too: impasto video clip.mp4 painting.jpg.")
    read = (clip, *style, *named_in(vars(recipe)))
    default = default_output(clip, style, recipe.seed or None).with_suffix(_suffix(film.codec))
    with ExitStack() as stack:
        path = stack.enter_context(_destination(clip, output, default))
        target = Target(path, overwrite, resume, preview, save_flow)
        check_target(target, read)
        stack.enter_context(claimed(path))
        job = start_film(Stylizer.of(recipe), film, clip, list(style), target)
        say(job.notes, quiet=quiet)
        try:
            _work(job, quiet=quiet)
        except KeyboardInterrupt as error:
            if ends_at_once(error):
                raise
            if not job.is_finished:
                print(f"impasto: stopped; {_so_far(job)}; --resume goes on.", file=sys.stderr)
                return status_of(error)
            job.clear()
        except FilmError as error:
            raise FilmError(f"{str(error).rstrip('.')}; {_so_far(job)}.") from error
        except (OutputError, ShortageError) as error:
            again = "; --resume goes on" if job.done else ""
            raise type(error)(f"{str(error).rstrip('.')}; {_frames(job)}{again}.") from error
    say(job.troubles, quiet=quiet)
    tell_results([path], quiet=quiet, as_json=as_json)
    return 0


def _destination(clip: Path, output: str | None, default: Path) -> AbstractContextManager[Path]:
    """The film; or the folder for frames, where frames come from one or such a folder is meant."""
    from impasto.cli.destination import destination
    from impasto.files.pictures.finding import is_many
    from impasto.jobs.film import Target

    is_given = output is not None and (is_many(clip) or Target(Path(output)).has_frames)
    return nullcontext(Path(str(output))) if is_given else destination(output, default)


def _work(job: FilmJob, *, quiet: bool) -> None:
    from impasto.cli.film_progress import film_display
    from impasto.jobs.running import carry_out

    keep_freed_memory(job.plan)
    with film_display(quiet=quiet) as show:
        carry_out(job, show)


def _so_far(job: FilmJob) -> str:
    """What there is of a film that was not finished, which is written here."""
    try:
        done = job.save_so_far()
    except (OutputError, ShortageError):
        return _frames(job)
    if not done:
        return _frames(job)
    return f"the film so far ({done} of about {job.clip.frames} frames) is in {job.target.path}"


def _frames(job: FilmJob) -> str:
    if not job.done:
        return "no frame is finished yet"
    return f"the finished frames ({job.done}) are in {job.target.frames_path}"


def _suffix(codec: Any) -> str:
    from impasto.files.films.codecs import CODECS

    return CODECS[codec].suffix if codec in CODECS else ".mp4"

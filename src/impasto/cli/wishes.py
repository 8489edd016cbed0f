"""How results are made, named and told of: what the commands for stills have in common."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from impasto.cli.destination import names_folder
from impasto.cli.keeping import Keeping
from impasto.cli.naming import PIPE, name_by, stem_of
from impasto.errors import RecipeError
from impasto.files.outputs import is_folder

Telling = Literal["name", "json", "nothing"]


@dataclass(frozen=True)
class Many:
    """In how many ways a picture is made.

    Attributes:
        each: once for each painting, instead of once with all of them.
        seeds: once for each; empty for the recipe's alone.
        name: template of the results' names; None for the usual ones.

    """

    each: bool = False
    seeds: tuple[int, ...] = ()
    name: str | None = None

    @property
    def is_asked_for(self) -> bool:
        """Whether one photograph becomes several results."""
        return self.each or bool(self.seeds)


@dataclass(frozen=True)
class Wishes:
    """How results are made, named and told of.

    Attributes:
        overwrite: what is there may be replaced.
        keeping: checkpoints.
        many: paintings one by one, seeds, names.
        kind: the results' format, where ``--output`` names none.
        preview: steps between two previews, if any.
        quiet: say nothing but errors.
        as_json: tell of each result in a line of JSON.

    """

    overwrite: bool
    keeping: Keeping
    many: Many = Many()
    kind: str = "png"
    preview: int | None = None
    quiet: bool = False
    as_json: bool = False

    def tells(self, output: str | None) -> Telling:
        """What is printed of a result on standard output.

        Raises:
            RecipeError: a picture and JSON cannot both be written there.

        """
        if output == str(PIPE):
            if self.as_json:
                raise RecipeError(
                    "--json and --output - both write to standard output: leave one out."
                )
            return "nothing"
        return "json" if self.as_json else "name"

    @property
    def suffix(self) -> str:
        """Of the results, where ``--output`` names none."""
        return f".{self.kind.lower().lstrip('.')}"

    def usual_name(
        self, usual: Path, photo: str, styles: Sequence[Path], seed: int, output: str | None
    ) -> Path:
        """Where one result goes if ``--output`` names no file.

        Args:
            usual: by its usual name.
            photo: name of the photograph, without its suffix.
            styles: the paintings.
            seed: of the run.
            output: as it was given.

        Raises:
            RecipeError: the template cannot be filled in, or ``--output`` names a file as well.

        """
        if self.many.name is None:
            return usual.with_suffix(self.suffix)
        if output is not None and not (names_folder(output) or is_folder(output)):
            raise RecipeError("--name is for results in a folder: leave it out, or the file's.")
        painting = "+".join(map(stem_of, styles))
        words = name_by(self.many.name, photo=photo, painting=painting, seed=seed, number=1)
        return Path(f"{words}{self.suffix}")

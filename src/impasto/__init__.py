"""impasto: a photograph's content, a painting's style, one picture.

>>> import impasto
>>> result = impasto.stylize("photo.jpg", "painting.jpg", strength=0.9)  # doctest: +SKIP
>>> result.save("picture.png")  # doctest: +SKIP

Importing the package imports no torch; the first call does.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from impasto import forks as _forks  # noqa: F401  watches for forks from here on

if TYPE_CHECKING:
    from impasto.api import Stylizer, stylize, stylize_iter, texture
    from impasto.errors import (
        FilmError,
        ImpastoError,
        OutputError,
        PictureError,
        RatingError,
        RecipeError,
        RecordError,
        ShortageError,
        WeightsError,
    )
    from impasto.evaluate.panel import measure
    from impasto.jobs.film import film_job, stylize_video
    from impasto.jobs.reproduce import reproduce
    from impasto.jobs.reproduce_film import reproduce_film
    from impasto.jobs.still import Job, Result
    from impasto.recipe.film import FilmRecipe
    from impasto.recipe.still import Recipe

__version__ = "0.1.0"

_HOMES = {
    "Job": "job",
    "Result": "job",
    "Stylizer": "api",
    "stylize": "api",
    "stylize_iter": "api",
    "texture": "api",
    "measure": "panel",
    "reproduce": "reproduction",
    "reproduce_film": "film_reproduction",
    "stylize_video": "films",
    "film_job": "films",
    "FilmRecipe": "film_recipe",
    "Recipe": "config",
    "FilmError": "errors",
    "ImpastoError": "errors",
    "OutputError": "errors",
    "PictureError": "errors",
    "RatingError": "errors",
    "RecipeError": "errors",
    "RecordError": "errors",
    "ShortageError": "errors",
    "WeightsError": "errors",
}

__all__ = [
    "FilmError",
    "FilmRecipe",
    "ImpastoError",
    "Job",
    "OutputError",
    "PictureError",
    "RatingError",
    "Recipe",
    "RecipeError",
    "RecordError",
    "Result",
    "ShortageError",
    "Stylizer",
    "WeightsError",
    "film_job",
    "measure",
    "reproduce",
    "reproduce_film",
    "stylize",
    "stylize_iter",
    "stylize_video",
    "texture",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'impasto' has no attribute {name!r}")
    return getattr(import_module(f"impasto.{_HOMES[name]}"), name)

"""The public names, and where each of them lives."""

from .api import stylize, stylize_iter, texture
from .errors import (
    FilmError,
    ImpastoError,
    OutputError,
    PictureError,
    RatingError,
    RecipeError,
    RecordError,
    ShortageError,
    StoppedError,
    WeightsError,
)
from .evaluate.panel import measure
from .jobs.film import film_job, stylize_video
from .jobs.reproduce import reproduce
from .jobs.reproduce_film import reproduce_film
from .jobs.still import Job, Result
from .jobs.stylizer import Stylizer
from .recipe.film import FilmRecipe
from .recipe.still import Recipe

__version__: str

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
    "StoppedError",
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

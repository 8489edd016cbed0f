"""The mask that a recipe names: a picture file, or the faces that are found."""

from __future__ import annotations

from impasto.files.pictures.faces import mask_of_faces
from impasto.files.pictures.fitting import cropped_for
from impasto.files.pictures.images import Picture, PictureLike, read_picture
from impasto.recipe.still import FACES, Recipe


def mask_of(
    recipe: Recipe, photograph: Picture, given: PictureLike | None = None
) -> Picture | None:
    """A recipe's mask, in the proportion that is asked for; None where it names none.

    Args:
        recipe: names it.
        photograph: in that proportion.
        given: the mask, where it is no file's path.

    Raises:
        PictureError: it cannot be read.
        RecipeError: faces need a package that is not installed.

    """
    source = recipe.protect if given is None else given
    if source is None:
        return None
    if given is None and source == FACES:
        return mask_of_faces(photograph)
    return cropped_for(recipe, read_picture(source, max_pixels=recipe.max_pixels))

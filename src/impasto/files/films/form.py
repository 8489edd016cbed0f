"""The format of a film: chosen and tested before its first frame is made."""

from __future__ import annotations

import os
from pathlib import Path

import torch

from impasto.errors import ImpastoError, OutputError
from impasto.files.films.codecs import check_container, check_size, codec_for, with_alpha
from impasto.files.films.reader import Clip
from impasto.files.films.sound_choice import choose_tracks
from impasto.files.films.writer import Finished, Form, film_writer


def choose_form(
    path: Path, codec: str | None, clip: Clip, size: tuple[int, int], *, deep: bool
) -> tuple[Form, tuple[str, ...]]:
    """How a film is written, and sentences on what it cannot keep of the clip.

    Args:
        path: the film.
        codec: its name; None for the suffix's default.
        clip: the source.
        size: height and width of the film.
        deep: use more than 8 bits a channel.

    Raises:
        FilmError: no such encoder exists.
        OutputError: the container is unknown or does not accept the codec, or the encoder does
            not work here.

    """
    chosen = codec_for(codec, path, alpha=clip.has_alpha)
    kind = check_container(path, chosen).name
    check_size(chosen, size)
    clear = with_alpha(chosen, kind) if clip.has_alpha else None
    tracks, notes = choose_tracks(clip, kind)
    form = Form(kind, clear or chosen, tracks, deep, clear is not None)
    _try(form, clip, size)
    if clip.has_alpha and clear is None:
        notes = (*notes, _opaque(path, chosen.encoder))
    return form, notes


def _opaque(path: Path, encoder: str) -> str:
    return (
        f"{encoder} in {path.suffix} cannot hold transparency: the film is opaque; end --output in "
        ".mov or .webm without --codec, or give it a folder, to keep it."
    )


def _try(form: Form, clip: Clip, size: tuple[int, int]) -> None:
    """Encode two grey frames and the sound without writing a file."""
    grey = torch.full((1, 3, *size), 0.5)
    alpha = grey[:, :1] if form.has_alpha else None
    step = max(1, round(1 / (clip.rate * clip.time_base)))
    try:
        with film_writer(Path(os.devnull), form, clip, size, is_whole=False) as writer:
            writer.write(Finished(grey, 0, alpha, step))
            writer.write(Finished(grey, step, alpha, step))
    except ImpastoError:
        raise
    except (ValueError, NotImplementedError) as error:
        raise OutputError(
            f"{form.codec.encoder!r} does not work here ({error}): choose another --codec."
        ) from error

"""What happens when somebody touches the page: each act is given the desk and what was touched."""

from __future__ import annotations

import html
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import gradio as gr

from impasto.errors import ImpastoError, PictureError
from impasto.studio.desk import Desk
from impasto.studio.view import small


def dropped(desk: Desk, path: str | None, role: str) -> None:
    """Take a photograph or painting; the place is then free for another, whatever came of it."""
    try:
        if path is not None:
            desk.sitting.drop(Path(path), Path(path).name, role)
    except ImpastoError as error:
        warn(error)


def added(desk: Desk, path: str) -> None:
    """Take another painting."""
    desk.another(Path(path), Path(path).name)


def brushed(desk: Desk, value: dict[str, Any] | None) -> None:
    """Protect what was painted over."""
    layers = (value or {}).get("layers") or [None]
    desk.brush(layers[0])


def cleared(desk: Desk) -> None:
    """Protect nothing."""
    desk.brush(None)
    desk.sitting.show_form()


def chosen(desk: Desk, event: gr.SelectData) -> list[Any]:
    """A version of the history: its number, what is said of it, and what can be done with it."""
    number = int(event.value["caption"].partition(":")[0])  # places move when there is a new one
    entry = desk.album.entry(number)
    if entry is None:
        raise PictureError("That picture is no longer there: choose another.")
    on = gr.update(interactive=True)
    return [
        entry.number,
        f"**{entry.number}**: {entry.label}",
        on,
        on,
        on,
        gr.update(visible=False),
    ]


def forgotten(desk: Desk) -> Any:
    """Remove everything; nobody need be sure again."""
    desk.sitting.forget()
    return gr.update(visible=False)


def compared(desk: Desk, number: int) -> Any:
    """A version beside the one that is shown."""
    entry, shown = desk.album.entry(number), desk.sitting.view.picture
    if entry is None or shown is None:
        return gr.update(visible=False)
    _, picture, _ = desk.album.standing(entry)
    return gr.update(value=(small(picture), shown), visible=True)


def sheeted(desk: Desk, paths: Sequence[str] | None) -> None:
    """A contact sheet by paintings."""
    desk.make_sheet(_named(paths))


def ordered_many(desk: Desk, paths: Sequence[str] | None) -> None:
    """Photographs in the look of the picture that is shown."""
    desk.order_many(_named(paths), 0)


def ordered_film(desk: Desk, path: str, at_once: bool) -> None:
    """A film in the look of the picture that is shown."""
    desk.order_film(Path(path), Path(path).name, 0, at_once=at_once)


def painted(desk: Desk, manner: str, size: float | None, by_painting: bool) -> None:
    """Paint the photograph without a network."""
    desk.paint(manner, size or 0, by_painting=by_painting)


def warn(error: ImpastoError) -> None:
    """Show a sentence for a while."""
    gr.Warning(html.escape(str(error), quote=False), title="")


def _named(paths: Sequence[str] | None) -> list[tuple[Path, str]]:
    return [(Path(each), Path(each).name) for each in paths or ()]

"""What a page shows of a desk, part by part; each part is sent again when it has changed."""

from __future__ import annotations

import asyncio
import html
import time
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gradio as gr
import numpy as np
import pandas as pd

from impasto.studio.desk import AS_SHOWN, SHARES, Desk
from impasto.studio.form import Control, values_of
from impasto.studio.view import Losses

LOOK = 0.03  # seconds between two looks at whether anything has changed
NOTHING = np.full((3, 4, 3), 244, np.uint8)  # in place of a picture
HEARTBEAT = 5.0  # seconds after which a page that is closed is noticed
LIVE = 0.4  # seconds between two steps that are shown: each costs the page time


@dataclass(frozen=True)
class Panel:
    """A part of a page.

    Attributes:
        outputs: its components.
        key: of a desk: changes with what the part shows.
        make: of a desk: a value for each component.

    """

    outputs: Sequence[Any]
    key: Callable[[Desk], Any]
    make: Callable[[Desk], Sequence[Any]]


async def told(panels: Sequence[Panel], desk_of: Callable[[], Desk]) -> AsyncIterator[Any]:
    """What parts of a page show, and then again whatever of it has changed.

    Args:
        panels: they share a connection, and none of their components.
        desk_of: finds the desk, which may be another object after a while.

    """
    seen: list[Any] = [object() for _ in panels]
    shown = 0.0
    while True:
        desk, since = desk_of(), time.monotonic() - shown
        keys = [panel.key(desk) for panel in panels]
        is_early = desk.sitting.view.is_live and since < LIVE
        if (keys != seen and not is_early) or since > HEARTBEAT:
            values = await asyncio.to_thread(_values, panels, desk, keys, seen)
            seen, shown = keys, time.monotonic()
            yield values if len(values) > 1 else values[0]
        await asyncio.sleep(LOOK)


def _values(panels: Sequence[Panel], desk: Desk, keys: list[Any], seen: list[Any]) -> list[Any]:
    """A value for each component of the panels; of one that shows the same as before, none."""
    return [
        value
        for panel, key, before in zip(panels, keys, seen, strict=True)
        for value in (panel.make(desk) if key != before else [gr.skip()] * len(panel.outputs))
    ]


def status(text: str) -> str:
    """A sentence that a screen reader reads out when it changes."""
    return f'<p role="status" aria-live="polite">{html.escape(text)}</p>'


def picture(desk: Desk) -> tuple[Any, str]:
    """The picture as it stands, and how far it is."""
    view = desk.sitting.view
    return NOTHING if view.picture is None else view.picture, status(view.text)


def buttons_key(desk: Desk) -> tuple[bool, int]:
    """Changes with what can be done about the picture."""
    shown = desk.album.shown
    return desk.sitting.view.is_running, 0 if shown is None else shown.number


def buttons(desk: Desk) -> tuple[Any, ...]:
    """Which of stop, go on, keep and undo can be pressed."""
    shown, is_running = desk.album.shown, desk.sitting.view.is_running
    can_go_on = shown is not None and not is_running
    can_undo = shown is not None and bool(shown.parent)
    return tuple(gr.update(interactive=i) for i in (is_running, can_go_on, is_running, can_undo))


def dropped(desk: Desk, *names: str) -> tuple[Any]:
    """An input, if there is one."""
    is_there = bool(names and names[0])
    return (gr.update(value=desk.sitting.seen(names[0]) if is_there else None, visible=is_there),)


def to_paint_on(desk: Desk) -> tuple[Any]:
    """The photograph under the brush, and what has been painted over."""
    if not desk.album.sources.photo:
        return (None,)
    photo, layer = desk.sitting.seen(desk.album.sources.photo), desk.painted(desk.album.sources)
    layers = [] if layer is None else [layer]
    return ({"background": photo, "layers": layers, "composite": photo},)


def shares(desk: Desk) -> list[Any]:
    """A slider for each painting, where there are several."""
    count = len(desk.album.sources.paintings)
    blend = desk.sitting.options.get("blend") or (0.5,) * count
    return [
        gr.update(visible=count > 1 and n < count, value=blend[n] if n < len(blend) else 0.5)
        for n in range(SHARES)
    ]


def form(desk: Desk, shown: Sequence[Control]) -> list[Any]:
    """What the controls show."""
    return values_of(desk.sitting.options, shown)


def history(desk: Desk) -> tuple[Any]:
    """Every version, newest first."""
    entries = desk.album.entries[::-1]
    shown = [(str(desk.album.thumbnail_of(e)), f"{e.number}: {e.label}") for e in entries]
    return (gr.update(value=shown, visible=bool(shown)),)


def command(desk: Desk) -> tuple[str]:
    """The command line that makes the picture that is shown."""
    return ("" if desk.album.shown is None else desk.command(0, AS_SHOWN),)


def curve(desk: Desk) -> tuple[pd.DataFrame]:
    """The losses by step and term."""
    return (frame(desk.sitting.view.losses),)


def frame(losses: Sequence[Losses]) -> pd.DataFrame:
    """Losses as a table, each relative to its first value."""
    rows = []
    for place, term in enumerate(("total", "content", "style"), 1):
        first = next((each[place] for each in losses if each[place] > 0), 1.0)
        rows += [(each[0], each[place] / first, term) for each in losses]
    return pd.DataFrame(rows, columns=["step", "loss", "term"])


def errands(desk: Desk) -> tuple[str]:
    """What takes its time, newest first."""
    rows = (f"<li>{html.escape(f'{e.title}: {e.text}')}</li>" for e in desk.errands[::-1])
    return (f'<ul aria-live="polite">{"".join(rows)}</ul>',)


def ready(desk: Desk) -> tuple[Any, Any]:
    """What can be downloaded; the last film among it plays."""
    files = [str(each) for each in desk.ready]
    films = [each for each in files if Path(each).suffix == ".mp4"]
    film = gr.update(value=films[-1] if films else None, visible=bool(films))
    return gr.update(value=files, visible=bool(files)), film


def painted(desk: Desk) -> tuple[Any, str]:
    """What was painted last without a network, and how far that is."""
    if desk.plain is None:
        return gr.update(value=None, visible=False), ""
    made = desk.plain.sheet
    picture = gr.update(value=made[-1][0], visible=True) if made else gr.skip()
    return picture, status(f"{desk.plain.title}: {desk.plain.text}")


def sheet(desk: Desk) -> tuple[Any]:
    """The contact sheet so far."""
    cells = list(desk.sheet.sheet) if desk.sheet is not None else []
    return (gr.update(value=cells, visible=bool(cells)),)

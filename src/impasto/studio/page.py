"""The page: what stands where, and what happens when somebody touches it.

Gradio's components throughout. Whoever opens the page is told everything once, and then what has
changed for as long as it is open; so one that is opened again shows the same as one that never was
closed.
"""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator, Callable, Sequence
from functools import partial
from typing import Any

import gradio as gr

from impasto.errors import ImpastoError
from impasto.recipe.paint import MANNERS, PaintRecipe
from impasto.studio import acts, panels
from impasto.studio.desk import AS_SHOWN, FORMATS, SHARES, SIZES, Desk, Desks
from impasto.studio.form import RANGES, Control, controls
from impasto.studio.panels import Panel

PICTURES = ["image", ".heic", ".tif", ".tiff"]
MOST_AT_ONCE = 1000  # events, of which each page that is open takes two
STYLE = """
.gradio-container { width: 100%; max-width: 1320px !important; margin: 0 auto; }
#photo-drop .icon-wrap, #painting-drop .icon-wrap { display: none; }
#title h1 { font-size: 1.35rem; margin: 0; }
#title p { margin: 0; }
#status p { margin: 0; min-height: 1.5em; font-weight: 600; }
#status .wrap, #errands .wrap { display: none; }
#picture { min-height: 380px; }
@media (max-width: 700px) {
  .gradio-container { padding: 8px !important; }
  /* One column: what is dropped, the picture, which stays in sight, the form, the rest. */
  #left, #right { display: contents; }
  #drops { order: 1; }
  #stage { order: 2; position: sticky; top: 0; z-index: 9; padding: 4px 0;
           background: var(--body-background-fill); }
  #form { order: 3; }
  #more { order: 4; }
  #picture { min-height: 0; }
  #picture img { max-height: 34vh; object-fit: contain; }
}
"""


def theme() -> Any:
    """Gradio's own, with the system's fonts: none is fetched."""
    fonts = ["system-ui", "-apple-system", "Segoe UI", "sans-serif"]
    mono = ["ui-monospace", "Consolas", "monospace"]
    plain = gr.themes.Default(primary_hue="indigo", neutral_hue="stone", font=fonts, font_mono=mono)
    return plain.set(  # contrasts of at least 4.5
        body_text_color_subdued="*neutral_600",
        block_info_text_color="*neutral_600",
        color_accent="*primary_600",
        button_primary_background_fill="*primary_600",
        button_primary_background_fill_hover="*primary_700",
        button_cancel_background_fill="*button_secondary_background_fill",
        button_cancel_text_color="*button_secondary_text_color",
    )


def make_page(desks: Desks, secret: str) -> gr.Blocks:
    """The page.

    Args:
        desks: every browser's.
        secret: what the browsers' own secrets are encrypted with.

    """
    page: gr.Blocks = _Page(desks, secret).blocks
    return page


class _Page:
    """The components, and the wires between them."""

    def __init__(self, desks: Desks, secret: str) -> None:
        self._desks = desks
        with gr.Blocks(
            title="impasto studio", analytics_enabled=False, delete_cache=(3600, 21600)
        ) as self.blocks:
            self.token = gr.BrowserState("", storage_key="impasto-studio", secret=secret)
            self.chosen = gr.State(0)
            gr.HTML(
                "<h1>impasto studio</h1><p>Drop a photograph and a painting. Nothing leaves this "
                "machine.</p>",
                elem_id="title",
            )
            with gr.Row():
                with gr.Column(scale=2, min_width=320, elem_id="left"):
                    with gr.Column(elem_id="drops"):
                        self._make_drops()
                    with gr.Column(elem_id="form"):
                        self._make_form()
                with gr.Column(scale=3, min_width=320, elem_id="right"):
                    with gr.Column(elem_id="stage"):
                        self._make_stage()
                    with gr.Column(elem_id="more"):
                        self._make_tabs()
            self._wire()
        self.blocks.max_threads = MOST_AT_ONCE
        self.blocks.queue(default_concurrency_limit=None, api_open=False)

    def _make_drops(self) -> None:
        with gr.Row():
            self.photo, self.photo_drop = _place("photograph", "photo")
            self.painting, self.painting_drop = _place("painting", "painting")
        self.another = gr.UploadButton(
            "Add another painting", file_types=PICTURES, size="sm", elem_id="another"
        )

    def _make_form(self) -> None:
        self.shares = [
            gr.Slider(0.05, 1, 0.5, step=0.05, label=f"Share of painting {n + 1}", visible=False)
            for n in range(SHARES)
        ]
        every = controls()
        self.controls = {each.name: _made(each) for each in every if each.is_front}
        rest = [each for each in every if not each.is_front]
        with gr.Accordion("All options", open=False):
            for group in dict.fromkeys(each.group for each in rest):
                gr.Markdown(f"### {group}")
                self.controls |= {each.name: _made(each) for each in rest if each.group == group}
        self.drawn = sorted(every, key=lambda each: list(self.controls).index(each.name))

    def _make_stage(self) -> None:
        self.picture = gr.Image(
            label="The picture", interactive=False, format="jpeg", elem_id="picture",
            show_label=False, buttons=["fullscreen"], alt_text="The picture as it stands",
        )  # fmt: skip
        self.status = gr.HTML(panels.status("Loading …"), elem_id="status")
        with gr.Row():
            self.stop = gr.Button("Stop", variant="stop", interactive=False, min_width=80)
            self.more = gr.Button("Go on", interactive=False, min_width=80)
            self.keep = gr.Button("Keep", interactive=False, min_width=80)
            self.undo = gr.Button("Undo", interactive=False, min_width=80)

    def _make_tabs(self) -> None:
        with gr.Tabs():
            with gr.Tab("History"):
                self._make_history()
            with gr.Tab("Brush") as self.brush_tab:
                self._make_brush()
            with gr.Tab("Contact sheet"):
                self._make_sheet()
            with gr.Tab("Without a network"):
                self._make_plain()
            with gr.Tab("Download"):
                self._make_download()
            with gr.Tab("Many, or a film"):
                self._make_many()
            with gr.Tab("Curve"):
                self.curve = gr.LinePlot(
                    panels.frame(()), x="step", y="loss", color="term", height=260, x_title="step",
                    y_title="loss, relative to the first step", show_label=False,
                )  # fmt: skip

    def _make_history(self) -> None:
        self.history = gr.Gallery(
            label="Every version, newest first", columns=4, height=260, allow_preview=False,
            object_fit="contain", interactive=False, visible=False, elem_id="history", buttons=[],
            fit_columns=False,
        )  # fmt: skip
        self.about = gr.Markdown("Choose one to go back to it, compare or download it.")
        with gr.Row():
            self.back = gr.Button("Go back to it", interactive=False, min_width=80)
            self.compare = gr.Button("Compare with it", interactive=False, min_width=80)
            self.remove = gr.Button("Remove it", interactive=False, min_width=80)
            self.forget = gr.Button("Remove everything", min_width=80)
        self.sure = gr.Button(
            "Yes, remove every version and what was dropped", variant="stop", visible=False
        )
        self.both = gr.ImageSlider(
            label="Chosen | shown", interactive=False, visible=False, format="jpeg", elem_id="both"
        )

    def _make_brush(self) -> None:
        gr.Markdown("Paint over what is to stay as it is in the photograph: a face, a house.")
        self.editor = gr.ImageEditor(
            label="What stays", sources=(), transforms=(), layers=False, height=420,
            brush=gr.Brush(default_size=30, colors=["#ff0080"], default_color="#ff0080"),
            elem_id="brush",
        )  # fmt: skip
        self.clear = gr.Button("Protect nothing", size="sm")

    def _make_sheet(self) -> None:
        gr.Markdown("One photograph by many paintings at once. Choose the best to refine it.")
        with gr.Row():
            self.paintings = gr.UploadButton(
                "By these paintings …", file_count="multiple", file_types=PICTURES, size="sm",
                elem_id="sheet-paintings",
            )  # fmt: skip
            self.strengths = gr.Button("By strength", size="sm")
        self.sheet = gr.Gallery(
            label="Contact sheet", columns=3, height=420, allow_preview=False,
            object_fit="contain", interactive=False, elem_id="sheet", buttons=[],
            fit_columns=False,
        )  # fmt: skip

    def _make_plain(self) -> None:
        gr.Markdown("Strokes, filters and patches, as before there were networks.")
        with gr.Row():
            named = [(f"{m}: {each}", each) for m, every in MANNERS.items() for each in every]
            self.manner = gr.Dropdown(
                named, value=named[0][1], label="Manner", elem_id="plain-manner"
            )
            self.longest = gr.Number(PaintRecipe.size, precision=0, label="Longest side, in pixels")
        self.by_painting = gr.Checkbox(False, label="Strokes in the painting's colours")
        self.plain = gr.Button("Paint it", variant="primary", elem_id="plain-button")
        self.plain_status = gr.HTML(elem_id="plain-status")
        self.plain_picture = gr.Image(
            label="Painted without a network", interactive=False, format="jpeg",
            elem_id="plain-picture", buttons=["fullscreen"],
            alt_text="The photograph painted without a network", visible=False,
        )  # fmt: skip
        gr.Markdown("The picture and its record appear under Download.")

    def _make_download(self) -> None:
        gr.Markdown("The picture that is chosen in the history; if none is, the one that is shown.")
        with gr.Row():
            self.size = gr.Dropdown(list(SIZES.items()), value=AS_SHOWN, label="Size")
            self.format = gr.Radio(list(FORMATS), value=FORMATS[0], label="Format")
        self.order = gr.Button("Make it", variant="primary")
        self.command = gr.Textbox(
            label="The same on the command line, in the folder of the two pictures",
            buttons=["copy"], interactive=False, lines=2,
        )  # fmt: skip
        self.errands = gr.HTML(elem_id="errands")
        self.files = gr.File(
            label="Ready", file_count="multiple", interactive=False, visible=False, elem_id="files"
        )
        self.cancel = gr.Button("Cancel what waits", size="sm")

    def _make_many(self) -> None:
        gr.Markdown("In the look of the picture shown. What is ready appears under Download.")
        self.photographs = gr.UploadButton(
            "Photographs …", file_count="multiple", file_types=PICTURES, size="sm", elem_id="many"
        )
        with gr.Row():
            self.film = gr.UploadButton(
                "A film …", file_types=["video", ".gif"], size="sm", elem_id="film"
            )
            self.at_once = gr.Checkbox(True, label="Quick: each frame at once")
        self.screen = gr.Video(label="The film so far", interactive=False, visible=False)

    def _panels(self) -> list[Panel]:
        """What is told to a page."""
        every = list(self.controls.values())
        return [
            Panel([self.picture, self.status], lambda d: d.sitting.view.version, panels.picture),
            Panel([self.stop, self.more, self.keep, self.undo], panels.buttons_key, panels.buttons),
            Panel(
                [self.photo],
                lambda d: d.album.sources.photo,
                lambda d: panels.dropped(d, d.album.sources.photo),
            ),
            Panel(
                [self.painting],
                lambda d: d.album.sources.paintings,
                lambda d: panels.dropped(d, *d.album.sources.paintings[:1]),
            ),
            Panel(
                [self.editor],
                lambda d: (d.sitting.view.form, d.album.sources.photo),
                panels.to_paint_on,
            ),
            Panel(
                self.shares,
                lambda d: (d.sitting.view.form, len(d.album.sources.paintings)),
                panels.shares,
            ),
            Panel(every, lambda d: d.sitting.view.form, lambda d: panels.form(d, self.drawn)),
            Panel([self.command], lambda d: d.sitting.view.history, panels.command),
            Panel([self.history], lambda d: d.sitting.view.history, panels.history),
            Panel([self.curve], lambda d: len(d.sitting.view.losses), panels.curve),
            Panel([self.errands], lambda d: [(e.title, e.text) for e in d.errands], panels.errands),
            Panel([self.files, self.screen], lambda d: d.ready, panels.ready),
            Panel(
                [self.plain_picture, self.plain_status],
                lambda d: (id(d.plain), d.plain.text if d.plain else ""),
                panels.painted,
            ),
            Panel(
                [self.sheet],
                lambda d: (id(d.sheet), len(d.sheet.sheet) if d.sheet else 0),
                panels.sheet,
            ),
        ]

    def _wire(self) -> None:
        quiet: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden"}
        greeted = self.blocks.load(_greeted, self.token, self.token, queue=False, **quiet)
        first, *others = self._panels()
        for together in ([first], others):  # what is live has little beside it
            outputs = [each for panel in together for each in panel.outputs]
            greeted.then(self._teller(together), self.token, outputs, **quiet)
        for place, role in ((self.photo_drop, "photo"), (self.painting_drop, "painting")):
            self._on(place.upload, partial(acts.dropped, role=role), [place], [place])
        self._on(self.another.upload, acts.added, [self.another])
        form = [*self.controls.values(), *self.shares]
        for each in form:
            self._on(each.input, self._steered, form, latest=True)
            if isinstance(each, gr.Textbox):  # what is pasted at once may come without an input
                self._on(each.blur, self._steered, form, latest=True)
        for button, act in (
            (self.stop, lambda desk: desk.sitting.stop()),
            (self.more, lambda desk: desk.sitting.more()),
            (self.keep, lambda desk: desk.sitting.keep()),
            (self.undo, lambda desk: desk.undo()),
            (self.clear, acts.cleared),
            (self.cancel, lambda desk: desk.cancel_errands()),
            (self.strengths, lambda desk: desk.make_sheet(())),
        ):
            self._on(button.click, act)
        self._wire_history()
        # What an editor is given while its tab is closed may be lost.
        self._on(self.brush_tab.select, lambda d: panels.to_paint_on(d)[0], (), [self.editor])
        self._on(self.editor.input, acts.brushed, [self.editor], latest=True)
        self._on(self.paintings.upload, acts.sheeted, [self.paintings])
        self._on(self.sheet.select, lambda d, e: d.take_from_sheet(e.index), sends_choice=True)
        look = [self.chosen, self.size]
        self._on(self.order.click, lambda desk, *given: desk.order(*given), [*look, self.format])
        for trigger in (self.size.input, self.order.click):
            self._on(trigger, lambda desk, *given: desk.command(*given), look, [self.command])
        painting = [self.manner, self.longest, self.by_painting]
        self._on(self.plain.click, acts.painted, painting)
        self._on(self.photographs.upload, acts.ordered_many, [self.photographs])
        self._on(self.film.upload, acts.ordered_film, [self.film, self.at_once])

    def _teller(self, parts: Sequence[Panel]) -> Callable[[str], AsyncIterator[Any]]:
        """What tells a page of some of its parts for as long as it is open."""

        async def told(token: str) -> AsyncIterator[Any]:
            async for values in panels.told(parts, partial(self._desks.of, token)):
                yield values

        return told

    def _wire_history(self) -> None:
        chosen = [self.chosen, self.about, self.back, self.compare, self.remove, self.both]
        self._on(self.history.select, acts.chosen, outputs=chosen, sends_choice=True)
        self._on(self.forget.click, lambda _: gr.update(visible=True), (), [self.sure])
        self._on(self.sure.click, acts.forgotten, (), [self.sure])
        number = [self.chosen]
        self._on(self.back.click, lambda desk, each: desk.sitting.go_back(each), number)
        self._on(self.compare.click, acts.compared, number, [self.both])
        self._on(self.remove.click, lambda desk, each: desk.sitting.forget(each), number)

    def _on(
        self,
        trigger: Any,
        act: Callable[..., Any],
        inputs: Sequence[Any] = (),
        outputs: Sequence[Any] = (),
        *,
        latest: bool = False,
        sends_choice: bool = False,
    ) -> None:
        """Have something done: with this browser's desk; a sentence is shown where it cannot be."""

        def done(token: str, *given: Any) -> Any:
            try:
                result = act(self._desks.of(token), *given)
            except ImpastoError as error:
                acts.warn(error)
                result = gr.skip() if len(outputs) == 1 else [gr.skip() for _ in outputs]
            return result if outputs else None

        def done_with_choice(event: gr.SelectData, token: str, *given: Any) -> Any:
            return done(token, event, *given)

        trigger(
            done_with_choice if sends_choice else done,
            [self.token, *inputs],
            list(outputs),
            show_progress="hidden",
            trigger_mode="always_last" if latest else "multiple",
            api_visibility="private",
        )

    def _steered(self, desk: Desk, *values: Any) -> None:
        count = len(self.controls)
        named = dict(zip(self.controls, values[:count], strict=True))
        desk.steer(named, [float(each) for each in values[count:]])


def _place(what: str, name: str) -> tuple[gr.Image, gr.File]:
    """A place to drop a picture, and where it is shown then.

    A file, not Gradio's image to drop: that would be opened by Pillow, with its limits and errors.
    """
    with gr.Column(min_width=140):
        shown = gr.Image(
            label=f"The {what}", interactive=False, visible=False, height=150, format="jpeg",
            buttons=[], alt_text=f"The {what}", elem_id=name,
        )  # fmt: skip
        place = gr.File(
            label=f"Drop a {what}", file_types=PICTURES, height=110, elem_id=f"{name}-drop"
        )
    return shown, place


def _made(control: Control) -> Any:
    shared: dict[str, Any] = {
        "label": control.label,
        "info": control.help,
        "elem_id": f"option-{control.name}",
    }
    if control.kind == "slider":
        low, high, step = RANGES[control.name]
        return gr.Slider(low, high, control.usual, step=step, **shared)
    if control.kind == "choice":
        return gr.Dropdown(list(control.choices), value=control.usual, **shared)
    if control.kind == "tick":
        return gr.Checkbox(control.usual, **shared)
    if control.kind == "number":
        return gr.Number(control.usual, **shared)
    return gr.Textbox(control.usual, **shared)


def _greeted(token: str | None) -> str:
    """A browser that is new gets a secret; whoever comes back keeps it."""
    return token or secrets.token_urlsafe(32)

"""The report's page: one HTML file that needs nothing beside it, and no script."""

from __future__ import annotations

import base64
import io
from collections.abc import Iterable, Iterator, Sequence
from html import escape
from pathlib import Path

from impasto.experiments.inputs import CREDIT
from impasto.experiments.lab import Lab
from impasto.experiments.model import Diagram, Outcome, Sheet, Verdict
from impasto.experiments.report import Row, cell_table, claim_table, number_table, write_claims
from impasto.experiments.sheets import draw_sheet
from impasto.files.atomic import atomic_write

QUALITY = 82  # of the sheets inside the page; those in the folders are lossless
COMPACT_LIMITS = (
    "compact, the bundled network, stands in for the normalised VGG-19. Up to conv3_2 it was "
    "trained to see what VGG-19 sees; above, what a small network sees that imitates VGG-19. It "
    "was trained with max pooling and ends at conv5_1. So a verdict here is about the method, and "
    "about VGG-19 only as far as the two agree: least so where the deep layers decide."
)
_COLORS = {
    Verdict.BORNE_OUT: "#2d7a46",
    Verdict.PARTLY: "#a66a00",
    Verdict.NOT_BORNE_OUT: "#a8322a",
    Verdict.UNTESTED: "#666666",
    Verdict.NO_CLAIM: "#666666",
}
_STYLE = """
body{font:16px/1.5 system-ui,sans-serif;color:#222;max-width:1100px;margin:2em auto;padding:0 1em}
h1,h2{line-height:1.2} h2{margin-top:2.5em;border-top:1px solid #ddd;padding-top:1em}
table{border-collapse:collapse;font-size:14px;display:block;overflow-x:auto}
td,th{border-bottom:1px solid #ddd;padding:.25em .7em .25em 0;text-align:left;vertical-align:top}
figure{margin:1.5em 0} figcaption{color:#555;font-size:14px} img,svg{max-width:100%;height:auto}
svg{width:640px} pre{background:#f5f5f5;padding:.7em;overflow-x:auto;font-size:12px}
.verdict{color:#fff;border-radius:.3em;padding:.1em .5em;white-space:nowrap;font-size:14px}
"""


def write_page(outcomes: Sequence[Outcome], lab: Lab, *, title: str) -> Path:
    """Write ``index.html`` and ``claims.csv`` into the lab's folder; the page's path.

    Raises:
        OutputError: a file cannot be written.

    """
    write_claims(outcomes, lab)
    path = lab.folder / "index.html"
    with atomic_write(path) as temporary:
        temporary.write_text("\n".join(_page(outcomes, lab, title)), encoding="utf-8")
    return path


def _page(outcomes: Sequence[Outcome], lab: Lab, title: str) -> Iterator[str]:
    yield '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">'
    yield '<meta name="viewport" content="width=device-width">'
    yield f"<title>{escape(title)}</title>\n<style>{_STYLE}</style>\n</head>\n<body>"
    yield f"<h1>{escape(title)}</h1>"
    is_judged = any(outcome.experiment.checks for outcome in outcomes)
    yield from (f"<p>{escape(words)}</p>" for words in _preface(lab, is_judged=is_judged))
    yield from _figure(_inputs(lab))
    if is_judged:
        yield "<h2>Claims and verdicts</h2>"
        yield from _claims(outcomes, lab)
    for outcome in outcomes:
        yield from _section(outcome)
    if lab.inputs.is_example:
        yield f"<h2>Pictures</h2><p>{escape(CREDIT)}</p>"
    yield "</body>\n</html>\n"


def _preface(lab: Lab, *, is_judged: bool) -> Iterator[str]:
    preset = lab.preset
    length = f", n = {preset.steps}" if preset.steps else ""
    yield (
        f"Made with impasto, preset {preset.name}: {preset.size} pixels{length}, network "
        f"{lab.network_name} (weights {lab.weights_sha256[:12]}). Distances are relative: "
        "sqrt(L_content / C0) is 1 for a picture without content, sqrt(L_style / S0) is 1 for the "
        "photograph itself."
    )
    if not is_judged:
        return
    yield (
        "Thresholds were fixed before the first full run; a verdict is what they say of the "
        "measured numbers, and not borne out is as good a verdict as borne out."
    )
    if lab.network_name == "compact":
        yield COMPACT_LIMITS
    if not (preset.as_stated or preset.as_product):
        yield (
            "Ratios alpha/beta are in the report's units: eq. (1) is a sum over positions, and "
            "each network has its own scale, so 1e-3 is set where a strength of 0.95 balances "
            f"this pair (a factor of {lab.ratio_unit:.3g} on this network at this size), and the "
            "others as many decades from it as in the report. The preset report takes them "
            "as stated."
        )


def _inputs(lab: Lab) -> Sheet:
    return Sheet([list(lab.pictures.inputs.items())], "What went in.")


def _claims(outcomes: Sequence[Outcome], lab: Lab) -> Iterator[str]:
    headings, *rows = claim_table(outcomes, lab.network_name)
    yield "<table>" + _row("th", map(escape, headings))
    for outcome, row in zip(outcomes, rows, strict=True):
        name, section, claim, _, *rest = map(escape, row)
        link = f'<a href="#{name}">{name}</a>'
        yield _row("td", [link, section, claim, _badge(outcome.verdict), *rest])
    yield "</table>"


def _section(outcome: Outcome) -> Iterator[str]:
    experiment = outcome.experiment
    yield f'<h2 id="{escape(experiment.name)}">{escape(experiment.name)}</h2>'
    yield f"<p>{escape(experiment.section)}. {escape(experiment.claim)}</p>"
    if experiment.checks:
        yield f"<p>{_badge(outcome.verdict)}</p>"
    for figure in outcome.sheets:
        yield from _figure(figure)
    yield from (f"<p>{escape(note)}</p>" for note in outcome.finding.notes)
    if outcome.finding.numbers:
        yield from _table(number_table(outcome))
    if outcome.made:
        yield "<details><summary>Every cell, and the line that makes it again</summary>"
        yield from _table(cell_table(outcome))
        lines = (f"# {label}\n{line}" for label, line in outcome.lines.items())
        yield f"<pre>{escape(chr(10).join(lines))}</pre></details>"


def _figure(figure: Sheet | Diagram) -> Iterator[str]:
    yield "<figure>"
    yield figure.svg if isinstance(figure, Diagram) else _image(figure)
    yield f"<figcaption>{escape(figure.caption)}</figcaption></figure>"


def _image(sheet: Sheet) -> str:
    drawn, data = draw_sheet(sheet), io.BytesIO()
    drawn.save(data, "JPEG", quality=QUALITY, optimize=True)
    text = base64.b64encode(data.getvalue()).decode("ascii")
    return (
        f'<img width="{drawn.width}" height="{drawn.height}" alt="{escape(sheet.caption)}" '
        f'src="data:image/jpeg;base64,{text}">'
    )


def _table(rows: Sequence[Row]) -> Iterator[str]:
    yield "<table>" + _row("th", map(escape, rows[0]))
    for row in rows[1:]:
        yield _row("td", map(escape, row))
    yield "</table>"


def _row(cell: str, values: Iterable[str]) -> str:
    inner = "".join(f"<{cell}>{value}</{cell}>" for value in values)
    return f"<tr>{inner}</tr>"


def _badge(verdict: Verdict) -> str:
    return f'<span class="verdict" style="background:{_COLORS[verdict]}">{verdict.value}</span>'

"""The report's page: one HTML file without other files or scripts."""

from __future__ import annotations

import base64
import io
from collections.abc import Iterator, Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any

from markupsafe import Markup

from impasto.experiments.inputs import CREDIT
from impasto.experiments.lab import Lab
from impasto.experiments.model import Diagram, Outcome, Sheet, Verdict
from impasto.experiments.report import cell_table, claim_table, number_table, write_claims
from impasto.experiments.sheets import draw_sheet
from impasto.plots.pages import write_page as fill_page

QUALITY = 82  # JPEG quality of the page's sheets; those in the folders are lossless
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


def write_page(outcomes: Sequence[Outcome], lab: Lab, *, title: str) -> Path:
    """Write ``index.html`` and ``claims.csv`` into the lab's folder; the page's path.

    Raises:
        OutputError: a file cannot be written.

    """
    write_claims(outcomes, lab)
    path = lab.folder / "index.html"
    is_judged = any(outcome.experiment.checks for outcome in outcomes)
    fill_page(
        files("impasto.experiments").joinpath("page.html"),
        path,
        title=title,
        preface=[*_preface(lab, is_judged=is_judged)],
        inputs=_figure(Sheet([list(lab.pictures.inputs.items())], "What went in.")),
        claims=claim_table(outcomes, lab.network_name) if is_judged else [],
        sections=[_section(outcome) for outcome in outcomes],
        colors={verdict.value: color for verdict, color in _COLORS.items()},
        credit=CREDIT if lab.inputs.is_example else "",
    )
    return path


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
            "each network has its own scale, so 1e-3 is set where a style share of 0.95 balances "
            f"this pair (a factor of {lab.ratio_unit:.3g} on this network at this size), and the "
            "others as many decades from it as in the report. The preset report takes them "
            "as stated."
        )


def _section(outcome: Outcome) -> dict[str, Any]:
    """An experiment's values for the template."""
    experiment = outcome.experiment
    return {
        "name": experiment.name,
        "heading": f"{experiment.section}. {experiment.claim}",
        "verdict": outcome.verdict.value if experiment.checks else "",
        "figures": [_figure(figure) for figure in outcome.sheets],
        "notes": outcome.finding.notes,
        "numbers": number_table(outcome) if outcome.finding.numbers else [],
        "cells": cell_table(outcome) if outcome.made else [],
        "lines": "\n".join(f"# {label}\n{line}" for label, line in outcome.lines.items()),
    }


def _figure(figure: Sheet | Diagram) -> dict[str, Any]:
    """A drawing unchanged, or a sheet as a JPEG inside the page."""
    if isinstance(figure, Diagram):
        return {"svg": Markup(figure.svg), "caption": figure.caption}
    drawn, data = draw_sheet(figure), io.BytesIO()
    drawn.save(data, "JPEG", quality=QUALITY, optimize=True)
    source = "data:image/jpeg;base64," + base64.b64encode(data.getvalue()).decode("ascii")
    return {"svg": "", "size": drawn.size, "source": source, "caption": figure.caption}

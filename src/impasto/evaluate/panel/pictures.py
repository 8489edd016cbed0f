"""Measuring a picture: reading it, and resizing the pictures to compare it with."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

from impasto.engine.planning.plan import fit
from impasto.engine.planning.stages import Size
from impasto.errors import PictureError, RecordError
from impasto.evaluate.judge import Judge, find_judge
from impasto.evaluate.panel.figures import LAYERS, Trio, figures_of
from impasto.evaluate.panel.model import Panel
from impasto.files.pictures.images import Picture, read_picture
from impasto.files.records.read import Record, read_record
from impasto.instant.hypercolumns import LAYERS as MATCHED_LAYERS
from impasto.instant.neighbours import MATCHED as OPTIMISED_BY_MATCHES
from impasto.nets.network import Network
from impasto.nets.topology import check_layers
from impasto.ops.inits import resize

OTHER_SHAPE = 0.05  # relative difference in aspect ratio allowed between photograph and result


def measure_picture(
    result: Path,
    content: Path,
    style: Path,
    network: str | Network | None,
    layers: Sequence[str],
) -> Panel:
    """The panel of a picture; see :func:`impasto.evaluate.panel.measure`."""
    pictures = [read_picture(path) for path in (result, content, style)]
    record = _record_of(result)
    judge = find_judge(network, made_with=record.network if record else None)
    layers = check_layers(layers or _usual_layers(judge.network), judge.network.layers)
    trio = align(pictures, record)
    figures = figures_of(trio, judge.network, layers, keeps_color=_keeps_color(record))
    return Panel(result.name, _facts(trio, judge, layers, record), tuple(figures))


def align(pictures: Sequence[Picture], record: Record | None) -> Trio:
    """Resize photograph and painting to the sizes that they had when the result was made.

    The sizes are those of the record's last stage. Without a record the painting's longer side
    becomes the result's, but is never enlarged, as by default.

    Raises:
        PictureError: the photograph's aspect ratio differs from the result's.

    """
    result, content, style = (each.tensor for each in pictures)
    size: Size = (result.shape[-2], result.shape[-1])
    own: Size = pictures[2].size
    stage = record.plan.stages[-1] if record and record.plan else None
    if stage and stage.window:
        top, left, height, width = stage.window
        whole = resize(content, stage.height, stage.width)
        content = whole[..., top : top + height, left : left + width]
    ratio = (content.shape[-1] / content.shape[-2]) / (size[1] / size[0])
    if abs(math.log(ratio)) > OTHER_SHAPE:
        raise PictureError(
            f"{pictures[1].name!r} is {content.shape[-1]} x {content.shape[-2]} pixels and the "
            f"result {size[1]} x {size[0]}: give the photograph that it was made from."
        )
    painted = _size_in(record, pictures[2]) or fit(own, min(max(own), max(size)))
    return Trio(result, resize(content, *size), resize(style, *painted))


def _size_in(record: Record | None, painting: Picture) -> Size | None:
    """A painting's size at the last stage; None if the record does not contain it.

    Of several style scales, the one nearest to 1.
    """
    if record is None or record.plan is None:
        return None
    scales = record.recipe.style_scales
    nearest = min(range(len(scales)), key=lambda place: abs(math.log(scales[place])))
    sizes = record.plan.stages[-1].styles[nearest :: len(scales)]
    inputs = zip(record.inputs["styles"], sizes, strict=True)
    return next((size for each, size in inputs if each.sha256 == painting.sha256), None)


def _usual_layers(network: Network) -> Sequence[str]:
    return [layer for layer in LAYERS if layer in network.layers] or network.layers


def _record_of(result: Path) -> Record | None:
    """The record of a result; None if it is missing or unusable."""
    try:
        return read_record(result)
    except RecordError:
        return None


def _keeps_color(record: Record | None) -> bool:
    return record is not None and record.recipe.preserve_color != "none"


def _facts(
    trio: Trio, judge: Judge, layers: Sequence[str], record: Record | None
) -> dict[str, str]:
    height, width = trio.result.shape[-2:]
    facts = {"size": f"{width}x{height}", "network": judge.words}
    if record is None:
        facts["layers"] = f"{', '.join(layers)} (no record says which were optimised)"
        return facts
    if record.recipe.is_instant:
        used, verb = {*MATCHED_LAYERS}, "matched by"
    else:
        used, verb = {*record.recipe.style_layers, *record.recipe.content_layers}, "optimised"
        used |= {*OPTIMISED_BY_MATCHES} if record.recipe.neighbours else set()
    seen = [layer for layer in layers if layer in used and judge.made_it]
    facts["layers"] = f"{', '.join(layers)} ({', '.join(seen) or 'none'} {verb})"
    return facts

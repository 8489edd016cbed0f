"""The lab: pictures, networks, and cells that are made only once.

Everything is stored in one folder: ``inputs/`` has the pictures at their sizes, ``cells/``
the transfers, named by the hash of recipe, pictures and weights. A complete cell is not made
again, whichever experiment needs it.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from impasto.engine.objective.objective import Objective
from impasto.engine.planning.plan import Plan, make_plan
from impasto.engine.state import LossWeights, State
from impasto.errors import RecipeError, RecordError
from impasto.experiments.inputs import Inputs
from impasto.experiments.model import Cell, Made
from impasto.experiments.pictures import NamedPictures
from impasto.experiments.presets import REPORT_METHOD, Preset
from impasto.files.atomic import make_folder, remove_leftovers
from impasto.files.pictures.finding import file_sha256
from impasto.files.pictures.images import read_picture
from impasto.files.records.finished import Wanted, is_finished
from impasto.files.records.read import read_record
from impasto.files.records.write import record_path, write_record
from impasto.jobs.still import Job
from impasto.jobs.stylizer import Stylizer
from impasto.nets.topology import Layer
from impasto.recipe.still import INITS, Recipe

RATIO = "alpha/beta"
USUAL_RATIO = 1e-3  # the report's, in sections 3.2 and 3.3
BALANCED = 0.95  # the style share equivalent to it, where ratios are not used as stated


class Lab:
    """The folder, pictures and networks with which experiments are run.

    Args:
        folder: for all files; made if it is missing.
        preset: sizes and steps.
        inputs: the pictures.
        network: ``compact`` or the name of a full VGG-19.
        weights: a safetensors file for it.
        raw_weights: use a full VGG-19 as released, whatever the preset.
        pooling: ``max`` or ``avg``; the network's own when not given.
        others: further networks, for ``networks``: safetensors files of VGG-19, or of its first
            blocks.

    Attributes:
        folder: as given.
        preset: as given.
        inputs: as given.
        others: names of the further networks.
        pictures: the inputs, and the pictures that experiments add.
        made: label to finished cell, of the current experiment.

    """

    def __init__(
        self,
        folder: Path,
        preset: Preset,
        inputs: Inputs | None = None,
        *,
        network: str = Recipe.network,
        weights: str | os.PathLike[str] | None = None,
        raw_weights: bool = False,
        pooling: str | None = None,
        others: Sequence[Path] = (),
    ) -> None:
        self.folder = folder
        self.preset = preset
        self.inputs = inputs or Inputs()
        self.made: dict[str, Made] = {}
        self._own: dict[str, Any] = {
            "network": network,
            "weights": weights,
            "raw_weights": raw_weights or (preset.as_stated and network != "compact"),
            "pooling": pooling,
        }
        self._stylizers: dict[str, Stylizer] = {}
        self.add_network("own")
        self.others = tuple(path.stem for path in others)
        for path in others:
            self.add_network(path.stem, network="vgg19", weights=path)
        self.pictures = NamedPictures(folder / "inputs", self.inputs, preset.size)

    @property
    def networks(self) -> dict[str, Stylizer]:
        """Name to stylizer; ``own`` is the experiments' network."""
        return self._stylizers

    @property
    def network_name(self) -> str:
        """The name of the experiments' network."""
        return str(self._stylizers["own"].description["name"])

    @property
    def weights_sha256(self) -> str:
        """The hash of its weights file."""
        return str(self._stylizers["own"].description["sha256"])

    @property
    def layers(self) -> tuple[str, ...]:
        """The network's layers, shallow to deep."""
        return tuple(self._stylizers["own"].network.layers)

    def add_network(self, name: str, **options: Any) -> None:
        """Add a network under a name: the lab's own with some other options."""
        if name not in self._stylizers:
            self._stylizers[name] = Stylizer(**{**self._own, **options})

    def features(
        self, image: Tensor, layers: Sequence[str], network: str = "own"
    ) -> dict[str, Tensor]:
        """Feature maps ``(1, N, h, w)`` of a picture, in float32."""
        with torch.no_grad():
            return self._stylizers[network].network.features(image, layers)

    def distances(self, image: Tensor) -> tuple[float, float]:
        """Distances to photograph and painting at the usual layers, for a picture of any origin."""
        evaluation = self.objective.evaluate(image)
        return self.objective.weights.distances(evaluation.losses)

    @cached_property
    def objective(self) -> Objective:
        """Eq. (7) for the photograph and the painting at full size, at the usual layers."""
        return Objective(
            Recipe(**REPORT_METHOD, alpha=USUAL_RATIO, beta=1.0),
            self._stylizers["own"].network,
            self.pictures["photograph"],
            [self.pictures["painting"]],
        )

    def weights_for(self, ratio: float) -> dict[str, float]:
        """Alpha and beta for a ratio of the report.

        With the preset as stated that is the ratio itself. Eq. (1) is a sum over positions and each
        network has a scale of its own, so the same number gives another balance at another size
        and on another network. Departure from the report, for the smaller presets: 1e-3, which the
        report calls balanced, is put where a style share of 0.95 balances this pair, on this
        network and at this size; the other ratios keep their factors to it.
        """
        return {"alpha": _rounded(ratio * self.ratio_unit), "beta": 1.0}

    @cached_property
    def ratio_unit(self) -> float:
        """The factor for a ratio of the report; 1 for a preset as stated."""
        if self.preset.as_stated:
            return 1.0
        units: LossWeights = self.objective.weights
        balanced = (1 - BALANCED) / BALANCED * units.style_unit / units.content_unit
        return balanced / USUAL_RATIO

    def options(self, cell: Cell) -> dict[str, Any]:
        """All options of a cell, for its network's stylizer."""
        given = dict(cell.options)
        options: dict[str, Any] = {"size": self.preset.size, **self.preset.options}
        if given.get("photorealistic") or given.get("restore"):
            # Neither is eq. (7): nothing of the report's method applies.
            return {"size": self.preset.size, **given}
        if not self.preset.as_product:
            options = {"steps": (self.preset.steps,), **options}
        balanced = self.preset.as_product or {"strength", "alpha", "beta"} & set(given)
        ratio = given.pop(RATIO, None if balanced else USUAL_RATIO)
        if ratio is not None:
            options |= self.weights_for(ratio)
        options |= given
        if options.get("init") in self.pictures:
            options["init"] = str(self.pictures.path(options["init"]))
        return options

    def job(self, cell: Cell) -> Job:
        """The transfer of a cell, ready to run.

        Raises:
            RecipeError: an option is unknown or out of range.

        """
        return self._stylizers[cell.network].job(
            self.pictures.path(cell.content), self.pictures.path(cell.style), **self.options(cell)
        )

    def work(self, cell: Cell) -> float:
        """Steps times pixels of a cell; 0 for a finished one."""
        if self.is_done(cell):
            return 0.0
        cost = _cost(self._stylizers[cell.network]) / _cost(self._stylizers["own"])
        return cost * sum(stage.work for stage in self.plan(cell).stages)

    def plan(self, cell: Cell) -> Plan:
        """The automatic choices for a cell."""
        sizes = [self.pictures.size(name) for name in (cell.content, cell.style)]
        return make_plan(self._recipe(cell), sizes[0], sizes[1:])

    def is_done(self, cell: Cell) -> bool:
        """Whether the cell is in the folder, complete and with the same recipe."""
        return is_finished(self.cell_path(cell), self._wanted(cell))

    def make(self, cell: Cell) -> Iterator[State]:
        """Make a cell, state by state, unless it is finished; then add it to ``made``.

        Raises:
            RecipeError: another cell has the same label.

        """
        if cell.label in self.made:
            raise RecipeError(f"Two cells have the label {cell.label!r}: give each its own label.")
        path = self.cell_path(cell)
        if not self.is_done(cell):
            make_folder(path.parent)
            for each in (path, record_path(path)):
                remove_leftovers(each)
            job = self.job(cell)
            yield from job
            job.result().save(path, overwrite=True)
        self.made[cell.label] = Made(cell, path, read_picture(path).tensor, read_record(path))

    def cell_path(self, cell: Cell) -> Path:
        """The path of its picture, named by the hash of recipe, pictures, weights and copy.

        Options with default values are not hashed, so an option that a later version adds does
        not change the name; the whole recipe decides whether the cell is finished.
        """
        wanted = self._wanted(cell)
        plain = Recipe().as_dict()
        chosen = {k: v for k, v in wanted.recipe.as_dict().items() if v != plain[k]}
        weights = {key: wanted.network.get(key) for key in ("sha256", "means_sha256")}
        text = json.dumps([chosen, dict(wanted.inputs), weights, cell.copy], sort_keys=True)
        return self.folder / "cells" / f"{hashlib.sha256(text.encode()).hexdigest()[:16]}.png"

    def command(self, cell: Cell) -> str:
        """The command that makes the cell again, in the lab's folder.

        Files outside the lab are named without their folders, as in a record.
        """
        recipe = self._recipe(cell)
        if recipe.weights:
            recipe = replace(recipe, weights=self._shown(Path(recipe.weights)))
        if recipe.init not in INITS:
            recipe = replace(recipe, init=self._shown(Path(recipe.init)))
        words = [self._shown(self.pictures.path(name)) for name in (cell.content, cell.style)]
        return f"impasto stylize {' '.join(words)} {recipe.command_line()} -o again.png"

    def cached(self, name: str, key: Any, make: Callable[[], Mapping[str, Any]]) -> dict[str, Any]:
        """Plain values that are slow to compute, stored as JSON under the hash of a key."""
        digest = hashlib.sha256(json.dumps(key, sort_keys=True, default=str).encode()).hexdigest()
        path = self.folder / "cells" / f"{name}-{digest[:16]}.json"
        if path.is_file():
            try:
                return dict(json.loads(path.read_text(encoding="utf-8")))
            except (OSError, ValueError) as error:
                raise RecordError(f"{path.name!r} is damaged: remove it and run again.") from error
        make_folder(path.parent)
        values = dict(make())
        write_record(values, path)
        return values

    def _shown(self, path: Path) -> str:
        inside = path.is_relative_to(self.folder)
        return path.relative_to(self.folder).as_posix() if inside else path.name

    def _recipe(self, cell: Cell) -> Recipe:
        return self._stylizers[cell.network].recipe(self.options(cell))

    def _wanted(self, cell: Cell) -> Wanted:
        recipe = self._recipe(cell)
        return Wanted(
            recipe,
            {
                "content": [self.pictures.digest(cell.content)],
                "styles": [self.pictures.digest(cell.style)],
                "init": [] if recipe.init in INITS else [file_sha256(Path(recipe.init))],
            },
            self._stylizers[cell.network].description,
        )


def _cost(stylizer: Stylizer) -> float:
    """Multiplications of a network per pixel."""
    table: Sequence[Layer] = getattr(stylizer.network, "table", ())
    products = (9 * each.in_channels * each.out_channels / 4 ** (each.block - 1) for each in table)
    return sum(products) or 1.0


def _rounded(value: float) -> float:
    """Three significant digits, so that a command line stays readable."""
    return float(f"{value:.3g}")

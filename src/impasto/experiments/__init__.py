"""The report's experiments: named grids of transfers, measurements of them, and verdicts.

>>> from impasto.experiments import STANDARD, Lab, carry_out, find_experiments
>>> lab = Lab(Path("report"), STANDARD)  # doctest: +SKIP
>>> carry_out(find_experiments(["tradeoff"]), lab)  # doctest: +SKIP
"""

from impasto.experiments.inputs import Inputs
from impasto.experiments.lab import Lab
from impasto.experiments.model import (
    Cell,
    Check,
    Diagram,
    Experiment,
    Finding,
    Made,
    Outcome,
    Sheet,
    Verdict,
)
from impasto.experiments.presets import QUICK, REPORT, STANDARD, Preset
from impasto.experiments.registry import EXPERIMENTS, experiments_in, find_experiments
from impasto.experiments.runner import carry_out, run

__all__ = [
    "EXPERIMENTS",
    "QUICK",
    "REPORT",
    "STANDARD",
    "Cell",
    "Check",
    "Diagram",
    "Experiment",
    "Finding",
    "Inputs",
    "Lab",
    "Made",
    "Outcome",
    "Preset",
    "Sheet",
    "Verdict",
    "carry_out",
    "experiments_in",
    "find_experiments",
    "run",
]

"""An experiment of one's own: does total variation smooth?

impasto experiments run --from smoothing.py --preset quick
"""

from __future__ import annotations

from impasto.experiments import Cell, Check, Experiment, Finding, Lab
from impasto.ops.losses import total_variation


def measure(lab: Lab) -> Finding:
    """How rough the pictures are."""
    rough = {label: float(total_variation(made.image)) for label, made in lab.made.items()}
    return Finding({"roughness": rough["tv 0.1"] / rough["tv 0"]}, {"variation": rough})


smoothing = Experiment(
    name="smoothing",
    section="beyond the report",
    claim="Total variation smooths.",
    cells=lambda _: [Cell(f"tv {tv:g}", {"tv": tv}) for tv in (0.0, 0.1)],
    measure=measure,
    checks=(Check("roughness", "at most", 0.8, "variation with its weight over without"),),
)

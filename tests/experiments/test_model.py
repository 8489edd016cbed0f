"""Verdicts: the checks and nothing else."""

from __future__ import annotations

import math

import pytest

from impasto.experiments import EXPERIMENTS, Check, Experiment, Finding, Verdict

LOW = Check("a", "at most", 1.0, "")
HIGH = Check("b", "at least", 2.0, "")


def _experiment(*checks: Check) -> Experiment:
    return Experiment("x", "", "", measure=lambda _: Finding(), checks=checks)


@pytest.mark.parametrize(
    ("numbers", "verdict"),
    [
        ({"a": 1.0, "b": 2.0}, Verdict.BORNE_OUT),  # a bound itself counts for the claim
        ({"a": 1.0, "b": 1.9}, Verdict.PARTLY),
        ({"a": 1.1, "b": 2.0}, Verdict.PARTLY),
        ({"a": 1.1, "b": 1.9}, Verdict.NOT_BORNE_OUT),
        ({"a": 0.5, "b": math.nan}, Verdict.PARTLY),  # what was not tested was not borne out
        ({"a": math.nan, "b": math.nan}, Verdict.UNTESTED),
    ],
)
def test_a_verdict_is_what_the_checks_say(numbers, verdict):
    assert _experiment(LOW, HIGH).verdict(numbers) is verdict


def test_without_checks_there_is_no_claim():
    assert _experiment().verdict({"a": 1.0}) is Verdict.NO_CLAIM


@pytest.mark.parametrize("experiment", EXPERIMENTS.values(), ids=list(EXPERIMENTS))
def test_every_experiment_states_where_it_is_from_and_what_it_checks(experiment):
    assert experiment.name == experiment.name.lower()
    assert experiment.section
    assert experiment.claim.endswith(".")
    assert experiment.checks
    names = [check.name for check in experiment.checks]
    assert len(set(names)) == len(names)
    assert all(check.about for check in experiment.checks)


def test_every_row_of_the_report_is_there():
    assert list(EXPERIMENTS) == [
        *(
            "before",
            "architecture",
            "convolution",
            "pooling",
            "features",
            "reconstructions",
            "optimisers",
        ),
        *("tradeoff", "content-layer", "style-layer", "initialisation", "stripes", "seeds"),
        *("frames", "photorealistic", "restoration", "adversarial", "networks"),
    ]

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from impasto.experiments import Inputs, Lab, Preset

TINY = Preset(
    "tiny",
    size=32,
    steps=2,
    long_steps=3,
    trials=4,
    trial_size=48,
    trial_steps=2,
    attacks=1,
    bounds=(8,),
    attack_steps=1,
    frames=2,
)


@pytest.fixture
def inputs(photo: Path, painting: Path) -> Inputs:
    """48 x 40 and 56 x 44 pixels."""
    return Inputs(photograph=photo, painting=painting, photo=painting, dark=photo)


@pytest.fixture
def make_lab(inputs: Inputs, tmp_path: Path) -> Callable[..., Lab]:
    """A lab in a folder of its own, with the smallest preset there is."""

    def make(preset: Preset = TINY, **options) -> Lab:
        return Lab(tmp_path / "lab", preset, inputs, **options)

    return make


@pytest.fixture
def lab(make_lab: Callable[..., Lab]) -> Lab:
    return make_lab()

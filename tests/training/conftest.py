"""The tests of ``training/``: the folder lies beside ``src/`` and is not installed."""

import sys
from pathlib import Path

import pytest
import torch

sys.path.insert(0, str(Path(__file__).parents[2]))


@pytest.fixture
def generator() -> torch.Generator:
    return torch.Generator().manual_seed(0)

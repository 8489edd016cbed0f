"""These tests need the kernels, and so a compiler and a processor with a matrix unit."""

from __future__ import annotations

import pytest

from impasto import native

needs_kernels = pytest.mark.skipif(not native.are_available(), reason="no kernels on this machine")


def pytest_collection_modifyitems(items):
    for item in items:
        if "native" in item.path.parts and item.path.name != "test_library.py":
            item.add_marker(needs_kernels)

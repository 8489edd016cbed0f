"""A sheet of made pictures: two items, three contenders."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from PIL import Image

COLORS = {"good": "red", "plain": "green", "poor": "blue"}


@pytest.fixture
def sheet(tmp_path: Path) -> Path:
    """The manifest; its pictures lie beside it and are of one colour each."""
    items = []
    for place, (width, height) in enumerate([(48, 40), (40, 60)]):
        for role, color in {"content": "white", "style": "black", **COLORS}.items():
            Image.new("RGB", (width, height), color).save(tmp_path / f"{role}{place}.png")
        results = {name: f"{name}{place}.png" for name in COLORS}
        item = {"content": f"content{place}.png", "style": f"style{place}.png", "results": results}
        items.append(item)
    path = tmp_path / "sheet.json"
    path.write_text(json.dumps({"items": items}))
    return path

"""The record's file; what stands in it is tested with the library (tests/test_api.py)."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest

from impasto.files.records.write import record_path, write_record


def test_a_record_lies_beside_its_picture():
    assert record_path(Path("a/b/photo+painting.v2.png")) == Path("a/b/photo+painting.v2.json")


def test_a_record_is_plain_json(tmp_path):
    record = {"schema": 1, "name": "Füßli – ink.png", "losses": [{"step": 0, "total": 1e-30}]}
    path = tmp_path / "out.json"
    write_record(record, path)
    assert json.loads(path.read_text(encoding="utf-8")) == record


def test_what_is_no_json_leaves_nothing_behind(tmp_path):
    with pytest.raises(ValueError, match="JSON"):
        write_record({"loss": math.nan}, tmp_path / "out.json")
    assert list(tmp_path.iterdir()) == []

"""Pictures of the README and of the page on faults stand beside the commands that made them."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def _examples():
    path = ROOT / "examples" / "pictures.py"
    spec = importlib.util.spec_from_file_location("pictures", path)
    module = importlib.util.module_from_spec(spec)
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(__import__("sys").modules, "pictures", module)
        spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(
    ("page", "folder", "which"),
    [("README.md", "docs/images/things", "THINGS"), ("docs/faults.md", "images/faults", "FAULTS")],
)
def test_each_picture_beside_its_commands(page, folder, which):
    pytest.importorskip("skimage")
    text = (ROOT / page).read_text(encoding="utf-8")
    cells = {
        match[1]: match[2] for match in re.finditer(rf"\({folder}/(\w+)\.jpg\)([^|]*)\|", text)
    }
    examples = getattr(_examples(), which)
    assert set(cells) == {each.name for each in examples}
    for each in examples:
        commands = re.findall(r"`(impasto [^`]*)`", cells[each.name])
        assert tuple(commands) == each.commands
        assert ((ROOT / page).parent / folder / f"{each.name}.jpg").is_file()

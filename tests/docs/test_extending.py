"""The documentation's examples run as they stand."""

import re
from pathlib import Path

import pytest

import impasto

PAGE = Path(__file__).resolve().parents[2] / "docs" / "extending.md"
EXAMPLES = re.findall(r"## ([^\n]+)\n.*?```python\n(.*?)```", PAGE.read_text(), flags=re.DOTALL)


@pytest.mark.parametrize(("title", "code"), EXAMPLES, ids=[title for title, _ in EXAMPLES])
def test_an_example_runs(title, code, photo, painting, monkeypatch):
    monkeypatch.chdir(photo.parent)
    results = []

    def quick(*pictures, **options):
        results.append(stylize(*pictures, size=40, steps=(3,), scales=1, **options))
        return results[-1]

    stylize = impasto.stylize
    monkeypatch.setattr(impasto, "stylize", quick, raising=False)
    code = code.replace("photo.jpg", photo.name).replace("painting.jpg", painting.name)
    exec(code, {"impasto": impasto})
    record = results[0].record
    assert record["losses"][-1]["total"] < record["losses"][0]["total"]


def test_there_are_three():
    assert len(EXAMPLES) == 3

"""The documentation's examples run as they stand."""

import re
from pathlib import Path

import pytest

import impasto

PAGE = Path(__file__).resolve().parents[2] / "docs" / "extending.md"
SECTIONS = re.split(r"^## ", PAGE.read_text(), flags=re.MULTILINE)[1:]
EXAMPLES = [
    (f"{section.partition(chr(10))[0]} {number}", code)
    for section in SECTIONS
    for number, code in enumerate(re.findall(r"```python\n(.*?)```", section, flags=re.DOTALL), 1)
]


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


def test_there_are_five():
    assert len(EXAMPLES) == 5

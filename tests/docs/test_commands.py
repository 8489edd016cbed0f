"""The command lines of README.md and docs/: each is understood, and they go together."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from impasto.cli.app import app

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


def _blocks(page: Path) -> list[list[list[str]]]:
    """Words of each line that begins with impasto, block by block; a table's cells are a block."""
    text = page.read_text(encoding="utf-8")
    blocks = re.findall(r"^```(?:sh)?\n(.*?)^```", text, re.M | re.S)
    joined = [block.replace("\\\n", " ") for block in blocks]
    rows = "\n".join(re.findall(r"^\|.*\|$", text, re.M))
    cells = re.findall(r"`(impasto \w+ [^`|]*\.[^`|]*)`", rows)
    joined.append("\n".join(dict.fromkeys(cells)))
    return [
        [
            shlex.split(line, comments=True)
            for line in block.splitlines()
            if line.startswith("impasto ")
        ]
        for block in joined
    ]


COMMANDS = [
    pytest.param(words, id=f"{page.stem}: {' '.join(words)}")
    for page in PAGES
    for block in _blocks(page)
    for words in block
]


@pytest.mark.parametrize("words", COMMANDS)
def test_every_line_is_understood(words):
    command, bound, *_ = app.parse_args(words[1:], exit_on_error=False, print_error=False)
    assert command is not None
    assert bound.arguments or words[1:] in (
        ["experiments", "list"],
        ["models", "list"],
        ["studio"],
    )


def test_lines_of_the_readme_do_not_stand_in_each_other_s_way():
    """What one line writes, the next must not find in its place."""
    lines = [words for block in _blocks(PAGES[0]) for words in block if words[1] == "stylize"]
    outputs = []
    for words in lines:
        if "-o" in words:
            outputs.append(words[words.index("-o") + 1])
        else:
            names = [Path(word).stem for word in words[2:] if word.endswith(".jpg")]
            outputs.append(f"{'+'.join(names)}{'.crop' * ('--crop-preview' in words)}.png")
    assert len(outputs) > 5
    assert len(set(outputs)) == len(outputs)

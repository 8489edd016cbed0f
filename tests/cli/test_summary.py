"""impasto summary: the report's figure 6."""

from __future__ import annotations

import pytest

from impasto.cli import main


def _printed(capsys, *words: str) -> list[list[str]]:
    assert main(["summary", *words]) == 0
    lines = capsys.readouterr().out.splitlines()
    return [[cell.strip() for cell in line.strip("│┃|").split("│")] for line in lines]


@pytest.fixture(autouse=True)
def wide(monkeypatch):
    monkeypatch.setenv("COLUMNS", "120")


def test_figure_6(capsys):
    rows = _printed(capsys)
    table = {row[0]: row[1:] for row in rows if len(row) == 5}
    assert table["conv1_1"] == ["224 x 224 x 64", "1,792", "3", "86,704,128"]
    assert table["conv5_1"][1:3] == ["2,359,808", "156"]
    assert table["fc1"][1:3] == ["102,764,544", "all"]
    assert any("143,667,240" in " ".join(row) for row in rows)


def test_the_compact_network_at_another_size(capsys):
    rows = _printed(capsys, "compact", "--size", "512")
    names = [row[0] for row in rows]
    assert "conv5_1" in names
    assert "fc1" not in names
    assert any(row[:2] == ["conv1_1", "512 x 512 x 16"] for row in rows)


@pytest.mark.parametrize(("words", "sentence"), [
    (["resnet"], "choose from vgg19, compact"),
    (["vgg19", "--size", "31"], "at least 32"),
])  # fmt: skip
def test_mistakes(words, sentence, capsys):
    assert main(["summary", *words]) == 2
    printed = capsys.readouterr()
    assert sentence in printed.err
    assert printed.err.count("\n") == 1
    assert printed.out == ""

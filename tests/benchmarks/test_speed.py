import json

import pytest
import torch

from benchmarks import speed
from benchmarks.floor import LAYOUTS, bare_convolution, convolutions, operations
from benchmarks.page import put
from benchmarks.textbook import gatys


@pytest.fixture
def small(monkeypatch):
    """Two narrow networks in place of the full widths, and a small matrix for the peak."""
    monkeypatch.setattr(speed, "PEAK_SIDES", (64,))
    monkeypatch.setattr(speed, "WIDTHS", {"compact": speed.COMPACT_WIDTHS})
    network = speed.load_network(speed.Recipe()).network
    monkeypatch.setattr(speed, "networks", lambda: {"compact": network})


@pytest.mark.usefixtures("small")
def test_prints_a_table_and_writes_what_is_asked(tmp_path, capsys):
    out = tmp_path / "speed.json"
    page = tmp_path / "page.md"
    page.write_text("Before.\n\n<!-- speed -->\nAn old table.\n<!-- /speed -->\n\nAfter.\n")
    speed.main(["--sizes", "32", "--repeats", "1", "--out", str(out), "--page", str(page)])
    printed = capsys.readouterr().out
    assert "| compact | 32 | impasto fp32 |" in printed
    assert page.read_text() == (
        f"Before.\n\n<!-- speed -->\n{printed.strip()}\n<!-- /speed -->\n\nAfter.\n"
    )
    assert "threads" in printed
    rows = json.loads(out.read_text())["rows"]
    assert {"textbook", "floor, best of all"} <= {row["contender"] for row in rows}
    assert all(row["seconds"] > 0 and row["of_peak"] > 0 for row in rows)


def test_the_steps_of_the_engine_are_real_and_their_history_is_full():
    network = speed.load_network(speed.Recipe()).network
    engine = speed.Engine(network, 32, "fp32", **speed.EQ5)
    losses = []
    for _ in range(6):
        engine()
        state = engine._optimizer.state_dict()
        losses += state["losses"][-1:]
    assert losses[-1] < losses[0]
    assert len(state["places"]) == speed.Recipe().history
    assert engine.evaluations >= 1


def test_the_textbook_loop_goes_down():
    content, style = speed.pictures(32)
    loop = gatys((4, 4, 8, 8, 8), content, style, average=True)
    losses = [next(loop) for _ in range(12)]
    assert losses[-1] < losses[0]


def test_the_floor_counts_the_convolutions_of_the_topology():
    found = convolutions(speed.VGG19_WIDTHS, 512)
    assert sum(found.values()) == 13
    assert found[256, 256, 128] == 3
    macs = sum(9 * i * o * side**2 * n for (i, o, side), n in found.items())
    assert operations(speed.VGG19_WIDTHS, 512) == 4 * macs


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_bare_convolution_goes_back_to_its_input_only(layout):
    gradient = bare_convolution((3, 4, 8), torch.float32, layout)()
    assert gradient.shape == (1, 3, 8, 8)


def test_a_page_without_a_place_for_the_table_is_left_alone(tmp_path):
    page = tmp_path / "page.md"
    for text in ("Nothing.", "<!-- speed -->\nNo end."):
        page.write_text(text)
        with pytest.raises(ValueError, match="speed"):
            put(page, "speed", "A table.")
        assert page.read_text() == text

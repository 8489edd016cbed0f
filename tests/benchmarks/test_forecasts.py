import json
import sys

import pytest

from benchmarks import forecasts, memory


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_a_run_is_told_its_time_and_memory(tmp_path, monkeypatch, capsys):
    out, page = tmp_path / "told.json", tmp_path / "page.md"
    page.write_text("<!-- forecasts -->\n<!-- /forecasts -->\n")
    options = json.dumps({"steps": [30], "scales": 1, "threads": 1})
    words = ["--sizes", "160", "--options", options, "--out", str(out), "--page", str(page)]
    monkeypatch.setattr(sys, "argv", ["forecasts", *words])
    forecasts.main()
    (told,) = json.loads(out.read_text())
    assert 50e6 < told["peak"] < 2e9
    assert 0 < told["before"] < 600
    assert 0 < told["seconds"] < 600
    assert told["early"] is None or told["early"] > 0
    assert "| 160 |" in page.read_text()
    assert page.read_text().splitlines()[1] in capsys.readouterr().out


def test_the_plot_has_a_line_for_each_kind():
    case = memory.Case((1000, 1000), "whole")
    peak = memory.Peak(case, None, False, 10**9, 0, 1e9, 1.0)
    tiled = memory.Peak(memory.Case((2000, 1000), "tiles"), 512, False, 10**9, 0, 1e9, 1.0)
    plot = memory.plot([peak, tiled])
    assert [each.name for each in plot.series] == ["lbfgs, whole", "lbfgs, tiles"]
    assert plot.series[1].points == [(2.0, 1.0)]

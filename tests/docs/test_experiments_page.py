"""The committed page of the experiments, as files and in a real browser."""

from __future__ import annotations

import csv
import http.server
import re
import shutil
import subprocess
import threading
from functools import partial
from pathlib import Path

import pytest

from impasto.experiments import EXPERIMENTS, Verdict

PAGE = Path(__file__).resolve().parents[2] / "docs" / "experiments" / "index.html"
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome")


def test_the_page_has_every_experiment_and_is_small():
    page = PAGE.read_text(encoding="utf-8")
    assert [name for name in EXPERIMENTS if f'<h2 id="{name}">' not in page] == []
    files = [path for path in PAGE.parent.rglob("*") if path.is_file()]
    assert sum(path.stat().st_size for path in files) < 6_000_000
    claims = list(csv.DictReader((PAGE.parent / "claims.csv").open(encoding="utf-8")))
    assert [row["experiment"] for row in claims] == list(EXPERIMENTS)
    assert {row["verdict"] for row in claims} <= {verdict.value for verdict in Verdict}


def test_the_documentation_tells_the_verdicts_of_the_page():
    text = (PAGE.parent.parent / "experiments.md").read_text(encoding="utf-8")
    told = re.findall(r"^\| `([a-z-]+)` \| ([a-z ]+) \|", text, flags=re.MULTILINE)
    claims = csv.DictReader((PAGE.parent / "claims.csv").open(encoding="utf-8"))
    assert [row for row in told if row[0] in EXPERIMENTS] == [
        (row["experiment"], row["verdict"]) for row in claims
    ]


def test_the_page_states_the_thresholds_of_the_code():
    """A threshold that was changed after the run would stand here with another number."""
    for experiment in EXPERIMENTS.values():
        path = PAGE.parent / experiment.name / "numbers.csv"
        rows = {row["number"]: row for row in csv.DictReader(path.open(encoding="utf-8"))}
        for check in experiment.checks:
            assert rows[check.name]["asked for"] == f"{check.relation} {check.bound:.4g}"


def test_every_picture_of_the_page_loads_and_nothing_is_fetched(tmp_path):
    browser = next(filter(None, map(shutil.which, BROWSERS)), None)
    if browser is None:
        pytest.skip("there is no Chromium on this machine")
    asked: list[str] = []
    script = (
        "<script>addEventListener('load', () => { const all = [...document.images];"
        "document.body.dataset.loaded = all.filter(i => i.complete && i.naturalWidth > 1).length;"
        "document.body.dataset.fetched = performance.getEntriesByType('resource')"
        ".filter(e => !e.name.startsWith('data:')).length; });</script>"
    )
    page = PAGE.read_text(encoding="utf-8")
    (tmp_path / "index.html").write_text(page + script, encoding="utf-8")

    class Handler(http.server.SimpleHTTPRequestHandler):
        def do_GET(self):
            asked.append(self.path)
            super().do_GET()

        def log_message(self, *_):
            pass

    with http.server.ThreadingHTTPServer(
        ("127.0.0.1", 0), partial(Handler, directory=tmp_path)
    ) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        words = [browser, "--headless", "--no-sandbox", "--disable-gpu", "--dump-dom"]
        words += [f"--user-data-dir={tmp_path / 'profile'}", "--virtual-time-budget=20000"]
        address = f"http://127.0.0.1:{server.server_port}/index.html"
        run = subprocess.run(
            [*words, address], capture_output=True, text=True, timeout=120, check=False
        )
        server.shutdown()
    body = re.search(r"<body[^>]*>", run.stdout)
    assert body, run.stderr[-2000:]
    assert int(re.search(r'data-loaded="(\d+)"', body[0])[1]) == page.count("<img ") > 10
    assert int(re.search(r'data-fetched="(\d+)"', body[0])[1]) == 0
    assert set(asked) <= {"/index.html", "/favicon.ico"}

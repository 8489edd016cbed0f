"""The documentation site: built without a warning, and opened in a browser that reaches nothing."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGES = ("index", "recipes", "faults", "films", "api", "performance", "reliability")


@pytest.fixture(scope="module")
def site(tmp_path_factory) -> Path:
    for name in ("sphinx", "myst_parser", "furo"):
        pytest.importorskip(name, reason="make docs installs what the site needs")
    out = tmp_path_factory.mktemp("site")
    words = ["-W", "--keep-going", "-q", "-b", "html", "-d", str(out / "trees")]
    done = subprocess.run(
        [sys.executable, "-m", "sphinx", *words, str(ROOT / "docs"), str(out / "html")],
        check=False,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    return out / "html"


@pytest.mark.alone
def test_the_site_in_a_browser(site, chromium):
    page = chromium.new_page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    for name in PAGES:
        page.goto((site / f"{name}.html").as_uri())
        assert page.locator("h1").count() == 1
        broken = "images => images.filter(i => i.complete && !i.naturalWidth).length"
        assert page.eval_on_selector_all("img", broken) == 0
    assert all(url.startswith(("file:", "data:")) for url in asked)
    assert page.goto((site / "experiments" / "index.html").as_uri())
    page.close()


@pytest.mark.alone
def test_every_option_stands_in_the_reference(site):
    text = (site / "api.html").read_text(encoding="utf-8")
    for name in ("impasto.stylize", "impasto.texture", "impasto.Recipe", "impasto.reproduce"):
        assert f'id="{name}"' in text

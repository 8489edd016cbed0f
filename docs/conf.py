"""The documentation site: `make docs` builds it from this folder, warnings are errors."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

from sphinx.application import Sphinx

from impasto import __version__

project = "impasto"
author = "The impasto authors"
copyright = "The impasto authors"
release = __version__
extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
myst_heading_anchors = 3
html_theme = "furo"
html_title = "impasto"
html_static_path: list[str] = []
html_copy_source = False
html_show_sphinx = False
autodoc_typehints = "description"
autodoc_typehints_description_target = "documented"
autodoc_member_order = "bysource"
exclude_patterns = ["_build", "experiments/**", "look/**"]
OUTSIDE = re.compile(r"\[([^\]]+)\]\(\.\./[^)]+\)")


def without_links_outside(_: Sphinx, __: str, source: list[str]) -> None:
    """Links into the repository become words: the site holds this folder alone."""
    source[0] = OUTSIDE.sub(r"\1", source[0])


def copy_report(app: Sphinx, error: Exception | None) -> None:
    """The report's page is a page by itself, and lies beside the others."""
    if error is None and app.builder.format == "html":
        source, target = Path(app.srcdir) / "experiments", Path(app.outdir) / "experiments"
        shutil.copytree(source, target, dirs_exist_ok=True)


def setup(app: Sphinx) -> None:
    """Called by Sphinx."""
    app.connect("source-read", without_links_outside)
    app.connect("build-finished", copy_report)

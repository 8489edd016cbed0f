"""The links and pictures of every page, without a network."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import unquote

import pytest

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = ("docs", "training", "LICENSES", "examples", "benchmarks", "src")
PAGES = sorted(ROOT.glob("*.md")) + [
    page for folder in FOLDERS for page in sorted((ROOT / folder).rglob("*.md"))
]
FENCE = re.compile(r"^(```+|~~~+).*?^\1[ \t]*$", re.M | re.S)
CODE = re.compile(r"(`+)(?!`).*?(?<!`)\1(?!`)", re.S)
LINK = re.compile(r"(!?)\[(?:[^\[\]]|\[[^\]]*\])*\]\(\s*<?([^)>\s]+)>?(?:\s+\"[^\"]*\")?\s*\)")
REFERENCE = re.compile(r"^ {0,3}\[[^\]]+\]:\s*<?([^>\s]+)", re.M)
HTML = re.compile(r"<(img|a)\b[^>]*?\b(?:src|href)\s*=\s*[\"']([^\"']+)", re.I)
HEADING = re.compile(r"^#{1,6}[ \t]+(.*?)[ \t#]*$", re.M)
ELSEWHERE = re.compile(r"[a-z][a-z0-9+.-]*:|//", re.I)
SOURCE = re.compile(r"(?:src/impasto/)?((?:[\w-]+/)+[\w-]+\.(?:py|c|h|ipynb))(?:::\w+)?")
MAKES_IT = re.compile(r"\bimpasto |python -m|\bmake |\bexamples/")


def _prose(text: str) -> str:
    """The page without its code, in which brackets are no links."""
    return CODE.sub("", FENCE.sub("", text))


def links(text: str) -> list[str]:
    """The relative addresses of a page's links and pictures."""
    prose = _prose(text)
    targets = [match[2] for match in LINK.finditer(prose)]
    targets += [match[1] for match in REFERENCE.finditer(prose)]
    targets += [match[2] for match in HTML.finditer(prose)]
    return [target for target in targets if not ELSEWHERE.match(target)]


def files_named(text: str) -> list[str]:
    """The paths of source files in a page's code spans, such as ``engine/run.py``."""
    spans = [match[0].strip("` ") for match in CODE.finditer(FENCE.sub("", text))]
    return [match[1] for span in spans if (match := SOURCE.fullmatch(span))]


def anchors(text: str) -> set[str]:
    """The anchors of a page's headings as GitHub and MyST name them; repeats are numbered."""
    names: set[str] = set()
    for match in HEADING.finditer(FENCE.sub("", text)):
        title = re.sub(r"!?\[([^\]]*)\]\([^)]*\)", r"\1", match[1])
        slug = re.sub(r"[^\w\- ]", "", title.strip().lower()).replace(" ", "-")
        number = 0
        while (name := f"{slug}-{number}" if number else slug) in names:
            number += 1
        names.add(name)
    return names


def broken(page: Path, text: str) -> list[str]:
    """The relative links of a page that lead nowhere."""
    missing = []
    for target in links(text):
        name, _, anchor = unquote(target).partition("#")
        file = page.parent / name if name else page
        if not file.exists():
            missing.append(target)
        elif anchor and file.suffix == ".md":
            there = file.read_text(encoding="utf-8") if name else text
            if anchor not in anchors(there):
                missing.append(target)
    return missing


def unexplained(text: str) -> list[str]:
    """The pictures of a page with no command or script in their paragraph or one beside it."""
    whole = FENCE.sub(lambda match: re.sub(r"\n\s*\n", "\n", match[0]), text)
    paragraphs = [part for part in re.split(r"\n\s*\n", whole) if part.strip()]
    missing = []
    for number, paragraph in enumerate(paragraphs):
        prose = _prose(paragraph)
        pictures = [match[2] for match in LINK.finditer(prose) if match[1]]
        pictures += [match[2] for match in HTML.finditer(prose) if match[1].lower() == "img"]
        near = "\n\n".join(paragraphs[max(0, number - 1) : number + 2])
        code = [match[0] for pattern in (FENCE, CODE) for match in pattern.finditer(near)]
        if pictures and not any(MAKES_IT.search(piece) for piece in code):
            missing += pictures
    return missing


def _named(page: Path) -> str:
    return str(page.relative_to(ROOT))


@pytest.mark.parametrize("page", PAGES, ids=_named)
def test_every_relative_link_points_to_something(page):
    assert broken(page, page.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize("page", PAGES, ids=_named)
def test_every_picture_says_what_made_it(page):
    assert unexplained(page.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize("page", PAGES, ids=_named)
def test_every_source_file_that_is_named_exists(page):
    named = files_named(page.read_text(encoding="utf-8"))
    assert [
        name
        for name in named
        if not any((folder / name).is_file() for folder in (ROOT, ROOT / "src" / "impasto"))
    ] == []


def test_pages_with_links_and_pictures_are_among_them():
    texts = {page.name: page.read_text(encoding="utf-8") for page in PAGES}
    assert {"README.md", "CHANGELOG.md", "index.md", "performance.md"} <= texts.keys()
    assert sum(len(links(text)) for text in texts.values()) > 50
    assert sum(len(files_named(text)) for text in texts.values()) > 20


def test_what_a_broken_link_is(tmp_path):
    page = tmp_path / "page.md"
    (tmp_path / "other.md").write_text("# One\n\n## The `name`, twice\n\n## Twice\n\n## Twice\n")
    text = """# Here

[a](other.md) [b](other.md#the-name-twice) [c](other.md#twice-1) [d](#here) [e](https://x.org/y)
[f](missing.md) [g](other.md#three) [h](#there) ![i](missing.png "title") `[j](code.md)`

[k]: gone.md

```
[l](fenced.md)
# Fenced
```

<img src="lost.png"> [m [n]](inner.md) [o](#fenced)
"""
    page.write_text(text)
    missing = {"missing.md", "other.md#three", "#there", "missing.png"}
    assert set(broken(page, text)) == missing | {"gone.md", "lost.png", "inner.md", "#fenced"}


@pytest.mark.parametrize(
    ("text", "missing"),
    [
        ("![a](a.png)\n\nMade by `impasto stylize a b`.", []),
        ("`python -m benchmarks.x` draws:\n\n![a](a.png)", []),
        ("![a](a.png)\n*By `examples/strips.py`.*", []),
        ("```sh\nmake demo\n\n# it\n```\n\n![a](a.png)", []),
        ("![a](a.png)\n\nBy impasto stylize, with no code span.", ["a.png"]),
        ("`impasto show a`\n\nSome words.\n\n![a](a.png)", ["a.png"]),
        ('<img src="a.png">\n\nA picture of `--strength`.', ["a.png"]),
    ],
)
def test_what_says_how_a_picture_was_made(text, missing):
    assert unexplained(text) == missing

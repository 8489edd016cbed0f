"""Painting before neural networks: strokes and filters, as the report's section 1.1 tells of them.

No network and no optimisation: :mod:`~impasto.painters.strokes` lays brush strokes, coarse to fine
(Hertzmann 1998), which :mod:`~impasto.painters.moving` carries along a film and
:mod:`~impasto.painters.portrait` along the parts of a face; :mod:`~impasto.painters.mosaic` has
stipples and tiles; :mod:`~impasto.painters.filters` the filters of non-photorealistic rendering;
:mod:`~impasto.painters.regions` and :mod:`~impasto.painters.analogy` take after a painting.
"""

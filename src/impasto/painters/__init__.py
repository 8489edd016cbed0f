"""Painting before neural networks: strokes and filters, as the report's section 1.1 tells of them.

No network and no optimisation: :mod:`~impasto.painters.strokes` lays brush strokes, coarse to fine
(Hertzmann 1998); :mod:`~impasto.painters.filters` has the filters of non-photorealistic rendering.
"""

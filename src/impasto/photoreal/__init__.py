"""Photorealistic transfer: a photograph in another's light and colours, and still a photograph.

The picture is a locally affine change of the photograph's colours, so that no line can bend and no
grain appear; :func:`impasto.photoreal.fit.fit_grid` finds it, :mod:`impasto.photoreal.restoration`
brightens dark photographs.
"""

from impasto.photoreal.change import Change
from impasto.photoreal.fit import Settings, State, fit_grid
from impasto.photoreal.restoration import restore

__all__ = ["Change", "Settings", "State", "fit_grid", "restore"]

"""Lithium in a plane as a picture: colours of stoichiometries on the grey of the other phases."""

from __future__ import annotations

import matplotlib
import numpy as np
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from numpy.typing import NDArray

from ...microstructure import Microstructure
from .drawing import mid_slice

__all__ = ["lithium_picture", "lithium_shades"]

_SOLID, _PORE = 0.55, 0.9  # greys of what holds no lithium
_LITHIUM = "viridis"


def lithium_shades(planes: NDArray) -> ScalarMappable:
    """Return the colours of all planes of a discharge."""
    planes = np.asarray(planes, np.float32)
    low, high = float(np.nanmin(planes)), float(np.nanmax(planes))
    low, high = max(low, 0.0), min(high, 1.0)
    return ScalarMappable(Normalize(low, max(high, low + 1e-3)), matplotlib.colormaps[_LITHIUM])


def lithium_picture(
    plane: NDArray, micro: Microstructure, shades: ScalarMappable, active: str
) -> NDArray[np.float64]:
    """Return stoichiometries in the middle plane across y as colours, on the other phases."""
    labels, _, _ = mid_slice(micro, 1)
    # Binder and the like in a darker grey than pores; so is active material that takes no part.
    pore = max(micro.phase_names, key=lambda name: "pore" in name or "electrolyte" in name)
    behind = np.where(labels == micro.label(pore), _PORE, _SOLID)
    behind[labels == micro.label(active)] = _SOLID - 0.2
    colours = np.repeat(behind[..., None], 3, axis=2)
    there = np.isfinite(plane)
    colours[there] = shades.to_rgba(np.asarray(plane, float)[there])[:, :3]
    return np.asarray(colours)

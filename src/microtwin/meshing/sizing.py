"""How large the elements are where: fine at the interfaces, coarse inside the phases."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from ..numerics.threads import even_shares, over_slabs
from .field_kernels import Fields
from .lattice import COARSEST, balanced_levels
from .lattice_kernels import mark_cells

__all__ = ["octree_levels"]


def octree_levels(
    fields: Fields, mixed: NDArray[np.bool_], size: float, coarsest: float
) -> NDArray[np.uint8]:
    """Return the levels of the octree: 0 at the interfaces, higher ones inside the phases.

    Parameters
    ----------
    fields : Fields
    mixed : ndarray of bool, shape (nz, ny, nx)
        Samples around which more than one phase wins.
    size : float
        Edge of the finest cubes, in units of length; changed so that whole cubes fill the box.
    coarsest : float
        Edge that no cube may exceed.

    Returns
    -------
    ndarray of uint8, shape (mz, my, mx)
        Level of the leaf that each finest cell belongs to.
    """
    extent = fields.steps * mixed.shape
    shape = tuple(max(1, round(length / size)) for length in extent)
    highest = max(0, min(COARSEST, math.floor(math.log2(coarsest / size) + 1e-9)))
    wish = np.empty(shape, np.uint8)
    cells_per_sample = np.array(shape) / mixed.shape
    over_slabs(mark_cells, even_shares(shape[0]), mixed, cells_per_sample, highest, wish)
    return balanced_levels(wish)

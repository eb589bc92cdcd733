"""How large the elements are where: fine at the interfaces, coarse inside the phases."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from ..numerics.threads import even_shares, over_slabs
from .field_kernels import Fields
from .lattice import COARSEST, balanced_levels
from .lattice_kernels import mark_cells

__all__ = ["octree_levels"]


def octree_levels(
    fields: Fields,
    mixed: NDArray[np.bool_],
    size: float,
    coarsest: float,
    thin: NDArray[np.bool_] | None = None,
) -> NDArray[np.uint8]:
    """Return the levels of the octree: low at the interfaces, higher inside the phases.

    Parameters
    ----------
    fields : Fields
    mixed : ndarray of bool, shape (nz, ny, nx)
        Samples around which more than one phase wins.
    size : float
        Edge of the cubes at interfaces, in units of length; changed so that whole cubes fill the
        box.
    coarsest : float
        Edge that no cube may exceed.
    thin : ndarray of bool, shape (nz, ny, nx), optional
        Samples at which cubes must not be larger than 1, whatever their size elsewhere.

    Returns
    -------
    ndarray of uint8, shape (mz, my, mx)
        Level of the leaf that each finest cell belongs to.
    """
    extent = fields.steps * mixed.shape
    finer = 0
    if thin is not None and thin.any():
        finer = max(0, math.ceil(math.log2(size) - 1e-9))
    # Whole cubes at interfaces, so that elements there do not depend on necks elsewhere.
    shape = tuple(max(1, round(length / size)) * 2**finer for length in extent)
    highest = max(0, min(COARSEST - finer, math.floor(math.log2(coarsest / size) + 1e-9)))
    wish = np.empty(shape, np.uint8)
    per_sample = np.array(shape) / mixed.shape
    levels = (finer, finer + highest)
    over_slabs(mark_cells, even_shares(shape[0]), mixed, per_sample, *levels, wish)
    if finer:
        assert thin is not None
        close = np.empty(shape, np.uint8)
        near = ndimage.binary_dilation(thin, np.ones((3, 3, 3)))
        over_slabs(mark_cells, even_shares(shape[0]), near, per_sample, 0, levels[1], close)
        np.minimum(wish, close, out=wish)
    return balanced_levels(wish)

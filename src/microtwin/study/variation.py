"""Exchange current densities of a study that vary in space, the same ones on larger voxels."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..microstructure import Microstructure

__all__ = ["block_means", "varied"]


def varied(micro: Microstructure, part: Mapping[str, Any] | None) -> NDArray[np.float64] | None:
    """Return the factor on the exchange current density of each voxel, of mean 1; None without."""
    from ..electrochemistry import random_exchange_current

    if part is None:
        return None
    length, seed = part["correlation_length"], part["seed"]
    return random_exchange_current(micro, 1.0, part["deviation"], length, seed)


def block_means(field: NDArray[np.float64] | None) -> NDArray[np.float64] | None:
    """Return a field on voxels twice as large: the same field, not another one."""
    if field is None:
        return None
    nz, ny, nx = (n // 2 for n in field.shape)
    blocks = field[: 2 * nz, : 2 * ny, : 2 * nx].reshape(nz, 2, ny, 2, nx, 2)
    return np.asarray(blocks.mean(axis=(1, 3, 5)))

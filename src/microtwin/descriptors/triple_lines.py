"""Length of the lines where three phases meet: where reactions that need all three take place."""

from __future__ import annotations

from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from ..geometry.crossings import plane_cells, plane_spacings
from ..geometry.orientation import DIRECTIONS, area_from_projections
from ..geometry.surface import measured_volume
from ..microstructure import Microstructure
from ..numerics.threads import even_shares, over_slabs
from . import triple_kernels as kernels

__all__ = ["triple_line_density"]


def triple_line_density(
    micro: Microstructure, periodic: bool = False
) -> dict[tuple[str, str, str], float]:
    """Return the length of triple lines per volume of the image, for each three phases.

    A line of direction t pierces planes across the unit vector u, a distance d apart, in N points,
    and N d is the integral of abs(t . u) along it. Triple points are counted in the squares,
    rectangles and triangles of voxel centres on the planes across the 13 lattice directions, and
    the length follows from the 13 numbers as an area does from its projections (L_V = 2 P_A for
    lines of all directions, E. E. Underwood, Quantitative Stereology, 1970). Steps of the voxels
    do not lengthen the line.

    Parameters
    ----------
    micro : Microstructure
    periodic : bool
        Whether the image continues across its outer faces; if not, lines are measured between
        the outermost voxel centres.

    Returns
    -------
    dict of (str, str, str) to float
        In 1/m^2, for each three names in the order of the phases; empty for two phases.
    """
    reciprocal, spacing = plane_spacings(micro.voxel_size)
    volume = measured_volume(micro, periodic)
    lengths = {}
    for names in combinations(micro.phase_names, 3):
        projected = _triple_points(micro, names, periodic) * spacing
        lengths[names] = area_from_projections(projected, reciprocal) / volume
    return lengths


def _triple_points(
    micro: Microstructure, names: tuple[str, str, str], periodic: bool
) -> NDArray[np.float64]:
    """Count the points where three phases meet on the planes across each direction, (13,)."""
    bit = np.full(256, 8, np.uint8)
    for i, name in enumerate(names):
        bit[micro.label(name)] = 1 << i
    cells, shares, families = [], [], []
    for k, normal in enumerate(DIRECTIONS):
        for share, corners in plane_cells(normal):
            cells.append([*corners, corners[-1]][:4])
            shares.append(share)
            families.append(k)
    layers = micro.shape[0] - (not periodic)
    counts = np.zeros((layers, len(DIRECTIONS)))
    over_slabs(
        kernels.count_triple_points,
        even_shares(layers),
        micro.labels,
        bit,
        periodic,
        np.array(cells),
        np.array(shares),
        np.array(families),
        counts,
    )
    return np.asarray(counts.sum(axis=0))

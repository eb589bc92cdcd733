"""How often lattice lines cross the boundary of a set of voxels, from 2x2x2 configurations.

Every cube of 2x2x2 voxel centres shows one of 256 patterns of inside and outside. The histogram
of patterns holds all that is needed: a table tells for each pattern how many of the lines that
join its corners cross the boundary, for each of the 13 directions.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from functools import lru_cache

import numpy as np
from numba import njit, prange
from numpy.typing import NDArray

from ..microstructure import Microstructure
from .orientation import DIRECTIONS

__all__ = [
    "configuration_histogram",
    "euler_number",
    "phase_histogram",
    "plane_cells",
    "plane_spacings",
    "projected_areas",
    "section_euler_numbers",
]

CORNERS = tuple(itertools.product((0, 1), repeat=3))


def configuration_histogram(
    labels: NDArray[np.uint8], member: NDArray[np.bool_], periodic: bool
) -> NDArray[np.int64]:
    """Count the 2x2x2 configurations of a set of labels.

    Parameters
    ----------
    labels : ndarray of uint8, shape (nz, ny, nx)
    member : ndarray of bool, shape (256,)
        Whether a label belongs to the set.
    periodic : bool
        Whether cubes reach across the outer faces to the opposite side. Otherwise only the
        (nz - 1)(ny - 1)(nx - 1) cubes inside the image count.

    Returns
    -------
    ndarray of int64, shape (256,)
        Corner (dz, dy, dx) of a cube is bit dz + 2 dy + 4 dx of its configuration.
    """
    return np.asarray(_histogram(labels, member, periodic).sum(axis=0))


def phase_histogram(
    micro: Microstructure, phases: Iterable[str], periodic: bool
) -> NDArray[np.int64]:
    """Count the 2x2x2 configurations of some phases taken together.

    Raises
    ------
    ValueError
        If a phase is not in the microstructure.
    """
    member = np.zeros(256, bool)
    member[[micro.label(name) for name in phases]] = True
    return configuration_histogram(micro.labels, member, periodic)


def projected_areas(
    histogram: NDArray[np.int64], voxel_size: tuple[float, float, float]
) -> NDArray[np.float64]:
    """Return the boundary area projected along each of the 13 directions.

    Along direction k, one lattice line passes through each area V / d_k (V the voxel volume,
    d_k the distance of neighbours on the line), so N_k crossings project to N_k V / d_k.

    Parameters
    ----------
    histogram : ndarray, shape (256,)
        From `configuration_histogram`.
    voxel_size : 3 floats
        Voxel edges (z, y, x) in metres.

    Returns
    -------
    ndarray, shape (13,)
        In m^2, in the order of `microtwin.geometry.orientation.DIRECTIONS`.
    """
    spacing = np.linalg.norm(np.array(DIRECTIONS) * voxel_size, axis=1)
    return (histogram @ _crossing_table()) * (np.prod(voxel_size) / spacing)


def section_euler_numbers(histogram: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the sum of the Euler numbers of all plane sections, for each of the 13 normals.

    Voxel centres on a lattice plane form squares or rectangles, on the planes across a space
    diagonal triangles. A voxel alone in its square is a quarter of a vertex; two across the
    diagonal of a square are joined or not, and count as half joined.

    Parameters
    ----------
    histogram : ndarray, shape (256,)
        From `configuration_histogram`.

    Returns
    -------
    ndarray, shape (13,)
        In the order of `microtwin.geometry.orientation.DIRECTIONS`, which here are the normals
        in the reciprocal lattice.
    """
    return histogram @ _section_table()


def plane_spacings(
    voxel_size: tuple[float, float, float],
) -> tuple[tuple[float, float, float], NDArray[np.float64]]:
    """Return the edges of the reciprocal lattice, and how far apart lattice planes are.

    Parameters
    ----------
    voxel_size : 3 floats
        Voxel edges (z, y, x) in metres.

    Returns
    -------
    reciprocal : 3 floats
        1 / m. With these edges, `DIRECTIONS` are the normals of planes.
    spacing : ndarray, shape (13,)
        Distance of neighbouring planes across each of the normals, in m.
    """
    z, y, x = voxel_size
    reciprocal = (1 / z, 1 / y, 1 / x)
    return reciprocal, 1 / np.linalg.norm(np.array(DIRECTIONS) * reciprocal, axis=1)


def euler_number(histogram: NDArray[np.int64]) -> float:
    """Return vertices less edges plus squares less cubes of the complex of voxel centres.

    Each counts in proportion to its angle in the cube: a vertex belongs to eight cubes, an edge to
    four, a square to two.

    Parameters
    ----------
    histogram : ndarray, shape (256,)
        From `configuration_histogram`.
    """
    vertices, edges, squares, cubes = (_side_counts(side) for side in range(4))
    return float(histogram @ (vertices / 8 - edges / 4 + squares / 2 - cubes))


def _side_counts(dimension: int) -> NDArray[np.int64]:
    """Count the corners, edges, squares or cubes (dimension 0 to 3) that lie inside, (256,)."""
    inside = _corners_inside()
    counts = np.zeros(256, np.int64)
    for free in itertools.combinations(range(3), dimension):
        for base in itertools.product((0, 1), repeat=3 - dimension):
            fixed = dict(zip((a for a in range(3) if a not in free), base, strict=True))
            corners = [c for c in CORNERS if all(c[a] == v for a, v in fixed.items())]
            counts += inside[:, [_bit(c) for c in corners]].all(axis=1)
    return counts


def _bit(corner: tuple[int, ...]) -> int:
    return corner[0] + 2 * corner[1] + 4 * corner[2]


def _corners_inside() -> NDArray[np.int64]:
    """Whether each corner, by bit, is inside, for each configuration: shape (256, 8)."""
    return (np.arange(256)[:, None] >> np.arange(8)) & 1


def plane_cells(normal: tuple[int, ...]) -> list[tuple[float, list[int]]]:
    """Return the cells of the lattice planes across a normal that lie in a 2x2x2 cube.

    Parameters
    ----------
    normal : 3 ints
        One of `microtwin.geometry.orientation.DIRECTIONS`.

    Returns
    -------
    list of (float, list of int)
        For each cell of three or four corners, the part of it that belongs to this cube (half a
        square on a face of the cube), and the bits of its corners.
    """
    heights: dict[int, list[int]] = {}
    for corner in CORNERS:
        height = sum(n * c for n, c in zip(normal, corner, strict=True))
        heights.setdefault(height, []).append(_bit(corner))
    share = 0.5 if normal.count(0) == 2 else 1.0
    return [(share, bits) for bits in heights.values() if len(bits) > 2]


@lru_cache(maxsize=1)
def _section_table() -> NDArray[np.float64]:
    """Euler number of the sections of each configuration, shape (256, 13)."""
    inside = _corners_inside()
    table = np.zeros((256, len(DIRECTIONS)))
    # By the number of corners inside a cell: vertices less edges plus cells, each in proportion
    # to its angle in the cell.
    square = np.array([0.0, 0.25, 0.0, -0.25, 0.0])
    triangle = np.array([0.0, 1 / 6, -1 / 6, 0.0])
    for k, normal in enumerate(DIRECTIONS):
        for share, bits in plane_cells(normal):
            values = square if len(bits) == 4 else triangle
            table[:, k] += share * values[inside[:, bits].sum(axis=1)]
    return table


@lru_cache(maxsize=1)
def _crossing_table() -> NDArray[np.float64]:
    """Boundary crossings per configuration and direction, shape (256, 13).

    A pair of corners on an edge of the cube is shared by four cubes and counts a quarter, on a
    face diagonal by two and counts half, on a space diagonal it belongs to one cube alone.
    """
    table = np.zeros((256, len(DIRECTIONS)))
    inside = _corners_inside()
    for a, b in itertools.permutations(CORNERS, 2):
        difference = tuple(j - i for i, j in zip(a, b, strict=True))
        if difference in DIRECTIONS:
            share = 0.5 ** difference.count(0)
            crosses = inside[:, _bit(a)] != inside[:, _bit(b)]
            table[:, DIRECTIONS.index(difference)] += share * crosses
    return table


@njit(cache=True, nogil=True, parallel=True)
def _histogram(labels, member, periodic):  # type: ignore[no-untyped-def]
    nz, ny, nx = labels.shape
    layers, rows = (nz, ny) if periodic else (nz - 1, ny - 1)
    counts = np.zeros((layers, 256), np.int64)
    bit = member.astype(np.int64)
    for z in prange(layers):
        z1 = (z + 1) % nz
        for y in range(rows):
            y1 = (y + 1) % ny
            first = (
                bit[labels[z, y, 0]]
                | bit[labels[z1, y, 0]] << 1
                | bit[labels[z, y1, 0]] << 2
                | bit[labels[z1, y1, 0]] << 3
            )
            # The four voxels of a column are the right side of one cube and the left of the next.
            left = first
            for x in range(1, nx):
                right = (
                    bit[labels[z, y, x]]
                    | bit[labels[z1, y, x]] << 1
                    | bit[labels[z, y1, x]] << 2
                    | bit[labels[z1, y1, x]] << 3
                )
                counts[z, left | right << 4] += 1
                left = right
            if periodic:
                counts[z, left | first << 4] += 1
    return counts

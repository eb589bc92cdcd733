"""The network of a composite: which links conduct when several phases do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from microtwin.connectivity import label_clusters, percolating_mask
from microtwin.geometry import area_vectors, face_openings, film_faces, smooth_geometry
from microtwin.numerics.bridges import Bridges
from microtwin.numerics.network import NetworkOperator
from microtwin.numerics.operator import GridOperator
from microtwin.transport.cell_problem import cell_problem, end_norm

__all__ = ["CompositeProblem", "composite_problem", "contact_resistance"]


@dataclass(frozen=True, eq=False)
class CompositeProblem:
    """A linear system for a unit mean gradient along array axis 0.

    Parameters
    ----------
    operator : GridOperator or NetworkOperator
    source : Source or tuple of Source
    norm : float
        Norm of the right-hand side, see `cell_problem`.
    """

    operator: Any
    source: Any
    norm: float


def composite_problem(
    labels: NDArray[np.uint8],
    conductivity: NDArray[np.float64],
    spacing: tuple[float, float, float],
    periodic: bool,
    smooth: bool,
) -> CompositeProblem | None:
    """Return the system of a composite, or None if no conducting path leads through the image.

    Parameters
    ----------
    labels : ndarray of uint8, shape (nz, ny, nx)
    conductivity : ndarray of float64, shape (256,)
        Conductivity of each label.
    spacing : 3 floats
        Edge lengths of a voxel along the axes of the array.
    periodic : bool
        Whether the image repeats; otherwise potentials are fixed on the outer faces of axis 0.
    smooth : bool
        Embedded boundary or staircase.

    Returns
    -------
    CompositeProblem or None
        Fluxes are in the unit of the conductivity.

    Notes
    -----
    The staircase has one value per voxel; a face between two phases has the harmonic mean of their
    conductivities, two half voxels in series. On the embedded boundary every group of labels with
    the same conductivity is a field of its own: within it links conduct in proportion to the open
    fraction of the face, and `contact_resistance` couples the fields inside the voxels that the
    interface crosses. Across the faces of films one voxel thick, between two fields, current flows
    as on the staircase.
    """
    carried = percolating_mask((conductivity > 0.0)[labels], 0, periodic)
    if not carried.any():
        return None
    values = conductivity[labels]
    if not smooth:
        return _staircase((values * carried).astype(np.float32), spacing, periodic)
    groups = np.unique(values[carried])
    # Field numbers as labels: 0 insulates, 1, 2, ... are the groups.
    fields = np.zeros(labels.shape, np.uint8)
    for number, value in enumerate(groups, start=1):
        fields[values == value] = number
    del values
    return _embedded(fields, groups, carried, spacing, periodic)


def contact_resistance(first: float, second: float) -> float:
    """Return the resistance of the link between the two values of a voxel at perfect contact.

    A voxel that the interface crosses has a value for each of two phases in perfect contact. Were
    they equal, current could change sides over a whole link on either side and find the interface
    too thin; with this resistance (per area, times the voxel edge) a flat interface between two
    layers of voxels has exactly the resistance of its two half voxels.

    Parameters
    ----------
    first, second : float
        The conductivities.

    Returns
    -------
    float
        In units of voxel edge / conductivity.

    Notes
    -----
    A flat interface on a voxel face opens the face by one half to each phase. The current then has
    two ways, of resistances 2 (1/k1 + R) and 2 (1/k2 + R), beside each other; the exact one is
    (1/k1 + 1/k2) / 2. With a = 1/k1 and b = 1/k2 this is 4 R^2 + 2 (a + b) R - (a - b)^2 = 0.
    For interfaces at an angle see `_coupling`.
    """
    a, b = 1.0 / first, 1.0 / second
    return 0.25 * (np.sqrt((a + b) ** 2 + 4.0 * (a - b) ** 2) - (a + b))


def _staircase(
    values: NDArray[np.float32], spacing: tuple[float, float, float], periodic: bool
) -> CompositeProblem:
    faces = []
    for axis in range(3):
        after = np.roll(values, -1, axis)
        with np.errstate(invalid="ignore"):
            face = np.nan_to_num(2.0 * values * after / (values + after))
        if not periodic:
            face[(slice(None),) * axis + (-1,)] = 0.0
        faces.append(face)
    outer = (values[0], values[-1])
    operator, source, norm = cell_problem(tuple(faces), outer, spacing, periodic)  # type: ignore[arg-type]
    if np.ptp(values[values > 0.0]) == 0.0:
        return CompositeProblem(operator, source, norm)
    # As a network: its coarse levels keep the grains of a phase apart.
    return CompositeProblem(NetworkOperator([operator], {}), (source,), norm)


def _embedded(
    fields: NDArray[np.uint8],
    groups: NDArray[np.float64],
    carried: NDArray[np.bool_],
    spacing: tuple[float, float, float],
    periodic: bool,
) -> CompositeProblem:
    weights = [(spacing[0] / h) ** 2 for h in spacing]
    sealed = film_faces(fields * carried, periodic)
    operators: list[GridOperator] = []
    sources, norms = [], []
    for number, value in enumerate(groups, start=1):
        clusters, _ = label_clusters((fields == number) & carried, periodic)
        geometry = smooth_geometry(fields, number, clusters, periodic)
        _seal(geometry.faces, fields == number, sealed)
        factor = float(value) * geometry.unit
        operator, source, norm = cell_problem(
            geometry.faces, geometry.outer, spacing, periodic, factor
        )
        operators.append(operator)
        sources.append(source)
        norms.append(norm)
    if len(operators) == 1:
        return CompositeProblem(operators[0], sources[0], norms[0])
    couplings = {}
    stretch = np.array(weights, np.float32)
    for f, g in combinations(range(len(groups)), 2):
        area = area_vectors(fields, f + 1, g + 1, periodic, sealed)
        area *= stretch[:, None, None, None]
        couplings[f, g] = _coupling(area) / np.float32(contact_resistance(groups[f], groups[g]))
    bridges = _bridges(fields, groups, sealed, weights, periodic)
    if periodic:  # bridges stand in for faces of the last layer
        layer = fields[0].size
        last = (bridges.axis == 0) & (bridges.voxel >= fields.size - layer)
        norms.append(end_norm(bridges.conductance[last], len(fields)))
    network = NetworkOperator(operators, couplings, bridges)
    return CompositeProblem(network, tuple(sources), float(np.sqrt(np.square(norms).sum())))


def _seal(
    faces: tuple[NDArray[np.uint8], ...], inside: NDArray[np.bool_], sealed: NDArray[np.uint8]
) -> None:
    """Close the faces of films on one side of which the field is."""
    for axis, face in enumerate(faces):
        either = inside | np.roll(inside, -1, axis)
        face[(sealed >> axis & 1).astype(bool) & either] = 0


def _bridges(
    fields: NDArray[np.uint8],
    groups: NDArray[np.float64],
    sealed: NDArray[np.uint8],
    weights: Sequence[float],
    periodic: bool,
) -> Bridges:
    """Return the links across the faces of films: two half voxels in series, as on the staircase.

    The conductance is that of the part of the face which the two phases share.
    """
    voxels = [np.flatnonzero(sealed >> axis & 1) for axis in range(3)]
    before = [fields.ravel()[voxel] for voxel in voxels]
    after = [np.roll(fields, -1, axis).ravel()[voxel] for axis, voxel in enumerate(voxels)]
    openings = [np.zeros(len(voxel), np.float32) for voxel in voxels]
    for number in range(1, len(groups) + 1):
        sides = [(b == number) | (a == number) for b, a in zip(before, after, strict=True)]
        faces = [voxel[side] for voxel, side in zip(voxels, sides, strict=True)]
        shares = face_openings(fields, number, faces, periodic)
        for opening, side, share in zip(openings, sides, shares, strict=True):
            opening[side] += share
    axis = np.repeat(np.arange(3), [len(voxel) for voxel in voxels])
    # Fields are counted from 0, their labels from 1.
    first, second = (np.concatenate(side).astype(np.int64) - 1 for side in (before, after))
    k1, k2 = groups[first], groups[second]
    g = np.array(weights)[axis] * 2.0 * k1 * k2 / (k1 + k2) * np.concatenate(openings)
    return Bridges(axis, np.concatenate(voxels), first, second, g.astype(np.float32))


def _coupling(area: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the conductance through the interface in each voxel times the contact resistance.

    For an interface with the unit normal n the layer in which current may change sides is thinner
    than for one along the grid, by sqrt(nz^4 + ny^4 + nx^4): exact along the axes and both kinds
    of diagonals, within 6 % of the resistance that makes laminates exact in between.
    """
    square = area * area
    total = square.sum(axis=0)
    with np.errstate(invalid="ignore"):
        return np.nan_to_num(total**1.5 / np.sqrt((square * square).sum(axis=0)))

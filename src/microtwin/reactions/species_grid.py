"""The voxels of an image in which a species diffuses, and what supplies them.

The unknown is the concentration over the partition coefficient of the phase, which is continuous
where phases meet. Voxels whose centre lies in a source are no unknowns.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cache, partial
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..connectivity import label_clusters
from ..geometry import smooth_geometry
from ..geometry.surface import InterfaceAreas, interface_area
from ..meshing import BOX_FACES
from ..microstructure import Microstructure
from ..numerics import GridOperator
from ..numerics.quarters import vector_positions
from .species import Concentration, Exchange, Flux, Species, Supply
from .surfaces import NEAREST, Crossings, crossings

__all__ = ["Inlet", "SpeciesGrid", "species_grid"]


@dataclass(frozen=True, eq=False)
class Inlet:
    """Where a source is tied to voxels.

    Parameters
    ----------
    place : ndarray of int64, shape (n,)
        Positions in flat vectors, each once.
    conductance : ndarray of float64, shape (n,)
        0 where the flux is given.
    inflow : ndarray of float64, shape (n,)
        What flows in at a concentration of 0.
    """

    place: NDArray[np.int64]
    conductance: NDArray[np.float64]
    inflow: NDArray[np.float64]

    def flow(self, u: NDArray[np.float64]) -> float:
        """Return what flows in."""
        return float((self.inflow - self.conductance * u.ravel()[self.place]).sum())


@dataclass(frozen=True, eq=False)
class SpeciesGrid:
    """Links and inlets of one species.

    Amounts per time are in units of the volume of a voxel over the square of its first edge.
    Vectors are laid out as those of `GridOperator`.

    Parameters
    ----------
    operator : GridOperator
        Links between voxels, in m^2/s.
    inlets : mapping of str to Inlet
        By phase or face of the box.
    supply : vector of float64
        Conductance to all sources together.
    drive : vector of float64
        What flows in from them at a concentration of 0.
    there : ndarray of bool, shape (nz, ny, nx)
        Voxels with an unknown: no source, and connected to a source.
    present : ndarray of bool, shape (nz, ny, nx)
        The same, connected or not.
    inside : ndarray of bool, shape (nz, ny, nx)
        Voxels whose centre lies where the species diffuses.
    """

    operator: GridOperator = field(repr=False)
    inlets: Mapping[str, Inlet] = field(repr=False)
    supply: NDArray[np.float64] = field(repr=False)
    drive: NDArray[np.float64] = field(repr=False)
    there: NDArray[np.bool_] = field(repr=False)
    present: NDArray[np.bool_] = field(repr=False)
    inside: NDArray[np.bool_] = field(repr=False)


def species_grid(
    micro: Microstructure, species: Species, periodic: bool = False, alone: bool = False
) -> SpeciesGrid:
    """Return the links of a species.

    Parameters
    ----------
    micro : Microstructure
    species : Species
        Checked, see `Species.check`.
    periodic : bool
    alone : bool
        Whether voxels that no source reaches have an unknown, too.

    Returns
    -------
    SpeciesGrid

    Notes
    -----
    A link conducts the strength s, diffusivity times partition coefficient, times the open fraction
    of its face. Where two phases meet, their interface crosses it after the share theta, and both
    parts are in series. A link of length h to the surface of a source ends there, after a share
    theta (Gibou et al., J. Comput. Phys. 176 (2002) 205);
    across a film of permeability P it conducts per area 1 / (theta h / D + 1 / (P n)), with n the
    cosine between link and normal: summed over the axes that is a flux along the normal through
    the area of the surface. So is a given flux j times n. n is scaled so that links of a surface
    stand for its area by the Crofton formula.
    """
    labels = micro.labels
    strength = np.zeros(256, np.float32)
    for name, value in species.diffusivity.items():
        strength[micro.label(name)] = value * species.held(name)
    sources = {name: value for name, value in species.supplies.items() if name not in BOX_FACES}
    fixed = np.isin(labels, [micro.label(name) for name in sources])
    inside = (strength > 0.0)[labels] & ~fixed
    open_ = inside | fixed
    clusters, _ = label_clusters(open_, periodic)
    if not alone:
        clusters = _supplied(clusters, fixed, species, inside)
    geometry = smooth_geometry(open_.view(np.uint8), 1, clusters, periodic)
    values = np.unique(strength[strength > 0.0])
    uniform = len(values) == 1 and not species.barriers
    areas = cache(partial(interface_area, micro, periodic))
    weights = tuple((micro.voxel_size[0] / h) ** 2 for h in micro.voxel_size)
    tied = np.zeros(labels.shape, bool)
    gathered: dict[str, list[tuple[NDArray, NDArray, NDArray]]] = {name: [] for name in sources}
    local = np.full(1, values[0]) if uniform else _continued(strength[labels] * inside)
    for name, supply in sources.items():
        crossed = crossings(inside, micro.mask(name), micro.voxel_size, periodic)
        openings = [
            geometry.unit * face.reshape(-1)[found.face].astype(float)
            for face, found in zip(geometry.faces, crossed, strict=True)
        ]
        scale = 1.0
        if not isinstance(supply, Concentration):
            pairs = [(phase, name) for phase in species.diffusivity]
            scale = _area_scale(micro, pairs, crossed, openings, areas(), periodic)
        for axis, (found, opening) in enumerate(zip(crossed, openings, strict=True)):
            d = local.reshape(-1)[0 if uniform else found.voxel].astype(float)
            scaled = replace(found, cosine=scale * found.cosine)
            rates = _across(supply, opening, d, scaled, axis, micro.voxel_size)
            gathered[name].append((found.voxel, *rates))
    for name, supply in species.supplies.items():
        if name in BOX_FACES:
            voxel, opening, depth = _at_face(micro, open_, inside, name)
            d = local.reshape(-1)[0 if uniform else voxel].astype(float)
            straight = Crossings(voxel, voxel, voxel, np.full(len(voxel), 0.5), np.ones(len(voxel)))
            rates = _across(supply, opening, d, straight, depth, micro.voxel_size)
            gathered[name] = [(voxel, *rates)]
    links: list[Any] = []
    for axis, face in enumerate(geometry.faces):
        shut = fixed | np.roll(fixed, -1, axis)
        links.append(np.where(shut, np.uint8(0), face))
    factor = geometry.unit
    if uniform:
        factor *= float(values[0])
    else:
        links = _graded(micro, species, links, local, inside, periodic, areas, geometry.unit)
    operator = GridOperator(tuple(links), tuple(factor * w for w in weights))  # type: ignore[arg-type]
    for axis, link in enumerate(links):
        joined = link > 0
        tied |= joined | np.roll(joined, 1, axis)
    inlets, supply_vector, drive = {}, operator.zeros(np.float64), operator.zeros(np.float64)
    for name, parts in gathered.items():
        inlets[name] = _inlet(parts, labels.shape)
        supply_vector.reshape(-1)[inlets[name].place] += inlets[name].conductance
        drive.reshape(-1)[inlets[name].place] += inlets[name].inflow
        for voxel, conductance, inflow in parts:
            tied.reshape(-1)[voxel[(conductance > 0.0) | (inflow > 0.0)]] = True
    reached = inside & (clusters > 0)
    there = (tied | reached if alone else tied) & ~fixed
    return SpeciesGrid(
        operator, inlets, supply_vector, drive, there, (tied | inside) & ~fixed, inside
    )


def _supplied(
    clusters: NDArray[np.integer],
    fixed: NDArray[np.bool_],
    species: Species,
    inside: NDArray[np.bool_],
) -> NDArray[np.integer]:
    """Return the clusters, those that no source reaches set to 0."""
    numbers = [np.unique(clusters[fixed])]
    for name in species.supply:
        if name in BOX_FACES:
            axis, upper = divmod(BOX_FACES.index(name), 2)
            numbers.append(np.unique(np.moveaxis(clusters, axis, 0)[-upper]))
    kept = np.zeros(int(clusters.max()) + 1, clusters.dtype)
    reached = np.concatenate(numbers)
    kept[reached] = reached
    return kept[clusters] if (kept[1:] == 0).any() else clusters


def _across(
    supply: Supply,
    opening: NDArray[np.float64],
    diffusivity: NDArray[np.float64],
    found: Crossings,
    axis: int,
    voxel_size: tuple[float, float, float],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return conductance to a source and inflow at a concentration of 0, of each link."""
    unit = voxel_size[0] ** 2 / voxel_size[axis]
    if isinstance(supply, Flux):
        return np.zeros(len(opening)), unit * supply.value * found.cosine * opening
    resistance = found.share * voxel_size[axis] / diffusivity
    if isinstance(supply, Exchange):
        resistance = resistance + 1.0 / (supply.permeability * found.cosine)
        outside = supply.concentration
    else:
        assert isinstance(supply, Concentration)
        outside = supply.value
    conductance = unit * opening / resistance
    return conductance, conductance * outside


def _area_scale(
    micro: Microstructure,
    pairs: list[tuple[str, str]],
    crossed: list[Crossings],
    openings: list[NDArray[np.float64]],
    areas: InterfaceAreas,
    periodic: bool,
) -> float:
    """Return the area of a surface as it is measured, over that which links stand for.

    Unless the image repeats, measured is the part between the centres of the outermost voxels: of
    a link in an outermost layer along its side, half.
    """
    measured = sum(areas[pair] for pair in pairs if pair[0] in micro.phase_names)
    total = 0.0
    for axis, (found, opening) in enumerate(zip(crossed, openings, strict=True)):
        part = opening * found.cosine * np.prod(micro.voxel_size) / micro.voxel_size[axis]
        index = np.unravel_index(found.voxel, micro.shape)
        for other in () if periodic else {0, 1, 2} - {axis}:
            outermost = (index[other] == 0) | (index[other] == micro.shape[other] - 1)
            part = np.where(outermost, 0.5 * part, part)
        total += float(part.sum())
    return measured / total if measured > 0.0 and total > 0.0 else 1.0


def _at_face(
    micro: Microstructure, open_: NDArray[np.bool_], inside: NDArray[np.bool_], name: str
) -> tuple[NDArray[np.int64], NDArray[np.float64], int]:
    """Return the voxels at a face of the box, how far it is open to each, and its axis."""
    axis, upper = divmod(BOX_FACES.index(name), 2)
    outermost = np.moveaxis(open_.view(np.uint8), axis, 0)
    outermost = outermost[-2:] if upper else outermost[:2]
    ending = smooth_geometry(np.ascontiguousarray(outermost), 1)
    opening = ending.unit * ending.outer[upper].astype(float)
    within = np.moveaxis(inside, axis, 0)[-upper]
    plane = np.zeros(micro.shape, bool)
    np.moveaxis(plane, axis, 0)[-upper] = within & (opening > 0.0)
    return np.flatnonzero(plane), opening[within & (opening > 0.0)], axis


def _continued(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return values, and in voxels without any the largest of the neighbours."""
    near = values.copy()
    for axis in range(3):
        for way in (1, -1):
            near = np.maximum(near, np.where(values > 0.0, 0.0, np.roll(values, way, axis)))
    return np.where(values > 0.0, values, near)


def _graded(
    micro: Microstructure,
    species: Species,
    faces: list[NDArray[np.uint8]],
    local: NDArray[np.float32],
    inside: NDArray[np.bool_],
    periodic: bool,
    areas: Callable[[], InterfaceAreas],
    unit: float,
) -> list[NDArray[np.float32]]:
    """Return the open fractions times the mean strength of both sides, membranes in series."""
    links = []
    for axis, face in enumerate(faces):
        with np.errstate(divide="ignore"):
            series = 0.5 / local + 0.5 / np.roll(local, -1, axis)
        links.append(np.where(face > 0, face / series, np.float32(0.0)).astype(np.float32))
    strength = {name: d * species.held(name) for name, d in species.diffusivity.items()}
    for a, b in combinations(species.diffusivity, 2):
        permeability = species.barriers.get((a, b), species.barriers.get((b, a)))
        if permeability is None and strength[a] == strength[b]:
            continue
        here, beyond = (micro.mask(name) & inside for name in (a, b))
        crossed = crossings(here, beyond, micro.voxel_size, periodic)
        openings = [face.reshape(-1)[c.face] for face, c in zip(faces, crossed, strict=True)]
        if permeability is not None:
            shares = [unit * opening.astype(float) for opening in openings]
            permeability *= _area_scale(micro, [(a, b)], crossed, shares, areas(), periodic)
        for axis, (found, opening) in enumerate(zip(crossed, openings, strict=True)):
            # As near to one side as to the other, so that it does not matter which comes first.
            theta = np.minimum(found.share, 1.0 - NEAREST)
            series = theta / strength[a] + (1.0 - theta) / strength[b]
            if permeability is not None:
                film = permeability * found.cosine * micro.voxel_size[axis]
                series = series + 1.0 / film
            links[axis].reshape(-1)[found.face] = opening / series
    return links


def _inlet(
    parts: list[tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.float64]]],
    shape: tuple[int, ...],
) -> Inlet:
    """Return the links to a source, those of one voxel together."""
    voxel, conductance, inflow = (np.concatenate(part) for part in zip(*parts, strict=True))
    unique, number = np.unique(voxel, return_inverse=True)
    sums = [np.bincount(number, part, len(unique)) for part in (conductance, inflow)]
    index = np.stack(np.unravel_index(unique, shape))
    kept = (sums[0] > 0.0) | (sums[1] > 0.0)
    return Inlet(vector_positions(index, shape)[kept], sums[0][kept], sums[1][kept])  # type: ignore[arg-type]

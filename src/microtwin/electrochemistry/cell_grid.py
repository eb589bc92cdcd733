"""An imaged electrode and its separator as a network: links, volumes and reacting facets.

The electrode stands on the current collector (z = 0); the separator follows at the other end and
the lithium electrode closes it. Three fields live on the voxels:

- **solid**: active material and whatever else conducts electrons, in perfect contact. Its links are
  the open fractions of the faces (embedded boundary) times the harmonic mean of the conductivities
  on either side.
- **active**: lithium in the active material.
- **liquid**: electrolyte in the pores and, if it is porous, in the binder; in the separator every
  voxel holds it. Its links carry the share of the conductivity and diffusivity of free electrolyte.

A voxel that the interface crosses holds a value of each. The facets of the interface
(`reacting_interface`) tie the value of the solid to that of the liquid. They lie at a distance from
the centre of the voxel (`geometry.plane_distance`), which the ohmic drop and the concentration at
the surface take into account.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from ..connectivity import label_clusters, reaching_clusters
from ..geometry import phase_fractions, plane_distance, smooth_geometry
from ..microstructure import Microstructure
from ..numerics import GridOperator, PlaneField
from ..numerics.quarters import to_quarters, vector_positions
from .interfaces import ReactingInterface, nearest_voxels, reacting_interface
from .materials import Separator

__all__ = ["CellGrid", "Inactive", "cell_grid"]

# Conductivities of the solid above this multiple of that of the active material are cut: the
# potential in them is as good as constant, and the equations stay easy to solve.
CONTRAST = 100.0
# Facets of well resolved surfaces lie at least this far, in voxels, from the centre of the active
# voxel behind them; where three phases meet their place is not that well known.
SHORTEST = 0.15
LEAST_OPENING = 1.5  # of the area that reacts, see `_entries`


@dataclass(frozen=True)
class Inactive:
    """What does not take part, because it is connected to nothing.

    Parameters
    ----------
    active : float
        Fraction of the active material without electronic connection to the collector.
    electrolyte : float
        Fraction of the electrolyte in the image that is not connected to the separator.
    area : float
        Fraction of the reacting area that belongs to either.
    """

    active: float
    electrolyte: float
    area: float


@dataclass(frozen=True, eq=False)
class CellGrid:
    """Network of an imaged electrode with its separator.

    Parameters
    ----------
    shape : tuple of 3 ints
        Voxels of the electrode.
    layers : int
        Layers of voxels of the separator.
    voxel_size : tuple of 3 floats
        In m.
    solid, active, liquid : GridOperator
        In S/m, in units of the diffusivity, and as shares of free electrolyte; see `unit`.
    active_volume, liquid_volume : ndarray of float32, shape (planes, length of a plane)
        Share of each voxel that the field fills, in the layout of the vectors of its operator.
    active_there, liquid_there : ndarray of float32, of the same shapes
        1 where the field has a value, be the voxel only touched by the phase; else 0.
    inlet : ndarray of float32, shape (length of a plane,)
        Where current enters the last plane from lithium; its sum is 1.
    facets : ReactingInterface
        Those that take part.
    area : ndarray, shape (n,)
        Of each facet that reacts, in m^2; where the binder is porous less than that of the facet.
    solid_place, liquid_place : ndarray of int64, shape (n,)
        Where the values on either side stand in flat vectors.
    solid_distance, liquid_distance : ndarray, shape (n,)
        From the centre of the voxel of the solid value to the facet, and from there to that of the
        liquid value, along the normal, in m; negative where the centre lies on the other side.
    lithium_place : ndarray of int64, shape (n,)
        Where lithium that crosses the facet enters the active material.
    surface_place : ndarray of int64, shape (n,)
        Where the value of the next voxel whose centre is active material stands, from which the
        concentration at the surface is continued.
    surface_distance : ndarray, shape (n,)
        From the centre of that voxel to the facet, along the normal, in m.
    solid_conductivity, liquid_share : ndarray, shape (n,)
        Of the material at these places.
    separator_share : float
        Share of free electrolyte that the separator conducts.
    particles : ndarray of int32, shape of the electrode
        Number, from 1, of the connected piece of active material of each voxel; 0 elsewhere.
    inactive : Inactive
    """

    shape: tuple[int, int, int]
    layers: int
    voxel_size: tuple[float, float, float]
    solid: GridOperator
    active: GridOperator
    liquid: GridOperator
    active_volume: NDArray[np.float32] = field(repr=False)
    liquid_volume: NDArray[np.float32] = field(repr=False)
    active_there: NDArray[np.float32] = field(repr=False)
    liquid_there: NDArray[np.float32] = field(repr=False)
    inlet: NDArray[np.float32] = field(repr=False)
    facets: ReactingInterface
    area: NDArray[np.float64] = field(repr=False)
    solid_place: NDArray[np.int64] = field(repr=False)
    liquid_place: NDArray[np.int64] = field(repr=False)
    solid_distance: NDArray[np.float64] = field(repr=False)
    liquid_distance: NDArray[np.float64] = field(repr=False)
    lithium_place: NDArray[np.int64] = field(repr=False)
    surface_place: NDArray[np.int64] = field(repr=False)
    surface_distance: NDArray[np.float64] = field(repr=False)
    solid_conductivity: NDArray[np.float64] = field(repr=False)
    liquid_share: NDArray[np.float64] = field(repr=False)
    separator_share: float
    particles: NDArray[np.int32] = field(repr=False)
    inactive: Inactive

    @property
    def unit(self) -> float:
        """Current through a link per conductivity and potential: volume of a voxel / first edge^2.

        In m.
        """
        return float(np.prod(self.voxel_size)) / self.voxel_size[0] ** 2

    @property
    def cross_section(self) -> float:
        """Area of the collector, in m^2."""
        return float(np.prod(self.voxel_size[1:]) * self.shape[1] * self.shape[2])

    def ohmic_resistance(
        self, conductivity: float, reaction: NDArray[np.float64] | float
    ) -> NDArray[np.float64]:
        """Return the resistance of the way from each facet to the values that it ties, in ohm m^2.

        Negative where a value lies beyond the facet: a flat interface along the grid has exactly
        the resistance of its layers. Never less than minus half that of the reaction, which only
        counts where half a voxel resists more than the reaction does.

        Parameters
        ----------
        conductivity : float
            Of free electrolyte, in S/m.
        reaction : float or ndarray, shape (n,)
            Least resistance of the reaction, in ohm m^2.
        """
        way = self.solid_distance / self.solid_conductivity
        way = way + self.liquid_distance / (conductivity * self.liquid_share)
        return np.asarray(np.maximum(way, -0.5 * np.asarray(reaction)))

    @property
    def amount(self) -> float:
        """Volume of the active material that takes part, in m^3."""
        return float(self.active_volume.sum(dtype=float)) * float(np.prod(self.voxel_size))


def cell_grid(
    micro: Microstructure,
    conductivities: Mapping[str, float],
    electrolytes: Mapping[str, tuple[float, float]],
    separator: Separator,
    active: str = "active",
) -> CellGrid:
    """Return the network of an imaged electrode with its separator.

    Parameters
    ----------
    micro : Microstructure
        The collector is at z = 0.
    conductivities : mapping of str to float
        Electronic conductivity of the active material and of other phases that conduct, in S/m.
    electrolytes : mapping of str to (float, float)
        Phases that hold electrolyte: porosity and tortuosity factor within them; (1, 1) for free
        electrolyte.
    separator : Separator
    active : str
        The phase that reacts.

    Returns
    -------
    CellGrid

    Raises
    ------
    ValueError
        If nothing connects the active material to the collector or the electrolyte to the
        separator, or the two do not meet.
    """
    names, labels = micro.phase_names, micro.labels
    of_label = {name: micro.label(name) for name in names}
    sigma, share, porosity = np.zeros(256), np.zeros(256), np.zeros(256)
    for name, value in conductivities.items():
        sigma[of_label[name]] = min(value, CONTRAST * conductivities[active])
    for name, (pores, factor) in electrolytes.items():
        porosity[of_label[name]], share[of_label[name]] = pores, pores / factor
    solid_clusters = reaching_clusters((sigma > 0.0)[labels], 0, 0)
    liquid_clusters = reaching_clusters((share > 0.0)[labels], 0, -1)
    mine = labels == of_label[active]
    active_clusters, count = label_clusters(mine & (solid_clusters > 0))
    if count == 0:
        raise ValueError(
            f"no {active!r} is connected to the current collector at z = 0; turn the image so that "
            "the collector is at its low end, or let another phase conduct as well"
        )
    if not liquid_clusters.any():
        raise ValueError(
            "no electrolyte is connected to the separator at the high end of z; turn the image, or "
            "give the phases that hold electrolyte"
        )
    solid, solid_there = _solid(labels, sigma, solid_clusters, micro.voxel_size)
    numbers = np.where(mine, 2, 1).astype(np.uint8)
    geometry = smooth_geometry(numbers, 2, active_clusters)
    weights = _weights(micro.voxel_size)
    factors = tuple(geometry.unit * w for w in weights)
    lithium = GridOperator(geometry.faces, factors)  # type: ignore[arg-type]
    active_there = _linked(geometry.faces) | (active_clusters > 0)
    active_volume = phase_fractions(numbers, 2) * active_there
    layers = max(1, round(separator.thickness / micro.voxel_size[0]))
    liquid, liquid_there, liquid_volume = _liquid(
        labels, share, porosity, liquid_clusters, micro.voxel_size, separator, layers
    )
    facets = reacting_interface(micro, active, list(electrolytes))
    ends = _ends(micro, facets, active_there & solid_there, liquid_there[: micro.shape[0]])
    inside, outside = (np.unravel_index(end, micro.shape) for end in ends)
    entry, base = _entries(facets, ends[0], geometry.faces, geometry.unit, active_clusters > 0)
    nearest = np.unravel_index(base, micro.shape)
    kept = (active_there & solid_there)[inside] & liquid_there[outside]
    kept &= active_clusters[nearest] > 0
    taking_part, all_area = facets.chosen(kept), float(facets.area.sum())
    if not kept.any():
        raise ValueError(
            f"{active!r} that is connected to the collector and electrolyte that is connected to "
            "the separator do not meet, so nothing can react"
        )
    inside, outside, nearest = (
        tuple(index[kept] for index in end) for end in (inside, outside, nearest)
    )
    centre = lambda index: (np.stack(index, axis=1) + 0.5) * micro.voxel_size  # noqa: E731
    plane = _planes(micro, taking_part, active_volume)
    from_solid = ((plane - centre(inside)) * taking_part.normal).sum(axis=1)
    from_nearest = ((plane - centre(nearest)) * taking_part.normal).sum(axis=1)
    to_liquid = ((centre(outside) - plane) * taking_part.normal).sum(axis=1)
    porous = porosity[[of_label[name] for name in names]][taking_part.outside]
    shares = share[[of_label[name] for name in names]][taking_part.outside]
    area = taking_part.area * porous
    longest = float(np.linalg.norm(micro.voxel_size))
    inlet = to_quarters(liquid_there[-1:].astype(np.float32))[0]
    return CellGrid(
        micro.shape,
        layers,
        micro.voxel_size,
        solid,
        lithium,
        liquid,
        to_quarters(active_volume),
        to_quarters(liquid_volume),
        to_quarters(active_there.astype(np.float32)),
        to_quarters(liquid_there.astype(np.float32)),
        inlet / np.float32(inlet.sum()),
        taking_part,
        area,
        vector_positions(np.stack(inside), micro.shape),
        vector_positions(np.stack(outside), micro.shape),
        np.clip(from_solid, -longest, longest),
        np.clip(to_liquid, -longest, longest),
        vector_positions(np.stack(np.unravel_index(entry[kept], micro.shape)), micro.shape),
        vector_positions(np.stack(nearest), micro.shape),
        np.clip(from_nearest, SHORTEST * min(micro.voxel_size), longest),
        np.full(len(area), sigma[of_label[active]]),
        shares,
        separator.share * layers * micro.voxel_size[0] / separator.thickness,
        active_clusters.astype(np.int32),
        Inactive(
            1.0 - float(np.count_nonzero(active_clusters) / np.count_nonzero(mine)),
            1.0 - float((liquid_clusters > 0).sum() / (share > 0.0)[labels].sum()),
            1.0 - float(taking_part.area.sum()) / all_area,
        ),
    )


def _weights(voxel_size: tuple[float, float, float]) -> tuple[float, float, float]:
    first = voxel_size[0]
    return tuple((first / h) ** 2 for h in voxel_size)  # type: ignore[return-value]


def _linked(faces: tuple[NDArray, ...]) -> NDArray[np.bool_]:
    """Return which voxels have an open face."""
    there = np.zeros(faces[0].shape, bool)
    for axis, face in enumerate(faces):
        there |= (face > 0) | (np.roll(face, 1, axis) > 0)
    return there


def _series(faces: NDArray[np.uint8], values: NDArray[np.float32], axis: int) -> NDArray:
    """Return open fractions times the harmonic mean of what is on both sides, along an axis."""
    after = np.roll(values, -1, axis)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = np.nan_to_num(2.0 * values * after / (values + after))
    return np.asarray(mean * faces, np.float32)


def _solid(
    labels: NDArray[np.uint8],
    sigma: NDArray[np.float64],
    clusters: NDArray[np.uint32],
    voxel_size: tuple[float, float, float],
) -> tuple[GridOperator, NDArray[np.bool_]]:
    solid = sigma > 0.0
    geometry = smooth_geometry(np.where(solid, 2, 1).astype(np.uint8)[labels], 2, clusters)
    values = sigma[labels].astype(np.float32)
    # A piece of solid in a voxel of the electrolyte belongs to one of the neighbours.
    near = np.full(labels.shape, np.inf, np.float32)
    for axis in range(3):
        for step in (1, -1):
            beside = np.roll(values, step, axis)
            np.minimum(near, np.where(beside > 0.0, beside, np.inf), out=near)
    values = np.where(values > 0.0, values, np.where(np.isfinite(near), near, 0.0))
    faces = tuple(_series(face, values, axis) for axis, face in enumerate(geometry.faces))
    low = np.float32(2.0 * geometry.unit) * geometry.outer[0] * values[0]
    ends = PlaneField.outer(low, np.zeros_like(low), labels.shape[0])
    factors = tuple(geometry.unit * w for w in _weights(voxel_size))
    operator = GridOperator(faces, factors, ends)  # type: ignore[arg-type]
    return operator, _linked(faces) | (clusters > 0)


def _liquid(
    labels: NDArray[np.uint8],
    share: NDArray[np.float64],
    porosity: NDArray[np.float64],
    clusters: NDArray[np.uint32],
    voxel_size: tuple[float, float, float],
    separator: Separator,
    layers: int,
) -> tuple[GridOperator, NDArray[np.bool_], NDArray[np.float32]]:
    """Return the operator, where there is liquid, and how much; the separator included."""
    liquid = share > 0.0
    numbers = np.where(liquid, 2, 1).astype(np.uint8)[labels]
    geometry = smooth_geometry(numbers, 2, clusters)
    there = _linked(geometry.faces) | (clusters > 0)
    values, room = share[labels].astype(np.float32), porosity[labels].astype(np.float32)
    for array in (values, room):
        near = array.copy()
        for axis in range(3):
            for step in (1, -1):
                np.maximum(near, np.roll(array, step, axis), out=near)
        array[...] = np.where(array > 0.0, array, near)
    # The separator has a whole number of layers, and keeps its resistance and its volume.
    stretch = layers * voxel_size[0] / separator.thickness
    through = separator.share * stretch
    plate = (layers, *labels.shape[1:])
    whole = round(1.0 / geometry.unit)
    values = np.concatenate([values, np.full(plate, through, np.float32)])
    faces = []
    for axis, face in enumerate(geometry.faces):
        full = np.concatenate([face, np.full(plate, whole, face.dtype)])
        if axis == 0:
            full[labels.shape[0] - 1] = geometry.outer[1]
        full[(slice(None),) * axis + (-1,)] = 0
        faces.append(_series(full, values, axis))
    factors = tuple(geometry.unit * w for w in _weights(voxel_size))
    volume = phase_fractions(numbers, 2) * there * room
    filled = np.full(plate, separator.porosity / stretch, np.float32)
    return (
        GridOperator(tuple(faces), factors),  # type: ignore[arg-type]
        np.concatenate([there, np.ones(plate, bool)]),
        np.concatenate([volume.astype(np.float32), filled]),
    )


def _on_faces(micro: Microstructure, facets: ReactingInterface) -> NDArray[np.bool_]:
    """Return which facets lie on the face after their voxel, not within it."""
    index = np.stack(np.unravel_index(facets.voxel, micro.shape), axis=1)
    shift = facets.centre / np.array(micro.voxel_size) - 0.5 - index
    return np.asarray(shift.max(axis=1) > 0.25)


def _ends(
    micro: Microstructure,
    facets: ReactingInterface,
    solid: NDArray[np.bool_],
    liquid: NDArray[np.bool_],
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the voxels whose values of solid and liquid each facet ties to each other.

    Its own voxel where that has a value; else the nearest voxel of the phase.
    """
    on_face = _on_faces(micro, facets)
    names = facets.phases
    beyond = nearest_voxels(micro, names, facets.voxel, -facets.normal, facets.outside)
    own = ~on_face & solid.reshape(-1)[facets.voxel]
    inside = np.where(own, facets.voxel, facets.active_voxel)
    own = ~on_face & liquid.reshape(-1)[facets.voxel]
    return inside, np.where(own, facets.voxel, beyond)


def _entries(
    facets: ReactingInterface,
    solid: NDArray[np.int64],
    faces: tuple[NDArray[np.uint8], ...],
    opened: float,
    active: NDArray[np.bool_],
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return where lithium enters, and the active voxel from which its concentration is known.

    A piece of active material in a voxel of the electrolyte takes up lithium itself, and passes it
    on: the concentration at its surface is continued from the neighbour it is most widely open to,
    rather inwards. A piece that is open to its neighbours over less than its reacting area, or to
    no active voxel, takes up nothing; the nearest active voxel does.
    """
    shape = active.shape
    inner = active.reshape(-1)
    base, best = solid.copy(), np.where(inner[solid], np.inf, 0.0)
    index = np.stack(np.unravel_index(solid, shape), axis=1)
    for axis, face in enumerate(faces):
        for step in (-1, 1):
            there = index.copy()
            there[:, axis] += step
            inside = (there[:, axis] >= 0) & (there[:, axis] < shape[axis])
            there[~inside] = index[~inside]
            place = np.ravel_multi_index(tuple(there.T), shape)
            opening = face.reshape(-1)[place if step < 0 else solid].astype(float)
            score = opening * (1.5 - step * facets.normal[:, axis]) * inside * inner[place]
            better = score > best
            base[better], best[better] = place[better], score[better]
    found = best > 0.0
    base = np.where(found, base, facets.active_voxel)
    openings = np.zeros(shape)
    for axis, face in enumerate(faces):
        openings += face
        openings += np.roll(face, 1, axis)
    unit = float(np.prod(facets.extent) / np.prod(shape)) ** (2.0 / 3.0)
    reacting = np.bincount(solid, facets.area / unit, int(np.prod(shape)))
    wide = inner | (openings.reshape(-1) * opened >= LEAST_OPENING * reacting)
    return np.where(found & wide[solid], solid, base), base


def _planes(
    micro: Microstructure, facets: ReactingInterface, fraction: NDArray[np.float32]
) -> NDArray[np.float64]:
    """Return a point of the plane of each facet, shape (n, 3), in m."""
    offset = plane_distance(
        fraction.reshape(-1)[facets.voxel], facets.normal, np.array(micro.voxel_size)
    )
    offset[_on_faces(micro, facets)] = 0.0
    return np.asarray(facets.centre + offset[:, None] * facets.normal)

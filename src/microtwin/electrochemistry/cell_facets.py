"""Where the facets of a cell are tied to its fields, and how far they lie from there."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..geometry import PhaseGeometry, plane_distance
from ..microstructure import Microstructure
from .interfaces import ReactingInterface, nearest_voxels

__all__ = ["FacetPlaces", "facet_places"]

# Facets of well resolved surfaces lie at least this far, in voxels, from the centre of the active
# voxel behind them; where three phases meet their place is not that well known.
SHORTEST = 0.15
LEAST_OPENING = 1.5  # of the area that reacts, see `_entries`


@dataclass(frozen=True, eq=False)
class FacetPlaces:
    """Voxels that the facets that take part belong to, in C order, and distances.

    Parameters
    ----------
    kept : ndarray of bool, shape (all facets,)
        Which take part; the rest has shape (n,), for these.
    solid, liquid : ndarray of int64
        Whose values the facet ties to each other.
    lithium : ndarray of int64
        In which lithium enters the active material.
    surface : ndarray of int64
        From whose value the concentration at the surface is continued.
    solid_distance, liquid_distance, surface_distance : ndarray
        From the centre of `solid` to the facet, from it to the centre of `liquid`, and from the
        centre of `surface` to it, along the normal, in m.
    """

    kept: NDArray[np.bool_]
    solid: NDArray[np.int64]
    liquid: NDArray[np.int64]
    lithium: NDArray[np.int64]
    surface: NDArray[np.int64]
    solid_distance: NDArray[np.float64]
    liquid_distance: NDArray[np.float64]
    surface_distance: NDArray[np.float64]


def facet_places(
    micro: Microstructure,
    facets: ReactingInterface,
    solid: NDArray[np.bool_],
    liquid: NDArray[np.bool_],
    geometry: PhaseGeometry,
    active: NDArray[np.bool_],
    fraction: NDArray[np.float32],
) -> FacetPlaces:
    """Find the voxels that facets belong to.

    Parameters
    ----------
    micro : Microstructure
    facets : ReactingInterface
        All of them; those whose voxels have no value take no part.
    solid, liquid : ndarray of bool, shape (nz, ny, nx)
        Where active material, with a potential, and electrolyte have values.
    geometry : PhaseGeometry
        Of the active material.
    active : ndarray of bool, shape (nz, ny, nx)
        Voxels of active material that take part.
    fraction : ndarray of float32, shape (nz, ny, nx)
        Share of each voxel that active material fills.
    """
    inside, outside = _ends(micro, facets, solid, liquid)
    entry, base = _entries(facets, inside, geometry, active)
    kept = solid.reshape(-1)[inside] & liquid.reshape(-1)[outside] & active.reshape(-1)[base]
    inside, outside, entry, base = (voxel[kept] for voxel in (inside, outside, entry, base))
    taking_part = facets.chosen(kept)
    plane = _planes(micro, taking_part, fraction)
    longest = float(np.linalg.norm(micro.voxel_size))

    def beyond(voxel: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return how far the facet lies from the centre of a voxel, along its normal."""
        centre = np.stack(np.unravel_index(voxel, micro.shape), axis=1) + 0.5
        away = ((plane - centre * micro.voxel_size) * taking_part.normal).sum(axis=1)
        return np.asarray(np.clip(away, -longest, longest))

    return FacetPlaces(
        kept,
        inside,
        outside,
        entry,
        base,
        beyond(inside),
        -beyond(outside),
        np.maximum(beyond(base), SHORTEST * min(micro.voxel_size)),
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
    geometry: PhaseGeometry,
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
    for axis, face in enumerate(geometry.faces):
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
    for axis, face in enumerate(geometry.faces):
        openings += face
        openings += np.roll(face, 1, axis)
    unit = float(np.prod(facets.extent) / np.prod(shape)) ** (2.0 / 3.0)
    reacting = np.bincount(solid, facets.area / unit, int(np.prod(shape)))
    wide = inner | (openings.reshape(-1) * geometry.unit >= LEAST_OPENING * reacting)
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

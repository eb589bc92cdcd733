"""The voxels of an image in which a species diffuses, and what supplies them.

Voxels whose centre lies in a source are no unknowns: the species has a given concentration there.
A link from a voxel to a source ends where the surface of the source crosses it, so that it is
stronger by 1 / theta, the share of the link in front of the surface (Gibou et al., J. Comput. Phys.
176 (2002) 205). Uptake is in the volume that a phase fills by the embedded boundary; what it fills
of voxels of a source belongs to the neighbours in it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components
from scipy.special import ndtri

from ..geometry import phase_fractions, smooth_geometry
from ..meshing import BOX_FACES
from ..microstructure import Microstructure
from ..numerics import GridOperator

__all__ = ["DiffusionGrid", "diffusion_grid"]

SMOOTHING = 1.0  # voxels: standard deviation of the kernel that turns labels into distances
NEAREST = 0.05  # of a link: no surface is taken to be nearer to the centre of a voxel


@dataclass(frozen=True, eq=False)
class DiffusionGrid:
    """Links, volumes and supplies.

    Amounts per time are in units of the volume of a voxel over the square of its first edge.

    Parameters
    ----------
    operator : GridOperator
        Diffusivity between voxels, in m^2/s, without what leads to sources.
    links : 3 ndarrays of float32, shape (nz, ny, nx)
        The same with the weights of the axes, as `GridOperator` takes faces.
    supplies : mapping of str to ndarray of float32, shape (nz, ny, nx)
        Conductance from each source, by phase or face of the box.
    volumes : mapping of str to ndarray of float32, shape (nz, ny, nx)
        Share of the volume of a voxel in which each phase takes up what is there.
    there : ndarray of bool, shape (nz, ny, nx)
        Voxels with an unknown: no source, and connected to one.
    inside : ndarray of bool, shape (nz, ny, nx)
        Voxels whose centre lies where the species diffuses, supplied or not.
    square : float
        Square of the first edge of a voxel, in m^2.
    """

    operator: GridOperator = field(repr=False)
    links: tuple[NDArray[np.float32], ...] = field(repr=False)
    supplies: Mapping[str, NDArray[np.float32]] = field(repr=False)
    volumes: Mapping[str, NDArray[np.float32]] = field(repr=False)
    there: NDArray[np.bool_] = field(repr=False)
    inside: NDArray[np.bool_] = field(repr=False)
    square: float

    def outflow(self, c: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return what flows from each voxel to its neighbours, in double precision."""
        out = np.zeros_like(c)
        for axis, link in enumerate(self.links):
            flow = link * (c - np.roll(c, -1, axis))
            out += flow
            out -= np.roll(flow, 1, axis)
        return out


def diffusion_grid(
    micro: Microstructure,
    diffusivity: Mapping[str, float],
    sources: Mapping[str, float],
    taking_up: Mapping[str, object],
    periodic: bool = False,
) -> DiffusionGrid:
    """Return the grid of an image.

    Parameters
    ----------
    micro : Microstructure
    diffusivity : mapping of str to float
        Of the phases in which the species diffuses, in m^2/s; nothing enters the others.
    sources : mapping of str to float
        Phases and faces of the box with a given concentration.
    taking_up : mapping of str to anything
        Phases whose volumes are wanted.
    periodic : bool
    """
    labels = micro.labels
    phases = [name for name in sources if name in micro.phase_names]
    d = np.zeros(256, np.float32)
    for name, value in diffusivity.items():
        d[micro.label(name)] = value
    fixed = np.isin(labels, [micro.label(name) for name in phases])
    tissue = (d > 0.0)[labels] & ~fixed
    open_ = (tissue | fixed).view(np.uint8)
    geometry = smooth_geometry(open_, 1, periodic=periodic)
    values = _continued(d[labels] * tissue)
    weights = tuple((micro.voxel_size[0] / h) ** 2 for h in micro.voxel_size)
    distance = _distance(tissue, fixed, periodic)
    links, supply = [], {name: np.zeros(labels.shape, np.float32) for name in sources}
    for axis, face in enumerate(geometry.faces):
        after, source_after = np.roll(values, -1, axis), np.roll(fixed, -1, axis)
        opening = np.float32(geometry.unit * weights[axis]) * face
        with np.errstate(invalid="ignore", divide="ignore"):
            mean = np.nan_to_num(2.0 * values * after / (values + after))
        links.append((opening * mean * ~(fixed | source_after)).astype(np.float32))
        for name in phases:
            own = labels == micro.label(name)
            beyond = np.roll(distance, -1, axis)
            supply[name] += (
                opening * values * _nearer(distance, beyond) * (np.roll(own, -1, axis) & ~fixed)
            )
            back = np.roll(opening, 1, axis)
            supply[name] += (
                back
                * values
                * _nearer(distance, np.roll(distance, 1, axis))
                * (np.roll(own, 1, axis) & ~fixed)
            )
    for name in sources.keys() - set(phases):
        axis, upper = divmod(BOX_FACES.index(name), 2)
        outermost = np.moveaxis(open_, axis, 0)[-2:] if upper else np.moveaxis(open_, axis, 0)[:2]
        ending = smooth_geometry(np.ascontiguousarray(outermost), 1).outer[upper]
        face = np.moveaxis(supply[name], axis, 0)[-upper]
        at = np.moveaxis(values * ~fixed, axis, 0)[-upper]
        face += np.float32(2.0 * geometry.unit * weights[axis]) * ending * at
    linked = sum(s > 0.0 for s in supply.values()) > 0
    for axis, link in enumerate(links):
        linked |= (link > 0.0) | (np.roll(link, 1, axis) > 0.0)
    there = (tissue | linked) & ~fixed
    clusters = _linked_clusters(links)
    supplied = np.unique(clusters[sum(s > 0.0 for s in supply.values()) > 0])
    volume_there = there
    there = there & np.isin(clusters, supplied)
    volumes = {}
    for name in taking_up:
        volumes[name] = _gathered(
            phase_fractions(labels, micro.label(name), periodic), volume_there
        )
    operator = GridOperator((links[0], links[1], links[2]))
    return DiffusionGrid(
        operator, tuple(links), supply, volumes, there, tissue, micro.voxel_size[0] ** 2
    )


def _linked_clusters(links: list[NDArray[np.float32]]) -> NDArray[np.int32]:
    """Return a number for each voxel, the same for those that links join.

    Pieces in two voxels side by side need not be joined, so the mask alone does not tell.
    """
    index = np.arange(links[0].size, dtype=np.int32).reshape(links[0].shape)
    pairs = [(index[g > 0.0], np.roll(index, -1, axis)[g > 0.0]) for axis, g in enumerate(links)]
    rows, columns = (np.concatenate(part) for part in zip(*pairs, strict=True))
    graph = csr_array((np.ones(len(rows), bool), (rows, columns)), (index.size, index.size))
    _, number = connected_components(graph, directed=False)
    return np.asarray(number.reshape(index.shape), np.int32)


def _continued(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return values, and in voxels without any the largest of the neighbours."""
    near = values.copy()
    for axis in range(3):
        for way in (1, -1):
            near = np.maximum(near, np.where(values > 0.0, 0.0, np.roll(values, way, axis)))
    return np.where(values > 0.0, values, near)


def _distance(
    tissue: NDArray[np.bool_], fixed: NDArray[np.bool_], periodic: bool
) -> NDArray[np.float32]:
    """Return the signed distance to the surface of sources in voxels, positive outside of them.

    A Gaussian kernel of the deviation s turns a plane at the distance d into Phi(d / s).
    """
    mode = "wrap" if periodic else "nearest"
    mine, other = (
        gaussian_filter(part.astype(np.float32), SMOOTHING, mode=mode) for part in (tissue, fixed)
    )
    share = mine / np.maximum(mine + other, 1e-6)
    return np.asarray(SMOOTHING * ndtri(np.clip(share, 1e-4, 1.0 - 1e-4)), np.float32)


def _nearer(here: NDArray[np.float32], there: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the inverse of the share of a link in front of the surface; 2 where it is unclear."""
    crossed = (here > 0.0) & (there < 0.0)
    with np.errstate(invalid="ignore", divide="ignore"):
        share = np.where(crossed, here / (here - there), 0.5)
    return np.asarray(1.0 / np.maximum(share, NEAREST), np.float32)


def _gathered(share: NDArray[np.float32], there: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Give what a phase fills of voxels without unknowns to their neighbours that have some."""
    kept = np.where(there, share, 0.0).astype(np.float32)
    lost = share - kept
    room = kept > 0.0
    count = np.zeros(share.shape, np.float32)
    for axis in range(3):
        for way in (1, -1):
            count += np.roll(room, way, axis)
    part = np.where(count > 0.0, lost / np.maximum(count, 1.0), 0.0).astype(np.float32)
    given = np.zeros_like(part)
    for axis in range(3):
        for way in (1, -1):
            given += np.roll(part, way, axis)
    return np.asarray(kept + given * room, np.float32)

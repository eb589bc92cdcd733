"""The interface between two phases as facets: one in each voxel that it crosses.

Films one voxel thick have their two interfaces on the faces of their voxels. All facets of a pair
are scaled by one factor, so that together they have the area that the Crofton formula measures.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..microstructure import Microstructure
from .films import face_openings, film_faces
from .interfaces import area_vectors
from .surface import interface_area

__all__ = ["FacetAreas", "facet_areas", "set_apart"]


@dataclass(frozen=True, eq=False)
class FacetAreas:
    """Facets between two phases of an image.

    Parameters
    ----------
    voxel : ndarray of int64, shape (n,)
        In C order; for facets on faces the one before them.
    vector : ndarray, shape (n, 3)
        Area times the normal (z, y, x) out of the first phase, in m^2.
    shift : ndarray, shape (n, 3)
        From the centre of the voxel to that of the facet, in voxels.
    scale : float
        Factor by which the areas were multiplied.
    """

    voxel: NDArray[np.int64]
    vector: NDArray[np.float64]
    shift: NDArray[np.float64]
    scale: float


def set_apart(micro: Microstructure, apart: NDArray[np.bool_]) -> Microstructure:
    """Return an image in which some voxels are phases of their own.

    So that facets between the rest are scaled to the area of the rest: that of specks of a voxel is
    measured too small, and would shrink the others.

    Parameters
    ----------
    micro : Microstructure
    apart : ndarray of bool, shape (nz, ny, nx)
        Voxels to set apart, as those that are connected to nothing.

    Returns
    -------
    Microstructure
        With the phases of the image first, by their names, and after them "NAME, apart".
    """
    names = micro.phase_names
    numbers = np.zeros(256, np.uint8)
    numbers[[micro.label(name) for name in names]] = np.arange(len(names))
    labels = numbers[micro.labels]
    phases = dict(zip(names, range(len(names)), strict=True))
    if apart.any():
        labels = np.where(apart, labels + np.uint8(len(names)), labels)
        phases |= {f"{name}, apart": number + len(names) for name, number in phases.items()}
    return Microstructure(labels, micro.voxel_size, phases)


def facet_areas(
    micro: Microstructure, pairs: list[tuple[str, str]], periodic: bool = False
) -> list[FacetAreas]:
    """Return the facets of each pair of phases.

    Parameters
    ----------
    micro : Microstructure
    pairs : list of (str, str)
    periodic : bool
        Whether the image continues across its outer faces.

    Returns
    -------
    list of FacetAreas

    Raises
    ------
    ValueError
        If a phase is not in the microstructure.
    """
    faces = np.prod(micro.voxel_size) / np.array(micro.voxel_size)
    # Numbers from 1 on, because 0 would stand for what does not matter.
    names = micro.phase_names
    numbers = np.zeros(256, np.uint8)
    numbers[[micro.label(name) for name in names]] = np.arange(1, len(names) + 1)
    labels = numbers[micro.labels]
    sealed = film_faces(labels, periodic)
    measured = interface_area(micro, periodic)
    inner = None if periodic else _inner_shares(micro.shape)
    found = []
    for name, other in pairs:
        a, b = (int(numbers[micro.label(phase)]) for phase in (name, other))
        vectors = area_vectors(labels, a, b, periodic, sealed)
        voxel = np.flatnonzero((vectors != 0.0).any(axis=0))
        vector = vectors.reshape(3, -1)[:, voxel].T.astype(float) * faces
        parts = [(voxel, vector, np.zeros((len(voxel), 3)))]
        for axis in range(3):
            parts.append(_film_facets(labels, sealed, a, b, axis, float(faces[axis]), periodic))
        total = sum(
            float(np.linalg.norm(vector if inner is None else vector * inner[voxel], axis=1).sum())
            for voxel, vector, _ in parts
        )
        scale = measured[name, other] / total if total > 0.0 else 1.0
        voxel, vector, shift = (np.concatenate(part) for part in zip(*parts, strict=True))
        found.append(FacetAreas(voxel, scale * vector, shift, scale))
    return found


def _film_facets(
    labels: NDArray[np.uint8],
    sealed: NDArray[np.uint8],
    a: int,
    b: int,
    axis: int,
    face: float,
    periodic: bool,
) -> tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.float64]]:
    """Return the facets of a pair on the faces of films along one axis."""
    voxel = np.flatnonzero(sealed >> axis & 1)
    before = labels.reshape(-1)[voxel]
    after = np.roll(labels, -1, axis).reshape(-1)[voxel]
    chosen = ((before == a) & (after == b)) | ((before == b) & (after == a))
    voxel, before = voxel[chosen], before[chosen]
    wanted = [voxel if k == axis else voxel[:0] for k in range(3)]
    open_part = sum(face_openings(labels, phase, wanted, periodic)[axis] for phase in (a, b))
    vector, shift = np.zeros((len(voxel), 3)), np.zeros((len(voxel), 3))
    vector[:, axis] = np.where(before == a, 1.0, -1.0) * face * open_part
    shift[:, axis] = 0.5
    there = vector[:, axis] != 0.0
    return voxel[there], vector[there], shift[there]


def _inner_shares(shape: tuple[int, int, int]) -> NDArray[np.float32]:
    """Return how much of an area vector in each voxel lies between the outermost voxel centres.

    An outermost voxel is cut in half. Beyond its centre the image is continued as it is, so no
    interface crosses that half but along its normal: the component along the axis is all inside,
    of the others one half.

    Returns
    -------
    ndarray, shape (voxels, 3)
        Share of the components (z, y, x).
    """
    shares = np.ones((*shape, 3), np.float32)
    for axis in range(3):
        others = [k for k in range(3) if k != axis]
        for end in (0, -1):
            layer = np.moveaxis(shares, axis, 0)[end]
            layer[..., others] *= 0.5
    return shares.reshape(-1, 3)

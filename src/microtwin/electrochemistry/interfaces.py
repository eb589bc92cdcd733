"""The interface where active material meets electrolyte, facet by facet.

On an image there is one facet per voxel and pair of phases: the area vector of the embedded
boundary (`geometry.area_vectors`). Films one voxel thick have their two interfaces on the faces of
their voxels. All facets of a pair are scaled by one factor, so that together they have the area
that the Crofton formula measures. On a mesh the facets are those of the mesh.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from ..geometry import facet_areas
from ..meshing import TetrahedralMesh
from ..microstructure import Microstructure

__all__ = [
    "NoInterfaceError",
    "PerFacet",
    "ReactingInterface",
    "at_facets",
    "named_phases",
    "nearest_voxels",
    "phases_of",
    "reacting_interface",
]

Interface = Literal["smooth", "voxel"]
Local = float | NDArray | Callable[[NDArray[np.float64]], NDArray]
PerFacet = Local | Mapping[str, Local]


class NoInterfaceError(ValueError):
    """Phases that should react with each other do not meet."""


@dataclass(frozen=True, eq=False)
class ReactingInterface:
    """Facets between active material and what it reacts with.

    Attributes
    ----------
    area : ndarray, shape (n,)
        In m^2.
    normal : ndarray, shape (n, 3)
        Unit vectors (z, y, x) out of the active material.
    centre : ndarray, shape (n, 3)
        Places (z, y, x) in metres; on images the centres of voxels, or of their faces at films
        and on the staircase.
    phases : tuple of str
        Of the image or mesh.
    inside, outside : ndarray of int, shape (n,)
        Number of the phase on either side in `phases`: the active one, and the other one.
    shape : tuple of 3 ints
        Voxels of the image; of a mesh without an image, (0, 0, 0).
    extent : tuple of 3 floats
        Of the image or mesh, in metres.
    voxel : ndarray of int64, shape (n,)
        The voxel of each facet in C order, for faces the one before them whatever its phase; on
        meshes the one in which its centre lies.
    active_voxel : ndarray of int64, shape (n,)
        The nearest voxel of the active phase, on the inner side of each facet: there arrays over
        the voxels are read.
    corners : ndarray of int32, shape (n, 3)
        Vertices of each facet of a mesh; of shape (0, 3) on images.
    scales : mapping of (str, str) to float
        Factor by which the areas of each pair were multiplied; 1 on meshes and voxel faces.
    """

    area: NDArray[np.float64] = field(repr=False)
    normal: NDArray[np.float64] = field(repr=False)
    centre: NDArray[np.float64] = field(repr=False)
    phases: tuple[str, ...]
    inside: NDArray[np.int64] = field(repr=False)
    outside: NDArray[np.int64] = field(repr=False)
    shape: tuple[int, int, int]
    extent: tuple[float, float, float]
    voxel: NDArray[np.int64] = field(repr=False)
    active_voxel: NDArray[np.int64] = field(repr=False)
    corners: NDArray[np.int32] = field(repr=False)
    scales: Mapping[tuple[str, str], float]

    def __len__(self) -> int:
        return len(self.area)

    def chosen(self, some: NDArray[np.bool_]) -> ReactingInterface:
        """Return some of the facets, from a mask of shape (n,)."""
        of_facets = ("area", "normal", "centre", "inside", "outside", "voxel", "active_voxel")
        kept = {name: getattr(self, name)[some] for name in of_facets}
        corners = self.corners[some] if len(self.corners) else self.corners
        return replace(self, corners=corners, **kept)

    def between(self, inside: str, outside: str) -> NDArray[np.bool_]:
        """Return which facets lie between an active phase and another one, shape (n,).

        Raises
        ------
        ValueError
            If a phase is not known.
        """
        for name in (inside, outside):
            if name not in self.phases:
                raise ValueError(f"phase {name!r} is not known; there are {', '.join(self.phases)}")
        a, b = self.phases.index(inside), self.phases.index(outside)
        return (self.inside == a) & (self.outside == b)


def reacting_interface(
    source: Microstructure | TetrahedralMesh,
    active: str | Sequence[str] = "active",
    others: str | Sequence[str] = "pore",
    interface: Interface = "smooth",
) -> ReactingInterface:
    """Return the facets between active phases and others.

    Parameters
    ----------
    source : Microstructure or TetrahedralMesh
    active : str or sequence of str
    others : str or sequence of str
        Electrolyte, and what covers the active material.
    interface : {"smooth", "voxel"}
        On an image: the embedded boundary, or the faces of the voxels, whose area is about half
        as large again as it should be.

    Returns
    -------
    ReactingInterface

    Raises
    ------
    ValueError
        If a phase is not known, or is both active and not.
    NoInterfaceError
        If none of them meet; it is a ValueError too.
    """
    known = phases_of(source)
    if interface not in ("smooth", "voxel"):
        raise ValueError(
            f"interface {interface!r} is not known; use 'smooth' (embedded boundary) or 'voxel' "
            "(faces of the voxels)"
        )
    inner, outer = named_phases(known, active), named_phases(known, others)
    if both := [name for name in inner if name in outer]:
        raise ValueError(
            f"{', '.join(both)} cannot be on both sides of an interface; name different phases"
        )
    pairs = [(a, b) for a in inner for b in outer]
    if isinstance(source, TetrahedralMesh):
        parts = _on_mesh(source, pairs)
    elif interface == "smooth":
        parts = _embedded(source, pairs)
    else:
        parts = _staircase(source, pairs)
    if len(parts.area) == 0:
        raise NoInterfaceError(
            f"{', '.join(inner)} and {', '.join(outer)} do not meet, so nothing can react there"
        )
    return parts


def at_facets(value: PerFacet, facets: ReactingInterface, name: str) -> NDArray[np.float64]:
    """Return a quantity at each facet.

    Parameters
    ----------
    value : float, ndarray, callable, or mapping of str to these
        One number; one per voxel of the image, shape (nz, ny, nx), of which those of the active
        material at the interface count; one per facet; a function of the centres, shape (n, 3) in
        metres, that returns shape (n,); or these by active phase.
    facets : ReactingInterface
    name : str
        What it is, for messages.

    Returns
    -------
    ndarray, shape (n,)

    Raises
    ------
    ValueError
        If it fits none of these.
    """
    n = len(facets)
    if isinstance(value, Mapping):
        found = np.full(n, np.nan)
        for k in np.unique(facets.inside):
            phase = facets.phases[k]
            if phase not in value:
                raise ValueError(f"{name} has no value for the phase {phase!r}; give one")
            mine = facets.inside == k
            found[mine] = at_facets(value[phase], facets.chosen(mine), f"{name} of {phase}")
        return found
    if callable(value):
        value = value(facets.centre)
    try:
        array = np.asarray(value, float)
    except (TypeError, ValueError):
        raise ValueError(f"{name} {value!r} is not a number or an array of numbers") from None
    if array.ndim == 0:
        return np.full(n, float(array))
    if array.shape == (n,):
        return array
    if array.shape == facets.shape:
        return array.reshape(-1)[facets.active_voxel]
    whole = f"one per voxel of the image {facets.shape}, " if any(facets.shape) else ""
    raise ValueError(
        f"{name} has the shape {array.shape}; give a number, {whole}one value for each "
        f"of the {n} facets, a function of place, or these by phase"
    )


def phases_of(source: Microstructure | TetrahedralMesh) -> tuple[str, ...]:
    """Return the names of the phases of an image or a mesh; anything else is refused."""
    if isinstance(source, Microstructure):
        return source.phase_names
    if isinstance(source, TetrahedralMesh):
        return source.phases
    raise ValueError(
        f"a {type(source).__name__} has no interface; give a Microstructure or a mesh of one"
    )


def named_phases(known: Sequence[str], names: str | Sequence[str]) -> list[str]:
    """Return one or several names as a list; those that are not known are refused."""
    if isinstance(names, str):
        names = [names]
    if not isinstance(names, (list, tuple)):
        raise ValueError(f"{names!r} names no phase; there are {', '.join(known)}")
    for name in names:
        if name not in known:
            raise ValueError(f"phase {name!r} is not known; there are {', '.join(known)}")
    if not names:
        raise ValueError(f"no phase is named; there are {', '.join(known)}")
    # Named twice is meant once.
    return list(dict.fromkeys(names))


def _on_mesh(mesh: TetrahedralMesh, pairs: Sequence[tuple[str, str]]) -> ReactingInterface:
    corners, inside, outside = [], [], []
    for name, other in pairs:
        a, b = mesh.number(name), mesh.number(other)
        mine = mesh.facets[(mesh.facet_phases == sorted((a, b))).all(axis=1)]
        # Facets point from the phase of lower number to the other.
        corners.append(mine if a < b else mine[:, ::-1])
        inside.append(np.full(len(mine), a))
        outside.append(np.full(len(mine), b))
    facets = np.concatenate(corners)
    points = mesh.points[facets]
    vector = 0.5 * np.cross(points[:, 1] - points[:, 0], points[:, 2] - points[:, 0])
    area = np.linalg.norm(vector, axis=1)
    centre = points.mean(axis=1)
    shape = (0, 0, 0) if mesh.image is None else mesh.image.shape
    voxel = np.full(len(area), -1)
    if mesh.image is not None:
        place = np.minimum((centre / mesh.image.voxel_size).astype(int), np.array(shape) - 1)
        voxel = np.ravel_multi_index(tuple(place.T), shape)
    normal, phase = vector / area[:, None], np.concatenate(inside)
    reads = voxel
    if mesh.image is not None:
        reads = nearest_voxels(mesh.image, mesh.phases, voxel, normal, phase)
    return ReactingInterface(
        area,
        normal,
        centre,
        mesh.phases,
        phase,
        np.concatenate(outside),
        shape,
        mesh.extent,
        voxel,
        reads,
        np.ascontiguousarray(facets),
        dict.fromkeys(pairs, 1.0),
    )


@dataclass
class _Found:
    """Facets of an image while they are collected: voxels, area vectors, shift of the centre."""

    voxel: list[NDArray[np.int64]]
    vector: list[NDArray[np.float64]]
    shift: list[NDArray[np.float64]]
    pair: list[NDArray[np.int64]]
    scales: dict[tuple[str, str], float]

    @classmethod
    def none(cls) -> _Found:
        return cls([], [], [], [], {})

    def add(self, pair: int, voxel: NDArray, vector: NDArray, shift: NDArray | None = None) -> None:
        self.voxel.append(voxel)
        self.vector.append(vector)
        self.shift.append(np.zeros((len(voxel), 3)) if shift is None else shift)
        self.pair.append(np.full(len(voxel), pair))

    def faces(self, pair: int, axis: int, voxel: NDArray, vector: NDArray) -> None:
        """Add facets on the faces after some voxels, from their components along the axis."""
        along = np.zeros((len(voxel), 3))
        along[:, axis] = vector
        shift = np.zeros((len(voxel), 3))
        shift[:, axis] = 0.5
        self.add(pair, voxel, along, shift)

    def interface(
        self, micro: Microstructure, pairs: Sequence[tuple[str, str]]
    ) -> ReactingInterface:
        voxel, vector = np.concatenate(self.voxel), np.concatenate(self.vector)
        shift, pair = np.concatenate(self.shift), np.concatenate(self.pair)
        # Facets of one voxel stand together.
        order = np.lexsort((pair, voxel))
        voxel, vector, shift, pair = voxel[order], vector[order], shift[order], pair[order]
        area = np.linalg.norm(vector, axis=1)
        place = np.stack(np.unravel_index(voxel, micro.shape), axis=1) + 0.5 + shift
        names = micro.phase_names
        ends = np.array([[names.index(a), names.index(b)] for a, b in pairs]).reshape(-1, 2)
        normal = vector / np.maximum(area, 1e-300)[:, None]
        return ReactingInterface(
            area,
            normal,
            place * micro.voxel_size,
            names,
            ends[pair, 0],
            ends[pair, 1],
            micro.shape,
            micro.extent,
            voxel,
            nearest_voxels(micro, names, voxel, normal, ends[pair, 0]),
            np.empty((0, 3), np.int32),
            self.scales,
        )


def nearest_voxels(
    micro: Microstructure,
    names: Sequence[str],
    voxel: NDArray[np.int64],
    normal: NDArray[np.float64],
    inside: NDArray[np.int64],
) -> NDArray[np.int64]:
    """Return the voxel of a phase that is nearest to each facet, against its normal.

    The voxel of the facet itself if it is of that phase; else that of its 26 neighbours which lies
    farthest inwards; else, if none is, the voxel of the facet.

    Parameters
    ----------
    micro : Microstructure
    names : sequence of str
        Phases by number.
    voxel : ndarray of int64, shape (n,)
        Of each facet, in C order.
    normal : ndarray, shape (n, 3)
        Unit vectors out of the phase.
    inside : ndarray of int64, shape (n,)
        Number of the phase.

    Returns
    -------
    ndarray of int64, shape (n,)
    """
    labels = micro.labels.reshape(-1)
    wanted = np.array([micro.label(name) for name in names])[inside]
    found, best = voxel.copy(), np.full(len(voxel), -np.inf)
    other = np.flatnonzero(labels[voxel] != wanted)
    place = np.stack(np.unravel_index(voxel[other], micro.shape), axis=1)
    for step in np.ndindex(3, 3, 3):
        offset = np.array(step) - 1
        if not offset.any():
            continue
        there = place + offset
        inner = ((there >= 0) & (there < micro.shape)).all(axis=1)
        near = np.ravel_multi_index(tuple(np.where(inner[:, None], there, place).T), micro.shape)
        score = -(normal[other] @ offset) / np.linalg.norm(offset)
        better = inner & (labels[near] == wanted[other]) & (score > best[other])
        found[other[better]], best[other[better]] = near[better], score[better]
    return found


def _staircase(micro: Microstructure, pairs: Sequence[tuple[str, str]]) -> ReactingInterface:
    faces = np.prod(micro.voxel_size) / np.array(micro.voxel_size)
    found = _Found.none()
    for number, (name, other) in enumerate(pairs):
        a, b = micro.mask(name), micro.mask(other)
        for axis in range(3):
            for first, second, sign in ((a, b, 1.0), (b, a, -1.0)):
                meets = first & np.roll(second, -1, axis)
                meets[(slice(None),) * axis + (-1,)] = False
                voxel = np.flatnonzero(meets)
                found.faces(number, axis, voxel, np.full(len(voxel), sign * faces[axis]))
        found.scales[name, other] = 1.0
    return found.interface(micro, pairs)


def _embedded(micro: Microstructure, pairs: Sequence[tuple[str, str]]) -> ReactingInterface:
    found = _Found.none()
    for number, (pair, facets) in enumerate(
        zip(pairs, facet_areas(micro, list(pairs)), strict=True)
    ):
        found.add(number, facets.voxel, facets.vector, facets.shift)
        found.scales[pair] = facets.scale
    return found.interface(micro, pairs)

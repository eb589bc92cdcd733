"""Places where binder joins two particles, and where particles touch.

Binder belongs to the gap between the two particles nearest to it if the ways to both together are
short. The connected pieces of it that touch both particles are ligaments.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from ..checking import is_number
from ..geometry import distance_map
from ..microstructure import Microstructure

__all__ = ["Ligaments", "ligaments"]

Edges = tuple[float, float, float]
Vectors = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Ligaments:
    """Ligaments of binder between particles, and contacts of particles; arrays have one row each.

    Parameters
    ----------
    kind : tuple of str
        "binder", or "contact" where two particles share faces.
    particles : ndarray of int, shape (n, 2)
        Numbers of the particles joined, the lower first.
    centre : ndarray, shape (n, 3)
        Mean place of the voxels along (z, y, x), in m from the corner of the image.
    smallest_gap, mean_gap : ndarray, shape (n,)
        Way from particle to particle through the voxels of the ligament, in m; 0 for contacts.
        No gap of binder is narrower than a voxel.
    area : ndarray, shape (n,)
        Cross-section, in m^2: the length of `axis` before it is scaled to 1.
    axis : ndarray, shape (n, 3)
        Mean normal (z, y, x) of the faces between ligament and particles, from the first particle
        to the second.
    volume : ndarray, shape (n,)
        In m^3; of contacts that of the voxels on both sides of the shared faces.
    touches_border : ndarray of bool, shape (n,)
        Whether it reaches an outer face of the image, which then cuts it.
    region : ndarray of int32, shape (nz, ny, nx)
        Number of the ligament of each voxel, from 1; 0 elsewhere.
    micro : Microstructure
    phases : dict of str to str
        Phase of each kind.
    """

    kind: tuple[str, ...]
    particles: NDArray[np.int64]
    centre: Vectors
    smallest_gap: Vectors
    mean_gap: Vectors
    area: Vectors
    axis: Vectors
    volume: Vectors
    touches_border: NDArray[np.bool_]
    region: NDArray[np.int32] = field(repr=False)
    micro: Microstructure = field(repr=False)
    phases: dict[str, str]

    def __len__(self) -> int:
        return len(self.kind)


def ligaments(
    micro: Microstructure,
    particles: NDArray[np.integer] | None = None,
    *,
    widest_gap: float,
    active: str = "active",
    binder: str = "binder",
    contacts: bool = True,
) -> Ligaments:
    """Find the ligaments of binder between particles, and the contacts of particles.

    Parameters
    ----------
    micro : Microstructure
    particles : ndarray of int, shape (nz, ny, nx), optional
        Number of the particle of each voxel, from 1, and 0 elsewhere. By default that of
        `microtwin.imaging.separate_particles`.
    widest_gap : float
        In m: binder counts as between two particles if the ways to both together are no longer. A
        few times the thickness of the films; half a particle diameter at most.
    active, binder : str
        Names of the phases.
    contacts : bool
        Whether particles that share faces are listed too, as ligaments without a gap.

    Returns
    -------
    Ligaments
        Binder first, then contacts, each from the largest cross-section to the smallest.

    Raises
    ------
    ValueError
        If a phase is not in the image, the gap is narrower than a voxel, or the particles have
        another shape than the image or number voxels outside of the active phase; if there is no
        particle or no binder.

    Notes
    -----
    Distances are exact, between voxel centres; the two surfaces together are one voxel nearer,
    taken along the axis. With a face of area a and normal n between ligament and particle, the axis
    times the cross-section is the sum of a n over the faces with the first particle, out of it,
    averaged with that over the faces with the second, into it: exact for plane films in any
    direction, and the projected area for curved ones.

    The image does not repeat itself here: ligaments across its faces are cut.
    """
    bonded = micro.mask(binder)
    numbers = _checked_particles(micro, particles, active)
    if not bonded.any():
        raise ValueError(f"phase {binder!r} has no voxel in this image, so it joins nothing")
    edges = micro.voxel_size
    if not (is_number(widest_gap) and widest_gap >= min(edges)):
        raise ValueError(
            f"widest_gap {widest_gap!r} is not allowed; give a length in m that is no shorter than "
            f"a voxel, {min(edges):.4g} m"
        )
    first, second, *pair = _two_nearest(numbers, bonded, edges, widest_gap)
    gap = first + second
    del first, second
    # The surfaces are nearer by half a voxel each, at the most along its longest edge; what that
    # lets in too much is left out when the direction is known.
    between = bonded & (gap <= widest_gap + max(edges) * (1.0 + 1e-6))
    region, joined = _pieces(np.where(between, pair[0], 0), pair[1])
    found = _measured(region, joined, numbers, gap, edges, widest_gap)
    if contacts:
        touching, joined = _pieces(*_across_faces(numbers))
        other = _measured_contacts(touching, joined, numbers, edges)
        shift = np.where(touching > 0, touching + len(found["area"]), 0).astype(np.int32)
        region = np.where(region > 0, region, shift)
        kinds = ("binder",) * len(found["area"]) + ("contact",) * len(other["area"])
        found = {key: np.concatenate([found[key], other[key]]) for key in found}
    else:
        kinds = ("binder",) * len(found["area"])
    return _ordered(found, kinds, region, micro, {"binder": binder, "contact": active})


def _checked_particles(
    micro: Microstructure, particles: NDArray[np.integer] | None, active: str
) -> NDArray[np.int32]:
    solid = micro.mask(active)
    if particles is None:
        from ..imaging import separate_particles

        return separate_particles(micro, active).labels
    numbers = np.asarray(particles)
    if numbers.shape != micro.shape or numbers.dtype.kind not in "iu":
        raise ValueError(
            f"particles of shape {numbers.shape} and type {numbers.dtype} do not fit an image of "
            f"shape {micro.shape}; give one whole number for each voxel of it"
        )
    if numbers.min() < 0 or not numbers.any():
        raise ValueError(
            "the particles hold negative numbers or no particle at all; number them from 1, with 0 "
            "elsewhere"
        )
    if numbers[~solid].any():
        raise ValueError(
            f"some voxels outside of phase {active!r} have the number of a particle; give 0 there"
        )
    return numbers.astype(np.int32, copy=False)


def _pieces(
    one: NDArray[np.int32], other: NDArray[np.int32]
) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
    """Give connected voxels of one pair of particles a number; those with 0 as the first have none.

    Returns
    -------
    region : ndarray of int32, shape (nz, ny, nx)
        From 1.
    pair : ndarray of int64, shape (n, 2)
        The particles of each piece, the lower number first.
    """
    import cc3d

    there = one > 0
    low, high = np.minimum(one, other)[there], np.maximum(one, other)[there]
    pairs = np.zeros(one.shape, np.uint32)
    keys = low.astype(np.int64) << 32 | high
    pairs[there] = np.unique(keys, return_inverse=True)[1] + 1
    region, count = cc3d.connected_components(pairs, connectivity=26, return_N=True)
    pair = np.zeros((int(count), 2), np.int64)
    piece = region[there].astype(np.int64) - 1
    pair[piece, 0], pair[piece, 1] = low, high
    return region.astype(np.int32), pair


def _two_nearest(
    numbers: NDArray[np.int32], bonded: NDArray[np.bool_], edges: Edges, widest: float
) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.int32], NDArray[np.int32]]:
    """Return the distances of binder to the two nearest particles, and their numbers."""
    from scipy.ndimage import find_objects

    first = np.full(numbers.shape, np.inf, np.float32)
    second = first.copy()
    near = np.zeros(numbers.shape, np.int32)
    other = near.copy()
    # Nothing farther than the gap from a particle can be in a gap of it.
    reach = [int(np.ceil(widest / edge)) + 1 for edge in edges]
    for number, box in enumerate(find_objects(numbers), 1):
        if box is None:
            continue
        grown = tuple(
            slice(max(side.start - r, 0), side.stop + r) for side, r in zip(box, reach, strict=True)
        )
        distance = distance_map(numbers[grown] != number, edges)
        inner = bonded[grown] & (distance <= widest + max(edges))
        d, one, two = distance[inner], first[grown][inner], second[grown][inner]
        nearest, next_one = near[grown][inner], other[grown][inner]
        closer = d < one
        first[grown][inner] = np.where(closer, d, one)
        near[grown][inner] = np.where(closer, number, nearest)
        runner = ~closer & (d < two)
        second[grown][inner] = np.where(closer, one, np.where(runner, d, two))
        other[grown][inner] = np.where(closer, nearest, np.where(runner, number, next_one))
    return first, second, near, other


def _shifted(
    axis: int, image: NDArray[np.integer]
) -> tuple[NDArray[np.integer], NDArray[np.integer]]:
    """Return the voxels before and after each face across an axis."""
    before: list[slice] = [slice(None)] * 3
    after = before.copy()
    before[axis], after[axis] = slice(None, -1), slice(1, None)
    return image[tuple(before)], image[tuple(after)]


def _measured(
    region: NDArray[np.int32],
    pair: NDArray[np.int64],
    numbers: NDArray[np.int32],
    raw_gap: NDArray[np.float32],
    edges: Edges,
    widest: float,
) -> dict[str, NDArray]:
    """Measure the pieces of binder that touch two particles; the others leave the region."""
    count = len(pair)
    vectors, faces = np.zeros((2, count, 3)), np.zeros((2, count), np.int64)
    for axis in range(3):
        face = float(np.prod(edges)) / edges[axis]
        piece_before, piece_after = _shifted(axis, region)
        solid_before, solid_after = _shifted(axis, numbers)
        for piece, solid, way in ((piece_before, solid_after, 1), (piece_after, solid_before, -1)):
            there = (piece > 0) & (solid > 0)
            beside = piece[there] - 1
            for side in range(2):
                own = beside[pair[beside, side] == solid[there]]
                found = np.bincount(own, minlength=count)
                faces[side] += found
                # From ligament to particle for the second, the other way for the first.
                vectors[side, :, axis] += face * (way if side else -way) * found
    mean = vectors.mean(axis=0)
    smallest, wide = _gaps(region, raw_gap, mean, edges)
    keep = np.asarray((faces > 0).all(axis=0) & (smallest <= widest * (1.0 + 1e-6)))
    _renumber(region, keep)
    kept = _geometry(region, numbers, pair[keep], mean[keep], edges)
    kept["smallest_gap"], kept["mean_gap"] = smallest[keep], wide[keep]
    return kept


def _renumber(region: NDArray[np.int32], keep: NDArray[np.bool_]) -> None:
    """Give the pieces to keep numbers from 1 and clear the others, in place."""
    table = np.zeros(len(keep) + 1, np.int32)
    table[1:][keep] = np.arange(1, int(keep.sum()) + 1)
    region[...] = table[region]


def _gaps(
    region: NDArray[np.int32], raw_gap: NDArray[np.float32], vectors: Vectors, edges: Edges
) -> tuple[Vectors, Vectors]:
    """Return the smallest and mean gap of pieces, from the ways between centres of voxels."""
    count = len(vectors)
    there = region > 0
    piece, gap = region[there] - 1, raw_gap[there].astype(float)
    # Half a voxel along the axis from the outermost centres to each surface.
    size = np.linalg.norm(vectors, axis=1)
    along = np.linalg.norm(vectors * np.array(edges), axis=1)
    voxel = np.where(size > 0.0, along / np.where(size > 0.0, size, 1.0), np.mean(edges))
    smallest = np.full(count, np.inf)
    np.minimum.at(smallest, piece, gap)
    voxels = np.bincount(piece, minlength=count)
    return smallest - voxel, np.bincount(piece, gap, count) / voxels - voxel


def _across_faces(numbers: NDArray[np.int32]) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Return the own particle, and that across a face, of voxels which share one with another."""
    one, other = np.zeros_like(numbers), np.zeros_like(numbers)
    for axis in range(3):
        before, after = _shifted(axis, numbers)
        shared = _shared(before, after)
        own, across = _shifted(axis, one), _shifted(axis, other)
        for k, (mine, theirs) in enumerate(((before, after), (after, before))):
            own[k][shared], across[k][shared] = mine[shared], theirs[shared]
    return one, other


def _shared(before: NDArray[np.integer], after: NDArray[np.integer]) -> NDArray[np.bool_]:
    return (before != after) & (before > 0) & (after > 0)


def _measured_contacts(
    region: NDArray[np.int32], pair: NDArray[np.int64], numbers: NDArray[np.int32], edges: Edges
) -> dict[str, NDArray]:
    """Measure the contacts; a voxel at two contacts counts to one of them."""
    count = len(pair)
    vectors, faces = np.zeros((count, 3)), np.zeros(count, np.int64)
    for axis in range(3):
        face = float(np.prod(edges)) / edges[axis]
        before, after = _shifted(axis, numbers)
        shared = _shared(before, after)
        piece, across = (side[shared] for side in _shifted(axis, region))
        same = piece == across
        beside = piece[same] - 1
        ways = np.where(before[shared] < after[shared], 1.0, -1.0)[same]
        vectors[:, axis] += np.bincount(beside, face * ways, count)
        faces += np.bincount(beside, minlength=count)
    keep = faces > 0
    _renumber(region, keep)
    found = _geometry(region, numbers, pair[keep], vectors[keep], edges)
    found["smallest_gap"] = found["mean_gap"] = np.zeros(int(keep.sum()))
    return found


def _geometry(
    region: NDArray[np.int32],
    numbers: NDArray[np.int32],
    pair: NDArray[np.int64],
    vectors: Vectors,
    edges: Edges,
) -> dict[str, NDArray]:
    """Return place, cross-section, axis and volume of the pieces of a region."""
    count = len(pair)
    voxels = np.nonzero(region)
    piece = region[voxels] - 1
    counts = np.maximum(np.bincount(piece, minlength=count), 1)
    sums = np.stack([np.bincount(piece, place, count) for place in voxels], axis=1)
    border = np.zeros(count, bool)
    for place, n in zip(voxels, region.shape, strict=True):
        border[piece[(place == 0) | (place == n - 1)]] = True
    area = np.linalg.norm(vectors, axis=1)
    axis = np.divide(vectors, area[:, None], out=np.zeros_like(vectors), where=area[:, None] > 0)
    closed = area == 0.0
    if closed.any():
        # Faces all around cancel, as where one particle lies in a hollow of the other.
        axis[closed] = _ways_between(numbers, pair[closed], edges)
    return {
        "particles": pair,
        "centre": (sums / counts[:, None] + 0.5) * np.array(edges),
        "area": area,
        "axis": axis,
        "volume": counts * float(np.prod(edges)),
        "touches_border": border,
    }


def _ways_between(numbers: NDArray[np.int32], pair: NDArray[np.int64], edges: Edges) -> Vectors:
    """Return the directions between the centres of particles; along z where they coincide."""
    from scipy.ndimage import center_of_mass

    ends = [np.array(center_of_mass(numbers > 0, numbers, pair[:, k])) for k in range(2)]
    way = (ends[1] - ends[0]) * np.array(edges)
    size = np.linalg.norm(way, axis=1, keepdims=True)
    return np.where(size > 0.0, way / np.where(size > 0.0, size, 1.0), [1.0, 0.0, 0.0])


def _ordered(
    found: dict[str, NDArray],
    kinds: tuple[str, ...],
    region: NDArray[np.int32],
    micro: Microstructure,
    phases: dict[str, str],
) -> Ligaments:
    """Return the ligaments, binder before contacts, each from the largest to the smallest."""
    second = np.array([kind == "contact" for kind in kinds], bool)
    order = np.lexsort((-found["area"], second))
    table = np.zeros(len(order) + 1, np.int32)
    table[order + 1] = np.arange(1, len(order) + 1)
    numbered = table[region]
    numbered.flags.writeable = False
    columns = {key: values[order] for key, values in found.items()}
    return Ligaments(
        kind=tuple(kinds[k] for k in order),
        region=numbered,
        micro=micro,
        phases=phases,
        **columns,
    )

"""How good a mesh is, and whether it may be used."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from ..connectivity import label_clusters
from ..geometry import film_faces
from ..geometry.surface import interface_area
from ..microstructure import Microstructure
from ..numerics.threads import even_shares, over_slabs
from . import quality_kernels as kernels
from .complexes import linked
from .tetrahedra import TetrahedralMesh
from .topology import faulty_vertices

__all__ = ["MeshCheck", "MeshQuality", "mesh_quality"]

QUANTILES = (0.0, 0.001, 0.01, 0.05, 0.5)
# Limits in the order (pass, warn): beyond the second a mesh has failed.
SMALLEST_ANGLE = (10.0, 5.0)  # degrees
FIRST_PERCENTILE = (20.0, 10.0)  # degrees
FRACTION = (0.001, 0.01)  # of the volume
# Relative. Across films one voxel thick, voxels of both sides touch at edges, and the image itself
# is measured wrongly: where many faces bound such films, a mesh cannot fail by its areas.
AREA = (0.02, 0.2)
FILMS = 0.1  # share of the faces between phases
SMALLEST_AREA = 0.01  # of all interfaces: differences of smaller ones are relative to this
FILLED = 1e-9  # relative difference of all volumes from that of the box
TOGETHER = (0.999, 0.95)  # share of each cluster of the image that is one piece in the mesh
SHOWN = 10  # worst places
LEAST_CLUSTER = 27  # voxels of a cluster of the image that counts


@dataclass(frozen=True)
class MeshCheck:
    """One thing a mesh must fulfil.

    Attributes
    ----------
    kind : str
        What is checked, the same for all phases.
    of : str
        Phase, or pair of phases, that it is checked for; empty for the mesh as a whole.
    value, limit : float
    verdict : {"pass", "warn", "fail"}
    """

    kind: str
    of: str
    value: float
    limit: float
    verdict: Literal["pass", "warn", "fail"]


@dataclass(frozen=True, eq=False)
class MeshQuality:
    """Quality of a mesh.

    Attributes
    ----------
    cells, points : int
        Tetrahedra and vertices.
    smallest_angle, largest_angle : float
        Of all dihedral angles, in degrees.
    angle_quantiles : mapping of float to float
        Of the smallest dihedral angle of each tetrahedron that touches an interface, in degrees;
        by share (0.01 is the first percentile).
    aspect_quantiles : mapping of float to float
        Of the aspect ratio, longest edge over radius of the inscribed sphere, 1 if regular; shares
        are counted from the worst.
    jacobian_quantiles : mapping of float to float
        Of the scaled Jacobian, 1 if regular.
    angle_counts : ndarray of int, shape (71,)
        How many of these angles lie between each whole number of degrees and the next.
    inverted : int
        Tetrahedra without positive volume.
    unmatched_faces : int
        Faces that are neither shared by two tetrahedra nor on the box.
    non_manifold : int
        Vertices at which, or at an edge of which, a phase touches itself.
    volume_fractions : mapping of str to tuple of 2 floats
        By phase: in the mesh, and as it should be.
    interface_areas : mapping of tuple of 2 str to tuple of 2 floats
        By pair of phases: in the mesh, and by the Crofton formula on the image, in m^2.
    together : mapping of str to float
        By phase: share of its clusters in the image that lie in one piece of the mesh.
    merged : mapping of str to int
        By phase: clusters of the image that lie in one piece of the mesh with a larger one. Voxels
        that touch along an edge or at a corner are often joined; that is not judged.
    torn : tuple of (str, tuple of 3 floats)
        Phase and place (z, y, x in metres) of pieces that are cut off in the mesh, largest first.
    worst : tuple of (tuple of 3 floats, float, str)
        Place (z, y, x in metres), smallest dihedral angle in degrees, and phase of the worst
        tetrahedra.
    checks : tuple of MeshCheck
    """

    cells: int
    points: int
    smallest_angle: float
    largest_angle: float
    angle_quantiles: Mapping[float, float]
    aspect_quantiles: Mapping[float, float]
    jacobian_quantiles: Mapping[float, float]
    angle_counts: NDArray[np.int64] = field(repr=False)
    inverted: int
    unmatched_faces: int
    non_manifold: int
    volume_fractions: Mapping[str, tuple[float, float]]
    interface_areas: Mapping[tuple[str, str], tuple[float, float]]
    together: Mapping[str, float]
    merged: Mapping[str, int]
    torn: tuple[tuple[str, tuple[float, ...]], ...] = field(repr=False)
    worst: tuple[tuple[tuple[float, ...], float, str], ...] = field(repr=False)
    checks: tuple[MeshCheck, ...] = field(repr=False)

    @property
    def verdict(self) -> Literal["pass", "warn", "fail"]:
        """The most serious verdict of the checks."""
        found = {check.verdict for check in self.checks}
        return "fail" if "fail" in found else "warn" if "warn" in found else "pass"

    def __str__(self) -> str:
        lines = [f"{self.cells} tetrahedra, {self.points} vertices: {self.verdict}"]
        names = [f"{check.kind.replace('_', ' ')} {check.of}".strip() for check in self.checks]
        for name, check in zip(names, self.checks, strict=True):
            numbers = f"{check.value:12.5g}  limit {check.limit:.5g}"
            lines.append(f"  {name:<{max(map(len, names))}} {numbers:<28} {check.verdict}")
        return "\n".join(lines)


def mesh_quality(mesh: TetrahedralMesh) -> MeshQuality:
    """Measure a mesh, and compare it with the image it was made from.

    Parameters
    ----------
    mesh : TetrahedralMesh

    Returns
    -------
    MeshQuality
    """
    shapes = np.empty((len(mesh.cells), 4))
    over_slabs(kernels.shapes, even_shares(len(mesh.cells)), mesh.points, mesh.cells, shapes)
    smallest = shapes[:, 0]
    at_interface = np.zeros(len(mesh.points), bool)
    at_interface[mesh.facets.ravel()] = True
    near = at_interface[mesh.cells].any(axis=1)
    inverted = int(np.count_nonzero(mesh.volumes <= 0.0))

    complex_ = linked(mesh.points, _box_bits(mesh), mesh.cells, mesh.phase.astype(np.int16))
    pairs = np.empty(mesh.cells.shape, np.int32)
    unmatched = int(kernels.face_pairs(complex_, pairs))
    faulty = len(faulty_vertices(complex_))
    together, torn, merged = _together(mesh, pairs)
    unfilled = abs(float(mesh.volumes.sum()) / float(np.prod(mesh.extent)) - 1.0)

    worst = np.argpartition(smallest, min(SHOWN, len(smallest) - 1))[:SHOWN]
    worst = worst[np.lexsort((worst, smallest[worst]))]
    centres = mesh.points[mesh.cells[worst]].mean(axis=1)
    fractions = mesh.volume_fractions
    wanted = mesh.fractions or fractions
    volume = {name: (fractions[name], wanted[name]) for name in mesh.phases}
    areas = _areas(mesh)
    angles = _quantiles(smallest[near])
    checks = [
        MeshCheck("inverted_tetrahedra", "", inverted, 0, _zero(inverted)),
        MeshCheck("unmatched_faces", "", unmatched, 0, _zero(unmatched)),
        MeshCheck("unfilled_volume", "", unfilled, FILLED, _zero(unfilled > FILLED)),
        MeshCheck("self_touching_points", "", faulty, 0, _zero(faulty)),
        _at_least("smallest_dihedral_angle", "", float(smallest.min()), SMALLEST_ANGLE),
    ]
    if near.any():
        first = angles[0.01]
        checks.append(_at_least("first_percentile_of_angles", "", first, FIRST_PERCENTILE))
    absent = sum(ours == 0.0 for ours, _ in volume.values())
    checks.append(MeshCheck("absent_phases", "", absent, 0, _zero(absent)))
    for name, (ours, theirs) in volume.items() if mesh.fractions else ():
        checks.append(_at_most("mesh_volume_fraction", name, abs(ours - theirs), FRACTION))
    least = SMALLEST_AREA * sum(theirs for _, theirs in areas.values())
    trusted = mesh.image is None or _share_of_films(mesh.image) < FILMS
    limits = AREA if trusted else (AREA[0], np.inf)
    for (a, b), (ours, theirs) in areas.items():
        off = abs(ours - theirs) / max(theirs, least)
        checks.append(_at_most("mesh_interface_area", f"{a}/{b}", off, limits))
    for name, share in together.items():
        checks.append(_at_least("connected_as_in_the_image", name, share, TOGETHER))
    return MeshQuality(
        cells=len(mesh.cells),
        points=len(mesh.points),
        smallest_angle=float(smallest.min()),
        largest_angle=float(shapes[:, 1].max()),
        angle_quantiles=angles,
        aspect_quantiles=_quantiles(shapes[:, 2], worst=-1),
        jacobian_quantiles=_quantiles(shapes[:, 3]),
        angle_counts=np.bincount(smallest[near].astype(int), minlength=71)[:71],
        inverted=inverted,
        unmatched_faces=unmatched,
        non_manifold=faulty,
        volume_fractions=volume,
        interface_areas=areas,
        together=together,
        merged=merged,
        torn=torn,
        worst=tuple(
            (tuple(map(float, centre)), float(smallest[t]), mesh.phases[mesh.phase[t]])
            for centre, t in zip(centres, worst, strict=True)
        ),
        checks=tuple(checks),
    )


def _quantiles(values: NDArray[np.float64], worst: int = 1) -> dict[float, float]:
    """Return quantiles counted from the worst value: the lowest, or with -1 the highest."""
    if len(values) == 0:
        return dict.fromkeys(QUANTILES, float("nan"))
    ranked = np.sort(worst * values)
    places = [min(len(values) - 1, round(q * (len(values) - 1))) for q in QUANTILES]
    return {q: float(worst * ranked[k]) for q, k in zip(QUANTILES, places, strict=True)}


def _zero(count: int) -> Literal["pass", "fail"]:
    return "fail" if count else "pass"


def _at_least(kind: str, of: str, value: float, limits: tuple[float, float]) -> MeshCheck:
    verdict = "pass" if value >= limits[0] else "warn" if value >= limits[1] else "fail"
    return MeshCheck(kind, of, value, limits[0], verdict)  # type: ignore[arg-type]


def _at_most(kind: str, of: str, value: float, limits: tuple[float, float]) -> MeshCheck:
    verdict = "pass" if value <= limits[0] else "warn" if value <= limits[1] else "fail"
    return MeshCheck(kind, of, value, limits[0], verdict)  # type: ignore[arg-type]


def _box_bits(mesh: TetrahedralMesh) -> NDArray[np.uint8]:
    """Return the bits of the box faces that each vertex lies on."""
    bits = np.zeros(len(mesh.points), np.uint8)
    for face in range(6):
        bits[mesh.box_facets[mesh.box_facet_faces == face].ravel()] |= np.uint8(1 << face)
    return bits


def _areas(mesh: TetrahedralMesh) -> dict[tuple[str, str], tuple[float, float]]:
    """Return the area of each pair in the mesh and in the image.

    The image is measured in the box between the outermost voxel centres, so the mesh is as well.
    """
    if mesh.image is None:
        return {}
    measured = interface_area(mesh.image)
    margin = 0.5 * np.array(mesh.image.voxel_size)
    far = np.array(mesh.extent) - margin
    within = (mesh.points[mesh.facets] >= margin) & (mesh.points[mesh.facets] <= far)
    inside = within.all(axis=(1, 2)).astype(float)
    # Of facets at the margin, the share that is inside.
    cut = np.flatnonzero(inside == 0.0)
    corners = mesh.points[mesh.facets[cut]]
    for weights in _spread(8):
        place = np.einsum("kid,i->kd", corners, weights)
        inside[cut] += ((place >= margin) & (place <= far)).all(axis=1) / 64
    n = len(mesh.phases)
    pair = mesh.facet_phases.astype(int) @ np.array([n, 1])
    sums = np.bincount(pair, mesh.facet_areas * inside, n * n)
    found = {}
    for a, first in enumerate(mesh.phases):
        for b, second in enumerate(mesh.phases[a + 1 :], start=a + 1):
            ours, theirs = float(sums[a * n + b]), measured[first, second]
            if ours > 0 or theirs > 0:
                found[first, second] = (ours, theirs)
    return found


def _share_of_films(image: Microstructure) -> float:
    """Return how many of the faces between phases bound films one voxel thick."""
    # 0 would stand for what does not matter.
    numbers = np.zeros(256, np.uint8)
    numbers[list(image.phases.values())] = np.arange(1, len(image.phases) + 1)
    labels = numbers[image.labels]
    marked = film_faces(labels)
    films = sum(int(np.count_nonzero(marked >> axis & 1)) for axis in range(3))
    faces = sum(int(np.count_nonzero(np.diff(labels, axis=axis))) for axis in range(3))
    return films / faces if faces else 0.0


def _spread(n: int) -> NDArray[np.float64]:
    """Return the centres of the n^2 equal parts of a triangle, as weights of its corners."""
    found = []
    for i in range(n):
        for j in range(n - i):
            found.append((i + 1 / 3, j + 1 / 3))
            if j < n - i - 1:
                found.append((i + 2 / 3, j + 2 / 3))
    return np.array([(a / n, b / n, 1.0 - (a + b) / n) for a, b in found])


def _together(
    mesh: TetrahedralMesh, pairs: NDArray[np.int32]
) -> tuple[dict[str, float], tuple[tuple[str, tuple[float, ...]], ...], dict[str, int]]:
    """Return how much of each cluster of the image is one piece in the mesh, and what is cut off.

    A tetrahedron counts for the cluster of the voxel at its centre, if that is of its phase. A
    cluster without any has vanished and counts with its voxels.
    """
    if mesh.image is None:
        return {}, (), {}
    t, i = np.nonzero((pairs >= 0) & (mesh.phase[pairs] == mesh.phase[:, None]))
    links = coo_array((np.ones(len(t), np.int8), (t, pairs[t, i])), shape=(len(pairs),) * 2)
    piece = connected_components(links, directed=False)[1]
    centre = mesh.points[mesh.cells].mean(axis=1)
    voxel = np.minimum((centre / mesh.image.voxel_size).astype(int), np.array(mesh.image.shape) - 1)
    together, torn, merged = {}, [], {}
    per_voxel = float(np.prod(mesh.image.voxel_size))
    for number, name in enumerate(mesh.phases):
        clusters = label_clusters(mesh.image.mask(name))[0]
        counts = np.bincount(clusters.ravel())
        clusters = np.where(counts[clusters] >= LEAST_CLUSTER, clusters, 0)
        mine = np.flatnonzero(mesh.phase == number)
        cluster = clusters[tuple(voxel[mine].T)]
        mine, cluster = mine[cluster > 0], cluster[cluster > 0]
        if len(mine) == 0:
            lacking = clusters.any() or not (mesh.phase == number).any()
            together[name], merged[name] = 0.0 if lacking else 1.0, 0
            continue
        pieces = int(piece.max()) + 1
        pairs_of = cluster.astype(np.int64) * pieces + piece[mine]
        keys, where = np.unique(pairs_of, return_inverse=True)
        volume = np.bincount(where, mesh.volumes[mine])
        order = np.lexsort((-volume, keys // pieces))
        largest = np.ones(len(order), bool)
        largest[1:] = keys[order[1:]] // pieces != keys[order[:-1]] // pieces
        there = keys[order[largest]] // pieces
        gone = np.setdiff1d(np.flatnonzero(counts >= LEAST_CLUSTER)[1:], there)
        lost = per_voxel * float(counts[gone].sum())
        together[name] = float(volume[order[largest]].sum() / (volume.sum() + lost))
        merged[name] = len(there) - len(np.unique(keys[order[largest]] % pieces))
        cut_off = order[~largest]
        for k in cut_off[np.argsort(-volume[cut_off], kind="stable")][:SHOWN]:
            cells = mine[where == k]
            place = np.average(centre[cells], axis=0, weights=mesh.volumes[cells])
            torn.append((float(volume[k]), name, tuple(map(float, place))))
    torn.sort(key=lambda item: -item[0])
    return together, tuple((name, place) for _, name, place in torn[:SHOWN]), merged

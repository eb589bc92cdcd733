"""The stages on a mesh: the mesh itself, and the same property on the mesh and on the voxels."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..microstructure import Microstructure
from .stages import check, microstructure_of
from .store import Entry, StageOutput
from .tasks import Inputs

if TYPE_CHECKING:
    from ..meshing import MeshQuality, TetrahedralMesh

__all__ = ["cross_verification", "mesh_of", "tetrahedralize"]

Params = Mapping[str, Any]

FINER = 0.5  # edge of the smaller voxels over that of the image
COARSER = 1.5  # size of the coarser mesh over that of the finer one
MOST_CELLS = 1_500_000  # for elements of order 2, which need about 3 kB each
OTHERS = "others than the phase"
# Edge of the block that is shown in pictures, in elements: more would not be seen one by one.
SHOWN_ELEMENTS = 22
_ARRAYS = (
    "points",
    "cells",
    "phase",
    "facets",
    "facet_phases",
    "box_facets",
    "box_facet_cells",
    "box_facet_faces",
)


def tetrahedralize(params: Params, inputs: Inputs) -> StageOutput:
    """Mesh the microstructure, judge the mesh, and keep pictures and files of it."""
    from .. import meshing

    micro = microstructure_of(inputs["microstructure"])
    mesh = meshing.tetrahedralize(micro, params["size"], params["coarsest"])
    quality = mesh.quality()
    low, high = _window(mesh)
    numbers = {
        "window": [low, high],
        "size": mesh.size,
        "unit": mesh.unit,
        "extent": mesh.extent,
        "phases": mesh.phases,
        "fractions": mesh.fractions,
        **_plain(quality),
    }
    arrays: dict[str, NDArray] = {name: getattr(mesh, name) for name in _ARRAYS}
    arrays |= _pictures(mesh, quality)
    files = {f"mesh.{ending}": mesh.save for ending in params["formats"]}
    return StageOutput(numbers, arrays, files, _checks(quality))


def mesh_of(entry: Entry, micro: Microstructure) -> TetrahedralMesh:
    """Return the mesh that the stage of that name has stored."""
    from ..meshing import TetrahedralMesh

    numbers = entry.numbers
    return TetrahedralMesh(
        **{name: entry.array(name) for name in _ARRAYS},
        phases=tuple(numbers["phases"]),
        extent=tuple(numbers["extent"]),
        size=numbers["size"],
        unit=numbers["unit"],
        fractions=numbers["fractions"],
        image=micro,
    )


def _plain(quality: MeshQuality) -> dict[str, Any]:
    """Return the quality as data that can be stored; pairs of phases are joined by a slash."""
    return {
        "cells": quality.cells,
        "vertices": quality.points,
        "smallest_angle": quality.smallest_angle,
        "largest_angle": quality.largest_angle,
        "angle_quantiles": list(quality.angle_quantiles.items()),
        "aspect_quantiles": list(quality.aspect_quantiles.items()),
        "jacobian_quantiles": list(quality.jacobian_quantiles.items()),
        "volume_fractions": quality.volume_fractions,
        "interface_areas": {"/".join(k): v for k, v in quality.interface_areas.items()},
        "together": quality.together,
        "torn": quality.torn,
        "worst": quality.worst,
    }


def _checks(quality: MeshQuality) -> list[dict[str, Any]]:
    """Return the checks of a mesh; of those by phase only the worst."""
    order = ("pass", "warn", "fail")
    worst: dict[str, Any] = {}
    for one in quality.checks:
        old = worst.get(one.kind)
        if old is None or order.index(one.verdict) > order.index(old.verdict):
            worst[one.kind] = one
    return [check(kind, one.value, one.limit, one.verdict) for kind, one in worst.items()]


def _window(mesh: TetrahedralMesh) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the ends of the block in the middle of the mesh that pictures show."""
    extent = np.array(mesh.extent)
    half = np.minimum(extent / 2, 0.5 * SHOWN_ELEMENTS * mesh.size)
    return extent / 2 - half, extent / 2 + half


def _pictures(mesh: TetrahedralMesh, quality: MeshQuality) -> dict[str, NDArray]:
    """Return a plane through the middle, a block with a corner taken away, and angles."""
    from ..meshing import cut_away, plane_section

    extent = np.array(mesh.extent)
    low, high = _window(mesh)
    polygons, phase = plane_section(mesh, "y", extent[1] / 2)
    seen = (polygons.max(axis=1) > low[[0, 2]]) & (polygons.min(axis=1) < high[[0, 2]])
    seen = seen.all(axis=1)
    centre = mesh.points[mesh.cells].mean(axis=1)
    block = ((centre > low) & (centre < high)).all(axis=1)
    # The corner towards the viewer: up, in front, to the right.
    corner = (centre[:, 0] > extent[0] / 2) & (centre[:, 1] < extent[1] / 2)
    corner &= centre[:, 2] > extent[2] / 2
    triangles, of = cut_away(mesh, block & ~corner)
    return {
        "section": polygons[seen].astype(np.float32),
        "section_phase": phase[seen],
        "block": triangles.astype(np.float32),
        "block_phase": of,
        "angle_counts": quality.angle_counts,
    }


def cross_verification(params: Params, inputs: Inputs) -> StageOutput:
    """Compute one relative diffusivity on voxels and on meshes, at two resolutions each."""
    from .. import meshing
    from ..transport import tortuosity_factor
    from ..trust import cross_verification as compare

    micro = microstructure_of(inputs["microstructure"])
    phase, direction = params["phase"], params["direction"]
    stored = mesh_of(inputs["mesh"], micro)
    size = stored.size / stored.unit
    order = 2 if len(stored.cells) <= MOST_CELLS else 1

    fields = meshing.image_fields(micro)

    def on_voxels(share: float) -> float:
        # The interface that is meshed, on voxels of the image and on smaller ones: one geometry.
        inside = meshing.refined_level_set(fields, phase, round(1 / share))
        edges = tuple(share * h for h in micro.voxel_size)
        voxels = Microstructure((inside < 0).view(np.uint8), edges, {phase: 0, OTHERS: 1})
        found = tortuosity_factor(
            voxels, phase, direction=direction, tol=params["tol"], level_set=inside
        )
        return found.relative_diffusivity

    def on_mesh(edge: float) -> float:
        inside = edge / size * params["coarsest"] if params["coarsest"] else None
        mesh = stored if edge == size else meshing.tetrahedralize(micro, edge, inside)
        return meshing.effective_conductivity(mesh, {phase: 1.0}, direction, order)

    # On an image of few elements the second mesh must be the finer one.
    coarse_fits = COARSER * size <= 0.5 * min(stored.extent) / stored.unit
    sizes = (size, COARSER * size) if coarse_fits else (size / COARSER, size)
    found = compare(on_voxels, on_mesh, ((FINER, 1.0), sizes))
    numbers = {
        "phase": phase,
        "direction": direction,
        "voxel_sizes": [min(micro.voxel_size) * n for n in found.first.sizes],
        "on_voxels": found.first.values,
        "order": order,
        "mesh_sizes": [stored.unit * n for n in found.second.sizes],
        "on_mesh": found.second.values,
        "extrapolated": [found.first.extrapolated, found.second.extrapolated],
        "errors": [found.first.error, found.second.error],
        "difference": found.difference,
        "sentence": found.sentence,
    }
    verdict = "pass" if found.agrees else "warn"
    return StageOutput(
        numbers, checks=[check("cross_verification", found.difference, 0.01, verdict)]
    )

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

import microtwin as mt
from meshing.shapes import VOXEL, ball, film
from microtwin.meshing import tetrahedralize
from microtwin.meshing.quality import mesh_quality
from microtwin.meshing.quality_kernels import shapes


def shape_of(points):
    out = np.empty((1, 4))
    shapes(0, 1, np.array(points, float), np.array([[0, 1, 2, 3]], np.int32), out)
    return out[0]


@pytest.mark.parametrize("kind", ["curved", "tilted"])
def test_a_sound_mesh_of_a_film_as_thin_as_a_voxel_does_not_fail(kind):
    """The Crofton formula sees the two sides of the film touch where voxels meet at edges."""
    mesh = tetrahedralize(film(1, kind), 1.0)
    quality = mesh.quality()
    ours, theirs = quality.interface_areas["pore", "active"]
    assert ours == 0.0 < theirs
    assert quality.verdict == "warn"


def test_a_regular_tetrahedron():
    low, high, aspect, jacobian = shape_of([[0, 0, 0], [0, 1, 1], [1, 1, 0], [1, 0, 1]])
    if jacobian < 0:
        low, high, aspect, jacobian = shape_of([[0, 0, 0], [0, 1, 1], [1, 0, 1], [1, 1, 0]])
    assert low == pytest.approx(np.degrees(np.arccos(1 / 3)))
    assert high == pytest.approx(low)
    assert aspect == pytest.approx(1.0)
    assert jacobian == pytest.approx(1.0)


def test_the_corner_of_a_cube():
    low, high, aspect, jacobian = shape_of([[0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1]])
    assert low == pytest.approx(np.degrees(np.arccos(1 / np.sqrt(3))))
    assert high == pytest.approx(90.0)
    # Inscribed sphere: 3 V / A = 0.5 / (1.5 + sqrt(3) / 2).
    assert aspect == pytest.approx(np.sqrt(2) / (0.5 / (1.5 + np.sqrt(3) / 2)) / (2 * np.sqrt(6)))
    assert jacobian == pytest.approx(np.sqrt(2) / 2)


def test_a_damaged_mesh_fails_and_says_where():
    mesh = tetrahedralize(ball(6))
    inside = np.setdiff1d(np.arange(len(mesh.points)), mesh.box_facets)
    points = mesh.points.copy()
    points[inside[0]] += 20 * VOXEL
    quality = mesh_quality(replace(mesh, points=points))
    assert quality.inverted > 0
    assert quality.verdict == "fail"
    assert quality.worst[0][1] < 10.0
    assert "fail" in str(quality)


def test_a_gap_is_found():
    mesh = tetrahedralize(ball(6))
    inside = np.setdiff1d(np.arange(len(mesh.cells)), mesh.box_facet_cells)[:1]
    holed = replace(
        mesh, cells=np.delete(mesh.cells, inside, 0), phase=np.delete(mesh.phase, inside)
    )
    assert mesh_quality(holed).unmatched_faces == 4


def test_a_phase_that_touches_itself_is_found():
    mesh = tetrahedralize(ball(6))
    centres = mesh.points[mesh.cells].mean(axis=1) / VOXEL
    pore = np.flatnonzero(mesh.phase == 0)
    far = pore[np.argsort(((centres[pore] - 3.0) ** 2).sum(axis=1))[:1]]
    near = np.isin(mesh.cells, mesh.cells[far[0]])
    touching = np.flatnonzero(near.sum(axis=1) == 1)
    phase = mesh.phase.copy()
    phase[[far[0], touching[0]]] = 1
    assert mesh_quality(replace(mesh, phase=phase)).non_manifold >= 1


def test_overlapping_tetrahedra_are_found():
    mesh = tetrahedralize(ball(6))
    twice = replace(
        mesh,
        cells=np.concatenate([mesh.cells, mesh.cells[:2]]),
        phase=np.append(mesh.phase, [0, 0]),
    )
    quality = mesh_quality(replace(twice, phase=twice.phase.astype(np.uint8)))
    verdicts = {check.kind: check.verdict for check in quality.checks}
    assert verdicts["unfilled_volume"] == "fail"


def test_an_interface_that_is_lost_is_judged():
    mesh = tetrahedralize(ball(8))
    lost = replace(mesh, facets=mesh.facets[:0], facet_phases=mesh.facet_phases[:0])
    verdicts = {(check.kind, check.of): check.verdict for check in mesh_quality(lost).checks}
    assert verdicts["mesh_interface_area", "pore/active"] == "fail"


def test_a_cluster_that_has_vanished_counts():
    mesh = tetrahedralize(ball(6))
    gone = replace(mesh, phase=np.zeros_like(mesh.phase))
    assert mesh_quality(gone).together["active"] == 0.0


def test_volumes_and_areas_that_do_not_fit_are_judged():
    mesh = tetrahedralize(ball(8))
    grown = replace(mesh, fractions={"pore": 0.5, "active": 0.5})
    verdicts = {(check.kind, check.of): check.verdict for check in mesh_quality(grown).checks}
    assert verdicts["mesh_volume_fraction", "pore"] == "fail"
    assert verdicts["inverted_tetrahedra", ""] == "pass"


def test_a_phase_torn_apart_is_told_with_its_place():
    labels = np.zeros((16, 12, 12), np.uint8)
    labels[2:14, 4:8, 4:8] = 1
    micro = mt.Microstructure(labels, VOXEL, {"pore": 0, "bar": 1})
    mesh = tetrahedralize(micro)
    assert mesh.quality().together["bar"] == 1.0
    centres = mesh.points[mesh.cells].mean(axis=1)[:, 0] / VOXEL
    phase = np.where((centres > 9) & (centres < 11), 0, mesh.phase).astype(np.uint8)
    quality = mesh_quality(replace(mesh, phase=phase))
    assert quality.together["bar"] < 0.95
    assert quality.torn[0][0] == "bar"
    assert 10 < quality.torn[0][1][0] / VOXEL < 14


def test_thin_necks_stay_connected():
    """The filter alone would cut a neck of one voxel."""
    labels = np.zeros((20, 12, 12), np.uint8)
    labels[1:8, 2:9, 2:9] = 1
    labels[12:19, 2:9, 2:9] = 1
    labels[8:12, 5, 5] = 1
    micro = mt.Microstructure(labels, VOXEL, {"pore": 0, "active": 1})
    assert tetrahedralize(micro).quality().together["active"] == 1.0


def test_a_phase_that_vanishes_fails():
    labels = ball(6).labels.copy()
    labels[2, 2, 2] = 2
    micro = mt.Microstructure(labels, VOXEL, {"pore": 0, "active": 1, "speck": 2})
    mesh = tetrahedralize(micro, 4.0)
    if (mesh.phase == 2).any():
        mesh = replace(mesh, phase=np.where(mesh.phase == 2, 0, mesh.phase).astype(np.uint8))
    verdicts = {(check.kind, check.of): check.verdict for check in mesh.quality().checks}
    assert verdicts["absent_phases", ""] == "fail"
    assert verdicts["connected_as_in_the_image", "speck"] == "fail"
    with pytest.raises(ValueError, match="do not meet in this mesh"):
        mesh.surface("active", "speck")

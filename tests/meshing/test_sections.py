from __future__ import annotations

import numpy as np
import pytest

from meshing.shapes import VOXEL, ball
from microtwin.meshing import cut_away, plane_section, tetrahedralize


@pytest.fixture(scope="module")
def mesh():
    return tetrahedralize(ball(6))


def areas_of(polygons):
    x, y = polygons[..., 0], polygons[..., 1]
    return 0.5 * np.abs((x * np.roll(y, -1, axis=1) - y * np.roll(x, -1, axis=1)).sum(axis=1))


@pytest.mark.parametrize("direction", ["z", "y", "x"])
@pytest.mark.parametrize("share", [0.31, 0.5])
def test_a_plane_cuts_its_whole_area(mesh, direction, share):
    axis = "zyx".index(direction)
    polygons, phase = plane_section(mesh, direction, share * mesh.extent[axis])
    areas = areas_of(polygons)
    whole = np.prod(mesh.extent) / mesh.extent[axis]
    assert areas.sum() == pytest.approx(whole, rel=1e-6)
    # A circle of active material.
    height = (share * mesh.extent[axis] - np.array([12.13, 11.79, 12.05])[axis] * VOXEL) / VOXEL
    circle = np.pi * (36 - height**2) * VOXEL**2
    assert areas[phase == 1].sum() == pytest.approx(circle, rel=0.05)


def test_a_plane_outside_cuts_nothing(mesh):
    polygons, phase = plane_section(mesh, "z", 2 * mesh.extent[0])
    assert len(polygons) == len(phase) == 0


def test_the_outside_of_all_is_the_box(mesh):
    triangles, _ = cut_away(mesh, np.ones(len(mesh.cells), bool))
    edges = triangles[:, 1:] - triangles[:, :1]
    normals = np.cross(edges[:, 0], edges[:, 1]) / 2
    assert np.linalg.norm(normals, axis=1).sum() == pytest.approx(6 * mesh.extent[0] ** 2)
    # They point out: the flux of the place through them is three times the volume.
    flux = (normals * triangles.mean(axis=1)).sum()
    assert flux == pytest.approx(3 * np.prod(mesh.extent))


def test_what_is_left_without_a_phase_is_enclosed(mesh):
    triangles, phase = cut_away(mesh, mesh.phase == 1)
    edges = triangles[:, 1:] - triangles[:, :1]
    flux = (np.cross(edges[:, 0], edges[:, 1]) / 2 * triangles.mean(axis=1)).sum()
    assert flux == pytest.approx(3 * mesh.volumes[mesh.phase == 1].sum())
    assert (phase == 1).all()

from __future__ import annotations

import itertools
import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import microtwin as mt
from meshing.shapes import VOXEL, ball, film, frustum, random_image
from microtwin.meshing import estimate, tetrahedralize
from microtwin.meshing.quality import MeshQuality
from microtwin.meshing.tetrahedra import TetrahedralMesh
from real_images import real_image

FACES = ((1, 2, 3), (0, 3, 2), (0, 1, 3), (0, 2, 1))  # opposite to each corner, seen from outside


def faces_of(cells):
    """Return every face of every tetrahedron, seen from outside, and its tetrahedron."""
    faces = np.concatenate([cells[:, list(face)] for face in FACES])
    return faces, np.tile(np.arange(len(cells)), 4)


def assert_conforming(mesh: TetrahedralMesh) -> None:
    """Check by other means than the package that the mesh fills the box, and conforms."""
    corners = mesh.points[mesh.cells]
    volumes = np.linalg.det(corners[:, 1:] - corners[:, :1]) / 6.0
    assert volumes.min() > 0
    assert volumes.sum() == pytest.approx(np.prod(mesh.extent), rel=1e-9)
    faces, owner = faces_of(mesh.cells)
    keys, where, counts = np.unique(
        np.sort(faces, axis=1), axis=0, return_inverse=True, return_counts=True
    )
    assert counts.max() == 2
    # A face that only one tetrahedron has lies on the box.
    alone = mesh.points[keys[counts == 1]] / mesh.extent
    on_low = np.isclose(alone, 0.0, atol=1e-12).all(axis=1)
    on_high = np.isclose(alone, 1.0, atol=1e-12).all(axis=1)
    assert (on_low | on_high).any(axis=1).all()
    assert len(mesh.box_facets) == np.count_nonzero(counts == 1)
    # The facets between phases are those whose two tetrahedra differ in phase.
    order = np.argsort(where.ravel(), kind="stable")
    first = np.searchsorted(where.ravel()[order], np.flatnonzero(counts == 2))
    pair = mesh.phase[owner[order[first]]], mesh.phase[owner[order[first + 1]]]
    between = keys[counts == 2][pair[0] != pair[1]]
    assert np.array_equal(
        np.unique(between, axis=0), np.unique(np.sort(mesh.facets, axis=1), axis=0)
    )


def assert_sound(mesh: TetrahedralMesh) -> MeshQuality:
    quality = mesh.quality()
    assert (quality.inverted, quality.unmatched_faces, quality.non_manifold) == (0, 0, 0)
    return quality


@pytest.mark.parametrize("radius", [10, 20])
def test_ball(radius):
    micro = ball(radius)
    mesh = tetrahedralize(micro, size=2.0)
    assert_conforming(mesh)
    quality = assert_sound(mesh)
    assert quality.verdict == "pass"
    assert quality.smallest_angle > 20.0
    share = micro.volume_fraction("active")
    assert mesh.volume_fractions["active"] == pytest.approx(share, rel=1e-4)
    area = 4 * np.pi * radius**2 * VOXEL**2
    assert mesh.interface_areas["active", "pore"] == pytest.approx(area, rel=0.01)


def test_error_of_a_plane_is_zero():
    labels = np.zeros((12, 10, 8), np.uint8)
    labels[5:] = 1
    mesh = tetrahedralize(mt.Microstructure(labels, VOXEL, {"a": 0, "b": 1}))
    assert mesh.volume_fractions["a"] == pytest.approx(5 / 12, abs=1e-6)
    assert mesh.interface_areas["a", "b"] == pytest.approx(80 * VOXEL**2, rel=1e-6)
    heights = mesh.points[np.unique(mesh.facets), 0]
    assert np.allclose(heights, 5 * VOXEL, atol=2e-3 * VOXEL)


def test_normals_point_from_the_first_phase_to_the_second_and_out_of_the_box():
    mesh = tetrahedralize(ball(8))
    centre = np.array(mesh.extent) / 2

    def flux(facets):
        """Return the flux of the vector from the centre, over 3: the volume enclosed."""
        corners = mesh.points[facets] - centre
        return np.linalg.det(corners).sum() / 6.0

    active = mesh.volume_fractions["active"] * np.prod(mesh.extent)
    # pore comes first, so the normals point into the ball.
    assert flux(mesh.facets) == pytest.approx(-active, rel=1e-9)
    assert flux(mesh.box_facets) == pytest.approx(np.prod(mesh.extent), rel=1e-9)
    surface = mesh.surface("active", "pore")
    corners = surface.points[surface.facets] - centre
    assert np.linalg.det(corners).sum() / 6.0 == pytest.approx(active, rel=1e-9)
    assert surface.area == pytest.approx(mesh.interface_areas["active", "pore"])


def test_box_facets_lie_on_their_faces():
    mesh = tetrahedralize(ball(6))
    for face in range(6):
        axis, high = divmod(face, 2)
        place = mesh.points[mesh.box_facets[mesh.box_facet_faces == face], axis]
        assert np.allclose(place, high * mesh.extent[axis], rtol=0, atol=1e-18)
    assert (mesh.cells[mesh.box_facet_cells][:, :, None] == mesh.box_facets[:, None]).any(1).all()


@pytest.mark.parametrize("thickness", [1, 2, 3])
@pytest.mark.parametrize("kind", ["flat", "tilted", "curved"])
@pytest.mark.parametrize("size", [2.0, 1.0])
def test_films_are_not_pierced(thickness, kind, size):
    mesh = tetrahedralize(film(thickness, kind), size)
    quality = assert_sound(mesh)
    assert mesh.interface_areas["pore", "active"] == 0.0
    assert quality.together["binder"] == 1.0
    wanted, found = quality.volume_fractions["binder"]
    assert found == pytest.approx(wanted, abs=1e-4)


@pytest.mark.parametrize("angle", [90, 75, 53])
def test_areas_at_acute_rims(angle):
    mesh = tetrahedralize(frustum(angle))
    assert_sound(mesh)
    area = np.pi * 14.0**2 * VOXEL**2
    assert mesh.interface_areas["active", "binder"] == pytest.approx(area, rel=0.02)


@pytest.mark.parametrize("start", range(0, 60, 20))
def test_random_images_conform(start):
    for seed in range(start, start + 20):
        micro = random_image(seed)
        if len(np.unique(micro.labels)) > 1:
            mesh = tetrahedralize(micro, size=(1.0, 1.5, 2.0)[seed % 3])
            assert_conforming(mesh)
            assert_sound(mesh)


@pytest.mark.slow
@settings(max_examples=500, deadline=None)
@given(st.integers(0, 10**9))
def test_any_random_image_conforms(seed):
    micro = random_image(seed)
    if len(np.unique(micro.labels)) > 1:
        assert_sound(tetrahedralize(micro, size=(1.0, 1.5, 2.0)[seed % 3]))


def test_the_same_whatever_the_number_of_threads(monkeypatch):
    from microtwin.numerics import threads

    meshes = []
    for count in ("1", "3"):
        monkeypatch.setenv("MICROTWIN_THREADS", count)
        threads.thread_count.cache_clear()
        threads._pool.cache_clear()
        meshes.append(tetrahedralize(film(2, "curved")))
    threads.thread_count.cache_clear()
    threads._pool.cache_clear()
    assert np.array_equal(meshes[0].cells, meshes[1].cells)
    assert np.array_equal(meshes[0].points, meshes[1].points)


def test_an_image_turned_over_gives_nearly_the_same():
    """Nothing in the method depends on the order of the axes but the numbering."""
    micro = film(2, "curved")
    turned = mt.Microstructure(micro.labels.transpose(2, 0, 1), VOXEL, micro.phases)
    one, other = tetrahedralize(micro), tetrahedralize(turned)
    for pair in itertools.combinations(micro.phases, 2):
        areas = one.interface_areas[pair], other.interface_areas[pair]
        assert areas[0] == pytest.approx(areas[1], rel=0.01)


def test_voxels_that_are_not_cubes():
    """A ball on flat voxels comes out round."""
    z, y, x = np.indices((16, 32, 32)) + 0.5
    inside = (2 * z - 16.2) ** 2 + (y - 16.1) ** 2 + (x - 15.9) ** 2 < 100
    micro = mt.Microstructure(inside.astype(np.uint8), (2e-6, 1e-6, 1e-6), {"pore": 0, "active": 1})
    mesh = tetrahedralize(micro)
    assert_sound(mesh)
    assert mesh.interface_areas["pore", "active"] == pytest.approx(4 * np.pi * 1e-10, rel=0.03)
    share = micro.volume_fraction("active")
    assert mesh.volume_fractions["active"] == pytest.approx(share, rel=1e-4)


def test_labels_decide_on_volumes_also_with_probabilities():
    """A plane at a quarter of a voxel by its probabilities."""
    labels = np.zeros((10, 6, 6), np.uint8)
    labels[5:] = 1
    solid = np.where(labels, 255, 0).astype(np.uint8)
    solid[5] = 191  # three quarters of this layer
    micro = mt.Microstructure(labels, VOXEL, {"a": 0, "b": 1}, np.stack([255 - solid, solid]))
    mesh = tetrahedralize(micro)
    heights = mesh.points[np.unique(mesh.facets), 0] / VOXEL
    # Volumes count labels, so the offsets move the plane back from 5.25.
    assert np.allclose(heights, 5.0, atol=5e-3)


def test_graded_meshes_are_coarse_inside():
    micro = ball(12)
    fine, graded = tetrahedralize(micro, 1.5, coarsest=1.5), tetrahedralize(micro, 1.5)
    assert len(graded.cells) < 0.6 * len(fine.cells)
    assert graded.volumes.max() > 8 * fine.volumes.max()


def test_estimate_is_good_to_a_factor():
    for micro in (ball(12), film(2, "curved"), random_image(1)):
        guess = estimate(micro).cells
        assert 0.5 < guess / len(tetrahedralize(micro).cells) < 2.0


@pytest.mark.parametrize(
    ("size", "coarsest", "words"),
    [
        (0.0, None, "size 0.0 is not allowed"),
        (float("nan"), None, "not allowed"),
        (-2.0, None, "from 0.25 to"),
        (100.0, None, "half of the shortest side"),
        (2.0, 1.0, "coarsest 1.0 is not allowed"),
        ("2 um", None, "size '2 um' is not allowed"),
        (2.0, float("inf"), "coarsest inf is not allowed"),
        (None, None, "size None is not allowed"),
    ],
)
def test_sizes_that_are_not_allowed(size, coarsest, words):
    with pytest.raises(ValueError, match=words):
        tetrahedralize(ball(6), size, coarsest)


def test_one_phase_alone_is_refused():
    micro = mt.Microstructure(np.zeros((6, 6, 6), np.uint8), VOXEL, {"pore": 0, "active": 1})
    with pytest.raises(ValueError, match="holds one phase only, 'pore'"):
        tetrahedralize(micro)


def test_a_mesh_beyond_the_memory_is_refused_with_a_size_that_fits(monkeypatch):
    from microtwin.meshing import memory

    free = type("Free", (), {"available": 30_000_000})
    monkeypatch.setattr(memory.psutil, "virtual_memory", lambda: free)
    with pytest.raises(ValueError, match=r"a size of [\d.]+ voxels fits") as error:
        tetrahedralize(ball(20), 1.0)
    named = float(re.search(r"a size of ([\d.]+) voxels", str(error.value)).group(1))
    assert len(tetrahedralize(ball(20), named).cells) > 0
    free.available = 1_000_000
    with pytest.raises(ValueError, match="free; crop the image"):
        tetrahedralize(ball(20), 1.0)


def test_a_hopeless_size_is_not_searched_for_long(monkeypatch):
    """The octree of what cannot fit is never made."""
    import sys

    module = sys.modules[tetrahedralize.__module__]
    free = type("Free", (), {"available": 1_000_000})
    monkeypatch.setattr(module.psutil, "virtual_memory", lambda: free)
    monkeypatch.setattr(module, "octree_levels", None)
    found = estimate(ball(20), 0.5)
    assert found.memory > free.available and found.cells > 0


def test_an_array_cannot_be_meshed():
    with pytest.raises(ValueError, match="give a Microstructure"):
        tetrahedralize(np.zeros((4, 4, 4)))


def test_absent_phases_are_left_out():
    micro = ball(6)
    named = mt.Microstructure(micro.labels, VOXEL, {"pore": 0, "active": 1, "binder": 7})
    assert tetrahedralize(named).phases == ("pore", "active")


def test_unknown_phases_are_named():
    mesh = tetrahedralize(ball(6))
    with pytest.raises(ValueError, match="'binder' is not in this mesh; it has pore, active"):
        mesh.surface("binder", "pore")
    with pytest.raises(ValueError, match="given twice"):
        mesh.surface("pore", "pore")


@pytest.mark.slow
def test_real_electrode():
    path = real_image("nmc-cbd/nmc-1-cal_generatedCBD_bridge.tif")
    phases = {"pore": 0, "active": 1, "binder": 2}
    micro = mt.read_microstructure(path, voxel_size=398e-9, phases=phases)
    micro = micro.crop(slice(70, 130), slice(100, 160), slice(100, 160))
    quality = assert_sound(tetrahedralize(micro))
    assert quality.smallest_angle > 10.0
    assert quality.angle_quantiles[0.01] > 20.0
    for ours, theirs in quality.volume_fractions.values():
        assert ours == pytest.approx(theirs, abs=1e-3)
    assert quality.verdict != "fail"

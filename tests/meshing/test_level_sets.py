from __future__ import annotations

import numpy as np
import pytest

from meshing.shapes import ball
from microtwin.generation import Particles, ParticleType, packed_particles, surface_distances
from microtwin.meshing import (
    image_fields,
    level_set_fields,
    refined_level_set,
    tetrahedralize,
)

BOX = (20e-6, 20e-6, 20e-6)


def one_ball(radius=6e-6):
    centre = np.array([[9.7e-6, 10.2e-6, 10.1e-6]])
    return Particles(centre, np.array([radius]), BOX, periodic=(False, False, False))


def inside(particles, n):
    """Return the distance to the surface on a grid of n samples per axis, positive inside."""
    return -surface_distances(particles, n, reach=3 * BOX[0] / n)[0]


def test_a_ball_converges_to_second_order():
    errors = []
    for n in (20, 40):
        fields = level_set_fields({"active": inside(one_ball(), n)}, BOX)
        mesh = tetrahedralize(fields, size=1.5)
        volume = mesh.volume_fractions["active"] * np.prod(BOX)
        area = mesh.interface_areas["active", "pore"]
        exact = 4 / 3 * np.pi * 6e-6**3, 4 * np.pi * 6e-6**2
        errors.append((abs(volume / exact[0] - 1), abs(area / exact[1] - 1)))
        assert mesh.quality().verdict == "pass"
    assert errors[0][0] < 0.05
    assert errors[1][0] < 0.35 * errors[0][0]
    assert errors[1][1] < 0.35 * errors[0][1]


def test_vertices_lie_on_the_exact_surface():
    fields = level_set_fields({"active": inside(one_ball(), 40)}, BOX)
    mesh = tetrahedralize(fields, size=2.0)
    centre = np.array([9.7e-6, 10.2e-6, 10.1e-6])
    radii = np.linalg.norm(mesh.points[np.unique(mesh.facets)] - centre, axis=1)
    # Trilinear interpolation of a distance is off by h^2 / (8 R) per axis at most.
    assert np.abs(radii - 6e-6).max() < 3 * (0.5e-6) ** 2 / (8 * 6e-6)


def test_packed_particles():
    particles = packed_particles(40, 0.5e-6, ParticleType(6e-6), 0.4, seed=1)
    fields = level_set_fields({"active": inside(particles, 40)}, BOX)
    mesh = tetrahedralize(fields)
    assert mesh.volume_fractions["active"] == pytest.approx(0.4, abs=0.01)
    quality = mesh.quality()
    assert (quality.inverted, quality.unmatched_faces, quality.non_manifold) == (0, 0, 0)


def test_two_phases_beside_the_background():
    z = (np.indices((16, 16, 16))[0] + 0.5) * 1.25
    fields = level_set_fields({"low": 5.0 - z, "high": z - 15.0}, BOX, background="gap")
    mesh = tetrahedralize(fields)
    assert mesh.phases == ("gap", "low", "high")
    assert mesh.volume_fractions["low"] == pytest.approx(0.25, abs=1e-4)
    assert mesh.interface_areas["low", "high"] == 0.0


@pytest.mark.parametrize(
    ("level_sets", "words"),
    [
        ({}, "do not fit"),
        ({"a": np.zeros((4, 4))}, "do not fit"),
        ({"a": np.zeros((4, 4, 4)), "b": np.zeros((4, 4, 5))}, "do not fit"),
        ({"pore": np.zeros((4, 4, 4))}, "name another background"),
        ({"a": np.full((4, 4, 4), np.inf)}, "NaN or infinite"),
        ({"a": -np.ones((4, 4, 4))}, "only 'pore' is present"),
        ({"a": (np.indices((6, 6, 6))[0] > 2) * 0.0}, "only 'pore' is present"),
    ],
)
def test_level_sets_that_do_not_fit(level_sets, words):
    with pytest.raises(ValueError, match=words):
        level_set_fields(level_sets, BOX)


def test_a_refined_level_set_keeps_a_plane():
    z = np.indices((12, 6, 6))[0] + 0.5
    fields = level_set_fields({"high": z - 7.3}, (12e-6, 6e-6, 6e-6))
    finer = refined_level_set(fields, "high", 3)
    assert finer.shape == (36, 18, 18)
    height = (np.arange(36) + 0.5) / 3 - 7.3
    inside = slice(3, -3)
    ratio = finer[inside, 5, 5] / height[inside]
    assert np.allclose(ratio, ratio[0], rtol=1e-4)


def test_a_refined_level_set_keeps_fractions():
    micro = ball(7)
    finer = refined_level_set(image_fields(micro), "active")
    assert np.mean(finer > 0) == pytest.approx(micro.volume_fraction("active"), abs=1e-3)


def test_a_phase_without_a_field_is_named():
    with pytest.raises(ValueError, match="'binder' has no field; there are pore, active"):
        refined_level_set(image_fields(ball(5)), "binder")


def test_two_phases_without_a_background():
    z = np.indices((10, 8, 8))[0] + 0.5
    mesh = tetrahedralize(level_set_fields({"a": z - 4.0, "b": 4.0 - z}, (10e-6, 8e-6, 8e-6)))
    assert mesh.phases == ("a", "b")
    assert mesh.volume_fractions["b"] == pytest.approx(0.4, abs=1e-4)


def test_masks_are_no_level_sets():
    mask = (np.indices((8, 8, 8))[0] > 3).astype(float)
    with pytest.raises(ValueError, match="do not cross zero"):
        level_set_fields({"a": mask}, BOX)


@pytest.mark.parametrize("extent", [1e-6, (1e-6, 1e-6), (1e-6, 0.0, 1e-6), (1e-6, np.nan, 1e-6)])
def test_extents_that_are_not_allowed(extent):
    with pytest.raises(ValueError, match="three positive lengths in metres"):
        level_set_fields({"a": np.indices((4, 4, 4))[0] - 1.5}, extent)


def test_too_many_phases_are_refused():
    z = np.indices((80, 4, 4))[0] + 0.5
    layers = {f"p{k}": 1.0 - np.abs(z - 2 * k - 1) for k in range(40)}
    with pytest.raises(ValueError, match="up to 32, so join some"):
        tetrahedralize(level_set_fields(layers, (80e-6, 4e-6, 4e-6)), 1.0)

from __future__ import annotations

import math

import numpy as np
import pytest
import scipy.stats
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize

from generation.compiled_geometry import support_point
from microtwin.generation import Diameters, Particles, ParticleType, packed_particles

SPHERES = ParticleType((12e-6, 4e-6))


def worst_overlap(spheres: Particles) -> float:
    radii = spheres.semi_axes[:, 0]
    offset = spheres.centres[:, None] - spheres.centres
    wrapped = offset - spheres.extent * np.round(offset / spheres.extent)
    distance = np.linalg.norm(np.where(spheres.periodic, wrapped, offset), axis=-1)
    touching = radii[:, None] + radii
    upper = np.triu_indices(len(spheres), 1)
    return float(np.max(1.0 - distance[upper] / touching[upper]))


def gap(box: Particles, i: int, j: int) -> float:
    """Largest separation of two convex particles over all directions, by brute force."""
    offset = box.centres[j] - box.centres[i]
    offset -= np.where(box.periodic, box.extent * np.round(offset / box.extent), 0.0)

    def reach(k, u):
        return support_point(box.bodies[box.body[k]], box.semi_axes[k], box.orientations[k], u)

    def closeness(angles):
        t, p = angles
        u = np.array([np.cos(t), np.sin(t) * np.cos(p), np.sin(t) * np.sin(p)])
        return u @ (reach(i, u) - reach(j, -u) - offset)

    starts = [(t, p) for t in np.linspace(0.1, 3.0, 12) for p in np.linspace(0, 6, 16)]
    starts.sort(key=closeness)
    if closeness(starts[0]) < 0:
        return -closeness(starts[0])  # apart
    return -min(minimize(closeness, s, method="Nelder-Mead").fun for s in starts[:8])


@pytest.mark.parametrize("periodic", [True, False, (False, True, True)])
@pytest.mark.parametrize("solid_fraction", [0.2, 0.5])
def test_no_overlap_beyond_the_tolerance(periodic, solid_fraction):
    spheres = packed_particles(60, 1e-6, SPHERES, solid_fraction, seed=3, periodic=periodic)
    assert worst_overlap(spheres) <= 0.01 + 1e-9
    assert spheres.volume_fraction == pytest.approx(solid_fraction, rel=1e-9)
    for axis, wraps in enumerate(spheres.periodic):
        low = spheres.centres[:, axis] - (0 if wraps else spheres.semi_axes[:, 0])
        high = spheres.centres[:, axis] + (0 if wraps else spheres.semi_axes[:, 0])
        assert low.min() >= -1e-15
        assert high.max() <= spheres.extent[axis] + 1e-15


@pytest.mark.parametrize(
    ("form", "ratio"),
    [("ellipsoid", 2.5), ("plate", 0.25), ("polyhedron", 0.7), ("irregular", 1.0)],
)
@pytest.mark.parametrize("periodic", [True, False])
def test_bodies_do_not_overlap_beyond_the_tolerance(form, ratio, periodic):
    kind = ParticleType((12.0, 2.0), form, ratio)
    box = packed_particles(40, 1.0, kind, 0.35, 1, 0.02, periodic)
    assert box.volume_fraction == pytest.approx(0.35, rel=1e-3)
    widths = box.semi_axes.min(axis=1)
    for i in range(len(box)):
        for j in range(i):
            assert gap(box, i, j) > -0.02 * (widths[i] + widths[j]) - 1e-6
    if not periodic:
        assert np.all(box.centres - box.half_extents >= -1e-9)
        assert np.all(box.centres + box.half_extents <= np.array(box.extent) + 1e-9)


def image_gap(box: Particles, i: int, j: int, shift: np.ndarray) -> float:
    """Largest separation over many directions of a particle and an image of another."""
    n = 800
    height = 1 - (2 * np.arange(n) + 1) / n
    angle = math.pi * (3 - math.sqrt(5)) * np.arange(n)
    across = np.sqrt(1 - height**2)
    u = np.stack([height, across * np.cos(angle), across * np.sin(angle)], axis=1)

    def reach(k):  # of an ellipsoid
        return np.linalg.norm((u @ box.orientations[k]) * box.semi_axes[k], axis=1)

    offset = box.centres[j] - box.centres[i] + shift
    return float(np.max(u @ offset - reach(i) - reach(j)))


def test_rods_nearly_as_long_as_a_periodic_box_do_not_meet_other_images():
    box = packed_particles(27, 1.0, ParticleType(10.0, "ellipsoid", 4.0), 0.25, 0, 0.05)
    assert 2 * box.semi_axes.max() > 0.9 * 27
    for i in range(len(box)):
        for j in range(i):
            for shift in np.ndindex(3, 3, 3):
                gap_there = image_gap(box, i, j, 27.0 * (np.array(shift) - 1))
                width = box.semi_axes[i].min() + box.semi_axes[j].min()
                # Directions at hand miss the best one by a little.
                assert gap_there > -0.06 * width


def test_same_seed_same_packing():
    a, b, c = (packed_particles(40, 1.0, ParticleType((10.0, 2.0)), 0.4, s) for s in (5, 5, 6))
    assert np.array_equal(a.centres, b.centres)
    assert np.array_equal(a.semi_axes, b.semi_axes)
    assert a.centres.shape != c.centres.shape or not np.array_equal(a.centres, c.centres)


@pytest.mark.parametrize(
    "diameter",
    [
        (8.0, 2.0),
        {"d10": 6.0, "d50": 8.5, "d90": 13.0},
        {"table": [(4.0, 0.0), (7.0, 0.4), (14.0, 1.0)]},
        scipy.stats.uniform(6.0, 4.0),
    ],
    ids=["lognormal", "percentiles", "table", "scipy"],
)
@pytest.mark.parametrize("form", ["sphere", "plate"])
def test_realised_sizes_pass_a_kolmogorov_smirnov_test(diameter, form):
    kind = ParticleType(diameter, form, 0.5 if form == "plate" else 1.0)
    box = packed_particles(96, 1.0, kind, 0.3, seed=2, overlap_tolerance=0.05)
    wanted = diameter if hasattr(diameter, "rvs") else Diameters.lognormal(8.0, 2.0)
    if isinstance(diameter, dict):
        wanted = (
            Diameters.table(diameter["table"])
            if "table" in diameter
            else Diameters.percentiles(**diameter)
        )
    assert len(box) > 150
    assert scipy.stats.kstest(box.diameters, wanted.cdf).pvalue > 0.02
    # A distribution 15 % smaller is told apart.
    assert scipy.stats.kstest(box.diameters / 0.85, wanted.cdf).pvalue < 0.02


def test_types_share_the_volume():
    types = [
        ParticleType((10.0, 1.0), share=3.0),
        ParticleType((6.0, 1.0), "plate", 0.3, alignment=0.8),
    ]
    box = packed_particles(70, 1.0, types, 0.4, seed=1)
    volumes = np.bincount(box.population, box.volumes)
    assert volumes / volumes.sum() == pytest.approx([0.75, 0.25], rel=1e-6)
    assert set(box.forms[box.population == 1]) == {"plate"}


def test_alignment_survives_the_packing():
    for order in (-0.4, 0.0, 0.8):
        kind = ParticleType((9.0, 1.0), "plate", 0.25, alignment=order)
        box = packed_particles(90, 1.0, kind, 0.3, seed=4, overlap_tolerance=0.05)
        # Neighbours turn each other: by a few hundredths, and chance adds 0.03.
        assert box.order_parameter("z") == pytest.approx(order, abs=0.1)


def test_a_profile_puts_more_particles_on_top():
    kind = ParticleType((5.0, 1.0), profile=(1.0, 3.0))
    box = packed_particles((120, 60, 60), 1.0, kind, 0.3, seed=0, periodic=(False, True, True))
    height = box.centres[:, 0] / box.extent[0]
    # The mean height of the density (1 + 2 h) / 2 is 7/12; repulsion evens it out a little.
    assert np.average(height, weights=box.volumes) == pytest.approx(7 / 12, abs=0.025)
    with pytest.raises(ValueError, match="needs walls"):
        packed_particles(40, 1.0, kind, 0.3)


@settings(max_examples=15, deadline=None)
@given(
    seed=st.integers(0, 1000),
    mean=st.floats(6.0, 11.0),
    relative=st.floats(0.0, 0.4),
    fraction=st.floats(0.05, 0.45),
)
def test_any_spheres_are_packed(seed, mean, relative, fraction):
    kind = ParticleType((mean, relative * mean))
    try:
        spheres = packed_particles(36, 1.0, kind, fraction, seed)
    except ValueError as error:
        assert "do not fit a box" in str(error)
        return
    assert worst_overlap(spheres) <= 0.01 + 1e-9
    assert spheres.volume_fraction == pytest.approx(fraction, rel=1e-9)


def test_the_particle_list_is_written(tmp_path):
    kind = ParticleType((9.0, 1.0), "plate", 0.3)
    box = packed_particles(40, 1e-6, ParticleType((9e-6, 1e-6), "plate", 0.3), 0.2, seed=1)
    box.save(tmp_path / "list.csv")
    table = np.genfromtxt(tmp_path / "list.csv", delimiter=",", names=True, dtype=None)
    assert len(table) == len(box)
    assert table["diameter"] == pytest.approx(box.diameters, rel=1e-7)
    assert table["z"] == pytest.approx(box.centres[:, 0], rel=1e-7)
    assert set(table["form"]) == {kind.form}
    turns = np.stack([table[f"turn_{axis}"] for axis in "zyx"], axis=1)
    frames = scipy.spatial.transform.Rotation.from_rotvec(turns).as_matrix()
    assert frames == pytest.approx(box.orientations, abs=1e-6)


@pytest.mark.parametrize(
    ("diameter", "fraction", "words"),
    [
        ((10.0, 0.0), 0.80, "still overlap"),
        (scipy.stats.norm(0.0, 1.0), 0.3, "above 0"),
        ((70.0, 0.0), 0.3, "do not fit a box"),
        (0.01, 0.3, "at most 300000 are packed"),
    ],
)
def test_what_cannot_be_packed(diameter, fraction, words):
    with pytest.raises(ValueError, match=words):
        packed_particles(30, 1.0, ParticleType(diameter), fraction)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"form": "cube"}, "form 'cube' is not known"),
        ({"aspect_ratio": 0.5}, "a sphere has no aspect ratio"),
        ({"form": "plate"}, "thickness over its diameter"),
        ({"form": "ellipsoid", "aspect_ratio": -1.0}, "aspect ratio"),
        ({"alignment": 1.5}, "alignment"),
        ({"share": 0.0}, "share"),
        ({"profile": (1.0,)}, "two or more"),
        ({"form": "polyhedron", "facets": 3}, "facets"),
        ({"form": "polyhedron", "facets": 6.5}, "a whole number"),
        ({"form": "ellipsoid", "aspect_ratio": (1.0, 0.1, 0.1)}, "aspect ratio"),
        ({"form": "irregular", "roughness": math.nan}, "roughness"),
    ],
)
def test_bad_particle_types_are_named(arguments, words):
    with pytest.raises(ValueError, match=words):
        ParticleType(1e-6, **arguments)

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import microtwin as mt
from microtwin.descriptors import (
    InterfaceAreas,
    boolean_specific_surface,
    boolean_two_point,
    interface_area,
    measured_volume,
    projected_area,
    surface_area,
)
from microtwin.descriptors.verification import digitised_box, digitised_ellipsoid, spheroid_area
from microtwin.generation import boolean_spheres, electrode, laminate
from microtwin.geometry.orientation import DIRECTIONS, crofton_area, crofton_weights

THREE = {"pore": 0, "active": 1, "binder": 2}


def random_image(seed: int, shape=(9, 8, 10), phases=THREE) -> mt.Microstructure:
    labels = np.random.default_rng(seed).integers(0, len(phases), shape).astype(np.uint8)
    return mt.Microstructure(labels, (1.0, 1.0, 1.0), phases)


@pytest.mark.parametrize(("radius", "scatter"), [(5, 0.007), (10, 0.0024), (20, 0.0010)])
def test_spheres(radius, scatter):
    # The mean error is -17 % / R^2: a line of spacing d misses the part d^2 / (12 R^2) of the
    # crossings of a sphere, and the weighted mean of d^2 is 2.0. Nine random positions of the
    # centre scatter by a third of what one does; three times that is allowed.
    offsets = np.random.default_rng(7).random((9, 3))
    areas = [
        surface_area(digitised_ellipsoid((radius,) * 3, tuple(offset)), "inside")
        for offset in offsets
    ]
    error = np.mean(areas) / (4 * math.pi * radius**2) - 1
    assert error == pytest.approx(-0.167 / radius**2, abs=scatter)


@pytest.mark.parametrize("axis", range(3))
def test_spheroid(axis):
    semi_axes = [10.0, 10.0, 10.0]
    semi_axes[axis] = 30.0
    measured = surface_area(digitised_ellipsoid(tuple(semi_axes), (0.1, 0.2, 0.3)), "inside")
    assert measured == pytest.approx(spheroid_area(10.0, 30.0), rel=0.01)


@pytest.mark.parametrize("edges", [(16, 128, 128), (128, 16, 128)])
def test_plate(edges):
    a, b, c = edges
    exact = 2 * (a * b + b * c + c * a)
    micro = digitised_box(edges)
    assert surface_area(micro, "inside") == pytest.approx(exact, rel=0.02)
    # Crofton's formula alone takes it for a rounder body.
    plain = crofton_area(projected_area(micro, "inside"), micro.voxel_size)
    assert plain < 0.93 * exact


@pytest.mark.parametrize(
    ("waves", "limit"),
    [((1, 0, 0), 5e-4), ((1, 1, 0), 5e-4), ((1, 1, 1), 5e-4), ((2, 1, 0), 0.026)],
)
def test_laminates(waves, limit):
    n = 48
    exact = 2 * n**2 * math.hypot(*waves)
    measured = surface_area(laminate(n, waves, voxel_size=1.0), "a", periodic=True)
    assert measured == pytest.approx(exact, rel=limit)


def test_sphere_on_anisotropic_voxels():
    # Ellipsoid of 8 x 16 x 16 voxels that is a ball of radius 16 on voxels twice as tall.
    labels = digitised_ellipsoid((8.0, 16.0, 16.0), (0.1, 0.2, 0.3)).labels
    micro = mt.Microstructure(labels, (2.0, 1.0, 1.0), {"outside": 0, "inside": 1})
    assert surface_area(micro, "inside") == pytest.approx(4 * math.pi * 16**2, rel=0.01)


def test_area_has_the_unit_of_the_voxel_size():
    small = mt.Microstructure(digitised_ellipsoid((6.0,) * 3).labels, 1e-7, {"out": 0, "in": 1})
    large = mt.Microstructure(small.labels, 1.0, small.phases)
    assert surface_area(small, "in") == pytest.approx(
        1e-14 * surface_area(large, "in"), rel=1e-6, abs=0.0
    )


def test_boolean_model_errs_by_what_voxels_hide():
    # Lines of spacing d see 2 (eps - S2(d)) / d crossings per length on average, which gives the
    # expected value of the measurement in closed form: -7.5 % at R = 5, of order 1 / R because
    # of the creases where spheres meet. 24 images scatter by 0.4 %; three times that is allowed.
    radius, porosity = 5.0, 0.5
    spacing = np.linalg.norm(DIRECTIONS, axis=1)
    seen = 2 * (porosity - boolean_two_point(spacing, radius, porosity)) / spacing
    expected = 2 * crofton_weights((1.0, 1.0, 1.0)) @ seen
    assert expected == pytest.approx(0.9255 * boolean_specific_surface(radius, porosity), rel=1e-3)
    ratios = []
    for seed in range(24):
        micro = boolean_spheres(64, radius, porosity, seed, voxel_size=1.0)
        exact = boolean_specific_surface(radius, micro.volume_fraction("pore"))
        ratios.append(surface_area(micro, "pore", periodic=True) / 64**3 / exact)
    assert np.mean(ratios) == pytest.approx(0.9255, abs=0.012)


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 10_000), periodic=st.booleans())
def test_a_set_and_its_complement_share_their_boundary(seed, periodic):
    micro = random_image(seed)
    assert surface_area(micro, "pore", periodic) == pytest.approx(
        surface_area(micro, ["active", "binder"], periodic)
    )


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 10_000), shift=st.tuples(*[st.integers(-5, 5)] * 3))
def test_periodic_area_survives_translation(seed, shift):
    micro = random_image(seed)
    moved = mt.Microstructure(np.roll(micro.labels, shift, (0, 1, 2)), micro.voxel_size, THREE)
    a, b = (interface_area(m, periodic=True) for m in (micro, moved))
    assert dict(a) == pytest.approx(dict(b))


@settings(max_examples=20, deadline=None)
@given(
    seed=st.integers(0, 10_000),
    order=st.permutations(range(3)),
    flips=st.tuples(*[st.booleans()] * 3),
    periodic=st.booleans(),
)
def test_area_survives_permutation_and_reflection_of_axes(seed, order, flips, periodic):
    labels = np.random.default_rng(seed).integers(0, 2, (6, 7, 8)).astype(np.uint8)
    size = (1.0, 1.5, 0.8)
    turned = labels.transpose(order)[tuple(slice(None, None, -1 if f else 1) for f in flips)]
    a = mt.Microstructure(labels, size, {"a": 0, "b": 1})
    b = mt.Microstructure(turned, tuple(size[i] for i in order), {"a": 0, "b": 1})
    assert surface_area(a, "a", periodic) == pytest.approx(surface_area(b, "a", periodic), rel=1e-5)


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 10_000), order=st.permutations(range(3)))
def test_interfaces_do_not_depend_on_the_labels(seed, order):
    micro = random_image(seed)
    swapped = mt.Microstructure(
        np.array(order, np.uint8)[micro.labels],
        micro.voxel_size,
        {name: order[label] for name, label in THREE.items()},
    )
    assert dict(interface_area(micro)) == pytest.approx(dict(interface_area(swapped)))


def test_interfaces_of_stacked_layers():
    # Four phases in layers along z: neighbours share one plane of 8 x 8 voxels, others nothing.
    layers = np.repeat(np.arange(4, dtype=np.uint8), 4)
    labels = layers[:, None, None] * np.ones((1, 9, 9), np.uint8)
    micro = mt.Microstructure(labels, 2.0, {"a": 0, "b": 1, "c": 2, "d": 3})
    areas = interface_area(micro)
    for pair in itertools.combinations("abcd", 2):
        neighbours = ord(pair[1]) - ord(pair[0]) == 1
        assert areas[pair] == pytest.approx(8 * 8 * 4.0 if neighbours else 0.0, rel=5e-4)
    assert areas["d", "a"] == 0.0
    # The period closes the stack, and the window is the whole image of 9 x 9 voxels.
    assert interface_area(micro, periodic=True)["d", "a"] == pytest.approx(9 * 9 * 4.0, rel=5e-4)


def test_interfaces_of_a_phase_make_up_its_surface():
    # Both estimate the same area from projections that add up exactly; the entropy estimate is
    # not linear, so they agree to a few tenths of a percent.
    micro = electrode(64, seed=0).micro
    areas = interface_area(micro)
    for phase in micro.phases:
        assert areas.of_phase(phase) == pytest.approx(surface_area(micro, phase), rel=5e-3)


def test_pairs_may_be_asked_for_in_any_order():
    areas = InterfaceAreas({("a", "b"): 2.0, ("a", "c"): 3.0})
    assert areas["b", "a"] == areas["a", "b"] == 2.0
    assert ("c", "a") in areas
    assert len(areas) == 2
    assert areas.of_phase("a") == 5.0
    with pytest.raises(KeyError):
        areas["b", "c"]


def test_outer_faces_are_no_surface():
    micro = mt.Microstructure(np.ones((4, 4, 4), np.uint8), 1.0, {"pore": 0, "solid": 1})
    assert surface_area(micro, "solid") == 0.0
    assert surface_area(micro, "solid", periodic=True) == 0.0
    assert measured_volume(micro) == 27.0
    assert measured_volume(micro, periodic=True) == 64.0


def test_unknown_phase_is_named():
    with pytest.raises(ValueError, match="'void' is not in this microstructure"):
        surface_area(random_image(0), "void")

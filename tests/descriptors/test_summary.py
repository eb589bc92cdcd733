from __future__ import annotations

import json
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import microtwin as mt
from microtwin.descriptors import describe, percolating_fraction
from microtwin.generation import ParticleType, electrode, lattice_spheres
from real_images import real_image

THREE = {"pore": 0, "active": 1, "binder": 2}


def test_sphere_lattice():
    found = describe(lattice_spheres(40, radius=12.0, voxel_size=1e-6), periodic=True)
    exact = 4 * math.pi * 12**2 / 40**3 * 1e6
    # One sphere of radius 12 in the most symmetric position: 0.7 %.
    assert found.specific_surface["sphere"] == pytest.approx(exact, rel=0.01)
    assert found.interface_area["matrix", "sphere"] == found.specific_surface["matrix"]
    assert found.hydraulic_diameter["sphere"] == pytest.approx(2 / 3 * 24e-6, rel=0.015)
    assert found.percolating_fraction["sphere"] == {"z": 0.0, "y": 0.0, "x": 0.0}
    assert found.percolating_fraction["matrix"] == {"z": 1.0, "y": 1.0, "x": 1.0}


@settings(max_examples=15, deadline=None)
@given(shape=st.tuples(*[st.integers(3, 9)] * 3), seed=st.integers(0, 1000), periodic=st.booleans())
def test_parts_sum_to_the_whole(shape, seed, periodic):
    labels = np.random.default_rng(seed).integers(0, 3, shape).astype(np.uint8)
    found = describe(mt.Microstructure(labels, 1e-6, THREE), periodic)
    assert sum(found.volume_fraction.values()) == pytest.approx(1.0)
    np.testing.assert_allclose(sum(found.profile.values()), np.ones(shape[0]))
    for phase in THREE:
        assert found.profile[phase].mean() == pytest.approx(found.volume_fraction[phase])
        pairs = [area for pair, area in found.interface_area.items() if phase in pair]
        assert found.specific_surface[phase] == pytest.approx(sum(pairs))
        assert all(0 <= share <= 1 for share in found.percolating_fraction[phase].values())


def test_percolating_share_of_a_channel_and_an_island():
    labels = np.zeros((10, 10, 10), np.uint8)
    labels[:, 2, 2] = 1
    labels[4:6, 6:8, 6:8] = 1
    micro = mt.Microstructure(labels, 1.0, {"solid": 0, "pore": 1})
    for periodic in (False, True):
        found = percolating_fraction(micro, "pore", periodic)
        assert found == {"z": pytest.approx(10 / 18), "y": 0.0, "x": 0.0}


def test_ring_through_both_faces_percolates_only_across_the_period():
    # A helix step: enters at y = 2, leaves at y = 3, so it closes on itself only when open.
    labels = np.zeros((6, 6, 6), np.uint8)
    labels[:3, 2, 2] = 1
    labels[2:, 4, 2] = 1
    labels[2, 2:5, 2] = 1
    micro = mt.Microstructure(labels, 1.0, {"solid": 0, "pore": 1})
    assert percolating_fraction(micro, "pore")["z"] == 1.0
    assert percolating_fraction(micro, "pore", periodic=True)["z"] == 0.0


def test_absent_phase():
    micro = mt.Microstructure(np.zeros((5, 5, 5), np.uint8), 1.0, THREE)
    found = describe(micro)
    assert found.volume_fraction["binder"] == 0.0
    assert found.specific_surface["pore"] == 0.0
    assert found.hydraulic_diameter["pore"] == math.inf
    assert found.percolating_fraction["binder"] == {"z": 0.0, "y": 0.0, "x": 0.0}


def test_plain_form_survives_json():
    found = describe(electrode(32, particles=ParticleType((3e-6, 1e-6))).micro)
    plain = found.as_dict()
    assert json.loads(json.dumps(plain)) == plain
    assert plain["interface_area"]["active-binder"] == found.interface_area["binder", "active"]
    single = describe(mt.Microstructure(np.zeros((5, 5, 5), np.uint8), 1.0, THREE)).as_dict()
    assert single["hydraulic_diameter"]["pore"] is None


def test_real_cathode():
    # The publisher states 40 % pore, 50 % active and 10 % binder.
    micro = mt.read_microstructure(
        real_image("nmc-cbd/nmc-1-cal_generatedCBD_bridge.tif"), voxel_size=398e-9, phases=THREE
    ).crop(slice(100), slice(100), slice(100))
    found = describe(micro)
    assert found.volume_fraction["active"] == pytest.approx(0.5, abs=0.05)
    assert found.percolating_fraction["pore"]["z"] > 0.9
    # Particles of some 10 um: 6 eps / d is 0.3 per um.
    assert 1e5 < found.specific_surface["active"] < 5e5

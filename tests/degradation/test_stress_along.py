"""Stress along a discharge, against single solutions and closed forms."""

from __future__ import annotations

import numpy as np
import pytest

import microtwin as mt
from microtwin.degradation import LithiumStrain, stress_along
from microtwin.meshing import BOX_FACES

mech = mt.mechanics
SOLIDS = {"active": mech.isotropic(100e9, 0.25), "binder": mech.isotropic(2e9, 0.35)}
PLATES = {
    "faces": dict.fromkeys(BOX_FACES, "roller"),
    "mean_strain": [np.nan, 0.0, 0.0, np.nan, np.nan, np.nan],
}
LENGTH = 1.6e-6


@pytest.fixture(scope="module")
def micro():
    particles = mt.generation.ParticleType(2.4e-6)
    return mt.generation.electrode(
        12, 4e-7, porosity=0.3, binder_fraction=0.2, particles=particles, seed=3
    ).micro


def uneven(micro, mean):
    """Return more lithium where z is large, as on the way, and none outside of particles."""
    z = np.linspace(-0.1, 0.1, micro.shape[0])[:, None, None]
    return np.where(micro.mask("active"), mean + z, np.nan)


def test_each_state_is_that_of_a_single_solution(micro):
    image = mech.ElasticImage(micro, SOLIDS, **PLATES)
    fields = [uneven(micro, mean) for mean in (0.4, 0.6)]
    states = list(stress_along(image, fields, 0.03, reference=0.3, length=LENGTH, tol=1e-6))
    alone = mech.solve_swelling(
        micro, SOLIDS, {"active": 0.03 * (np.nan_to_num(fields[1]) - 0.3)}, tol=1e-6, **PLATES
    )
    found = states[1]
    assert found.number == 1
    assert found.mean_stoichiometry == pytest.approx(np.nanmean(fields[1]))
    grown = alone.mean_strain[0] * micro.extent[0]
    assert found.thickness_change == pytest.approx(grown, rel=1e-4)
    assert found.energy == pytest.approx(alone.energy, rel=1e-4)
    assert found.mean_stress[1:3] == pytest.approx(alone.mean_stress[1:3], rel=1e-4)
    table = mech.phase_distributions(micro, alone.stress, ["binder"], length=LENGTH)
    high = table["binder"].percentiles[0.95]
    assert found.percentiles["binder"][0.95] == pytest.approx(high, rel=1e-3)


def test_an_even_crystal_is_free_of_stress_and_grows_with_its_lithium():
    micro = mt.Microstructure(np.ones((6, 6, 6), np.uint8), 1e-6, {"active": 1})
    image = mech.ElasticImage(micro, {"active": SOLIDS["active"]})
    table = LithiumStrain([0.2, 0.5, 1.0], [-0.02, -0.005, 0.0])
    at = [1.0, 0.5, 0.2]
    states = list(stress_along(image, [np.full(micro.shape, x) for x in at], table, reference=1.0))
    for state, x in zip(states, at, strict=True):
        assert state.thickness_change == pytest.approx(6e-6 * float(table(x)), rel=1e-4, abs=1e-15)
        # 1e-4 of the stress that would hold it, 100 GPa / (1 - 2 nu) of the strain.
        assert np.abs(state.swelling.stress).max() <= 1e-4 * 2e11 * 0.02


def test_a_frame_that_holds_the_thickness_is_pressed():
    """Blocked in all directions, the pressure is 3 K times the strain."""
    micro = mt.Microstructure(np.ones((6, 6, 6), np.uint8), 1e-6, {"active": 1})
    image = mech.ElasticImage(micro, {"active": SOLIDS["active"]}, mean_strain=np.zeros(6))
    (state,) = stress_along(image, [np.full(micro.shape, 0.7)], 0.02, reference=0.2)
    assert state.pressure == pytest.approx(3 * SOLIDS["active"].bulk_modulus * 0.01, rel=1e-4)
    assert state.thickness_change == 0.0


def test_what_takes_no_part_stays_as_it_was(micro):
    image = mech.ElasticImage(micro, SOLIDS, interface="voxel")
    idle = uneven(micro, 0.6)
    idle[:6] = np.nan
    full = np.where(np.isfinite(idle), idle, 0.45)
    cases = {"reference": (idle, {}), "as given": (idle, {"idle": 0.45}), "full": (full, {})}
    energy = {
        name: next(stress_along(image, [x], 0.03, reference=0.3, tol=1e-6, **more)).energy
        for name, (x, more) in cases.items()
    }
    assert energy["as given"] == pytest.approx(energy["full"], rel=1e-4)
    assert abs(energy["reference"] / energy["full"] - 1.0) > 0.05


def test_criteria_and_readings_are_those_of_the_stress(micro):
    image = mech.ElasticImage(micro, SOLIDS, **PLATES)
    cone = mech.drucker_prager_strengths(60e6, 180e6)
    (state,) = stress_along(
        image, [uneven(micro, 0.6)], 0.03, reference=0.3, length=LENGTH,
        criteria={"binder": lambda stress: mech.drucker_prager_index(stress, cone)},
        read=lambda found: float(found.von_mises.max()),
    )  # fmt: skip
    binder = micro.mask("binder")
    averaged = mech.averaged_stress(state.swelling.stress, binder, LENGTH, micro.voxel_size)
    share = (mech.drucker_prager_index(averaged[:, binder], cone) > 1.0).mean()
    assert 0.01 < share < 0.99
    assert state.failing == {"binder": pytest.approx(share)}
    assert state.reading == float(state.swelling.von_mises.max())


def test_what_diffusion_leaves_beyond_full_counts_as_full(micro):
    image = mech.ElasticImage(micro, SOLIDS, interface="voxel")
    table = LithiumStrain([0.2, 1.0], [-0.02, 0.0])
    fields = [np.full(micro.shape, x) for x in (1.0, 1.002)]
    full, beyond = stress_along(image, fields, table, reference=0.5)
    assert beyond.energy == pytest.approx(full.energy, rel=1e-6)


def test_states_are_solved_when_they_are_asked_for(micro):
    image = mech.ElasticImage(micro, SOLIDS, interface="voxel")

    def fields():
        yield uneven(micro, 0.5)
        raise AssertionError("nobody asked for it")

    assert next(stress_along(image, fields(), 0.03, reference=0.5)).energy > 0.0


def test_a_free_face_moves_with_its_solid():
    """A bar in z, clamped at one end and free else, grows as it swells; few per cent are its foot.

    A mean strain would be 0 here: faces are no plates.
    """
    labels = np.zeros((24, 8, 8), np.uint8)
    labels[:, 3:5, 3:5] = 1
    micro = mt.Microstructure(labels, 1e-6, {"pore": 0, "active": 1})
    faces = {"z_low": "clamped", "z_high": "free"}
    image = mech.ElasticImage(micro, {"active": mech.isotropic(1e11, 0.0)}, faces=faces)
    (state,) = stress_along(image, [np.full(micro.shape, 0.8)], 0.02, reference=0.3)
    assert state.thickness_change == pytest.approx(0.01 * 24e-6, rel=0.01)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"active": "pore"}, "'pore' has no material"),
        ({"others": {"active": 0.1}}, "leave it out of the other eigenstrains"),
        ({"length": 0.0}, "length 0.0 is not allowed"),
        ({"criteria": {"binder": lambda stress: stress[0]}}, "give a length"),
        ({"strain_of": 3.0}, "between -1 and 1"),
        ({"strain_of": lambda x: np.nan * x}, "no finite number"),
        ({"stoichiometries": [np.zeros(3)]}, r"shape \(3,\) does not fit an image"),
        ({"stoichiometries": [np.full((12, 12, 12), 2e4)]}, "between 0 and 1"),
        ({"stoichiometries": [np.full((12, 12, 12), np.nan)]}, "state 0 has no stoichiometry"),
    ],
)
def test_bad_input_is_refused(micro, change, words):
    image = mech.ElasticImage(micro, SOLIDS)
    given = {"stoichiometries": [uneven(micro, 0.5)], "strain_of": 0.03, "reference": 0.3} | change
    with pytest.raises(ValueError, match=words):
        next(stress_along(image, **given))

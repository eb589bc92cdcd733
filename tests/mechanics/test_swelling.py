from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import microtwin as mt
from microtwin.mechanics import (
    cubic,
    effective_stiffness,
    isotropic,
    laminate,
    rotated,
    solve_swelling,
    voigt_reuss,
)
from microtwin.mechanics.verification import CASES
from microtwin.trust import run_cases

STIFF, SOFT = isotropic(100e9, 0.25), isotropic(1e9, 0.35)


def image(labels, voxel=1e-6):
    return mt.Microstructure(labels.astype(np.uint8), voxel, {"void": 0, "a": 1, "b": 2})


def random_image(seed, shape=(6, 5, 7)):
    return image(np.random.default_rng(seed).integers(1, 3, shape))


@pytest.mark.parametrize("row", run_cases(CASES), ids=lambda row: f"{row.case}: {row.quantity}")
def test_known_answers(row):
    assert row.verdict == "pass", row


@pytest.mark.parametrize("normal", ["z", "y", "x"])
def test_layers_of_crystals_are_exact(normal):
    """Also on voxels that are no cubes, with crystals that are turned."""
    angle = 0.4
    turn = [[1, 0, 0], [0, np.cos(angle), -np.sin(angle)], [0, np.sin(angle), np.cos(angle)]]
    solids = [rotated(cubic(160e9, 60e9, 80e9), turn), SOFT]
    labels = np.ones((6, 7, 8))
    at = "zyx".index(normal)
    np.moveaxis(labels, at, 0)[:2] = 2
    micro = image(labels, (1e-6, 1.3e-6, 0.7e-6))
    share = 2.0 / labels.shape[at]
    own = np.array([0.01, 0.02, 0.0, 0.003, 0.0, -0.002])
    found = effective_stiffness(micro, {"a": solids[0], "b": solids[1]}, tol=1e-10)
    exact, swelling = laminate(solids, [1.0 - share, share], normal, [own, np.zeros(6)])
    np.testing.assert_allclose(
        found.solid.stiffness, exact.stiffness, atol=1e-7 * exact.stiffness.max()
    )
    swollen = solve_swelling(micro, {"a": solids[0], "b": solids[1]}, {"a": own}, tol=1e-10)
    np.testing.assert_allclose(swollen.mean_strain, swelling, atol=1e-9)
    np.testing.assert_allclose(swollen.mean_stress, 0.0, atol=1e-6 * exact.stiffness.max() * 0.01)


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 10_000))
def test_the_whole_lies_between_the_bounds(seed):
    micro = random_image(seed)
    found = effective_stiffness(micro, {"a": STIFF, "b": SOFT}, tol=1e-8).solid.stiffness
    shares = [micro.volume_fraction("a"), micro.volume_fraction("b")]
    voigt, reuss = voigt_reuss([STIFF, SOFT], shares)
    size = np.linalg.norm(voigt.stiffness)
    assert np.linalg.eigvalsh(voigt.stiffness - found)[0] > -1e-6 * size
    assert np.linalg.eigvalsh(found - reuss.stiffness)[0] > -1e-6 * size


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 10_000))
def test_swelling_is_reciprocal_to_stress_concentration(seed):
    """The free swelling is the mean of the eigenstrain, weighted with the stress of a load.

    Levin's theorem: S* . sigma = <b^T e> for the stress b sigma that a mean stress makes.
    """
    micro = random_image(seed)
    solids = {"a": STIFF, "b": SOFT}
    own = np.array([0.01, 0.0, 0.02, 0.004, 0.0, 0.003])
    swelling = solve_swelling(micro, solids, {"a": own}, tol=1e-9, interface="voxel").mean_strain
    for k in range(6):
        load = np.zeros(6)
        load[k] = 1e6
        found = solve_swelling(micro, solids, {}, mean_stress=load, tol=1e-9, interface="voxel")
        np.testing.assert_allclose(found.mean_stress, load, atol=1.0)
        share = micro.volume_fraction("a")
        expected = share * found.phase_stress["a"] @ own / 1e6
        assert swelling[k] == pytest.approx(expected, rel=1e-5, abs=1e-9)


def test_what_swells_evenly_is_free_of_stress():
    found = solve_swelling(random_image(1), {"a": STIFF, "b": SOFT}, {"a": 0.01, "b": 0.01})
    np.testing.assert_allclose(found.mean_strain[:3], 0.01, rtol=1e-6)
    assert found.von_mises.max() < 1e-3 * 0.01 * 100e9
    assert found.energy < 1e-6 * 0.5 * 1e9 * 0.01**2


def test_what_is_held_is_under_pressure():
    found = solve_swelling(
        random_image(2), {"a": STIFF, "b": STIFF}, {"a": 0.01, "b": 0.01}, mean_strain=np.zeros(6)
    )
    # All of it is one solid: 3 K times the eigenstrain.
    np.testing.assert_allclose(found.hydrostatic, -3.0 * STIFF.bulk_modulus * 0.01, rtol=1e-5)
    assert found.percentiles(np.ones(found.stress.shape[1:], bool))[-1] < 1e-4 * 1e9


def test_rollers_at_the_sides_and_a_free_top():
    """Only the thickness can change: the strain along z is free, the others are held."""
    labels = np.ones((4, 4, 4))
    found = solve_swelling(
        image(labels), {"a": STIFF}, {"a": 0.01}, mean_strain=[np.nan, 0, 0, 0, 0, 0]
    )
    assert found.mean_strain[0] == pytest.approx(0.01 * 1.25 / 0.75, rel=1e-6)
    assert found.mean_stress[0] == pytest.approx(0.0, abs=1e3)
    assert found.mean_stress[1] == pytest.approx(-100e9 * 0.01 / 0.75, rel=1e-6)


def test_a_field_of_eigenstrain_is_that_of_the_phase():
    micro = random_image(3)
    solids = {"a": STIFF, "b": SOFT}
    even = solve_swelling(micro, solids, {"a": 0.01}, interface="voxel")
    field = solve_swelling(micro, solids, {"a": np.full(micro.shape, 0.01)}, interface="voxel")
    np.testing.assert_allclose(field.mean_strain, even.mean_strain, rtol=1e-9, atol=1e-12)


def test_void_carries_nothing():
    """Columns in void carry load along themselves alone, to their share."""
    labels = np.zeros((4, 6, 6))
    labels[:, 1:4, 1:5] = 1
    found = solve_swelling(
        image(labels), {"a": STIFF}, {}, mean_stress=[1e6, 0, 0, 0, 0, 0],
        mean_strain=[np.nan, 0, 0, 0, 0, 0], interface="voxel"
    )  # fmt: skip
    assert found.mean_stress[0] == pytest.approx(1e6, rel=1e-6)
    assert found.phase_stress["a"][0] == pytest.approx(1e6 * 36 / 12, rel=1e-5)
    assert (found.stress[:, labels == 0] == 0.0).all()
    assert found.mean_strain[0] == pytest.approx(3e6 / 100e9, rel=1e-4)


def test_an_image_that_falls_apart_has_no_stiffness():
    labels = np.zeros((4, 6, 6))
    labels[:, 1:4, 1:5] = 1
    with pytest.raises(ValueError, match="does not hold together"):
        effective_stiffness(image(labels), {"a": STIFF})


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (({}, {}), "nothing is solid"),
        (({"zinc": STIFF}, {}), "phase 'zinc' is not in"),
        (({"a": 1e9}, {}), "give a Solid"),
        (({"a": STIFF}, {"b": 0.01}), "swells but has no material"),
        (({"a": STIFF}, {"zinc": 0.01}), "phase 'zinc' is not in"),
        (({"a": STIFF}, {"a": [0.01, 0.01]}), "six components"),
        (({"a": STIFF}, {"a": np.nan}), "the eigenstrain of 'a' is not allowed"),
    ],
)
def test_what_does_not_fit_is_refused(arguments, words):
    with pytest.raises(ValueError, match=words):
        solve_swelling(random_image(0), *arguments)


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"mean_strain": [0.0]}, "six components, NaN where free"),
        ({"mean_stress": [np.nan] * 6}, "give six numbers, in Pa"),
        ({"tol": 0.0}, "tol 0.0 is not allowed"),
    ],
)
def test_options_that_do_not_fit_are_refused(more, words):
    with pytest.raises(ValueError, match=words):
        solve_swelling(random_image(0), {"a": STIFF, "b": SOFT}, {"a": 0.01}, **more)


ALL_SIDES = dict.fromkeys(("z_low", "z_high", "y_low", "y_high", "x_low", "x_high"), "roller")


def test_a_rigid_casing_is_a_mirror():
    """Rollers on all faces: as in the image beside its reflections, with no mean strain."""
    micro = random_image(4, (4, 3, 5))
    solids = {"a": STIFF, "b": SOFT}
    cased = solve_swelling(micro, solids, {"a": 0.01}, faces=ALL_SIDES, tol=1e-9)
    labels = micro.labels
    for axis in range(3):
        labels = np.concatenate([labels, np.flip(labels, axis)], axis)
    whole = solve_swelling(image(labels), solids, {"a": 0.01}, mean_strain=np.zeros(6), tol=1e-9)
    z, y, x = micro.shape
    np.testing.assert_allclose(
        cased.von_mises, whole.von_mises[:z, :y, :x], rtol=1e-4, atol=1e-5 * whole.von_mises.max()
    )
    np.testing.assert_allclose(cased.phase_stress["a"][:3], whole.phase_stress["a"][:3], rtol=1e-5)


def test_plates_carry_the_pressure_that_is_given():
    """Between plates that move, in a rigid casing: uniaxial strain of an even solid."""
    labels = np.ones((3, 4, 5))
    found = solve_swelling(
        image(labels), {"a": STIFF}, {}, faces=ALL_SIDES, mean_strain=[np.nan, 0, 0, 0, 0, 0],
        mean_stress=[-1e6, 0, 0, 0, 0, 0],
    )  # fmt: skip
    assert found.mean_strain[0] == pytest.approx(-1e6 / STIFF.stiffness[0, 0], rel=1e-6)
    np.testing.assert_allclose(found.stress[0], -1e6, rtol=1e-5)


@pytest.mark.parametrize("axis", range(3))
def test_a_bar_that_is_pressed_and_one_that_is_pushed(axis):
    labels = np.ones((4, 5, 3))
    low, high = f"{'zyx'[axis]}_low", f"{'zyx'[axis]}_high"
    others = {f"{name}_low": "free" for name in "zyx" if name != "zyx"[axis]}
    pressed = solve_swelling(
        image(labels), {"a": STIFF}, {}, faces={**others, low: "roller", high: {"pressure": 2e6}}
    )
    np.testing.assert_allclose(pressed.stress[axis], -2e6, rtol=1e-4)
    np.testing.assert_allclose(pressed.strain[axis], -2e6 / 100e9, rtol=1e-4)
    length = labels.shape[axis] * 1e-6
    pushed = solve_swelling(
        image(labels), {"a": STIFF}, {},
        faces={**others, low: "roller", high: {"displacement": 1e-3 * length}},
    )  # fmt: skip
    np.testing.assert_allclose(pushed.strain[axis], 1e-3, rtol=1e-4)
    np.testing.assert_allclose(pushed.stress[axis], 1e-3 * 100e9, rtol=1e-4)


def test_a_clamped_block_that_swells_is_free_at_the_top():
    """Far from the clamp it swells freely; at the clamp it is held."""
    labels = np.ones((16, 4, 4))
    faces = {"z_low": "clamped", "y_low": "free", "x_low": "free"}
    found = solve_swelling(image(labels), {"a": STIFF}, {"a": 0.01}, faces=faces)
    np.testing.assert_allclose(found.strain[:3, -4:], 0.01, rtol=2e-2)
    assert found.von_mises[-2:].max() < 0.01 * found.von_mises[0].max()
    assert np.abs(found.displacement[:, 0]).max() == 0.0
    assert found.displacement.shape == (3, 17, 5, 5)
    assert found.floating == 0.0


def test_what_floats_is_told():
    labels = np.zeros((8, 8, 8))
    labels[:, 2:5, 2:5] = 1
    labels[3:5, 6, 6] = 2
    found = solve_swelling(image(labels), {"a": STIFF, "b": SOFT}, {"a": 0.01, "b": 0.02})
    assert found.floating == pytest.approx(2 / 74)
    assert np.abs(found.stress[:, labels == 2]).max() < 1e-4 * 0.02 * 1e9
    held = solve_swelling(
        image(labels), {"a": STIFF, "b": SOFT}, {"a": 0.01}, faces={"z_low": "clamped"}
    )
    assert held.floating == pytest.approx(2 / 74)


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"faces": {"top": "roller"}}, "there is no face 'top'"),
        ({"faces": {"z_low": "glued"}}, "face z_low cannot be 'glued'"),
        ({"faces": {"z_low": "free"}, "mean_strain": [0.01, 0, 0, 0, 0, 0]}, "zz belongs to an ax"),
        ({"faces": {"z_high": {"pressure": 1e6}}}, "pushes along z on 1 bodies"),
    ],
)
def test_faces_that_do_not_fit_are_refused(more, words):
    with pytest.raises(ValueError, match=words):
        solve_swelling(random_image(0), {"a": STIFF, "b": SOFT}, {"a": 0.01}, **more)


def test_a_mean_stress_needs_a_way_through():
    labels = np.zeros((6, 6, 6))
    labels[1:5] = 1  # a plate: nothing leads through it along z
    for name, stress in (("zz", [1e6, 0, 0, 0, 0, 0]), ("zx", [0, 0, 0, 0, 1e6, 0])):
        with pytest.raises(ValueError, match=f"along z, so nothing carries the mean stress {name}"):
            solve_swelling(image(labels), {"a": STIFF}, {}, mean_stress=stress)
    found = solve_swelling(image(labels), {"a": STIFF}, {}, mean_stress=[0, 1e6, 0, 0, 0, 0])
    assert found.mean_stress[1] == pytest.approx(1e6)


def test_what_floats_does_not_slow_the_solver():
    """Nothing holds the ball; rounding of the forces on it must not come back amplified."""
    z = (np.arange(32) + 0.5) / 32 - 0.5
    r = np.sqrt(sum(x**2 for x in np.meshgrid(z, z, z, indexing="ij")))
    labels = np.where(r < 0.25, 1, np.where(r < 0.42, 2, 0))
    found = solve_swelling(image(labels), {"a": STIFF, "b": SOFT}, {"a": 0.01})
    assert found.floating == 1.0
    assert found.iterations <= 8

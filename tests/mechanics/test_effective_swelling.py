from __future__ import annotations

import numpy as np
import pytest

import microtwin as mt
from microtwin.mechanics import (
    coated_sphere_bulk_modulus,
    cubic,
    effective_stiffness,
    effective_swelling,
    isotropic,
    laminate,
    misfit_sphere,
    rotated,
)

STIFF, SOFT = isotropic(100e9, 0.25), isotropic(1e9, 0.35)
EVEN = np.array([1.0, 1.0, 1.0, 0.0, 0.0, 0.0])
ANGLE = 0.4
TURN = [[1, 0, 0], [0, np.cos(ANGLE), -np.sin(ANGLE)], [0, np.sin(ANGLE), np.cos(ANGLE)]]


def image(labels, voxel=1e-6):
    return mt.Microstructure(labels.astype(np.uint8), voxel, {"void": 0, "a": 1, "b": 2})


def scattered(seed):
    """Two solids, voxel by voxel: an image without any symmetry."""
    return image(np.random.default_rng(seed).integers(1, 3, (6, 5, 7)))


def distance(edge):
    """Distance of voxel centres from the middle of a cube of edge 1."""
    z = (np.arange(edge) + 0.5) / edge - 0.5
    return np.sqrt(z[:, None, None] ** 2 + z[:, None] ** 2 + z**2)


def states(c, own):
    """Blocked stress, and strain and stress where the plane is held, written out by elimination.

    Row by row: no traction through the thickness gives three equations for (zz, zx, zy).
    """
    n = [0, 4, 5]
    strain = np.zeros(6)
    strain[n] = np.linalg.inv(c[n][:, n]) @ c[n] @ own
    return -c @ own, strain, c @ (strain - own)


def agree(found, c, own, rel):
    blocked, strain, stress = states(c, own)
    size, pressure = np.abs(own).max(), np.abs(blocked).max()
    np.testing.assert_allclose(found.free_strain, own, atol=rel * size)
    np.testing.assert_allclose(found.blocked_stress, blocked, atol=rel * pressure)
    np.testing.assert_allclose(found.constrained_strain, strain, atol=rel * np.abs(strain).max())
    np.testing.assert_allclose(found.constrained_stress, stress, atol=rel * pressure)


def test_a_crystal_that_fills_the_image():
    """Any eigenstrain is that of the whole, on voxels that are no cubes."""
    crystal = rotated(cubic(160e9, 60e9, 80e9), TURN)
    own = np.array([0.01, 0.02, 0.0, 0.003, 0.001, -0.002])
    micro = image(np.ones((3, 4, 5)), (1e-6, 1.3e-6, 0.7e-6))
    found = effective_swelling(micro, {"a": crystal}, {"a": own}, tol=1e-8)
    agree(found, crystal.stiffness, own, 1e-6)
    assert len(found.iterations) == 3


@pytest.mark.parametrize("normal", ["z", "y", "x"])
def test_layers_are_exact(normal):
    solids = [rotated(cubic(160e9, 60e9, 80e9), TURN), SOFT]
    labels = np.ones((6, 7, 8))
    at = "zyx".index(normal)
    np.moveaxis(labels, at, 0)[:2] = 2
    share = 2.0 / labels.shape[at]
    own = np.array([0.01, 0.02, 0.0, 0.003, 0.001, -0.002])
    exact, swelling = laminate(solids, [1.0 - share, share], normal, [own, np.zeros(6)])
    given = dict(zip("ab", solids, strict=True))
    found = effective_swelling(image(labels), given, {"a": own}, tol=1e-9)
    agree(found, exact.stiffness, swelling, 1e-6)


def test_layers_on_a_foil_grow_each_by_itself():
    """With z across the layers each has the strain (1 + nu) / (1 - nu) e, and no stress along z."""
    labels = np.ones((8, 3, 3))
    labels[:3] = 2
    found = effective_swelling(image(labels), {"a": STIFF, "b": SOFT}, {"a": 0.01, "b": 0.02})
    grown = 5 / 8 * 0.01 * 1.25 / 0.75 + 3 / 8 * 0.02 * 1.35 / 0.65
    assert found.through_plane == pytest.approx(grown, rel=1e-6)
    pressed = 5 / 8 * 100e9 * 0.01 / 0.75 + 3 / 8 * 1e9 * 0.02 / 0.65
    np.testing.assert_allclose(found.constrained_stress[1:3], -pressed, rtol=1e-5)
    assert abs(found.constrained_stress[0]) < 1e-5 * pressed


@pytest.mark.parametrize("seed", [0, 1])
def test_levins_relation_between_stiffness_and_swelling(seed):
    """Of two solids: at one mean strain all is even, so e* follows from C* alone.

    C1 (E - e1) = C2 (E - e2) is that strain, and the stress is that of the whole, C* (E - e*).
    """
    micro, solids = scattered(seed), {"a": STIFF, "b": SOFT}
    whole = effective_stiffness(micro, solids, tol=1e-9, interface="voxel").solid
    first, second = 0.01 * EVEN, np.array([-0.005, 0.0, 0.002, 0.001, 0.0, 0.003])
    c1, c2 = STIFF.stiffness, SOFT.stiffness
    even = np.linalg.solve(c1 - c2, c1 @ first - c2 @ second)
    levin = even - whole.compliance @ c1 @ (even - first)
    found = effective_swelling(
        micro, solids, {"a": first, "b": second}, tol=1e-9, interface="voxel"
    )
    agree(found, whole.stiffness, levin, 1e-5)


def test_one_solution_is_enough_if_the_stiffness_is_known():
    micro, solids = scattered(2), {"a": STIFF, "b": SOFT}
    whole = effective_stiffness(micro, solids, tol=1e-9).solid
    own = {"a": [0.01, 0.0, 0.02, 0.004, 0.0, 0.003]}
    short = effective_swelling(micro, solids, own, stiffness=whole, tol=1e-9)
    long = effective_swelling(micro, solids, own, tol=1e-9)
    assert len(short.iterations) == 1
    np.testing.assert_allclose(short.free_strain, long.free_strain, atol=1e-8)
    pressure = np.abs(long.blocked_stress).max()
    for name in ("blocked_stress", "constrained_stress"):
        np.testing.assert_allclose(getattr(short, name), getattr(long, name), atol=1e-5 * pressure)
    np.testing.assert_allclose(short.constrained_strain, long.constrained_strain, atol=1e-7)


def test_a_porous_body_of_one_solid_swells_as_that_solid():
    """Evenly: its pores grow with it. What it presses with where it is held is C* e."""
    labels = np.ones((12, 12, 12))
    labels[2:7, 3:9, 1:10] = 0
    labels[8:, 8:11, 2:4] = 0
    own = np.array([0.01, 0.02, 0.0, 0.003, 0.001, -0.002])
    whole = effective_stiffness(image(labels), {"a": STIFF}, tol=1e-9).solid
    found = effective_swelling(image(labels), {"a": STIFF}, {"a": own}, tol=1e-9)
    assert whole.stiffness[0, 0] < 0.8 * STIFF.stiffness[0, 0]
    agree(found, whole.stiffness, own, 1e-6)


def test_a_sphere_that_swells_in_the_same_solid():
    """With one stiffness everywhere Sigma = C (E - <e>), so e* is the share of the sphere times e.

    In it the pressure is Eshelby's but for the mean, which the repetitions take away. The sphere of
    voxels has its volume to 0.5 %.
    """
    r = distance(32)
    micro, solids = image(np.where(r < 0.4, 1, 2)), {"a": STIFF, "b": STIFF}
    share = 4.0 / 3.0 * np.pi * 0.4**3
    found = effective_swelling(micro, solids, {"a": 0.01})
    np.testing.assert_allclose(found.free_strain[:3], share * 0.01, rtol=0.01)
    assert found.through_plane == pytest.approx(share * 0.01 * 1.25 / 0.75, rel=0.01)
    np.testing.assert_allclose(found.blocked_stress[:3], -share * 2e9, rtol=0.01)
    _, alone = misfit_sphere(100e9, 0.25, 0.01)
    field = mt.mechanics.solve_swelling(micro, solids, {"a": 0.01})
    inner = field.hydrostatic[r < 0.2].mean()
    assert inner == pytest.approx((1.0 - share) * alone, rel=0.01)


def test_a_coated_sphere_swells_as_its_assemblage():
    """In a matrix that it does not disturb; its own part is then (E - (1 - f) e*) / f.

    e* is Levin's, from Hashin's bulk modulus: half as much again as the share of the core times its
    eigenstrain. The core has seven voxels along its radius; on their staircase the whole swells by
    4 % too much, and presses by 5 % too much.
    """
    r = distance(36)
    micro = mt.Microstructure(
        np.where(r < 0.2, 2, np.where(r < 0.4, 1, 0)).astype(np.uint8),
        1e-6,
        {"matrix": 0, "shell": 1, "core": 2},
    )
    core, shell = isotropic(50e9, 0.3), isotropic(10e9, 0.25)
    k_core, k_shell = core.bulk_modulus, shell.bulk_modulus
    k = coated_sphere_bulk_modulus(
        (k_core, core.shear_modulus), (k_shell, shell.shear_modulus), 0.125
    )
    assemblage = 0.01 * (1.0 / k - 1.0 / k_shell) / (1.0 / k_core - 1.0 / k_shell)
    matrix = isotropic(9.0 * k * 4e9 / (3.0 * k + 4e9), (3.0 * k - 8e9) / (2.0 * (3.0 * k + 4e9)))
    assert matrix.bulk_modulus == pytest.approx(k)
    found = effective_swelling(
        micro, {"matrix": matrix, "shell": shell, "core": core},
        {"matrix": assemblage, "core": 0.01}, tol=1e-5,
    )  # fmt: skip
    share = 4.0 / 3.0 * np.pi * 0.4**3
    own = (found.free_strain[:3] - (1.0 - share) * assemblage) / share
    np.testing.assert_allclose(own, assemblage, rtol=0.06)
    pressed = (-found.blocked_stress[:3] / (3.0 * k) - (1.0 - share) * assemblage) / share
    np.testing.assert_allclose(pressed, assemblage, rtol=0.06)


COLUMN = np.zeros((4, 6, 6))
COLUMN[:, 1:4, 1:5] = 1


@pytest.mark.parametrize(
    ("labels", "more", "words"),
    [
        (COLUMN, {}, "no body of what is solid holds together"),
        (np.ones((4, 4, 4)), {"stiffness": 1e9}, "stiffness 1000000000.0 is not allowed"),
        (np.ones((4, 4, 4)), {"tol": 2.0}, "tol 2.0 is not allowed"),
        (np.zeros((4, 4, 4)), {}, "nothing is solid"),
    ],
)
def test_what_does_not_fit_is_refused(labels, more, words):
    with pytest.raises(ValueError, match=words):
        effective_swelling(image(labels), {"a": STIFF}, {"a": 0.01}, **more)

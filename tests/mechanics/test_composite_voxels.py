from __future__ import annotations

import numpy as np
import pytest

import microtwin as mt
from microtwin.mechanics import ElasticImage, effective_stiffness, isotropic, solve_swelling
from microtwin.mechanics.composite_voxels import INTERFACES, voxel_solids

STIFF, SOFT = isotropic(100e9, 0.25), isotropic(1e9, 0.35)
PERIODIC = (True, True, True)


def ball(n, radius, shell=None):
    """Return a ball of label 2, in label 1 up to the radius of the shell or everywhere."""
    z = (np.arange(n) + 0.5) / n - 0.5
    r = np.sqrt(sum(x**2 for x in np.meshgrid(z, z, z, indexing="ij")))
    labels = np.where(r < radius, 2, 1 if shell is None else np.where(r < shell, 1, 0))
    return mt.Microstructure(labels.astype(np.uint8), 1e-6 / n, {"void": 0, "soft": 1, "stiff": 2})


SOLIDS = {"soft": SOFT, "stiff": STIFF}


def test_layers_along_the_grid_are_not_mixed():
    labels = np.ones((8, 6, 6), np.uint8)
    labels[:3] = 2
    micro = mt.Microstructure(labels, 1e-6, {"void": 0, "soft": 1, "stiff": 2})
    for interface in INTERFACES:
        solids = voxel_solids(micro, SOLIDS, interface, PERIODIC)
        assert solids.number.max() == 1


@pytest.mark.parametrize("periodic", [PERIODIC, (True, False, True), (False, False, False)])
def test_rows_are_what_the_geometry_says(periodic):
    micro = ball(16, 0.3)
    found = voxel_solids(micro, SOLIDS, "smooth", periodic)
    share = np.where(found.first == 1, 1.0 - found.second_share, found.second_share)
    share = np.where((found.first == 0) & (found.second == 0), 0.0, share)
    exact = mt.geometry.phase_fractions(micro.labels, 2, True)
    assert np.abs(share[found.number] - exact).max() <= 0.5 / 16 + 1e-6
    # Normals point away from the first solid: outwards where this is the ball.
    at = np.argwhere(found.is_cut[found.number])
    normal = found.normal[found.number[tuple(at.T)]]
    outwards = at + 0.5 - 8.0
    sign = np.where(found.first[found.number[tuple(at.T)]] == 1, 1.0, -1.0)
    cosine = sign * (normal * outwards).sum(axis=1) / np.linalg.norm(outwards, axis=1)
    assert cosine.min() > 0.8
    assert cosine.mean() > 0.97


def test_mixtures_are_ordered():
    micro = ball(12, 0.35)
    rows = {name: voxel_solids(micro, SOLIDS, name, PERIODIC) for name in ("voigt", "reuss")}
    rows["laminate"] = voxel_solids(micro, SOLIDS, "laminate", PERIODIC)
    on_voxels = {name: row.stiffnesses[row.number] for name, row in rows.items()}
    for stiffer, softer in (("voigt", "laminate"), ("laminate", "reuss")):
        more = on_voxels[stiffer] - on_voxels[softer]
        assert np.linalg.eigvalsh(more).min() > -1e-6 * STIFF.stiffness.max()
    moduli = {name: effective_stiffness(micro, SOLIDS, interface=name, tol=1e-5) for name in rows}
    bulk = [moduli[name].solid.bulk_modulus for name in ("voigt", "laminate", "reuss")]
    assert bulk[0] > bulk[1] > bulk[2]


def lame_pressure(core, shell, i, o, misfit):
    """Return the pressure in a core that swells in a free shell; cubed radii i, o."""
    give = (i / (3.0 * shell.bulk_modulus) + o / (4.0 * shell.shear_modulus)) / (o - i)
    return misfit / (1.0 / (3.0 * core.bulk_modulus) + give)


def test_a_stiff_core_in_a_soft_shell_presses_as_lame_says():
    """Twelve voxels along the radius of the core; the staircase is too stiff there."""
    micro = ball(48, 0.25, 0.4)
    exact = lame_pressure(STIFF, SOFT, 0.25**3, 0.4**3, 0.01)
    errors = {}
    for interface in ("smooth", "laminate", "voxel"):
        found = solve_swelling(micro, SOLIDS, {"stiff": 0.01}, interface=interface, tol=1e-5)
        errors[interface] = -found.phase_stress["stiff"][:3].mean() / exact - 1.0
    assert abs(errors["smooth"]) < 0.02, errors
    assert abs(errors["smooth"]) < 0.3 * abs(errors["voxel"]), errors


@pytest.mark.parametrize("interface", list(INTERFACES))
def test_sums_of_parts_are_the_whole(interface):
    """Mean stress, energy and work agree, with void and three phases in a voxel."""
    rng = np.random.default_rng(4)
    labels = rng.integers(0, 3, (9, 8, 10))
    labels[rng.random(labels.shape) < 0.5] = 1
    micro = mt.Microstructure(labels.astype(np.uint8), 1e-6, {"void": 0, "soft": 1, "stiff": 2})
    free = solve_swelling(micro, SOLIDS, {"stiff": 0.01}, interface=interface, tol=1e-8)
    scale = free.von_mises.max()
    assert np.abs(free.mean_stress).max() < 1e-5 * scale
    held = solve_swelling(
        micro, SOLIDS, {}, mean_strain=[0.01, 0.0, 0.0, 0.0, 0.0, 0.0], interface=interface,
        tol=1e-8,
    )  # fmt: skip
    # What varies within voxels is not in the energy of the means.
    assert 0.3 < held.energy / (0.5 * held.mean_stress[0] * 0.01) <= 1.0 + 1e-6


def test_a_uniform_swelling_of_everything_costs_nothing():
    micro = ball(12, 0.35)
    for interface in INTERFACES:
        even = dict.fromkeys(SOLIDS, 0.01)
        found = solve_swelling(micro, SOLIDS, even, interface=interface, tol=1e-6)
        np.testing.assert_allclose(found.mean_strain, [0.01] * 3 + [0] * 3, atol=1e-7)
        assert found.von_mises.max() < 1e-5 * 100e9 * 0.01


def test_a_field_is_continued_into_cut_voxels():
    """A field that is uniform on its phase does what the number does."""
    micro = ball(12, 0.35)
    image = ElasticImage(micro, SOLIDS, interface="smooth")
    field = np.where(micro.mask("stiff"), 0.01, np.nan)
    numbers, fields = (image.swell({"stiff": e}, tol=1e-8) for e in (0.01, field))
    np.testing.assert_allclose(fields.mean_strain, numbers.mean_strain, atol=1e-8)
    assert fields.energy == pytest.approx(numbers.energy, rel=1e-5)


def test_unknown_interfaces_are_named():
    with pytest.raises(ValueError, match="interface 'sharp' is not known; use 'smooth'"):
        solve_swelling(ball(8, 0.3), SOLIDS, {}, interface="sharp")


@pytest.mark.parametrize("interface", ["smooth", "voxel"])
def test_slanted_layers(interface):
    """Layers at 45 degrees: exact but for ripples that are left of the staircase."""
    n = 16
    j, i = np.indices((n, n))
    labels = np.broadcast_to(np.where((i + j) % n < n // 2, 2, 1), (4, n, n)).astype(np.uint8)
    micro = mt.Microstructure(labels, 1e-6, {"void": 0, "soft": 1, "stiff": 2})
    turn = np.array([[1.0, 0.0, 0.0], [0.0, 1.0, 1.0], [0.0, -1.0, 1.0]])
    turn[1:] /= np.sqrt(2.0)
    flat, _ = mt.mechanics.laminate([SOFT, STIFF], [0.5, 0.5], "y")
    exact = mt.mechanics.rotated(flat, turn.T).compliance
    found = effective_stiffness(micro, SOLIDS, interface=interface, tol=1e-6).solid.compliance
    error = np.abs(found - exact).max() / np.abs(exact).max()
    assert error < (0.005 if interface == "smooth" else 0.2)
    if interface == "voxel":
        assert error > 0.03


@pytest.mark.parametrize("interface", ["voigt", "smooth"])
def test_crumbs_in_voxels_do_not_stop_the_solver(interface):
    """Few voxels have the largest eigenvalues, far beyond the bulk; the smoother must know them."""
    particles = mt.generation.ParticleType(2.4e-6)
    micro = mt.generation.electrode(
        16, 4e-7, porosity=0.3, binder_fraction=0.2, particles=particles, seed=3
    ).micro
    solids = {"active": isotropic(100e9, 0.25), "binder": isotropic(2e9, 0.35)}
    found = solve_swelling(micro, solids, {"active": 0.01}, interface=interface, tol=1e-4)
    assert found.iterations <= 10

from __future__ import annotations

import sys
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import microtwin as mt
from meshing.shapes import ball, random_image
from microtwin.mechanics import cubic, isotropic, mesh_swelling, rotated, solve_swelling
from microtwin.mechanics.mesh_elements import Elements
from microtwin.mechanics.mesh_pieces import solid_mesh
from microtwin.mechanics.mesh_verification import CASES
from microtwin.meshing import BOX_FACES, level_set_fields, tetrahedralize
from microtwin.trust import run_cases

pytest.importorskip("ngsolve")
pytest.importorskip("pyamg")

STIFF, SOFT = isotropic(100e9, 0.25), isotropic(1e9, 0.35)
UM = 1e-6
WALLS = dict.fromkeys(BOX_FACES, "roller")
SIDES = dict.fromkeys(("y_low", "y_high", "x_low", "x_high"), "roller")


def crystal():
    c, s = np.cos(0.7), np.sin(0.7)
    return rotated(cubic(160e9, 60e9, 80e9), [[c, -s, 0], [s, c, 0], [0, 0, 1]])


def meshed(labels, names, size=2.0):
    micro = mt.Microstructure(labels.astype(np.uint8), UM, {n: k for k, n in enumerate(names)})
    return tetrahedralize(micro, size)


@pytest.fixture(scope="module")
def slab():
    """Five layers of a below seven of b."""
    labels = np.zeros((12, 8, 8))
    labels[5:] = 1
    return meshed(labels, ("a", "b"))


@pytest.fixture(scope="module")
def particle():
    return tetrahedralize(ball(5, margin=3))


@pytest.mark.parametrize("order", [1, 2])
def test_patch_of_a_crystal(particle, order):
    """Any uniform eigenstrain of a uniform free body is its strain, on any mesh."""
    own = np.array([0.01, -0.02, 0.005, 0.003, 0.004, -0.006])
    solids = dict.fromkeys(("pore", "active"), crystal())
    found = mesh_swelling(particle, solids, dict.fromkeys(solids, own), order=order, tol=1e-12)
    assert np.abs(found.strain - own).max() < 1e-10
    assert np.abs(found.stress).max() < 1e-8 * 80e9
    assert found.floating == {0: 6}
    volume = np.repeat(particle.volumes[:, None], 4, axis=1)
    mean = np.einsum("mk,mki->i", volume, found.displacement[particle.cells])
    assert np.abs(mean).max() < 1e-9 * volume.sum() * np.abs(found.displacement).max()


@pytest.mark.parametrize("order", [1, 2])
def test_a_traction_on_a_crystal(particle, order):
    """Uniaxial stress: the strain is the compliance, and energy is half the work."""
    solids = dict.fromkeys(("pore", "active"), crystal())
    faces = {"x_low": {"pressure": -2e8}, "x_high": {"pressure": -2e8}}
    found = mesh_swelling(particle, solids, {}, faces=faces, order=order, tol=1e-11)
    expected = crystal().compliance[:, 2] * 2e8
    assert np.abs(found.strain - expected).max() < 1e-7 * np.abs(expected).max()
    volume = float(np.prod(particle.extent))
    assert found.energy == pytest.approx(0.5 * 2e8 * expected[2] * volume, rel=1e-8)
    shear = {"y_high": {"traction": [0, 0, 1e8]}, "y_low": {"traction": [0, 0, -1e8]}}
    shear |= {"x_high": {"traction": [0, 1e8, 0]}, "x_low": {"traction": [0, -1e8, 0]}}
    found = mesh_swelling(particle, solids, {}, faces=shear, order=order, tol=1e-11)
    expected = crystal().compliance[:, 3] * 1e8
    assert np.abs(found.strain - expected).max() < 1e-7 * np.abs(expected).max()


@pytest.mark.parametrize("order", [1, 2])
def test_a_displacement_does_work(slab, order):
    faces = {"z_low": "clamped", "z_high": {"displacement": 2e-8}}
    found = mesh_swelling(slab, {"a": STIFF, "b": SOFT}, {}, faces=faces, order=order)
    low, high = found.reactions["z_low"], found.reactions["z_high"]
    assert np.abs(low + high).max() < 1e-6 * np.abs(low).max()
    assert found.energy == pytest.approx(0.5 * high[0] * 2e-8, rel=1e-6)


def test_the_matrix_is_symmetric(particle):
    for order in (1, 2):
        elements = Elements(solid_mesh(particle, ("active",)).mesh, order)
        matrix = elements.stiffness({"active": crystal().stiffness})
        assert np.abs(matrix - matrix.T).max() < 1e-14 * np.abs(matrix.data).max()


@pytest.mark.parametrize("order", [1, 2])
def test_a_bar_with_an_imperfect_interface(slab, order):
    """Layers and springs in series: exact, also the shear of a free end."""
    solids, d, k = {"a": STIFF, "b": SOFT}, 3e-8, (2e14, 5e13)
    faces = SIDES | {"z_low": "roller", "z_high": {"displacement": d}}
    moduli = [solids[name].stiffness[0, 0] for name in "ab"]
    for normal in (k[0], 1e20):
        loose = {("b", "a"): (normal, k[1])}
        found = mesh_swelling(
            slab, solids, {"a": 0.001}, faces=faces, order=order, debonding=loose, tol=1e-11
        )
        own = 0.001 * 5e-6 * STIFF.bulk_modulus * 3 / moduli[0]
        stress = (d - own) / (5e-6 / moduli[0] + 7e-6 / moduli[1] + 1 / normal)
        np.testing.assert_allclose(found.stress[:, 0], stress, rtol=1e-6)
        across = found.interfaces["a", "b"]
        np.testing.assert_allclose(across.normal, stress, rtol=1e-6)
        np.testing.assert_allclose(across.jumps[:, 0], stress / normal, rtol=1e-4, atol=1e-18)
        np.testing.assert_allclose(found.interfaces["b", "a"].vectors, -across.vectors)
        assert across.shear.max() < 1e-5 * abs(stress)
    bonded = mesh_swelling(slab, solids, {"a": 0.001}, faces=faces, order=order, tol=1e-11)
    assert bonded.energy == pytest.approx(found.energy, rel=1e-5)
    np.testing.assert_allclose(bonded.interfaces["a", "b"].normal, stress, rtol=1e-5)
    pushed = {"z_low": "clamped", "z_high": {"traction": [0.0, 1e6, 0.0]}}
    sheared = mesh_swelling(slab, solids, {}, faces=pushed, order=order, debonding={("a", "b"): k})
    across = sheared.interfaces["a", "b"]
    force = across.areas @ across.vectors
    np.testing.assert_allclose(force, [0, 1e6 * 64e-12, 0], atol=1e-6 * 64e-6)
    np.testing.assert_allclose(across.areas @ across.jumps[:, 1], 1e6 * 64e-12 / k[1], rtol=1e-5)


def manufactured(points, solid):
    """Return displacement, stress (its shear is 0 and it is in balance), and the eigenstrain."""
    pi, length = np.pi, 12 * UM
    z, y, x = (pi * points / length).T
    sin, cos = np.sin, np.cos
    u = (
        1e-2
        * UM
        * np.stack([sin(z) * cos(y) * cos(x), sin(y) * cos(z), sin(x) * cos(y) * cos(z)], axis=1)
    )
    a = 1e-2 * UM * pi / length
    zero = np.zeros_like(z)
    strain = a * np.stack(
        [
            cos(z) * cos(y) * cos(x), cos(y) * cos(z), cos(x) * cos(y) * cos(z),
            -sin(x) * sin(y) * cos(z),
            -sin(z) * cos(y) * sin(x) - sin(x) * cos(y) * sin(z),
            -sin(z) * sin(y) * cos(x) - sin(y) * sin(z),
        ],
        axis=1,
    )  # fmt: skip
    stress = 1e8 * np.stack([cos(y) * cos(x), cos(z), cos(y), zero, zero, zero], axis=1)
    return u, stress, strain - stress @ solid.compliance


@pytest.mark.parametrize(("order", "rates"), [(1, (2.0, 1.0)), (2, (3.0, 2.0))])
def test_order_of_convergence(order, rates):
    solid = cubic(160e9, 60e9, 80e9)
    labels = np.zeros((12, 12, 12))
    labels[6:] = 1
    errors = []
    for size in (3.0, 1.5):
        micro = mt.Microstructure(labels.astype(np.uint8), UM, {"a": 0, "b": 1})
        mesh = tetrahedralize(micro, size, coarsest=size)
        own = dict.fromkeys("ab", lambda points: manufactured(points, solid)[2])
        found = mesh_swelling(mesh, dict.fromkeys("ab", solid), own, faces=WALLS, order=order)
        u = manufactured(mesh.points, solid)[0]
        stress = manufactured(mesh.points[mesh.cells].mean(axis=1), solid)[1]
        off = np.linalg.norm(found.stress - stress, axis=1)
        errors.append(
            (
                np.sqrt(((found.displacement - u) ** 2).mean() / (u**2).mean()),
                np.sqrt((mesh.volumes @ off**2) / mesh.volumes.sum()) / 1e8,
            )
        )
    observed = np.log2(np.array(errors[0]) / np.array(errors[1]))
    assert (observed > np.array(rates) - 0.35).all(), (observed, errors)


def coated(radii=(0.25, 0.4), edge=48, size=3.0):
    """A core in its shell in void, box of edge 1 um; the geometry is exact."""
    z = (np.arange(edge) + 0.5) / edge - 0.5
    r = np.sqrt(z[:, None, None] ** 2 + z[:, None] ** 2 + z**2)
    fields = {"core": radii[0] - r, "shell": np.minimum(r - radii[0], radii[1] - r)}
    return tetrahedralize(level_set_fields(fields, [UM] * 3, "void"), size)


@pytest.mark.parametrize(("order", "limit"), [(1, 0.05), (2, 0.008)])
def test_a_core_that_swells_in_its_shell(order, limit):
    """Lame's hollow sphere around a sphere under pressure."""
    mesh = coated()
    shell = isotropic(20e9, 0.3)
    found = mesh_swelling(mesh, {"core": STIFF, "shell": shell}, {"core": 0.01}, order=order)
    inner, outer = 0.25**3, 0.4**3
    soft = (inner / (3 * shell.bulk_modulus) + outer / (4 * shell.shear_modulus)) / (outer - inner)
    pressure = 0.01 / (1 / (3 * STIFF.bulk_modulus) + soft)
    mean = found.phase_stress["core"]
    np.testing.assert_allclose(mean[:3], -pressure, rtol=limit)
    across = found.interfaces["core", "shell"]
    assert across.percentiles("normal", [0.5])[0] == pytest.approx(-pressure, rel=0.03)
    share = inner / (outer - inner)
    assert found.phase_stress["shell"][:3].mean() == pytest.approx(pressure * share, rel=2 * limit)
    assert found.percentiles("shell", [1.0])[0] < 1.3 * 1.5 * pressure * outer / (outer - inner)
    assert found.floating == {0: 6}
    assert found.bodies[mesh.phase == mesh.number("void")].max() == -1


def test_voxels_and_mesh_agree():
    """Two particles and a ligament in a matrix; rollers are mirrors, as is what repeats itself.

    They are bricks: voxels have no staircase there.
    """
    names = {"matrix": 0, "active": 1, "binder": 2}
    solids = {"matrix": isotropic(2e9, 0.3), "active": isotropic(10e9, 0.25)}
    solids["binder"] = isotropic(4e9, 0.35)
    own = {"active": 0.01}

    def bricks(n):
        """Return level sets on n samples along each edge of a box of 32 um."""
        k, j, i = (np.indices((n, n, n)) + 0.5) * 32.0 / n - 16.0
        side = np.maximum(abs(j), abs(i))
        brick = np.minimum(5.0 - abs(abs(k) - 9.0), 5.0 - side)
        return brick, np.minimum(np.minimum(3.0 - side, 9.0 - abs(k)), -brick)

    brick, rod = bricks(32)
    labels = np.where(brick > 0, 1, np.where(rod > 0, 2, 0)).astype(np.uint8)
    micro = mt.Microstructure(labels, UM, names)
    voxels = solve_swelling(
        micro, solids, own, mean_strain=np.zeros(6), tol=1e-5, interface="voxel"
    )
    fields = level_set_fields(
        dict(zip(("active", "binder"), bricks(64), strict=True)), [32 * UM] * 3, "matrix"
    )
    found = mesh_swelling(tetrahedralize(fields, 2.0), solids, own, faces=WALLS)
    for name in names:
        ours, theirs = found.phase_stress[name][:3], voxels.phase_stress[name][:3]
        np.testing.assert_allclose(ours, theirs, atol=0.02 * np.abs(theirs).max(), err_msg=name)


@settings(max_examples=6, deadline=None)
@given(st.integers(0, 10_000))
def test_what_swells_evenly_is_free_of_stress(seed):
    """However the phases lie, also where pieces of a phase touch at an edge and nothing holds."""
    mesh = tetrahedralize(random_image(seed))
    solids = {name: STIFF if k % 2 else SOFT for k, name in enumerate(mesh.phases)}
    del solids[mesh.phases[0]]
    found = mesh_swelling(mesh, solids, dict.fromkeys(solids, 0.01))
    assert found.von_mises.max() < 1e-5 * 0.01 * 100e9
    assert set(found.floating.values()) <= {6}
    solid = np.isin(mesh.phase, [mesh.number(name) for name in solids])
    np.testing.assert_allclose(found.strain[solid][:, :3], 0.01, rtol=1e-4)


def test_floating_pieces_are_found():
    labels = np.zeros((20, 10, 10))
    labels[:6, 2:8, 2:8] = 1
    labels[12:17, 2:8, 2:8] = 1
    mesh = meshed(labels, ("void", "a"))
    found = mesh_swelling(mesh, {"a": STIFF}, {"a": 0.01}, faces={"z_low": "clamped"})
    assert list(found.floating.values()) == [6]
    (body,) = found.floating
    high = mesh.points[mesh.cells].mean(axis=1)[:, 0] > 9 * UM
    assert set(found.bodies[high & (found.bodies >= 0)]) == {body}
    assert np.abs(found.stress[found.bodies == body]).max() < 1e-4 * 1e9
    turned = {"z_high": "clamped", "z_low": {"pressure": 1e6}}
    with pytest.raises(ValueError, match="a traction acts on a body that nothing holds"):
        mesh_swelling(mesh, {"a": STIFF}, {}, faces=turned)


def test_what_touches_at_an_edge_is_not_joined(particle):
    """Two tetrahedra with an edge in common, and no facet, are two bodies."""
    edge = np.isin(particle.cells, particle.cells[len(particle.cells) // 2, :2]).sum(axis=1) == 2
    around = np.flatnonzero(edge)
    shared = [len(np.intersect1d(*particle.cells[[around[0], k]])) for k in around]
    phase = np.zeros(len(particle.cells), np.uint8)
    phase[[around[0], around[shared.index(2)]]] = 1
    mesh = replace(particle, phase=phase, phases=("void", "a"))
    found = mesh_swelling(mesh, {"a": STIFF}, {"a": 0.01})
    assert found.floating == {0: 6, 1: 6}
    assert np.abs(found.stress).max() < 1e-4 * 1e9


def test_an_interface_that_slides(slab):
    """Without shear stiffness a flat interface leaves three relative motions, and no shear."""
    sliding = {("a", "b"): (1e16, 0.0)}
    found = mesh_swelling(slab, {"a": STIFF, "b": SOFT}, {"a": 0.01}, debonding=sliding)
    assert found.floating == {0: 9}
    assert found.interfaces["a", "b"].shear.max() < 1.0
    np.testing.assert_allclose(found.phase_stress["b"], 0.0, atol=1e-6 * 1e9)
    nothing = {("a", "b"): (0.0, 0.0)}
    apart = mesh_swelling(slab, {"a": STIFF, "b": SOFT}, {"a": 0.01}, debonding=nothing)
    assert apart.floating == {0: 6, 1: 6}


def test_fields_and_functions_of_eigenstrain(slab):
    solids = {"a": STIFF, "b": SOFT}
    even = mesh_swelling(slab, solids, {"a": 0.01}, faces=WALLS)
    count = len(slab.cells)
    for own in (np.full(count, 0.01), np.tile([0.01] * 3 + [0] * 3, (count, 1)),
                lambda points: np.full(len(points), 0.01)):  # fmt: skip
        found = mesh_swelling(slab, solids, {"a": own}, faces=WALLS)
        np.testing.assert_allclose(found.stress, even.stress, atol=1e-6 * 1e9)


@pytest.mark.parametrize(
    ("arguments", "more", "words"),
    [
        (({}, {}), {}, "nothing is solid"),
        (({"zinc": STIFF}, {}), {}, "phase 'zinc' is not in"),
        (({"a": 1e9}, {}), {}, "give a Solid"),
        (({"a": STIFF}, {"b": 0.01}), {}, "swells but has no material"),
        (({"a": STIFF}, {"zinc": 0.01}), {}, "phase 'zinc' is not in"),
        (({"a": STIFF}, {"a": [0.01, 0.01]}), {}, "a function of points"),
        (({"a": STIFF}, {"a": np.nan}), {}, "the eigenstrain of 'a' is not allowed"),
        (({"a": STIFF}, {"a": lambda points: "x"}), {}, "the eigenstrain of 'a' is not allowed"),
        (({"a": STIFF}, 0.01), {}, "give it by phase"),
        (({"a": STIFF}, {}), {"faces": {"top": "free"}}, "there is no face 'top'"),
        (({"a": STIFF}, {}), {"faces": {"z_low": "glued"}}, "face z_low cannot be 'glued'"),
        (({"a": STIFF}, {}), {"faces": {"z_low": {"pressure": "x"}}}, "face z_low cannot be"),
        (({"a": STIFF}, {}), {"faces": {"z_low": {"traction": [1]}}}, "face z_low cannot be"),
        (({"a": STIFF}, {}), {"faces": "roller"}, "give them by name"),
        (({"a": STIFF}, {}), {"faces": {"z_low": {"pressure": 1e6}}}, "nothing holds"),
        (({"a": STIFF}, {}), {"order": 3}, "order 1 or 2"),
        (({"a": STIFF}, {}), {"tol": 0.0}, "tol 0.0 is not allowed"),
        (({"a": STIFF}, {}), {"debonding": {("a", "b"): (1, 1)}}, "debonds but has no material"),
        (({"a": STIFF}, {}), {"debonding": {"a": (1, 1)}}, "no pair of phases"),
        (({"a": STIFF, "b": SOFT}, {}), {"debonding": {("a", "b"): (1, -1)}}, "0 or more in Pa/m"),
        (
            ({"a": STIFF, "b": SOFT}, {}),
            {"debonding": {("a", "b"): (1, 1), ("b", "a"): (1, 1)}},
            "given twice",
        ),
    ],
)
def test_what_does_not_fit_is_refused(slab, arguments, more, words):
    with pytest.raises(ValueError, match=words):
        mesh_swelling(slab, *arguments, **more)


def test_percentiles_that_do_not_fit_are_refused(slab):
    found = mesh_swelling(slab, {"a": STIFF, "b": SOFT}, {"a": 0.01})
    with pytest.raises(ValueError, match="'normal' or 'shear'"):
        found.interfaces["a", "b"].percentiles("sideways")
    with pytest.raises(ValueError, match="shares from 0 to 1"):
        found.percentiles("a", [95])


@pytest.mark.parametrize("library", ["ngsolve", "pyamg"])
def test_missing_libraries_are_named(slab, library, monkeypatch):
    monkeypatch.setitem(sys.modules, library, None)
    with pytest.raises(ImportError, match=r"microtwin\[mesh\]"):
        mesh_swelling(slab, {"a": STIFF}, {"a": 0.01}, faces=WALLS)


@pytest.mark.parametrize("row", run_cases(CASES), ids=lambda row: f"{row.case}: {row.quantity}")
def test_known_answers(row):
    assert row.verdict == "pass", row

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import solve_bvp

import microtwin as mt
from meshing.shapes import ball
from microtwin.mechanics import cubic, isotropic, large_swelling, mesh_swelling
from microtwin.mechanics.finite_laws import LAWS, elastic_response
from microtwin.meshing import BOX_FACES, level_set_fields, tetrahedralize

pytest.importorskip("ngsolve")
pytest.importorskip("pyamg")

UM = 1e-6
SOLID = isotropic(80e9, 0.25)
LAW = pytest.mark.parametrize("law", LAWS)


@pytest.fixture(scope="module")
def particle():
    return tetrahedralize(ball(5, margin=3))


def constants(solid):
    return solid.stiffness[0, 1], solid.stiffness[5, 5]


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10_000), st.sampled_from(sorted(LAWS)))
def test_stress_and_stiffness_are_derivatives(seed, law):
    rng = np.random.default_rng(seed)
    f = np.eye(3) + rng.uniform(-0.2, 0.2, (4, 3, 3))
    f[0], f[1] = 1.2 * np.eye(3), np.diag([1.2, 1.2, 0.9])
    swelling = np.eye(3) + rng.uniform(-0.1, 0.1, (4, 3, 3))
    swelling[:2] = np.eye(3)
    lame, shear = rng.uniform(1.0, 2.0, (2, 4))
    _, stress, moduli = elastic_response(law, f, swelling, lame, shear)
    step = 1e-6
    for i, j in np.ndindex(3, 3):
        change = np.zeros((3, 3))
        change[i, j] = step
        more = elastic_response(law, f + change, swelling, lame, shear)
        less = elastic_response(law, f - change, swelling, lame, shear)
        np.testing.assert_allclose((more[0] - less[0]) / (2 * step), stress[:, i, j], atol=1e-6)
        np.testing.assert_allclose((more[1] - less[1]) / (2 * step), moduli[..., i, j], atol=1e-5)


@LAW
def test_a_free_ball_swells_without_stress(particle, law):
    own = {"active": 4.0 ** (1 / 3) - 1.0}
    found = large_swelling(particle, {"active": SOLID}, own, law=law, steps=2)
    assert found.share == 1.0 and not found.stopped and found.floating == {0: 6}
    assert found.volume_ratio("active") == pytest.approx(4.0, rel=1e-7)
    assert np.abs(found.stress).max() < 1e-6 * 80e9
    solid = particle.phase == particle.number("active")
    expected = 4.0 ** (1 / 3) * np.eye(3)
    np.testing.assert_allclose(
        found.deformation[solid], np.broadcast_to(expected, (solid.sum(), 3, 3)), atol=1e-6
    )


@LAW
@pytest.mark.parametrize("order", [1, 2])
def test_a_little_swelling_is_linear(particle, law, order):
    solids = {"active": SOLID, "pore": isotropic(1e9, 0.35)}
    faces = {"z_low": "clamped", "z_high": {"pressure": 1e3}}
    own, small = np.array([0.01, 0.02, 0.0, 0.004, 0.0, -0.01]), 1e-5
    linear = mesh_swelling(particle, solids, {"active": small * own}, faces=faces, order=order)
    found = large_swelling(
        particle, solids, {"active": small * own}, law=law, faces=faces, order=order, steps=1
    )
    size = np.abs(linear.stress).max()
    np.testing.assert_allclose(found.stress, linear.stress, atol=1e-5 * size)
    assert found.energy == pytest.approx(linear.energy, rel=1e-5)


def uniaxial(law, solid, stretch, own):
    """Return the stress P_zz of a bar that is held at its sides, with swelling in all directions.

    Sides: F_e = 1 / (1 + own); along: stretch / (1 + own).
    """
    lame, shear = constants(solid)
    along, across = stretch / (1 + own), 1 / (1 + own)
    log = np.log(along * across**2)
    if law == "hencky":
        kirchhoff = 2 * shear * np.log(along) + lame * log
    else:
        kirchhoff = shear * (along**2 - 1) + lame * log
    return (1 + own) ** 3 * kirchhoff / stretch


@LAW
def test_a_held_bar(particle, law):
    """Exact: with the logarithmic strain of its stretch."""
    faces = dict.fromkeys(BOX_FACES, "roller")
    length = particle.extent[0]
    for stretch, own in ((1.5, 0.0), (1.6, 0.3), (1.0, 0.2)):
        faces |= {"z_high": {"displacement": (stretch - 1) * length}}
        solids = dict.fromkeys(("pore", "active"), SOLID)
        found = large_swelling(
            particle, solids, dict.fromkeys(solids, own), law=law, faces=faces, steps=2, tol=1e-10
        )
        expected = uniaxial(law, SOLID, stretch, own)
        area = length**2
        assert found.reactions["z_high"][0] / area == pytest.approx(expected, rel=1e-7)
        np.testing.assert_allclose(found.stress[:, 0], expected, rtol=1e-6)
        np.testing.assert_allclose(found.deformation[:, 0, 0], stretch, rtol=1e-8)


def test_hencky_pulls_a_free_bar_by_young_times_the_logarithm(particle):
    faces = {"z_low": "roller", "z_high": {"displacement": 0.4 * particle.extent[0]}}
    faces |= {"y_low": "roller", "x_low": "roller"}
    solids = dict.fromkeys(("pore", "active"), SOLID)
    found = large_swelling(particle, solids, {}, law="hencky", faces=faces, steps=2, tol=1e-10)
    # Kirchhoff's stress is E ln(stretch), and J = stretch^(1 - 2 nu).
    expected = 80e9 * np.log(1.4) / 1.4**0.5
    np.testing.assert_allclose(found.stress[:, 0], expected, rtol=1e-6)
    assert np.abs(found.stress[:, 1:]).max() < 1e-6 * expected


def radial(law, core, shell, own, radii):
    """Return the stress in the core in Pa, and the stretch of the outer radius.

    Principal stretches r' and r / R (twice); balance d(P_r R^2) / dR = 2 R P_t. In the core all
    stretches are alike.
    """

    def stress(solid, a, b, growth):
        lame, shear = (c / 1e9 for c in constants(solid))
        a, b = a / growth, b / growth
        log = np.log(a * b * b)
        if law == "hencky":
            first = [(2 * shear * np.log(s) + lame * log) / s for s in (a, b)]
        else:
            first = [shear * (s - 1 / s) + lame * log / s for s in (a, b)]
        return [growth**2 * p for p in first]

    inner, outer = radii

    def stretch_for(p, b):
        """Return r' for a given P_r in the shell, by Newton's method."""
        a = np.ones_like(b)
        for _ in range(60):
            h = 1e-6
            slope = (stress(shell, a + h, b, 1)[0] - stress(shell, a - h, b, 1)[0]) / (2 * h)
            a = np.maximum(a - (stress(shell, a, b, 1)[0] - p) / slope, 0.3 * a)
        return a

    def slopes(big, y):
        r, p = y
        a = stretch_for(p, r / big)
        tangential = stress(shell, a, r / big, 1)[1]
        return np.vstack([a, 2 * (tangential - p) / big])

    def ends(low, high):
        s = low[0] / inner
        return np.array([low[1] - stress(core, s, s, 1 + own)[0], high[1]])

    big = np.linspace(inner, outer, 60)
    solution = solve_bvp(
        slopes, ends, big, np.vstack([big * (1 + 0.5 * own), np.zeros_like(big)]), tol=1e-8
    )
    assert solution.success
    s = solution.y[0, 0] / inner
    return 1e9 * stress(core, s, s, 1 + own)[0] / s**2, solution.y[0, -1] / outer


@LAW
@pytest.mark.parametrize("order", [1, pytest.param(2, marks=pytest.mark.slow)])
def test_a_core_in_its_shell(law, order):
    """Against the ordinary differential equation along the radius."""
    edge, radii = 48, (0.25, 0.4)
    z = (np.arange(edge) + 0.5) / edge - 0.5
    r = np.sqrt(z[:, None, None] ** 2 + z[:, None] ** 2 + z**2)
    levels = {"core": radii[0] - r, "shell": np.minimum(r - radii[0], radii[1] - r)}
    mesh = tetrahedralize(level_set_fields(levels, [UM] * 3, "void"), 4.0)
    shell, own = isotropic(10e9, 0.3), 1.8 ** (1 / 3) - 1
    found = large_swelling(mesh, {"core": SOLID, "shell": shell}, {"core": own}, law=law,
                           order=order, steps=2)  # fmt: skip
    mean, stretch = radial(law, SOLID, shell, own, radii)
    limit = {1: 0.08, 2: 0.015}[order]
    np.testing.assert_allclose(found.phase_stress["core"][:3], mean, rtol=limit)
    solid = mesh.phase != mesh.number("void")
    ratio = found.volumes[solid].sum() / mesh.volumes[solid].sum()
    assert ratio == pytest.approx(stretch**3, rel=0.005)


def test_it_stops_in_words():
    """A body that is pushed flat has no equilibrium; the last one is kept."""
    labels = np.zeros((8, 8, 8), np.uint8)
    labels[:4] = 1
    particle = tetrahedralize(mt.Microstructure(labels, UM, {"pore": 0, "active": 1}), 4.0)
    faces = {"z_low": "clamped", "z_high": {"displacement": -1.02 * particle.extent[0]}}
    solids = dict.fromkeys(("pore", "active"), SOLID)
    with pytest.warns(RuntimeWarning, match="stopped at"):
        found = large_swelling(particle, solids, {}, faces=faces, steps=2)
    assert 0.2 < found.share < 1.0
    assert found.steps[-1] == found.share
    assert np.isfinite(found.stress).all()
    words = ("would be inverted", "did not converge", "not positive")
    assert any(word in found.stopped for word in words)


@pytest.mark.parametrize(
    ("arguments", "more", "words"),
    [
        (({"active": SOLID}, {"active": -1.0}), {}, "leaves no volume"),
        (({"active": cubic(160e9, 60e9, 80e9)}, {}), {}, "is not isotropic"),
        (({"active": SOLID}, {}), {"law": "hooke"}, "law 'hooke' is not known"),
        (({"active": SOLID}, {}), {"steps": 0}, "steps 0 is not allowed"),
        (({"active": SOLID}, {"zinc": 1.0}), {}, "phase 'zinc' is not in"),
        (
            ({"active": SOLID, "pore": SOLID}, {}),
            {"faces": {"z_low": {"pressure": 1e6}}},
            "nothing holds",
        ),
    ],
)
def test_what_does_not_fit_is_refused(particle, arguments, more, words):
    with pytest.raises(ValueError, match=words):
        large_swelling(particle, *arguments, **more)


def test_it_is_at_the_top():
    assert mt.mechanics.large_swelling is large_swelling

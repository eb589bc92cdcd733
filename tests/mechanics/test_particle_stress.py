from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from microtwin.mechanics import (
    ElasticParticle,
    Host,
    coupled_quasi_steady_concentration,
    isotropic,
    particle_stress,
    potentiostatic_concentration,
    potentiostatic_stress,
    quasi_steady_stress,
    stress_coupling,
    stress_potential_shift,
)

RADIUS, YOUNG, POISSON, VOLUME = 5e-6, 100e9, 0.25, 1e-6
BALL = ElasticParticle(RADIUS, YOUNG, POISSON, VOLUME)
SHAPES = ("sphere", "cylinder", "plate")
VOLUMES = {
    "sphere": 4 / 3 * np.pi * RADIUS**3,
    "cylinder": np.pi * RADIUS**2,
    "plate": 2 * RADIUS,
}
SURFACES = {"sphere": 4 * np.pi * RADIUS**2, "cylinder": 2 * np.pi * RADIUS, "plate": 2.0}


def shaped(shape, **more):
    return ElasticParticle(RADIUS, YOUNG, POISSON, VOLUME, shape, **more)


def bumpy(radii):
    return 1e4 * (1.0 + np.sin(5.0 * radii / RADIUS) ** 2)


def strains(particle, stress, concentration):
    """Return radial, tangential and axial strain by Hooke's law."""
    r, t, z = stress.radial, stress.tangential, stress.axial
    own = VOLUME / 3 * (concentration - particle.reference_concentration)
    nu = POISSON
    return ((a - nu * (b + c)) / YOUNG + own for a, b, c in ((r, t, z), (t, r, z), (z, r, t)))


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("ends", ["free", "held"])
def test_stress_obeys_the_equations_of_elasticity(shape, ends):
    """Balance of forces, strains of one displacement, and what is free or held."""
    particle = shaped(shape, ends=ends, traction=30e6, reference_concentration=5e3)
    r = np.linspace(0.0, RADIUS, 4001)
    c = bumpy(r)
    found = particle_stress(particle, r, c)
    radial, tangential, axial = strains(particle, found, c)
    size = np.abs(found.tangential).max()
    # Differences of second order on 4000 intervals leave 1e-5 or less.
    inner = slice(2, -2)
    hoop = found.radial - found.tangential if shape != "plate" else 0.0
    forces = np.gradient(found.radial, r) * r + (particle.dimension - 1) * hoop
    assert np.abs(forces[inner]).max() < 1e-4 * size
    slope = np.gradient(found.displacement, r)
    assert np.abs(slope - radial)[inner].max() < 1e-4 * np.abs(radial).max()
    if shape != "plate":
        np.testing.assert_allclose(found.displacement, tangential * r, atol=1e-9 * RADIUS)
    assert found.radial[-1] == pytest.approx(30e6, abs=1e-9 * size)
    assert found.displacement[0] == 0.0
    if shape == "sphere":
        return
    # The axis of a cylinder, or the plane of a plate, stays straight.
    assert np.ptp(axial) < 1e-12
    if ends == "held":
        assert abs(axial[0]) < 1e-12
    else:
        weight = r ** (particle.dimension - 1)
        force = np.trapezoid(found.axial * weight, r) / np.trapezoid(weight, r)
        assert abs(force) < 1e-5 * size


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("ends", ["free", "held"])
def test_energy_is_that_of_its_density(shape, ends):
    particle = shaped(shape, ends=ends, traction=-40e6, reference_concentration=9e3)
    r = np.linspace(0.0, RADIUS, 2001)
    found = particle_stress(particle, r, bumpy(r))
    weight = r ** (particle.dimension - 1)
    mean = np.trapezoid(found.energy_density * weight, r) / np.trapezoid(weight, r)
    # 1e-5: the trapezoidal rule on 2000 intervals.
    assert float(found.energy) == pytest.approx(mean * VOLUMES[shape], rel=1e-5)


@pytest.mark.parametrize("shape", SHAPES)
def test_size_of_a_particle(shape):
    particle = shaped(shape)
    assert particle.volume == pytest.approx(VOLUMES[shape])
    assert particle.surface == pytest.approx(SURFACES[shape])


@pytest.mark.parametrize("shape", SHAPES)
def test_means_of_straight_lines_are_exact(shape):
    """c = a + b r on three radii is the same as on many."""
    particle = shaped(shape)
    few, many = np.array([0.0, 0.3, 1.0]) * RADIUS, np.linspace(0.0, RADIUS, 301)
    coarse = particle_stress(particle, few, 1e4 + 1e9 * few)
    fine = particle_stress(particle, many, 1e4 + 1e9 * many)
    for name in ("radial", "tangential", "axial", "displacement"):
        here, there = getattr(coarse, name), getattr(fine, name)
        np.testing.assert_allclose(here[[0, 1, 2]], there[[0, 90, 300]], atol=1e-12 * YOUNG)
    assert coarse.energy == pytest.approx(float(fine.energy), rel=1e-12)


@pytest.mark.parametrize("shape", SHAPES)
def test_what_swells_evenly_is_free_of_stress(shape):
    found = particle_stress(shaped(shape), [0.0, RADIUS], [2e4, 2e4])
    assert np.abs(found.von_mises).max() < 1e-6
    # Of 1 m^2 of the plate: rounding of some 1e10 Pa leaves next to nothing.
    assert float(found.energy) == pytest.approx(0.0, abs=1e-25)
    assert found.displacement[-1] == pytest.approx(RADIUS * VOLUME * 2e4 / 3)


def test_pressure_on_a_ball_is_that_of_its_bulk_modulus():
    ball = shaped("sphere", traction=-100e6)
    found = particle_stress(ball, [0.0, RADIUS], [0.0, 0.0])
    bulk = isotropic(YOUNG, POISSON).bulk_modulus
    np.testing.assert_allclose(found.hydrostatic, -100e6)
    assert found.displacement[-1] == pytest.approx(-RADIUS * 100e6 / (3 * bulk))
    assert float(found.energy) == pytest.approx(VOLUMES["sphere"] * 100e6**2 / (2 * bulk))


def test_plate_that_is_held_bears_all_of_its_swelling():
    found = particle_stress(shaped("plate", ends="held"), [0.0, RADIUS], [3e3, 3e3])
    np.testing.assert_allclose(found.axial, -YOUNG * VOLUME * 3e3 / (3 * (1 - POISSON)))


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_constant_flux_has_the_stress_of_cheng_and_verbrugge(sign):
    """Insertion pulls the centre and presses the surface, extraction the reverse."""
    rise = sign * 3000.0
    known = 2 * YOUNG * VOLUME * rise / (15 * (1 - POISSON))
    closed = quasi_steady_stress(BALL, [0.0, 0.5 * RADIUS, RADIUS], rise, mean=1e4)
    assert closed.radial[0] == pytest.approx(known)
    assert closed.tangential[-1] == pytest.approx(-known)
    assert closed.hydrostatic[0] == pytest.approx(known)
    assert closed.von_mises[-1] == pytest.approx(abs(known))
    assert closed.peak_tension == pytest.approx(abs(known))


@pytest.mark.parametrize("shape", SHAPES)
def test_closed_form_of_a_parabola_is_that_of_its_profile(shape):
    particle = shaped(shape)
    r = np.linspace(0.0, RADIUS, 2001)
    d = particle.dimension
    c = 1e4 + 3000.0 * ((r / RADIUS) ** 2 - d / (d + 2))
    found, closed = particle_stress(particle, r, c), quasi_steady_stress(particle, r, 3000.0, 1e4)
    for name in ("radial", "tangential", "axial", "displacement"):
        here, there = getattr(found, name), getattr(closed, name)
        # 1e-6: a parabola as 2000 straight lines.
        np.testing.assert_allclose(here, there, atol=1e-6 * np.abs(there).max())
    assert float(found.energy) == pytest.approx(float(closed.energy), rel=1e-6)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("tau", [2e-5, 1e-3, 0.0574, 0.4])
def test_series_solves_the_equation_of_diffusion(shape, tau):
    particle = shaped(shape)
    r = np.linspace(0.0, RADIUS, 1001)
    unit, eps = RADIUS**2 / 1e-14, 1e-4
    before, now, after = potentiostatic_concentration(
        particle, r, np.array([1 - eps, 1.0, 1 + eps]) * tau * unit, 1e-14, 1e3, 9e3
    )
    assert now[-1] == 9e3
    assert now.min() >= 1e3 - 1e-6
    weight = r ** (particle.dimension - 1)
    middle = 0.5 * (r[1:] + r[:-1])
    flux = 1e-14 * np.diff(now) / np.diff(r) * middle ** (particle.dimension - 1)
    spread = np.diff(flux) / (r[1] * weight[1:-1])
    rise = (after - before)[1:-1] / (2 * eps * tau * unit)
    # Front layers of sqrt(tau) = 0.0045 of the radius are four intervals wide.
    away = r[1:-1] > 0.02 * RADIUS
    accuracy = 2e-2 if tau < 1e-4 else 2e-3
    np.testing.assert_allclose(spread[away], rise[away], atol=accuracy * np.abs(rise).max())
    # The means within are those of the profile.
    found = potentiostatic_stress(particle, r, [tau * unit], 1e-14, 1e3, 9e3)
    lines = particle_stress(particle, r, now)
    scale = np.abs(lines.tangential).max()
    np.testing.assert_allclose(found.radial[0], lines.radial, atol=1e-4 * scale)


def test_start_of_the_series():
    c = potentiostatic_concentration(BALL, [0.0, 0.5 * RADIUS, RADIUS], [0.0], 1e-14, 1e3, 9e3)
    np.testing.assert_array_equal(c, [[1e3, 1e3, 9e3]])
    surface = potentiostatic_stress(BALL, [0.0, RADIUS], 0.0, 1e-14, 0.0, 9e3).tangential[0, -1]
    assert surface == pytest.approx(-YOUNG * VOLUME * 9e3 / (3 * (1 - POISSON)))


def test_step_of_concentration_pulls_the_centre_as_in_cheng_and_verbrugge():
    tau = np.linspace(0.05, 0.065, 151)
    found = potentiostatic_stress(BALL, [0.0, RADIUS], tau * RADIUS**2 / 1e-14, 1e-14, 0.0, 1e4)
    centre = found.radial[:, 0] / (YOUNG * VOLUME * 1e4 / (1 - POISSON))
    assert centre.max() == pytest.approx(0.1285, abs=5e-5)
    assert tau[centre.argmax()] == pytest.approx(0.0574, abs=1e-4)


@pytest.mark.parametrize("flux", [2e-5, -2e-5])
def test_coupled_profile_solves_its_equation(flux):
    theta = 2e-5
    r = np.linspace(0.0, RADIUS, 501)
    c = coupled_quasi_steady_concentration(BALL, r, 2e4, flux, 1e-14, theta)
    inward = 1e-14 * (1 + theta * c) * np.gradient(c, r)
    np.testing.assert_allclose(inward[1:-1], (flux * r / RADIUS)[1:-1], atol=1e-4 * abs(flux))
    # Without coupling it is the parabola with dc = j R / (2 D).
    alone = coupled_quasi_steady_concentration(BALL, r, 2e4, flux, 1e-14, 0.0)
    assert alone[-1] - alone[0] == pytest.approx(flux * RADIUS / 2e-14)


@given(st.floats(1e8, 1e12), st.floats(-0.5, 0.49), st.floats(-1e-5, 1e-5), st.floats(250.0, 400.0))
def test_coupling_follows_from_the_gradient_of_stress(young, poisson, volume, temperature):
    """The flux of R T ln c - Omega sigma_h, with the stress of two profiles."""
    ball = ElasticParticle(RADIUS, young, poisson, volume)
    steep = quasi_steady_stress(ball, [0.0, RADIUS], 1.0).hydrostatic
    per_concentration = steep[1] - steep[0]
    theta = -volume * per_concentration / (8.31446261815324 * temperature)
    assert stress_coupling(ball, temperature) == pytest.approx(theta, rel=1e-9, abs=1e-20)
    assert theta >= 0.0


def test_pull_raises_the_potential():
    shift = stress_potential_shift([96485.33212331 / 1e-6, -1e8, 0.0], 1e-6)
    np.testing.assert_allclose(shift, [1.0, -1e2 / 96485.33212331, 0.0])


def test_chemical_potentials():
    c = np.array([1e3, 1e4, 3e4])
    hosts = (
        Host(1e-14),
        Host(1e-14, 4e4),
        Host(1e-14, 4e4, lambda x: 4.0 - 0.7 * x - 0.1 * x**2),
    )
    for host in hosts:
        slope = (host.chemical_potential(c + 1.0) - host.chemical_potential(c - 1.0)) / 2.0
        factor = c * slope / (8.31446261815324 * host.temperature)
        np.testing.assert_allclose(host.thermodynamic_factor(c), factor, rtol=1e-5)
        # The flux is D c / (R T) times the gradient of the potential with stress.
        same = Host(
            1e-14, host.maximum_concentration, host.open_circuit_potential, kind="self"
        ).effective_diffusivity(c, 0.05)
        stress = 0.05 * c / (8.31446261815324 * host.temperature)
        np.testing.assert_allclose(same, 1e-14 * (factor + stress), rtol=1e-5)
        found = host.effective_diffusivity(c, 0.05)
        np.testing.assert_allclose(found, 1e-14 * (1.0 + stress / factor), rtol=1e-5)
    assert hosts[1].chemical_potential(2e4) == pytest.approx(0.0, abs=1e-9)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: ElasticParticle(0.0, YOUNG, POISSON, VOLUME), "radius 0.0 is not allowed"),
        (lambda: ElasticParticle(RADIUS, -1.0, POISSON, VOLUME), "young -1.0 is not allowed"),
        (lambda: ElasticParticle(RADIUS, YOUNG, 0.5, VOLUME), "above -1 and below 0.5"),
        (lambda: ElasticParticle(RADIUS, YOUNG, POISSON, np.inf), "finite number, in m"),
        (lambda: shaped("cube"), "shape 'cube' is not known"),
        (lambda: shaped("plate", ends="glued"), "ends 'glued' are not known"),
        (lambda: shaped("plate", traction=np.nan), "traction nan"),
        (lambda: shaped("plate", reference_concentration=-1.0), "reference_concentration -1.0"),
        (lambda: particle_stress(BALL, [0.0, 1e-6], [1.0, 1.0]), "ascend from 0 to the radius"),
        (lambda: particle_stress(BALL, [0.0, RADIUS], [1.0]), "one for each of the 2 radii"),
        (lambda: particle_stress(BALL, [0.0, RADIUS], [1.0, -1.0]), "none negative"),
        (lambda: quasi_steady_stress(BALL, [0.0, RADIUS], np.nan), "finite numbers"),
        (
            lambda: coupled_quasi_steady_concentration(BALL, [0.0, RADIUS], 10.0, -1.0, 1e-14, 0.0),
            "more lithium from the surface than is there",
        ),
        (
            lambda: coupled_quasi_steady_concentration(BALL, [0.0, RADIUS], -1.0, 1.0, 1e-14, 0.0),
            "the first not negative",
        ),
        (
            lambda: potentiostatic_concentration(BALL, [0.0, RADIUS], [1e-9], 1e-14, 0.0, 1.0),
            "before which the series has too many terms",
        ),
        (
            lambda: potentiostatic_concentration(BALL, [0.0, RADIUS], [1e3], 0.0, 0.0, 1.0),
            "diffusivity 0.0 is not allowed",
        ),
        (
            lambda: potentiostatic_concentration(BALL, [0.0, RADIUS], [1e3], 1e-14, -1.0, 1.0),
            "initial -1.0 is not allowed",
        ),
        (lambda: stress_coupling(BALL, 0.0), "give K above 0"),
        (lambda: stress_potential_shift(np.inf, 1e-6), "not finite"),
        (lambda: Host(-1e-14), "diffusivity must be above 0"),
        (lambda: Host("fast"), "give a number or a function"),
        (lambda: Host(1e-14, 0.0), "maximum_concentration 0.0"),
        (lambda: Host(lambda x: 1e-14 + 0 * x), "need a maximum_concentration"),
        (lambda: Host(1e-14, kind="fast"), "kind 'fast' is not known"),
        (lambda: Host(1e-14, temperature=-3.0), "temperature -3.0"),
        (lambda: Host(1e-14).stoichiometry(1.0), "there is no stoichiometry"),
    ],
)
def test_what_does_not_fit_is_refused(make, words):
    with pytest.raises(ValueError, match=words):
        make()

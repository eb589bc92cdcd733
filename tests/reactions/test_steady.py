"""Steady states of several species, films, membranes and surfaces against exact solutions."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import microtwin as mt
from microtwin import reactions as rx

D = 2e-9
RADIUS = 1e-4
PHI = 3.0
RATE = PHI**2 * D / RADIUS**2
SLOPE = PHI / np.tanh(PHI) - 1.0  # of the concentration at the surface of a ball, times R / c


def spheroid(radius):
    edge = 2 * radius + 8
    place = np.indices((edge, edge, edge)) + 0.5 - 0.5 * edge + 0.13
    labels = (np.sqrt((place**2).sum(axis=0)) < radius).astype(np.uint8)
    return mt.Microstructure(labels, RADIUS / radius, {"water": 0, "tissue": 1})


def slab(voxels=40):
    return mt.Microstructure(np.ones((voxels, 3, 2), np.uint8), RADIUS / voxels, {"film": 1})


def sandwich(voxels=40):
    labels = np.ones((voxels, 3, 2), np.uint8)
    labels[voxels // 2 :] = 2
    return mt.Microstructure(labels, RADIUS / voxels, {"a": 1, "b": 2})


@pytest.mark.parametrize("biot", [0.5, 5.0, 50.0])
def test_a_film_around_a_sphere(biot):
    """Flux through the film and into the ball are equal: eta = 3 / phi^2 S Bi / (Bi + S)."""
    exact = 3.0 / PHI**2 * SLOPE * biot / (biot + SLOPE)
    film = rx.Exchange(biot * D / RADIUS, 1.0)
    law = {"tissue": rx.FirstOrder(RATE)}
    errors = [
        rx.solve_uptake(spheroid(n), {"tissue": D}, law, {"water": film}).effectiveness["tissue"]
        / exact
        - 1.0
        for n in (8, 16, 32)
    ]
    assert abs(errors[-1]) < 0.002
    assert np.log2(errors[0] / errors[-1]) / 2.0 > 1.5


def test_a_flux_comes_through_the_area_of_a_sphere():
    flux = 1e-6
    law = {"tissue": rx.FirstOrder(RATE)}
    found = rx.solve_uptake(spheroid(16), {"tissue": D}, law, {"water": rx.Flux(flux)})
    assert found.inflow["water"] == pytest.approx(
        4.0 * np.pi * RADIUS**2 * flux, rel=0.004, abs=0.0
    )
    assert found.uptake["tissue"] == pytest.approx(found.inflow["water"], rel=1e-9, abs=0.0)


@pytest.mark.parametrize("kind", ["film", "flux"])
def test_faces_of_the_box_have_films_and_fluxes(kind):
    """A slab with a film: eta = tanh(phi) / phi / (1 + phi tanh(phi) / Bi)."""
    law = {"film": rx.FirstOrder(RATE)}
    t = np.tanh(PHI)
    supply = rx.Exchange(2.0 * D / RADIUS, 1.0) if kind == "film" else rx.Flux(1e-5)
    found = rx.solve_uptake(slab(80), {"film": D}, law, {"z_low": supply})
    if kind == "film":
        assert found.effectiveness["film"] == pytest.approx(
            t / PHI / (1.0 + PHI * t / 2.0), rel=1e-3
        )
    else:
        area = 6.0 * (RADIUS / 80) ** 2
        assert found.inflow["z_low"] == pytest.approx(1e-5 * area, rel=1e-6, abs=0.0)
        surface = 1e-5 * RADIUS / (D * PHI * t)
        assert found.concentration[0].mean() == pytest.approx(
            surface * np.cosh(PHI * (1 - 0.5 / 80)) / np.cosh(PHI), rel=2e-3
        )


@pytest.mark.parametrize("ratio", [0.05, 5.0])
def test_a_sphere_in_a_shell_of_another_diffusivity(ratio):
    """Shell and ball in series: Q = 4 pi g h / (g + h), g = D2 / (1/R - 1/R2), h = R D S."""
    errors = []
    for n in (6, 24):
        edge = int(3.2 * n) + 8
        place = np.indices((edge, edge, edge)) + 0.5 - 0.5 * edge + 0.13
        distance = np.sqrt((place**2).sum(axis=0))
        labels = np.where(distance < n, 1, np.where(distance < 1.6 * n, 2, 0)).astype(np.uint8)
        micro = mt.Microstructure(labels, RADIUS / n, {"far": 0, "tissue": 1, "gel": 2})
        diffusivity = {"tissue": D, "gel": ratio * D}
        found = rx.solve_uptake(micro, diffusivity, {"tissue": rx.FirstOrder(RATE)}, {"far": 1.0})
        shell = ratio * D / (1.0 / RADIUS - 1.0 / (1.6 * RADIUS))
        ball = RADIUS * D * SLOPE
        exact = 4.0 * np.pi * shell * ball / (shell + ball)
        errors.append(found.uptake["tissue"] / exact - 1.0)
    assert abs(errors[1]) < 0.004
    assert abs(errors[1]) < 0.25 * abs(errors[0])


def test_partition_and_membrane_in_series():
    """Resistances L / (D K) and 1 / P add up; the concentration jumps by K and at the membrane."""
    solute = rx.Species(
        {"a": 1e-9, "b": 2e-9}, {"z_low": 1.0, "z_high": 0.0}, {"b": 0.5}, {("a", "b"): 1e-5}
    )
    found = rx.steady_state(sandwich(), {"x": solute}, [], tol=1e-9).species["x"]
    half = 0.5 * RADIUS
    resistance = half / 1e-9 + half / (2e-9 * 0.5) + 1e5
    area = 6.0 * (RADIUS / 40) ** 2
    assert found.inflow["z_low"] == pytest.approx(area / resistance, rel=1e-4, abs=0.0)
    assert found.inflow["z_high"] == pytest.approx(-found.inflow["z_low"], rel=1e-12, abs=0.0)
    c = found.concentration[:, 0, 0]
    flux = 1.0 / resistance
    step = RADIUS / 80
    assert c[19] - c[20] / 0.5 == pytest.approx(flux * (step / 1e-9 + 1e5 + step / 1e-9), rel=1e-3)


def test_a_reaction_on_a_surface():
    """A ball whose solid surface reacts at order one, fed from a plane: what arrives reacts."""
    labels = np.zeros((40, 12, 12), np.uint8)
    labels[30:] = 1
    micro = mt.Microstructure(labels, 1e-6, {"pore": 0, "solid": 1})
    k = 1e-4
    found = rx.solve_uptake(
        micro, {"pore": D}, {("pore", "solid"): rx.FirstOrder(k)}, {"z_low": 1.0}
    )
    area = (12e-6) ** 2
    exact = area / (30e-6 / D + 1.0 / k)
    assert found.uptake["pore", "solid"] == pytest.approx(exact, rel=0.03, abs=0.0)
    assert found.effectiveness["pore", "solid"] == pytest.approx(exact / (k * area), rel=0.03)


def oxygen_and_glucose(uptake=0.3, glucose=0.5):
    species = {
        "oxygen": rx.Species({"film": D}, {"z_low": 0.2}),
        "glucose": rx.Species({"film": 0.3 * D}, {"z_low": glucose}),
    }
    respiration = rx.Reaction(
        "film",
        {"oxygen": rx.MichaelisMenten(uptake, 0.01), "glucose": rx.Saturation(0.05)},
        {"oxygen": -1.0, "glucose": -1.0 / 6.0},
    )
    return species, [respiration]


@pytest.mark.parametrize("glucose", [5.0, 0.05])
def test_what_is_conserved_between_two_species(glucose):
    """D_o c_o - 6 D_g c_g has no source, so with one supplied face it is the same everywhere."""
    species, reactions = oxygen_and_glucose(glucose=glucose)
    found = rx.steady_state(slab(), species, reactions, tol=1e-9)
    c_o, c_g = (found.species[name].concentration for name in species)
    conserved = D * c_o - 6.0 * 0.3 * D * c_g
    at_face = D * 0.2 - 6.0 * 0.3 * D * glucose
    assert np.ptp(conserved) < 1e-6 * abs(D * 0.2)
    assert conserved.mean() == pytest.approx(at_face, rel=1e-6, abs=0.0)
    assert min(c_o.min(), c_g.min()) >= 0.0
    for one in found.species.values():
        assert abs(one.balance) < 1e-12


def test_one_of_two_species_alone_is_the_same_as_before():
    """With plenty of glucose the rate is that of oxygen alone."""
    species, reactions = oxygen_and_glucose(glucose=1e4)
    both = rx.steady_state(slab(), species, reactions)
    alone = rx.solve_uptake(
        slab(), {"film": D}, {"film": rx.MichaelisMenten(0.3, 0.01)}, {"z_low": 0.2}
    )
    np.testing.assert_allclose(both.species["oxygen"].concentration, alone.concentration, atol=1e-5)


def test_what_one_reaction_makes_another_uses():
    """A to B to nothing, both of order one, in a slab: c_B by variation of constants."""
    k1, k2 = 4.0 * D / RADIUS**2, 9.0 * D / RADIUS**2
    species = {
        "a": rx.Species({"film": D}, {"z_low": 1.0}),
        "b": rx.Species({"film": D}, {"z_low": 0.0}),
    }
    reactions = [
        rx.Reaction("film", {"a": rx.FirstOrder(k1)}, {"a": -1.0, "b": 1.0}),
        rx.Reaction("film", {"b": rx.FirstOrder(k2)}, {"b": -1.0}),
    ]
    found = rx.steady_state(slab(80), species, reactions, tol=1e-9)
    x = 1.0 - (np.arange(80) + 0.5) / 80
    exact = 4.0 / (9.0 - 4.0) * (np.cosh(2 * x) / np.cosh(2.0) - np.cosh(3 * x) / np.cosh(3.0))
    np.testing.assert_allclose(found.species["b"].concentration[:, 0, 0], exact, atol=3e-4)
    b = found.species["b"]
    assert b.made["film"] == pytest.approx(-b.inflow["z_low"], rel=1e-9, abs=0.0)
    assert b.made["film"] > 0.0


def test_inhibition_slows_the_middle_down():
    """Where the inhibitor is, less is taken up, and more of the species is left."""
    held = {"oxygen": rx.Species({"film": D}, {"z_low": 0.2})}
    law = {"oxygen": rx.FirstOrder(RATE)}
    free = rx.steady_state(slab(), held, [rx.Reaction("film", law)])
    held["poison"] = rx.Species({"film": D}, {"z_low": 1.0, "z_high": 1.0})
    slowed = rx.steady_state(
        slab(), held, [rx.Reaction("film", law | {"poison": rx.Inhibition(0.5)}, {"oxygen": -1.0})]
    )
    third = rx.steady_state(
        slab(),
        {"oxygen": held["oxygen"]},
        [rx.Reaction("film", {"oxygen": rx.FirstOrder(RATE / 3)})],
    )
    np.testing.assert_allclose(
        slowed.species["oxygen"].concentration, third.species["oxygen"].concentration, atol=1e-5
    )
    assert (
        slowed.species["oxygen"].concentration.mean() > free.species["oxygen"].concentration.mean()
    )


@settings(max_examples=12, deadline=None)
@given(st.integers(0, 10_000), st.floats(1.0, 1e4), st.booleans())
def test_two_species_whatever_the_image(seed, uptake, periodic):
    labels = np.random.default_rng(seed).integers(0, 4, (7, 8, 6)).astype(np.uint8)
    labels[3, 4, 3:5] = 1, 2
    phases = {"wall": 0, "film": 1, "vessel": 2, "water": 3}
    micro = mt.Microstructure(labels, (1e-6, 1.3e-6, 0.8e-6), phases)
    supply = {"vessel": rx.Exchange(1e-3, 0.2)}
    species = {
        "oxygen": rx.Species({"film": D, "water": 2 * D}, supply),
        "glucose": rx.Species({"film": 0.3 * D, "water": D}, {"vessel": 0.1}, {"film": 0.6}),
    }
    _, (respiration,) = oxygen_and_glucose(uptake)
    found = rx.steady_state(micro, species, [respiration], periodic=periodic)
    used = [one.made["film"] for one in found.species.values()]
    assert used[0] == pytest.approx(6.0 * used[1], rel=1e-6, abs=0.0)
    for name, one in found.species.items():
        assert abs(one.balance) < 1e-8
        c = one.concentration[~np.isnan(one.concentration)]
        assert c.min() >= 0.0
        assert c.max() <= (0.2 if name == "oxygen" else 0.1) * (1.0 + 1e-6)


@pytest.mark.parametrize("shift", [0, 12])
def test_a_period_has_the_surface_that_it_has_anywhere(shift):
    # A slab and a ball, whole and cut by the seam of the period.
    ball = np.where(np.square(np.indices((24, 24, 24)) - 11.5).sum(axis=0) < 6.3**2, 2, 1)
    slab = np.ones((16, 8, 8), np.uint8)
    slab[5:9] = 2
    for labels, area in ((slab, 2 * 8**2), (ball, 4 * np.pi * 6.3**2)):
        moved = np.roll(labels, (shift, 0, shift), (0, 1, 2)).astype(np.uint8)
        micro = mt.Microstructure(moved, 1.0, {"medium": 1, "film": 2})
        surface = ("film", "medium")
        given = rx.steady_state(
            micro,
            {"x": rx.Species({"film": 1.0}, {"medium": rx.Flux(1.0)})},
            [rx.Reaction("film", {"x": rx.FirstOrder(1.0)})],
            periodic=True,
        ).species["x"]
        assert given.inflow["medium"] == pytest.approx(area, rel=0.02)
        taken = rx.steady_state(
            micro,
            {"x": rx.Species({"film": 1.0}, {"medium": 1.0})},
            [rx.Reaction(surface, {"x": rx.FirstOrder(1e-6)})],
            periodic=True,
        ).species["x"]
        assert -1e6 * taken.made[surface] == pytest.approx(area, rel=0.02)


def test_the_order_of_phases_does_not_matter():
    labels = np.random.default_rng(0).integers(1, 3, (10, 10, 10), np.uint8)
    micro = mt.Microstructure(labels, 1.0, {"p": 1, "q": 2})
    through = [
        rx.steady_state(micro, {"x": rx.Species(d, {"z_low": 1.0, "z_high": 0.0})}, [])
        .species["x"].inflow["z_low"]
        for d in ({"p": 1.0, "q": 0.01}, {"q": 0.01, "p": 1.0})
    ]  # fmt: skip
    assert through[0] == pytest.approx(through[1], rel=1e-9)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: rx.Species({}), "needs a phase in which it diffuses"),
        (lambda: rx.Species({"a": 1.0}, {}, {"a": 0.0}), "partition coefficient 0.0 of 'a'"),
        (lambda: rx.Species({"a": 1.0}, {}, {"b": 1.0}), "does not diffuse in 'b'"),
        (lambda: rx.Species({"a": 1.0}, {}, {}, {("a", "b"): 1.0}), "does not diffuse in 'b'"),
        (lambda: rx.Species({"a": 1.0}, {}, {}, {("a", "b"): -1.0}), "permeability -1.0"),
        (lambda: rx.Flux(-1.0), "flux -1.0 is not allowed"),
        (lambda: rx.Exchange(0.0, 1.0), "permeability 0.0 is not allowed"),
        (lambda: rx.Exchange(1.0, -1.0), "concentration -1.0 is not allowed"),
        (lambda: rx.Reaction("a", {"x": rx.Saturation(1.0)}), "has 0 rates"),
        (
            lambda: rx.Reaction("a", {"x": rx.FirstOrder(1.0), "y": rx.ZeroOrder(1.0)}),
            "has 2 rates",
        ),
        (lambda: rx.Reaction("a", {"x": rx.FirstOrder(1.0)}, {"x": 0.0}), "amount 0.0 of 'x'"),
        (
            lambda: rx.Reaction("a", {"x": rx.FirstOrder(1.0)}, {"y": -1.0}),
            "does not limit the rate",
        ),
        (lambda: rx.Saturation(-1.0), "half saturation -1.0"),
        (lambda: rx.Inhibition(0.0), "inhibition constant 0.0"),
        (lambda: rx.Langmuir(1.0, 0.0), "affinity 0.0"),
        (lambda: rx.Freundlich(1.0, 1.5), "exponent 1.5"),
        (lambda: rx.Linear(0.0), "sorption constant 0.0"),
    ],
)
def test_problems_are_said(make, words):
    with pytest.raises(ValueError, match=words):
        make()


@pytest.mark.parametrize(
    ("species", "reactions", "words"),
    [
        ({}, [], "there is no species"),
        ({"x": rx.Species({"film": D})}, [], "x has no source"),
        ({"x": rx.Species({"pulp": D}, {"z_low": 1.0})}, [], "there is no phase 'pulp'"),
        ({"x": rx.Species({"film": D}, {"top": 1.0})}, [], "there is no source 'top'"),
        (
            {"x": rx.Species({"film": D}, {"z_low": 1.0})},
            [rx.Reaction("film", {"y": rx.FirstOrder(1.0)})],
            "names 'y', which is no species",
        ),
        (
            {"x": rx.Species({"film": D}, {"z_low": 1.0})},
            [rx.Reaction(("film", "film"), {"x": rx.FirstOrder(1.0)})],
            "is no interface",
        ),
    ],
)
def test_what_does_not_go_together_is_refused(species, reactions, words):
    with pytest.raises(ValueError, match=words):
        rx.steady_state(slab(), species, reactions)


def test_a_species_in_equilibrium_is_in_balance():
    place = np.indices((20, 20, 20)) - 9.5
    ball = (np.sqrt((place**2).sum(axis=0)) < 7.0).astype(np.uint8)
    micro = mt.Microstructure(ball, 1e-5, {"medium": 0, "tissue": 1})
    species = {
        "eaten": rx.Species({"tissue": 2e-9}, {"medium": 0.2}),
        "idle": rx.Species({"tissue": 1e-10}, {"medium": 5.0}),
    }
    found = rx.steady_state(micro, species, [rx.Reaction("tissue", {"eaten": rx.ZeroOrder(0.03)})])
    assert all(abs(one.balance) < 1e-8 for one in found.species.values())
    np.testing.assert_allclose(found.species["idle"].concentration, 5.0, rtol=1e-9)


def test_what_is_lost_on_larger_voxels_is_still_solved(monkeypatch):
    """Specks take up a given flux; without them there is no steady state."""
    monkeypatch.setattr("microtwin.reactions.steady.LARGE", 4)
    labels = np.ones((24, 6, 6), np.uint8)
    labels[11, ::2, ::2] = 2
    micro = mt.Microstructure(labels, 1.0, {"tissue": 1, "speck": 2})
    species = rx.Species({"tissue": 1.0, "speck": 1.0}, {"z_low": rx.Flux(1.0)})
    law = rx.Reaction("speck", {"x": rx.MichaelisMenten(50.0, 0.1)})
    found = rx.steady_state(micro, {"x": species}, [law])
    assert found.species["x"].made["speck"] == pytest.approx(-36.0)

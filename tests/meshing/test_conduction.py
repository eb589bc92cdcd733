from __future__ import annotations

import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import microtwin as mt
from meshing.shapes import VOXEL, ball, random_image
from microtwin.meshing import conduction, effective_conductivity, tetrahedralize
from microtwin.numerics import ConvergenceError

pytest.importorskip("ngsolve")
pytest.importorskip("pyamg")


@pytest.fixture(scope="module")
def slab():
    """Five layers of a below seven of b."""
    labels = np.zeros((12, 8, 8), np.uint8)
    labels[5:] = 1
    return tetrahedralize(mt.Microstructure(labels, VOXEL, {"a": 0, "b": 1}))


@pytest.fixture(scope="module")
def sphere():
    return tetrahedralize(ball(8, margin=3))


@pytest.mark.parametrize("order", [1, 2])
def test_slabs_in_series_and_in_parallel(slab, order):
    k = {"a": 1.0, "b": 10.0}
    series = effective_conductivity(slab, k, "z", order)
    assert series == pytest.approx(12 / (5 / 1 + 7 / 10), rel=1e-6)
    for direction in ("y", "x"):
        parallel = effective_conductivity(slab, k, direction, order)
        assert parallel == pytest.approx((5 * 1 + 7 * 10) / 12, rel=1e-6)


@pytest.mark.parametrize("order", [1, 2])
def test_resistance_between_slabs(slab, order):
    r = 2e-6
    ends = {"z_low": 1.0, "z_high": 0.0}
    result = conduction(slab, {"a": 1.0, "b": 10.0}, ends, {("b", "a"): r}, order)
    density = 1.0 / (5e-6 / 1 + 7e-6 / 10 + r)
    area = 64 * VOXEL**2
    assert result.currents["z_low"] == pytest.approx(density * area, rel=1e-6)
    assert result.currents["z_high"] == pytest.approx(-density * area, rel=1e-6)
    assert np.allclose(result.interface_flux["b", "a"], -density, rtol=1e-5)
    assert np.allclose(result.interface_flux["a", "b"], density, rtol=1e-5)
    assert np.allclose(result.flux[:, 0], density, rtol=1e-4)
    assert result.dissipation == pytest.approx(density * area, rel=1e-6)


def test_a_uniform_body_has_a_linear_potential(sphere):
    result = conduction(sphere, {"pore": 3.0, "active": 3.0}, {"y_low": 0.0, "y_high": 2.0})
    height = sphere.points[:, 1] / sphere.extent[1]
    pore = np.isfinite(result.potentials["pore"])
    assert np.allclose(result.potentials["pore"][pore], 2.0 * height[pore], atol=1e-7)
    assert np.allclose(result.flux / (-6.0 / sphere.extent[1]), [0, 1, 0], atol=1e-5)


def test_flux_is_conserved(sphere):
    result = conduction(sphere, {"pore": 1.0, "active": 0.1}, {"z_low": 1.0, "z_high": 0.0})
    into = result.currents
    assert into["z_low"] == pytest.approx(-into["z_high"], rel=1e-6)
    assert result.dissipation == pytest.approx(into["z_low"], rel=1e-6)


@pytest.mark.slow
def test_order_of_convergence():
    """An inclusion in a box: orders 2 (P1) in the dissipation, and both to the same limit."""
    from microtwin.trust import refined

    micro = ball(7, margin=2)  # 18 voxels, which all three sizes divide
    k = {"pore": 1.0, "active": 0.0}
    sizes = (1.0, 1.5, 2.25)
    meshes = [tetrahedralize(micro, s, coarsest=s) for s in sizes]
    linear = refined(sizes, [effective_conductivity(m, k) for m in meshes], 2.0)
    square = refined(sizes, [effective_conductivity(m, k, order=2) for m in meshes], 2.0)
    assert linear.observed_order is not None
    assert 1.4 < linear.observed_order < 2.6
    assert linear.extrapolated == pytest.approx(square.extrapolated, rel=2e-3)
    assert all(a > b for a, b in zip(linear.values, square.values, strict=True))


def test_a_dilute_ball_follows_maxwell():
    """An insulating ball of volume fraction c lowers the conductivity by about 3 c / 2."""
    micro = ball(6, margin=12)
    mesh = tetrahedralize(micro)
    c = mesh.volume_fractions["active"]
    k = effective_conductivity(mesh, {"pore": 1.0}, order=2)
    assert k == pytest.approx((1 - c) / (1 + c / 2), rel=3e-3)


def test_the_mesh_agrees_with_the_voxels():
    micro = ball(9, margin=2)
    mesh = tetrahedralize(micro)
    on_mesh = effective_conductivity(mesh, {"pore": 1.0}, order=2)
    on_voxels = mt.transport.tortuosity_factor(micro, "pore").relative_diffusivity
    assert on_mesh == pytest.approx(on_voxels, rel=0.01)


def test_currents_of_faces_that_meet_add_up(sphere):
    ends = {"z_low": 1.0, "y_low": 1.0, "z_high": 0.0}
    result = conduction(sphere, {"pore": 1.0, "active": 1.0}, ends)
    assert sum(result.currents.values()) == pytest.approx(0.0, abs=1e-6 * result.dissipation)


def test_what_is_cut_off_is_left_out():
    labels = np.zeros((12, 10, 10), np.uint8)
    labels[4:8, 3:7, 3:7] = 1
    mesh = tetrahedralize(mt.Microstructure(labels, VOXEL, {"a": 0, "b": 1}))
    result = conduction(mesh, {"b": 1.0}, {"z_low": 1.0, "z_high": 0.0})
    assert result.currents == {"z_low": 0.0, "z_high": 0.0}
    assert not np.isfinite(result.potentials["b"]).any()
    assert effective_conductivity(mesh, {"b": 1.0}) == 0.0


@pytest.mark.parametrize("order", [1, 2])
def test_what_does_not_percolate_does_not_conduct(order):
    """Nothing of the rounding of a solver is left."""
    labels = np.zeros((12, 8, 8), np.uint8)
    labels[5:7] = 1
    mesh = tetrahedralize(mt.Microstructure(labels, VOXEL, {"a": 0, "b": 1}))
    result = conduction(mesh, {"a": 1.0}, {"z_low": 1.0, "z_high": 0.25}, order=order)
    assert not result.driven
    assert effective_conductivity(mesh, {"a": 1.0}, order=order) == 0.0
    values = result.potentials["a"][np.isfinite(result.potentials["a"])]
    assert set(np.unique(values)) == {0.25, 1.0}


def test_potentials_by_phase():
    """Electrons enter the solid at one end, ions leave the pore at the other: kinetics between."""
    labels = np.zeros((10, 8, 8), np.uint8)
    labels[:, :4] = 1
    mesh = tetrahedralize(mt.Microstructure(labels, VOXEL, {"pore": 0, "active": 1}))
    ends = {"z_low": {"active": 1.0}, "z_high": {"pore": 0.0}}
    r = 1e-5
    result = conduction(mesh, {"pore": 1.0, "active": 1.0}, ends, {("active", "pore"): r})
    areas = mesh.facet_areas
    total = result.interface_flux["active", "pore"] @ areas
    assert total == pytest.approx(result.currents["z_low"], rel=1e-6)
    assert total == pytest.approx(-result.currents["z_high"], rel=1e-6)


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 10**6))
def test_effective_values_lie_within_the_bounds_of_wiener(seed):
    micro = random_image(seed)
    if len(np.unique(micro.labels)) < 2:
        return
    mesh = tetrahedralize(micro, 1.5)
    k = {name: 1.0 + 3.0 * n for n, name in enumerate(mesh.phases)}
    shares = mesh.volume_fractions
    upper = sum(shares[name] * k[name] for name in k)
    lower = 1.0 / sum(shares[name] / k[name] for name in k)
    value = effective_conductivity(mesh, k, "x")
    assert lower * (1 - 1e-6) <= value <= upper * (1 + 1e-6)


@pytest.mark.parametrize(
    ("conductivities", "potentials", "resistances", "words"),
    [
        ({"c": 1.0}, {"z_low": 1.0}, {}, "'c' is not in this mesh"),
        ({"a": -1.0}, {"z_low": 1.0}, {}, "give a number of 0 or more"),
        ({"a": 0.0}, {"z_low": 1.0}, {}, "no phase conducts"),
        ({"a": 1.0}, {}, {}, "no potential is given"),
        ({"a": 1.0}, {"top": 1.0}, {}, "there is no face 'top'"),
        ({"a": 1.0}, {"z_low": {"b": 1.0}}, {}, "does not conduct"),
        ({"a": 1.0, "b": 1.0}, {"z_low": 1.0}, {("a", "b"): 0.0}, "give a number above 0"),
        ({"a": 1.0, "b": 1.0}, {"z_low": 1.0}, {("a", "a"): 1.0}, "within one phase"),
        ({"a": 1.0, "b": 1.0}, {"y_low": {"a": 1.0}}, {}, "need the same potential"),
        ({"a": 1.0}, {"z_low": float("nan")}, {}, "not a finite number"),
        ({"a": 1.0}, {"z_low": "1 V"}, {}, "'1 V' on z_low is not a finite number"),
        ({"a": "1 S/m"}, {"z_low": 1.0}, {}, "conductivity '1 S/m' of 'a' is not allowed"),
        (1.0, {"z_low": 1.0}, {}, "conductivities 1.0 are not allowed; give them by name"),
        ({"a": 1.0}, 1.0, {}, "potentials 1.0 are not allowed; give them by name"),
        ({"a": 1.0, "b": 1.0}, {"z_low": 1.0}, 2.0, "resistances 2.0 are not allowed"),
        ({"a": 1.0, "b": 1.0}, {"z_low": 1.0}, {"ab": 2.0}, "'ab' is not a pair of phases"),
    ],
)
def test_what_is_not_allowed(slab, conductivities, potentials, resistances, words):
    with pytest.raises(ValueError, match=words):
        conduction(slab, conductivities, potentials, resistances)


def test_order_3_is_refused(slab):
    with pytest.raises(ValueError, match="order 3 is not allowed"):
        conduction(slab, {"a": 1.0}, {"z_low": 1.0}, order=3)


def test_a_phase_needs_no_potential_on_a_face_that_it_does_not_reach(slab):
    both = {"a": 1.0, "b": 2.0}
    result = conduction(slab, both, {"z_low": {"a": 1.0}, "z_high": {"b": 0.0}})
    same = conduction(slab, both, {"z_low": 1.0, "z_high": 0.0})
    assert result.dissipation == pytest.approx(same.dissipation, rel=1e-12)


@pytest.mark.parametrize("tol", [0.0, 2.0, None])
def test_a_tolerance_that_is_not_allowed(slab, tol):
    with pytest.raises(ValueError, match="give a number between 0 and 1"):
        conduction(slab, {"a": 1.0}, {"z_low": 1.0}, tol=tol)


def test_a_solve_that_does_not_converge_raises(sphere, monkeypatch):
    from microtwin.meshing import conduction as module

    monkeypatch.setattr(sys.modules[module.__module__], "ITERATIONS", 1)
    with pytest.raises(ConvergenceError, match="stopped after 1 iterations"):
        conduction(sphere, {"pore": 1.0, "active": 1e-3}, {"z_low": 1.0, "z_high": 0.0}, tol=1e-12)


@pytest.mark.parametrize("library", ["ngsolve", "pyamg"])
def test_missing_libraries_are_named(slab, library, monkeypatch):
    monkeypatch.setitem(sys.modules, library, None)
    with pytest.raises(ImportError, match=r"pip install 'microtwin\[mesh\]'"):
        conduction(slab, {"a": 1.0}, {"z_low": 1.0, "z_high": 0.0})

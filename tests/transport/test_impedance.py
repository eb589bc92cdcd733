from __future__ import annotations

import numpy as np
import pytest

import microtwin as mt
from microtwin.geometry.surface import interface_area
from microtwin.transport import (
    blocking_impedance,
    fit_transmission_line,
    tortuosity_factor,
    transmission_line,
)
from microtwin.transport.impedance_verification import plates


@pytest.fixture(scope="module")
def sponge():
    return mt.generation.gaussian_field(32, 2.0, 0.5, seed=1)


@pytest.fixture(scope="module")
def spectrum(sponge):
    return blocking_impedance(sponge)


def test_real_part_falls_and_the_cell_is_capacitive(spectrum):
    assert (spectrum.impedance.imag < 0.0).all()
    assert (np.diff(spectrum.impedance.real) < 0.0).all()  # frequencies grow
    assert (spectrum.impedance.real > 0.0).all()
    limit = spectrum.low_frequency_resistance
    assert spectrum.impedance.real[0] == pytest.approx(limit, rel=1e-3)
    assert spectrum.ionic_resistance == 3.0 * limit
    assert 5.0 <= max(spectrum.iterations) <= 20.0


def test_at_low_frequency_all_of_the_surface_is_charged(sponge, spectrum):
    f = 1e-3 * spectrum.characteristic_frequency
    found = blocking_impedance(sponge, frequencies=f)
    expected = -1.0 / (2.0 * np.pi * f * found.capacitance)
    assert found.impedance[0].imag == pytest.approx(expected, rel=1e-6)
    inner = interface_area(sponge)["pore", "solid"]
    section = np.prod(np.array(sponge.extent[1:]))
    # Areas are measured between the outermost voxel centres, and charged in the whole image.
    assert found.capacitance == pytest.approx(0.1 * inner / section * (32 / 31) ** 3, rel=0.05)


def test_each_frequency_is_told(sponge):
    told = []
    found = blocking_impedance(
        sponge, frequencies=[10.0, 1.0], watch=lambda f, z: told.append((f, z))
    )
    assert told == list(zip([10.0, 1.0], found.impedance, strict=True))


def test_causality():
    """The real part follows from the imaginary one (Kramers and Kronig)."""
    micro = plates(24)
    low = blocking_impedance(micro, frequencies=[1.0])
    f = low.characteristic_frequency * np.geomspace(1e-4, 1e6, 241)
    z = blocking_impedance(micro, frequencies=f)
    w = 2.0 * np.pi * f
    # Without the capacitor in series, what is left is regular at frequency 0.
    y = z.impedance - 1.0 / (1j * w * z.capacitance)
    at = np.argmin(np.abs(f - z.characteristic_frequency))
    inner = w != w[at]
    integrand = np.zeros(len(w))
    integrand[inner] = (w * y.imag - w[at] * y.imag[at])[inner] / (w**2 - w[at] ** 2)[inner]
    integrand[at] = 0.5 * (integrand[at - 1] + integrand[at + 1])
    real = y.real[-1] - 2.0 / np.pi * np.trapezoid(integrand, w)
    assert real == pytest.approx(y.real[at], rel=0.01)


@pytest.mark.parametrize("factor", [0.1, 7.0])
def test_scaling(sponge, factor):
    """Resistance goes with 1 / conductivity, and only w c / kappa counts beside it."""
    one = blocking_impedance(sponge, frequencies=[1e2, 1e4])
    other = blocking_impedance(
        sponge, frequencies=[1e2 * factor, 1e4 * factor], conductivity=factor
    )
    np.testing.assert_allclose(other.impedance * factor, one.impedance, rtol=1e-6)
    assert other.tortuosity_factor == pytest.approx(one.tortuosity_factor, rel=1e-6)


@pytest.mark.parametrize("direction", ["z", "y", "x"])
@pytest.mark.parametrize("interface", ["smooth", "voxel"])
def test_straight_pores_have_the_tortuosity_factor_of_steady_diffusion(direction, interface):
    # Slits in z, turned so that they run along each axis.
    straight = plates(20)
    order = {"z": (0, 1, 2), "y": (1, 0, 2), "x": (1, 2, 0)}[direction]
    micro = mt.Microstructure(
        straight.labels.transpose(order),
        tuple(straight.voxel_size[a] for a in order),
        dict(straight.phases),
    )
    found = blocking_impedance(micro, frequencies=1.0, direction=direction, interface=interface)
    steady = tortuosity_factor(micro, "pore", direction, interface=interface)
    assert steady.tortuosity_factor == pytest.approx(1.0, abs=1e-6)
    # 1 / (2 n^2) for n voxels, and the width of the slits.
    assert found.tortuosity_factor == pytest.approx(1.0, abs=3e-3)


def test_in_a_random_electrode_both_differ():
    """The impedance weighs the layers near the separator; turned round, it weighs the others."""
    micro = mt.generation.gaussian_field(48, 2.0, 0.5, seed=2)
    turned = mt.Microstructure(micro.labels[::-1], micro.voxel_size, dict(micro.phases))
    steady = tortuosity_factor(micro, "pore").tortuosity_factor
    found = [blocking_impedance(m, frequencies=1.0).tortuosity_factor for m in (micro, turned)]
    assert max(found) / min(found) > 1.03
    assert np.mean(found) == pytest.approx(steady, rel=0.06)
    assert found == pytest.approx([steady, steady], rel=0.15)


def test_dead_ends_conduct_too():
    """A pore that ends before the collector has an impedance, though no steady current passes."""
    labels = np.ones((24, 8, 8), np.uint8)
    labels[8:, 2:6, 2:6] = 0
    micro = mt.Microstructure(labels, 1e-6, {"pore": 0, "solid": 1})
    assert tortuosity_factor(micro, "pore").tortuosity_factor == np.inf
    assert 0.0 < blocking_impedance(micro, frequencies=1.0).ionic_resistance < np.inf


@pytest.mark.parametrize("interface", ["smooth", "voxel"])
def test_pores_that_are_not_connected_are_not_charged(interface):
    labels = np.ones((20, 12, 12), np.uint8)
    labels[:, 2:6, 2:6] = 0
    apart = labels.copy()
    apart[5:9, 8:11, 8:11] = 0
    images = [mt.Microstructure(a, 1e-6, {"pore": 0, "solid": 1}) for a in (labels, apart)]
    one, other = (blocking_impedance(m, frequencies=[10.0], interface=interface) for m in images)
    assert other.capacitance == pytest.approx(one.capacitance, rel=1e-9)
    assert other.impedance == pytest.approx(one.impedance, rel=1e-9)
    assert one.connected_fraction == 1.0
    assert other.connected_fraction == pytest.approx(320 / 356)


def test_solids_that_are_charged_can_be_chosen():
    labels = np.zeros((16, 8, 8), np.uint8)
    labels[:, :2], labels[:, 6:] = 1, 2
    micro = mt.Microstructure(labels, 1e-6, {"pore": 0, "active": 1, "binder": 2})
    both = blocking_impedance(micro, frequencies=1.0)
    one = blocking_impedance(micro, frequencies=1.0, solids=["binder"])
    assert one.capacitance == pytest.approx(0.5 * both.capacitance, rel=1e-3)


def test_transmission_line_is_fitted():
    f = np.geomspace(1e-2, 1e4, 40)
    z = 0.3 + transmission_line(f, 2.0, 0.05)
    found = fit_transmission_line(f, z)
    assert found.resistance == pytest.approx(2.0, rel=1e-6)
    assert found.capacitance == pytest.approx(0.05, rel=1e-6)
    assert found.series_resistance == pytest.approx(0.3, rel=1e-6)
    assert found.misfit < 1e-8
    with pytest.raises(ValueError, match="three or more of each"):
        fit_transmission_line(f[:2], z[:2])


def test_a_known_resistance_in_series_stays():
    f = np.geomspace(1e-2, 1e4, 40)
    found = fit_transmission_line(f, 0.3 + transmission_line(f, 2.0, 0.05), series=0.3)
    assert found.series_resistance == 0.3
    assert found.resistance == pytest.approx(2.0, rel=1e-6)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda f, z: (f, np.where(f > 1.0, z, np.nan)), "or an impedance is no number"),
        (lambda f, z: (f - f[0], z), "a frequency is not above 0"),
        (lambda f, z: (f, z.conj()), "with its sign"),
        (lambda f, z: (f[f > 100.0], z[f > 100.0]), "give some on both sides of it"),
        (lambda f, z: (f[f < 0.1], z[f < 0.1]), "give some on both sides of it"),
    ],
)
def test_impedances_that_tell_no_line_are_refused(change, words):
    f = np.geomspace(1e-3, 1e4, 40)
    with pytest.raises(ValueError, match=words):
        fit_transmission_line(*change(f, transmission_line(f, 2.0, 0.05)))


def test_the_fit_finds_the_resistance_of_slits():
    found = blocking_impedance(plates())
    assert found.fitted_resistance() == pytest.approx(found.ionic_resistance, rel=0.01)
    np.testing.assert_allclose(found.transmission_line(), found.impedance, rtol=0.01)


def test_the_tolerance_hardly_shows(sponge, spectrum):
    """Not at high frequency either, where the impedance is a small difference."""
    f = spectrum.characteristic_frequency * np.geomspace(1e-2, 1e5, 5)
    rough, fine = (
        blocking_impedance(sponge, frequencies=f, tol=tol).impedance for tol in (1e-4, 1e-9)
    )
    np.testing.assert_allclose(rough, fine, rtol=1e-4)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"phase": "zinc"}, "phase 'zinc' is not in"),
        ({"solids": ["zinc"]}, "phase 'zinc' is not in"),
        ({"solids": ["pore"]}, "other than 'pore'"),
        ({"solids": []}, "name one or more phases"),
        ({"conductivity": 0.0}, "conductivity 0.0 is not allowed"),
        ({"capacitance": -1.0}, "capacitance -1.0 is not allowed"),
        ({"frequencies": [1.0, -1.0]}, "numbers above 0, in Hz"),
        ({"frequencies": []}, "numbers above 0, in Hz"),
        ({"interface": "rough"}, "interface 'rough' is not known"),
        ({"direction": "w"}, "direction 'w' is not known"),
        ({"tol": 2.0}, "tol 2.0 is not allowed"),
    ],
)
def test_what_does_not_fit_is_refused(sponge, change, words):
    with pytest.raises(ValueError, match=words):
        blocking_impedance(sponge, **change)


def test_images_without_a_way_or_a_surface_are_refused():
    shut = np.zeros((8, 4, 4), np.uint8)
    shut[-2:] = 1
    with pytest.raises(ValueError, match="connected to the separator at the high end of z"):
        blocking_impedance(mt.Microstructure(shut, 1e-6, {"pore": 0, "solid": 1}))
    bare = mt.Microstructure(np.zeros((8, 4, 4), np.uint8), 1e-6, {"pore": 0, "solid": 1})
    with pytest.raises(ValueError, match="so no surface is charged"):
        blocking_impedance(bare)

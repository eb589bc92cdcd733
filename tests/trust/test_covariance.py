"""Covariance and integral range on Boolean models, where both are known exactly."""

from __future__ import annotations

import math

import numpy as np
import pytest

from microtwin import Microstructure
from microtwin.trust import integral_range
from trust import boolean_model as bm


def test_lattice_model_tends_to_overlapping_spheres():
    """S2 = exp(-lambda V_union), V_union = V (1 + 3 r / 4 R - r^3 / 16 R^3) up to r = 2 R."""
    radius, phi = 8, 0.5
    volume = 4 / 3 * math.pi * radius**3
    r = np.linspace(0, 2 * radius, 4001)
    union = 1 + 3 * r / (4 * radius) - r**3 / (16 * radius**3)
    s2 = np.exp(math.log(phi) * union)
    continuous = np.trapezoid(4 * math.pi * r**2 * (s2 - phi**2), r) / (phi * (1 - phi))
    equivalent = bm.ball(8).sum() / volume
    # 1 %: the digitised ball is not quite round once its volume is accounted for.
    assert bm.exact_integral_range(radius, phi) == pytest.approx(continuous * equivalent, rel=0.01)


def test_variance_over_cubes_is_point_variance_times_a3_over_v():
    """The law of Kanit et al. by plain simulation: independent cubes, no fit, no FFT."""
    radius, phi, edge, step = 2, 0.5, 20, 25
    pore = bm.boolean_model(8 * step, radius, phi, seed=3).mask("pore")
    # Cubes 5 voxels apart, more than the range 2 R of the covariance: independent.
    starts = range(0, 8 * step, step)
    cubes = [pore[z:, y:, x:][:edge, :edge, :edge] for z in starts for y in starts for x in starts]
    simulated = np.var([cube.mean() for cube in cubes], ddof=1)
    exact = bm.exact_variance(radius, phi, edge)
    # Three standard errors of a variance from 512 samples: 3 sqrt(2 / 511).
    assert simulated == pytest.approx(exact, rel=0.19)
    # The law is the limit of large cubes. At edges of 10, 20, 40 and 80 R the cube lies below it
    # by the share of pairs lost at its faces, which falls as 1 / edge.
    law = [
        phi * (1 - phi) * bm.exact_integral_range(radius, phi) / n**3
        / bm.exact_variance(radius, phi, n)
        for n in (20, 40, 80, 160)
    ]  # fmt: skip
    assert 1 < law[3] < law[2] < law[1] < law[0] < 1.2
    assert (law[2] - 1) / (law[3] - 1) == pytest.approx(2, rel=0.05)


@pytest.mark.parametrize(("radius", "edge", "phi"), [(3, 64, 0.5), (4, 96, 0.3), (5, 96, 0.7)])
def test_one_image_gives_the_integral_range(radius, edge, phi):
    measured = integral_range(bm.boolean_model(edge, radius, phi, seed=1), "pore")
    exact = bm.exact_integral_range(radius, phi)
    # 25 %: scatter between images, sqrt of a few A3 / V summed over the lags within the cutoff.
    assert measured.value == pytest.approx(exact, rel=0.25)
    assert measured.resolved
    assert measured.cutoff < 3 * radius
    box = (edge / 4,) * 3
    assert measured.variance(box) == pytest.approx(
        bm.exact_variance(radius, phi, edge // 4), rel=0.2
    )
    factor = bm.exact_variance(radius, phi, edge // 4) * (edge / 4) ** 3
    factor /= phi * (1 - phi) * exact
    assert measured.finite_size_factor(box) == pytest.approx(factor, rel=0.08)


def test_the_estimate_is_not_biased():
    radius, edge, phi = 3, 48, 0.5
    values = [
        integral_range(bm.boolean_model(edge, radius, phi, s), "pore").value for s in range(30)
    ]
    # Standard error of the mean over 30 images about 3 %.
    assert np.mean(values) == pytest.approx(bm.exact_integral_range(radius, phi), rel=0.1)


def test_units_and_the_complement():
    micro = bm.boolean_model(48, 3, 0.5, seed=2)
    voxels = integral_range(micro, "pore")
    metres = integral_range(Microstructure(micro.labels, 2e-6, micro.phases), "solid")
    assert metres.value == pytest.approx(voxels.value * 8e-18, rel=1e-5, abs=0.0)
    assert metres.cutoff == pytest.approx(voxels.cutoff * 2e-6, rel=1e-5)
    assert voxels.point_variance == pytest.approx(metres.point_variance)


def test_large_images_are_averaged_over_blocks_first(monkeypatch):
    micro = bm.boolean_model(96, 6, 0.5, seed=0)
    direct = integral_range(micro, "pore")
    monkeypatch.setattr("microtwin.trust.covariance.MAX_POINTS", 48**3)
    blocks = integral_range(micro, "pore")
    assert blocks.lag_spacing == (2.0, 2.0, 2.0)
    # 5 %: the sum of the covariance is the same, only the shells of the cutoff are wider.
    assert blocks.value == pytest.approx(direct.value, rel=0.05)


def test_flat_voxels_of_a_stretched_image():
    """Voxels half as tall: the same picture in physical space must give the same integral range."""
    micro = bm.boolean_model(64, 4, 0.5, seed=5)
    flat = Microstructure(np.repeat(micro.labels, 2, axis=0), (0.5, 1.0, 1.0), micro.phases)
    assert integral_range(flat, "pore").value == pytest.approx(
        integral_range(micro, "pore").value, rel=0.05
    )


def test_structure_as_large_as_the_image_is_noticed():
    half = np.zeros((32, 32, 32), np.uint8)
    half[:, :, 16:] = 1
    assert not integral_range(Microstructure(half, 1.0, {"a": 0, "b": 1}), "a").resolved


def test_a_uniform_image_has_no_covariance():
    micro = Microstructure(np.zeros((8, 8, 8), np.uint8), 1.0, {"pore": 0, "solid": 1})
    for phase in micro.phases:
        with pytest.raises(ValueError, match="no covariance"):
            integral_range(micro, phase)

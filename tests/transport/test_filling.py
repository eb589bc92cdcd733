"""The filling time: Washburn's law where it is exact, and what does not fill."""

from __future__ import annotations

import math

import numpy as np
import pytest
from numpy.testing import assert_allclose

from microtwin import Microstructure
from microtwin.transport import filling_time, permeability

from .pictures import PHASES

WETTING = {"viscosity": 2e-3, "surface_tension": 0.03, "contact_angle": 60.0}


def tube(radius=9.3, n=24):
    y, x = np.ogrid[:n, :n]
    outside = np.hypot(y - 11.6, x - 11.4) > radius
    return Microstructure(np.tile(outside.astype(np.uint8), (24, 1, 1)), 1e-6, PHASES)


def test_a_tube_obeys_washburn():
    micro = tube()
    found = filling_time(micro, permeability(micro, "pore"), length=1e-3, **WETTING)
    radius = 9.3e-6
    # length^2 = radius tension cos(angle) t / (2 viscosity)
    washburn = 2 * 2e-3 * 1e-6 / (radius * 0.03 * 0.5)
    assert_allclose(found.pore_radius, radius, rtol=0.06)
    assert_allclose(found.capillary_pressure, 2 * 0.03 * 0.5 / found.pore_radius)
    assert_allclose(found.seconds, washburn, rtol=0.1)


@pytest.mark.parametrize("boundary", ["periodic", "faces"])
def test_the_size_of_pores_does_not_depend_on_the_size_of_the_image(boundary):
    one = tube()
    flow = permeability(one, "pore", boundary=boundary)
    four = Microstructure(np.tile(one.labels, (2, 2, 2)), 1e-6, PHASES)
    sizes = [filling_time(m, flow, length=1e-3, **WETTING).pore_radius for m in (one, four)]
    assert_allclose(sizes[0], sizes[1], rtol=1e-6)
    assert_allclose(sizes[0], 9.3e-6, rtol=0.02)


def test_the_slit_with_known_size():
    labels = np.ones((3, 2, 40), np.uint8)
    labels[:, :, 4:36] = 0
    micro = Microstructure(labels, 1e-6, PHASES)
    flow = permeability(micro, "pore")
    found = filling_time(micro, flow, pore_radius=32e-6, **WETTING)
    assert found.length == 3e-6
    pressure = 2 * 0.03 * 0.5 / 32e-6
    expected = 0.8 * 2e-3 * (3e-6) ** 2 / (2 * flow.permeability * pressure)
    assert_allclose(found.seconds, expected, rtol=1e-12)


def test_what_does_not_wet_or_percolate_takes_for_ever():
    micro = tube()
    flow = permeability(micro, "pore")
    dry = filling_time(micro, flow, viscosity=1e-3, surface_tension=0.07, contact_angle=120.0)
    assert dry.seconds == math.inf
    assert dry.capillary_pressure < 0.0
    blocked = permeability(micro, "pore", "x")
    assert filling_time(micro, blocked, **WETTING).seconds == math.inf


def test_bad_input_is_explained():
    micro = tube()
    flow = permeability(micro, "pore")
    with pytest.raises(ValueError, match="viscosity 0 is not allowed; give a positive number"):
        filling_time(micro, flow, viscosity=0, surface_tension=0.03)
    with pytest.raises(ValueError, match="contact_angle 200 is not allowed"):
        filling_time(micro, flow, viscosity=1e-3, surface_tension=0.03, contact_angle=200)
    full = Microstructure(np.zeros((4, 4, 4), np.uint8), 1e-6, PHASES)
    with pytest.raises(ValueError, match="give pore_radius"):
        filling_time(full, permeability(full, "pore"), viscosity=1e-3, surface_tension=0.03)

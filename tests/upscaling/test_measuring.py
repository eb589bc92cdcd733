from __future__ import annotations

import numpy as np
import pytest

import microtwin as mt
from microtwin.electrochemistry import NoInterfaceError
from microtwin.upscaling import Quantity, measure_electrode

VOXEL = 0.5e-6
PHASES = {"pore": 0, "active": 1, "binder": 2}


def image(labels):
    return mt.Microstructure(np.asarray(labels, np.uint8), VOXEL, PHASES)


def walls(n=16, lone=False):
    """Return pillars of active material and pores side by side, each of 4 voxels, along z."""
    labels = np.zeros((n, n, n), np.uint8)
    labels[:, :, [x for x in range(n) if x // 4 % 2]] = 1
    if lone:
        labels[6:10, 6:10, 1:3] = 1
    return image(labels)


def test_straight_walls_are_exact():
    found = measure_electrode(walls(), conductivities={"active": 2.0})
    assert found.thickness.value == pytest.approx(8e-6)
    # Two ends, each anywhere within a voxel.
    assert found.thickness.uncertainty == pytest.approx(VOXEL / 6**0.5)
    assert found.porosity.value == pytest.approx(0.5, rel=1e-6)
    assert found.active_fraction.value == pytest.approx(0.5, rel=1e-6)
    assert found.liquid_transport_efficiency.value == pytest.approx(0.5, rel=1e-4)
    assert found.tortuosity_factor == pytest.approx(1.0, rel=1e-4)
    assert found.solid_conductivity.value == pytest.approx(1.0, rel=1e-4)
    assert found.bulk_solid_conductivity.value == 2.0
    # Three interfaces in the 15 voxels between the outermost centres; the formula for areas is
    # meant for all directions alike, and 1.0001 of the exact one along an axis.
    assert found.specific_surface.value == pytest.approx(3 / (15 * VOXEL), rel=2e-4)
    assert found.particle_radius.value == pytest.approx(3 * 0.5 * 15 * VOXEL / 3, rel=2e-4)
    assert found.interface_utilisation == pytest.approx(1.0, rel=1e-6)
    assert found.porosity_profile.tolist() == [0.5] * 16
    assert found.inert_fraction.value == pytest.approx(0.0, abs=1e-6)
    # Walls of an even number of voxels are the same on voxels twice as large.
    assert (found.liquid_transport_efficiency.uncertainty or 0.0) < 1e-5


def test_what_is_connected_to_nothing_does_not_count():
    clean, found = (measure_electrode(walls(lone=lone)) for lone in (False, True))
    assert found.active_fraction.value == pytest.approx(clean.active_fraction.value, rel=0.005)
    assert found.specific_surface.value == pytest.approx(clean.specific_surface.value, rel=1e-6)
    assert found.particle_radius.value == pytest.approx(clean.particle_radius.value, rel=0.005)
    assert found.inert_fraction.value == pytest.approx(4 * 4 * 2 / 16**3, rel=0.3)


def test_closed_pores_have_no_area_that_reacts():
    labels = walls().labels.copy()
    labels[-1, :, :4] = 2
    # Still connected to the separator beside the lid, but for the pore under it.
    found = measure_electrode(image(labels), discretisation=False)
    open_area = measure_electrode(walls()).specific_surface.value
    assert found.specific_surface.value == pytest.approx(open_area * 2 / 3, rel=1e-6)
    assert found.specific_surface.uncertainty is None
    # The area under the lid still bounds the particles.
    assert found.interface_utilisation == pytest.approx(2 / 3, rel=0.01)


def test_a_porous_binder_holds_electrolyte():
    labels = walls().labels.copy()
    labels[:, :, 8:12] = 2
    found = measure_electrode(image(labels), porous_phases={"binder": (0.5, 2.0)})
    assert found.porosity.value == pytest.approx(0.25 + 0.5 * 0.25, rel=1e-6)
    assert found.liquid_transport_efficiency.value == pytest.approx(0.25 + 0.25 * 0.25, rel=1e-3)
    # One face is free, and of the two under binder half reacts.
    assert found.specific_surface.value == pytest.approx(2 / (15 * VOXEL), rel=2e-4)
    assert found.porosity_profile[0] == pytest.approx(0.375)


def test_pores_binder_and_active_material_fill_the_image():
    made = mt.generation.electrode(24, VOXEL, porosity=0.4, binder_fraction=0.1, seed=2)
    # This binder is nothing but pores, so that the active material is the only solid.
    found = measure_electrode(
        made.micro, porous_phases={"binder": (1.0, 2.0)}, tol=1e-2, discretisation=False
    )
    lost = mt.connectivity.reaching_clusters(made.micro.mask("active"), 0, 0) == 0
    dead = np.count_nonzero(lost & made.micro.mask("active")) / lost.size
    # Shares of octants are stored as bytes.
    assert found.porosity.value + found.active_fraction.value + dead == pytest.approx(1, abs=1e-3)


def test_conducting_binder_connects_active_material():
    labels = walls().labels.copy()
    labels[0] = 2
    micro = image(labels)
    with pytest.raises(ValueError, match="turn the image"):
        measure_electrode(micro)
    found = measure_electrode(micro, conductivities={"active": 1.0, "binder": 10.0})
    # Corners where three phases meet are rounded.
    assert found.active_fraction.value == pytest.approx(0.5 * 15 / 16, rel=5e-3)


def test_covered_surface_is_told_from_an_image_upside_down():
    labels = walls().labels.copy()
    labels[:, :, [3, 8, 11]] = 2  # a film on every wall
    covered = image(labels)
    with pytest.raises(ValueError, match=r"covered by 'binder'; give .* in porous_phases"):
        measure_electrode(covered)
    found = measure_electrode(covered, porous_phases={"binder": (0.4, 2.0)}, discretisation=False)
    assert found.specific_surface.value == pytest.approx(0.4 * 3 / (15 * VOXEL), rel=2e-4)
    for plane, message in ((0, "no 'active' is connected"), (-1, "no 'pore' is connected")):
        closed = walls().labels.copy()
        closed[plane] = 2
        with pytest.raises(ValueError, match=f"{message}.*turn the image"):
            measure_electrode(image(closed))
    # A slab below closed pores, and open ones above a slab that floats.
    apart = np.ones((16, 16, 16), np.uint8)
    apart[8:11] = apart[12:] = 0
    with pytest.raises(NoInterfaceError, match="does not touch 'pore'"):
        measure_electrode(image(apart))


def test_error_bars_on_a_generated_electrode():
    made = mt.generation.electrode(32, VOXEL, porosity=0.4, binder_fraction=0.1, seed=2)
    conductivities = {"active": 1.0, "binder": 20.0}
    found = measure_electrode(made.micro, conductivities=conductivities, tol=1e-3)
    direct = mt.transport.tortuosity_factor(made.micro, "pore", tol=1e-3)
    assert found.liquid_transport_efficiency.value == direct.relative_diffusivity
    # Shares of voxels come in single precision.
    assert found.porosity.value == pytest.approx(direct.volume_fraction, rel=1e-5)
    coarse = mt.trust.coarsen_for(made.micro, "pore")
    twice = mt.transport.tortuosity_factor(coarse, "pore", tol=1e-3).relative_diffusivity
    assert found.liquid_transport_efficiency.uncertainty == pytest.approx(
        abs(direct.relative_diffusivity - twice), rel=1e-9
    )
    for name in ("porosity", "active_fraction", "specific_surface", "solid_conductivity"):
        # The vote of each block is held on the phase that the number is of.
        phase = "pore" if name == "porosity" else "active"
        larger = measure_electrode(
            mt.trust.coarsen_for(made.micro, phase), conductivities=conductivities, tol=1e-3,
            discretisation=False,
        )  # fmt: skip
        change = abs(getattr(found, name).value - getattr(larger, name).value)
        assert getattr(found, name).uncertainty == pytest.approx(change, rel=1e-9)
        assert "32 x 32 x 32 voxels of 500 nm" in getattr(found, name).source
    # Binder covers some of the surface, and nearly all of it is connected.
    areas = mt.descriptors.interface_area(made.micro)
    free = areas["active", "pore"] / areas.of_phase("active")
    assert found.interface_utilisation == pytest.approx(free, rel=0.01)
    assert free < 0.8


def test_what_does_not_lead_through_is_zero():
    labels = walls().labels.copy()
    labels[8] = 1  # a wall across
    found = measure_electrode(image(labels), discretisation=False)
    assert found.liquid_transport_efficiency.value == 0.0
    assert found.active_fraction.value == pytest.approx(0.5 + 0.5 / 16, rel=5e-3)
    # Too small for voxels twice as large.
    small = measure_electrode(image(walls(8).labels[:3]))
    assert small.porosity.uncertainty is None
    assert "twice as large" not in small.porosity.source


def test_thickness_and_particles_from_elsewhere():
    sizes = mt.descriptors.SizeDistribution(
        np.array([2e-6, 6e-6, 8e-6]), np.array([0.25, 0.75, 0.0])
    )
    found = measure_electrode(
        walls(), thickness=Quantity(75e-6, "m", 1e-6, "Micrometer screw."), particles=sizes
    )
    assert found.thickness.source == "Micrometer screw."
    assert found.particle_radius.value == pytest.approx(0.25 * 1e-6 + 0.75 * 3e-6)
    assert found.particle_radii.tolist() == [1e-6, 3e-6]
    assert measure_electrode(walls(), thickness=75e-6).thickness.value == 75e-6


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"active": "cathode"}, "phase 'cathode' is not in"),
        ({"active": "pore"}, "name two phases"),
        ({"conductivities": {"active": -1.0}}, "conductivity -1.0"),
        (
            {"conductivities": {"active": 1.0, "pore": 0.1}},
            "conductivities name 'pore', which holds electrolyte",
        ),
        ({"porous_phases": {"pore": (0.5, 2.0)}}, "cannot be a porous phase"),
        ({"porous_phases": {"binder": (1.5, 2.0)}}, "give its porosity"),
        ({"boundary": "open"}, "boundary 'open' is not known"),
        (
            {"particles": mt.descriptors.SizeDistribution(np.zeros(0), np.zeros(0))},
            "distribution is empty",
        ),
    ],
)
def test_what_is_not_allowed(arguments, message):
    with pytest.raises(ValueError, match=message):
        measure_electrode(walls(), **arguments)

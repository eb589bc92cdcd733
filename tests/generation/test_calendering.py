from __future__ import annotations

import numpy as np
import pytest

from microtwin.generation import Particles, ParticleType, calendered, electrode, packed_particles
from microtwin.generation.forms import bodies_of


def alone(semi_axes, axis, body=None) -> Particles:
    """One particle in the middle of a large box, its axis along a direction."""
    axis = np.array(axis) / np.linalg.norm(axis)
    helper = np.array([0.0, 0.0, 1.0])
    second = np.cross(axis, helper)
    second /= np.linalg.norm(second)
    frame = np.stack([axis, second, np.cross(axis, second)], axis=1)
    bodies = (body,) if body is not None else (bodies_of("ellipsoid", 0, 0, None)[0],)  # type: ignore[arg-type]
    return Particles(
        [[50.0, 50.0, 50.0]], [semi_axes], (100.0,) * 3, True, frame[None], [0], bodies
    )


def test_solids_are_kept_and_the_pore_gives_way():
    before = electrode(64, porosity=0.45, binder_fraction=0.05, seed=1)
    after = before.calendered(0.2)
    assert after.micro.shape == (51, 64, 64)
    thinner = 64 / 51
    assert after.micro.volume_fraction("active") == pytest.approx(0.5 * thinner, rel=1e-4)
    assert after.micro.volume_fraction("binder") == pytest.approx(0.05 * thinner, rel=1e-3)
    densities = {"active": 4700.0, "binder": 1500.0}
    assert after.areal_loading(densities) == pytest.approx(
        before.areal_loading(densities), rel=1e-4
    )
    assert after.particles.extent[0] == pytest.approx(after.thickness, rel=1e-12)
    # Growth under the press comes on top of that before.
    grown = after.particles.volumes.sum() / before.particles.volumes.sum()
    assert after.growth[0] / before.growth[0] == pytest.approx(grown ** (1 / 3))
    assert before.calendered(0.0).micro.shape == before.micro.shape


def test_hard_particles_only_move():
    packing = packed_particles(48, 1.0, ParticleType((8.0, 2.0)), 0.4, seed=2)
    pressed = calendered(packing, 0.2)
    assert np.array_equal(pressed.semi_axes, packing.semi_axes)
    assert pressed.volume_fraction == pytest.approx(0.5, rel=1e-9)
    # 40 % pressed to 50 % is below the jam: particles find room.
    radii = pressed.semi_axes[:, 0]
    apart = pressed.centres[:, None] - pressed.centres
    apart -= pressed.extent * np.round(apart / pressed.extent)
    distance = np.linalg.norm(apart, axis=-1)[np.triu_indices(len(radii), 1)]
    touching = (radii[:, None] + radii)[np.triu_indices(len(radii), 1)]
    assert np.max(1 - distance / touching) < 0.05 + 1e-9


@pytest.mark.parametrize("flattening", [0.5, 1.0])
def test_a_flattened_sphere_is_the_exact_spheroid(flattening):
    pressed = calendered(alone([5.0] * 3, [1.0, 0.4, 0.2]), 0.3, flattening)
    flat = 0.7**flattening
    assert pressed.semi_axes[0] == pytest.approx([5 * flat, 5 * flat**-0.5, 5 * flat**-0.5])
    assert abs(pressed.orientations[0, 0, 0]) == pytest.approx(1.0)
    assert pressed.volumes == pytest.approx(alone([5.0] * 3, [1.0, 0, 0.1]).volumes)


def test_an_ellipsoid_that_deforms_with_the_electrode_is_the_exact_image():
    before = alone([2.0, 4.0, 6.0], [1.0, 1.0, 0.3])
    after = calendered(before, 0.3, 1.0)
    change = np.diag([0.7, 0.7**-0.5, 0.7**-0.5])

    def shape(p):
        return p.orientations[0] @ np.diag(p.semi_axes[0] ** 2) @ p.orientations[0].T

    assert shape(after) == pytest.approx(change @ shape(before) @ change, rel=1e-9)


@pytest.mark.parametrize("form", ["polyhedron", "irregular"])
def test_bodies_deform_with_the_electrode(form):
    body = bodies_of(form, 12, 0.1, np.random.default_rng(0))[0]
    before = alone([3.0, 4.0, 5.0], [1.0, 0.5, 0.3], body)
    after = calendered(before, 0.3, 1.0)
    change = np.array([0.7, 0.7**-0.5, 0.7**-0.5])

    def corners(p):
        return (p.bodies[p.body[0]].hull * p.semi_axes[0]) @ p.orientations[0].T

    assert corners(after) == pytest.approx(corners(before) * change, rel=1e-9)


@pytest.mark.parametrize("ratio", [0.2, 5.0])
def test_rigid_particles_tilt_as_jeffery_says(ratio):
    # Plane strain of a spheroid: tan(t) of its axis against z follows exp(-b * strain) with
    # b = (r^2 - 1) / (r^2 + 1) and the strain ln(0.7) along z alone.
    axis = np.array([1.0, 0.8, 0.0])
    pressed = calendered(alone([ratio, 1.0, 1.0], axis), 0.3)
    shape_factor = (ratio**2 - 1) / (ratio**2 + 1)
    z, y, x = pressed.orientations[0, :, 0]
    expected = 0.8 * np.exp(-shape_factor * np.log(0.7))
    assert abs(y / z) == pytest.approx(expected, rel=2e-3)
    assert x == pytest.approx(0.0, abs=1e-9)
    # Flat particles turn their axis towards z, rods away from it.
    assert (abs(y / z) < 0.8) == (ratio < 1)


def test_plates_lie_down_and_thin_out():
    kind = ParticleType((7.0, 1.0), "plate", 0.3)
    packing = packed_particles(56, 1.0, kind, 0.3, seed=1, overlap_tolerance=0.05)
    pressed = calendered(packing, 0.3, 0.5)
    assert pressed.order_parameter("z") > packing.order_parameter("z") + 0.1
    assert pressed.volumes == pytest.approx(packing.volumes, rel=1e-9)
    flat = pressed.semi_axes[:, 0] / pressed.semi_axes[:, 1]
    assert flat.mean() < 0.3


def test_boxes_thinner_than_their_particles_are_refused():
    walled = packed_particles(
        (28, 60, 60), 1.0, ParticleType(22.0), 0.3, 1, 0.05, (False, True, True)
    )
    with pytest.raises(ValueError, match="less strain"):
        calendered(walled, 0.4)


def test_plates_stay_flat():
    lying_across = alone([4.5, 5.0, 5.0], [0.0, 1.0, 0.2], bodies_of("plate", 0, 0, None)[0])
    pressed = calendered(lying_across, 0.5, 1.0)
    assert np.all(pressed.semi_axes[:, 0] < pressed.semi_axes[:, 1])
    assert pressed.volumes == pytest.approx(lying_across.volumes)


def test_bad_arguments_are_named():
    packing = packed_particles(32, 1.0, ParticleType(8.0), 0.3)
    with pytest.raises(ValueError, match=r"strain 0\.9"):
        calendered(packing, 0.9)
    with pytest.raises(ValueError, match="leaves no pore"):
        electrode(48, porosity=0.2).calendered(0.25)

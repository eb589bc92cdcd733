from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.ndimage import distance_transform_edt

from microtwin import Microstructure
from microtwin.generation import Particles as Spheres
from microtwin.generation import ParticleType, packed_particles, paint
from microtwin.imaging import read_microstructure, separate_particles
from real_images import real_image

EDGE = 4e-7


def image_of(owner, voxel_size=EDGE):
    return Microstructure((owner > 0).astype(np.uint8), voxel_size, {"pore": 0, "active": 1})


def two_spheres(distance, radii, shape=(60, 60, 100), axis=(0.0, 0.0, 1.0)):
    """Two spheres whose centres are so many voxels apart, along an axis; in voxels."""
    axis = np.array(axis) / np.linalg.norm(axis)
    middle = np.array(shape) / 2
    centres = np.stack([middle - 0.5 * distance * axis, middle + 0.5 * distance * axis])
    extent = tuple(n * EDGE for n in shape)
    spheres = Spheres(centres * EDGE, np.array(radii) * EDGE, extent, (False, False, False))
    return paint(spheres, shape)


def agreement(found, owner):
    """Share of the voxels whose particle is the one that most of its sphere has become."""
    inside = owner > 0
    pairs = owner[inside].astype(np.int64) << 32 | found[inside]
    keys, counts = np.unique(pairs, return_counts=True)
    best = {}
    for key, count in zip(keys, counts, strict=True):
        best[key >> 32] = max(best.get(key >> 32, 0), count)
    return sum(best.values()) / inside.sum()


@pytest.mark.parametrize(
    ("solid_fraction", "overlap", "deviation"),
    [(0.3, 0.01, 1.5e-6), (0.5, 0.01, 0.0), (0.55, 0.05, 1.5e-6), (0.5, 0.1, 1.5e-6)],
)
def test_packed_spheres_are_found_again(solid_fraction, overlap, deviation):
    kind = ParticleType((6e-6, deviation))
    spheres = packed_particles(80, EDGE, kind, solid_fraction, 1, overlap, periodic=False)
    owner = paint(spheres, 80)
    found = separate_particles(image_of(owner), "active")
    assert found.count == len(spheres)
    assert np.array_equal(found.labels > 0, owner > 0)
    # The voxels of a neck are the few that may change sides.
    assert agreement(found.labels, owner) > 0.995
    # Overlaps belong to one sphere only; a diameter of 15 voxels is digitised to about 0.5 %.
    diameters = np.sort(found.equivalent_diameters)[::-1]
    assert diameters == pytest.approx(spheres.diameters, rel=0.03 if overlap < 0.1 else 0.06)
    assert not found.touches_border.all()


def test_the_result_is_that_of_markers_and_a_flooding():
    from skimage.feature import peak_local_max
    from skimage.segmentation import watershed

    spheres = packed_particles(
        64, EDGE, ParticleType((6e-6, 1e-6)), 0.5, 2, overlap_tolerance=0.05, periodic=False
    )
    owner = paint(spheres, 64)
    depth = distance_transform_edt(owner > 0)
    markers = np.zeros(owner.shape, np.int32)
    peaks = peak_local_max(depth, min_distance=4, labels=(owner > 0).astype(int))
    markers[tuple(peaks.T)] = np.arange(1, len(peaks) + 1)
    flooded = watershed(-depth, markers, mask=owner > 0)
    found = separate_particles(image_of(owner), "active")
    assert found.count == len(peaks)
    assert agreement(found.labels, flooded) > 0.99


@pytest.mark.parametrize("axis", [(0, 0, 1), (0, 1, 1), (1, 2, 3)])
@pytest.mark.parametrize("radii", [(20, 20), (22, 15)])
def test_the_contact_of_two_spheres_is_a_disc(axis, radii):
    distance = 30.0
    owner = two_spheres(distance, radii, axis=axis)
    found = separate_particles(image_of(owner), "active")
    assert found.count == 2
    assert found.contacts.tolist() == [[1, 2]]
    a, b = radii
    along = (distance**2 + a**2 - b**2) / (2 * distance)
    area = np.pi * (a**2 - along**2) * EDGE**2
    # The voxels on either side of the contact are half a voxel away from it, where the spheres are
    # wider: by 8 % of the area for equal ones. Between unequal ones the watershed follows the
    # ridges of the distance, not quite the plane.
    assert found.contact_areas[0] == pytest.approx(area, rel=0.12)


def test_the_neck_decides_and_the_depth_sets_how():
    # Radii of 20 and a neck of radius 17.3, narrower by 13 %.
    image = image_of(two_spheres(20.0, (20, 20)))
    assert separate_particles(image, "active", minimum_depth=0.1).count == 2
    assert separate_particles(image, "active", minimum_depth=0.2).count == 1


@given(st.integers(3, 10), st.floats(0, 0.5))
@settings(max_examples=20)
def test_one_sphere_is_one_particle(radius, shift):
    shape = (26, 27, 28)
    centre = np.array([[13 + shift, 13.5, 14 - shift]]) * EDGE
    extent = tuple(n * EDGE for n in shape)
    owner = paint(Spheres(centre, np.array([radius * EDGE]), extent, (False,) * 3), shape)
    found = separate_particles(image_of(owner), "active", minimum_depth=0.0)
    assert found.count == 1
    assert found.volumes[0] == pytest.approx((owner > 0).sum() * EDGE**3, rel=1e-12)
    # The centre of the voxels scatters by parts of a voxel.
    assert found.centroids[0] == pytest.approx(centre[0], abs=0.3 * EDGE)
    assert found.contacts.shape == (0, 2)


def test_a_rod_and_a_plate_are_one_particle():
    labels = np.zeros((20, 40, 40), np.uint8)
    labels[3:6, 5:8, 2:38] = 1
    labels[10:13, 2:38, 2:38] = 1
    found = separate_particles(Microstructure(labels, EDGE, {"pore": 0, "active": 1}), "active")
    assert found.count == 2
    assert found.volumes == pytest.approx(np.array([3 * 36 * 36, 3 * 3 * 36]) * EDGE**3)
    assert not found.touches_border.any()


def test_voxels_of_three_edges():
    # The same two spheres on voxels twice as long along z.
    owner = two_spheres(30.0, (20, 20), shape=(120, 60, 80))[::2]
    found = separate_particles(image_of(owner, (2 * EDGE, EDGE, EDGE)), "active")
    assert found.count == 2
    area = np.pi * (20**2 - 15**2) * EDGE**2
    # As on voxels of equal edges.
    assert found.contact_areas[0] == pytest.approx(area, rel=0.12)
    assert found.centroids[:, 0] == pytest.approx([60 * EDGE] * 2, abs=EDGE)
    volume = 4 / 3 * np.pi * 20**3 * EDGE**3
    cap = np.pi / 3 * 5**2 * (3 * 20 - 5) * EDGE**3
    assert found.volumes == pytest.approx([volume - cap] * 2, rel=0.01)


def test_particles_are_numbered_by_size_and_know_the_border():
    labels = np.zeros((12, 12, 30), np.uint8)
    labels[4:7, 4:7, 0:4] = 1  # reaches the face x = 0
    labels[4:8, 4:8, 10:16] = 1
    labels[5, 5, 22] = 1
    found = separate_particles(Microstructure(labels, EDGE, {"pore": 0, "active": 1}), "active")
    assert found.volumes == pytest.approx(np.array([96, 36, 1]) * EDGE**3)
    assert found.touches_border.tolist() == [False, True, False]
    assert found.centroids[2] == pytest.approx(np.array([5.5, 5.5, 22.5]) * EDGE)
    assert found.equivalent_diameters[2] == pytest.approx(np.cbrt(6 / np.pi) * EDGE)
    assert found.labels.dtype == np.int32
    assert not found.labels.flags.writeable


def test_what_is_not_allowed():
    micro = image_of(two_spheres(30.0, (20, 20)))
    with pytest.raises(ValueError, match="phase 'binder' is not in this microstructure"):
        separate_particles(micro, "binder")
    with pytest.raises(ValueError, match="minimum depth 1 is not allowed"):
        separate_particles(micro, "active", minimum_depth=1)
    empty = Microstructure(np.zeros((4, 4, 4), np.uint8), EDGE, {"pore": 0, "active": 1})
    with pytest.raises(ValueError, match="phase 'active' has no voxel, so it has no particles"):
        separate_particles(empty, "active")
    with pytest.raises(ValueError, match="phase 'pore' fills the whole image"):
        separate_particles(empty, "pore")


def test_a_real_cathode():
    micro = read_microstructure(
        real_image("nmc-cbd/nmc-1-cal_generatedCBD_bridge.tif"),
        398e-9,
        {"pore": 0, "active": 1, "binder": 2},
    ).crop(slice(120), slice(150), slice(150))
    found = separate_particles(micro, "active")
    whole = ~found.touches_border
    # No published count: the median by volume of particles of this kind is about 10 um, and
    # splinters hold next to nothing.
    order = np.argsort(found.equivalent_diameters[whole])
    share = np.cumsum(found.volumes[whole][order]) / found.volumes[whole].sum()
    median = found.equivalent_diameters[whole][order][np.searchsorted(share, 0.5)]
    assert 7e-6 < median < 14e-6
    assert found.volumes[found.equivalent_diameters < 2e-6].sum() < 0.002 * found.volumes.sum()
    assert found.volumes.sum() == pytest.approx(
        micro.volume_fraction("active") * micro.labels.size * 398e-9**3, rel=1e-12
    )

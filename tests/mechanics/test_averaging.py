from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import microtwin as mt
from microtwin.mechanics import averaged_stress, maximum_principal, phase_distributions, von_mises

WINDOWS = ("ball", "box", "gaussian")
EDGE = 1e-6


def random_case(seed, shape=(7, 9, 8)):
    rng = np.random.default_rng(seed)
    mask = rng.random(shape) < 0.5
    mask[0, 0, 0] = True
    return rng.normal(size=(6, *shape)), mask


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 1000), st.sampled_from(WINDOWS), st.booleans(), st.floats(1.0, 12.0))
def test_an_even_stress_stays_even(seed, window, periodic, length):
    """Whatever the shape of the phase: void does not dilute, nor do faces of the image."""
    _, mask = random_case(seed)
    even = np.arange(1.0, 7.0).reshape(6, 1, 1, 1) * np.where(mask, 1.0, 50.0)
    found = averaged_stress(even, mask, length * EDGE, EDGE, window=window, periodic=periodic)
    np.testing.assert_allclose(found[:, mask], even[:, mask], rtol=1e-9)
    assert (found[:, ~mask] == 0.0).all()


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 1000), st.sampled_from(WINDOWS))
def test_nothing_is_averaged_beyond_the_extremes(seed, window):
    stress, mask = random_case(seed)
    found = averaged_stress(stress, mask, 3.3 * EDGE, EDGE, window=window)[:, mask]
    inside = stress[:, mask]
    assert (found.max(axis=1) <= inside.max(axis=1) + 1e-12).all()
    assert (found.min(axis=1) >= inside.min(axis=1) - 1e-12).all()


@pytest.mark.parametrize("periodic", [False, True])
def test_a_box_is_the_mean_of_its_voxels(periodic):
    """Done by hand: three voxels along each axis, and half voxels at the ends of a longer box."""
    stress, mask = random_case(5)
    found = averaged_stress(stress, mask, 3.0 * EDGE, EDGE, window="box", periodic=periodic)
    at = (3, 4, 5)
    assert mask[at]
    part = tuple(slice(i - 1, i + 2) for i in at)
    inside = mask[part]
    np.testing.assert_allclose(found[:, *at], stress[:, *part][:, inside].mean(axis=1), rtol=1e-9)
    found = averaged_stress(stress, mask, 4.0 * EDGE, EDGE, window="box", periodic=periodic)
    w = np.array([0.5, 1.0, 1.0, 1.0, 0.5])
    part = tuple(slice(i - 2, i + 3) for i in at)
    weights = w[:, None, None] * w[:, None] * w * mask[part]
    expected = (stress[:, *part] * weights).sum(axis=(1, 2, 3)) / weights.sum()
    np.testing.assert_allclose(found[:, *at], expected, rtol=1e-9)


def test_over_the_whole_period_all_is_the_mean():
    stress, mask = random_case(2)
    found = averaged_stress(stress, mask, 72.0 * EDGE, EDGE, window="gaussian", periodic=True)
    np.testing.assert_allclose(
        found[:, mask], stress[:, mask].mean(axis=1, keepdims=True) * np.ones(mask.sum()), atol=1e-4
    )


def test_partly_filled_voxels_count_by_their_share():
    stress = np.zeros((6, 3, 3, 3))
    stress[0, 1, 1, 1], stress[0, 1, 1, 2] = 1.0, 4.0
    shares = np.zeros((3, 3, 3))
    shares[1, 1, 1], shares[1, 1, 2] = 1.0, 0.5
    found = averaged_stress(stress, shares, 3.0 * EDGE, EDGE, window="box")
    assert found[0, 1, 1, 1] == pytest.approx((1.0 + 0.5 * 4.0) / 1.5)


def test_one_voxel_is_left_as_it_is():
    stress, mask = random_case(3)
    found = averaged_stress(stress, mask, EDGE, EDGE)
    np.testing.assert_array_equal(found[:, mask], stress[:, mask])


def test_a_ball_has_the_same_length_along_all_axes():
    """On voxels that are no cubes: the spread of a point is a fifth of the square of the radius."""
    edges = np.array([0.5, 1.0, 0.25]) * EDGE
    shape = (33, 17, 65)
    stress = np.zeros((6, *shape))
    middle = tuple(n // 2 for n in shape)
    stress[0, *middle] = 1.0
    for window in ("ball", "gaussian"):
        found = averaged_stress(
            stress, np.ones(shape, bool), 6e-6, edges, window=window, periodic=True
        )[0]
        for axis in range(3):
            line = found.sum(axis=tuple(a for a in range(3) if a != axis))
            way = (np.arange(shape[axis]) - middle[axis]) * edges[axis]
            variance = float((line * way**2).sum() / line.sum())
            # A voxel adds its own, edge^2 / 12; the tails of the Gaussian are cut.
            assert variance == pytest.approx(36e-12 / 20.0, rel=0.05, abs=0.0)


def crack_tip(count):
    """Means over voxels of a stress that grows as r^-1/2 towards a line along z, in a unit cube."""
    fine = 4
    place = (np.arange(count * fine) + 0.5) / (count * fine) - 0.5
    radius = np.sqrt(place[:, None] ** 2 + place**2)
    plane = (radius**-0.5).reshape(count, fine, count, fine).mean(axis=(1, 3))
    stress = np.zeros((6, 9, count, count))
    stress[0] = plane
    return stress


def test_peaks_of_a_singular_field_grow_but_not_those_of_its_averages():
    maxima, averaged, high = [], [], []
    for count in (32, 64):
        stress = crack_tip(count)
        maxima.append(stress[0].max())
        solid = np.ones(stress.shape[1:], bool)
        edges = (0.05, 1.0 / count, 1.0 / count)
        small = averaged_stress(stress, solid, 0.25, edges)[0, 4]
        averaged.append(small.max())
        high.append(np.quantile(small, 0.99))
    assert maxima[1] / maxima[0] == pytest.approx(np.sqrt(2.0), rel=0.01)
    assert averaged[1] / averaged[0] == pytest.approx(1.0, abs=0.02)
    assert high[1] / high[0] == pytest.approx(1.0, abs=0.02)


def coated_ball(count):
    z = (np.arange(count) + 0.5) / count - 0.5
    distance = np.sqrt(z[:, None, None] ** 2 + z[:, None] ** 2 + z**2)
    labels = np.where(distance < 0.25, 2, np.where(distance < 0.4, 1, 0)).astype(np.uint8)
    micro = mt.Microstructure(labels, 1e-6 / count, {"void": 0, "shell": 1, "core": 2})
    solids = {
        "core": mt.mechanics.isotropic(100e9, 0.25),
        "shell": mt.mechanics.isotropic(20e9, 0.3),
    }
    return micro, mt.mechanics.solve_swelling(micro, solids, {"core": 0.01}, tol=1e-3)


def test_averages_of_two_grids_agree_where_peaks_do_not():
    """A core that swells in its shell, on voxels of a 16th and a 32nd of the image."""
    peaks, averaged, above = [], [], []
    for count in (16, 32):
        micro, found = coated_ball(count)
        core = micro.mask("core")
        within = averaged_stress(found.stress, core, 0.2e-6, micro.voxel_size)[:, core]
        peaks.append(von_mises(found.stress[:, core]).max())
        averaged.append(von_mises(within).max())
        tables = phase_distributions(
            micro, found.stress, ["shell"], length=0.125e-6, shares=(0.5, 0.95)
        )
        above.append(tables["shell"].percentiles[0.95])
    # In a core by itself there is no shear: what the staircase makes stays at its corners.
    assert averaged[0] < 0.6 * peaks[0] and averaged[1] < 0.6 * peaks[1]
    assert above[1] / above[0] == pytest.approx(1.0, abs=0.1)


def test_edges_of_a_stiff_cube_are_no_worse_on_smaller_voxels():
    """Stress is singular at its edges: peaks on voxels half as large are half as high again."""
    peaks, averaged = [], []
    for count in (16, 32):
        labels = np.zeros((count,) * 3, np.uint8)
        labels[(slice(count // 4, 3 * count // 4),) * 3] = 1
        micro = mt.Microstructure(labels, 1e-6 / count, {"soft": 0, "stiff": 1})
        solids = {
            "soft": mt.mechanics.isotropic(1e9, 0.3),
            "stiff": mt.mechanics.isotropic(100e9, 0.25),
        }
        found = mt.mechanics.solve_swelling(
            micro, solids, {"stiff": 0.01}, tol=1e-4, interface="voxel"
        )
        soft = micro.mask("soft")
        peaks.append(von_mises(found.stress[:, soft]).max())
        table = phase_distributions(micro, found.stress, ["soft"], length=0.125e-6, periodic=True)
        averaged.append(table["soft"].percentiles[0.99])
    assert peaks[1] > 1.4 * peaks[0]
    assert averaged[1] == pytest.approx(averaged[0], rel=0.1)


def test_elsewhere_it_is_wanted_it_is_the_phase_nearby_or_nan():
    stress = np.zeros((6, 5, 5, 9))
    stress[0, :, :, :3] = 1e6
    solid = np.zeros((5, 5, 9), bool)
    solid[:, :, :3] = True
    at = np.zeros_like(solid)
    at[2, 2, [3, 8]] = True
    found = averaged_stress(stress, solid, 3e-6, EDGE, at=at)
    assert found[0, 2, 2, 3] == pytest.approx(1e6)
    assert np.isnan(found[0, 2, 2, 8]) and found[0, 2, 2, 0] == 0.0


def test_single_precision_stays_so():
    stress, mask = random_case(4)
    found = averaged_stress(stress.astype(np.float32), mask, 3e-6, EDGE)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, averaged_stress(stress, mask, 3e-6, EDGE), atol=1e-4)
    assert maximum_principal(found).dtype == np.float32


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"length": 0.0}, "length 0.0 is not allowed"),
        ({"length": -1e-6}, "length -1e-06 is not allowed"),
        ({"length": 0.5e-6}, "shorter than the edge of a voxel"),
        ({"weights": np.zeros((4, 4, 4), bool)}, "no voxel counts"),
        ({"weights": np.ones((4, 4), bool)}, "do not fit values of shape"),
        ({"weights": -np.ones((4, 4, 4))}, "negative or not finite"),
        ({"stress": np.zeros((4, 4, 4))}, "give shape \\(6, nz, ny, nx\\)"),
        ({"voxel_size": (1e-6, 1e-6)}, "give one length or three"),
        ({"window": "cube"}, "window 'cube' is not known"),
        ({"at": np.ones((4, 4), bool)}, "a mask of shape \\(4, 4\\)"),
    ],
)
def test_what_does_not_fit_is_refused(change, words):
    given_ = {
        "stress": np.zeros((6, 4, 4, 4)),
        "weights": np.ones((4, 4, 4), bool),
        "length": 2e-6,
        "voxel_size": EDGE,
        **change,
    }
    with pytest.raises(ValueError, match=words):
        averaged_stress(**given_)

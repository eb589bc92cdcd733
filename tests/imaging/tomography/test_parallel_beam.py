from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.fft import next_fast_len

from microtwin.imaging import filtered_back_projection, project
from microtwin.imaging.tomography.parallel_beam import angle_weights, ramp_filter
from projected_disks import DISKS, inside, pictured, projected


def half_turn(views):
    return np.arange(views) * np.pi / views


def covered_disk(n, x, y, radius, parts=8):
    """Share of each pixel of a slice of n x n that a disk covers, by parts^2 points in each."""
    fine = (np.arange(n * parts) + 0.5) / parts - n / 2
    points = (fine[None, :] - x) ** 2 + (fine[:, None] - y) ** 2 < radius**2
    return points.reshape(n, parts, n, parts).mean(axis=(1, 3))


def smooth_spots(n):
    """A slice of three Gaussian spots; nothing in it is finer than six pixels."""
    y, x = np.mgrid[:n, :n] - (n - 1) / 2
    spots = [(0, 0, 9, 1.0), (12, -8, 4, 2.0), (-14, 10, 6, 0.5)]
    return sum(a * np.exp(-((x - u) ** 2 + (y - v) ** 2) / (2 * s**2)) for u, v, s, a in spots)


def test_line_integrals_of_a_disk_are_its_chords():
    angles, columns = half_turn(12), 141
    x, y, radius = 7.3, -4.6, 30.0
    lines = project(covered_disk(100, x, y, radius)[None], angles, columns=columns)[0]
    s = np.arange(columns) - 70.0 - (x * np.cos(angles) + y * np.sin(angles))[:, None]
    chords = 2 * np.sqrt(np.maximum(radius**2 - s**2, 0))
    far = np.abs(np.abs(s) - radius) > 3
    # Either end of a chord is known to a fraction of a pixel.
    assert_allclose(lines[far], chords[far], atol=0.5)
    assert np.sqrt(np.mean((lines[far] - chords[far]) ** 2)) < 0.1
    # Outside of the disk there is nothing at all.
    assert_array_equal(lines[np.abs(s) > radius + 2], 0)


def test_a_projection_has_the_sum_of_its_slice():
    volume = np.stack([smooth_spots(64), covered_disk(64, 3, 2, 20)])
    lines = project(volume, half_turn(17))
    sums = lines.sum(axis=2)
    # The step along a ray and the distance of rays make one pixel area together, on average
    # over the places where rays cross a grid line: exact for the smooth slice.
    assert_allclose(sums[0], volume[0].sum(), rtol=1e-5)
    assert_allclose(sums[1], volume[1].sum(), rtol=2e-3)


def test_rays_along_the_axes_add_up_rows_and_columns():
    volume = np.random.default_rng(0).random((3, 5, 8)).astype(np.float32)
    along_y, along_x = np.moveaxis(project(volume, [0.0, np.pi / 2], columns=8), 1, 0)
    # At 0 the ray of column s is x = s - 3.5, at 90 degrees y = s - 3.5.
    assert_allclose(along_y, volume.sum(axis=1), rtol=1e-5)
    # Eight columns over five rows: rays halfway between two rows take half of both.
    ends = np.pad(volume.sum(axis=2), ((0, 0), (2, 2)))
    assert_allclose(along_x, (ends[:, 1:] + ends[:, :-1]) / 2, rtol=1e-5)


def test_a_smooth_slice_comes_back_the_better_the_more_views():
    truth = smooth_spots(64)
    errors = []
    for views in (12, 36, 108):
        angles = half_turn(views)
        found = filtered_back_projection(project(truth[None], angles), angles, shape=(64, 64))[0]
        errors.append(np.sqrt(np.mean((found - truth) ** 2)) / truth.max())
    assert errors[0] > 3 * errors[1]
    # What remains with views enough is linear interpolation between columns, twice: a second
    # difference of a spot of 4 pixels, 1 / (8 * 16) of its height at most.
    assert errors[1] < 6e-3
    assert errors[2] < 4e-3


def test_disks_from_exact_integrals_with_an_axis_off_the_middle():
    angles, centre, edge = half_turn(360), 130.8, 150
    lines = np.moveaxis(projected(DISKS, angles, 256, centre, 1), 1, 0)
    found = filtered_back_projection(lines, angles, centre=centre, shape=(edge, edge))[0]
    truth = pictured(DISKS, edge)
    for disk in DISKS:
        core = inside(disk, edge, 4.0)
        # Away from the rims, where the filter rings.
        assert np.median(found[core] / truth[core]) == pytest.approx(1, abs=4e-3)
    # A wrong axis puts arcs in their place.
    wrong = filtered_back_projection(lines, angles, centre=centre + 4, shape=(edge, edge))[0]
    assert np.std(wrong - truth) > 1.5 * np.std(found - truth)


def test_views_in_any_order_and_over_a_whole_turn_give_the_same_slice():
    truth = smooth_spots(48)
    angles = half_turn(60)
    lines = project(truth[None], angles)
    once = filtered_back_projection(lines, angles)
    order = np.random.default_rng(1).permutation(60)
    mixed = filtered_back_projection(lines[:, order], angles[order])
    # Sums in single precision in another order.
    assert_allclose(mixed, once, atol=1e-5)
    turn = np.arange(120) * np.pi / 60
    assert_allclose(filtered_back_projection(project(truth[None], turn), turn), once, atol=2e-5)


def test_by_default_the_slice_is_the_square_that_all_views_see():
    lines = np.zeros((2, 4, 101), np.float32)
    assert filtered_back_projection(lines, half_turn(4)).shape == (2, 70, 70)
    assert filtered_back_projection(lines, half_turn(4), centre=20.0).shape == (2, 28, 28)
    assert filtered_back_projection(lines, half_turn(4), centre=0.0).shape == (2, 2, 2)


def test_blocks_of_slices_do_not_matter():
    # 16 slices pass through the kernels together: 19 are a full block and a part.
    volume = np.random.default_rng(2).random((19, 20, 20)).astype(np.float32)
    angles = half_turn(30)
    lines = project(volume, angles)
    assert_array_equal(lines[17:18], project(volume[17:18], angles))
    back = filtered_back_projection(lines, angles)
    # The compiler may order vectors of one and of three slices in different ways.
    assert_allclose(back[17:18], filtered_back_projection(lines[17:18], angles), atol=1e-6)


@pytest.mark.parametrize("columns", [16, 101])
def test_the_ramp_filter_is_the_transform_of_its_closed_form(columns):
    response = ramp_filter(columns)
    padded = next_fast_len(2 * columns, real=True)
    frequency = np.arange(padded // 2 + 1) / padded
    n = np.arange(1, padded // 2 + 1, 2)
    closed = 0.25 - 2 / np.pi**2 * (np.cos(2 * np.pi * np.outer(frequency, n)) / n**2).sum(1)
    # Single precision.
    assert_allclose(response, closed, atol=1e-6)
    # The ramp itself but at zero, where the band-limited one keeps 2 / (pi^2 N) of a constant.
    # It ends after half a row, which makes ripples of that size elsewhere, the largest at the end.
    assert_allclose(response[1:-1], frequency[1:-1], atol=0.4 / padded**1.5 + 1e-4)
    assert response[0] == pytest.approx(2 / (np.pi**2 * padded), rel=0.05)


def test_the_hann_window_ends_at_nothing_and_halves_the_middle():
    sharp, soft = ramp_filter(64), ramp_filter(64, "hann")
    middle = len(sharp) // 2
    assert soft[middle] == pytest.approx(sharp[middle] / 2, rel=0.02)
    assert soft[-1] == pytest.approx(0, abs=1e-6)
    assert soft[1] == pytest.approx(sharp[1], rel=1e-3)


def test_hann_lowers_noise():
    noise = np.random.default_rng(3).standard_normal((1, 90, 101))
    deviations = [
        filtered_back_projection(noise, half_turn(90), filter=name).std()
        for name in ("ramp", "hann")
    ]
    # Mean squares of the ramp and of the windowed ramp: 1/12 against 0.0113.
    assert deviations[1] / deviations[0] == pytest.approx(0.4, abs=0.1)


@pytest.mark.parametrize(
    "angles",
    [
        half_turn(7),
        np.sort(np.random.default_rng(4).uniform(0, np.pi, 31)),
        np.random.default_rng(5).uniform(-7, 7, 40),
        np.arange(20) * 2 * np.pi / 20,
        [0.3],
        [0.0, np.pi, 2 * np.pi, 0.5],
    ],
    ids=["even", "uneven", "any", "whole turn", "one", "the same ones"],
)
def test_weights_of_angles_add_up_to_half_a_turn(angles):
    weights = angle_weights(angles)
    assert (weights > 0).all()
    assert weights.sum(dtype=float) == pytest.approx(np.pi, rel=1e-6)


def test_weights_are_the_gaps_around_each_direction():
    assert_allclose(angle_weights([0.0, 0.2, 1.0]), [(np.pi - 1 + 0.2) / 2, 0.5, (np.pi - 0.2) / 2])
    # Opposite views are the same: they share.
    assert_allclose(angle_weights([0.0, np.pi, np.pi / 2]), [np.pi / 4, np.pi / 4, np.pi / 2])


def test_refusals():
    lines = np.zeros((1, 4, 10), np.float32)
    with pytest.raises(ValueError, match=r"volume has shape \(4, 4\); three axes \(rows, ny, nx\)"):
        project(np.zeros((4, 4)), [0.0])
    with pytest.raises(ValueError, match=r"angles of shape \(0,\) are not allowed"):
        project(np.zeros((2, 4, 4)), [])
    with pytest.raises(ValueError, match="list of finite angles in radians"):
        project(np.zeros((2, 4, 4)), [0.0, np.nan])
    with pytest.raises(ValueError, match=r"array of sinograms has shape \(10, 4\); three axes"):
        filtered_back_projection(np.zeros((10, 4)), [0.0])
    with pytest.raises(ValueError, match="4 projections and 3 angles; give one angle for each"):
        filtered_back_projection(lines, half_turn(3))
    with pytest.raises(ValueError, match="axis at column 10 is off the detector of 10 columns"):
        filtered_back_projection(lines, half_turn(4), centre=10.0)
    with pytest.raises(ValueError, match="filter 'cosine' is not known; use 'ramp' or 'hann'"):
        filtered_back_projection(lines, half_turn(4), filter="cosine")

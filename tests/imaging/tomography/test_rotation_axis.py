from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose

from microtwin.imaging.tomography.rotation_axis import (
    angular_range,
    extended_view,
    find_axis,
    is_full_turn,
    is_truncated,
    opposite_difference,
)
from projected_disks import DISKS, projected

HALF = np.arange(360) * np.pi / 360
TURN = np.arange(720) * np.pi / 360
WIDE = (
    (0, 0, 200, 0.002),
    (120, 30, 20, 0.01),
    (-60, -110, 30, 0.005),
    (10, 20, 9, 0.01),
)


def sinograms(disks, angles, centre, noise=0.0, columns=256):
    clean = np.moveaxis(projected(disks, angles, columns, centre), 1, 0)
    return (clean + noise * np.random.default_rng(1).standard_normal(clean.shape)).astype(
        np.float32
    )


@pytest.mark.parametrize("centre", [115.37, 127.5, 130.8])
@pytest.mark.parametrize("angles", [HALF, TURN], ids=["half", "turn"])
@pytest.mark.parametrize("noise", [0.0, 0.01])
def test_axis_is_found_within_a_tenth_of_a_pixel(centre, angles, noise):
    found = find_axis(sinograms(DISKS, angles, centre, noise), angles)
    assert found.column == pytest.approx(centre, abs=0.1)
    assert found.method == ("overlap" if angles is TURN else "negativity")


def test_order_of_the_views_does_not_matter():
    order = np.random.default_rng(0).permutation(360)
    found = find_axis(sinograms(DISKS, HALF[order], 121.2), HALF[order])
    assert found.column == pytest.approx(121.2, abs=0.25)


def test_axis_by_the_sinogram_and_its_mirror_image():
    found = find_axis(sinograms(DISKS, HALF, 121.2), HALF, "vo")
    assert found.column == pytest.approx(121.2, abs=0.25)
    # The sample wider than the detector has no air around it.
    truncated = sinograms(((0, 0, 180, 0.004), *DISKS), HALF, 124.4)
    found = find_axis(truncated, HALF)
    assert found.method == "vo"
    assert found.column == pytest.approx(124.4, abs=0.25)


def test_axis_by_phase_correlation():
    found = find_axis(sinograms(DISKS, TURN, 121.2), TURN, "phase")
    assert found.column == pytest.approx(121.2, abs=0.25)
    # Of half a turn, one pair of views a step short of opposite is all there is.
    found = find_axis(sinograms(DISKS, HALF, 121.2), HALF, "phase")
    assert found.column == pytest.approx(121.2, abs=0.5)


@pytest.mark.parametrize("centre", [228.3, 25.6])
def test_axis_near_an_edge(centre):
    found = find_axis(sinograms(WIDE, TURN, centre, 0.005), TURN, extended=True)
    assert found.column == pytest.approx(centre, abs=0.25)


@pytest.mark.parametrize("centre", [228.3, 25.6, 200.0])
def test_joined_views_are_those_of_a_wider_detector(centre):
    views = sinograms(WIDE, TURN, centre)
    wide, angles, column = extended_view(views, TURN, centre)
    expected = sinograms(WIDE, angles, column, columns=wide.shape[2])
    # The last column lies beyond what the other half has seen.
    assert_allclose(angles - angles[0], HALF, atol=1e-12)
    assert wide.shape[2] > 2 * max(centre, 255 - centre)
    # Cubic splines round the square roots at the rims of the disks off, nothing else.
    error = np.abs(wide - expected)[:, :, :-1]
    assert np.sqrt(np.mean(error**2)) < 2e-3
    assert np.median(error) < 1e-5


def test_truncated_sample_is_noticed():
    assert is_truncated(sinograms(((0, 0, 180, 0.004), *DISKS), HALF, 127.5))
    assert not is_truncated(sinograms(DISKS, HALF, 127.5, 0.02))


def test_opposite_views_agree_about_the_axis_only():
    views = sinograms(DISKS, TURN, 127.5)
    assert opposite_difference(views, TURN, 127.5) < 1e-5
    assert opposite_difference(views, TURN, 129.5) > 0.1
    # Half a turn holds one pair, a step short of opposite.
    half = sinograms(DISKS, HALF, 127.5)
    assert opposite_difference(half, HALF, 127.5) < 0.02


def test_angles_that_views_cover():
    assert angular_range(HALF) == pytest.approx(np.pi)
    assert not is_full_turn(HALF)
    assert is_full_turn(TURN)
    assert is_full_turn(np.linspace(0, 2 * np.pi, 50))


@pytest.mark.parametrize(
    ("views", "angles", "options", "message"),
    [
        (sinograms(DISKS, HALF, 127.5), HALF, {"method": "eye"}, "centre='eye' is not known"),
        (
            sinograms(DISKS, HALF[:280], 127.5),
            HALF[:280],
            {"method": "phase"},
            "over 140 degrees hold no opposite ones",
        ),
        (np.ones((1, 720, 64), np.float32), TURN, {"extended": True}, "have no contrast"),
    ],
)
def test_axis_that_cannot_be_found(views, angles, options, message):
    with pytest.raises(ValueError, match=message):
        find_axis(views, angles, **options)


def test_axis_beyond_the_reach_of_the_search_is_not_made_up():
    views = sinograms(((0, 0, 180, 0.004), *DISKS), HALF, 60.0)
    with pytest.raises(ValueError, match="not found within columns 96 to 160 of 256; give centre"):
        find_axis(views, HALF, "vo")

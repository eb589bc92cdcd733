from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from microtwin.imaging import Projections
from microtwin.imaging.tomography.flat_field import LEAST_TRANSMISSION, line_integrals

RANDOM = np.random.default_rng(2)
ANGLES = np.arange(20) * np.pi / 20
INTEGRALS = RANDOM.uniform(0, 3, (20, 4, 30))
BEAM = RANDOM.uniform(5_000, 20_000, (4, 30))
DARK = RANDOM.uniform(90, 110, (4, 30))
COUNTS = DARK + BEAM * np.exp(-INTEGRALS)
FLATS = np.stack([DARK + 0.9 * BEAM, DARK + 1.1 * BEAM])
DARKS = np.stack([DARK - 3, DARK + 3])


def test_correction_is_exact_for_a_detector_with_uneven_gain():
    found = line_integrals(Projections(COUNTS, ANGLES, FLATS, DARKS), 0, 4)
    # Single precision of counts of 2e4 over transmissions of exp(-3).
    assert_allclose(found.values, np.moveaxis(INTEGRALS, 1, 0), atol=2e-5)
    assert found.mean_transmission == pytest.approx(np.exp(-INTEGRALS).mean(), rel=1e-6)
    assert (found.dead, found.opaque, found.saturated) == (0, 0.0, 0.0)


def test_transmissions_need_no_flats():
    found = line_integrals(Projections(np.exp(-INTEGRALS), ANGLES), 1, 3)
    assert_allclose(found.values, np.moveaxis(INTEGRALS[:, 1:3], 1, 0), atol=2e-6)


def test_counts_without_flats_are_refused_unless_the_air_is_seen():
    counts = COUNTS - DARK
    with pytest.raises(ValueError, match=r"no flats, .* median of .* give"):
        line_integrals(Projections(counts, ANGLES), 0, 4)
    even = 1000 * np.exp(-INTEGRALS)
    even[:, :, :5] = even[:, :, -5:] = 1000
    found = line_integrals(Projections(even, ANGLES), 0, 4, air=5)
    assert_allclose(found.values[:, :, 5:-5], np.moveaxis(INTEGRALS, 1, 0)[:, :, 5:-5], atol=2e-6)


def test_air_takes_out_the_drift_of_the_beam():
    counts = np.exp(-INTEGRALS)
    counts[:, :, :5] = counts[:, :, -5:] = 1
    drifting = counts * np.linspace(0.7, 1.3, 20)[:, None, None]
    still = line_integrals(Projections(counts, ANGLES), 0, 4).values
    assert_allclose(
        line_integrals(Projections(drifting, ANGLES), 0, 4, air=5).values, still, atol=1e-6
    )


def test_zero_and_negative_counts_become_the_least_transmission():
    counts = COUNTS.copy()
    counts[3, 2, 7] = DARK[2, 7] - 50
    counts[4, 2, 7] = DARK[2, 7]
    found = line_integrals(Projections(counts, ANGLES, FLATS, DARKS), 0, 4)
    assert_allclose(found.values[2, 3:5, 7], -np.log(LEAST_TRANSMISSION), rtol=1e-6)
    assert found.opaque == 2 / counts.size


def test_dead_pixels_are_filled_in_from_the_row():
    smooth = np.broadcast_to(np.exp(-np.linspace(0, 1, 30)), (20, 4, 30))
    counts, flats = DARK + BEAM * smooth, FLATS.copy()
    for column in (0, 11, 12):
        counts[:, 1, column] = flats[:, 1, column] = DARK[1, column]
    found = line_integrals(Projections(counts, ANGLES, flats, DARKS), 0, 4)
    assert found.dead == 3
    # Between neighbours a straight line of the transmission; at the edge the nearest value.
    left, right = smooth[0, 1, 10], smooth[0, 1, 13]
    expected = [(2 * left + right) / 3, (left + 2 * right) / 3]
    assert_allclose(np.exp(-found.values[1, :, 11:13]), [expected] * 20, rtol=1e-5)
    assert_allclose(found.values[1, :, 0], found.values[1, :, 1], rtol=1e-6)


def test_share_of_saturated_counts():
    counts = np.full((20, 4, 30), 1000, np.uint16)
    counts[:, 0, :3] = 65535
    found = line_integrals(Projections(counts, ANGLES, np.full((4, 30), 2000.0)), 0, 4)
    assert found.saturated == 3 / 120


def test_rows_do_not_depend_on_the_rows_read_with_them():
    projections = Projections(COUNTS, ANGLES, FLATS, DARKS)
    whole = line_integrals(projections, 0, 4, air=2).values
    parts = [line_integrals(projections, row, row + 1, air=2).values for row in range(4)]
    assert_array_equal(np.concatenate(parts), whole)


def with_nan(array):
    array = array.copy()
    array[0, 2, 5] = np.nan
    return array


def stopped():
    counts = COUNTS.copy()
    counts[14:] = 0
    return counts


@pytest.mark.parametrize(
    ("arguments", "air", "message"),
    [
        ((with_nan(COUNTS), ANGLES, FLATS, DARKS), 0, "projections hold 1 NaN .* rows 0 to 3"),
        ((COUNTS, ANGLES, with_nan(FLATS), DARKS), 0, "the flats hold 1 NaN"),
        ((stopped(), ANGLES, FLATS, DARKS), 0, "6 of 20 projections, 14 the first .* only zeros"),
        ((COUNTS, ANGLES, DARKS, FLATS), 0, "not brighter than the darks in 100%"),
        ((COUNTS, ANGLES, FLATS * [[[1], [1], [0], [1]]], DARKS), 0, "row 2 has no live pixel"),
        ((COUNTS, ANGLES, FLATS, DARKS), 9, "air=9 is not allowed for 30 columns"),
        ((COUNTS * 0 + DARK, ANGLES, FLATS, DARKS), 3, "at both edges are dark in 80 rows"),
    ],
)
def test_frames_that_cannot_be_corrected_are_refused(arguments, air, message):
    with pytest.raises(ValueError, match=message):
        line_integrals(Projections(*arguments), 0, 4, air=air)

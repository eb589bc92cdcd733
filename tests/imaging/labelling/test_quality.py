from __future__ import annotations

import numpy as np
import pytest

from microtwin import Microstructure, Scan
from microtwin.imaging import assess_quality

PHASES = {"pore": 0, "active": 1}


def halves(shape=(8, 12, 20)):
    labels = np.zeros(shape, np.uint8)
    labels[:, :, shape[2] // 2 :] = 1
    return Microstructure(labels, (1e-6, 1e-6, 2e-6), PHASES)


def scan_of(values, dtype=np.float32):
    return Scan(np.asarray(values).astype(dtype), (1e-6, 1e-6, 2e-6))


def verdicts(quality):
    return {name: verdict for name, _, _, verdict in quality.checks()}


def test_means_deviations_and_contrast_are_exact():
    micro = halves()
    # Values that alternate by one standard deviation around 10 and 40.
    values = np.where(micro.labels == 1, 40.0, 10.0)
    values += np.where(np.indices(micro.shape).sum(0) % 2, 3.0, -3.0)
    found = assess_quality(scan_of(values), micro)
    assert found.means == {"pore": 10.0, "active": 40.0}
    assert found.deviations == {"pore": 3.0, "active": 3.0}
    assert found.contrast_to_noise == {"pore/active": 10.0}
    # Variance 15^2 between the phases, 3^2 within.
    assert found.between_class_variance == pytest.approx(225 / 234)
    assert (found.resolution, found.ambiguous, found.balance) == (None, None, None)
    assert verdicts(found) == {
        "between_class_variance": "pass",
        "contrast_to_noise": "pass",
        "saturated_voxels": "warn",  # half of the voxels of each phase at an extreme
        "floating_solid": "pass",
    }


def test_blurred_interfaces_do_not_count_for_means():
    micro = halves()
    values = np.where(micro.labels == 1, 40.0, 10.0)
    values[:, :, 9], values[:, :, 10] = 17.0, 33.0
    found = assess_quality(scan_of(values), micro)
    assert found.means == {"pore": 10.0, "active": 40.0}
    assert found.contrast_to_noise == {"pore/active": np.inf}
    # All voxels count for the variance between the phases: with means 10.7 and 39.3.
    middle, within = 14.3, 0.9 * 0.7**2 + 0.1 * 6.3**2
    assert found.between_class_variance == pytest.approx(middle**2 / (middle**2 + within))


def test_phases_without_an_inside_count_whole_and_absent_ones_not_at_all():
    labels = np.zeros((6, 6, 6), np.uint8)
    labels[3, 3, 3:5] = 1
    micro = Microstructure(labels, 1e-6, {"pore": 0, "active": 1, "binder": 2})
    values = np.where(labels == 1, 5.0, 1.0)
    values[3, 3, 3] = 7.0
    found = assess_quality(Scan(values, 1e-6), micro)
    assert found.means == {"pore": 1.0, "active": 6.0}
    assert set(found.contrast_to_noise) == {"pore/active"}


def test_a_single_phase_has_no_contrast():
    micro = Microstructure(np.zeros((4, 4, 4), np.uint8), 1e-6, {"pore": 0})
    found = assess_quality(Scan(np.ones((4, 4, 4)), 1e-6), micro)
    assert found.contrast_to_noise == {}
    assert found.between_class_variance == 0
    assert "contrast_to_noise" not in verdicts(found)


@pytest.mark.parametrize("offset", [0, 30_000])
def test_grey_values_far_from_zero_lose_no_digits(offset):
    micro = halves((40, 40, 40))
    noise = np.random.default_rng(0).normal(0, 40, micro.shape)
    values = np.where(micro.labels == 1, 700.0, 500.0) + noise + offset
    found = assess_quality(scan_of(values, np.uint16), micro)
    # 32 000 voxels: standard errors of 0.2 and 0.2.
    assert found.means["active"] - offset == pytest.approx(700, abs=1)
    assert found.deviations["active"] == pytest.approx(40, abs=1)


def test_saturated_voxels():
    micro = halves()
    values = 10 + np.arange(micro.labels.size, dtype=float).reshape(micro.shape) % 200
    values.flat[:40] = 255
    values.flat[100] = 0
    # 40 of 1920 at the upper end; one at the lower is less than a thousandth.
    found = assess_quality(scan_of(values, np.uint8), micro)
    assert found.saturated == pytest.approx(40 / 1920)
    # A correction that differs from place to place hides them.
    corrected = scan_of(values + np.linspace(0, 1, micro.labels.size).reshape(micro.shape))
    assert assess_quality(corrected, micro).saturated == 0
    raw = scan_of(values, np.uint8)
    assert assess_quality(corrected, micro, raw=raw).saturated == pytest.approx(40 / 1920)


def test_floating_shares():
    labels = np.ones((10, 10, 10), np.uint8)
    labels[:, :, 5] = 0
    labels[2, 2, 2] = 0
    labels[7, 7, 7:9] = 0
    micro = Microstructure(labels, 1e-6, PHASES)
    found = assess_quality(Scan(labels.astype(float), 1e-6), micro)
    # 3 of 103 pore voxels; the layer x = 5 parts the solid into 499 and 398.
    assert found.floating["pore"] == pytest.approx(3 / 103)
    assert found.floating["solid"] == pytest.approx(398 / 897)
    assert verdicts(found)["floating_solid"] == "warn"
    grains = Microstructure(labels, 1e-6, {"a": 0, "b": 1})
    assert assess_quality(Scan(labels.astype(float), 1e-6), grains).floating == {}


def test_what_the_segmentation_tells():
    micro = halves()
    found = assess_quality(
        scan_of(micro.labels),
        micro,
        blur=(1.5, 1.2, 1.0),
        known_fractions={"pore": 0.56, "active": 0.44},
        ambiguous=0.3,
    )
    # Full width at half maximum, 2 sqrt(2 ln 2) standard deviations; here along x, whose voxels
    # are twice as long.
    assert found.resolution == pytest.approx(2 * np.sqrt(2 * np.log(2)) * 1.0 * 2e-6, rel=1e-4)
    # The scan is as bright as one of equal fractions.
    assert found.balance == pytest.approx(0.06)
    checks = {name: (value, limit, verdict) for name, value, limit, verdict in found.checks()}
    assert checks["grey_value_balance"] == (pytest.approx(0.06), 0.05, "warn")
    assert checks["ambiguous_voxels"] == (0.3, 0.25, "warn")


def test_balance_needs_the_grey_value_of_every_phase():
    labels = halves().labels.copy()
    labels[:, :, 10] = 2
    micro = Microstructure(labels, 1e-6, {"pore": 0, "active": 1, "film": 2})
    scan = Scan(np.array([1.0, 5.0, 3.0], np.float32)[labels], 1e-6)
    known = micro.volume_fractions
    # A film one voxel thick has no voxel away from its interfaces.
    assert assess_quality(scan, micro, known_fractions=known).balance is None
    given = {"pore": 1.0, "active": 5.0, "film": 3.0}
    found = assess_quality(scan, micro, known_fractions=known, grey_values=given)
    assert found.balance == pytest.approx(0, abs=1e-6)
    # Without a film, a twentieth of the voxels at two of the five would have to be something else.
    known = {"pore": 0.5, "active": 0.5, "film": 0.0}
    found = assess_quality(scan, micro, known_fractions=known)
    assert found.balance == pytest.approx((labels.size / 20 * -2 / labels.size) / 4)


def test_scans_of_another_shape_are_refused():
    micro = halves()
    with pytest.raises(
        ValueError, match=r"scan has shape \(2, 3, 4\) and the labels \(8, 12, 20\)"
    ):
        assess_quality(Scan(np.zeros((2, 3, 4)), 1e-6), micro)
    with pytest.raises(ValueError, match="they must be equal"):
        assess_quality(scan_of(micro.labels), micro, raw=Scan(np.zeros((2, 3, 4)), 1e-6))

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from microtwin import Microstructure
from microtwin.imaging import Scanner, virtual_scan

EDGE = 2e-6
ATTENUATION = {"pore": 0.0, "binder": 1.0e3, "active": 4.0e3}


def cylinders(n=72, depth=6):
    """A rod of active material with a bore of binder in it, the same in all slices."""
    y, x = np.mgrid[:n, :n] - (n - 1) / 2
    slice_ = np.zeros((n, n), np.uint8)
    slice_[np.hypot(y, x) < 0.42 * n] = 2
    slice_[np.hypot(y - 6, x + 4) < 0.15 * n] = 1
    labels = np.repeat(slice_[None], depth, axis=0)
    return Microstructure(labels, EDGE, {"pore": 0, "binder": 1, "active": 2})


def cores(micro, distance=4):
    """Pixels of a slice that lie some pixels inside of each phase, and not in the corners."""
    from scipy.ndimage import distance_transform_edt

    n = micro.shape[1]
    y, x = np.mgrid[:n, :n] - (n - 1) / 2
    seen = np.hypot(y, x) < n / 2
    return {
        name: (distance_transform_edt(micro.labels[0] == label) > distance) & seen
        for name, label in micro.phases.items()
    }


@pytest.fixture(scope="module")
def micro():
    return cylinders()


@pytest.fixture(scope="module")
def ideal(micro):
    return virtual_scan(micro, Scanner(ATTENUATION))


def test_an_ideal_scan_shows_the_attenuation_of_each_phase(micro, ideal):
    assert ideal.values.dtype == np.float32
    assert (ideal.shape, ideal.voxel_size) == (micro.shape, micro.voxel_size)
    for name, core in cores(micro).items():
        found = ideal.values[:, core]
        # Views and columns are finite: some per cent of the largest attenuation, here and there.
        assert np.mean(found) == pytest.approx(ATTENUATION[name], abs=0.01 * 4e3)
        assert np.std(found) < 0.03 * 4e3


def test_slices_with_the_same_content_are_the_same(ideal):
    assert_array_equal(ideal.values[0], ideal.values[-1])


def test_the_same_seed_gives_the_same_bits(micro):
    scanner = Scanner(ATTENUATION, views=40, photons=1e4, blur=0.7, rings=0.01, drift=0.02)
    one, again, other = (virtual_scan(micro, scanner, seed).values for seed in (3, 3, 4))
    assert_array_equal(one, again)
    assert not np.array_equal(one, other)


def test_noise_falls_with_the_square_root_of_the_photons(micro):
    core = cores(micro)["active"]
    quiet = virtual_scan(micro, Scanner(ATTENUATION, views=60)).values
    variances = []
    for photons in (1e4, 4e4):
        scan = virtual_scan(micro, Scanner(ATTENUATION, views=60, photons=photons), seed=1)
        variances.append(np.var((scan.values - quiet)[:, core]))
    # Some thousand correlated voxels give a variance within some per cent.
    assert variances[0] / variances[1] == pytest.approx(4, rel=0.15)


def test_noise_has_the_size_of_counted_photons():
    # Next to nothing in the beam: all line integrals have the variance 1 / photons. Filtered
    # back-projection adds them up with the mean square of the ramp, 1/12, times pi^2 / views,
    # times the loss by linear interpolation between columns, 2/3 on average for white noise and
    # less for that of the ramp.
    micro = Microstructure(np.zeros((16, 64, 64), np.uint8), 1.0, {"pore": 0})
    views, photons = 100, 1e5
    scan = virtual_scan(micro, Scanner({"pore": 0.0}, views=views, photons=photons))
    core = scan.values[:, 20:44, 20:44]
    expected = np.pi**2 / (12 * views * photons)
    assert 0.35 * expected < np.var(core) < 0.7 * expected


def test_the_detector_blurs_an_edge(micro, ideal):
    blurred = virtual_scan(micro, Scanner(ATTENUATION, blur=1.5)).values
    slopes = [
        np.abs(np.diff(v[3, micro.shape[1] // 2, :14])).max() for v in (ideal.values, blurred)
    ]
    # The steepest slope of an edge under a Gaussian of variance s^2 is 1 / (sqrt(2 pi) s) of its
    # height; voxels, columns and the interpolation between them add some 1/3 to 1.5^2.
    assert slopes[1] == pytest.approx(4e3 / np.sqrt(2 * np.pi * 2.6), rel=0.1)
    assert slopes[0] > 2 * slopes[1]


def test_two_energies_darken_the_middle(micro):
    hard = Scanner(ATTENUATION, spectrum=[(0.5, 1.6), (0.5, 0.6)])
    solid = Microstructure(
        np.where(micro.labels > 0, 2, 0).astype(np.uint8), EDGE, {"pore": 0, "active": 2}
    )
    n = micro.shape[1]
    y, x = np.mgrid[:n, :n] - (n - 1) / 2
    radius = np.hypot(y, x)
    cups = []
    for scanner in (Scanner(ATTENUATION), hard):
        values = virtual_scan(solid, scanner).values[2]
        rim, middle = (
            values[(radius > a) & (radius < b)].mean() for a, b in ((0.32 * n, 0.37 * n), (0, 8))
        )
        cups.append((rim - middle) / 4e3)
    # None for one energy; for two the transmission of 60 voxels, exp(-0.5), at 1.6 and 0.6 of
    # the attenuation is -ln(mean) = 0.460 instead of 0.484.
    assert abs(cups[0]) < 0.01
    assert 0.02 < cups[1] < 0.2


def test_rings_have_the_size_asked_for():
    micro = Microstructure(np.zeros((12, 96, 96), np.uint8), 1.0, {"pore": 0})
    scan = virtual_scan(micro, Scanner({"pore": 0.0}, rings=1e-3, views=90), seed=5)
    y, x = np.mgrid[:96, :96] - 47.5
    # Far from the axis, half a ring has the value of the filtered gain of its column, whose
    # variance is pi^2 / 12 times that of the gain, less what interpolation takes, at radius r
    # smeared over 2 pi r / 2 pixels: the energy falls as the radius grows.
    radius = np.hypot(y, x)
    near, far = (scan.values[:, (radius > a) & (radius < a + 10)].std() for a in (5, 30))
    assert near > 1.5 * far > 0
    # Seven tenths of the variance run through all rows.
    common = scan.values.mean(axis=0)
    seen = radius < 40
    share = np.var(common[seen]) / np.var(scan.values[:, seen])
    assert share == pytest.approx(0.7 + 0.3 / 12, abs=0.12)


def test_rings_come_in_halves():
    micro = Microstructure(np.zeros((2, 64, 64), np.uint8), 1.0, {"pore": 0})
    values = virtual_scan(micro, Scanner({"pore": 0.0}, rings=1e-2, views=200), seed=1).values[0]
    # Over half a turn a column sees one half, y > 0 for columns beyond the axis, and the column
    # opposite to it the other: the halves are not alike, and each is alike in itself.
    upper, lower = values[34:, 14:50], values[29::-1, 14:50]
    left, right = values[34:, 31::-1], values[34:, 32:]
    assert np.corrcoef(left.ravel(), right.ravel())[0, 1] > 0.6
    assert abs(np.corrcoef(upper.ravel(), lower.ravel())[0, 1]) < 0.3


@pytest.mark.parametrize("depth", [2, 6, 40])
def test_drift_has_the_size_asked_for(depth):
    micro = cylinders(48, depth)
    core = cores(micro)["active"]
    drift = 0.05
    plain = virtual_scan(micro, Scanner(ATTENUATION)).values[:, core].mean(axis=1)
    seen = []
    for seed in range(12):
        values = virtual_scan(micro, Scanner(ATTENUATION, drift=drift), seed).values
        seen.append((values[:, core].mean(axis=1) - plain) / 4e3)
    # Gain and offset have half of the variance each: drift^2 for the brightest phase. In few
    # slices of 12 scans it is known to a third.
    assert np.sqrt(np.mean(np.square(seen))) == pytest.approx(drift, rel=0.33)


def test_opaque_samples_give_finite_values():
    micro = cylinders(32, 2)
    black = {"pore": 0.0, "binder": 1e3, "active": 1e8}
    for photons in (np.inf, 100.0):
        assert np.isfinite(virtual_scan(micro, Scanner(black, photons=photons)).values).all()


def test_the_spectrum_of_the_caller_is_not_changed():
    spectrum = np.array([[2.0, 1.5], [2.0, 0.5]])
    virtual_scan(cylinders(16, 2), Scanner(ATTENUATION, spectrum=spectrum))
    assert_array_equal(spectrum, [[2.0, 1.5], [2.0, 0.5]])


def test_flat_voxels_and_unequal_edges():
    flat = Microstructure(
        cylinders(24, 3).labels[:, :, :18],
        (5e-6, EDGE, EDGE),
        {"pore": 0, "binder": 1, "active": 2},
    )
    scan = virtual_scan(flat, Scanner(ATTENUATION))
    assert scan.shape == (3, 24, 18)
    assert scan.voxel_size == (5e-6, EDGE, EDGE)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"blur": -1.0}, r"blur = -1.0 is not allowed; give a number of 0 or more"),
        ({"rings": np.inf}, r"rings = inf is not allowed"),
        ({"drift": np.nan}, r"drift = nan is not allowed"),
        ({"photons": 0.0}, r"photons = 0.0 is not allowed; give a number above 0, or inf"),
        ({"views": 1}, r"views = 1 is not allowed; give a whole number of 2 or more"),
        ({"views": 10.5}, r"views = 10.5 is not allowed"),
        ({"spectrum": ()}, r"spectrum \(\) is not allowed; give pairs \(share, factor"),
        ({"spectrum": [(1.0, -1.0)]}, r"all above 0"),
        ({"attenuation": {"pore": -1.0}}, r"attenuation -1.0 of 'pore' is not allowed"),
    ],
)
def test_settings_that_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        Scanner(**{"attenuation": ATTENUATION, **options})


def test_scans_that_are_refused(micro):
    with pytest.raises(ValueError, match="phase 'active' has no attenuation; given are pore, bin"):
        virtual_scan(micro, Scanner({"pore": 0.0, "binder": 1.0}))
    tall = Microstructure(micro.labels, (EDGE, EDGE, 2 * EDGE), micro.phases)
    with pytest.raises(ValueError, match=r"2e-06 x 4e-06 m across .* not square.*; resample"):
        virtual_scan(tall, Scanner(ATTENUATION))

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.ndimage import gaussian_filter

from microtwin import Scan
from microtwin.imaging import Denoised, denoise
from microtwin.imaging.artefacts.denoising import curvature_diffusion, noise_level

METHODS = ("curvature", "total variation")


def halves(shape=(24, 32, 32), noise=0.2, seed=0):
    """A step from 0 to 1 along x, slightly blurred, with noise."""
    values = np.zeros(shape)
    values[:, :, shape[2] // 2 :] = 1.0
    values = gaussian_filter(values, 0.7)
    return values + noise * np.random.default_rng(seed).standard_normal(shape)


def scan_of(values, dtype=np.float32):
    return Scan(values.astype(dtype), 1e-6)


def whole(scan, *args):
    return denoise(scan, *args).read_layers(0, scan.shape[0])


@pytest.mark.parametrize("method", METHODS)
def test_noise_falls_and_the_edge_stays(method):
    scan = scan_of(halves())
    after = whole(scan, method)
    dark, bright = after[4:-4, 4:-4, 4:12], after[4:-4, 4:-4, 20:28]
    # Eight steps of diffusion, or a weight of one standard deviation, smooth several voxels.
    assert max(dark.std(), bright.std()) < 0.4 * 0.2
    # Not more than the total variation takes from a step: weight times area over volume.
    assert bright.mean() - dark.mean() == pytest.approx(1, abs=0.1)
    profile = after[4:-4, 4:-4].mean(axis=(0, 1))
    truth = halves(noise=0.0)[0, 0]
    assert np.diff(profile).max() > 0.75 * np.diff(truth).max()


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_a_constant_scan_stays_as_it_is(method, dtype):
    scan = scan_of(np.full((5, 6, 7), 211.0), dtype)
    assert_array_equal(whole(scan, method), 211.0)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("strength", [0.3, 1.0, 3.0])
def test_no_value_goes_beyond_those_there_were(method, strength):
    scan = scan_of(halves(noise=0.4))
    after = whole(scan, method, strength)
    low, high = scan.values.min(), scan.values.max()
    # Both are means of what is around, in the end; round-off of single precision.
    assert after.min() >= low - 1e-5
    assert after.max() <= high + 1e-5


@pytest.mark.parametrize("slopes", [(1.0, 0.0, 0.0), (0.3, -0.5, 0.2)])
def test_a_ramp_is_a_fixed_point_of_curvature_diffusion(slopes):
    z, y, x = np.indices((16, 18, 20), np.float32)
    ramp = slopes[0] * z + slopes[1] * y + slopes[2] * x
    after = curvature_diffusion(ramp.copy(), 4, 1.0)
    # Level surfaces of a ramp are flat; at the border, where nothing flows through, they are not.
    core = (slice(5, -5),) * 3
    assert_allclose(after[core], ramp[core], atol=2e-5)


def test_a_ball_shrinks_by_its_curvature():
    # Without edges to keep, level surfaces move by their mean curvature: with the equation of
    # `denoising` and c = 1, dR/dt = -2 / R, so R^2 falls by 4 t.
    z, y, x = np.indices((41, 41, 41), np.float32) - 20
    distance = np.sqrt(z**2 + y**2 + x**2)
    steps = 160
    after = curvature_diffusion((12 - distance).copy(), steps, 1e3)
    # Time is steps / 16. The radius where the value is zero, along the axes.
    profile = after[20, 20, 20:]
    zero = int(np.argmax(profile < 0))
    radius = zero - 1 + profile[zero - 1] / (profile[zero - 1] - profile[zero])
    # Discrete slopes of a ball of twelve voxels.
    assert radius == pytest.approx(np.sqrt(144 - 4 * steps / 16), rel=0.01)


def test_axes_are_treated_alike():
    values = halves()
    turned = whole(scan_of(values.transpose(2, 0, 1)))
    assert_allclose(turned.transpose(1, 2, 0), whole(scan_of(values)), atol=1e-5)


def test_slabs_are_denoised_as_the_whole():
    scan = scan_of(halves((40, 20, 20)))
    volume = denoise(scan)
    assert isinstance(volume, Denoised)
    assert volume.shape == scan.shape
    parts = [volume.read_layers(a, b) for a, b in ((0, 3), (3, 4), (4, 30), (30, 40))]
    assert_array_equal(np.concatenate(parts), volume.read_layers(0, 40))


def test_slabs_by_total_variation_are_nearly_as_the_whole():
    scan = scan_of(halves((40, 20, 20)))
    volume = denoise(scan, "total variation")
    parts = [volume.read_layers(a, b) for a, b in ((0, 13), (13, 30), (30, 40))]
    # The iteration ends when it gains little, which depends on the slab.
    assert_allclose(np.concatenate(parts), volume.read_layers(0, 40), atol=0.1 * 0.2)


@pytest.mark.parametrize(
    ("scale", "offset", "dtype"),
    [(1e-9, 0, np.float32), (500, 30_000, np.uint16), (1e5, -3e5, np.float64)],
)
def test_any_scale_and_type(scale, offset, dtype):
    plain = whole(scan_of(halves()))
    other = whole(scan_of(scale * halves() + offset, dtype))
    # Rounding to 1/500, and the digits that 30 000 leaves to single precision.
    assert_allclose((other - offset) / scale, plain, atol=5e-3)


@pytest.mark.parametrize("shape", [(2, 30, 30), (3, 5, 40), (20, 3, 30), (30, 30, 3)])
@pytest.mark.parametrize("method", METHODS)
def test_thin_scans(shape, method):
    values = 0.2 * np.random.default_rng(1).standard_normal(shape) + 5
    after = whole(scan_of(values), method)
    assert after.shape == shape
    assert after.std() < 0.7 * values.std()
    assert after.mean() == pytest.approx(values.mean(), abs=0.05)


def test_slices_may_be_two_voxels_wide():
    values = np.random.default_rng(1).standard_normal((20, 2, 30))
    assert np.isfinite(whole(scan_of(values))).all()
    with pytest.raises(ValueError, match="layers of 2 x 30 voxels are too small to tell noise"):
        denoise(scan_of(values), "total variation")


@pytest.mark.parametrize("structure", [0.0, 0.3])
def test_noise_level(structure):
    z, y, x = np.indices((30, 40, 50))
    values = structure * np.sin(z / 6) + 0.02 * x - 0.05 * y + 100
    noisy = values + 0.3 * np.random.default_rng(2).standard_normal(values.shape)
    # A median of 60 000 correlated numbers.
    assert noise_level(noisy) == pytest.approx(0.3, rel=0.02)


def test_refusals():
    scan = scan_of(halves())
    with pytest.raises(ValueError, match="method 'median' is not known; use 'curvature' or"):
        denoise(scan, "median")
    for strength in (0, -1, 11, np.nan):
        with pytest.raises(ValueError, match=f"strength {strength} is not allowed; give a number"):
            denoise(scan, "curvature", strength)

from __future__ import annotations

import sys

import numpy as np
import pytest

from microtwin.imaging.tomography.stripes import remove_stripes, stripe_energy
from projected_disks import DISKS, projected

RANDOM = np.random.default_rng(4)
ANGLES = np.arange(300) * np.pi / 300
CLEAN = np.moveaxis(projected(DISKS, ANGLES, 200, 99.5), 1, 0).astype(np.float32)
CLEAN += RANDOM.normal(0, 0.003, CLEAN.shape).astype(np.float32)
# One column in ten is off by 2 % of the light.
GAINS = (RANDOM.random((2, 1, 200)) < 0.1) * RANDOM.normal(0, 0.02, (2, 1, 200))
STRIPED = CLEAN + GAINS.astype(np.float32)


def rms(difference):
    return float(np.sqrt(np.mean(difference**2)))


def test_errors_of_the_gain_are_taken_off_and_the_sample_stays():
    result = remove_stripes(STRIPED.copy(), "gain")
    assert (stripe_energy(STRIPED) > 10 * stripe_energy(result)).all()
    # What is left comes from lines side by side, and from the edges of the disks.
    assert rms(result - CLEAN) < 0.25 * rms(GAINS)
    assert rms(remove_stripes(CLEAN.copy(), "gain") - CLEAN) < 0.001


@pytest.mark.parametrize(("method", "factor"), [("sorting", 50), ("all", 10)])
def test_lines_through_some_views_need_the_stronger_methods(method, factor):
    partial = CLEAN.copy()
    partial[:, :150, [40, 90, 91, 130]] += 0.1
    partial[:, 150:, 110] -= 0.1
    result = remove_stripes(partial.copy(), method)
    assert (stripe_energy(partial) > factor * stripe_energy(result)).all()
    kept = np.abs(remove_stripes(partial.copy(), "gain") - CLEAN)[:, :, [40, 110]]
    assert kept.mean() > 2 * np.abs(result - CLEAN)[:, :, [40, 110]].mean()


@pytest.mark.parametrize("method", ["sorting", "all"])
def test_the_stronger_methods_change_a_sample_more(method):
    gentle = remove_stripes(CLEAN.copy(), "gain") - CLEAN
    assert rms(remove_stripes(CLEAN.copy(), method) - CLEAN) > 10 * rms(gentle)


def test_energy_is_the_mean_square_of_lone_stripes():
    sinogram = np.zeros((1, 50, 100), np.float32)
    sinogram[:, :, [20, 60]] = 0.5
    assert stripe_energy(sinogram)[0] == pytest.approx(2 * 0.5**2 / 100, rel=1e-6)


def test_energy_hardly_sees_a_sample_that_turns():
    assert (stripe_energy(CLEAN) < 0.2 * stripe_energy(STRIPED)).all()


def test_none_changes_nothing():
    assert remove_stripes(STRIPED, "none") is STRIPED


def test_method_that_is_not_known_is_refused():
    with pytest.raises(ValueError, match="stripes='rings' is not known; use 'none'"):
        remove_stripes(STRIPED, "rings")


def test_all_says_that_it_needs_noise():
    flat = np.zeros((1, 60, 60), np.float32)
    flat[:, :, 20:40] = 1
    with pytest.raises(ValueError, match=r"stripes='all' .* use stripes='sorting'"):
        remove_stripes(flat, "all")


def test_missing_library_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "algotom.prep.removal", None)
    with pytest.raises(ValueError, match=r'pip install "microtwin\[recon\]"'):
        remove_stripes(STRIPED.copy(), "sorting")

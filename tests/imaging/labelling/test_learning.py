from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from scipy.ndimage import gaussian_filter

from microtwin.imaging.labelling.learning import _followed, learn_grey_model
from phases_in_a_scan import model_of, scanned, spheres


@pytest.mark.parametrize(("scale", "offset"), [(1.0, 0.0), (500.0, 30_000.0)])
def test_the_model_is_learned_from_a_scan(scale, offset):
    labels = spheres((48, 48, 48), 2, width=3.5)
    truth = model_of((offset, offset + scale), noise=0.25 * scale, blur=1.1)
    values = scanned(labels, truth)
    guess = (gaussian_filter(values, 0.7) > offset + scale / 2).astype(np.uint8)
    found = learn_grey_model([values], [guess], truth.means, fractions=(0.5, 0.5), seed=2)
    assert found.means == pytest.approx(truth.means)
    # The prior is not that of the truth: widths come out up to a tenth too small.
    assert found.blur == pytest.approx((1.1,) * 3, rel=0.12)
    # Nine tenths of the noise are what single labels are made to bear; see `_SHARE`.
    assert found.noise == pytest.approx(0.9 * 0.25 * scale, rel=0.06)
    assert found.contrast_to_noise == pytest.approx(1 / (0.9 * 0.25), rel=0.06)
    assert found.coupling[0][0] == found.coupling[1][1] == 0
    assert found.coupling[0][1] == found.coupling[1][0] > 0.1
    # Fractions are right already: no field is needed.
    assert found.field == pytest.approx((0, 0), abs=0.5)


@pytest.mark.parametrize("blur", [(0.7, 1.3, 1.3), (1.4, 0.8, 0.8)])
def test_blur_along_the_axis_and_across_it(blur):
    labels = spheres((48, 48, 48), 2, width=3.5)
    truth = model_of((0.0, 1.0), noise=0.25, blur=blur)
    values = scanned(labels, truth)
    guess = (gaussian_filter(values, 0.7) > 0.5).astype(np.uint8)
    found = learn_grey_model([values], [guess], truth.means, fractions=(0.5, 0.5), rounds=16)
    assert found.blur == pytest.approx(blur, rel=0.15)


def test_three_phases_in_two_blocks_without_known_fractions():
    labels = spheres((32, 32, 32), 3, width=4.0)
    truth = model_of((0.0, 1.0, 2.0), noise=0.15, blur=0.7)
    values = scanned(labels, truth)
    found = learn_grey_model([values[:16], values[16:]], [labels[:16], labels[16:]], truth.means)
    coupling = np.array(found.coupling)
    assert_array_equal(coupling, coupling.T)
    assert (coupling[~np.eye(3, dtype=bool)] >= 0.1).all()
    # Films that are thinner than the blur are drawn too smooth, which passes for more blur.
    assert 0.6 < min(found.blur) <= max(found.blur) < 1.1
    assert found.field == (0, 0, 0)


@pytest.mark.parametrize("depth", [2, 3, 6])
def test_the_model_is_learned_from_thin_scans_too(depth):
    labels = spheres((depth, 80, 80), 2, width=3.0)
    truth = model_of((0.0, 1.0), noise=0.25, blur=0.9)
    values = scanned(labels, truth)
    found = learn_grey_model([values], [labels], truth.means, fractions=(0.5, 0.5))
    assert found.blur == pytest.approx((0.9,) * 3, rel=0.25)
    assert found.noise == pytest.approx(0.9 * 0.25, rel=0.25)
    assert found.coupling[0][1] > 0.1


def test_pictures_without_blur_and_noise():
    labels = spheres((24, 24, 24), 2)
    found = learn_grey_model([labels.astype(np.float32)], [labels], (0.0, 1.0), seed=1)
    # The narrowest blur, and the least noise that a model is trusted with.
    assert max(found.blur) < 0.4
    assert found.noise == pytest.approx(0.2)
    assert np.isfinite(found.coupling).all()


def test_a_phase_that_no_voxel_has_is_refused():
    labels = np.zeros((8, 8, 8), np.uint8)
    message = "phase number 1, counted from 0 and from dark to bright, has no voxel in the first"
    with pytest.raises(ValueError, match=message):
        learn_grey_model([labels.astype(np.float32)], [labels], (0.0, 1.0))


def test_the_field_leads_to_known_fractions_and_does_not_wind_up():
    def after(draws, fractions, wanted):
        sampler = SimpleNamespace(labels=np.zeros(1000), fractions=np.array(fractions))
        field = (0.0,) * len(wanted)
        for _ in range(draws):
            field = _followed(field, [sampler], wanted)
        return np.array(field)

    # Too little of the second phase: its field rises by 0.3 ln 2 a draw against the first.
    up = after(1, (0.8, 0.2), (0.6, 0.4))
    assert up[1] - up[0] == pytest.approx(0.3 * np.log(2 / 0.75))
    # A phase that is neither there nor wanted does not come back, however long it takes.
    gone = after(40, (0.6, 0.0, 0.4), (0.5, 0.0, 0.5))
    assert gone[1] < min(gone[0], gone[2]) - 10
    rare = after(40, (0.6, 0.0, 0.4), (0.599_95, 0.000_05, 0.4))
    assert abs(rare[1]) < 0.1

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from scipy.ndimage import gaussian_filter

from microtwin import Scan
from microtwin.imaging.artefacts.layer_steps import (
    centred,
    chain,
    line_between,
    steps_between_layers,
)

NOISE = 0.2


def material(shape=(30, 90, 90), seed=0, gradient=0.0):
    """Grey values 1 and 3 of two phases with noise; with a gradient fractions change along z."""
    generator = np.random.default_rng(seed)
    field = gaussian_filter(generator.standard_normal(shape), 3.5, mode="wrap")
    field /= field.std()
    labels = field + gradient * np.linspace(-1, 1, shape[0])[:, None, None] > 0
    values = gaussian_filter(np.where(labels, 3.0, 1.0), 0.8)
    return values + NOISE * generator.standard_normal(shape)


def scan_of(values):
    return Scan(values.astype(np.float32), 1e-6)


def test_nothing_happens_to_a_steady_scan():
    # Noise does not add up over the layers: no step is significant.
    assert not steps_between_layers(scan_of(material())).any()


def test_a_gradient_of_the_material_is_no_drift():
    # Half a per cent of the volume from layer to layer: from 42 to 58 % over all of them.
    assert not steps_between_layers(scan_of(material(gradient=0.2))).any()


@pytest.mark.parametrize("level", [0.0, 300.0])
def test_steps_of_gain_and_offset(level):
    values = material() + level
    offset, gain = np.zeros((2, 30))
    offset[7], gain[7] = 0.9, 0.0  # one layer
    gain[15:], offset[15:] = 0.12, -0.3  # all layers from one on, as in a stitched scan
    wrong = offset[:, None, None] + (1 + gain[:, None, None]) * values
    found = steps_between_layers(scan_of(wrong))
    back = (wrong - found[0][:, None, None]) / (1 + found[1][:, None, None])
    # Right but for a common scale and offset, within what the noise of a layer leaves of them.
    scale, shift = np.polyfit(back.ravel() - level, values.ravel() - level, 1)
    left = scale * (back - level) + shift - (values - level)
    assert np.sqrt(np.mean(left**2)) < 0.02
    assert_allclose(np.median(found, axis=1), 0, atol=1e-3)


def test_layers_of_one_phase_tell_nothing():
    # A laminate across z: the next layer may be brighter, or another phase.
    values = np.where(np.arange(30) < 12, 1.0, 3.0)[:, None, None]
    values = values + NOISE * np.random.default_rng(0).standard_normal((30, 60, 60))
    assert not steps_between_layers(scan_of(values)).any()


def test_a_foil_and_empty_layers_are_no_drift():
    values = material()
    values[25:] = 7.0 + NOISE * np.random.default_rng(1).standard_normal((5, 90, 90))
    values[:2] = 0.0
    assert not steps_between_layers(scan_of(values)).any()


@pytest.mark.parametrize("mask", [0.0, -5.0, 30.0])
def test_masked_and_saturated_parts_tell_nothing(mask):
    values = material()
    y, x = np.indices(values.shape[1:])
    far = np.hypot(y - y.mean(), x - x.mean()) > 0.3 * len(y)
    assert far.mean() > 0.6
    steady = values.copy()
    steady[:, far] = mask
    assert not steps_between_layers(scan_of(steady)).any()
    # The last layers alone are masked, as cone beams leave them.
    values[-3:, far] = mask
    assert np.all(np.isfinite(steps_between_layers(scan_of(values))))


def test_slabs_do_not_matter(monkeypatch):
    from microtwin.imaging import layers

    values = material()
    values[11] *= 1.1
    whole = steps_between_layers(scan_of(values))
    assert whole.any()
    monkeypatch.setattr(layers, "slab_layers", lambda shape: 16)
    slabs = steps_between_layers(scan_of(values))
    # The middle of the grey values, about which gains are fitted, is that of the first slab.
    assert_allclose(slabs, whole, atol=0.02)


@settings(max_examples=30)
@given(st.integers(0, 10**6), st.floats(-0.25, 0.25), st.floats(-2, 2))
def test_the_line_between_two_layers_is_exact_without_noise(seed, gain, offset):
    lower = np.random.default_rng(seed).choice([-1.0, 0.3, 2.0], 300)
    found = line_between(lower, offset + (1 + gain) * lower)
    assert_allclose(found, (offset, gain), atol=1e-7)


@settings(max_examples=30)
@given(st.integers(0, 10**6))
def test_one_drift_after_the_other(seed):
    generator = np.random.default_rng(seed)
    (o1, g1), (o2, g2) = generator.uniform(-0.2, 0.2, (2, 2, 7))
    truth = generator.uniform(0, 5, 7)
    seen = o1 + (1 + g1) * (o2 + (1 + g2) * truth)
    offset, gain = chain(np.array([o1, g1]), np.array([o2, g2]))
    back = (seen - offset) / (1 + gain)
    # The same but for one common scale and offset: that of two layers holds for all.
    slope = (back[1] - back[0]) / (truth[1] - truth[0])
    assert_allclose(back, back[0] + slope * (truth - truth[0]), rtol=1e-6, atol=1e-6)
    assert_allclose(np.median([offset, gain], axis=1), 0, atol=0.05)
    assert_allclose(centred(np.array([offset, gain])), [offset, gain], atol=0.05)

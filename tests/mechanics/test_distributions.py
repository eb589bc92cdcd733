from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

import microtwin as mt
from microtwin.mechanics import phase_distributions, stress_distribution, weighted_percentiles

VALUES = arrays(float, st.integers(1, 40), elements=st.floats(-1e9, 1e9))
SHARES = (0.0, 0.25, 0.5, 0.95, 1.0)


@given(VALUES)
def test_without_weights_they_are_percentiles_of_the_values(values):
    found = weighted_percentiles(values, shares=SHARES)
    for share in SHARES:
        assert found[share] == np.quantile(values, share, method="inverted_cdf")


@given(VALUES, st.integers(1, 5))
def test_a_weight_is_that_many_voxels(values, weight):
    weights = np.ones(len(values))
    weights[0] = weight
    repeated = np.concatenate([values, np.repeat(values[:1], weight - 1)])
    assert weighted_percentiles(values, weights, SHARES) == weighted_percentiles(
        repeated, shares=SHARES
    )


@given(VALUES)
def test_histograms_hold_all_of_the_volume(values):
    for scale in ("log", "linear"):
        found = stress_distribution(values, scale=scale, bins=7)
        assert found.shares.sum() == pytest.approx(1.0)
        assert found.shares.shape == (7,) and (np.diff(found.edges) > 0).all()
        assert found.minimum <= found.percentiles[0.5] <= found.percentiles[0.95] <= found.maximum


def test_percentiles_of_a_distribution_that_is_known():
    """Exponential: the median is log 2, the 99th percentile log 100."""
    values = -np.log1p(-(np.arange(100_000) + 0.5) / 100_000)
    found = stress_distribution(values, bins=50)
    assert found.mean == pytest.approx(1.0, rel=1e-3)
    assert found.percentiles[0.5] == pytest.approx(np.log(2.0), rel=1e-4)
    assert found.percentiles[0.99] == pytest.approx(np.log(100.0), rel=1e-3)
    expected = np.exp(-found.edges[1:-1]) - np.exp(-found.edges[2:])
    np.testing.assert_allclose(found.shares[1:], expected, atol=2e-5)


def test_phases_are_told_apart():
    labels = np.zeros((6, 6, 6), np.uint8)
    labels[2:4], labels[4:] = 1, 2
    micro = mt.Microstructure(labels, 1e-6, {"pore": 0, "a": 1, "b": 2})
    stress = np.zeros((6, *micro.shape))
    stress[0] = np.where(labels == 1, 1e6, np.where(labels == 2, -8e6, 0.0))
    for length in (None, 4e-6):
        found = phase_distributions(micro, stress, ["a", "b"], length=length)
        assert found["a"].percentiles[0.5] == pytest.approx(1e6)
        assert found["b"].percentiles[0.99] == pytest.approx(8e6)
        signed = phase_distributions(micro, stress, ["b"], measure="hydrostatic", length=length)
        assert signed["b"].scale == "linear"
        assert signed["b"].mean == pytest.approx(-8e6 / 3)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"shares": [95.0]}, "give shares from 0 to 1"),
        ({"shares": [-0.1]}, "give shares from 0 to 1"),
        ({"shares": []}, "give shares from 0 to 1"),
        ({"bins": 0}, "bins 0 is not allowed"),
        ({"scale": "cubic"}, "scale 'cubic' is not known"),
        ({"weights": [0.0, 0.0]}, "no voxel counts"),
        ({"values": [1.0, np.nan]}, "not finite"),
    ],
)
def test_what_does_not_fit_is_refused(change, words):
    with pytest.raises(ValueError, match=words):
        stress_distribution(**{"values": [1.0, 2.0], **change})


def test_phases_and_images_that_do_not_fit_are_refused():
    micro = mt.Microstructure(np.zeros((4, 4, 4), np.uint8), 1e-6, {"pore": 0, "binder": 2})
    with pytest.raises(ValueError, match="phase 'binder' has no voxel"):
        phase_distributions(micro, np.zeros((6, 4, 4, 4)), ["binder"])
    with pytest.raises(ValueError, match="does not fit an image of shape"):
        phase_distributions(micro, np.zeros((6, 4, 4, 5)), ["pore"])

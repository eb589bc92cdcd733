from __future__ import annotations

import math

import numpy as np
import pytest
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st

from microtwin.generation import Diameters, diameters_from


def test_lognormal_has_its_moments():
    sizes = Diameters.lognormal(6e-6, 1.8e-6)
    drawn = sizes.rvs(200_000, np.random.default_rng(0))
    # The cut at three standard deviations lowers the deviation by 2 %.
    assert drawn.mean() == pytest.approx(6e-6, rel=0.005)
    assert drawn.std() == pytest.approx(1.8e-6, rel=0.03)
    assert sizes.mean == pytest.approx(6e-6, rel=0.005)


def test_volume_percentiles_are_those_of_the_volume():
    sizes = Diameters.percentiles(3e-6, 6e-6, 14e-6)
    # The cut at three standard deviations moves the 10 % by 0.1 percentage points.
    for percent, value in ((10, 3e-6), (50, 6e-6), (90, 14e-6)):
        assert sizes.percentile(percent) == pytest.approx(value, rel=5e-3)
    drawn = np.sort(sizes.rvs(400_000, np.random.default_rng(1)))
    volume = np.cumsum(drawn**3)
    for percent, value in ((10, 3e-6), (50, 6e-6), (90, 14e-6)):
        found = drawn[np.searchsorted(volume, percent / 100 * volume[-1])]
        assert found == pytest.approx(value, rel=0.02)
    by_number = Diameters.percentiles(3e-6, 6e-6, 14e-6, weight="number")
    assert by_number.cdf(6e-6) == pytest.approx(0.5, abs=1e-3)


def test_volume_and_number_of_a_lognormal_differ_as_hatch_and_choate_say():
    # Median by volume = median by number times exp(3 sigma^2).
    sigma = 0.25
    step = math.exp(1.2815515655 * sigma)
    sizes = Diameters.percentiles(5e-6 / step, 5e-6, 5e-6 * step)
    assert sizes.percentile(50, "number") == pytest.approx(5e-6 * math.exp(-3 * sigma**2), rel=0.01)


def test_a_table_is_reproduced():
    rows = [(1e-6, 0.0), (2e-6, 0.1), (4e-6, 0.7), (8e-6, 1.0)]
    sizes = Diameters.table(rows)
    for diameter, share in rows:
        assert sizes.volume_cdf(diameter) == pytest.approx(share, abs=1e-9)
    drawn = sizes.rvs(20_000, np.random.default_rng(2))
    assert scipy.stats.kstest(drawn, sizes.cdf).pvalue > 0.01


@given(
    d10=st.floats(0.5, 5.0),
    up=st.floats(1.05, 3.0),
    upper=st.floats(1.05, 3.0),
    weight=st.sampled_from(["volume", "number"]),
)
def test_shares_ascend_from_0_to_1(d10, up, upper, weight):
    sizes = Diameters.percentiles(d10, d10 * up, d10 * up * upper, weight)
    assert sizes.shares[0] == 0.0 and sizes.shares[-1] == 1.0
    assert np.all(np.diff(sizes.shares) >= 0) and np.all(np.diff(sizes.nodes) > 0)
    assert sizes.percentile(50, weight) == pytest.approx(d10 * up, rel=5e-3)


def test_every_way_to_write_a_distribution():
    rng = np.random.default_rng(0)
    assert np.allclose(diameters_from(4e-6).rvs(5, rng), 4e-6)
    assert diameters_from((4e-6, 1e-6)).mean == pytest.approx(4e-6, rel=0.01)
    written = diameters_from({"d10": 2e-6, "d50": 4e-6, "d90": 7e-6, "weight": "number"})
    assert written.percentile(50, "number") == pytest.approx(4e-6, rel=1e-3)
    frozen = scipy.stats.uniform(1e-6, 1e-6)
    assert diameters_from(frozen) is frozen


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ("big", "not understood"),
        ({"d50": 1e-6}, "not understood"),
        ((-1.0, 0.1), "mean above 0|a mean above 0"),
        ({"d10": 3.0, "d50": 2.0, "d90": 4.0}, "ascending"),
        ({"table": [(1.0, 0.2), (2.0, 1.0)]}, "the first share 0"),
        ({"table": [(1.0, 0.0), (2.0, 1.0)], "weight": "mass"}, "'volume' or 'number'"),
    ],
)
def test_what_is_no_distribution(given, words):
    with pytest.raises(ValueError, match=words):
        diameters_from(given)

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from microtwin.generation import gaussian_field, gaussian_level_set, gaussian_random_field


def test_same_seed_same_bits_and_other_seed_other_image():
    a, b, c = (gaussian_field(32, 3.0, 0.4, seed).labels for seed in (1, 1, 2))
    assert np.array_equal(a, b)
    assert not np.array_equal(a, c)


@settings(max_examples=20, deadline=None)
@given(
    shape=st.tuples(*[st.integers(4, 20)] * 3),
    porosity=st.floats(0.05, 0.95),
    length=st.floats(0.8, 4.0),
    periodic=st.booleans(),
    seed=st.integers(0, 1000),
)
def test_porosity_is_met_to_one_voxel(shape, porosity, length, periodic, seed):
    micro = gaussian_field(shape, length, porosity, seed, periodic=periodic)
    assert abs(micro.volume_fraction("pore") - porosity) * micro.labels.size <= 1.0


def test_field_has_unit_variance_and_the_stated_covariance():
    # 40 kernel volumes per image and 8 images: the scatter of the mean is near 0.03.
    length = 3.0
    fields = [gaussian_random_field(64, length, seed) for seed in range(8)]
    for lag in (0, 3, 6):
        measured = np.mean([np.mean(f * np.roll(f, lag, axis=1)) for f in fields])
        assert measured == pytest.approx(np.exp(-(lag**2) / (4 * length**2)), abs=0.06)


def test_anisotropic_correlation_lengths():
    field = gaussian_random_field(64, (6.0, 2.0, 2.0), seed=0)
    along, across = (np.mean(field * np.roll(field, 4, axis)) for axis in (0, 1))
    assert along == pytest.approx(np.exp(-16 / (4 * 36)), abs=0.1)
    assert across == pytest.approx(np.exp(-16 / (4 * 4)), abs=0.1)


@pytest.mark.parametrize("periodic", [True, False])
@pytest.mark.parametrize("shape", [(20, 21, 16), (8, 9, 15)])
def test_odd_refinement_samples_the_same_function_at_shared_centres(shape, periodic):
    coarse = gaussian_level_set(shape, 2.5, 0.4, seed=3, periodic=periodic)
    fine = gaussian_level_set(shape, 2.5, 0.4, seed=3, periodic=periodic, refine=3)
    assert fine.shape == tuple(3 * n for n in shape)
    # Rounding of a float32 transform.
    np.testing.assert_allclose(fine[1::3, 1::3, 1::3], coarse, atol=1e-5)


def test_even_refinements_agree_where_their_centres_coincide():
    # Centres of refinement 2 are every third centre of refinement 6.
    two = gaussian_level_set((12, 10, 9), 2.0, seed=5, refine=2)
    six = gaussian_level_set((12, 10, 9), 2.0, seed=5, refine=6)
    np.testing.assert_allclose(six[1::3, 1::3, 1::3], two, atol=1e-5)


def test_refined_image_shows_the_same_porosity_and_extent():
    coarse = gaussian_field(24, 4.0, 0.4, seed=2, voxel_size=1e-6)
    fine = gaussian_field(24, 4.0, 0.4, seed=2, voxel_size=1e-6, refine=4)
    assert fine.extent == pytest.approx(coarse.extent)
    # The unrefined fraction scatters by the voxels that the surface cuts.
    assert fine.volume_fraction("pore") == pytest.approx(0.4, abs=0.005)


def test_periodic_faces_continue_and_open_ones_do_not():
    closed = gaussian_random_field(32, 4.0, seed=0)
    opened = gaussian_random_field(32, 4.0, seed=0, periodic=False)
    inner = np.abs(np.diff(closed, axis=0)).mean()
    assert np.abs(closed[0] - closed[-1]).mean() < 2 * inner
    assert np.abs(opened[0] - opened[-1]).mean() > 4 * inner


def test_level_set_is_negative_in_the_solid():
    level = gaussian_level_set(16, 2.0, 0.3, seed=1)
    solid = gaussian_field(16, 2.0, 0.3, seed=1).mask("solid")
    assert level.dtype == np.float32
    assert np.array_equal(level < 0, solid)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"porosity": 1.0}, "porosity"),
        ({"correlation_length": 0.0}, "correlation length"),
        ({"shape": (8, 8)}, "shape"),
        ({"refine": 0}, "refine"),
        ({"voxel_size": -1.0}, "voxel size"),
    ],
)
def test_bad_arguments_are_named(arguments, message):
    with pytest.raises(ValueError, match=message):
        gaussian_field(**{"shape": 8, "correlation_length": 2.0, **arguments})

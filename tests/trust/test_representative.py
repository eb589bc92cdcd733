from __future__ import annotations

import math

import numpy as np
import pytest

from microtwin import Microstructure
from microtwin.generation import ParticleType, boolean_spheres, electrode, gaussian_field
from microtwin.trust import integral_range, representativeness
from trust import boolean_model as bm


def cut_out(seed: int, edge: int = 48) -> Microstructure:
    """A window in a larger Gaussian field, as a scan is one in a larger material."""
    return gaussian_field(2 * edge, 3.0, 0.4, seed=seed).crop(*(slice(edge),) * 3)


def test_the_size_that_is_needed():
    radius, phi = 4, 0.45
    found = representativeness(bm.boolean_model(96, radius, phi, seed=2), "pore")
    exact = bm.exact_integral_range(radius, phi)
    assert found.structure_length == pytest.approx(exact ** (1 / 3), rel=0.1)
    for error, edge in found.edge_for.items():
        wanted = (phi * (1 - phi) * exact / (error * phi) ** 2) ** (1 / 3)
        assert edge == pytest.approx(wanted, rel=0.12)
    assert found.fraction_std == pytest.approx(
        math.sqrt(bm.exact_variance(radius, phi, 96)), rel=0.2
    )
    assert "5 % a cube of" in found.sentences[0]


def test_scales_are_separated_in_a_thick_electrode_only():
    micro = boolean_spheres(64, 4.0, 0.5, seed=1, voxel_size=1e-6)
    thick, thin = (representativeness(micro, "pore", t) for t in (200e-6, 20e-6))
    assert thick.separated and not thin.separated
    assert thick.scale_ratio == pytest.approx(10 * thin.scale_ratio)
    assert "may use the mean properties" in thick.sentences[1]
    assert "is an approximation" in thin.sentences[1]
    assert representativeness(micro, "pore").thickness == pytest.approx(64e-6)


def test_trends_of_a_stationary_material_are_chance():
    scores = []
    for seed in range(60):
        found = representativeness(cut_out(seed), "pore")
        scores += [trend.change / trend.std for trend in found.trends.values()]
    # The standard deviation of 180 scores is known to 5 %; the covariance of one image adds some.
    assert np.std(scores) == pytest.approx(1.0, abs=0.2)
    assert np.mean(np.abs(scores) > 2.58) < 0.04


def test_ratios_of_an_isotropic_material_are_chance():
    found = [representativeness(cut_out(seed), "pore").intercepts for seed in range(60)]
    scores = [(f.ratio - 1) / f.ratio_std for f in found]
    assert np.std(scores) == pytest.approx(1.0, abs=0.25)
    assert np.mean([f.significant for f in found]) < 0.06


def test_a_gradient_is_seen_where_it_is():
    made = electrode(
        (96, 64, 64),
        porosity=0.5,
        binder_fraction=0.02,
        particles=ParticleType((4e-6, 1e-6), profile=(1.0, 2.5)),
        periodic=(False, True, True),
        seed=0,
    )
    found = representativeness(made.micro, "active")
    assert found.trends["z"].significant and found.trends["z"].change > 0.1
    assert not found.trends["y"].significant and not found.trends["x"].significant
    assert not found.stationary
    assert "along z by +" in found.sentences[2] and "along y" not in found.sentences[2]


def test_long_voxels_do_not_make_directions_differ():
    differ = []
    for seed in range(12):
        length = (2.5 / 3, 2.5, 2.5)
        micro = gaussian_field((24, 64, 64), length, 0.4, seed, (3e-6, 1e-6, 1e-6))
        differ.append(representativeness(micro, "pore").intercepts.significant)
    assert np.mean(differ) < 0.2


def test_flat_particles_make_directions_differ():
    plates = ParticleType((5e-6, 1e-6), "plate", 0.25, alignment=0.9)
    micro = electrode(80, porosity=0.5, binder_fraction=0.0, particles=plates, seed=1).micro
    found = representativeness(micro, "active").intercepts
    assert found.significant and found.ratio < 0.7
    assert "shorter through-plane" in representativeness(micro, "active").sentences[3]


def test_lines_have_the_length_of_the_layers():
    labels = np.zeros((24, 16, 16), np.uint8)
    labels[::4] = labels[1::4] = 1
    found = representativeness(Microstructure(labels, 1e-6, {"a": 0, "b": 1}), "a")
    # 24 layers have 11 walls between them in 23 steps: 2 phi / (11 / 23).
    assert found.intercepts.length["z"] == pytest.approx(1e-6 * 23 / 11)
    assert found.intercepts.length["y"] == math.inf and found.intercepts.ratio is None
    assert "endless along y" in found.sentences[3]


def test_the_layers_of_the_covariance_add_up():
    found = integral_range(cut_out(3), "pore")
    extent = (48e-6,) * 3
    between = found.layer_covariance(0, extent)
    half = between.size // 2
    weight = 1 - np.abs(np.arange(-half, half + 1)) / 48
    assert between @ weight / 48 == pytest.approx(found.variance(extent), rel=1e-9)


def test_what_cannot_be_judged_says_so():
    found = representativeness(gaussian_field(40, 8.0, 0.5, seed=0), "pore", thickness=300e-6)
    assert "too small for its own structure" in found.sentences[0]
    assert "too small to tell whether the electrode is thick" in found.sentences[1]
    assert "too small to tell a trend" in found.sentences[2]
    assert not found.separated and not found.stationary and not found.edge_for
    layers = np.zeros((24, 24, 24), np.uint8)
    layers[:, ::6] = layers[:, 1::6] = layers[:, 2::6] = 1
    long_voxels = Microstructure(layers, (10e-6, 1e-6, 1e-6), {"a": 0, "b": 1})
    assert not representativeness(long_voxels, "a").separated
    with pytest.raises(ValueError, match="thickness"):
        representativeness(long_voxels, "a", thickness=-1.0)
    with pytest.raises(ValueError, match="has no covariance"):
        representativeness(Microstructure(np.zeros((16,) * 3, np.uint8), 1.0, {"a": 0}), "a")

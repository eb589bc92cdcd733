from __future__ import annotations

import math

import numpy as np
import pytest

import microtwin as mt
from microtwin.descriptors import triple_line_density

THREE = {"a": 0, "b": 1, "c": 2}


def test_a_straight_line_along_an_axis():
    labels = np.zeros((10, 12, 14), np.uint8)
    labels[:, 6:, :] = 1
    labels[:, 6:, 7:] = 2
    micro = mt.Microstructure(labels, (3e-6, 1e-6, 2e-6), THREE)
    length = 9 * 3e-6
    volume = 9 * 3e-6 * 11 * 1e-6 * 13 * 2e-6
    # The entropy weight blurs the single direction by 0.1 %.
    assert triple_line_density(micro) == {("a", "b", "c"): pytest.approx(length / volume, rel=3e-3)}


@pytest.mark.parametrize(("radius", "limit"), [(8.0, 0.08), (20.0, 0.055)])
def test_circles_of_a_sphere_on_a_plane(radius, limit):
    generator = np.random.default_rng(5)
    n = 56
    height = 0.3 * radius
    ratios = []
    for _ in range(8):
        normal = generator.standard_normal(3)
        normal /= np.linalg.norm(normal)
        away = np.indices((n, n, n)).reshape(3, -1).T + 0.5 - n / 2 - generator.random(3)
        inside = np.sum(away**2, axis=1) < radius**2
        labels = np.where(inside, 2, away @ normal > height).reshape((n,) * 3)
        micro = mt.Microstructure(labels.astype(np.uint8), 1.0, THREE)
        length = triple_line_density(micro)["a", "b", "c"] * (n - 1) ** 3
        ratios.append(length / (2 * math.pi * math.sqrt(radius**2 - height**2)))
    # Steps of the grid lengthen it, the less the larger the circle.
    assert 1.0 < np.mean(ratios) < 1.0 + limit


def test_the_period_closes_the_lines():
    micro = mt.generation.electrode(48, seed=3).micro
    rolled = mt.Microstructure(
        np.roll(micro.labels, (5, 9, 20), (0, 1, 2)), micro.voxel_size, micro.phases
    )
    found = triple_line_density(micro, periodic=True)
    assert found == {
        key: pytest.approx(value) for key, value in triple_line_density(rolled, True).items()
    }


def test_two_and_four_phases():
    labels = np.random.default_rng(0).integers(0, 4, (9, 9, 9)).astype(np.uint8)
    two = mt.Microstructure((labels > 1).astype(np.uint8), 1.0, {"a": 0, "b": 1})
    assert triple_line_density(two) == {}
    four = mt.Microstructure(labels, 1.0, THREE | {"d": 3})
    assert len(triple_line_density(four)) == 4

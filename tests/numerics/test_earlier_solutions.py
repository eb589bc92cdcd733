from __future__ import annotations

import numpy as np
import pytest

import microtwin as mt
from microtwin.numerics.earlier_solutions import MOST, EarlierSolutions


class Matrix:
    """What `EarlierSolutions` asks of an operator."""

    def __init__(self, size: int) -> None:
        half = np.random.default_rng(1).standard_normal((size, size))
        self.matrix = half @ half.T + np.eye(size)

    def dot(self, u, v):
        return float(np.dot(u.astype(float), v.astype(float)))

    def combine(self, u, a, v, b):
        u[...] = a * u + b * v

    def zeros(self):
        return np.zeros(len(self.matrix), np.float32)


def test_the_start_is_the_nearest_sum():
    """What is left has no part in the energy along the solutions that are kept."""
    rng = np.random.default_rng(0)
    operator, earlier = Matrix(12), EarlierSolutions()
    assert earlier.start(operator, rng.standard_normal(12)) is None
    kept = rng.standard_normal((7, 12)).astype(np.float32)
    for x in kept:
        earlier.add(x, (operator.matrix @ x).astype(np.float32))
    assert len(earlier) == MOST
    source = rng.standard_normal(12)
    left = source - operator.matrix @ earlier.start(operator, source)
    assert np.abs(kept[-MOST:] @ left).max() < 1e-4 * np.abs(kept @ source).max()
    # Those before the last five are forgotten.
    assert np.abs(kept[:-MOST] @ left).max() > 1e-2 * np.abs(kept @ source).max()


def test_a_sum_of_earlier_loads_is_solved_at_once():
    operator, earlier = Matrix(12), EarlierSolutions()
    rng = np.random.default_rng(2)
    kept = rng.standard_normal((3, 12)).astype(np.float32)
    for x in kept:
        earlier.add(x, (operator.matrix @ x).astype(np.float32))
    wanted = 2.0 * kept[0] - kept[2]
    found = earlier.start(operator, operator.matrix @ wanted)
    np.testing.assert_allclose(found, wanted, atol=1e-4)


def test_equal_solutions_do_no_harm():
    operator, earlier = Matrix(6), EarlierSolutions()
    x = np.ones(6, np.float32)
    for _ in range(3):
        earlier.add(x, (operator.matrix @ x).astype(np.float32))
    found = earlier.start(operator, 3.0 * operator.matrix @ x)
    np.testing.assert_allclose(found, 3.0 * x, rtol=1e-5)


def test_later_loads_cost_less():
    """Lithium that moves into particles from their surface, ten states of it."""
    micro = mt.generation.electrode(20, 0.4e-6, porosity=0.3, binder_fraction=0.2, seed=3).micro
    mech = mt.mechanics
    solids = {"active": mech.isotropic(100e9, 0.25), "binder": mech.isotropic(1e9, 0.35)}
    depth = mt.geometry.distance_map(micro.mask("active"), micro.voxel_size) / 0.4e-6
    image = mech.ElasticImage(micro, solids)
    steps = []
    for time in np.linspace(0.1, 1.0, 10):
        swelling = 0.01 * time * np.exp(-depth / (4.0 * time))
        steps.append(image.swell({"active": swelling}).iterations)
    assert sum(steps) <= 5 * steps[0]
    assert max(steps[5:]) <= steps[0] // 2
    alone = mech.solve_swelling(micro, solids, {"active": swelling})
    last = image.swell({"active": swelling})
    for name in solids:
        np.testing.assert_allclose(
            last.phase_stress[name], alone.phase_stress[name], atol=1e-5 * alone.von_mises.max()
        )
    assert last.energy == pytest.approx(alone.energy, rel=1e-5)

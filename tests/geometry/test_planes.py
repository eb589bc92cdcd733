from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from microtwin.geometry import plane_distance

unit = st.tuples(*[st.floats(-1, 1)] * 3).filter(lambda v: np.linalg.norm(v) > 0.1)


@settings(max_examples=60, deadline=None)
@given(unit, st.floats(-0.4, 0.4))
def test_the_plane_is_found_from_the_volume_that_it_cuts_off(normal, distance):
    n = np.array(normal) / np.linalg.norm(normal)
    points = (np.indices((60, 60, 60)).reshape(3, -1).T + 0.5) / 60 - 0.5
    share = float((points @ n < distance).mean())
    found = plane_distance([share], n[None], (1.0, 1.0, 1.0))[0]
    # A plane beyond a corner cuts nothing off.
    reach = 0.5 * np.abs(n).sum()
    assert found == pytest.approx(np.clip(distance, -reach, reach), abs=0.02)


def test_planes_along_the_grid_and_in_long_voxels():
    up = np.array([[1.0, 0.0, 0.0]])
    assert plane_distance([0.25], up, (2.0, 1.0, 1.0))[0] == pytest.approx(-0.5, abs=5e-3)
    assert plane_distance([0.0], up, (1.0, 1.0, 1.0))[0] == pytest.approx(-0.5, abs=5e-3)
    assert plane_distance([1.0], up, (1.0, 1.0, 1.0))[0] == pytest.approx(0.5, abs=5e-3)


def test_swapping_the_sides_changes_the_sign():
    rng = np.random.default_rng(0)
    share = rng.uniform(size=50)
    n = rng.normal(size=(50, 3))
    n /= np.linalg.norm(n, axis=1)[:, None]
    there = plane_distance(share, n, (1.0, 2.0, 0.5))
    np.testing.assert_allclose(there, -plane_distance(1.0 - share, -n, (1.0, 2.0, 0.5)), atol=1e-9)

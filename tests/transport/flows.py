"""Flows that several tests share."""

from __future__ import annotations

import numpy as np

from microtwin.transport import TracerGrid, tracer_grid


def wandering(shape, seed, ends=None, size=(1.0, 2.0, 0.5)) -> TracerGrid:
    """A random flow through random pores: loops around edges, and a stream along z.

    Voxels that flow needs are open; of the others some are solid, and some hold little fluid.
    """
    random = np.random.default_rng(seed)
    _, ny, nx = shape
    q = [np.zeros(shape) for _ in range(3)]
    for _ in range(int(random.integers(1, 4))):  # straight streams
        j, i = random.integers(ny), random.integers(nx)
        q[0][:, j, i] += random.random()
    for _ in range(3):  # loops around four voxels
        a, b = random.choice(3, 2, replace=False)
        at = tuple(int(random.integers(n - 1)) for n in shape)
        strength = random.standard_normal()
        beside_a, beside_b = list(at), list(at)
        beside_a[a] += 1
        beside_b[b] += 1
        q[a][at] += strength
        q[b][tuple(beside_a)] += strength
        q[a][tuple(beside_b)] -= strength
        q[b][at] -= strength
    wet = random.random(shape) < 0.5
    for axis in range(3):
        wet |= (q[axis] != 0.0) | (np.roll(q[axis], 1, axis) != 0.0)
    openings = []
    for axis in range(3):
        joined = wet & np.roll(wet, -1, axis)
        if ends is not None:
            np.moveaxis(joined, axis, 0)[-1] = False
        openings.append(joined * (0.2 + 0.8 * random.random(shape)))
    volumes = wet * (0.3 + 0.7 * random.random(shape))
    areas = [np.prod(size) / h for h in size]
    speeds = tuple(flow / area for flow, area in zip(q, areas, strict=True))
    return tracer_grid(speeds, tuple(openings), volumes, size, ends)

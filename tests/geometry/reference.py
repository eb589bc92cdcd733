"""The embedded boundary by brute force: interpolate the indicators at points and compare."""

from __future__ import annotations

import itertools

import numpy as np
import scipy.sparse as sp
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.sparse.csgraph import connected_components

from microtwin.geometry import PhaseGeometry

N = 20  # points per voxel and axis, twice the half voxels of the catalogue


def images(
    phases: int = 2, low: int = 2, high: int = 7, smooth: bool = False
) -> st.SearchStrategy[NDArray[np.uint8]]:
    """Return random label images, with all shares of the phases."""

    def draw(shape: tuple[int, int, int], seed: int) -> NDArray[np.uint8]:
        rng = np.random.default_rng(seed)
        share = rng.dirichlet(np.ones(phases))
        return rng.choice(phases, shape, p=share).astype(np.uint8)

    return st.builds(draw, st.tuples(*[st.integers(low, high)] * 3), st.integers(0, 10_000))


def shares(
    labels: NDArray[np.uint8], phase: int, points: tuple[NDArray, NDArray, NDArray], periodic: bool
) -> NDArray[np.float64]:
    """Return the share of a phase at points, given in voxels with centres at whole numbers."""
    best, own = 0.0, 0.0
    weights = []
    for label in np.unique(labels):
        value = np.zeros(points[0].shape)
        for corner in itertools.product((0, 1), repeat=3):
            at, weight = [], 1.0
            for axis, bit in enumerate(corner):
                base = np.floor(points[axis]).astype(int)
                part = points[axis] - base
                weight = weight * (part if bit else 1 - part)
                n = labels.shape[axis]
                at.append((base + bit) % n if periodic else np.clip(base + bit, 0, n - 1))
            value += weight * (labels[tuple(at)] == label)
        weights.append(value)
        if label == phase:
            own = value
    best = np.max(weights, axis=0)
    ties = np.sum([w > best - 1e-9 for w in weights], axis=0)
    return np.where(own > best - 1e-9, 1.0 / ties, 0.0)


def sampled_openings(
    labels: NDArray[np.uint8], phase: int, axis: int, periodic: bool, offset: float = 0.5
) -> NDArray[np.float64]:
    """Return the open fraction of the face after (offset .5) or before (-.5) every voxel."""
    inside = (np.arange(N) + 0.5) / N - 0.5
    total = np.zeros(labels.shape)
    grid = np.indices(labels.shape).astype(float)
    other = [a for a in range(3) if a != axis]
    for s, t in itertools.product(inside, inside):
        at = [g.copy() for g in grid]
        at[axis] += offset
        at[other[0]] += s
        at[other[1]] += t
        total += shares(labels, phase, tuple(at), periodic)
    return total / N**2


def links(geometry: PhaseGeometry) -> sp.coo_array:
    """Return the graph of the open faces."""
    shape = geometry.faces[0].shape
    index = np.arange(np.prod(shape)).reshape(shape)
    rows, columns = [], []
    for axis in range(3):
        is_open = geometry.faces[axis] > 0
        rows.append(index[is_open])
        columns.append(np.roll(index, -1, axis)[is_open])
    i, j = np.concatenate(rows), np.concatenate(columns)
    return sp.coo_array((np.ones(len(i)), (i, j)), (index.size, index.size))


def pieces(geometry: PhaseGeometry) -> NDArray[np.int32]:
    """Number the voxels that are joined by open faces."""
    _, numbers = connected_components(links(geometry), directed=False)
    return numbers.reshape(geometry.faces[0].shape)

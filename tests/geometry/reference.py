"""The embedded boundary by brute force: interpolate the indicators at points and compare."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import scipy.sparse as sp
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.sparse.csgraph import connected_components

from microtwin.geometry import PhaseGeometry

N = 20  # points per voxel and axis, twice the half voxels of the catalogue


def images(phases: int = 2, low: int = 2, high: int = 7) -> st.SearchStrategy[NDArray[np.uint8]]:
    """Return random label images, with all shares of the phases."""

    def draw(shape: tuple[int, int, int], seed: int) -> NDArray[np.uint8]:
        rng = np.random.default_rng(seed)
        share = rng.dirichlet(np.ones(phases))
        return rng.choice(phases, shape, p=share).astype(np.uint8)

    return st.builds(draw, st.tuples(*[st.integers(low, high)] * 3), st.integers(0, 10_000))


def _interpolation(n: int, points: NDArray, periodic: bool) -> NDArray[np.float64]:
    """Return the weights of n voxel centres at points, given in voxels with centres at 0, 1, ..."""
    weights = np.zeros((len(points), n))
    base = np.floor(points).astype(int)
    for bit in (0, 1):
        at = (base + bit) % n if periodic else np.clip(base + bit, 0, n - 1)
        part = points - base
        np.add.at(weights, (np.arange(len(points)), at), part if bit else 1 - part)
    return weights


def shares(
    labels: NDArray[np.uint8], phase: int, points: Sequence[NDArray], periodic: bool
) -> NDArray[np.float64]:
    """Return the share of a phase at a grid of points, a tie counted in equal parts."""
    matrices = [_interpolation(n, p, periodic) for n, p in zip(labels.shape, points, strict=True)]
    names = np.unique(labels)
    weights = np.stack(
        [
            np.einsum("az,by,cx,zyx->abc", *matrices, (labels == name).astype(float), optimize=True)
            for name in names
        ]
    )
    winners = weights > weights.max(0) - 1e-9
    mine = winners[names == phase].any(0)
    return mine / winners.sum(0)


def within(n: int) -> NDArray[np.float64]:
    """Return N points in each of n voxels."""
    return (np.arange(n)[:, None] + (np.arange(N) + 0.5) / N - 0.5).ravel()


def sampled_openings(
    labels: NDArray[np.uint8], phase: int, axis: int, periodic: bool, offset: float = 0.5
) -> NDArray[np.float64]:
    """Return the open fraction of the face after (offset .5) or before (-.5) every voxel."""
    points = [within(n) for n in labels.shape]
    points[axis] = np.arange(labels.shape[axis]) + offset
    parts = [m for a, n in enumerate(labels.shape) for m in (n, 1 if a == axis else N)]
    return shares(labels, phase, points, periodic).reshape(parts).mean((1, 3, 5))


def sampled_fractions(labels: NDArray[np.uint8], phase: int, periodic: bool) -> NDArray[np.float64]:
    """Return the fraction of each voxel that a phase fills."""
    value = shares(labels, phase, [within(n) for n in labels.shape], periodic)
    return value.reshape([m for n in labels.shape for m in (n, N)]).mean((1, 3, 5))


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

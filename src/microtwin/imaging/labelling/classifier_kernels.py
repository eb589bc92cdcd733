"""Compiled loops of the pixel classifier: derivatives, the walk through trees, labels."""

from __future__ import annotations

from math import acos, cos, pi, sqrt

import numpy as np
from numba import njit

from ...numerics.compiling import INNER, OPTIONS

__all__ = [
    "count_labels",
    "eigenvalues",
    "forest",
    "gradient_products",
    "gradients",
    "hessians",
    "log_ratios",
    "weighted_labels",
]

# Voxels that go through a tree together: the nodes of the tree and the features of the voxels
# stay in the cache, and their walks, which wait for memory, overlap.
_TOGETHER = 128


@njit(**INNER)
def _slopes(smooth, z, y, x, weights):
    """Return the central differences at a voxel; beyond the faces the values go on."""
    nz, ny, nx = smooth.shape
    return (
        0.5 * weights[0] * (smooth[min(z + 1, nz - 1), y, x] - smooth[max(z - 1, 0), y, x]),
        0.5 * weights[1] * (smooth[z, min(y + 1, ny - 1), x] - smooth[z, max(y - 1, 0), x]),
        0.5 * weights[2] * (smooth[z, y, min(x + 1, nx - 1)] - smooth[z, y, max(x - 1, 0)]),
    )


@njit(**INNER)
def _sorted_eigenvalues(a, b, c, d, e, f):
    """Return the eigenvalues of ((a, d, e), (d, b, f), (e, f, c)), the largest first.

    O. K. Smith, Commun. ACM 4 (1961) 168.
    """
    mean = (a + b + c) / 3
    a, b, c = a - mean, b - mean, c - mean
    spread = sqrt((a * a + b * b + c * c + 2 * (d * d + e * e + f * f)) / 6)
    if spread < 1e-30:
        return mean, mean, mean
    determinant = a * (b * c - f * f) - d * (d * c - f * e) + e * (d * f - b * e)
    half = 0.5 * determinant / (spread * spread * spread)
    angle = acos(min(max(half, -1.0), 1.0)) / 3
    first = mean + 2 * spread * cos(angle)
    last = mean + 2 * spread * cos(angle + 2 * pi / 3)
    return first, 3 * mean - first - last, last


@njit(**OPTIONS)
def gradients(smooth, start, weights, out):
    """Write the magnitude of the gradient, each axis times its weight, of the voxels of a block."""
    for z in range(out.shape[0]):
        for y in range(out.shape[1]):
            for x in range(out.shape[2]):
                dz, dy, dx = _slopes(smooth, z + start[0], y + start[1], x + start[2], weights)
                out[z, y, x] = sqrt(dz * dz + dy * dy + dx * dx)


@njit(**OPTIONS)
def hessians(smooth, start, weights, out):
    """Write the eigenvalues of the second derivatives, the largest first, of a block."""
    nz, ny, nx = smooth.shape
    wz, wy, wx = weights
    for k in range(out.shape[1]):
        z = k + start[0]
        below, above = max(z - 1, 0), min(z + 1, nz - 1)
        for j in range(out.shape[2]):
            y = j + start[1]
            front, back = max(y - 1, 0), min(y + 1, ny - 1)
            for i in range(out.shape[3]):
                x = i + start[2]
                left, right = max(x - 1, 0), min(x + 1, nx - 1)
                twice = 2.0 * smooth[z, y, x]
                zz = smooth[above, y, x] + smooth[below, y, x] - twice
                yy = smooth[z, back, x] + smooth[z, front, x] - twice
                xx = smooth[z, y, right] + smooth[z, y, left] - twice
                zy = smooth[above, back, x] + smooth[below, front, x]
                zy -= smooth[above, front, x] + smooth[below, back, x]
                zx = smooth[above, y, right] + smooth[below, y, left]
                zx -= smooth[above, y, left] + smooth[below, y, right]
                yx = smooth[z, back, right] + smooth[z, front, left]
                yx -= smooth[z, back, left] + smooth[z, front, right]
                out[0, k, j, i], out[1, k, j, i], out[2, k, j, i] = _sorted_eigenvalues(
                    wz * wz * zz,
                    wy * wy * yy,
                    wx * wx * xx,
                    0.25 * wz * wy * zy,
                    0.25 * wz * wx * zx,
                    0.25 * wy * wx * yx,
                )


@njit(**OPTIONS)
def gradient_products(smooth, weights, out):
    """Write the products of the slopes: zz, yy, xx, zy, zx, yx."""
    for z in range(out.shape[1]):
        for y in range(out.shape[2]):
            for x in range(out.shape[3]):
                dz, dy, dx = _slopes(smooth, z, y, x, weights)
                out[0, z, y, x] = dz * dz
                out[1, z, y, x] = dy * dy
                out[2, z, y, x] = dx * dx
                out[3, z, y, x] = dz * dy
                out[4, z, y, x] = dz * dx
                out[5, z, y, x] = dy * dx


@njit(**OPTIONS)
def eigenvalues(parts, out):
    """Write the eigenvalues of symmetric matrices (zz, yy, xx, zy, zx, yx), largest first."""
    for z in range(out.shape[1]):
        for y in range(out.shape[2]):
            for x in range(out.shape[3]):
                out[0, z, y, x], out[1, z, y, x], out[2, z, y, x] = _sorted_eigenvalues(
                    parts[0, z, y, x],
                    parts[1, z, y, x],
                    parts[2, z, y, x],
                    parts[3, z, y, x],
                    parts[4, z, y, x],
                    parts[5, z, y, x],
                )


@njit(**OPTIONS)
def forest(features, roots, depths, feature, threshold, left, value, out):
    """Write the mean of the leaves that voxels come to, ``out[voxel, class]``, over all trees.

    ``features[f, voxel]``. The right child follows the left one; a leaf is its own left child
    and has an infinite threshold, so that all walks of a tree are equally long and branch-free.
    """
    count, classes = out.shape
    # Unsigned numbers: signed ones would be looked at for indices from the end.
    node = np.empty(_TOGETHER, np.uint32)
    near = np.empty(features.shape[0] * _TOGETHER, np.float32)
    width, right, stay = np.uint32(_TOGETHER), np.uint32(1), np.uint32(0)
    for low in range(0, count, _TOGETHER):
        size = min(_TOGETHER, count - low)
        for f in range(features.shape[0]):
            near[f * _TOGETHER : f * _TOGETHER + size] = features[f, low : low + size]
        for i in range(size):
            for c in range(classes):
                out[low + i, c] = 0.0
        for t in range(roots.size):
            for i in range(size):
                node[i] = roots[t]
            for _ in range(depths[t]):
                for i in range(size):
                    n = node[i]
                    above = near[feature[n] * width + np.uint32(i)] > threshold[n]
                    node[i] = left[n] + (right if above else stay)
            for i in range(size):
                for c in range(classes):
                    out[low + i, c] += value[node[i], c]
        for i in range(size):
            for c in range(classes):
                out[low + i, c] /= roots.size


@njit(**OPTIONS)
def log_ratios(first, end, probable, weights, phase, out):
    """Write ``log(p_k / max of the other w p)`` of voxels, for the phase k.

    ``probable[class, voxel]``; half a step of the probabilities stands for zero.
    """
    for i in range(first, end):
        other = 0.0
        for c in range(probable.shape[0]):
            if c != phase:
                other = max(other, weights[c] * max(np.float64(probable[c, i]), 0.5))
        out[i] = np.log(max(np.float64(probable[phase, i]), 0.5) / other)


@njit(**INNER)
def _best(probable, weights, i):
    best, most = 0, -1.0
    for c in range(probable.shape[0]):
        chance = weights[c] * max(np.float64(probable[c, i]), 0.5)
        if chance > most:
            best, most = c, chance
    return best


@njit(**OPTIONS)
def count_labels(share, first, end, probable, weights, counts):
    """Count the most probable labels of voxels to ``counts[share]``."""
    for i in range(first, end):
        counts[share, _best(probable, weights, i)] += 1


@njit(**OPTIONS)
def weighted_labels(first, end, probable, weights, labels, out):
    """Write the most probable label of each voxel, and the weighted probabilities in 255ths."""
    classes = probable.shape[0]
    for i in range(first, end):
        labels[i] = _best(probable, weights, i)
        total = 0.0
        for c in range(classes):
            total += weights[c] * probable[c, i]
        for c in range(classes):
            out[c, i] = np.uint8(255.0 * weights[c] * probable[c, i] / total + 0.5)

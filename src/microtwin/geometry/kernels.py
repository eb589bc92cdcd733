"""Compiled kernels of the embedded boundary; `catalogue` and `apertures` say what they compute."""

from __future__ import annotations

import numpy as np
from numba import njit

from microtwin.numerics.compiling import OPTIONS

FULL = 62  # units in a whole quarter face or octant: even, for a clean half; 4 * 62 fits a byte
ALL_OTHER = 0x5555  # the pattern of eight equal labels that are not the phase of interest
ALL_FACES = 63  # one bit per face of a voxel, in the order z-, z+, y-, y+, x-, x+


@njit(**OPTIONS)
def _share(digits, z, y, x):
    """Return the share of the phase 0 at a point: 1, 0, or a part of a tie.

    `digits` are the labels of the corners and (z, y, x) the position in the dual cell, 0 to 1.
    """
    weight = np.zeros(4)
    for c in range(8):
        fz = z if c >> 2 & 1 else 1 - z
        fy = y if c >> 1 & 1 else 1 - y
        fx = x if c & 1 else 1 - x
        weight[digits[c]] += fz * fy * fx
    best = weight.max()
    ties = 0
    for value in weight:
        ties += value > best - 1e-9
    return 1.0 / ties if weight[0] > best - 1e-9 else 0.0


@njit(**OPTIONS)
def fill(patterns, edges, n, full, faces, octants):
    """Sample quarter faces and octants at the midpoints of n (x n x n) cells.

    Both use the same positions in the plane of a face, so that in a structure that does not change
    along an axis the volumes and the apertures agree exactly.
    """
    digits = np.empty(8, np.int64)
    for pattern in patterns:
        for c in range(8):
            digits[c] = pattern >> (2 * c) & 3
        for e in range(12):
            low, high = edges[e]
            axis = 0 if low ^ high == 4 else (1 if low ^ high == 2 else 2)
            total = 0.0
            for a in range(n):
                for b in range(n):
                    s, t = (a + 0.5) / (2 * n), (b + 0.5) / (2 * n)
                    # In the other two axes the quarter face lies on the side of the edge.
                    if axis == 0:
                        y = 0.5 + s if low >> 1 & 1 else 0.5 - s
                        x = 0.5 + t if low & 1 else 0.5 - t
                        total += _share(digits, 0.5, y, x)
                    elif axis == 1:
                        z = 0.5 + s if low >> 2 & 1 else 0.5 - s
                        x = 0.5 + t if low & 1 else 0.5 - t
                        total += _share(digits, z, 0.5, x)
                    else:
                        z = 0.5 + s if low >> 2 & 1 else 0.5 - s
                        y = 0.5 + t if low >> 1 & 1 else 0.5 - t
                        total += _share(digits, z, y, 0.5)
            faces[pattern, e] = round(full * total / n**2)
        for c in range(8):
            total = 0.0
            for a in range(n):
                for b in range(n):
                    for g in range(n):
                        z = 0.5 + (a + 0.5) / (2 * n) * (1 if c >> 2 & 1 else -1)
                        y = 0.5 + (b + 0.5) / (2 * n) * (1 if c >> 1 & 1 else -1)
                        x = 0.5 + (g + 0.5) / (2 * n) * (1 if c & 1 else -1)
                        total += _share(digits, z, y, x)
            octants[pattern, c] = round(full * total / n**3)


@njit(**OPTIONS)
def _voxel(k, n, periodic):
    """Return the index of a voxel that may lie one layer outside."""
    if periodic:
        return k % n
    return min(max(k, 0), n - 1)


@njit(**OPTIONS)
def match(first, end, patterns, present, labels, phase, periodic):
    """Write the label pattern of each dual cell and mark the ones that occur."""
    nz, ny, nx = labels.shape
    corner = np.empty(8, np.uint8)
    alike = np.empty(nx, np.bool_)
    present[0] = present[ALL_OTHER] = True
    for k in range(first, end):
        k0, k1 = _voxel(k - 1, nz, periodic), _voxel(k, nz, periodic)
        for j in range(ny + 1):
            j0, j1 = _voxel(j - 1, ny, periodic), _voxel(j, ny, periodic)
            for i in range(nx):
                label = labels[k0, j0, i]
                alike[i] = (
                    (label == labels[k0, j1, i])
                    & (label == labels[k1, j0, i])
                    & (label == labels[k1, j1, i])
                )
            for i in range(nx + 1):
                i0, i1 = _voxel(i - 1, nx, periodic), _voxel(i, nx, periodic)
                label = labels[k0, j0, i0]
                if alike[i0] and alike[i1] and label == labels[k0, j0, i1]:
                    patterns[k, j, i] = 0 if label == phase else ALL_OTHER
                    continue
                corner[0], corner[1] = label, labels[k0, j0, i1]
                corner[2], corner[3] = labels[k0, j1, i0], labels[k0, j1, i1]
                corner[4], corner[5] = labels[k1, j0, i0], labels[k1, j0, i1]
                corner[6], corner[7] = labels[k1, j1, i0], labels[k1, j1, i1]
                pattern = _pattern(corner, phase)
                patterns[k, j, i] = pattern
                present[pattern] = True


@njit(**OPTIONS)
def _pattern(corner, phase):
    """Return the number of a label pattern: 2 bits per corner, others by order of appearance."""
    second, third, others = 256, 256, 0
    pattern = 0
    for c in range(8):
        label = corner[c]
        if label == phase:
            continue
        if others == 0:
            second, others = label, 1
        elif label != second and others == 1:
            third, others = label, 2
        digit = 1 if label == second else (2 if label == third else 3)
        pattern |= digit << (2 * c)
    return pattern


@njit(**OPTIONS)
def cut(first, end, patterns, labels, phase, quarter, octant, faces, low, links, volumes):
    """Add up quarter faces and octants, and find which faces of a voxel its piece may use."""
    gz, gy, gx = faces
    _, ny, nx = labels.shape
    plain = np.empty(nx + 1, np.uint8)
    for k in range(first, end):
        for j in range(ny):
            # 1 where the phase fills all four dual cells at an edge of the voxels, 2 where none.
            for i in range(nx + 1):
                p, q = patterns[k, j, i], patterns[k, j + 1, i]
                r, s = patterns[k + 1, j, i], patterns[k + 1, j + 1, i]
                same = (p == q) & (p == r) & (p == s)
                plain[i] = same * ((p == 0) + 2 * (p == ALL_OTHER))
            for i in range(nx):
                if plain[i] > 0 and plain[i] == plain[i + 1]:
                    full = np.uint8(4 * FULL) if plain[i] == 1 else np.uint8(0)
                    gz[k, j, i], gy[k, j, i], gx[k, j, i] = full, full, full
                    links[k, j, i] = ALL_FACES if plain[i] == 1 else 0
                    volumes[k] += 2 * full
                    continue
                z, y, x, v = 0, 0, 0, 0
                for a in range(2):
                    for b in range(2):
                        z += quarter[patterns[k + 1, j + 1 - a, i + 1 - b], 2 * a + b]
                        y += quarter[patterns[k + 1 - a, j + 1, i + 1 - b], 4 + 2 * a + b]
                        x += quarter[patterns[k + 1 - a, j + 1 - b, i + 1], 8 + 2 * a + b]
                        for c in range(2):
                            p = patterns[k + 1 - a, j + 1 - b, i + 1 - c]
                            v += octant[p, 4 * a + 2 * b + c]
                gz[k, j, i], gy[k, j, i], gx[k, j, i] = z, y, x
                volumes[k] += v
                mine = labels[k, j, i] == phase
                links[k, j, i] = ALL_FACES if mine else _largest_piece(patterns, quarter, k, j, i)
        if k == 0:
            for j in range(ny):
                for i in range(nx):
                    z = 0
                    for a in range(2):
                        for b in range(2):
                            z += quarter[patterns[0, j + 1 - a, i + 1 - b], 2 * a + b]
                    low[j, i] = z


@njit(**OPTIONS)
def _largest_piece(patterns, quarter, k, j, i):
    """Return the faces (bits) that touch the largest piece of the phase inside a voxel.

    Faces belong to one piece if the phase reaches both of them at a common corner of the voxel.
    """
    area = np.zeros(6, np.int64)
    joined = np.zeros(8, np.int64)
    for c in range(8):
        a, b, d = c >> 2 & 1, c >> 1 & 1, c & 1
        p = patterns[k + 1 - a, j + 1 - b, i + 1 - d]
        sizes = (quarter[p, 2 * b + d], quarter[p, 4 + 2 * a + d], quarter[p, 8 + 2 * a + b])
        sides = (1 - a, 3 - b, 5 - d)
        for n in range(3):
            if sizes[n] > 0:
                joined[c] |= 1 << sides[n]
                area[sides[n]] += sizes[n]
    best, best_area, seen = 0, 0, 0
    for side in range(6):
        if area[side] == 0 or seen >> side & 1:
            continue
        piece, before = 1 << side, 0
        while piece != before:
            before = piece
            for c in range(8):
                if joined[c] & piece:
                    piece |= joined[c]
        seen |= piece
        total = 0
        for other in range(6):
            if piece >> other & 1:
                total += area[other]
        if total > best_area:
            best, best_area = piece, total
    return best


@njit(**OPTIONS)
def attach(first, end, faces, links, owners, labels, phase, periodic):
    """Give the piece in each voxel of another label to the cluster it shares most area with."""
    gz, gy, gx = faces
    nz, ny, nx = labels.shape
    for k in range(first, end):
        for j in range(ny):
            for i in range(nx):
                open_faces = links[k, j, i]
                if open_faces == 0 or labels[k, j, i] == phase:
                    continue
                best, owner = 0, 0
                for side in range(6):
                    if not open_faces >> side & 1:
                        continue
                    step = 1 if side % 2 else -1
                    kk = k + step if side < 2 else k
                    jj = j + step if 2 <= side < 4 else j
                    ii = i + step if side >= 4 else i
                    outside = kk < 0 or kk == nz or jj < 0 or jj == ny or ii < 0 or ii == nx
                    if outside and not periodic:
                        continue
                    kk, jj, ii = kk % nz, jj % ny, ii % nx
                    if labels[kk, jj, ii] != phase:
                        continue
                    a, b, c = (k, j, i) if side % 2 else (kk, jj, ii)
                    area = gz[a, b, c] if side < 2 else (gy[a, b, c] if side < 4 else gx[a, b, c])
                    if area > best:
                        best, owner = area, owners[kk, jj, ii]
                owners[k, j, i] = owner


@njit(**OPTIONS)
def close(first, end, faces, links, owners, periodic):
    """Close the faces between different clusters and those that a piece may not use."""
    gz, gy, gx = faces
    nz, ny, nx = owners.shape
    for k in range(first, end):
        kp = k + 1 if k < nz - 1 else 0
        for j in range(ny):
            jp = j + 1 if j < ny - 1 else 0
            for i in range(nx):
                owner, mine = owners[k, j, i], links[k, j, i]
                if gz[k, j, i] + gy[k, j, i] + gx[k, j, i] == 0:
                    continue
                ip = i + 1 if i < nx - 1 else 0
                there = owner > 0 and owner == owners[kp, j, i] and (periodic or k < nz - 1)
                if not (there and mine & 2 and links[kp, j, i] & 1):
                    gz[k, j, i] = 0
                there = owner > 0 and owner == owners[k, jp, i] and (periodic or j < ny - 1)
                if not (there and mine & 8 and links[k, jp, i] & 4):
                    gy[k, j, i] = 0
                there = owner > 0 and owner == owners[k, j, ip] and (periodic or i < nx - 1)
                if not (there and mine & 32 and links[k, j, ip] & 16):
                    gx[k, j, i] = 0


@njit(**OPTIONS)
def _octants(patterns, octant, k, j, i):
    """Return how much of a voxel the phase fills, 8 * FULL for all of it."""
    total = 0
    for a in range(2):
        for b in range(2):
            for c in range(2):
                total += octant[patterns[k + 1 - a, j + 1 - b, i + 1 - c], 4 * a + 2 * b + c]
    return total


@njit(**OPTIONS)
def fractions(first, end, result, patterns, octant):
    """Write the fraction of each voxel that the phase fills."""
    for k in range(first, end):
        for j in range(result.shape[1]):
            for i in range(result.shape[2]):
                result[k, j, i] = _octants(patterns, octant, k, j, i) / (8.0 * FULL)


@njit(**OPTIONS)
def _imbalance(patterns, quarter, k, j, i):
    """Return opening of the lower minus opening of the upper face along (z, y, x)."""
    z, y, x = 0, 0, 0
    for a in range(2):
        for b in range(2):
            e, f, g = 2 * a + b, 4 + 2 * a + b, 8 + 2 * a + b
            z += quarter[patterns[k, j + 1 - a, i + 1 - b], e]
            z -= quarter[patterns[k + 1, j + 1 - a, i + 1 - b], e]
            y += quarter[patterns[k + 1 - a, j, i + 1 - b], f]
            y -= quarter[patterns[k + 1 - a, j + 1, i + 1 - b], f]
            x += quarter[patterns[k + 1 - a, j + 1 - b, i], g]
            x -= quarter[patterns[k + 1 - a, j + 1 - b, i + 1], g]
    return z, y, x


@njit(**OPTIONS)
def areas(first, end, result, mine, theirs, quarter, octant):
    """Write the interface between two phases in each voxel as a vector."""
    _, _, ny, nx = result.shape
    unit = 1.0 / (4 * FULL)
    for k in range(first, end):
        for j in range(ny):
            for i in range(nx):
                a, b = _imbalance(mine, quarter, k, j, i), _imbalance(theirs, quarter, k, j, i)
                if (a[0] | a[1] | a[2]) == 0 or (b[0] | b[1] | b[2]) == 0:
                    continue
                both = _octants(mine, octant, k, j, i) + _octants(theirs, octant, k, j, i)
                # A few units of rounding in the octants do not make a third phase.
                share = unit / (2.0 if both >= 8 * FULL - 8 else 3.0)
                for axis in range(3):
                    result[axis, k, j, i] = share * (a[axis] - b[axis])

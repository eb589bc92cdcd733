"""Compiled kernels of the embedded boundary; `catalogue` and `apertures` say what they compute."""

from __future__ import annotations

import numpy as np
from numba import njit

from microtwin.numerics.compiling import OPTIONS

FULL = 62  # units in a whole quarter face or octant: even, for a clean half; 4 * 62 fits a byte
ALL_OTHER = 0x5555  # the pattern of eight equal labels that are not the phase of interest
ALL_CORNERS = 255  # one bit per corner of a voxel


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
def voxel_index(k, n, periodic):
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
        k0, k1 = voxel_index(k - 1, nz, periodic), voxel_index(k, nz, periodic)
        for j in range(ny + 1):
            j0, j1 = voxel_index(j - 1, ny, periodic), voxel_index(j, ny, periodic)
            for i in range(nx):
                label = labels[k0, j0, i]
                alike[i] = (
                    (label == labels[k0, j1, i])
                    & (label == labels[k1, j0, i])
                    & (label == labels[k1, j1, i])
                )
            for i in range(nx + 1):
                i0, i1 = voxel_index(i - 1, nx, periodic), voxel_index(i, nx, periodic)
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
def _find_plain(plain, patterns, k, j):
    """Write 1 where the phase fills all four dual cells at an edge of the voxels, 2 where none."""
    for i in range(plain.shape[0]):
        p, q = patterns[k, j, i], patterns[k, j + 1, i]
        r, s = patterns[k + 1, j, i], patterns[k + 1, j + 1, i]
        same = (p == q) & (p == r) & (p == s)
        plain[i] = same * ((p == 0) + 2 * (p == ALL_OTHER))


@njit(**OPTIONS)
def keep_pieces(first, end, patterns, labels, phase, periodic, quarter, octant, kept, volumes):
    """Find the piece of the phase that each voxel of another label keeps, and add up volumes.

    `kept` has one bit per corner of the voxel: all of them for voxels of the phase, none where the
    phase does not reach. Corner c = (a, b, d) of voxel (k, j, i) lies in the dual cell
    (k + 1 - a, j + 1 - b, i + 1 - d), whose corner c is that voxel.
    """
    _, ny, nx = labels.shape
    plain = np.empty(nx + 1, np.uint8)
    area, piece = np.empty(8, np.int64), np.empty(8, np.int64)
    for k in range(first, end):
        for j in range(ny):
            _find_plain(plain, patterns, k, j)
            for i in range(nx):
                if plain[i] > 0 and plain[i] == plain[i + 1]:
                    kept[k, j, i] = ALL_CORNERS if plain[i] == 1 else 0
                    volumes[k] += 8 * FULL if plain[i] == 1 else 0
                    continue
                corners = ALL_CORNERS
                if labels[k, j, i] != phase:
                    corners = _largest_piece(
                        area, piece, patterns, quarter, octant, labels, phase, periodic, k, j, i
                    )
                kept[k, j, i] = corners
                for c in range(8):
                    if corners >> c & 1:
                        p = patterns[k + 1 - (c >> 2), j + 1 - (c >> 1 & 1), i + 1 - (c & 1)]
                        volumes[k] += octant[p, c]


@njit(**OPTIONS)
def _largest_piece(area, piece, patterns, quarter, octant, labels, phase, periodic, k, j, i):
    """Return the corners (bits) of the largest piece of the phase in a voxel of another label.

    What reaches two neighbouring corners is one piece if both lie on a face towards a voxel of the
    phase, which joins them in any case. `area` and `piece` are room for 8 numbers each.
    """
    nz, ny, nx = labels.shape
    for c in range(8):
        a, b, d = c >> 2, c >> 1 & 1, c & 1
        p = patterns[k + 1 - a, j + 1 - b, i + 1 - d]
        z, y, x = quarter[p, 2 * b + d], quarter[p, 4 + 2 * a + d], quarter[p, 8 + 2 * a + b]
        # At a saddle two faces are open by a tie, but nothing joins them: the phase only touches.
        touching = octant[p, c] == 0 and (z > 0) + (y > 0) + (x > 0) > 1
        area[c] = 0 if touching else z + y + x
        piece[c] = 1 << c if area[c] > 0 else 0
    for axis in range(3):
        bit = 4 >> axis
        for c in range(8):
            if c & bit or piece[c] == 0 or piece[c | bit] == 0:
                continue
            kk = voxel_index(k - 1 if c & 4 else k + 1, nz, periodic)
            jj = voxel_index(j - 1 if c & 2 else j + 1, ny, periodic)
            ii = voxel_index(i - 1 if c & 1 else i + 1, nx, periodic)
            if axis == 0:
                one, two = labels[k, jj, i], labels[k, j, ii]
            elif axis == 1:
                one, two = labels[kk, j, i], labels[k, j, ii]
            else:
                one, two = labels[kk, j, i], labels[k, jj, i]
            if one == phase or two == phase:
                _join(piece, c, c | bit)
    best, best_area = 0, 0
    for c in range(8):
        total = 0
        for e in range(8):
            if piece[c] >> e & 1:
                total += area[e]
        if total > best_area:
            best, best_area = piece[c], total
    return best


@njit(**OPTIONS)
def _join(piece, c, e):
    union = piece[c] | piece[e]
    for q in range(8):
        if union >> q & 1:
            piece[q] = union


@njit(**OPTIONS)
def _opening(patterns, quarter, axis, k, j, i, mine, theirs):
    """Return the open part of the face after a voxel, as far as both voxels keep its corners."""
    total = 0
    for a in range(2):
        for b in range(2):
            if axis == 0:
                p, low, bit = patterns[k + 1, j + 1 - a, i + 1 - b], 2 * a + b, 4
            elif axis == 1:
                p, low, bit = patterns[k + 1 - a, j + 1, i + 1 - b], 4 * a + b, 2
            else:
                p, low, bit = patterns[k + 1 - a, j + 1 - b, i + 1], 4 * a + 2 * b, 1
            if mine >> low & 1 and theirs >> (low | bit) & 1:
                total += quarter[p, 4 * axis + 2 * a + b]
    return total


@njit(**OPTIONS)
def attach(first, end, patterns, quarter, kept, owners, labels, phase, periodic):
    """Give the piece in each voxel of another label to the cluster it shares most area with."""
    nz, ny, nx = labels.shape
    for k in range(first, end):
        for j in range(ny):
            for i in range(nx):
                mine = kept[k, j, i]
                if mine == 0 or labels[k, j, i] == phase:
                    continue
                best, owner = 0, 0
                for side in range(6):
                    axis, step = side // 2, 1 if side % 2 else -1
                    kk = k + step if axis == 0 else k
                    jj = j + step if axis == 1 else j
                    ii = i + step if axis == 2 else i
                    outside = kk < 0 or kk == nz or jj < 0 or jj == ny or ii < 0 or ii == nx
                    if outside and not periodic:
                        continue
                    # Beyond the last voxel lies the first one; before the first, index -1 is right.
                    beside = (kk if kk < nz else 0, jj if jj < ny else 0, ii if ii < nx else 0)
                    if labels[beside] != phase:
                        continue
                    if step == 1:
                        area = _opening(patterns, quarter, axis, k, j, i, mine, ALL_CORNERS)
                    else:  # the face after the voxel before; its patterns start at index 0
                        area = _opening(patterns, quarter, axis, kk, jj, ii, ALL_CORNERS, mine)
                    if area > best:
                        best, owner = area, owners[beside]
                owners[k, j, i] = owner


@njit(**OPTIONS)
def open_faces(first, end, patterns, quarter, kept, owners, faces, periodic):
    """Write the open part of the face after each voxel; faces between clusters stay closed."""
    gz, gy, gx = faces
    nz, ny, nx = owners.shape
    plain = np.empty(nx + 1, np.uint8)
    for k in range(first, end):
        kp = k + 1 if k < nz - 1 else 0
        for j in range(ny):
            jp = j + 1 if j < ny - 1 else 0
            _find_plain(plain, patterns, k, j)
            for i in range(nx):
                owner, mine = owners[k, j, i], kept[k, j, i]
                inner = k < nz - 1 and j < ny - 1 and i < nx - 1
                if inner and owner > 0 and plain[i] == 1 and plain[i + 1] == 1:
                    gz[k, j, i], gy[k, j, i], gx[k, j, i] = 4 * FULL, 4 * FULL, 4 * FULL
                    continue
                gz[k, j, i], gy[k, j, i], gx[k, j, i] = 0, 0, 0
                if owner == 0 or mine == 0:
                    continue
                ip = i + 1 if i < nx - 1 else 0
                if owner == owners[kp, j, i] and (periodic or k < nz - 1):
                    theirs = kept[kp, j, i]
                    gz[k, j, i] = _opening(patterns, quarter, 0, k, j, i, mine, theirs)
                if owner == owners[k, jp, i] and (periodic or j < ny - 1):
                    theirs = kept[k, jp, i]
                    gy[k, j, i] = _opening(patterns, quarter, 1, k, j, i, mine, theirs)
                if owner == owners[k, j, ip] and (periodic or i < nx - 1):
                    theirs = kept[k, j, ip]
                    gx[k, j, i] = _opening(patterns, quarter, 2, k, j, i, mine, theirs)


@njit(**OPTIONS)
def open_ends(low, high, patterns, quarter, kept, owners):
    """Write the open part of the outer faces of axis 0."""
    nz, ny, nx = owners.shape
    for j in range(ny):
        for i in range(nx):
            low[j, i], high[j, i] = 0, 0
            if owners[0, j, i] > 0:
                mine = kept[0, j, i]
                low[j, i] = _opening(patterns, quarter, 0, -1, j, i, ALL_CORNERS, mine)
            if owners[-1, j, i] > 0:
                mine = kept[-1, j, i]
                high[j, i] = _opening(patterns, quarter, 0, nz - 1, j, i, mine, ALL_CORNERS)


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
def _imbalance(patterns, quarter, k, j, i, low, high, own):
    """Return opening of the lower minus opening of the upper face along (z, y, x).

    Bits in `low` and `high` mark faces that count as whole for the label of the voxel itself
    (`own`) and as closed for all others.
    """
    z, y, x = 0, 0, 0
    for a in range(2):
        for b in range(2):
            e, f, g = 2 * a + b, 4 + 2 * a + b, 8 + 2 * a + b
            if low & 1 == 0:
                z += quarter[patterns[k, j + 1 - a, i + 1 - b], e]
            if high & 1 == 0:
                z -= quarter[patterns[k + 1, j + 1 - a, i + 1 - b], e]
            if low & 2 == 0:
                y += quarter[patterns[k + 1 - a, j, i + 1 - b], f]
            if high & 2 == 0:
                y -= quarter[patterns[k + 1 - a, j + 1, i + 1 - b], f]
            if low & 4 == 0:
                x += quarter[patterns[k + 1 - a, j + 1 - b, i], g]
            if high & 4 == 0:
                x -= quarter[patterns[k + 1 - a, j + 1 - b, i + 1], g]
    if own:
        z += 4 * FULL * ((low & 1) - (high & 1))
        y += 2 * FULL * ((low & 2) - (high & 2))
        x += FULL * ((low & 4) - (high & 4))
    return z, y, x


@njit(**OPTIONS)
def areas(first, end, result, labels, phase, other, sealed, mine, theirs, quarter, octant):
    """Write the interface between two phases in each voxel as a vector."""
    _, _, ny, nx = result.shape
    unit = 1.0 / (4 * FULL)
    for k in range(first, end):
        for j in range(ny):
            for i in range(nx):
                high = sealed[k, j, i]
                # Before the first voxel index -1 is right: the last one, across the period.
                low = (sealed[k - 1, j, i] & 1) | (sealed[k, j - 1, i] & 2)
                low |= sealed[k, j, i - 1] & 4
                label = labels[k, j, i]
                a = _imbalance(mine, quarter, k, j, i, low, high, label == phase)
                b = _imbalance(theirs, quarter, k, j, i, low, high, label == other)
                if (a[0] | a[1] | a[2]) == 0 or (b[0] | b[1] | b[2]) == 0:
                    continue
                both = _octants(mine, octant, k, j, i) + _octants(theirs, octant, k, j, i)
                # A few units of rounding in the octants do not make a third phase.
                share = unit / (2.0 if both >= 8 * FULL - 8 else 3.0)
                for axis in range(3):
                    result[axis, k, j, i] = share * (a[axis] - b[axis])


@njit(**OPTIONS)
def openings(result, axis, voxels, patterns, quarter, ny, nx):
    """Write the open part of the faces after the given voxels along an axis, all pieces of it."""
    for n in range(voxels.shape[0]):
        v = voxels[n]
        k, j, i = v // (ny * nx), v // nx % ny, v % nx
        result[n] = _opening(patterns, quarter, axis, k, j, i, ALL_CORNERS, ALL_CORNERS)

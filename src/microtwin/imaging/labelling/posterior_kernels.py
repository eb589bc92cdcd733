"""Compiled loops of the posterior segmentation; `posterior` says what they compute.

Planes are worked on in bands. A voxel reads and writes the residual within the reach of the
blur, so bands of equal parity do not touch each other and can be worked on by several threads,
with the same result for any number of them.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from ...numerics.compiling import OPTIONS

__all__ = ["BAND", "neighbour_statistics", "residual", "sweep"]

BAND = 16  # planes; more than twice the largest reach of the blur

_FAST = {**OPTIONS, "fastmath": True}
_INNER = {**_FAST, "inline": "always"}
_FACE = np.float32(1.0)
_EDGE = np.float32(1 / np.sqrt(2))
_CORNER = np.float32(1 / np.sqrt(3))


@njit(**_INNER)
def _seen_inside(residuals, stencil, z, y, x):
    """Return the residual around a voxel weighted by the response, all of it inside the image.

    Rows of the stencil are padded to octets: eight products at once in a vector register.
    """
    side, _, width = stencil.shape
    radius = (side - 1) // 2
    total = np.float32(0.0)
    for dz in range(side):
        for dy in range(side):
            weights = stencil[dz, dy]
            row = residuals[z + dz - radius, y + dy - radius]
            for octet in range(0, width, 8):
                for d in range(8):
                    total += weights[octet + d] * row[x - radius + octet + d]
    return total


@njit(**_INNER)
def _change_inside(residuals, stencil, z, y, x, change):
    """Subtract a change of the mean of a voxel, seen through the response, from the residual."""
    side, _, width = stencil.shape
    radius = (side - 1) // 2
    for dz in range(side):
        for dy in range(side):
            weights = stencil[dz, dy]
            row = residuals[z + dz - radius, y + dy - radius]
            for octet in range(0, width, 8):
                for d in range(8):
                    row[x - radius + octet + d] -= change * weights[octet + d]


@njit(**_FAST)
def residual(first, end, values, middle, labels, means, reach, wz, wy, wx, out):
    """Write ``values - middle - blurred means`` of the planes first ... end - 1 to `out`.

    The means are measured from `middle`. ``wz[i, d]`` is the weight of a source in plane i for the
    voxel d - R planes further; `reach` tells how many voxels along x the blur is followed, for
    each distance along z and y.
    """
    nz, ny, nx = values.shape
    radius = (wz.shape[1] - 1) // 2
    for z in range(first, end):
        for y in range(ny):
            for x in range(nx):
                total = np.float32(0.0)
                for dz in range(max(-radius, -z), min(radius, nz - 1 - z) + 1):
                    for dy in range(max(-radius, -y), min(radius, ny - 1 - y) + 1):
                        width = reach[dz + radius, dy + radius]
                        part = np.float32(0.0)
                        for dx in range(max(-width, -x), min(width, nx - 1 - x) + 1):
                            label = labels[z + dz, y + dy, x + dx]
                            part += wx[x + dx, radius - dx] * means[label]
                        total += wz[z + dz, radius - dz] * wy[y + dy, radius - dy] * part
                out[z, y, x] = (values[z, y, x] - middle) - total


@njit(**_FAST)
def _random(seed, place, turn):
    """Return a number in [0, 1) that depends on nothing but its arguments (SplitMix64)."""
    x = np.uint64(place) * np.uint64(0x9E3779B97F4A7C15)
    x ^= np.uint64(turn) * np.uint64(0xD1B54A32D192ED03)
    x ^= np.uint64(seed) * np.uint64(0x8CB92BA72F3D8DD7)
    x ^= x >> np.uint64(30)
    x *= np.uint64(0xBF58476D1CE4E5B9)
    x ^= x >> np.uint64(27)
    x *= np.uint64(0x94D049BB133111EB)
    x ^= x >> np.uint64(31)
    return np.float32(x >> np.uint64(40)) * np.float32(1.0 / 16777216.0)


@njit(**_FAST)
def sweep(
    first,
    end,
    parity,
    start,
    labels,
    residuals,
    means,
    precision,
    coupling,
    field,
    stencil,
    reach,
    wz,
    wy,
    wx,
    seed,
    turn,
    everywhere,
    weight,
    sums,
):
    """Draw the label of each voxel anew, given all others, in the bands 2 first + parity, ...

    Voxels whose six neighbours share their label are left alone unless `everywhere` is set. The
    conditional probabilities of the visited voxels, times `weight`, are added to `sums`, and
    those of the others as certain. `start` is the number of the first plane in the whole image,
    so that the random numbers of a voxel do not depend on where a slab begins.
    """
    nz, ny, nx = labels.shape
    phases = means.shape[0]
    radius = (wz.shape[1] - 1) // 2
    width = stencil.shape[2]
    # The same for every voxel inside; at the border the mirror image adds to it.
    inner_own = np.float32(0.0)
    for w in stencil.flat:
        inner_own += w * w
    energy = np.empty(phases, np.float32)
    around = np.empty(phases, np.float32)
    for band in range(2 * first + parity, 2 * end, 2):
        for z in range(band * BAND, min(nz, (band + 1) * BAND)):
            for y in range(ny):
                for x in range(nx):
                    old = labels[z, y, x]
                    alone = (
                        (z == 0 or labels[z - 1, y, x] == old)
                        and (z == nz - 1 or labels[z + 1, y, x] == old)
                        and (y == 0 or labels[z, y - 1, x] == old)
                        and (y == ny - 1 or labels[z, y + 1, x] == old)
                        and (x == 0 or labels[z, y, x - 1] == old)
                        and (x == nx - 1 or labels[z, y, x + 1] == old)
                    )
                    if alone and not everywhere:
                        if weight > 0:
                            sums[old, z, y, x] += weight
                        continue
                    # What the data say: the residual seen through the blur, and the blur itself.
                    inside = (
                        radius <= z < nz - radius
                        and radius <= y < ny - radius
                        and radius <= x <= nx + radius - width
                    )
                    seen = np.float32(0.0)
                    own = np.float32(0.0)
                    if inside:
                        seen = _seen_inside(residuals, stencil, z, y, x)
                        own = inner_own
                    else:
                        for dz in range(max(-radius, -z), min(radius, nz - 1 - z) + 1):
                            for dy in range(max(-radius, -y), min(radius, ny - 1 - y) + 1):
                                far = reach[dz + radius, dy + radius]
                                part = np.float32(0.0)
                                square = np.float32(0.0)
                                for dx in range(max(-far, -x), min(far, nx - 1 - x) + 1):
                                    w = wx[x, radius + dx]
                                    part += w * residuals[z + dz, y + dy, x + dx]
                                    square += w * w
                                w = wz[z, radius + dz] * wy[y, radius + dy]
                                seen += w * part
                                own += w * w * square
                    # What the neighbours say.
                    around[:] = 0
                    for dz in range(max(-1, -z), min(1, nz - 1 - z) + 1):
                        for dy in range(max(-1, -y), min(1, ny - 1 - y) + 1):
                            for dx in range(max(-1, -x), min(1, nx - 1 - x) + 1):
                                steps = abs(dz) + abs(dy) + abs(dx)
                                if steps == 1:
                                    around[labels[z + dz, y + dy, x + dx]] += _FACE
                                elif steps == 2:
                                    around[labels[z + dz, y + dy, x + dx]] += _EDGE
                                elif steps == 3:
                                    around[labels[z + dz, y + dy, x + dx]] += _CORNER
                    least = np.float32(np.inf)
                    for p in range(phases):
                        d = means[p] - means[old]
                        e = (np.float32(0.5) * own * d - seen) * d * precision - field[p]
                        for other in range(phases):
                            e += coupling[p, other] * around[other]
                        energy[p] = e
                        least = min(least, e)
                    total = np.float32(0.0)
                    for p in range(phases):
                        energy[p] = np.exp(least - energy[p])
                        total += energy[p]
                    if weight > 0:
                        share = weight / total
                        for p in range(phases):
                            sums[p, z, y, x] += np.uint16(share * energy[p] + np.float32(0.5))
                    place = ((start + z) * ny + y) * nx + x
                    point = _random(seed, place, turn) * total
                    new = 0
                    while new < phases - 1 and point > energy[new]:
                        point -= energy[new]
                        new += 1
                    if new == old:
                        continue
                    labels[z, y, x] = new
                    change = means[new] - means[old]
                    if inside:
                        _change_inside(residuals, stencil, z, y, x, change)
                        continue
                    for dz in range(max(-radius, -z), min(radius, nz - 1 - z) + 1):
                        for dy in range(max(-radius, -y), min(radius, ny - 1 - y) + 1):
                            far = reach[dz + radius, dy + radius]
                            w = change * wz[z, radius + dz] * wy[y, radius + dy]
                            for dx in range(max(-far, -x), min(far, nx - 1 - x) + 1):
                                residuals[z + dz, y + dy, x + dx] -= w * wx[x, radius + dx]


@njit(**_FAST)
def neighbour_statistics(labels, stride, out):
    """Write the label of every stride-th voxel and the weights of the labels around it to `out`.

    Returns how many rows (label, weight of each phase around) were written.
    """
    nz, ny, nx = labels.shape
    count = 0
    number = 0
    for z in range(nz):
        for y in range(ny):
            for x in range(nx):
                number += 1
                if number % stride or count == out.shape[0]:
                    continue
                row = out[count]
                row[0] = labels[z, y, x]
                for dz in range(max(-1, -z), min(1, nz - 1 - z) + 1):
                    for dy in range(max(-1, -y), min(1, ny - 1 - y) + 1):
                        for dx in range(max(-1, -x), min(1, nx - 1 - x) + 1):
                            steps = abs(dz) + abs(dy) + abs(dx)
                            if steps:
                                w = _FACE if steps == 1 else (_EDGE if steps == 2 else _CORNER)
                                row[1 + labels[z + dz, y + dy, x + dx]] += w
                count += 1
    return count

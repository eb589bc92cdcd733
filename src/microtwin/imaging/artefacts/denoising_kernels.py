"""One step of curvature diffusion, compiled; `denoising` has the equation."""

from __future__ import annotations

import numpy as np
from numba import njit

from ...numerics.compiling import ALLOCATING, INNER

__all__ = ["curvature_step"]

# Added to squares of gradients, in units of the square of the scale: flat places divide by it.
_TINY = np.float32(1e-12)
_QUARTER = np.float32(0.25)


@njit(**INNER)
def _flux(difference, cross_one, cross_two, inverse, tiny):
    """Return ``c grad f / |grad f|`` along one axis, halfway between two voxels.

    ``cross_one`` and ``cross_two`` are four times the slopes along the other axes there.
    """
    square = difference * difference
    square += _QUARTER * _QUARTER * (cross_one * cross_one + cross_two * cross_two)
    return difference / np.sqrt(square + tiny) * np.exp(-square * inverse)


@njit(**ALLOCATING)
def curvature_step(first, end, old, scale, step, new):
    """Write one explicit step to the planes first ... end - 1 inside the frame of one voxel."""
    _, ny, nx = old.shape
    inverse = np.float32(0.5) / (scale * scale)
    tiny = _TINY * scale * scale
    zero = np.float32(0.0)
    for z in range(first + 1, end + 1):
        for y in range(1, ny - 1):
            a, b, c = old[z - 1, y - 1], old[z - 1, y], old[z - 1, y + 1]
            d, e, f = old[z, y - 1], old[z, y], old[z, y + 1]
            g, h, i = old[z + 1, y - 1], old[z + 1, y], old[z + 1, y + 1]
            out = new[z, y]
            for x in range(1, nx - 1):
                m = e[x]
                zf, zb = h[x] - m, m - b[x]
                yf, yb = f[x] - m, m - d[x]
                xf, xb = e[x + 1] - m, m - e[x - 1]
                # Twice the central slopes of the voxel and of its six neighbours, across.
                sz, sy, sx = zf + zb, yf + yb, xf + xb
                flux = _flux(zf, sy + i[x] - g[x], sx + h[x + 1] - h[x - 1], inverse, tiny)
                flux -= _flux(zb, sy + c[x] - a[x], sx + b[x + 1] - b[x - 1], inverse, tiny)
                flux += _flux(yf, sz + i[x] - c[x], sx + f[x + 1] - f[x - 1], inverse, tiny)
                flux -= _flux(yb, sz + g[x] - a[x], sx + d[x + 1] - d[x - 1], inverse, tiny)
                flux += _flux(xf, sz + h[x + 1] - b[x + 1], sy + f[x + 1] - d[x + 1], inverse, tiny)
                flux -= _flux(xb, sz + h[x - 1] - b[x - 1], sy + f[x - 1] - d[x - 1], inverse, tiny)
                # Slopes on the side that a moving level surface comes from (Osher and Sethian).
                if flux > 0:
                    square = min(zb, zero) ** 2 + max(zf, zero) ** 2
                    square += min(yb, zero) ** 2 + max(yf, zero) ** 2
                    square += min(xb, zero) ** 2 + max(xf, zero) ** 2
                else:
                    square = max(zb, zero) ** 2 + min(zf, zero) ** 2
                    square += max(yb, zero) ** 2 + min(yf, zero) ** 2
                    square += max(xb, zero) ** 2 + min(xf, zero) ** 2
                out[x] = m + step * flux * np.sqrt(square)

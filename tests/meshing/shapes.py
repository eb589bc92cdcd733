"""Images of known shapes."""

import numpy as np
from scipy import ndimage

import microtwin as mt

VOXEL = 1e-6


def ball(radius: float, margin: float = 6.0) -> mt.Microstructure:
    """A ball off the voxel centres, in a box around it."""
    n = int(2 * radius + 2 * margin)
    centre = np.array([n / 2 + 0.13, n / 2 - 0.21, n / 2 + 0.05])
    place = np.indices((n, n, n)) + 0.5 - centre[:, None, None, None]
    inside = (place**2).sum(axis=0) < radius**2
    return mt.Microstructure(inside.astype(np.uint8), VOXEL, {"pore": 0, "active": 1})


def film(thickness: float, kind: str, n: int = 24) -> mt.Microstructure:
    """A film of binder between two phases: flat, tilted or curved."""
    z, y, x = np.indices((n, n, n)) + 0.5 - n / 2
    if kind == "flat":
        height = z + 1.0
    elif kind == "tilted":
        height = (z + 0.5 * y + 0.3 * x) / np.sqrt(1.34)
    else:
        height = np.sqrt(z**2 + y**2 + x**2) - 0.35 * n
    labels = np.where(height < 0, 0, np.where(height < thickness, 2, 1)).astype(np.uint8)
    return mt.Microstructure(labels, VOXEL, {"pore": 0, "active": 1, "binder": 2})


def frustum(angle: float, radius: float = 14.0, height: float = 10.0) -> mt.Microstructure:
    """A cone of binder without its tip, on active material, with this angle at the rim."""
    n = int(2 * radius + 14)
    z, y, x = np.indices((int(radius) + 14, n, n)) + 0.5
    above = z - 6.3
    wide = radius - above / np.tan(np.radians(angle))
    binder = (above < height) & (np.hypot(y - n / 2 - 0.2, x - n / 2 - 0.2) < wide)
    labels = np.where(above < 0, 1, np.where(binder, 2, 0)).astype(np.uint8)
    return mt.Microstructure(labels, VOXEL, {"pore": 0, "active": 1, "binder": 2})


def random_image(seed: int) -> mt.Microstructure:
    """A small image of 2 to 4 phases: noise, or smooth blobs, with voxels of any form."""
    rng = np.random.default_rng(seed)
    count, shape = int(rng.integers(2, 5)), tuple(rng.integers(4, 15, 3))
    if seed % 3 == 0:
        labels = rng.integers(0, count, shape)
    else:
        fields = np.stack(
            [
                ndimage.gaussian_filter(rng.normal(size=shape), rng.uniform(0.5, 2.5))
                for _ in range(count)
            ]
        )
        labels = np.argmax(fields / fields.std(axis=(1, 2, 3), keepdims=True), axis=0)
    edges = tuple(rng.uniform(0.5, 2.0, 3) * VOXEL) if seed % 3 == 2 else VOXEL
    names = {f"phase {k}": k for k in range(count)}
    return mt.Microstructure(labels.astype(np.uint8), edges, names)

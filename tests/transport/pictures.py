"""Images that several transport tests share."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from microtwin import Microstructure
from microtwin.generation import gaussian_field

PHASES = {"pore": 0, "solid": 1}


def blobs(n: int = 32, seed: int = 1, length: float = 2.0) -> Microstructure:
    """A random porous image that percolates in all directions."""
    return gaussian_field(n, length, 0.5, seed)


def noise(shape: tuple[int, int, int], porosity: float, seed: int) -> Microstructure:
    """Voxels that know nothing of each other: every awkward contact occurs."""
    labels = np.random.default_rng(seed).random(shape) > porosity
    return Microstructure(labels.astype(np.uint8), 1e-6, PHASES)


def channel(shape: tuple[int, int, int] = (9, 12, 12)) -> Microstructure:
    """A straight duct along z."""
    labels = np.ones(shape, np.uint8)
    labels[:, 3:9, 2:9] = 0
    return Microstructure(labels, 1e-6, PHASES)


def bent(n: int = 12) -> Microstructure:
    """A duct that enters at one side, turns, and leaves at the other side of the image."""
    labels = np.ones((n, n, n), np.uint8)
    labels[: n // 2, 1:4, 1:5] = 0
    labels[n // 2 - 2 : n // 2 + 1, 1 : n - 1, 1:5] = 0
    labels[n // 2 :, n - 4 : n - 1, 1:5] = 0
    return Microstructure(labels, 1e-6, PHASES)


def anisotropic(n: int = 20, seed: int = 4) -> Microstructure:
    """The same kind of image on voxels of three different edges."""
    return Microstructure(blobs(n, seed).labels, (1e-6, 2e-6, 0.5e-6), PHASES)


def random_images(labels: int = 2, side: int = 6) -> st.SearchStrategy[Microstructure]:
    """Small images of independent voxels with the phases p0, p1, ..."""
    names = {f"p{n}": n for n in range(labels)}
    shapes = st.tuples(*(st.integers(3, side),) * 3)
    arrays = shapes.flatmap(
        lambda shape: hnp.arrays(np.uint8, shape, elements=st.integers(0, labels - 1))
    )
    return arrays.map(lambda array: Microstructure(array, 1e-6, names))

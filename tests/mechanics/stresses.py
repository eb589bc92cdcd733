"""Stresses as matrices, and turned."""

from __future__ import annotations

import numpy as np

PAIRS = ((0, 0), (1, 1), (2, 2), (1, 2), (0, 2), (0, 1))


def matrices(stress):
    """Return stresses (6, n) as matrices (n, 3, 3)."""
    found = np.zeros((stress.shape[1], 3, 3))
    for component, (i, j) in zip(stress, PAIRS, strict=True):
        found[:, i, j] = found[:, j, i] = component
    return found


def vectors(tensors):
    return np.stack([tensors[:, i, j] for i, j in PAIRS])


def turn(seed):
    q, r = np.linalg.qr(np.random.default_rng(seed).normal(size=(3, 3)))
    return q * np.sign(np.diag(r))


def turned(stress, seed):
    r = turn(seed)
    return vectors(r @ matrices(stress) @ r.T)

"""Vertices are moved for better tetrahedra, and stay on the interfaces."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from ..numerics.threads import even_shares, over_slabs
from . import relaxation_kernels as kernels
from .complex_kernels import CLOCK, VERTICES, Complex
from .field_kernels import Fields

__all__ = ["relax"]


def relax(
    mesh: Complex,
    fields: Fields,
    searched: NDArray[np.int32],
    sweeps: int,
    settle: bool,
    least: float,
    slack: float = 0.0,
    tries: int = 2,
    vertices: NDArray[np.integer] | None = None,
) -> None:
    """Move the vertices of a mesh, in place, in several sweeps.

    Neighbours never move at the same time: vertices are coloured, and one colour after another is
    shared among the threads. So the result does not depend on the number of threads.

    Parameters
    ----------
    mesh : Complex
        With the phases that meet at each vertex in `sets`.
    fields : Fields
    searched : ndarray of int32, shape (vertices,)
        When each vertex was last looked at, changed in place: a vertex is passed over as long as
        nothing has changed around it since.
    sweeps : int
    settle : bool
        Whether the interfaces have moved since.
    least : float
        Quality that the tetrahedra around a vertex must keep when it is brought onto its interface.
    slack : float
        How far from its interface a vertex may go where that saves tetrahedra of less than this
        quality, in units of length.
    tries : int
        How often places around a vertex are tried where its mean place is not good enough.
    vertices : ndarray of int, optional
        Those that may move; by default all.
    """
    if vertices is None:
        vertices = np.flatnonzero(mesh.first[: mesh.counts[VERTICES]] >= 0)
    colours = np.full(int(mesh.counts[VERTICES]), -1, np.int16)
    kernels.colour(mesh, vertices, colours)
    order = vertices[np.argsort(colours[vertices], kind="stable")].astype(np.int32)
    bounds = np.searchsorted(colours[order], np.arange(colours.max() + 2))
    for _ in range(sweeps):
        mesh.counts[CLOCK] += 1
        for low, high in pairwise(bounds):
            group = order[low:high]
            if len(group):
                args = (mesh, fields, group, searched, settle, least, slack, tries)
                over_slabs(kernels.relax, even_shares(len(group)), *args)

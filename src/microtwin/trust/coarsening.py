"""Coarser images that keep one phase where it is."""

from __future__ import annotations

import numpy as np

from microtwin.microstructure import Microstructure

__all__ = ["coarsen_for"]


def coarsen_for(micro: Microstructure, phase: str | None, factor: int = 2) -> Microstructure:
    """Return the image on larger voxels, with the vote of each block held on one phase first.

    With three phases a plain majority favours the phase that is not split: a block of 3 pore,
    3 active and 2 binder voxels is a tie that pore may win, although most of it is solid. The
    pore grows at each step, and its conductivity with it. Here a block belongs to the phase if
    at least half of its voxels do (ties as in `Microstructure.coarsen`), and otherwise to the
    largest of the others.

    Parameters
    ----------
    micro : Microstructure
    phase : str or None
        The phase under study. None: the plain majority of `Microstructure.coarsen`.
    factor : int
        Edge of a block in voxels.

    Returns
    -------
    Microstructure
        With the same phases.
    """
    others = [name for name in micro.phase_names if name != phase]
    if phase is None or len(others) < 2:
        return micro.coarsen(factor)
    alone = Microstructure(
        micro.mask(phase).view(np.uint8), micro.voxel_size, {"rest": 0, phase: 1}
    ).coarsen(factor)
    best = micro.coarse_fractions(others[0], factor)
    labels = np.full(alone.shape, micro.label(others[0]), np.uint8)
    for name in others[1:]:
        share = micro.coarse_fractions(name, factor)
        labels[share > best] = micro.label(name)
        np.maximum(best, share, out=best)
    labels[alone.mask(phase)] = micro.label(phase)
    return Microstructure(labels, alone.voxel_size, micro.phases)

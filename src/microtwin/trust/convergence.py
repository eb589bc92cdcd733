"""Discretisation: how much of a value is due to the voxels.

A value is computed on the image (voxel size h) and on the image with voxels twice as large.
The theory page derives the estimates used here.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from microtwin.microstructure import Microstructure

from .coarsening import coarsen_for

__all__ = ["GridConvergence", "discretisation_study", "grid_convergence", "unresolved_interface"]

# Order of the embedded boundary for smooth interfaces: no sequence is trusted to converge faster.
FORMAL_ORDER = 2


@dataclass(frozen=True)
class GridConvergence:
    """Values of one quantity on successively coarser voxels.

    Attributes
    ----------
    voxel_sizes : tuple of float
        Voxel edge of each level, fine to coarse (m; the cube root of the volume of a voxel that
        is not a cube); in units of the finest voxel when that is not known.
    smooth : tuple of float
        Value with the smooth interface on each level.
    staircase : tuple of float
        Value with the voxel interface on the finest levels; may be empty.
    richardson : float or None
        Staircase values extrapolated to zero voxel size at first order, 2 v(h) - v(2h).
    discretisation : float
        Standard uncertainty of ``smooth[0]`` from the voxel size, abs(D(h) - D(2h)) of the smooth
        values, and with a third level at least abs(D(2h) - D(4h)) / 4.
    observed_order : float or None
        log2 of the ratio of successive differences; None without three levels or when the values
        do not converge monotonically.
    unresolved_interface : float or None
        Share of the interface that belongs to features thinner than two voxels.
    agrees : bool or None
        Whether ``smooth[0]`` and ``richardson`` differ by no more than ``discretisation``.
    sentence : str
        The finding in plain words.
    """

    voxel_sizes: tuple[float, ...]
    smooth: tuple[float, ...]
    staircase: tuple[float, ...]
    richardson: float | None
    discretisation: float
    observed_order: float | None
    unresolved_interface: float | None
    agrees: bool | None
    sentence: str


def grid_convergence(
    fine: float,
    coarse: float,
    *,
    coarsest: float | None = None,
    voxel_fine: float | None = None,
    voxel_coarse: float | None = None,
    voxel_size: float | None = None,
    unresolved_interface: float | None = None,
) -> GridConvergence:
    """Judge the discretisation of a value from its values on voxels of size h, 2h and 4h.

    Parameters
    ----------
    fine, coarse : float
        Value with the smooth interface on voxels of size h and 2h.
    coarsest : float, optional
        The same on 4h; gives the observed order and guards against a coincidence of the two.
    voxel_fine, voxel_coarse : float, optional
        Value with the staircase (voxel) interface on h and 2h.
    voxel_size : float, optional
        h in metres; 1 (lengths in voxels) if not given.
    unresolved_interface : float, optional
        See `microtwin.trust.unresolved_interface`.

    Returns
    -------
    GridConvergence

    Raises
    ------
    ValueError
        If a value is not finite, or a coarse staircase value is given without a fine one.

    Notes
    -----
    For an error C h^p the difference of two levels is (2^p - 1) C h^p: at first order the
    difference equals the error of the fine value, at second order it is three times the error
    (Roache 1998, Verification and Validation in Computational Science and Engineering, ch. 5).
    """
    smooth = _finite(fine, coarse, coarsest)
    staircase = _finite(voxel_fine, voxel_coarse)
    if voxel_fine is None and voxel_coarse is not None:
        raise ValueError(
            "voxel_coarse is given without voxel_fine; "
            "give the staircase value on the fine grid too, or neither"
        )
    richardson = 2 * staircase[0] - staircase[1] if len(staircase) == 2 else None
    discretisation = abs(fine - coarse)
    if coarsest is not None:
        discretisation = max(discretisation, abs(coarse - coarsest) / 2**FORMAL_ORDER)
    agrees = None if richardson is None else abs(fine - richardson) <= discretisation
    h = 1.0 if voxel_size is None else float(voxel_size)
    return GridConvergence(
        voxel_sizes=tuple(h * 2**level for level in range(len(smooth))),
        smooth=smooth,
        staircase=staircase,
        richardson=richardson,
        discretisation=discretisation,
        observed_order=observed_order(*smooth) if len(smooth) == 3 else None,
        unresolved_interface=unresolved_interface,
        agrees=agrees,
        sentence=_sentence(fine, discretisation, richardson, agrees, unresolved_interface),
    )


def observed_order(fine: float, middle: float, coarse: float) -> float | None:
    """Return the order of convergence shown by values on h, 2h and 4h.

    Parameters
    ----------
    fine, middle, coarse : float
        Values on voxels of size h, 2h and 4h.

    Returns
    -------
    float or None
        log2 of (coarse - middle) / (middle - fine); None if a difference is zero or not a
        number, or if the differences have opposite signs, where no order can be read off.
    """
    first, second = middle - fine, coarse - middle
    if not (math.isfinite(first) and math.isfinite(second)):
        return None
    if first == 0 or second == 0 or (first > 0) != (second > 0):
        return None
    return math.log2(second / first)


def discretisation_study(
    micro: Microstructure,
    quantity: Callable[[Microstructure, str], float],
    levels: int = 2,
    *,
    phase: str | None = None,
    fine: float | None = None,
    staircase: bool = True,
    voxel_fine: float | None = None,
) -> GridConvergence:
    """Compute a quantity on the image and its coarsenings and judge its discretisation.

    In units of the main solve (smooth, h), which is saved by passing ``fine``, the smooth value
    on 2h costs 1/8 and on 4h 1/64; the staircase costs at most 1 on h and 1/8 on 2h, so
    ``staircase=False`` makes the study cost about an eighth of a solve.

    Parameters
    ----------
    micro : Microstructure
        The image. Voxels at the far end of an axis that do not fill a block of two (three levels:
        of four) are missing from the coarser images.
    quantity : callable
        ``quantity(micro, interface)`` returns a finite number for ``interface`` "smooth" or
        "voxel"; D_eff/D_0 rather than the tortuosity factor, which may be infinite.
    levels : {2, 3}
        Number of grids of the smooth value: h, 2h and optionally 4h.
    phase : str, optional
        The phase that the quantity belongs to: the coarser images keep it where it is
        (`microtwin.trust.coarsen_for`), and its unresolved interface is reported.
    fine : float, optional
        The smooth value on the image, where it is already known.
    staircase : bool
        Also compute the staircase values on h and 2h.
    voxel_fine : float, optional
        The staircase value on the image, where it is already known.

    Returns
    -------
    GridConvergence

    Raises
    ------
    ValueError
        If ``levels`` is not 2 or 3, the image is too small to be coarsened that often, or the
        quantity is not finite.
    """
    if levels not in (2, 3):
        raise ValueError(f"levels={levels!r} is not allowed; use 2 (h, 2h) or 3 (h, 2h, 4h)")
    smallest = 2**levels
    if min(micro.shape) < smallest:
        raise ValueError(
            f"an image of shape {micro.shape} is too small for {levels} grids; "
            f"each axis needs at least {smallest} voxels"
        )
    half = coarsen_for(micro, phase, 2)
    if fine is None:
        fine = quantity(micro, "smooth")
    if staircase and voxel_fine is None:
        voxel_fine = quantity(micro, "voxel")
    return grid_convergence(
        fine,
        quantity(half, "smooth"),
        coarsest=quantity(coarsen_for(micro, phase, 4), "smooth") if levels == 3 else None,
        voxel_fine=voxel_fine if staircase else None,
        voxel_coarse=quantity(half, "voxel") if staircase else None,
        voxel_size=float(np.prod(micro.voxel_size)) ** (1 / 3),
        unresolved_interface=None if phase is None else unresolved_interface(micro, phase),
    )


def unresolved_interface(micro: Microstructure, phase: str) -> float:
    """Return the share of the interface of a phase that belongs to features below two voxels.

    A facet (voxel face) between the phase and the rest is unresolved if another facet lies one
    voxel away on the same grid line: the chord of the phase, or of the gap, that starts there is
    a single voxel long. Chords cut off by the outer faces of the image count as long.

    Parameters
    ----------
    micro : Microstructure
    phase : str

    Returns
    -------
    float
        Area-weighted share, 0 to 1; 0 if the phase has no interface. Layers two voxels thick give
        0, layers of one voxel 1, uncorrelated voxels of fraction p give 1 - p (1 - p), a sphere
        of R voxels on average 1 / (2 R^2) (where grid lines graze it).
    """
    inside = micro.mask(phase)
    area, thin = 0.0, 0.0
    for axis, h in enumerate(micro.voxel_size):
        line: NDArray[np.bool_] = np.moveaxis(inside, axis, 0)
        facet = line[1:] != line[:-1]
        pair = facet[1:] & facet[:-1]
        # A facet in two pairs, one on each side, is one facet: inclusion and exclusion.
        unresolved = 2 * np.count_nonzero(pair) - np.count_nonzero(pair[1:] & pair[:-1])
        area += np.count_nonzero(facet) / h
        thin += unresolved / h
    return float(thin / area) if area else 0.0


def _finite(*values: float | None) -> tuple[float, ...]:
    known = tuple(float(value) for value in values if value is not None)
    if not all(map(math.isfinite, known)):
        raise ValueError(
            f"the values {known} are not all finite; study D_eff/D_0, which is 0 for a phase that "
            "does not percolate, instead of the tortuosity factor"
        )
    return known


def _sentence(
    fine: float,
    discretisation: float,
    richardson: float | None,
    agrees: bool | None,
    unresolved: float | None,
) -> str:
    spread = f"{_share(discretisation, fine)} of the value"
    text = f"Doubling the voxel size changes the result {fine:.4g} by {spread}"
    if richardson is None:
        return f"{text}{_detail(unresolved)}."
    difference = _share(abs(richardson - fine), fine)
    side = "above" if richardson > fine else "below"
    other = (
        f"the staircase extrapolated to zero voxel size is {richardson:.4g}, {difference} {side}"
    )
    if agrees:
        return f"{text}; {other}, within that uncertainty{_detail(unresolved)}."
    return (
        f"{text}, but {other}, more than that uncertainty{_detail(unresolved)}: "
        "a scan with finer voxels would be needed to decide between the two."
    )


def _share(part: float, whole: float) -> str:
    if whole == 0:
        return "0 %" if part == 0 else f"{part:.2g} (absolute)"
    return f"{100 * part / abs(whole):.2g} %"


def _detail(unresolved: float | None) -> str:
    if unresolved is None:
        return ""
    return f" ({100 * unresolved:.2g} % of the interface is in features below two voxels)"

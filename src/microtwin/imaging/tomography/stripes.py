"""Stripes in sinograms, which become rings in slices: their energy, and their removal.

A pixel that answers to light a little more or less than the flats say writes a straight line
along the angles into the sinogram, and the back-projection bends it to a ring.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from .recon_extra import algotom

__all__ = ["Stripes", "remove_stripes", "stripe_energy"]

Stripes = Literal["none", "gain", "sorting", "all"]

# Widths of median filters in columns: of lines one to ten wide, and of wider ones.
_NARROW, _WIDE = 21, 51
# Columns over which what all projections share is smooth where there is no stripe.
_SMOOTH = 9
# The medians are better where the strongest lines are gone already.
_PASSES = 2


def remove_stripes(sinograms: NDArray[np.float32], method: Stripes) -> NDArray[np.float32]:
    """Return sinograms without stripes.

    Parameters
    ----------
    sinograms : ndarray of float32, shape (rows, n_angles, columns)
        Line integrals. Changed in place.
    method : {"none", "gain", "sorting", "all"}
        ``"gain"``: lines that are the same in all views, as errors of the flat field are. The
        medians over the views of the differences between neighbouring columns, less a running
        median over nine columns, are added up to a profile, and this profile, again less such a
        median, is taken off all views; all of it twice. Changes a sample least; leaves lines
        that vary between the views, and lines wider than four columns.
        ``"sorting"``: the values of each column are sorted, the sorted picture is smoothed
        across the columns by a median of 21, and the values go back to their places; it also
        takes out partial lines, but smooths details of the sample (N. T. Vo, R. C. Atwood,
        M. Drakopoulos, Opt. Express 26 (2018) 28396, algorithm 3). ``"all"``: dead and
        fluctuating columns and wide lines before that (algorithms 6, 5 and 3).

    Returns
    -------
    ndarray of float32, shape (rows, n_angles, columns)

    Raises
    ------
    ValueError
        If the method is not known; if ``"sorting"`` or ``"all"`` is asked for and algotom is
        not installed; if ``"all"`` is asked for where the sinograms have no noise.
    """
    if method not in ("none", "gain", "sorting", "all"):
        raise ValueError(f"stripes={method!r} is not known; use 'none', 'gain', 'sorting' or 'all'")
    if method == "none":
        return sinograms
    if method == "gain":
        for sinogram in sinograms:
            for _ in range(_PASSES):
                sinogram -= _gain_errors(sinogram)
        return sinograms
    removal = algotom("prep.removal")
    columns = sinograms.shape[2]
    narrow, wide = (min(size, (columns - 1) // 2 * 2 + 1) for size in (_NARROW, _WIDE))
    for sinogram in sinograms:
        if method == "sorting":
            sinogram[:] = removal.remove_stripe_based_sorting(sinogram, narrow)
            continue
        try:
            # Columns of constant values are divided by zero, and found out below.
            with np.errstate(divide="ignore", invalid="ignore"):
                sinogram[:] = removal.remove_all_stripe(sinogram, la_size=wide, sm_size=narrow)
        except ValueError as error:
            raise ValueError(
                f"stripes='all' finds stripes by comparison with the noise and failed ({error}); "
                "use stripes='sorting'"
            ) from None
    return sinograms


def stripe_energy(sinograms: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return the energy of the stripes of each sinogram, shape (rows,).

    The mean square, over the columns, of what is left of the mean of all projections after
    running medians over nine columns are taken off, first of its slope and then of itself. The
    edges of a sample run through many columns while it turns, and hardly count.

    Parameters
    ----------
    sinograms : ndarray, shape (rows, n_angles, columns)
        Line integrals.
    """
    means = sinograms.mean(axis=1, dtype=np.float64)
    return np.array([np.mean(_lines(np.diff(mean)) ** 2) for mean in means])


def _gain_errors(sinogram: NDArray[np.float32]) -> NDArray[np.float32]:
    # The median is blind to the sample's edges, which only some views have at a column.
    return _lines(np.median(np.diff(sinogram, axis=1), axis=0)).astype(np.float32)


def _lines(steps: NDArray[np.floating]) -> NDArray[np.float64]:
    """Return the sharp part of a profile, shape (columns,), from its steps between columns.

    A running median of the profile itself would be half a step off beside every line where the
    profile slopes, so the slope is taken off first.
    """
    from scipy.ndimage import median_filter

    width = min(_SMOOTH, len(steps))
    steps = steps.astype(np.float64)
    profile = np.cumsum(steps - median_filter(steps, width, mode="mirror"))
    profile = np.concatenate([[0.0], profile])
    return profile - median_filter(profile, width, mode="mirror")

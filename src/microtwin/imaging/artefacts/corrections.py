"""Artefacts of a scan that can be told from its material, and their removal.

Grey values of one phase should be equal wherever it is. Where they are not, the instrument is to
blame: the scale of the slices drifts, beam hardening shades each slice, and faulty detector
pixels draw rings. All three are measured on voxels in the open, away from interfaces, against
the mean of their class, so that a gradient of the material itself (more pores on one side) is not
taken for one of the instrument, as a fit to all grey values takes it:

    f(z, y, x) = o_z + (1 + g_z) (a(y, x) + (1 + b(y, x)) (mu_class + ring_z(radius, half))) .

`learn_corrections` finds gain g and offset o of every slice, the smooth fields a and b, and the
rings; `Corrections.apply` takes them away from any slab, from the outside in.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from ..labelling.grey_levels import GreyLevels, find_grey_levels, halfway
from ..layers import Layers
from .drift_and_shading import (
    SmoothArtefacts,
    covered,
    fit_smooth_artefacts,
    no_shading,
    shading_field,
    shading_size,
)
from .layer_steps import chain, steps_between_layers
from .open_voxels import OpenVoxels, class_means, robust_noise, sample_open_voxels, with_classes
from .rings import Rings, find_rings, no_rings

__all__ = ["STEPS", "Corrected", "Corrections", "learn_corrections"]

Step = Literal["drift", "shading", "rings"]
STEPS: tuple[Step, ...] = ("drift", "shading", "rings")

# Of the contrast; a larger shading would have moved all voxels to other classes.
_LARGEST_SHADING = 1.0


@dataclass(frozen=True, eq=False)
class Corrections:
    """Artefacts that were found in a scan, in its grey values.

    Parameters
    ----------
    means : tuple of float
        Grey value of each class that was used, after the correction.
    noise : float
        Standard deviation of the grey values within a class, after the correction.
    gain, offset : ndarray of float32, shape (nz,)
        Drift: relative error of the scale of each slice, and what is added to it.
    shading_gain, shading_offset : ndarray of float64, shape (n,)
        Coefficients of the polynomials b and a, see `shading_field`.
    rings : Rings
        On the scale without drift and shading.
    share : float
        Share of the voxels that lie in the open.
    note : str
        What could not be corrected, and why; empty if there is nothing to say.
    """

    means: tuple[float, ...]
    noise: float
    gain: NDArray[np.float32]
    offset: NDArray[np.float32]
    shading_gain: NDArray[np.float64]
    shading_offset: NDArray[np.float64]
    rings: Rings
    share: float
    note: str = ""

    def apply(
        self, values: NDArray[np.float32], start: int, steps: Iterable[Step] = STEPS
    ) -> NDArray[np.float32]:
        """Return a slab without the artefacts.

        Parameters
        ----------
        values : ndarray of float32, shape (n, ny, nx)
            Layers ``start`` to ``start + n - 1`` of the scan; not changed.
        start : int
        steps : iterable of {"drift", "shading", "rings"}
            What to take away.

        Returns
        -------
        ndarray of float32, shape (n, ny, nx)
        """
        steps = set(steps)
        layers = slice(start, start + len(values))
        out = np.array(values, np.float32)
        if "drift" in steps:
            out -= self.offset[layers, None, None]
            out /= (1.0 + self.gain[layers])[:, None, None]
        if "shading" in steps:
            out -= shading_field(self.shading_offset, out.shape[1:])
            out /= 1.0 + shading_field(self.shading_gain, out.shape[1:])
        if "rings" in steps:
            self.rings.subtract_from(out, start)
        return out

    @property
    def drift_size(self) -> float:
        """Standard deviation over the slices of the error of the class furthest from zero."""
        return float(np.std(self.offset + self.gain * max(self.means, key=abs)))

    def shading_size(self, shape: tuple[int, int]) -> float:
        """Largest difference that the shading makes within a slice, in grey values."""
        return shading_size(
            (self.shading_offset, self.shading_gain), max(self.means, key=abs), shape
        )


@dataclass(frozen=True, eq=False)
class Corrected:
    """A volume whose layers are corrected as they are read."""

    volume: Layers
    corrections: Corrections
    steps: tuple[Step, ...] = STEPS

    @property
    def shape(self) -> tuple[int, int, int]:
        """Voxels along (z, y, x)."""
        return self.volume.shape

    def read_layers(self, start: int, stop: int) -> NDArray[np.float32]:
        """Return the corrected layers ``start`` to ``stop - 1``."""
        values = self.volume.read_layers(start, stop).astype(np.float32, copy=False)
        return self.corrections.apply(values, start, self.steps)


def learn_corrections(
    volume: Layers,
    classes: int = 2,
    *,
    steps: Sequence[Step] = STEPS,
    centre: tuple[float, float] | None = None,
) -> Corrections:
    """Find the drift, the shading and the rings of a scan.

    Parameters
    ----------
    volume : Layers
        The scan, in memory or in a file.
    classes : int
        How many phases can be told apart by their grey values.
    steps : sequence of {"drift", "shading", "rings"}
        What to look for; the others stay zero.
    centre : (float, float), optional
        Row and column of the rotation axis, around which rings are drawn; by default the middle.

    Returns
    -------
    Corrections

    Raises
    ------
    ValueError
        If a step is unknown, the volume is constant, or too few voxels lie in the open.
    """
    unknown = [step for step in steps if step not in STEPS]
    if unknown:
        raise ValueError(
            f"step {unknown[0]!r} is not known; corrections are made of {', '.join(STEPS)}"
        )
    nz, *slice_shape = volume.shape
    if centre is None:
        centre = ((slice_shape[0] - 1) / 2, (slice_shape[1] - 1) / 2)
    first, levels = np.zeros((2, nz)), find_grey_levels(volume, classes)
    found = _drift_only(first, no_rings(volume.shape, centre))
    if "drift" in steps and len(levels.peaks) > classes:
        # Layers far brighter than their neighbours may have peaks of their own.
        drift = steps_between_layers(volume)
        level = _drift_only(drift, found.rings)
        other = find_grey_levels(Corrected(volume, level, ("drift",)), classes)
        if len(other.peaks) < len(levels.peaks):
            first, found, levels = drift, level, other
    greys = _classes(levels)
    points = sample_open_voxels(Corrected(volume, found, ("drift",)), halfway(greys))
    smooth, points, corrected, note = _smooth_artefacts(points, greys, volume.shape, steps)
    means = class_means(corrected, points.label, len(greys))
    drift = chain(first, smooth.drift)
    found = replace(
        found,
        means=tuple(map(float, means)),
        noise=robust_noise(corrected, points.label, means),
        offset=drift[0].astype(np.float32),
        gain=drift[1].astype(np.float32),
        shading_offset=smooth.shading[0],
        shading_gain=smooth.shading[1],
        share=points.share,
        note=note,
    )
    if "rings" not in steps:
        return found
    flat = Corrected(volume, found, ("drift", "shading"))
    rings = find_rings(flat, found.means, halfway(greys), found.noise, centre)
    found = replace(found, rings=rings)
    if len(greys) == classes:
        return found
    # Rings so strong that they have peaks of their own, or draw them, are only found in part.
    flat = Corrected(volume, found)
    greys = _classes(find_grey_levels(flat, classes))
    rest = find_rings(flat, greys, halfway(greys), found.noise, centre, split=rings.split)
    return replace(found, rings=rings + rest)


def _smooth_artefacts(
    points: OpenVoxels,
    greys: tuple[float, ...],
    shape: tuple[int, int, int],
    steps: Sequence[Step],
) -> tuple[SmoothArtefacts, OpenVoxels, NDArray[np.float64], str]:
    """Fit drift and shading; leave the shading out, and say why, where it cannot be told."""
    thresholds, drift = halfway(greys), "drift" in steps
    note = ""
    if "shading" in steps:
        if covered(with_classes(points, thresholds), len(greys), shape[1:]):
            fit = fit_smooth_artefacts(points, thresholds, shape, drift=drift, shading=True)
            size = shading_size(fit[0].shading, max(greys, key=abs), shape[1:])
            if size <= _LARGEST_SHADING * (greys[-1] - greys[0]):
                return *fit, note
            note = (
                "the shading was not corrected: what was found is larger than the contrast of the "
                "phases, so it cannot be of the instrument alone"
            )
        else:
            note = (
                "the shading was not corrected: at least two phases must be seen all over the "
                "slices, to tell what the instrument adds from what it amplifies"
            )
    return *fit_smooth_artefacts(points, thresholds, shape, drift=drift, shading=False), note


def _classes(levels: GreyLevels) -> tuple[float, ...]:
    """Return the grey values of the classes that artefacts are measured in.

    A phase that looks different in different places counts as several here: its differences would
    be taken for shading.
    """
    return max(levels.means, levels.peaks, key=len)


def _drift_only(drift: NDArray[np.float64], rings: Rings) -> Corrections:
    offset, gain = drift.astype(np.float32)
    return Corrections((), 0.0, gain, offset, no_shading(), no_shading(), rings, 0.0)

"""Every descriptor that is cheap to compute, in one call."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..connectivity import label_clusters, percolating_mask
from ..microstructure import AXES, Direction, Microstructure
from .surface import InterfaceAreas, interface_area, measured_volume

__all__ = ["Descriptors", "describe", "percolating_fraction"]


@dataclass(frozen=True, eq=False)
class Descriptors:
    """Descriptors of a labelled image, by phase name.

    Attributes
    ----------
    volume_fraction : mapping of str to float
        Share of the voxels.
    specific_surface : mapping of str to float
        Area of the phase against all other phases per volume of the image (not of the phase),
        in 1/m. The outer faces of the image are no surface.
    interface_area : InterfaceAreas
        Area between two phases per volume of the image, in 1/m, asked for by a pair of names
        in any order: ``interface_area["active", "pore"]``.
    percolating_fraction : mapping of str to mapping of direction to float
        Share of the phase that percolates along z, y and x; 0 for an absent phase.
    profile : mapping of str to ndarray, shape (nz,)
        Volume fraction in each layer through the thickness (z).
    hydraulic_diameter : mapping of str to float
        Four times volume over surface, 4 eps / s, in m: the diameter of a straight channel of
        that ratio, and 2/3 of the diameter of a sphere. Infinite without surface.
    """

    volume_fraction: Mapping[str, float]
    specific_surface: Mapping[str, float]
    interface_area: InterfaceAreas
    percolating_fraction: Mapping[str, Mapping[Direction, float]]
    profile: Mapping[str, NDArray[np.float64]]
    hydraulic_diameter: Mapping[str, float]

    def as_dict(self) -> dict[str, Any]:
        """Return plain dicts, lists and numbers that JSON can hold.

        A pair of phases is written as ``active-pore``, an infinite diameter as None.
        """
        return {
            "volume_fraction": dict(self.volume_fraction),
            "specific_surface": dict(self.specific_surface),
            "interface_area": {"-".join(pair): a for pair, a in self.interface_area.items()},
            "percolating_fraction": {p: dict(f) for p, f in self.percolating_fraction.items()},
            "profile": {p: values.tolist() for p, values in self.profile.items()},
            "hydraulic_diameter": {
                p: d if math.isfinite(d) else None for p, d in self.hydraulic_diameter.items()
            },
        }


def describe(micro: Microstructure, periodic: bool = False) -> Descriptors:
    """Measure fractions, surfaces, percolation and profiles of every phase.

    Parameters
    ----------
    micro : Microstructure
    periodic : bool
        Whether the image continues across its outer faces. If not, areas are measured between
        the outermost voxel centres and divided by the volume there, which leaves them free of
        bias from the faces.

    Returns
    -------
    Descriptors

    Examples
    --------
    >>> import microtwin as mt
    >>> micro = mt.generation.lattice_spheres(32, radius=10.0, voxel_size=1e-6)
    >>> found = mt.descriptors.describe(micro, periodic=True)
    >>> found.specific_surface["sphere"]  # 4 pi R^2 / L^3 = 38350 / m
    38...
    """
    volume = measured_volume(micro, periodic)
    areas = interface_area(micro, periodic).scaled(1.0 / volume)
    fractions = micro.volume_fractions
    surface = {name: areas.of_phase(name) for name in fractions}
    return Descriptors(
        volume_fraction=fractions,
        specific_surface=surface,
        interface_area=areas,
        percolating_fraction={n: percolating_fraction(micro, n, periodic) for n in fractions},
        profile={name: micro.profile(name) for name in fractions},
        hydraulic_diameter={
            name: 4.0 * fractions[name] / surface[name] if surface[name] else math.inf
            for name in fractions
        },
    )


def percolating_fraction(
    micro: Microstructure, phase: str, periodic: bool = False
) -> dict[Direction, float]:
    """Return the share of a phase that percolates along each direction.

    Parameters
    ----------
    micro : Microstructure
    phase : str
    periodic : bool
        False: a cluster of face-connected voxels percolates if it touches both outer faces.
        True: it connects to its own image across the period.

    Returns
    -------
    dict of direction to float
        Between 0 and 1; 0 if the phase is absent.

    Raises
    ------
    ValueError
        If the phase is not in the microstructure.
    """
    mask = micro.mask(phase)
    total = int(np.count_nonzero(mask))
    if total == 0:
        return dict.fromkeys(AXES, 0.0)
    if periodic:
        return {
            name: float(np.count_nonzero(percolating_mask(mask, axis, periodic=True)) / total)
            for axis, name in enumerate(AXES)
        }
    # One labelling serves all three directions.
    clusters, n = label_clusters(mask)
    sizes = np.bincount(clusters.ravel(), minlength=n + 1)
    sizes[0] = 0
    return {
        name: float(sizes[np.intersect1d(clusters.take(0, axis), clusters.take(-1, axis))].sum())
        / total
        for axis, name in enumerate(AXES)
    }

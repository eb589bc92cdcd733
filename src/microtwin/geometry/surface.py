"""Surface and interface area of the phases of a labelled image.

The area is that of the smooth surface the voxels stand for, not of their faces. It is measured
in the box spanned by the outermost voxel centres, or in the whole period of a periodic image;
the outer faces of the image are no surface.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from ..microstructure import Microstructure
from .crossings import phase_histogram, projected_areas
from .orientation import area_from_projections

__all__ = [
    "InterfaceAreas",
    "interface_area",
    "measured_phase_volume",
    "measured_volume",
    "projected_area",
    "surface_area",
]

ROUNDING = 1e-12


class InterfaceAreas(Mapping[tuple[str, str], float]):
    """Area of the interface between each pair of phases; a pair may be asked for in any order.

    Parameters
    ----------
    areas : mapping of (str, str) to float
        One entry per pair.
    """

    def __init__(self, areas: Mapping[tuple[str, str], float]) -> None:
        self._areas = dict(areas)

    def __getitem__(self, pair: tuple[str, str]) -> float:
        first, second = pair
        if (second, first) in self._areas:
            return self._areas[second, first]
        return self._areas[first, second]

    def __iter__(self) -> Iterator[tuple[str, str]]:
        return iter(self._areas)

    def __len__(self) -> int:
        return len(self._areas)

    def of_phase(self, phase: str) -> float:
        """Return the area of a phase against all others."""
        return sum(area for pair, area in self._areas.items() if phase in pair)

    def scaled(self, factor: float) -> InterfaceAreas:
        """Return all areas times a factor."""
        return InterfaceAreas({pair: factor * area for pair, area in self._areas.items()})

    def __repr__(self) -> str:
        return f"InterfaceAreas({self._areas!r})"


def measured_volume(micro: Microstructure, periodic: bool = False) -> float:
    """Return the volume in which areas are measured, in m^3.

    Parameters
    ----------
    micro : Microstructure
    periodic : bool
        True: the whole image. False: the box spanned by the outermost voxel centres, which is
        one voxel shorter along each axis, since nothing is known beyond them.
    """
    cells = [n if periodic else n - 1 for n in micro.shape]
    return float(np.prod(cells) * np.prod(micro.voxel_size))


def measured_phase_volume(
    micro: Microstructure, phases: str | Iterable[str], periodic: bool = False
) -> float:
    """Return the volume of a phase, or of several together, where areas are measured, in m^3.

    Parameters
    ----------
    micro : Microstructure
    phases : str or iterable of str
    periodic : bool
        As in `measured_volume`; if False, of an outermost voxel that part counts which lies
        between the outermost centres.

    Raises
    ------
    ValueError
        If a phase is not in the microstructure.
    """
    total: NDArray = micro.mask([phases] if isinstance(phases, str) else list(phases))
    for n in reversed(micro.shape):
        weights = np.ones(n)
        if not periodic:
            weights[0] -= 0.5
            weights[-1] -= 0.5
        total = total @ weights
    return float(total) * float(np.prod(micro.voxel_size))


def projected_area(
    micro: Microstructure, phases: str | Iterable[str], periodic: bool = False
) -> NDArray[np.float64]:
    """Return the area of a set of phases projected along the 13 lattice directions.

    Parameters
    ----------
    micro : Microstructure
    phases : str or iterable of str
        The set whose boundary is measured.
    periodic : bool
        Whether the image continues across its outer faces.

    Returns
    -------
    ndarray, shape (13,)
        Integral of abs(n . u) dA over the boundary in m^2, for each direction u of
        `microtwin.geometry.orientation.DIRECTIONS`.

    Raises
    ------
    ValueError
        If a phase is not in the microstructure.
    """
    names = [phases] if isinstance(phases, str) else list(phases)
    return projected_areas(phase_histogram(micro, names, periodic), micro.voxel_size)


def surface_area(
    micro: Microstructure, phases: str | Iterable[str], periodic: bool = False
) -> float:
    """Return the area of the boundary of a phase, or of several phases taken together, in m^2.

    Boundary crossings along 13 directions are counted on 2x2x2 configurations and turned into
    an area by `microtwin.geometry.orientation.area_from_projections`. On digitised spheres
    of radius R voxels the mean error is about -17 / R^2 percent, since a line that enters and
    leaves within one voxel spacing is not seen.

    Parameters
    ----------
    micro : Microstructure
    phases : str or iterable of str
    periodic : bool
        Whether the image continues across its outer faces. The faces themselves never count.

    Returns
    -------
    float

    Raises
    ------
    ValueError
        If a phase is not in the microstructure.
    """
    return area_from_projections(projected_area(micro, phases, periodic), micro.voxel_size)


def interface_area(micro: Microstructure, periodic: bool = False) -> InterfaceAreas:
    """Return the area of the interface between each pair of phases in m^2.

    The projected areas of phases i and j and of their union give those of the interface,
    (M_i + M_j - M_ij) / 2, exactly; the area follows as in `surface_area`. The surface of a
    phase is the sum over its interfaces.

    Parameters
    ----------
    micro : Microstructure
    periodic : bool
        Whether the image continues across its outer faces.

    Returns
    -------
    InterfaceAreas
        Mapping of pairs of phase names, in any order, to the area in m^2.
    """
    names = micro.phase_names
    single = {name: projected_area(micro, name, periodic) for name in names}
    areas = {}
    for a, b in combinations(names, 2):
        rest = [name for name in names if name not in (a, b)]
        # A set has the boundary of its complement, so three phases need no counting of unions.
        if len(rest) == 0:
            union = np.zeros_like(single[a])
        elif len(rest) == 1:
            union = single[rest[0]]
        else:
            union = projected_area(micro, (a, b), periodic)
        shared = 0.5 * (single[a] + single[b] - union)
        # What is left of a difference of equal numbers is no area.
        shared[shared < ROUNDING * np.maximum(single[a], single[b])] = 0.0
        areas[a, b] = area_from_projections(shared, micro.voxel_size)
    return InterfaceAreas(areas)

"""Every descriptor in one call."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..connectivity import label_clusters, percolating_mask
from ..geometry.surface import InterfaceAreas, interface_area, measured_volume
from ..microstructure import AXES, Direction, Microstructure
from .balls import SizeDistribution, sizes_and_constrictivity
from .chord_lengths import chords
from .curvature import minkowski_functionals
from .paths import geodesic_tortuosity
from .topology import Topology, betti_numbers, euler_density
from .triple_lines import triple_line_density

__all__ = ["GROUPS", "Descriptors", "describe", "percolating_fraction"]


# What `describe` measures beyond fractions, percolation and profiles.
GROUPS = ("surface", "topology", "chords", "sizes", "paths")


@dataclass(frozen=True, eq=False)
class Descriptors:
    """Descriptors of a labelled image, by phase name.

    Those of a group that was not asked for are empty, and so are those of a phase that they do not
    exist for, such as the sizes of one that fills the image.

    Attributes
    ----------
    volume_fraction : mapping of str to float
        Share of the voxels.
    percolating_fraction : mapping of str to mapping of direction to float
        Share of the phase that percolates along z, y and x; 0 for an absent phase.
    profile : mapping of str to ndarray, shape (nz,)
        Volume fraction in each layer through the thickness (z).
    specific_surface : mapping of str to float
        Area of the phase against all other phases per volume of the image (not of the phase),
        in 1/m. The outer faces of the image are no surface.
    interface_area : InterfaceAreas
        Area between two phases per volume of the image, in 1/m, asked for by a pair of names
        in any order: ``interface_area["active", "pore"]``.
    hydraulic_diameter : mapping of str to float
        Four times volume over surface, 4 eps / s, in m: the diameter of a straight channel of
        that ratio, and 2/3 of the diameter of a sphere. Infinite without surface.
    mean_curvature : mapping of str to float
        Mean curvature averaged over the boundary of the phase, in 1/m; positive where it is
        convex.
    triple_line_density : mapping of (str, str, str) to float
        Length of the lines where three phases meet, per volume of the image, in 1/m^2.
    euler_density : mapping of str to float
        Euler number per volume of the image, in 1/m^3.
    topology : mapping of str to Topology
        Pieces, tunnels and cavities in the image.
    mean_chord : mapping of str to mapping of direction to float
        Mean length of the pieces of lines along z, y and x in the phase, in m.
    sizes : mapping of str to SizeDistribution
        Continuous size distribution, by local thickness.
    constrictivity : mapping of str to mapping of direction to float
        Squared ratio of bottlenecks to bulges.
    geodesic_tortuosity : mapping of str to mapping of direction to float
        Mean length of shortest paths over the thickness; infinite where no path leads through.
    """

    volume_fraction: Mapping[str, float]
    percolating_fraction: Mapping[str, Mapping[Direction, float]]
    profile: Mapping[str, NDArray[np.float64]]
    specific_surface: Mapping[str, float]
    interface_area: InterfaceAreas
    hydraulic_diameter: Mapping[str, float]
    mean_curvature: Mapping[str, float]
    triple_line_density: Mapping[tuple[str, str, str], float]
    euler_density: Mapping[str, float]
    topology: Mapping[str, Topology]
    mean_chord: Mapping[str, Mapping[Direction, float]]
    sizes: Mapping[str, SizeDistribution]
    constrictivity: Mapping[str, Mapping[Direction, float]]
    geodesic_tortuosity: Mapping[str, Mapping[Direction, float]]

    def as_dict(self) -> dict[str, Any]:
        """Return plain dicts, lists and numbers that JSON can hold.

        Two or three phases are written as ``active-pore``, an infinite number as None, and sizes
        as their mean and the diameters above which 90, 50 and 10 % of the phase lie.
        """
        plain = {field.name: _plain(getattr(self, field.name)) for field in fields(self)}
        plain["topology"] = {name: asdict(found) for name, found in self.topology.items()}
        plain["sizes"] = {
            name: {
                "mean": found.mean,
                "d10": found.quantile(0.9),
                "d50": found.quantile(0.5),
                "d90": found.quantile(0.1),
            }
            for name, found in self.sizes.items()
        }
        return plain


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {
            "-".join((key,) if isinstance(key, str) else key): _plain(v) for key, v in value.items()
        }
    if isinstance(value, np.ndarray):
        return value.tolist()
    return value if not isinstance(value, float) or math.isfinite(value) else None


def describe(
    micro: Microstructure, periodic: bool = False, groups: Iterable[str] = GROUPS
) -> Descriptors:
    """Measure every phase: fractions, percolation, profiles, and what the groups ask for.

    Parameters
    ----------
    micro : Microstructure
    periodic : bool
        Whether the image continues across its outer faces. If not, areas, curvatures, triple
        lines and Euler numbers are measured between the outermost voxel centres and divided by
        the volume there, which leaves them free of bias from the faces. Pieces, tunnels and
        cavities, constrictivity and paths are always those of the image by itself.
    groups : iterable of str
        Any of "surface" (areas, curvature, triple lines), "topology", "chords", "sizes" (local
        thickness and constrictivity) and "paths" (geodesic tortuosity); all by default. Sizes and
        paths take nearly all of the time.

    Returns
    -------
    Descriptors

    Raises
    ------
    ValueError
        If there is no such group.

    Examples
    --------
    >>> import microtwin as mt
    >>> micro = mt.generation.lattice_spheres(32, radius=10.0, voxel_size=1e-6)
    >>> found = mt.descriptors.describe(micro, periodic=True)
    >>> found.specific_surface["sphere"]  # 4 pi R^2 / L^3 = 38350 / m
    38...
    """
    wanted = set(groups)
    if not wanted <= set(GROUPS):
        raise ValueError(
            f"{sorted(wanted - set(GROUPS))} are no groups of descriptors; use some of "
            f"{', '.join(GROUPS)}"
        )
    names = micro.phase_names
    shared = [n for n in names if 0.0 < micro.volume_fraction(n) < 1.0]
    parts: dict[str, Any] = {
        "volume_fraction": micro.volume_fractions,
        "percolating_fraction": {n: percolating_fraction(micro, n, periodic) for n in names},
        "profile": {name: micro.profile(name) for name in names},
    }
    if "surface" in wanted:
        parts |= _surface(micro, periodic)
    if "topology" in wanted:
        parts["topology"] = {name: betti_numbers(micro, name) for name in names}
        parts["euler_density"] = {name: euler_density(micro, name, periodic) for name in names}
    if "chords" in wanted:
        parts["mean_chord"] = {
            name: {d: chords(micro, name, d, periodic).mean for d in AXES} for name in names
        }
    if "sizes" in wanted:
        found = {name: sizes_and_constrictivity(micro, name, AXES, periodic) for name in shared}
        parts["sizes"] = {name: sizes for name, (sizes, _) in found.items()}
        parts["constrictivity"] = {name: narrow for name, (_, narrow) in found.items()}
    if "paths" in wanted:
        parts["geodesic_tortuosity"] = {
            name: {d: geodesic_tortuosity(micro, name, d) for d in AXES} for name in names
        }
    empty: dict[str, Any] = {field.name: {} for field in fields(Descriptors)}
    return Descriptors(**(empty | {"interface_area": InterfaceAreas({})} | parts))


def _surface(micro: Microstructure, periodic: bool) -> dict[str, Any]:
    areas = interface_area(micro, periodic).scaled(1.0 / measured_volume(micro, periodic))
    fractions = micro.volume_fractions
    surface = {name: areas.of_phase(name) for name in fractions}
    return {
        "specific_surface": surface,
        "interface_area": areas,
        "hydraulic_diameter": {
            name: 4.0 * fractions[name] / surface[name] if surface[name] else math.inf
            for name in fractions
        },
        "mean_curvature": {
            name: minkowski_functionals(micro, name, periodic).average_mean_curvature
            for name in fractions
        },
        "triple_line_density": triple_line_density(micro, periodic),
    }


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

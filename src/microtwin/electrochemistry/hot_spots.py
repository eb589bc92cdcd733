"""Connected regions of an interface where the current density is high."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from ..checking import is_number
from ..connectivity import label_clusters
from .interfaces import ReactingInterface

__all__ = ["HotSpot", "HotSpots", "hot_spots", "weighted_quantile"]


@dataclass(frozen=True)
class HotSpot:
    """One connected region.

    Attributes
    ----------
    area : float
        In m^2.
    diameter : float
        Of a disc of that area, in metres.
    centre : tuple of 3 floats
        (z, y, x) in metres, the mean of its facets weighted by their current.
    current : float
        In A, positive if anodic.
    share : float
        Of the current of the whole interface.
    mean, peak : float
        Current density, mean and extreme, in A/m^2.
    facets : int
    """

    area: float
    diameter: float
    centre: tuple[float, float, float]
    current: float
    share: float
    mean: float
    peak: float
    facets: int


@dataclass(frozen=True, eq=False)
class HotSpots:
    """All hot spots of an interface.

    Attributes
    ----------
    threshold : float
        Magnitude of the current density above which a facet is hot, in A/m^2.
    spots : tuple of HotSpot
        Those with most current first.
    number : ndarray of int64, shape (n,)
        To which of them each facet of the interface belongs; -1 for none.
    share_of_area, share_of_current : float
        Of all hot facets.
    """

    threshold: float
    spots: tuple[HotSpot, ...] = field(repr=False)
    number: NDArray[np.int64] = field(repr=False)
    share_of_area: float
    share_of_current: float


def hot_spots(
    facets: ReactingInterface,
    current_density: NDArray[np.float64],
    quantile: float | None = None,
    multiple: float | None = None,
) -> HotSpots:
    """Find the connected regions above a threshold.

    Facets of an image are connected if their voxels touch, at a corner at least; those of a mesh
    if they share an edge.

    Parameters
    ----------
    facets : ReactingInterface
    current_density : ndarray, shape (n,)
        In A/m^2.
    quantile : float, optional
        The threshold is exceeded on the rest of the area: 0.95 (the default if nothing is given)
        means on 5 % of it.
    multiple : float, optional
        The threshold is this many times the mean.

    Returns
    -------
    HotSpots

    Raises
    ------
    ValueError
        If both thresholds are given, one is not allowed, or there is not one value per facet.
    """
    values = np.abs(np.asarray(current_density, float))
    if values.shape != (len(facets),):
        raise ValueError(
            f"current_density has the shape {values.shape}; one value for each of the "
            f"{len(facets)} facets is needed"
        )
    threshold = _threshold(facets.area, values, quantile, multiple)
    hot = np.flatnonzero(values > threshold)
    group = _groups(facets, hot)
    current = np.asarray(current_density, float) * facets.area
    whole, count = float(current.sum()), int(group.max(initial=-1)) + 1
    sums = np.bincount(group, np.abs(current[hot]), count)
    order = np.argsort(-sums, kind="stable")
    place = np.empty(count, np.int64)
    place[order] = np.arange(count)
    number = np.full(len(facets), -1)
    number[hot] = place[group]
    by_spot = hot[np.argsort(number[hot], kind="stable")]
    parts = np.split(by_spot, np.cumsum(np.bincount(number[hot], minlength=count))[:-1])
    spots = tuple(
        _spot(facets, current_density, current, part, whole) for part in parts if len(part)
    )
    hot_current = float(current[hot].sum())
    return HotSpots(
        threshold,
        spots,
        number,
        float(facets.area[hot].sum() / facets.area.sum()),
        hot_current / whole if whole else 0.0,
    )


def weighted_quantile(
    values: NDArray[np.float64], weights: NDArray[np.float64], share: float
) -> float:
    """Return the least value that is not exceeded on a share of the weight."""
    order = np.argsort(values, kind="stable")
    below = np.cumsum(weights[order])
    k = int(np.searchsorted(below, share * below[-1] * (1.0 - 1e-12)))
    return float(values[order[min(k, len(order) - 1)]])


def _threshold(
    area: NDArray[np.float64],
    values: NDArray[np.float64],
    quantile: float | None,
    multiple: float | None,
) -> float:
    if quantile is not None and multiple is not None:
        raise ValueError("quantile and multiple are both given; give one of them")
    if multiple is not None:
        if not (is_number(multiple) and multiple > 0.0):
            raise ValueError(f"multiple {multiple!r} is not allowed; give a number above 0")
        return float(multiple * (values @ area) / area.sum())
    quantile = 0.95 if quantile is None else quantile
    if not (is_number(quantile) and 0.0 < quantile < 1.0):
        raise ValueError(f"quantile {quantile!r} is not allowed; give a number between 0 and 1")
    return weighted_quantile(values, area, quantile)


def _groups(facets: ReactingInterface, hot: NDArray[np.int64]) -> NDArray[np.int64]:
    """Give the connected groups of some facets numbers, from 0 on."""
    if len(hot) == 0:
        return np.empty(0, np.int64)
    if len(facets.corners) == 0:
        mask = np.zeros(facets.shape, bool)
        mask.reshape(-1)[facets.voxel[hot]] = True
        numbers = label_clusters(mask, connectivity=26)[0].reshape(-1)[facets.voxel[hot]]
        return np.unique(numbers, return_inverse=True)[1].astype(np.int64)
    corners = np.sort(facets.corners[hot], axis=1)
    edges = np.concatenate([corners[:, [0, 1]], corners[:, [0, 2]], corners[:, [1, 2]]])
    owner = np.tile(np.arange(len(hot)), 3)
    number = np.unique(edges, axis=0, return_inverse=True)[1].ravel()
    n = len(hot)
    # A graph of facets and edges, in which a facet is linked to its edges alone.
    ends, size = (owner, n + number), n + len(edges)
    links = coo_array((np.ones(len(owner), np.int8), ends), shape=(size, size))
    return connected_components(links, directed=False)[1][:n].astype(np.int64)


def _spot(
    facets: ReactingInterface,
    current_density: NDArray[np.float64],
    current: NDArray[np.float64],
    part: NDArray[np.int64],
    whole: float,
) -> HotSpot:
    area, total = float(facets.area[part].sum()), float(current[part].sum())
    weights = np.abs(current[part])
    centre = np.average(facets.centre[part], axis=0, weights=weights)
    peak = part[np.argmax(np.abs(current_density[part]))]
    return HotSpot(
        area=area,
        diameter=float(2.0 * np.sqrt(area / np.pi)),
        centre=tuple(map(float, centre)),  # type: ignore[arg-type]
        current=total,
        share=total / whole if whole else 0.0,
        mean=total / area,
        peak=float(current_density[peak]),
        facets=len(part),
    )

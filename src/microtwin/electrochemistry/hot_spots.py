"""Connected regions of an interface where the current density is high."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree

from ..checking import is_number
from .interfaces import ReactingInterface

__all__ = ["HotSpot", "HotSpots", "hot_spots", "weighted_quantile"]

ROUNDING = 1e-9  # relative
OPPOSITE = -0.5  # cosine between two normals below which facets face each other


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
        Of the current of the whole interface, all taken as magnitudes.
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
        Of all hot facets; currents as magnitudes.
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

    Facets of an image are connected if their voxels touch, at a corner at least, unless they face
    each other across a wall or gap; those of a mesh if they share an edge. Anodic and cathodic
    regions are never one.

    Parameters
    ----------
    facets : ReactingInterface
    current_density : ndarray, shape (n,)
        In A/m^2.
    quantile : float, optional
        The threshold is exceeded on the rest of the area: 0.95 (the default if nothing is given)
        means on 5 % of it.
    multiple : float, optional
        The threshold is this many times the mean magnitude.

    Returns
    -------
    HotSpots

    Raises
    ------
    ValueError
        If both thresholds are given, one is not allowed, or there is not one number per facet.
    """
    signed = np.asarray(current_density, float)
    if signed.shape != (len(facets),):
        raise ValueError(
            f"current_density has the shape {signed.shape}; one value for each of the "
            f"{len(facets)} facets is needed"
        )
    if not np.isfinite(signed).all():
        raise ValueError("a current density is no finite number")
    values = np.abs(signed)
    threshold = _threshold(facets.area, values, quantile, multiple)
    # Of a uniform current, rounding makes no hot spots.
    hot = np.flatnonzero(values > threshold * (1.0 + ROUNDING))
    group = _groups(facets, hot, signed)
    current = values * facets.area
    whole, count = float(current.sum()), int(group.max(initial=-1)) + 1
    order = np.argsort(-np.bincount(group, current[hot], count), kind="stable")
    place = np.empty(count, np.int64)
    place[order] = np.arange(count)
    number = np.full(len(facets), -1)
    number[hot] = place[group]
    by_spot = hot[np.argsort(number[hot], kind="stable")]
    parts = np.split(by_spot, np.cumsum(np.bincount(number[hot], minlength=count))[:-1])
    spots = tuple(_spot(facets, signed, part, whole) for part in parts if len(part))
    return HotSpots(
        threshold,
        spots,
        number,
        float(facets.area[hot].sum() / facets.area.sum()),
        float(current[hot].sum()) / whole if whole else 0.0,
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


def _groups(
    facets: ReactingInterface, hot: NDArray[np.int64], signed: NDArray[np.float64]
) -> NDArray[np.int64]:
    """Give the connected groups of some facets, of one sign each, numbers from 0 on."""
    n = len(hot)
    if n == 0:
        return np.empty(0, np.int64)
    pairs = _linked_on_image(facets, hot) if len(facets.corners) == 0 else _linked(facets, hot)
    pairs = pairs[(signed[hot] > 0.0)[pairs[:, 0]] == (signed[hot] > 0.0)[pairs[:, 1]]]
    links = coo_array((np.ones(len(pairs), np.int8), (pairs[:, 0], pairs[:, 1])), shape=(n, n))
    return connected_components(links, directed=False)[1].astype(np.int64)


def _linked_on_image(facets: ReactingInterface, hot: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the pairs of facets in voxels that touch, but not on two sides of a thin wall."""
    edges = np.array(facets.extent) / facets.shape
    tree = cKDTree(facets.centre[hot] / edges)
    pairs = tree.query_pairs(1.0 + ROUNDING, p=np.inf, output_type="ndarray")
    first, second = facets.normal[hot[pairs[:, 0]]], facets.normal[hot[pairs[:, 1]]]
    return pairs[(first * second).sum(axis=1) > OPPOSITE]


def _linked(facets: ReactingInterface, hot: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the pairs of facets of a mesh that share an edge."""
    corners = np.sort(facets.corners[hot], axis=1)
    edges = np.concatenate([corners[:, [0, 1]], corners[:, [0, 2]], corners[:, [1, 2]]])
    owner = np.tile(np.arange(len(hot)), 3)
    number = np.unique(edges, axis=0, return_inverse=True)[1].ravel()
    order = np.argsort(number, kind="stable")
    same = np.flatnonzero(number[order[1:]] == number[order[:-1]])
    return np.stack([owner[order[same]], owner[order[same + 1]]], axis=1)


def _spot(
    facets: ReactingInterface,
    signed: NDArray[np.float64],
    part: NDArray[np.int64],
    whole: float,
) -> HotSpot:
    current = signed[part] * facets.area[part]
    area, total = float(facets.area[part].sum()), float(current.sum())
    centre = np.average(facets.centre[part], axis=0, weights=np.abs(current))
    return HotSpot(
        area=area,
        diameter=float(2.0 * np.sqrt(area / np.pi)),
        centre=tuple(map(float, centre)),  # type: ignore[arg-type]
        current=total,
        share=abs(total) / whole,
        mean=total / area,
        peak=float(signed[part[np.argmax(np.abs(signed[part]))]]),
        facets=len(part),
    )

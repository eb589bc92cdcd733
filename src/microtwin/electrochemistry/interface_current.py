"""The reaction on every facet of the interface at one overpotential: the primary distribution."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from ..checking import is_number
from ..meshing import TetrahedralMesh
from ..microstructure import Microstructure
from .hot_spots import HotSpots, hot_spots, weighted_quantile
from .interfaces import (
    Interface,
    NoInterfaceError,
    PerFacet,
    ReactingInterface,
    at_facets,
    named_phases,
    phases_of,
    reacting_interface,
)
from .kinetics import ROOM, Coefficients, reaction_through_film

__all__ = ["InterfaceCurrent", "interface_current"]

BETWEEN = 1e-6  # how near to the boundary of two layers a facet lies between them, in layers


@dataclass(frozen=True, eq=False)
class InterfaceCurrent:
    """Current over an interface.

    Attributes
    ----------
    facets : ReactingInterface
        Those that react: facets that are blocked are not among them.
    current_density : ndarray, shape (n,)
        In A/m^2, positive if anodic (out of the active material).
    overpotential : ndarray, shape (n,)
        Over reaction and film, in V.
    exchange_current_density : ndarray, shape (n,)
        In A/m^2.
    blocked_area : float
        Of the active material under coverings that let nothing through, in m^2.
    """

    facets: ReactingInterface
    current_density: NDArray[np.float64] = field(repr=False)
    overpotential: NDArray[np.float64] = field(repr=False)
    exchange_current_density: NDArray[np.float64] = field(repr=False)
    blocked_area: float

    @property
    def area(self) -> float:
        """Area that reacts, in m^2."""
        return float(self.facets.area.sum())

    @property
    def total_current(self) -> float:
        """Current over the whole interface, in A."""
        return float(self.current_density @ self.facets.area)

    @property
    def mean(self) -> float:
        """Mean current density, in A/m^2."""
        return self.total_current / self.area

    @property
    def deviation(self) -> float:
        """Standard deviation of the current density over the area, in A/m^2."""
        squares = (self.current_density - self.mean) ** 2
        return float(np.sqrt(squares @ self.facets.area / self.area))

    def quantile(self, share: float) -> float:
        """Return the current density (its magnitude) not exceeded on a share of the area.

        Raises
        ------
        ValueError
            If the share is not between 0 and 1.
        """
        if not (is_number(share) and 0.0 <= share <= 1.0):
            raise ValueError(f"share {share!r} is not allowed; give a number from 0 to 1")
        return weighted_quantile(np.abs(self.current_density), self.facets.area, share)

    def concentration_ratio(self, share: float = 0.95) -> float:
        """Return a quantile over the mean, both of magnitudes: 1 if the current is uniform."""
        mean = float(np.abs(self.current_density) @ self.facets.area) / self.area
        return self.quantile(share) / mean if mean > 0.0 else 1.0

    def current_of(self, phase: str) -> float:
        """Return the current of one active phase, in A."""
        if phase not in self.facets.phases:
            raise ValueError(
                f"phase {phase!r} is not known; there are {', '.join(self.facets.phases)}"
            )
        mine = self.facets.inside == self.facets.phases.index(phase)
        return float(self.current_density[mine] @ self.facets.area[mine])

    def hot_spots(self, quantile: float | None = None, multiple: float | None = None) -> HotSpots:
        """Return the connected regions above a threshold; see `hot_spots`."""
        return hot_spots(self.facets, self.current_density, quantile, multiple)

    def profile(self, layers: int | None = None) -> NDArray[np.float64]:
        """Return the share of the current (its magnitude) in each layer along z, shape (layers,).

        Facets between two layers count half for each.

        Parameters
        ----------
        layers : int, optional
            Their number; by default that of the image.

        Raises
        ------
        ValueError
            If the number is not allowed, or there is no image and none is given.
        """
        if layers is None:
            layers = self.facets.shape[0]
            if layers == 0:
                raise ValueError("this mesh has no image, so give the number of layers")
        if isinstance(layers, bool) or not isinstance(layers, (int, np.integer)) or layers < 1:
            raise ValueError(f"layers {layers!r} is not allowed; give a whole number of 1 or more")
        height = self.facets.centre[:, 0] / self.facets.extent[0] * layers
        current = 0.5 * np.abs(self.current_density) * self.facets.area
        shares = np.zeros(layers)
        for side in (-BETWEEN, BETWEEN):
            layer = np.clip(np.floor(height + side).astype(int), 0, layers - 1)
            shares += np.bincount(layer, current, layers)
        total = shares.sum()
        return shares / total if total else shares

    def on_image(self) -> NDArray[np.float32]:
        """Return the current density of the interface in each voxel, shape of the image.

        The mean over the facets of the voxel in A/m^2; NaN where there is none.

        Raises
        ------
        ValueError
            If there is no image.
        """
        size = int(np.prod(self.facets.shape))
        if size == 0:
            raise ValueError("this mesh was not made from an image, so it has no voxels")
        area = np.bincount(self.facets.voxel, self.facets.area, size)
        current = np.bincount(self.facets.voxel, self.current_density * self.facets.area, size)
        with np.errstate(invalid="ignore", divide="ignore"):
            return (current / area).astype(np.float32).reshape(self.facets.shape)


def interface_current(
    source: Microstructure | TetrahedralMesh,
    overpotential: PerFacet = 0.01,
    exchange_current_density: PerFacet = 1.0,
    *,
    active: str | Sequence[str] = "active",
    electrolyte: str = "pore",
    film_resistance: PerFacet = 0.0,
    coverings: Mapping[str, float | None] | None = None,
    temperature: float = ROOM,
    transfer_coefficients: Coefficients = (0.5, 0.5),
    interface: Interface = "smooth",
) -> InterfaceCurrent:
    """Return the current of the reaction on every facet where active material meets electrolyte.

    The primary distribution: solid and electrolyte conduct so well that the overpotential is what
    is given, and only the kinetics tell facets apart.

    Parameters
    ----------
    source : Microstructure or TetrahedralMesh
    overpotential : float, array, mapping or callable
        Over the reaction and its film, in V; see `exchange_current_density` for the forms.
    exchange_current_density : float, array, mapping or callable
        In A/m^2: one number; one per voxel of the image, shape (nz, ny, nx), such as
        `random_exchange_current` gives; by active phase; or a function of the places of the
        facets, shape (n, 3) in metres (z, y, x), that returns shape (n,).
    active : str or sequence of str
        Phases that react.
    electrolyte : str
    film_resistance : float, array, mapping or callable
        Of a film on the active material, in ohm m^2.
    coverings : mapping of str to (float or None), optional
        Other phases on the active material, such as binder: their resistance in ohm m^2, through
        which the active material reacts under them, or None if they block the reaction. Those
        left out block it.
    temperature : float
        In K.
    transfer_coefficients : tuple of 2 floats
        Anodic and cathodic.
    interface : {"smooth", "voxel"}
        On images: the embedded boundary, or the faces of the voxels.

    Returns
    -------
    InterfaceCurrent

    Raises
    ------
    ValueError
        If a phase is not known, or a number is not allowed.
    NoInterfaceError
        If active material and electrolyte do not meet; it is a ValueError too.
    """
    if coverings is not None and not isinstance(coverings, Mapping):
        raise ValueError(
            f"coverings {coverings!r} are not allowed; give resistances by name, as in "
            "{'binder': 5e-3}"
        )
    covers = dict(coverings or {})
    known = phases_of(source)
    names = named_phases(known, active)
    (electrolyte,) = named_phases(known, [electrolyte])
    for name, resistance in covers.items():
        if name not in known:
            raise ValueError(f"the covering {name!r} is not known; there are {', '.join(known)}")
        if name in names or name == electrolyte:
            raise ValueError(f"{name!r} covers nothing: it is active material or electrolyte")
        if resistance is not None and not (is_number(resistance) and resistance >= 0.0):
            raise ValueError(
                f"resistance {resistance!r} of the covering {name!r} is not allowed; give 0 or "
                "more, in ohm m^2, or None if it blocks the reaction"
            )
    others = [electrolyte, *(name for name in known if name not in (*names, electrolyte))]
    whole = reacting_interface(source, names, others, interface)
    numbers = {name: whole.phases.index(name) for name in (electrolyte, *covers)}
    through = {name: float(r) for name, r in covers.items() if r is not None}
    reacts = np.isin(whole.outside, [numbers[name] for name in (electrolyte, *through)])
    if not (whole.outside == numbers[electrolyte]).any():
        raise NoInterfaceError(
            f"{', '.join(names)} and {electrolyte} do not meet, so nothing can react there"
        )
    facets = whole.chosen(reacts)
    film = at_facets(film_resistance, facets, "film_resistance")
    for name, covering in through.items():
        film = film + covering * (facets.outside == numbers[name])
    eta = at_facets(overpotential, facets, "overpotential")
    j0 = at_facets(exchange_current_density, facets, "exchange_current_density")
    current = reaction_through_film(eta, j0, film, temperature, transfer_coefficients)
    blocked = float(whole.area[~reacts].sum())
    return InterfaceCurrent(facets, current, eta, j0, blocked)

"""An imaged electrode and its separator as a network: links, volumes and reacting facets.

The electrode stands on the current collector (z = 0); the separator follows at the other end and
the lithium electrode closes it. Three fields live on the voxels:

- **solid**: active material and whatever else conducts electrons, in perfect contact. Its links are
  the open fractions of the faces (embedded boundary) times the harmonic mean of the conductivities
  on either side.
- **active**: lithium in the active material.
- **liquid**: electrolyte in the pores and, if it is porous, in the binder; in the separator every
  voxel holds it. Its links carry the share of the conductivity and diffusivity of free electrolyte.

A voxel that the interface crosses holds a value of each. The facets of the interface
(`reacting_interface`) tie the value of the solid to that of the liquid. They lie at a distance from
the centre of the voxel (`geometry.plane_distance`), which the ohmic drop and the concentration at
the surface take into account.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from ..connectivity import label_clusters, reaching_clusters
from ..geometry import phase_fractions, set_apart, smooth_geometry
from ..geometry.surface import interface_area
from ..microstructure import Microstructure
from ..numerics import GridOperator, PlaneField
from ..numerics.quarters import to_quarters, vector_positions
from .cell_facets import facet_places
from .interfaces import NoInterfaceError, ReactingInterface, reacting_interface
from .materials import Separator

__all__ = ["CellGrid", "Inactive", "cell_grid"]

# Conductivities of the solid above this multiple of that of the active material are cut, so that
# the equations stay easy to solve.
CONTRAST = 100.0
NEGLIGIBLE = 1.0  # S/m: the drop in what conducts as well as this is at most some millivolts
MOST_LAYERS = 60  # of the separator, whose layers may be thicker than voxels
_APART = (
    "{!r} that is connected to the collector and electrolyte that is connected to the separator do "
    "not meet, so nothing can react; if a phase holds electrolyte in pores of its own, say so"
)


@dataclass(frozen=True)
class Inactive:
    """What does not take part, because it is connected to nothing.

    Parameters
    ----------
    active : float
        Fraction of the active material without electronic connection to the collector.
    electrolyte : float
        Fraction of the electrolyte in the image that is not connected to the separator.
    area : float
        Fraction of the reacting area that belongs to either.
    """

    active: float
    electrolyte: float
    area: float


@dataclass(frozen=True, eq=False)
class CellGrid:
    """Network of an imaged electrode with its separator.

    Parameters
    ----------
    shape : tuple of 3 ints
        Voxels of the electrode.
    layers : int
        Layers of voxels of the separator.
    voxel_size : tuple of 3 floats
        In m.
    solid, active, liquid : GridOperator
        In S/m, in units of the diffusivity, and as shares of free electrolyte; see `unit`.
    active_volume, liquid_volume : ndarray of float32, shape (planes, length of a plane)
        Share of each voxel that the field fills, in the layout of the vectors of its operator.
    active_there, liquid_there : ndarray of uint8 and float32, of the same shapes
        1 where the field has a value, be the voxel only touched by the phase; else 0.
    inlet : ndarray of float32, shape (length of a plane,)
        Where current enters the last plane from lithium; its sum is 1.
    facets : ReactingInterface
        Those that take part.
    area : ndarray, shape (n,)
        Of each facet that reacts, in m^2; where the binder is porous less than that of the facet.
    solid_place, liquid_place : ndarray of int64, shape (n,)
        Where the values on either side stand in flat vectors.
    solid_distance, liquid_distance : ndarray, shape (n,)
        From the centre of the voxel of the solid value to the facet, and from there to that of the
        liquid value, along the normal, in m; negative where the centre lies on the other side.
    lithium_place : ndarray of int64, shape (n,)
        Where lithium that crosses the facet enters the active material.
    surface_place : ndarray of int64, shape (n,)
        Where the value of the next voxel whose centre is active material stands, from which the
        concentration at the surface is continued.
    surface_distance : ndarray, shape (n,)
        From the centre of that voxel to the facet, along the normal, in m.
    solid_conductivity, liquid_share : ndarray, shape (n,)
        Of the material at these places.
    wetted_share : ndarray, shape (n,)
        Of each facet that reacts: the porosity of what lies in front of it.
    separator_share : float
        Share of free electrolyte that the separator conducts.
    particles : ndarray of int32, shape of the electrode
        Number, from 1, of the connected piece of active material of each voxel; 0 elsewhere.
    wetted : ndarray of bool, shape of the electrode
        Voxels of the phases that hold electrolyte which takes part.
    inactive : Inactive
    """

    shape: tuple[int, int, int]
    layers: int
    voxel_size: tuple[float, float, float]
    solid: GridOperator
    active: GridOperator
    liquid: GridOperator
    active_volume: NDArray[np.float32] = field(repr=False)
    liquid_volume: NDArray[np.float32] = field(repr=False)
    active_there: NDArray[np.float32] = field(repr=False)
    liquid_there: NDArray[np.float32] = field(repr=False)
    inlet: NDArray[np.float32] = field(repr=False)
    facets: ReactingInterface
    area: NDArray[np.float64] = field(repr=False)
    solid_place: NDArray[np.int64] = field(repr=False)
    liquid_place: NDArray[np.int64] = field(repr=False)
    solid_distance: NDArray[np.float64] = field(repr=False)
    liquid_distance: NDArray[np.float64] = field(repr=False)
    lithium_place: NDArray[np.int64] = field(repr=False)
    surface_place: NDArray[np.int64] = field(repr=False)
    surface_distance: NDArray[np.float64] = field(repr=False)
    solid_conductivity: NDArray[np.float64] = field(repr=False)
    liquid_share: NDArray[np.float64] = field(repr=False)
    wetted_share: NDArray[np.float64] = field(repr=False)
    separator_share: float
    particles: NDArray[np.int32] = field(repr=False)
    wetted: NDArray[np.bool_] = field(repr=False)
    inactive: Inactive

    @property
    def unit(self) -> float:
        """Current through a link per conductivity and potential: volume of a voxel / first edge^2.

        In m.
        """
        return float(np.prod(self.voxel_size)) / self.voxel_size[0] ** 2

    @property
    def cross_section(self) -> float:
        """Area of the collector, in m^2."""
        return float(np.prod(self.voxel_size[1:]) * self.shape[1] * self.shape[2])

    def ohmic_resistance(
        self, conductivity: float, reaction: NDArray[np.float64] | float
    ) -> NDArray[np.float64]:
        """Return the resistance of the way from each facet to the values that it ties, in ohm m^2.

        Negative where a value lies beyond the facet: a flat interface along the grid has exactly
        the resistance of its layers. Never less than minus half that of the reaction, which only
        counts where half a voxel resists more than the reaction does.

        Parameters
        ----------
        conductivity : float
            Of free electrolyte, in S/m.
        reaction : float or ndarray, shape (n,)
            Least resistance of the reaction, in ohm m^2.
        """
        way = self.solid_distance / self.solid_conductivity
        way = way + self.liquid_distance / (conductivity * self.liquid_share)
        # The current of the reacting part spreads over the whole facet.
        return np.asarray(np.maximum(self.wetted_share * way, -0.5 * np.asarray(reaction)))

    @property
    def amount(self) -> float:
        """Volume of the active material that takes part, in m^3."""
        return float(self.active_volume.sum(dtype=float)) * float(np.prod(self.voxel_size))


def cell_grid(
    micro: Microstructure,
    conductivities: Mapping[str, float],
    electrolytes: Mapping[str, tuple[float, float]],
    separator: Separator,
    active: str = "active",
) -> CellGrid:
    """Return the network of an imaged electrode with its separator.

    Parameters
    ----------
    micro : Microstructure
        The collector is at z = 0.
    conductivities : mapping of str to float
        Electronic conductivity of the active material and of other phases that conduct, in S/m.
    electrolytes : mapping of str to (float, float)
        Phases that hold electrolyte: porosity and tortuosity factor within them; (1, 1) for free
        electrolyte.
    separator : Separator
    active : str
        The phase that reacts.

    Returns
    -------
    CellGrid

    Raises
    ------
    ValueError
        If nothing connects the active material to the collector or the electrolyte to the
        separator, or the two do not meet.
    """
    names, labels = micro.phase_names, micro.labels
    of_label = {name: micro.label(name) for name in names}
    sigma, share, porosity = np.zeros(256), np.zeros(256), np.zeros(256)
    for name, value in conductivities.items():
        most = CONTRAST * conductivities[active]
        sigma[of_label[name]] = min(value, most)
        if most < min(value, NEGLIGIBLE):
            warnings.warn(
                f"the conductivity of {name!r}, {value:g} S/m, counts as {most:g} S/m, "
                f"{CONTRAST:g} times that of {active!r}: more contrast is not solved for, and the "
                f"ohmic drop in {name!r} is overestimated",
                UserWarning,
                stacklevel=3,
            )
    for name, (pores, factor) in electrolytes.items():
        porosity[of_label[name]], share[of_label[name]] = pores, pores / factor
    solid_clusters = reaching_clusters((sigma > 0.0)[labels], 0, 0)
    liquid_clusters = reaching_clusters((share > 0.0)[labels], 0, -1)
    mine = labels == of_label[active]
    active_clusters, count = label_clusters(mine & (solid_clusters > 0))
    if count == 0:
        raise ValueError(
            f"no {active!r} is connected to the current collector at z = 0; turn the image so that "
            "the collector is at its low end, or let another phase conduct as well"
        )
    if not liquid_clusters.any():
        raise ValueError(
            "no electrolyte is connected to the separator at the high end of z; turn the image, or "
            "give the phases that hold electrolyte"
        )
    solid, solid_there = _solid(labels, sigma, solid_clusters, micro.voxel_size)
    numbers = np.where(mine, 2, 1).astype(np.uint8)
    geometry = smooth_geometry(numbers, 2, active_clusters)
    factors = tuple(geometry.unit * w for w in _weights(micro.voxel_size))
    lithium = GridOperator(geometry.faces, factors)  # type: ignore[arg-type]
    active_there = _linked(geometry.faces) | (active_clusters > 0)
    active_volume = phase_fractions(numbers, 2) * active_there
    layers = min(max(1, round(separator.thickness / micro.voxel_size[0])), MOST_LAYERS)
    liquid, liquid_there, liquid_volume = _liquid(
        labels, share, porosity, liquid_clusters, micro.voxel_size, separator, layers
    )
    # What is connected to nothing must not share in the measured area of the rest.
    lost = ((sigma > 0.0)[labels] & (solid_clusters == 0)) | (
        (share > 0.0)[labels] & (liquid_clusters == 0)
    )
    connected = set_apart(micro, lost)
    facets = _reacting(connected, active, list(electrolytes))
    places = facet_places(
        connected, facets, solid_there & active_there, liquid_there[: micro.shape[0]], geometry,
        active_clusters > 0, active_volume,
    )  # fmt: skip
    taking_part = facets.chosen(places.kept)
    if len(taking_part) == 0:
        raise NoInterfaceError(_APART.format(active))
    beyond = np.array([of_label[name] for name in names])[taking_part.outside]
    wetted = porosity[beyond]
    area = taking_part.area * wetted
    inlet = to_quarters(liquid_there[-1:].astype(np.float32))[0]
    return CellGrid(
        micro.shape,
        layers,
        micro.voxel_size,
        solid,
        lithium,
        liquid,
        to_quarters(active_volume),
        to_quarters(liquid_volume),
        to_quarters(active_there.view(np.uint8)),
        to_quarters(liquid_there.astype(np.float32)),
        inlet / np.float32(inlet.sum()),
        taking_part,
        area,
        _position(places.solid, micro.shape),
        _position(places.liquid, micro.shape),
        places.solid_distance,
        places.liquid_distance,
        _position(places.lithium, micro.shape),
        _position(places.surface, micro.shape),
        places.surface_distance,
        np.full(len(area), sigma[of_label[active]]),
        share[beyond],
        wetted,
        separator.share * layers * micro.voxel_size[0] / separator.thickness,
        active_clusters.astype(np.int32),
        liquid_clusters > 0,
        Inactive(
            1.0 - float(np.count_nonzero(active_clusters) / np.count_nonzero(mine)),
            1.0 - float((liquid_clusters > 0).sum() / (share > 0.0)[labels].sum()),
            _lost_area(micro, connected, active, list(electrolytes), taking_part, facets),
        ),
    )


def _reacting(micro: Microstructure, active: str, electrolytes: list[str]) -> ReactingInterface:
    try:
        return reacting_interface(micro, active, electrolytes)
    except NoInterfaceError:
        raise NoInterfaceError(_APART.format(active)) from None


def _lost_area(
    micro: Microstructure,
    connected: Microstructure,
    active: str,
    electrolytes: list[str],
    taking_part: ReactingInterface,
    facets: ReactingInterface,
) -> float:
    """Return the share of the area between active material and electrolyte that takes no part."""
    whole, rest = (
        sum(areas[active, name] for name in electrolytes)
        for areas in (interface_area(micro), interface_area(connected))
    )
    return max(0.0, 1.0 - rest / whole * float(taking_part.area.sum() / facets.area.sum()))


def _position(voxel: NDArray[np.int64], shape: tuple[int, int, int]) -> NDArray[np.int64]:
    """Return where voxels, in C order, stand in flat vectors."""
    return vector_positions(np.stack(np.unravel_index(voxel, shape)), shape)


def _weights(voxel_size: tuple[float, float, float]) -> tuple[float, float, float]:
    first = voxel_size[0]
    return tuple((first / h) ** 2 for h in voxel_size)  # type: ignore[return-value]


def _linked(faces: tuple[NDArray, ...]) -> NDArray[np.bool_]:
    """Return which voxels have an open face."""
    there = np.zeros(faces[0].shape, bool)
    for axis, face in enumerate(faces):
        there |= (face > 0) | (np.roll(face, 1, axis) > 0)
    return there


def _beside() -> Iterator[tuple[tuple[slice, ...], tuple[slice, ...]]]:
    """Yield, for each of the six directions, where there is a neighbour, and where that is."""
    for axis in range(3):
        low = (slice(None),) * axis + (slice(0, -1),)
        high = (slice(None),) * axis + (slice(1, None),)
        yield low, high
        yield high, low


def _series(faces: NDArray[np.uint8], values: NDArray[np.float32], axis: int) -> NDArray:
    """Return open fractions times the harmonic mean of what is on both sides, along an axis."""
    after = np.roll(values, -1, axis)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = np.nan_to_num(2.0 * values * after / (values + after))
    return np.asarray(mean * faces, np.float32)


def _solid(
    labels: NDArray[np.uint8],
    sigma: NDArray[np.float64],
    clusters: NDArray[np.uint32],
    voxel_size: tuple[float, float, float],
) -> tuple[GridOperator, NDArray[np.bool_]]:
    solid = sigma > 0.0
    geometry = smooth_geometry(np.where(solid, 2, 1).astype(np.uint8)[labels], 2, clusters)
    values = sigma[labels].astype(np.float32)
    # A piece of solid in a voxel of the electrolyte belongs to one of the neighbours.
    near = np.full(labels.shape, np.inf, np.float32)
    for here, there in _beside():
        np.minimum(near[here], np.where(values[there] > 0.0, values[there], np.inf), out=near[here])
    values = np.where(values > 0.0, values, np.where(np.isfinite(near), near, 0.0))
    faces = tuple(_series(face, values, axis) for axis, face in enumerate(geometry.faces))
    low = np.float32(2.0 * geometry.unit) * geometry.outer[0] * values[0]
    ends = PlaneField.outer(low, np.zeros_like(low), labels.shape[0])
    factors = tuple(geometry.unit * w for w in _weights(voxel_size))
    operator = GridOperator(faces, factors, ends)  # type: ignore[arg-type]
    return operator, _linked(faces) | (clusters > 0)


def _liquid(
    labels: NDArray[np.uint8],
    share: NDArray[np.float64],
    porosity: NDArray[np.float64],
    clusters: NDArray[np.uint32],
    voxel_size: tuple[float, float, float],
    separator: Separator,
    layers: int,
) -> tuple[GridOperator, NDArray[np.bool_], NDArray[np.float32]]:
    """Return the operator, where there is liquid, and how much; the separator included."""
    liquid = share > 0.0
    numbers = np.where(liquid, 2, 1).astype(np.uint8)[labels]
    geometry = smooth_geometry(numbers, 2, clusters)
    there = _linked(geometry.faces) | (clusters > 0)
    values, room = share[labels].astype(np.float32), porosity[labels].astype(np.float32)
    for array in (values, room):
        near = array.copy()
        for here, beyond in _beside():
            np.maximum(near[here], array[beyond], out=near[here])
        array[...] = np.where(array > 0.0, array, near)
    # The separator has a whole number of layers, and keeps its resistance and its volume.
    stretch = layers * voxel_size[0] / separator.thickness
    through = separator.share * stretch
    plate = (layers, *labels.shape[1:])
    whole = round(1.0 / geometry.unit)
    values = np.concatenate([values, np.full(plate, through, np.float32)])
    faces = []
    for axis, face in enumerate(geometry.faces):
        full = np.concatenate([face, np.full(plate, whole, face.dtype)])
        if axis == 0:
            full[labels.shape[0] - 1] = geometry.outer[1]
        full[(slice(None),) * axis + (-1,)] = 0
        faces.append(_series(full, values, axis))
    factors = tuple(geometry.unit * w for w in _weights(voxel_size))
    volume = phase_fractions(numbers, 2) * there * room
    filled = np.full(plate, separator.porosity / stretch, np.float32)
    return (
        GridOperator(tuple(faces), factors),  # type: ignore[arg-type]
        np.concatenate([there, np.ones(plate, bool)]),
        np.concatenate([volume.astype(np.float32), filled]),
    )
